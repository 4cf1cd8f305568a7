//! How often one peer may ask: a bucket each, so that ids cannot be guessed by trying.
//!
//! Invariant: the table is bounded; when it is full, strangers share one bucket.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

/// Pages that a peer may ask for at once, and again after a minute.
pub const PAGES_PER_MINUTE: f64 = 60.0;
/// What a guess that found nothing costs, in pages.
pub const MISS_PAGES: f64 = 6.0;
/// Peers that are told apart at the same time.
pub const PEERS_MAX: usize = 10_000;

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Limit {
    peers: BTreeMap<IpAddr, Bucket>,
    strangers: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    pages: f64,
    at: Option<Instant>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            pages: PAGES_PER_MINUTE,
            at: None,
        }
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let minutes = self.at.map_or(0.0, |at| (now - at).as_secs_f64() / 60.0);
        self.pages = (self.pages + minutes * PAGES_PER_MINUTE).min(PAGES_PER_MINUTE);
        self.at = Some(now);
    }
}

impl Limit {
    /// True when `peer` may have a page; it is counted.
    pub(super) fn admits(&mut self, peer: IpAddr, now: Instant) -> bool {
        let bucket = self.bucket(peer, now);
        let admitted = bucket.pages >= 1.0;
        bucket.pages -= if admitted { 1.0 } else { 0.0 };
        admitted
    }

    /// `peer` asked for something that is not there.
    pub(super) fn missed(&mut self, peer: IpAddr, now: Instant) {
        let bucket = self.bucket(peer, now);
        bucket.pages = (bucket.pages - MISS_PAGES).max(0.0);
    }

    fn bucket(&mut self, peer: IpAddr, now: Instant) -> &mut Bucket {
        if !self.peers.contains_key(&peer) && self.peers.len() >= PEERS_MAX {
            // Those whose bucket is full again are as good as strangers.
            self.peers.retain(|_, bucket| {
                bucket.fill(now);
                bucket.pages < PAGES_PER_MINUTE
            });
        }
        let bucket = match self.peers.len() < PEERS_MAX || self.peers.contains_key(&peer) {
            true => self.peers.entry(peer).or_default(),
            false => &mut self.strangers,
        };
        bucket.fill(now);
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[test]
    fn a_peer_that_guesses_is_stopped_and_no_other() {
        let (mut limit, start) = (Limit::default(), Instant::now());
        let peer = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        let mut guesses = 0;
        while limit.admits(peer(1), start) {
            limit.missed(peer(1), start);
            guesses += 1;
        }
        assert_eq!(guesses, (PAGES_PER_MINUTE / (MISS_PAGES + 1.0)) as u32 + 1);
        assert!(limit.admits(peer(2), start));
        assert!(!limit.admits(peer(1), start + Duration::from_millis(900)));
        assert!(limit.admits(peer(1), start + Duration::from_secs(2)));
        for n in 0..PEERS_MAX as u32 + 5_000 {
            limit.admits(peer(n), start);
        }
        assert!(limit.peers.len() <= PEERS_MAX);
    }
}
