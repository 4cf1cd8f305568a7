//! Void (消费撤销): Takes a purchase of the same terminal and batch back in full, before settlement.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Void,
    zh: "消费撤销",
    en: "Void",
    mti: Mti(0x0200),
    processing: Some(200_000),
    processing_host: Some(200_000),
    condition: Some(0),
    transaction_type: 23,
    flow: Flow::Online,
    posting: Posting::Undo,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameBatch,
    }),
    totals: BatchSide::Credit,
    switch: 7,
    about: "Takes a purchase of the same terminal and batch back in full, before settlement.",
    ..Row::BASE
};
