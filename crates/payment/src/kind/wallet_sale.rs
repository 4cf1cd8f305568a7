//! Wallet sale (扫码消费，被扫): The customer shows a payment code; the wallet decides, and its code stands in the place of the card number.

use super::{BatchSide, Kind, Posting, Rail, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.11).
pub const ROW: Row = Row {
    kind: Kind::WalletSale,
    zh: "扫码消费（付款码）",
    en: "Wallet sale",
    mti: Mti(0x0200),
    processing: Some(0),
    condition: Some(0),
    transaction_type: 22,
    scanned: Some(true),
    rail: Rail::Wallet,
    posting: Posting::Debit,
    refund: Some(Kind::WalletRefund),
    totals: BatchSide::Debit,
    about: "The customer shows a payment code; the wallet decides, and its code stands in the place of the card number.",
    ..Row::BASE
};
