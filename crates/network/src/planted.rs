//! Bugs put in on purpose, so that the checkers are seen to fail; only the cargo feature `planted` can turn one on.
//!
//! Without the feature `Network::planted` is a constant `false`, and the code behind it is gone.

use crate::Network;

/// A bug put in on purpose.
// The names stand in failure output beside those of the other parties.
#[allow(clippy::enum_variant_names)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An answer is matched by field 11 alone.
    NetworkMatchesByStanOnly,
    /// After a time-out nothing is reversed, and a late approval is passed on.
    NetworkForwardsLateApproval,
    /// A reversal counts as delivered after three attempts.
    NetworkGivesUpReversals,
    /// An advice is answered before the issuer confirmed it.
    NetworkAnswersReversalEarly,
    /// After a restart nothing that was in flight is reversed.
    NetworkForgetsInFlightOnRestart,
    /// A transfer whose receiver cannot be credited leaves the payer debited (X1).
    NetworkForgetsDebitLeg,
}

#[cfg(feature = "planted")]
impl Bug {
    /// Every bug; the checkers' tests walk this list.
    pub const ALL: [Self; 6] = [
        Self::NetworkMatchesByStanOnly,
        Self::NetworkForwardsLateApproval,
        Self::NetworkGivesUpReversals,
        Self::NetworkAnswersReversalEarly,
        Self::NetworkForgetsInFlightOnRestart,
        Self::NetworkForgetsDebitLeg,
    ];
}

impl Network {
    /// Puts a bug in.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
    }

    /// Whether this bug was put in.
    #[cfg(feature = "planted")]
    pub(crate) fn planted(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Never without the feature.
    #[cfg(not(feature = "planted"))]
    #[inline(always)]
    pub(crate) const fn planted(&self, _: Bug) -> bool {
        false
    }
}
