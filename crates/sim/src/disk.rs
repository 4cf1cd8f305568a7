//! A node's disk: gatherings of records, each with length and checksum, and what a crash leaves of them.
//!
//! A power cut keeps a prefix of what was not flushed; a torn gathering is dropped whole, as the production journal does.

use crate::prng::mix;

const HEADER: usize = 12;

/// One disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    bytes: Vec<u8>,
    /// Gatherings that are durable.
    pub gatherings: u64,
    snapshot: Option<(Vec<u8>, usize)>,
}

/// What happened to the gathering that was being flushed when the node went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing of it is there.
    Lost,
    /// All of it is there, although nobody was told.
    Whole,
    /// Some of its bytes are there.
    Torn(u64),
}

impl Disk {
    /// Makes a gathering durable.
    pub fn append(&mut self, blob: &[u8]) {
        self.bytes
            .extend_from_slice(&(blob.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&checksum(blob).to_le_bytes());
        self.bytes.extend_from_slice(blob);
        self.gatherings += 1;
    }

    /// What a crash leaves of the gathering in flight.
    pub fn crash(&mut self, blob: &[u8], tail: Tail) {
        match tail {
            Tail::Lost => {}
            Tail::Whole => self.append(blob),
            Tail::Torn(draw) => {
                let start = self.bytes.len();
                self.append(blob);
                self.gatherings -= 1;
                let kept = draw as usize % (HEADER + blob.len()).max(1);
                self.bytes.truncate(start + kept);
                if draw >> 62 == 3
                    && let Some(last) = self.bytes[start..].last_mut()
                {
                    *last ^= 0x41;
                }
            }
        }
    }

    /// Every whole gathering from `from` on; then the torn rest is cut off. Gives whether there was one.
    pub fn replay(&mut self, from: usize, mut take: impl FnMut(&[u8])) -> Option<Vec<u8>> {
        let mut at = from;
        while let Some(blob) = whole(&self.bytes[at..]) {
            take(blob);
            at += HEADER + blob.len();
        }
        let torn = self.bytes.split_off(at);
        (!torn.is_empty()).then(|| torn.get(HEADER..).unwrap_or_default().to_vec())
    }

    /// Keeps a snapshot of the state after everything durable.
    pub fn keep_snapshot(&mut self, state: Vec<u8>) {
        self.snapshot = Some((state, self.bytes.len()));
    }

    /// The snapshot and the place behind it.
    pub fn snapshot(&self) -> Option<(&[u8], usize)> {
        self.snapshot
            .as_ref()
            .map(|(state, at)| (state.as_slice(), *at))
    }

    /// Every durable byte, snapshot included, for those who scan them.
    pub fn every_byte(&self) -> impl Iterator<Item = &[u8]> {
        [
            Some(self.bytes.as_slice()),
            self.snapshot.as_ref().map(|(state, _)| state.as_slice()),
        ]
        .into_iter()
        .flatten()
    }

    /// A number that differs when the bytes differ.
    pub fn hash(&self) -> u64 {
        checksum(&self.bytes)
    }
}

fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let sum = u64::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let blob = bytes.get(HEADER..HEADER + length)?;
    (checksum(blob) == sum).then_some(blob)
}

/// Eight bytes at a time; no defence against intent, only against damage.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = mix(bytes.len() as u64);
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29);
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29);
    }
    mix(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_gatherings_survive_and_torn_ones_do_not() {
        for draw in (0..40).chain([u64::MAX, u64::MAX - 3, u64::MAX - 7]) {
            let mut disk = Disk::default();
            disk.append(b"one");
            disk.append(b"two");
            disk.crash(b"three, which is longer", Tail::Torn(draw));
            let mut seen = Vec::new();
            disk.replay(0, |blob| seen.push(blob.to_vec()));
            assert_eq!(seen, [b"one", b"two"]);
            disk.append(b"four");
            let mut count = 0;
            assert_eq!(disk.replay(0, |_| count += 1), None);
            assert_eq!(count, 3);
        }
    }
}
