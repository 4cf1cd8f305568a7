//! Rows of key blocks.
//!
//! Invariant: a text shorter than a header is no key block; every longer one opens or is refused for a named reason.

use super::{InputError, Outcome, Rejection, RowEngine, Stop, inputs::Inputs};
use crate::{
    hex,
    key_block::{KeyBlockError, Version, unwrap, wrap},
};

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    match algorithm {
        "TR31-UNWRAP" => opened(engine, inputs).map(Some),
        "TR31-WRAP" => wrapped(engine, inputs).map(Some),
        _ => Ok(None),
    }
}

fn opened<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<Outcome, Stop> {
    let name = "key_block";
    let block = inputs.text(name)?;
    if block.len() < 16 {
        return Err(InputError { name }.into());
    }
    match unwrap(engine, &inputs.bytes("kbpk")?, block) {
        Ok(opened) => Ok(Outcome::Value(hex::text(&opened.key))),
        Err(KeyBlockError::Module(error)) => Err(error.into()),
        Err(error) => Ok(Outcome::Rejected(Rejection::KeyBlock(error))),
    }
}

fn wrapped<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<Outcome, Stop> {
    let version = match inputs.text("version")?.as_bytes() {
        [character] => Version::of(*character).ok(),
        _ => None,
    };
    let block = wrap(
        engine,
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
        }
        .into()),
        Err(KeyBlockError::Header | KeyBlockError::Length) => Err(InputError {
            name: "header_after_length",
        }
        .into()),
        Err(KeyBlockError::Module(error)) => Err(error.into()),
        Err(error) => Ok(Outcome::Rejected(Rejection::KeyBlock(error))),
    }
}
