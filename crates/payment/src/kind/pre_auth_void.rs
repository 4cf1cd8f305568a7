//! Pre-authorisation void (预授权撤销): Releases everything that a pre-authorisation and its increments hold.

use super::{Flow, Kind, OriginalRule, Posting, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::PreAuthVoid,
    zh: "预授权撤销",
    en: "Pre-authorisation void",
    mti: Mti(0x0100),
    processing: Some(200_000),
    processing_host: Some(200_000),
    condition: Some(6),
    transaction_type: 11,
    flow: Flow::Online,
    posting: Posting::Release,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameMerchant,
    }),
    switch: 3,
    about: "Releases everything that a pre-authorisation and its increments hold.",
    ..Row::BASE
};
