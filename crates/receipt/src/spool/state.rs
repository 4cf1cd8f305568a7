//! The spool's state: its records applied in order.
//!
//! Evidence never falls, a started print is counted before anything else can happen to it, and one that may have left
//! is never waiting again by itself. A record costs the copies it names, whatever else the spool holds.

use super::copies::{Copies, Entry, Key, Says, Stage};
use super::truth::{Cut, Evidence, JobState, PaperSeen};
use super::{
    ANSWER_WAIT_US, BUSY_ANSWER_WAIT_US, BUSY_ELSEWHERE_US, CONNECT_WAIT_US, EXPIRE_US, RETRY_US,
    SpoolRecord,
};
use crate::answers::{Answers, Status};
use crate::installed::{InstalledPrinter, MARGIN_US};
use crate::slip::{CopyOf, Language, Paper};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The spool's state over the copies of a shelf, or over what one decision made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State<C> {
    pub(super) core: Core,
    pub(super) copies: C,
}

/// Everything but the copies; its size does not grow with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Core {
    pub(super) installed: InstalledPrinter,
    pub(super) run: Option<Run>,
    /// The print that was lost with its connection before its bytes were known to be taken.
    pub(super) unwritten: Option<(u32, Key)>,
    /// The latest print whose cut was not answered yet.
    pub(super) cutting: Option<(u32, Key)>,
    pub(super) link: Link,
    pub(super) off: Option<Off>,
    pub(super) status: Status,
    /// Since when the head has been too hot.
    pub(super) hot_since_us: Option<u64>,
    /// Since when it has accepted connections and answered nothing.
    silent_since_us: Option<u64>,
    pub(super) answers: Answers,
    pub(super) realtime: Vec<u8>,
    /// What no printer says, heard since the status question.
    pub(super) strays: u32,
    /// In-order answers that sent prints may still bring; they carry no identity, so only the last
    /// one owed speaks for the print in the printer.
    pub(super) in_order_owed: u32,
    /// Since when the answer to "clear your buffers" is awaited; nothing is sent meanwhile.
    pub(super) clearing_since_us: Option<u64>,
    pub(super) next_job: u32,
    next_place: u64,
    pub(super) last: Option<u64>,
    /// The roll was touched: somebody should look at the next slip once.
    look_due: bool,
    pub(super) look_at: Option<Key>,
}

/// Who switched printing off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Off {
    pub(super) by: String,
    pub(super) since_us: u64,
}

/// The print that is in the printer now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) key: Key,
    pub(super) job: u32,
    pub(super) evidence: Evidence,
    clock: Clock,
    /// The first trouble since it started: without an ID the paper proves nothing then.
    flaw: Option<Trouble>,
    /// The printer said that it is well after it had taken every byte.
    checked: bool,
}

/// What is left of the time to confirm; it stands still while the printer is in trouble (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Clock {
    left_us: u64,
    since_us: Option<u64>,
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

