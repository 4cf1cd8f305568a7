//! The network's durable facts: each names its hop by what it did and when.
//!
//! Records alone change the state; none holds a secret.

use crate::IssuedKeys;
use payment::host::{Answer, Financial, Reversal};
use payment::{ApprovalCode, HostKey, Institution, Mono, Now, ResponseCode};
use serde::{Deserialize, Serialize};

/// A durable fact.
// The largest variants are the frequent ones; a box would only add an allocation to each purchase.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A link came up or went down.
    Link {
        /// The member at its other end.
        member: Institution,
        /// It is up.
        up: bool,
        /// When.
        at: Now,
    },
    /// A member signed on and got keys.
    SignedOn {
        /// The member.
        member: Institution,
        /// The sign-on request.
        key: HostKey,
        /// The keys, current at once.
        issued: IssuedKeys,
        /// When.
        at: Now,
    },
    /// A member signed off.
    SignedOff {
        /// The member.
        member: Institution,
        /// When.
        at: Now,
    },
    /// New keys left to a member; they become current when it takes them.
    KeysOffered {
        /// The member.
        member: Institution,
        /// Our key reset request.
        key: HostKey,
        /// The keys.
        issued: IssuedKeys,
        /// When.
        at: Now,
    },
    /// The member answered the key reset.
    KeysAnswered {
        /// The member.
        member: Institution,
        /// It took the keys.
        taken: bool,
        /// When.
        at: Now,
    },
    /// acquirer → network → issuer: a request was taken and goes on.
    Forwarded {
        /// The request with the network's settlement date.
        sale: Financial,
        /// Whose card it is.
        issuer: Institution,
        /// When the answer counts as lost.
        deadline: Mono,
        /// When.
        at: Now,
    },
    /// acquirer → network: a request was declined here; nothing left.
    Declined {
        /// The request with the network's settlement date.
        sale: Financial,
        /// Why.
        code: ResponseCode,
        /// When.
        at: Now,
    },
    /// network → issuer failed: the request certainly did not leave and is declined.
    NotSent {
        /// The request.
        key: HostKey,
        /// Why.
        code: ResponseCode,
        /// When.
        at: Now,
    },
    /// issuer → network → acquirer: answered in time.
    Answered {
        /// The answer as it is passed on.
        answer: Answer,
        /// When.
        at: Now,
    },
    /// The issuer's answer had a wrong MAC; the time-out will say so.
    WrongMac {
        /// The request.
        key: HostKey,
        /// When.
        at: Now,
    },
    /// The issuer did not answer in time, or our restart lost the answer: 98 goes to the acquirer.
    TimedOut {
        /// The request.
        key: HostKey,
        /// Our own reversal; an inquiry needs none.
        reversal: Option<Reversal>,
        /// When.
        at: Now,
    },
    /// The issuer answered after we had given up; the answer is discarded.
    Late {
        /// The request.
        key: HostKey,
        /// What it answered.
        code: ResponseCode,
        /// When.
        at: Now,
    },
    /// acquirer → network: an advice was taken and goes on until the issuer confirms.
    AdviceTaken {
        /// The advice.
        reversal: Reversal,
        /// Whose card it is.
        issuer: Institution,
        /// When.
        at: Now,
    },
    /// acquirer → network: no member issued this card, so there is nothing to reverse (25).
    AdviceWithoutIssuer {
        /// The advice.
        reversal: Reversal,
        /// When.
        at: Now,
    },
    /// network → issuer: one more attempt at an advice, ours or an acquirer's.
    AdviceTried {
        /// The advice.
        key: HostKey,
        /// The next attempt.
        next: Mono,
        /// When.
        at: Now,
    },
    /// The advice was tried so often that a person should look; attempts go on.
    CaseOpened {
        /// The advice.
        key: HostKey,
        /// When.
        at: Now,
    },
    /// issuer → network: the advice was answered with a code that does not end it; attempts go on.
    AdviceRefused {
        /// The advice.
        key: HostKey,
        /// The issuer's code.
        code: ResponseCode,
        /// When.
        at: Now,
    },
    /// issuer → network (→ acquirer, where it is its advice): confirmed.
    AdviceConfirmed {
        /// The advice.
        key: HostKey,
        /// The issuer's code.
        code: ResponseCode,
        /// When.
        at: Now,
    },
    /// Something that changes nothing but a counter.
    Noticed {
        /// The message's key.
        key: HostKey,
        /// What.
        what: Oddity,
        /// When.
        at: Now,
    },
    /// acquirer → network → payer's issuer: a transfer between two issuers was taken, and its debit leg left.
    TransferTaken {
        /// The request with the network's settlement date.
        sale: Financial,
        /// The network's own code: the legs have its keys.
        network: Institution,
        /// The payer's and the receiver's.
        issuers: [Institution; 2],
        /// When the answer to a leg counts as lost.
        deadline: Mono,
        /// When.
        at: Now,
    },
    /// network → receiver's issuer: the payer is debited, the credit leg left.
    CreditSent {
        /// The acquirer's request.
        key: HostKey,
        /// The payer's issuer's approval code.
        approval: Option<ApprovalCode>,
        /// When.
        at: Now,
    },
    /// The receiver cannot be credited: the debit is reversed, and then its acquirer is answered.
    TransferUndone {
        /// The acquirer's request.
        key: HostKey,
        /// The answer once the reversal is confirmed.
        code: ResponseCode,
        /// The network's own reversals.
        reversals: Vec<Reversal>,
        /// When.
        at: Now,
    },
    /// network → acquirer: the answer to a transfer.
    TransferEnded {
        /// The acquirer's request.
        key: HostKey,
        /// The answer.
        code: ResponseCode,
        /// The network's own reversals of legs whose issuer is silent.
        reversals: Vec<Reversal>,
        /// When.
        at: Now,
    },
    /// acquirer → network: an advice on a transfer was taken; each leg that may have left is reversed.
    TransferReversed {
        /// The acquirer's advice.
        reversal: Reversal,
        /// The network's own code.
        network: Institution,
        /// The payer's and the receiver's.
        issuers: [Institution; 2],
        /// The network's own reversals of the legs.
        legs: Vec<Reversal>,
        /// When.
        at: Now,
    },
}

