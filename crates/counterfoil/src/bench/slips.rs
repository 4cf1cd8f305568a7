//! `bench slips`: lays slips out and encodes them on one thread, and restarts a till whose spool is full of waiting slips.
//!
//! Invariant: the restarted spool is compared with the one before; a figure without every slip in it is an error.

use super::machine::{self, Machine};
use crate::config::Problem;
use crate::config::terminal::TerminalFile;
use crate::driver::{Driver, DriverHandle, Refused, Settings};
use crate::fleet::{Fleet, Input};
use receipt::{CopyOf, InstalledPrinter, Language, Paper, SlipFields, SpoolInput, Title, lay_out};
use serde::Serialize;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Repetitions, of which the median counts.
const REPETITIONS: usize = 5;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct SlipsPlan {
    /// Slips laid out and encoded in each repetition.
    pub rounds: u32,
    /// Slips that wait in the spool, two copies each.
    pub waiting: u32,
    /// Where the journal goes; emptied first.
    pub data: PathBuf,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct SlipsReport {
    /// Slips laid out in a second of the thread's CPU time.
    pub lay_out_per_s: u64,
    /// Slips laid out and encoded as ESC/POS in a second of the thread's CPU time.
    pub escpos_per_s: u64,
    /// Bytes of one print job.
    pub bytes: usize,
    /// Slips that waited in the spool, two copies each.
    pub waiting: u32,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// From opening the journal to a spool that holds every slip again, in milliseconds.
    pub restart_ms: u64,
    /// The machine.
    pub machine: Machine,
}

/// Measures.
///
/// # Errors
/// A folder that cannot be written, or a spool that came back as something else.
pub fn measure(plan: &SlipsPlan) -> Result<SlipsReport, Problem> {
    let fields = purchase();
    let slip = |n: u32| {
        let mut fields = fields.clone();
        fields.voucher = n;
        lay_out(&fields, CopyOf::Merchant, Language::Zh, Paper::Mm58, None)
    };
    let printer = InstalledPrinter::default();
    let lay_out_per_s = median(plan.rounds, |n| {
        black_box(slip(black_box(n)));
    });
    let escpos_per_s = median(plan.rounds, |n| {
        black_box(slip(black_box(n)).escpos_for(&printer, n));
    });
    let (restart_ms, journal_bytes) = restart(plan, &fields)?;
    Ok(SlipsReport {
        lay_out_per_s,
        escpos_per_s,
        bytes: slip(1).escpos_for(&printer, 1).len(),
        waiting: plan.waiting,
        journal_bytes,
        restart_ms,
        machine: Machine::here(),
    })
}

/// As lines.
pub fn text(report: &SlipsReport) -> String {
    format!(
        "purchase slip, zh-CN, 58 mm, {} bytes of ESC/POS, one thread, per second of its CPU time\n  \
         laid out {}/s\n  laid out and encoded {}/s\n\
         spool of {} slips, two copies each, {:.1} MB of journal\n  restart {} ms\nmachine {}\n",
        report.bytes,
        report.lay_out_per_s,
        report.escpos_per_s,
        report.waiting,
        report.journal_bytes as f64 / 1e6,
        report.restart_ms,
        report.machine.text()
    )
}

/// Fills the spool of a till without a printer, stops it, and starts it again.
fn restart(plan: &SlipsPlan, fields: &SlipFields) -> Result<(u64, u64), Problem> {
    if plan.data.exists() {
        std::fs::remove_dir_all(&plan.data)
            .map_err(|error| format!("{}: {error}", plan.data.display()))?;
    }
    std::fs::create_dir_all(&plan.data)
        .map_err(|error| format!("{}: {error}", plan.data.display()))?;
    let journal = plan.data.join("journal.db");
    let driver = start(&journal)?;
    for n in 1..=plan.waiting {
        for copy in [CopyOf::Merchant, CopyOf::Cardholder] {
            let mut fields = fields.clone();
            fields.voucher = n;
            submit(driver.handle(), u64::from(n), fields, copy)?;
        }
    }
    let before = waiting(&driver)?;
    driver.stop()?;
    let journal_bytes = std::fs::metadata(&journal)
        .map_err(|error| format!("{}: {error}", journal.display()))?
        .len();
    let started = Instant::now();
    let driver = start(&journal)?;
    let after = waiting(&driver)?;
    let restart_ms = started.elapsed().as_millis() as u64;
    driver.stop()?;
    if before != after || after != 2 * plan.waiting as usize {
        return Err(format!(
            "{} copies were to wait, {before} did before the restart, {after} after it",
            2 * plan.waiting
        ));
    }
    Ok((restart_ms, journal_bytes))
}

fn start(journal: &std::path::Path) -> Result<Driver<Fleet>, Problem> {
    let file: TerminalFile =
        crate::config::parse(include_str!("../../../../examples/terminal.toml"))?;
    let (configs, module) = file.resolve()?;
    let settings = Settings::new(journal.to_owned(), "terminal", file.profile.name());
    Driver::start(
        Fleet::new(configs),
        Box::new(module),
        settings,
        Box::new(|_| {}),
    )
    .map_err(|error| error.to_string())
}

fn submit(
    handle: &DriverHandle<Fleet>,
    slip_id: u64,
    fields: SlipFields,
    copy: CopyOf,
) -> Result<(), Problem> {
    let input = || {
        let submit = SpoolInput::Submit {
            slip_id,
            fields: fields.clone(),
            copy,
            language: Language::Zh,
            paper: Paper::Mm58,
        };
        Input::One(0, Box::new(terminal::Input::Printer(submit)))
    };
    loop {
        match handle.send(input()) {
            Ok(()) => return Ok(()),
            Err(Refused::Full) => std::thread::sleep(Duration::from_millis(1)),
            Err(refused) => return Err(format!("{refused:?}")),
        }
    }
}

/// Copies in the spool that are not on paper.
fn waiting(driver: &Driver<Fleet>) -> Result<usize, Problem> {
    let count = driver
        .handle()
        .look_blocking(|fleet, _| fleet.terminal(0).map(|t| t.state().spool().unfinished()));
    count
        .map_err(|refused| format!("{refused:?}"))?
        .ok_or_else(|| "the till set its input aside".to_owned())
}

fn median(rounds: u32, mut once: impl FnMut(u32)) -> u64 {
    let mut per_second = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        let started_ns = machine::thread_cpu_ns();
        (0..rounds).for_each(&mut once);
        let took_ns = machine::thread_cpu_ns().saturating_sub(started_ns).max(1);
        per_second.push(u64::from(rounds) * 1_000_000_000 / took_ns);
    }
    per_second.sort_unstable();
    per_second[REPETITIONS / 2]
}

/// A purchase; published test values.
pub fn purchase() -> SlipFields {
    SlipFields {
        title: Title::Purchase,
        merchant_name: "幸福里超市".to_owned(),
        merchant_id: "898110058120156".to_owned(),
        terminal_id: "T0000001".to_owned(),
        operator: "01".to_owned(),
        issuer: "示例银行".to_owned(),
        acquirer: "示例收单".to_owned(),
        masked_pan: "622576******0005".to_owned(),
        entry_letter: 'I',
        transaction: ("消费".to_owned(), "SALE".to_owned()),
        batch: 1,
        voucher: 1,
        auth_code: Some("A00001".to_owned()),
        rrn: Some("632612345678".to_owned()),
        date_time: "2026-11-22 14:03:22".to_owned(),
        amount_minor: 12_800,
        headline: ("交易成功".to_owned(), "Approved".to_owned()),
        remarks: Vec::new(),
        signature_required: true,
        verification: None,
        chip: None,
        link: Some("HTTPS://R.EXAMPLE/7ZK3V9Q2M4TXB8CD".to_owned()),
        training: false,
    }
}
