//! Settlement (批结算): The terminal gives the totals of its batch; the acquirer says whether it counts the same.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.8).
pub const ROW: Row = Row {
    kind: Kind::Settlement,
    zh: "批结算",
    en: "Settlement",
    mti: Mti(0x0500),
    network_code: 201,
    flow: Flow::Batch,
    mac: false,
    about: "The terminal gives the totals of its batch; the acquirer says whether it counts the same.",
    ..Row::BASE
};
