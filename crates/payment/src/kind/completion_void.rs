//! Completion void (预授权完成撤销): Takes a completion of the same terminal and batch back in full; the pre-authorisation holds again.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::CompletionVoid,
    zh: "预授权完成撤销",
    en: "Completion void",
    mti: Mti(0x0200),
    processing: Some(200_000),
    processing_host: Some(200_000),
    condition: Some(6),
    transaction_type: 21,
    flow: Flow::Online,
    posting: Posting::Uncapture,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameBatch,
    }),
    totals: BatchSide::Credit,
    switch: 5,
    about: "Takes a completion of the same terminal and batch back in full; the pre-authorisation holds again.",
    ..Row::BASE
};
