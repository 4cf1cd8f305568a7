//! The named inputs of one row.
//!
//! Invariant: every error names the input that is to blame.

use super::{InputError, Stop};
use crate::{
    card::Pan, digits::Digits, engine::Engine, hex, mac::RetailKey, module::SecurityError, pin::Pin,
};
use std::collections::BTreeMap;

pub(super) struct Inputs<'a>(pub(super) &'a BTreeMap<String, String>);

impl Inputs<'_> {
    pub(super) fn text(&self, name: &'static str) -> Result<&str, InputError> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or(InputError { name })
    }

    pub(super) fn parsed<T: core::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<T, InputError> {
        self.text(name)?.parse().map_err(|_| InputError { name })
    }

    /// A number no larger than `max`.
    pub(super) fn number(&self, name: &'static str, max: u32) -> Result<u32, InputError> {
        Some(self.parsed(name)?)
            .filter(|number| *number <= max)
            .ok_or(InputError { name })
    }

    pub(super) fn bytes(&self, name: &'static str) -> Result<Vec<u8>, InputError> {
        let text = self.text(name)?.as_bytes();
        let mut bytes = vec![0; text.len() / 2];
        if hex::decode(text, &mut bytes) {
            Ok(bytes)
        } else {
            Err(InputError { name })
        }
    }

    pub(super) fn array<const N: usize>(&self, name: &'static str) -> Result<[u8; N], InputError> {
        self.bytes(name)?
            .try_into()
            .map_err(|_| InputError { name })
    }

    /// Hex characters as numbers 0 to 15.
    pub(super) fn nibbles(&self, name: &'static str) -> Result<Vec<u8>, InputError> {
        let nibble = |c: char| c.to_digit(16).map(|nibble| nibble as u8);
        let nibbles: Option<_> = self.text(name)?.chars().map(nibble).collect();
        nibbles.ok_or(InputError { name })
    }

    pub(super) fn digits<const MIN: usize, const MAX: usize>(
        &self,
        name: &'static str,
    ) -> Result<Digits<MIN, MAX>, InputError> {
        Digits::parse(self.text(name)?.as_bytes()).map_err(|_| InputError { name })
    }

    pub(super) fn des<E: Engine>(&self, engine: &E, name: &'static str) -> Result<E::Des, Stop> {
        engine.des(&self.bytes(name)?).map_err(key_error(name))
    }

    pub(super) fn aes<E: Engine>(&self, engine: &E, name: &'static str) -> Result<E::Aes, Stop> {
        engine.aes(&self.bytes(name)?).map_err(key_error(name))
    }

    pub(super) fn cmac<E: Engine>(&self, engine: &E, name: &'static str) -> Result<E::Cmac, Stop> {
        engine.cmac(&self.bytes(name)?).map_err(key_error(name))
    }

    /// A DES key of double length.
    pub(super) fn double_des<E: Engine>(
        &self,
        engine: &E,
        name: &'static str,
    ) -> Result<E::Des, Stop> {
        Ok(engine.des(&self.array::<16>(name)?)?)
    }

    pub(super) fn retail<E: Engine>(
        &self,
        engine: &E,
        name: &'static str,
    ) -> Result<RetailKey<E>, Stop> {
        Ok(RetailKey::new(engine, &self.array(name)?)?)
    }

    pub(super) fn pan(&self) -> Result<Pan, InputError> {
        Pan::parse(self.text("pan")?.as_bytes()).map_err(|_| InputError { name: "pan" })
    }

    pub(super) fn pin(&self) -> Result<Pin, InputError> {
        Pin::parse(self.text("pin")?.as_bytes()).map_err(|_| InputError { name: "pin" })
    }

    /// The left bytes of a result, as many as the input says.
    pub(super) fn cut(&self, bytes: &[u8], name: &'static str) -> Result<String, InputError> {
        let length: usize = self.parsed(name)?;
        bytes
            .get(..length)
            .map(hex::text)
            .ok_or(InputError { name })
    }

    /// What method 1 or 2 puts behind a message before zeros: nothing, or one bit.
    pub(super) fn padding(&self) -> Result<&'static [u8], InputError> {
        match self.text("padding_method")? {
            "1" => Ok(&[]),
            "2" => Ok(&[0x80]),
            _ => Err(InputError {
                name: "padding_method",
            }),
        }
    }
}

/// A key of a wrong length is a malformed input; anything else is the engine's own.
pub(super) fn key_error(name: &'static str) -> impl Fn(SecurityError) -> Stop {
    move |error| match error {
        SecurityError::KeyLength { .. } => Stop::Input(InputError { name }),
        other => Stop::Engine(other),
    }
}

/// ASCII digits as text.
pub(super) fn digits_text(ascii: &[u8]) -> String {
    ascii.iter().copied().map(char::from).collect()
}
