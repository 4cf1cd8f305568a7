//! Reversals: asked for by a terminal or started by ourselves, repeated without end, confirmed only by the issuer's word.

use crate::record::Record;
use crate::sale::{Reply, SaleRecord};
use crate::terminal::refuse;
use crate::{Acquirer, Decided, Effect};
use payment::certificate::CertifiedOutcome;
use payment::evidence::{ReversalCause, ReversalProgress, Upstream};
use payment::host::{self, ReversalReason};
use payment::terminal::{Request, Sale};
use payment::{HostKey, Now, ResponseCode, SaleKey, Secrets};

impl Acquirer {
    /// 0400: always honoured, also twice, also for a sale never seen; never one for somebody else's sale.
    pub(crate) fn terminal_reversal(
        &self,
        now: Now,
        reply: Reply,
        asked: &Sale,
        reason: ResponseCode,
        decided: &mut Decided,
    ) {
        let request = Request::Reversal {
            sale: *asked,
            reason,
            sign: None,
        };
        let Some(sale) = self.state.sale(&asked.key) else {
            if self.is_forgotten(&asked.key) {
                return refuse(
                    reply,
                    &request,
                    ResponseCode::INVALID_RELATED,
                    true,
                    decided,
                );
            }
            if !self.state.tombstones.contains(&asked.key) {
                decided.record(Record::Tombstone { key: asked.key });
            }
            return refuse(
                reply,
                &request,
                ResponseCode::ORIGINAL_NOT_FOUND,
                true,
                decided,
            );
        };
        if sale.request.amount != asked.amount {
            return refuse(
                reply,
                &request,
                ResponseCode::AMOUNT_MISMATCH,
                true,
                decided,
            );
        }
        if !sale.is_request(asked) {
            return refuse(
                reply,
                &request,
                ResponseCode::INVALID_RELATED,
                true,
                decided,
            );
        }
        let waiter = Some((reply, now.mono.plus_ms(self.config.ladder.acquirer_ms)));
        match sale.evidence.reversal.map(|r| r.progress) {
            Some(ReversalProgress::Confirmed(code)) => {
                self.tell(reply, sale, &request, done(code), decided)
            }
            Some(_) => {
                decided.record(Record::Waiting {
                    key: asked.key,
                    waiter,
                });
            }
            None if sale.is_claimed() => refuse(
                reply,
                &request,
                ResponseCode::INVALID_RELATED,
                true,
                decided,
            ),
            None => match sale.evidence.upstream {
                Upstream::Waiting | Upstream::Approved => {
                    let cause = ReversalCause::Terminal(reason);
                    self.reverse(
                        now,
                        sale,
                        cause,
                        sale.evidence.upstream,
                        ReversalReason::TERMINAL_CANCELS,
                        decided,
                    );
                    decided.record(Record::Waiting {
                        key: asked.key,
                        waiter,
                    });
                    #[cfg(feature = "planted")]
                    if self.planted == Some(crate::planted::Bug::AnswersReversalEarly) {
                        refuse(reply, &request, ResponseCode::APPROVED, true, decided);
                    }
                }
                _ => refuse(
                    reply,
                    &request,
                    ResponseCode::INVALID_RELATED,
                    true,
                    decided,
                ),
            },
        }
    }

    /// The sale may have been there: what is older than the oldest in memory is not known to be new.
    pub(crate) fn is_forgotten(&self, key: &SaleKey) -> bool {
        let session = self
            .state
            .session(&key.terminal)
            .filter(|s| s.batch == key.batch);
        session
            .and_then(|s| s.forgotten)
            .is_some_and(|highest| key.stan <= highest)
    }

    /// Starts a reversal: from here on the money does not stay with the merchant.
    pub(crate) fn reverse(
        &self,
        now: Now,
        sale: &SaleRecord,
        cause: ReversalCause,
        upstream: Upstream,
        reason: ReversalReason,
        decided: &mut Decided,
    ) {
        let advice = self.next_host_key(now, decided);
        decided.record(Record::Reversing {
            key: sale.key(),
            cause,
            upstream,
            advice,
            reason,
            at: now,
        });
        match sale.host {
            Some(_) => self.send_advice(now, sale, advice, reason, decided),
            None => self.withdraw_order(now, sale, decided),
        }
    }

    pub(crate) fn send_advice(
        &self,
        now: Now,
        sale: &SaleRecord,
        advice: HostKey,
        reason: ReversalReason,
        decided: &mut Decided,
    ) {
        let Some(original) = sale.host else { return };
        decided.record(Record::Relay(self.state.relay.attempt(
            advice,
            now.mono,
            &self.config.gaps,
        )));
        let request = host::Request::Reversal(host::Reversal {
            key: advice,
            original,
            reason,
            sale: self.host_request(&sale.request, None, sale.rrn, original, sale.received),
        });
        decided.effect(Effect::Forward(Box::new(host::Sealed {
            request,
            secrets: Secrets::default(),
        })));
    }

