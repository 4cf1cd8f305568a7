//! Refund (退货): Gives back a part or all of an earlier sale, of any terminal of the merchant and of any day; repeated until the original is used up.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Refund,
    zh: "退货",
    en: "Refund",
    mti: Mti(0x0220),
    processing: Some(200_000),
    processing_host: Some(200_000),
    condition: Some(0),
    transaction_type: 25,
    scanned: Some(false),
    flow: Flow::Advice,
    posting: Posting::Credit,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameMerchant,
    }),
    totals: BatchSide::Credit,
    switch: 8,
    about: "Gives back a part or all of an earlier sale, of any terminal of the merchant and of any day; repeated until the original is used up.",
    ..Row::BASE
};
