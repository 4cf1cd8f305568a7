//! Reversal advices (0420): acquirers', passed on end to end, and the network's own; store-and-forward until confirmed.
//!
//! An acquirer hears 0430 only with the issuer's own code, and no attempt is ever the last (invariants M5, S2).

use crate::network::Decided;
use crate::planted::Bug;
use crate::transfer::Reversals;
use crate::{Effect, Network, Oddity, Record};
use payment::host::{Answer, Request, Reversal};
use payment::relay::{FORWARD_MAX, RelayRecord};
use payment::{Institution, Now, ResponseCode};

impl Network {
    pub(crate) fn advice(
        &self,
        now: Now,
        mut reversal: Reversal,
        [route, receiver]: [Option<Institution>; 2],
    ) -> Decided {
        let mut decided = Decided::nothing();
        let (key, original, at) = (reversal.key, reversal.original, now);
        let notice = |what| Record::Noticed { key, what, at };
        if let Some(confirmed) = self.state.confirmed.get(&key) {
            decided.record(notice(Oddity::Repeat));
            if confirmed.original == original {
                reversal.sale.settlement = confirmed.settlement;
                self.confirm(&reversal, confirmed.issuer, confirmed.code, &mut decided);
            }
            return decided;
        }
        if self.state.advices.contains_key(&key) {
            decided.record(notice(Oddity::Repeat));
            return decided;
        }
        if self.undelivered() >= FORWARD_MAX {
            decided.record(notice(Oddity::AdviceNotTaken));
            return decided;
        }
        // Where the original went; else where its card belongs, for it may still be on its way.
        let (seen, date) = match self.state.flights.get(&original) {
            Some(flight) => (Some(flight.issuer), flight.sale.settlement),
            None => {
                let closed = self.state.closed.get(&original);
                let answer = closed.and_then(|closed| closed.answer);
                let open = self.state.transfers.get(&original);
                let date = answer
                    .and_then(|answer| answer.settlement)
                    .or(open.and_then(|transfer| transfer.sale.settlement));
                (closed.and_then(|closed| closed.issuer), date)
            }
        };
        let now_date = || self.config.settlement_date(now.wall);
        let stamped = reversal.sale.settlement.or(date);
        reversal.sale.settlement = Some(stamped.unwrap_or_else(now_date));
        if let Some(issuers) = self.two_issuers(&reversal.sale, route, receiver) {
            self.transfer_advice(now, reversal, issuers, &mut decided);
            return decided;
        }
        let Some(issuer) = seen.or(route) else {
            decided.record(Record::AdviceWithoutIssuer { reversal, at });
            let code = ResponseCode::ORIGINAL_NOT_FOUND;
            self.confirm(&reversal, None, code, &mut decided);
            return decided;
        };
        decided.record(Record::AdviceTaken {
            reversal,
            issuer,
            at,
        });
        if self.planted(Bug::NetworkAnswersReversalEarly) {
            let code = ResponseCode::APPROVED;
            self.confirm(&reversal, Some(issuer), code, &mut decided);
        }
        self.attempt(now, issuer, reversal, &mut decided);
        decided
    }

    pub(crate) fn advice_answer(&self, now: Now, from: Institution, answer: Answer) -> Decided {
        let mut decided = Decided::nothing();
        let (key, code, at) = (answer.key, answer.code, now);
        let advice = self
            .state
            .advices
            .get(&key)
            .filter(|advice| advice.issuer == from)
            .filter(|advice| answer.answers(&Request::Reversal(advice.reversal)));
        match advice {
            None => {
                let what = Oddity::StrayAnswer;
                decided.record(Record::Noticed { key, what, at });
            }
            Some(_) if !code.reversal_done() => {
                decided.record(Record::AdviceRefused { key, code, at });
            }
            Some(advice) => {
                decided.record(Record::AdviceConfirmed { key, code, at });
                if key.forwarder != self.config.institution {
                    self.confirm(&advice.reversal, Some(from), code, &mut decided);
                }
                self.leg_reversed(now, &advice.reversal, code, &mut decided);
            }
        }
        decided
    }

    pub(crate) fn tick(&self, now: Now) -> Decided {
        let mut decided = Decided::nothing();
        for key in self.state.relay.expired(now.mono) {
            let own = self.give_up(now, key, &mut decided);
            self.attempt_all(now, own, &mut decided);
        }
        for key in self.state.relay.due(now.mono) {
            if let Some(advice) = self.state.advices.get(&key) {
                self.attempt(now, advice.issuer, advice.reversal, &mut decided);
            }
        }
        decided
    }

    /// Our restart lost every answer that was on its way; the reversals leave in bursts with the next ticks.
    pub(crate) fn resume(&self, now: Now) -> Decided {
        let mut decided = Decided::nothing();
        for key in self.state.relay.in_flight() {
            if self.planted(Bug::NetworkForgetsInFlightOnRestart) {
                let reversal = None;
                let at = now;
                decided.record(Record::TimedOut { key, reversal, at });
            } else {
                self.give_up(now, key, &mut decided);
            }
        }
        decided
    }

    pub(crate) fn attempt_all(&self, now: Now, reversals: Reversals, decided: &mut Decided) {
        for (issuer, reversal) in reversals {
            self.attempt(now, issuer, reversal, decided);
        }
    }

    /// One attempt at an advice. While the issuer cannot be reached the attempt counts and nothing leaves.
    fn attempt(&self, now: Now, issuer: Institution, reversal: Reversal, decided: &mut Decided) {
        let (key, at) = (reversal.key, now);
        let attempts = self.state.relay.attempts(&key) + 1;
        if self.planted(Bug::NetworkGivesUpReversals) && attempts > 3 {
            let code = ResponseCode::APPROVED;
            decided.record(Record::AdviceConfirmed { key, code, at });
            return;
        }
        if let RelayRecord::Tried { next, .. } =
            self.state.relay.attempt(key, now.mono, &self.config.gaps)
        {
            decided.record(Record::AdviceTried { key, next, at });
        }
        if attempts == self.config.case_after_attempts {
            decided.record(Record::CaseOpened { key, at });
        }
        if let Some(mac) = self.reach(issuer) {
            let request = Request::Reversal(reversal);
            decided.effect(Effect::request(issuer, request, Some(mac)));
        }
    }

    /// Answers an acquirer's advice with the issuer's code.
    pub(crate) fn confirm(
        &self,
        reversal: &Reversal,
        issuer: Option<Institution>,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let mut answer = Answer::to(&Request::Reversal(*reversal), code);
        answer.receiver = issuer;
        self.answer(answer, reversal.key.acquirer, decided);
    }
}