impl<C: Copies> State<C> {
    /// Takes one record into the state.
    pub(super) fn apply(&mut self, record: &SpoolRecord) {
        match record {
            SpoolRecord::Submitted {
                at_us,
                slip_id,
                copy,
                language,
                paper,
                fields,
            } => {
                let says = Says::Sale(Arc::new((**fields).clone()));
                self.submitted((*slip_id, *copy), says, (*language, *paper), *at_us);
            }
            SpoolRecord::SubmittedReport {
                at_us,
                slip_id,
                language,
                paper,
                report,
            } => {
                let says = Says::Report(Arc::new((**report).clone()));
                let key = (*slip_id, CopyOf::Merchant);
                self.submitted(key, says, (*language, *paper), *at_us);
            }
            SpoolRecord::Wanted {
                at_us,
                slip_id,
                copy,
            } => {
                self.looked((*slip_id, *copy));
                let (place, stage) = (self.core.take_place(), self.core.queue());
                self.copies.change(&(*slip_id, *copy), |entry| {
                    entry.place = place;
                    entry.since_us = *at_us;
                    entry.stage = stage;
                });
            }
            SpoolRecord::Forgotten { slip_id, copy } => {
                let key = (*slip_id, *copy);
                self.copies.remove(&key);
                self.looked(key);
                self.core.cutting = self.core.cutting.filter(|(_, cutting)| *cutting != key);
            }
            SpoolRecord::Connecting { at_us } => {
                self.core.link = Link::Connecting { since_us: *at_us };
            }
            SpoolRecord::Connected { at_us } => {
                self.core.silent_since_us.get_or_insert(*at_us);
                self.core.link = Link::Up {
                    asked_us: None,
                    ask_us: *at_us,
                };
            }
            SpoolRecord::Lost { at_us } => self.lost(*at_us),
            SpoolRecord::Asked { at_us } => {
                self.core.realtime.clear();
                self.core.strays = 0;
                self.core.link = Link::Up {
                    asked_us: Some(*at_us),
                    ask_us: *at_us,
                };
            }
            SpoolRecord::Listening {
                answers,
                realtime,
                strays,
            } => {
                self.core.answers = answers.clone();
                self.core.realtime = realtime.clone();
                self.core.strays = *strays;
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
                wait_us,
            } => self.started(*at_us, (*slip_id, *copy), *job, *wait_us),
            SpoolRecord::Wrote { .. } => self.reached(Evidence::HandedOver),
            SpoolRecord::NotSent { at_us, .. } => self.not_sent(*at_us),
            SpoolRecord::InOrder => {
                self.core.in_order_owed = self.core.in_order_owed.saturating_sub(1);
                if self.core.in_order_owed == 0 {
                    self.reached(Evidence::Parsed);
                }
            }
            SpoolRecord::Echoed { .. } => self.reached(Evidence::Parsed),
            SpoolRecord::Printed { at_us, job } => {
                self.core.in_order_owed = 1;
                self.cut(Cut::Done);
                self.core.cutting = self.core.run.as_ref().map(|run| (*job, run.key));
                self.reached(Evidence::Printed);
                self.end_run(*at_us, |entry, _| {
                    entry.printed = entry.printed.saturating_add(1);
                    entry.cut = Cut::Untold;
                    entry.stage = Stage::Over(JobState::Done);
                });
            }
            SpoolRecord::Cut { .. } => self.cut(Cut::Done),
            SpoolRecord::Unconfirmed { at_us, .. } => {
                self.core.in_order_owed = 0;
                self.end_run(*at_us, |entry, run| {
                    entry.stage = Stage::Over(run.unconfirmed());
                });
            }
            SpoolRecord::Resuming { at_us } => self.ask_soon(*at_us),
            SpoolRecord::Clearing { at_us } => self.core.clearing_since_us = Some(*at_us),
            SpoolRecord::Cleared { at_us } => {
                self.core.clearing_since_us = None;
                self.core.in_order_owed = 0;
                self.core.cutting = None;
                let stage = self.core.queue();
                self.end_run(*at_us, |entry, _| entry.stage = stage);
            }
            SpoolRecord::Answered {
                slip_id,
                copy,
                seen,
            } => self.answered((*slip_id, *copy), *seen),
            SpoolRecord::Scanned {
                slip_id,
                copy,
                print,
            } => self.scanned((*slip_id, *copy), *print),
            SpoolRecord::Expired { slip_id, copy } => {
                let trouble = self.core.status.trouble.unwrap_or(Trouble::Unreachable);
                self.copies.change(&(*slip_id, *copy), |entry| {
                    entry.stage = Stage::Over(JobState::Failed(trouble));
                });
            }
            SpoolRecord::Restarted { at_us } => {
                self.core.silent_since_us = None;
                self.unlink(*at_us, None, Trouble::Interrupted);
                self.core.unwritten = None;
            }
            SpoolRecord::Switched { at_us, off, by } => {
                self.core.off = off.then(|| Off {
                    by: by.clone(),
                    since_us: *at_us,
                });
                if *off {
                    self.skip_waiting();
                }
            }
            SpoolRecord::Installed { printer } => self.core.installed = *printer,
        }
    }

