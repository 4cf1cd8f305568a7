//! The doctor's state: its records applied in order, and what can be asked of it.
//!
//! What it keeps is bounded: one sight, the steps taken, and one mark for each row.

use super::{
    COOL_WAIT_US, DoctorRecord, Fault, Next, Outcome, PAGE_WAIT_US, Printer, Question, Reply,
    ServiceTicket, Sight, Step, Symptom, Taken, Test,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One dialogue about one printer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctor {
    pub(super) sale_open: bool,
    pub(super) began_us: u64,
    pub(super) sight: Option<Sight>,
    pub(super) heard: Heard,
    pub(super) tried: BTreeMap<Fault, Tried>,
    pub(super) step: Option<Step>,
    pub(super) since_us: u64,
    /// A person did what the step says; the next look judges it.
    pub(super) done: bool,
    pub(super) code: Option<u16>,
    pub(super) pages: u8,
    /// The row that was worked on last.
    pub(super) suspect: Option<Fault>,
    pub(super) taken: Vec<Taken>,
    pub(super) outcome: Option<Outcome>,
}

/// What a person has answered so far; a question that must be asked anew is open again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Water, smoke or a burning smell.
    pub wet: Option<bool>,
    /// The power lamp is on.
    pub power_lamp: Option<bool>,
    /// The ready lamp is steady.
    pub ready_lamp: Option<bool>,
    /// Another till uses this printer too.
    pub other_till: Option<bool>,
    /// What the paper looks like.
    pub symptom: Option<Symptom>,
    /// The code on the last test page was not read.
    pub unread: bool,
}

/// What was tried about one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tried {
    pub(super) times: u8,
    pub(super) failed: bool,
    pub(super) swapped: bool,
}

impl Doctor {
    /// Takes one record into the state.
    pub fn apply(&mut self, record: &DoctorRecord) {
        match record {
            DoctorRecord::Began {
                at_us,
                sale_open,
                symptom,
            } => {
                *self = Doctor {
                    sale_open: *sale_open,
                    began_us: *at_us,
                    heard: Heard {
                        symptom: *symptom,
                        ..Heard::default()
                    },
                    ..Doctor::default()
                };
            }
            DoctorRecord::Saw { sight } => self.sight = Some((**sight).clone()),
            DoctorRecord::Replied { reply } => self.replied(*reply),
            DoctorRecord::Done => {
                self.done = true;
                if self.suspect == Some(Fault::PowerOff) {
                    // The lamps may tell something else now.
                    self.heard.power_lamp = None;
                    self.heard.ready_lamp = None;
                }
            }
            DoctorRecord::Judged { passed } => self.judged(*passed),
            DoctorRecord::Printed { code, .. } => self.code = Some(*code),
            DoctorRecord::Stepped { at_us, step } => self.stepped(*at_us, *step),
            DoctorRecord::Ended { outcome } => self.outcome = Some(*outcome),
        }
    }

    /// The open step; `None` before it began and after it ended.
    pub fn step(&self) -> Option<Step> {
        self.step.filter(|_| self.outcome.is_none())
    }

    /// How it ended.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// What the machine saw last.
    pub fn sight(&self) -> Option<&Sight> {
        self.sight.as_ref()
    }

    /// The steps so far, with answers and results.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// When a `Tick` is due, in microseconds.
    pub fn deadline(&self) -> Option<u64> {
        let wait_us = match self.step()? {
            Step::Do {
                fault: Fault::HeadHot,
            } => COOL_WAIT_US,
            Step::Print => PAGE_WAIT_US,
            _ => return None,
        };
        Some(self.since_us.saturating_add(wait_us))
    }

    /// Everything a person with tools needs to know; `opened` is the caller's date and time.
    pub fn ticket(&self, printer: Printer, opened: String) -> ServiceTicket {
        ServiceTicket::new(self, printer, opened)
    }

    fn replied(&mut self, reply: Reply) {
        if let Some(taken) = self.taken.last_mut() {
            taken.reply = Some(reply);
        }
        if reply == Reply::Stop {
            self.heard.wet = Some(true);
        }
        let Some(Step::Ask { question, .. }) = self.step else {
            if let Reply::Looks(symptom) = reply {
                self.heard.symptom = Some(symptom);
            }
            return;
        };
        let yes = match reply {
            Reply::Yes => Some(true),
            Reply::No => Some(false),
            _ => None,
        };
        match question {
            Question::Wet => self.heard.wet = yes,
            Question::PowerLamp => self.heard.power_lamp = yes,
            Question::ReadyLamp => self.heard.ready_lamp = yes,
            Question::OtherTill => self.heard.other_till = yes,
            Question::Paper => {
                if let Reply::Looks(symptom) = reply {
                    self.heard.symptom = Some(symptom);
                }
            }
        }
    }

    fn judged(&mut self, passed: bool) {
        if let Some(taken) = self.taken.last_mut() {
            taken.passed = Some(passed);
        }
        match self.step {
            Some(Step::Do { fault }) if !passed => {
                self.tried.entry(fault).or_default().failed = true;
                if fault.row().otherwise == Next::TestPage {
                    // A warning that was heard keeps nobody from printing.
                    self.suspect = None;
                }
            }
            Some(Step::Do { .. } | Step::Swap { .. }) if passed => self.heard.symptom = None,
            // The code is the closing test of a row that shows only on paper.
            Some(Step::ReadCode) if !passed => {
                self.heard.unread = true;
                let on_paper = |fault: &Fault| fault.row().test == Test::Code;
                if let Some(fault) = self.suspect.filter(on_paper) {
                    self.tried.entry(fault).or_default().failed = true;
                }
            }
            _ => {}
        }
        self.done = false;
    }

    fn stepped(&mut self, at_us: u64, step: Step) {
        match step {
            Step::Do { fault } => {
                self.suspect = Some(fault);
                let tried = self.tried.entry(fault).or_default();
                tried.times = tried.times.saturating_add(1);
            }
            Step::Swap { fault, .. } => {
                self.suspect = Some(fault);
                self.tried.entry(fault).or_default().swapped = true;
            }
            Step::Print => {
                self.pages = self.pages.saturating_add(1);
                self.heard.unread = false;
                self.heard.symptom = None;
                self.code = None;
            }
            Step::Look | Step::Ask { .. } | Step::ReadCode => {}
        }
        self.step = Some(step);
        self.since_us = at_us;
        self.done = false;
        self.taken.push(Taken {
            after_s: at_us.saturating_sub(self.began_us) / 1_000_000,
            step,
            saw: self
                .sight
                .as_ref()
                .map(|sight| (sight.reach, sight.status.trouble)),
            reply: None,
            passed: None,
        });
    }
}
