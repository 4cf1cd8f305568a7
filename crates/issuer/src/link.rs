//! The link to the network: sign-on until it is answered, working keys, echo.
//!
//! Invariant: only the answer to the last sign-on counts, because each answer brings new keys and the network keeps those
//! of its last one.

use crate::issuer::Issuer;
use crate::record::{Effect, Record};
use crypto::WrappedKey;
use payment::host::{Management, NetworkCode, Request};
use payment::{Decision, HostKey, Institution, Mono, Now, ResponseCode, Stan};
use serde::{Deserialize, Serialize};

/// The keys before the last change are taken for this long, in milliseconds: longer than any request is on its way.
pub const PREVIOUS_KEYS_MS: u64 = 60_000;
/// Wait before a sign-on is repeated, in milliseconds; it doubles each time.
pub const SIGN_ON_GAP_MS: u64 = 1_000;
/// The longest it grows.
pub const SIGN_ON_GAP_MS_MAX: u64 = 16_000;

/// The working keys of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkKeys {
    /// Enciphers PIN blocks.
    pub pin: WrappedKey,
    /// Makes field 128.
    pub mac: WrappedKey,
}

/// The link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    up: bool,
    signed_on: bool,
    /// The sign-on that awaits its answer, and when it is repeated.
    asked: Option<(HostKey, Mono)>,
    /// Sign-ons since the last answer.
    attempts: u32,
    stan: u32,
    keys: Option<LinkKeys>,
    previous: Option<(LinkKeys, Mono)>,
}

impl Link {
    /// The link is up and the sign-on was answered.
    pub fn signed_on(&self) -> bool {
        self.signed_on
    }

    /// The current keys.
    pub fn keys(&self) -> Option<&LinkKeys> {
        self.keys.as_ref()
    }

    /// The keys under which a message may come, the current ones first.
    pub(crate) fn accepted(&self, now: Mono) -> impl Iterator<Item = &LinkKeys> {
        let previous = self.previous.as_ref();
        let previous = previous.filter(move |(_, until)| now <= *until);
        self.keys.iter().chain(previous.map(|(keys, _)| keys))
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.asked.map(|(_, next)| next)
    }

    pub(crate) fn sign_on_sent(&mut self, key: HostKey, next: Mono) {
        self.up = true;
        self.signed_on = false;
        self.asked = Some((key, next));
        self.attempts = self.attempts.saturating_add(1);
        self.stan = key.stan.0;
    }

    pub(crate) fn keys_taken(&mut self, keys: LinkKeys, previous_until: Mono, signed_on: bool) {
        self.previous = self.keys.replace(keys).map(|old| (old, previous_until));
        if signed_on {
            self.signed_on = true;
            self.asked = None;
            self.attempts = 0;
        }
    }

    pub(crate) fn went_down(&mut self) {
        self.up = false;
        self.signed_on = false;
        self.asked = None;
        self.attempts = 0;
    }
}

impl Issuer {
    pub(crate) fn decide_tick(&self, now: Now) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        self.open_cards(&mut decision);
        self.expire_holds(now, &mut decision);
        if self
            .state
            .link
            .deadline()
            .is_some_and(|due| due <= now.mono)
        {
            self.sign_on(now, &mut decision);
        }
        decision
    }

    /// A link that was up before the replay counts as up until the driver says that it is down.
    pub(crate) fn decide_resumed(&self, now: Now) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        self.open_cards(&mut decision);
        self.expire_holds(now, &mut decision);
        if self.state.link.up {
            self.sign_on(now, &mut decision);
        }
        decision
    }

    pub(crate) fn decide_link(
        &self,
        now: Now,
        member: Institution,
        up: bool,
    ) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        if member != self.config.network {
            return decision;
        }
        if up {
            self.sign_on(now, &mut decision);
        } else if self.state.link.up {
            decision.record(Record::LinkDown);
        }
        decision
    }

    fn sign_on(&self, now: Now, decision: &mut Decision<Record, Effect>) {
        let link = &self.state.link;
        let key = HostKey {
            transmission: now.wall.transmission(),
            stan: Stan(link.stan).next(),
            acquirer: self.config.institution,
            forwarder: self.config.institution,
        };
        let gap_ms = SIGN_ON_GAP_MS << link.attempts.min(10);
        decision.record(Record::SignOnSent {
            key,
            next: now.mono.plus_ms(gap_ms.min(SIGN_ON_GAP_MS_MAX)),
        });
        decision.effect(Effect::SignOn(Management {
            key,
            code: NetworkCode::SignOn,
            keys: None,
        }));
    }

    pub(crate) fn decide_sign_on_answer(
        &self,
        now: Now,
        key: HostKey,
        keys: Option<LinkKeys>,
    ) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let awaited = self.state.link.asked.is_some_and(|(asked, _)| asked == key);
        if let (true, Some(keys)) = (awaited, keys) {
            decision.record(Record::KeysTaken {
                keys,
                previous_until: now.mono.plus_ms(PREVIOUS_KEYS_MS),
                signed_on: true,
            });
        }
        decision
    }

    pub(crate) fn decide_key_reset(
        &self,
        now: Now,
        request: Management,
        keys: Option<LinkKeys>,
    ) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let code = match keys {
            None => ResponseCode::SECURITY_ERROR,
            Some(keys) => {
                // A repeated key reset must not push the keys before it out.
                if self.state.link.keys != Some(keys) {
                    decision.record(Record::KeysTaken {
                        keys,
                        previous_until: now.mono.plus_ms(PREVIOUS_KEYS_MS),
                        signed_on: false,
                    });
                }
                ResponseCode::APPROVED
            }
        };
        decision.effect(self.answer(&Request::Management(request), code));
        decision
    }

    pub(crate) fn decide_echo(&self, request: Management) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        decision.effect(self.answer(&Request::Management(request), ResponseCode::APPROVED));
        decision
    }
}
