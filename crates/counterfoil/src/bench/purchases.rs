//! The load tool's own list: what it asked for, and what the till showed. The audit believes nothing else.

use crate::config::Problem;
use payment::SaleKey;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a purchase ended on its till.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// Not over.
    Open,
    /// 交易成功, at once.
    Approved,
    /// 交易成功, found again by a result query.
    Recovered,
    /// 交易未成功.
    Declined([u8; 2]),
    /// It never left the till.
    NotSent,
    /// 自动冲正成功.
    Reversed,
    /// 已转人工.
    Case,
    /// The till did not take it.
    Refused,
}

impl Outcome {
    /// The till says that the cardholder paid.
    pub fn paid(self) -> bool {
        matches!(self, Self::Approved | Self::Recovered)
    }
}

/// One purchase; times are microseconds since the load began.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Purchase {
    /// The till's place.
    pub place: u32,
    /// What the till called it.
    pub key: Option<SaleKey>,
    /// Fen.
    pub amount_minor: u64,
    /// When it was to begin.
    pub intended_us: u64,
    /// When it began.
    pub sent_us: u64,
    /// When it was over.
    pub ended_us: u64,
    /// How.
    pub outcome: Outcome,
    /// Begun after the warm-up.
    pub timed: bool,
}

/// Writes the list as JSON.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, purchases: &[Purchase]) -> Result<(), Problem> {
    let text = serde_json::to_vec(purchases).map_err(|error| error.to_string())?;
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
