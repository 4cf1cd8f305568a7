//! The print spool: which slips wait, what was sent, and what the printer proved about it.
//!
//! State is its records applied in order. Exactly one unmarked original of a slip's copy is ever sent:
//! the record that a print started is durable before its bytes leave, and every later print is marked.
//! Only a process ID echoed by the printer is called printed.

use crate::answers::{Answer, Answers, Status};
use crate::escpos::{Section, process_id};
use crate::slip::{CopyOf, Language, Paper, Reprint, SlipFields, lay_out};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most copies of slips that are kept, waiting or done; the oldest finished one makes room.
pub const JOBS_MAX: usize = 128;
/// A printer that is not well is asked again, or connected again, after this.
pub const RETRY_US: u64 = 3_000_000;
/// A connection that does not come up within this is given up.
pub const CONNECT_WAIT_US: u64 = 5_000_000;
/// A printer that does not answer the status question before a job within this is unreachable.
pub const ANSWER_WAIT_US: u64 = 2_000_000;
/// The same while it prints: over TCP the question may wait behind the slip.
pub const BUSY_ANSWER_WAIT_US: u64 = 30_000_000;
/// A well printer that has not confirmed a slip within this will not confirm it.
pub const CONFIRM_WAIT_US: u64 = 20_000_000;
/// A slip that could not be sent within this is given up, until somebody asks for it again.
pub const EXPIRE_US: u64 = 30 * 60 * 1_000_000;

/// How much is known about a slip's way to paper (receipts reference §1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Evidence {
    /// E0: only in the spool.
    #[default]
    NotSent,
    /// E1: the operating system accepted the bytes.
    HandedOver,
    /// E2: the printer's end of the connection took them.
    Transported,
    /// E3: the printer took every byte out of its buffer.
    Parsed,
    /// E4: the printer says that it is on paper.
    Printed,
}

impl Evidence {
    /// The digit of its level, 0 to 4.
    pub fn level(self) -> u8 {
        self as u8
    }

    /// zh-CN and en; only E4 is called printed.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Evidence::NotSent => ("未发送", "not sent"),
            Evidence::HandedOver | Evidence::Transported | Evidence::Parsed => {
                ("已发送，未确认", "sent, not confirmed")
            }
            Evidence::Printed => ("已打印", "printed"),
        }
    }
}

/// Where a slip's latest print stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Waits for the printer.
    Queued,
    /// Sent, and the printer is well.
    Printing,
    /// Over: printed at E4, sent and not confirmed below.
    Done,
    /// Waits until the trouble is over, then goes on by itself.
    Held(Trouble),
    /// Given up; only a reprint starts it again.
    Failed(Trouble),
}