    fn started(&mut self, at_us: u64, key: Key, job: u32, wait_us: u64) {
        self.copies.change(&key, |entry| {
            entry.stage = Stage::InPrinter;
            entry.runs = entry.runs.saturating_add(1);
        });
        let core = &mut self.core;
        core.next_job = job.wrapping_add(1);
        core.unwritten = None;
        core.in_order_owed = core.in_order_owed.saturating_add(1);
        if std::mem::take(&mut core.look_due) {
            core.look_at = Some(key);
        }
        core.run = Some(Run {
            key,
            job,
            evidence: Evidence::NotSent,
            clock: Clock {
                left_us: wait_us,
                since_us: Some(at_us),
            },
            flaw: None,
            checked: false,
        });
    }

    /// As if the print had not started, whether its connection is still there or not.
    fn not_sent(&mut self, at_us: u64) {
        let run = self.core.run.as_ref().map(|run| run.key);
        let unwritten = self.core.unwritten.take().map(|(_, key)| key);
        let Some(key) = run.or(unwritten) else {
            return;
        };
        self.core.in_order_owed = self.core.in_order_owed.saturating_sub(1);
        self.end_run(at_us, |_, _| {});
        let stage = self.core.queue();
        self.copies.change(&key, |entry| {
            entry.runs = entry.runs.saturating_sub(1);
            entry.stage = stage;
        });
    }

    fn told(&mut self, at_us: u64, status: Status, answered: bool) {
        let core = &mut self.core;
        let roll = |status: Status| {
            let at_roll = [Some(Trouble::CoverOpen), Some(Trouble::PaperOut)];
            at_roll.contains(&status.trouble)
        };
        if roll(core.status) && !roll(status) {
            match &core.run {
                Some(run) => core.look_at = Some(run.key),
                None => core.look_due = true,
            }
        }
        core.hot_since_us = match status.trouble {
            Some(Trouble::HeadHot | Trouble::Voltage) => core.hot_since_us.or(Some(at_us)),
            _ => None,
        };
        core.status = status;
        if let Link::Up { asked_us, ask_us } = &mut core.link {
            if answered {
                core.silent_since_us = None;
                *asked_us = None;
                *ask_us = at_us.saturating_add(RETRY_US);
                core.realtime.clear();
            } else if matches!(status.trouble, None | Some(Trouble::Offline)) {
                *ask_us = at_us;
            }
        }
        if let Some(run) = &mut core.run {
            run.told(at_us, status.trouble, answered);
            if answered {
                self.reached(Evidence::Transported);
            }
        }
        if status.trouble == Some(Trouble::Cutter) {
            self.cut(Cut::Stuck);
        }
    }

    /// What became of the latest cut; a stuck one may still come free.
    fn cut(&mut self, cut: Cut) {
        let Some((_, key)) = self.core.cutting else {
            return;
        };
        if cut == Cut::Done {
            self.core.cutting = None;
        }
        self.copies.change(&key, |entry| entry.cut = cut);
    }

    fn answered(&mut self, key: Key, seen: PaperSeen) {
        self.looked(key);
        let in_printer = self.core.run.as_mut().filter(|run| run.key == key);
        let stage = match seen {
            PaperSeen::Complete => JobState::Done,
            PaperSeen::NotNeeded => JobState::Closed,
            PaperSeen::Blank | PaperSeen::Partial | PaperSeen::Nothing => {
                JobState::Failed(seen.trouble().unwrap_or(Trouble::Unknown))
            }
        };
        let running = in_printer.is_some();
        if let (PaperSeen::Complete, Some(run)) = (seen, in_printer) {
            run.evidence = Evidence::Seen;
        }
        self.copies.change(&key, |entry| {
            entry.cause = seen.trouble();
            if seen == PaperSeen::Complete {
                entry.evidence = Evidence::Seen;
            }
            if !running {
                entry.stage = Stage::Over(stage);
            }
        });
    }

