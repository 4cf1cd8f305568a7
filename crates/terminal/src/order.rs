//! What the cashier orders: a transaction of any kind, with a card or about an earlier one; and advices, which are kept
//! until they are answered.
//!
//! Invariant: an advice is durable before it is told or sent, leaves in the order it was kept, and is never reversed.

use crate::command::show;
use crate::limits::ADVICES_MAX;
use crate::record::{Approval, Ending, Record};
use crate::state::{Advice, Completed};
use crate::{Busy, ChipKept, Decided, Named, Order, Screen, Terminal};
use payment::kind::{BatchSide, Flow};
use payment::terminal::{Answer, MacCheck, Request, Sale};
use payment::{
    Amount, Claims, EntryMode, Kind, Now, Original, Posting, ResponseCode, SaleKey, Secrets,
};

impl Terminal {
    /// Starts a transaction, unless something must go first (T2, settled point 7).
    pub(crate) fn order(&self, now: Now, order: Order, decided: &mut Decided) {
        let overrides = self.overrides(order.linked);
        if let Some(busy) = self.busy().filter(|_| !overrides) {
            if self.state.exchange.is_none() {
                self.start_errand(now, decided);
            }
            return show(Screen::Busy(busy), decided);
        }
        if !self.offers(order.kind) {
            return show(Screen::NotOffered(order.kind), decided);
        }
        let read = order.presented.as_ref().and_then(|card| card.chip.clone());
        let Some((sale, secrets)) = self.sale_of(order) else {
            return show(Screen::NoSuchOriginal, decided);
        };
        let row = sale.kind.row();
        if (row.totals != BatchSide::Neither || row.charges()) && self.state.batch_is_full() {
            return show(Screen::Busy(Busy::SettleFirst), decided);
        }
        if sale.kind.row().is_advice() {
            return self.keep_advice(now, sale, decided);
        }
        match sale.linked.filter(|_| overrides) {
            Some(linked) => self.override_open(now, linked, decided),
            None => self.leave_exchange(now, decided),
        }
        let sign = self.sign();
        self.ask(now, Request::Financial { sale, sign }, secrets, decided);
        if let Some(read) = read {
            let chip = Box::new(ChipKept {
                evidence: read.evidence,
                scripts: Vec::new(),
                accepted: None,
            });
            decided.record(Record::Chip {
                key: sale.key,
                chip,
            });
        }
        show(Screen::Confirming(sale.key), decided);
    }