impl JobState {
    /// zh-CN and en; `evidence` is what [`Spool::evidence`] tells with the state.
    pub fn words(self, evidence: Evidence) -> (&'static str, &'static str) {
        match self {
            JobState::Queued => ("等待打印", "waiting to print"),
            JobState::Printing => ("正在打印", "printing"),
            JobState::Done => evidence.words(),
            JobState::Held(trouble) | JobState::Failed(trouble) => trouble.words(),
        }
    }
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolInput {
    /// A new slip; the same slip and copy a second time changes nothing.
    Submit {
        /// Never used again for another slip.
        slip_id: u64,
        /// What it says.
        fields: SlipFields,
        /// Whose copy.
        copy: CopyOf,
        /// Its language.
        language: Language,
        /// Its paper.
        paper: Paper,
    },
    /// Print every copy of this slip once more, marked unless no byte of it was ever sent.
    Reprint {
        /// The slip.
        slip_id: u64,
    },
    /// The connection that was asked for is up.
    Connected,
    /// The connection is gone or did not come up.
    Lost,
    /// Bytes from the printer.
    Heard(Vec<u8>),
    /// The operating system took all bytes of this job.
    Wrote {
        /// From [`SpoolEffect::Send`].
        job: u32,
    },
    /// Time has passed.
    Tick,
    /// The first input after a start on replayed records; any connection is gone.
    Restarted,
    /// Printing was switched off (`true`) or on in the settings.
    SwitchedOff(bool),
}

/// What was decided; the only thing that changes the spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // field names say it: times in microseconds, keys of the slip and its copy
pub enum SpoolRecord {
    /// A slip entered the spool.
    Submitted {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
        language: Language,
        paper: Paper,
        fields: Box<SlipFields>,
    },
    /// A finished slip is to be printed again.
    Wanted {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
    },
    /// A finished slip made room for a new one.
    Forgotten { slip_id: u64, copy: CopyOf },
    /// A connection was asked for.
    Connecting { at_us: u64 },
    /// The connection came up.
    Connected { at_us: u64 },
    /// The connection went down, or was given up.
    Lost { at_us: u64 },
    /// The status question was asked.
    Asked { at_us: u64 },
    /// Half an answer waits for its rest.
    Listening { answers: Answers, realtime: Vec<u8> },
    /// The printer told its status, by itself or as the answer to the question.
    Told {
        at_us: u64,
        status: Status,
        answered: bool,
    },
    /// A print starts; durable before its first byte leaves.
    Started {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
        job: u32,
    },
    /// Evidence of a print, E1 to E3.
    Reached { job: u32, evidence: Evidence },
    /// The printer echoed the print's process ID.
    Printed { at_us: u64, job: u32 },
    /// A well printer did not confirm the print in time.
    Unconfirmed { at_us: u64, job: u32 },
    /// A slip waited too long.
    Expired { slip_id: u64, copy: CopyOf },
    /// The process started again.
    Restarted { at_us: u64 },
    /// Printing was switched off or on.
    Switched { off: bool },
}

/// What the driver must do, in order, never before the records are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolEffect {
    /// Connect to the printer; answered by `Connected` or `Lost`.
    Connect,
    /// Send these bytes whole; answered by `Wrote`.
    Send {
        /// The print.
        job: u32,
        /// ESC/POS.
        bytes: Vec<u8>,
    },
    /// Send [`crate::escpos::STATUS_QUESTION`].
    Query,
    /// Close the connection.
    Close,
    /// A copy's state or evidence changed.
    Changed {
        /// The slip.
        slip_id: u64,
        /// Which copy of it.
        copy: CopyOf,
        /// Where its latest print stands.
        state: JobState,
        /// The best evidence of any of its prints.
        evidence: Evidence,
    },
    /// A slip that is not known was to be printed again, or a new one found [`JOBS_MAX`] unfinished.
    Refused {
        /// The slip.
        slip_id: u64,
    },
}

/// The spool of one printer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spool {
    entries: BTreeMap<(u64, CopyOf), Entry>,
    run: Option<Run>,
    link: Link,
    off: bool,
    status: Status,
    answers: Answers,
    realtime: Vec<u8>,
    next_job: u32,
    next_place: u64,
    last: Option<u64>,
}

/// One copy of one slip.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    fields: Arc<SlipFields>,
    language: Language,
    paper: Paper,
    /// Order in the queue.
    place: u64,
    /// Since when it wants to be printed.
    since_us: u64,
    state: JobState,
    evidence: Evidence,
    /// Prints that were started; the next one is marked unless this is 0.
    runs: u32,
    /// Prints that reached E4.
    printed: u32,
}

