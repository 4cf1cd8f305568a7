//! Latencies as percentiles, each only where enough samples lie above it.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Samples that must lie above a percentile for it to be shown.
pub const SAMPLES_ABOVE_MIN: u64 = 100;
/// Longest latency kept apart, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;

/// A percentile: its name and microseconds, `None` when too few samples lie above it.
pub type Percentile = (&'static str, Option<u64>);

/// Percentiles of one kind of latency.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Samples.
    pub n: u64,
    /// Half took no longer.
    pub p50: Option<u64>,
    /// 9 of 10.
    pub p90: Option<u64>,
    /// 99 of 100.
    pub p99: Option<u64>,
    /// 999 of 1,000.
    #[serde(rename = "p99.9")]
    pub p999: Option<u64>,
    /// 9,999 of 10,000.
    #[serde(rename = "p99.99")]
    pub p9999: Option<u64>,
    /// The longest.
    pub max: u64,
}

impl Latency {
    /// Of microseconds.
    pub fn of(samples: impl IntoIterator<Item = u64>) -> Self {
        let mut histogram =
            Histogram::<u64>::new_with_max(LATENCY_US_MAX, 3).expect("the bounds are constants");
        let mut max = 0;
        for us in samples {
            histogram.saturating_record(us);
            max = max.max(us);
        }
        let n = histogram.len();
        let at = |above_of: u64, quantile: f64| {
            (n / above_of >= SAMPLES_ABOVE_MIN).then(|| histogram.value_at_quantile(quantile))
        };
        Self {
            n,
            p50: at(2, 0.5),
            p90: at(10, 0.9),
            p99: at(100, 0.99),
            p999: at(1_000, 0.999),
            p9999: at(10_000, 0.9999),
            max,
        }
    }

    /// Every percentile with its name.
    pub fn percentiles(&self) -> [Percentile; 5] {
        [
            ("p50", self.p50),
            ("p90", self.p90),
            ("p99", self.p99),
            ("p99.9", self.p999),
            ("p99.99", self.p9999),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_a_hundred_samples_above_it() {
        for (samples, p50, p99) in [
            (0, false, false),
            (199, false, false),
            (200, true, false),
            (10_000, true, true),
        ] {
            let latency = Latency::of(1..=samples);
            assert_eq!(
                (latency.p50.is_some(), latency.p99.is_some()),
                (p50, p99),
                "{samples}"
            );
            assert_eq!((latency.n, latency.max), (samples, samples));
        }
    }
}
