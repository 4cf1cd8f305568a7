//! Members: link, sign-on, sign-off, echo and key change (0800, reference §8.1).
//!
//! Keys change only with a record, and a member's earlier keys stay acceptable for what was on its way.

use crate::network::Decided;
use crate::{Effect, Input, IssuedKeys, Network, Oddity, Record};
use crypto::{KeyUsage, SecurityError};
use payment::host::{Answer, HostKeys, Management, NetworkCode, Request};
use payment::{EdgeError, HostKey, Institution, Now, ResponseCode, Surroundings};

/// Whether the trace number of `key` comes before that of `last` on the circle of trace numbers.
fn is_behind(key: HostKey, last: HostKey) -> bool {
    const CIRCLE: u32 = 999_999;
    (key.stan.0 + CIRCLE - last.stan.0 % CIRCLE) % CIRCLE > CIRCLE / 2
}

impl Network {
    /// The input that changes a member's keys; its PIN key and MAC key are made here, where the security module is.
    ///
    /// A stranger is refused, and so is whatever the module refuses.
    pub fn reset_keys(
        &self,
        around: &Surroundings<'_>,
        member: Institution,
    ) -> Result<Input, EdgeError> {
        let issued = self.issue_keys(around, member)?;
        Ok(Input::ResetKeys { member, issued })
    }

    pub(crate) fn issue_keys(
        &self,
        around: &Surroundings<'_>,
        member: Institution,
    ) -> Result<IssuedKeys, EdgeError> {
        let kek = &self
            .directory
            .member(member)
            .ok_or(EdgeError::Stranger)?
            .kek;
        let issue = |usage| -> Result<_, SecurityError> {
            let random = (around.random)();
            let mut half = [0; 16];
            half.copy_from_slice(&random[..16]);
            around.module.issue_host_key(kek, usage, &half)
        };
        let (pin, pin_carried, pin_check) = issue(KeyUsage::Pin)?;
        let (mac, mac_carried, mac_check) = issue(KeyUsage::Mac)?;
        let carried = HostKeys {
            pin: (pin_carried, pin_check),
            mac: (mac_carried, mac_check),
        };
        Ok(IssuedKeys { pin, mac, carried })
    }

    pub(crate) fn management(
        &self,
        now: Now,
        from: Institution,
        request: Management,
        issued: Option<IssuedKeys>,
    ) -> Decided {
        let mut decided = Decided::nothing();
        let mut keys = None;
        match (request.code, issued) {
            (NetworkCode::SignOn, Some(issued)) => {
                let session = self.state.sessions.get(&from);
                let last = session.and_then(|session| session.sign_on);
                if let Some((_, number, carried)) = last.filter(|(key, ..)| *key == request.key) {
                    let holds = session.is_some_and(|session| {
                        session.signed_on && session.current.is_some_and(|k| k.number == number)
                    });
                    if !holds {
                        // An old copy, behind a sign-off or newer keys: an answer would mislead.
                        return decided;
                    }
                    keys = Some(carried);
                } else if last.is_some_and(|(key, ..)| is_behind(request.key, key)) {
                    // Overtaken by a later sign-on: its member awaits that one's answer and would not take these keys.
                    return decided;
                } else {
                    keys = Some(issued.carried);
                    decided.record(Record::SignedOn {
                        member: from,
                        key: request.key,
                        issued,
                        at: now,
                    });
                }
            }
            (NetworkCode::SignOff, _) => {
                decided.record(Record::SignedOff {
                    member: from,
                    at: now,
                });
            }
            (NetworkCode::Echo, _) => {}
            // Only the network changes keys, and a sign-on without fresh keys is none.
            (NetworkCode::SignOn | NetworkCode::KeyReset, _) => return decided,
        }
        let mut answer = Answer::to(&Request::Management(request), ResponseCode::APPROVED);
        answer.management = Some((request.code, keys));
        decided.effect(Effect::Answer {
            to: from,
            answer: Box::new(answer),
            mac: None,
        });
        decided
    }

    pub(crate) fn offer_keys(&self, now: Now, member: Institution, issued: IssuedKeys) -> Decided {
        let mut decided = Decided::nothing();
        if self.reach(member).is_none() {
            return decided;
        }
        let key = self.own_key(now.wall, member, self.state.stan);
        decided.record(Record::KeysOffered {
            member,
            key,
            issued,
            at: now,
        });
        let request = Request::Management(Management {
            key,
            code: NetworkCode::KeyReset,
            keys: Some(issued.carried),
        });
        decided.effect(Effect::request(member, request, None));
        decided
    }

    pub(crate) fn management_answer(&self, now: Now, from: Institution, answer: Answer) -> Decided {
        let mut decided = Decided::nothing();
        let session = self.state.sessions.get(&from);
        let offered = session.and_then(|session| session.offered);
        decided.record(match offered {
            Some((key, _)) if key == answer.key => Record::KeysAnswered {
                member: from,
                taken: answer.code == ResponseCode::APPROVED,
                at: now,
            },
            _ => Record::Noticed {
                key: answer.key,
                what: Oddity::StrayAnswer,
                at: now,
            },
        });
        decided
    }

    pub(crate) fn link(&self, now: Now, member: Institution, up: bool) -> Decided {
        let mut decided = Decided::nothing();
        let session = self.state.sessions.get(&member);
        let is_up = session.is_none_or(|session| !session.link_down);
        if self.directory.member(member).is_some() && is_up != up {
            decided.record(Record::Link {
                member,
                up,
                at: now,
            });
        }
        decided
    }
}
