//! `counterfoil sim`: whole worlds from seeds. The seed is the bug report.

use super::{Failure, print_json};
use crate::demo::Experiment;
use sim::{Scenario, Summary};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Arguments of `sim`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Seeds to run, from A up to but not with B, as in 0..1000; exit status 0 only if no invariant broke
    #[arg(long, value_parser = range, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Tells the whole history of one seed
    #[arg(long, conflicts_with_all = ["shrink"])]
    replay: Option<u64>,
    /// Replays an experiment that the fault lab exported; exit status 0 only if it ended as the file says and no invariant broke
    #[arg(long, conflicts_with_all = ["replay", "shrink"])]
    experiment: Option<PathBuf>,
    /// Finds the smallest scenario that still breaks what this seed breaks
    #[arg(long)]
    shrink: Option<u64>,
    /// Threads; the result does not depend on it
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Seeds that one thread takes at a time.
const PIECE: u64 = 50;

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("a range such as 0..1000")?;
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| format!("\"{text}\" is not a seed"))
    };
    let (from, to) = (number(from)?, number(to)?);
    if from < to {
        Ok(from..to)
    } else {
        Err(format!("{from}..{to} is empty"))
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(file) = &arguments.experiment {
        return replay(file, arguments.json);
    }
    if let Some(seed) = arguments.replay {
        let scenario = Scenario::drawn(seed);
        print!("{}", sim::trace(&scenario));
        return Ok(exit(sim::run(&scenario).violations.is_empty()));
    }
    if let Some(seed) = arguments.shrink {
        let small = sim::shrink(&Scenario::drawn(seed));
        println!("{small:#?}\n\n{}", sim::trace(&small));
        return Ok(exit(sim::run(&small).violations.is_empty()));
    }
    let started = Instant::now();
    let summary = all(arguments.seeds.clone(), arguments.threads);
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        print_json(&json(&summary, seconds))?;
    } else {
        tell(&summary, seconds);
    }
    Ok(exit(summary.failed == 0))
}

fn replay(file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let named = |problem: String| format!("{}: {problem}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| named(error.to_string()))?;
    let replayed = Experiment::parse(&text)
        .and_then(|experiment| experiment.replay())
        .map_err(named)?;
    if json {
        print_json(&replayed)?;
    } else {
        println!(
            "ended: {}; the file says: {}",
            replayed.ending, replayed.expected
        );
        replayed
            .missed
            .iter()
            .for_each(|fault| println!("{fault} never struck"));
        replayed
            .violations
            .iter()
            .for_each(|violation| println!("{violation}"));
    }
    Ok(exit(replayed.is_well()))
}

fn exit(well: bool) -> ExitCode {
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs pieces of the range on threads and adds them up in order, so that the sum is the same on any number of threads.
fn all(range: Range<u64>, threads: u64) -> Summary {
    let pieces: Vec<Range<u64>> = (range.start..range.end)
        .step_by(PIECE as usize)
        .map(|from| from..(from + PIECE).min(range.end))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, Summary)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(piece) = pieces.get(place) else {
                    return done;
                };
                done.push((place, sim::seeds(piece.clone())));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    done.sort_by_key(|(place, _)| *place);
    let mut sum = Summary::default();
    done.into_iter().for_each(|(_, piece)| sum.add(piece));
    sum
}

fn json(summary: &Summary, seconds: f64) -> serde_json::Value {
    let failures: Vec<_> = summary
        .failures
        .iter()
        .map(|(seed, violation)| serde_json::json!({ "seed": seed, "invariant": violation.invariant, "text": violation.text }))
        .collect();
    serde_json::json!({
        "seeds": summary.seeds,
        "failed": summary.failed,
        "purchases": summary.purchases,
        "purchases_per_s": summary.purchases as f64 / seconds,
        "virtual_hours": summary.virtual_us as f64 / 3.6e9,
        "events": summary.events,
        "crashes": summary.crashes,
        "heal_s_max": summary.heal_us_max as f64 / 1e6,
        "hash": format!("{:016x}", summary.hash),
        "faults": summary.faults,
        "failures": failures,
        "seconds": seconds,
    })
}

fn tell(summary: &Summary, seconds: f64) {
    println!(
        "{} seeds, {} purchases, {} crashes, {:.0} simulated hours in {seconds:.1} s ({:.0} purchases a second)",
        summary.seeds,
        summary.purchases,
        summary.crashes,
        summary.virtual_us as f64 / 3.6e9,
        summary.purchases as f64 / seconds
    );
    for (fault, count) in &summary.faults {
        println!("  {fault:<24} {count:>9}");
    }
    if summary.failed == 0 {
        println!(
            "no invariant broke · longest heal {:.1} s · history {:016x}",
            summary.heal_us_max as f64 / 1e6,
            summary.hash
        );
        return;
    }
    println!("{} seeds broke an invariant", summary.failed);
    for (seed, violation) in &summary.failures {
        println!(
            "  seed {seed}: {} {}\n    counterfoil sim --replay {seed}",
            violation.invariant, violation.text
        );
    }
}
