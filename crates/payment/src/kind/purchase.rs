//! Purchase (消费): The cardholder pays for goods; silence is answered by query, then reversal.

use super::{BatchSide, Flow, Kind, PinRule, Posting, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Purchase,
    zh: "消费",
    en: "Purchase",
    mti: Mti(0x0200),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(0),
    transaction_type: 22,
    scanned: Some(false),
    flow: Flow::Online,
    posting: Posting::Debit,
    pin: PinRule::AboveLimit,
    void: Some(Kind::Void),
    refund: Some(Kind::Refund),
    totals: BatchSide::Debit,
    switch: 6,
    about: "The cardholder pays for goods; silence is answered by query, then reversal.",
    ..Row::BASE
};
