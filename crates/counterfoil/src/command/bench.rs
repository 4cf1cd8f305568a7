//! `counterfoil bench`: figures of this machine, each run closed by an audit.

use super::{Failure, print_json};
use crate::bench::audit::Audit;
use crate::bench::board::{self, BoardPlan};
use crate::bench::heal::{self, HealPlan};
use crate::bench::slips::{self, SlipsPlan};
use crate::bench::{self, Arrivals, LoopPlan, codec, simulator};
use clap::{Subcommand, value_parser};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Where journals go unless told otherwise.
const DATA: &str = "counterfoil-data/bench";

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
    /// As JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Decodes and encodes a purchase request on one thread
    Codec {
        /// Messages in each of five repetitions
        #[arg(long, default_value_t = 2_000_000, value_parser = value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Durable purchases through four processes; exit status 0 only with a clean audit
    Loop {
        /// Purchases offered in a second
        #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
        rate: u32,
        /// Seconds of load, the first tenth of them untimed
        #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=3_600))]
        seconds: u32,
        /// Terminals, one purchase at a time each
        #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u16).range(1..))]
        terminals: u16,
        /// Connections that the terminals share
        #[arg(long, default_value_t = 32, value_parser = value_parser!(u16).range(1..))]
        connections: u16,
        /// Of 100 purchases so many carry a PIN
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u8).range(0..=100))]
        pin_percent: u8,
        /// Every purchase is a tap: its card computes a cryptogram and the issuer checks it
        #[arg(long)]
        chip: bool,
        /// TLS 1.3 with certificates on both sides of every link
        #[arg(long)]
        tls: bool,
        /// Closed loop: each terminal begins the next purchase when the last is over
        #[arg(long, conflicts_with = "rate")]
        closed: bool,
        /// Writes the load tool's own list of purchases to this file, as JSON
        #[arg(long)]
        list: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// What the live board costs the acquirer, how old it is, how heavy every page is; exit status 0 only with clean audits
    Board {
        /// Purchases offered in a second
        #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
        rate: u32,
        /// Seconds of each of the three parts: without a desk, with one, with followers
        #[arg(long, default_value_t = 60, value_parser = value_parser!(u32).range(1..=3_600))]
        seconds: u32,
        /// Open boards
        #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..))]
        followers: u16,
        /// Terminals, one purchase at a time each
        #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(1..))]
        terminals: u16,
        /// Connections that the terminals share
        #[arg(long, default_value_t = 8, value_parser = value_parser!(u16).range(1..))]
        connections: u16,
        #[command(flatten)]
        place: Place,
    },
    /// How long one-sided purchases stay one-sided; exit status 0 only with a clean audit
    Heal {
        /// Purchases offered in a second
        #[arg(long, default_value_t = 2_500, value_parser = value_parser!(u32).range(1..=1_000_000))]
        rate: u32,
        /// Seconds of load; the hop is broken during the middle third
        #[arg(long, default_value_t = 15, value_parser = value_parser!(u32).range(3..=3_600))]
        seconds: u32,
        /// Terminals, one purchase at a time each
        #[arg(long, default_value_t = 16_000, value_parser = value_parser!(u16).range(1..))]
        terminals: u16,
        /// Connections that the terminals share
        #[arg(long, default_value_t = 32, value_parser = value_parser!(u16).range(1..))]
        connections: u16,
        #[command(flatten)]
        place: Place,
    },
    /// Lays slips out and encodes them on one thread; restarts a till whose spool is full
    Slips {
        /// Slips in each of five repetitions
        #[arg(long, default_value_t = 20_000, value_parser = value_parser!(u32).range(1..))]
        rounds: u32,
        /// Slips that wait in the spool, two copies each
        #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=10_000))]
        waiting: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Simulated purchases for each second of CPU time; exit status 0 only if no invariant broke
    Sim {
        /// Worlds
        #[arg(long, default_value_t = 500, value_parser = value_parser!(u64).range(1..))]
        seeds: u64,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Directory of the journals, on the disk that is to be measured; emptied first
    #[arg(long, default_value = DATA)]
    data: PathBuf,
    /// Leaves the journals there
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let json = arguments.json;
    match &arguments.what {
        What::Codec { rounds } => {
            let report = codec::measure(*rounds).map_err(|error| error.to_string())?;
            tell(json, &report, codec::text(&report), true)
        }
        What::Loop {
            rate,
            seconds,
            terminals,
            connections,
            pin_percent,
            chip,
            tls,
            closed,
            list,
            place,
        } => {
            let report = bench::measure_loop(&LoopPlan {
                arrivals: if *closed {
                    Arrivals::Closed
                } else {
                    Arrivals::Open { rate: *rate }
                },
                seconds: *seconds,
                terminals: *terminals,
                connections: *connections,
                pin_percent: *pin_percent,
                chip: *chip,
                tls: *tls,
                data: place.data.clone(),
                keep: place.keep,
                list: list.clone(),
            })?;
            tell(json, &report, bench::text(&report), report.audit.clean())
        }
        What::Board {
            rate,
            seconds,
            followers,
            terminals,
            connections,
            place,
        } => {
            let report = board::measure(&BoardPlan {
                rate: *rate,
                seconds: *seconds,
                followers: *followers,
                terminals: *terminals,
                connections: *connections,
                data: place.data.clone(),
                keep: place.keep,
            })?;
            let clean = report.audits.iter().all(Audit::clean);
            tell(json, &report, board::text(&report), clean)
        }
        What::Heal {
            rate,
            seconds,
            terminals,
            connections,
            place,
        } => {
            let report = heal::measure(&HealPlan {
                rate: *rate,
                seconds: *seconds,
                terminals: *terminals,
                connections: *connections,
                data: place.data.clone(),
                keep: place.keep,
            })?;
            tell(json, &report, heal::text(&report), report.audit.clean())
        }
        What::Slips {
            rounds,
            waiting,
            place,
        } => {
            let report = slips::measure(&SlipsPlan {
                rounds: *rounds,
                waiting: *waiting,
                data: place.data.clone(),
            })?;
            if !place.keep {
                // A folder that stays behind costs space, and nothing else.
                let _ = std::fs::remove_dir_all(&place.data);
            }
            tell(json, &report, slips::text(&report), true)
        }
        What::Sim { seeds } => {
            let report = simulator::measure(*seeds);
            tell(json, &report, simulator::text(&report), report.failed == 0)
        }
    }
}

fn tell<T: Serialize>(
    json: bool,
    report: &T,
    text: String,
    clean: bool,
) -> Result<ExitCode, Failure> {
    if json {
        print_json(report)?;
    } else {
        print!("{text}");
    }
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
