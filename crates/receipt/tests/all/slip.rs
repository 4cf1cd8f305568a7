//! The slip's layout: pictures for each paper, language and copy; widths; secrets; bytes.

use crate::purchase;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use receipt::escpos::{Section, process_id};
use receipt::{CopyOf, Language, Paper, Reprint, SlipFields, Title, Unmappable, lay_out, mask_pan};

const EVERY: [(CopyOf, Language, Paper); 8] = [
    (CopyOf::Merchant, Language::Zh, Paper::Mm58),
    (CopyOf::Cardholder, Language::Zh, Paper::Mm58),
    (CopyOf::Merchant, Language::En, Paper::Mm58),
    (CopyOf::Cardholder, Language::En, Paper::Mm58),
    (CopyOf::Merchant, Language::Zh, Paper::Mm80),
    (CopyOf::Cardholder, Language::Zh, Paper::Mm80),
    (CopyOf::Merchant, Language::En, Paper::Mm80),
    (CopyOf::Cardholder, Language::En, Paper::Mm80),
];

fn check(
    fields: &SlipFields,
    (copy, language, paper): (CopyOf, Language, Paper),
    reprint: Option<Reprint>,
    expected: Expect,
) {
    expected.assert_eq(&lay_out(fields, copy, language, paper, reprint).text());
}

