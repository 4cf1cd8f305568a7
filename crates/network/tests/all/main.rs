//! The network driven with real frames: its members have security modules of their own.

mod financial;
mod members;
#[cfg(feature = "planted")]
mod planted;
mod restart;
mod reversal;
mod transfer;
mod world;
