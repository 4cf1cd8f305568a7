//! Deciding: what an input leads to, worked out on an overlay of the state that its records have changed.
//!
//! Nothing is sent to a printer that has not just said that it is well, and nothing a second time without a mark.

use super::copies::{Copies, Key, Overlay, Stage};
use super::state::{Core, Link, Run, State, expiry_us};
use super::{Evidence, JOBS_MAX, PaperSeen, Spool, SpoolEffect, SpoolInput, SpoolRecord};
use crate::installed;
use crate::slip::{CopyOf, FIELD_CHARACTERS_MAX};

impl Spool {
    /// What this input leads to; changes nothing.
    pub fn decide(&self, now_us: u64, input: SpoolInput) -> (Vec<SpoolRecord>, Vec<SpoolEffect>) {
        self.decide_all(now_us, [input])
    }

    /// What these inputs lead to, each after the records of the one before; changes nothing.
    pub fn decide_all(
        &self,
        now_us: u64,
        inputs: impl IntoIterator<Item = SpoolInput>,
    ) -> (Vec<SpoolRecord>, Vec<SpoolEffect>) {
        let mut turn = Turn {
            now_us,
            next: State {
                core: self.0.core.clone(),
                copies: Overlay::new(&self.0.copies),
            },
            records: Vec::new(),
            effects: Vec::new(),
        };
        for input in inputs {
            turn.take(input);
            turn.step();
        }
        turn.tell_changes(&self.0.core);
        (turn.records, turn.effects)
    }
}

/// One decision in the making: the state as its records leave it.
pub(super) struct Turn<'a> {
    pub(super) now_us: u64,
    next: State<Overlay<'a>>,
    records: Vec<SpoolRecord>,
    pub(super) effects: Vec<SpoolEffect>,
}

