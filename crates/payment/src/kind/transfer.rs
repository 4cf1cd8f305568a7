//! Transfer (转账): Moves an amount from one card to another, at one issuer or two.

use super::{Flow, Kind, PinRule, Posting, Row};
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Transfer,
    zh: "转账",
    en: "Transfer",
    mti: Mti(0x0200),
    processing: Some(400_000),
    processing_host: Some(400_000),
    condition: Some(0),
    transaction_type: 60,
    flow: Flow::Online,
    posting: Posting::Move,
    pin: PinRule::Always,
    receiver: true,
    about: "Moves an amount from one card to another, at one issuer or two.",
    ..Row::BASE
};
