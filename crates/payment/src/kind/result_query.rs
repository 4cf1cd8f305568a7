//! Result query (结果查询): The terminal asks what became of a sale; it moves no money and leaves no tombstone.

use super::{Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2; settled point 4, our extension).
pub const ROW: Row = Row {
    kind: Kind::ResultQuery,
    zh: "结果查询",
    en: "Result query",
    mti: Mti(0x0620),
    processing: None,
    processing_host: None,
    condition: None,
    transaction_type: 0,
    network_code: 952,
    moves_money: false,
    reversible: false,
    mac: true,
    about: "The terminal asks what became of a sale; it moves no money and leaves no tombstone.",
};
