//! What a cashier can order at a counter: the same for the text interface and for the page.
//!
//! Nothing here decides about money: it reads the card, makes the command, and gives it to the terminal.

use crate::config::security::PartyModule;
use crate::config::terminal::{TerminalFile, TestCard};
use crate::driver::{DriverHandle, random};
use crate::fleet::{Fleet, Input};
use crate::sandbox_card::SandboxCard;
use crate::till::screen::chip_words;
use crypto::{Card, Pan, SecurityModule};
use payment::kind::{Flow, PinRule, Rail, Row};
use payment::payment_code::Brand;
use payment::{
    Amount, Batch, Kind, LinkReason, Linked, Now, Original, Rrn, SaleKey, Stan, Surroundings,
    TerminalId,
};
use std::sync::{Arc, Mutex, PoisonError};
use terminal::kernel::Interface;
use terminal::{Command, Named, Order, Presented, Terminal};

/// Why something could not be ordered, zh-CN and en.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String, pub String);

impl Refusal {
    /// The same in both.
    fn plain(text: impl ToString) -> Self {
        Self(text.to_string(), text.to_string())
    }

    /// In one language.
    pub fn say(self, zh: bool) -> String {
        if zh { self.0 } else { self.1 }
    }
}

impl From<(&str, &str)> for Refusal {
    fn from((zh, en): (&str, &str)) -> Self {
        Self(zh.to_owned(), en.to_owned())
    }
}

/// A counter: a running terminal, its module, and the cards that the sandbox lends it.
#[derive(Clone, Debug)]
pub struct Counter {
    /// The terminal.
    pub handle: DriverHandle<Fleet>,
    /// Its file.
    pub file: Arc<TerminalFile>,
    /// For cards that are read here.
    module: Arc<Mutex<PartyModule>>,
}

/// Characters of a retrieval reference number; a shorter number is a trace number.
const RRN_LENGTH: usize = 12;

impl Counter {
    /// The counter of a running terminal.
    pub fn new(handle: DriverHandle<Fleet>, module: PartyModule, file: TerminalFile) -> Self {
        Self {
            handle,
            file: Arc::new(file),
            module: Arc::new(Mutex::new(module)),
        }
    }

    fn module(&self) -> PartyModule {
        let module = self.module.lock();
        module.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Presses a key.
    pub fn press(&self, command: Command) -> Result<(), Refusal> {
        let input = Input::One(0, Box::new(terminal::Input::Cashier(command)));
        self.handle.send(input).map_err(Refusal::plain)
    }

    /// Looks at the terminal in its turn.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Terminal, Now) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let looked = self
            .handle
            .look(move |fleet, now| fleet.terminal(0).map(|terminal| look(terminal, now)));
        looked
            .await
            .map_err(Refusal::plain)?
            .ok_or_else(|| Refusal::plain("no terminal"))
    }

    /// Orders a transaction of a kind with the card of this name or the code that was scanned; without one it goes over
    /// the card of the original.
    pub async fn transact(
        &self,
        kind: Kind,
        amount: Option<Amount>,
        original: Option<Named>,
        shown: Option<&str>,
        to: Option<Card>,
    ) -> Result<(), Refusal> {
        let row = kind.row();
        let own = matches!(original, Some(Named::Own(_)));
        let presented = match shown {
            // The buyer confirms with card and PIN.
            None if own && row.pin != PinRule::Always => None,
            shown if row.rail == Rail::Wallet => Some(self.scan(kind, shown).await?),
            shown => Some(self.bring(kind, shown).await?),
        };
        self.press(Command::Transact(Box::new(Order {
            kind,
            amount,
            presented,
            original,
            linked: None,
            to,
        })))
    }

    /// A purchase with the chip of a test card; its holder enters the PIN where it is wanted.
    pub async fn by_chip(
        &self,
        interface: Interface,
        amount: Amount,
        card: Option<&str>,
    ) -> Result<(), Refusal> {
        let card = self.test_card(card)?;
        let reader = SandboxCard::open(&card, Some(&self.file.data)).map_err(Refusal::plain)?;
        let module = self.module();
        let presented = reader
            .present(&self.handle, module, interface, amount, card.entered_pin())
            .await
            .map_err(Refusal::plain)?
            .map_err(|problem| Refusal::from(chip_words(&problem)))?;
        self.press(Command::sale(amount, presented))
    }

    /// The card as this kind wants it: its number typed where nobody presents it, else swiped.
    async fn bring(&self, kind: Kind, card: Option<&str>) -> Result<Presented, Refusal> {
        match kind.row().keyed {
            true => self.key_in(card).await,
            false => self.swipe(card).await,
        }
    }

