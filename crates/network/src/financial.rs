//! Financial requests (0200) from acquirer to issuer and their answers (0210).
//!
//! A request is answered once: repeats get the same answer, and a late answer never reaches the acquirer (reference §4.7).

use crate::network::Decided;
use crate::planted::Bug;
use crate::transfer::Reversals;
use crate::{Effect, Network, Oddity, Record};
use crypto::WrappedKey;
use payment::host::{Answer, Financial, Request, Reversal, ReversalReason, Sealed};
use payment::{HostKey, Institution, Now, ResponseCode, Secrets};

impl Network {
    pub(crate) fn financial(
        &self,
        now: Now,
        mut sale: Financial,
        secrets: Secrets,
        [route, receiver]: [Option<Institution>; 2],
        pin_zone: Result<Option<u64>, ResponseCode>,
    ) -> Decided {
        let mut decided = Decided::nothing();
        let key = sale.key;
        if self.is_repeat(&sale) {
            decided.record(Record::Noticed {
                key,
                what: Oddity::Repeat,
                at: now,
            });
            if let Some(answer) = self.answer_again(&sale) {
                self.answer(answer, key.acquirer, &mut decided);
            }
            return decided;
        }
        sale.settlement = self
            .first_settlement(&key)
            .or(Some(self.config.settlement_date(now.wall)));
        let admitted = self
            .admit(&sale, route, pin_zone)
            .and_then(|to| self.admit_receiver(&sale, receiver).map(|()| to));
        match (admitted, self.two_issuers(&sale, route, receiver)) {
            (Ok(_), Some(issuers)) => self.transfer(now, sale, issuers, secrets, &mut decided),
            (Ok((issuer, mac)), None) => {
                decided.record(Record::Forwarded {
                    sale,
                    issuer,
                    deadline: now.mono.plus_ms(self.config.network_timeout_ms),
                    at: now,
                });
                let request = Request::Financial(sale);
                decided.effect(Effect::Request {
                    to: issuer,
                    sealed: Box::new(Sealed { request, secrets }),
                    mac: Some(mac),
                });
            }
            (Err(code), _) => {
                decided.record(Record::Declined {
                    sale,
                    code,
                    at: now,
                });
                let answer = Answer::to(&Request::Financial(sale), code);
                self.answer(answer, key.acquirer, &mut decided);
            }
        }
        decided
    }

    /// Whether this key was decided already. An advice that nobody could answer is tried again under the same key.
    fn is_repeat(&self, sale: &Financial) -> bool {
        let known = &self.state;
        if known.flights.contains_key(&sale.key) || known.transfers.contains_key(&sale.key) {
            return true;
        }
        let Some(closed) = self.state.closed.get(&sale.key) else {
            return false;
        };
        let again = sale.kind.row().is_advice()
            && closed.answer.is_some_and(|answer| {
                answer.code.is_transient() && answer.about == Some(sale.kind)
            });
        !again
    }

    /// The settlement date under which an advice left before: the issuer may have booked it on that date (M8).
    fn first_settlement(&self, key: &HostKey) -> Option<u16> {
        self.state.closed.get(key)?.answer?.settlement
    }

    /// What the repeat of a known request is answered: nothing while the issuer works on it.
    fn answer_again(&self, sale: &Financial) -> Option<Answer> {
        let closed = self.state.closed.get(&sale.key)?;
        let request = Request::Financial(*sale);
        Some(match closed.answer {
            Some(answer) if answer.answers(&request) => answer,
            // The key of another request: nothing is said of that one.
            Some(_) => Answer::to(&request, ResponseCode::DUPLICATE),
            None => Answer::to(&request, ResponseCode::RELATED_ERROR),
        })
    }

    /// The refusals of a new request, in order; each proves that nothing left. Gives the issuer and its MAC key.
    fn admit(
        &self,
        sale: &Financial,
        route: Option<Institution>,
        pin_zone: Result<Option<u64>, ResponseCode>,
    ) -> Result<(Institution, WrappedKey), ResponseCode> {
        if sale.kind.row().is_leg() {
            return Err(ResponseCode::NOT_SUPPORTED);
        }
        if !self.signed_on(sale.key.acquirer) {
            return Err(ResponseCode::ACQUIRER_STATUS);
        }
        let issuer = route.ok_or(ResponseCode::NO_SUCH_ISSUER)?;
        if self.state.relay.is_full() {
            return Err(ResponseCode::SYSTEM_ERROR);
        }
        let keys = self
            .state
            .sessions
            .get(&issuer)
            .and_then(|session| session.reachable())
            .ok_or(ResponseCode::ISSUER_UNAVAILABLE)?;
        let pin_zone = pin_zone?;
        // The PIN was moved into the issuer's zone when the request was heard; the issuer may have got new keys since,
        // and then the block would cost the cardholder a PIN try (invariant K3).
        if sale.entry.has_pin() && pin_zone != Some(keys.number) {
            return Err(ResponseCode::ISSUER_UNAVAILABLE);
        }
        Ok((issuer, keys.mac))
    }

