//! What an account is: its currency, its normal side, its four totals; totals only grow, except what is pending.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most that pending and posted amounts of one side of one account may add up to, in minor units. With it every
/// difference of two sides fits an `i64`.
pub const TOTAL_MAX: u64 = i64::MAX as u64;

/// Names an account. What the number stands for is its owner's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A currency by its ISO 4217 numeric code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency(pub u16);

impl Currency {
    /// Renminbi, 156.
    pub const CNY: Currency = Currency(156);
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// One of the two sides of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The left side: what we are owed grows here.
    Debit,
    /// The right side: what we owe grows here, for instance a cardholder's money at a bank.
    Credit,
}

/// What holds for an account from its opening on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountRules {
    /// The only currency of its transfers.
    pub currency: Currency,
    /// The side on which the account's balance is positive.
    pub normal: Side,
    /// Whether the other side may outgrow the normal one.
    pub overdraft: Overdraft,
}

impl AccountRules {
    /// A credit-normal account that may not be overdrawn, like a cardholder's.
    #[must_use]
    pub const fn deposit(currency: Currency) -> Self {
        Self {
            currency,
            normal: Side::Credit,
            overdraft: Overdraft::Forbidden,
        }
    }

    /// An account that may stand on either side, like a clearing or suspense account.
    #[must_use]
    pub const fn open(currency: Currency, normal: Side) -> Self {
        Self {
            currency,
            normal,
            overdraft: Overdraft::Allowed,
        }
    }
}

/// Whether an account may be overdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Overdraft {
    /// Posted and pending amounts of the other side may never exceed what is posted on the normal side. TigerBeetle's
    /// `debits_must_not_exceed_credits` for a credit-normal account, `credits_must_not_exceed_debits` for a debit-normal one.
    Forbidden,
    /// No bound but [`TOTAL_MAX`].
    Allowed,
}

/// The four totals of an account, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Balance {
    /// Debits held and not yet resolved.
    pub debits_pending: u64,
    /// Debits posted since the opening.
    pub debits_posted: u64,
    /// Credits held and not yet resolved.
    pub credits_pending: u64,
    /// Credits posted since the opening.
    pub credits_posted: u64,
}

impl Balance {
    /// What can still be taken from an account of this normal side, in minor units: posted on its own side, less what
    /// is posted and pending on the other. Negative only where overdraft is allowed.
    #[must_use]
    pub const fn available(&self, normal: Side) -> i64 {
        match normal {
            Side::Credit => {
                self.credits_posted as i64 - (self.debits_posted + self.debits_pending) as i64
            }
            Side::Debit => {
                self.debits_posted as i64 - (self.credits_posted + self.credits_pending) as i64
            }
        }
    }

    /// What stands on the account without its holds, in minor units, positive on its normal side.
    #[must_use]
    pub const fn posted(&self, normal: Side) -> i64 {
        match normal {
            Side::Credit => self.credits_posted as i64 - self.debits_posted as i64,
            Side::Debit => self.debits_posted as i64 - self.credits_posted as i64,
        }
    }

    pub(crate) const fn total(&self, side: Side) -> u64 {
        match side {
            Side::Debit => self.debits_posted + self.debits_pending,
            Side::Credit => self.credits_posted + self.credits_pending,
        }
    }
}
