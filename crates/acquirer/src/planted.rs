//! Planted bugs: each breaks one promise on purpose, to prove that the checkers can fail. Never in the shipped binary.

use crate::Acquirer;

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
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 12] = [
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
    ];
}

impl Acquirer {
    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.planted = Some(bug);
    }
}
