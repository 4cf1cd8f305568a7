//! The proof that the books are right: everything that can be recomputed is, from scratch and without trusting an index.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::account::{AccountId, Balance, Currency, Overdraft, TOTAL_MAX};
use crate::books::{Hold, Ledger, Slot};
use crate::entry::TransferId;

/// What is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditError {
    /// Debits and credits of a currency differ; amounts in minor units.
    Unbalanced {
        /// The currency.
        currency: Currency,
        /// Whether the pending totals differ, or else the posted ones.
        pending: bool,
        /// The sum of all debits.
        debits: u128,
        /// The sum of all credits.
        credits: u128,
    },
    /// An account that may not be overdrawn is.
    Overdrawn {
        /// The account.
        account: AccountId,
        /// What is available, in minor units, below zero.
        available: i64,
    },
    /// A total exceeds [`TOTAL_MAX`].
    Overflow(AccountId),
    /// The totals of an account are not what its transfers add up to.
    Differs {
        /// The account.
        account: AccountId,
        /// What the account says.
        kept: Balance,
        /// What the transfers say.
        recomputed: Balance,
    },
    /// An account cannot be found under its id.
    Misplaced(AccountId),
    /// What is remembered under this id does not fit the rest.
    Dangling(TransferId),
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbalanced {
                currency,
                pending,
                debits,
                credits,
            } => {
                let kind = if *pending { "pending" } else { "posted" };
                write!(
                    f,
                    "currency {currency}: {kind} debits {debits} differ from credits {credits}"
                )
            }
            Self::Overdrawn { account, available } => {
                write!(f, "account {account} is overdrawn: {available}")
            }
            Self::Overflow(account) => {
                write!(f, "a total of account {account} exceeds its maximum")
            }
            Self::Differs {
                account,
                kept,
                recomputed,
            } => {
                write!(
                    f,
                    "account {account} says {kept:?}, its transfers say {recomputed:?}"
                )
            }
            Self::Misplaced(account) => write!(f, "account {account} is not where its id says"),
            Self::Dangling(id) => write!(f, "what is remembered of {id} does not fit the rest"),
        }
    }
}

impl std::error::Error for AuditError {}