    pub(crate) fn not_sent(&self, now: Now, key: HostKey) -> Decided {
        let mut decided = Decided::nothing();
        if self.leg_not_sent(now, &key, &mut decided) {
            return decided;
        }
        if let Some(flight) = self.state.flights.get(&key) {
            let code = ResponseCode::ISSUER_UNAVAILABLE;
            decided.record(Record::NotSent { key, code, at: now });
            self.answer(flight.answer(code), key.acquirer, &mut decided);
        }
        decided
    }

    pub(crate) fn financial_answer(
        &self,
        now: Now,
        from: Institution,
        mut answer: Answer,
    ) -> Decided {
        let mut decided = Decided::nothing();
        if self.planted(Bug::NetworkMatchesByStanOnly) {
            self.match_by_stan_only(from, &mut answer);
        }
        let key = answer.key;
        let flight = self
            .state
            .flights
            .get(&key)
            .filter(|flight| flight.issuer == from)
            .filter(|flight| answer.answers(&Request::Financial(flight.sale)));
        if flight.is_some() && self.leg_answered(now, &answer, &mut decided) {
            return decided;
        }
        if let Some(flight) = flight {
            answer.settlement = flight.sale.settlement;
            answer.receiver = Some(from);
            decided.record(Record::Answered { answer, at: now });
            self.answer(answer, key.acquirer, &mut decided);
            return decided;
        }
        let closed = self.state.closed.get(&key);
        let late = closed
            .is_some_and(|c| c.issuer == Some(from) && (c.given_up || c.answer.is_none()))
            || self.is_late_leg(&key, from);
        if !late {
            decided.record(Record::Noticed {
                key,
                what: Oddity::StrayAnswer,
                at: now,
            });
            return decided;
        }
        let code = answer.code;
        decided.record(Record::Late { key, code, at: now });
        if self.planted(Bug::NetworkForwardsLateApproval) && code.is_success() {
            self.answer(answer, key.acquirer, &mut decided);
        }
        decided
    }

    /// The planted bug: any request of that trace number is answered.
    fn match_by_stan_only(&self, from: Institution, answer: &mut Answer) {
        let mut flights = self.state.flights.values();
        let same = flights.find(|f| f.issuer == from && f.sale.key.stan == answer.key.stan);
        if let Some(flight) = same {
            *answer = Answer {
                approval: answer.approval,
                balance: answer.balance,
                ..flight.answer(answer.code)
            };
        }
    }

    pub(crate) fn wrong_mac(&self, now: Now, key: HostKey) -> Decided {
        let mut decided = Decided::nothing();
        let flight = self.state.flights.get(&key);
        if flight.is_some_and(|flight| !flight.wrong_mac) {
            decided.record(Record::WrongMac { key, at: now });
        }
        decided
    }

    /// Gives up a request: 98 to the acquirer, and reversals of our own, which are on record now.
    pub(crate) fn give_up(&self, now: Now, key: HostKey, decided: &mut Decided) -> Reversals {
        if let Some(reversals) = self.leg_silent(now, &key, decided) {
            return reversals;
        }
        let Some(flight) = self.state.flights.get(&key) else {
            return Vec::new();
        };
        let reverses =
            flight.sale.kind.row().reversible() && !self.planted(Bug::NetworkForwardsLateApproval);
        let reversal = reverses.then(|| Reversal {
            key: self.own_key(now.wall, key.acquirer, self.last_stan(decided)),
            original: key,
            reason: match flight.wrong_mac {
                true => ReversalReason::NETWORK_MAC,
                false => ReversalReason::NETWORK_TIMEOUT,
            },
            sale: flight.sale,
        });
        decided.record(Record::TimedOut {
            key,
            reversal,
            at: now,
        });
        let answer = flight.answer(ResponseCode::ISSUER_TIMEOUT);
        self.answer(answer, key.acquirer, decided);
        let reversal = reversal.map(|reversal| (flight.issuer, reversal));
        reversal.into_iter().collect()
    }
}
