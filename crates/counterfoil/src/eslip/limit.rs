//! How often one may ask: a bucket for each peer, so that ids cannot be guessed by trying, one for each fact that is
//! tried without success, whoever tries, and one for each key of the API.
//!
//! Invariant: a table is bounded; when it is full of buckets that are in use, strangers share one.

use std::collections::BTreeMap;
use std::time::Instant;

/// Pages that a peer may ask for at once, and again after a minute.
pub const PAGES_PER_MINUTE: f64 = 60.0;
/// What a guess that found nothing costs, in pages.
pub const MISS_PAGES: f64 = 6.0;
/// Peers, and facts, that are told apart at the same time.
pub const PEERS_MAX: usize = 10_000;
/// Lookups without a result that all peers together may make at once with the same amount, the same minute or the same
/// last four digits, and again after an hour.
pub const FACT_MISSES_PER_HOUR: f64 = 60.0;

/// The buckets.
#[derive(Debug)]
pub(crate) struct Limit<K> {
    rate: Rate,
    buckets: BTreeMap<K, Bucket>,
    strangers: Bucket,
}

/// What a bucket holds when it is full, and how fast it fills.
#[derive(Clone, Copy, Debug)]
struct Rate {
    holds: f64,
    per_minute: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    pages: f64,
    at: Option<Instant>,
}

impl Bucket {
    fn filled(self, rate: Rate, now: Instant) -> Self {
        let minutes = self.at.map_or(0.0, |at| (now - at).as_secs_f64() / 60.0);
        Self {
            pages: (self.pages + minutes * rate.per_minute).min(rate.holds),
            at: Some(now),
        }
    }
}

impl<K: Ord> Limit<K> {
    /// For peers: [`PAGES_PER_MINUTE`].
    pub(super) const fn of_peers() -> Self {
        Self::new(PAGES_PER_MINUTE, PAGES_PER_MINUTE)
    }

    /// For facts: [`FACT_MISSES_PER_HOUR`].
    pub(super) const fn of_facts() -> Self {
        Self::new(FACT_MISSES_PER_HOUR, FACT_MISSES_PER_HOUR / 60.0)
    }

    /// For keys of the API: so many requests at once, and again after a minute.
    pub(crate) fn of_keys(per_minute: u32) -> Self {
        Self::new(f64::from(per_minute), f64::from(per_minute))
    }

    const fn new(holds: f64, per_minute: f64) -> Self {
        Self {
            rate: Rate { holds, per_minute },
            buckets: BTreeMap::new(),
            strangers: Bucket {
                pages: holds,
                at: None,
            },
        }
    }

    /// True when `who` may have a page; it is counted.
    pub(crate) fn admits(&mut self, who: K, now: Instant) -> bool {
        let bucket = self.bucket(who, now);
        let admitted = bucket.pages >= 1.0;
        bucket.pages -= if admitted { 1.0 } else { 0.0 };
        admitted
    }

    /// Whole seconds after which `who` is admitted again, at least one.
    pub(crate) fn wait_s(&mut self, who: K, now: Instant) -> u32 {
        let per_minute = self.rate.per_minute;
        let missing = (1.0 - self.bucket(who, now).pages).max(0.0);
        (missing * 60.0 / per_minute).ceil().clamp(1.0, 60.0) as u32
    }

    /// True when `who` has something left; nothing is counted or kept.
    pub(super) fn has_left(&self, who: &K, now: Instant) -> bool {
        let known = self.buckets.get(who);
        known.is_none_or(|bucket| bucket.filled(self.rate, now).pages >= 1.0)
    }

    /// `who` asked for something that is not there, which costs so many pages.
    pub(super) fn missed(&mut self, who: K, pages: f64, now: Instant) {
        let bucket = self.bucket(who, now);
        bucket.pages = (bucket.pages - pages).max(0.0);
    }

    fn bucket(&mut self, who: K, now: Instant) -> &mut Bucket {
        let rate = self.rate;
        let full = Bucket {
            pages: rate.holds,
            at: None,
        };
        if self.buckets.len() >= PEERS_MAX && !self.buckets.contains_key(&who) {
            // Who has everything left again is a stranger like any other.
            self.buckets
                .retain(|_, bucket| bucket.filled(rate, now).pages < rate.holds);
        }
        let bucket = match self.buckets.len() < PEERS_MAX || self.buckets.contains_key(&who) {
            true => self.buckets.entry(who).or_insert(full),
            false => &mut self.strangers,
        };
        *bucket = bucket.filled(rate, now);
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    #[test]
    fn a_peer_that_guesses_is_stopped_and_no_other() {
        let (mut limit, start) = (Limit::of_peers(), Instant::now());
        let peer = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        let mut guesses = 0;
        while limit.admits(peer(1), start) {
            limit.missed(peer(1), MISS_PAGES, start);
            guesses += 1;
        }
        assert_eq!(guesses, (PAGES_PER_MINUTE / (MISS_PAGES + 1.0)) as u32 + 1);
        assert!(limit.admits(peer(2), start));
        assert!(!limit.admits(peer(1), start + Duration::from_millis(900)));
        assert!(limit.admits(peer(1), start + Duration::from_secs(2)));
        for n in 0..PEERS_MAX as u32 + 5_000 {
            limit.admits(peer(n), start);
        }
        assert!(limit.buckets.len() <= PEERS_MAX);
    }

    #[test]
    fn a_key_that_waits_as_long_as_it_was_told_is_admitted() {
        let start = Instant::now();
        for (per_minute, wait_s) in [(600, 1), (20, 3), (1, 60)] {
            let mut limit = Limit::of_keys(per_minute);
            for _ in 0..per_minute {
                assert!(limit.admits("key", start));
            }
            assert!(!limit.admits("key", start) && limit.admits("other", start));
            assert_eq!(limit.wait_s("key", start), wait_s);
            let later = start + Duration::from_secs(u64::from(wait_s));
            assert!(limit.admits("key", later));
        }
    }

    #[test]
    fn a_fact_is_tried_so_often_by_all_together() {
        let (mut limit, start) = (Limit::of_facts(), Instant::now());
        for _ in 0..FACT_MISSES_PER_HOUR as u32 {
            assert!(limit.has_left(&"0123", start));
            limit.missed("0123", 1.0, start);
        }
        assert!(!limit.has_left(&"0123", start) && limit.has_left(&"0124", start));
        assert!(limit.has_left(&"0123", start + Duration::from_secs(61)));
    }
}
