//! Double entry over integer minor units: accounts, transfers, pending, posted, voided, expired.
//!
//! Invariants, for each currency and after every [`Entry`]:
//! * debits equal credits, posted and pending apart;
//! * an account whose overdraft is forbidden is never overdrawn, and a hold counts against what is available;
//! * a hold is resolved once, a transfer is reversed once, an id is used once;
//! * memory is bounded by [`Limits`].
//!
//! A [`Ledger`] is nothing but its entries applied in order: [`Ledger::check`] says whether an entry may be recorded,
//! [`Ledger::apply`] changes the balances. There is no clock here: who records [`Entry::ExpireHold`] knows that the time
//! has come ([`Ledger::next_expiry`]).
//!
//! Absent on purpose: several partial posts of one hold (one resolution only; what is not posted is released), an
//! increment of a hold (place a second hold), tombstones for reversals that come before their original (a reversal of an
//! unknown transfer is [`LedgerError::NotFound`]; the party remembers it), linked transfers, rates between currencies.
//!
//! Every entry maps to one TigerBeetle transfer, so that an adapter stays possible: `Post` is a plain transfer, `Hold` a
//! `pending` one, `PostHold` is `post_pending_transfer`, `VoidHold` and `ExpireHold` are `void_pending_transfer` (our expiry
//! is journalled instead of `timeout`), and `Reverse` is a plain transfer with the two accounts exchanged.

mod account;
mod audit;
mod books;
mod entry;
mod error;

pub use account::{AccountId, AccountRules, Balance, Currency, Overdraft, Side, TOTAL_MAX};
pub use audit::AuditError;
pub use books::{Ledger, Limits, TransferState};
pub use entry::{Entry, Transfer, TransferId};
pub use error::LedgerError;