    /// The request of an order; none when its original is not known, or no card is named.
    fn sale_of(&self, order: Order) -> Option<(Sale, Secrets)> {
        let origin = self.origin();
        let kind = order.kind;
        if kind.row().receiver != order.to.is_some() {
            return None;
        }
        let own = match (&order.original, kind.row().original) {
            (Some(Named::Own(stan)), Some(_)) => {
                Some(self.state.completed.iter().rev().find(|c| {
                    c.sale.key.stan == *stan
                        && c.approval().is_some()
                        && kind.may_be_about(c.sale.kind)
                })?)
            }
            (Some(Named::Typed(_)), Some(_)) | (None, None) => None,
            _ => return None,
        };
        let original = match order.original {
            Some(Named::Typed(original)) => Some(original),
            _ => own.map(Completed::named),
        };
        let whole = own.map(|own| self.state.standing_amount(own));
        let amount = order.amount.or(whole).unwrap_or(Amount::fen(0));
        let sequence = order
            .presented
            .as_ref()
            .and_then(|card| card.chip.as_ref()?.sequence);
        let (card, entry, expiry, secrets) = match (order.presented, own) {
            // An advice is sent again, and a PIN is not kept for that.
            (Some(card), _) if kind.row().is_advice() => (
                card.card,
                without_pin(card.entry),
                card.expiry,
                Secrets::default(),
            ),
            (Some(card), _) => (card.card, card.entry, card.expiry, card.secrets),
            (None, Some(own)) => {
                let sale = &own.sale;
                (
                    sale.card,
                    without_pin(sale.entry),
                    sale.expiry,
                    Secrets::default(),
                )
            }
            (None, None) => return None,
        };
        let tip = kind == Kind::TipAdjustment;
        let sale = Sale {
            key: SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: origin.batch,
                stan: self.state.next_stan,
            },
            kind,
            amount,
            card,
            entry,
            expiry,
            card_sequence: sequence.or(own.and_then(|own| own.sale.card_sequence)),
            original,
            tip_minor: whole
                .filter(|_| tip)
                .map(|whole| amount.minor.saturating_sub(whole.minor)),
            linked: order.linked.filter(|_| kind.row().charges()),
            to: order.to,
        };
        Some((sale, secrets))
    }

    fn keep_advice(&self, now: Now, sale: Sale, decided: &mut Decided) {
        if self.state.advices.len() >= ADVICES_MAX {
            return show(Screen::Busy(Busy::AdvicesFirst), decided);
        }
        // The cashier is told at once, so what the hosts would refuse later is refused here.
        if let Err(code) = self.within_percentage(&sale) {
            let (key, kind) = (sale.key, sale.kind);
            return show(Screen::Declined { key, kind, code }, decided);
        }
        decided.record(Record::Stored { sale, at: now });
        if sale.kind.row().flow == Flow::Stored {
            let ending = Ending::Approved(stored(&sale));
            self.print_slips(now, &sale, &ending, decided);
            show(self.ended_screen(&sale, ending), decided);
        } else {
            show(Screen::Confirming(sale.key), decided);
        }
    }

    /// A stored tip, adjustment or completion of a transaction of this terminal stays within the configured percentage.
    ///
    /// # Errors
    /// 61 it does not.
    fn within_percentage(&self, sale: &Sale) -> Result<(), ResponseCode> {
        let about = |original: Original| {
            let mut newest = self.state.completed.iter().rev();
            newest.find(|c| (c.sale.key.batch, c.sale.key.stan) == (original.batch, original.stan))
        };
        let Some(own) = sale.original.and_then(about) else {
            return Ok(());
        };
        let first = own.approval().map_or(own.sale.amount, |a| a.amount);
        let of = match sale.kind.row().posting {
            Posting::Adjust => first,
            Posting::Capture => self.state.standing_amount(own),
            _ => return Ok(()),
        };
        let original = (own.sale.kind, of);
        match Claims::default().admit(sale.kind, sale.amount, original, self.config.percents) {
            Err(ResponseCode::AMOUNT_LIMIT) => Err(ResponseCode::AMOUNT_LIMIT),
            // Everything else is for the hosts to judge.
            _ => Ok(()),
        }
    }

    /// The answer to an advice. Without a right MAC, or when nobody could decide, it is sent again.
    pub(crate) fn advice_answered(
        &self,
        now: Now,
        sale: &Sale,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        if mac != MacCheck::Right || answer.code.is_transient() {
            return self.advice_again(now, decided);
        }
        let ending = match answer.code.is_success() {
            true => Ending::Approved(crate::answer::approval(sale, answer, false)),
            false => Ending::Declined(answer.code),
        };
        let stored = sale.kind.row().flow == Flow::Stored;
        decided.record(Record::AdviceEnded {
            ending,
            at: now,
            link: answer.link,
        });
        match ending {
            // No cashier waits for it.
            _ if sale.kind == Kind::ScriptResult => {}
            // Told already.
            Ending::Approved(_) if stored => {}
            _ if !sale.kind.row().moves_money() => self.link_answered(sale, ending, decided),
            _ => {
                self.print_slips(now, sale, &ending, decided);
                show(self.ended_screen(sale, ending), decided);
            }
        }
    }

    /// Nobody answered the advice.
    pub(crate) fn advice_again(&self, now: Now, decided: &mut Decided) {
        let attempts = self
            .state
            .advices
            .front()
            .map_or(1, |advice| advice.attempts);
        #[cfg(feature = "planted")]
        if attempts >= 3 && self.planted == Some(crate::planted::Bug::GivesUpAdvices) {
            decided.record(Record::AdviceEnded {
                ending: Ending::Declined(ResponseCode::ISSUER_TIMEOUT),
                at: now,
                link: None,
            });
            return;
        }
        decided.record(Record::AdviceAgain {
            next: now.mono.plus_ms(self.config.gaps.after(attempts)),
        });
    }

    pub(crate) fn ended_screen(&self, sale: &Sale, ending: Ending) -> Screen {
        let (key, kind) = (sale.key, sale.kind);
        match ending {
            Ending::Approved(a) => Screen::Approved {
                key,
                kind,
                amount: a.amount,
                recovered: a.recovered,
            },
            Ending::Declined(code) => Screen::Declined { key, kind, code },
            Ending::NotSent => Screen::NotSent(key),
            Ending::Reversed { never_debited } => Screen::Reversed {
                key,
                kind,
                never_debited,
            },
            Ending::Case => Screen::Case(key),
            Ending::Replaced => Screen::Reversing {
                key,
                kind,
                by_acquirer: true,
            },
        }
    }
}

/// The same way of reading the card, with digit 3 saying that no PIN comes along.
pub(crate) fn without_pin(entry: EntryMode) -> EntryMode {
    EntryMode(entry.0 / 10 * 10 + 2)
}

/// What is told of a stored advice before anybody answered it.
fn stored(sale: &Sale) -> Approval {
    Approval {
        code: ResponseCode::APPROVED,
        amount: sale.amount,
        rrn: None,
        approval: sale.original.and_then(|original| original.approval),
        recovered: false,
    }
}

