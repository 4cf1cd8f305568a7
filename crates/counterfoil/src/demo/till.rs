//! A till of the demo: a terminal in its own journal, a breakable hop to the acquirer, a virtual printer.

use super::shop::Shop;
use super::world::World;
use crate::config::Problem;
use crate::config::security::PartyModule;
use crate::config::terminal::{TerminalFile, TestCard};
use crate::driver::{DriverHandle, random};
use crate::fault::Hop;
use crate::fleet::{Fleet, Input};
use crate::party::{self, Running, Shown};
use crate::printer::Bench;
use crate::sandbox_card::SandboxCard;
use crypto::{Pan, SecurityModule};
use iso8583::frame::Framing;
use payment::{Amount, Kind, MerchantId, SaleKey, Surroundings, TerminalId};
use receipt::Paper;
use std::sync::Mutex;
use std::time::Duration;
use terminal::kernel::Interface;
use terminal::{Command, Presented, Screen, Terminal};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a screen may take to come before the story is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A till.
#[derive(Debug)]
pub(super) struct Till {
    running: Option<Running<Fleet>>,
    shown: mpsc::UnboundedReceiver<Shown>,
    file: TerminalFile,
    module: PartyModule,
    /// Terminal to acquirer.
    pub hop: Hop,
    /// The receipt printer.
    pub printer: Bench,
}

impl Till {
    /// Sets a till up and signs it on.
    pub async fn start(world: &World, number: usize) -> Result<Self, Problem> {
        let mut file = world.till(number);
        let problem = |error: std::io::Error| error.to_string();
        let hop = Hop::start(file.acquirer, Framing::Terminal)
            .await
            .map_err(problem)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(problem)?;
        file.printer = Some(listener.local_addr().map_err(problem)?.into());
        file.acquirer = hop.address();
        let printer = Bench::new(Paper::Mm58);
        tokio::spawn(printer.clone().serve(listener));
        let (_, module) = file.resolve()?;
        let (running, shown) = party::terminals(&file)?;
        let mut till = Self {
            running: Some(running),
            shown,
            file,
            module,
            hop,
            printer,
        };
        till.command(Command::SignOn)?;
        till.wait(|screen| matches!(screen, Screen::SignedOn))
            .await?;
        till.has_downloaded().await?;
        Ok(till)
    }

    /// The till as others work it, and what it shows.
    pub fn hand_over(self) -> Result<(Shop, mpsc::UnboundedReceiver<Shown>), Problem> {
        let merchant = self.merchant()?;
        let shop = Shop {
            handle: self
                .running
                .as_ref()
                .ok_or("the till is off")?
                .handle()
                .clone(),
            running: Mutex::new(self.running),
            card: self.file.cards.first().ok_or("no test card")?.clone(),
            terminal: TerminalId::parse(self.file.id.as_bytes()).ok_or("no terminal number")?,
            merchant,
            module: Mutex::new(self.module),
            file: self.file,
            hop: self.hop,
            printer: self.printer,
        };
        Ok((shop, self.shown))
    }

    /// Waits until everything that its sign-on made it fetch is there: a story's faults are for what it is about.
    async fn has_downloaded(&self) -> Result<(), Problem> {
        let downloaded = || async {
            let look = self.look(|terminal| {
                let downloads = terminal.state().downloads();
                let idle = terminal.state().exchange().is_none();
                (idle && downloads.wanted().next().is_none()).then_some(())
            });
            look.await.ok().flatten()
        };
        let done = super::until(PATIENCE, downloaded).await;
        done.ok_or_else(|| "the till did not finish its downloads".to_owned())
    }

    /// Presses a key.
    pub fn command(&self, command: Command) -> Result<(), Problem> {
        let running = self.running.as_ref().ok_or("the till is off")?;
        let input = Input::One(0, Box::new(terminal::Input::Cashier(command)));
        running
            .handle()
            .send(input)
            .map_err(|refused| format!("{refused:?}"))
    }

    /// A sale with the sample debit card and its PIN.
    pub async fn sell(&mut self, amount: Amount) -> Result<SaleKey, Problem> {
        let presented = self.present().await?;
        self.ring_up(amount, presented).await
    }

    async fn ring_up(&mut self, amount: Amount, presented: Presented) -> Result<SaleKey, Problem> {
        self.command(Command::sale(amount, presented))?;
        self.confirming().await
    }

    /// The cardholder presents the sample debit card and enters its PIN.
    pub async fn present(&self) -> Result<Presented, Problem> {
        let card = self.file.cards.first().ok_or("no test card")?;
        self.present_card(&card.name).await
    }

    fn card(&self, name: &str) -> Result<&TestCard, Problem> {
        let found = self.file.cards.iter().find(|card| card.name == name);
        found.ok_or_else(|| format!("no test card {name}"))
    }

