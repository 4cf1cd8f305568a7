//! One sale as the acquirer keeps it: the request without secrets, the first answer, the evidence, the reversal.

use payment::evidence::{Confirmation, Evidence, ReversalProgress, Upstream};
use payment::terminal::{Sale, Standing};
use payment::{
    ApprovalCode, ChipAnswer, Claims, Declarations, HostKey, LinkId, Mono, Now, Posting,
    ResponseCode, Rrn, SaleKey, SignOutcome, Wall,
};
use serde::{Deserialize, Serialize};

/// Where an answer to a terminal goes: the driver's number of the request's frame, and that frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The driver's number; meaningless after a restart.
    pub exchange: u64,
    /// TPDU of the request.
    pub tpdu: [u8; 5],
    /// Application header of the request.
    pub header: [u8; 6],
}

/// The first answer; every repeat of the request gets the same (invariant A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAnswer {
    /// Field 39.
    pub code: ResponseCode,
    /// Field 38.
    pub approval: Option<ApprovalCode>,
    /// Field 15.
    pub settlement: Option<u16>,
    /// Field 54.
    pub balance: Option<i64>,
    /// Field 55.
    pub chip: Option<ChipAnswer>,
    /// Fields 12 and 13 are read from it.
    pub at: Wall,
}

impl FirstAnswer {
    /// A refusal of our own.
    pub(crate) const fn refusal(code: ResponseCode, at: Now) -> Self {
        Self {
            code,
            approval: None,
            settlement: None,
            balance: None,
            chip: None,
            at: at.wall,
        }
    }
}

/// The reversal of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleReversal {
    /// Key of the advice to the network.
    pub advice: HostKey,
    /// Why, in the network's codes.
    pub reason: payment::host::ReversalReason,
    /// The terminal that waits for the end of it, and until when.
    pub waiter: Option<(Reply, Mono)>,
}

/// A sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRecord {
    /// The request without its secrets.
    pub request: Sale,
    /// Field 37.
    pub rrn: Rrn,
    /// Key of the request to the network, when it was forwarded.
    pub host: Option<HostKey>,
    /// When it came.
    pub received: Now,
    /// Where the answer goes.
    pub reply: Reply,
    /// The first answer.
    pub answer: Option<FirstAnswer>,
    /// What is known of the loop.
    pub evidence: Evidence,
    /// The reversal.
    pub reversal: Option<SaleReversal>,
    /// The posting, when it was booked.
    pub transfer: Option<u64>,
    /// An unconfirmed approval becomes a one-sided item at this moment.
    pub confirm_by: Option<Mono>,
    /// Where its e-slip is.
    pub link: Option<LinkId>,
    /// The earlier transaction that it is about.
    pub original: Option<SaleKey>,
    /// What an approval adds to the merchant's money, in minor units.
    pub moved_minor: i64,
    /// What later transactions have claimed of it.
    pub claims: Claims,
    /// Increments about it that give no room yet.
    pub awaited: u32,
    /// How far its own claim of its original is.
    pub claim: Claim,
    /// It had been forgotten: only what a refund needs is known of it.
    pub recalled: bool,
    /// The earlier sale for which it was refused.
    pub guard: Option<SaleKey>,
    /// The charge that was made in its place.
    pub replaced_by: Option<SaleKey>,
    /// What the cardholder has said about it.
    pub declared: Declarations,
}

/// How far a transaction's claim of its original is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// It claims nothing, or nothing any more.
    #[default]
    None,
    /// It was forwarded.
    Open,
    /// Its terminal has said that it has the approval.
    Settled,
}

impl SaleRecord {
    /// Something was claimed of it, or may be at any moment: giving it back as well would pay twice.
    pub(crate) fn is_claimed(&self) -> bool {
        self.claims != Claims::default() || self.awaited > 0
    }

