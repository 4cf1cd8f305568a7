//! What threads beside the driver observe of a party, for a scrape: durations, causes, how far its archive is, spans.
//!
//! Invariant: it holds counts alone, and as many as there are buckets and causes, however long the party runs.

use payment::Wall;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Where the ranges of a hop's latency end, in milliseconds: from a healthy hop to beyond the longest time-out.
const HOP_MS: [u64; 13] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 20_000, 60_000,
];
/// Where the ranges of healing end, in milliseconds: from a second to a week.
const HEAL_MS: [u64; 9] = [
    1_000,
    5_000,
    30_000,
    60_000,
    600_000,
    3_600_000,
    14_400_000,
    86_400_000,
    604_800_000,
];

/// What is observed of one party.
#[derive(Debug)]
pub struct Observed {
    /// From a request to its answer, as the party's own journal has them.
    pub hop: Histogram,
    /// From the moment when a loop was found broken to the end of its reversal, or to its till's word.
    pub heal: Histogram,
    /// Spans that the collector took.
    pub spans_sent: AtomicU64,
    /// Spans, and frames on their way to become some, that found no room or no collector.
    pub spans_dropped: AtomicU64,
    unprinted: Mutex<BTreeMap<String, u64>>,
    journal: Place,
    archive: Place,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            hop: Histogram::new(&HOP_MS),
            heal: Histogram::new(&HEAL_MS),
            spans_sent: AtomicU64::default(),
            spans_dropped: AtomicU64::default(),
            unprinted: Mutex::default(),
            journal: Place::default(),
            archive: Place::default(),
        }
    }
}

impl Observed {
    /// A slip was due, and its till says that it is not known to be on paper.
    pub fn unprinted(&self, cause: String) {
        let mut causes = self
            .unprinted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *causes.entry(cause).or_default() += 1;
    }

    /// How many, by cause.
    pub fn unprinted_by_cause(&self) -> BTreeMap<String, u64> {
        let causes = self.unprinted.lock();
        causes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The journal ends with this row.
    pub fn journal_at(&self, seq: u64, at: Wall) {
        self.journal.set(seq, at);
    }

    /// The archive holds the journal up to this row.
    pub fn archive_at(&self, seq: u64, at: Wall) {
        self.archive.set(seq, at);
    }

    /// Rows and milliseconds that the archive is behind its journal; none without an archive.
    pub fn archive_lag(&self) -> Option<(u64, u64)> {
        let ((journal, journal_ms), (archive, archive_ms)) =
            (self.journal.get(), self.archive.get());
        let ms = match journal > archive {
            true => journal_ms.saturating_sub(archive_ms).max(0) as u64,
            false => 0,
        };
        self.archive
            .is_known()
            .then_some((journal.saturating_sub(archive), ms))
    }
}

/// A row of the journal and when it was decided.
#[derive(Debug)]
struct Place {
    seq: AtomicU64,
    wall_ms: AtomicI64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            seq: AtomicU64::default(),
            wall_ms: AtomicI64::new(i64::MIN),
        }
    }
}

impl Place {
    fn set(&self, seq: u64, at: Wall) {
        self.wall_ms.store(at.0, Relaxed);
        self.seq.store(seq, Relaxed);
    }

    fn get(&self) -> (u64, i64) {
        (self.seq.load(Relaxed), self.wall_ms.load(Relaxed))
    }

    fn is_known(&self) -> bool {
        self.wall_ms.load(Relaxed) != i64::MIN
    }
}

/// Durations by fixed ranges.
#[derive(Debug)]
pub struct Histogram {
    ends_ms: &'static [u64],
    counts: Vec<AtomicU64>,
    sum_ms: AtomicU64,
}

impl Histogram {
    fn new(ends_ms: &'static [u64]) -> Self {
        Self {
            ends_ms,
            // One more for what is longer than the last end.
            counts: (0..=ends_ms.len()).map(|_| AtomicU64::default()).collect(),
            sum_ms: AtomicU64::default(),
        }
    }

    /// Counts one from `from` to `to`; a clock that went back counts as no time.
    pub fn observe(&self, from: Wall, to: Wall) {
        let ms = to.0.saturating_sub(from.0).max(0) as u64;
        let range = self.ends_ms.iter().take_while(|end| ms > **end).count();
        self.counts[range].fetch_add(1, Relaxed);
        self.sum_ms.fetch_add(ms, Relaxed);
    }

    /// How many took no longer than each end, the last one without end; and all of them together in milliseconds.
    pub fn cumulative(&self) -> (Vec<(Option<u64>, u64)>, u64) {
        let ends = self.ends_ms.iter().copied().map(Some).chain([None]);
        let mut so_far = 0;
        let counts = self.counts.iter().map(|count| {
            so_far += count.load(Relaxed);
            so_far
        });
        let ranges = ends.zip(counts).collect();
        (ranges, self.sum_ms.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_their_ranges() {
        let observed = Observed::default();
        for (from, to) in [(0, 1), (0, 2), (0, 2), (10, 5), (0, 60_000), (0, 60_001)] {
            observed.hop.observe(Wall(from), Wall(to));
        }
        let (ranges, sum_ms) = observed.hop.cumulative();
        let at = |end| {
            ranges
                .iter()
                .find(|range| range.0 == end)
                .expect("an end")
                .1
        };
        let of = [Some(1), Some(2), Some(20_000), Some(60_000), None].map(at);
        assert_eq!((of, sum_ms), ([2, 4, 4, 5, 6], 120_006));
    }

    #[test]
    fn an_archive_lags_by_the_rows_that_it_has_not_read() {
        let observed = Observed::default();
        observed.journal_at(7, Wall(9_000));
        assert_eq!(observed.archive_lag(), None);
        for (seq, at, lag) in [
            (4, 6_500, (3, 2_500)),
            (7, 9_000, (0, 0)),
            (0, 0, (7, 9_000)),
        ] {
            observed.archive_at(seq, Wall(at));
            assert_eq!(observed.archive_lag(), Some(lag));
        }
    }
}
