//! The in-flight relay that acquirer and network share: requests awaiting an answer, and store-and-forward without end.
//!
//! Generic over its key; it knows no message. An item leaves store-and-forward only when its delivery is confirmed.

use crate::Mono;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Requests that may be in flight at once; beyond it new ones are declined.
pub const IN_FLIGHT_MAX: usize = 100_000;
/// Items that may wait in store-and-forward; beyond it *new purchases* are declined, never an item dropped.
pub const FORWARD_MAX: usize = 1_000_000;
/// Items tried in one go, so that an outage of an hour does not come back as one burst.
pub const BURST_MAX: usize = 256;

/// What changes a relay; parties carry it inside their own records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelayRecord<K> {
    /// A request left; its answer is awaited until `deadline`.
    Sent {
        /// The request.
        key: K,
        /// When it counts as lost.
        deadline: Mono,
    },
    /// The request was answered or given up.
    Closed {
        /// The request.
        key: K,
    },
    /// An item entered store-and-forward, due at `at`.
    Queued {
        /// The item.
        key: K,
        /// First attempt.
        at: Mono,
    },
    /// An attempt was made; the next one is due at `next`.
    Tried {
        /// The item.
        key: K,
        /// Next attempt.
        next: Mono,
    },
    /// Delivery was confirmed.
    Delivered {
        /// The item.
        key: K,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Forwarding {
    attempts: u32,
    next: Mono,
}

/// How store-and-forward spaces its attempts, in milliseconds; the last gap repeats for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps(pub Vec<u64>);

impl Default for Gaps {
    fn default() -> Self {
        Self(vec![500, 1_000, 1_000, 1_500])
    }
}

impl Gaps {
    /// The wait after attempt number `attempts` (counted from 1).
    pub fn after(&self, attempts: u32) -> u64 {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get((attempts.max(1) as usize - 1).min(last))
            .copied()
            .unwrap_or(1_000)
            .max(1)
    }
}

/// The relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>"))]
pub struct Relay<K: Ord> {
    in_flight: BTreeMap<K, Mono>,
    in_flight_due: BTreeSet<(Mono, K)>,
    forward: BTreeMap<K, Forwarding>,
    forward_due: BTreeSet<(Mono, K)>,
}

impl<K: Ord> Default for Relay<K> {
    fn default() -> Self {
        Self {
            in_flight: BTreeMap::new(),
            in_flight_due: BTreeSet::new(),
            forward: BTreeMap::new(),
            forward_due: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Copy> Relay<K> {
    /// Applies one record; the same live and in replay.
    pub fn apply(&mut self, record: &RelayRecord<K>) {
        match record {
            RelayRecord::Sent { key, deadline } => {
                self.close(key);
                self.in_flight.insert(*key, *deadline);
                self.in_flight_due.insert((*deadline, *key));
            }
            RelayRecord::Closed { key } => self.close(key),
            RelayRecord::Queued { key, at } => self.schedule(
                *key,
                Forwarding {
                    attempts: 0,
                    next: *at,
                },
            ),
            RelayRecord::Tried { key, next } => {
                let attempts = self.attempts(key).saturating_add(1);
                self.schedule(
                    *key,
                    Forwarding {
                        attempts,
                        next: *next,
                    },
                );
            }
            RelayRecord::Delivered { key } => {
                if let Some(item) = self.forward.remove(key) {
                    self.forward_due.remove(&(item.next, *key));
                }
            }
        }
    }

    /// True while an answer to `key` is awaited.
    pub fn awaits(&self, key: &K) -> bool {
        self.in_flight.contains_key(key)
    }

    /// Every request in flight, in key order.
    pub fn in_flight(&self) -> impl Iterator<Item = K> + '_ {
        self.in_flight.keys().copied()
    }

    /// Requests whose deadline has passed.
    pub fn expired(&self, now: Mono) -> impl Iterator<Item = K> + '_ {
        self.in_flight_due
            .iter()
            .take_while(move |(due, _)| *due <= now)
            .map(|(_, key)| *key)
            .take(BURST_MAX)
    }

    /// Items whose next attempt is due.
    pub fn due(&self, now: Mono) -> impl Iterator<Item = K> + '_ {
        self.forward_due
            .iter()
            .take_while(move |(due, _)| *due <= now)
            .map(|(_, key)| *key)
            .take(BURST_MAX)
    }

    /// The record of one more attempt at `key`, with the next one spaced by `gaps`.
    pub fn attempt(&self, key: K, now: Mono, gaps: &Gaps) -> RelayRecord<K> {
        RelayRecord::Tried {
            key,
            next: now.plus_ms(gaps.after(self.attempts(&key) + 1)),
        }
    }

    /// Items still undelivered, in key order.
    pub fn undelivered(&self) -> impl Iterator<Item = K> + '_ {
        self.forward.keys().copied()
    }

    /// True while `key` waits in store-and-forward.
    pub fn forwards(&self, key: &K) -> bool {
        self.forward.contains_key(key)
    }

    /// Attempts made so far at `key`.
    pub fn attempts(&self, key: &K) -> u32 {
        self.forward.get(key).map_or(0, |item| item.attempts)
    }

    /// When `key` is tried next.
    pub fn next_attempt(&self, key: &K) -> Option<Mono> {
        self.forward.get(key).map(|item| item.next)
    }

    /// True when no further request may start: too many in flight, or too many undelivered items.
    pub fn is_full(&self) -> bool {
        self.in_flight.len() >= IN_FLIGHT_MAX || self.forward.len() >= FORWARD_MAX
    }

    /// Number of requests in flight and of items undelivered.
    pub fn counts(&self) -> (usize, usize) {
        (self.in_flight.len(), self.forward.len())
    }

    /// When something is next due.
    pub fn deadline(&self) -> Option<Mono> {
        let first = |set: &BTreeSet<(Mono, K)>| set.first().map(|(due, _)| *due);
        [first(&self.in_flight_due), first(&self.forward_due)]
            .into_iter()
            .flatten()
            .min()
    }

    fn close(&mut self, key: &K) {
        if let Some(deadline) = self.in_flight.remove(key) {
            self.in_flight_due.remove(&(deadline, *key));
        }
    }

    fn schedule(&mut self, key: K, item: Forwarding) {
        if let Some(old) = self.forward.insert(key, item) {
            self.forward_due.remove(&(old.next, key));
        }
        self.forward_due.insert((item.next, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_tried_until_it_is_delivered() {
        let (mut relay, gaps) = (Relay::<u32>::default(), Gaps(vec![100, 200]));
        relay.apply(&RelayRecord::Sent {
            key: 7,
            deadline: Mono(5_000),
        });
        assert!(relay.awaits(&7) && relay.expired(Mono(4_999)).next().is_none());
        assert_eq!(relay.expired(Mono(5_000)).collect::<Vec<_>>(), [7]);
        relay.apply(&RelayRecord::Closed { key: 7 });
        relay.apply(&RelayRecord::Queued {
            key: 7,
            at: Mono(5_000),
        });
        let mut at = Mono(5_000);
        for gap in [100, 200, 200, 200] {
            assert_eq!(relay.due(at).collect::<Vec<_>>(), [7]);
            let tried = relay.attempt(7, at, &gaps);
            relay.apply(&tried);
            at = at.plus_ms(gap);
            assert_eq!(relay.deadline(), Some(at));
        }
        assert_eq!(relay.attempts(&7), 4);
        relay.apply(&RelayRecord::Delivered { key: 7 });
        assert_eq!((relay.counts(), relay.deadline()), ((0, 0), None));
    }
}
