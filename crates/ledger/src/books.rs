//! The books: accounts, and the transfers that are still remembered. Only [`Ledger::apply`] and [`Ledger::forget`]
//! change them, and both leave debits equal to credits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account::{AccountId, AccountRules, Balance, Currency, Overdraft, Side, TOTAL_MAX};
use crate::entry::{Entry, Transfer, TransferId};
use crate::error::LedgerError;

/// Accounts and transfers in memory. A snapshot of it is its serialised form; after reading one call [`Ledger::audit`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub(crate) limits: Limits,
    pub(crate) accounts: Vec<Account>,
    pub(crate) places: BTreeMap<AccountId, Place>,
    pub(crate) slots: BTreeMap<TransferId, Slot>,
    pub(crate) transfer_count: usize,
    pub(crate) expiring: BTreeSet<(i64, TransferId)>,
}

/// How much a ledger keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Accounts; they are never closed.
    pub accounts_max: u32,
    /// Transfers (posts and holds) that are remembered. What closes them always fits: at most two more ids for each.
    pub transfers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            accounts_max: 4_000_000,
            transfers_max: 8_000_000,
        }
    }
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferState {
    /// Moved at once.
    Posted,
    /// Held and not yet resolved.
    Pending,
    /// Held, then released.
    Voided,
    /// Held, then moved in full or in part.
    PostedHold,
    /// Held, then released because its time had come.
    Expired,
    /// Moved, then moved back.
    Reversed,
}

impl Ledger {
    /// Empty books that keep no more than `limits`.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Says whether [`Ledger::apply`] may be called with this entry. An id that is known already comes first:
    /// [`LedgerError::Exists`] means that the entry is in the books and must not be recorded again.
    ///
    /// # Errors
    /// The first reason against the entry.
    pub fn check(&self, entry: &Entry) -> Result<(), LedgerError> {
        self.plan(entry).map(|_| ())
    }

    /// Writes an entry.
    ///
    /// # Panics
    /// If [`Ledger::check`] refuses the entry: a record that breaks the books is a bug, in release builds too.
    pub fn apply(&mut self, entry: &Entry) {
        match self.plan(entry) {
            Ok(change) => self.execute(change),
            Err(error) => panic!("the ledger cannot apply {entry:?}: {error}"),
        }
    }

