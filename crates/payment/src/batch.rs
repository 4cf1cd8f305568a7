//! A batch as terminal and acquirer compare it: totals by kind of card, and the parts in which it is uploaded.
//!
//! Both sides count by the same rows and by the same rule of what a foreign card is, so that honest books agree.

use crate::kind::BatchSide;
use crate::terminal::Sale;
use crate::{Batch, EntryMode, Kind, Stan};
use crypto::Card;
use serde::{Deserialize, Serialize};

/// Most transactions of one batch: field 48 counts debits and credits in three digits each (reference §2.4).
pub const BATCH_MAX: usize = 999;

/// Totals of one kind of card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTotals {
    /// Number of debits.
    pub debits: u32,
    /// Their sum in minor units, with adjustments.
    pub debits_minor: u64,
    /// Number of credits.
    pub credits: u32,
    /// Their sum in minor units.
    pub credits_minor: u64,
}

/// Totals of a batch: domestic cards (内卡) and foreign ones (外卡).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchTotals {
    /// Domestic cards.
    pub domestic: BlockTotals,
    /// Foreign cards.
    pub foreign: BlockTotals,
}

/// How the totals of one kind of card compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reconciled {
    /// 对账平: 1.
    Balanced,
    /// 对账不平: 2, or any other digit.
    Unbalanced,
    /// 出错: 3, or nobody said.
    Failed,
}

/// How both blocks compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockCodes {
    /// Domestic cards.
    pub domestic: Reconciled,
    /// Foreign cards.
    pub foreign: Reconciled,
}

/// A part of a batch upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // a part lives for one exchange
pub enum UploadPart {
    /// So many stripe sales; they are beside the request, for they are card numbers.
    Sales(u8),
    /// An advice once more.
    Advice(Sale),
    /// The end: the batch is closed.
    End {
        /// How many records were uploaded.
        records: u16,
        /// Both blocks were balanced.
        balanced: bool,
    },
    /// The last word of one chip; its field 55 is beside it.
    Chip(ChipUpload),
}

/// One chip transaction as it is uploaded: those go up whether the totals agree or not (reference §3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChipUpload {
    /// Both blocks were balanced.
    pub balanced: bool,
    /// Field 22.
    pub entry: EntryMode,
    /// Field 23.
    pub card_sequence: Option<u16>,
    /// Its amount in minor units.
    pub amount_minor: u64,
    /// A foreign card.
    pub foreign: bool,
    /// What the chip said.
    pub outcome: ChipOutcome,
}

/// What a chip said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChipOutcome {
    /// It approved: a transaction certificate, or what it signed when it was tapped.
    Approved(Card),
    /// It did not recognise its issuer, or declined, in a transaction of this kind.
    Failed(Kind, ChipFailure),
}

/// Why a chip transaction is in the failed group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChipFailure {
    /// 05: approved, though the issuer's answer was not the issuer's.
    IssuerWrong,
    /// 11: the card declined.
    Declined,
}

impl ChipFailure {
    /// Reason, and the two characters at the end of field 62.
    pub const fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::IssuerWrong => ("05", "22"),
            Self::Declined => ("11", "10"),
        }
    }
}

/// One transaction of a batch as it is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// Its trace number.
    pub stan: Stan,
    /// Its card.
    pub card: Card,
    /// Its amount in minor units.
    pub amount_minor: u64,
}

/// A foreign card (外卡), by its first two digits: those that the international schemes give out. Neither side carries
/// the organisation of field 63, so both go by the number.
pub const fn is_foreign(card: &Card) -> bool {
    // Payment codes of wallets begin like some of them, and have 18 digits, which none of them has.
    card.digits != 18 && matches!(card.bin / 10_000, 22..=27 | 30 | 34..=38 | 40..=55)
}

/// The batch after this one; six digits, and there is no batch 0.
pub const fn next_batch(batch: Batch) -> Batch {
    Batch(batch.0 % 999_999 + 1)
}

impl UploadPart {
    /// Field 60.3 of stripe sales.
    pub const SALES: u16 = 201;
    /// Field 60.3 of the end of an unbalanced batch.
    pub const END_UNBALANCED: u16 = 202;
    /// Field 60.3 of the end of a balanced batch.
    pub const END_BALANCED: u16 = 207;
    /// Field 60.3 of what a chip approved, balanced and not.
    pub const CHIP_APPROVED: [u16; 2] = [203, 205];
    /// Field 60.3 of what a chip did not approve, balanced and not.
    pub const CHIP_FAILED: [u16; 2] = [204, 206];

    /// Field 60.3.
    pub const fn network_code(&self) -> u16 {
        match self {
            Self::Sales(_) => Self::SALES,
            Self::Advice(_) => 0,
            Self::End { balanced: true, .. } => Self::END_BALANCED,
            Self::End {
                balanced: false, ..
            } => Self::END_UNBALANCED,
            Self::Chip(upload) => {
                let [balanced, unbalanced] = match upload.outcome {
                    ChipOutcome::Approved(_) => Self::CHIP_APPROVED,
                    ChipOutcome::Failed(..) => Self::CHIP_FAILED,
                };
                match upload.balanced {
                    true => balanced,
                    false => unbalanced,
                }
            }
        }
    }
}

impl BatchTotals {
    /// Counts one transaction that stands. Of an adjustment `moved_minor` is what it changed; of others it is not looked at.
    pub fn count(&mut self, card: &Card, side: BatchSide, amount_minor: u64, moved_minor: i64) {
        let block = match is_foreign(card) {
            true => &mut self.foreign,
            false => &mut self.domestic,
        };
        match side {
            BatchSide::Neither => {}
            BatchSide::Debit => {
                block.debits += 1;
                block.debits_minor = block.debits_minor.saturating_add(amount_minor);
            }
            BatchSide::Credit => {
                block.credits += 1;
                block.credits_minor = block.credits_minor.saturating_add(amount_minor);
            }
            BatchSide::Adjust => {
                block.debits_minor = block.debits_minor.saturating_add_signed(moved_minor);
            }
        }
    }

    /// These totals against those of the other side.
    pub fn compare(&self, other: &Self) -> BlockCodes {
        let code = |ours: BlockTotals, theirs: BlockTotals| match ours == theirs {
            true => Reconciled::Balanced,
            false => Reconciled::Unbalanced,
        };
        BlockCodes {
            domestic: code(self.domestic, other.domestic),
            foreign: code(self.foreign, other.foreign),
        }
    }
}

impl Reconciled {
    /// The digit of field 48.
    pub const fn digit(self) -> u8 {
        match self {
            Self::Balanced => 1,
            Self::Unbalanced => 2,
            Self::Failed => 3,
        }
    }

    /// What a digit of field 48 says: anything but 1 is not balanced.
    pub const fn of_digit(digit: u8) -> Self {
        match digit {
            1 => Self::Balanced,
            3 => Self::Failed,
            _ => Self::Unbalanced,
        }
    }
}

impl BlockCodes {
    /// Nobody said how they compare.
    pub const FAILED: Self = Self {
        domestic: Reconciled::Failed,
        foreign: Reconciled::Failed,
    };

    /// Both are balanced.
    pub fn balanced(&self) -> bool {
        (self.domestic, self.foreign) == (Reconciled::Balanced, Reconciled::Balanced)
    }

    /// How the block of a card came out.
    pub const fn of(&self, card: &Card) -> Reconciled {
        match is_foreign(card) {
            true => self.foreign,
            false => self.domestic,
        }
    }
}
