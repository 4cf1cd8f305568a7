//! What the network knows: the fold of its records.
//!
//! A request is in flight or closed, an advice open or confirmed, never both; what is closed is bounded by
//! [`CLOSED_MAX`], what is open by the relay.

use crate::limits::CLOSED_MAX;
use crate::transfer::Transfer;
use crate::{IssuedKeys, Oddity, Record};
use crypto::WrappedKey;
use payment::host::{Answer, Financial, HostKeys, Request, Reversal};
use payment::relay::{Relay, RelayRecord};
use payment::{HostKey, Institution, ResponseCode, Stan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The state. Everything in it comes from records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) relay: Relay<HostKey>,
    pub(crate) sessions: BTreeMap<Institution, Session>,
    pub(crate) flights: BTreeMap<HostKey, Flight>,
    pub(crate) closed: BTreeMap<HostKey, Closed>,
    closed_order: VecDeque<HostKey>,
    pub(crate) advices: BTreeMap<HostKey, Advice>,
    pub(crate) confirmed: BTreeMap<HostKey, Confirmed>,
    confirmed_order: VecDeque<HostKey>,
    /// Transfers between two issuers by the acquirer's key: open ones, and those that are remembered as closed.
    pub(crate) transfers: BTreeMap<HostKey, Transfer>,
    /// The last trace number of the network's own messages.
    pub(crate) stan: u32,
    keys_issued: u64,
    pub(crate) counters: Counters,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests forwarded to an issuer.
    pub forwarded: u64,
    /// Requests declined here.
    pub declined: u64,
    /// Requests whose frame did not leave.
    pub not_sent: u64,
    /// Answers passed on in time.
    pub answered: u64,
    /// Of these, approvals.
    pub approved: u64,
    /// Requests given up.
    pub timed_out: u64,
    /// Answers that came after giving up.
    pub late: u64,
    /// Answers in flight whose MAC was wrong.
    pub wrong_mac: u64,
    /// Reversals of our own.
    pub own_reversals: u64,
    /// Advices taken from acquirers.
    pub advices: u64,
    /// Reversals, ours and acquirers', that an issuer confirmed.
    pub confirmed: u64,
    /// Answers to reversals that did not end them.
    pub refused: u64,
    /// Reversals that became a case.
    pub cases: u64,
    /// Requests and advices received again.
    pub repeats: u64,
    /// Answers that match nothing awaited.
    pub stray_answers: u64,
    /// Advices not taken because store-and-forward was full.
    pub not_taken: u64,
}

/// A member as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) signed_on: bool,
    /// The driver said that the link is down. Until it says anything the link is tried.
    pub(crate) link_down: bool,
    pub(crate) current: Option<Keys>,
    pub(crate) previous: Option<Keys>,
    pub(crate) offered: Option<(HostKey, Keys)>,
    /// The last sign-on, and the keys that answered it.
    pub(crate) sign_on: Option<(HostKey, u64, HostKeys)>,
}

/// The keys of one sign-on or reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Counts every pair ever issued.
    pub(crate) number: u64,
    pub(crate) pin: WrappedKey,
    pub(crate) mac: WrappedKey,
}

impl Session {
    /// The keys under which a message of this member may be, most likely first: current, offered, previous.
    pub(crate) fn acceptable(&self) -> impl Iterator<Item = &Keys> {
        let offered = self.offered.as_ref().map(|(_, keys)| keys);
        [self.current.as_ref(), offered, self.previous.as_ref()]
            .into_iter()
            .flatten()
    }

    /// The keys for a message to this member, when it can be reached.
    pub(crate) fn reachable(&self) -> Option<&Keys> {
        self.current
            .as_ref()
            .filter(|_| self.signed_on && !self.link_down)
    }

    fn change(&mut self, keys: Keys) {
        self.previous = self.current.replace(keys);
    }
}

/// A request whose answer is awaited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Flight {
    pub(crate) sale: Financial,
    pub(crate) issuer: Institution,
    pub(crate) wrong_mac: bool,
}

impl Flight {
    /// The network's own answer to this request.
    pub(crate) fn answer(&self, code: ResponseCode) -> Answer {
        Answer::to(&Request::Financial(self.sale), code)
    }
}

