//! Chip cards in their holders' hands: real cryptograms from real keys, and what goes wrong between card and reader.
//!
//! A card outlives the sale it pays: its counter grows from till to till, as a card's does.
#![expect(
    clippy::disallowed_types,
    reason = "a reader takes what may be sent between threads; a world has one"
)]

use crate::core::Core;
use crate::prng::Prng;
use crate::setup::{PIN, TestCard, key};
use crate::weather::Fault;
use crypto::{
    AnswerMethod, CardBytes, CardFault, ChipCard, ChipProfile, ClearKey, CryptogramScheme, KeyUsage,
};
use crypto::{Pan, Pin, SoftwareModule};
use std::sync::{Arc, Mutex, PoisonError};
use terminal::kernel::CardReader;

/// Master keys of cryptograms and of the MACs of scripts; published test keys.
const IMK: &str = "9E15204313F7318ACB79B90BD986AD29";
const SMI: &str = "4664942FE615FB02E5D57F292AA2B3B6";
/// Of a card whose own PIN was tried too often.
const NO_TRIES: u8 = 0;
/// Where faults of chips happen: at the till of this number and up.
const CHIPS: u32 = 70;

/// A chip that is read again and again.
pub type Chip = Arc<Mutex<ChipCard>>;

/// Whether the banks of this world gave chips out.
pub fn are_given(seed: u64) -> bool {
    Prng::new(seed, 0xC41B).percent(40)
}

/// The keys of a bank that gives chips out.
pub fn keys(module: &SoftwareModule) -> issuer::ChipKeys {
    issuer::ChipKeys {
        imk: key(module, KeyUsage::CryptogramMaster, IMK),
        smi: key(module, KeyUsage::ScriptMaster, SMI),
        scheme: CryptogramScheme::Pboc,
        fallback: true,
    }
}

/// How the chip of a card is answered; both methods are about.
pub fn answered(at: usize) -> AnswerMethod {
    match at % 2 {
        0 => AnswerMethod::ResponseCode,
        _ => AnswerMethod::StatusUpdate,
    }
}

/// Personalises the chip of the card at this place of its bank; the first one's own PIN is blocked, so that its bank has a
/// script for it.
pub fn personalise(number: &Pan, at: usize) -> Chip {
    let clear = |hex| ClearKey::from_hex(hex).expect("a published key");
    let mut profile = ChipProfile::unionpay(number.clone());
    profile.expiry = 3_012;
    profile.sequence = *b"01";
    profile.answer = answered(at);
    let card = ChipCard::personalise(profile, &clear(IMK), &clear(SMI));
    let mut card = card.expect("keys of double length");
    if at == 0 {
        let mut memory = card.memory();
        memory.pin_tries_left = NO_TRIES;
        card.restore(memory);
    }
    Arc::new(Mutex::new(card))
}

/// A chip with the keys and the number of this card and a counter of its own.
pub fn copy(card: &TestCard) -> Chip {
    let number = Pan::parse(&card.pan).expect("digits");
    personalise(&number, card.at)
}

/// What is wrong when a chip is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Between card and reader.
    Fault(CardFault),
    /// It is a copy of the card, whose counter begins again.
    Copy,
}

/// A chip in a reader.
pub struct Inserted {
    pub chip: Chip,
    pub fault: Option<CardFault>,
}

impl CardReader for Inserted {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        let heard = match self.fault {
            Some(fault) => fault.disturb(command),
            None => Some(command.to_vec()),
        };
        let mut chip = self.chip.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map_or_else(CardBytes::default, |command| chip.exchange(&command))
    }
}

impl Core {
    /// What happens to the chip of the next sale of a till.
    pub fn chip_trouble(&mut self, terminal: u8) -> Option<Trouble> {
        let number = self.oracle.sales.len() as u32;
        let draw = self.fires(Fault::Chip, CHIPS + u32::from(terminal), number)?;
        Some(match draw % 3 {
            0 => Trouble::Fault(CardFault::Pulled),
            1 => Trouble::Fault(CardFault::AnswerBent),
            _ => Trouble::Copy,
        })
    }
}

/// The PIN that a holder enters.
pub fn pin(wrong: bool) -> Pin {
    Pin::parse(if wrong { b"654321" } else { PIN }).expect("digits")
}
