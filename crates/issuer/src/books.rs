//! What goes into the books: openings, the debit or hold of a purchase, what takes it back.
//!
//! Invariant: an entry is in a record only after the ledger said that it fits.

use crate::accounts::{FUNDS, LIMITS, SETTLEMENT, SUSPENSE, debit_id, own_id, pack, return_id};
use crate::config::{CardSetup, OPENING_MINOR_MAX, Product};
use crate::issuer::Issuer;
use crate::planted::Bug;
use crate::record::{Effect, Record};
use crypto::PanToken;
use ledger::{AccountId, AccountRules, Currency, Entry, Side, Transfer, TransferId, TransferState};
use payment::host::Financial;
use payment::{Decision, HostKey};
use std::collections::BTreeSet;

/// Cards opened by one record.
const OPENED_PER_RECORD: usize = 1_000;
/// Accounts of the books that are the bank's own.
const OWN: [(AccountId, Side); 4] = [
    (FUNDS, Side::Debit),
    (LIMITS, Side::Debit),
    (SUSPENSE, Side::Credit),
    (SETTLEMENT, Side::Credit),
];

const fn movement(id: TransferId, debit: AccountId, credit: AccountId, minor: u64) -> Transfer {
    Transfer {
        id,
        debit,
        credit,
        amount_minor: minor,
        currency: Currency::CNY,
    }
}

impl Issuer {
    /// Records that bring the cards of the configuration into the books, those the journal has not opened yet.
    pub(crate) fn open_cards(&self, decision: &mut Decision<Record, Effect>) {
        let mut seen = BTreeSet::new();
        let tokens: Vec<&PanToken> = self.unopened.iter().collect();
        for chunk in tokens.chunks(OPENED_PER_RECORD) {
            let mut entries = Vec::new();
            for (account, normal) in OWN {
                let rules = AccountRules::open(Currency::CNY, normal);
                self.open_account(account, rules, &mut seen, &mut entries);
            }
            for card in chunk.iter().filter_map(|token| self.cards.get(token)) {
                self.open_card(card, &mut seen, &mut entries);
            }
            decision.record(Record::Opened {
                cards: chunk.iter().map(|token| **token).collect(),
                entries,
            });
        }
    }

    fn open_card(
        &self,
        card: &CardSetup,
        seen: &mut BTreeSet<AccountId>,
        entries: &mut Vec<Entry>,
    ) {
        let account = AccountId(card.account);
        if account.0 >= FUNDS.0
            || !self.open_account(account, AccountRules::deposit(Currency::CNY), seen, entries)
        {
            return;
        }
        // Two names for each account: its money and its limit.
        let number = u128::from(card.account) * 2;
        for (id, from, minor) in [
            (number, FUNDS, card.balance_minor),
            (number + 1, LIMITS, card.credit_limit_minor),
        ] {
            if minor > 0 {
                entries.push(Entry::Post {
                    transfer: movement(own_id(id), from, account, minor.min(OPENING_MINOR_MAX)),
                });
            }
        }
    }

    /// False when the account is open already.
    fn open_account(
        &self,
        account: AccountId,
        rules: AccountRules,
        seen: &mut BTreeSet<AccountId>,
        entries: &mut Vec<Entry>,
    ) -> bool {
        let entry = Entry::Open { account, rules };
        let new = seen.insert(account) && self.state.ledger.check(&entry).is_ok();
        if new {
            entries.push(entry);
        }
        new
    }

    pub(crate) fn apply_opened(&mut self, cards: &[PanToken], entries: &[Entry]) {
        for entry in entries {
            self.state.ledger.apply(entry);
        }
        for token in cards {
            self.state.cards.entry(*token).or_default();
            self.unopened.remove(token);
        }
    }

    /// What debits a purchase: into suspense for a debit card, held against the limit for a credit card. `None` for a
    /// key that has no name in the books.
    pub(crate) fn debit(&self, setup: &CardSetup, sale: &Financial) -> Option<Entry> {
        let minor = sale.amount.minor + u64::from(self.planted(Bug::IssuerWrongAmount));
        let id = debit_id(pack(&sale.key)?);
        let transfer = movement(id, AccountId(setup.account), SUSPENSE, minor);
        Some(match setup.product {
            Product::Debit => Entry::Post { transfer },
            Product::Credit => Entry::Hold {
                transfer,
                expires_at_ms: None,
            },
        })
    }

    /// What takes the debit of `original` back, if it stands.
    pub(crate) fn take_back(&self, original: &HostKey) -> Option<Entry> {
        let packed = pack(original)?;
        let (id, debit) = (return_id(packed), debit_id(packed));
        let entry = match self.state.ledger.state(debit)? {
            TransferState::Posted | TransferState::PostedHold => Entry::Reverse {
                id,
                original: debit,
            },
            TransferState::Pending => Entry::VoidHold { id, hold: debit },
            TransferState::Voided | TransferState::Expired | TransferState::Reversed => {
                return None;
            }
        };
        self.state.ledger.check(&entry).is_ok().then_some(entry)
    }

    /// A movement that no request asked for: only planted bugs make one.
    pub(crate) fn unasked(&self, token: &PanToken, minor: u64, debit: bool) -> Option<Entry> {
        let account = AccountId(self.cards.get(token)?.account);
        // Behind every name that an opening can have, and new after every record that changes the books.
        let id = own_id(u128::from(u64::MAX) * 2 + self.state.ledger.transfer_count() as u128 + 2);
        let (from, to) = if debit {
            (account, SUSPENSE)
        } else {
            (SUSPENSE, account)
        };
        let entry = Entry::Post {
            transfer: movement(id, from, to, minor),
        };
        self.state.ledger.check(&entry).is_ok().then_some(entry)
    }
}
