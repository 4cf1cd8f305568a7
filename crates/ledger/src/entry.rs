//! What is written into the books: the entries that records contain. An entry never changes once it is applied.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::{AccountId, AccountRules, Currency};

/// Names a transfer or an entry that closes one; every entry has its own, chosen by its writer, so that writing it again
/// is recognised. Ids that grow in the order of writing are the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransferId(pub u128);

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount that goes from one account to another of the same currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transfer {
    /// Its name.
    pub id: TransferId,
    /// The account that is debited.
    pub debit: AccountId,
    /// The account that is credited.
    pub credit: AccountId,
    /// How much, in minor units; never zero.
    pub amount_minor: u64,
    /// The currency of both accounts.
    pub currency: Currency,
}

/// One line in the books. What refuses each is [`crate::LedgerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry {
    /// Opens an account.
    Open {
        /// Its name.
        account: AccountId,
        /// What holds for it from now on.
        rules: AccountRules,
    },
    /// Moves an amount at once.
    Post {
        /// The movement.
        transfer: Transfer,
    },
    /// Reserves an amount: it counts against what is available and moves only when posted.
    Hold {
        /// The movement to come.
        transfer: Transfer,
        /// When it may be expired, in milliseconds of the caller's clock; `None` is never.
        expires_at_ms: Option<i64>,
    },
    /// Resolves a hold by moving all or a part of it; the rest is released.
    PostHold {
        /// This entry's name.
        id: TransferId,
        /// The hold.
        hold: TransferId,
        /// How much moves, in minor units: at least 1, at most what is held.
        amount_minor: u64,
    },
    /// Resolves a hold by releasing it.
    VoidHold {
        /// This entry's name.
        id: TransferId,
        /// The hold.
        hold: TransferId,
    },
    /// Resolves a hold by releasing it because its time has come.
    ExpireHold {
        /// This entry's name.
        id: TransferId,
        /// The hold.
        hold: TransferId,
    },
    /// Moves the amount of a posted transfer, or what was posted of a hold, back. The rules of its accounts hold as for
    /// any other movement.
    Reverse {
        /// This entry's name.
        id: TransferId,
        /// The id of the `Post` or of the `Hold` (not of the `PostHold`).
        original: TransferId,
    },
}
