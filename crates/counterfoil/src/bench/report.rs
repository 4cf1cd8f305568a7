//! What `bench loop` says: rate, latency, outcomes, cost, the state of the machine, and the audit.

use super::audit::Audit;
use super::latency::Latency;
use super::load::Ran;
use super::machine::{Disk, Machine};
use super::purchases::{Outcome, Purchase};
use super::world::Usage;
use super::{Arrivals, LoopPlan};
use serde::Serialize;
use std::fmt::Write;

/// Late arrivals above this share make the load tool the limit, in percent.
const LATE_PERCENT_MAX: f64 = 1.0;
/// A run with more CPU time taken by others than this is marked, in percent.
const FOREIGN_PERCENT_MAX: f64 = 5.0;

/// How purchases ended.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Outcomes {
    /// Approved at once.
    pub approved: u64,
    /// Approved, found again by a result query.
    pub recovered: u64,
    /// Declined.
    pub declined: u64,
    /// Reversed.
    pub reversed: u64,
    /// Never left the till.
    pub not_sent: u64,
    /// Not taken by the till.
    pub refused: u64,
    /// Not over, or in the hands of people.
    pub open: u64,
}

impl Outcomes {
    /// Of these purchases.
    pub fn of<'a>(purchases: impl IntoIterator<Item = &'a Purchase>) -> Self {
        let mut sum = Self::default();
        for purchase in purchases {
            *match purchase.outcome {
                Outcome::Approved => &mut sum.approved,
                Outcome::Recovered => &mut sum.recovered,
                Outcome::Declined(_) => &mut sum.declined,
                Outcome::Reversed => &mut sum.reversed,
                Outcome::NotSent => &mut sum.not_sent,
                Outcome::Refused => &mut sum.refused,
                Outcome::Open | Outcome::Case => &mut sum.open,
            } += 1;
        }
        sum
    }
}

/// What one process used during the run.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Which.
    pub name: &'static str,
    /// CPU microseconds for each purchase.
    pub cpu_us_per_purchase: f64,
    /// Flushes to disk for each purchase; the tills' are not counted.
    pub flushes_per_purchase: Option<f64>,
    /// Bytes of records for each purchase.
    pub record_bytes_per_purchase: Option<f64>,
    /// Median and 99th percentile of a flush, in microseconds.
    pub flush_us: Option<(u64, u64)>,
    /// How far its archive was behind when the load ended, in milliseconds: rows are written behind the answers.
    pub archive_lag_ms: Option<u64>,
}

/// The report.
#[derive(Clone, Debug, Serialize)]
pub struct LoopReport {
    /// `open` or `closed`.
    pub arrivals: &'static str,
    /// Purchases offered in a second; none in a closed loop.
    pub offered_per_s: Option<u32>,
    /// Purchases approved on the till in a second, of those begun after the warm-up.
    pub achieved_per_s: f64,
    /// Seconds measured.
    pub measured_s: f64,
    /// Terminals.
    pub terminals: u16,
    /// Connections that they share.
    pub connections: u16,
    /// Of 100 purchases so many carried a PIN.
    pub pin_percent: u8,
    /// They were taps with a cryptogram each; the tills' process computed it.
    pub chip: bool,
    /// TLS with certificates on both sides of every link.
    pub tls: bool,
    /// From the intended start to the approval on the till, in microseconds (corrected for coordinated omission).
    pub latency_us: Latency,
    /// From the actual start.
    pub uncorrected_us: Latency,
    /// From the intended start to any other end.
    pub others_us: Latency,
    /// How all purchases ended, warm-up included.
    pub outcomes: Outcomes,
    /// The load tool was the limit.
    pub generator_limited: bool,
    /// Each process.
    pub processes: Vec<Process>,
    /// Share of the machine's CPU time that others took, in percent.
    pub foreign_cpu_percent: f64,
    /// Others took too much for the figures to be this program's.
    pub disturbed: bool,
    /// The disk just before and just after.
    pub disk: [Disk; 2],
    /// The machine.
    pub machine: Machine,
    /// The audit.
    pub audit: Audit,
}

impl LoopReport {
    pub(super) fn new(
        plan: &LoopPlan,
        purchases: &[Purchase],
        ran: &Ran,
        [before, after]: [Usage; 2],
        disk: [Disk; 2],
        audit: Audit,
    ) -> Self {
        let timed = || purchases.iter().filter(|purchase| purchase.timed);
        let approved = || timed().filter(|purchase| purchase.outcome == Outcome::Approved);
        let end_us = ran.from_us + ran.measured.as_micros() as u64;
        let in_time = purchases.iter().filter(|purchase| {
            purchase.outcome == Outcome::Approved
                && (ran.from_us..end_us).contains(&purchase.ended_us)
        });
        let (arrivals, offered_per_s) = match plan.arrivals {
            Arrivals::Open { rate } => ("open", Some(rate)),
            Arrivals::Closed => ("closed", None),
        };
        let (processes, foreign_cpu_percent) = costs(purchases.len() as f64, &before, &after);
        Self {
            arrivals,
            offered_per_s,
            achieved_per_s: in_time.count() as f64 / ran.measured.as_secs_f64(),
            measured_s: ran.measured.as_secs_f64(),
            terminals: plan.terminals,
            connections: plan.connections,
            pin_percent: plan.pin_percent,
            chip: plan.chip,
            tls: plan.tls,
            latency_us: Latency::of(approved().map(|p| p.ended_us - p.intended_us)),
            uncorrected_us: Latency::of(approved().map(|p| p.ended_us - p.sent_us)),
            others_us: Latency::of(
                timed()
                    .filter(|p| p.ended_us > 0 && p.outcome != Outcome::Approved)
                    .map(|p| p.ended_us - p.intended_us),
            ),
            outcomes: Outcomes::of(purchases),
            generator_limited: ran.late as f64 > ran.arrivals as f64 * LATE_PERCENT_MAX / 100.0,
            processes,
            foreign_cpu_percent,
            disturbed: foreign_cpu_percent > FOREIGN_PERCENT_MAX,
            disk,
            machine: Machine::here(),
            audit,
        }
    }
}

