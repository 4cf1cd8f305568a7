//! Chip cards of the sandbox: cards in software whose memory outlives the process, and what may be wrong with one.
//!
//! Invariant: a counter is on disk before its cryptogram leaves the card, so no restart uses it twice.

use crate::config::Problem;
use crate::config::terminal::{CardFault, TestCard};
use crypto::{CardBytes, CardMemory, ChipCard, ChipProfile, Pan};
use std::path::{Path, PathBuf};
use terminal::kernel::CardReader;

/// Where the memories are, below the terminal's data directory.
const FOLDER: &str = "cards";

/// A card in the reader.
#[derive(Debug)]
pub struct SandboxCard {
    card: ChipCard,
    fault: Option<CardFault>,
    /// Where its memory is; `None` for a card that is used up with this process.
    memory: Option<PathBuf>,
}

impl SandboxCard {
    /// Personalises a test card with its own keys and gives it back what it remembers below `data`.
    ///
    /// # Errors
    /// Keys or numbers that are none, or a memory that cannot be read: a card without it would repeat its counters.
    pub fn open(card: &TestCard, data: Option<&Path>) -> Result<Self, Problem> {
        let name = &card.name;
        let chip = card.chip.as_ref();
        let chip = chip.ok_or_else(|| format!("card {name} has no chip"))?;
        let pan =
            Pan::parse(card.pan.as_bytes()).map_err(|_| format!("card {name}: 12 to 19 digits"))?;
        let mut profile = ChipProfile::unionpay(pan);
        profile.expiry = card.expiry;
        profile.sequence = chip.sequence_digits()?;
        let imk = chip.imk.clear("imk")?;
        let smi = chip.smi.clear("smi")?;
        // Two test cards of one number are one card, or an original and its forgery: they share its counter.
        let sequence = &chip.sequence;
        let file_name =
            format!("{}-{sequence}.json", receipt::mask_pan(&card.pan)).replace('*', "x");
        let card = ChipCard::personalise(profile, &imk, &smi);
        let mut opened = Self {
            card: card.map_err(|error| format!("card {name}: {error}"))?,
            fault: chip.fault,
            memory: data.map(|data| data.join(FOLDER).join(file_name)),
        };
        opened.remember()?;
        Ok(opened)
    }

    fn remember(&mut self) -> Result<(), Problem> {
        let Some(file) = &self.memory else {
            return Ok(());
        };
        let problem = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = match std::fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(problem(&error)),
        };
        let memory: CardMemory = serde_json::from_slice(&text).map_err(|error| problem(&error))?;
        self.card.restore(memory);
        Ok(())
    }

    /// Writes the memory beside the old one and puts it in its place.
    fn keep(&self) -> std::io::Result<()> {
        let Some(file) = &self.memory else {
            return Ok(());
        };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let new = file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&self.card.memory())?)?;
        std::fs::rename(new, file)
    }
}

/// EXTERNAL AUTHENTICATE, and GENERATE AC behind it.
const AUTHENTICATE: u8 = 0x82;
const GENERATE: u8 = 0xAE;
/// Data of the second GENERATE AC: the authorisation response code in front of what the first one has.
const SECOND_BYTES: u8 = 31;

impl CardReader for SandboxCard {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        let mut command = command.to_vec();
        match (self.fault, command.as_mut_slice()) {
            (Some(CardFault::Unreadable), _) => return CardBytes::default(),
            (Some(CardFault::Pulled), [_, GENERATE, _, _, SECOND_BYTES, ..]) => {
                return CardBytes::default();
            }
            (Some(CardFault::AnswerBent), [_, AUTHENTICATE, _, _, _, first, ..]) => *first ^= 1,
            _ => {}
        }
        let before = self.card.memory();
        let answer = self.card.exchange(&command);
        if self.card.memory() != before
            && let Err(error) = self.keep()
        {
            // As if its chip were worn out: better mute than a counter used twice.
            tracing::error!(%error, "the card's memory could not be written");
            return CardBytes::default();
        }
        answer
    }
}
