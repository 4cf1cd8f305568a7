//! The bank: cards, PIN, funds, suspense, reversals, notices to the cardholder.
//!
//! Invariants: one request key has one answer and at most one debit (A1, A2, M3); a reversal acts once, and after it the
//! original never debits, whichever came first (M4, M5); nothing is answered or told before it is in a record; the books
//! balance after every record (M2).
//!
//! Absent on purpose: clearing (money waits in suspense, 挂账), unblocking a PIN, changing a card while the party runs,
//! partial approvals and partial reversals, more than one currency, the unpredictable numbers of terminals. A notice whose effect is lost in a crash
//! is not told again: it is told at most once.

mod accounts;
mod books;
mod chip;
mod config;
mod edge;
mod financial;
mod issuer;
mod link;
mod memory;
mod notice;
mod planted;
mod record;
mod refusal;
mod related;
mod reversal;

pub use accounts::{AVAILABLE_FROM, ENTRIES_MAX, LIMITS, RECOVERABLE, SETTLEMENT, SUSPENSE};
pub use chip::COUNTER_STEP_MAX;
pub use config::{CardSetup, CardStatus, ChipKeys, Config, OPENING_MINOR_MAX, Product};
pub use issuer::{CardState, Counters, Issuer, State, SuspenseAge};
pub use link::{Link, LinkKeys, PREVIOUS_KEYS_MS, SIGN_ON_GAP_MS, SIGN_ON_GAP_MS_MAX};
pub use memory::{
    BARRED_RESERVE, EXCHANGES_MAX, Exchange, FORGET_AFTER_MS, Memory, REPEAT_WINDOW_S, Standing,
};
pub use notice::{Notice, NoticeKind};
pub use planted::Bug;
pub use record::{Answered, ChipCheck, Effect, Input, PinCheck, Record, Returned, Tries};
