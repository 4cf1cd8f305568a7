//! Transactions about earlier ones: how they name their original, what they claim of it, and when that is refused.
//!
//! Invariant: what is claimed of an original never exceeds it, whoever judges; acquirer and issuer each keep claims of
//! their own and apply the same rules.

use crate::kind::{Kind, Posting};
use crate::{Amount, ApprovalCode, Batch, CNY, ResponseCode, Rrn, Stan};
use serde::{Deserialize, Serialize};

/// Fields 61, 37 and 38 of a request: the earlier transaction that it is about (UnionPay-style reference §2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Batch of the original.
    pub batch: Batch,
    /// Its trace number.
    pub stan: Stan,
    /// Its date `MMDD`, zero when unknown.
    pub date: u16,
    /// Its field 37.
    pub rrn: Option<Rrn>,
    /// Its field 38.
    pub approval: Option<ApprovalCode>,
}

/// What earlier transaction a kind needs.
#[derive(Clone, Copy, Debug)]
pub struct OriginalRule {
    /// Of which kind, besides those whose rows name this one as their void or refund.
    pub kinds: &'static [Kind],
    /// From where and when.
    pub reach: Reach,
}

/// How far back, and how far away, an original may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Of this terminal and its open batch.
    SameBatch,
    /// Of any terminal of this merchant, of any day.
    SameMerchant,
}

/// How far an amount may go beyond its original's, in per cent of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Percents {
    /// A completion, of what is held; 115 in the trade.
    pub capture: u16,
    /// An adjusted amount, of the original one.
    pub adjust: u16,
}

impl Default for Percents {
    fn default() -> Self {
        Self {
            capture: 115,
            adjust: 150,
        }
    }
}

/// What later transactions have claimed of an original, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Refunded.
    pub returned: u64,
    /// Held on top.
    pub held_more: u64,
    /// Captured of a hold.
    pub captured: u64,
    /// Added by adjustments, or taken off.
    pub adjusted: i64,
    /// Taken back in full, or released.
    pub undone: bool,
}

impl Claims {
    /// What the original stands for now: its own amount, what was held on top, what adjustments changed.
    pub fn total(&self, amount: Amount) -> u64 {
        (amount.minor + self.held_more).saturating_add_signed(self.adjusted)
    }

    /// Whether a transaction of `kind` over `amount` may claim of an original that stands with these claims.
    ///
    /// # Errors
    /// 12 not of a kind that it can be about; 22 the original is taken back, completed or refunded already; 64 not the
    /// whole amount, or more than is left; 61 beyond the percentage.
    pub fn admit(
        &self,
        kind: Kind,
        amount: Amount,
        original: (Kind, Amount),
        percents: Percents,
    ) -> Result<(), ResponseCode> {
        if !kind.may_be_about(original.0) {
            return Err(ResponseCode::INVALID_RELATED);
        }
        if amount.currency != original.1.currency {
            return Err(ResponseCode::CURRENCY_MISMATCH);
        }
        let total = self.total(original.1);
        let refuse = |wrong: bool, code| if wrong { Err(code) } else { Ok(()) };
        refuse(self.undone, ResponseCode::RELATED_ERROR)?;
        match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => Ok(()),
            Posting::Credit => refuse(
                self.returned.saturating_add(amount.minor) > total,
                ResponseCode::AMOUNT_MISMATCH,
            ),
            Posting::Undo | Posting::Uncapture => {
                refuse(self.returned > 0, ResponseCode::RELATED_ERROR)?;
                refuse(amount.minor != total, ResponseCode::AMOUNT_MISMATCH)
            }
            Posting::HoldMore => refuse(self.captured > 0, ResponseCode::RELATED_ERROR),
            Posting::Release => {
                refuse(self.captured > 0, ResponseCode::RELATED_ERROR)?;
                refuse(amount.minor != total, ResponseCode::AMOUNT_MISMATCH)
            }
            Posting::Capture => {
                refuse(self.captured > 0, ResponseCode::RELATED_ERROR)?;
                // Nothing but what is in escrow can be delivered.
                let most = match kind.row().unit {
                    CNY => percents.capture,
                    _ => 100,
                };
                refuse(
                    beyond(amount.minor, total, most),
                    ResponseCode::AMOUNT_LIMIT,
                )
            }
            Posting::Adjust => {
                refuse(self.returned > 0, ResponseCode::RELATED_ERROR)?;
                let most = original.1.minor;
                refuse(
                    beyond(amount.minor, most, percents.adjust),
                    ResponseCode::AMOUNT_LIMIT,
                )
            }
        }
    }

    /// What a transaction of `kind` over `amount` adds to the merchant's money, in minor units, before it is claimed:
    /// nothing, where it is not about money.
    pub fn moved(&self, kind: Kind, amount: Amount, original: Option<Amount>) -> i64 {
        let minor = i64::try_from(amount.minor).unwrap_or(i64::MAX);
        if kind.row().unit != CNY {
            return 0;
        }
        match kind.row().posting {
            Posting::None
            | Posting::Hold
            | Posting::HoldMore
            | Posting::Release
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => 0,
            Posting::Debit | Posting::Capture => minor,
            Posting::Credit | Posting::Undo | Posting::Uncapture => -minor,
            Posting::Adjust => {
                let before = original.map_or(0, |original| self.total(original));
                minor.saturating_sub_unsigned(before)
            }
        }
    }

    /// Claims for a transaction of `kind` that moves `moved`.
    pub fn claim(&mut self, kind: Kind, amount: Amount, moved: i64) {
        match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => {}
            Posting::Credit => self.returned = self.returned.saturating_add(amount.minor),
            Posting::Undo | Posting::Release | Posting::Uncapture => self.undone = true,
            Posting::HoldMore => self.held_more = self.held_more.saturating_add(amount.minor),
            Posting::Capture => self.captured = amount.minor,
            Posting::Adjust => self.adjusted = self.adjusted.saturating_add(moved),
        }
    }

    /// Gives a claim back: its transaction was refused, or reversed.
    pub fn give_back(&mut self, kind: Kind, amount: Amount, moved: i64) {
        match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => {}
            Posting::Credit => self.returned = self.returned.saturating_sub(amount.minor),
            Posting::Undo | Posting::Release | Posting::Uncapture => self.undone = false,
            Posting::HoldMore => self.held_more = self.held_more.saturating_sub(amount.minor),
            Posting::Capture => self.captured = 0,
            Posting::Adjust => self.adjusted = self.adjusted.saturating_sub(moved),
        }
    }
}

