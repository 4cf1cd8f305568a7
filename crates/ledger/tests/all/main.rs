//! The ledger from outside: rows of entries with their answers, and a model that random entries are held against.

mod model;
mod rows;
mod snapshot;

use ledger::{AccountId, AccountRules, Currency, Entry, Ledger, Side, Transfer, TransferId};

/// A cardholder's account, which may not be overdrawn.
const CARD: AccountId = AccountId(1);
/// A second one.
const CARD_2: AccountId = AccountId(2);
/// The other side of every payment.
const CLEARING: AccountId = AccountId(10);
/// A debit-normal account that may not be overdrawn.
const VAULT: AccountId = AccountId(11);
/// An account in another currency.
const ABROAD: AccountId = AccountId(20);

fn opened() -> Ledger {
    let mut ledger = Ledger::default();
    for (account, rules) in [
        (CARD, AccountRules::deposit(Currency::CNY)),
        (CARD_2, AccountRules::deposit(Currency::CNY)),
        (CLEARING, AccountRules::open(Currency::CNY, Side::Debit)),
        (
            VAULT,
            AccountRules {
                normal: Side::Debit,
                ..AccountRules::deposit(Currency::CNY)
            },
        ),
        (ABROAD, AccountRules::open(Currency(840), Side::Debit)),
    ] {
        ledger.apply(&Entry::Open { account, rules });
    }
    ledger
}

fn transfer(id: u128, debit: AccountId, credit: AccountId, amount_minor: u64) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit,
        credit,
        amount_minor,
        currency: Currency::CNY,
    }
}

fn post(id: u128, debit: AccountId, credit: AccountId, amount_minor: u64) -> Entry {
    Entry::Post {
        transfer: transfer(id, debit, credit, amount_minor),
    }
}

fn hold(id: u128, debit: AccountId, credit: AccountId, amount_minor: u64) -> Entry {
    Entry::Hold {
        transfer: transfer(id, debit, credit, amount_minor),
        expires_at_ms: None,
    }
}

fn hold_until(
    id: u128,
    debit: AccountId,
    credit: AccountId,
    amount_minor: u64,
    at_ms: i64,
) -> Entry {
    Entry::Hold {
        transfer: transfer(id, debit, credit, amount_minor),
        expires_at_ms: Some(at_ms),
    }
}

fn post_hold(id: u128, hold: u128, amount_minor: u64) -> Entry {
    Entry::PostHold {
        id: TransferId(id),
        hold: TransferId(hold),
        amount_minor,
    }
}

fn void(id: u128, hold: u128) -> Entry {
    Entry::VoidHold {
        id: TransferId(id),
        hold: TransferId(hold),
    }
}

fn expire(id: u128, hold: u128) -> Entry {
    Entry::ExpireHold {
        id: TransferId(id),
        hold: TransferId(hold),
    }
}

fn reverse(id: u128, original: u128) -> Entry {
    Entry::Reverse {
        id: TransferId(id),
        original: TransferId(original),
    }
}
