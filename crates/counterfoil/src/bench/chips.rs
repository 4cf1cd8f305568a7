//! Chips for the load: every purchase is a tap whose card computes its own cryptogram, in the process of the tills.
//!
//! Invariant: each till has a card of its own, so counters grow in the order in which purchases leave.

use super::world;
use crate::config::Problem;
use crypto::{ChipCard, ChipProfile, ClearKey, Pan};
use payment::{ChipRequest, Secrets, Wall};
use std::sync::{Mutex, PoisonError};
use terminal::kernel::{self, ChipTerminal, Interface, Terms};
use terminal::{ChipRead, Presented};

/// Purchases of the load are below it.
const FREE_MINOR: u64 = 100_000;

/// The tills' cards.
pub(super) struct Chips {
    terminal: ChipTerminal,
    /// `YYMMDD`.
    date: u32,
    cards: Vec<Mutex<ChipCard>>,
}

impl Chips {
    /// One card for each of `count` tills.
    pub(super) fn new(count: u32, today: Wall) -> Result<Self, Problem> {
        if count > world::CARDS {
            let cards = world::CARDS;
            return Err(format!(
                "--chip: {count} terminals, and only {cards} cards: a card is in one place"
            ));
        }
        let key = |hex| ClearKey::from_hex(hex).map_err(|error| error.to_string());
        let (imk, smi) = (key(world::IMK)?, key(world::SMI)?);
        let cards = world::cards().take(count as usize).map(|number| {
            let pan = Pan::parse(number.as_bytes()).map_err(|error| error.to_string())?;
            let card = ChipCard::personalise(ChipProfile::unionpay(pan), &imk, &smi);
            card.map(Mutex::new).map_err(|error| error.to_string())
        });
        let local = today.local();
        let part = |number: i8| u32::from(number.unsigned_abs());
        Ok(Self {
            terminal: ChipTerminal::unionpay(*b"BENCH001", FREE_MINOR),
            date: (u32::from(local.year().unsigned_abs() % 100) * 100 + part(local.month())) * 100
                + part(local.day()),
            cards: cards.collect::<Result<_, Problem>>()?,
        })
    }

    /// The card of a till signs a purchase; the PIN block is that of `swiped`, where it has one.
    pub(super) fn tap(
        &self,
        place: u32,
        number: usize,
        amount_minor: u64,
        swiped: &Presented,
    ) -> Option<Presented> {
        let card = self.cards.get(place as usize)?;
        let mut card = card.lock().unwrap_or_else(PoisonError::into_inner);
        let terms = Terms {
            amount_minor,
            kind: 0,
            date: self.date,
            unpredictable: (number as u32).wrapping_mul(0x9E37_79B1).to_be_bytes(),
            sequence: number as u32,
            interface: Interface::Contactless,
        };
        let opened = kernel::open(&self.terminal, terms, &mut *card).ok()?;
        let with_pin = swiped.secrets.pin.is_some();
        let asked = opened.authorise(&mut *card, with_pin).ok()?;
        Some(Presented {
            card: swiped.card,
            entry: asked.entry(),
            expiry: asked.track2().expiry(),
            secrets: Secrets {
                track2: Some(asked.track2().clone()),
                chip: ChipRequest::new(&asked.request()),
                ..swiped.secrets.clone()
            },
            chip: Some(Box::new(ChipRead {
                sequence: asked.card_sequence(),
                evidence: asked.evidence(),
            })),
        })
    }
}
