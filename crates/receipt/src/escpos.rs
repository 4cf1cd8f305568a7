//! Draws a slip as the ESC/POS bytes of one print job, with the printer's own characters or as a picture.
//!
//! Only complete commands, ASCII and two-byte GB18030 leave here; no control character of a field can
//! become a command, and no dots can become a real-time one (receipts reference §2.5, §3.2, §9).

use crate::bitmap::Bitmap;
use crate::gb18030::{self, Code};
use crate::installed::{InstalledPrinter, Means};
use crate::picture::in_the_middle;
use crate::qr::{Matrix, QUIET_MODULES};
use crate::slip::{Align, Line, Size, Slip, TextLine};
use std::convert::Infallible;
use std::fmt;

/// The status question `DLE EOT 1`–`4`; a well printer answers with four bytes in this order.
pub const STATUS_QUESTION: [u8; 12] = [0x10, 0x04, 1, 0x10, 0x04, 2, 0x10, 0x04, 3, 0x10, 0x04, 4];
/// Most rows of dots in one command: cheap printers have buffers of 4 KB.
pub const STRIP_ROWS_MAX: usize = 128;

/// A character that the printer's two-byte font cannot draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmappable {
    /// The character.
    pub character: char,
    /// Line of the slip's text, from 0.
    pub line: usize,
}

impl fmt::Display for Unmappable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}: {:?} has no two-byte GB18030 code",
            self.line, self.character
        )
    }
}

impl std::error::Error for Unmappable {}

/// Which part of a job a process ID stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Every line of the slip.
    Body,
    /// Feed and cut.
    Cut,
}

/// The process ID of a job's section: three base-36 digits of the job, one letter (§3.2).
pub fn process_id(job_id: u32, section: Section) -> [u8; 4] {
    let digit =
        |power: u32| b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(job_id / power % 36) as usize];
    let letter = match section {
        Section::Body => b'B',
        Section::Cut => b'C',
    };
    [digit(36 * 36), digit(36), digit(1), letter]
}

impl Slip {
    /// The bytes of one print job in the printer's own characters, or the first one it does not have.
    pub fn escpos(&self, job_id: u32) -> Result<Vec<u8>, Unmappable> {
        native(self, Means::Native, job_id, |character, line| {
            gb18030::code(character).ok_or(Unmappable { character, line })
        })
    }

    /// The bytes of one print job with `？` for every character that the printer does not have.
    pub fn escpos_substituted(&self, job_id: u32) -> Vec<u8> {
        let code = |character, _| {
            Ok::<_, Infallible>(gb18030::code(character).unwrap_or(gb18030::SUBSTITUTE))
        };
        match native(self, Means::Native, job_id, code) {
            Ok(bytes) => bytes,
            Err(never) => match never {},
        }
    }

    /// The bytes of one print job as this printer can draw it: with its own characters where it has
    /// them all, else as a picture; a character that not even our font has becomes `？`.
    pub fn escpos_for(&self, profile: &InstalledPrinter, job_id: u32) -> Vec<u8> {
        let mapped = native(self, profile.qr, job_id, |character, _| {
            let known = profile.chinese == Means::Native || character.is_ascii();
            gb18030::code(character).filter(|_| known).ok_or(())
        });
        mapped
            .or_else(|()| self.escpos_raster(job_id))
            .or_else(|_| self.substituted().escpos_raster(job_id))
            .unwrap_or_else(|_| self.escpos_substituted(job_id))
    }

    /// The bytes of one print job as a picture.
    pub fn escpos_raster(&self, job_id: u32) -> Result<Vec<u8>, crate::NoGlyph> {
        let mut job = Job::new();
        job.picture(&self.bitmap()?);
        Ok(job.end(job_id))
    }
}

/// Reset, select the printer, near-end is a warning only, automatic status on, Chinese mode on.
const HEAD: [u8; 14] = [
    0x1B, 0x40, 0x1B, 0x3D, 0x01, 0x1B, 0x63, 0x34, 0x00, 0x1D, 0x61, 0xFF, 0x1C, 0x26,
];
const FEED_AND_CUT: [u8; 7] = [0x1B, 0x64, 0x04, 0x1D, 0x56, 0x42, 0x00];
const PAPER_IN_ORDER: [u8; 3] = [0x1D, 0x72, 0x01];

fn native<E>(
    slip: &Slip,
    qr: Means,
    job_id: u32,
    code: impl Fn(char, usize) -> Result<Code, E>,
) -> Result<Vec<u8>, E> {
    let (paper, columns) = (slip.paper().dots(), slip.paper().columns());
    let mut job = Job::new();
    let mut text_line = 0;
    for line in slip.lines() {
        match &line {
            Line::Text(text) => job.text(text, |character| code(character, text_line))?,
            Line::Rule | Line::Signature => {
                let text = line.text(columns).concat();
                job.text(&plain(text), |character| code(character, text_line))?;
            }
            Line::Qr(payload, matrix) if qr == Means::Native => job.qr(payload, matrix, paper),
            Line::Qr(_, matrix) => {
                job.centred_picture(&matrix.bitmap(matrix.module_dots(paper)), paper);
            }
            Line::Picture(picture, _) => job.centred_picture(picture, paper),
            Line::Feed(lines) => job.bytes.extend([0x1B, 0x64, *lines]),
        }
        text_line += line.text(columns).len();
    }
    Ok(job.end(job_id))
}

