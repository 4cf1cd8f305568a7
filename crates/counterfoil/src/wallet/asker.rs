//! Carries an acquirer's questions to its wallet's provider, and the answers back as inputs.
//!
//! No answer is no input: the acquirer asks again by itself.

use super::{ATTEMPT_MS, Job, OrderName, SandboxWallet, WalletLine};
use crate::config::acquirer::WalletText;
use crate::config::security::PartyModule;
use crate::driver::DriverHandle;
use acquirer::wallet::{Ask, WalletRequest};
use acquirer::{Acquirer, Input};
use crypto::{Card, SecurityModule};
use payment::{Rrn, SaleKey};
use std::sync::{Arc, Mutex, PoisonError};

/// The way from an acquirer to its wallet's provider.
pub(crate) struct WalletAsker {
    line: WalletLine,
    module: Mutex<PartyModule>,
    handle: DriverHandle<Acquirer>,
}

impl WalletAsker {
    pub(crate) fn start(
        text: &WalletText,
        module: PartyModule,
        handle: DriverHandle<Acquirer>,
    ) -> Self {
        let provider = SandboxWallet::new(&text.url, text.credentials(), ATTEMPT_MS);
        Self {
            line: WalletLine::start(Arc::new(provider)),
            module: Mutex::new(module),
            handle,
        }
    }

    /// Asks; the scanned code is opened for a payment alone.
    pub(crate) fn ask(&self, request: WalletRequest<SaleKey>, rrn: Rrn, card: &Card) {
        let code = match request.what {
            Ask::Pay => {
                let module = self.module.lock().unwrap_or_else(PoisonError::into_inner);
                module.open_pan(&card.sealed).ok()
            }
            _ => None,
        };
        let (key, ask, handle) = (request.key, request.ask, self.handle.clone());
        self.line.ask(Job {
            order: order_name(&request, rrn),
            what: request.what,
            code,
            tell: Box::new(move |said| {
                if let Ok(answer) = said {
                    // A party that stopped asks again when it is back.
                    let _ = handle.send(Input::Wallet { key, ask, answer });
                }
            }),
        });
    }
}

/// Reference number, terminal, batch and trace number: unique for ever.
fn order_name(request: &WalletRequest<SaleKey>, rrn: Rrn) -> OrderName {
    let key = request.key;
    let number = format!("{rrn}{}{}{}", key.terminal, key.batch, key.stan);
    OrderName {
        number: number.chars().filter(char::is_ascii_alphanumeric).collect(),
        merchant: key.merchant.to_string(),
        amount: request.amount,
    }
}
