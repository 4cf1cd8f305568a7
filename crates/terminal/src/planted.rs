//! Planted bugs: each breaks one promise on purpose, to prove that the checkers can fail. Never in the shipped binary.

use crate::Terminal;
use payment::batch::BatchTotals;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Believes answers whose MAC is wrong (T1).
    IgnoresMac,
    /// Starts a sale while a reversal waits (T2).
    SellsWithPendingReversal,
    /// Gives up a reversal after three attempts (S1).
    GivesUpReversals,
    /// Gives up an advice after three attempts (R2).
    GivesUpAdvices,
    /// Takes cash in place of a sale without withdrawing or linking it (C1).
    ForgetsCashLink,
    /// Leaves the credits out of the totals of its batch (M7).
    LeavesOutCredits,
    /// Hides the advices that wait from the shift slip (T7).
    HidesPending,
    /// Takes an approval to which the inserted card did not agree (E1).
    BelievesAnyCard,
    /// Keeps the result of a script twice (E3).
    ReportsScriptTwice,
    /// Keeps the last words of its chips back (E4).
    KeepsChipsBack,
    /// Goes on with a download whose version has changed (E5).
    MixesVersions,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 11] = [
        Self::IgnoresMac,
        Self::SellsWithPendingReversal,
        Self::GivesUpReversals,
        Self::GivesUpAdvices,
        Self::ForgetsCashLink,
        Self::LeavesOutCredits,
        Self::HidesPending,
        Self::BelievesAnyCard,
        Self::ReportsScriptTwice,
        Self::KeepsChipsBack,
        Self::MixesVersions,
    ];
}

impl Terminal {
    /// An item is left out of the shift slip.
    pub(crate) fn hides(&self, item: &crate::Pending) -> bool {
        self.planted == Some(Bug::HidesPending) && matches!(item, crate::Pending::Advice(..))
    }

    /// The totals of the batch as a bug may have them.
    pub(crate) fn without_credits(&self, mut totals: BatchTotals) -> BatchTotals {
        if self.planted == Some(Bug::LeavesOutCredits) {
            (totals.domestic.credits, totals.domestic.credits_minor) = (0, 0);
        }
        totals
    }

    /// The parts of an upload as a bug may have them.
    pub(crate) fn without_chips<T>(
        &self,
        mut parts: Vec<T>,
        is_chip: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        if self.planted == Some(Bug::KeepsChipsBack) {
            parts.retain(|part| !is_chip(part));
        }
        parts
    }

    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.planted = Some(bug);
    }
}
