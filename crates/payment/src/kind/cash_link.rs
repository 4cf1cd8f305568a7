//! Cash link (现金关联): Cash was taken in place of a card sale whose result is not known: should that sale be approved after all, it is reversed.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (our extension of UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::CashLink,
    zh: "现金关联",
    en: "Cash link",
    mti: Mti(0x0620),
    network_code: 954,
    flow: Flow::Stored,
    about: "Cash was taken in place of a card sale whose result is not known: should that sale be approved after all, it is reversed.",
    ..Row::BASE
};
