//! The module test interface: runs one row of the reference vectors through the very functions that production runs, on any
//! engine.
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
mod software;

use crate::{
    card_data::CardDataError,
    engine::Engine,
    key_block::KeyBlockError,
    module::SecurityError,
    software_engine::SoftwareEngine,
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
    /// The engine has no such mechanism, or failed.
    Refused(SecurityError),
    /// The algorithm is not implemented here.
    Unsupported,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.write_str(value),
            Self::Values(values) => write_named(f, values),
            Self::Rejected(reason) => write!(f, "{REJECT} ({reason})"),
            Self::Refused(error) => error.fmt(f),
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

/// An engine that can be held against the vectors: what only rows ask for so far comes on top.
pub trait RowEngine: Engine {
    /// SHA-1, for EMV's option B alone.
    fn sha1(&self, message: &[u8]) -> Result<[u8; 20], SecurityError>;

    /// SM3 (GB/T 32905).
    fn sm3(&self, message: &[u8]) -> Result<[u8; 32], SecurityError>;

    /// HMAC-SHA256 (RFC 2104) over the parts one after another, under a key of any length.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], SecurityError>;

    /// AES-GCM (SP 800-38D) under a key of 16 or 32 bytes: cipher text, then the tag of 16 bytes.
    fn aes_gcm(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        associated: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, SecurityError>;

    /// Argon2id (RFC 9106); `None` for parameters that it does not allow.
    fn argon2id(&self, hash: &PasswordHash<'_>) -> Result<Option<Vec<u8>>, SecurityError>;
}

/// What a password hash is made of.
pub struct PasswordHash<'a> {
    /// The password.
    pub password: &'a [u8],
    /// The salt, at least 8 bytes.
    pub salt: &'a [u8],
    /// The secret kept elsewhere, or nothing.
    pub secret: &'a [u8],
    /// Further data, at most 32 bytes.
    pub associated_data: &'a [u8],
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
    /// Bytes of the hash.
    pub length: usize,
}

/// Why a row has no outcome of its own.
enum Stop {
    Input(InputError),
    Engine(SecurityError),
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<SecurityError> for Stop {
    fn from(error: SecurityError) -> Self {
        Self::Engine(error)
    }
}

/// Runs one algorithm of a family, or says that it is of another.
type Family<E> = fn(&E, &str, &Inputs<'_>) -> Result<Option<Outcome>, Stop>;

/// Runs `algorithm` over named inputs in this process: bytes in hex, numbers in decimal.
pub fn check(algorithm: &str, inputs: &BTreeMap<String, String>) -> Result<Outcome, InputError> {
    check_on(&SoftwareEngine(()), algorithm, inputs)
}

/// Runs `algorithm` over named inputs on an engine.
pub fn check_on<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &BTreeMap<String, String>,
) -> Result<Outcome, InputError> {
    let families: [Family<E>; 7] = [
        ciphers::check,
        macs::check,
        pins::check,
        cards::check,
        dukpt::check,
        key_blocks::check,
        hashes::check,
    ];
    let inputs = Inputs(inputs);
    for family in families {
        match family(engine, algorithm, &inputs) {
            Ok(None) => {}
            Ok(Some(outcome)) => return Ok(outcome),
            Err(Stop::Engine(error)) => return Ok(Outcome::Refused(error)),
            Err(Stop::Input(error)) => return Err(error),
        }
    }
    Ok(Outcome::Unsupported)
}
