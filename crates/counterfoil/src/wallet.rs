//! Wallet providers: what an adapter offers, the line of threads that asks it, and the adapter of the sandbox's wallet.
//!
//! An adapter says only what the provider said: anything else is [`NoAnswer`], which changes nothing and is asked again.

mod asker;
mod line;
mod sandbox;
pub mod signing;
pub mod simulator;

pub(crate) use asker::WalletAsker;
pub use line::{Job, QUEUE_MAX, WalletLine};
pub use sandbox::{ATTEMPT_MS, SandboxWallet};

use acquirer::wallet::{Ask, WalletAnswer};
use crypto::Pan;
use payment::Amount;
use std::fmt;

/// An order as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderName {
    /// Our number of it, unique for ever: letters and digits, at most [`NUMBER_MAX`].
    pub number: String,
    /// Whose sale it is.
    pub merchant: String,
    /// How much.
    pub amount: Amount,
}

/// Longest number of an order.
pub const NUMBER_MAX: usize = 40;

/// A provider of wallet payments. Every request may be repeated and must then have the first one's effect and answer; it
/// blocks until the provider has answered, or not answered in time.
///
/// An adapter for a real wallet is this trait with that wallet's addresses, signature and names of states. What the
/// provider lacks is said honestly: a provider that forgets a close or revoke of an order it has never seen answers
/// [`WalletAnswer::NoSuchOrder`] to it.
pub trait WalletProvider: Send + Sync {
    /// Makes an order that the customer pays by scanning its QR code: [`WalletAnswer::Shown`].
    ///
    /// # Errors
    /// As for all of them: nothing is known.
    fn order(&self, order: &OrderName) -> Result<WalletAnswer, NoAnswer>;
    /// Makes an order and pays it with the code that the customer shows.
    ///
    /// # Errors
    /// As above.
    fn pay_with_code(&self, order: &OrderName, code: &Pan) -> Result<WalletAnswer, NoAnswer>;
    /// How an order stands.
    ///
    /// # Errors
    /// As above.
    fn poll(&self, order: &OrderName) -> Result<WalletAnswer, NoAnswer>;
    /// Sees to it that an unpaid order is never paid; a paid one stays as it is and is said to be paid.
    ///
    /// # Errors
    /// As above.
    fn close(&self, order: &OrderName) -> Result<WalletAnswer, NoAnswer>;
    /// Undoes an order, paid or not.
    ///
    /// # Errors
    /// As above.
    fn revoke(&self, order: &OrderName) -> Result<WalletAnswer, NoAnswer>;
    /// Gives back a part of a paid order; the number tells its refunds apart.
    ///
    /// # Errors
    /// As above.
    fn refund(
        &self,
        order: &OrderName,
        number: u8,
        amount: Amount,
    ) -> Result<WalletAnswer, NoAnswer>;
}

/// Asks the provider what an order wants to know; `code` is needed for [`Ask::Pay`] alone.
///
/// # Errors
/// Nothing is known.
pub fn ask(
    provider: &dyn WalletProvider,
    order: &OrderName,
    what: Ask,
    code: Option<&Pan>,
) -> Result<WalletAnswer, NoAnswer> {
    match what {
        Ask::Order => provider.order(order),
        Ask::Pay => match code {
            Some(code) => provider.pay_with_code(order, code),
            None => Err(NoAnswer::NotAsked("there is no payment code".to_owned())),
        },
        Ask::Poll => provider.poll(order),
        Ask::Close => provider.close(order),
        Ask::Revoke => provider.revoke(order),
        Ask::Refund { number, amount } => provider.refund(order, number, amount),
    }
}

/// Why there is no answer: nothing is known of what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The request did not leave.
    NotAsked(String),
    /// Nobody there, or nothing came back in time.
    Unreachable(String),
    /// The provider refused the request itself, and says why.
    Refused(signing::Refused),
    /// What came back is not signed by the provider for this request.
    NotTheirs,
    /// It is signed, and not understood.
    Unclear(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked(why) => write!(f, "not asked: {why}"),
            Self::Unreachable(why) => write!(f, "no answer: {why}"),
            Self::Refused(refused) => write!(f, "the provider refused the request: {refused}"),
            Self::NotTheirs => f.write_str("what came back is not signed by the provider"),
            Self::Unclear(what) => write!(f, "the answer is not understood: {what}"),
        }
    }
}

impl std::error::Error for NoAnswer {}
