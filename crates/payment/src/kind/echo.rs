//! Echo test (回响测试): The terminal asks whether the host is there.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::Echo,
    zh: "回响测试",
    en: "Echo test",
    mti: Mti(0x0820),
    network_code: 301,
    flow: Flow::Management,
    mac: false,
    about: "The terminal asks whether the host is there.",
    ..Row::BASE
};
