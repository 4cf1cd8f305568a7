//! Where the spool keeps its copies: by key, and by their place in the queue.
//!
//! Every copy is in exactly one of three orders: waiting, over with something open, over for good; the copy in the
//! printer is in none. A decision works on an overlay that holds what it touched, and leaves the shelf alone.

use super::truth::{Cut, Evidence, JobState};
use crate::slip::{CopyOf, Language, Paper, Report, Reprint, Slip, SlipFields, lay_out};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A slip's number and whose copy.
pub(super) type Key = (u64, CopyOf);

/// What a slip says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Says {
    Sale(Arc<SlipFields>),
    Report(Arc<Report>),
}

impl Says {
    pub(super) fn date_time(&self) -> &str {
        match self {
            Says::Sale(fields) => &fields.date_time,
            Says::Report(report) => report.date_time(),
        }
    }

    /// Of a slip about one sale: what it says of it.
    pub(super) fn sale(&self) -> Option<&SlipFields> {
        match self {
            Says::Sale(fields) => Some(fields),
            Says::Report(_) => None,
        }
    }
}

impl Entry {
    /// The slip as its next print draws it.
    pub(super) fn lay_out(&self, copy: CopyOf) -> Slip {
        let reprint = (self.runs > 0).then(|| Reprint {
            count: self.runs,
            original_time: self.says.date_time().to_owned(),
        });
        match &self.says {
            Says::Sale(fields) => lay_out(fields, copy, self.language, self.paper, reprint),
            Says::Report(report) => report.lay_out(self.language, self.paper, reprint),
        }
    }
}

/// One copy of one slip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) says: Says,
    pub(super) language: Language,
    pub(super) paper: Paper,
    /// Order in the queue.
    pub(super) place: u64,
    /// Since when it wants to be printed.
    pub(super) since_us: u64,
    pub(super) stage: Stage,
    pub(super) evidence: Evidence,
    /// Prints that were started; the next one is marked unless this is 0.
    pub(super) runs: u32,
    /// Prints that reached E4.
    pub(super) printed: u32,
    pub(super) cut: Cut,
    /// What somebody saw to be wrong with an earlier print.
    pub(super) cause: Option<Trouble>,
}

/// Where a copy is; how a waiting one is called depends on the printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Waiting,
    InPrinter,
    Over(JobState),
}

/// Copies that records can change.
pub(super) trait Copies {
    fn get(&self, key: &Key) -> Option<&Entry>;
    fn put(&mut self, key: Key, entry: Entry);
    fn remove(&mut self, key: &Key);
    /// Those that wait, in their order.
    fn waiting(&self) -> impl Iterator<Item = (Key, &Entry)>;
    fn waiting_count(&self) -> usize;

    fn change(&mut self, key: &Key, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.get(key).cloned() {
            change(&mut entry);
            self.put(*key, entry);
        }
    }
}

/// The copies themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shelf {
    entries: BTreeMap<Key, Entry>,
    waiting: BTreeMap<u64, Key>,
    open: BTreeMap<u64, Key>,
    closed: BTreeMap<u64, Key>,
}

