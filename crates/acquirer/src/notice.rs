//! Notices: a till that holds an approval is told when its sale was taken back, for what was paid at another till or by
//! staff. What staff gave back is named as taken back by itself.
//!
//! Invariant: the notice goes with every MACed answer to that till until the till itself says that it has taken the sale
//! back; while nobody knows yet whether it will be, the till is asked to report again.

use crate::record::Record;
use crate::sale::SaleRecord;
use crate::{Acquirer, Decided, Effect, State};
use payment::evidence::{ReversalCause, ReversalProgress, Upstream};
use payment::guard::TakenBack;
use payment::terminal::Origin;
use payment::{Batch, ResponseCode, SaleKey, Sign, SignOutcome, Stan};

impl Acquirer {
    /// Puts what a till must be told into its answers. What it has just acknowledged is not told once more.
    pub(crate) fn add_notices(&self, decided: &mut Decided) {
        if self.state.notices.is_empty() {
            return;
        }
        let Decided { records, effects } = decided;
        let taken = |key: &SaleKey| {
            let same =
                |record: &Record| matches!(record, Record::NoticeTaken { key: k } if k == key);
            records.iter().any(same)
        };
        for effect in effects {
            if let Effect::Reply {
                answer, mac: true, ..
            } = effect
            {
                answer.taken_back = self.notice(&answer.origin, taken);
            }
        }
    }

    /// What a terminal that speaks our extension is told now: what is certain before what is not.
    fn notice(&self, origin: &Origin, taken: impl Fn(&SaleKey) -> bool) -> Option<TakenBack> {
        let setup = self.config.terminals.get(&origin.terminal);
        setup.filter(|setup| setup.extended)?;
        let key = |stan| SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: Batch(if stan == 0 { 0 } else { u32::MAX }),
            stan: Stan(stan),
        };
        let owed = self.state.notices.range(key(0)..=key(u32::MAX));
        let told = owed.filter(|(sale, _)| !taken(sale));
        let told = told.filter_map(|(sale, by)| self.told(sale, by));
        let (certain, open): (Vec<_>, Vec<_>) = told.partition(|told| told.never_debited.is_some());
        certain.into_iter().chain(open).next()
    }

    /// What becomes of an approved sale in whose place something else was paid.
    fn told(&self, sale: &SaleKey, by: &SaleKey) -> Option<TakenBack> {
        let earlier = self.state.sale(sale)?;
        earlier.answer.filter(|answer| answer.code.is_success())?;
        let never_debited = match earlier.evidence.reversal {
            Some(reversal) => match reversal.progress {
                ReversalProgress::Open => None,
                ReversalProgress::Confirmed(code) => Some(code != ResponseCode::APPROVED),
                // People decide; the approval stands at the till until they have.
                ReversalProgress::Refused(_) => return None,
            },
            None => match self.state.sale(by).map(|by| by.evidence.upstream) {
                Some(Upstream::Waiting) => None,
                _ => return None,
            },
        };
        Some(TakenBack {
            sale: *sale,
            by: *by,
            never_debited,
        })
    }

    /// The till says that it knows: nothing more has to be told.
    pub(crate) fn hear_taken(&self, key: SaleKey, sign: Sign, decided: &mut Decided) {
        if sign.outcome == SignOutcome::Reversed && self.state.notices.contains_key(&key) {
            decided.record(Record::NoticeTaken { key });
        }
    }
}

impl State {
    /// Another till may take this sale's place, or staff gave it back: its own till has to be told, unless it follows a
    /// reversal already.
    pub(crate) fn owe_notice(&mut self, earlier: SaleKey, by: SaleKey) {
        let by_staff = self.notices.get(&earlier) == Some(&earlier);
        let follows = self.sales.get(&earlier).is_some_and(goes_back_otherwise);
        let untold = earlier.terminal != by.terminal || earlier == by;
        if untold && !by_staff && !follows {
            self.notices.insert(earlier, by);
        }
    }

    /// A sale has ended: where that leaves nothing to tell, no notice is kept.
    pub(crate) fn settle_notice(&mut self, key: &SaleKey) {
        let Some(sale) = self.sales.get(key) else {
            return;
        };
        let own = |earlier: &SaleRecord| match earlier.evidence.reversal {
            Some(_) => goes_back_otherwise(earlier),
            None => !earlier.stands(),
        };
        let linked = sale.request.linked.map(|linked| linked.earlier);
        let earlier = linked.filter(|earlier| self.notices.get(earlier) == Some(key));
        let stays = |earlier: &SaleKey| {
            let earlier = self.sales.get(earlier);
            earlier.is_none_or(|earlier| earlier.evidence.reversal.is_none())
        };
        let unneeded = [
            Some(*key).filter(|_| own(sale)),
            earlier.filter(|earlier| !sale.stands() && stays(earlier)),
        ];
        for key in unneeded.into_iter().flatten() {
            self.notices.remove(&key);
        }
    }
}

/// It is reversed, but neither because something else was paid in its place nor by staff.
fn goes_back_otherwise(sale: &SaleRecord) -> bool {
    let told = |cause| matches!(cause, ReversalCause::Replaced | ReversalCause::Staff(_));
    let reversal = sale.evidence.reversal;
    reversal.is_some_and(|reversal| !told(reversal.cause))
}
