//! The money of one sale as T-accounts, party by party: what was debited, what credited, and that both sums agree.

use crate::chip::{self, Tone};
use crate::language::{Lang, Words};
use maud::{Markup, html};
use payment::Amount;

/// The books of one party about one sale.
#[derive(Clone, Debug)]
pub struct Books {
    /// Whose.
    pub party: Words,
    /// What can be said of them.
    pub known: Known,
}

/// What can be said of a party's books.
#[derive(Clone, Debug)]
pub enum Known {
    /// They cannot be read from here.
    NotHere,
    /// Nothing was booked.
    Nothing,
    /// These accounts were moved.
    Accounts(Vec<Account>),
}

/// An account with its entries about this sale.
#[derive(Clone, Debug)]
pub struct Account {
    /// Name.
    pub name: (String, String),
    /// Entries in their order.
    pub entries: Vec<Entry>,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// On the debit side; else on the credit side.
    pub debit: bool,
    /// Minor units.
    pub minor: u64,
    /// What it is, zh-CN and en.
    pub what: Words,
    /// It counts: a hold and what was voided do not.
    pub counts: bool,
}

/// All books about a sale.
pub fn ledger(lang: Lang, books: &[Books]) -> Markup {
    html! {
        @for Books { party, known } in books {
            h3 { (lang.say(*party)) }
            @match known {
                Known::NotHere => p.second { (lang.say(("这一方的账不在本机，这里不知道。", "This party keeps its books elsewhere; they are not known here."))) },
                Known::Nothing => p.second { (lang.say(("没有记账。", "Nothing was booked."))) },
                Known::Accounts(accounts) => {
                    div.accounts { @for account in accounts { (t_account(lang, account)) } }
                    (balance(lang, accounts))
                },
            }
        }
    }
}

fn t_account(lang: Lang, account: &Account) -> Markup {
    html! {
        table.taccount {
            caption { (lang.pick(&account.name)) }
            thead { tr { th { (lang.say(("借", "debit"))) } th.number { (lang.say(("贷", "credit"))) } } }
            tbody {
                @for entry in &account.entries {
                    @let amount = html! {
                        (Amount::fen(entry.minor)) br; span.second.small { (lang.say(entry.what)) }
                    };
                    tr { td { @if entry.debit { (amount) } } td.number { @if !entry.debit { (amount) } } }
                }
            }
        }
    }
}

/// Both sides of all accounts of a party, which must agree.
fn balance(lang: Lang, accounts: &[Account]) -> Markup {
    let sum = |debit: bool| -> u64 {
        let entries = accounts.iter().flat_map(|account| &account.entries);
        entries
            .filter(|entry| entry.counts && entry.debit == debit)
            .map(|entry| entry.minor)
            .sum()
    };
    let (debits, credits) = (sum(true), sum(false));
    let (tone, words) = if debits == credits {
        (Tone::Closed, ("借贷相抵", "balanced"))
    } else {
        (Tone::Stop, ("借贷不平", "not balanced"))
    };
    html! {
        p.small { (lang.either(
            html! { "借 " (Amount::fen(debits)) " · 贷 " (Amount::fen(credits)) },
            html! { "debits " (Amount::fen(debits)) " · credits " (Amount::fen(credits)) },
        )) " " (chip::chip(tone, lang.say(words))) }
    }
}
