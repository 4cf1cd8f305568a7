//! The cardholders' accounts as the judge keeps them: the entries of the issuers' records, added up by its own arithmetic.
//!
//! An account is out of what was taken and of what is held; a hold ends once, and so does what is taken back.

use ledger::{AccountId, Entry, Transfer};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Accounts of a bank itself start here.
const OWN_FROM: u64 = 9_000_000_000_000_000_000;

/// What entries change about a cardholder's money, in minor units; positive is away from the cardholder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Taken for good.
    pub taken: i64,
    /// Held.
    pub held: i64,
    /// Owed to the bank: a credit was spent before it was taken back.
    pub owed: i64,
}

impl Moved {
    /// What the account has less.
    pub fn out(&self) -> i64 {
        self.taken + self.held
    }

    /// What stands in the bank's suspense for it.
    pub fn all(&self) -> i64 {
        self.taken + self.held + self.owed
    }
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.taken += other.taken;
        self.held += other.held;
        self.owed += other.owed;
    }
}

#[derive(Clone, Copy, Debug)]
struct Line {
    account: Option<AccountId>,
    moved: Moved,
    over: bool,
}

/// All accounts of all banks.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    accounts: BTreeMap<(u8, AccountId), Moved>,
    lines: BTreeMap<(u8, u128), Line>,
}

impl Accounts {
    /// Adds an entry up.
    ///
    /// # Errors
    /// What it ends has ended before, or never was.
    pub fn add(&mut self, bank: u8, entry: &Entry) -> Result<Moved, String> {
        let (account, moved) = match entry {
            Entry::Open { .. } => return Ok(Moved::default()),
            Entry::Post { transfer } => self.line(bank, transfer, false),
            Entry::Hold { transfer, .. } => self.line(bank, transfer, true),
            Entry::VoidHold { hold, .. } | Entry::ExpireHold { hold, .. } => {
                self.end(bank, hold.0)?
            }
            Entry::Reverse { original, .. } => self.end(bank, original.0)?,
            Entry::PostHold {
                hold, amount_minor, ..
            } => {
                let (account, mut moved) = self.end(bank, hold.0)?;
                moved.taken += *amount_minor as i64;
                (account, moved)
            }
        };
        if let Some(account) = account {
            *self.accounts.entry((bank, account)).or_default() += moved;
        }
        Ok(moved)
    }

    fn line(&mut self, bank: u8, transfer: &Transfer, holds: bool) -> (Option<AccountId>, Moved) {
        let minor = transfer.amount_minor as i64;
        let mut moved = Moved::default();
        let account = match (is_card(transfer.debit), is_card(transfer.credit)) {
            (true, _) => {
                *(if holds {
                    &mut moved.held
                } else {
                    &mut moved.taken
                }) = minor;
                Some(transfer.debit)
            }
            (_, true) => {
                moved.taken = -minor;
                Some(transfer.credit)
            }
            _ => {
                moved.owed = minor;
                None
            }
        };
        let line = Line {
            account,
            moved,
            over: false,
        };
        self.lines.insert((bank, transfer.id.0), line);
        (account, moved)
    }

    fn end(&mut self, bank: u8, id: u128) -> Result<(Option<AccountId>, Moved), String> {
        let line = self.lines.get_mut(&(bank, id));
        let line = line.ok_or("an entry ends one that never was")?;
        if std::mem::replace(&mut line.over, true) {
            return Err("an entry ends one that has ended before".to_owned());
        }
        let moved = Moved {
            taken: -line.moved.taken,
            held: -line.moved.held,
            owed: -line.moved.owed,
        };
        Ok((line.account, moved))
    }

    /// What an account of a bank is out of.
    pub fn of(&self, bank: u8, account: u64) -> Moved {
        let moved = self.accounts.get(&(bank, AccountId(account)));
        moved.copied().unwrap_or_default()
    }
}

fn is_card(account: AccountId) -> bool {
    account.0 < OWN_FROM
}