    /// A print that can be scanned exists; the latest one settles what was open about the copy.
    fn scanned(&mut self, key: Key, print: u32) {
        self.looked(key);
        let in_printer = self.core.run.as_mut().filter(|run| run.key == key);
        let running = in_printer.is_some();
        self.copies.change(&key, |entry| {
            entry.evidence = Evidence::Seen;
            if print == entry.runs {
                entry.cause = None;
                if let Some(run) = in_printer {
                    run.evidence = Evidence::Seen;
                }
                if !running {
                    entry.stage = Stage::Over(JobState::Done);
                }
            }
        });
    }

    /// Somebody knows about this copy now.
    fn looked(&mut self, key: Key) {
        self.core.unwritten = self
            .core
            .unwritten
            .filter(|(_, unwritten)| *unwritten != key);
        self.core.look_at = self.core.look_at.filter(|look_at| *look_at != key);
    }

    /// Evidence never falls; the entry keeps the best of all its prints.
    fn reached(&mut self, evidence: Evidence) {
        if let Some(run) = &mut self.core.run
            && run.evidence < evidence
        {
            run.evidence = evidence;
            let key = run.key;
            self.copies.change(&key, |entry| {
                entry.evidence = entry.evidence.max(evidence);
            });
        }
    }

    fn end_run(&mut self, at_us: u64, end: impl FnOnce(&mut Entry, &Run)) {
        let Some(run) = self.core.run.take() else {
            return;
        };
        self.copies.change(&run.key, |entry| end(entry, &run));
        self.core.clearing_since_us = None;
        self.ask_soon(at_us);
    }

    fn ask_soon(&mut self, at_us: u64) {
        if let Link::Up { ask_us, .. } = &mut self.core.link {
            *ask_us = at_us;
        }
    }

    fn lost(&mut self, at_us: u64) {
        let core = &mut self.core;
        let silent_us = core
            .silent_since_us
            .map(|since_us| at_us.saturating_sub(since_us));
        let trouble = match core.link {
            _ if core.status.trouble == Some(Trouble::PowerLost) => Trouble::PowerLost,
            Link::Up { .. } if core.strays > 0 => Trouble::Misconfigured,
            Link::Up { .. } if silent_us >= Some(BUSY_ELSEWHERE_US) => Trouble::BusyElsewhere,
            _ => Trouble::Unreachable,
        };
        if !matches!(core.link, Link::Up { .. }) {
            core.silent_since_us = None;
        }
        match self.wants_link() {
            true => self.unlink(at_us.saturating_add(RETRY_US), Some(trouble), trouble),
            false => self.unlink(at_us, None, trouble),
        }
    }

    /// What was in the printer is unknown from now on; nobody but a person sends it again.
    fn unlink(&mut self, retry_us: u64, trouble: Option<Trouble>, cause: Trouble) {
        if let Some(run) = &self.core.run
            && run.evidence == Evidence::NotSent
        {
            self.core.unwritten = Some((run.job, run.key));
        }
        self.end_run(retry_us, |entry, run| {
            entry.stage = Stage::Over(match run.evidence {
                Evidence::Seen => JobState::Done,
                _ => JobState::Unknown(cause),
            });
        });
        let core = &mut self.core;
        if let Some(Trouble::CoverOpen | Trouble::PaperOut) = core.status.trouble {
            core.look_due = true;
        }
        core.link = Link::Down { retry_us };
        core.cutting = None;
        core.clearing_since_us = None;
        core.answers = Answers::default();
        core.realtime.clear();
        core.strays = 0;
        core.status = Status {
            trouble,
            paper_low: false,
        };
    }

