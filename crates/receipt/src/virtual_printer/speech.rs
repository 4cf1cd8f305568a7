//! What the printer says: its status when asked and by itself, process IDs, and what real-time sequences do.
//!
//! Whatever it says about its sensors comes from one condition, unless it was told to lie.

use super::command::{Command, Realtime, Scanner};
use super::status::{Condition, watched};
use super::{
    ANSWER_BYTES_MAX, Echo, Fault, LATE_ANSWERS_MAX, LATE_US, NEAR_END_LINES, Payload, Told,
    VirtualPrinter,
};

impl VirtualPrinter {
    pub(super) fn absent(&self) -> bool {
        self.has(Fault::PowerOff) || self.has(Fault::Unplugged)
    }

    pub(super) fn condition(&self) -> Condition {
        if self.told != Told::Honest {
            return Condition::default();
        }
        self.sensors()
    }

    pub(super) fn sensors(&self) -> Condition {
        Condition {
            drawer_open: self.drawer_open,
            feed_button: self.has(Fault::FeedButton),
            cover_open: self.has(Fault::CoverOpen),
            paper_out: self.has(Fault::PaperOut),
            near_end: self.has(Fault::NearEnd)
                || self.lines_left.is_some_and(|lines| lines <= NEAR_END_LINES),
            cutter: self.cut_waits,
            jam: self.jam_waits,
            unrecoverable: self.has(Fault::HeadFault),
            auto_recoverable: self.has(Fault::HeadHot) || self.has(Fault::Voltage),
        }
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        if self.answers.len() + bytes.len() <= ANSWER_BYTES_MAX {
            self.answers.extend(bytes);
        }
    }

    pub(super) fn tell_change(&mut self) {
        let condition = self.condition();
        let status = condition.automatic();
        let asked = self.ram.automatic;
        let news = self
            .ram
            .automatic_told
            .is_none_or(|told| watched(told, asked) != watched(status, asked));
        if asked != 0 && self.told != Told::Clone && news {
            self.ram.automatic_told = Some(status);
            self.say(&status);
        }
        let causes = condition.causes();
        let fresh = causes
            .iter()
            .any(|cause| !self.ram.causes_told.contains(cause));
        if fresh && self.ram.offline_response != 0 {
            let listed = if self.ram.offline_response == 2 {
                &causes[..]
            } else {
                &[]
            };
            let response = [&[0x37, 0x23], listed, &[0x00]].concat();
            self.say(&response);
        }
        self.ram.causes_told = causes;
    }

    /// A byte arrived: real-time sequences act now, whatever they stand in.
    pub(super) fn arrive(&mut self, byte: u8) {
        let arrival = self.ram.scanner.hear(byte);
        if let Some(realtime) = arrival.realtime {
            // What came before has had its time to print, in whatever pieces the bytes came.
            self.work();
            self.realtime_in_pictures += usize::from(arrival.in_payload);
            self.act_at_once(realtime);
        }
        match arrival.command {
            Some(Command::ProcessId(id)) if self.echo == Echo::Parsed => self.answer_id(id),
            Some(Command::TellPaper) if self.told == Told::Clone => {
                let out = self.has(Fault::PaperOut);
                self.say(&[if out { 0x0F } else { 0x00 }]);
            }
            _ => {}
        }
    }

    fn act_at_once(&mut self, realtime: Realtime) {
        match realtime {
            Realtime::Status(n) => {
                let answer = self.condition().realtime(n);
                self.say(answer.as_slice());
            }
            Realtime::Kick => self.kick(),
            Realtime::Resume => self.recover(),
            Realtime::Drop if self.cut_waits || self.jam_waits => {
                self.clear_buffers();
                self.recover();
            }
            Realtime::Drop => {}
            Realtime::Clear => {
                self.clear_buffers();
                self.say(&[0x37, 0x25, 0x00]);
            }
            Realtime::PowerOff => {
                let unheard = std::mem::take(&mut self.answers);
                self.power_cut();
                self.answers = unheard;
                self.say(&[0x3B, 0x00]);
            }
        }
    }

    /// Ends a mechanical error whose cause is gone; a cut that waited is made.
    pub(super) fn recover(&mut self) {
        self.jam_waits &= self.has(Fault::Jam);
        if self.cut_waits && !self.has(Fault::CutterStuck) {
            self.cut_waits = false;
            self.cut();
        }
    }

    fn clear_buffers(&mut self) {
        let ram = &mut self.ram;
        ram.buffer.clear();
        ram.scanner = Scanner::default();
        ram.payload = Payload::None;
        ram.line.clear();
        self.late.clear();
        self.busy_until_us = self.now_us;
        self.cut_waits = false;
    }

    pub(super) fn kick(&mut self) {
        self.drawer_open = true;
        self.drawer_kicks += 1;
        self.tell_change();
    }

    pub(super) fn answer_id(&mut self, id: [u8; 4]) {
        let [one, two, three, four] = match self.echo {
            Echo::Constant => *b"1234",
            Echo::WrongId => [
                id[0],
                id[1],
                id[2],
                if id[3] == b'~' { b' ' } else { id[3] + 1 },
            ],
            _ => id,
        };
        let answer = [0x37, 0x22, one, two, three, four, 0x00];
        self.ram.ids_answered += 1;
        match self.echo {
            Echo::Absent => {}
            Echo::Lost if self.ram.ids_answered % 2 == 1 => {}
            Echo::Late if self.late.len() < LATE_ANSWERS_MAX => {
                let due_us = self.now_us + LATE_US;
                self.late.push_back((due_us, answer.to_vec()));
            }
            Echo::Late => {}
            _ => self.say(&answer),
        }
    }
}
