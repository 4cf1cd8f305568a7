//! Many seeds, and one failing seed made small.

use crate::marks::Marks;
use crate::scenario::Scenario;
use crate::weather::{Fault, FaultName};
use crate::{Violation, run};
use std::collections::BTreeMap;

/// What many worlds came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Worlds.
    pub seeds: u64,
    /// Sales started.
    pub purchases: u64,
    /// Simulated microseconds.
    pub virtual_us: u64,
    /// Events.
    pub events: u64,
    /// Crashes.
    pub crashes: u64,
    /// Longest time from the end of a storm to rest, in microseconds.
    pub heal_us_max: u64,
    /// Seeds with their first violation, in order; at most [`FAILURES_MAX`].
    pub failures: Vec<(u64, Violation)>,
    /// Failing seeds.
    pub failed: u64,
    /// Moments seen.
    pub marks: Marks,
    /// Of each kind by its English name: started, standing at the issuer.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// How often each fault class fired, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Over the histories of all worlds.
    pub hash: u64,
}

/// Failing seeds that a summary keeps.
pub const FAILURES_MAX: usize = 32;

/// Runs the drawn scenarios of these seeds.
pub fn seeds(range: std::ops::Range<u64>) -> Summary {
    let mut summary = Summary::default();
    for seed in range {
        summary.take(seed, &run(&Scenario::drawn(seed)));
    }
    summary
}

impl Summary {
    /// Counts one world in.
    pub fn take(&mut self, seed: u64, report: &crate::Report) {
        self.seeds += 1;
        self.purchases += report.purchases;
        self.virtual_us += report.virtual_us;
        self.events += report.events;
        self.crashes += report.crashes;
        self.heal_us_max = self.heal_us_max.max(report.heal_us);
        self.marks.add(&report.marks);
        self.count_kinds(&report.kinds);
        for name in &report.fired {
            *self.faults.entry(name.fault.name()).or_default() += 1;
        }
        self.hash = crate::prng::mix(self.hash ^ report.trace_hash);
        if let Some(first) = report.violations.first() {
            self.failed += 1;
            if self.failures.len() < FAILURES_MAX {
                self.failures.push((seed, first.clone()));
            }
        }
    }

    fn count_kinds(&mut self, kinds: &BTreeMap<&'static str, (u64, u64)>) {
        for (name, (begun, stand)) in kinds {
            let counts = self.kinds.entry(name).or_default();
            counts.0 += begun;
            counts.1 += stand;
        }
    }

    /// Adds the summary of other seeds.
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.purchases += other.purchases;
        self.virtual_us += other.virtual_us;
        self.events += other.events;
        self.crashes += other.crashes;
        self.heal_us_max = self.heal_us_max.max(other.heal_us_max);
        self.marks.add(&other.marks);
        self.count_kinds(&other.kinds);
        for (name, count) in other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        self.failed += other.failed;
        let room = FAILURES_MAX.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
        self.hash = crate::prng::mix(self.hash ^ other.hash);
    }
}

/// The smallest scenario found that still breaks the same invariant; the scenario itself when it breaks none.
pub fn shrink(scenario: &Scenario) -> Scenario {
    let Some(first) = run(scenario).violations.into_iter().next() else {
        return scenario.clone();
    };
    let mut search = Shrink {
        invariant: first.invariant,
        best: scenario.clone(),
    };
    search.classes();
    search.fewer();
    search.decisions();
    search.best
}

struct Shrink {
    invariant: &'static str,
    best: Scenario,
}

impl Shrink {
    fn fails(&self, scenario: &Scenario) -> bool {
        run(scenario)
            .violations
            .iter()
            .any(|violation| violation.invariant == self.invariant)
    }

    fn try_one(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut next = self.best.clone();
        change(&mut next);
        let smaller = next != self.best && self.fails(&next);
        if smaller {
            self.best = next;
        }
        smaller
    }

    /// Whole fault classes off.
    fn classes(&mut self) {
        for fault in Fault::ALL {
            self.try_one(|scenario| scenario.weather.rates[fault as usize] = 0);
        }
    }

    /// Fewer tills and sales.
    fn fewer(&mut self) {
        while self.best.terminals > 1 && self.try_one(|scenario| scenario.terminals /= 2) {}
        while self.best.terminals > 1 && self.try_one(|scenario| scenario.terminals -= 1) {}
        while self.best.purchases > 1 && self.try_one(|scenario| scenario.purchases /= 2) {}
        while self.best.purchases > 1 && self.try_one(|scenario| scenario.purchases -= 1) {}
        self.try_one(|scenario| scenario.acquirers = 1);
        while self.best.issuers > 1 && self.try_one(|scenario| scenario.issuers -= 1) {}
    }

    /// Delta debugging on the faults that fired, by their names.
    fn decisions(&mut self) {
        let mut parts = 2;
        loop {
            let fired = self.fired();
            if fired.len() <= 1 || parts > fired.len() {
                // One by one at the end: each alone may be needless.
                for name in fired {
                    self.try_one(|scenario| {
                        scenario.weather.without.insert(name);
                    });
                }
                return;
            }
            let size = fired.len().div_ceil(parts);
            let smaller = fired.chunks(size).any(|chunk| {
                self.try_one(|scenario| scenario.weather.without.extend(chunk.iter().copied()))
            });
            parts = if smaller { 2 } else { parts * 2 };
        }
    }

    fn fired(&self) -> Vec<FaultName> {
        let mut fired = run(&self.best).fired;
        fired.sort();
        fired.dedup();
        fired
    }
}
