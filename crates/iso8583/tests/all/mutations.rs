//! A million seeded mutations of the published samples: none panics, and what is accepted is canonical.

use iso8583::{Message, Mti};

use crate::properties::read_any;
use crate::samples;

const ROUNDS: usize = 1_000_000;

#[test]
fn a_million_mutated_samples_are_read_canonically_or_refused() {
    let samples = samples::all();
    let mut random = Random(0x8583);
    let (mut message, mut again, mut body) = (Message::new(Mti(0)), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let sample = &samples[random.below(samples.len())];
        body.clear();
        body.extend_from_slice(sample.body());
        for _ in 0..=random.below(3) {
            mutate(&mut body, &mut random);
        }
        read_any(sample.dialect, &body, &mut message, &mut again);
    }
}

fn mutate(body: &mut Vec<u8>, random: &mut Random) {
    let at = random
        .below(body.len().max(1))
        .min(body.len().saturating_sub(1));
    match random.below(6) {
        0 => body.truncate(at),
        1 => body.insert(at, random.below(256) as u8),
        2 if !body.is_empty() => {
            body.remove(at);
        }
        // Type, bitmap and first lengths decide most.
        3 if body.len() > 12 => body[random.below(12)] ^= 1 << random.below(8),
        4 if !body.is_empty() => body[at] = random.below(256) as u8,
        _ if !body.is_empty() => body[at] ^= 1 << random.below(8),
        _ => {}
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ x >> 31) % end as u64) as usize
    }
}
