//! The positive sign: what a terminal says of its last completed sale and slip, in field 59 of its MACed messages.
//!
//! Silence is not consent: an approval without such a sign ages in the one-sided queue (settled point 5).

use crate::{Batch, Stan};
use serde::{Deserialize, Serialize};

/// How the terminal closed its last completed sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignOutcome {
    /// The terminal has the approval and has shown it.
    Approved,
    /// The terminal closed it as declined or never sent.
    Declined,
    /// The terminal knows that it was reversed.
    Reversed,
}

/// What the terminal knows of the slip of that sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct SlipEvidence {
    /// Evidence level 0 to 5 (receipts reference, E0–E5).
    pub level: u8,
    /// Why it is not printed: two digits, 0 when there is no trouble; the table is `Trouble`.
    pub trouble: Trouble,
    /// The terminal has shown the e-slip.
    pub eslip: bool,
}

impl SlipEvidence {
    /// The evidence of paper alone.
    pub const fn paper(level: u8, trouble: Trouble) -> Self {
        Self {
            level,
            trouble,
            eslip: false,
        }
    }
}

/// The evidence as records keep it: the e-slip is bit 4 of the level, so that records without one stay readable.
#[derive(Serialize, Deserialize)]
struct Kept {
    level: u8,
    trouble: Trouble,
}

const ESLIP_BIT: u8 = 16;

impl From<Kept> for SlipEvidence {
    fn from(Kept { level, trouble }: Kept) -> Self {
        Self {
            level: level & !ESLIP_BIT,
            trouble,
            eslip: level & ESLIP_BIT != 0,
        }
    }
}

impl From<SlipEvidence> for Kept {
    fn from(slip: SlipEvidence) -> Self {
        Self {
            level: slip.level | if slip.eslip { ESLIP_BIT } else { 0 },
            trouble: slip.trouble,
        }
    }
}

/// What keeps a slip from being printed, as the sign carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Trouble {
    /// Nothing known.
    None,
    /// Out of paper.
    PaperOut,
    /// Cover open.
    CoverOpen,
    /// Paper jam or cutter.
    Jam,
    /// Printer does not answer.
    Offline,
    /// Printing is switched off in the settings.
    SwitchedOff,
    /// The terminal lost power while printing.
    PowerLost,
    /// Something else.
    Other,
    /// Print head, supply or board.
    Head,
    /// What is connected is no receipt printer.
    WrongDevice,
    /// Paper came out, and nothing is on it.
    Blank,
    /// Nobody knows what is on the paper: somebody must look.
    Unseen,
}

impl Trouble {
    /// Every value, in wire order.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::PaperOut,
        Self::CoverOpen,
        Self::Jam,
        Self::Offline,
        Self::SwitchedOff,
        Self::PowerLost,
        Self::Other,
        Self::Head,
        Self::WrongDevice,
        Self::Blank,
        Self::Unseen,
    ];

    /// The words after "slip not printed".
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("", ""),
            Self::PaperOut => ("缺纸", "out of paper"),
            Self::CoverOpen => ("上盖未合", "cover open"),
            Self::Jam => ("卡纸或切刀故障", "paper jam or cutter"),
            Self::Offline => ("打印机没有应答", "printer does not answer"),
            Self::SwitchedOff => ("打印功能已被关闭", "printing is switched off"),
            Self::PowerLost => ("打印时断电", "power was lost while printing"),
            Self::Other => ("原因不明", "cause unknown"),
            Self::Head => (
                "打印头、电源或主板故障",
                "print head, supply or board fault",
            ),
            Self::WrongDevice => ("接的不是小票打印机", "not a receipt printer"),
            Self::Blank => ("出纸无字", "paper came out blank"),
            Self::Unseen => ("纸上结果待查看", "somebody must look at the paper"),
        }
    }
}

/// The sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Batch of the last completed sale.
    pub batch: Batch,
    /// Its trace number.
    pub stan: Stan,
    /// How it ended.
    pub outcome: SignOutcome,
    /// Its slip.
    pub slip: SlipEvidence,
}

/// Tag of the sign inside field 59: two characters, then a three-digit length, then the value (as tags A2–A4, reference §2.8).
const TAG: &[u8; 2] = b"CF";
/// batch 6, trace 6, outcome 1, level 1, trouble 2.
const VALUE_LENGTH: usize = 16;
/// Added to the two digits of the trouble when the e-slip was shown.
const ESLIP: u8 = 50;

impl Sign {
    /// The bytes of field 59.
    pub fn write(&self) -> [u8; 21] {
        let outcome = match self.outcome {
            SignOutcome::Approved => 'A',
            SignOutcome::Declined => 'D',
            SignOutcome::Reversed => 'R',
        };
        let text = format!(
            "CF{VALUE_LENGTH:03}{}{}{outcome}{}{:02}",
            self.batch,
            self.stan,
            self.slip.level.min(5),
            self.slip.trouble as u8 + if self.slip.eslip { ESLIP } else { 0 }
        );
        let mut bytes = [b'0'; 21];
        bytes.copy_from_slice(&text.as_bytes()[..21]);
        bytes
    }

    /// Finds the sign among the tags of a field 59; other tags are passed over, nonsense gives none.
    pub fn read(field: &[u8]) -> Option<Self> {
        tag(field, TAG).and_then(Self::value)
    }

    fn value(value: &[u8]) -> Option<Self> {
        if value.len() != VALUE_LENGTH {
            return None;
        }
        let outcome = match value[12] {
            b'A' => SignOutcome::Approved,
            b'D' => SignOutcome::Declined,
            b'R' => SignOutcome::Reversed,
            _ => return None,
        };
        let level = number(&value[13..14])? as u8;
        let trouble = number(&value[14..16])? as u8;
        let eslip = trouble >= ESLIP;
        let trouble = *Trouble::ALL.get(usize::from(trouble % ESLIP))?;
        (level <= 5).then_some(())?;
        Some(Self {
            batch: Batch(number(&value[..6])?),
            stan: Stan(number(&value[6..12])?),
            outcome,
            slip: SlipEvidence {
                level,
                trouble,
                eslip,
            },
        })
    }
}

/// The value of the tag called `name` among those of a field 59.
pub(crate) fn tag<'a>(mut field: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    while field.len() >= 5 {
        let length = number(&field[2..5])? as usize;
        let value = field.get(5..5 + length)?;
        if &field[..2] == name {
            return Some(value);
        }
        field = &field[5 + length..];
    }
    None
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().all(u8::is_ascii_digit).then_some(())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_survives_the_wire_and_its_neighbours() {
        for (trouble, eslip) in Trouble::ALL
            .into_iter()
            .flat_map(|t| [(t, false), (t, true)])
        {
            let sign = Sign {
                batch: Batch(17),
                stan: Stan(999_999),
                outcome: SignOutcome::Approved,
                slip: SlipEvidence {
                    level: 4,
                    trouble,
                    eslip,
                },
            };
            assert_eq!(SlipEvidence::from(Kept::from(sign.slip)), sign.slip);
            let wire = sign.write();
            assert_eq!(Sign::read(&wire), Some(sign));
            let mut longer = b"A2004\x01\x02\x03\x04".to_vec();
            longer.extend_from_slice(&wire);
            assert_eq!(Sign::read(&longer), Some(sign));
        }
        for bad in [
            &b""[..],
            b"CF",
            b"CF016",
            b"CF0161234567890123456",
            b"A2999x",
            b"CF016000001000001X000",
            b"CF016000001000001A462",
        ] {
            assert_eq!(Sign::read(bad), None);
        }
    }
}
