//! What staff of the acquirer do about a transaction: the remedies, their mandate, and why one is refused.
//!
//! Invariant: a remedy that moves money names who proposed it, who approved it, and why; its texts have limits.

use crate::Posting;
use crate::kind::{Kind, Row};
use crate::money::CNY;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of somebody of the staff, or of a key, in bytes.
pub const NAME_BYTES_MAX: usize = 80;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 240;

/// A remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// What nobody has answered is asked once more, now. It moves no money that was not moving already.
    AskNow,
    /// The whole of what stands goes back to the cardholder.
    GiveBack,
}

impl Remedy {
    /// Every remedy.
    pub const ALL: [Self; 2] = [Self::AskNow, Self::GiveBack];

    /// Its name in forms, in the API and in the archive.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AskNow => "ask_now",
            Self::GiveBack => "give_back",
        }
    }

    /// The remedy of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AskNow => ("立即再问一次", "Ask again now"),
            Self::GiveBack => ("退回持卡人", "Give back to the cardholder"),
        }
    }

    /// It moves money, so that a second person must approve it.
    pub const fn needs_approval(self) -> bool {
        matches!(self, Self::GiveBack)
    }
}

/// A text of staff with at most `MAX` bytes: neither empty nor with control characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// The name of somebody of the staff.
pub type StaffName = Text<NAME_BYTES_MAX>;
/// Why something is done.
pub type Reason = Text<REASON_BYTES_MAX>;

impl<const MAX: usize> Text<MAX> {
    /// The text without the space around it, when it is one.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let taken = !text.is_empty() && text.len() <= MAX && !text.chars().any(char::is_control);
        taken.then(|| Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::of(&text).ok_or("a text that is empty, too long or not printable")
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// On whose word a remedy is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// Number of the proposal; 0 for what needs none.
    pub proposal: u64,
    /// Who proposed it, or asked for it.
    pub by: StaffName,
    /// Who approved it; never the one who proposed it.
    pub approved: Option<StaffName>,
    /// Why.
    pub reason: Reason,
}

impl Mandate {
    /// It is enough for this remedy: what moves money needs two people.
    pub fn suffices(&self, remedy: Remedy) -> bool {
        let second = self.approved.as_ref().filter(|second| **second != self.by);
        !remedy.needs_approval() || second.is_some()
    }
}

/// Why a remedy is refused for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unremedied {
    /// The acquirer does not know it, or has forgotten it.
    Unknown,
    /// One person is not enough.
    OnePerson,
    /// Nothing of it is unanswered.
    NothingToAsk,
    /// Not what a cardholder paid.
    NoSale,
    /// Its answer is awaited.
    InProgress,
    /// It was declined: nothing was taken.
    NothingTaken,
    /// It is being reversed already.
    BeingReversed,
    /// It went back already.
    WentBack,
    /// The issuer refuses to take it back.
    IssuerRefuses,
    /// It was refunded, voided, adjusted or completed, in part or in full.
    Claimed,
    /// Its batch is closed, and the till settled it.
    Settled,
}

impl Unremedied {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::OnePerson,
        Self::NothingToAsk,
        Self::NoSale,
        Self::InProgress,
        Self::NothingTaken,
        Self::BeingReversed,
        Self::WentBack,
        Self::IssuerRefuses,
        Self::Claimed,
        Self::Settled,
    ];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::OnePerson => "one_person",
            Self::NothingToAsk => "nothing_to_ask",
            Self::NoSale => "no_sale",
            Self::InProgress => "in_progress",
            Self::NothingTaken => "nothing_taken",
            Self::BeingReversed => "being_reversed",
            Self::WentBack => "went_back",
            Self::IssuerRefuses => "issuer_refuses",
            Self::Claimed => "claimed",
            Self::Settled => "settled",
        }
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => ("没有这笔交易", "There is no such transaction"),
            Self::OnePerson => ("动钱要另一人复核", "What moves money needs a second person"),
            Self::NothingToAsk => ("没有待答复的报文", "Nothing of it is unanswered"),
            Self::NoSale => (
                "这类交易不能由运营退回",
                "Staff cannot give back a transaction of this kind",
            ),
            Self::InProgress => ("正在等应答", "Its answer is awaited"),
            Self::NothingTaken => ("没有成交，没有扣款", "It was declined; nothing was taken"),
            Self::BeingReversed => ("已经在冲正", "It is being reversed already"),
            Self::WentBack => ("已经退回", "It went back already"),
            Self::IssuerRefuses => (
                "发卡行拒绝冲正，请联系发卡行",
                "The issuer refuses to take it back; settle it with the issuer",
            ),
            Self::Claimed => (
                "已有退货、撤销、调整或完成，余额请在收银台退货",
                "It was refunded, voided, adjusted or completed; refund the rest at the till",
            ),
            Self::Settled => (
                "批次已结算，请在收银台退货",
                "Its batch is settled; refund it at the till",
            ),
        }
    }
}

/// Staff give back what a cardholder paid: never what a cardholder got, nor what another card received. A hold took no money;
/// it ends by its void at the till or by itself.
pub fn may_be_given_back(kind: Kind) -> bool {
    let row: &Row = kind.row();
    let taken = matches!(row.posting, Posting::Debit | Posting::Capture);
    row.reversible() && taken && row.unit == CNY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_their_own_and_texts_have_limits() {
        for remedy in Remedy::ALL {
            assert_eq!(Remedy::named(remedy.name()), Some(remedy));
        }
        assert_eq!(Remedy::named("giveback"), None);
        let long = "长".repeat(REASON_BYTES_MAX / 3);
        for (text, kept) in [
            ("  paid cash too ", Some("paid cash too")),
            (long.as_str(), Some(long.as_str())),
            ("", None),
            ("   ", None),
            ("a\nb", None),
            (&format!("{long}x"), None),
        ] {
            let reason = Reason::of(text);
            assert_eq!(reason.as_ref().map(Reason::as_str), kept, "{text:?}");
        }
    }

    #[test]
    fn what_moves_money_needs_two_people() {
        let name = |text: &str| StaffName::of(text).expect("a name");
        let mandate = |approved: Option<&str>| Mandate {
            proposal: 1,
            by: name("li"),
            approved: approved.map(name),
            reason: Reason::of("cash").expect("a reason"),
        };
        for (approved, suffices) in [(None, false), (Some("li"), false), (Some("wang"), true)] {
            let mandate = mandate(approved);
            assert_eq!(mandate.suffices(Remedy::GiveBack), suffices, "{approved:?}");
            assert!(mandate.suffices(Remedy::AskNow));
        }
    }

    #[test]
    fn only_what_was_taken_is_given_back() {
        for (kind, may) in [
            (Kind::Purchase, true),
            (Kind::PreAuth, false),
            (Kind::Completion, true),
            (Kind::WalletOrder, true),
            (Kind::Refund, false),
            (Kind::Void, false),
            (Kind::Transfer, false),
            (Kind::BalanceInquiry, false),
            (Kind::OfflineSale, false),
            (Kind::CompletionVoid, false),
        ] {
            assert_eq!(may_be_given_back(kind), may, "{kind:?}");
        }
    }
}
