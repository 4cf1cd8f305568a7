//! What cards with a chip have signed, and what their banks and acquirers made of it.
//!
//! E1 an inserted card's sale is approved only after the card agreed; E2 a bank takes a cryptogram once; E3 what a script did is
//! reported once for a sale; E4 a closed batch has the last word of each of its chips.

use super::{End, Ordered, Sale};
use crate::core::Core;
use crate::marks::Mark;
use crate::setup::terminal_number;
use payment::{Batch, Kind, SaleKey};
use terminal::ChipKept;

/// How the card of a sale was presented, by what its holder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Inserted,
    Tapped,
}

impl Core {
    /// The card of a sale has said its last word.
    pub fn chip_spoke(&mut self, key: &SaleKey, kept: &ChipKept) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        self.sale(number).agreed = kept.accepted;
        if kept.accepted == Some(false) {
            self.mark(Mark::ChipRefused);
        }
    }

    pub(super) fn judge_chip(&mut self, number: u32) {
        let sale = self.sale(number);
        if sale.read == Some(Read::Inserted) && sale.agreed != Some(true) {
            let agreed = sale.agreed;
            self.violate("E1", || {
                format!("sale {number}: approved, and its card agreed: {agreed:?}")
            });
        }
    }

    /// A bank has taken the cryptogram with this counter.
    pub(super) fn cryptogram_taken(&mut self, number: u32, counter: u16) {
        let card = self.sale(number).card;
        let last = self.oracle.counters.insert(card, counter);
        if last.is_some_and(|last| last >= counter) {
            self.violate("E2", || {
                format!("sale {number}: the counter {counter} of card {card} after {last:?}")
            });
        }
    }

    /// A till keeps the report of a script: nobody ordered it. Gives its number.
    pub(super) fn script_kept(&mut self, sale: &payment::terminal::Sale) -> Option<u32> {
        self.mark(Mark::ScriptReported);
        let about = sale.original.and_then(|original| {
            self.oracle.by_key(&SaleKey {
                batch: original.batch,
                stan: original.stan,
                ..sale.key
            })
        });
        let Some(first) = about else {
            self.violate("E3", || format!("{}: a script of no sale", sale.key));
            return None;
        };
        let later = self.sale(first).later.clone();
        if later
            .iter()
            .any(|number| self.sale(*number).kind == Kind::ScriptResult)
        {
            self.violate("E3", || {
                format!("sale {first}: its script is reported twice")
            });
        }
        let ordered = Ordered {
            kind: Kind::ScriptResult,
            card: self.sale(first).card,
            minor: Some(0),
            original: Some(first),
            wrong: None,
            linked: None,
            to: None,
        };
        let number = self.oracle.sales.len() as u32;
        let mut own = Sale::new(self.sale(first).terminal, &ordered, 0);
        (own.key, own.begun) = (Some(sale.key), true);
        self.oracle.sales.push(own);
        self.oracle.keys.insert(sale.key, number);
        self.sale(first).later.push(number);
        Some(number)
    }

    /// An acquirer has the last word of a chip.
    pub(super) fn chip_uploaded(&mut self, key: &SaleKey) {
        self.mark(Mark::ChipUploaded);
        let till = terminal_number(&key.terminal);
        if !self.book(till, key.batch).chips.insert(key.stan) {
            self.violate("E4", || format!("{key}: its chip went up twice"));
        }
    }

    /// A till has closed its batch: the acquirer has each of its chips.
    pub(super) fn judge_chips(&mut self, till: u8, batch: Batch) {
        let chips = self
            .oracle
            .books
            .get(&(till, batch))
            .map(|book| book.chips.clone());
        let chips = chips.unwrap_or_default();
        let own = |sale: &&Sale| {
            sale.terminal == till
                && !sale.settled
                && sale.end == Some(End::Approved)
                && sale.read.is_some()
                && sale.kind.row().charges()
        };
        let keys = self
            .oracle
            .sales
            .iter()
            .filter(own)
            .filter_map(|sale| sale.key);
        let missing = keys.into_iter().find(|key| !chips.contains(&key.stan));
        if let Some(key) = missing {
            self.violate("E4", || {
                format!("{key}: settled, and its chip did not go up")
            });
        }
    }
}
