//! Sorts the bytes a printer sends back into answers, and reads their meaning.
//!
//! Any byte stream, cut at any place, gives the same answers; what is kept between two pieces is
//! bounded by [`BLOCK_BYTES_MAX`] (receipts reference §2.1–2.4).

use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// Longest block (`35`, `37`, `39`, `3B`, `3D`, `5F` … `00`) that is kept; longer ones are dropped whole.
pub const BLOCK_BYTES_MAX: usize = 80;

/// One thing the printer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One byte of the answer to `DLE EOT n`; it carries no n.
    Realtime(u8),
    /// Automatic status back, four bytes.
    AutoStatus([u8; 4]),
    /// Answer to `GS r n` or `GS I 1..3`: everything before it was taken from the receive buffer.
    InOrder(u8),
    /// Process-ID response of `GS ( H`: the data before this ID is on paper.
    ProcessId([u8; 4]),
    /// `37 23 … 00`: it went offline, with up to ten cause bytes `40`–`7F`.
    WentOffline(Vec<u8>),
    /// `37 25 00`: both buffers were cleared.
    Cleared,
    /// `3B … 00`: the printer is being switched off.
    PowerOff,
    /// `5F … 00` or `3D … 00`: the answer to `GS I n`, its header left out.
    Information(Vec<u8>),
    /// `39 … 00`: the extended automatic status of some models, its header left out.
    ExtendedStatus(Vec<u8>),
    /// No printer says this: a byte, a block or a status outside its pattern.
    Foreign,
}

/// The resumable sorter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers(Pending);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Pending {
    #[default]
    Nothing,
    /// The first bytes of an automatic status, one to three.
    AutoStatus(Vec<u8>),
    /// A block without its final NUL.
    Block(Vec<u8>),
    /// A block longer than any we know, until its NUL.
    Overlong,
}

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;
const OFFLINE_CAUSES_MAX: usize = 10;

impl Answers {
    /// Takes any bytes and returns what they complete; at most one answer a byte.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Answer> {
        bytes
            .iter()
            .filter(|byte| !matches!(**byte, XON | XOFF))
            .filter_map(|byte| self.hear_byte(*byte))
            .collect()
    }

    fn hear_byte(&mut self, byte: u8) -> Option<Answer> {
        match &mut self.0 {
            Pending::Nothing => match byte {
                0x35 | 0x37 | 0x39 | 0x3B | 0x3D | 0x5F => {
                    self.0 = Pending::Block(vec![byte]);
                    None
                }
                _ if byte & 0x93 == 0x12 => Some(Answer::Realtime(byte)),
                _ if byte & 0x93 == 0x10 => {
                    self.0 = Pending::AutoStatus(vec![byte]);
                    None
                }
                _ if byte & 0x90 == 0x00 => Some(Answer::InOrder(byte)),
                _ => Some(Answer::Foreign),
            },
            Pending::AutoStatus(first) => {
                if let [one, two, three] = first[..] {
                    self.0 = Pending::Nothing;
                    return Some(auto_status([one, two, three, byte]));
                }
                first.push(byte);
                None
            }
            Pending::Block(block) if byte == 0 => {
                let answer = block_answer(block);
                self.0 = Pending::Nothing;
                Some(answer)
            }
            Pending::Block(block) if block.len() == BLOCK_BYTES_MAX => {
                self.0 = Pending::Overlong;
                Some(Answer::Foreign)
            }
            Pending::Block(block) => {
                block.push(byte);
                None
            }
            Pending::Overlong => {
                if byte == 0 {
                    self.0 = Pending::Nothing;
                }
                None
            }
        }
    }
}

/// Whatever follows its first byte belongs to it; outside its pattern it says nothing.
fn auto_status(four: [u8; 4]) -> Answer {
    match four[1..].iter().all(|byte| byte & 0x90 == 0) {
        true => Answer::AutoStatus(four),
        false => Answer::Foreign,
    }
}

fn block_answer(block: &[u8]) -> Answer {
    match block {
        [0x37, 0x22, one, two, three, four] => Answer::ProcessId([*one, *two, *three, *four]),
        [0x37, 0x23, causes @ ..]
            if causes.len() <= OFFLINE_CAUSES_MAX
                && causes.iter().all(|cause| (0x40..=0x7F).contains(cause)) =>
        {
            Answer::WentOffline(causes.to_vec())
        }
        [0x37, 0x25] => Answer::Cleared,
        [0x3B, ..] => Answer::PowerOff,
        [0x5F | 0x3D, text @ ..] => Answer::Information(text.to_vec()),
        [0x39, status @ ..] => Answer::ExtendedStatus(status.to_vec()),
        _ => Answer::Foreign,
    }
}

/// What the status bytes of a printer mean together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What keeps it from printing; the cover is read before the paper.
    pub trouble: Option<Trouble>,
    /// The roll is near its end: a warning only.
    pub paper_low: bool,
}

impl Status {
    /// From the answers to `DLE EOT 1`, `2`, `3` and `4`, in this order (receipts reference §2.1).
    pub fn from_realtime([printer, offline, error, roll]: [u8; 4]) -> Status {
        Status {
            trouble: first_true(&[
                (offline & 0x04 != 0, Trouble::CoverOpen),
                (offline & 0x20 != 0 || roll & 0x60 != 0, Trouble::PaperOut),
                (error & 0x20 != 0, Trouble::Fault),
                (error & 0x08 != 0, Trouble::Cutter),
                (error & 0x04 != 0, Trouble::Jam),
                (error & 0x40 != 0, Trouble::HeadHot),
                (printer & 0x08 != 0, Trouble::Offline),
            ]),
            paper_low: roll & 0x0C != 0,
        }
    }

    /// From the four bytes of automatic status back; the last is model dependent and ignored (§2.3).
    pub fn from_auto([first, error, roll, _]: [u8; 4]) -> Status {
        Status {
            trouble: first_true(&[
                (first & 0x20 != 0, Trouble::CoverOpen),
                (roll & 0x0C != 0, Trouble::PaperOut),
                (error & 0x20 != 0, Trouble::Fault),
                (error & 0x08 != 0, Trouble::Cutter),
                (error & 0x04 != 0, Trouble::Jam),
                (error & 0x40 != 0, Trouble::HeadHot),
                (first & 0x08 != 0, Trouble::Offline),
            ]),
            paper_low: roll & 0x03 != 0,
        }
    }

    /// From the answer to `GS r 1`: `03` near its end, `0C` no paper, and `0F` from clones (§2.2);
    /// `None` when no paper sensor says this.
    pub fn from_in_order(roll: u8) -> Option<Status> {
        (roll & 0xF0 == 0).then(|| Status {
            trouble: (roll & 0x0C == 0x0C).then_some(Trouble::PaperOut),
            paper_low: roll & 0x03 != 0,
        })
    }
}

fn first_true(rows: &[(bool, Trouble)]) -> Option<Trouble> {
    rows.iter().find(|row| row.0).map(|row| row.1)
}
