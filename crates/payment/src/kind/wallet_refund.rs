//! Wallet refund (扫码退货): Gives back a part or all of a wallet sale, of any day; a void is a refund of all of it. It goes on until the wallet has said yes or no.

use super::{BatchSide, Flow, Kind, OriginalRule, Posting, Rail, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.11).
pub const ROW: Row = Row {
    kind: Kind::WalletRefund,
    zh: "扫码退货",
    en: "Wallet refund",
    mti: Mti(0x0220),
    processing: Some(200_000),
    condition: Some(0),
    transaction_type: 25,
    scanned: Some(true),
    rail: Rail::Wallet,
    flow: Flow::Advice,
    posting: Posting::Credit,
    original: Some(OriginalRule {
        kinds: &[],
        reach: Reach::SameMerchant,
    }),
    totals: BatchSide::Credit,
    about: "Gives back a part or all of a wallet sale, of any day; a void is a refund of all of it. It goes on until the wallet has said yes or no.",
    ..Row::BASE
};