fn plain(text: String) -> TextLine {
    TextLine {
        text,
        align: Align::Left,
        size: Size::Normal,
        bold: false,
    }
}

/// The bytes of a job and the style that they leave the printer in.
struct Job {
    bytes: Vec<u8>,
    align: Align,
    size: Size,
    bold: bool,
}

impl Job {
    fn new() -> Job {
        Job {
            bytes: HEAD.to_vec(),
            align: Align::Left,
            size: Size::Normal,
            bold: false,
        }
    }

    fn text<E>(
        &mut self,
        line: &TextLine,
        code: impl Fn(char) -> Result<Code, E>,
    ) -> Result<(), E> {
        self.style(line.align, line.size, line.bold);
        for character in line.text.chars() {
            match code(character)? {
                Code::One(byte) => self.bytes.push(byte),
                Code::Two(pair) => self.bytes.extend(pair),
            }
        }
        self.bytes.push(0x0A);
        Ok(())
    }

    fn style(&mut self, align: Align, size: Size, bold: bool) {
        if align != self.align {
            self.bytes.extend([0x1B, 0x61, align as u8]);
        }
        if size != self.size {
            self.bytes.extend(size_commands(size));
        }
        if bold != self.bold {
            self.bytes.extend([0x1B, 0x45, u8::from(bold)]);
        }
        (self.align, self.size, self.bold) = (align, size, bold);
    }

    /// Model 2, level M, with the quiet zone above and below that the printer does not add.
    fn qr(&mut self, payload: &str, matrix: &Matrix, paper: u32) {
        let module = u8::try_from(matrix.module_dots(paper)).unwrap_or(u8::MAX);
        let quiet = [0x1B, 0x4A, module.saturating_mul(QUIET_MODULES as u8)];
        let [low, high, ..] = (payload.len() + 3).to_le_bytes();
        self.style(Align::Centre, Size::Normal, false);
        self.bytes.extend(quiet);
        self.bytes
            .extend([0x1D, 0x28, 0x6B, 4, 0, 0x31, 0x41, 0x32, 0]);
        self.bytes
            .extend([0x1D, 0x28, 0x6B, 3, 0, 0x31, 0x43, module]);
        self.bytes
            .extend([0x1D, 0x28, 0x6B, 3, 0, 0x31, 0x45, 0x31]);
        self.bytes
            .extend([0x1D, 0x28, 0x6B, low, high, 0x31, 0x50, 0x30]);
        self.bytes.extend(payload.bytes());
        self.bytes
            .extend([0x1D, 0x28, 0x6B, 3, 0, 0x31, 0x51, 0x30]);
        self.bytes.extend(quiet);
    }

    fn centred_picture(&mut self, picture: &Bitmap, paper: u32) {
        let mut whole = Bitmap::new(paper, picture.height());
        in_the_middle(&mut whole, picture, 0);
        self.picture(&without_realtime(whole));
    }

    /// `GS v 0` in strips; the picture is as wide as the paper.
    fn picture(&mut self, picture: &Bitmap) {
        self.style(Align::Left, Size::Normal, false);
        let [x_low, x_high, ..] = picture.row_bytes().to_le_bytes();
        for strip in picture
            .bytes()
            .chunks(picture.row_bytes().max(1) * STRIP_ROWS_MAX)
        {
            let [y_low, y_high, ..] = (strip.len() / picture.row_bytes()).to_le_bytes();
            self.bytes
                .extend([0x1D, 0x76, 0x30, 0, x_low, x_high, y_low, y_high]);
            self.bytes.extend(strip);
        }
    }

    fn end(mut self, job_id: u32) -> Vec<u8> {
        self.bytes
            .extend(process_id_command(process_id(job_id, Section::Body)));
        self.bytes.extend(FEED_AND_CUT);
        self.bytes
            .extend(process_id_command(process_id(job_id, Section::Cut)));
        self.bytes.extend(PAPER_IN_ORDER);
        self.bytes
    }
}

/// The picture without the byte pairs `10 04`, `10 05`, `10 14`, which a printer would obey in the
/// middle of an image: the lonely dot of the first byte gets a neighbour (receipts reference §2.5).
pub(crate) fn without_realtime(mut picture: Bitmap) -> Bitmap {
    let dots_a_row = u32::try_from(picture.row_bytes() * 8).unwrap_or(u32::MAX);
    let commands: Vec<u32> = (0_u32..)
        .zip(picture.bytes().windows(2))
        .filter(|(_, pair)| matches!(pair, [0x10, 0x04 | 0x05 | 0x14]))
        .map(|(place, _)| place * 8)
        .collect();
    for first_dot in commands {
        let (x, y) = (first_dot % dots_a_row, first_dot / dots_a_row);
        picture.set(x + 4, y, true);
    }
    picture
}

/// `GS !` sizes ASCII, `FS !` sizes Chinese on the printers that keep the two apart.
fn size_commands(size: Size) -> [u8; 6] {
    match size {
        Size::Normal => [0x1D, 0x21, 0x00, 0x1C, 0x21, 0x00],
        Size::Double => [0x1D, 0x21, 0x11, 0x1C, 0x21, 0x0C],
    }
}

fn process_id_command(id: [u8; 4]) -> [u8; 11] {
    let [one, two, three, four] = id;
    [
        0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, one, two, three, four,
    ]
}
