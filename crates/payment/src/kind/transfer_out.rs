//! Transfer, debit leg (转账转出): The network asks the payer's issuer first.

use super::{Flow, Kind, PinRule, Posting, Row};
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::TransferOut,
    zh: "转账转出",
    en: "Transfer, debit leg",
    mti: Mti(0x0200),
    processing_host: Some(460_000),
    condition: Some(0),
    transaction_type: 61,
    flow: Flow::Online,
    posting: Posting::MoveOut,
    pin: PinRule::Always,
    receiver: true,
    about: "The network's debit leg of a transfer between two issuers.",
    ..Row::BASE
};
