//! Transfer, credit leg (转账转入): The network asks the receiver's issuer once the payer is debited.

use super::{Flow, Kind, Posting, Row};
use iso8583::Mti;

/// The row; the codes are our own, for the reference has none (UnionPay-style reference §3.2).
pub const ROW: Row = Row {
    kind: Kind::TransferIn,
    zh: "转账转入",
    en: "Transfer, credit leg",
    mti: Mti(0x0200),
    processing_host: Some(470_000),
    condition: Some(0),
    transaction_type: 62,
    flow: Flow::Online,
    posting: Posting::MoveIn,
    about: "The network's credit leg of a transfer between two issuers.",
    ..Row::BASE
};
