//! Barter (易货): The buyer's quota goes into the centre's escrow until the goods are confirmed.

use super::{Flow, Kind, PinRule, Posting, Row};
use crate::BARTER_UNIT;
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::BarterSale,
    zh: "易货",
    en: "Barter",
    mti: Mti(0x0200),
    processing: Some(410_000),
    processing_host: Some(410_000),
    condition: Some(0),
    transaction_type: 63,
    flow: Flow::Online,
    posting: Posting::Hold,
    pin: PinRule::Always,
    unit: BARTER_UNIT,
    receiver: true,
    void: Some(Kind::BarterReturn),
    about: "The buyer's quota goes into the centre's escrow until the goods are confirmed.",
    ..Row::BASE
};