fn costs(purchases: f64, before: &Usage, after: &Usage) -> (Vec<Process>, f64) {
    let each = |count: u64| count as f64 / purchases;
    let mut processes: Vec<Process> = before
        .hosts
        .iter()
        .zip(&after.hosts)
        .map(
            |((name, cpu_before, was, _), (_, cpu_after, is, lag_ms))| Process {
                name,
                cpu_us_per_purchase: each(cpu_after - cpu_before),
                flushes_per_purchase: Some(each(is.flushes - was.flushes)),
                record_bytes_per_purchase: Some(each(is.record_bytes - was.record_bytes)),
                flush_us: Some((is.flush_p50_us, is.flush_p99_us)),
                archive_lag_ms: Some(*lag_ms),
            },
        )
        .collect();
    processes.push(Process {
        name: "tills and load tool",
        cpu_us_per_purchase: each(after.own_cpu_us - before.own_cpu_us),
        flushes_per_purchase: None,
        record_bytes_per_purchase: None,
        flush_us: None,
        archive_lag_ms: None,
    });
    let ours = processes
        .iter()
        .map(|process| process.cpu_us_per_purchase * purchases)
        .sum::<f64>();
    let busy = (after.machine_us.0 - before.machine_us.0) as f64;
    let all = busy + (after.machine_us.1 - before.machine_us.1) as f64;
    (processes, ((busy - ours) / all.max(1.0) * 100.0).max(0.0))
}

/// As lines.
pub fn text(report: &LoopReport) -> String {
    let mut out = String::new();
    let r = report;
    let offered = r.offered_per_s.map_or(
        "closed loop, its latencies promise nothing".to_owned(),
        |rate| format!("open loop, Poisson, offered {rate}/s"),
    );
    let chip = if r.chip { ", a cryptogram each" } else { "" };
    let links = if r.tls { "TLS 1.3" } else { "plain TCP" };
    let _ = writeln!(
        out,
        "{} terminals on {} connections, {links}, PIN on {} %{chip}; {offered}; 4 processes, each flushes before it answers",
        r.terminals, r.connections, r.pin_percent
    );
    let o = &r.outcomes;
    let _ = writeln!(
        out,
        "achieved {:.0}/s over {:.1} s    approved {}  recovered {}  declined {}  reversed {}  not sent {}  refused {}  open {}",
        r.achieved_per_s,
        r.measured_s,
        o.approved,
        o.recovered,
        o.declined,
        o.reversed,
        o.not_sent,
        o.refused,
        o.open
    );
    let mut latency = |name: &str, latency: &Latency| {
        let _ = write!(out, "{name}");
        for (percentile, us) in latency.percentiles() {
            let _ = match us {
                Some(us) => write!(out, "  {percentile} {us}"),
                None => write!(out, "  {percentile} –"),
            };
        }
        let _ = writeln!(out, "  max {}  n={}", latency.max, latency.n);
    };
    latency("latency from intended start (µs)", &r.latency_us);
    latency("  uncorrected                   ", &r.uncorrected_us);
    if r.others_us.n > 0 {
        latency("  not approved                  ", &r.others_us);
    }
    for p in &r.processes {
        let _ = write!(
            out,
            "cost/purchase  {:<20} {:>6.1} µs CPU",
            p.name, p.cpu_us_per_purchase
        );
        if let (Some(flushes), Some(bytes), Some((p50, p99)), Some(lag_ms)) = (
            p.flushes_per_purchase,
            p.record_bytes_per_purchase,
            p.flush_us,
            p.archive_lag_ms,
        ) {
            let _ = write!(
                out,
                "  {flushes:.3} flushes (p50/p99 {p50}/{p99} µs)  {bytes:.0} B of records  archive {lag_ms} ms behind"
            );
        }
        let _ = writeln!(out);
    }
    let [before, after] = &r.disk;
    let _ = writeln!(
        out,
        "disk before/after  fdatasync p50/p99 {}/{} {}/{} µs    foreign CPU {:.1} %",
        before.fdatasync_p50_us,
        before.fdatasync_p99_us,
        after.fdatasync_p50_us,
        after.fdatasync_p99_us,
        r.foreign_cpu_percent
    );
    let _ = writeln!(out, "machine {}", r.machine.text());
    if r.generator_limited {
        let _ = writeln!(
            out,
            "GENERATOR-LIMITED: more than {LATE_PERCENT_MAX} % of arrivals were dispatched late"
        );
    }
    if r.disturbed {
        let _ = writeln!(
            out,
            "DISTURBED: other programs took more than {FOREIGN_PERCENT_MAX} % of the CPU time"
        );
    }
    let _ = writeln!(out, "{}", r.audit.text());
    out
}
