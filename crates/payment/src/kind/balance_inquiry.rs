//! Balance inquiry (余额查询): The cardholder asks for the available balance; it never posts.

use super::{Flow, Kind, PinRule, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::BalanceInquiry,
    zh: "余额查询",
    en: "Balance inquiry",
    mti: Mti(0x0200),
    processing: Some(310_000),
    processing_host: Some(300_000),
    condition: Some(0),
    transaction_type: 1,
    flow: Flow::Online,
    pin: PinRule::Always,
    switch: 1,
    about: "The cardholder asks for the available balance; it never posts.",
    ..Row::BASE
};
