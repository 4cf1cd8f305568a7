//! Barter delivery (易货交割): The buyer confirms the goods with card and PIN.

use super::{Flow, Kind, OriginalRule, PinRule, Posting, Reach, Row};
use crate::BARTER_UNIT;
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::BarterDelivery,
    zh: "易货交割",
    en: "Barter delivery",
    mti: Mti(0x0200),
    processing: Some(420_000),
    processing_host: Some(420_000),
    condition: Some(0),
    transaction_type: 64,
    flow: Flow::Online,
    posting: Posting::Capture,
    pin: PinRule::Always,
    unit: BARTER_UNIT,
    original: Some(OriginalRule {
        kinds: &[Kind::BarterSale],
        reach: Reach::SameMerchant,
    }),
    about: "The buyer confirms the goods: the quota moves from escrow to the seller.",
    ..Row::BASE
};
