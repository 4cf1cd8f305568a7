//! What an answer means, and what its absence means.
//!
//! An approval counts only with a right MAC and on the open exchange; anything that does not match is no answer.

use crate::command::show;
use crate::kernel::Completed;
use crate::limits::{ASK_AGAIN_MS, PATIENCE, SIGN_ON_RETRY_MS};
use crate::record::{Approval, Ending, Record};
use crate::state::{Exchange, Phase};
use crate::{Decided, Effect, Screen, Terminal};
use crypto::WorkingKeys;
use payment::kind::Rail;
use payment::terminal::{Answer, MacCheck, Request, Sale, Standing};
use payment::{Kind, Now, ResponseCode, Sign};

impl Terminal {
    pub(crate) fn answered(
        &self,
        now: Now,
        number: u64,
        mac: MacCheck,
        answer: &Answer,
        (keys, chip): (Option<Box<WorkingKeys>>, Option<Box<Completed>>),
        decided: &mut Decided,
    ) {
        let Some(exchange) = self.state.exchange.as_ref().filter(|e| e.number == number) else {
            return;
        };
        let request = &exchange.request;
        if !is_answer(answer, request) {
            return;
        }
        let mac = self.trusted(mac);
        if request.carries_mac() && mac == MacCheck::Wrong {
            return self.wrong_mac(now, exchange, decided);
        }
        let heard = mac == MacCheck::Right && !Self::must_report_again(answer);
        self.end_exchange(now, request.sign().filter(|_| heard), decided);
        self.take_notice(now, answer, mac, decided);
        if mac == MacCheck::Right {
            self.keep_link(answer, decided);
            self.keep_code(answer, decided);
        }
        let accepted = chip.as_ref().map(|done| done.accepted);
        if let Some(done) = chip {
            self.keep_chip(now, request, answer, &done, decided);
        }
        if answer.code.asks_sign_on() {
            decided.record(Record::SignOnNeeded { retry_at: now.mono });
        }
        self.hear_demand(now, answer, decided);
        match request {
            Request::Management {
                kind: Kind::SignOn, ..
            } => self.sign_on_answered(now, answer, keys, decided),
            Request::Management {
                kind: Kind::SignOff,
                ..
            } => {
                decided.record(Record::SignedOff);
                show(Screen::SignedOff, decided);
            }
            Request::Management { .. } => show(Screen::EchoAnswered, decided),
            Request::Financial { sale, .. } if sale.kind.row().is_advice() => {
                self.advice_answered(now, sale, answer, mac, decided);
            }
            Request::Financial { sale, .. } if !sale.kind.row().moves_money() => {
                balance_answered(answer, mac, decided);
            }
            Request::Financial { sale, .. } => {
                self.sale_answered(now, sale, answer, (mac, accepted), decided);
            }
            Request::Reversal { sale, .. } => {
                self.reversal_answered(now, sale, answer, mac, decided)
            }
            Request::Query { .. } => self.query_answered(now, answer, (mac, accepted), decided),
            Request::IdleReport { .. } => {}
            Request::Settle { .. } => self.totals_answered(now, answer, mac, decided),
            Request::Upload { part, .. } => self.upload_answered(now, part, answer, mac, decided),
            Request::Download(request) => self.downloaded(now, request, answer, mac, decided),
        }
    }

