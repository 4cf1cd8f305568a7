//! The spool's state: its records applied in order, and what can be asked of it.
//!
//! Evidence never falls, and a started print is counted before anything else can happen to it.

use super::{
    ANSWER_WAIT_US, BUSY_ANSWER_WAIT_US, CONFIRM_WAIT_US, CONNECT_WAIT_US, EXPIRE_US, Evidence,
    JobState, RETRY_US, SpoolRecord,
};
use crate::answers::{Answers, Status};
use crate::slip::{CopyOf, Language, Paper, SlipFields};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The spool of one printer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    pub(super) entries: BTreeMap<(u64, CopyOf), Entry>,
    pub(super) run: Option<Run>,
    pub(super) link: Link,
    pub(super) off: bool,
    pub(super) status: Status,
    pub(super) answers: Answers,
    pub(super) realtime: Vec<u8>,
    /// In-order answers that sent prints may still bring; they carry no identity, so only the last
    /// one owed speaks for the print in the printer.
    pub(super) in_order_owed: u32,
    pub(super) next_job: u32,
    next_place: u64,
    last: Option<u64>,
}

/// One copy of one slip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) fields: Arc<SlipFields>,
    pub(super) language: Language,
    pub(super) paper: Paper,
    /// Order in the queue.
    pub(super) place: u64,
    /// Since when it wants to be printed.
    pub(super) since_us: u64,
    pub(super) state: JobState,
    pub(super) evidence: Evidence,
    /// Prints that were started; the next one is marked unless this is 0.
    pub(super) runs: u32,
    /// Prints that reached E4.
    pub(super) printed: u32,
}

/// The print that is in the printer now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) key: (u64, CopyOf),
    pub(super) job: u32,
    pub(super) evidence: Evidence,
    /// Since when a well printer owes the confirmation; `None` while it is in trouble.
    pub(super) owed_since_us: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Link {
    Down { retry_us: u64 },
    Connecting { since_us: u64 },
    Up { asked_us: Option<u64>, ask_us: u64 },
}

impl Default for Link {
    fn default() -> Link {
        Link::Down { retry_us: 0 }
    }
}

