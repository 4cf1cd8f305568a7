//! Notices: an approved sale of this terminal was taken back, because something else was paid in its place elsewhere.
//!
//! Invariant: the sale leaves the totals once, however often it is told, and the acquirer hears of it under a sign of its own
//! until it has answered.

use crate::command::show;
use crate::limits::NOTICES_MAX;
use crate::record::{Ending, Record};
use crate::state::Completed;
use crate::{Decided, Screen, State, Terminal};
use payment::guard::TakenBack;
use payment::kind::BatchSide;
use payment::terminal::{Answer, MacCheck};
use payment::{Kind, Now, SaleKey, Sign, SignOutcome};

impl Terminal {
    /// Takes what an answer tells. While it is not certain, or while the sale or the batch is still on its way, it is left:
    /// it is told again.
    pub(crate) fn take_notice(
        &self,
        now: Now,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        let Some(told) = answer.taken_back.filter(|_| mac == MacCheck::Right) else {
            return;
        };
        let Some(never_debited) = told.never_debited else {
            return;
        };
        let own = told.sale.terminal == self.config.terminal;
        let known = self.state.taken_back.contains(&told.sale);
        if !own || known || self.is_unresolved(told.sale) || self.is_settling() {
            return;
        }
        let ending = Ending::Reversed { never_debited };
        decided.record(Record::TakenBack {
            sale: told.sale,
            by: told.by,
            ending,
            at: now,
        });
        let standing = self.state.standing(told.sale);
        if let Some(completed) = standing {
            self.print_taken_back(now, completed, &ending, told.by, decided);
        }
        // One that is not remembered is told all the same; one that is known to be reversed needs no words.
        if standing.is_some() || !self.state.remembers(told.sale) {
            show(
                Screen::TakenBack {
                    key: told.sale,
                    by: told.by,
                    amount: standing.map(Completed::approved_amount),
                },
                decided,
            );
        }
    }

    /// The answer leaves open what becomes of a sale: the report that it answers is sent again.
    pub(crate) fn must_report_again(answer: &Answer) -> bool {
        let open = |told: TakenBack| told.never_debited.is_none();
        answer.taken_back.is_some_and(open)
    }

    /// The sign of a sale that was taken back, until it was heard.
    pub(crate) fn taken_back_sign(&self) -> Option<Sign> {
        let key = self.state.taken_back.front()?;
        Some(Sign {
            batch: key.batch,
            stan: key.stan,
            outcome: SignOutcome::Reversed,
            slip: self.slip_evidence(key.batch, key.stan),
        })
    }

    fn is_unresolved(&self, key: SaleKey) -> bool {
        let open = self.state.open.map(|open| open.sale.key);
        let reversing = self.state.reversal.map(|reversal| reversal.sale.key);
        [open, reversing].contains(&Some(key))
    }

    /// The totals are with the acquirer: the batch must stay what it said.
    fn is_settling(&self) -> bool {
        let settling = self.state.settling.as_ref();
        settling.is_some_and(|settling| settling.totals.is_some())
    }
}

impl State {
    fn standing(&self, key: SaleKey) -> Option<&Completed> {
        let mut newest = self.completed.iter().rev();
        newest.find(|c| c.sale.key == key && c.approval().is_some())
    }

    fn remembers(&self, key: SaleKey) -> bool {
        self.completed.iter().any(|c| c.sale.key == key)
    }

    /// The sale is out of the totals of its batch and of its shift.
    pub(crate) fn taken_back(&mut self, key: SaleKey, ending: Ending) {
        if !self.taken_back.contains(&key) {
            self.taken_back.push_back(key);
        }
        if self.taken_back.len() > NOTICES_MAX {
            // It is told again.
            self.taken_back.pop_front();
        }
        if self
            .signed
            .is_some_and(|(batch, stan, _)| (batch, stan) == (key.batch, key.stan))
        {
            self.signed = Some((key.batch, key.stan, SignOutcome::Reversed));
        }
        let Some(completed) = self.standing(key).copied() else {
            return;
        };
        self.discount(&completed);
        self.totals.reversed += 1;
        let own = |c: &&mut Completed| c.sale.key == key;
        if let Some(completed) = self.completed.iter_mut().rev().find(own) {
            completed.ending = ending;
        }
    }

    /// Takes a completed transaction that counts out of the totals: of the batch while that is open, of the shift in which
    /// it was counted. Of an adjustment what it changed goes back.
    pub(crate) fn discount(&mut self, completed: &Completed) {
        let Some((kind, was, is)) = self.counted(completed) else {
            return;
        };
        let once = u32::from(kind == completed.sale.kind);
        let less = |count: &mut u32, sum: &mut u64| {
            *count = count.saturating_sub(once);
            *sum = (*sum + is).saturating_sub(was);
        };
        let totals = &mut self.totals;
        if !completed.settled {
            match kind.row().totals {
                BatchSide::Credit => less(&mut totals.credits, &mut totals.credits_minor),
                _ => less(&mut totals.debits, &mut totals.debits_minor),
            }
        }
        if self.in_shift(completed)
            && let Some((count, sum)) = self.shift.taken.get_mut(&kind)
        {
            less(count, sum);
            if *count == 0 {
                self.shift.taken.remove(&kind);
            }
        }
    }

    /// Under which kind a transaction counts, the amount for which it does, and the one for which it does without it; of
    /// what stands by itself that is nothing.
    fn counted(&self, completed: &Completed) -> Option<(Kind, u64, u64)> {
        match completed.sale.kind.row().totals {
            BatchSide::Neither => None,
            BatchSide::Debit | BatchSide::Credit => {
                let was = self.standing_amount(completed).minor;
                Some((completed.sale.kind, was, 0))
            }
            BatchSide::Adjust => {
                let original = completed.sale.original?;
                let key = SaleKey {
                    batch: original.batch,
                    stan: original.stan,
                    ..completed.sale.key
                };
                // Where the original was taken out, its adjustments went with it.
                let original = self.standing(key)?;
                let was = self.standing_amount(original).minor;
                let is = self.standing_without(original, completed.sale.key).minor;
                Some((original.sale.kind, was, is))
            }
        }
    }

    /// It was counted since the last shift was closed.
    pub(crate) fn in_shift(&self, completed: &Completed) -> bool {
        let since = self.shift.since;
        since.is_some_and(|since| completed.at.mono >= since.mono)
    }

    /// A sign is on its way: until it is answered, nobody knows whether this one or the one before it was heard last.
    pub(crate) fn said(&mut self, sign: Sign) {
        let last = self.signed.map(|(batch, stan, _)| (batch, stan));
        if last == Some((sign.batch, sign.stan)) && self.reported != Some(sign) {
            self.reported = None;
        }
    }

    /// A sign was heard: of a sale that was taken back, nothing more is said; any other is not repeated.
    pub(crate) fn heard(&mut self, sign: Sign) {
        let about = |key: &SaleKey| (key.batch, key.stan) == (sign.batch, sign.stan);
        if sign.outcome == SignOutcome::Reversed {
            self.taken_back.retain(|key| !about(key));
        }
        let last = self.signed.map(|(batch, stan, _)| (batch, stan));
        if last == Some((sign.batch, sign.stan)) {
            self.reported = Some(sign);
        }
    }
}
