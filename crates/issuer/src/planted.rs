//! Bugs that can be switched on to prove that the checkers ring (settled point 24).
//!
//! Without the cargo feature `planted` none can be switched on and [`Issuer::planted`] is the constant `false`.

use crate::issuer::Issuer;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A repeated request debits again (A2, M3).
    IssuerDebitsDuplicate,
    /// A repeated reversal returns the money again (M4).
    IssuerReversesTwice,
    /// A reversal of an unknown original leaves no tombstone (M5).
    IssuerNoTombstone,
    /// An original that comes after its reversal is approved and debits (M5).
    IssuerLateApprovalAfterReversal,
    /// The PIN is not looked at.
    IssuerIgnoresPin,
    /// A refused purchase is told as debited (F11).
    IssuerNoticeWithoutBooking,
    /// A reversal is answered 00 and not booked (M1).
    IssuerAnswersReversalWithoutBooking,
    /// One fen too much is debited (M1).
    IssuerWrongAmount,
    /// A credit purchase is approved without its hold (M1).
    IssuerForgetsHold,
    /// A refund is not compared with what is left of its sale (R1).
    IssuerRefundsBeyond,
    /// A repeated advice is applied again (R2).
    IssuerRepeatsAdvice,
    /// A completion leaves the hold as it is (R3).
    IssuerKeepsHold,
    /// A reversed void still claims of its original (R4).
    IssuerKeepsClaim,
    /// What is in money is served with quota, and what is in quota with money (M9).
    IssuerMixesUnits,
    /// A cryptogram is taken whatever its counter (E2).
    IssuerTakesCryptogramAgain,
}

impl Bug {
    /// Every bug.
    pub const ALL: [Self; 15] = [
        Self::IssuerDebitsDuplicate,
        Self::IssuerReversesTwice,
        Self::IssuerNoTombstone,
        Self::IssuerLateApprovalAfterReversal,
        Self::IssuerIgnoresPin,
        Self::IssuerNoticeWithoutBooking,
        Self::IssuerAnswersReversalWithoutBooking,
        Self::IssuerWrongAmount,
        Self::IssuerForgetsHold,
        Self::IssuerRefundsBeyond,
        Self::IssuerRepeatsAdvice,
        Self::IssuerKeepsHold,
        Self::IssuerKeepsClaim,
        Self::IssuerMixesUnits,
        Self::IssuerTakesCryptogramAgain,
    ];
}

impl Issuer {
    /// Switches a bug on.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, bug: Bug) {
        self.bug = Some(bug);
    }

    /// Whether this bug is on.
    #[cfg(feature = "planted")]
    pub(crate) fn planted(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether this bug is on: never.
    #[cfg(not(feature = "planted"))]
    #[inline(always)]
    pub(crate) const fn planted(&self, _bug: Bug) -> bool {
        false
    }
}
