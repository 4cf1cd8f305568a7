//! Reversal (冲正): The terminal withdraws a sale whose outcome it does not know; honoured always, also twice, also for a sale never seen.

use super::{Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §4).
pub const ROW: Row = Row {
    kind: Kind::Reversal,
    zh: "冲正",
    en: "Reversal",
    mti: Mti(0x0400),
    processing: Some(0),
    processing_host: None,
    condition: Some(0),
    transaction_type: 22,
    network_code: 0,
    moves_money: false,
    reversible: false,
    mac: true,
    about: "The terminal withdraws a sale whose outcome it does not know; honoured always, also twice, also for a sale never seen.",
};
