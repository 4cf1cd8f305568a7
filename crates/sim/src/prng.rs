//! Numbers from a seed: a generator for each purpose, and a draw by name that needs no generator at all.
//!
//! The same seed gives the same numbers on every machine; one purpose never shifts the numbers of another.

/// SplitMix64's finaliser: every bit of the input changes about half of the output.
pub const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The number that belongs to a name, whatever was drawn before.
pub const fn named(seed: u64, a: u64, b: u64, c: u64) -> u64 {
    mix(mix(mix(mix(seed) ^ a) ^ b.rotate_left(21)) ^ c.rotate_left(42))
}

/// One stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// The stream of `purpose` under `seed`.
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(named(seed, purpose, 0, 0))
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `end`, which must not be zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number in `from..=to`.
    pub const fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True in `percent` of a hundred cases.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_apart_and_repeatable() {
        let draw = |purpose| {
            let mut prng = Prng::new(7, purpose);
            [prng.next(), prng.next(), prng.below(10)]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(named(1, 2, 3, 4), named(1, 2, 4, 3));
        let mut prng = Prng::new(1, 1);
        assert!((0..1_000).all(|_| (3..=5).contains(&prng.within(3, 5))));
    }
}
