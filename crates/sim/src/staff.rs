//! Staff of the acquirers: in every second world they ask again and give back, at the right and at the wrong moment, twice,
//! while the reversal is on its way, of sales that nobody knows, and now and then one of them alone.
//!
//! Their draws are a stream of their own, so that what goes wrong in a seed stays what it is.

use crate::core::{Core, Event, Who};
use crate::marks::Mark;
use crate::node::AnyInput;
use crate::prng::{Prng, named};
use payment::remedy::{Reason, StaffName};
use payment::{Mandate, Remedy, SaleKey, Stan};

const STAFF: u64 = 0x57AF;
/// Between two looks at the queue, in microseconds.
const BETWEEN_US: (u64, u64) = (1_000_000, 8_000_000);
/// They work on so long after the storm.
const AFTER_US: u64 = 40_000_000;

impl Core {
    /// The first look, in worlds that have staff.
    pub fn staff_begin(&mut self) {
        if Prng::new(self.seed, STAFF).percent(50) {
            self.push(BETWEEN_US.1, Event::Staff(0));
        }
    }

    /// They look at one sale and do something about it.
    pub fn staff_look(&mut self, number: u32) {
        let mut draws = Prng::new(named(self.seed, STAFF, 1, u64::from(number)), STAFF);
        if let Some((who, key)) = self.staff_choose(&mut draws) {
            let remedy = match draws.percent(60) {
                true => Remedy::GiveBack,
                false => Remedy::AskNow,
            };
            let alone = draws.percent(10);
            self.staff_asks(0, who, key, number, remedy, alone);
            if draws.percent(40) {
                // The same again, at once or while it is on its way; a crash may lie between.
                let after_us = draws.within(0, 3_000_000);
                self.staff_asks(after_us, who, key, number, remedy, false);
            }
        }
        if self.stormy || self.time < self.healed_at + AFTER_US {
            let next = self.time + draws.within(BETWEEN_US.0, BETWEEN_US.1);
            self.push(next, Event::Staff(number + 1));
        }
    }

    /// Any sale, of the newest rather than of the oldest; now and then one that there is not.
    fn staff_choose(&mut self, draws: &mut Prng) -> Option<(Who, SaleKey)> {
        let sales = self.oracle.sales.len() as u64;
        let newest = sales.min(draws.within(1, 40));
        let at = sales.checked_sub(1 + draws.below(newest.max(1)))?;
        let sale = &self.oracle.sales[at as usize];
        let mut key = sale.key?;
        if draws.percent(5) {
            key.stan = Stan(990_000 - key.stan.0 % 1_000);
        }
        if sale.given_back && !sale.reversed {
            self.mark(Mark::StaffInFlight);
        }
        let sale = &self.oracle.sales[at as usize];
        Some((self.oracle.shops[usize::from(sale.terminal)].1, key))
    }

    fn staff_asks(
        &mut self,
        after_us: u64,
        who: Who,
        key: SaleKey,
        number: u32,
        remedy: Remedy,
        alone: bool,
    ) {
        let name = |text: &str| StaffName::of(text).expect("a name");
        let second = if alone { "maker" } else { "checker" };
        let mandate = Mandate {
            proposal: u64::from(number) + 1,
            by: name("maker"),
            approved: remedy.needs_approval().then(|| name(second)),
            reason: Reason::of("paid cash too").expect("a reason"),
        };
        self.note(who, || format!("STAFF    {remedy:?} {key}"));
        let input = acquirer::Input::Remedy {
            key,
            remedy,
            mandate: Box::new(mandate),
        };
        self.push_input(after_us, who, AnyInput::Acquirer(input));
    }

    /// The acquirer did what they asked.
    pub fn staff_did(&mut self, key: &SaleKey, remedy: Remedy, mandate: &Mandate) {
        if remedy == Remedy::AskNow {
            return self.mark(Mark::StaffAskedNow);
        }
        self.mark(Mark::StaffGaveBack);
        let Some(number) = self.oracle.by_key(key) else {
            return self.violate("G1", || format!("{key}: given back, and there is none"));
        };
        let alone = mandate
            .approved
            .as_ref()
            .is_none_or(|second| *second == mandate.by);
        let oracle = &self.oracle;
        let sale = &oracle.sales[number as usize];
        let later = sale.later.iter().map(|at| &oracle.sales[*at as usize]);
        let wrong = [
            (alone, "one person alone gave it back"),
            (sale.given_back, "it is given back twice"),
            (sale.reversing, "it was being reversed already"),
            (!sale.approved(), "it was never approved"),
            (
                later.clone().any(|later| later.booked && later.due < 0),
                "a part of it was given back before",
            ),
        ];
        self.oracle.sales[number as usize].given_back = true;
        for (_, why) in wrong.into_iter().filter(|(wrong, _)| *wrong) {
            self.violate("G1", || format!("sale {number}: {why}"));
        }
    }
}