/// The print that is in the printer now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    key: (u64, CopyOf),
    job: u32,
    evidence: Evidence,
    /// Since when a well printer owes the confirmation; `None` while it is in trouble.
    owed_since_us: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
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
    /// What this input leads to; changes nothing.
    pub fn decide(&self, now_us: u64, input: SpoolInput) -> (Vec<SpoolRecord>, Vec<SpoolEffect>) {
        let mut turn = Turn {
            now_us,
            next: self.clone(),
            records: Vec::new(),
            effects: Vec::new(),
        };
        match input {
            SpoolInput::Submit {
                slip_id,
                fields,
                copy,
                language,
                paper,
            } => turn.submit(slip_id, fields, copy, language, paper),
            SpoolInput::Reprint { slip_id } => turn.reprint(slip_id),
            SpoolInput::Connected => turn.connected(),
            SpoolInput::Lost => turn.lost(),
            SpoolInput::Heard(bytes) => turn.heard(&bytes),
            SpoolInput::Wrote { job } => turn.reached(job, Evidence::HandedOver),
            SpoolInput::Tick => {}
            SpoolInput::Restarted => turn.record(SpoolRecord::Restarted { at_us: now_us }),
            SpoolInput::SwitchedOff(off) => turn.switched(off),
        }
        turn.step();
        turn.tell_changes(self);
        (turn.records, turn.effects)
    }

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
                let retry_us = match self.wants_link() {
                    true => at_us.saturating_add(RETRY_US),
                    false => *at_us,
                };
                self.unlink(retry_us, Some(trouble));
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
                self.run = Some(Run {
                    key,
                    job: *job,
                    evidence: Evidence::NotSent,
                    owed_since_us: Some(*at_us),
                });
            }
            SpoolRecord::Reached { evidence, .. } => self.reached(*evidence),
            SpoolRecord::Printed { at_us, .. } => {
                self.reached(Evidence::Printed);
                self.end_run(*at_us, |entry, _| {
                    entry.printed = entry.printed.saturating_add(1);
                    entry.state = JobState::Done;
                });
            }
            SpoolRecord::Unconfirmed { at_us, .. } => self.end_run(*at_us, |entry, run| {
                entry.state = match run.evidence {
                    Evidence::Parsed | Evidence::Printed => JobState::Done,
                    _ => JobState::Failed(Trouble::Unknown),
                };
            }),
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

    fn copies(&self, slip_id: u64) -> impl Iterator<Item = (CopyOf, &Entry)> + Clone {
        self.entries
            .range((slip_id, CopyOf::Merchant)..=(slip_id, CopyOf::Cardholder))
            .map(|((_, copy), entry)| (*copy, entry))
    }

    /// Entries that wait to be sent, in no order.
    fn waiting(&self) -> impl Iterator<Item = (&(u64, CopyOf), &Entry)> {
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

    fn wants_link(&self) -> bool {
        self.run.is_some() || (!self.off && self.waiting().next().is_some())
    }

    fn link_deadline(&self) -> u64 {
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

    fn confirm_deadline(&self) -> Option<u64> {
        let owed_since_us = self.run.as_ref()?.owed_since_us?;
        Some(owed_since_us.saturating_add(CONFIRM_WAIT_US))
    }
}

fn waits(state: JobState) -> bool {
    matches!(
        state,
        JobState::Queued | JobState::Held(_) | JobState::Printing
    )
}

fn expiry_us(entry: &Entry) -> u64 {
    entry.since_us.saturating_add(EXPIRE_US)
}

/// One decision in the making: the state as its records leave it.
struct Turn {
    now_us: u64,
    next: Spool,
    records: Vec<SpoolRecord>,
    effects: Vec<SpoolEffect>,
}

impl Turn {
    fn record(&mut self, record: SpoolRecord) {
        self.next.apply(&record);
        self.records.push(record);
    }

    fn submit(
        &mut self,
        slip_id: u64,
        fields: SlipFields,
        copy: CopyOf,
        language: Language,
        paper: Paper,
    ) {
        if self.next.entries.contains_key(&(slip_id, copy)) {
            return;
        }
        if self.next.entries.len() >= JOBS_MAX {
            let finished = |(_, entry): &(&(u64, CopyOf), &Entry)| !waits(entry.state);
            let entries = self.next.entries.iter().filter(finished);
            let Some((&(slip_id_old, copy_old), _)) = entries.min_by_key(|(_, entry)| entry.place)
            else {
                self.effects.push(SpoolEffect::Refused { slip_id });
                return;
            };
            self.record(SpoolRecord::Forgotten {
                slip_id: slip_id_old,
                copy: copy_old,
            });
        }
        self.record(SpoolRecord::Submitted {
            at_us: self.now_us,
            slip_id,
            copy,
            language,
            paper,
            fields: Box::new(fields.bounded()),
        });
    }

    fn reprint(&mut self, slip_id: u64) {
        let copies: Vec<_> = self.next.copies(slip_id).collect();
        if copies.is_empty() {
            self.effects.push(SpoolEffect::Refused { slip_id });
            return;
        }
        let finished: Vec<CopyOf> = copies
            .iter()
            .filter(|(_, entry)| !waits(entry.state))
            .map(|(copy, _)| *copy)
            .collect();
        for copy in finished {
            self.record(SpoolRecord::Wanted {
                at_us: self.now_us,
                slip_id,
                copy,
            });
        }
    }

    fn connected(&mut self) {
        if let Link::Up { .. } = self.next.link {
            self.record(SpoolRecord::Lost { at_us: self.now_us });
        }
        self.record(SpoolRecord::Connected { at_us: self.now_us });
    }

    fn lost(&mut self) {
        if !matches!(self.next.link, Link::Down { .. }) {
            self.record(SpoolRecord::Lost { at_us: self.now_us });
        }
    }

    fn switched(&mut self, off: bool) {
        if off != self.next.off {
            self.record(SpoolRecord::Switched { off });
        }
    }

    fn reached(&mut self, job: u32, evidence: Evidence) {
        let better = |run: &Run| run.job == job && run.evidence < evidence;
        if self.next.run.as_ref().is_some_and(better) {
            self.record(SpoolRecord::Reached { job, evidence });
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        let Link::Up { asked_us, .. } = self.next.link else {
            return;
        };
        let mut answers = self.next.answers.clone();
        let mut realtime = self.next.realtime.clone();
        let mut told = None;
        let mut answered = false;
        for answer in answers.hear(bytes) {
            match answer {
                Answer::Realtime(byte) if asked_us.is_some() && !answered => {
                    realtime.push(byte);
                    if let Ok(four) = <[u8; 4]>::try_from(&realtime[..]) {
                        realtime.clear();
                        answered = true;
                        told = Some(Status::from_realtime(four));
                    }
                }
                Answer::AutoStatus(four) => told = Some(Status::from_auto(four)),
                Answer::PowerOff => {
                    told = Some(Status {
                        trouble: Some(Trouble::PowerLost),
                        paper_low: false,
                    });
                }
                Answer::InOrder(_) => {
                    if let Some(job) = self.next.run.as_ref().map(|run| run.job) {
                        self.reached(job, Evidence::Parsed);
                    }
                }
                Answer::ProcessId(id) => self.echoed(id),
                Answer::Realtime(_) | Answer::Cleared => {}
            }
        }
        if let Some(status) = told
            && (answered || status != self.next.status)
        {
            self.record(SpoolRecord::Told {
                at_us: self.now_us,
                status,
                answered,
            });
        }
        if answers != self.next.answers || realtime != self.next.realtime {
            self.record(SpoolRecord::Listening { answers, realtime });
        }
        if answered && self.next.status.trouble.is_none() {
            self.start();
        }
    }

    /// Either section proves the print: the cut comes after the body. Any other ID is not ours.
    fn echoed(&mut self, id: [u8; 4]) {
        let Some(job) = self.next.run.as_ref().map(|run| run.job) else {
            return;
        };
        if [Section::Body, Section::Cut]
            .map(|section| process_id(job, section))
            .contains(&id)
        {
            self.record(SpoolRecord::Printed {
                at_us: self.now_us,
                job,
            });
        }
    }

    /// The printer just said that it is well: the oldest waiting copy goes.
    fn start(&mut self) {
        if self.next.run.is_some() || self.next.off {
            return;
        }
        let now_us = self.now_us;
        let due = self
            .next
            .waiting()
            .filter(|(_, entry)| now_us < expiry_us(entry));
        let Some((&(slip_id, copy), entry)) = due.min_by_key(|(_, entry)| entry.place) else {
            return;
        };
        let reprint = (entry.runs > 0).then(|| Reprint {
            count: entry.runs,
            original_time: entry.fields.date_time.clone(),
        });
        let slip = lay_out(&entry.fields, copy, entry.language, entry.paper, reprint);
        let job = self.next.next_job;
        self.record(SpoolRecord::Started {
            at_us: now_us,
            slip_id,
            copy,
            job,
        });
        self.effects.push(SpoolEffect::Send {
            job,
            bytes: slip.escpos_substituted(job),
        });
    }

    /// Whatever is due by now.
    fn step(&mut self) {
        let now_us = self.now_us;
        let expired = self
            .next
            .waiting()
            .filter(|(_, entry)| expiry_us(entry) <= now_us);
        let expired: Vec<_> = expired.map(|(key, _)| *key).collect();
        for (slip_id, copy) in expired {
            self.record(SpoolRecord::Expired { slip_id, copy });
        }
        if self
            .next
            .confirm_deadline()
            .is_some_and(|due| due <= now_us)
            && let Some(job) = self.next.run.as_ref().map(|run| run.job)
        {
            self.record(SpoolRecord::Unconfirmed { at_us: now_us, job });
        }
        if !self.next.wants_link() || self.next.link_deadline() > now_us {
            return;
        }
        match self.next.link {
            Link::Down { .. } => {
                self.record(SpoolRecord::Connecting { at_us: now_us });
                self.effects.push(SpoolEffect::Connect);
            }
            Link::Up { asked_us: None, .. } => {
                self.record(SpoolRecord::Asked { at_us: now_us });
                self.effects.push(SpoolEffect::Query);
            }
            Link::Connecting { .. } | Link::Up { .. } => {
                self.record(SpoolRecord::Lost { at_us: now_us });
                self.effects.push(SpoolEffect::Close);
            }
        }
    }

    fn tell_changes(&mut self, before: &Spool) {
        for (key, entry) in &self.next.entries {
            let told = |entry: &Entry| (entry.state, entry.evidence, entry.runs, entry.printed);
            if before.entries.get(key).map(told) != Some(told(entry)) {
                self.effects.push(SpoolEffect::Changed {
                    slip_id: key.0,
                    copy: key.1,
                    state: entry.state,
                    evidence: entry.evidence,
                });
            }
        }
    }
}