#[test]
fn purchases() {
    let fields = purchase();
    check(
        &fields,
        EVERY[0],
        None,
        expect![[r#"
                   POS签购单
                    商户存根
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        授权码     A12345
        交易参考号 632614000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
                            RMB:￥128.00
                    交易成功
        --------------------------------
        持卡人签名


        ________________________________
        本人确认以上交易，同意将其计入本
        卡账户
        --------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[1],
        None,
        expect![[r#"
                   POS签购单
                   持卡人存根
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        授权码     A12345
        交易参考号 632614000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
                            RMB:￥128.00
                    交易成功
        --------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[2],
        None,
        expect![[r#"
                 POS SALES SLIP
                 MERCHANT COPY
        --------------------------------
        MERCHANT NAME
              星河咖啡店（人民路旗舰店）
        MERCHANT NO 898310054110001
        TERMINAL NO 10000001
        OPERATOR NO 01
        --------------------------------
        ISSUER      江城银行
        ACQ         48020000
        CARD NO    622848*********1234 I
        TXN TYPE    SALE
        BATCH NO    000001
        VOUCHER NO  000123
        AUTH NO     A12345
        REF. NO     632614000123
        DATE/TIME   2026-11-22 14:03:22
        --------------------------------
        AMOUNT
                            RMB:￥128.00
                    Approved
        --------------------------------
        CARDHOLDER SIGNATURE


        ________________________________
        I ACKNOWLEDGE SATISFACTORY
        RECEIPT OF RELATIVE
        GOODS/SERVICES
        --------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[3],
        None,
        expect![[r#"
                 POS SALES SLIP
                CARDHOLDER COPY
        --------------------------------
        MERCHANT NAME
              星河咖啡店（人民路旗舰店）
        MERCHANT NO 898310054110001
        TERMINAL NO 10000001
        OPERATOR NO 01
        --------------------------------
        ISSUER      江城银行
        ACQ         48020000
        CARD NO    622848*********1234 I
        TXN TYPE    SALE
        BATCH NO    000001
        VOUCHER NO  000123
        AUTH NO     A12345
        REF. NO     632614000123
        DATE/TIME   2026-11-22 14:03:22
        --------------------------------
        AMOUNT
                            RMB:￥128.00
                    Approved
        --------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[4],
        None,
        expect![[r#"
                           POS签购单
                            商户存根
        ------------------------------------------------
        商户名称        星河咖啡店（人民路旗舰店）
        商户编号        898310054110001
        终端编号        10000001
        操作员号        01
        ------------------------------------------------
        发卡行          江城银行
        收单行          48020000
        卡号            622848*********1234 I
        交易类型        消费
        批次号          000001
        凭证号          000123
        授权码          A12345
        交易参考号      632614000123
        日期/时间       2026-11-22 14:03:22
        ------------------------------------------------
        金额
                                            RMB:￥128.00
                            交易成功
        ------------------------------------------------
        持卡人签名


        ________________________________________________
        本人确认以上交易，同意将其计入本卡账户
        ------------------------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[5],
        None,
        expect![[r#"
                           POS签购单
                           持卡人存根
        ------------------------------------------------
        商户名称        星河咖啡店（人民路旗舰店）
        商户编号        898310054110001
        终端编号        10000001
        操作员号        01
        ------------------------------------------------
        发卡行          江城银行
        收单行          48020000
        卡号            622848*********1234 I
        交易类型        消费
        批次号          000001
        凭证号          000123
        授权码          A12345
        交易参考号      632614000123
        日期/时间       2026-11-22 14:03:22
        ------------------------------------------------
        金额
                                            RMB:￥128.00
                            交易成功
        ------------------------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[6],
        None,
        expect![[r#"
                         POS SALES SLIP
                         MERCHANT COPY
        ------------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        ------------------------------------------------
        ISSUER          江城银行
        ACQ             48020000
        CARD NO         622848*********1234 I
        TXN TYPE        SALE
        BATCH NO        000001
        VOUCHER NO      000123
        AUTH NO         A12345
        REF. NO         632614000123
        DATE/TIME       2026-11-22 14:03:22
        ------------------------------------------------
        AMOUNT
                                            RMB:￥128.00
                            Approved
        ------------------------------------------------
        CARDHOLDER SIGNATURE


        ________________________________________________
        I ACKNOWLEDGE SATISFACTORY RECEIPT OF RELATIVE
        GOODS/SERVICES
        ------------------------------------------------
    "#]],
    );
    check(
        &fields,
        EVERY[7],
        None,
        expect![[r#"
                         POS SALES SLIP
                        CARDHOLDER COPY
        ------------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        ------------------------------------------------
        ISSUER          江城银行
        ACQ             48020000
        CARD NO         622848*********1234 I
        TXN TYPE        SALE
        BATCH NO        000001
        VOUCHER NO      000123
        AUTH NO         A12345
        REF. NO         632614000123
        DATE/TIME       2026-11-22 14:03:22
        ------------------------------------------------
        AMOUNT
                                            RMB:￥128.00
                            Approved
        ------------------------------------------------
    "#]],
    );
}

#[test]
fn reprints() {
    let reprint = |count| {
        Some(Reprint {
            count,
            original_time: "2026-11-22 14:03:22".into(),
        })
    };
    check(
        &purchase(),
        EVERY[0],
        reprint(2),
        expect![[r#"
           ****重打印/DUPLICATED****
                 第 2 次重打印
          原单时间 2026-11-22 14:03:22
                   POS签购单
                    商户存根
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        授权码     A12345
        交易参考号 632614000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
                            RMB:￥128.00
                    交易成功
           ****重打印/DUPLICATED****
        --------------------------------
        重打印单不作为签名凭证
        --------------------------------
    "#]],
    );
    check(
        &purchase(),
        EVERY[7],
        reprint(1),
        expect![[r#"
                   ****重打印/DUPLICATED****
                           REPRINT 1
                  ORIGINAL 2026-11-22 14:03:22
                         POS SALES SLIP
                        CARDHOLDER COPY
        ------------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        ------------------------------------------------
        ISSUER          江城银行
        ACQ             48020000
        CARD NO         622848*********1234 I
        TXN TYPE        SALE
        BATCH NO        000001
        VOUCHER NO      000123
        AUTH NO         A12345
        REF. NO         632614000123
        DATE/TIME       2026-11-22 14:03:22
        ------------------------------------------------
        AMOUNT
                                            RMB:￥128.00
                            Approved
                   ****重打印/DUPLICATED****
        ------------------------------------------------
    "#]],
    );
}

#[test]
fn other_titles() {
    let reversed = SlipFields {
        title: Title::ReversalProof,
        headline: (
            "已冲正，款项未扣".into(),
            "Reversed: no money was taken".into(),
        ),
        auth_code: None,
        remarks: vec![(
            "原凭证号 000122。如账户仍显示占用，最迟次日自动恢复，无需再联系商户。".into(),
            "Original voucher 000122. A hold still shown is released by the next day.".into(),
        )],
        ..purchase()
    };
    check(
        &reversed,
        EVERY[1],
        None,
        expect![[r#"
                    冲正凭证
                   持卡人存根
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        交易参考号 632614000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
                            RMB:￥128.00
                已冲正，款项未扣
        --------------------------------
        备注
        原凭证号 000122。如账户仍显示占
        用，最迟次日自动恢复，无需再联系
        商户。
        --------------------------------
    "#]],
    );
    check(
        &reversed,
        EVERY[6],
        None,
        expect![[r#"
                         REVERSAL PROOF
                         MERCHANT COPY
        ------------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        ------------------------------------------------
        ISSUER          江城银行
        ACQ             48020000
        CARD NO         622848*********1234 I
        TXN TYPE        SALE
        BATCH NO        000001
        VOUCHER NO      000123
        REF. NO         632614000123
        DATE/TIME       2026-11-22 14:03:22
        ------------------------------------------------
        AMOUNT
                                            RMB:￥128.00
                  Reversed: no money was taken
        ------------------------------------------------
        REFERENCE
        Original voucher 000122. A hold still shown is
        released by the next day.
        ------------------------------------------------
    "#]],
    );
    let pending = SlipFields {
        title: Title::Pending,
        headline: (
            "结果确认中，请勿重复付款".into(),
            "Result not known yet: do not pay again".into(),
        ),
        auth_code: None,
        rrn: None,
        training: true,
        ..purchase()
    };
    check(
        &pending,
        EVERY[1],
        None,
        expect![[r#"
                   结果待确认
                   持卡人存根
              ***测试，凭证无效***
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
                            RMB:￥128.00
            结果确认中，请勿重复付款
        --------------------------------
              ***测试，凭证无效***
    "#]],
    );
    let unsigned = SlipFields {
        signature_required: false,
        merchant_name: "江城市人民路步行街星河咖啡连锁经营有限公司第一百二十八号直营旗舰店".into(),
        amount_minor: u64::MAX,
        ..purchase()
    };
    check(
        &unsigned,
        EVERY[0],
        None,
        expect![[r#"
                   POS签购单
                    商户存根
        --------------------------------
        商户名称
        江城市人民路步行街星河咖啡连锁经
        营有限公司第一百二十八号直营旗舰
        店
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        --------------------------------
        发卡行     江城银行
        收单行     48020000
        卡号       622848*********1234 I
        交易类型   消费
        批次号     000001
        凭证号     000123
        授权码     A12345
        交易参考号 632614000123
        日期/时间  2026-11-22 14:03:22
        --------------------------------
        金额
             RMB:￥184467440737095516.15
                    交易成功
        --------------------------------
        本次交易免签名
        --------------------------------
    "#]],
    );
}

#[test]
fn never_more_than_six_and_four() {
    for (given, shown) in [
        ("622848*********1234", "622848*********1234"),
        ("6228480402564890018", "622848*********0018"),
        ("6228 4804 0256 4890", "622848******4890"),
        ("622848040256", "622848**0256"),
        ("62284804025", "***********"),
        ("62284804025648900181234567", "********************"),
        ("1234", "****"),
        ("", ""),
    ] {
        assert_eq!(mask_pan(given), shown, "{given}");
        let fields = SlipFields {
            masked_pan: given.into(),
            ..purchase()
        };
        assert_eq!(fields.clone().bounded().masked_pan, shown);
        for (copy, language, paper) in EVERY {
            let text = lay_out(&fields, copy, language, paper, None).text();
            assert!(text.contains(shown), "{text}");
        }
    }
}

#[test]
fn lines_break_between_words_and_never_before_a_closing_mark() {
    for (remark, lines) in [
        (
            "一二三四五六七八九十甲乙丙丁戊己。庚",
            "一二三四五六七八九十甲乙丙丁戊\n己。庚\n",
        ),
        (
            "一二三四五六七八九十甲乙丙丁戊（己）",
            "一二三四五六七八九十甲乙丙丁戊\n（己）\n",
        ),
        (
            "a一二三四五六七八九十甲乙丙丁戊己庚",
            "a一二三四五六七八九十甲乙丙丁戊\n己庚\n",
        ),
        (
            "thirty two columns are one row, and so on",
            "thirty two columns are one row,\nand so on\n",
        ),
    ] {
        let fields = SlipFields {
            remarks: vec![(remark.into(), String::new())],
            ..purchase()
        };
        let (copy, language, paper) = EVERY[1];
        let text = lay_out(&fields, copy, language, paper, None).text();
        assert!(text.contains(&format!("备注\n{lines}---")), "{text}");
    }
}

#[test]
fn quota_shows_no_sign_of_money_and_has_three_stubs() {
    let fields = SlipFields {
        title: Title::Barter,
        amount_minor: 12_300,
        ..purchase()
    };
    for (copy, zh, en) in [
        (CopyOf::Merchant, "卖方存根", "SELLER COPY"),
        (CopyOf::Bank, "易货代理存根", "AGENT COPY"),
        (CopyOf::Cardholder, "买方存根", "BUYER COPY"),
    ] {
        for title in [Title::Barter, Title::BarterReversal] {
            let fields = SlipFields {
                title,
                ..fields.clone()
            };
            let of = |language| lay_out(&fields, copy, language, Paper::Mm58, None).text();
            let (chinese, english) = (of(Language::Zh), of(Language::En));
            assert!(
                chinese.contains(zh) && chinese.contains("易货额"),
                "{chinese}"
            );
            assert!(
                english.contains(en) && english.contains("QUOTA"),
                "{english}"
            );
            for text in [chinese, english] {
                assert!(text.contains("123.00"), "{text}");
                assert!(!text.contains("RMB") && !text.contains('￥'), "{text}");
            }
        }
    }
}

#[test]
fn unprintable_characters_are_named_or_substituted() {
    let fields = SlipFields {
        merchant_name: "𠮷野家\u{1B}p\0".into(),
        headline: ("¥1".into(), String::new()),
        ..purchase()
    };
    let (copy, language, paper) = EVERY[4];
    let slip = lay_out(&fields, copy, language, paper, None);
    let (character, line) = ('𠮷', 3);
    assert_eq!(slip.escpos(7), Err(Unmappable { character, line }));
    assert!(slip.text().contains("￥1"));
    let bytes = slip.escpos_substituted(7);
    let name = [&[0xA3, 0xBF][..], &[0xD2, 0xB0, 0xBC, 0xD2], b" p"].concat();
    assert!(bytes.windows(name.len()).any(|window| window == name));
}

#[test]
fn a_job_has_the_shape_of_the_reference() {
    let (copy, language, paper) = EVERY[0];
    let bytes = lay_out(&purchase(), copy, language, paper, None)
        .escpos(36 * 36 * 36 + 36 + 11)
        .unwrap();
    let head = [
        0x1B, 0x40, 0x1B, 0x3D, 1, 0x1B, 0x63, 0x34, 0, 0x1D, 0x61, 0xFF, 0x1C, 0x26,
    ];
    let tail = [
        &[0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30][..],
        b"01BB",
        &[0x1B, 0x64, 4, 0x1D, 0x56, 0x42, 0],
        &[0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30],
        b"01BC",
        &[0x1D, 0x72, 1],
    ]
    .concat();
    assert!(bytes.starts_with(&head));
    assert!(bytes.ends_with(&tail), "{bytes:02X?}");
    let amount = [b"RMB:".as_slice(), &[0xA3, 0xA4], b"128.00\n"].concat();
    assert!(bytes.windows(amount.len()).any(|window| window == amount));
    assert_eq!(process_id(46_655, Section::Body), *b"ZZZB");
}

proptest! {
    #[test]
    fn any_text_fits_the_paper(name in ".{0,200}", headline in "[a-z，。￥店 (]{0,90}", pan: String, amount: u64) {
        let fields = SlipFields {
            merchant_name: name.clone(),
            headline: (headline.clone(), headline),
            masked_pan: pan,
            operator: name.clone(),
            amount_minor: amount,
            remarks: vec![(name.clone(), name)],
            ..purchase()
        };
        for (copy, language, paper) in EVERY {
            let reprint = Reprint { count: u32::MAX, original_time: fields.date_time.clone() };
            let slip = lay_out(&fields, copy, language, paper, Some(reprint));
            for line in slip.text().lines() {
                let columns: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
                prop_assert!(columns <= paper.columns(), "{}", line);
                prop_assert!(!line.chars().any(char::is_control), "{}", line);
            }
            prop_assert_eq!(slip.escpos(1).ok().unwrap_or_else(|| slip.escpos_substituted(1)), slip.escpos_substituted(1));
        }
    }
}
