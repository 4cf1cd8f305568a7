//! Scanned sales: their upstream is a wallet's provider instead of the network; everything else about them is as of any sale.
//!
//! Invariant: the till is told "paid" only when the order ended so, and "given back" only when nothing is left with the shop.

use crate::original::moved_minor;
use crate::record::Record;
use crate::sale::{FirstAnswer, Reply, SaleRecord};
use crate::terminal::Heard;
use crate::wallet::{
    End, RefundCause, Refusal, Rules, WalletAnswer, WalletEffect, WalletRecord, Way,
};
use crate::{Acquirer, Decided, Effect};
use crypto::Card;
use payment::evidence::{Delivery, ReversalCause, Upstream};
use payment::host::ReversalReason;
use payment::kind::Rail;
use payment::terminal::{Answer, Request, Sale};
use payment::{Decision, Kind, Now, QrText, ResponseCode, Rrn, SaleKey};

pub(crate) type Step = Decision<WalletRecord<SaleKey>, WalletEffect<SaleKey>>;

impl Acquirer {
    /// A provider is there for it, and the till can learn how it ends.
    ///
    /// # Errors
    /// 40 no provider, or a till that cannot ask; 22 the original cannot be refunded any more; 96 too many orders.
    pub(crate) fn wallet_takes(
        &self,
        sale: &Sale,
        original: Option<&SaleRecord>,
    ) -> Result<(), ResponseCode> {
        let terminal = self.config.terminals.get(&sale.key.terminal);
        let can_ask = sale.kind != Kind::WalletOrder || terminal.is_some_and(|t| t.extended);
        if self.config.wallet.is_none() || !can_ask {
            return Err(ResponseCode::NOT_SUPPORTED);
        }
        if let Some(original) = original {
            let wallets = &self.state.wallets;
            let judged = wallets.may_refund(&original.key(), sale.amount);
            return judged.map_err(|_| ResponseCode::RELATED_ERROR);
        }
        match self.state.wallets.is_full() {
            true => Err(ResponseCode::SYSTEM_ERROR),
            false => Ok(()),
        }
    }

    /// Makes the order of a sale, or asks for the refund of one.
    pub(crate) fn to_wallet(
        &self,
        now: Now,
        heard: &Heard,
        sale: Sale,
        original: Option<&SaleRecord>,
        rrn: Rrn,
        decided: &mut Decided,
    ) {
        let wallets = &self.state.wallets;
        let number = |original: &SaleRecord| wallets.next_refund(&original.key());
        decided.record(Record::Ordered {
            sale,
            rrn,
            at: now,
            reply: heard.reply,
            original: original.map(SaleRecord::key),
            moved_minor: moved_minor(&sale, original),
            refund: original.map(number),
        });
        if let Some(link) = heard.link {
            let key = sale.key;
            decided.record(Record::Linked { key, link });
        }
        let step = match original {
            Some(original) => {
                let asked = wallets.refund(now.mono, self.rules(), original.key(), sale.amount);
                asked.unwrap_or_default()
            }
            None => {
                let way = match sale.kind {
                    Kind::WalletOrder => Way::Shown,
                    _ => Way::Presented,
                };
                wallets.create(now.mono, self.rules(), sale.key, way, sale.amount)
            }
        };
        let order = original.map_or((rrn, sale.card), |o| (o.rrn, o.request.card));
        self.carry_for(now, order, step, decided);
    }

    /// What the provider says.
    pub(crate) fn wallet_heard(
        &self,
        now: Now,
        key: SaleKey,
        ask: u32,
        answer: &WalletAnswer,
        decided: &mut Decided,
    ) {
        let wallets = &self.state.wallets;
        let step = wallets.heard(now.mono, self.rules(), key, Some(ask), answer);
        self.carry(now, step, decided);
    }

    pub(crate) fn wallet_tick(&self, now: Now, decided: &mut Decided) {
        let step = self.state.wallets.tick(now.mono, self.rules());
        self.carry(now, step, decided);
    }