    /// The totals of an account.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Option<&Balance> {
        self.account(account).map(|account| &account.balance)
    }

    /// The rules of an account.
    #[must_use]
    pub fn rules(&self, account: AccountId) -> Option<&AccountRules> {
        self.account(account).map(|account| &account.rules)
    }

    /// What can be taken from an account by its own rules' normal side, in minor units.
    #[must_use]
    pub fn available(&self, account: AccountId) -> Option<i64> {
        self.account(account).map(Account::available)
    }

    /// All accounts in the order of their ids.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &AccountRules, &Balance)> {
        self.places.values().map(|place| {
            let account = &self.accounts[place.0 as usize];
            (account.id, &account.rules, &account.balance)
        })
    }

    /// Where the `Post` or `Hold` of this id stands; `None` if it is unknown, forgotten, or the id of an entry that
    /// closes a transfer.
    #[must_use]
    pub fn state(&self, transfer: TransferId) -> Option<TransferState> {
        self.movement(transfer).map(Movement::state)
    }

    /// The entry that was written under this id, if it is still remembered.
    #[must_use]
    pub fn entry(&self, id: TransferId) -> Option<Entry> {
        match *self.slots.get(&id)? {
            Slot::Closes(transfer) => {
                let movement = self.movement(transfer)?;
                if movement.reversed_by == Some(id) {
                    return Some(Entry::Reverse {
                        id,
                        original: transfer,
                    });
                }
                let hold = transfer;
                match movement.hold?.resolution?.outcome {
                    Outcome::Posted(amount_minor) => Some(Entry::PostHold {
                        id,
                        hold,
                        amount_minor,
                    }),
                    Outcome::Voided => Some(Entry::VoidHold { id, hold }),
                    Outcome::Expired => Some(Entry::ExpireHold { id, hold }),
                }
            }
            Slot::Moves(ref movement) => {
                let debit = &self.accounts[movement.debit.0 as usize];
                let transfer = Transfer {
                    id,
                    debit: debit.id,
                    credit: self.accounts[movement.credit.0 as usize].id,
                    amount_minor: movement.amount_minor,
                    currency: debit.rules.currency,
                };
                Some(match movement.hold {
                    None => Entry::Post { transfer },
                    Some(Hold { expires_at_ms, .. }) => Entry::Hold {
                        transfer,
                        expires_at_ms,
                    },
                })
            }
        }
    }

    /// The pending hold that may be expired first, with its time in milliseconds.
    #[must_use]
    pub fn next_expiry(&self) -> Option<(i64, TransferId)> {
        self.expiring.first().copied()
    }

    /// How many posts and holds are remembered.
    #[must_use]
    pub fn transfer_count(&self) -> usize {
        self.transfer_count
    }

    /// Drops a closed transfer, and the entries that closed it, from memory; balances stay. Afterwards it can no longer
    /// be reversed and its ids are no longer recognised, so keep it as long as a repeat or a dispute may come. Like an
    /// entry it changes the state and must follow from the records. An unknown id changes nothing.
    ///
    /// # Panics
    /// If the transfer is a pending hold: its money would be held for ever.
    pub fn forget(&mut self, id: TransferId) {
        let Some(movement) = self.movement(id).copied() else {
            return;
        };
        assert!(
            movement.state() != TransferState::Pending,
            "the ledger cannot forget the pending hold {id}"
        );
        for effect in movement.effects() {
            let totals = &mut self.accounts[effect.place.0 as usize].forgotten;
            effect.add_to(totals);
        }
        let resolved_by = movement.resolution().map(|resolution| resolution.by);
        for gone in [Some(id), resolved_by, movement.reversed_by]
            .into_iter()
            .flatten()
        {
            self.slots.remove(&gone);
        }
        self.transfer_count -= 1;
    }

    fn plan(&self, entry: &Entry) -> Result<Change, LedgerError> {
        match *entry {
            Entry::Open { account, rules } => self.plan_open(account, rules),
            Entry::Post { ref transfer } => self.plan_transfer(entry, transfer, None),
            Entry::Hold {
                ref transfer,
                expires_at_ms,
            } => self.plan_transfer(
                entry,
                transfer,
                Some(Hold {
                    expires_at_ms,
                    resolution: None,
                }),
            ),
            Entry::PostHold {
                id,
                hold,
                amount_minor,
            } => self.plan_resolution(
                entry,
                hold,
                Resolution {
                    by: id,
                    outcome: Outcome::Posted(amount_minor),
                },
            ),
            Entry::VoidHold { id, hold } => self.plan_resolution(
                entry,
                hold,
                Resolution {
                    by: id,
                    outcome: Outcome::Voided,
                },
            ),
            Entry::ExpireHold { id, hold } => self.plan_resolution(
                entry,
                hold,
                Resolution {
                    by: id,
                    outcome: Outcome::Expired,
                },
            ),
            Entry::Reverse { id, original } => self.plan_reversal(entry, id, original),
        }
    }

    fn plan_open(&self, account: AccountId, rules: AccountRules) -> Result<Change, LedgerError> {
        match self.account(account) {
            Some(open) if open.rules == rules => Err(LedgerError::Exists),
            Some(_) => Err(LedgerError::ExistsDifferent),
            None if self.accounts.len() >= self.limits.accounts_max as usize => {
                Err(LedgerError::AccountsFull)
            }
            None => Ok(Change::Open { account, rules }),
        }
    }

    fn plan_transfer(
        &self,
        entry: &Entry,
        transfer: &Transfer,
        hold: Option<Hold>,
    ) -> Result<Change, LedgerError> {
        self.id_unused(transfer.id, entry)?;
        let amount_minor = transfer.amount_minor;
        if amount_minor == 0 {
            return Err(LedgerError::AmountZero);
        }
        if transfer.debit == transfer.credit {
            return Err(LedgerError::SameAccount(transfer.debit));
        }
        let debit = self.place(transfer.debit, transfer.currency)?;
        let credit = self.place(transfer.credit, transfer.currency)?;
        if self.transfer_count >= self.limits.transfers_max {
            return Err(LedgerError::TransfersFull);
        }
        self.room(debit, Side::Debit, amount_minor)?;
        self.room(credit, Side::Credit, amount_minor)?;
        Ok(Change::Move {
            id: transfer.id,
            movement: Movement {
                debit,
                credit,
                amount_minor,
                hold,
                reversed_by: None,
            },
        })
    }

    fn plan_resolution(
        &self,
        entry: &Entry,
        hold: TransferId,
        resolution: Resolution,
    ) -> Result<Change, LedgerError> {
        self.id_unused(resolution.by, entry)?;
        if resolution.outcome == Outcome::Posted(0) {
            return Err(LedgerError::AmountZero);
        }
        let movement = self.movement(hold).ok_or(LedgerError::NotFound(hold))?;
        let held = movement.hold.ok_or(LedgerError::NotHeld(hold))?;
        if let Some(Resolution { by, .. }) = held.resolution {
            return Err(LedgerError::AlreadyResolved { by });
        }
        match resolution.outcome {
            Outcome::Posted(amount_minor) if amount_minor > movement.amount_minor => {
                Err(LedgerError::ExceedsHold {
                    held_minor: movement.amount_minor,
                })
            }
            Outcome::Expired if held.expires_at_ms.is_none() => {
                Err(LedgerError::NeverExpires(hold))
            }
            // No room is asked for: what is posted was counted while it was held.
            _ => Ok(Change::Resolve { hold, resolution }),
        }
    }

    fn plan_reversal(
        &self,
        entry: &Entry,
        id: TransferId,
        original: TransferId,
    ) -> Result<Change, LedgerError> {
        self.id_unused(id, entry)?;
        let movement = self
            .movement(original)
            .ok_or(LedgerError::NotFound(original))?;
        if let Some(by) = movement.reversed_by {
            return Err(LedgerError::AlreadyReversed { by });
        }
        let amount_minor = match movement.hold {
            None => movement.amount_minor,
            Some(Hold {
                resolution: None, ..
            }) => return Err(LedgerError::StillPending(original)),
            Some(Hold {
                resolution: Some(Resolution { by, outcome }),
                ..
            }) => match outcome {
                Outcome::Posted(amount_minor) => amount_minor,
                Outcome::Voided | Outcome::Expired => {
                    return Err(LedgerError::AlreadyResolved { by });
                }
            },
        };
        self.room(movement.credit, Side::Debit, amount_minor)?;
        self.room(movement.debit, Side::Credit, amount_minor)?;
        Ok(Change::Reverse { id, original })
    }

    fn id_unused(&self, id: TransferId, entry: &Entry) -> Result<(), LedgerError> {
        match self.entry(id) {
            None => Ok(()),
            Some(written) if written == *entry => Err(LedgerError::Exists),
            Some(_) => Err(LedgerError::ExistsDifferent),
        }
    }

    fn place(&self, account: AccountId, currency: Currency) -> Result<Place, LedgerError> {
        let place = *self
            .places
            .get(&account)
            .ok_or(LedgerError::UnknownAccount(account))?;
        let expected = self.accounts[place.0 as usize].rules.currency;
        if expected == currency {
            Ok(place)
        } else {
            Err(LedgerError::CurrencyDiffers { account, expected })
        }
    }

    /// Says whether `amount_minor` more may stand on this side of the account, pending or posted.
    fn room(&self, place: Place, side: Side, amount_minor: u64) -> Result<(), LedgerError> {
        let account = &self.accounts[place.0 as usize];
        if account.rules.overdraft == Overdraft::Forbidden && side != account.rules.normal {
            let available = account.available();
            if u64::try_from(available).unwrap_or(0) < amount_minor {
                return Err(LedgerError::Insufficient {
                    account: account.id,
                    available,
                });
            }
        }
        match account.balance.total(side).checked_add(amount_minor) {
            Some(total) if total <= TOTAL_MAX => Ok(()),
            _ => Err(LedgerError::Overflow(account.id)),
        }
    }

    fn execute(&mut self, change: Change) {
        match change {
            Change::Open { account, rules } => {
                let place =
                    Place(u32::try_from(self.accounts.len()).expect("accounts_max is a u32"));
                let zero = Balance::default();
                self.accounts.push(Account {
                    id: account,
                    rules,
                    balance: zero,
                    forgotten: zero,
                });
                self.places.insert(account, place);
            }
            Change::Move { id, movement } => {
                self.add(&movement);
                if let Some(Hold {
                    expires_at_ms: Some(at_ms),
                    ..
                }) = movement.hold
                {
                    self.expiring.insert((at_ms, id));
                }
                self.slots.insert(id, Slot::Moves(movement));
                self.transfer_count += 1;
            }
            Change::Resolve { hold, resolution } => self.replace(hold, resolution.by, |movement| {
                movement
                    .hold
                    .as_mut()
                    .expect("planned as a hold")
                    .resolution = Some(resolution);
            }),
            Change::Reverse { id, original } => {
                self.replace(original, id, |movement| movement.reversed_by = Some(id));
            }
        }
    }

    /// Takes a transfer's effects out of the balances, closes it, and puts the new effects in.
    fn replace(&mut self, id: TransferId, by: TransferId, close: impl FnOnce(&mut Movement)) {
        let Some(Slot::Moves(movement)) = self.slots.get_mut(&id) else {
            unreachable!("planned as a transfer")
        };
        let before = *movement;
        close(movement);
        let after = *movement;
        if let Some(Hold {
            expires_at_ms: Some(at_ms),
            ..
        }) = before.hold
        {
            self.expiring.remove(&(at_ms, id));
        }
        for effect in before.effects() {
            effect.take_from(&mut self.accounts[effect.place.0 as usize].balance);
        }
        self.add(&after);
        self.slots.insert(by, Slot::Closes(id));
    }

    fn add(&mut self, movement: &Movement) {
        for effect in movement.effects() {
            effect.add_to(&mut self.accounts[effect.place.0 as usize].balance);
        }
    }

    fn account(&self, account: AccountId) -> Option<&Account> {
        self.places
            .get(&account)
            .map(|place| &self.accounts[place.0 as usize])
    }

    fn movement(&self, id: TransferId) -> Option<&Movement> {
        match self.slots.get(&id)? {
            Slot::Moves(movement) => Some(movement),
            Slot::Closes(_) => None,
        }
    }
}