impl Spool {
    /// Takes one record into the state.
    pub fn apply(&mut self, record: &SpoolRecord) {
        match record {
            SpoolRecord::Submitted {
                at_us,
                slip_id,
                copy,
                language,
                paper,
                fields,
            } => {
                let entry = Entry {
                    fields: Arc::new((**fields).clone()),
                    language: *language,
                    paper: *paper,
                    place: self.take_place(),
                    since_us: *at_us,
                    state: self.waiting_state(),
                    evidence: Evidence::NotSent,
                    runs: 0,
                    printed: 0,
                };
                self.entries.insert((*slip_id, *copy), entry);
                self.last = Some(*slip_id);
            }
            SpoolRecord::Wanted {
                at_us,
                slip_id,
                copy,
            } => {
                let (place, state) = (self.take_place(), self.waiting_state());
                if let Some(entry) = self.entries.get_mut(&(*slip_id, *copy)) {
                    entry.place = place;
                    entry.since_us = *at_us;
                    entry.state = state;
                }
            }
            SpoolRecord::Forgotten { slip_id, copy } => {
                self.entries.remove(&(*slip_id, *copy));
            }
            SpoolRecord::Connecting { at_us } => {
                self.link = Link::Connecting { since_us: *at_us };
            }
            SpoolRecord::Connected { at_us } => {
                self.link = Link::Up {
                    asked_us: None,
                    ask_us: *at_us,
                };
            }
            SpoolRecord::Lost { at_us } => {
                let trouble = match self.status.trouble {
                    Some(Trouble::PowerLost) => Trouble::PowerLost,
                    _ => Trouble::Unreachable,
                };
                match self.wants_link() {
                    true => self.unlink(at_us.saturating_add(RETRY_US), Some(trouble)),
                    false => self.unlink(*at_us, None),
                }
            }
            SpoolRecord::Asked { at_us } => {
                self.realtime.clear();
                self.link = Link::Up {
                    asked_us: Some(*at_us),
                    ask_us: *at_us,
                };
            }
            SpoolRecord::Listening { answers, realtime } => {
                self.answers = answers.clone();
                self.realtime = realtime.clone();
            }
            SpoolRecord::Told {
                at_us,
                status,
                answered,
            } => self.told(*at_us, *status, *answered),
            SpoolRecord::Started {
                at_us,
                slip_id,
                copy,
                job,
            } => {
                let key = (*slip_id, *copy);
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.state = JobState::Printing;
                    entry.runs = entry.runs.saturating_add(1);
                }
                self.next_job = job.wrapping_add(1);
                self.in_order_owed = self.in_order_owed.saturating_add(1);
                self.run = Some(Run {
                    key,
                    job: *job,
                    evidence: Evidence::NotSent,
                    owed_since_us: Some(*at_us),
                });
            }
            SpoolRecord::Wrote { .. } => self.reached(Evidence::HandedOver),
            SpoolRecord::InOrder => {
                self.in_order_owed = self.in_order_owed.saturating_sub(1);
                if self.in_order_owed == 0 {
                    self.reached(Evidence::Parsed);
                }
            }
            SpoolRecord::Printed { at_us, .. } => {
                self.in_order_owed = 1;
                self.reached(Evidence::Printed);
                self.end_run(*at_us, |entry, _| {
                    entry.printed = entry.printed.saturating_add(1);
                    entry.state = JobState::Done;
                });
            }
            SpoolRecord::Unconfirmed { at_us, .. } => {
                self.in_order_owed = 0;
                self.end_run(*at_us, |entry, run| {
                    entry.state = match run.evidence {
                        Evidence::Parsed | Evidence::Printed => JobState::Done,
                        _ => JobState::Failed(Trouble::Unknown),
                    };
                });
            }
            SpoolRecord::Expired { slip_id, copy } => {
                if let Some(entry) = self.entries.get_mut(&(*slip_id, *copy)) {
                    entry.state = match entry.state {
                        JobState::Held(trouble) => JobState::Failed(trouble),
                        _ => JobState::Failed(Trouble::Unreachable),
                    };
                }
            }
            SpoolRecord::Restarted { at_us } => self.unlink(*at_us, None),
            SpoolRecord::Switched { off } => {
                self.off = *off;
                self.set_waiting();
            }
        }
    }

    /// When a `Tick` is due, in microseconds.
    pub fn deadline(&self) -> Option<u64> {
        let expiry = self.waiting().map(|(_, entry)| expiry_us(entry));
        let link = self.wants_link().then(|| self.link_deadline());
        expiry.chain(self.confirm_deadline()).chain(link).min()
    }

    /// The weakest of a slip's copies (state, best evidence), and how many prints reached E4 together.
    pub fn evidence(&self, slip_id: u64) -> Option<(JobState, Evidence, u32)> {
        let copies = self.copies(slip_id);
        let printed = copies.clone().map(|(_, entry)| entry.printed).sum();
        let weakest = |(_, entry): &(CopyOf, &Entry)| {
            let unfinished = !matches!(entry.state, JobState::Done);
            (entry.evidence, !unfinished)
        };
        let (_, entry) = copies.min_by_key(weakest)?;
        Some((entry.state, entry.evidence, printed))
    }

    /// How far one copy of a slip is on its way to paper.
    pub fn copy_evidence(&self, slip_id: u64, copy: CopyOf) -> Option<Evidence> {
        let of_copy = |(of, _): &(CopyOf, &Entry)| *of == copy;
        self.copies(slip_id)
            .find(of_copy)
            .map(|(_, entry)| entry.evidence)
    }

    /// The slip that was submitted last, for "reprint last".
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// What the printer last told about itself; unreachable while a wanted connection is down.
    pub fn printer(&self) -> Status {
        self.status
    }

    /// How many copies still want to be printed, the one in the printer included.
    pub fn unfinished(&self) -> usize {
        self.waiting().count() + usize::from(self.run.is_some())
    }

    pub(super) fn copies(&self, slip_id: u64) -> impl Iterator<Item = (CopyOf, &Entry)> + Clone {
        self.entries
            .range((slip_id, CopyOf::Merchant)..=(slip_id, CopyOf::Cardholder))
            .map(|((_, copy), entry)| (*copy, entry))
    }

    /// Entries that wait to be sent, in no order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&(u64, CopyOf), &Entry)> {
        let running = self.run.as_ref().map(|run| run.key);
        self.entries
            .iter()
            .filter(move |(key, entry)| waits(entry.state) && Some(**key) != running)
    }

    fn waiting_state(&self) -> JobState {
        match (self.off, self.status.trouble) {
            (true, _) => JobState::Held(Trouble::Disabled),
            (false, Some(trouble)) => JobState::Held(trouble),
            (false, None) => JobState::Queued,
        }
    }

    fn set_waiting(&mut self) {
        let state = self.waiting_state();
        let running = self.run.as_ref().map(|run| run.key);
        for (key, entry) in &mut self.entries {
            if waits(entry.state) && Some(*key) != running {
                entry.state = state;
            }
        }
    }

    fn take_place(&mut self) -> u64 {
        let place = self.next_place;
        self.next_place += 1;
        place
    }

    fn told(&mut self, at_us: u64, status: Status, answered: bool) {
        self.status = status;
        if let Link::Up { asked_us, ask_us } = &mut self.link {
            if answered {
                *asked_us = None;
                *ask_us = at_us.saturating_add(RETRY_US);
                self.realtime.clear();
            } else if status.trouble.is_none() {
                *ask_us = at_us;
            }
        }
        if let Some(run) = &mut self.run {
            run.owed_since_us = match status.trouble {
                Some(_) => None,
                None => run.owed_since_us.or(Some(at_us)),
            };
            if let Some(entry) = self.entries.get_mut(&run.key) {
                entry.state = status.trouble.map_or(JobState::Printing, JobState::Held);
            }
            if answered {
                self.reached(Evidence::Transported);
            }
        }
        self.set_waiting();
    }

    /// Evidence never falls; the entry keeps the best of all its prints.
    fn reached(&mut self, evidence: Evidence) {
        if let Some(run) = &mut self.run {
            run.evidence = run.evidence.max(evidence);
            if let Some(entry) = self.entries.get_mut(&run.key) {
                entry.evidence = entry.evidence.max(evidence);
            }
        }
    }

    fn end_run(&mut self, at_us: u64, end: impl FnOnce(&mut Entry, &Run)) {
        let Some(run) = self.run.take() else { return };
        if let Some(entry) = self.entries.get_mut(&run.key) {
            end(entry, &run);
        }
        if let Link::Up { ask_us, .. } = &mut self.link {
            *ask_us = at_us;
        }
    }

    /// A print that was in the printer waits again: its runs are counted, so it will be marked.
    fn unlink(&mut self, retry_us: u64, trouble: Option<Trouble>) {
        self.link = Link::Down { retry_us };
        self.run = None;
        self.answers = Answers::default();
        self.realtime.clear();
        self.status = Status {
            trouble,
            paper_low: false,
        };
        self.set_waiting();
    }

    pub(super) fn wants_link(&self) -> bool {
        self.run.is_some() || (!self.off && self.waiting().next().is_some())
    }

    pub(super) fn link_deadline(&self) -> u64 {
        match self.link {
            Link::Down { retry_us } => retry_us,
            Link::Connecting { since_us } => since_us.saturating_add(CONNECT_WAIT_US),
            Link::Up {
                asked_us: None,
                ask_us,
            } => ask_us,
            Link::Up {
                asked_us: Some(asked_us),
                ..
            } => asked_us.saturating_add(match self.run {
                Some(_) => BUSY_ANSWER_WAIT_US,
                None => ANSWER_WAIT_US,
            }),
        }
    }

    pub(super) fn confirm_deadline(&self) -> Option<u64> {
        let owed_since_us = self.run.as_ref()?.owed_since_us?;
        Some(owed_since_us.saturating_add(CONFIRM_WAIT_US))
    }
}

pub(super) fn waits(state: JobState) -> bool {
    matches!(
        state,
        JobState::Queued | JobState::Held(_) | JobState::Printing
    )
}

pub(super) fn expiry_us(entry: &Entry) -> u64 {
    entry.since_us.saturating_add(EXPIRE_US)
}
