//! The switch between members: sign-on, routing by BIN, in flight, reversals.
//!
//! What the network forwarded and never saw answered, it reverses until the issuer confirms; it never says more of a
//! reversal than the issuer said.
//!
//! The network keeps no account and no terminal. It changes three things in what it passes on: the settlement date
//! (field 15), the zone of the PIN block (field 52) and the receiver (field 100).

mod config;
mod edge;
mod financial;
mod input;
pub mod limits;
mod member;
mod network;
mod planted;
mod record;
mod reversal;
mod state;
mod transfer;

pub use config::{Config, Member, Route};
pub use input::{Effect, Heard, Input, IssuedKeys};
pub use network::Network;
#[cfg(feature = "planted")]
pub use planted::Bug;
pub use record::{Oddity, Record};
pub use state::{Counters, State, Undelivered};
