//! Sign-on (签到): The terminal receives its working keys, its batch number and the time.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::SignOn,
    zh: "签到",
    en: "Sign-on",
    mti: Mti(0x0800),
    network_code: 3,
    flow: Flow::Management,
    mac: false,
    about: "The terminal receives its working keys, its batch number and the time.",
    ..Row::BASE
};
