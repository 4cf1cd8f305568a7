//! Prints sample slips to look at: every title, both widths, both languages, both copies.

use receipt::{CopyOf, Language, Paper, Reprint, SlipFields, Title, lay_out};

fn main() {
    for (paper, language) in [
        (Paper::Mm58, Language::Zh),
        (Paper::Mm58, Language::En),
        (Paper::Mm80, Language::Zh),
        (Paper::Mm80, Language::En),
    ] {
        for copy in [CopyOf::Merchant, CopyOf::Cardholder] {
            let slip = lay_out(&purchase(), copy, language, paper, None);
            println!("{}\n", slip.text());
        }
        let reprint = Reprint {
            count: 1,
            original_time: purchase().date_time,
        };
        let slip = lay_out(
            &purchase(),
            CopyOf::Merchant,
            language,
            paper,
            Some(reprint),
        );
        println!("{}\n", slip.text());
        for (title, zh, en) in [
            (
                Title::ReversalProof,
                "已冲正，款项未扣",
                "Reversed: no money was taken",
            ),
            (
                Title::Declined,
                "余额不足，款项未扣",
                "Declined, no money was taken: insufficient funds",
            ),
            (
                Title::Pending,
                "结果确认中，请勿重复付款",
                "Result not known yet: do not pay again",
            ),
            (Title::Balance, "查询成功", "Done"),
        ] {
            let fields = SlipFields {
                title,
                headline: (zh.into(), en.into()),
                auth_code: None,
                training: title == Title::Balance,
                ..purchase()
            };
            let slip = lay_out(&fields, CopyOf::Cardholder, language, paper, None);
            println!("{}\n", slip.text());
        }
    }
}

fn purchase() -> SlipFields {
    SlipFields {
        title: Title::Purchase,
        merchant_name: "星河咖啡店（人民路旗舰店）".into(),
        merchant_id: "898310054110001".into(),
        terminal_id: "10000001".into(),
        operator: "01".into(),
        issuer: "江城银行".into(),
        acquirer: "48020000".into(),
        masked_pan: "622848*********1234".into(),
        entry_letter: 'I',
        transaction: ("消费".into(), "SALE".into()),
        batch: 1,
        voucher: 123,
        auth_code: Some("A12345".into()),
        rrn: Some("632614000123".into()),
        date_time: "2026-11-22 14:03:22".into(),
        amount_minor: 12_800,
        headline: ("交易成功".into(), "Approved".into()),
        remarks: vec![(
            "如需查询款项，请凭交易参考号联系发卡行".into(),
            "Questions about the money: give your bank the REF. NO".into(),
        )],
        signature_required: true,
        training: false,
    }
}
