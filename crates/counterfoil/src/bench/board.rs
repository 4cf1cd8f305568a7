//! `bench board`: what the live board costs the acquirer, how old it is for those who follow it, and how heavy every page is.
//!
//! The acquirer without a desk, with one that nobody looks at and with one that is followed serve the same load, so that
//! the difference is the board's alone.

mod browser;
mod follower;

use super::audit::{self, Audit};
use super::latency::Latency;
use super::load::{Arrivals, Load};
use super::machine::Machine;
use super::purchases::Purchase;
use super::world::{Ladders, Plan, World};
use crate::config::{Problem, Profile};
use crate::people::{People, Person, Role};
use browser::Browser;
use follower::{Follower, Message};
use pages::PAGE_BYTES_MAX;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Its first byte comes within this, in microseconds, on the machine that the aim is for.
pub const FIRST_BYTE_US_MAX: u64 = 1_000_000;
/// How long the last purchase may take to come to rest.
const DRAIN: Duration = Duration::from_secs(60);
/// A page is asked for so often; the slowest time counts.
const ASKED: usize = 5;

/// What to measure with.
#[derive(Clone, Debug)]
pub struct BoardPlan {
    /// Purchases in a second.
    pub rate: u32,
    /// Seconds of each part of the run.
    pub seconds: u32,
    /// Terminals, one purchase at a time each.
    pub terminals: u16,
    /// Connections that they share.
    pub connections: u16,
    /// Open boards.
    pub followers: u16,
    /// Where journals go; emptied first.
    pub data: PathBuf,
    /// Leaves them there.
    pub keep: bool,
}

/// The acquirer's cost in one part of the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// CPU microseconds for each purchase.
    pub cpu_us_per_purchase: f64,
    /// CPU milliseconds in a second: 1,000 is a whole core.
    pub cpu_ms_per_s: f64,
}

/// What a follower was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Messages a second, to each.
    pub messages_per_s: f64,
    /// Bytes a second, to each.
    pub bytes_per_s: f64,
    /// The largest message.
    pub message_bytes_max: usize,
    /// From a purchase's start at its till until the first board that tells of it or of a later one, in microseconds.
    pub staleness_us: Latency,
}

/// A page and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageCost {
    /// Its path.
    pub path: String,
    /// Bytes.
    pub bytes: usize,
    /// Slowest first byte, in microseconds.
    pub first_byte_us: u64,
    /// Slowest last byte.
    pub last_byte_us: u64,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct BoardReport {
    /// Purchases offered in a second.
    pub rate: u32,
    /// Open boards.
    pub followers: u16,
    /// Without a desk.
    pub without_desk: Cost,
    /// With a desk that nobody looks at.
    pub unwatched: Cost,
    /// With every follower.
    pub followed: Cost,
    /// To each follower.
    pub sent: Sent,
    /// Pages of console and portal under this load, and the files that they share.
    pub pages: Vec<PageCost>,
    /// Every page is below [`PAGE_BYTES_MAX`] and [`FIRST_BYTE_US_MAX`].
    pub target_met: bool,
    /// The machine.
    pub machine: Machine,
    /// Of the purchases without a desk, and with one.
    pub audits: [Audit; 2],
}

/// Measures.
///
/// # Errors
/// As for [`super::measure_loop`]; a desk that lets nobody in, or a follower that is sent nothing.
pub fn measure(plan: &BoardPlan) -> Result<BoardReport, Problem> {
    let (without_desk, first) = bare(plan)?;
    let world = World::start(&world_of(plan, "desk", true))?;
    let desk = world.desk.ok_or("the desk has no address")?;
    let staff = Person {
        name: "bench".to_owned(),
        role: Role::Supervisor,
        merchant: None,
    };
    let people = People::open(&plan.data.join("desk/acquirer"), Profile::Sandbox)
        .map_err(|trouble| trouble.to_string())?;
    let entry = people.entry_link(&staff);
    let browser = Browser::enter(desk, &entry.map_err(|refused| format!("{refused:?}"))?)?;
    let mut load = Load::sign_on(&world, 50, false)?;
    let unwatched = part(plan, &world, &mut load)?;
    let followers = (0..plan.followers)
        .map(|_| Follower::start(&browser, load.origin()))
        .collect::<Result<Vec<_>, Problem>>()?;
    let begun_us = load.now_us();
    let followed = part(plan, &world, &mut load)?;
    let ended_us = load.now_us();
    let pages = pages_under_load(plan, &browser, &mut load)?;
    load.drain(DRAIN);
    let purchases = load.stop()?;
    let data = world.stop();
    let second = audit::audit(&purchases, &data.join("acquirer"), &data.join("issuer"))?;
    // Their streams ended with the acquirer.
    let followed_by: Vec<Vec<Message>> = followers.into_iter().map(Follower::stop).collect();
    let sent = sent(&purchases, &followed_by, begun_us, ended_us)?;
    if !plan.keep {
        // A folder that stays behind costs space, and nothing else.
        let _ = std::fs::remove_dir_all(&plan.data);
    }
    let well =
        |page: &PageCost| page.bytes < PAGE_BYTES_MAX && page.first_byte_us < FIRST_BYTE_US_MAX;
    Ok(BoardReport {
        rate: plan.rate,
        followers: plan.followers,
        without_desk,
        unwatched,
        followed,
        sent,
        target_met: pages.iter().all(well),
        pages,
        machine: Machine::here(),
        audits: [first, second],
    })
}

