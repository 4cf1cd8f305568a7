//! The link to the network: sign-on, answers in time and late, time-outs, restart.

use crate::limits::{SIGN_ON_RETRY_MS, TICK_MAX};
use crate::record::Record;
use crate::sale::{FirstAnswer, SaleRecord};
use crate::{Acquirer, Decided, Effect};
use crypto::WrappedKey;
use payment::evidence::{Delivery, ReversalCause, Upstream};
use payment::host::{self, AnswerKind, NetworkCode, ReversalReason};
use payment::terminal::{MacCheck, Request};
use payment::{HostKey, Now, ResponseCode, SaleKey, Secrets};

impl Acquirer {
    pub(crate) fn link(&self, now: Now, up: bool, decided: &mut Decided) {
        if up {
            self.ask_network(now, decided);
        }
    }

    fn ask_network(&self, now: Now, decided: &mut Decided) {
        let key = self.next_host_key(now, decided);
        decided.record(Record::NetworkAsked {
            key,
            retry_at: now.mono.plus_ms(SIGN_ON_RETRY_MS),
        });
        let management = host::Management {
            key,
            code: NetworkCode::SignOn,
            keys: None,
        };
        let request = host::Request::Management(management);
        decided.effect(Effect::Forward(Box::new(host::Sealed {
            request,
            secrets: Secrets::default(),
        })));
    }

    pub(crate) fn network_asks(
        &self,
        management: host::Management,
        keys: Option<(WrappedKey, WrappedKey)>,
        decided: &mut Decided,
    ) {
        let request = host::Request::Management(management);
        let code = match (management.code, keys) {
            (NetworkCode::KeyReset, None) => ResponseCode::SECURITY_ERROR,
            (NetworkCode::KeyReset, Some((pin, mac))) => {
                decided.record(Record::NetworkKeys {
                    pin,
                    mac,
                    answers: false,
                });
                ResponseCode::APPROVED
            }
            _ => ResponseCode::APPROVED,
        };
        decided.effect(Effect::NetworkReply(host::Answer::to(&request, code)));
    }

    pub(crate) fn network_answer(
        &self,
        now: Now,
        mac: MacCheck,
        answer: &host::Answer,
        keys: Option<(WrappedKey, WrappedKey)>,
        decided: &mut Decided,
    ) {
        // A wrong MAC counts as no answer: the time-out and its reversal follow (K1).
        if mac != MacCheck::Right {
            return;
        }
        if answer.kind == AnswerKind::Management {
            let asked = self.state.network_asked == Some(answer.key) && answer.code.is_success();
            if let (true, Some((pin, mac))) = (asked, keys) {
                decided.record(Record::NetworkKeys {
                    pin,
                    mac,
                    answers: true,
                });
            }
            return;
        }
        let Some(sale) = self.sale_of(&answer.key) else {
            return;
        };
        match answer.kind {
            AnswerKind::Financial => self.sale_answered(now, sale, answer, decided),
            _ => {
                if sale.reversal.is_some_and(|r| r.advice == answer.key)
                    && answer.amount == Some(sale.request.amount)
                {
                    self.advice_answered(now, sale, answer.code, decided);
                }
            }
        }
    }

