//! A small honest printer made of nothing but state: bytes in, answers and paper out.
//!
//! It says that something is on paper only when it is; while paper is out it holds what it was sent
//! and prints it later, as real ones do. Any bytes are bounded work and bounded memory.

use crate::gb18030;
use crate::slip::{Align, Paper, aligned};
use std::collections::VecDeque;

/// Bytes it holds while it cannot print; what exceeds them is lost, so watch [`VirtualPrinter::room`].
pub const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Pieces of paper that are kept to look at; the oldest go first.
pub const PAPERS_MAX: usize = 256;
/// Lines of one piece without a cut; a longer one is torn here.
pub const PIECE_LINES_MAX: usize = 1_000;
/// Bytes of answers that wait to be collected; the newest beyond it are lost.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Lines left from which the roll counts as near its end.
pub const NEAR_END_LINES: u32 = 20;

/// One piece of paper that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedSlip {
    /// What can be read on it, one line a row, blank lines at its end left out.
    pub text: String,
    /// Whether the cutter cut it off.
    pub cut: bool,
}

/// How it treats the process ID of `GS ( H`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Answers when everything before it is on paper.
    #[default]
    Honest,
    /// Does not know the command.
    Absent,
    /// Always answers `1234`, whatever the ID.
    Constant,
}

/// The printer.
#[derive(Clone, Debug)]
pub struct VirtualPrinter {
    columns: usize,
    lines_left: Option<u32>,
    cover_open: bool,
    blank: bool,
    head_fault: bool,
    cutter_stuck: bool,
    /// A cut was tried while the cutter was stuck: an error until the cutter is free.
    cut_waits: bool,
    echo: Echo,
    buffer: VecDeque<u8>,
    /// Bytes of a picture or another block that are still to be skipped.
    skip: u64,
    /// The last two received bytes, to find real-time questions at any split.
    received: [u8; 2],
    style: Style,
    line: String,
    automatic: bool,
    told: Option<[u8; 4]>,
    answers: Vec<u8>,
    piece: Vec<String>,
    papers: Vec<PrintedSlip>,
    papers_forgotten: usize,
}

#[derive(Clone, Copy, Debug)]
struct Style {
    align: Align,
    wide: bool,
    chinese: bool,
}

const PLAIN: Style = Style {
    align: Align::Left,
    wide: false,
    chinese: true,
};

impl VirtualPrinter {
    /// A well printer with an endless roll.
    pub fn new(paper: Paper) -> VirtualPrinter {
        VirtualPrinter {
            columns: paper.columns(),
            lines_left: None,
            cover_open: false,
            blank: false,
            head_fault: false,
            cutter_stuck: false,
            cut_waits: false,
            echo: Echo::Honest,
            buffer: VecDeque::new(),
            skip: 0,
            received: [0; 2],
            style: PLAIN,
            line: String::new(),
            automatic: false,
            told: None,
            answers: Vec::new(),
            piece: Vec::new(),
            papers: Vec::new(),
            papers_forgotten: 0,
        }
    }

