//! Rows of hashes, keyed hashes, key derivation and password hashing.
//!
//! Invariant: what a row may ask of time and memory is bounded by named limits.

use super::{InputError, Outcome, inputs::Inputs};
use crate::{card::Pan, hex, keyed_hash};
use argon2::{Algorithm, Argon2, Params, Version};
use sm3::{Digest, Sm3};

/// Most memory that a password hash may take here.
const ARGON2_KIB_MAX: u32 = 65_536;
/// Most passes and lanes of a password hash here.
const ARGON2_STEPS_MAX: u32 = 16;
/// Longest password hash.
const ARGON2_BYTES_MAX: u32 = 64;

const MESSAGE: InputError = InputError { name: "message" };
const KEY: InputError = InputError { name: "key" };

pub(super) fn check(algorithm: &str, inputs: &Inputs<'_>) -> Result<Option<Outcome>, InputError> {
    let value = match algorithm {
        "SM3" => hex::text(&Sm3::digest(inputs.bytes("message")?)),
        "HMAC-SHA256" => {
            let mac = keyed_hash::hmac_sha256(&inputs.bytes("key")?, &[&inputs.bytes("message")?]);
            hex::text(&mac.ok_or(KEY)?)
        }
        "HKDF-SHA256" => {
            let key = keyed_hash::hkdf_sha256(
                &inputs.bytes("ikm")?,
                &inputs.bytes("salt")?,
                &inputs.bytes("info")?,
                inputs.parsed("length")?,
            );
            hex::text(&key.ok_or(InputError { name: "length" })?)
        }
        "PAN-LOOKUP-HMAC" => hex::text(&pan_lookup(inputs)?),
        "WEBHOOK-HMAC" => hex::text(&webhook(inputs)?),
        "AUDIT-HASH-CHAIN" => hex::text(&audit_link(inputs)?),
        "ARGON2ID" => hex::text(&argon2id(inputs)?),
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

/// The message is the label and a card number.
fn pan_lookup(inputs: &Inputs<'_>) -> Result<[u8; 32], InputError> {
    let message = inputs.bytes("message")?;
    let pan = message
        .strip_prefix(keyed_hash::PAN_LOOKUP_LABEL)
        .and_then(|digits| Pan::parse(digits).ok());
    keyed_hash::pan_lookup(&inputs.bytes("key")?, &pan.ok_or(MESSAGE)?).ok_or(KEY)
}

/// The message is a Unix time, a point and the body.
fn webhook(inputs: &Inputs<'_>) -> Result<[u8; 32], InputError> {
    let message = inputs.bytes("message")?;
    let point = message.iter().position(|c| *c == b'.').ok_or(MESSAGE)?;
    let (sent_at, body) = (&message[..point], &message[point + 1..]);
    let sent_at: u64 = core::str::from_utf8(sent_at)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(MESSAGE)?;
    keyed_hash::webhook_signature(&inputs.bytes("key")?, sent_at, body).ok_or(KEY)
}

/// The record is one JSON object.
fn audit_link(inputs: &Inputs<'_>) -> Result<[u8; 32], InputError> {
    let name = "record_ascii";
    let record = inputs.text(name)?;
    if !record.is_ascii() || !record.starts_with('{') || !record.ends_with('}') {
        return Err(InputError { name });
    }
    Ok(keyed_hash::audit_link(
        &inputs.array("previous")?,
        inputs.parsed("sequence")?,
        record.as_bytes(),
    ))
}

fn argon2id(inputs: &Inputs<'_>) -> Result<Vec<u8>, InputError> {
    let password = inputs.bytes("password")?;
    let salt = inputs.bytes("salt")?;
    let secret = inputs.bytes("secret")?;
    let lanes = inputs.number("lanes", ARGON2_STEPS_MAX)?;
    let memory = inputs.number("memory_kib", ARGON2_KIB_MAX)?;
    let passes = inputs.number("iterations", ARGON2_STEPS_MAX)?;
    let length = inputs.number("length", ARGON2_BYTES_MAX)? as usize;
    let mut builder = argon2::ParamsBuilder::new();
    builder
        .m_cost(memory)
        .t_cost(passes)
        .p_cost(lanes)
        .output_len(length);
    let data = inputs.bytes("associated_data")?;
    builder.data(argon2::AssociatedData::new(&data).map_err(|_| InputError {
        name: "associated_data",
    })?);
    let parameters: Params = builder
        .build()
        .map_err(|_| InputError { name: "memory_kib" })?;
    let hash = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, parameters)
        .map_err(|_| InputError { name: "secret" })?;
    let mut out = vec![0; length];
    hash.hash_password_into(&password, &salt, &mut out)
        .map_err(|_| InputError { name: "salt" })?;
    Ok(out)
}
