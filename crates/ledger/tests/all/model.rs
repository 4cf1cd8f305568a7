//! Random entries against a model that keeps no totals: it remembers every entry and adds all of them up anew.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Balance, Currency, Entry, Ledger, LedgerError, Overdraft, Side, Transfer,
    TransferId, TransferState,
};
use proptest::prelude::*;

use crate::*;

const ACCOUNTS: [AccountId; 6] = [CARD, CARD_2, CLEARING, VAULT, ABROAD, AccountId(99)];

/// The accepted entries, in order.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
}

impl Model {
    fn balance(&self, account: AccountId) -> Balance {
        let mut total = Balance::default();
        for entry in &self.entries {
            let (pending, posted, reversed, moved) = match entry {
                Entry::Post { transfer } => (
                    0,
                    transfer.amount_minor,
                    self.reversal(transfer.id).is_some(),
                    transfer,
                ),
                Entry::Hold { transfer, .. } => match self.resolution(transfer.id) {
                    None => (transfer.amount_minor, 0, false, transfer),
                    Some(Entry::PostHold { amount_minor, .. }) => (
                        0,
                        *amount_minor,
                        self.reversal(transfer.id).is_some(),
                        transfer,
                    ),
                    Some(_) => (0, 0, false, transfer),
                },
                _ => continue,
            };
            if moved.debit == account {
                total.debits_pending += pending;
                total.debits_posted += posted;
                total.credits_posted += if reversed { posted } else { 0 };
            }
            if moved.credit == account {
                total.credits_pending += pending;
                total.credits_posted += posted;
                total.debits_posted += if reversed { posted } else { 0 };
            }
        }
        total
    }

    fn resolution(&self, id: TransferId) -> Option<&Entry> {
        self.entries.iter().find(|entry| match entry {
            Entry::PostHold { hold, .. }
            | Entry::VoidHold { hold, .. }
            | Entry::ExpireHold { hold, .. } => *hold == id,
            _ => false,
        })
    }

    fn reversal(&self, id: TransferId) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| matches!(entry, Entry::Reverse { original, .. } if *original == id))
    }

    /// What the ledger must answer, said independently of it, for every refusal that the generator can cause.
    fn accepts(&self, ledger: &Ledger, entry: &Entry) -> bool {
        if self
            .entries
            .iter()
            .any(|known| id_of(known) == id_of(entry))
        {
            return false;
        }
        let find = |id: TransferId| {
            self.entries.iter().find_map(|entry| match entry {
                Entry::Post { transfer } if transfer.id == id => Some((*transfer, None)),
                Entry::Hold {
                    transfer,
                    expires_at_ms,
                } if transfer.id == id => Some((*transfer, Some(*expires_at_ms))),
                _ => None,
            })
        };
        match entry {
            Entry::Open { .. } => false,
            Entry::Post { transfer } | Entry::Hold { transfer, .. } => {
                transfer.amount_minor > 0 && self.may_move(ledger, transfer)
            }
            Entry::PostHold {
                hold, amount_minor, ..
            } => find(*hold).is_some_and(|(held, kind)| {
                kind.is_some()
                    && self.resolution(*hold).is_none()
                    && (1..=held.amount_minor).contains(amount_minor)
            }),
            Entry::VoidHold { hold, .. } => {
                find(*hold).is_some_and(|(_, kind)| kind.is_some())
                    && self.resolution(*hold).is_none()
            }
            Entry::ExpireHold { hold, .. } => {
                find(*hold).is_some_and(|(_, kind)| matches!(kind, Some(Some(_))))
                    && self.resolution(*hold).is_none()
            }
            Entry::Reverse { original, .. } => {
                let Some((moved, kind)) = find(*original) else {
                    return false;
                };
                let posted = match (kind, self.resolution(*original)) {
                    (None, _) => moved.amount_minor,
                    (Some(_), Some(Entry::PostHold { amount_minor, .. })) => *amount_minor,
                    (Some(_), _) => return false,
                };
                let back = Transfer {
                    debit: moved.credit,
                    credit: moved.debit,
                    amount_minor: posted,
                    ..moved
                };
                self.reversal(*original).is_none() && self.may_move(ledger, &back)
            }
        }
    }

    fn may_move(&self, ledger: &Ledger, transfer: &Transfer) -> bool {
        let side = |account, side| {
            let Some(rules) = ledger.rules(account) else {
                return false;
            };
            let total = self.balance(account);
            let (own, other) = match side {
                Side::Debit => (
                    total.debits_posted + total.debits_pending,
                    total.credits_posted,
                ),
                Side::Credit => (
                    total.credits_posted + total.credits_pending,
                    total.debits_posted,
                ),
            };
            rules.currency == transfer.currency
                && (rules.overdraft == Overdraft::Allowed
                    || rules.normal == side
                    || own + transfer.amount_minor <= other)
        };
        transfer.debit != transfer.credit
            && side(transfer.debit, Side::Debit)
            && side(transfer.credit, Side::Credit)
    }
}