    /// Takes bytes, prints what it can and returns what it has to say.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        for &byte in bytes {
            if self.buffer.len() < BUFFER_BYTES_MAX {
                self.buffer.push_back(byte);
            }
            if self.received == [0x10, 0x04] {
                self.answer_realtime(byte);
            }
            self.received = [self.received[1], byte];
        }
        self.work();
        self.answers()
    }

    /// What it has to say by itself since last asked: automatic status, process IDs.
    pub fn answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// How many bytes it can still take.
    pub fn room(&self) -> usize {
        BUFFER_BYTES_MAX - self.buffer.len()
    }

    /// The connection is gone: unheard answers are lost, received bytes are not.
    pub fn disconnect(&mut self) {
        self.answers.clear();
    }

    /// The power is cut: all it holds is lost, the paper stays as it is.
    pub fn power_cut(&mut self) {
        self.tear(false);
        self.buffer.clear();
        self.skip = 0;
        self.received = [0; 2];
        self.style = PLAIN;
        self.line.clear();
        self.cut_waits = false;
        self.automatic = false;
        self.told = None;
        self.answers.clear();
    }

    /// Lines the roll still has; `None` is endless. More paper lets it go on with what it holds.
    pub fn set_paper_lines_left(&mut self, lines: Option<u32>) {
        self.lines_left = lines;
        self.work();
    }

    /// Lines the roll still has; `None` is endless.
    pub fn paper_lines_left(&self) -> Option<u32> {
        self.lines_left
    }

    /// Takes the roll out, or puts an endless one in.
    pub fn set_paper_out(&mut self, out: bool) {
        self.set_paper_lines_left(out.then_some(0));
    }

    /// Opens or closes the cover.
    pub fn set_cover_open(&mut self, open: bool) {
        self.cover_open = open;
        self.work();
    }

    /// A roll upside down: every status and every ID is good, nothing can be read.
    pub fn set_blank(&mut self, blank: bool) {
        self.blank = blank;
    }

    /// Breaks or repairs the print head.
    pub fn set_head_fault(&mut self, fault: bool) {
        self.head_fault = fault;
        self.work();
    }

    /// Blocks or frees the cutter: a blocked one stops the printer at its next cut.
    pub fn set_cutter_stuck(&mut self, stuck: bool) {
        self.cutter_stuck = stuck;
        if self.cut_waits && !stuck {
            self.cut_waits = false;
            self.tear(true);
        }
        self.work();
    }

    /// How it treats process IDs from now on.
    pub fn set_echo(&mut self, echo: Echo) {
        self.echo = echo;
    }

    /// The pieces of paper that came out, oldest first; the one still in the printer is not among them.
    pub fn papers(&self) -> &[PrintedSlip] {
        &self.papers
    }

    /// The pieces after the first `seen` of all that ever came out, as far as they are still kept.
    pub fn papers_after(&self, seen: usize) -> &[PrintedSlip] {
        let start = seen
            .saturating_sub(self.papers_forgotten)
            .min(self.papers.len());
        &self.papers[start..]
    }

    /// How many pieces ever came out.
    pub fn papers_total(&self) -> usize {
        self.papers_forgotten + self.papers.len()
    }

    /// What stands on the paper that was not torn off yet.
    pub fn unfinished(&self) -> PrintedSlip {
        PrintedSlip {
            text: page(&self.piece),
            cut: false,
        }
    }

    fn stopped(&self) -> bool {
        self.lines_left == Some(0) || self.cover_open || self.head_fault || self.cut_waits
    }

    fn near_end(&self) -> bool {
        self.lines_left.is_some_and(|lines| lines <= NEAR_END_LINES)
    }

    fn answer_realtime(&mut self, question: u8) {
        let out = self.lines_left == Some(0);
        let error = self.head_fault || self.cut_waits;
        let bits = |rows: &[(bool, u8)]| {
            let set = rows.iter().filter(|row| row.0);
            set.fold(0x12, |byte, row| byte | row.1)
        };
        let answer = match question {
            1 => bits(&[(self.stopped(), 0x08)]),
            2 => bits(&[(self.cover_open, 0x04), (out, 0x20), (error, 0x40)]),
            3 => bits(&[(self.cut_waits, 0x08), (self.head_fault, 0x20)]),
            4 => bits(&[(self.near_end(), 0x0C), (out, 0x60)]),
            _ => return,
        };
        self.say(&[answer]);
    }

    fn automatic_status(&self) -> [u8; 4] {
        let out = self.lines_left == Some(0);
        let bit = |set: bool, bits: u8| if set { bits } else { 0 };
        [
            0x10 | bit(self.stopped(), 0x08) | bit(self.cover_open, 0x20),
            bit(self.cut_waits, 0x08) | bit(self.head_fault, 0x20),
            bit(self.near_end(), 0x03) | bit(out, 0x0C),
            0x00,
        ]
    }

    fn say(&mut self, bytes: &[u8]) {
        if self.answers.len() + bytes.len() <= ANSWER_BYTES_MAX {
            self.answers.extend(bytes);
        }
    }

    fn tell_change(&mut self) {
        let status = self.automatic_status();
        if self.automatic && self.told != Some(status) {
            self.told = Some(status);
            self.say(&status);
        }
    }

    /// Prints until it is stopped or has nothing complete left.
    fn work(&mut self) {
        while !self.stopped() {
            if self.skip > 0 {
                let skipped = self
                    .buffer
                    .len()
                    .min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                self.buffer.drain(..skipped);
                self.skip -= skipped as u64;
                if self.skip > 0 {
                    break;
                }
            }
            let Some(step) = self.next_step() else { break };
            self.buffer.drain(..step.length);
            self.skip = step.skip;
            self.act(step.action);
            self.tell_change();
        }
        self.tell_change();
    }

    /// The complete command or character at the front of the buffer.
    fn next_step(&self) -> Option<Step> {
        let at = |place: usize| self.buffer.get(place).copied();
        let word = |low: usize| Some(u64::from(at(low)?) | u64::from(at(low + 1)?) << 8);
        let first = at(0)?;
        let step = |length: usize, action: Action| {
            (self.buffer.len() >= length).then_some(Step {
                length,
                skip: 0,
                action,
            })
        };
        let skip = |length: usize, skip: u64| {
            Some(Step {
                length,
                skip,
                action: Action::Nothing,
            })
        };
        match first {
            0x0A => step(1, Action::LineFeed),
            0x10 => match at(1)? {
                0x04 | 0x05 => step(3, Action::Nothing),
                0x14 if at(2)? == 0x08 => step(10, Action::Nothing),
                0x14 => step(5, Action::Nothing),
                _ => step(1, Action::Nothing),
            },
            0x1B => match at(1)? {
                b'@' => step(2, Action::Reset),
                b'a' => step(3, Action::Align(at(2)?)),
                b'd' => step(3, Action::Feed(at(2)?)),
                b'c' => step(4, Action::Nothing),
                b'p' => step(5, Action::Nothing),
                b'$' | b'\\' => step(4, Action::Nothing),
                b'*' => {
                    let bytes_a_column = if at(2)? < 32 { 1 } else { 3 };
                    skip(5, word(3)? * bytes_a_column)
                }
                b'2' | b'i' | b'm' | b'v' | b'<' => step(2, Action::Nothing),
                _ => step(3, Action::Nothing),
            },
            0x1C => match at(1)? {
                b'&' => step(2, Action::Chinese(true)),
                b'.' => step(2, Action::Chinese(false)),
                b'S' => step(4, Action::Nothing),
                _ => step(3, Action::Nothing),
            },
            0x1D => match at(1)? {
                b'!' => step(3, Action::Wide(at(2)? & 0x70 != 0)),
                b'a' => step(3, Action::Automatic(at(2)? != 0)),
                b'r' => step(3, Action::AnswerInOrder),
                b'V' if at(2)? >= 65 => step(4, Action::Cut),
                b'V' => step(3, Action::Cut),
                b'(' if at(2)? == b'H' && word(3)? == 6 => {
                    step(11, Action::ProcessId([at(7)?, at(8)?, at(9)?, at(10)?]))
                }
                b'(' => skip(5, word(3)?),
                b'v' => skip(8, word(4)? * word(6)?),
                b'L' | b'W' | b'P' | b'$' | b'\\' => step(4, Action::Nothing),
                _ => step(3, Action::Nothing),
            },
            lead @ 0x81..=0xFE if self.style.chinese => match at(1)? {
                trail @ 0x40..=0xFE if trail != 0x7F => step(
                    2,
                    Action::Draw(gb18030::character(lead, trail).unwrap_or('?')),
                ),
                _ => step(1, Action::Draw('?')),
            },
            0x20..=0x7E => step(1, Action::Draw(char::from(first))),
            0x80..=0xFF => step(1, Action::Draw('?')),
            _ => step(1, Action::Nothing),
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Draw(character) => self.draw(character),
            Action::LineFeed => self.line_feed(),
            Action::Feed(lines) => {
                for _ in 0..lines {
                    if self.lines_left != Some(0) {
                        self.line_feed();
                    }
                }
            }
            Action::Reset => {
                self.line.clear();
                self.style = PLAIN;
                self.automatic = false;
            }
            Action::Align(1 | 49) => self.style.align = Align::Centre,
            Action::Align(2 | 50) => self.style.align = Align::Right,
            Action::Align(_) => self.style.align = Align::Left,
            Action::Wide(wide) => self.style.wide = wide,
            Action::Chinese(on) => self.style.chinese = on,
            Action::Automatic(on) => {
                self.automatic = on;
                self.told = None;
            }
            Action::AnswerInOrder => self.say(&[if self.near_end() { 0x03 } else { 0x00 }]),
            Action::ProcessId(id) => {
                let [one, two, three, four] = match self.echo {
                    Echo::Honest => id,
                    Echo::Constant => *b"1234",
                    Echo::Absent => return,
                };
                self.say(&[0x37, 0x22, one, two, three, four, 0x00]);
            }
            Action::Cut if self.cutter_stuck => self.cut_waits = true,
            Action::Cut => self.tear(true),
        }
    }

    fn draw(&mut self, character: char) {
        let columns = if self.style.wide {
            self.columns / 2
        } else {
            self.columns
        };
        if gb18030::width(&self.line) + gb18030::width_of(character) > columns {
            self.line_feed();
        }
        self.line.push(character);
    }

    fn line_feed(&mut self) {
        let drawn = aligned(
            &std::mem::take(&mut self.line),
            self.style.align,
            self.columns,
        );
        let seen = if self.blank { String::new() } else { drawn };
        self.piece.push(seen);
        if let Some(lines) = &mut self.lines_left {
            *lines = lines.saturating_sub(1);
        }
        if self.piece.len() == PIECE_LINES_MAX {
            self.tear(false);
        }
    }

    fn tear(&mut self, cut: bool) {
        if self.piece.is_empty() {
            return;
        }
        let text = page(&self.piece);
        self.piece.clear();
        if self.papers.len() == PAPERS_MAX {
            self.papers.remove(0);
            self.papers_forgotten += 1;
        }
        self.papers.push(PrintedSlip { text, cut });
    }
}

struct Step {
    length: usize,
    skip: u64,
    action: Action,
}

enum Action {
    Nothing,
    Draw(char),
    LineFeed,
    Feed(u8),
    Reset,
    Align(u8),
    Wide(bool),
    Chinese(bool),
    Automatic(bool),
    AnswerInOrder,
    ProcessId([u8; 4]),
    Cut,
}

fn page(lines: &[String]) -> String {
    let text: String = lines
        .iter()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    match text.trim_end_matches('\n') {
        "" => String::new(),
        seen => format!("{seen}\n"),
    }
}