    /// Sends every advice that is due once more.
    pub(crate) fn repeat_advices(&self, now: Now, decided: &mut Decided) {
        for advice in self.state.relay.due(now.mono) {
            let sale = self
                .state
                .by_host
                .get(&advice)
                .and_then(|key| self.state.sale(key));
            let Some(sale) = sale else { continue };
            #[cfg(feature = "planted")]
            if self.planted == Some(crate::planted::Bug::GivesUpAdvices)
                && sale.is_advice()
                && self.state.relay.attempts(&advice) >= 3
            {
                decided.record(Record::Relay(payment::relay::RelayRecord::Delivered {
                    key: advice,
                }));
                continue;
            }
            let Some(reversal) = sale.reversal else {
                self.deliver_advice(now, sale, advice, decided);
                continue;
            };
            #[cfg(feature = "planted")]
            if self.planted == Some(crate::planted::Bug::GivesUpReversals)
                && self.state.relay.attempts(&advice) >= 3
            {
                decided.record(Record::Relay(payment::relay::RelayRecord::Delivered {
                    key: advice,
                }));
                continue;
            }
            self.send_advice(now, sale, advice, reversal.reason, decided);
        }
    }

    /// One more attempt at an advice of a terminal that nobody upstream has answered. Its secrets are gone; the issuer
    /// asks for none.
    pub(crate) fn deliver_advice(
        &self,
        now: Now,
        sale: &SaleRecord,
        host: HostKey,
        decided: &mut Decided,
    ) {
        let attempt = self.state.relay.attempt(host, now.mono, &self.config.gaps);
        decided.record(Record::Relay(attempt));
        let about = self.original_host(sale);
        let request = self.host_request(&sale.request, about, sale.rrn, host, sale.received);
        decided.effect(Effect::Forward(Box::new(host::Sealed {
            request: host::Request::Financial(request),
            secrets: Secrets::default(),
        })));
    }

    /// Key between hosts of the transaction that a sale is about.
    pub(crate) fn original_host(&self, sale: &SaleRecord) -> Option<HostKey> {
        let original = sale.original?;
        self.state.sale(&original)?.host
    }

    /// 0430: the issuer's word.
    pub(crate) fn advice_answered(
        &self,
        now: Now,
        sale: &SaleRecord,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let Some(reversal) = sale.reversal else {
            return;
        };
        match sale.evidence.reversal.map(|r| r.progress) {
            None | Some(ReversalProgress::Confirmed(_)) => return,
            Some(ReversalProgress::Refused(known)) if known == code => return,
            Some(_) => {}
        }
        let opens = !code.reversal_done() && sale.evidence.case.is_none();
        let case = opens.then_some(self.state.counters.cases + 1);
        decided.record(Record::ReversalAnswered {
            key: sale.key(),
            code,
            case,
        });
        if code.reversal_done() {
            self.certify(now, sale, CertifiedOutcome::Reversed, decided);
        }
        if let Some(case) = case {
            decided.effect(Effect::CaseOpened {
                case,
                key: sale.key(),
            });
        }
        if let (true, Some((reply, _))) = (code.reversal_done(), reversal.waiter) {
            self.tell_waiter(sale, reply, done(code), decided);
        }
    }

    /// Terminals that waited long enough are told 98: the acquirer goes on alone (settled point 3).
    pub(crate) fn release_waiters(&self, now: Now, decided: &mut Decided) {
        let due = self
            .state
            .waiting
            .iter()
            .take_while(|(at, _)| *at <= now.mono)
            .take(crate::limits::TICK_MAX);
        for (_, key) in due {
            let Some(sale) = self.state.sale(key) else {
                continue;
            };
            if let Some((reply, _)) = sale.reversal.and_then(|r| r.waiter) {
                decided.record(Record::Waiting {
                    key: *key,
                    waiter: None,
                });
                self.tell_waiter(sale, reply, ResponseCode::ISSUER_TIMEOUT, decided);
            }
        }
    }

    fn tell_waiter(
        &self,
        sale: &SaleRecord,
        reply: Reply,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let request = Request::Reversal {
            sale: sale.request,
            reason: code,
            sign: None,
        };
        self.tell(reply, sale, &request, code, decided);
    }
}

/// What a terminal is told: 00 it was given back, 25 there was nothing to give back.
fn done(code: ResponseCode) -> ResponseCode {
    if code == ResponseCode::APPROVED {
        code
    } else {
        ResponseCode::ORIGINAL_NOT_FOUND
    }
}
