//! Deciding on what the printer says.
//!
//! An ID counts only for the print that is in the printer on this connection, an in-order answer only for the print that
//! owes it, and a device that says what no printer says gets nothing to print.

use super::state::{Link, Run};
use super::turn::Turn;
use super::{Evidence, HEAD_COOL_US, SpoolEffect, SpoolRecord};
use crate::acceptance::Proof;
use crate::answers::{Answer, Status};
use crate::escpos::{Section, process_id};
use crate::trouble::Trouble;

/// `DLE ENQ 1`: go on from the failed line.
const RESUME: [u8; 3] = [0x10, 0x05, 1];
/// `DLE ENQ 2`, then the buffer clear that is answered by `37 25 00` (receipts reference §2.5).
const CLEAR: [u8; 13] = [
    0x10, 0x05, 2, 0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08,
];

impl Turn<'_> {
    pub(super) fn heard(&mut self, bytes: &[u8]) {
        if !matches!(self.core().link, Link::Up { .. }) {
            return;
        }
        let mut answers = self.core().answers.clone();
        let mut realtime = self.core().realtime.clone();
        let mut strays = self.core().strays;
        for answer in answers.hear(bytes) {
            match answer {
                Answer::Realtime(byte) if self.asked() => {
                    realtime.push(byte);
                    if let Ok(four) = <[u8; 4]>::try_from(&realtime[..]) {
                        realtime.clear();
                        self.told_realtime(four, strays);
                    }
                }
                Answer::AutoStatus(four) => self.told(Status::from_auto(four), false),
                Answer::PowerOff => self.told_trouble(Trouble::PowerLost),
                Answer::WentOffline(_) => {
                    let trouble = self.core().status.trouble.unwrap_or(Trouble::Offline);
                    self.told_trouble(trouble);
                }
                Answer::InOrder(roll) => {
                    let status = Status::from_in_order(roll);
                    if self.core().in_order_owed > 0 {
                        self.record(SpoolRecord::InOrder);
                    } else if status.is_none() {
                        strays = self.stray(strays);
                    }
                    if status.is_some_and(|status| status.trouble.is_some()) {
                        let trouble = self.core().status.trouble.unwrap_or(Trouble::PaperOut);
                        self.told_trouble(trouble);
                    }
                }
                Answer::ProcessId(id) => self.echoed(id),
                Answer::Cleared if self.core().clearing_since_us.is_some() => {
                    let at_us = self.now_us;
                    self.record(SpoolRecord::Cleared { at_us });
                }
                Answer::Foreign => strays = self.stray(strays),
                Answer::Realtime(_)
                | Answer::Cleared
                | Answer::Information(_)
                | Answer::ExtendedStatus(_) => {}
            }
        }
        let core = self.core();
        if answers != core.answers || realtime != core.realtime || strays != core.strays {
            self.record(SpoolRecord::Listening {
                answers,
                realtime,
                strays,
            });
        }
    }

    /// The operator says that the way is free, or the cover was opened and closed over the error.
    pub(super) fn resume(&mut self) {
        let error = matches!(
            self.core().status.trouble,
            Some(Trouble::Jam | Trouble::Cutter)
        );
        if error && self.is_up() {
            let at_us = self.now_us;
            self.record(SpoolRecord::Resuming { at_us });
            self.effects.push(SpoolEffect::Command(RESUME.to_vec()));
        }
    }

    /// Only a person gives up what is in the printer.
    pub(super) fn clear(&mut self) {
        let core = self.core();
        if core.run.is_some() && core.clearing_since_us.is_none() && self.is_up() {
            let at_us = self.now_us;
            self.record(SpoolRecord::Clearing { at_us });
            self.effects.push(SpoolEffect::Command(CLEAR.to_vec()));
        }
    }

    fn is_up(&self) -> bool {
        matches!(self.core().link, Link::Up { .. })
    }

    fn asked(&self) -> bool {
        let Link::Up { asked_us, .. } = self.core().link else {
            return false;
        };
        asked_us.is_some()
    }

    /// Before a print the question is whether this is a printer at all; while it prints, its ID will tell.
    fn stray(&self, strays: u32) -> u32 {
        strays + u32::from(self.asked() && self.core().run.is_none() && strays == 0)
    }

    fn told_realtime(&mut self, four: [u8; 4], strays: u32) {
        let mut status = Status::from_realtime(four);
        if strays > 0 && self.core().run.is_none() {
            status.trouble = Some(Trouble::Misconfigured);
        }
        self.told(status, true);
        if self.core().status.trouble.is_none() {
            self.start();
        }
    }

    fn told_trouble(&mut self, trouble: Trouble) {
        let paper_low = self.core().status.paper_low;
        let status = Status {
            trouble: Some(trouble),
            paper_low,
        };
        self.told(status, false);
    }

    fn told(&mut self, mut status: Status, answered: bool) {
        let core = self.core();
        let hot_us = core
            .hot_since_us
            .map(|since_us| self.now_us.saturating_sub(since_us));
        if status.trouble == Some(Trouble::HeadHot) && hot_us >= Some(HEAD_COOL_US) {
            status.trouble = Some(Trouble::Voltage);
        }
        let before = core.status;
        if answered || status != before {
            let at_us = self.now_us;
            self.record(SpoolRecord::Told {
                at_us,
                status,
                answered,
            });
        }
        if before.trouble == Some(Trouble::CoverOpen) {
            self.resume();
        }
    }

    /// Either section proves the print: the cut comes after the body. Any other ID is not ours.
    fn echoed(&mut self, id: [u8; 4]) {
        let at_us = self.now_us;
        let core = self.core();
        if let Some(Run { job, evidence, .. }) = core.run
            && [Section::Body, Section::Cut]
                .map(|section| process_id(job, section))
                .contains(&id)
        {
            match core.installed.proof {
                Proof::Completed => self.record(SpoolRecord::Printed { at_us, job }),
                Proof::None | Proof::Parsed if evidence < Evidence::Parsed => {
                    self.record(SpoolRecord::Echoed { job });
                }
                Proof::None | Proof::Parsed => {}
            }
        }
        if let Some((job, _)) = self.core().cutting
            && id == process_id(job, Section::Cut)
        {
            self.record(SpoolRecord::Cut { job });
        }
    }
}
