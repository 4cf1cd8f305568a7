//! The terminal driven with real frames against an acquirer that does as it is told.

mod advices;
mod batch;
mod cash;
mod cashier;
mod chip;
mod downloads;
mod eslip;
mod host;
mod kernel;
mod money;
mod notice;
mod positive_sign;
mod printing;
mod query;
mod restart;
mod reversal;
mod sale;
mod scanning;
mod sign_on;
mod walk;
mod world;

#[cfg(feature = "planted")]
mod planted;
