//! Wallet order (扫码消费，主扫): The till shows an order as a QR code; the first answer brings the code, and result queries say when the customer has paid.

use super::{BatchSide, Kind, Posting, Rail, Row};
use iso8583::Mti;

/// The row; 60.1 = 26 is our own (the reference names no message for an order that the shop shows).
pub const ROW: Row = Row {
    kind: Kind::WalletOrder,
    zh: "扫码消费（收款码）",
    en: "Wallet order",
    mti: Mti(0x0200),
    processing: Some(0),
    condition: Some(0),
    transaction_type: 26,
    scanned: Some(true),
    rail: Rail::Wallet,
    posting: Posting::Debit,
    refund: Some(Kind::WalletRefund),
    totals: BatchSide::Debit,
    about: "The till shows an order as a QR code; the first answer brings the code, and result queries say when the customer has paid.",
    ..Row::BASE
};
