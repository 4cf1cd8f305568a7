//! What the installation found out about the printer: how fast it prints, and how far its word can be trusted.
//!
//! A deadline computed here is never shorter than this printer needs (receipts
//! reference §3.2).

use crate::acceptance::Proof;
use crate::picture::height;
use crate::slip::Slip;
use serde::{Deserialize, Serialize};

/// How long the cutter may take.
pub const CUT_US: u64 = 1_500_000;
/// What is added to every computed time.
pub const MARGIN_US: u64 = 3_000_000;
/// Dots of the feed before the cut.
pub const FEED_DOTS: u32 = 160;

const DOTS_PER_MM: u64 = 8;

/// Who draws something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Means {
    /// The printer.
    Native,
    /// We do, as dots.
    Raster,
}

/// One printer, as its installation found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledPrinter {
    /// Millimetres of paper a second; 58 mm printers reach 50–90, 80 mm ones 150–500.
    pub speed_mm_per_s: u32,
    /// Bytes a second of a serial line; `None` where the line is faster than the paper.
    pub line_bytes_per_s: Option<u32>,
    /// What its process IDs are worth.
    pub proof: Proof,
    /// How it draws Chinese.
    pub chinese: Means,
    /// How it draws QR codes.
    pub qr: Means,
}

impl Default for InstalledPrinter {
    /// The slowest printer, taken at its word.
    fn default() -> InstalledPrinter {
        InstalledPrinter {
            speed_mm_per_s: 50,
            line_bytes_per_s: None,
            proof: Proof::Completed,
            chinese: Means::Native,
            qr: Means::Native,
        }
    }
}

impl InstalledPrinter {
    /// Within this a well printer has taken `bytes`, drawn `dots` rows and cut, in microseconds.
    pub fn wait_us(self, dots: u32, bytes: usize) -> u64 {
        let speed = u64::from(self.speed_mm_per_s.max(1)) * DOTS_PER_MM;
        let printing_us = u64::from(dots) * 1_000_000 / speed;
        let line_us = self.line_bytes_per_s.map_or(0, |per_s| {
            (bytes as u64).saturating_mul(1_000_000) / u64::from(per_s.max(1))
        });
        printing_us + line_us + CUT_US + MARGIN_US
    }
}

/// How long a slip is on paper at most, in dots, the feed before its cut included.
pub fn dots(slip: &Slip) -> u32 {
    let paper = slip.paper().dots();
    let drawn: u32 = slip.lines().iter().map(|line| height(line, paper)).sum();
    // A printer's own lines stand up to a quarter further apart than drawn ones.
    FEED_DOTS + drawn + drawn / 4
}
