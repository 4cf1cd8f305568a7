//! The cardholders' accounts as the judge keeps them: the entries of the issuers' records, added up by its own arithmetic.
//!
//! An account is out of what was taken and of what is held; a hold ends once, and so does what is taken back.

use ledger::{AccountId, Entry, Transfer};
use std::collections::BTreeMap;
use std::ops::{AddAssign, Neg};

/// Accounts of a bank itself start here.
const OWN_FROM: u64 = 9_000_000_000_000_000_000;
/// What cardholders owe who had spent what was taken back.
const RECOVERABLE: AccountId = AccountId(OWN_FROM + 4);

/// What entries change about cardholders' money, in minor units; positive is away from the one who pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Taken for good.
    pub taken: i64,
    /// Held.
    pub held: i64,
    /// Owed to the bank: a credit was spent before it was taken back.
    pub owed: i64,
    /// Given to the card that receives.
    pub given: i64,
}

impl Moved {
    /// What the account has less.
    pub fn out(&self) -> i64 {
        self.taken + self.held
    }

    /// What stands in the bank's suspense for it.
    pub fn all(&self) -> i64 {
        self.taken + self.held + self.owed - self.given
    }

    /// As a credit leg has it: what comes to the card was given.
    pub fn received(self) -> Self {
        Self {
            taken: 0,
            given: -self.taken,
            ..self
        }
    }
}

impl AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.taken += other.taken;
        self.held += other.held;
        self.owed += other.owed;
        self.given += other.given;
    }
}

impl Neg for Moved {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            taken: -self.taken,
            held: -self.held,
            owed: -self.owed,
            given: -self.given,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Line {
    /// The cards' accounts that it changes, and what they are out of.
    accounts: [Option<(AccountId, Moved)>; 2],
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
        match entry {
            Entry::Open { .. } => Ok(Moved::default()),
            Entry::Post { transfer } => Ok(self.line(bank, transfer, false)),
            Entry::Hold { transfer, .. } => Ok(self.line(bank, transfer, true)),
            Entry::VoidHold { hold, .. } | Entry::ExpireHold { hold, .. } => self.end(bank, hold.0),
            Entry::Reverse { original, .. } => self.end(bank, original.0),
            Entry::PostHold {
                hold, amount_minor, ..
            } => {
                let mut moved = self.end(bank, hold.0)?;
                let taken = *amount_minor as i64;
                moved.taken += taken;
                if let Some((account, _)) = self.lines[&(bank, hold.0)].accounts[0] {
                    self.accounts.entry((bank, account)).or_default().taken += taken;
                }
                Ok(moved)
            }
        }
    }

    fn line(&mut self, bank: u8, transfer: &Transfer, holds: bool) -> Moved {
        let minor = transfer.amount_minor as i64;
        let nothing = Moved::default();
        let paid = match holds {
            true => Moved {
                held: minor,
                ..nothing
            },
            false => Moved {
                taken: minor,
                ..nothing
            },
        };
        let (pays, gets) = (is_card(transfer.debit), is_card(transfer.credit));
        let owed = match transfer.debit {
            RECOVERABLE => minor,
            _ => 0,
        };
        let moved = match (pays, gets) {
            (true, true) => Moved {
                given: minor,
                ..paid
            },
            (true, false) => paid,
            (false, true) => Moved { owed, ..-paid },
            (false, false) => Moved { owed, ..nothing },
        };
        let line = Line {
            accounts: [
                pays.then_some((transfer.debit, paid)),
                gets.then_some((transfer.credit, -paid)),
            ],
            moved,
            over: false,
        };
        self.change(bank, &line, false);
        self.lines.insert((bank, transfer.id.0), line);
        moved
    }

    fn change(&mut self, bank: u8, line: &Line, back: bool) {
        for (account, moved) in line.accounts.iter().flatten() {
            let moved = if back { -*moved } else { *moved };
            *self.accounts.entry((bank, *account)).or_default() += moved;
        }
    }

    fn end(&mut self, bank: u8, id: u128) -> Result<Moved, String> {
        let line = self.lines.get_mut(&(bank, id));
        let line = line.ok_or("an entry ends one that never was")?;
        if std::mem::replace(&mut line.over, true) {
            return Err("an entry ends one that has ended before".to_owned());
        }
        let line = *line;
        self.change(bank, &line, true);
        Ok(-line.moved)
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
