//! Completion advice (预授权完成（通知）): The same as a completion, told to the cashier at once and delivered until it is answered; it is never reversed.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::CompletionAdvice,
    zh: "预授权完成（通知）",
    en: "Completion advice",
    mti: Mti(0x0220),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(6),
    transaction_type: 24,
    flow: Flow::Stored,
    posting: Posting::Capture,
    original: Some(OriginalRule {
        kinds: &[Kind::PreAuth],
        reach: Reach::SameMerchant,
    }),
    refund: Some(Kind::Refund),
    totals: BatchSide::Debit,
    switch: 11,
    about: "The same as a completion, told to the cashier at once and delivered until it is answered; it is never reversed.",
    ..Row::BASE
};
