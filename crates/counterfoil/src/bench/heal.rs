//! `bench heal`: breaks the hop between acquirer and network under load, mends it, and times how long one-sided purchases
//! stay one-sided.
//!
//! Time counts from the later of "the hop works again" and "the time-out has run out" (settled point 25).

use super::audit::{self, Audit};
use super::latency::Latency;
use super::load::{Arrivals, Load};
use super::machine::Machine;
use super::purchases::{Outcome, Purchase};
use super::report::Outcomes;
use super::world::{Ladders, Plan, World};
use crate::config::Problem;
use crate::fault::{Act, Direction, Fault};
use payment::timeouts::Ladder;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// 99 of 100 one-sided purchases must be healed within this, in microseconds.
pub const TARGET_P99_US: u64 = 2_000_000;
/// Answers that may be lost while the hop is broken.
const LOST_MAX: u32 = u32::MAX;
/// How long the last purchase may take to come to rest.
const DRAIN: Duration = Duration::from_secs(60);

/// What to break.
#[derive(Clone, Debug)]
pub struct HealPlan {
    /// Purchases in a second.
    pub rate: u32,
    /// Seconds of load; the hop is broken during the middle third.
    pub seconds: u32,
    /// Terminals; each one-sided purchase holds one.
    pub terminals: u16,
    /// Connections that they share.
    pub connections: u16,
    /// Where journals go; emptied first.
    pub data: PathBuf,
    /// Leaves them there.
    pub keep: bool,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct HealReport {
    /// From the later of "the hop works again" and "the time-out has run out" to "reversed" on the till, in microseconds.
    pub heal_us: Latency,
    /// 99 of 100 were healed within [`TARGET_P99_US`]; none when too few were one-sided to tell.
    pub target_met: Option<bool>,
    /// How long the hop was broken, in seconds.
    pub broken_s: f64,
    /// How all purchases ended.
    pub outcomes: Outcomes,
    /// The machine.
    pub machine: Machine,
    /// The audit.
    pub audit: Audit,
}

/// Measures.
///
/// # Errors
/// As for [`super::measure_loop`].
pub fn measure(plan: &HealPlan) -> Result<HealReport, Problem> {
    let world = World::start(&Plan {
        chip: false,
        data: plan.data.clone(),
        terminals: plan.terminals,
        connections: plan.connections,
        ladders: Ladders::Demo,
        breakable: true,
        tls: false,
        desk: false,
    })?;
    let hop = world.hop.clone().ok_or("the hop did not start")?;
    let mut load = Load::sign_on(&world, 50, false)?;
    let third = Duration::from_secs(u64::from(plan.seconds)) / 3;
    let arrivals = Arrivals::Open { rate: plan.rate };
    load.run(arrivals, third, Duration::ZERO, Duration::ZERO);
    hop.plan(Fault {
        mti: None,
        direction: Direction::Back,
        act: Act::Drop,
        times: LOST_MAX,
    });
    load.run(arrivals, third, Duration::ZERO, Duration::ZERO);
    hop.heal();
    let healed_us = load.now_us();
    load.run(arrivals, third, Duration::ZERO, Duration::ZERO);
    load.drain(DRAIN);
    let purchases = load.stop()?;
    let data = world.stop();
    let audit = audit::audit(&purchases, &data.join("acquirer"), &data.join("issuer"))?;
    let heal_us = Latency::of(one_sided(&purchases, healed_us));
    if !plan.keep {
        // A folder that stays behind costs space, and nothing else.
        let _ = std::fs::remove_dir_all(&data);
    }
    Ok(HealReport {
        target_met: heal_us.p99.map(|p99| p99 <= TARGET_P99_US),
        heal_us,
        broken_s: third.as_secs_f64(),
        outcomes: Outcomes::of(&purchases),
        machine: Machine::here(),
        audit,
    })
}

/// Of every purchase that the issuer had debited and the till could not know of: how long until it was taken back.
fn one_sided(purchases: &[Purchase], healed_us: u64) -> impl Iterator<Item = u64> {
    let timeout_us = Ladder::DEMO.acquirer_ms * 1_000;
    let reversed = purchases
        .iter()
        .filter(|purchase| purchase.outcome == Outcome::Reversed);
    reversed.map(move |purchase| {
        let from = healed_us.max(purchase.sent_us + timeout_us);
        purchase.ended_us.saturating_sub(from)
    })
}

/// As lines.
pub fn text(report: &HealReport) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let o = &report.outcomes;
    let _ = writeln!(
        out,
        "answers lost between network and acquirer for {:.1} s\napproved {}  recovered {}  declined {}  reversed {}  not sent {}  refused {}  open {}",
        report.broken_s,
        o.approved,
        o.recovered,
        o.declined,
        o.reversed,
        o.not_sent,
        o.refused,
        o.open
    );
    let _ = write!(out, "healed after (µs)");
    for (name, us) in report.heal_us.percentiles() {
        let _ = match us {
            Some(us) => write!(out, "  {name} {us}"),
            None => write!(out, "  {name} –"),
        };
    }
    let _ = writeln!(out, "  max {}  n={}", report.heal_us.max, report.heal_us.n);
    let met = match report.target_met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "not decided: too few one-sided purchases",
    };
    let _ = writeln!(
        out,
        "target p99 ≤ {TARGET_P99_US} µs: {met}\nmachine {}\n{}",
        report.machine.text(),
        report.audit.text()
    );
    out
}