impl Ledger {
    /// Proves the books: per currency debits equal credits, pending and posted apart; no overdraft where it is forbidden;
    /// every total is what the forgotten and the remembered transfers add up to; every index agrees. Takes time in
    /// proportion to all that is remembered.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn audit(&self) -> Result<(), AuditError> {
        self.audit_accounts()?;
        self.audit_sums()?;
        self.audit_slots()?;
        self.audit_totals()
    }

    fn audit_accounts(&self) -> Result<(), AuditError> {
        for (index, account) in self.accounts.iter().enumerate() {
            let placed = self
                .places
                .get(&account.id)
                .is_some_and(|place| place.0 as usize == index);
            if !placed || self.places.len() != self.accounts.len() {
                return Err(AuditError::Misplaced(account.id));
            }
            let Balance {
                debits_pending,
                debits_posted,
                credits_pending,
                credits_posted,
            } = account.balance;
            for (pending, posted) in [
                (debits_pending, debits_posted),
                (credits_pending, credits_posted),
            ] {
                if pending
                    .checked_add(posted)
                    .is_none_or(|total| total > TOTAL_MAX)
                {
                    return Err(AuditError::Overflow(account.id));
                }
            }
            let available = account.available();
            if account.rules.overdraft == Overdraft::Forbidden && available < 0 {
                return Err(AuditError::Overdrawn {
                    account: account.id,
                    available,
                });
            }
        }
        // With no account at all there may be no place either.
        match self.places.first_key_value() {
            Some((id, _)) if self.accounts.is_empty() => Err(AuditError::Misplaced(*id)),
            _ => Ok(()),
        }
    }

    fn audit_sums(&self) -> Result<(), AuditError> {
        // Debits and credits, pending then posted.
        let mut sums: BTreeMap<Currency, [[u128; 2]; 2]> = BTreeMap::new();
        for account in &self.accounts {
            let [pending, posted] = sums.entry(account.rules.currency).or_default();
            pending[0] += u128::from(account.balance.debits_pending);
            pending[1] += u128::from(account.balance.credits_pending);
            posted[0] += u128::from(account.balance.debits_posted);
            posted[1] += u128::from(account.balance.credits_posted);
        }
        for (currency, rows) in sums {
            for (pending, [debits, credits]) in [true, false].into_iter().zip(rows) {
                if debits != credits {
                    return Err(AuditError::Unbalanced {
                        currency,
                        pending,
                        debits,
                        credits,
                    });
                }
            }
        }
        Ok(())
    }

    fn audit_slots(&self) -> Result<(), AuditError> {
        let mut transfer_count = 0;
        let mut expiring = BTreeSet::new();
        for (&id, slot) in &self.slots {
            match slot {
                Slot::Moves(movement) => {
                    transfer_count += 1;
                    let debit = self.accounts.get(movement.debit.0 as usize);
                    let credit = self.accounts.get(movement.credit.0 as usize);
                    let same_currency = debit.zip(credit).is_some_and(|(debit, credit)| {
                        debit.rules.currency == credit.rules.currency
                    });
                    let closed_by = [movement.resolution().map(|it| it.by), movement.reversed_by];
                    let known = closed_by
                        .iter()
                        .flatten()
                        .all(|by| self.slots.get(by) == Some(&Slot::Closes(id)));
                    if !same_currency || !known {
                        return Err(AuditError::Dangling(id));
                    }
                    if let Some(Hold {
                        expires_at_ms: Some(at_ms),
                        resolution: None,
                    }) = movement.hold
                    {
                        expiring.insert((at_ms, id));
                    }
                }
                Slot::Closes(transfer) => {
                    let Some(Slot::Moves(movement)) = self.slots.get(transfer) else {
                        return Err(AuditError::Dangling(id));
                    };
                    let resolved = movement
                        .resolution()
                        .is_some_and(|resolution| resolution.by == id);
                    if !resolved && movement.reversed_by != Some(id) {
                        return Err(AuditError::Dangling(id));
                    }
                }
            }
        }
        if let Some((_, id)) = expiring.symmetric_difference(&self.expiring).next() {
            return Err(AuditError::Dangling(*id));
        }
        match self.slots.last_key_value() {
            Some((id, _)) if transfer_count != self.transfer_count => {
                Err(AuditError::Dangling(*id))
            }
            _ => Ok(()),
        }
    }

    fn audit_totals(&self) -> Result<(), AuditError> {
        let mut recomputed: Vec<Balance> = self
            .accounts
            .iter()
            .map(|account| account.forgotten)
            .collect();
        for slot in self.slots.values() {
            if let Slot::Moves(movement) = slot {
                for effect in movement.effects() {
                    effect.add_to(&mut recomputed[effect.place.0 as usize]);
                }
            }
        }
        for (account, recomputed) in self.accounts.iter().zip(recomputed) {
            if account.balance != recomputed {
                return Err(AuditError::Differs {
                    account: account.id,
                    kept: account.balance,
                    recomputed,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountRules, Side};
    use crate::books::{Account, Place};
    use crate::entry::{Entry, Transfer};

    const ID: TransferId = TransferId(3);

    /// Books with a post, a posted hold and a pending hold with an expiry, spoilt by `spoil`.
    fn check(spoil: impl FnOnce(&mut Ledger), expected: fn(&AuditError) -> bool) {
        let mut ledger = Ledger::default();
        let clearing = AccountRules::open(Currency::CNY, Side::Debit);
        let deposit = AccountRules::deposit(Currency::CNY);
        for (account, rules) in [(1, deposit), (2, clearing)] {
            ledger.apply(&Entry::Open {
                account: AccountId(account),
                rules,
            });
        }
        let transfer = |id, debit, credit| Transfer {
            id: TransferId(id),
            debit: AccountId(debit),
            credit: AccountId(credit),
            amount_minor: 100,
            currency: Currency::CNY,
        };
        ledger.apply(&Entry::Post {
            transfer: transfer(1, 2, 1),
        });
        ledger.apply(&Entry::Hold {
            transfer: transfer(2, 1, 2),
            expires_at_ms: None,
        });
        ledger.apply(&Entry::PostHold {
            id: ID,
            hold: TransferId(2),
            amount_minor: 40,
        });
        ledger.apply(&Entry::Hold {
            transfer: transfer(4, 2, 1),
            expires_at_ms: Some(9),
        });
        assert_eq!(ledger.audit(), Ok(()));
        spoil(&mut ledger);
        let error = ledger.audit().expect_err("the books are spoilt");
        assert!(expected(&error), "{error:?}");
    }

    #[test]
    fn every_kind_of_damage_is_found() {
        check(
            |it| it.accounts[0].balance.credits_posted += 1,
            |error| {
                matches!(
                    error,
                    AuditError::Unbalanced {
                        pending: false,
                        debits: 140,
                        credits: 141,
                        ..
                    }
                )
            },
        );
        check(
            |it| it.accounts[0].balance.credits_pending -= 1,
            |error| matches!(error, AuditError::Unbalanced { pending: true, .. }),
        );
        check(
            |it| it.accounts[0].balance.debits_posted += 61,
            |error| {
                *error
                    == AuditError::Overdrawn {
                        account: AccountId(1),
                        available: -1,
                    }
            },
        );
        check(
            |it| it.accounts[1].balance.credits_posted = TOTAL_MAX + 1,
            |error| *error == AuditError::Overflow(AccountId(2)),
        );
        check(
            |it| {
                it.accounts[0].balance.credits_posted += 1;
                it.accounts[1].balance.debits_posted += 1;
            },
            |error| {
                matches!(
                    error,
                    AuditError::Differs {
                        account: AccountId(1),
                        ..
                    }
                )
            },
        );
        check(
            |it| {
                it.places.insert(AccountId(1), Place(1));
            },
            |error| *error == AuditError::Misplaced(AccountId(1)),
        );
        check(
            |it| it.accounts.clear(),
            |error| *error == AuditError::Misplaced(AccountId(1)),
        );
        check(
            |it| {
                let twin = Account {
                    ..it.accounts[0].clone()
                };
                it.accounts.push(twin);
            },
            |error| matches!(error, AuditError::Misplaced(_)),
        );
        check(
            |it| {
                it.slots.remove(&ID);
            },
            |error| *error == AuditError::Dangling(TransferId(2)),
        );
        check(
            |it| {
                it.slots.insert(ID, Slot::Closes(TransferId(1)));
            },
            |error| *error == AuditError::Dangling(TransferId(2)),
        );
        check(
            |it| {
                it.slots.insert(TransferId(9), Slot::Closes(TransferId(2)));
            },
            |error| *error == AuditError::Dangling(TransferId(9)),
        );
        check(
            |it| it.expiring.clear(),
            |error| *error == AuditError::Dangling(TransferId(4)),
        );
        check(
            |it| it.transfer_count += 1,
            |error| matches!(error, AuditError::Dangling(_)),
        );
    }
}