/// A request that was answered, given up or reversed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Closed {
    /// Where it went.
    pub(crate) issuer: Option<Institution>,
    /// What a repeat is answered; `None` once its acquirer reversed it, and then it never is forwarded nor approved.
    pub(crate) answer: Option<Answer>,
    /// We gave up before the issuer answered.
    pub(crate) given_up: bool,
    /// Its latest reversal.
    pub(crate) reversal: Option<HostKey>,
}

/// A reversal that the issuer has not confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Advice {
    pub(crate) reversal: Reversal,
    pub(crate) issuer: Institution,
    pub(crate) refused: Option<ResponseCode>,
    pub(crate) case: bool,
}

/// A reversal that is over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Confirmed {
    pub(crate) original: HostKey,
    pub(crate) issuer: Option<Institution>,
    pub(crate) code: ResponseCode,
    pub(crate) settlement: Option<u16>,
}

/// An undelivered reversal as an operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The advice; its forwarder tells whose it is.
    pub key: HostKey,
    /// What it reverses.
    pub original: HostKey,
    /// Who has to confirm.
    pub issuer: Institution,
    /// Attempts made.
    pub attempts: u32,
    /// The issuer's last code that did not end it.
    pub refused: Option<ResponseCode>,
    /// It is a case.
    pub case: bool,
}

