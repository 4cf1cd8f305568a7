//! Completion (预授权完成（请求）): Takes the final amount of a pre-authorisation, up to the configured percentage of what is held, and releases the hold.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Completion,
    zh: "预授权完成（请求）",
    en: "Completion",
    mti: Mti(0x0200),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(6),
    transaction_type: 20,
    flow: Flow::Online,
    posting: Posting::Capture,
    original: Some(OriginalRule {
        kinds: &[Kind::PreAuth],
        reach: Reach::SameMerchant,
    }),
    void: Some(Kind::CompletionVoid),
    refund: Some(Kind::Refund),
    totals: BatchSide::Debit,
    switch: 4,
    about: "Takes the final amount of a pre-authorisation, up to the configured percentage of what is held, and releases the hold.",
    ..Row::BASE
};
