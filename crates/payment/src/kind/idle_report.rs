//! Idle report (空闲报告): An idle terminal gives the positive sign of its last completed sale and slip.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2; settled point 5, our extension).
pub const ROW: Row = Row {
    kind: Kind::IdleReport,
    zh: "空闲报告",
    en: "Idle report",
    mti: Mti(0x0620),
    network_code: 953,
    flow: Flow::Report,
    about: "An idle terminal gives the positive sign of its last completed sale and slip.",
    ..Row::BASE
};
