//! Deciding: what an input leads to, worked out on a copy of the state that its records have changed.
//!
//! A step that failed leads to a swap, then to the next row, then to a ticket, never to itself.

use super::{
    Doctor, DoctorEffect, DoctorInput, DoctorRecord, Fault, Next, Outcome, QUESTIONS, Question,
    ROWS, Reply, STEPS_MAX, Sight, Step, Symptom, TEST_PAGES_MAX, Test,
};
use crate::spool::Evidence;

/// Most times the instruction of one row is given; between them its test was passed.
const TIMES_MAX: u8 = 2;

impl Doctor {
    /// What this input leads to; changes nothing.
    pub fn decide(
        &self,
        now_us: u64,
        input: DoctorInput,
    ) -> (Vec<DoctorRecord>, Vec<DoctorEffect>) {
        let mut turn = Turn {
            now_us,
            next: self.clone(),
            records: Vec::new(),
            effects: Vec::new(),
        };
        match input {
            DoctorInput::Replied(Reply::Stop) if self.outcome != Some(Outcome::Stop) => {
                turn.record(DoctorRecord::Replied { reply: Reply::Stop });
                turn.end(Outcome::Stop);
            }
            _ if self.outcome.is_some() => {}
            DoctorInput::Began { sale_open, symptom } if self.step.is_none() => {
                turn.record(DoctorRecord::Began {
                    at_us: now_us,
                    sale_open,
                    symptom,
                });
                turn.go(Step::Look, Some(DoctorEffect::Look));
            }
            DoctorInput::Began { .. } => {}
            _ if self.step.is_none() => {}
            DoctorInput::Saw(sight) => turn.saw(sight.normal()),
            DoctorInput::Replied(reply) => turn.replied(reply),
            DoctorInput::Printed { code, evidence } => turn.printed(code, evidence),
            DoctorInput::Tick => turn.tick(),
        }
        (turn.records, turn.effects)
    }
}

/// One decision in the making: the state as its records leave it.
struct Turn {
    now_us: u64,
    next: Doctor,
    records: Vec<DoctorRecord>,
    effects: Vec<DoctorEffect>,
}

impl Turn {
    fn record(&mut self, record: DoctorRecord) {
        self.next.apply(&record);
        self.records.push(record);
    }

    fn judge(&mut self, passed: bool) {
        self.record(DoctorRecord::Judged { passed });
    }

    /// A test that was passed before the step began closes it only once a person says that it is done.
    fn saw(&mut self, sight: Sight) {
        let before = self.next.sight.clone().unwrap_or_default();
        if self.next.sight.as_ref() != Some(&sight) {
            self.record(DoctorRecord::Saw {
                sight: Box::new(sight.clone()),
            });
        }
        let next = &self.next;
        match next.step {
            Some(Step::Look) => self.choose(),
            Some(Step::Do { fault } | Step::Swap { fault, .. }) => {
                let test = fault.row().test;
                if test.passed_by(&sight) && (next.done || !test.passed_by(&before)) {
                    self.judge(true);
                    self.choose();
                } else if next.done && next.deadline().is_none() {
                    if !next.is_behind_another(fault) {
                        self.judge(false);
                    }
                    self.choose();
                }
            }
            Some(Step::Ask { question, .. }) if !question.row().wanted(&sight, &next.heard) => {
                self.choose();
            }
            Some(Step::Print) if sight.is_blocked() => self.choose(),
            _ => {}
        }
    }

    fn replied(&mut self, reply: Reply) {
        if reply == Reply::GiveUp {
            self.record(DoctorRecord::Replied { reply });
            return self.end(Outcome::Ticket(self.next.suspect()));
        }
        let Some(step) = self.next.step.filter(|step| step.takes(reply)) else {
            return;
        };
        self.record(DoctorRecord::Replied { reply });
        match (step, reply) {
            (Step::Ask { .. }, _) if self.next.heard.wet == Some(true) => self.end(Outcome::Stop),
            (Step::Ask { .. }, _) => self.choose(),
            (Step::Do { fault } | Step::Swap { fault, .. }, Reply::Yes) => {
                if fault.row().test == Test::Code {
                    return self.print();
                }
                self.record(DoctorRecord::Done);
                if fault.row().recovers {
                    self.effects.push(DoctorEffect::Recover);
                }
                self.effects.push(DoctorEffect::Look);
            }
            (Step::Do { .. } | Step::Swap { .. }, _) => {
                self.judge(false);
                self.choose();
            }
            (Step::ReadCode, Reply::Code(code)) if self.next.code == Some(code) => {
                self.judge(true);
                let fixed = self.next.suspect.map_or(Outcome::Healthy, Outcome::Fixed);
                self.end(fixed);
            }
            (Step::ReadCode, _) => {
                self.judge(false);
                self.choose();
            }
            (Step::Look | Step::Print, _) => {}
        }
    }

