//! The other kinds of slips: bilingual, with chip data and a link, settlement, shift; as text.

use crate::purchase;
use expect_test::{Expect, expect};
use receipt::{
    CardKindTotals, Chip, CopyOf, Cryptogram, Language, Paper, PendingItem, Reconciled, Reprint,
    SettlementFields, ShiftFields, Slip, SlipFields, Sum, Title, Verification, lay_out,
    lay_out_settlement, lay_out_shift,
};

/// A small payment with a chip, without PIN and signature, with a link.
pub fn chip() -> SlipFields {
    SlipFields {
        signature_required: false,
        verification: Some(Verification::NeitherBelow(100_000)),
        chip: Some(Box::new(Chip {
            aid: "A000000333010101".into(),
            label: "PBOC DEBIT".into(),
            cryptogram: "1A2B3C4D5E6F7081".into(),
            tvr: "0000008000".into(),
            tsi: "E800".into(),
            atc: "0012".into(),
            cvm: "1E0300".into(),
            sequence: "01".into(),
            ..Chip::default()
        })),
        link: Some("HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB".into()),
        ..purchase()
    }
}

fn sums() -> Vec<Sum> {
    let sum = |zh: &str, en: &str, credit, count, amount_minor| Sum {
        transaction: (zh.into(), en.into()),
        credit,
        count,
        amount_minor,
    };
    vec![
        sum("消费", "SALE", false, 42, 1_234_560),
        sum("预授权完成", "AUTH COMPLETE", false, 3, 300_000),
        sum("退货", "REFUND", true, 1, 12_800),
    ]
}

pub fn settlement() -> SettlementFields {
    SettlementFields {
        merchant_name: purchase().merchant_name,
        merchant_id: purchase().merchant_id,
        terminal_id: "10000001".into(),
        operator: "01".into(),
        batch: 1,
        date_time: "2026-11-22 22:00:05".into(),
        card_kinds: vec![
            CardKindTotals {
                name: ("内卡".into(), "DOMESTIC CARDS".into()),
                reconciled: Reconciled::Balanced,
                sums: sums(),
            },
            CardKindTotals {
                name: ("外卡".into(), "FOREIGN CARDS".into()),
                reconciled: Reconciled::Unbalanced,
                sums: sums()[2..].to_vec(),
            },
        ],
        training: false,
    }
}

pub fn shift() -> ShiftFields {
    let item = |voucher, date_time: &str, amount_minor, zh: &str, en: &str| PendingItem {
        voucher,
        date_time: date_time.into(),
        amount_minor,
        state: (zh.into(), en.into()),
    };
    ShiftFields {
        merchant_name: purchase().merchant_name,
        terminal_id: "10000001".into(),
        cashier: "01 王芳".into(),
        from: "2026-11-22 08:00:00".into(),
        to: "2026-11-22 16:00:00".into(),
        sums: sums(),
        pending: vec![
            item(
                124,
                "2026-11-22 15:40:02",
                3_800,
                "冲正未送达",
                "REVERSAL NOT DELIVERED",
            ),
            item(
                131,
                "2026-11-22 15:58:41",
                12_800,
                "结果待确认",
                "RESULT PENDING",
            ),
        ],
        pending_more: 0,
        training: false,
    }
}

fn check(slip: Slip, expected: Expect) {
    expected.assert_eq(&slip.text());
}

