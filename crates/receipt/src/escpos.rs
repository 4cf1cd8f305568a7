//! Draws a slip as the ESC/POS bytes of one print job.
//!
//! Only complete commands, ASCII and two-byte GB18030 leave here; no control character of a field
//! can become a command (receipts reference §2.5, §3.2, §9).

use crate::gb18030::{self, Code};
use crate::slip::{Align, Row, Size, Slip};
use std::convert::Infallible;
use std::fmt;

/// The status question `DLE EOT 1`–`4`; a well printer answers with four bytes in this order.
pub const STATUS_QUESTION: [u8; 12] = [0x10, 0x04, 1, 0x10, 0x04, 2, 0x10, 0x04, 3, 0x10, 0x04, 4];

/// A character that the printer's two-byte font cannot draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmappable {
    /// The character.
    pub character: char,
    /// Row of the slip, from 0.
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
    /// The bytes of one print job, or the first character that cannot be printed.
    pub fn escpos(&self, job_id: u32) -> Result<Vec<u8>, Unmappable> {
        job(self, job_id, |character, line| {
            gb18030::code(character).ok_or(Unmappable { character, line })
        })
    }

    /// The bytes of one print job with `？` for every character that cannot be printed: a slip with
    /// a hole is better than none.
    pub fn escpos_substituted(&self, job_id: u32) -> Vec<u8> {
        let code = |character, _| {
            Ok::<_, Infallible>(gb18030::code(character).unwrap_or(gb18030::SUBSTITUTE))
        };
        match job(self, job_id, code) {
            Ok(bytes) => bytes,
            Err(never) => match never {},
        }
    }
}

/// Reset, select the printer, near-end is a warning only, automatic status on, Chinese mode on.
const HEAD: [u8; 14] = [
    0x1B, 0x40, 0x1B, 0x3D, 0x01, 0x1B, 0x63, 0x34, 0x00, 0x1D, 0x61, 0xFF, 0x1C, 0x26,
];
const FEED_AND_CUT: [u8; 7] = [0x1B, 0x64, 0x04, 0x1D, 0x56, 0x42, 0x00];
const PAPER_IN_ORDER: [u8; 3] = [0x1D, 0x72, 0x01];

fn job<E>(
    slip: &Slip,
    job_id: u32,
    mut code: impl FnMut(char, usize) -> Result<Code, E>,
) -> Result<Vec<u8>, E> {
    let mut bytes = HEAD.to_vec();
    let (mut align, mut size) = (Align::Left, Size::Normal);
    for (line, row) in slip.rows().iter().enumerate() {
        let rule;
        let (text, wanted_align, wanted_size) = match row {
            Row::Rule => {
                rule = slip.rule();
                (&rule, Align::Left, Size::Normal)
            }
            Row::Text { text, align, size } => (text, *align, *size),
        };
        if wanted_align != align {
            align = wanted_align;
            bytes.extend([0x1B, 0x61, align as u8]);
        }
        if wanted_size != size {
            size = wanted_size;
            bytes.extend(size_commands(size));
        }
        for character in text.chars() {
            match code(character, line)? {
                Code::One(byte) => bytes.push(byte),
                Code::Two(pair) => bytes.extend(pair),
            }
        }
        bytes.push(0x0A);
    }
    bytes.extend(process_id_command(process_id(job_id, Section::Body)));
    bytes.extend(FEED_AND_CUT);
    bytes.extend(process_id_command(process_id(job_id, Section::Cut)));
    bytes.extend(PAPER_IN_ORDER);
    Ok(bytes)
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
