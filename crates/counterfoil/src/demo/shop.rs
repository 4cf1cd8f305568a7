//! The demo's shop: one till that pages work, with a hop, a printer and a clock that break.

use super::till::presented;
use crate::config::Problem;
use crate::config::security::PartyModule;
use crate::config::terminal::{TerminalFile, TestCard};
use crate::driver::DriverHandle;
use crate::fault::Hop;
use crate::fleet::{Fleet, Input};
use crate::party::{Running, Shown};
use crate::printer::Bench;
use crate::till::{self, Screens};
use crypto::Pan;
use payment::{Amount, MerchantId, SaleKey, TerminalId};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use terminal::Command;
use tokio::sync::mpsc::UnboundedReceiver;

/// The shop's till.
#[derive(Debug)]
pub(super) struct Shop {
    pub handle: DriverHandle<Fleet>,
    /// Kept alive; taken when the demo ends.
    pub running: Mutex<Option<Running<Fleet>>>,
    pub file: TerminalFile,
    pub module: Mutex<PartyModule>,
    pub card: TestCard,
    pub terminal: TerminalId,
    pub merchant: MerchantId,
    /// Till to acquirer.
    pub hop: Hop,
    /// The receipt printer.
    pub printer: Bench,
}

impl Shop {
    /// A sale with the sample debit card; the key that it has.
    pub async fn charge(&self, amount: Amount) -> Result<SaleKey, Problem> {
        let module = self
            .module
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let presented = presented(&self.handle, module, self.card.clone()).await?;
        let look = self.handle.look(move |fleet, _| {
            let terminal = fleet
                .terminal(0)
                .filter(|terminal| terminal.busy().is_none())?;
            Some((terminal.state().batch(), terminal.state().next_stan()))
        });
        let free = look.await.map_err(|refused| format!("{refused:?}"))?;
        let (batch, stan) = free.ok_or("the till is busy")?;
        let input = terminal::Input::Cashier(Command::sale(amount, presented));
        self.handle
            .send(Input::One(0, Box::new(input)))
            .map_err(|refused| format!("{refused:?}"))?;
        Ok(SaleKey {
            terminal: self.terminal,
            merchant: self.merchant,
            batch,
            stan,
        })
    }

    /// Opens the till's page; `public` is where the cardholder's pages are.
    pub async fn open(
        &self,
        address: SocketAddr,
        shown: UnboundedReceiver<Shown>,
        public: String,
    ) -> Result<SocketAddr, Problem> {
        // The page is the only one who looks.
        let (screens, _) = Screens::watch(shown);
        let module = self
            .module
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        till::open(
            address,
            &self.file,
            self.handle.clone(),
            module,
            screens,
            Some(public),
        )
        .await
    }

    /// Switches the till off. Blocks: not for a runtime thread.
    pub fn stop(&self) -> Result<(), String> {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        running.map_or(Ok(()), Running::stop)
    }

    /// The sample debit card's number.
    pub fn card_number(&self) -> Result<Pan, Problem> {
        Pan::parse(self.card.pan.as_bytes()).map_err(|error| format!("{error:?}"))
    }
}
