//! A receipt printer made of nothing but state: bytes and time in, answers and paper out.
//!
//! Unless told to lie it says that something is on paper only when it is; while it cannot print it holds what it was
//! sent and prints it later, as real ones do. Any bytes are bounded work and bounded memory.

mod command;
mod draw;
mod faults;
mod mechanism;
mod paper;
mod speech;
mod status;

pub use faults::{Echo, Fault, Told};
pub use paper::{
    LINE_DOTS, Mark, PAPERS_BYTES_MAX, PAPERS_MAX, PIECE_LINES_MAX, PLAIN, PrintedSlip, Run,
    RunStyle,
};

use crate::slip::{Align, Paper};
use command::Scanner;
use paper::{Line, Tray};
use std::collections::{BTreeSet, VecDeque};

/// Bytes it holds while it cannot print; what exceeds them is lost, so watch [`VirtualPrinter::room`].
pub const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// The same with [`Fault::SmallBuffer`].
pub const SMALL_BUFFER_BYTES: usize = 1_024;
/// Bytes of answers that wait to be collected; the newest beyond it are lost.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Answers that are held back; the newest beyond it are lost.
pub const LATE_ANSWERS_MAX: usize = 64;
/// Lines left from which the roll counts as near its end.
pub const NEAR_END_LINES: u32 = 20;
/// Longest content of a QR symbol in bytes.
pub const SYMBOL_BYTES_MAX: usize = 2_953;
/// Rows of dots of a picture that are printed at once.
pub const STRIP_ROWS: usize = 24;
/// Dots of one millimetre.
pub const DOTS_PER_MM: u64 = 8;
/// Millimetres a second with [`Fault::Slow`].
pub const SLOW_MM_PER_S: u32 = 15;
/// How long a cut takes when printing takes any time.
pub const CUT_US: u64 = 500_000;
/// How long a hot head stays hot.
pub const HOT_US: u64 = 60_000_000;
/// How late a late answer is.
pub const LATE_US: u64 = 30_000_000;

/// The printer.
#[derive(Clone, Debug)]
pub struct VirtualPrinter {
    paper: Paper,
    now_us: u64,
    faults: BTreeSet<Fault>,
    echo: Echo,
    told: Told,
    lines_left: Option<u32>,
    speed_mm_per_s: Option<u32>,
    /// A cut was tried while the cutter was stuck: an error until the cutter is free.
    cut_waits: bool,
    /// The paper jammed: an error until it is free.
    jam_waits: bool,
    hot_until_us: u64,
    /// The line or cut that is under way ends then.
    busy_until_us: u64,
    drawer_open: bool,
    drawer_kicks: usize,
    ram: Ram,
    answers: Vec<u8>,
    late: VecDeque<(u64, Vec<u8>)>,
    /// The power came back and nobody was told yet.
    fresh: bool,
    realtime_in_pictures: usize,
    tray: Tray,
}

/// What a power cut takes away.
#[derive(Clone, Debug)]
struct Ram {
    buffer: VecDeque<u8>,
    scanner: Scanner,
    payload: Payload,
    style: Style,
    line: Line,
    symbol: Symbol,
    /// `GS a n`.
    automatic: u8,
    automatic_told: Option<[u8; 4]>,
    /// Function 49 of `GS ( H`.
    offline_response: u8,
    causes_told: Vec<u8>,
    ids_answered: u64,
}

/// What follows a header and is not taken whole yet.
#[derive(Clone, Debug)]
enum Payload {
    None,
    Skip(u64),
    Raster {
        row_bytes: u16,
        rows_left: u16,
        doubled: (bool, bool),
    },
    Symbol {
        left: u16,
        kept: Vec<u8>,
    },
}

#[derive(Clone, Debug)]
struct Style {
    align: Align,
    ascii: RunStyle,
    chinese_wide: u8,
    chinese_high: u8,
    chinese: bool,
    line_dots: u16,
}

/// The QR symbol that is being set up.
#[derive(Clone, Debug)]
struct Symbol {
    content: Vec<u8>,
    module_dots: u8,
    level: char,
}