#[test]
fn bilingual_slips_have_every_label_on_its_own_line() {
    let slip = |copy, paper| lay_out(&purchase(), copy, Language::Both, paper, None);
    check(
        slip(CopyOf::Bank, Paper::Mm58),
        expect![[r#"
                   POS签购单
                 POS SALES SLIP
               银行存根 BANK COPY
        --------------------------------
        商户名称 MERCHANT NAME
            星河咖啡店（人民路旗舰店）
        商户编号 MERCHANT NO
            898310054110001
        终端编号 TERMINAL NO
            10000001
        操作员号 OPERATOR NO
            01
        --------------------------------
        发卡行 ISSUER
            江城银行
        收单行 ACQ
            48020000
        卡号 CARD NO
            622848*********1234 I
        交易类型 TXN TYPE
            消费 SALE
        批次号 BATCH NO
            000001
        凭证号 VOUCHER NO
            000123
        授权码 AUTH NO
            A12345
        交易参考号 REF. NO
            632614000123
        日期/时间 DATE/TIME
            2026-11-22 14:03:22
        --------------------------------
        金额 AMOUNT
                            RMB:￥128.00
                    交易成功
                    Approved
        --------------------------------
        持卡人签名 CARDHOLDER SIGNATURE


        ________________________________
        本人确认以上交易，同意将其计入本
        卡账户
        I ACKNOWLEDGE SATISFACTORY
        RECEIPT OF RELATIVE
        GOODS/SERVICES
        --------------------------------
    "#]],
    );
    check(
        slip(CopyOf::Cardholder, Paper::Mm80),
        expect![[r#"
                           POS签购单
                         POS SALES SLIP
                   持卡人存根 CARDHOLDER COPY
        ------------------------------------------------
        商户名称 MERCHANT NAME
            星河咖啡店（人民路旗舰店）
        商户编号 MERCHANT NO
            898310054110001
        终端编号 TERMINAL NO
            10000001
        操作员号 OPERATOR NO
            01
        ------------------------------------------------
        发卡行 ISSUER
            江城银行
        收单行 ACQ
            48020000
        卡号 CARD NO
            622848*********1234 I
        交易类型 TXN TYPE
            消费 SALE
        批次号 BATCH NO
            000001
        凭证号 VOUCHER NO
            000123
        授权码 AUTH NO
            A12345
        交易参考号 REF. NO
            632614000123
        日期/时间 DATE/TIME
            2026-11-22 14:03:22
        ------------------------------------------------
        金额 AMOUNT
                                            RMB:￥128.00
                            交易成功
                            Approved
        ------------------------------------------------
    "#]],
    );
}

#[test]
fn chip_data_rules_and_links() {
    let slip = |language, paper| lay_out(&chip(), CopyOf::Merchant, language, paper, None);
    check(
        slip(Language::Zh, Paper::Mm58),
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
        备注
        APP:PBOC DEBIT
        AID:A000000333010101
        ARQC:1A2B3C4D5E6F7081
        TVR:0000008000  TSI:E800
        ATC:0012  CSN:01  CVM:1E0300
        --------------------------------
        交易金额未超1000元，免密免签
        --------------------------------
        HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5
        TB
                扫码查看电子小票
        --------------------------------
    "#]],
    );
    check(
        slip(Language::En, Paper::Mm80At180Dpi),
        expect![[r#"
                      POS SALES SLIP
                      MERCHANT COPY
        ------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        ------------------------------------------
        ISSUER          江城银行
        ACQ             48020000
        CARD NO         622848*********1234 I
        TXN TYPE        SALE
        BATCH NO        000001
        VOUCHER NO      000123
        AUTH NO         A12345
        REF. NO         632614000123
        DATE/TIME       2026-11-22 14:03:22
        ------------------------------------------
        AMOUNT
                                      RMB:￥128.00
                         Approved
        ------------------------------------------
        REFERENCE
        APP:PBOC DEBIT  AID:A000000333010101
        ARQC:1A2B3C4D5E6F7081  TVR:0000008000
        TSI:E800  ATC:0012  CSN:01  CVM:1E0300
        ------------------------------------------
        UP TO RMB 1000: NO PIN, NO SIGNATURE
        REQUIRED
        ------------------------------------------
        HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB
                   SCAN FOR THE E-SLIP
        ------------------------------------------
    "#]],
    );
    check(
        slip(Language::Both, Paper::Mm80),
        expect![[r#"
                           POS签购单
                         POS SALES SLIP
                     商户存根 MERCHANT COPY
        ------------------------------------------------
        商户名称 MERCHANT NAME
            星河咖啡店（人民路旗舰店）
        商户编号 MERCHANT NO
            898310054110001
        终端编号 TERMINAL NO
            10000001
        操作员号 OPERATOR NO
            01
        ------------------------------------------------
        发卡行 ISSUER
            江城银行
        收单行 ACQ
            48020000
        卡号 CARD NO
            622848*********1234 I
        交易类型 TXN TYPE
            消费 SALE
        批次号 BATCH NO
            000001
        凭证号 VOUCHER NO
            000123
        授权码 AUTH NO
            A12345
        交易参考号 REF. NO
            632614000123
        日期/时间 DATE/TIME
            2026-11-22 14:03:22
        ------------------------------------------------
        金额 AMOUNT
                                            RMB:￥128.00
                            交易成功
                            Approved
        ------------------------------------------------
        备注 REFERENCE
        APP:PBOC DEBIT  AID:A000000333010101
        ARQC:1A2B3C4D5E6F7081  TVR:0000008000  TSI:E800
        ATC:0012  CSN:01  CVM:1E0300
        ------------------------------------------------
        交易金额未超1000元，免密免签
        UP TO RMB 1000: NO PIN, NO SIGNATURE REQUIRED
        ------------------------------------------------
        HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB
              扫码查看电子小票 SCAN FOR THE E-SLIP
        ------------------------------------------------
    "#]],
    );
}

#[test]
fn copies_and_signatures() {
    let text = |fields: &SlipFields, copy, reprint| {
        lay_out(fields, copy, Language::Zh, Paper::Mm80, reprint).text()
    };
    let reprint = Reprint {
        count: 1,
        original_time: purchase().date_time,
    };
    for (copy, name, signs) in [
        (CopyOf::Merchant, "商户存根", true),
        (CopyOf::Bank, "银行存根", true),
        (CopyOf::Cardholder, "持卡人存根", false),
    ] {
        let first = text(&purchase(), copy, None);
        assert!(first.contains(name), "{first}");
        assert_eq!(first.contains("持卡人签名"), signs, "{first}");
        let again = text(&purchase(), copy, Some(reprint.clone()));
        assert!(!again.contains("持卡人签名"), "{again}");
        assert_eq!(again.contains("重打印单不作为签名凭证"), signs, "{again}");
    }
    for (verification, signature_required, words) in [
        (None, false, "本次交易免签名"),
        (Some(Verification::Pin), false, "密码已验证，免签名"),
        (
            Some(Verification::NoPinBelow(100_000)),
            true,
            "交易金额未超1000元，无需输密",
        ),
        (
            Some(Verification::NoSignatureBelow(30_050)),
            false,
            "交易金额未超300.50元，免签名",
        ),
        (
            Some(Verification::Device),
            false,
            "移动设备已验证用户，免密免签",
        ),
        (Some(Verification::ScannedCode), false, "扫码交易，免签名"),
    ] {
        let fields = SlipFields {
            verification,
            signature_required,
            ..purchase()
        };
        let slip = text(&fields, CopyOf::Merchant, None);
        assert!(slip.contains(words), "{slip}");
        assert_eq!(slip.contains("持卡人签名"), signature_required, "{slip}");
        let declined = SlipFields {
            title: Title::Declined,
            ..fields
        };
        let slip = text(&declined, CopyOf::Merchant, None);
        assert!(!slip.contains("免签名") && !slip.contains("签名"), "{slip}");
    }
}

#[test]
fn chip_data_is_named_by_what_it_is() {
    for (kind, name) in [
        (Cryptogram::Arqc, "ARQC:1A2B3C4D5E6F7081"),
        (Cryptogram::Tc, "TC:1A2B3C4D5E6F7081"),
        (Cryptogram::Aac, "AAC:1A2B3C4D5E6F7081"),
    ] {
        let mut fields = chip();
        if let Some(chip) = &mut fields.chip {
            chip.cryptogram_kind = kind;
            chip.preferred_name = "银联借记".into();
        }
        let text = lay_out(&fields, CopyOf::Bank, Language::Zh, Paper::Mm80, None).text();
        assert!(
            text.contains(name) && text.contains("APP:银联借记"),
            "{text}"
        );
        assert!(!text.contains("PBOC") && !text.contains("UNPR"), "{text}");
    }
}

#[test]
fn a_link_is_whole_or_absent() {
    for (link, drawn) in [
        ("HTTPS://R.EXAMPLE/1".to_owned(), true),
        ("A".repeat(301), false),
    ] {
        let fields = SlipFields {
            link: Some(link.clone()),
            ..purchase()
        };
        assert_eq!(fields.clone().bounded().link.is_some(), drawn);
        let text = lay_out(&fields, CopyOf::Bank, Language::En, Paper::Mm80, None).text();
        assert_eq!(text.contains("SCAN FOR THE E-SLIP"), drawn, "{text}");
        assert_eq!(text.contains(&link[..19]), drawn, "{text}");
    }
}

#[test]
fn settlements() {
    let slip = |language, paper| lay_out_settlement(&settlement(), language, paper, None);
    check(
        slip(Language::Zh, Paper::Mm58),
        expect![[r#"
                     结算单
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        商户编号   898310054110001
        终端编号   10000001
        操作员号   01
        批次号     000001
        日期/时间  2026-11-22 22:00:05
        --------------------------------
        内卡
        类型            笔数        金额
        消费              42  ￥12345.60
        预授权完成         3   ￥3000.00
        退货               1    ￥128.00
        借记合计          45  ￥15345.60
        贷记合计           1    ￥128.00
                     对账平
        --------------------------------
        外卡
        类型              笔数      金额
        退货                 1  ￥128.00
        借记合计             0    ￥0.00
        贷记合计             1  ￥128.00
                    对账不平
        --------------------------------
    "#]],
    );
    check(
        slip(Language::En, Paper::Mm80At180Dpi),
        expect![[r#"
                        SETTLEMENT
        ------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        MERCHANT NO     898310054110001
        TERMINAL NO     10000001
        OPERATOR NO     01
        BATCH NO        000001
        DATE/TIME       2026-11-22 22:00:05
        ------------------------------------------
        DOMESTIC CARDS
        TYPE                     COUNT      AMOUNT
        SALE                        42  ￥12345.60
        AUTH COMPLETE                3   ￥3000.00
        REFUND                       1    ￥128.00
        DEBIT TOTAL                 45  ￥15345.60
        CREDIT TOTAL                 1    ￥128.00
                         BALANCED
        ------------------------------------------
        FOREIGN CARDS
        TYPE                       COUNT    AMOUNT
        REFUND                         1  ￥128.00
        DEBIT TOTAL                    0    ￥0.00
        CREDIT TOTAL                   1  ￥128.00
                       NOT BALANCED
        ------------------------------------------
    "#]],
    );
    check(
        slip(Language::Both, Paper::Mm58),
        expect![[r#"
                     结算单
                   SETTLEMENT
        --------------------------------
        商户名称 MERCHANT NAME
            星河咖啡店（人民路旗舰店）
        商户编号 MERCHANT NO
            898310054110001
        终端编号 TERMINAL NO
            10000001
        操作员号 OPERATOR NO
            01
        批次号 BATCH NO
            000001
        日期/时间 DATE/TIME
            2026-11-22 22:00:05
        --------------------------------
        内卡 DOMESTIC CARDS
        类型 TYPE
                 笔数 COUNT  金额 AMOUNT
        消费 SALE        42   ￥12345.60
        预授权完成 AUTH COMPLETE
                          3    ￥3000.00
        退货 REFUND       1     ￥128.00
        借记合计 DEBIT TOTAL
                         45   ￥15345.60
        贷记合计 CREDIT TOTAL
                          1     ￥128.00
                     对账平
                    BALANCED
        --------------------------------
        外卡 FOREIGN CARDS
        类型 TYPE
                 笔数 COUNT  金额 AMOUNT
        退货 REFUND       1     ￥128.00
        借记合计 DEBIT TOTAL
                          0       ￥0.00
        贷记合计 CREDIT TOTAL
                          1     ￥128.00
                    对账不平
                  NOT BALANCED
        --------------------------------
    "#]],
    );
    let reprint = Reprint {
        count: 2,
        original_time: settlement().date_time,
    };
    let slip = lay_out_settlement(&settlement(), Language::Zh, Paper::Mm58, Some(reprint));
    assert!(slip.text().contains("****重打印/DUPLICATED****"));
}

#[test]
fn shifts() {
    let slip = |language, paper| lay_out_shift(&shift(), language, paper, None);
    check(
        slip(Language::Zh, Paper::Mm58),
        expect![[r#"
                    交接班单
        --------------------------------
        商户名称
              星河咖啡店（人民路旗舰店）
        终端编号   10000001
        收银员     01 王芳
        开始时间   2026-11-22 08:00:00
        结束时间   2026-11-22 16:00:00
        --------------------------------
        类型            笔数        金额
        消费              42  ￥12345.60
        预授权完成         3   ￥3000.00
        退货               1    ￥128.00
        借记合计          45  ￥15345.60
        贷记合计           1    ￥128.00
        --------------------------------
        待处理 2 笔
        凭证号                      金额
        000124                   ￥38.00
        2026-11-22 15:40:02   冲正未送达
        000131                  ￥128.00
        2026-11-22 15:58:41   结果待确认
        --------------------------------
        交班人签字


        ________________________________
        接班人签字


        ________________________________
    "#]],
    );
    check(
        slip(Language::En, Paper::Mm80),
        expect![[r#"
                          SHIFT REPORT
        ------------------------------------------------
        MERCHANT NAME   星河咖啡店（人民路旗舰店）
        TERMINAL NO     10000001
        CASHIER         01 王芳
        FROM            2026-11-22 08:00:00
        TO              2026-11-22 16:00:00
        ------------------------------------------------
        TYPE                           COUNT      AMOUNT
        SALE                              42  ￥12345.60
        AUTH COMPLETE                      3   ￥3000.00
        REFUND                             1    ￥128.00
        DEBIT TOTAL                       45  ￥15345.60
        CREDIT TOTAL                       1    ￥128.00
        ------------------------------------------------
        PENDING: 2
        VOUCHER                                   AMOUNT
        000124                                   ￥38.00
        2026-11-22 15:40:02       REVERSAL NOT DELIVERED
        000131                                  ￥128.00
        2026-11-22 15:58:41               RESULT PENDING
        ------------------------------------------------
        HANDED OVER BY


        ________________________________________________
        TAKEN OVER BY


        ________________________________________________
    "#]],
    );
    check(
        slip(Language::Both, Paper::Mm80At180Dpi),
        expect![[r#"
                         交接班单
                       SHIFT REPORT
        ------------------------------------------
        商户名称 MERCHANT NAME
            星河咖啡店（人民路旗舰店）
        终端编号 TERMINAL NO
            10000001
        收银员 CASHIER
            01 王芳
        开始时间 FROM
            2026-11-22 08:00:00
        结束时间 TO
            2026-11-22 16:00:00
        ------------------------------------------
        类型 TYPE          笔数 COUNT  金额 AMOUNT
        消费 SALE                  42   ￥12345.60
        预授权完成 AUTH COMPLETE    3    ￥3000.00
        退货 REFUND                 1     ￥128.00
        借记合计 DEBIT TOTAL       45   ￥15345.60
        贷记合计 CREDIT TOTAL       1     ￥128.00
        ------------------------------------------
        待处理 2 笔 PENDING: 2
        凭证号 VOUCHER                 金额 AMOUNT
        000124                             ￥38.00
        2026-11-22 15:40:02
                 冲正未送达 REVERSAL NOT DELIVERED
        000131                            ￥128.00
        2026-11-22 15:58:41
                         结果待确认 RESULT PENDING
        ------------------------------------------
        交班人签字 HANDED OVER BY


        __________________________________________
        接班人签字 TAKEN OVER BY


        __________________________________________
    "#]],
    );
    let mut many = shift();
    many.pending = vec![many.pending[0].clone(); 103];
    let text = lay_out_shift(&many, Language::Zh, Paper::Mm80, None).text();
    assert!(text.contains("待处理 103 笔") && text.contains("另有 3 笔未列出"));
    assert_eq!(text.matches("冲正未送达").count(), 100);
}