    /// A reversal of a scanned sale: its order is closed, revoked or refunded.
    pub(crate) fn withdraw_order(&self, now: Now, sale: &SaleRecord, decided: &mut Decided) {
        let wallets = &self.state.wallets;
        let step = wallets.withdraw(now.mono, self.rules(), sale.key());
        self.carry(now, step, decided);
    }

    /// The QR code that the till shows while nobody has paid. Its request was answered with it: the till asks for the rest.
    pub(crate) fn qr_of(&self, sale: &SaleRecord) -> Option<QrText> {
        let order = self.state.wallets.order(&sale.key())?;
        order.qr().filter(|_| sale.answer.is_none())
    }

    /// Tells the till what to show, and to ask how it goes on.
    pub(crate) fn tell_qr(
        &self,
        reply: Reply,
        sale: &SaleRecord,
        qr: QrText,
        decided: &mut Decided,
    ) {
        let request = Request::Financial {
            sale: sale.request,
            sign: None,
        };
        let mut answer = Answer::to(&request, ResponseCode::IN_PROGRESS);
        answer.link = self.link_of(sale);
        answer.qr = Some(qr);
        decided.effect(Effect::Reply {
            reply,
            answer,
            mac: true,
            about: None,
        });
    }

    pub(crate) fn rules(&self) -> &Rules {
        const DEFAULT: &Rules = &Rules::DEFAULT;
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Bug::RevokesAtOnce) {
            return crate::planted::HASTY;
        }
        self.config.wallet.as_ref().unwrap_or(DEFAULT)
    }

    pub(crate) fn carry(&self, now: Now, step: Step, decided: &mut Decided) {
        for record in step.records {
            decided.record(Record::Wallet(record));
        }
        for effect in step.effects {
            self.wallet_effect(now, None, effect, decided);
        }
    }

    /// As [`Self::carry`] for an order that is being made: it is not in the state yet.
    fn carry_for(&self, now: Now, order: (Rrn, Card), step: Step, decided: &mut Decided) {
        for record in step.records {
            decided.record(Record::Wallet(record));
        }
        for effect in step.effects {
            self.wallet_effect(now, Some(order), effect, decided);
        }
    }

    fn wallet_effect(
        &self,
        now: Now,
        order: Option<(Rrn, Card)>,
        effect: WalletEffect<SaleKey>,
        decided: &mut Decided,
    ) {
        let sale_of = |key: &SaleKey| self.state.sale(key);
        match effect {
            WalletEffect::Ask(request) => {
                let known = || sale_of(&request.key).map(|sale| (sale.rrn, sale.request.card));
                #[cfg(feature = "planted")]
                if self.gives_up(&request) {
                    return;
                }
                if let Some((rrn, card)) = order.or_else(known) {
                    #[cfg(feature = "planted")]
                    let rrn = self.renamed(rrn, request.ask);
                    decided.effect(Effect::Wallet { request, rrn, card });
                }
            }
            WalletEffect::Shown { key, qr } => {
                if let Some(sale) = sale_of(&key) {
                    self.tell_qr(sale.reply, sale, qr, decided);
                }
            }
            WalletEffect::GivenUp { key } => {
                if let Some(sale) = sale_of(&key) {
                    self.order_given_up(now, sale, decided);
                }
            }
            WalletEffect::Ended {
                key,
                end,
                gave_back,
                refusal,
            } => {
                if let Some(sale) = sale_of(&key) {
                    self.order_ended(now, sale, end, gave_back, refusal, decided);
                }
            }
            WalletEffect::RefundEnded {
                key,
                number,
                cause,
                done,
            } => self.refund_ended(now, key, number, cause, done, decided),
            WalletEffect::PaidLate { key } => {
                decided.record(Record::LateApproval { key });
            }
        }
    }

    /// Nobody paid in time: the till is told 98, and the order is being undone (settled point 3).
    fn order_given_up(&self, now: Now, sale: &SaleRecord, decided: &mut Decided) {
        if sale.evidence.reversal.is_some() {
            return;
        }
        decided.record(Record::Reversing {
            key: sale.key(),
            cause: ReversalCause::Upstream,
            upstream: Upstream::Silent,
            advice: self.next_host_key(now, decided),
            reason: ReversalReason::ACQUIRER_TIMEOUT,
            at: now,
        });
        decided.record(Record::Delivered {
            key: sale.key(),
            delivery: Delivery::Sent,
        });
        if self.qr_of(sale).is_none() {
            let request = Request::Financial {
                sale: sale.request,
                sign: None,
            };
            let code = ResponseCode::ISSUER_TIMEOUT;
            self.tell(sale.reply, sale, &request, code, decided);
        }
    }

    fn order_ended(
        &self,
        now: Now,
        sale: &SaleRecord,
        end: End,
        gave_back: bool,
        refusal: Option<Refusal>,
        decided: &mut Decided,
    ) {
        if sale.evidence.reversal.is_some() {
            let code = match (end, gave_back) {
                // Paid in the last moment: a refund is on its way, and its end is the reversal's.
                (End::Success, _) => return,
                (End::Revoked, true) => ResponseCode::APPROVED,
                (End::Closed | End::Revoked, _) => ResponseCode::ORIGINAL_NOT_FOUND,
            };
            return self.advice_answered(now, sale, code, decided);
        }
        let code = match (end, refusal) {
            (End::Success, _) => ResponseCode::APPROVED,
            (_, Some(Refusal::Code)) => ResponseCode::INVALID_CARD,
            (_, Some(Refusal::Funds)) => ResponseCode::INSUFFICIENT_FUNDS,
            (_, Some(Refusal::Limit)) => ResponseCode::AMOUNT_LIMIT,
            _ => ResponseCode::NOT_AUTHENTICATED,
        };
        self.wallet_answers(now, sale, code, decided);
    }

    fn refund_ended(
        &self,
        now: Now,
        key: SaleKey,
        number: u8,
        cause: RefundCause,
        done: bool,
        decided: &mut Decided,
    ) {
        match cause {
            RefundCause::Asked => {
                let asked_by = self.state.wallet_refunds.get(&(key, number));
                let asked_by = asked_by.and_then(|key| self.state.sale(key));
                let code = match done {
                    true => ResponseCode::APPROVED,
                    false => ResponseCode::INVALID_RELATED,
                };
                match asked_by.map(|refund| (refund, refund.answer)) {
                    Some((refund, None)) => self.wallet_answers(now, refund, code, decided),
                    // The till was told that it was refused: people must look.
                    Some((refund, Some(first))) if done && !first.code.is_success() => {
                        self.open_case(now, refund, decided);
                    }
                    _ => {}
                }
            }
            RefundCause::Withdrawn => {
                let code = match done {
                    true => ResponseCode::APPROVED,
                    false => ResponseCode::SYSTEM_ERROR,
                };
                if let Some(sale) = self.state.sale(&key) {
                    self.advice_answered(now, sale, code, decided);
                }
            }
            RefundCause::Late => {}
        }
    }

    fn wallet_answers(
        &self,
        now: Now,
        sale: &SaleRecord,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let first = FirstAnswer::refusal(code, now);
        let confirmed = code.is_success() && sale.request.kind.row().reversible();
        decided.record(Record::Answered {
            key: sale.key(),
            answer: first,
            confirm_by: confirmed.then(|| self.confirm_by(now)),
        });
        self.certify_answer(now, sale, &first, decided);
        if self.qr_of(sale).is_none() {
            decided.effect(self.answer_sale(sale.reply, sale, &first));
        }
    }
}

/// A wallet decides about it.
pub(crate) fn is_scanned(sale: &Sale) -> bool {
    sale.kind.row().rail == Rail::Wallet
}
