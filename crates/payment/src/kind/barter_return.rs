//! Barter return (易货退回): Withdrawal or dispute before delivery.

use super::{Flow, Kind, OriginalRule, Posting, Reach, Row};
use crate::BARTER_UNIT;
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::BarterReturn,
    zh: "易货退回",
    en: "Barter return",
    mti: Mti(0x0200),
    processing: Some(430_000),
    processing_host: Some(430_000),
    condition: Some(0),
    transaction_type: 65,
    flow: Flow::Online,
    posting: Posting::Release,
    unit: BARTER_UNIT,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameMerchant,
    }),
    about: "Withdrawal or dispute before delivery: the quota goes back from escrow to the buyer.",
    ..Row::BASE
};
