//! The two clocks: wall time as it is, and monotonic time that goes on across restarts and never back (settled 14).

use payment::{Mono, Now, Wall};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

/// The longest pause between two runs that is counted, in milliseconds: a wrong wall clock moves deadlines no further.
const PAUSE_MS_MAX: i64 = 30 * 24 * 3_600 * 1_000;

/// A clock that goes on from the last journalled reading.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    base: Mono,
    started: Instant,
    /// How wrong the wall clock is on purpose, in milliseconds: the fault lab's.
    skew_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Continues after `last` by as much as the wall clock says has passed, at least not at all.
    pub(super) fn after(last: Now) -> Self {
        Self {
            base: continued(last, wall()),
            started: Instant::now(),
            skew_ms: Arc::default(),
        }
    }

    /// What makes the wall clock wrong.
    pub(super) fn skew(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.skew_ms)
    }

    pub(super) fn now(&self) -> Now {
        // Wall first: a pause between the two makes the next run begin later, never earlier.
        let wall = Wall(
            wall()
                .0
                .saturating_add(self.skew_ms.load(Ordering::Relaxed)),
        );
        let elapsed_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now {
            mono: Mono(self.base.0.saturating_add(elapsed_us)),
            wall,
        }
    }
}

fn continued(last: Now, wall: Wall) -> Mono {
    if last == Now::default() {
        return Mono(0);
    }
    let pause_ms = wall.0.saturating_sub(last.wall.0).clamp(0, PAUSE_MS_MAX);
    // Both wall readings were cut to whole milliseconds.
    last.mono.plus_ms(pause_ms.unsigned_abs() + 1)
}

/// The wall clock.
pub(crate) fn wall() -> Wall {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Wall(since_epoch.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_goes_on_and_never_back() {
        let last = Now {
            mono: Mono(5_000_000),
            wall: Wall(1_000_000),
        };
        for (wall_ms, expected_us) in [
            (1_000_000, 5_001_000),
            (1_000_250, 5_251_000),
            (0, 5_001_000),
            (i64::MIN, 5_001_000),
            (i64::MAX, 5_001_000 + PAUSE_MS_MAX as u64 * 1_000),
        ] {
            assert_eq!(
                continued(last, Wall(wall_ms)),
                Mono(expected_us),
                "{wall_ms}"
            );
        }
        assert_eq!(continued(Now::default(), Wall(9)), Mono(0));
        let clock = Clock::after(last);
        let (first, second) = (clock.now(), clock.now());
        assert!(last.mono < first.mono && first.mono <= second.mono);
    }
}
