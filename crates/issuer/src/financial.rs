//! Financial requests of every kind: the first answer, the same answer again, or a refusal.
//!
//! Invariants: a key that is remembered is never executed again (A1, A2); one that was reversed, before or after it
//! came, gets 22 and never debits (M5); what waited too long is refused unexecuted (A5).

use crate::accounts::pack;
use crate::issuer::Issuer;
use crate::memory::{Exchange, Standing, within_window};
use crate::notice::{Notice, NoticeKind};
use crate::planted::Bug;
use crate::record::{Answered, ChipCheck, Effect, PinCheck, Record, Tries};
use crate::refusal::{Case, Decline};
use crypto::PanToken;
use ledger::{AccountId, Entry};
use payment::host::{Answer, Financial, Request};
use payment::{ApprovalCode, Decision, Mono, Now, ResponseCode, Wall};

impl Issuer {
    pub(crate) fn decide_financial(
        &self,
        now: Now,
        sale: Financial,
        checks: (PinCheck, ChipCheck),
        heard: Mono,
    ) -> Decision<Record, Effect> {
        if let Some(first) = self.state.memory.get(&sale.key) {
            return self.again(now, sale, first);
        }
        let mut decision = Decision::nothing();
        if pack(&sale.key).is_none() {
            // A key that cannot be remembered is not executed either.
            decision.effect(self.answer(&Request::Financial(sale), ResponseCode::FORMAT_ERROR));
            return decision;
        }
        if !self.state.memory.has_room(now.mono) {
            decision.effect(self.answer(&Request::Financial(sale), ResponseCode::SYSTEM_ERROR));
            return decision;
        }
        let answered = self.answered(now, sale, checks, heard);
        decision.effect(Effect::Answer(answered.answer(self.config.institution)));
        if sale.kind.row().is_advice() && answered.code.is_transient() {
            // It comes again, and then it is decided.
            return decision;
        }
        let told = !answered.entries.is_empty()
            || (sale.kind.row().moves_money() && self.planted(Bug::IssuerNoticeWithoutBooking));
        if told {
            let change = self.change_of(&sale, &answered.entries);
            let kind = NoticeKind::of(sale.kind);
            self.tell(&mut decision, now.wall, &sale, kind, change);
            self.tell_receiver(
                &mut decision,
                now.wall,
                &sale,
                NoticeKind::Received,
                &answered.entries,
            );
        }
        decision.record(Record::Answered(answered));
        decision
    }

    /// The first answer to a request.
    fn answered(
        &self,
        now: Now,
        sale: Financial,
        (pin, chip): (PinCheck, ChipCheck),
        heard: Mono,
    ) -> Answered {
        let card = self.state.cards.get(&sale.card.token);
        let chip_counter = self.used_counter(card, &chip);
        let word = match &chip {
            ChipCheck::Right { answer, .. } => Some(answer.clone()),
            _ => None,
        };
        let scripts_done = match &chip {
            ChipCheck::Scripts { done } => Some(*done),
            _ => None,
        };
        let refused = |Decline(code), tries| Answered {
            at: now,
            sale,
            code,
            approval: None,
            balance: None,
            entries: Vec::new(),
            moved_minor: 0,
            tries,
            chip_counter,
            scripts_done,
            chip: None,
        };
        if let Err(decline) = self.in_time(now, &sale, heard) {
            return refused(decline, Tries::Unchanged);
        }
        let case = match Case::of(self, now, &sale, pin, chip) {
            Ok(case) => case,
            Err(decline) => return refused(decline, Tries::Unchanged),
        };
        let (outcome, tries) = case.climb();
        let (mut entries, moved_minor) = match outcome {
            Ok(booked) => booked,
            Err(decline) => return refused(decline, tries),
        };
        let approved = Answered {
            chip: word,
            ..refused(Decline(ResponseCode::APPROVED), tries)
        };
        if sale.kind.row().moves_money() {
            entries.retain(|entry| !self.forgets_hold(entry));
            Answered {
                approval: Some(self.approval_code()),
                entries,
                moved_minor,
                ..approved
            }
        } else {
            Answered {
                balance: asks_balance(&sale).and_then(|token| self.balance(token)),
                ..approved
            }
        }
    }

    fn in_time(&self, now: Now, sale: &Financial, heard: Mono) -> Result<(), Decline> {
        within_window(sale.key.transmission, now.wall).map_err(Decline)?;
        let waits = !sale.kind.row().is_advice();
        if waits && now.mono.since_ms(heard) > self.config.issuer_timeout_ms {
            return Err(Decline(ResponseCode::LATE_ANSWER));
        }
        Ok(())
    }