fn world_of(plan: &BoardPlan, folder: &str, desk: bool) -> Plan {
    Plan {
        data: plan.data.join(folder),
        terminals: plan.terminals,
        connections: plan.connections,
        chip: false,
        ladders: Ladders::Default,
        breakable: false,
        tls: false,
        desk,
    }
}

/// The same load on an acquirer that has no desk.
fn bare(plan: &BoardPlan) -> Result<(Cost, Audit), Problem> {
    let world = World::start(&world_of(plan, "bare", false))?;
    let mut load = Load::sign_on(&world, 50, false)?;
    let cost = part(plan, &world, &mut load)?;
    let purchases = load.stop()?;
    let data = world.stop();
    let audit = audit::audit(&purchases, &data.join("acquirer"), &data.join("issuer"))?;
    Ok((cost, audit))
}

/// Load for so many seconds, and what it cost the acquirer.
fn part(plan: &BoardPlan, world: &World, load: &mut Load) -> Result<Cost, Problem> {
    let seconds = Duration::from_secs(u64::from(plan.seconds));
    let (before, began) = (world.acquirer_cpu_us()?, load.now_us());
    let arrivals = Arrivals::Open { rate: plan.rate };
    let ran = load.run(arrivals, seconds, Duration::ZERO, DRAIN);
    let (used, took_us) = (world.acquirer_cpu_us()? - before, load.now_us() - began);
    Ok(Cost {
        cpu_us_per_purchase: used as f64 / ran.arrivals.max(1) as f64,
        cpu_ms_per_s: used as f64 * 1_000.0 / took_us.max(1) as f64,
    })
}

/// Asks for every page of the desk while purchases go on.
fn pages_under_load(
    plan: &BoardPlan,
    browser: &Browser,
    load: &mut Load,
) -> Result<Vec<PageCost>, Problem> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let pages = browser.pages(ASKED);
            done.store(true, Ordering::Relaxed);
            pages
        });
        let arrivals = Arrivals::Open { rate: plan.rate };
        while !done.load(Ordering::Relaxed) {
            load.run(
                arrivals,
                Duration::from_secs(1),
                Duration::ZERO,
                Duration::ZERO,
            );
        }
        asked
            .join()
            .map_err(|_| "asking for pages panicked".to_owned())?
    })
}

fn sent(
    purchases: &[Purchase],
    followed_by: &[Vec<Message>],
    begun_us: u64,
    ended_us: u64,
) -> Result<Sent, Problem> {
    let during = |message: &&Message| (begun_us..ended_us).contains(&message.at_us);
    let messages: Vec<Vec<&Message>> = followed_by
        .iter()
        .map(|messages| messages.iter().filter(during).collect())
        .collect();
    if messages.iter().any(Vec::is_empty) {
        return Err("a follower was sent nothing".to_owned());
    }
    let each_second = (ended_us - begun_us) as f64 / 1e6 * messages.len().max(1) as f64;
    let all = || messages.iter().flatten();
    Ok(Sent {
        messages_per_s: all().count() as f64 / each_second,
        bytes_per_s: all().map(|message| message.bytes).sum::<usize>() as f64 / each_second,
        message_bytes_max: all().map(|message| message.bytes).max().unwrap_or(0),
        staleness_us: Latency::of(
            messages
                .iter()
                .flat_map(|messages| follower::staleness(purchases, messages, begun_us)),
        ),
    })
}

/// As lines.
pub fn text(report: &BoardReport) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let BoardReport {
        rate, followers, ..
    } = report;
    let _ = writeln!(
        out,
        "{rate} purchases a second, {followers} open boards\nacquirer's CPU        µs/purchase   ms in a second"
    );
    for (what, cost) in [
        ("without a desk", report.without_desk),
        ("desk, nobody looks", report.unwatched),
        ("desk, board followed", report.followed),
    ] {
        let _ = writeln!(
            out,
            "{what:<20} {:>12.0} {:>16.1}",
            cost.cpu_us_per_purchase, cost.cpu_ms_per_s
        );
    }
    let sent = &report.sent;
    let _ = write!(
        out,
        "to each follower      {:.1} messages/s, {:.0} kB/s, largest {} kB\nstaleness (µs)       ",
        sent.messages_per_s,
        sent.bytes_per_s / 1_000.0,
        sent.message_bytes_max / 1_000
    );
    for (name, us) in sent.staleness_us.percentiles() {
        let _ = match us {
            Some(us) => write!(out, "  {name} {us}"),
            None => write!(out, "  {name} –"),
        };
    }
    let _ = writeln!(
        out,
        "  max {}  n={}\npages under this load, slowest of {ASKED}       bytes   first byte µs    last byte µs",
        sent.staleness_us.max, sent.staleness_us.n
    );
    for page in &report.pages {
        let _ = writeln!(
            out,
            "{:<40} {:>10} {:>15} {:>15}",
            page.path, page.bytes, page.first_byte_us, page.last_byte_us
        );
    }
    let _ = writeln!(
        out,
        "target: every page below {PAGE_BYTES_MAX} bytes, its first byte within {FIRST_BYTE_US_MAX} µs: {}\nmachine {}",
        if report.target_met { "met" } else { "MISSED" },
        report.machine.text()
    );
    for audit in &report.audits {
        let _ = writeln!(out, "{}", audit.text());
    }
    out
}
