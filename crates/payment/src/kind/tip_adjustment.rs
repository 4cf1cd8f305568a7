//! Tip (小费): Adds a tip to a purchase of this batch, up to the configured percentage, before settlement.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::TipAdjustment,
    zh: "小费",
    en: "Tip",
    mti: Mti(0x0220),
    processing: Some(0),
    processing_host: Some(21_000),
    condition: Some(0),
    transaction_type: 34,
    flow: Flow::Stored,
    posting: Posting::Adjust,
    original: Some(OriginalRule {
        kinds: &[Kind::Purchase],
        reach: Reach::SameBatch,
    }),
    totals: BatchSide::Adjust,
    about: "Adds a tip to a purchase of this batch, up to the configured percentage, before settlement.",
    ..Row::BASE
};