    /// `asked` is this sale's own request, not another one that took its trace number again.
    pub(crate) fn is_request(&self, asked: &Sale) -> bool {
        let own = &self.request;
        let receiver = |sale: &Sale| sale.to.map(|to| to.token);
        (own.kind, own.amount, own.card.token) == (asked.kind, asked.amount, asked.card.token)
            && receiver(own) == receiver(asked)
    }

    /// Approved and not being reversed.
    pub fn stands(&self) -> bool {
        self.evidence.upstream == Upstream::Approved && self.evidence.reversal.is_none()
    }

    /// Approved, and its terminal has said that it knows.
    pub(crate) fn has_confirmed_approval(&self) -> bool {
        has_approval(&self.evidence.confirmation)
    }

    /// A standing approval of which the terminal has said nothing yet, aged or not.
    pub(crate) fn awaits_confirmation(&self) -> bool {
        self.stands()
            && self.request.kind.row().reversible()
            && self.evidence.confirmation == Confirmation::None
    }

    /// Nothing more will happen to it by itself: it may be forgotten when memory is short.
    pub fn is_closed(&self) -> bool {
        match (self.evidence.reversal, self.evidence.upstream) {
            (Some(reversal), _) => matches!(reversal.progress, ReversalProgress::Confirmed(_)),
            (None, Upstream::Waiting) => false,
            (None, Upstream::Approved) => {
                !self.request.kind.row().moves_money()
                    || (self.confirm_by.is_none() && self.evidence.case.is_none() && !self.holds())
            }
            (None, Upstream::Declined(_) | Upstream::NotSent(_)) => true,
            // An advice is repeated until it is answered.
            (None, _) => !self.is_advice(),
        }
    }

    /// It stands in the one-sided queue.
    pub(crate) fn waits_for_people(&self) -> bool {
        self.evidence.case.is_some() && !self.is_closed()
    }

    /// A pre-authorisation that is neither completed nor released.
    fn holds(&self) -> bool {
        self.request.kind.row().posting == Posting::Hold
            && self.claims.captured == 0
            && !self.claims.undone
    }

    /// Repeated until it is answered, and never reversed.
    pub(crate) fn is_advice(&self) -> bool {
        self.request.kind.row().is_advice()
    }

    /// One more attempt was made at its reversal.
    pub(crate) fn tried(&mut self, next: Mono) {
        let due = self.wall_at(next);
        if let Some(reversal) = &mut self.evidence.reversal {
            reversal.attempts = reversal.attempts.saturating_add(1);
            // Once refused it is people's turn, whatever the advice still does by itself.
            if reversal.progress == ReversalProgress::Open {
                self.evidence.due = Some(due);
            }
        }
    }

    /// A later monotonic reading as the wall will show it.
    pub(crate) fn wall_at(&self, mono: Mono) -> Wall {
        Wall(self.received.wall.0 + mono.since_ms(self.received.mono) as i64)
    }

    /// What a result query is told (settled point 4).
    pub fn standing(&self) -> Standing {
        match (
            self.evidence.reversal.map(|r| r.progress),
            self.evidence.upstream,
            self.answer,
        ) {
            (Some(ReversalProgress::Confirmed(code)), ..) => Standing::Reversed {
                never_debited: code != ResponseCode::APPROVED,
            },
            (Some(ReversalProgress::Refused(_)), ..) => Standing::Case,
            (Some(ReversalProgress::Open), ..) => Standing::Reversing,
            (None, Upstream::Waiting, _) | (None, _, None) => Standing::InProgress,
            (None, Upstream::Approved, _) => Standing::Approved,
            (None, _, Some(answer)) => Standing::Declined(answer.code),
        }
    }

    /// The key.
    pub fn key(&self) -> SaleKey {
        self.request.key
    }
}

/// The terminal says that it has the approval.
pub(crate) fn has_approval(confirmation: &Confirmation) -> bool {
    matches!(
        confirmation,
        Confirmation::Implied
            | Confirmation::Settled
            | Confirmation::Signed(SignOutcome::Approved, _)
    )
}
