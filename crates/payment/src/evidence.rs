//! What one party knows of a sale's hops: only bytes it received and records it wrote, never another party's memory.

use crate::kind::Rail;
use crate::sign::{SignOutcome, SlipEvidence};
use crate::{ResponseCode, Wall};
use serde::{Deserialize, Serialize};

/// What is known of the way behind the acquirer: network and issuer, there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Upstream {
    /// Refused before anything left.
    NotSent(ResponseCode),
    /// Sent, the answer is awaited.
    Waiting,
    /// The issuer or the network declined.
    Declined(ResponseCode),
    /// Approved.
    Approved,
    /// Sent, and nothing came back in time: request or answer was lost.
    Silent,
    /// The network answered that the issuer did not (98 or 68).
    NetworkGaveUp,
    /// Our own restart lost track of the answer.
    Interrupted,
}

/// What is known of the last hop, acquirer to terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// No answer has been sent yet.
    NotYet,
    /// Sent; the terminal has not said anything since.
    Sent,
    /// The terminal had hung up: the answer could not be delivered.
    HungUp,
    /// Given again, as the answer to a result query.
    Recovered,
}

/// Why a reversal was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReversalCause {
    /// The terminal sent 0400 with this reason.
    Terminal(ResponseCode),
    /// The acquirer did, because upstream stayed unknown.
    Upstream,
    /// The acquirer did, because cash or another charge was taken in its place.
    Replaced,
    /// The acquirer's staff gave it back, by the proposal of this number.
    Staff(u64),
}

/// How far a reversal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReversalProgress {
    /// On its way; nobody confirmed yet.
    Open,
    /// Confirmed by the issuer with this code: 00 it had debited and gave back, 12 or 25 there was nothing to give back.
    Confirmed(ResponseCode),
    /// Refused with this code; a case is open and attempts go on.
    Refused(ResponseCode),
}

/// A reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// Why.
    pub cause: ReversalCause,
    /// How far.
    pub progress: ReversalProgress,
    /// Attempts made.
    pub attempts: u32,
}

/// What the terminal said of the sale after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// Nothing.
    None,
    /// Its next message implies that it has the outcome; it said nothing of the slip.
    Implied,
    /// It gave the positive sign.
    Signed(SignOutcome, SlipEvidence),
    /// Its batch holds it too, with this amount; it said nothing of the slip.
    Settled,
}

/// Everything the verdict may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Behind the acquirer.
    pub upstream: Upstream,
    /// An approval arrived after the reversal had been started.
    pub late_approval: bool,
    /// The last hop.
    pub delivery: Delivery,
    /// What the terminal said afterwards.
    pub confirmation: Confirmation,
    /// The reversal, when there is one.
    pub reversal: Option<Reversal>,
    /// The unconfirmed approval stands in the one-sided queue.
    pub one_sided: bool,
    /// Identical requests received again.
    pub duplicates: u16,
    /// When the next step is due.
    pub due: Option<Wall>,
    /// Number of the case or one-sided item, where one is open.
    pub case: Option<u32>,
}

impl Evidence {
    /// The evidence when a request has just been accepted.
    pub const fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            late_approval: false,
            delivery: Delivery::NotYet,
            confirmation: Confirmation::None,
            reversal: None,
            one_sided: false,
            duplicates: 0,
            due: None,
            case: None,
        }
    }
}

/// One of the eight beads of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bead {
    /// The hop is closed.
    Closed,
    /// The loop is here now.
    Active,
    /// Not reached.
    NotReached,
    /// This party cannot know.
    Unknown,
    /// The loop broke here.
    Broken,
}

/// The stations of a card sale in the order of the loop, zh-CN and en.
const STATIONS: [(&str, &str); 8] = [
    ("POS", "POS"),
    ("前置", "acquirer"),
    ("银联", "network"),
    ("发卡行", "issuer"),
    ("银联", "network"),
    ("前置", "acquirer"),
    ("POS", "POS"),
    ("小票", "slip"),
];

/// The stations of a wallet sale.
const WALLET_STATIONS: [(&str, &str); 8] = [
    ("POS", "POS"),
    ("前置", "acquirer"),
    ("钱包", "wallet"),
    ("付款人", "payer"),
    ("钱包", "wallet"),
    ("前置", "acquirer"),
    ("POS", "POS"),
    ("小票", "slip"),
];

/// The eight stations of a sale on this rail, zh-CN and en.
pub const fn stations(rail: Rail) -> &'static [(&'static str, &'static str); 8] {
    match rail {
        Rail::Card => &STATIONS,
        Rail::Wallet => &WALLET_STATIONS,
    }
}

/// The loop as eight beads: POS, acquirer, network, issuer, network, acquirer, POS, slip.
pub type Loop = [Bead; 8];

impl Evidence {
    /// The beads that this evidence supports, and no more.
    pub fn beads(&self) -> Loop {
        use Bead::{Active, Broken, Closed, NotReached, Unknown};
        let [out, issuer, back, front] = match self.upstream {
            Upstream::NotSent(_) => [NotReached, NotReached, NotReached, Closed],
            Upstream::Waiting => [Active, Unknown, NotReached, NotReached],
            Upstream::Declined(_) | Upstream::Approved => [Closed; 4],
            Upstream::Silent => [Unknown, Unknown, Unknown, Broken],
            Upstream::NetworkGaveUp => [Closed, Unknown, Broken, Closed],
            Upstream::Interrupted => [Unknown, Unknown, Unknown, Broken],
        };
        let (out, issuer, back) = match self.reversal {
            // A late approval has come the whole way; only our own patience was over.
            _ if self.late_approval => (Closed, Closed, Closed),
            // The issuer's word on the reversal says what had happened to the sale, not where its answer was lost.
            Some(Reversal {
                progress: ReversalProgress::Confirmed(code),
                ..
            }) if code == ResponseCode::APPROVED => (Closed, Closed, back),
            _ => (out, issuer, back),
        };
        let till = match (self.delivery, self.confirmation) {
            (_, Confirmation::Signed(..) | Confirmation::Implied | Confirmation::Settled) => Closed,
            (Delivery::HungUp, _) => Broken,
            (Delivery::Sent | Delivery::Recovered, _) => Unknown,
            (Delivery::NotYet, _) => NotReached,
        };
        [
            Closed,
            Closed,
            out,
            issuer,
            back,
            front,
            till,
            self.slip_bead(till),
        ]
    }

    fn slip_bead(&self, till: Bead) -> Bead {
        match self.confirmation {
            Confirmation::Signed(SignOutcome::Approved, slip) if slip.level >= 4 => Bead::Closed,
            Confirmation::Signed(SignOutcome::Approved, slip)
                if slip.level == 0 || slip.trouble != crate::sign::Trouble::None =>
            {
                Bead::Broken
            }
            Confirmation::Signed(SignOutcome::Approved, _)
            | Confirmation::Implied
            | Confirmation::Settled => Bead::Unknown,
            _ if self.upstream == Upstream::Approved && till == Bead::Unknown => Bead::Unknown,
            _ => Bead::NotReached,
        }
    }
}