    /// A test card as this kind wants it: its number typed where nobody presents it.
    pub async fn bring(&self, kind: Kind, name: &str) -> Result<Presented, Problem> {
        if !kind.row().keyed {
            return self.present_card(name).await;
        }
        let card = self.card(name)?.clone();
        let running = self.running.as_ref().ok_or("the till is off")?;
        let module = self.module.clone();
        let look = running.handle().look(move |fleet, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let track = card.track2()?;
            let terminal = fleet.terminal(0)?;
            terminal.key_in(&around, track.pan()?, track.expiry()).ok()
        });
        look.await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(|| "the number could not be taken".to_owned())
    }

    /// The holder of a test card presents it and enters its PIN.
    pub async fn present_card(&self, name: &str) -> Result<Presented, Problem> {
        let card = self.card(name)?.clone();
        let running = self.running.as_ref().ok_or("the till is off")?;
        presented(running.handle(), self.module.clone(), card).await
    }

    /// A sale with the sample chip card of this name, inserted or tapped; its holder enters the PIN where it is wanted.
    pub async fn sell_by_chip(
        &mut self,
        amount: Amount,
        name: &str,
        interface: Interface,
    ) -> Result<SaleKey, Problem> {
        let named = self.file.cards.iter().find(|card| card.name == name);
        let card = named.ok_or("no such test card")?.clone();
        let running = self.running.as_ref().ok_or("the till is off")?;
        // The tills of the demo share the card, and so its counter.
        let reader = SandboxCard::open(&card, self.file.data.parent())?;
        let (module, pin) = (self.module.clone(), card.entered_pin());
        let presented = reader
            .present(running.handle(), module, interface, amount, pin)
            .await?
            .map_err(|_| "the chip could not be read")?;
        self.ring_up(amount, presented).await
    }

    /// Scans the customer's code, or shows an order.
    pub async fn scan(
        &mut self,
        kind: Kind,
        amount: Amount,
        code: Option<Pan>,
    ) -> Result<SaleKey, Problem> {
        let running = self.running.as_ref().ok_or("the till is off")?;
        let module = self.module.clone();
        let look = running.handle().look(move |fleet, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &|| [0; 32],
            };
            let terminal = fleet.terminal(0)?;
            let code = code.or_else(|| terminal.order_number())?;
            terminal.scan(&around, code).ok()
        });
        let scanned = look.await.map_err(|refused| format!("{refused:?}"))?;
        let scanned = scanned.ok_or("the code could not be read")?;
        self.command(Command::scan(kind, amount, scanned))?;
        self.confirming().await
    }

    async fn confirming(&mut self) -> Result<SaleKey, Problem> {
        let asked = |screen: &Screen| matches!(screen, Screen::Confirming(_) | Screen::Busy(_));
        match self.wait(asked).await? {
            Screen::Confirming(key) => Ok(key),
            other => Err(format!("the till answered {other:?}")),
        }
    }

    /// A test card, as one that receives.
    pub async fn receiving(&self, name: &str) -> Result<crypto::Card, Problem> {
        let card = self.card(name)?;
        let number = Pan::parse(card.pan.as_bytes()).map_err(|_| format!("test card {name}"))?;
        let running = self.running.as_ref().ok_or("the till is off")?;
        let module = self.module.clone();
        let sealed = running
            .handle()
            .look(move |_, now| module.card(&number, now.wall.day()).ok());
        sealed
            .await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(|| "the card number could not be sealed".to_owned())
    }

    /// Looks at the terminal.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Terminal) -> Option<T> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        let running = self.running.as_ref().ok_or("the till is off")?;
        running
            .handle()
            .look(move |fleet, _| fleet.terminal(0).and_then(look))
            .await
            .map_err(|refused| format!("{refused:?}"))
    }

    /// The merchant it belongs to.
    pub fn merchant(&self) -> Result<MerchantId, Problem> {
        let merchant = MerchantId::parse(self.file.merchant.as_bytes());
        merchant.ok_or_else(|| format!("{}: no merchant number", self.file.merchant))
    }

    /// Waits for a screen.
    pub async fn wait(&mut self, wanted: impl Fn(&Screen) -> bool) -> Result<Screen, Problem> {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some((_, screen)) = self.shown.recv().await {
                if wanted(&screen) {
                    return Some(screen);
                }
            }
            None
        });
        found
            .await
            .ok()
            .flatten()
            .ok_or_else(|| "the till did not show what was expected".to_owned())
    }

    /// Switches the till off.
    pub async fn switch_off(&mut self) -> Result<(), Problem> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        tokio::task::spawn_blocking(move || running.stop())
            .await
            .map_err(|error| error.to_string())?
    }

    /// Switches it on again, on its journal.
    pub fn switch_on(&mut self) -> Result<(), Problem> {
        let (running, shown) = party::terminals(&self.file)?;
        (self.running, self.shown) = (Some(running), shown);
        Ok(())
    }

    /// Slips on paper: unmarked ones and marked copies.
    pub fn slips(&self) -> (usize, usize) {
        self.printer.with(|printer| {
            let marked = printer
                .papers()
                .iter()
                .filter(|slip| slip.text.contains("DUPLICATED"))
                .count();
            (printer.papers().len() - marked, marked)
        })
    }

    /// The text of everything on paper.
    pub fn paper(&self) -> String {
        self.printer.with(|printer| {
            printer
                .papers()
                .iter()
                .map(|slip| slip.text.clone())
                .collect::<Vec<_>>()
                .join("\n")
        })
    }
}

/// A test card at the first terminal, with the PIN that its holder enters.
pub(super) async fn presented(
    terminals: &DriverHandle<Fleet>,
    module: PartyModule,
    card: TestCard,
) -> Result<Presented, Problem> {
    let look = terminals.look(move |fleet, now| {
        let around = Surroundings {
            module: &module,
            now,
            random: &random,
        };
        let (track, pin) = (card.track2()?, card.entered_pin());
        fleet
            .terminal(0)?
            .present(&around, track, pin.as_ref())
            .ok()
    });
    look.await
        .map_err(|refused| format!("{refused:?}"))?
        .ok_or_else(|| "the card could not be read".to_owned())
}
