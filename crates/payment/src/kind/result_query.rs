//! Result query (结果查询): The terminal asks what became of a transaction; it moves no money and leaves no tombstone.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2; settled point 4, our extension).
pub const ROW: Row = Row {
    kind: Kind::ResultQuery,
    zh: "结果查询",
    en: "Result query",
    mti: Mti(0x0620),
    network_code: 952,
    flow: Flow::Query,
    about: "The terminal asks what became of a transaction; it moves no money and leaves no tombstone.",
    ..Row::BASE
};
