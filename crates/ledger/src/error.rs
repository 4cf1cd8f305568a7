//! Why an entry may not be written; a refused entry has changed nothing.

use std::fmt;

use crate::account::{AccountId, Currency};
use crate::entry::TransferId;

/// Why an entry may not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// The account was never opened.
    UnknownAccount(AccountId),
    /// The account keeps another currency than the transfer.
    CurrencyDiffers {
        /// The account.
        account: AccountId,
        /// Its currency.
        expected: Currency,
    },
    /// An amount of zero moves nothing.
    AmountZero,
    /// The transfer goes from an account to itself.
    SameAccount(AccountId),
    /// The account would be overdrawn.
    Insufficient {
        /// The account.
        account: AccountId,
        /// What can be taken from it, in minor units.
        available: i64,
    },
    /// This very entry is written already: there is nothing to do, and the first answer stands.
    Exists,
    /// Another entry is written under this id, or the account is open with other rules.
    ExistsDifferent,
    /// The hold is resolved already.
    AlreadyResolved {
        /// The entry that resolved it.
        by: TransferId,
    },
    /// The transfer is reversed already.
    AlreadyReversed {
        /// The entry that reversed it.
        by: TransferId,
    },
    /// No transfer of this id is remembered.
    NotFound(TransferId),
    /// The transfer was posted at once: there is nothing to resolve.
    NotHeld(TransferId),
    /// The hold is still pending: void it instead of reversing it.
    StillPending(TransferId),
    /// The hold has no expiry.
    NeverExpires(TransferId),
    /// More is to be posted than is held.
    ExceedsHold {
        /// What is held, in minor units.
        held_minor: u64,
    },
    /// A total of the account would exceed [`crate::TOTAL_MAX`].
    Overflow(AccountId),
    /// [`crate::Limits::accounts_max`] accounts are open.
    AccountsFull,
    /// [`crate::Limits::transfers_max`] transfers are remembered; forget closed ones first.
    TransfersFull,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAccount(account) => write!(f, "account {account} is not open"),
            Self::CurrencyDiffers { account, expected } => {
                write!(f, "account {account} keeps currency {expected}")
            }
            Self::AmountZero => write!(f, "the amount is zero"),
            Self::SameAccount(account) => write!(f, "account {account} is on both sides"),
            Self::Insufficient { account, available } => {
                write!(f, "account {account} has only {available} available")
            }
            Self::Exists => write!(f, "this entry is written already"),
            Self::ExistsDifferent => write!(f, "another entry is written under this id"),
            Self::AlreadyResolved { by } => write!(f, "the hold is resolved already by {by}"),
            Self::AlreadyReversed { by } => write!(f, "the transfer is reversed already by {by}"),
            Self::NotFound(id) => write!(f, "no transfer {id} is remembered"),
            Self::NotHeld(id) => write!(f, "transfer {id} is not a hold"),
            Self::StillPending(id) => write!(f, "hold {id} is still pending"),
            Self::NeverExpires(id) => write!(f, "hold {id} has no expiry"),
            Self::ExceedsHold { held_minor } => write!(f, "only {held_minor} is held"),
            Self::Overflow(account) => {
                write!(f, "a total of account {account} would exceed its maximum")
            }
            Self::AccountsFull => write!(f, "no more accounts can be opened"),
            Self::TransfersFull => write!(f, "no more transfers can be remembered"),
        }
    }
}

impl std::error::Error for LedgerError {}