fn beyond(minor: u64, of: u64, percent: u16) -> bool {
    u128::from(minor) * 100 > u128::from(of) * u128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_never_exceed_their_original() {
        let sale = (Kind::Purchase, Amount::fen(1_000));
        let hold = (Kind::PreAuth, Amount::fen(1_000));
        let none = Claims::default();
        let refunded = Claims {
            returned: 600,
            ..none
        };
        let tipped = Claims {
            adjusted: 100,
            ..none
        };
        let undone = Claims {
            undone: true,
            ..none
        };
        let more = Claims {
            held_more: 500,
            ..none
        };
        let captured = Claims {
            captured: 900,
            ..none
        };
        for (claims, original, kind, minor, expected) in [
            (none, sale, Kind::Void, 1_000, "00"),
            (none, sale, Kind::Void, 999, "64"),
            (refunded, sale, Kind::Void, 1_000, "22"),
            (undone, sale, Kind::Void, 1_000, "22"),
            (tipped, sale, Kind::Void, 1_100, "00"),
            (none, hold, Kind::Void, 1_000, "12"),
            (none, sale, Kind::Refund, 1_000, "00"),
            (refunded, sale, Kind::Refund, 400, "00"),
            (refunded, sale, Kind::Refund, 401, "64"),
            (undone, sale, Kind::Refund, 1, "22"),
            (none, hold, Kind::Refund, 1, "12"),
            (none, hold, Kind::Completion, 1_150, "00"),
            (none, hold, Kind::Completion, 1_151, "61"),
            (more, hold, Kind::Completion, 1_725, "00"),
            (captured, hold, Kind::Completion, 1, "22"),
            (captured, hold, Kind::PreAuthVoid, 1_000, "22"),
            (more, hold, Kind::PreAuthVoid, 1_500, "00"),
            (more, hold, Kind::PreAuthVoid, 1_000, "64"),
            (captured, hold, Kind::IncrementalAuth, 1, "22"),
            (none, sale, Kind::TipAdjustment, 1_500, "00"),
            (none, sale, Kind::TipAdjustment, 1_501, "61"),
            (refunded, sale, Kind::TipAdjustment, 1_100, "22"),
        ] {
            let judged = claims.admit(kind, Amount::fen(minor), original, Percents::default());
            let code = judged.err().unwrap_or(ResponseCode::APPROVED);
            assert_eq!(code.as_str(), expected, "{kind:?} {minor} of {claims:?}");
        }
    }

    #[test]
    fn a_claim_given_back_leaves_nothing() {
        for kind in Kind::ALL.iter().copied() {
            let mut claims = Claims::default();
            let moved = claims.moved(kind, Amount::fen(300), Some(Amount::fen(200)));
            claims.claim(kind, Amount::fen(300), moved);
            claims.give_back(kind, Amount::fen(300), moved);
            assert_eq!(claims, Claims::default(), "{kind:?}");
        }
    }
}
