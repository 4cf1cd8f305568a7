//! `bench sim`: simulated purchases for each second of CPU time, one thread.

use super::machine::{self, Machine};
use serde::Serialize;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct SimulatorReport {
    /// Purchases for each second of this process's CPU time.
    pub purchases_per_cpu_s: u64,
    /// Worlds run.
    pub seeds: u64,
    /// Purchases in them.
    pub purchases: u64,
    /// CPU seconds.
    pub cpu_s: f64,
    /// Worlds in which an invariant broke; the figure counts only without any.
    pub failed: u64,
    /// The machine.
    pub machine: Machine,
}

/// Runs the worlds of the first `seeds` seeds.
pub fn measure(seeds: u64) -> SimulatorReport {
    let cpu = || machine::process_cpu_us(std::process::id()).unwrap_or_default();
    let before = cpu();
    let summary = sim::seeds(0..seeds);
    let cpu_s = (cpu() - before) as f64 / 1e6;
    SimulatorReport {
        purchases_per_cpu_s: (summary.purchases as f64 / cpu_s.max(0.01)) as u64,
        seeds: summary.seeds,
        purchases: summary.purchases,
        cpu_s,
        failed: summary.failed,
        machine: Machine::here(),
    }
}

/// As lines.
pub fn text(report: &SimulatorReport) -> String {
    let SimulatorReport {
        purchases_per_cpu_s,
        seeds,
        purchases,
        cpu_s,
        failed,
        machine,
    } = report;
    format!(
        "simulator, one thread: {seeds} worlds, {purchases} purchases, {cpu_s:.2} s of CPU time, {failed} failed\n  \
         {purchases_per_cpu_s} purchases/s of CPU time\nmachine {}\n",
        machine.text()
    )
}