    /// Number and expiry of a test card are typed, as they were told by telephone.
    async fn key_in(&self, card: Option<&str>) -> Result<Presented, Refusal> {
        let card = self.test_card(card)?;
        let module = self.module();
        let look = self.look(move |terminal, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let track = card.track2()?;
            terminal.key_in(&around, track.pan()?, track.expiry()).ok()
        });
        let unreadable = ("卡号没有输入成功", "the number could not be taken");
        look.await?.ok_or_else(|| Refusal::from(unreadable))
    }

    /// The card that receives an amount: a test card by its name, or any card by its number.
    pub async fn receiving(&self, card: &str) -> Result<Card, Refusal> {
        let known = self.file.cards.iter().find(|known| known.name == card);
        let number = known.map_or(card, |card| card.pan.as_str());
        let unreadable = (
            "转入卡号读不出",
            "the number of the receiving card cannot be read",
        );
        let number = Pan::parse(number.as_bytes()).map_err(|_| Refusal::from(unreadable))?;
        let module = self.module();
        let look = self.look(move |_, now| module.card(&number, now.wall.day()).ok());
        look.await?.ok_or_else(|| Refusal::from(unreadable))
    }

    /// The holder of a test card has it swiped and enters the PIN.
    async fn swipe(&self, card: Option<&str>) -> Result<Presented, Refusal> {
        let card = self.test_card(card)?;
        let module = self.module();
        let look = self.look(move |terminal, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let track = card.track2()?;
            if terminal.judge_swipe(&track).is_err() {
                return Some(None);
            }
            let pin = card.entered_pin();
            let presented = terminal.present(&around, track, pin.as_ref());
            presented.ok().map(Some)
        });
        let unreadable = ("这张卡读不出", "the card could not be read");
        look.await?
            .ok_or_else(|| Refusal::from(unreadable))?
            .ok_or_else(|| {
                Refusal::from((
                    "这张卡有芯片，请插卡（insert）",
                    "This card has a chip: insert it",
                ))
            })
    }

    /// The code that the customer shows is scanned; an order that the customer scans has a number of its own.
    async fn scan(&self, kind: Kind, code: Option<&str>) -> Result<Presented, Refusal> {
        let code = match (kind, code) {
            (Kind::WalletSale, Some(text)) => {
                let brand = Brand::of(text.as_bytes());
                let code = brand.and_then(|_| Pan::parse(text.as_bytes()).ok());
                let words = ("这不是付款码", "this is no payment code");
                Some(code.ok_or_else(|| Refusal::from(words))?)
            }
            (Kind::WalletOrder, None) => None,
            _ => {
                return Err(Refusal::from((
                    "这种交易不扫码",
                    "no code is scanned for this kind",
                )));
            }
        };
        let module = self.module();
        let look = self.look(move |terminal, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &|| [0; 32],
            };
            let code = code.or_else(|| terminal.order_number())?;
            terminal.scan(&around, code).ok()
        });
        let unreadable = ("付款码读不出", "the code could not be read");
        look.await?.ok_or_else(|| Refusal::from(unreadable))
    }

    /// Takes back a transaction of this till, by whatever kind does that for it.
    pub async fn void(&self, stan: Stan) -> Result<(), Refusal> {
        let look = self.look(move |terminal, _| {
            let mut completed = terminal.state().completed().rev();
            completed
                .find_map(|c| takes_back(c.sale.kind.row()).filter(|_| c.sale.key.stan == stan))
        });
        let kind = look.await?.unwrap_or(Kind::Void);
        self.press(Command::about(kind, stan, None))
    }

    /// The refused charge once more, in place of the unresolved sale; with the supervisor's reason also in place of this
    /// till's own sale that the acquirer reverses.
    pub async fn anyway(&self, reason: LinkReason, card: Option<&str>) -> Result<(), Refusal> {
        let look = self.look(|terminal, _| {
            let state = terminal.state();
            let refused = state.refused().map(|r| (r.sale, r.earlier));
            refused.or(state.open().map(|open| (open.sale, open.sale.key)))
        });
        let nothing = ("没有被拦下的刷卡", "No charge was held back");
        let (sale, earlier) = look.await?.ok_or_else(|| Refusal::from(nothing))?;
        let presented = self.bring(sale.kind, card).await?;
        self.press(Command::Transact(Box::new(Order {
            kind: sale.kind,
            amount: Some(sale.amount),
            presented: Some(presented),
            original: None,
            linked: Some(Linked { earlier, reason }),
            to: None,
        })))
    }

    /// A sale of this till by its trace number, or any of the merchant's by terminal, batch and trace number.
    pub async fn sale_named(&self, text: &str) -> Result<SaleKey, Refusal> {
        let unreadable = || Refusal::plain(format!("{text}: TRACE, TERMINAL/BATCH/TRACE?"));
        let parts: Vec<&str> = text.split('/').collect();
        let (terminal, batch, stan) = match parts.as_slice() {
            [stan] => (None, None, *stan),
            [terminal, batch, stan] => (Some(*terminal), Some(*batch), *stan),
            _ => return Err(unreadable()),
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| unreadable());
        let stan = Stan(number(stan)?);
        let batch = batch.map(number).transpose()?.map(Batch);
        let terminal = match terminal {
            Some(text) => Some(TerminalId::parse(text.as_bytes()).ok_or_else(unreadable)?),
            None => None,
        };
        self.look(move |till, _| SaleKey {
            terminal: terminal.unwrap_or(till.config().terminal),
            merchant: till.config().merchant,
            batch: batch.unwrap_or(till.state().batch()),
            stan,
        })
        .await
    }

    fn test_card(&self, name: Option<&str>) -> Result<TestCard, Refusal> {
        let cards = &self.file.cards;
        let found = cards
            .iter()
            .find(|card| name.is_none_or(|name| card.name == name));
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
            let names = names.join(" ");
            Refusal(
                format!("可用的测试卡： {names}"),
                format!("test cards: {names}"),
            )
        })
    }
}

