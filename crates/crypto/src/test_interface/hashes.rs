//! Rows of hashes, keyed hashes, key derivation and password hashing.
//!
//! Invariant: what a row may ask of time and memory is bounded by named limits.

use super::{InputError, Outcome, PasswordHash, RowEngine, Stop, inputs::Inputs};
use crate::{card::Pan, hex, keyed_hash};

/// Most memory that a password hash may take here.
const ARGON2_KIB_MAX: u32 = 65_536;
/// Most passes and lanes of a password hash here.
const ARGON2_STEPS_MAX: u32 = 16;
/// Longest password hash.
const ARGON2_BYTES_MAX: u32 = 64;

const MESSAGE: InputError = InputError { name: "message" };

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    let value = match algorithm {
        "SM3" => hex::text(&engine.sm3(&inputs.bytes("message")?)?),
        "HMAC-SHA256" => {
            let message = inputs.bytes("message")?;
            hex::text(&engine.hmac_sha256(&inputs.bytes("key")?, &[&message])?)
        }
        "HKDF-SHA256" => {
            let key = keyed_hash::hkdf_sha256(
                engine,
                &inputs.bytes("ikm")?,
                &inputs.bytes("salt")?,
                &inputs.bytes("info")?,
                inputs.parsed("length")?,
            )?;
            hex::text(&key.ok_or(InputError { name: "length" })?)
        }
        "PAN-LOOKUP-HMAC" => hex::text(&pan_lookup(engine, inputs)?),
        "WEBHOOK-HMAC" => hex::text(&webhook(engine, inputs)?),
        "AUDIT-HASH-CHAIN" => hex::text(&audit_link(engine, inputs)?),
        "ARGON2ID" => hex::text(&argon2id(engine, inputs)?),
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

/// The message is the label and a card number.
fn pan_lookup<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<[u8; 32], Stop> {
    let message = inputs.bytes("message")?;
    let pan = message
        .strip_prefix(keyed_hash::PAN_LOOKUP_LABEL)
        .and_then(|digits| Pan::parse(digits).ok());
    let key = inputs.bytes("key")?;
    Ok(keyed_hash::pan_lookup(engine, &key, &pan.ok_or(MESSAGE)?)?)
}

/// The message is a Unix time, a point and the body.
fn webhook<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<[u8; 32], Stop> {
    let message = inputs.bytes("message")?;
    let point = message.iter().position(|c| *c == b'.').ok_or(MESSAGE)?;
    let (sent_at, body) = (&message[..point], &message[point + 1..]);
    let sent_at: u64 = core::str::from_utf8(sent_at)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(MESSAGE)?;
    let key = inputs.bytes("key")?;
    Ok(keyed_hash::webhook_signature(engine, &key, sent_at, body)?)
}

/// The record is one JSON object.
fn audit_link<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<[u8; 32], Stop> {
    let name = "record_ascii";
    let record = inputs.text(name)?;
    if !record.is_ascii() || !record.starts_with('{') || !record.ends_with('}') {
        return Err(InputError { name }.into());
    }
    Ok(keyed_hash::audit_link(
        engine,
        &inputs.array("previous")?,
        inputs.parsed("sequence")?,
        record.as_bytes(),
    )?)
}

fn argon2id<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<Vec<u8>, Stop> {
    let (password, salt) = (inputs.bytes("password")?, inputs.bytes("salt")?);
    let (secret, associated_data) = (inputs.bytes("secret")?, inputs.bytes("associated_data")?);
    let hash = engine.argon2id(&PasswordHash {
        password: &password,
        salt: &salt,
        secret: &secret,
        associated_data: &associated_data,
        memory_kib: inputs.number("memory_kib", ARGON2_KIB_MAX)?,
        iterations: inputs.number("iterations", ARGON2_STEPS_MAX)?,
        lanes: inputs.number("lanes", ARGON2_STEPS_MAX)?,
        length: inputs.number("length", ARGON2_BYTES_MAX)? as usize,
    })?;
    Ok(hash.ok_or(InputError { name: "memory_kib" })?)
}
