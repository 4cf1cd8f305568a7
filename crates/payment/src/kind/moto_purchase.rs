//! MOTO purchase (订购消费): The cardholder orders by mail or telephone: the number is typed, and no PIN is asked for; silence is answered as with a purchase.

use super::{BatchSide, Flow, Kind, Posting, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §2.2, §3.2).
pub const ROW: Row = Row {
    kind: Kind::MotoPurchase,
    zh: "订购消费",
    en: "MOTO purchase",
    mti: Mti(0x0200),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(8),
    transaction_type: 22,
    scanned: Some(false),
    flow: Flow::Online,
    posting: Posting::Debit,
    keyed: true,
    void: Some(Kind::Void),
    refund: Some(Kind::Refund),
    totals: BatchSide::Debit,
    about: "The cardholder orders by mail or telephone: the number is typed, and no PIN is asked for; silence is answered as with a purchase.",
    ..Row::BASE
};
