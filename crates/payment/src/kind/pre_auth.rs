//! Pre-authorisation (预授权): Holds an amount on the card until it is completed, voided or expired.

use super::{Flow, Kind, PinRule, Posting, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::PreAuth,
    zh: "预授权",
    en: "Pre-authorisation",
    mti: Mti(0x0100),
    processing: Some(30_000),
    processing_host: Some(30_000),
    condition: Some(6),
    transaction_type: 10,
    flow: Flow::Online,
    posting: Posting::Hold,
    pin: PinRule::AboveLimit,
    void: Some(Kind::PreAuthVoid),
    switch: 2,
    about: "Holds an amount on the card until it is completed, voided or expired.",
    ..Row::BASE
};
