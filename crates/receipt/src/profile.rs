//! What is known of one printer model: how fast it prints, and how far its word can be trusted.
//!
//! A deadline computed here is never shorter than the slowest printer of the profile needs (receipts
//! reference §3.2).

use crate::acceptance::Proof;
use crate::slip::{Row, Size, Slip};
use serde::{Deserialize, Serialize};

/// How long the cutter may take.
pub const CUT_US: u64 = 1_500_000;
/// What is added to every computed time.
pub const MARGIN_US: u64 = 3_000_000;
/// Dots of one line of normal size, its spacing included.
pub const LINE_DOTS: u32 = 30;
/// Dots of the feed before the cut.
pub const FEED_DOTS: u32 = 4 * LINE_DOTS;

const DOTS_PER_MM: u64 = 8;

/// One printer, as its installation found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterProfile {
    /// Millimetres of paper a second; 58 mm printers reach 50–90, 80 mm ones 150–500.
    pub speed_mm_per_s: u32,
    /// Bytes a second of a serial line; `None` where the line is faster than the paper.
    pub line_bytes_per_s: Option<u32>,
    /// What its process IDs are worth.
    pub proof: Proof,
}

impl Default for PrinterProfile {
    /// The slowest printer, taken at its word.
    fn default() -> PrinterProfile {
        PrinterProfile {
            speed_mm_per_s: 50,
            line_bytes_per_s: None,
            proof: Proof::Completed,
        }
    }
}

impl PrinterProfile {
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

/// How long a slip is on paper, in dots, the feed before its cut included.
pub fn dots(slip: &Slip) -> u32 {
    let row = |row: &Row| match row {
        Row::Text {
            size: Size::Double, ..
        } => 2 * LINE_DOTS,
        _ => LINE_DOTS,
    };
    FEED_DOTS + slip.rows().iter().map(row).sum::<u32>()
}
