//! Sign-off (签退): The terminal says that it stops for now; its keys are forgotten.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::SignOff,
    zh: "签退",
    en: "Sign-off",
    mti: Mti(0x0820),
    network_code: 2,
    flow: Flow::Management,
    mac: false,
    about: "The terminal says that it stops for now; its keys are forgotten.",
    ..Row::BASE
};
