//! Rows of key blocks.
//!
//! Invariant: a text shorter than a header is no key block; every longer one opens or is refused for a named reason.

use super::{InputError, Outcome, Rejection, inputs::Inputs};
use crate::{
    hex,
    key_block::{KeyBlockError, Version, unwrap, wrap},
};

pub(super) fn check(algorithm: &str, inputs: &Inputs<'_>) -> Result<Option<Outcome>, InputError> {
    match algorithm {
        "TR31-UNWRAP" => opened(inputs).map(Some),
        "TR31-WRAP" => wrapped(inputs).map(Some),
        _ => Ok(None),
    }
}

fn opened(inputs: &Inputs<'_>) -> Result<Outcome, InputError> {
    let name = "key_block";
    let block = inputs.text(name)?;
    if block.len() < 16 {
        return Err(InputError { name });
    }
    match unwrap(&inputs.bytes("kbpk")?, block) {
        Ok(opened) => Ok(Outcome::Value(hex::text(&opened.key))),
        Err(error) => Ok(Outcome::Rejected(Rejection::KeyBlock(error))),
    }
}

fn wrapped(inputs: &Inputs<'_>) -> Result<Outcome, InputError> {
    let version = match inputs.text("version")?.as_bytes() {
        [character] => Version::of(*character).ok(),
        _ => None,
    };
    let block = wrap(
        version.ok_or(InputError { name: "version" })?,
        &inputs.bytes("kbpk")?,
        inputs.text("header_after_length")?,
        &inputs.bytes("key")?,
        &inputs.bytes("random_padding")?,
    );
    match block {
        Ok(block) => Ok(Outcome::Value(block)),
        Err(KeyBlockError::Padding) => Err(InputError {
            name: "random_padding",
        }),
        Err(KeyBlockError::Header | KeyBlockError::Length) => Err(InputError {
            name: "header_after_length",
        }),
        Err(error) => Ok(Outcome::Rejected(Rejection::KeyBlock(error))),
    }
}