impl State {
    /// Changes the state by one record.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Link { member, up, .. } => self.session(*member).link_down = !up,
            Record::SignedOn {
                member,
                key,
                issued,
                ..
            } => self.signed_on(*member, *key, issued),
            Record::SignedOff { member, .. } => self.session(*member).signed_on = false,
            Record::KeysOffered {
                member,
                key,
                issued,
                ..
            } => {
                let keys = self.number(issued);
                self.stan = key.stan.0;
                self.session(*member).offered = Some((*key, keys));
            }
            Record::KeysAnswered { member, taken, .. } => {
                let session = self.session(*member);
                if let Some((_, keys)) = session.offered.take()
                    && *taken
                {
                    session.change(keys);
                }
            }
            Record::Forwarded {
                sale,
                issuer,
                deadline,
                ..
            } => self.forwarded(sale, *issuer, *deadline),
            Record::Declined { sale, code, .. } => {
                self.counters.declined += 1;
                let answer = Answer::to(&Request::Financial(*sale), *code);
                self.close(sale.key, None, Some(answer));
            }
            Record::NotSent { key, code, .. } => {
                self.counters.not_sent += 1;
                if let Some(flight) = self.land(key) {
                    self.close(*key, Some(flight.issuer), Some(flight.answer(*code)));
                }
            }
            Record::Answered { answer, .. } => {
                self.counters.answered += 1;
                self.counters.approved += u64::from(answer.code.is_success());
                if let Some(flight) = self.land(&answer.key) {
                    self.close(answer.key, Some(flight.issuer), Some(*answer));
                }
            }
            Record::WrongMac { key, .. } => {
                self.counters.wrong_mac += 1;
                if let Some(flight) = self.flights.get_mut(key) {
                    flight.wrong_mac = true;
                }
            }
            Record::TimedOut { key, reversal, at } => {
                self.timed_out(key);
                if let Some(reversal) = reversal
                    && let Some(issuer) = self.closed.get(key).and_then(|closed| closed.issuer)
                {
                    self.counters.own_reversals += 1;
                    self.stan = reversal.key.stan.0;
                    self.queue(reversal, issuer, at.mono);
                }
            }
            Record::Late { .. } => self.counters.late += 1,
            Record::AdviceTaken {
                reversal,
                issuer,
                at,
            } => {
                self.counters.advices += 1;
                self.forbid(reversal.original, Some(*issuer));
                self.queue(reversal, *issuer, at.mono);
            }
            Record::AdviceWithoutIssuer { reversal, .. } => {
                self.counters.advices += 1;
                self.forbid(reversal.original, None);
                let code = ResponseCode::ORIGINAL_NOT_FOUND;
                self.confirm(reversal, None, code);
            }
            Record::AdviceTried { key, next, .. } => {
                let (key, next) = (*key, *next);
                self.relay.apply(&RelayRecord::Tried { key, next });
            }
            Record::CaseOpened { key, .. } => {
                self.counters.cases += 1;
                if let Some(advice) = self.advices.get_mut(key) {
                    advice.case = true;
                }
            }
            Record::AdviceRefused { key, code, .. } => {
                self.counters.refused += 1;
                if let Some(advice) = self.advices.get_mut(key) {
                    advice.refused = Some(*code);
                }
            }
            Record::AdviceConfirmed { key, code, .. } => {
                self.counters.confirmed += 1;
                self.relay.apply(&RelayRecord::Delivered { key: *key });
                if let Some(advice) = self.advices.remove(key) {
                    self.confirm(&advice.reversal, Some(advice.issuer), *code);
                    self.leg_confirmed(&advice.reversal.original, *code);
                }
            }
            Record::TransferTaken {
                sale,
                network,
                issuers,
                deadline,
                ..
            } => self.transfer_taken(Transfer::new(sale, *network, *issuers, *deadline)),
            Record::CreditSent { key, approval, .. } => self.credit_sent(key, *approval),
            Record::TransferUndone {
                key,
                code,
                reversals,
                at,
            } => self.transfer_undone(key, *code, reversals, at.mono),
            Record::TransferEnded {
                key,
                code,
                reversals,
                at,
            } => self.transfer_ended(key, *code, reversals, at.mono),
            Record::TransferReversed {
                reversal,
                network,
                issuers,
                legs,
                at,
            } => self.transfer_reversed(reversal, *network, *issuers, legs, at.mono),
            Record::Noticed { what, .. } => {
                *match what {
                    Oddity::Repeat => &mut self.counters.repeats,
                    Oddity::StrayAnswer => &mut self.counters.stray_answers,
                    Oddity::AdviceNotTaken => &mut self.counters.not_taken,
                } += 1;
            }
        }
    }

    /// The trace number after `stan` for a message of the network's own.
    pub(crate) fn stan_after(stan: u32) -> Stan {
        Stan(stan).next()
    }

    pub(crate) fn undelivered(&self) -> impl Iterator<Item = Undelivered> + '_ {
        self.advices.iter().map(|(key, advice)| Undelivered {
            key: *key,
            original: advice.reversal.original,
            issuer: advice.issuer,
            attempts: self.relay.attempts(key),
            refused: advice.refused,
            case: advice.case,
        })
    }

    fn session(&mut self, member: Institution) -> &mut Session {
        self.sessions.entry(member).or_default()
    }

    fn number(&mut self, issued: &IssuedKeys) -> Keys {
        self.keys_issued += 1;
        Keys {
            number: self.keys_issued,
            pin: issued.pin,
            mac: issued.mac,
        }
    }

    fn signed_on(&mut self, member: Institution, key: HostKey, issued: &IssuedKeys) {
        let keys = self.number(issued);
        let session = self.session(member);
        session.signed_on = true;
        session.link_down = false;
        session.offered = None;
        session.sign_on = Some((key, keys.number, issued.carried));
        session.change(keys);
    }

    pub(crate) fn forwarded(
        &mut self,
        sale: &Financial,
        issuer: Institution,
        deadline: payment::Mono,
    ) {
        self.counters.forwarded += 1;
        let key = sale.key;
        if self.closed.remove(&key).is_some() {
            self.closed_order.retain(|closed| *closed != key);
        }
        self.relay.apply(&RelayRecord::Sent { key, deadline });
        self.flights.insert(
            key,
            Flight {
                sale: *sale,
                issuer,
                wrong_mac: false,
            },
        );
    }

    fn timed_out(&mut self, key: &HostKey) {
        self.counters.timed_out += 1;
        if let Some(flight) = self.land(key) {
            let answer = flight.answer(ResponseCode::ISSUER_TIMEOUT);
            self.close(*key, Some(flight.issuer), Some(answer));
            if let Some(closed) = self.closed.get_mut(key) {
                closed.given_up = true;
            }
        }
    }

    /// Takes a request out of flight.
    pub(crate) fn land(&mut self, key: &HostKey) -> Option<Flight> {
        self.relay.apply(&RelayRecord::Closed { key: *key });
        self.flights.remove(key)
    }

    /// From now on the original is never forwarded nor approved, whether it was seen or not (invariant M5).
    pub(crate) fn forbid(&mut self, original: HostKey, issuer: Option<Institution>) {
        let flown = self.land(&original).map(|flight| flight.issuer);
        match self.closed.get_mut(&original) {
            Some(closed) => closed.answer = None,
            None => self.close(original, flown.or(issuer), None),
        }
    }

    pub(crate) fn queue(&mut self, reversal: &Reversal, issuer: Institution, at: payment::Mono) {
        let key = reversal.key;
        self.relay.apply(&RelayRecord::Queued { key, at });
        if let Some(closed) = self.closed.get_mut(&reversal.original) {
            closed.reversal = Some(key);
        }
        self.advices.insert(
            key,
            Advice {
                reversal: *reversal,
                issuer,
                refused: None,
                case: false,
            },
        );
    }

    pub(crate) fn close(
        &mut self,
        key: HostKey,
        issuer: Option<Institution>,
        answer: Option<Answer>,
    ) {
        let closed = Closed {
            issuer,
            answer,
            given_up: false,
            reversal: None,
        };
        if self.closed.insert(key, closed).is_none() {
            self.closed_order.push_back(key);
        }
        // Two for one, so that what is kept back for its open reversal is made up for later.
        for _ in 0..2 {
            if self.closed_order.len() > CLOSED_MAX
                && let Some(oldest) = self.closed_order.pop_front()
            {
                if self.is_being_reversed(&oldest) {
                    self.closed_order.push_back(oldest);
                } else {
                    self.closed.remove(&oldest);
                    self.transfers.remove(&oldest);
                }
            }
        }
    }

    fn is_being_reversed(&self, key: &HostKey) -> bool {
        if let Some(transfer) = self.transfers.get(key) {
            return transfer.is_being_reversed();
        }
        let reversal = self.closed.get(key).and_then(|closed| closed.reversal);
        reversal.is_some_and(|reversal| self.relay.forwards(&reversal))
    }

    pub(crate) fn confirm(
        &mut self,
        reversal: &Reversal,
        issuer: Option<Institution>,
        code: ResponseCode,
    ) {
        let key = reversal.key;
        let confirmed = Confirmed {
            original: reversal.original,
            issuer,
            code,
            settlement: reversal.sale.settlement,
        };
        if self.confirmed.insert(key, confirmed).is_none() {
            self.confirmed_order.push_back(key);
        }
        if self.confirmed_order.len() > CLOSED_MAX
            && let Some(oldest) = self.confirmed_order.pop_front()
        {
            self.confirmed.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{Pan, SecurityModule, SoftwareModule};
    use payment::host::ReversalReason;
    use payment::*;

    fn sale(stan: u32) -> Financial {
        let pan = Pan::parse(b"6228480000000007").unwrap();
        Financial {
            key: HostKey {
                transmission: 1_122_140_322,
                stan: Stan(stan),
                acquirer: Institution(1),
                forwarder: Institution(1),
            },
            kind: Kind::Purchase,
            amount: Amount::fen(100),
            card: SoftwareModule::new([1; 32]).card(&pan, 1).unwrap(),
            entry: EntryMode::STRIPE,
            expiry: None,
            settlement: None,
            local: (140_322, 1_122),
            category: 5_411,
            rrn: Rrn(*b"000000000001"),
            terminal: TerminalId(*b"T0000001"),
            merchant: MerchantId(*b"898110058120156"),
            original: None,
            to: None,
        }
    }

    #[test]
    fn the_oldest_closed_is_forgotten_first_but_not_what_is_being_reversed() {
        let (mut state, at) = (State::default(), Now::default());
        let first = sale(1);
        state.apply(&Record::AdviceTaken {
            reversal: Reversal {
                key: sale(999_999).key,
                original: first.key,
                reason: ReversalReason::ACQUIRER_TIMEOUT,
                sale: first,
            },
            issuer: Institution(2),
            at,
        });
        let mut declined = first;
        let code = ResponseCode::NO_SUCH_ISSUER;
        for stan in 2..CLOSED_MAX as u32 + 4 {
            declined.key.stan = Stan(stan);
            let sale = declined;
            state.apply(&Record::Declined { sale, code, at });
        }
        assert_eq!(state.closed.len(), CLOSED_MAX);
        assert_eq!(state.closed_order.len(), CLOSED_MAX);
        let kept = |stan| state.closed.contains_key(&sale(stan).key);
        assert_eq!([1, 2, 3, 4, 5].map(kept), [true, false, false, false, true]);
    }
}
