//! `counterfoil bench`: how fast this machine does what, each figure beside the machine that reached it.
//!
//! Invariant: no speed figure of the loop without a clean audit of every purchase behind it (reliability §3.2).

pub mod audit;
pub mod board;
mod chips;
pub mod codec;
pub mod heal;
mod latency;
mod load;
mod machine;
pub mod purchases;
mod report;
pub mod simulator;
pub mod slips;
mod world;

pub use latency::{Latency, Percentile};
pub use load::Arrivals;
pub use machine::{Disk, Machine};
pub use report::{LoopReport, Outcomes, Process, text};

use crate::config::Problem;
use load::Load;
use std::path::PathBuf;
use std::time::Duration;
use world::{Ladders, Plan, World};

/// Share of the run before measuring begins, one part in so many; its purchases are audited, not timed.
const WARM_UP_PART: u32 = 10;
/// How long the last purchases may take to come to rest.
const DRAIN: Duration = Duration::from_secs(90);

/// What the loop is to be measured with.
#[derive(Clone, Debug)]
pub struct LoopPlan {
    /// When purchases begin.
    pub arrivals: Arrivals,
    /// For how long.
    pub seconds: u32,
    /// Terminals, each with one purchase at a time.
    pub terminals: u16,
    /// Connections that they share.
    pub connections: u16,
    /// Of 100 purchases so many carry a PIN.
    pub pin_percent: u8,
    /// Purchases are taps whose cards compute their cryptograms, in the process of the tills and within the measured time.
    pub chip: bool,
    /// TLS with certificates on both sides of every link.
    pub tls: bool,
    /// Where journals and configuration go; emptied first.
    pub data: PathBuf,
    /// Leaves them there.
    pub keep: bool,
    /// Where the load tool's own list goes, as JSON.
    pub list: Option<PathBuf>,
}

/// Measures the loop: three hosts as processes of their own, and the tills in this one.
///
/// # Errors
/// A process that does not start, terminals that do not sign on, a journal that does not read.
pub fn measure_loop(plan: &LoopPlan) -> Result<LoopReport, Problem> {
    let world = World::start(&Plan {
        data: plan.data.clone(),
        terminals: plan.terminals,
        connections: plan.connections,
        chip: plan.chip,
        ladders: Ladders::Default,
        breakable: false,
        tls: plan.tls,
        desk: false,
    })?;
    let before = Disk::measure(&plan.data)?;
    let mut load = Load::sign_on(&world, plan.pin_percent, plan.chip)?;
    let started = world.usage()?;
    let seconds = Duration::from_secs(u64::from(plan.seconds));
    let ran = load.run(plan.arrivals, seconds, seconds / WARM_UP_PART, DRAIN);
    let ended = world.usage()?;
    let after = Disk::measure(&plan.data)?;
    let purchases = load.stop()?;
    let data = world.stop();
    if let Some(path) = &plan.list {
        purchases::write(path, &purchases)?;
    }
    let audit = audit::audit(&purchases, &data.join("acquirer"), &data.join("issuer"))?;
    let report = LoopReport::new(
        plan,
        &purchases,
        &ran,
        [started, ended],
        [before, after],
        audit,
    );
    if !plan.keep {
        // A folder that stays behind costs space, and nothing else.
        let _ = std::fs::remove_dir_all(&data);
    }
    Ok(report)
}
