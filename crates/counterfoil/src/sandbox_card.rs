//! Chip cards of the sandbox: cards in software whose memory outlives the process, and what may be wrong with one.
//!
//! Invariant: a counter is on disk before its cryptogram leaves the card, so no restart uses it twice.

use crate::config::Problem;
use crate::config::security::PartyModule;
use crate::config::terminal::TestCard;
use crate::driver::{DriverHandle, random};
use crate::fleet::Fleet;
use crypto::{CardBytes, CardFault, CardMemory, ChipCard, ChipProfile, Pan, Pin};
use payment::{Amount, Kind, Surroundings};
use std::path::{Path, PathBuf};
use terminal::kernel::{CardReader, Interface};
use terminal::{ChipProblem, Presentation, Presented};

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
        profile.answer = chip.answer()?;
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

    /// Its holder inserts or taps it for a purchase at the one till of `fleet`, and enters `pin` where it is wanted.
    ///
    /// # Errors
    /// The till is not there; inside, why the chip cannot be used.
    pub async fn present(
        self,
        fleet: &DriverHandle<Fleet>,
        module: PartyModule,
        interface: Interface,
        amount: Amount,
        pin: Option<Pin>,
    ) -> Result<Result<Presented, ChipProblem>, Problem> {
        let look = fleet.look(move |fleet, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let presentation = Presentation {
                interface,
                kind: Kind::Purchase,
                amount,
                pin: pin.as_ref(),
            };
            let terminal = fleet.terminal(0)?;
            Some(terminal.present_chip(&around, Box::new(self), presentation))
        });
        let presented = look.await.map_err(|refused| format!("{refused:?}"))?;
        presented.ok_or_else(|| "no terminal".to_owned())
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

impl CardReader for SandboxCard {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        let heard = match self.fault {
            Some(fault) => fault.disturb(command),
            None => Some(command.to_vec()),
        };
        let Some(command) = heard else {
            return CardBytes::default();
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::terminal::TerminalFile;

    fn card(name: &str) -> TestCard {
        let file: TerminalFile =
            crate::config::parse(include_str!("../../../examples/terminal.toml")).unwrap();
        let named = file.cards.into_iter().find(|card| card.name == name);
        named.unwrap()
    }

    /// Selects the application and begins a transaction, which takes a number; gives the number.
    fn begin(card: &mut SandboxCard) -> Vec<u8> {
        card.exchange(&[0, 0xA4, 4, 0, 7, 0xA0, 0, 0, 3, 0x33, 1, 1]);
        card.exchange(&[&[0x80, 0xA8, 0, 0, 35, 0x83, 33][..], &[0; 33]].concat());
        card.exchange(&[0x80, 0xCA, 0x9F, 0x36, 0]).to_vec()
    }

    #[test]
    fn a_counter_outlives_the_process() {
        let data = tempfile::tempdir().unwrap();
        for (name, number) in [("chip", 1), ("chip", 2), ("forged", 3), ("pulled", 4)] {
            let mut card = SandboxCard::open(&card(name), Some(data.path())).unwrap();
            let answer = [0x9F, 0x36, 2, 0, number, 0x90, 0x00];
            assert_eq!(begin(&mut card), answer, "{name}");
        }
        let mut worn = SandboxCard::open(&card("worn"), Some(data.path())).unwrap();
        assert_eq!(begin(&mut worn), [0; 0]);
        let kept: Vec<_> = std::fs::read_dir(data.path().join(FOLDER))
            .unwrap()
            .collect();
        let [Ok(kept)] = &kept[..] else {
            panic!("one card, one memory: {kept:?}");
        };
        assert_eq!(kept.file_name(), "622848xxxxxx0403-01.json");
        // A memory that does not read is no fresh card.
        std::fs::write(kept.path(), "{").unwrap();
        assert!(SandboxCard::open(&card("chip"), Some(data.path())).is_err());
    }

    /// A card whose memory cannot be written goes mute instead of repeating its number after the next start.
    #[test]
    fn no_cryptogram_without_its_counter_on_disk() {
        let data = tempfile::tempdir().unwrap();
        let mut card = SandboxCard::open(&card("chip"), Some(data.path())).unwrap();
        std::fs::write(data.path().join(FOLDER), "no folder").unwrap();
        card.exchange(&[0, 0xA4, 4, 0, 7, 0xA0, 0, 0, 3, 0x33, 1, 1]);
        let start = [&[0x80, 0xA8, 0, 0, 35, 0x83, 33][..], &[0; 33]].concat();
        assert!(card.exchange(&start).is_empty());
    }
}
