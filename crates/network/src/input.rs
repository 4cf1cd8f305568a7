//! What happens to the network, and what it asks its driver to do.
//!
//! Secrets (PIN block, track, clear card number) live here and in no record.

use crypto::WrappedKey;
use payment::host::{Answer, Financial, HostKeys, Management, Request, Reversal, Sealed};
use payment::{HostKey, Institution, ResponseCode, Secrets};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A member said something that is well formed and, where it must be, right under its MAC key.
    Heard {
        /// The member at the other end of the link.
        from: Institution,
        /// What.
        heard: Box<Heard>,
    },
    /// The issuer's answer to a request in flight came with a wrong MAC: it counts as no answer.
    WrongMac {
        /// The request.
        key: HostKey,
    },
    /// The forwarded request certainly did not leave.
    NotSent {
        /// The request.
        key: HostKey,
    },
    /// The operator changes a member's keys; made by [`crate::Network::reset_keys`].
    ResetKeys {
        /// The member.
        member: Institution,
        /// The new keys.
        issued: IssuedKeys,
    },
    /// A link came up or went down.
    Link {
        /// The member at its other end.
        member: Institution,
        /// It is up.
        up: bool,
    },
    /// A deadline has passed.
    Tick,
    /// The process starts again: nothing is in flight any more.
    Resumed,
}

/// A message as the edge read it.
#[derive(Clone, Debug)]
pub enum Heard {
    /// 0200.
    Financial {
        /// The request.
        sale: Financial,
        /// Its secrets; the PIN block is in the issuer's zone already.
        secrets: Secrets,
        /// The member that issued the card.
        route: Option<Institution>,
        /// The member that issued the card that receives the amount.
        receiver: Option<Institution>,
        /// The number of the issuer's keys under which the PIN block is, `None` without PIN; or why it cannot be passed on.
        pin_zone: Result<Option<u64>, ResponseCode>,
    },
    /// 0420.
    Reversal {
        /// The advice.
        reversal: Reversal,
        /// The member that issued the card.
        route: Option<Institution>,
        /// The member that issued the card that receives the amount.
        receiver: Option<Institution>,
    },
    /// 0800.
    Management {
        /// The request.
        request: Management,
        /// Fresh keys, when it is a sign-on.
        issued: Option<IssuedKeys>,
    },
    /// 0210, 0430 or 0810.
    Answer(Answer),
}

/// A PIN key and a MAC key made for one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedKeys {
    /// PIN key, for our module.
    pub pin: WrappedKey,
    /// MAC key, for our module.
    pub mac: WrappedKey,
    /// Both as field 62 carries them to the member.
    pub carried: HostKeys,
}

/// What the driver must do: write a frame to a member.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A request.
    Request {
        /// The member.
        to: Institution,
        /// The request with its secrets.
        sealed: Box<Sealed>,
        /// The MAC key, as it was at the decision; `None` for 0800.
        mac: Option<WrappedKey>,
    },
    /// An answer.
    Answer {
        /// The member.
        to: Institution,
        /// The answer.
        answer: Box<Answer>,
        /// The MAC key, as it was at the decision; `None` for 0810.
        mac: Option<WrappedKey>,
    },
}

impl Effect {
    /// A request without secrets.
    pub(crate) fn request(to: Institution, request: Request, mac: Option<WrappedKey>) -> Self {
        let secrets = Secrets::default();
        Self::Request {
            to,
            sealed: Box::new(Sealed { request, secrets }),
            mac,
        }
    }
}