    /// The sale an answer belongs to, by fields 7, 11, 32 and 33 together.
    fn sale_of(&self, key: &HostKey) -> Option<&SaleRecord> {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::MatchesByStan) {
            let found = self
                .state
                .by_host
                .iter()
                .rev()
                .find(|(k, _)| k.stan.0 % 64 == key.stan.0 % 64);
            return found.and_then(|(_, sale)| self.state.sale(sale));
        }
        self.state
            .by_host
            .get(key)
            .and_then(|sale| self.state.sale(sale))
    }

    fn sale_answered(
        &self,
        now: Now,
        sale: &SaleRecord,
        answer: &host::Answer,
        decided: &mut Decided,
    ) {
        let Some(host) = sale.host else { return };
        let asked = host::Request::Financial(self.host_request(
            &sale.request,
            self.original_host(sale),
            sale.rrn,
            host,
            sale.received,
        ));
        #[cfg(not(feature = "planted"))]
        let matches = is_whole_answer(answer, &asked);
        #[cfg(feature = "planted")]
        let matches = is_whole_answer(answer, &asked)
            || self.planted == Some(crate::planted::Bug::MatchesByStan);
        if !matches {
            return;
        }
        if sale.evidence.reversal.is_some() {
            if answer.code.is_success() && !sale.evidence.late_approval {
                decided.record(Record::LateApproval { key: sale.key() });
            }
            #[cfg(feature = "planted")]
            if answer.code.is_success()
                && self.planted == Some(crate::planted::Bug::PassesLateApproval)
            {
                let first = first_answer(answer, now);
                decided.effect(self.answer_sale(sale.reply, sale, &first));
            }
            return;
        }
        match sale.evidence.upstream {
            Upstream::Waiting => {}
            Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted
                if sale.is_advice() => {}
            Upstream::Declined(_) | Upstream::NotSent(_) => {
                return self.approved_after_refusal(now, sale, answer, decided);
            }
            _ => return,
        }
        let unknown = matches!(
            answer.code,
            ResponseCode::ISSUER_TIMEOUT | ResponseCode::LATE_ANSWER
        );
        if unknown || (sale.is_advice() && answer.code.is_transient()) {
            return self.upstream_unknown(now, sale, Upstream::NetworkGaveUp, decided);
        }
        if answer.code.is_success() && self.replacement(sale).is_some() {
            self.replace(now, sale, Upstream::Approved, decided);
            return;
        }
        let first = first_answer(answer, now);
        let confirmed = answer.code.is_success() && sale.request.kind.row().reversible();
        decided.record(Record::Answered {
            key: sale.key(),
            answer: first,
            confirm_by: confirmed.then(|| self.confirm_by(now)),
        });
        self.certify_answer(now, sale, &first, decided);
        decided.effect(self.answer_sale(sale.reply, sale, &first));
        if first.code.is_success() {
            self.replace_earlier(now, sale, decided);
        }
    }

    /// The terminal holds a refusal, and now the issuer says that it debited: that money goes back.
    fn approved_after_refusal(
        &self,
        now: Now,
        sale: &SaleRecord,
        answer: &host::Answer,
        decided: &mut Decided,
    ) {
        if answer.code.is_success() && sale.request.kind.row().reversible() {
            let (cause, upstream) = (ReversalCause::Upstream, sale.evidence.upstream);
            self.reverse(
                now,
                sale,
                cause,
                upstream,
                ReversalReason::ACQUIRER_LATE,
                decided,
            );
            decided.record(Record::LateApproval { key: sale.key() });
        }
    }

    /// Upstream is silent or gave up: the terminal is told 98, and a sale is reversed by us (settled point 3).
    fn upstream_unknown(
        &self,
        now: Now,
        sale: &SaleRecord,
        upstream: Upstream,
        decided: &mut Decided,
    ) {
        if sale.is_advice() {
            self.defer(now, sale, upstream, decided);
        } else if sale.request.kind.row().reversible() {
            let reason = ReversalReason::ACQUIRER_TIMEOUT;
            self.reverse(
                now,
                sale,
                ReversalCause::Upstream,
                upstream,
                reason,
                decided,
            );
        } else {
            let answer = FirstAnswer::refusal(ResponseCode::ISSUER_TIMEOUT, now);
            decided.record(Record::Answered {
                key: sale.key(),
                answer,
                confirm_by: None,
            });
            decided.effect(self.answer_sale(sale.reply, sale, &answer));
            return;
        }
        decided.record(Record::Delivered {
            key: sale.key(),
            delivery: Delivery::Sent,
        });
        let request = Request::Financial {
            sale: sale.request,
            sign: None,
        };
        self.tell(
            sale.reply,
            sale,
            &request,
            ResponseCode::ISSUER_TIMEOUT,
            decided,
        );
    }

    /// Nobody answered an advice: it goes again until somebody does.
    fn defer(&self, now: Now, sale: &SaleRecord, upstream: Upstream, decided: &mut Decided) {
        decided.record(Record::Deferred {
            key: sale.key(),
            upstream,
            next: now.mono.plus_ms(self.config.gaps.after(1)),
        });
    }

    pub(crate) fn not_sent(&self, now: Now, key: HostKey, decided: &mut Decided) {
        let Some(sale) = self.sale_of(&key) else {
            return;
        };
        if sale.host != Some(key)
            || sale.evidence.upstream != Upstream::Waiting
            || sale.evidence.reversal.is_some()
        {
            return;
        }
        if sale.is_advice() {
            return self.upstream_unknown(now, sale, Upstream::Silent, decided);
        }
        let answer = FirstAnswer::refusal(ResponseCode::ISSUER_UNAVAILABLE, now);
        decided.record(Record::NotSent {
            key: sale.key(),
            answer,
        });
        decided.effect(self.answer_sale(sale.reply, sale, &answer));
    }

    pub(crate) fn undelivered(&self, key: SaleKey, decided: &mut Decided) {
        let Some(sale) = self.state.sale(&key) else {
            return;
        };
        if sale.evidence.delivery == Delivery::Sent && sale.stands() && sale.confirm_by.is_some() {
            decided.record(Record::Delivered {
                key,
                delivery: Delivery::HungUp,
            });
        }
    }

    pub(crate) fn tick(&self, now: Now, decided: &mut Decided) {
        for host in self.state.relay.expired(now.mono).take(TICK_MAX) {
            if let Some(sale) = self
                .state
                .by_host
                .get(&host)
                .and_then(|key| self.state.sale(key))
            {
                self.upstream_unknown(now, sale, Upstream::Silent, decided);
            }
        }
        self.repeat_advices(now, decided);
        self.wallet_tick(now, decided);
        self.release_waiters(now, decided);
        self.age(now, decided);
        if self.state.network_retry.is_some_and(|at| at <= now.mono) {
            self.ask_network(now, decided);
        }
    }

    /// After a restart nothing in flight can be sent again (its PIN is gone): it is reversed (settled point 12).
    ///
    /// Nobody waits for a reversal any more either: the numbers of exchanges mean nothing after a restart.
    pub(crate) fn resumed(&self, now: Now, decided: &mut Decided) {
        for (_, key) in &self.state.waiting {
            decided.record(Record::Waiting {
                key: *key,
                waiter: None,
            });
        }
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::ForgetsInFlight) {
            for host in self.state.relay.in_flight() {
                decided.record(Record::Relay(payment::relay::RelayRecord::Closed {
                    key: host,
                }));
            }
            return;
        }
        for host in self.state.relay.in_flight() {
            let Some(sale) = self
                .state
                .by_host
                .get(&host)
                .and_then(|key| self.state.sale(key))
            else {
                continue;
            };
            if sale.is_advice() {
                self.defer(now, sale, Upstream::Interrupted, decided);
            } else if !sale.request.kind.row().reversible() {
                let answer = FirstAnswer::refusal(ResponseCode::ISSUER_TIMEOUT, now);
                decided.record(Record::Answered {
                    key: sale.key(),
                    answer,
                    confirm_by: None,
                });
            } else {
                let reason = ReversalReason::ACQUIRER_CANNOT_DELIVER;
                self.reverse(
                    now,
                    sale,
                    ReversalCause::Upstream,
                    Upstream::Interrupted,
                    reason,
                    decided,
                );
            }
        }
    }
}

/// It answers `asked` for the whole amount. An approval of a part is not served: it counts as no answer and is reversed.
fn is_whole_answer(answer: &host::Answer, asked: &host::Request) -> bool {
    answer.answers(asked) && answer.amount == host::Answer::to(asked, answer.code).amount
}

fn first_answer(answer: &host::Answer, now: Now) -> FirstAnswer {
    FirstAnswer {
        code: answer.code,
        approval: answer.approval,
        settlement: answer.settlement,
        balance: answer.balance,
        chip: answer.chip,
        at: now.wall,
    }
}
