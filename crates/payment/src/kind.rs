//! Transaction kinds: one file each, one list line each; everything that differs between kinds is in its row.

mod balance_inquiry;
mod echo;
mod idle_report;
mod purchase;
mod result_query;
mod reversal;
mod sign_off;
mod sign_on;

use iso8583::Mti;
use serde::{Deserialize, Serialize};

/// A transaction kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// 消费.
    Purchase,
    /// 余额查询.
    BalanceInquiry,
    /// 签到.
    SignOn,
    /// 签退.
    SignOff,
    /// 回响测试.
    Echo,
    /// 冲正.
    Reversal,
    /// 结果查询, our documented extension.
    ResultQuery,
    /// 空闲报告, our documented extension.
    IdleReport,
}

/// Everything in which one kind differs from another.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// Name in zh-CN.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// Message type at the terminal interface.
    pub mti: Mti,
    /// Field 3 at the terminal interface, where it is carried.
    pub processing: Option<u32>,
    /// Field 3 between hosts.
    pub processing_host: Option<u32>,
    /// Field 25.
    pub condition: Option<u8>,
    /// Field 60.1.
    pub transaction_type: u8,
    /// Field 60.3.
    pub network_code: u16,
    /// An approval debits the cardholder.
    pub moves_money: bool,
    /// Silence is answered with a reversal (UnionPay-style reference §4.2).
    pub reversible: bool,
    /// Field 64 is carried.
    pub mac: bool,
    /// One sentence for the generated page.
    pub about: &'static str,
}

impl Kind {
    /// Every kind; tests walk this list and name what is missing.
    pub const ALL: [Self; 8] = [
        Self::Purchase,
        Self::BalanceInquiry,
        Self::SignOn,
        Self::SignOff,
        Self::Echo,
        Self::Reversal,
        Self::ResultQuery,
        Self::IdleReport,
    ];

    /// The row.
    pub const fn row(self) -> &'static Row {
        match self {
            Self::Purchase => &purchase::ROW,
            Self::BalanceInquiry => &balance_inquiry::ROW,
            Self::SignOn => &sign_on::ROW,
            Self::SignOff => &sign_off::ROW,
            Self::Echo => &echo::ROW,
            Self::Reversal => &reversal::ROW,
            Self::ResultQuery => &result_query::ROW,
            Self::IdleReport => &idle_report::ROW,
        }
    }

    /// The kind of a request at the terminal interface, by message type, field 3 and the codes in field 60.
    pub fn of_request(
        mti: Mti,
        processing: Option<u32>,
        transaction_type: u8,
        network_code: u16,
    ) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let row = kind.row();
            row.mti == mti
                && match kind {
                    // A reversal repeats the codes of its original; sign-on varies in its key scheme.
                    Self::Reversal => true,
                    Self::SignOn => transaction_type == 0 && (1..=6).contains(&network_code),
                    _ => {
                        row.processing == processing
                            && row.transaction_type == transaction_type
                            && row.network_code == network_code
                    }
                }
        })
    }

    /// The kind of a financial request between hosts, by field 3.
    pub fn of_host_processing(processing: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.row().processing_host == Some(processing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row_and_is_found_again() {
        for kind in Kind::ALL {
            let row = kind.row();
            assert_eq!(row.kind, kind);
            assert!(!row.zh.is_empty() && !row.en.is_empty() && row.about.ends_with('.'));
            let found = Kind::of_request(
                row.mti,
                row.processing,
                row.transaction_type,
                row.network_code,
            );
            assert_eq!(found, Some(kind), "{kind:?}");
            assert!(!row.reversible || row.moves_money);
        }
    }
}
