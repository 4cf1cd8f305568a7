//! Incremental authorisation (追加预授权): Holds more on top of a pre-authorisation that stands.

use super::{Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::IncrementalAuth,
    zh: "追加预授权",
    en: "Incremental authorisation",
    mti: Mti(0x0100),
    processing: Some(30_000),
    processing_host: Some(30_000),
    condition: Some(60),
    transaction_type: 10,
    flow: Flow::Online,
    posting: Posting::HoldMore,
    original: Some(OriginalRule {
        kinds: &[Kind::PreAuth],
        reach: Reach::SameMerchant,
    }),
    switch: 2,
    about: "Holds more on top of a pre-authorisation that stands.",
    ..Row::BASE
};