    /// A key that is known already. Nothing is executed; a repeat needs no record, for its first answer is in one.
    fn again(&self, now: Now, sale: Financial, first: &Exchange) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let request = Request::Financial(sale);
        let barred = matches!(first.standing, Standing::Barred { .. });
        if barred || first.standing == Standing::Reversed {
            if self.planted(Bug::IssuerLateApprovalAfterReversal) {
                return self.debit_again(now, sale, self.approval_code());
            }
            if first.standing == (Standing::Barred { came: false }) {
                decision.record(Record::Answered(Answered {
                    at: now,
                    sale,
                    code: ResponseCode::RELATED_ERROR,
                    approval: None,
                    balance: None,
                    entries: Vec::new(),
                    moved_minor: 0,
                    tries: Tries::Unchanged,
                    chip_counter: None,
                    scripts_done: None,
                    chip: None,
                }));
            }
            decision.effect(self.answer(&request, ResponseCode::RELATED_ERROR));
            return decision;
        }
        if !first.is_of(&sale) {
            // Another request under a used key: neither executed nor given the answer of the first.
            decision.effect(self.answer(&request, ResponseCode::DUPLICATE));
            return decision;
        }
        if let (true, Some(approval)) = (self.planted(Bug::IssuerDebitsDuplicate), first.approval) {
            return self.debit_again(now, sale, approval);
        }
        let advice = sale.kind.row().is_advice() && self.planted(Bug::IssuerRepeatsAdvice);
        if let (true, Some(approval)) = (advice, first.approval) {
            return self.debit_again(now, sale, approval);
        }
        decision.effect(Effect::Answer(Answer {
            approval: first.approval,
            balance: first.balance,
            chip: self.state.memory.chip(&sale.key),
            receiver: Some(self.config.institution),
            ..Answer::to(&request, first.code)
        }));
        decision
    }

    /// A planted bug: a second debit.
    fn debit_again(
        &self,
        now: Now,
        sale: Financial,
        approval: ApprovalCode,
    ) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let answered = Answered {
            at: now,
            sale,
            code: ResponseCode::APPROVED,
            approval: Some(approval),
            balance: None,
            entries: Vec::from_iter(self.unasked(&sale.card.token, sale.amount.minor, true)),
            moved_minor: 0,
            tries: Tries::Unchanged,
            chip_counter: None,
            scripts_done: None,
            chip: None,
        };
        decision.effect(Effect::Answer(answered.answer(self.config.institution)));
        decision.record(Record::Answered(answered));
        decision
    }

    fn forgets_hold(&self, entry: &Entry) -> bool {
        matches!(entry, Entry::Hold { .. }) && self.planted(Bug::IssuerForgetsHold)
    }

    /// Field 38: the number of this approval in base 36, unique for two thousand million approvals (A4).
    fn approval_code(&self) -> ApprovalCode {
        let mut number = self.state.approvals + 1;
        let mut code = *b"000000";
        for place in code.iter_mut().rev() {
            let digit = (number % 36) as u8;
            *place = if digit < 10 {
                b'0' + digit
            } else {
                b'A' + digit - 10
            };
            number /= 36;
        }
        ApprovalCode(code)
    }

    /// What entries change about what the card of `sale` can spend, in minor units.
    pub(crate) fn change_of(&self, sale: &Financial, entries: &[Entry]) -> i64 {
        let account = self.cards.get(&sale.card.token).map(|setup| setup.account);
        account.map_or(0, |account| self.change(AccountId(account), entries))
    }

    /// Tells the holder of the card that receives, where `entries` change what it can spend.
    pub(crate) fn tell_receiver(
        &self,
        decision: &mut Decision<Record, Effect>,
        at: Wall,
        sale: &Financial,
        kind: NoticeKind,
        entries: &[Entry],
    ) {
        let named = self.named_receiver(sale);
        let Some(card) = named.and_then(|token| Some(self.cards.get(&token)?.card)) else {
            return;
        };
        let received = Financial { card, ..*sale };
        let change = self.change_of(&received, entries);
        if change != 0 {
            self.tell(decision, at, &received, kind, change);
        }
    }

    /// Tells the cardholder of a booking in this decision that changes what is available by `change` minor units.
    pub(crate) fn tell(
        &self,
        decision: &mut Decision<Record, Effect>,
        at: Wall,
        sale: &Financial,
        kind: NoticeKind,
        change: i64,
    ) {
        let Some(setup) = self.cards.get(&sale.card.token) else {
            return;
        };
        decision.effect(Effect::Notice(Notice {
            card: setup.card,
            holder: setup.holder.clone(),
            kind,
            product: setup.product,
            amount: sale.amount,
            balance: self
                .balance(&setup.token)
                .unwrap_or(0)
                .saturating_add(change),
            at,
            rrn: sale.rrn,
        }));
    }
}

/// The card whose balance is asked for: not that of a notice about an earlier request.
fn asks_balance(sale: &Financial) -> Option<&PanToken> {
    let asks = sale.kind.row().original.is_none();
    asks.then_some(&sale.card.token)
}