/// Where an account is in the list of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place(pub(crate) u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) rules: AccountRules,
    pub(crate) balance: Balance,
    /// The part of `balance` that comes from forgotten transfers, so that the rest can be recomputed.
    pub(crate) forgotten: Balance,
}

impl Account {
    pub(crate) fn available(&self) -> i64 {
        self.balance.available(self.rules.normal)
    }
}

/// What is remembered under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Slot {
    Moves(Movement),
    /// The id of an entry that resolved or reversed this transfer.
    Closes(TransferId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) debit: Place,
    pub(crate) credit: Place,
    pub(crate) amount_minor: u64,
    pub(crate) hold: Option<Hold>,
    pub(crate) reversed_by: Option<TransferId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) expires_at_ms: Option<i64>,
    pub(crate) resolution: Option<Resolution>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    pub(crate) by: TransferId,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// How much was posted, in minor units.
    Posted(u64),
    Voided,
    Expired,
}

impl Movement {
    pub(crate) fn state(&self) -> TransferState {
        match (self.reversed_by, self.hold, self.resolution()) {
            (Some(_), ..) => TransferState::Reversed,
            (None, None, _) => TransferState::Posted,
            (None, Some(_), None) => TransferState::Pending,
            (None, Some(_), Some(resolution)) => match resolution.outcome {
                Outcome::Posted(_) => TransferState::PostedHold,
                Outcome::Voided => TransferState::Voided,
                Outcome::Expired => TransferState::Expired,
            },
        }
    }

