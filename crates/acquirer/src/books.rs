//! The acquirer's books: what the network owes us, what we owe each merchant. They balance after every record.

use ledger::{AccountId, AccountRules, Currency, Entry, Ledger, Side, Transfer, TransferId};
use payment::MerchantId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Owed to us by the network.
pub const NETWORK_RECEIVABLE: AccountId = AccountId(1);
/// Owed to us by wallet providers.
pub const WALLET_RECEIVABLE: AccountId = AccountId(2);
const FIRST_MERCHANT: u64 = 1_000;

/// The books.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    ledger: Ledger,
    merchants: BTreeMap<MerchantId, AccountId>,
    next_transfer: u64,
}

impl Books {
    /// Books what a transaction adds to a merchant's money, `receivable` against merchant payable, or takes from it. Gives the transfer's number; none when nothing moves.
    pub(crate) fn book(
        &mut self,
        receivable: AccountId,
        merchant: MerchantId,
        currency: payment::Currency,
        moved_minor: i64,
    ) -> Option<u64> {
        if moved_minor == 0 {
            return None;
        }
        let currency = Currency(currency.0);
        if self.ledger.balance(receivable).is_none() {
            self.open(receivable, AccountRules::open(currency, Side::Debit));
        }
        let next = AccountId(FIRST_MERCHANT + self.merchants.len() as u64);
        let account = *self.merchants.entry(merchant).or_insert(next);
        if account == next {
            self.open(account, AccountRules::open(currency, Side::Credit));
        }
        let (debit, credit) = match moved_minor > 0 {
            true => (receivable, account),
            false => (account, receivable),
        };
        let transfer = self.number();
        self.ledger.apply(&Entry::Post {
            transfer: Transfer {
                id: TransferId(u128::from(transfer)),
                debit,
                credit,
                amount_minor: moved_minor.unsigned_abs(),
                currency,
            },
        });
        Some(transfer)
    }

    /// Takes a booked transaction back, once.
    pub(crate) fn take_back(&mut self, transfer: u64) {
        let id = TransferId(u128::from(self.number()));
        self.ledger.apply(&Entry::Reverse {
            id,
            original: TransferId(u128::from(transfer)),
        });
    }

    /// Drops a booked sale from memory; the balances stay.
    pub(crate) fn forget(&mut self, transfer: u64) {
        self.ledger.forget(TransferId(u128::from(transfer)));
    }

    /// What a merchant is owed, in minor units.
    pub fn payable(&self, merchant: &MerchantId) -> i64 {
        self.merchants
            .get(merchant)
            .and_then(|account| self.ledger.available(*account))
            .unwrap_or(0)
    }

    /// What network and wallet providers owe, in minor units.
    pub fn receivable(&self) -> i64 {
        let owed = |account| self.ledger.available(account).unwrap_or(0);
        owed(NETWORK_RECEIVABLE) + owed(WALLET_RECEIVABLE)
    }

    /// The ledger, read only.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn open(&mut self, account: AccountId, rules: AccountRules) {
        self.ledger.apply(&Entry::Open { account, rules });
    }

    fn number(&mut self) -> u64 {
        self.next_transfer += 1;
        self.next_transfer
    }
}
