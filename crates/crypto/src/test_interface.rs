//! The module test interface: runs one row of the reference vectors through the very functions that production runs.
//!
//! Invariant: exists only under the cargo feature `vectors`, keeps no state, takes and gives text only, never panics, and names
//! what it does not support.

mod cards;
mod ciphers;
mod dukpt;
mod hashes;
mod inputs;
mod key_blocks;
mod macs;
mod pins;

use crate::{
    card_data::CardDataError,
    key_block::KeyBlockError,
    module::SecurityError,
    vectors::{REJECT, write_named},
};
use core::fmt;
use inputs::Inputs;
use std::collections::BTreeMap;

/// What a row came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One value: upper-case hex or digits.
    Value(String),
    /// Several named values.
    Values(BTreeMap<String, String>),
    /// The inputs are well-formed and refused, as a row with the output `REJECT` wants.
    Rejected(Rejection),
    /// The algorithm is not implemented here.
    Unsupported,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.write_str(value),
            Self::Values(values) => write_named(f, values),
            Self::Rejected(reason) => write!(f, "{REJECT} ({reason})"),
            Self::Unsupported => f.write_str("unknown"),
        }
    }
}

/// Why well-formed inputs are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// By the security module.
    Module(SecurityError),
    /// By the reader of key blocks.
    KeyBlock(KeyBlockError),
    /// By the reader of card data.
    CardData(CardDataError),
    /// The serial number is the device's last: its keys are used up.
    Exhausted,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(error) => error.fmt(f),
            Self::KeyBlock(error) => error.fmt(f),
            Self::CardData(error) => error.fmt(f),
            Self::Exhausted => f.write_str("serial number is the last"),
        }
    }
}

/// An input that the algorithm needs is absent or malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Name of the input.
    pub name: &'static str,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input {} is absent or malformed", self.name)
    }
}

impl core::error::Error for InputError {}

/// Runs one algorithm of a family, or says that it is of another.
type Family = fn(&str, &Inputs<'_>) -> Result<Option<Outcome>, InputError>;

const FAMILIES: [Family; 7] = [
    ciphers::check,
    macs::check,
    pins::check,
    cards::check,
    dukpt::check,
    key_blocks::check,
    hashes::check,
];

/// Runs `algorithm` over named inputs: bytes in hex, numbers in decimal.
pub fn check(algorithm: &str, inputs: &BTreeMap<String, String>) -> Result<Outcome, InputError> {
    let inputs = Inputs(inputs);
    for family in FAMILIES {
        if let Some(outcome) = family(algorithm, &inputs)? {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Unsupported)
}