impl Turn<'_> {
    pub(super) fn record(&mut self, record: SpoolRecord) {
        self.next.apply(&record);
        self.records.push(record);
    }

    pub(super) fn core(&self) -> &Core {
        &self.next.core
    }

    fn take(&mut self, input: SpoolInput) {
        let now_us = self.now_us;
        match input {
            SpoolInput::Submit {
                slip_id,
                fields,
                copy,
                language,
                paper,
            } => {
                if self.has_room((slip_id, copy)) {
                    self.record(SpoolRecord::Submitted {
                        at_us: now_us,
                        slip_id,
                        copy,
                        language,
                        paper,
                        fields: Box::new(fields.bounded()),
                    });
                }
            }
            SpoolInput::SubmitReport {
                slip_id,
                report,
                language,
                paper,
            } => {
                if self.has_room((slip_id, CopyOf::Merchant)) {
                    self.record(SpoolRecord::SubmittedReport {
                        at_us: now_us,
                        slip_id,
                        language,
                        paper,
                        report: Box::new(report.bounded()),
                    });
                }
            }
            SpoolInput::Reprint { slip_id } => self.reprint(slip_id),
            SpoolInput::Connected => self.connected(),
            SpoolInput::Lost => self.lost(),
            SpoolInput::Heard(bytes) => self.heard(&bytes),
            SpoolInput::Wrote { job } => {
                if self.holds_unwritten(job) {
                    self.record(SpoolRecord::Wrote { job });
                }
            }
            SpoolInput::NotSent { job } => {
                let lost = self.core().unwritten.is_some_and(|(lost, _)| lost == job);
                if self.holds_unwritten(job) || lost {
                    self.record(SpoolRecord::NotSent { at_us: now_us, job });
                }
            }
            SpoolInput::Answered {
                slip_id,
                copy,
                seen,
            } => self.answered(slip_id, copy, seen),
            SpoolInput::Scanned {
                slip_id,
                copy,
                print,
            } => self.scanned(slip_id, copy, print),
            SpoolInput::Resume => self.resume(),
            SpoolInput::Clear => self.clear(),
            SpoolInput::Installed(printer) => {
                if printer != self.core().installed {
                    self.record(SpoolRecord::Installed { printer });
                }
            }
            SpoolInput::Tick => {}
            SpoolInput::Restarted => self.record(SpoolRecord::Restarted { at_us: now_us }),
            SpoolInput::SwitchedOff { off, by } => {
                if off != self.core().off.is_some() {
                    let by = by.chars().take(FIELD_CHARACTERS_MAX).collect();
                    self.record(SpoolRecord::Switched {
                        at_us: now_us,
                        off,
                        by,
                    });
                }
            }
        }
    }

    fn refuse(&mut self, slip_id: u64) {
        self.effects.push(SpoolEffect::Refused { slip_id });
    }

    /// False for a copy that is there already, and, said, when nothing finished makes room for a new one.
    fn has_room(&mut self, key: Key) -> bool {
        if self.next.copies.get(&key).is_some() {
            return false;
        }
        if self.next.copies.len() >= JOBS_MAX {
            let Some((slip_id, copy)) = self.next.copies.oldest_over() else {
                self.refuse(key.0);
                return false;
            };
            self.record(SpoolRecord::Forgotten { slip_id, copy });
        }
        true
    }

    fn reprint(&mut self, slip_id: u64) {
        let copies: Vec<_> = self.next.copies.of(slip_id).collect();
        if copies.is_empty() || self.core().off.is_some() {
            return self.refuse(slip_id);
        }
        let over = |(copy, entry): (CopyOf, &super::copies::Entry)| {
            matches!(entry.stage, Stage::Over(_)).then_some(copy)
        };
        let over: Vec<CopyOf> = copies.into_iter().filter_map(over).collect();
        for copy in over {
            self.want(slip_id, copy);
        }
    }

    fn want(&mut self, slip_id: u64, copy: CopyOf) {
        self.record(SpoolRecord::Wanted {
            at_us: self.now_us,
            slip_id,
            copy,
        });
    }

    fn connected(&mut self) {
        let at_us = self.now_us;
        if let Link::Up { .. } = self.core().link {
            self.record(SpoolRecord::Lost { at_us });
        }
        self.record(SpoolRecord::Connected { at_us });
    }

    fn lost(&mut self) {
        if !matches!(self.core().link, Link::Down { .. }) {
            let at_us = self.now_us;
            self.record(SpoolRecord::Lost { at_us });
        }
    }

    fn holds_unwritten(&self, job: u32) -> bool {
        let ours = |run: &Run| run.job == job && run.evidence < Evidence::HandedOver;
        self.core().run.as_ref().is_some_and(ours)
    }

    /// A copy that never left needs no look, and one in the printer can only be found complete.
    fn answered(&mut self, slip_id: u64, copy: CopyOf, seen: PaperSeen) {
        let entry = self.next.copies.get(&(slip_id, copy));
        let fits = entry.is_some_and(|entry| match (seen, entry.stage) {
            (PaperSeen::Complete, _) => entry.runs > 0,
            (_, Stage::InPrinter) => false,
            (PaperSeen::NotNeeded, _) => true,
            (PaperSeen::Blank | PaperSeen::Partial | PaperSeen::Nothing, _) => entry.runs > 0,
        });
        if !fits {
            return self.refuse(slip_id);
        }
        self.record(SpoolRecord::Answered {
            slip_id,
            copy,
            seen,
        });
        if seen.trouble().is_some() && self.core().off.is_none() {
            self.want(slip_id, copy);
        }
    }

    fn scanned(&mut self, slip_id: u64, copy: CopyOf, print: u32) {
        let entry = self.next.copies.get(&(slip_id, copy));
        if !entry.is_some_and(|entry| (1..=entry.runs).contains(&print)) {
            return self.refuse(slip_id);
        }
        self.record(SpoolRecord::Scanned {
            slip_id,
            copy,
            print,
        });
    }

    /// The printer just said that it is well: the oldest waiting copy goes.
    pub(super) fn start(&mut self) {
        let (core, now_us) = (self.core(), self.now_us);
        if core.run.is_some() || core.off.is_some() || core.clearing_since_us.is_some() {
            return;
        }
        let Some(((slip_id, copy), entry)) = self.next.copies.waiting().next() else {
            return;
        };
        if expiry_us(entry) <= now_us {
            return;
        }
        let slip = entry.lay_out(copy);
        let job = core.next_job;
        let bytes = slip.escpos_for(&core.installed, job);
        let wait_us = core.installed.wait_us(installed::dots(&slip), bytes.len());
        self.record(SpoolRecord::Started {
            at_us: now_us,
            slip_id,
            copy,
            job,
            wait_us,
        });
        self.effects.push(SpoolEffect::Send { job, bytes });
    }

    /// Whatever is due by now.
    fn step(&mut self) {
        let now_us = self.now_us;
        let waiting = self.next.copies.waiting();
        let expired: Vec<_> = waiting
            .take_while(|(_, entry)| expiry_us(entry) <= now_us)
            .map(|(key, _)| key)
            .collect();
        for (slip_id, copy) in expired {
            self.record(SpoolRecord::Expired { slip_id, copy });
        }
        if self
            .core()
            .confirm_deadline()
            .is_some_and(|due_us| due_us <= now_us)
            && let Some(job) = self.core().run.as_ref().map(|run| run.job)
        {
            self.record(SpoolRecord::Unconfirmed { at_us: now_us, job });
        }
        if !self.next.wants_link() || self.core().link_deadline() > now_us {
            return;
        }
        match self.core().link {
            Link::Down { .. } => {
                self.record(SpoolRecord::Connecting { at_us: now_us });
                self.effects.push(SpoolEffect::Connect);
            }
            Link::Up { asked_us: None, .. } if self.core().clearing_since_us.is_none() => {
                self.record(SpoolRecord::Asked { at_us: now_us });
                self.effects.push(SpoolEffect::Query);
            }
            Link::Connecting { .. } | Link::Up { .. } => {
                self.record(SpoolRecord::Lost { at_us: now_us });
                self.effects.push(SpoolEffect::Close);
            }
        }
    }

    fn tell_changes(&mut self, before: &Core) {
        let now = &self.next.core;
        for (key, was, is) in self.next.copies.changes() {
            let was = was.map(|entry| before.known(entry));
            let Some(is) = is.map(|entry| now.known(entry)) else {
                continue;
            };
            if was != Some(is) {
                self.effects.push(SpoolEffect::Changed {
                    slip_id: key.0,
                    copy: key.1,
                    state: is.state,
                    evidence: is.evidence,
                });
            }
        }
        if now.status != before.status {
            self.effects.push(SpoolEffect::PrinterChanged(now.status));
        }
    }
}
