//! Cash, and what stands in place of a card sale whose result is not known.
//!
//! C1 never both cash and card kept; C2 of a sale and the charge in its place at most one stays; C3 a charge that may repeat an
//! unresolved one is refused; T7 a shift close lists every pending item.

use super::{End, Sale};
use crate::core::Core;
use crate::marks::Mark;
use terminal::{Cash, Ending};

/// Cash that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Paid {
    pub till: u8,
    pub key: payment::SaleKey,
    pub minor: u64,
    /// In place of which card sale.
    pub instead_of: Option<u32>,
    /// The acquirer refused the link: the card sale was completed before.
    pub refused: bool,
}

/// An advice that a terminal keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Of a transaction.
    Sale(u32),
    /// The link of cash to this card sale.
    Link(u32),
}

impl Core {
    pub fn cash_taken(&mut self, till: u8, cash: &Cash) {
        self.mark(Mark::CashTaken);
        let instead_of = cash.instead_of.and_then(|key| self.oracle.by_key(&key));
        if let Some(number) = instead_of {
            self.mark(Mark::CashInstead);
            let again = self
                .oracle
                .cash
                .iter()
                .any(|paid| paid.instead_of == instead_of && paid.till == till);
            let sale = &self.oracle.sales[number as usize];
            let had = sale.terminal == till && sale.end == Some(End::Approved) && !sale.replaced;
            if again || had {
                self.violate("C1", || {
                    format!("sale {number}: cash was taken in its place, and it is paid already")
                });
            }
        }
        self.oracle.cash.push(Paid {
            till,
            key: cash.key,
            minor: cash.amount.minor,
            instead_of,
            refused: false,
        });
    }

    /// A till learns how its own sale ended.
    pub(super) fn judge_cash(&mut self, number: u32, ending: &Ending) {
        let till = self.oracle.sales[number as usize].terminal;
        let paid = |paid: &Paid| paid.till == till && paid.instead_of == Some(number);
        if matches!(ending, Ending::Approved(_)) && self.oracle.cash.iter().any(paid) {
            self.violate("C1", || {
                format!("sale {number}: approved at the till that took cash in its place")
            });
        }
    }

    /// The acquirer answered the link of cash to a card sale.
    pub(super) fn link_answered(&mut self, till: u8, number: u32, ending: &Ending) {
        if !matches!(ending, Ending::Declined(_)) {
            return;
        }
        self.mark(Mark::LinkRefused);
        let own = self.oracle.cash.iter_mut();
        let own = own.filter(|paid| paid.till == till && paid.instead_of == Some(number));
        own.for_each(|paid| paid.refused = true);
        let sale = &self.oracle.sales[number as usize];
        let completed = sale.end == Some(End::Approved) || !sale.later.is_empty();
        if !completed {
            self.violate("C1", || {
                format!("sale {number}: the acquirer keeps it beside the cash, and no till has its approval")
            });
        }
    }

    /// The acquirer lets a charge through: no other of this card and amount may be in flight or being reversed at the merchant.
    pub(super) fn judge_repetition(&mut self, number: u32) {
        let oracle = &self.oracle;
        let own = &oracle.sales[number as usize];
        if !own.kind.row().charges() || own.forwarded > 0 {
            return;
        }
        let named = own.linked.and_then(|linked| oracle.by_key(&linked.earlier));
        let open = |sale: &Sale| {
            sale.forwarded > 0
                && !sale.given_back
                && match sale.reversing {
                    true => !sale.reversed,
                    false => !sale.answered,
                }
        };
        let same = |sale: &Sale| {
            sale.kind.row().charges()
                && (sale.card, sale.minor) == (own.card, own.minor)
                && oracle.shops[usize::from(sale.terminal)]
                    == oracle.shops[usize::from(own.terminal)]
        };
        let numbered = (0..).zip(&oracle.sales);
        let mut others = numbered.filter(|(other, _)| *other != number && Some(*other) != named);
        let repeated = others.find(|(_, sale)| same(sale) && open(sale));
        if let Some((other, _)) = repeated {
            self.violate("C3", || {
                format!(
                    "sale {number}: charged while sale {other} of the same card and amount is open"
                )
            });
        }
        if named.is_some() {
            self.mark(Mark::ChargedInstead);
        }
    }

    /// A shift was closed with so many items on its slip.
    pub fn shift_closed(&mut self, till: u8, listed: u32) {
        self.mark(Mark::ShiftClosed);
        let at = usize::from(till);
        let open = u32::from(self.oracle.open[at].is_some());
        let advices = self.oracle.stored[at].len() as u32;
        let settling = u32::from(self.oracle.settling.contains(&till));
        let pending = open + advices + settling;
        if pending > 0 {
            self.mark(Mark::ShiftClosedPending);
        }
        if listed < pending {
            self.violate("T7", || {
                format!("till {till}: {listed} items on the slip of the shift, and {pending} are pending")
            });
        }
    }
}
