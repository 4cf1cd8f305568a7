//! The whole world on one thread from one seed: real parties, simulated disks, links, clocks, printers and people, faults, and
//! a judge of its own.
//!
//! The same scenario gives the same history, byte for byte; nothing here reads a clock or uses a thread.

mod accounts;
mod actors;
mod cashier;
mod chip;
mod codes;
mod core;
mod disk;
mod downloads;
mod experiment;
mod invariants;
mod links;
mod marks;
mod memo;
mod node;
mod oracle;
mod orders;
#[cfg(feature = "planted")]
pub mod planted;
mod prng;
mod scenario;
mod search;
mod setup;
mod staff;
mod story;
mod till;
mod trace;
mod wallet;
mod weather;
mod world;

pub use crate::core::Violation;
pub use experiment::{Ending, experiment};
pub use marks::{Mark, Marks};
pub use orders::orderable;
pub use scenario::Scenario;
pub use search::{Summary, seeds, shrink};
pub use story::life_of_a_purchase;
pub use weather::{Fault, FaultName, Weather};

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// What a world came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transactions that were started.
    pub purchases: u64,
    /// Of these, approved at the till.
    pub approved: u64,
    /// Of these, reversed.
    pub reversed: u64,
    /// Of each kind by its English name: started, standing at the issuer.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// How each transaction that was begun ended at its till.
    pub endings: Vec<Ending>,
    /// What went wrong; empty when nothing did.
    pub violations: Vec<Violation>,
    /// Over all disks and counters: differs when two histories differ.
    pub trace_hash: u64,
    /// Moments seen.
    pub marks: Marks,
    /// Faults that fired.
    pub fired: Vec<FaultName>,
    /// Simulated microseconds.
    pub virtual_us: u64,
    /// Simulated microseconds from the end of the storm to rest.
    pub heal_us: u64,
    /// Events.
    pub events: u64,
    /// Frames sent.
    pub frames: u64,
    /// Records made durable.
    pub records: u64,
    /// Bytes of records made durable.
    pub bytes: u64,
    /// Crashes.
    pub crashes: u64,
}

/// Runs one world. A panic of a party is a violation like any other.
pub fn run(scenario: &Scenario) -> Report {
    let ran = catch_unwind(AssertUnwindSafe(|| live(scenario, false).0));
    ran.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Report {
            violations: vec![Violation {
                invariant: "panic",
                text: text.unwrap_or_default(),
                time_us: 0,
            }],
            ..Report::default()
        }
    })
}

/// Whether a second run of the same scenario has the same history, byte for byte.
pub fn repeats(scenario: &Scenario) -> bool {
    run(scenario) == run(scenario)
}

/// The whole history of one world as text, one line for each thing that happened.
pub fn trace(scenario: &Scenario) -> String {
    let (report, lines) = live(scenario, true);
    let mut text = lines.join("\n");
    text.push('\n');
    for violation in &report.violations {
        text.push_str(&format!(
            "{} at {} µs: {}\n",
            violation.invariant, violation.time_us, violation.text
        ));
    }
    text
}

fn live(scenario: &Scenario, trace: bool) -> (Report, Vec<String>) {
    let mut world = World::new(scenario, trace);
    let rested = world.run();
    invariants::quiet(&mut world, rested);
    let report = report(&world);
    (report, world.core.trace.take().unwrap_or_default())
}

fn report(world: &World) -> Report {
    let core = &world.core;
    let sales = &core.oracle.sales;
    let ended = |end| sales.iter().filter(|sale| sale.end == Some(end)).count() as u64;
    let mut marks = core.marks;
    if core.oracle.settlements.len() > 1 {
        marks.hit(Mark::DayCut);
    }
    if core.refused_frames > 0 {
        marks.hit(Mark::FrameRefused);
    }
    if sales
        .iter()
        .any(|sale| sale.key.is_some_and(|key| key.stan.0 >= 999_999))
    {
        marks.hit(Mark::StanWrapped);
    }
    let mut kinds: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    for sale in sales.iter().filter(|sale| sale.begun) {
        let (begun, stand) = kinds.entry(sale.kind.row().en).or_default();
        *begun += 1;
        *stand += u64::from(sale.stands());
    }
    let disks = std::iter::once(world.network.disk.hash());
    let disks = disks.chain(world.acquirers.iter().map(|node| node.disk.hash()));
    let disks = disks.chain(world.issuers.iter().map(|node| node.disk.hash()));
    let disks = disks.chain(world.terminals.iter().map(|node| node.disk.hash()));
    let counters = [
        core.events,
        core.frames,
        core.records,
        core.crashes,
        core.time,
        core.refused_frames,
    ];
    Report {
        purchases: sales.iter().filter(|sale| sale.begun).count() as u64,
        approved: ended(oracle::End::Approved),
        reversed: ended(oracle::End::Reversed),
        kinds,
        endings: sales
            .iter()
            .filter(|sale| sale.begun)
            .map(|sale| Ending::of(sale.end))
            .collect(),
        violations: core.violations.clone(),
        trace_hash: disks
            .chain(counters)
            .fold(0, |hash, part| prng::mix(hash ^ part)),
        marks,
        fired: core.fired.clone(),
        virtual_us: core.time,
        heal_us: core.time.saturating_sub(core.healed_at),
        events: core.events,
        frames: core.frames,
        records: core.records,
        bytes: core.bytes,
        crashes: core.crashes,
    }
}
