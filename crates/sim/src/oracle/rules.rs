//! What a transaction about an earlier one may ask for, and what it does to the money: the judge's own reading of the rules.
//!
//! Everything is derived anew from the transactions that stand at the issuer; no claims are kept.

use super::{Oracle, Sale};
use crate::accounts::Moved;
use payment::kind::Reach;
use payment::{Kind, Posting, SaleKey};

/// A completion, of what is held (UnionPay-style reference §3.4).
pub const CAPTURE_PERCENT: u64 = 115;
/// An adjusted amount, of the first one.
pub const ADJUST_PERCENT: u64 = 150;

impl Oracle {
    fn standing(&self, original: u32) -> impl Iterator<Item = &Sale> {
        let later = &self.sales[original as usize].later;
        later
            .iter()
            .map(|number| &self.sales[*number as usize])
            .filter(|sale| sale.stands())
    }

    /// What a transaction stands for, with increments and adjustments.
    pub fn total(&self, original: u32) -> u64 {
        let own = self.sales[original as usize].minor as i64;
        let changes = self.standing(original).map(|sale| match posting(sale) {
            Posting::HoldMore => sale.minor as i64,
            Posting::Adjust => sale.due,
            _ => 0,
        });
        (own + changes.sum::<i64>()) as u64
    }

    /// What was refunded of it.
    pub fn refunded(&self, original: u32) -> u64 {
        let refunds = self.standing(original);
        refunds
            .filter(|sale| posting(sale) == Posting::Credit)
            .map(|sale| sale.minor)
            .sum()
    }

    /// It was taken back, released, or ran out.
    pub fn is_undone(&self, original: u32) -> bool {
        let undoes = |sale: &Sale| {
            matches!(
                posting(sale),
                Posting::Undo | Posting::Release | Posting::Uncapture
            )
        };
        self.sales[original as usize].expired || self.standing(original).any(undoes)
    }

    /// What was captured of it.
    pub fn captured(&self, original: u32) -> u64 {
        let later = &self.sales[original as usize].later;
        let captures = later.iter().filter(|number| {
            let sale = &self.sales[**number as usize];
            posting(sale) == Posting::Capture && sale.stands() && !self.is_undone(**number)
        });
        captures
            .map(|number| self.sales[*number as usize].minor)
            .sum()
    }

    /// All transactions about one, and about those.
    pub fn family(&self, number: u32) -> Vec<SaleKey> {
        let mut members = self.sales[number as usize].later.clone();
        let mut keys = Vec::new();
        while let Some(member) = members.pop() {
            let sale = &self.sales[member as usize];
            keys.extend(sale.key);
            members.extend(&sale.later);
        }
        keys
    }

    /// The pre-authorisation whose hold a transaction changes, when it is of that family.
    pub fn authorisation(&self, number: u32) -> Option<u32> {
        let sale = &self.sales[number as usize];
        match posting(sale) {
            Posting::Hold => Some(number),
            Posting::HoldMore | Posting::Release | Posting::Capture | Posting::Uncapture => {
                self.authorisation(sale.original?)
            }
            _ => None,
        }
    }

    /// Whether the issuer's books allow it now. `Err` says why not.
    pub fn allows(&self, kind: Kind, minor: u64, number: u32) -> Result<(), String> {
        let sale = &self.sales[number as usize];
        let Some(rule) = kind.row().original else {
            return Ok(());
        };
        let Some(first) = sale.original else {
            return Err("it names no original".to_owned());
        };
        let original = &self.sales[first as usize];
        let refuse = |wrong: bool, why: &str| if wrong { Err(why.to_owned()) } else { Ok(()) };
        refuse(!original.stands(), "its original does not stand")?;
        refuse(
            !kind.may_be_about(original.kind),
            "of a kind that it cannot be about",
        )?;
        refuse(original.card != sale.card, "another card's original")?;
        refuse(
            rule.reach == Reach::SameBatch && original.terminal != sale.terminal,
            "another till's original",
        )?;
        refuse(
            self.shops[usize::from(original.terminal)].0
                != self.shops[usize::from(sale.terminal)].0,
            "another merchant's original",
        )?;
        refuse(self.is_undone(first), "its original is taken back")?;
        self.allows_amount(kind, minor, first)
    }

    fn allows_amount(&self, kind: Kind, minor: u64, first: u32) -> Result<(), String> {
        let (total, refunded, captured) = (
            self.total(first),
            self.refunded(first),
            self.captured(first),
        );
        let own = self.sales[first as usize].minor;
        let wrong = match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => false,
            Posting::Credit => refunded + minor > total,
            Posting::Undo | Posting::Uncapture => refunded > 0 || minor != total,
            Posting::HoldMore => captured > 0,
            Posting::Release => captured > 0 || minor != total,
            Posting::Capture => captured > 0 || minor * 100 > total * CAPTURE_PERCENT,
            Posting::Adjust => refunded > 0 || minor * 100 > own * ADJUST_PERCENT,
        };
        match wrong {
            true => Err(format!(
                "{minor} of {total}, of which {refunded} is refunded and {captured} captured"
            )),
            false => Ok(()),
        }
    }

    /// What the merchant is to get for it once it is approved.
    pub fn due(&self, number: u32) -> i64 {
        let sale = &self.sales[number as usize];
        let minor = sale.minor as i64;
        match posting(sale) {
            Posting::None
            | Posting::Hold
            | Posting::HoldMore
            | Posting::Release
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => 0,
            Posting::Debit | Posting::Capture => minor,
            Posting::Credit | Posting::Undo | Posting::Uncapture => -minor,
            Posting::Adjust => minor - sale.original.map_or(0, |first| self.total(first)) as i64,
        }
    }

    /// Whether what was booked is what the rules say: R3 for what is held, M1 for what is taken.
    pub fn misbooked(&self, number: u32, moved: Moved) -> Option<&'static str> {
        let sale = &self.sales[number as usize];
        let minor = sale.minor as i64;
        let authorisation = self.authorisation(number);
        let held = authorisation.and_then(|first| self.held.get(&first));
        let held = held.copied().unwrap_or(0);
        let holds = match posting(sale) {
            Posting::Hold | Posting::HoldMore => moved.held == minor,
            Posting::Release | Posting::Capture => moved.held == -held,
            // All of it again, or what was just given back when the rest is spent; nothing after its time.
            Posting::Uncapture => {
                let total = authorisation.map_or(0, |first| self.total(first)) as i64;
                match authorisation.is_some_and(|first| self.sales[first as usize].expired) {
                    true => moved.held == 0,
                    false => moved.held == total || moved.held == minor,
                }
            }
            // A credit card's purchase holds a part of its limit.
            Posting::Debit => moved.held == 0 || moved.held == minor,
            _ => moved.held == 0,
        };
        let due = match posting(sale) {
            Posting::Debit => moved.out() == minor,
            _ => moved.taken == self.due(number),
        };
        match (holds, due && moved.owed == 0) {
            (false, _) if posting(sale) != Posting::Debit => Some("R3"),
            (true, true) => None,
            _ => Some("M1"),
        }
    }
}

fn posting(sale: &Sale) -> Posting {
    sale.kind.row().posting
}