fn id_of(entry: &Entry) -> Option<TransferId> {
    match entry {
        Entry::Open { .. } => None,
        Entry::Post { transfer } | Entry::Hold { transfer, .. } => Some(transfer.id),
        Entry::PostHold { id, .. }
        | Entry::VoidHold { id, .. }
        | Entry::ExpireHold { id, .. }
        | Entry::Reverse { id, .. } => Some(*id),
    }
}

/// Few ids, so that they collide; few accounts, so that they run dry.
fn any_entry() -> impl Strategy<Value = Entry> {
    let id = || (0..40_u128).prop_map(TransferId);
    let account = || prop_oneof![4 => Just(CARD), 2 => Just(CARD_2), 4 => Just(CLEARING), 2 => Just(VAULT), 1 => Just(ABROAD), 1 => Just(AccountId(99))];
    let any_transfer = || {
        (
            id(),
            account(),
            account(),
            0..50_u64,
            prop_oneof![9 => Just(Currency::CNY), 1 => Just(Currency(840))],
        )
            .prop_map(|(id, debit, credit, amount_minor, currency)| Transfer {
                id,
                debit,
                credit,
                amount_minor,
                currency,
            })
    };
    prop_oneof![
        4 => any_transfer().prop_map(|transfer| Entry::Post { transfer }),
        4 => (any_transfer(), prop::option::of(0..9_i64))
            .prop_map(|(transfer, expires_at_ms)| Entry::Hold { transfer, expires_at_ms }),
        3 => (id(), id(), 0..50_u64)
            .prop_map(|(id, hold, amount_minor)| Entry::PostHold { id, hold, amount_minor }),
        1 => (id(), id()).prop_map(|(id, hold)| Entry::VoidHold { id, hold }),
        1 => (id(), id()).prop_map(|(id, hold)| Entry::ExpireHold { id, hold }),
        3 => (id(), id()).prop_map(|(id, original)| Entry::Reverse { id, original }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_agrees_with_the_model(entries in prop::collection::vec(any_entry(), 1..120)) {
        let mut ledger = opened();
        let mut model = Model::default();
        for entry in &entries {
            let answer = ledger.check(entry);
            prop_assert_eq!(answer.is_ok(), model.accepts(&ledger, entry), "{:?} for {:?}", answer, entry);
            if let Err(error) = answer {
                let written = model.entries.iter().find(|known| id_of(known) == id_of(entry));
                prop_assert_eq!(error == LedgerError::Exists, written == Some(entry));
                continue;
            }
            ledger.apply(entry);
            model.entries.push(*entry);
            prop_assert_eq!(ledger.audit(), Ok(()));
            prop_assert_eq!(ledger.check(entry), Err(LedgerError::Exists), "a repeat is recognised");
            for account in ACCOUNTS {
                let expected = ledger.rules(account).map(|_| model.balance(account));
                prop_assert_eq!(ledger.balance(account).copied(), expected);
            }
        }
        let mut again = opened();
        model.entries.iter().for_each(|entry| again.apply(entry));
        prop_assert_eq!(&ledger, &again, "the same entries make the same books");
    }

    #[test]
    fn forgetting_changes_no_balance(
        entries in prop::collection::vec((any_entry(), any::<bool>()), 1..120),
    ) {
        let (mut ledger, mut whole) = (opened(), opened());
        let mut forgotten = BTreeMap::new();
        for (entry, then_forget) in &entries {
            // An id that one of the two no longer knows would make them part ways for a good reason.
            let id = id_of(entry).expect("no accounts are opened here");
            if forgotten.contains_key(&id) || whole.check(entry).is_err() || ledger.check(entry).is_err() {
                continue;
            }
            ledger.apply(entry);
            whole.apply(entry);
            if *then_forget && ledger.state(id).is_some_and(|state| state != TransferState::Pending) {
                ledger.forget(id);
                forgotten.insert(id, ());
            }
            prop_assert_eq!(ledger.audit(), Ok(()));
            prop_assert!(ledger.accounts().eq(whole.accounts()));
        }
    }
}
