//! Offline sale (离线结算): A sale that the acquirer authorised by telephone, or that was taken offline: stored, and delivered until it is answered.

use super::{BatchSide, Flow, Kind, Posting, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::OfflineSale,
    zh: "离线结算",
    en: "Offline sale",
    mti: Mti(0x0220),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(0),
    transaction_type: 30,
    flow: Flow::Stored,
    posting: Posting::Debit,
    refund: Some(Kind::Refund),
    totals: BatchSide::Debit,
    switch: 9,
    about: "A sale that the acquirer authorised by telephone, or that was taken offline: stored, and delivered until it is answered.",
    ..Row::BASE
};