/// The kind that takes a transaction back: a wallet takes back by a refund of all.
pub fn takes_back(row: &Row) -> Option<Kind> {
    match row.rail {
        Rail::Card => row.void,
        Rail::Wallet => row.refund,
    }
}

/// Why a card may be charged in place of another sale.
pub fn charge_reasons() -> impl Iterator<Item = LinkReason> {
    let all = LinkReason::ALL.into_iter();
    all.filter(|reason| *reason != LinkReason::Cash)
}

/// An amount that is charged, in the unit of its kind.
pub fn amount(kind: Kind, text: &str) -> Result<Amount, Refusal> {
    Amount::parse_yuan(text)
        .filter(|amount| amount.minor > 0)
        .map(|amount| Amount {
            currency: kind.row().unit,
            ..amount
        })
        .ok_or_else(|| {
            Refusal(
                format!("{text}: 金额应如 128 或 128.00"),
                format!("{text}: an amount such as 128 or 128.00"),
            )
        })
}

/// Kinds that a cashier orders.
pub fn orderable() -> impl Iterator<Item = Kind> {
    let flows = [Flow::Online, Flow::Advice, Flow::Stored];
    Kind::ALL.iter().copied().filter(move |kind| {
        let row = kind.row();
        // A script result is the terminal's own errand.
        let ordered = row.moves_money() || row.original.is_none();
        row.processing.is_some() && ordered && flows.contains(&row.flow)
    })
}

/// The kind that a word names: `pre-auth`, `预授权`; `sale` for a purchase, `pay` and `order` for a wallet's two ways.
pub fn kind_named(word: &str) -> Option<Kind> {
    match word {
        "sale" => return Some(Kind::Purchase),
        "pay" => return Some(Kind::WalletSale),
        "order" => return Some(Kind::WalletOrder),
        _ => {}
    }
    orderable().find(|kind| word == kind.row().zh || word == command_name(*kind))
}

/// The kind's name in lower case with hyphens: `pre-auth-void`.
pub fn command_name(kind: Kind) -> String {
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// An earlier transaction: one of this till by its trace number, any by its twelve-character reference.
pub fn named_original(word: &str) -> Result<Named, Refusal> {
    if word.len() == RRN_LENGTH {
        let unreadable = || Refusal::plain(format!("{word}: reference number?"));
        let rrn = Rrn::parse(word.as_bytes()).ok_or_else(unreadable)?;
        return Ok(Named::Typed(Original {
            batch: Batch(0),
            stan: Stan(0),
            date: 0,
            rrn: Some(rrn),
            approval: None,
        }));
    }
    let stan = word
        .parse()
        .map_err(|_| Refusal::plain(format!("{word}: trace number?")))?;
    Ok(Named::Own(Stan(stan)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_names() {
        for kind in orderable() {
            assert_eq!(kind_named(&command_name(kind)), Some(kind));
            assert_eq!(kind_named(kind.row().zh), Some(kind));
        }
        assert_eq!(command_name(Kind::PreAuthVoid), "pre-auth-void");
        assert_eq!(kind_named("reversal"), None);
    }
}