    fn submitted(
        &mut self,
        key: Key,
        says: Says,
        (language, paper): (Language, Paper),
        at_us: u64,
    ) {
        let entry = Entry {
            says,
            language,
            paper,
            place: self.core.take_place(),
            since_us: at_us,
            stage: self.core.queue(),
            evidence: Evidence::NotSent,
            runs: 0,
            printed: 0,
            cut: Cut::Untold,
            cause: None,
        };
        self.copies.put(key, entry);
        self.core.last = Some(key.0);
    }

    fn skip_waiting(&mut self) {
        let waiting: Vec<Key> = self.copies.waiting().map(|(key, _)| key).collect();
        for key in waiting {
            self.copies.change(&key, |entry| {
                entry.stage = Stage::Over(JobState::Skipped(Trouble::Disabled));
            });
        }
    }

    pub(super) fn wants_link(&self) -> bool {
        self.core.run.is_some() || self.copies.waiting_count() > 0
    }

    /// When a `Tick` is due, in microseconds.
    pub(super) fn deadline(&self) -> Option<u64> {
        let first = self.copies.waiting().next();
        let expiry = first.map(|(_, entry)| expiry_us(entry));
        let link = self.wants_link().then(|| self.core.link_deadline());
        let dates = expiry.into_iter().chain(self.core.confirm_deadline());
        dates.chain(link).min()
    }
}

impl Core {
    /// How a copy stands, to be shown.
    pub(super) fn shown(&self, stage: Stage) -> JobState {
        match (stage, self.status.trouble) {
            (Stage::Over(state), _) => state,
            (Stage::InPrinter | Stage::Waiting, Some(trouble)) => JobState::Held(trouble),
            (Stage::Waiting, None) => JobState::Queued,
            (Stage::InPrinter, None) => JobState::Printing,
        }
    }

    /// Where a copy goes that is to be printed.
    fn queue(&self) -> Stage {
        match self.off {
            Some(_) => Stage::Over(JobState::Skipped(Trouble::Disabled)),
            None => Stage::Waiting,
        }
    }

    fn take_place(&mut self) -> u64 {
        let place = self.next_place;
        self.next_place += 1;
        place
    }

    pub(super) fn link_deadline(&self) -> u64 {
        if let Some(since_us) = self.clearing_since_us {
            return since_us.saturating_add(ANSWER_WAIT_US);
        }
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

    /// When the print in the printer is given up; a parsed one first waits for one more answer that all is well, and
    /// the link's own deadline bounds that.
    pub(super) fn confirm_deadline(&self) -> Option<u64> {
        let run = self.run.as_ref()?;
        if run.evidence == Evidence::Parsed && run.flaw.is_none() && !run.checked {
            return None;
        }
        Some(run.clock.since_us?.saturating_add(run.clock.left_us))
    }
}

impl Run {
    fn told(&mut self, at_us: u64, trouble: Option<Trouble>, answered: bool) {
        let clock = &mut self.clock;
        match (trouble, clock.since_us) {
            (Some(_), Some(since_us)) => {
                let gone_us = at_us.saturating_sub(since_us);
                clock.left_us = clock.left_us.saturating_sub(gone_us).max(MARGIN_US);
                clock.since_us = None;
            }
            (None, None) => clock.since_us = Some(at_us),
            _ => {}
        }
        self.flaw = self.flaw.or(trouble);
        self.checked |= answered && trouble.is_none() && self.evidence >= Evidence::Parsed;
    }

    /// What it is called when its time is up and no ID proved it (§3.5).
    fn unconfirmed(&self) -> JobState {
        match (self.evidence, self.flaw) {
            (Evidence::Seen, _) | (Evidence::Parsed, None) => JobState::Done,
            (Evidence::NotSent, None) => JobState::Unknown(Trouble::Stalled),
            (_, None) => JobState::Unknown(Trouble::Unknown),
            (_, Some(flaw)) => JobState::Unknown(flaw),
        }
    }
}

pub(super) fn expiry_us(entry: &Entry) -> u64 {
    entry.since_us.saturating_add(EXPIRE_US)
}
