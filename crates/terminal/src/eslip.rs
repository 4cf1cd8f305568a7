//! The e-slip: a sale whose slip does not reach paper in time is shown as a link instead.
//!
//! Nothing about it changes money or the waiting print job, and each sale shows it by itself once.

use crate::command::show;
use crate::record::{Ending, Record};
use crate::slip;
use crate::state::{Completed, Unslipped};
use crate::{Decided, Screen, Terminal};
use payment::terminal::Answer;
use payment::{LinkId, Mono, Now, Stan};
use receipt::CopyOf;

impl Terminal {
    /// Keeps the link that an answer brings for the sale it is about.
    pub(crate) fn keep_link(&self, answer: &Answer, decided: &mut Decided) {
        let wanted = self.config.eslip.is_some() && !self.state.is_settled();
        if let Some(link) = answer
            .link
            .filter(|link| wanted && self.state.link != Some(*link))
        {
            decided.record(Record::Linked { link });
        }
    }

    /// The link of the sale that ends in this decision, below the configured address.
    pub(crate) fn ending_link(&self, decided: &Decided) -> Option<String> {
        let linked = decided
            .records
            .iter()
            .rev()
            .find_map(|record| match record {
                Record::Linked { link } => Some(*link),
                _ => None,
            });
        linked
            .or(self.state.link)
            .and_then(|link| self.address(link))
    }

    /// When the next e-slip is due; at once where there is no paper to wait for.
    pub(crate) fn next_eslip_at(&self) -> Option<Mono> {
        self.config.eslip.as_ref()?;
        let first = self.state.unslipped.front()?;
        let prints = self.config.prints && self.state.spool.switched_off().is_none();
        let patience = if prints {
            self.config.eslip_after_ms
        } else {
            0
        };
        Some(first.at.plus_ms(patience))
    }

    /// Shows the e-slip that is due.
    pub(crate) fn due_eslip(&self, now: Now, decided: &mut Decided) {
        if self.next_eslip_at().is_none_or(|at| at > now.mono) {
            return;
        }
        if let Some(Unslipped { key, link, .. }) = self.state.unslipped.front() {
            decided.record(Record::ESlipShown { key: *key });
            self.show_eslip(*key, *link, decided);
        }
    }

    /// The cashier asks for the e-slip of a sale, or of the last one.
    pub(crate) fn eslip(&self, stan: Option<Stan>, decided: &mut Decided) {
        let asked = |c: &&Completed| stan.is_none_or(|stan| c.sale.key.stan == stan);
        let found = self.state.completed.iter().rev().filter(asked);
        let found = found
            .filter(|c| matches!(c.ending, Ending::Approved(_) | Ending::Reversed { .. }))
            .find_map(|c| Some((c, c.link.filter(|_| self.config.eslip.is_some())?)));
        let Some((completed, link)) = found else {
            return show(Screen::NoSuchSlip, decided);
        };
        let key = completed.sale.key;
        if !completed.eslip {
            decided.record(Record::ESlipShown { key });
        }
        self.show_eslip(key, link, decided);
    }

    fn show_eslip(&self, key: payment::SaleKey, link: LinkId, decided: &mut Decided) {
        if let Some(link) = self.address(link) {
            show(Screen::ESlip { key, link }, decided);
        }
    }

    pub(crate) fn address(&self, link: LinkId) -> Option<String> {
        self.config.eslip.as_ref().map(|base| link.below(base))
    }
}

impl crate::State {
    /// A sale that calls for a slip waits for paper from here on.
    pub(crate) fn await_paper(&mut self, completed: &Completed) {
        let (Some(link), Some(slip_id)) = (completed.link, slip::slip_of(completed)) else {
            return;
        };
        self.unslipped.push_back(Unslipped {
            key: completed.sale.key,
            slip_id,
            link,
            at: completed.at.mono,
        });
        if self.unslipped.len() > crate::limits::UNSLIPPED_MAX {
            self.unslipped.pop_front();
        }
    }

    /// Slips whose cardholder copy is on paper by now need no e-slip.
    pub(crate) fn paper_came(&mut self) {
        let spool = &self.spool;
        self.unslipped.retain(|waiting| {
            let copy = spool
                .copy(waiting.slip_id, CopyOf::Cardholder)
                .map(|known| known.evidence);
            copy.is_none_or(|evidence| evidence < receipt::Evidence::Printed)
        });
    }

    pub(crate) fn eslip_shown(&mut self, key: payment::SaleKey) {
        self.unslipped.retain(|waiting| waiting.key != key);
        if let Some(completed) = self.completed.iter_mut().rev().find(|c| c.sale.key == key) {
            completed.eslip = true;
        }
    }
}
