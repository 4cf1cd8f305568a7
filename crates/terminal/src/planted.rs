//! Planted bugs: each breaks one promise on purpose, to prove that the checkers can fail. Never in the shipped binary.

use crate::Terminal;

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
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 4] = [
        Self::IgnoresMac,
        Self::SellsWithPendingReversal,
        Self::GivesUpReversals,
        Self::GivesUpAdvices,
    ];
}

impl Terminal {
    /// Plants a bug.
    pub fn plant(&mut self, bug: Bug) {
        self.planted = Some(bug);
    }
}
