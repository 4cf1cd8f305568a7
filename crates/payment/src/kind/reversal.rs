//! Reversal (冲正): The terminal withdraws a transaction whose outcome it does not know; honoured always, also twice, also for one never seen.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §4).
pub const ROW: Row = Row {
    kind: Kind::Reversal,
    zh: "冲正",
    en: "Reversal",
    mti: Mti(0x0400),
    flow: Flow::Reversal,
    about: "The terminal withdraws a transaction whose outcome it does not know; honoured always, also twice, also for one never seen.",
    ..Row::BASE
};
