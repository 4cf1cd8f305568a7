//! Settlement adjustment (结算调整): Sets the amount of an offline sale of this batch anew, before settlement.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Adjustment,
    zh: "结算调整",
    en: "Settlement adjustment",
    mti: Mti(0x0220),
    processing: Some(0),
    processing_host: Some(20_000),
    condition: Some(0),
    transaction_type: 32,
    flow: Flow::Stored,
    posting: Posting::Adjust,
    original: Some(OriginalRule {
        kinds: &[Kind::OfflineSale],
        reach: Reach::SameBatch,
    }),
    totals: BatchSide::Adjust,
    switch: 10,
    about: "Sets the amount of an offline sale of this batch anew, before settlement.",
    ..Row::BASE
};