    fn trusted(&self, mac: MacCheck) -> MacCheck {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::IgnoresMac) {
            return MacCheck::Right;
        }
        mac
    }

    /// The answer is discarded; a sale is reversed with reason A0, and new keys are fetched first.
    fn wrong_mac(&self, now: Now, exchange: &Exchange, decided: &mut Decided) {
        decided.effect(Effect::HangUp {
            exchange: exchange.number,
        });
        self.end_exchange(now, None, decided);
        decided.record(Record::SignOnNeeded { retry_at: now.mono });
        self.no_answer(now, &exchange.request, ResponseCode::MAC_ERROR, decided);
    }

    /// The deadline passed or the connection closed.
    pub(crate) fn unanswered(&self, now: Now, number: u64, decided: &mut Decided) {
        let Some(exchange) = self.state.exchange.as_ref().filter(|e| e.number == number) else {
            return;
        };
        decided.effect(Effect::HangUp { exchange: number });
        self.end_exchange(now, None, decided);
        self.no_answer(
            now,
            &exchange.request,
            ResponseCode::ISSUER_TIMEOUT,
            decided,
        );
    }

    /// The connection was refused: a sale has not begun, and there is nothing to reverse.
    pub(crate) fn not_sent(&self, now: Now, number: u64, decided: &mut Decided) {
        let Some(exchange) = self.state.exchange.as_ref().filter(|e| e.number == number) else {
            return;
        };
        self.end_exchange(now, None, decided);
        match &exchange.request {
            Request::Financial { sale, .. } if sale.kind.row().reversible() => {
                decided.record(Record::Ended {
                    ending: Ending::NotSent,
                    at: now,
                });
                show(Screen::NotSent(sale.key), decided);
            }
            request => self.no_answer(now, request, ResponseCode::ISSUER_TIMEOUT, decided),
        }
    }

    fn no_answer(&self, now: Now, request: &Request, reason: ResponseCode, decided: &mut Decided) {
        match request {
            Request::Management {
                kind: Kind::SignOn, ..
            } => {
                decided.record(Record::SignOnNeeded {
                    retry_at: now.mono.plus_ms(SIGN_ON_RETRY_MS),
                });
                show(Screen::HostSilent, decided);
            }
            Request::Financial { sale, .. } if sale.kind.row().is_advice() => {
                self.advice_again(now, decided);
            }
            Request::Financial { sale, .. } if sale.kind.row().reversible() => {
                self.silence(now, sale, reason, decided)
            }
            Request::Management { .. } | Request::Financial { .. } => {
                show(Screen::HostSilent, decided)
            }
            Request::Reversal { .. } => {
                let attempts = self.state.reversal.map_or(1, |r| r.attempts);
                #[cfg(feature = "planted")]
                if attempts >= 3 && self.planted == Some(crate::planted::Bug::GivesUpReversals) {
                    decided.record(Record::Ended {
                        ending: Ending::Reversed {
                            never_debited: true,
                        },
                        at: now,
                    });
                    return;
                }
                let next = now.mono.plus_ms(self.config.gaps.after(attempts));
                decided.record(Record::ReversalAgain {
                    next,
                    refused: None,
                });
            }
            Request::Query { .. } => self.ask_again(now, ASK_AGAIN_MS, decided),
            Request::IdleReport { .. } => {}
            Request::Settle { .. } | Request::Upload { .. } => {
                self.settlement_unanswered(now, decided);
            }
            Request::Download(_) => self.download_unanswered(now, decided),
        }
    }

    /// The acquirer is silent: ask what became of the sale, or reverse where the question is not spoken.
    pub(crate) fn silence(
        &self,
        now: Now,
        sale: &Sale,
        reason: ResponseCode,
        decided: &mut Decided,
    ) {
        if self.config.extended && reason != ResponseCode::MAC_ERROR {
            decided.record(Record::Unknown {
                queries: 0,
                ask_at: now.mono,
            });
            show(Screen::Asking(sale.key), decided);
        } else {
            self.reverse(now, reason, decided);
        }
    }

    fn ask_again(&self, now: Now, wait_ms: u64, decided: &mut Decided) {
        let Some(open) = &self.state.open else { return };
        let ask_at = now.mono.plus_ms(wait_ms);
        match open.phase {
            Phase::Following { .. } => {
                decided.record(Record::Following {
                    sale: open.sale,
                    started: open.started,
                    ask_at,
                });
            }
            Phase::Unknown { queries, .. } => {
                decided.record(Record::Unknown { queries, ask_at });
            }
            Phase::Asked | Phase::Question { .. } => {}
        }
    }

    fn sign_on_answered(
        &self,
        now: Now,
        answer: &Answer,
        keys: Option<Box<WorkingKeys>>,
        decided: &mut Decided,
    ) {
        match keys.filter(|_| answer.code == ResponseCode::APPROVED) {
            Some(keys) => {
                decided.record(Record::SignedOn {
                    keys: *keys,
                    batch: answer.origin.batch,
                });
                show(Screen::SignedOn, decided);
                self.warn_of_printing(decided);
                self.compare_versions(now, answer, decided);
            }
            None => {
                decided.record(Record::SignOnNeeded {
                    retry_at: now.mono.plus_ms(SIGN_ON_RETRY_MS),
                });
                let code = match answer.code {
                    ResponseCode::APPROVED => ResponseCode::SECURITY_ERROR,
                    code => code,
                };
                show(Screen::SignOnRefused(code), decided);
            }
        }
    }

    fn sale_answered(
        &self,
        now: Now,
        sale: &Sale,
        answer: &Answer,
        (mac, accepted): (MacCheck, Option<bool>),
        decided: &mut Decided,
    ) {
        let approved = answer.code.is_success();
        if mac == MacCheck::Right && answer.code == ResponseCode::IN_PROGRESS {
            decided.record(Record::Unknown {
                queries: 0,
                ask_at: now.mono.plus_ms(ASK_AGAIN_MS),
            });
            return;
        }
        match mac {
            MacCheck::Right if approved && self.card_refuses(sale, accepted) => {
                self.reverse_for_card(now, sale, decided);
            }
            MacCheck::Right if approved => self.end(
                now,
                Ending::Approved(approval(sale, answer, false)),
                decided,
            ),
            MacCheck::Right if leaves_debit(answer.code) && self.config.extended => {
                let started = self.state.open.map_or(now, |open| open.started);
                self.follow(now, sale, started, ASK_AGAIN_MS, decided);
            }
            // A plain terminal keeps its own reversal (settled point 3); without a MAC this is no decline either.
            _ if leaves_debit(answer.code) => {
                self.reverse(now, ResponseCode::ISSUER_TIMEOUT, decided);
            }
            MacCheck::Right => {
                self.end(now, Ending::Declined(answer.code), decided);
                self.guarded(sale, answer, decided);
            }
            // Never an approval without a right MAC.
            _ if approved => self.reverse(now, ResponseCode::MAC_ERROR, decided),
            // A decline that proves nothing: shown, and its reversal is flushed all the same (settled point 2).
            _ => {
                self.reverse(now, ResponseCode::REASON_OTHER, decided);
                show(
                    Screen::Declined {
                        key: sale.key,
                        kind: sale.kind,
                        code: answer.code,
                    },
                    decided,
                );
            }
        }
    }

    /// The customer scans the code of the open order, shown once; result queries find out when it is paid.
    fn keep_code(&self, answer: &Answer, decided: &mut Decided) {
        let fresh = answer.qr.filter(|qr| self.state.qr != Some(*qr));
        if let (Some(qr), Some(open)) = (fresh, &self.state.open) {
            decided.record(Record::Scan { qr });
            let key = open.sale.key;
            show(Screen::Scan { key, qr }, decided);
        }
    }

    /// The acquirer owns the reversal (settled point 3); it is followed by queries.
    fn follow(&self, now: Now, sale: &Sale, started: Now, wait_ms: u64, decided: &mut Decided) {
        let phase = self.state.open.map(|open| open.phase);
        decided.record(Record::Following {
            sale: *sale,
            started,
            ask_at: now.mono.plus_ms(wait_ms.max(1)),
        });
        if !matches!(phase, Some(Phase::Following { .. })) {
            show(
                Screen::Reversing {
                    key: sale.key,
                    kind: sale.kind,
                    by_acquirer: true,
                },
                decided,
            );
        }
    }

    fn reversal_answered(
        &self,
        now: Now,
        sale: &Sale,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        let (attempts, started) = self
            .state
            .reversal
            .map_or((1, now), |r| (r.attempts, r.started));
        let next = now.mono.plus_ms(self.config.gaps.after(attempts));
        match answer.code {
            code if mac == MacCheck::Right && code.reversal_done() => {
                self.end(
                    now,
                    Ending::Reversed {
                        never_debited: code != ResponseCode::APPROVED,
                    },
                    decided,
                );
            }
            ResponseCode::ISSUER_TIMEOUT if mac == MacCheck::Right && self.config.extended => {
                self.follow(now, sale, started, ASK_AGAIN_MS, decided);
            }
            code => {
                // No refusals: "done" without a MAC, 98 to a plain terminal, and the call for new keys.
                let refused = Some(code).filter(|code| {
                    !(code.reversal_done() || leaves_debit(*code) || code.asks_sign_on())
                });
                decided.record(Record::ReversalAgain { next, refused });
                if let Some(code) = refused {
                    show(
                        Screen::ReversalRefused {
                            key: sale.key,
                            code,
                        },
                        decided,
                    );
                }
            }
        }
    }

    fn query_answered(
        &self,
        now: Now,
        answer: &Answer,
        (mac, accepted): (MacCheck, Option<bool>),
        decided: &mut Decided,
    ) {
        let Some(open) = &self.state.open else { return };
        let Some((standing, wait_ms)) = answer.standing.filter(|_| mac == MacCheck::Right) else {
            return self.ask_again(now, ASK_AGAIN_MS, decided);
        };
        match standing {
            Standing::Approved => self.recovered(now, answer, accepted, decided),
            Standing::Declined(code) if !leaves_debit(code) => {
                self.end(now, Ending::Declined(code), decided);
            }
            Standing::InProgress => {
                let patience = self.config.answer_ms.saturating_mul(PATIENCE);
                if now.mono.since_ms(open.started.mono) > patience {
                    self.reverse(now, ResponseCode::ISSUER_TIMEOUT, decided);
                } else {
                    // Somebody answers, so the count of questions asked in vain starts anew.
                    decided.record(Record::Unknown {
                        queries: 0,
                        ask_at: now.mono.plus_ms(u64::from(wait_ms).max(1)),
                    });
                }
            }
            Standing::Reversing | Standing::Declined(_) => {
                self.follow(now, &open.sale, open.started, u64::from(wait_ms), decided);
            }
            Standing::Reversed { never_debited } => {
                self.end(now, Ending::Reversed { never_debited }, decided);
            }
            Standing::Case => self.end(now, Ending::Case, decided),
            Standing::NeverSeen => self.reverse(now, ResponseCode::ISSUER_TIMEOUT, decided),
        }
    }

    /// Approved after all. Within the dialogue it is kept and printed; after it, or once the cashier has read that it is
    /// being reversed, the cashier is asked (settled point 6).
    fn recovered(&self, now: Now, answer: &Answer, accepted: Option<bool>, decided: &mut Decided) {
        let Some(open) = &self.state.open else { return };
        let same_amount = answer.code == ResponseCode::PARTIAL
            || answer
                .amount
                .is_none_or(|amount| amount == open.sale.amount);
        if !answer.code.is_success() || !same_amount {
            // It contradicts itself or the sale, so it is no answer (reference §2.14).
            return self.ask_again(now, ASK_AGAIN_MS, decided);
        }
        if self.paid_in_cash(open.sale.key) {
            return self.reverse(now, ResponseCode::REASON_OTHER, decided);
        }
        if self.card_refuses(&open.sale, accepted) {
            return self.reverse_for_card(now, &open.sale, decided);
        }
        // Of a wallet sale the result query is the usual way to the result, for as long as it is asked.
        let by_query = open.sale.kind.row().rail == Rail::Wallet;
        let dialogue_ms = match by_query {
            true => self.config.answer_ms.saturating_mul(PATIENCE),
            false => self.config.dialogue_ms,
        };
        let approval = approval(&open.sale, answer, !by_query);
        let in_dialogue = now.mono.since_ms(open.started.mono) <= dialogue_ms;
        if in_dialogue && !matches!(open.phase, Phase::Following { .. }) {
            return self.end(now, Ending::Approved(approval), decided);
        }
        let until = now.mono.plus_ms(self.config.goods_question_ms);
        decided.record(Record::AskGoods { approval, until });
        show(Screen::AskGoods(open.sale.key), decided);
    }

    /// The sale has ended: the record, then its slip, then what the cashier sees.
    pub(crate) fn end(&self, now: Now, ending: Ending, decided: &mut Decided) {
        let sale = self
            .state
            .open
            .map(|open| open.sale)
            .or(self.state.reversal.map(|reversal| reversal.sale));
        let Some(sale) = sale else { return };
        decided.record(Record::Ended { ending, at: now });
        self.print_slips(now, &sale, &ending, decided);
        show(self.ended_screen(&sale, ending), decided);
    }

    fn end_exchange(&self, now: Now, reported: Option<Sign>, decided: &mut Decided) {
        decided.record(Record::ExchangeEnded { at: now, reported });
    }
}