impl Completed {
    /// What its approval brought, when it stands.
    pub fn approval(&self) -> Option<&Approval> {
        match &self.ending {
            Ending::Approved(approval) => Some(approval),
            _ => None,
        }
    }

    /// What was approved, before anything about it.
    pub(crate) fn approved_amount(&self) -> Amount {
        let approval = self.approval();
        approval.map_or(self.sale.amount, |approval| approval.amount)
    }

    /// How a later transaction names it.
    fn named(&self) -> Original {
        let approval = self.approval();
        Original {
            batch: self.sale.key.batch,
            stan: self.sale.key.stan,
            date: self.at.wall.date(),
            rrn: approval.and_then(|approval| approval.rrn),
            approval: approval.and_then(|approval| approval.approval),
        }
    }

    fn is_about(&self, other: &Self) -> bool {
        self.sale
            .original
            .is_some_and(|original| other.is_named(&original))
    }

    /// Another terminal's transaction may have the same batch and trace number: their reference numbers differ.
    fn is_named(&self, original: &Original) -> bool {
        let key = self.sale.key;
        let own = self.approval().and_then(|approval| approval.rrn);
        (original.batch, original.stan) == (key.batch, key.stan)
            && original.rrn.is_none_or(|rrn| Some(rrn) == own)
    }
}

impl crate::State {
    /// What a completed transaction stands for now, with its adjustments and increments.
    pub fn standing_amount(&self, completed: &Completed) -> Amount {
        self.standing_without(completed, completed.sale.key)
    }

    /// The same as if one later transaction had not been.
    pub(crate) fn standing_without(&self, completed: &Completed, without: SaleKey) -> Amount {
        let own = completed.approved_amount();
        let later = self
            .completed
            .iter()
            .filter(|later| later.sale.key != without && later.is_about(completed));
        later
            .filter_map(|later| Some((later.sale.kind.row().posting, later.approval()?.amount)))
            .fold(own, |standing, (posting, amount)| match posting {
                Posting::Adjust => amount,
                Posting::HoldMore => Amount {
                    minor: standing.minor.saturating_add(amount.minor),
                    ..standing
                },
                _ => standing,
            })
    }

    /// Counts an approval in the totals of the batch; before it is among the completed.
    pub(crate) fn count(&mut self, sale: &Sale, amount: Amount) {
        let before = sale.original.and_then(|original| {
            let mut completed = self.completed.iter().rev();
            let own = completed.find(|completed| completed.is_named(&original))?;
            Some((own.sale.kind, self.standing_amount(own).minor))
        });
        self.count_shift(sale, amount.minor, before);
        let totals = &mut self.totals;
        match sale.kind.row().totals {
            BatchSide::Neither => {}
            BatchSide::Debit => {
                totals.debits += 1;
                totals.debits_minor += amount.minor;
            }
            BatchSide::Credit => {
                totals.credits += 1;
                totals.credits_minor += amount.minor;
            }
            BatchSide::Adjust => {
                let debits = totals.debits_minor + amount.minor;
                totals.debits_minor = debits.saturating_sub(before.map_or(0, |(_, minor)| minor));
            }
        }
    }

    /// An advice was kept.
    pub(crate) fn stored(&mut self, sale: &Sale, at: Now) {
        self.next_stan = self.next_stan.next();
        let advice = Advice {
            sale: *sale,
            stored: at,
            attempts: 0,
            next: at.mono,
        };
        match sale.kind {
            // It goes before everything that waits (UnionPay-style reference §3.10).
            Kind::ScriptResult => self.advices.push_front(advice),
            _ => self.advices.push_back(advice),
        }
        if sale.kind.row().flow == Flow::Stored && sale.kind.row().moves_money() {
            self.count(sale, sale.amount);
            self.complete(*sale, Ending::Approved(stored(sale)), at, None);
        }
    }

    /// The oldest advice was answered.
    pub(crate) fn advice_ended(&mut self, ending: Ending, at: Now, link: Option<payment::LinkId>) {
        let Some(advice) = self.advices.pop_front() else {
            return;
        };
        let sale = advice.sale;
        if sale.kind == Kind::ScriptResult {
            return;
        }
        if sale.kind.row().flow != Flow::Stored {
            if let Ending::Approved(approval) = ending {
                self.count(&sale, approval.amount);
            }
            return self.complete(sale, ending, at, link);
        }
        // Told already: it keeps its place, with what the issuer said of it.
        let own = |c: &Completed| c.sale.key == sale.key;
        if let Ending::Declined(_) = ending {
            self.totals.refused_advices += 1;
            if let Some(counted) = self.completed.iter().rev().find(|c| own(c)).copied() {
                self.discount(&counted);
            }
        }
        if let Some(completed) = self.completed.iter_mut().rev().find(|c| own(c)) {
            completed.ending = ending;
            completed.link = link;
        }
    }
}
