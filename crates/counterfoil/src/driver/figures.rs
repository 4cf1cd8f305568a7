//! What a driver counts, for pages, bench and tests.

use hdrhistogram::Histogram;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Longest flush that is told from longer ones, in microseconds.
const FLUSH_US_MAX: u64 = 60_000_000;

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Gatherings decided.
    pub gatherings: u64,
    /// Inputs decided, ticks included.
    pub inputs: u64,
    /// Records written.
    pub records: u64,
    /// Bytes of records written.
    pub record_bytes: u64,
    /// Frames that the party did not take (invariant K1).
    pub frames_refused: u64,
    /// Effects that could not be written as frames.
    pub effects_refused: u64,
    /// Inputs set aside because deciding them broke an assertion.
    pub set_aside: u64,
    /// Frames released.
    pub frames_released: u64,
    /// Frames that certainly did not leave.
    pub undelivered: u64,
    /// Effects performed that are not frames.
    pub local_effects: u64,
    /// Snapshots kept.
    pub snapshots: u64,
    /// Events waiting now.
    pub waiting: u64,
    /// Flushes, each of one row, and how long they took.
    pub flushes: FlushTimes,
}

/// How long flushes took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushTimes {
    /// Number of flushes.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// 999 of 1,000 took no longer.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

#[derive(Debug)]
pub(super) struct Counters {
    pub(super) gatherings: AtomicU64,
    pub(super) inputs: AtomicU64,
    pub(super) records: AtomicU64,
    pub(super) record_bytes: AtomicU64,
    pub(super) frames_refused: AtomicU64,
    pub(super) effects_refused: AtomicU64,
    pub(super) set_aside: AtomicU64,
    pub(super) frames_released: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) local_effects: AtomicU64,
    pub(super) snapshots: AtomicU64,
    flush_us: Mutex<Histogram<u64>>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            gatherings: AtomicU64::default(),
            inputs: AtomicU64::default(),
            records: AtomicU64::default(),
            record_bytes: AtomicU64::default(),
            frames_refused: AtomicU64::default(),
            effects_refused: AtomicU64::default(),
            set_aside: AtomicU64::default(),
            frames_released: AtomicU64::default(),
            undelivered: AtomicU64::default(),
            local_effects: AtomicU64::default(),
            snapshots: AtomicU64::default(),
            flush_us: Mutex::new(
                Histogram::new_with_max(FLUSH_US_MAX, 3)
                    .expect("bounds of the histogram are constants"),
            ),
        }
    }
}

impl Counters {
    pub(super) fn flushed(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(FLUSH_US_MAX);
        self.flush_us
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(us);
    }

    pub(super) fn figures(&self, waiting: usize) -> Figures {
        let flush = self.flush_us.lock().unwrap_or_else(PoisonError::into_inner);
        Figures {
            gatherings: self.gatherings.load(Relaxed),
            inputs: self.inputs.load(Relaxed),
            records: self.records.load(Relaxed),
            record_bytes: self.record_bytes.load(Relaxed),
            frames_refused: self.frames_refused.load(Relaxed),
            effects_refused: self.effects_refused.load(Relaxed),
            set_aside: self.set_aside.load(Relaxed),
            frames_released: self.frames_released.load(Relaxed),
            undelivered: self.undelivered.load(Relaxed),
            local_effects: self.local_effects.load(Relaxed),
            snapshots: self.snapshots.load(Relaxed),
            waiting: waiting as u64,
            flushes: FlushTimes {
                count: flush.len(),
                p50_us: flush.value_at_quantile(0.5),
                p99_us: flush.value_at_quantile(0.99),
                p999_us: flush.value_at_quantile(0.999),
                max_us: flush.max(),
            },
        }
    }
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