impl Record {
    /// When it was decided.
    pub fn at(&self) -> Now {
        match self {
            Self::Link { at, .. }
            | Self::SignedOn { at, .. }
            | Self::SignedOff { at, .. }
            | Self::KeysOffered { at, .. }
            | Self::KeysAnswered { at, .. }
            | Self::Forwarded { at, .. }
            | Self::Declined { at, .. }
            | Self::NotSent { at, .. }
            | Self::Answered { at, .. }
            | Self::WrongMac { at, .. }
            | Self::TimedOut { at, .. }
            | Self::Late { at, .. }
            | Self::AdviceTaken { at, .. }
            | Self::AdviceWithoutIssuer { at, .. }
            | Self::AdviceTried { at, .. }
            | Self::CaseOpened { at, .. }
            | Self::AdviceRefused { at, .. }
            | Self::AdviceConfirmed { at, .. }
            | Self::TransferTaken { at, .. }
            | Self::CreditSent { at, .. }
            | Self::TransferUndone { at, .. }
            | Self::TransferEnded { at, .. }
            | Self::TransferReversed { at, .. }
            | Self::Noticed { at, .. } => *at,
        }
    }

    /// The last trace number of the network's own that it uses up.
    pub(crate) fn own_stan(&self) -> Option<u32> {
        let last = match self {
            Self::TimedOut { reversal, .. } => reversal.as_ref(),
            Self::TransferUndone { reversals, .. } | Self::TransferEnded { reversals, .. } => {
                reversals.last()
            }
            Self::TransferReversed { legs, .. } => legs.last(),
            _ => None,
        };
        last.map(|reversal| reversal.key.stan.0)
    }
}

/// What is counted and has no other effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Oddity {
    /// A request or advice was received again.
    Repeat,
    /// An answer that matches nothing awaited (invariant A3).
    StrayAnswer,
    /// An advice could not be taken because store-and-forward is full; its acquirer repeats it.
    AdviceNotTaken,
}
