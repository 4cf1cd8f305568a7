//! Slips that are about no single sale: the settlement slip and the shift slip, as the spool keeps and draws them.
//!
//! Like any slip they are drawn from stored fields alone, so that a reprint says what the original said.

use super::{
    Language, Paper, Reprint, SettlementFields, ShiftFields, Slip, Title, lay_out_settlement,
    lay_out_shift,
};
use serde::{Deserialize, Serialize};

/// What a slip about more than one sale says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// 结算单.
    Settlement(SettlementFields),
    /// 交接班单.
    Shift(ShiftFields),
}

impl Report {
    /// Its title.
    pub fn title(&self) -> Title {
        match self {
            Report::Settlement(_) => Title::Settlement,
            Report::Shift(_) => Title::Shift,
        }
    }

    /// Date and time of what it tells: of the settlement, of the end of the shift.
    pub fn date_time(&self) -> &str {
        match self {
            Report::Settlement(fields) => &fields.date_time,
            Report::Shift(fields) => &fields.to,
        }
    }

    /// The same fields fit to be stored: every text and list bounded.
    pub fn bounded(self) -> Report {
        match self {
            Report::Settlement(fields) => Report::Settlement(fields.bounded()),
            Report::Shift(fields) => Report::Shift(fields.bounded()),
        }
    }

    /// Lays it out; `reprint` is `None` for the one original.
    pub fn lay_out(&self, language: Language, paper: Paper, reprint: Option<Reprint>) -> Slip {
        match self {
            Report::Settlement(fields) => lay_out_settlement(fields, language, paper, reprint),
            Report::Shift(fields) => lay_out_shift(fields, language, paper, reprint),
        }
    }
}
