//! Test cards at the till: swiped, inserted or tapped.

use super::screen::chip_words;
use super::{Failure, Till};
use crate::config::terminal::TestCard;
use crate::driver::random;
use crate::sandbox_card::SandboxCard;
use payment::{Kind, Surroundings};
use terminal::kernel::Interface;
use terminal::{Command, Presented};

impl Till {
    /// `insert AMOUNT [CARD]`, `tap AMOUNT [CARD]`: the holder enters the PIN where it is wanted.
    pub(super) async fn by_chip(
        &self,
        interface: Interface,
        amount: &str,
        card: &[&str],
    ) -> Result<(), Failure> {
        let amount = self.amount(Kind::Purchase, amount)?;
        let card = self.test_card(card.first().copied())?;
        let reader = SandboxCard::open(&card, Some(&self.file.data))?;
        let module = self.module.clone();
        let presented = reader
            .present(&self.handle, module, interface, amount, card.entered_pin())
            .await?
            .map_err(|problem| self.say(chip_words(&problem)).to_owned())?;
        self.press(Command::sale(amount, presented))
    }

    fn test_card(&self, name: Option<&str>) -> Result<TestCard, Failure> {
        let found = self
            .file
            .cards
            .iter()
            .find(|c| name.is_none_or(|name| c.name == name));
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.file.cards.iter().map(|c| c.name.as_str()).collect();
            format!(
                "{} {}",
                self.say(("可用的测试卡：", "test cards:")),
                names.join(" ")
            )
        })
    }

    /// The holder of a test card has it swiped and enters the PIN.
    pub(super) async fn present(&self, card: Option<&str>) -> Result<Presented, Failure> {
        let card = self.test_card(card)?;
        let module = self.module.clone();
        let look = self.handle.look(move |fleet, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let (terminal, track) = (fleet.terminal(0)?, card.track2()?);
            if terminal.judge_swipe(&track).is_err() {
                return Some(None);
            }
            let pin = card.entered_pin();
            let presented = terminal.present(&around, track, pin.as_ref());
            presented.ok().map(Some)
        });
        look.await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(|| "the card could not be read".to_owned())?
            .ok_or_else(|| {
                let words = (
                    "这张卡有芯片，请插卡（insert）",
                    "This card has a chip: insert it",
                );
                self.say(words).to_owned()
            })
    }
}