impl Ram {
    fn new() -> Ram {
        Ram {
            buffer: VecDeque::new(),
            scanner: Scanner::default(),
            payload: Payload::None,
            style: Style::new(),
            line: Line::default(),
            symbol: Symbol {
                content: Vec::new(),
                module_dots: 3,
                level: 'L',
            },
            automatic: 0,
            automatic_told: None,
            offline_response: 0,
            causes_told: Vec::new(),
            ids_answered: 0,
        }
    }
}

impl Style {
    fn new() -> Style {
        Style {
            align: Align::Left,
            ascii: PLAIN,
            chinese_wide: 1,
            chinese_high: 1,
            chinese: true,
            line_dots: LINE_DOTS,
        }
    }

    fn of_chinese(&self) -> RunStyle {
        RunStyle {
            wide: self.chinese_wide,
            high: self.chinese_high,
            ..self.ascii
        }
    }

    fn size(&mut self, wide: u8, high: u8) {
        (self.ascii.wide, self.ascii.high) = (wide, high);
        (self.chinese_wide, self.chinese_high) = (wide, high);
    }
}

impl VirtualPrinter {
    /// A well printer with an endless roll, which prints in no time.
    pub fn new(paper: Paper) -> VirtualPrinter {
        VirtualPrinter {
            paper,
            now_us: 0,
            faults: BTreeSet::new(),
            echo: Echo::Honest,
            told: Told::Honest,
            lines_left: None,
            speed_mm_per_s: None,
            cut_waits: false,
            jam_waits: false,
            hot_until_us: 0,
            busy_until_us: 0,
            drawer_open: false,
            drawer_kicks: 0,
            ram: Ram::new(),
            answers: Vec::new(),
            late: VecDeque::new(),
            fresh: false,
            realtime_in_pictures: 0,
            tray: Tray::default(),
        }
    }

