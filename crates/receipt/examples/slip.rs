//! Draws sample slips of every kind to look at: as text, or as pictures into the folder that is named.

#![expect(
    clippy::disallowed_methods,
    reason = "an example has arguments and files"
)]

use receipt::{
    CardKindTotals, Chip, CopyOf, Language, Paper, PendingItem, Reconciled, Reprint,
    SettlementFields, ShiftFields, Slip, SlipFields, Sum, Title, Verification, lay_out,
    lay_out_settlement, lay_out_shift,
};
use std::path::Path;

fn main() {
    let folder = std::env::args().nth(1);
    for (width, paper) in [
        ("58", Paper::Mm58),
        ("80", Paper::Mm80),
        ("80-180dpi", Paper::Mm80At180Dpi),
    ] {
        for (tongue, language) in [
            ("zh", Language::Zh),
            ("en", Language::En),
            ("both", Language::Both),
        ] {
            for (name, slip) in slips(language, paper) {
                match &folder {
                    Some(folder) => {
                        let file = Path::new(folder).join(format!("slip-{name}-{width}-{tongue}"));
                        let dots = slip
                            .bitmap()
                            .expect("every character has a glyph")
                            .framed(40);
                        let svg = dots.svg(&slip.text());
                        std::fs::write(file.with_extension("png"), dots.png()).expect("a folder");
                        std::fs::write(file.with_extension("svg"), svg).expect("a folder");
                        std::fs::write(file.with_extension("html"), slip.html()).expect("a folder");
                    }
                    None => println!("{}\n", slip.text()),
                }
            }
        }
    }
}

fn slips(language: Language, paper: Paper) -> Vec<(&'static str, Slip)> {
    let payment = |fields: &SlipFields, copy| lay_out(fields, copy, language, paper, None);
    let reprint = Reprint {
        count: 1,
        original_time: purchase().date_time,
    };
    let of = |title, zh: &str, en: &str| SlipFields {
        title,
        headline: (zh.into(), en.into()),
        auth_code: None,
        ..purchase()
    };
    let reversed = of(
        Title::ReversalProof,
        "已冲正，款项未扣",
        "Reversed: no money was taken",
    );
    let declined = of(
        Title::Declined,
        "余额不足，款项未扣",
        "Declined, no money was taken: insufficient funds",
    );
    let pending = of(
        Title::Pending,
        "结果确认中，请勿重复付款",
        "Result not known yet: do not pay again",
    );
    let balance = SlipFields {
        training: true,
        ..of(Title::Balance, "查询成功", "Done")
    };
    vec![
        ("purchase", payment(&purchase(), CopyOf::Merchant)),
        ("cardholder", payment(&chip(), CopyOf::Cardholder)),
        (
            "reprint",
            lay_out(&chip(), CopyOf::Bank, language, paper, Some(reprint)),
        ),
        ("reversal", payment(&reversed, CopyOf::Cardholder)),
        ("declined", payment(&declined, CopyOf::Cardholder)),
        ("pending", payment(&pending, CopyOf::Cardholder)),
        ("balance", payment(&balance, CopyOf::Cardholder)),
        (
            "settlement",
            lay_out_settlement(&settlement(), language, paper, None),
        ),
        ("shift", lay_out_shift(&shift(), language, paper, None)),
    ]
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
        verification: None,
        chip: None,
        link: None,
        training: false,
    }
}

fn chip() -> SlipFields {
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
        sum("消费撤销", "VOID", true, 2, 5_600),
    ]
}

fn settlement() -> SettlementFields {
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
                sums: sums()[..1].to_vec(),
            },
        ],
        training: false,
    }
}

fn shift() -> ShiftFields {
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
