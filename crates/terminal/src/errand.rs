//! What the terminal does by itself, one exchange at a time: sign-on, then a script result, then the reversal, then the
//! question, then advices, then the settlement, then downloads, then the report.

use crate::command::show;
use crate::limits::QUERIES_MAX;
use crate::record::Record;
use crate::state::{Advice, Exchange, Phase};
use crate::{Decided, Effect, Screen, Terminal};
use payment::terminal::{Origin, Request, Sale, Sealed};
use payment::{Kind, Mono, Now, ResponseCode, Secrets, Sign};
use receipt::SpoolInput;

impl Terminal {
    /// When the next errand is due, derived from the state.
    pub(crate) fn next_errand_at(&self) -> Option<Mono> {
        let state = &self.state;
        let question = match state.open.as_ref().map(|open| open.phase) {
            Some(Phase::Question { until, .. }) => Some(until),
            _ => None,
        };
        let online = match &state.exchange {
            Some(exchange) => Some(exchange.deadline),
            None => self.next_online_at(),
        };
        [
            online,
            question,
            state.spool.deadline().map(Mono),
            self.next_eslip_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn next_online_at(&self) -> Option<Mono> {
        let state = &self.state;
        if let Some(at) = state.sign_on_at {
            return Some(at);
        }
        if state.keys.is_none() {
            // Without keys nothing can be asked or reversed: whatever is unresolved asks for a sign-on.
            let waits =
                !state.is_settled() || !state.advices.is_empty() || self.settlement_at().is_some();
            return waits.then_some(state.idle_since);
        }
        if let Some(reversal) = &state.reversal {
            let result = self.pending_script_result().map(|result| result.next);
            return Some(result.map_or(reversal.next, |next| next.min(reversal.next)));
        }
        match state.open.as_ref().map(|open| open.phase) {
            Some(Phase::Unknown { ask_at, .. } | Phase::Following { ask_at }) => Some(ask_at),
            // Asked and not on the wire: only a decision of which a part reached the disk leaves this.
            Some(Phase::Asked) => Some(state.idle_since),
            Some(Phase::Question { .. }) => None,
            None => {
                let report = self
                    .unreported()
                    .map(|_| state.idle_since.plus_ms(self.config.idle_report_ms));
                let advice = state.advices.front().map(|advice| advice.next);
                [advice, self.settlement_at(), self.download_at(), report]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    /// The sign that the acquirer has not heard yet: first of what was taken back.
    pub(crate) fn unreported(&self) -> Option<Sign> {
        let last = || {
            self.sign()
                .filter(|sign| self.state.reported != Some(*sign))
        };
        self.taken_back_sign().or_else(last)
    }

    /// The positive sign of the last sale that was approved or reversed.
    pub fn sign(&self) -> Option<Sign> {
        let (batch, stan, outcome) = self.state.signed.filter(|_| self.config.extended)?;
        Some(Sign {
            batch,
            stan,
            outcome,
            slip: self.slip_evidence(batch, stan),
        })
    }

    pub(crate) fn tick(&self, now: Now, decided: &mut Decided) {
        if self
            .state
            .spool
            .deadline()
            .is_some_and(|at| at <= now.mono.0)
        {
            self.printer(now, [SpoolInput::Tick], decided);
        }
        self.due_eslip(now, decided);
        // The question runs out by itself, whatever else is on the wire.
        if let Some(Phase::Question { until, .. }) = self.state.open.as_ref().map(|open| open.phase)
            && until <= now.mono
        {
            return self.goods(now, false, decided);
        }
        if let Some(Exchange {
            number, deadline, ..
        }) = self.state.exchange
        {
            if deadline <= now.mono {
                self.unanswered(now, number, decided);
            }
            return;
        }
        if self.next_online_at().is_some_and(|at| at <= now.mono) {
            self.start_errand(now, decided);
        }
    }

    /// Starts the first errand in the order of their right of way; nothing is started while an exchange is open.
    pub(crate) fn start_errand(&self, now: Now, decided: &mut Decided) {
        let state = &self.state;
        if state.sign_on_at.is_some() || state.keys.is_none() {
            self.ask(
                now,
                Request::Management {
                    kind: Kind::SignOn,
                    origin: self.origin(),
                },
                Secrets::default(),
                decided,
            );
        } else if let Some(result) = self.script_result_due(now) {
            self.send_advice(now, result, decided);
        } else if let Some(reversal) = &state.reversal {
            decided.effect(Effect::Show(Screen::Reversing {
                key: reversal.sale.key,
                kind: reversal.sale.kind,
                by_acquirer: false,
            }));
            let request = Request::Reversal {
                sale: reversal.sale,
                reason: reversal.reason,
                sign: self.sign(),
            };
            let secrets = self.chip_secrets(&reversal.sale);
            self.ask(now, request, secrets, decided);
        } else if let Some(open) = &state.open {
            match open.phase {
                Phase::Asked => {
                    return self.silence(now, &open.sale, ResponseCode::ISSUER_TIMEOUT, decided);
                }
                Phase::Question { .. } => {
                    return decided
                        .effects
                        .push(Effect::Show(Screen::AskGoods(open.sale.key)));
                }
                Phase::Unknown { queries, .. } if queries >= QUERIES_MAX => {
                    return self.reverse(now, ResponseCode::ISSUER_TIMEOUT, decided);
                }
                Phase::Unknown { .. } | Phase::Following { .. } => {}
            }
            let original = (open.sale.key.batch, open.sale.key.stan);
            let request = Request::Query {
                origin: self.origin(),
                original,
                sign: self.sign(),
            };
            self.ask(now, request, Secrets::default(), decided);
        } else if let Some(advice) = state
            .advices
            .front()
            .filter(|advice| advice.next <= now.mono)
        {
            self.send_advice(now, advice.sale, decided);
        } else if self.settlement_at().is_some_and(|at| at <= now.mono) {
            self.go_on_settling(now, decided);
        } else if self.download_at().is_some_and(|at| at <= now.mono) {
            self.go_on_downloading(now, decided);
        } else if let Some(sign) = self.unreported() {
            self.ask(
                now,
                Request::IdleReport {
                    origin: self.origin(),
                    sign,
                },
                Secrets::default(),
                decided,
            );
        }
    }

    fn send_advice(&self, now: Now, sale: Sale, decided: &mut Decided) {
        let request = Request::Financial {
            sale,
            sign: self.sign(),
        };
        self.ask(now, request, self.chip_secrets(&sale), decided);
    }

    fn pending_script_result(&self) -> Option<&Advice> {
        let first = self.state.advices.front();
        first.filter(|advice| advice.sale.kind == Kind::ScriptResult)
    }

    fn script_result_due(&self, now: Now) -> Option<Sale> {
        let result = self.pending_script_result();
        result
            .filter(|result| result.next <= now.mono)
            .map(|result| result.sale)
    }

    /// Opens an exchange: the record first, then the bytes.
    pub(crate) fn ask(&self, now: Now, request: Request, secrets: Secrets, decided: &mut Decided) {
        let exchange = self.state.next_exchange;
        let wait_ms = match request.kind() {
            Kind::ResultQuery | Kind::IdleReport => self.config.query_ms,
            _ => self.config.answer_ms,
        };
        decided.record(Record::Asked {
            exchange,
            request,
            at: now,
            deadline: now.mono.plus_ms(wait_ms),
        });
        decided.effect(Effect::Send {
            exchange,
            sealed: Box::new(Sealed { request, secrets }),
        });
    }

    /// The open sale must be reversed by us; it goes out with the next tick.
    pub(crate) fn reverse(&self, now: Now, reason: ResponseCode, decided: &mut Decided) {
        let Some(open) = &self.state.open else { return };
        decided.record(Record::ReversalPending {
            reason,
            next: now.mono,
        });
        decided.effect(Effect::Show(Screen::Reversing {
            key: open.sale.key,
            kind: open.sale.kind,
            by_acquirer: false,
        }));
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            terminal: self.config.terminal,
            merchant: self.config.merchant,
            stan: Some(self.state.next_stan),
            batch: self.state.batch,
        }
    }

    /// After a restart the open exchange is gone: its answer cannot come any more.
    pub(crate) fn resumed(&self, now: Now, decided: &mut Decided) {
        self.printer(now, [SpoolInput::Restarted], decided);
        if let (Some(qr), Some(open)) = (self.state.qr, &self.state.open) {
            let key = open.sale.key;
            show(Screen::Scan { key, qr }, decided);
        }
        if let Some(exchange) = &self.state.exchange {
            self.unanswered(now, exchange.number, decided);
        }
    }
}
