//! Integration tests of the receipt crate, in one binary.

mod acceptance;
mod answers;
mod doctor;
mod drawing;
mod drawings;
mod kinds;
mod noise;
mod power;
mod printer;
mod reports;
mod slip;
mod spool;
mod tenders;
mod truth;
mod vectors;
mod world;

use receipt::{SlipFields, Title};

/// A purchase with a name that needs its own row on narrow paper.
pub fn purchase() -> SlipFields {
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
        remarks: vec![],
        signature_required: true,
        verification: None,
        chip: None,
        link: None,
        training: false,
    }
}
