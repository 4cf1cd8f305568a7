//! Deciding: what an input leads to, worked out on a copy of the state that its records have changed.
//!
//! Nothing is sent to a printer that has not just said that it is well.

use super::state::{Entry, Link, Run, expiry_us, waits};
use super::{Evidence, JOBS_MAX, Spool, SpoolEffect, SpoolInput, SpoolRecord};
use crate::answers::{Answer, Status};
use crate::escpos::{Section, process_id};
use crate::slip::{CopyOf, Language, Paper, Reprint, SlipFields, lay_out};
use crate::trouble::Trouble;

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
            SpoolInput::Wrote { job } => turn.wrote(job),
            SpoolInput::Tick => {}
            SpoolInput::Restarted => turn.record(SpoolRecord::Restarted { at_us: now_us }),
            SpoolInput::SwitchedOff(off) => turn.switched(off),
        }
        turn.step();
        turn.tell_changes(self);
        (turn.records, turn.effects)
    }
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

    fn wrote(&mut self, job: u32) {
        let ours = |run: &Run| run.job == job && run.evidence < Evidence::HandedOver;
        if self.next.run.as_ref().is_some_and(ours) {
            self.record(SpoolRecord::Wrote { job });
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
                Answer::InOrder(_) if self.next.in_order_owed > 0 => {
                    self.record(SpoolRecord::InOrder);
                }
                Answer::ProcessId(id) => self.echoed(id),
                Answer::Realtime(_)
                | Answer::InOrder(_)
                | Answer::Cleared
                | Answer::Information(_) => {}
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
