//! The machine that a figure belongs to, as the system describes it.

use crate::config::Problem;
use serde::Serialize;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

/// Appends that one measuring of the disk makes, and bytes of each.
const APPENDS: usize = 300;
const APPEND_BYTES: usize = 512;
/// Clock ticks of `/proc` in a second: fixed by the system's interface.
const TICKS_PER_SECOND: u64 = 100;

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Name of the processor.
    pub cpu: String,
    /// How many.
    pub cores: usize,
    /// Kernel.
    pub kernel: String,
    /// Load average of 1, 5 and 15 minutes, now.
    pub load_average: String,
    /// Profile that this program was built with.
    pub build: &'static str,
}

impl Machine {
    /// This machine, now.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        Self {
            cpu: cpu
                .map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']))
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_average: read("/proc/loadavg")
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        }
    }

    /// In one line.
    pub fn text(&self) -> String {
        let Self {
            cpu,
            cores,
            kernel,
            load_average,
            build,
        } = self;
        format!("{cpu}, {cores} cores, Linux {kernel}, load average {load_average}, {build} build")
    }
}

/// How long the disk takes to keep one small append.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disk {
    /// Half of them took no longer, in microseconds.
    pub fdatasync_p50_us: u64,
    /// 99 of 100.
    pub fdatasync_p99_us: u64,
}

impl Disk {
    /// Appends to a file in `folder`, flushing after each.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn measure(folder: &Path) -> Result<Self, Problem> {
        let path = folder.join("fdatasync");
        let problem = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(problem)?;
        let mut times = Vec::with_capacity(APPENDS);
        for _ in 0..APPENDS {
            let started = Instant::now();
            file.write_all(&[0; APPEND_BYTES]).map_err(problem)?;
            file.sync_data().map_err(problem)?;
            times.push(started.elapsed().as_micros() as u64);
        }
        fs::remove_file(&path).map_err(problem)?;
        times.sort_unstable();
        Ok(Self {
            fdatasync_p50_us: times[APPENDS / 2],
            fdatasync_p99_us: times[APPENDS * 99 / 100],
        })
    }
}

/// CPU microseconds that a process has used.
pub fn process_cpu_us(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything but its closing bracket; user and system time are the 14th and 15th of all.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * (1_000_000 / TICKS_PER_SECOND))
}

/// CPU nanoseconds that this thread has used; wall time where the system does not say.
pub fn thread_cpu_ns() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = stat
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    ns.unwrap_or_else(|| ORIGIN.elapsed().as_nanos() as u64)
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// CPU microseconds that the whole machine was busy, and that it stole or left idle.
pub fn machine_cpu_us() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let [user, nice, system, idle, waiting, irq, soft, steal, ..] = ticks.as_slice() else {
        return None;
    };
    let us = |ticks: u64| ticks * (1_000_000 / TICKS_PER_SECOND);
    Some((
        us(user + nice + system + irq + soft),
        us(idle + waiting + steal),
    ))
}
