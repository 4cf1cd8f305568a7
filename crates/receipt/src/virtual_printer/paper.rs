//! What comes out of the printer: text to read, and the marks on the paper to draw it from.
//!
//! A piece is bounded by its lines and all kept pieces by their bytes; the oldest go first.

use super::draw;
use crate::gb18030::{width, width_of};
use crate::slip::{Align, aligned};

/// Pieces of paper that are kept to look at; the oldest go first.
pub const PAPERS_MAX: usize = 256;
/// Bytes of all kept pieces; the oldest go first.
pub const PAPERS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Lines of one piece without a cut; a longer one is torn here.
pub const PIECE_LINES_MAX: usize = 1_000;
/// Rows of dots of one line of text.
pub const LINE_DOTS: u16 = 30;

/// One piece of paper that came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrintedSlip {
    /// What can be read on it, one line a row, blank lines at its end left out.
    pub text: String,
    /// Whether the cutter cut it off.
    pub cut: bool,
    /// What is on it, from top to bottom.
    pub marks: Vec<Mark>,
}

/// One thing on the paper; each begins at the left edge below the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line of characters.
    Line {
        /// Its characters from left to right, in runs of one style.
        runs: Vec<Run>,
        /// Where it stands.
        align: Align,
        /// How far the paper moves, in dots; a taller character moves it further.
        dots: u16,
    },
    /// Rows of dots, the highest bit of each byte at the left.
    Dots {
        /// Bytes of one row.
        row_bytes: u16,
        /// The rows from top to bottom.
        bits: Vec<u8>,
        /// Where it stands.
        align: Align,
        /// Drawn twice as wide, twice as high.
        doubled: (bool, bool),
    },
    /// A QR symbol, drawn by the printer itself.
    Qr {
        /// What it says.
        content: Vec<u8>,
        /// Dots of one module, 1 to 16.
        module_dots: u8,
        /// Error correction: `L`, `M`, `Q` or `H`.
        level: char,
        /// Where it stands.
        align: Align,
    },
    /// Empty paper, in dots.
    Feed(u16),
}

/// Characters of one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// Their style.
    pub style: RunStyle,
}

/// How characters look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStyle {
    /// Times as wide, 1 to 8.
    pub wide: u8,
    /// Times as high, 1 to 8.
    pub high: u8,
    /// Drawn twice, one dot apart.
    pub bold: bool,
    /// With a line below.
    pub underlined: bool,
    /// White on black.
    pub inverted: bool,
}

/// As after a reset.
pub const PLAIN: RunStyle = RunStyle {
    wide: 1,
    high: 1,
    bold: false,
    underlined: false,
    inverted: false,
};

impl PrintedSlip {
    /// Its length in dots: eight are a millimetre.
    pub fn dots(&self) -> u64 {
        self.marks.iter().map(|mark| u64::from(mark.dots())).sum()
    }
}

impl Mark {
    /// How far the paper moves, in dots.
    pub fn dots(&self) -> u16 {
        match self {
            Mark::Line { runs, dots, .. } => {
                let high = runs.iter().map(|run| u16::from(run.style.high)).max();
                (*dots).max(high.unwrap_or(1) * 24)
            }
            Mark::Dots {
                row_bytes,
                bits,
                doubled,
                ..
            } => {
                let rows = bits.len() / usize::from(*row_bytes).max(1);
                let times = if doubled.1 { 2 } else { 1 };
                u16::try_from(rows * times).unwrap_or(u16::MAX)
            }
            Mark::Qr {
                content,
                module_dots,
                level,
                ..
            } => draw::qr(content, *level)
                .map_or(0, |code| code.width() as u16 * u16::from(*module_dots)),
            Mark::Feed(dots) => *dots,
        }
    }

    fn bytes(&self) -> usize {
        let own = match self {
            Mark::Line { runs, .. } => runs.iter().map(|run| 40 + run.text.len()).sum(),
            Mark::Dots { bits, .. } => bits.len(),
            Mark::Qr { content, .. } => content.len(),
            Mark::Feed(_) => 0,
        };
        own + size_of::<Mark>()
    }
}

/// The line that is being put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    runs: Vec<Run>,
    columns: usize,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Line::default();
    }

    /// Whether a character still fits into so many columns.
    pub(super) fn fits(&self, character: char, style: RunStyle, columns: usize) -> bool {
        self.is_empty() || self.columns + columns_of(character, style) <= columns
    }

    pub(super) fn push(&mut self, character: char, style: RunStyle) {
        self.columns += columns_of(character, style);
        match self.runs.last_mut() {
            Some(run) if run.style == style => run.text.push(character),
            _ => self.runs.push(Run {
                text: character.to_string(),
                style,
            }),
        }
    }

    /// Columns of plain characters so far.
    pub(super) fn width(&self) -> usize {
        self.runs.iter().map(|run| width(&run.text)).sum()
    }

    pub(super) fn take(&mut self) -> Vec<Run> {
        std::mem::take(self).runs
    }
}

fn columns_of(character: char, style: RunStyle) -> usize {
    width_of(character) * usize::from(style.wide)
}

/// The paper that is still in the printer, and the pieces that came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Tray {
    lines: Vec<String>,
    marks: Vec<Mark>,
    papers: Vec<PrintedSlip>,
    bytes: usize,
    forgotten: usize,
}

impl Tray {
    /// Puts a mark on the paper, or moves it without one when nothing can be read on it.
    pub(super) fn put(&mut self, mark: Mark, columns: usize, blank: bool) {
        let mark = if blank { Mark::Feed(mark.dots()) } else { mark };
        self.lines.extend(reading(&mark, columns));
        self.marks.push(mark);
        if self.marks.len() >= PIECE_LINES_MAX {
            self.tear(false);
        }
    }

    pub(super) fn tear(&mut self, cut: bool) {
        if self.marks.is_empty() {
            return;
        }
        let piece = PrintedSlip {
            text: page(&std::mem::take(&mut self.lines)),
            cut,
            marks: std::mem::take(&mut self.marks),
        };
        self.bytes += bytes_of(&piece);
        self.papers.push(piece);
        while self.papers.len() > PAPERS_MAX
            || (self.bytes > PAPERS_BYTES_MAX && self.papers.len() > 1)
        {
            self.bytes -= bytes_of(&self.papers.remove(0));
            self.forgotten += 1;
        }
    }

    pub(super) fn papers(&self) -> &[PrintedSlip] {
        &self.papers
    }

    pub(super) fn forgotten(&self) -> usize {
        self.forgotten
    }

    pub(super) fn unfinished(&self) -> PrintedSlip {
        PrintedSlip {
            text: page(&self.lines),
            cut: false,
            marks: self.marks.clone(),
        }
    }
}

fn bytes_of(piece: &PrintedSlip) -> usize {
    piece.text.len() + piece.marks.iter().map(Mark::bytes).sum::<usize>()
}

/// What a person reads in a mark; the content of a QR symbol stands for it, and nothing for a picture.
fn reading(mark: &Mark, columns: usize) -> Option<String> {
    match mark {
        Mark::Line { runs, align, .. } => {
            let text: String = runs.iter().map(|run| run.text.as_str()).collect();
            Some(aligned(&text, *align, columns))
        }
        Mark::Qr { content, .. } => Some(format!("[QR {}]", String::from_utf8_lossy(content))),
        Mark::Feed(_) => Some(String::new()),
        Mark::Dots { .. } => None,
    }
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