    /// Takes bytes, prints what it can and returns what it has to say.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        for &byte in bytes {
            if self.absent() {
                break;
            }
            if self.room() == 0 {
                self.work();
            }
            if self.room() > 0 {
                self.ram.buffer.push_back(byte);
            }
            self.arrive(byte);
        }
        self.work();
        self.answers()
    }

    /// Time has passed: `now_us` never goes back. Prints what was due by then and returns what it has to say.
    pub fn tick(&mut self, now_us: u64) -> Vec<u8> {
        let now_us = self.now_us.max(now_us);
        // Line after line, each from the end of the one before.
        loop {
            self.work();
            if self.busy_until_us <= self.now_us || self.busy_until_us > now_us {
                break;
            }
            self.now_us = self.busy_until_us;
        }
        self.now_us = now_us;
        if self.has(Fault::HeadHot) && self.now_us >= self.hot_until_us {
            self.set_fault(Fault::HeadHot, false);
        }
        while let Some((_, answer)) = self.late.pop_front_if(|late| late.0 <= self.now_us) {
            self.say(&answer);
        }
        self.work();
        self.answers()
    }

    /// What it has to say by itself since last asked: automatic status, process IDs.
    pub fn answers(&mut self) -> Vec<u8> {
        let answers = std::mem::take(&mut self.answers);
        if self.has(Fault::Silent) || self.absent() {
            return Vec::new();
        }
        answers
    }

    /// How many bytes it can still take.
    pub fn room(&self) -> usize {
        let size = match (self.has(Fault::BufferFull), self.has(Fault::SmallBuffer)) {
            (true, _) => 0,
            (false, true) => SMALL_BUFFER_BYTES,
            (false, false) => BUFFER_BYTES_MAX,
        };
        size.saturating_sub(self.ram.buffer.len())
    }

    /// A connection came up: a printer that was switched on since the last one says so by its status.
    pub fn connect(&mut self) {
        if !self.absent() && std::mem::take(&mut self.fresh) {
            let status = self.condition().automatic();
            self.say(&status);
        }
    }

    /// The connection is gone: unheard answers are lost, received bytes are not.
    pub fn disconnect(&mut self) {
        self.answers.clear();
    }

    /// The power is cut and comes back: all it holds is lost, the paper stays as it is.
    pub fn power_cut(&mut self) {
        self.tray.tear(false);
        self.ram = Ram::new();
        self.cut_waits = false;
        self.jam_waits = self.has(Fault::Jam);
        self.busy_until_us = 0;
        self.answers.clear();
        self.late.clear();
        self.fresh = true;
    }

    /// Whether this is wrong with it.
    pub fn has(&self, fault: Fault) -> bool {
        match fault {
            Fault::PaperOut => self.lines_left == Some(0),
            _ => self.faults.contains(&fault),
        }
    }

    /// Brings a fault about, or ends it and lets the printer go on with what it holds.
    pub fn set_fault(&mut self, fault: Fault, on: bool) {
        if fault == Fault::PaperOut {
            return self.set_paper_out(on);
        }
        if self.has(fault) == on {
            return;
        }
        match on {
            true => self.faults.insert(fault),
            false => self.faults.remove(&fault),
        };
        match (fault, on) {
            (Fault::PowerOff, _) => self.power_cut(),
            (Fault::Jam, true) => self.jam_waits = true,
            (Fault::HeadHot, true) => self.hot_until_us = self.now_us + HOT_US,
            _ => {}
        }
        if !self.has(Fault::WaitsForRecovery) {
            self.recover();
        }
        self.work();
    }

    /// Every fault that it has.
    pub fn faults(&self) -> Vec<Fault> {
        let all = Fault::ALL.into_iter();
        all.filter(|fault| self.has(*fault)).collect()
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
        self.set_fault(Fault::CoverOpen, open);
    }

    /// A roll upside down: every status and every ID is good, nothing can be read.
    pub fn set_blank(&mut self, blank: bool) {
        self.set_fault(Fault::Blank, blank);
    }

    /// Breaks or repairs the print head.
    pub fn set_head_fault(&mut self, fault: bool) {
        self.set_fault(Fault::HeadFault, fault);
    }

    /// Blocks or frees the cutter: a blocked one stops the printer at its next cut.
    pub fn set_cutter_stuck(&mut self, stuck: bool) {
        self.set_fault(Fault::CutterStuck, stuck);
    }

    /// Millimetres of paper a second; `None` prints in no time. Otherwise [`VirtualPrinter::tick`] moves it on.
    pub fn set_speed(&mut self, mm_per_s: Option<u32>) {
        self.speed_mm_per_s = mm_per_s;
    }

    /// How it treats process IDs from now on.
    pub fn set_echo(&mut self, echo: Echo) {
        self.echo = echo;
    }

    /// How it treats process IDs.
    pub fn echo(&self) -> Echo {
        self.echo
    }

    /// How it treats questions about its status from now on.
    pub fn set_told(&mut self, told: Told) {
        self.told = told;
        self.tell_change();
    }

    /// How it treats questions about its status.
    pub fn told(&self) -> Told {
        self.told
    }

    /// Whether the cash drawer is open, and how often it was kicked.
    pub fn drawer(&self) -> (bool, usize) {
        (self.drawer_open, self.drawer_kicks)
    }

    /// Shuts the cash drawer.
    pub fn shut_drawer(&mut self) {
        self.drawer_open = false;
        self.tell_change();
    }

    /// Whether it has nothing left to print.
    pub fn idle(&self) -> bool {
        self.ram.buffer.is_empty() && self.busy_until_us <= self.now_us
    }

    /// How often a real-time sequence was found inside a picture; a good encoder never sends one.
    pub fn realtime_in_pictures(&self) -> usize {
        self.realtime_in_pictures
    }

    /// The width of its roll.
    pub fn paper(&self) -> Paper {
        self.paper
    }

    /// The pieces of paper that came out, oldest first; the one still in the printer is not among them.
    pub fn papers(&self) -> &[PrintedSlip] {
        self.tray.papers()
    }

    /// The pieces after the first `seen` of all that ever came out, as far as they are still kept.
    pub fn papers_after(&self, seen: usize) -> &[PrintedSlip] {
        let papers = self.papers();
        let start = seen.saturating_sub(self.tray.forgotten()).min(papers.len());
        &papers[start..]
    }

    /// How many pieces ever came out.
    pub fn papers_total(&self) -> usize {
        self.tray.forgotten() + self.papers().len()
    }

    /// What stands on the paper that was not torn off yet.
    pub fn unfinished(&self) -> PrintedSlip {
        self.tray.unfinished()
    }
}