    /// A page on paper proves that no status keeps the printer from printing.
    fn printed(&mut self, code: u16, evidence: Evidence) {
        let Some(step) = self.next.step else { return };
        match step {
            Step::Print => {}
            _ if evidence != Evidence::Printed || step == Step::ReadCode => return,
            Step::Do { .. } | Step::Swap { .. } => self.judge(true),
            _ => {}
        }
        self.record(DoctorRecord::Printed { code, evidence });
        self.go(Step::ReadCode, None);
    }

    fn tick(&mut self) {
        if self.next.deadline().is_none_or(|due| due > self.now_us) {
            return;
        }
        if self.next.step == Some(Step::Print) {
            let stalled = Sight {
                stalled: true,
                ..self.next.sight.clone().unwrap_or_default()
            };
            self.record(DoctorRecord::Saw {
                sight: Box::new(stalled),
            });
        } else {
            self.judge(false);
        }
        self.choose();
    }

    /// The next step: the cheapest question that tells rows apart, else the first row that is seen, else the proof.
    fn choose(&mut self) {
        let next = &self.next;
        let sight = next.sight.clone().unwrap_or_default();
        let question = QUESTIONS.iter().find(|row| row.wanted(&sight, &next.heard));
        if let Some(row) = question {
            let suspect = next.seen().or_else(|| row.suspect(&sight));
            let question = row.question;
            return self.go(Step::Ask { question, suspect }, None);
        }
        match next.seen() {
            Some(fault) => self.treat(fault),
            None => self.print(),
        }
    }

    fn treat(&mut self, fault: Fault) {
        let row = fault.row();
        let tried = self.next.tried.get(&fault).copied().unwrap_or_default();
        let step = Step::Do { fault };
        if !tried.failed && tried.times < TIMES_MAX && self.next.step != Some(step) {
            return self.go(step, None);
        }
        match row.swap {
            Some(swap) if !tried.swapped => self.go(Step::Swap { fault, swap }, None),
            _ => match row.otherwise {
                Next::Row(other) => self.treat(other),
                Next::TestPage => self.print(),
                Next::Ticket => self.end(Outcome::Ticket(Some(fault))),
            },
        }
    }

    fn print(&mut self) {
        if self.next.pages >= TEST_PAGES_MAX {
            return self.end(Outcome::Ticket(self.next.suspect()));
        }
        self.go(Step::Print, Some(DoctorEffect::PrintTestPage));
    }

    fn go(&mut self, step: Step, effect: Option<DoctorEffect>) {
        if self.next.taken.len() >= STEPS_MAX {
            return self.end(Outcome::Ticket(self.next.suspect()));
        }
        self.record(DoctorRecord::Stepped {
            at_us: self.now_us,
            step,
        });
        self.effects.push(DoctorEffect::Show);
        self.effects.extend(effect);
    }

    fn end(&mut self, outcome: Outcome) {
        self.record(DoctorRecord::Ended { outcome });
        self.effects.push(DoctorEffect::Show);
    }
}

impl Doctor {
    /// The first row that what was seen and heard points to, without warnings that were heard already.
    fn seen(&self) -> Option<Fault> {
        let sight = self.sight.as_ref()?;
        let spent = |fault: Fault| {
            let tried = self.tried.get(&fault).copied().unwrap_or_default();
            tried.failed && fault.row().otherwise == Next::TestPage
        };
        let row = ROWS
            .iter()
            .find(|row| (row.sees)(sight, &self.heard) && !spent(row.fault))?;
        Some(row.fault)
    }

    /// Something that was not tried in vain yet stands before this row: the row itself did not fail.
    fn is_behind_another(&self, fault: Fault) -> bool {
        let fresh = |other: &Fault| self.tried.get(other).is_none_or(|tried| !tried.failed);
        self.seen()
            .filter(fresh)
            .is_some_and(|other| other != fault)
    }

    fn suspect(&self) -> Option<Fault> {
        match self.step {
            Some(Step::Ask { suspect, .. }) => suspect.or(self.suspect),
            _ => self.suspect,
        }
    }
}

impl Step {
    /// Whether this reply answers it.
    pub fn takes(self, reply: Reply) -> bool {
        match (self, reply) {
            (_, Reply::Stop | Reply::GiveUp) => true,
            (Step::Look | Step::Print, _) => false,
            (
                Step::Ask {
                    question: Question::Paper,
                    ..
                },
                reply,
            ) => matches!(reply, Reply::Looks(_)),
            (Step::Ask { .. } | Step::Do { .. } | Step::Swap { .. }, reply) => {
                matches!(reply, Reply::Yes | Reply::No)
            }
            (Step::ReadCode, reply) => {
                matches!(reply, Reply::Code(_) | Reply::No)
                    || matches!(reply, Reply::Looks(symptom) if symptom != Symptom::Fine)
            }
        }
    }
}