impl Shelf {
    fn order(&mut self, stage: Stage) -> Option<&mut BTreeMap<u64, Key>> {
        match stage {
            Stage::InPrinter => None,
            Stage::Waiting => Some(&mut self.waiting),
            Stage::Over(JobState::Done | JobState::Closed) => Some(&mut self.closed),
            Stage::Over(_) => Some(&mut self.open),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// The copies of one slip.
    pub(super) fn of(&self, slip_id: u64) -> impl Iterator<Item = (CopyOf, &Entry)> + Clone {
        self.entries
            .range((slip_id, CopyOf::Merchant)..=(slip_id, CopyOf::Cardholder))
            .map(|((_, copy), entry)| (*copy, entry))
    }

    /// Those that are over with something open, oldest first.
    pub(super) fn open(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.open.values().map(|key| (*key, &self.entries[key]))
    }
}

impl Copies for Shelf {
    fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    fn put(&mut self, key: Key, entry: Entry) {
        self.remove(&key);
        if let Some(order) = self.order(entry.stage) {
            order.insert(entry.place, key);
        }
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key)
            && let Some(order) = self.order(entry.stage)
        {
            order.remove(&entry.place);
        }
    }

    fn waiting(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.waiting.values().map(|key| (*key, &self.entries[key]))
    }

    fn waiting_count(&self) -> usize {
        self.waiting.len()
    }
}

/// A shelf as one decision leaves it: only what was touched is held here.
#[derive(Debug)]
pub(super) struct Overlay<'a> {
    base: &'a Shelf,
    touched: BTreeMap<Key, Option<Entry>>,
    waiting: BTreeMap<u64, Key>,
    /// Of the touched copies: how many waited and were there before.
    base_waiting: usize,
    base_count: usize,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(base: &'a Shelf) -> Overlay<'a> {
        Overlay {
            base,
            touched: BTreeMap::new(),
            waiting: BTreeMap::new(),
            base_waiting: 0,
            base_count: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.base.len() - self.base_count + self.touched.values().flatten().count()
    }

    /// What was touched: before, and now.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Key, Option<&Entry>, Option<&Entry>)> {
        self.touched
            .iter()
            .map(|(key, now)| (*key, self.base.get(key), now.as_ref()))
    }

    /// The copy that makes room first: the oldest that is over for good, else the oldest that is over.
    pub(super) fn oldest_over(&self) -> Option<Key> {
        let mut over = self.base.closed.values().chain(self.base.open.values());
        over.find(|key| !self.touched.contains_key(key)).copied()
    }

    /// The copies of one slip.
    pub(super) fn of(&self, slip_id: u64) -> impl Iterator<Item = (CopyOf, &Entry)> {
        [CopyOf::Merchant, CopyOf::Cardholder]
            .into_iter()
            .filter_map(move |copy| Some((copy, self.get(&(slip_id, copy))?)))
    }

    /// Takes a copy out of what the overlay holds, and counts it out of the shelf the first time.
    fn take(&mut self, key: &Key) {
        match self.touched.remove(key) {
            Some(Some(entry)) if entry.stage == Stage::Waiting => {
                self.waiting.remove(&entry.place);
            }
            Some(_) => {}
            None => {
                if let Some(entry) = self.base.get(key) {
                    self.base_count += 1;
                    self.base_waiting += usize::from(entry.stage == Stage::Waiting);
                }
            }
        }
    }
}

impl Copies for Overlay<'_> {
    fn get(&self, key: &Key) -> Option<&Entry> {
        match self.touched.get(key) {
            Some(entry) => entry.as_ref(),
            None => self.base.get(key),
        }
    }

    fn put(&mut self, key: Key, entry: Entry) {
        self.take(&key);
        if entry.stage == Stage::Waiting {
            self.waiting.insert(entry.place, key);
        }
        self.touched.insert(key, Some(entry));
    }

    fn remove(&mut self, key: &Key) {
        self.take(key);
        self.touched.insert(*key, None);
    }

    fn waiting(&self) -> impl Iterator<Item = (Key, &Entry)> {
        let base = self.base.waiting.iter();
        let mut base = base
            .filter(|(_, key)| !self.touched.contains_key(key))
            .peekable();
        let mut own = self.waiting.iter().peekable();
        std::iter::from_fn(move || {
            let base_first = match (base.peek(), own.peek()) {
                (Some((base, _)), Some((own, _))) => base < own,
                (base, _) => base.is_some(),
            };
            let (_, key) = if base_first { base.next() } else { own.next() }?;
            Some((*key, self.get(key)?))
        })
    }

    fn waiting_count(&self) -> usize {
        self.base.waiting.len() - self.base_waiting + self.waiting.len()
    }
}
