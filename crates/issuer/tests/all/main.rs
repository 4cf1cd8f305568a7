//! The bank against rows of requests, real frames, replays and random histories.

mod barter;
mod chip;
mod frames;
mod histories;
mod kinds;
mod ladder;
#[cfg(feature = "planted")]
mod planted;
mod reversals;
mod world;
