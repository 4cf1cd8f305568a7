//! Rows of PIN blocks and of PIN verification at the issuer.
//!
//! Invariant: a block that does not hold a PIN is refused with the module's one error.

use super::{
    InputError, Outcome, Rejection, RowEngine, Stop,
    inputs::{Inputs, digits_text},
};
use crate::{
    engine::BlockCipher,
    hex,
    module::SecurityError,
    pin::{Pin, PinFormat, PinOffset},
    pin_block::BlockFormat,
    pin_block_4::{decipher_format_4, encipher_format_4, pan_field_4},
    pin_verification::Ibm3624,
    pvv::{PvkIndex, pvv},
};

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    let value = match algorithm {
        "PINBLOCK-ISO9564-0-CLEAR" => hex::text(&clear_block(inputs)?),
        "PINBLOCK-UNIONPAY-WITH-PAN-CLEAR" => {
            // The two texts agree up to nine digits; longer PINs follow ISO here (UnionPay-style reference §5.3).
            if inputs.text("pin")?.len() > 9 {
                return Err(InputError { name: "pin" }.into());
            }
            hex::text(&clear_block(inputs)?)
        }
        "PINBLOCK-ISO9564-0-TDES" => {
            let key = inputs.des(engine, "key")?;
            hex::text(&key.encrypt(clear_block(inputs)?)?)
        }
        "PINBLOCK-ISO9564-0-DECODE" => {
            let pin = PinFormat::WithPan.decode(&inputs.array("clear_block")?, &inputs.pan()?);
            return Ok(Some(decoded(pin)));
        }
        "PINBLOCK-ISO9564-1-CLEAR" => encode(inputs, BlockFormat::One)?,
        "PINBLOCK-ISO9564-2-CLEAR" => encode(inputs, BlockFormat::Two)?,
        "PINBLOCK-ISO9564-3-CLEAR" => encode(inputs, BlockFormat::Three)?,
        "PINBLOCK-ISO9564-1-DECODE" => return Ok(decode(inputs, BlockFormat::One)?),
        "PINBLOCK-ISO9564-2-DECODE" => return Ok(decode(inputs, BlockFormat::Two)?),
        "PINBLOCK-ISO9564-3-DECODE" => return Ok(decode(inputs, BlockFormat::Three)?),
        "PINBLOCK-ISO9564-4-PANFIELD" => hex::text(&pan_field_4(&inputs.pan()?)),
        "PINBLOCK-ISO9564-4-AES" => {
            let (pin, pan, random) = (inputs.pin()?, inputs.pan()?, inputs.array("random8")?);
            let key = inputs.aes(engine, "key")?;
            hex::text(&encipher_format_4(&key, &pin, &pan, &random)?)
        }
        "PINBLOCK-ISO9564-4-DECODE" => {
            let block = inputs.array("block")?;
            let pin = decipher_format_4(&inputs.aes(engine, "key")?, &block, &inputs.pan()?);
            return decoded_by(pin).map(Some);
        }
        "IBM3624-OFFSET" => ibm3624(inputs)?
            .offset(&inputs.des(engine, "pvk")?, &inputs.pan()?, &inputs.pin()?)?
            .to_string(),
        "IBM3624-PIN-FROM-OFFSET" => {
            let offset: PinOffset = inputs.parsed("offset")?;
            let key = inputs.des(engine, "pvk")?;
            let pin = ibm3624(inputs)?.pin(&key, &inputs.pan()?, &offset)?;
            digits_text(pin.ok_or(InputError { name: "offset" })?.ascii())
        }
        "VISA-PVV" => {
            let index = PvkIndex::parse(inputs.text("pvki")?).ok_or(InputError { name: "pvki" })?;
            digits_text(&pvv(
                &inputs.des(engine, "pvk")?,
                &inputs.pan()?,
                index,
                &inputs.pin()?,
            )?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn decoded(pin: Result<Pin, SecurityError>) -> Outcome {
    match pin {
        Ok(pin) => Outcome::Value(digits_text(pin.ascii())),
        Err(error) => Outcome::Rejected(Rejection::Module(error)),
    }
}

/// The same where an engine deciphered the block: only what is wrong with the block is a rejection.
fn decoded_by(pin: Result<Pin, SecurityError>) -> Result<Outcome, Stop> {
    match pin {
        Ok(_) | Err(SecurityError::PinFormat) => Ok(decoded(pin)),
        Err(error) => Err(error.into()),
    }
}

fn clear_block(inputs: &Inputs<'_>) -> Result<[u8; 8], InputError> {
    Ok(*PinFormat::WithPan.encode(&inputs.pin()?, &inputs.pan()?))
}

fn encode(inputs: &Inputs<'_>, format: BlockFormat) -> Result<String, InputError> {
    let pin = inputs.pin()?;
    let (pan, fill) = match format {
        BlockFormat::One => (None, inputs.nibbles("fill_nibbles")?),
        BlockFormat::Two => (None, vec![0xF; 14 - pin.ascii().len()]),
        BlockFormat::Three => (Some(inputs.pan()?), inputs.nibbles("fill_nibbles")?),
    };
    let block = format.encode(&pin, pan.as_ref(), &fill);
    Ok(hex::text(&*block.ok_or(InputError {
        name: "fill_nibbles",
    })?))
}

fn decode(inputs: &Inputs<'_>, format: BlockFormat) -> Result<Option<Outcome>, InputError> {
    let pan = match format {
        BlockFormat::One | BlockFormat::Two => None,
        BlockFormat::Three => Some(inputs.pan()?),
    };
    let block = inputs.array("clear_block")?;
    Ok(Some(decoded(format.decode(&block, pan.as_ref()))))
}

fn ibm3624(inputs: &Inputs<'_>) -> Result<Ibm3624, InputError> {
    let name = "decimalisation_table";
    let table: [u8; 16] = inputs
        .text(name)?
        .as_bytes()
        .try_into()
        .map_err(|_| InputError { name })?;
    if !table.iter().all(u8::is_ascii_digit) {
        return Err(InputError { name });
    }
    let pad = match *inputs.nibbles("pad")? {
        [pad] => pad,
        _ => return Err(InputError { name: "pad" }),
    };
    Ok(Ibm3624 {
        table: table.map(|digit| digit - b'0'),
        start: inputs.parsed("validation_start")?,
        length: inputs.parsed("validation_length")?,
        pad,
    })
}
