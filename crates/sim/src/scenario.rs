//! A world before it starts: everything that a seed decides, and what the shrinker may take away.

use crate::prng::Prng;
use crate::weather::Weather;
use payment::timeouts::Ladder;
use payment::{CNY, Kind};

/// One world to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Everything else follows from it.
    pub seed: u64,
    /// What goes wrong.
    pub weather: Weather,
    /// Tills, 1 to 8.
    pub terminals: u32,
    /// POS centres, 1 or 2.
    pub acquirers: u32,
    /// Banks, 1 to 3.
    pub issuers: u32,
    /// Transactions that each cashier wants to make.
    pub purchases: u32,
    /// The only kind that cashiers order, and what it needs; none for all kinds.
    pub kind: Option<Kind>,
    /// The bug put in on purpose.
    #[cfg(feature = "planted")]
    pub planted: Option<crate::planted::Bug>,
}

impl Scenario {
    /// The scenario of a seed with this weather.
    pub fn new(seed: u64, weather: Weather) -> Self {
        let mut prng = Prng::new(seed, 0x5CE);
        Self {
            seed,
            weather,
            terminals: prng.within(1, 8) as u32,
            issuers: prng.within(1, 3) as u32,
            purchases: prng.within(5, 20) as u32,
            acquirers: 1 + u32::from(prng.percent(35)),
            kind: None,
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// The scenario of a seed with the weather it draws.
    pub fn drawn(seed: u64) -> Self {
        Self::new(seed, Weather::drawn(seed))
    }

    /// The scenario of a seed in which nothing goes wrong.
    pub fn clean(seed: u64) -> Self {
        Self::new(seed, Weather::clean())
    }

    /// Whether there is a barter centre beside the banks.
    pub(crate) fn has_centre(&self) -> bool {
        match self.kind {
            Some(kind) => kind.row().unit != CNY,
            None => Prng::new(self.seed, 0xBA47).percent(60),
        }
    }

    pub(crate) fn ladder(&self) -> Ladder {
        match Prng::new(self.seed, 0x1ADD).percent(70) {
            true => Ladder::DEMO,
            false => Ladder::default(),
        }
    }
}
