//! Rows about cards: verification values, application cryptograms, card data, terminal keys and tracks.
//!
//! Invariant: derived card and session keys leave here only because the rows that ask for them hold published keys.

use super::{
    InputError, Outcome, Rejection, RowEngine, Stop,
    inputs::{Inputs, digits_text},
};
use crate::{
    application_cryptogram::{
        ONE_BIT, SequenceNumber, card_key_a, card_key_b, common_session_key, cryptogram,
        pboc_session_key, response_1, response_2,
    },
    block_cipher::set_odd_parity,
    card_data,
    card_verification::cvv,
    digits::luhn_check_digit,
    engine::Engine,
    hex,
    mac::RetailKey,
    module::SecurityError,
    track_cipher,
    working_keys::decipher_field62,
};

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    let value = match algorithm {
        "LUHN-CHECK-DIGIT" => {
            let digit = luhn_check_digit(inputs.text("payload")?.as_bytes());
            digits_text(&[digit.ok_or(InputError { name: "payload" })?])
        }
        "CVV" => digits_text(&cvv(
            &inputs.retail(engine, "cvk")?,
            &inputs.pan()?,
            &inputs.digits("expiry")?,
            &inputs.digits("service_code")?,
        )?),
        "EMV-UDK-OPTION-A" => odd_parity(*card_key_a(
            &inputs.double_des(engine, "imk")?,
            &inputs.pan()?,
            &sequence(inputs)?,
        )?),
        "EMV-UDK-OPTION-B" => odd_parity(*card_key_b(
            engine,
            &inputs.double_des(engine, "imk")?,
            &inputs.pan()?,
            &sequence(inputs)?,
        )?),
        "EMV-COMMON-SESSION-KEY" => odd_parity(*common_session_key(
            &inputs.double_des(engine, "udk")?,
            inputs.array("r")?,
        )?),
        "PBOC-SESSION-KEY" => hex::text(&*pboc_session_key(
            &inputs.double_des(engine, "udk")?,
            inputs.array("atc")?,
        )?),
        "EMV-APPLICATION-CRYPTOGRAM" => {
            let key = inputs.retail(engine, "session_key")?;
            hex::text(&cryptogram(
                &key,
                &inputs.bytes("data")?,
                inputs.padding()?,
            )?)
        }
        "EMV-ARPC-METHOD-1" => hex::text(&response_1(
            &inputs.double_des(engine, "key")?,
            inputs.array("arqc")?,
            inputs.array("arc")?,
        )?),
        "EMV-ARPC-METHOD-2" => {
            let response = response_2(
                &inputs.retail(engine, "key")?,
                inputs.array("arqc")?,
                inputs.array("csu")?,
                &inputs.bytes("proprietary")?,
            )?;
            hex::text(&response.ok_or(InputError {
                name: "proprietary",
            })?)
        }
        "PBOC-ARQC-ARPC-CHAIN" => return pboc_chain(engine, inputs).map(Some),
        "BER-TLV-PARSE" => return Ok(Some(card_data(inputs)?)),
        "UNIONPAY-SIGNON-FIELD62" => return field62(engine, inputs).map(Some),
        "UNIONPAY-TRACK-TDK" => track(engine, inputs)?,
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

/// Rows of derived keys hold them with odd parity, which DES ignores.
fn odd_parity(mut key: [u8; 16]) -> String {
    set_odd_parity(&mut key);
    hex::text(&key)
}

fn sequence(inputs: &Inputs<'_>) -> Result<SequenceNumber, InputError> {
    inputs.digits("psn")
}

fn named<const N: usize>(values: [(&str, String); N]) -> Outcome {
    Outcome::Values(
        values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn pboc_chain<E: Engine>(engine: &E, inputs: &Inputs<'_>) -> Result<Outcome, Stop> {
    let issuer = inputs.double_des(engine, "imk_ac")?;
    let card = card_key_a(&issuer, &inputs.pan()?, &sequence(inputs)?)?;
    let session = pboc_session_key(&engine.des(card.as_slice())?, inputs.array("atc")?)?;
    let key = RetailKey::new(engine, &session)?;
    let request = cryptogram(&key, &inputs.bytes("data")?, ONE_BIT)?;
    let response = response_1(&key.whole, request, inputs.array("arc")?)?;
    Ok(named([
        ("udk", hex::text(&*card)),
        ("session_key", hex::text(&*session)),
        ("arqc", hex::text(&request)),
        ("arpc", hex::text(&response)),
    ]))
}

fn card_data(inputs: &Inputs<'_>) -> Result<Outcome, InputError> {
    let bytes = inputs.bytes("data")?;
    Ok(match card_data::read(&bytes) {
        Err(error) => Outcome::Rejected(Rejection::CardData(error)),
        Ok(objects) => Outcome::Values(
            objects
                .into_iter()
                .map(|(tag, value)| (format!("{tag:02X}"), hex::text(value)))
                .collect(),
        ),
    })
}

fn field62<E: Engine>(engine: &E, inputs: &Inputs<'_>) -> Result<Outcome, Stop> {
    let tmk = inputs.des(engine, "tmk")?;
    let keys = match decipher_field62(engine, &tmk, &inputs.bytes("field62")?) {
        Ok(keys) => keys,
        Err(error @ (SecurityError::NotOffered { .. } | SecurityError::TokenFailed)) => {
            return Err(error.into());
        }
        Err(error) => return Ok(Outcome::Rejected(Rejection::Module(error))),
    };
    let slots = [
        ("PIK", Some(keys.pin)),
        ("MAK", Some(keys.mac)),
        ("TDK", keys.track),
    ];
    // A key comes out only when its check value holds.
    let values = slots.into_iter().filter_map(|(name, key)| {
        let key = hex::text(key?.bytes());
        Some([
            (name.to_owned(), key),
            (format!("{name}_KCV_OK"), "true".to_owned()),
        ])
    });
    Ok(Outcome::Values(values.flatten().collect()))
}

fn track<E: Engine>(engine: &E, inputs: &Inputs<'_>) -> Result<String, Stop> {
    let name = "track";
    let mut packed = track_cipher::pack(inputs.text(name)?).ok_or(InputError { name })?;
    // The row says what packing comes to, so that a reader can follow.
    if inputs.bytes("packed")? != *packed {
        return Err(InputError { name: "packed" }.into());
    }
    track_cipher::encipher(&inputs.des(engine, "tdk")?, &mut packed)?.ok_or(InputError { name })?;
    Ok(hex::text(&packed))
}