    pub(crate) fn resolution(&self) -> Option<Resolution> {
        self.hold.and_then(|hold| hold.resolution)
    }

    /// What this transfer, as it stands, adds to its two accounts: the one place that says so.
    pub(crate) fn effects(&self) -> [Effect; 2] {
        let (pending, posted) = match (self.hold, self.resolution()) {
            (None, _) => (0, self.amount_minor),
            (Some(_), None) => (self.amount_minor, 0),
            (
                Some(_),
                Some(Resolution {
                    outcome: Outcome::Posted(amount_minor),
                    ..
                }),
            ) => (0, amount_minor),
            (Some(_), Some(_)) => (0, 0),
        };
        let returned = if self.reversed_by.is_some() {
            posted
        } else {
            0
        };
        let zero = Balance::default();
        [
            Effect {
                place: self.debit,
                totals: Balance {
                    debits_pending: pending,
                    debits_posted: posted,
                    credits_posted: returned,
                    ..zero
                },
            },
            Effect {
                place: self.credit,
                totals: Balance {
                    credits_pending: pending,
                    credits_posted: posted,
                    debits_posted: returned,
                    ..zero
                },
            },
        ]
    }
}

pub(crate) struct Effect {
    pub(crate) place: Place,
    totals: Balance,
}

impl Effect {
    pub(crate) fn add_to(&self, balance: &mut Balance) {
        balance.debits_pending += self.totals.debits_pending;
        balance.debits_posted += self.totals.debits_posted;
        balance.credits_pending += self.totals.credits_pending;
        balance.credits_posted += self.totals.credits_posted;
    }

    fn take_from(&self, balance: &mut Balance) {
        balance.debits_pending -= self.totals.debits_pending;
        balance.debits_posted -= self.totals.debits_posted;
        balance.credits_pending -= self.totals.credits_pending;
        balance.credits_posted -= self.totals.credits_posted;
    }
}

/// A checked entry, ready to be executed.
enum Change {
    Open {
        account: AccountId,
        rules: AccountRules,
    },
    Move {
        id: TransferId,
        movement: Movement,
    },
    Resolve {
        hold: TransferId,
        resolution: Resolution,
    },
    Reverse {
        id: TransferId,
        original: TransferId,
    },
}
