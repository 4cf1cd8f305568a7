//! Planted bugs: each breaks one promise on purpose, to prove that the checkers can fail. Never in the shipped binary.

use crate::record::Record;
use crate::wallet::{Ask, Rules, WalletRequest};
use crate::{Acquirer, Decided};
use payment::relay::Gaps;
use payment::terminal::Sale;
use payment::{Rrn, SaleKey};

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Takes messages with a wrong MAC (K1, T1).
    IgnoresMac,
    /// Forwards a repeated request as a new one (A2, M3).
    ForwardsDuplicates,
    /// Forgets that the reversal came before its original (M5).
    NoTombstone,
    /// Answers 0410 with 00 before the issuer confirmed (V1).
    AnswersReversalEarly,
    /// Gives up a reversal after three attempts (S2).
    GivesUpReversals,
    /// Matches the network's answers by part of the trace number (A3).
    MatchesByStan,
    /// Passes a late approval on to the terminal (M5).
    PassesLateApproval,
    /// Forgets what was in flight at a restart (S1).
    ForgetsInFlight,
    /// Never opens a one-sided item (T6).
    NeverAges,
    /// Forgets an advice that nobody upstream answered after three attempts (S1, R2).
    GivesUpAdvices,
    /// Passes a void of another till on (R1).
    TakesForeignVoids,
    /// Does not compare a refund with what is left of its sale (R1, when the issuer does not either).
    RefundsBeyond,
    /// Revokes a wallet order at once (W3).
    RevokesAtOnce,
    /// Stops asking the wallet to close or revoke an order (W1).
    GivesUpOrders,
    /// Gives an order another name at each request (W2).
    OrdersAnew,
    /// Names no break of a batch (M7).
    NamesNoBreaks,
    /// Books an advice once more when a batch uploads it (R2).
    BooksUploads,
    /// Says yes to a cash link and keeps the card sale (C1).
    KeepsCashSale,
    /// Keeps the sale in whose place another one was charged (C2).
    KeepsReplaced,
    /// Lets a charge through that may repeat an unresolved one (C3).
    NoGuard,
    /// Staff may give back what was given back already, in part or in full (G1).
    GivesBackTwice,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 21] = [
        Self::IgnoresMac,
        Self::ForwardsDuplicates,
        Self::NoTombstone,
        Self::AnswersReversalEarly,
        Self::GivesUpReversals,
        Self::MatchesByStan,
        Self::PassesLateApproval,
        Self::ForgetsInFlight,
        Self::NeverAges,
        Self::GivesUpAdvices,
        Self::TakesForeignVoids,
        Self::RefundsBeyond,
        Self::RevokesAtOnce,
        Self::GivesUpOrders,
        Self::OrdersAnew,
        Self::NamesNoBreaks,
        Self::BooksUploads,
        Self::KeepsCashSale,
        Self::KeepsReplaced,
        Self::NoGuard,
        Self::GivesBackTwice,
    ];
}

/// Rules that allow what is forbidden.
pub(crate) const HASTY: &Rules = &Rules {
    poll_ms: 3_000,
    pay_within_ms: 10_000,
    scan_within_ms: 10_000,
    revoke_after_ms: 0,
    absent_after_ms: 300_000,
    gaps: Gaps(Vec::new()),
};

impl Acquirer {
    pub(crate) fn books_again(&self, uploaded: &Sale, decided: &mut Decided) {
        let sale = self.state.sale(&uploaded.key);
        if let (true, Some(answer)) = (self.has(Bug::BooksUploads), sale.and_then(|s| s.answer)) {
            decided.record(Record::Answered {
                key: uploaded.key,
                answer,
                confirm_by: None,
            });
        }
    }

    pub(crate) fn gives_up(&self, request: &WalletRequest<SaleKey>) -> bool {
        self.has(Bug::GivesUpOrders) && matches!(request.what, Ask::Close | Ask::Revoke)
    }

    pub(crate) fn renamed(&self, mut rrn: Rrn, ask: u32) -> Rrn {
        if self.has(Bug::OrdersAnew) {
            rrn.0[0] = b'0' + (ask % 10) as u8;
        }
        rrn
    }

    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.planted == Some(bug)
    }

    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.planted = Some(bug);
    }
}