/// Whether it answers this request at all.
pub(crate) fn is_answer(answer: &Answer, request: &Request) -> bool {
    let mut compared = *answer;
    if request.kind() == Kind::ResultQuery {
        // A result brings fields 3 and 4 of the first answer, which the question did not carry.
        (compared.processing, compared.amount) = (None, None);
    }
    compared.answers(request)
}

/// The code leaves a debit possible, and who gave up waiting reverses: never shown as a decline.
fn leaves_debit(code: ResponseCode) -> bool {
    code.row().is_some_and(|row| row.reverse)
}

fn balance_answered(answer: &Answer, mac: MacCheck, decided: &mut Decided) {
    let screen = match (answer.balance, answer.code) {
        (Some(minor), ResponseCode::APPROVED) if mac == MacCheck::Right => Screen::Balance(minor),
        (_, ResponseCode::APPROVED) => Screen::BalanceRefused(ResponseCode::MAC_ERROR),
        (_, code) => Screen::BalanceRefused(code),
    };
    show(screen, decided);
}

pub(crate) fn approval(sale: &Sale, answer: &Answer, recovered: bool) -> Approval {
    let amount = match answer.code {
        ResponseCode::PARTIAL => answer.amount.unwrap_or(sale.amount),
        _ => sale.amount,
    };
    Approval {
        code: answer.code,
        amount,
        rrn: answer.rrn,
        approval: answer.approval,
        recovered,
    }
}
