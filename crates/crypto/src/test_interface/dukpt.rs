//! Rows of derived unique keys per transaction, with triple DES and with AES.
//!
//! Invariant: a serial number with too many one bits in its counter is malformed.

use super::{InputError, Outcome, Rejection, inputs::Inputs};
use crate::{
    block_cipher::DesCipher,
    block_cipher_128::{Cipher128, aes_cmac},
    cbc, dukpt_aes, dukpt_tdes, hex, mac,
    pin::PinFormat,
    pin_block_4::encipher_format_4,
};

const SERIAL: InputError = InputError { name: "ksn" };
const DATA: InputError = InputError { name: "data" };
const BASE: InputError = InputError { name: "bdk" };

/// Bytes of MAC that a DUKPT terminal sends.
const MAC_BYTES: usize = 4;

pub(super) fn check(algorithm: &str, inputs: &Inputs<'_>) -> Result<Option<Outcome>, InputError> {
    use dukpt_aes::Usage::{DataEncrypt, MacGenerate, MacVerify};
    use dukpt_tdes::Usage::{DataRequest, DataResponse, MacRequest, MacResponse};
    let value = match algorithm {
        "DUKPT-TDES-INITIAL-KEY" => {
            let base = inputs.array("bdk")?;
            hex::text(&*dukpt_tdes::initial_key(&base, &tdes_serial(inputs)?))
        }
        "DUKPT-TDES-TRANSACTION-KEY" => hex::text(&*tdes_key(inputs)?),
        "DUKPT-TDES-PIN-BLOCK-FORMAT0" => {
            let block = PinFormat::WithPan.encode(&inputs.pin()?, &inputs.pan()?);
            let key = dukpt_tdes::Usage::Pin.key(&tdes_key(inputs)?);
            hex::text(&DesCipher::double(&key).encrypt(*block))
        }
        "DUKPT-TDES-RETAIL-MAC-REQUEST" => tdes_mac(inputs, MacRequest)?,
        "DUKPT-TDES-RETAIL-MAC-RESPONSE" => tdes_mac(inputs, MacResponse)?,
        "DUKPT-TDES-DATA-CBC-REQUEST" => tdes_data(inputs, DataRequest)?,
        "DUKPT-TDES-DATA-CBC-RESPONSE" => tdes_data(inputs, DataResponse)?,
        "DUKPT-TDES-KSN-NEXT" => match tdes_serial(inputs)?.next() {
            Some(next) => hex::text(&next.bytes()),
            None => return Ok(Some(Outcome::Rejected(Rejection::Exhausted))),
        },
        "DUKPT-AES-INITIAL-KEY" => {
            let id = inputs.array("initial_key_id")?;
            let key = dukpt_aes::initial_key(&inputs.bytes("bdk")?, id);
            hex::text(&key.ok_or(BASE)?)
        }
        "DUKPT-AES-DERIVATION-KEY" => {
            let base = aes_base(inputs)?;
            let key = dukpt_aes::derivation_key(&base, &aes_serial(inputs)?);
            hex::text(&key.ok_or(SERIAL)?)
        }
        "DUKPT-AES-WORKING-KEY" => hex::text(&aes_key(inputs, aes_usage(inputs)?)?),
        "DUKPT-AES-PIN-BLOCK-FORMAT4" => {
            let key = aes_cipher(&aes_key(inputs, dukpt_aes::Usage::Pin)?)?;
            let (pin, pan, random) = (inputs.pin()?, inputs.pan()?, inputs.array("random8")?);
            let block = encipher_format_4(&key, &pin, &pan, &random);
            hex::text(&block.ok_or(InputError { name: "pin" })?)
        }
        "DUKPT-AES-CMAC-REQUEST" => aes_mac(inputs, MacGenerate)?,
        "DUKPT-AES-CMAC-RESPONSE" => aes_mac(inputs, MacVerify)?,
        "DUKPT-AES-DATA-CBC-REQUEST" => {
            let key = aes_cipher(&aes_key(inputs, DataEncrypt)?)?;
            let mut text = inputs.bytes("data")?;
            cbc::encrypt(|block| key.encrypt(block), [0; 16], &mut text).ok_or(DATA)?;
            hex::text(&text)
        }
        "DUKPT-AES-KSN-NEXT" => match aes_serial(inputs)?.next() {
            Some(next) => hex::text(&next.bytes()),
            None => return Ok(Some(Outcome::Rejected(Rejection::Exhausted))),
        },
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn tdes_serial(inputs: &Inputs<'_>) -> Result<dukpt_tdes::KeySerialNumber, InputError> {
    dukpt_tdes::KeySerialNumber::new(inputs.array("ksn")?).ok_or(SERIAL)
}

fn tdes_key(inputs: &Inputs<'_>) -> Result<dukpt_tdes::Key, InputError> {
    let base = inputs.array("bdk")?;
    dukpt_tdes::transaction_key(&base, &tdes_serial(inputs)?).ok_or(SERIAL)
}

fn tdes_mac(inputs: &Inputs<'_>, usage: dukpt_tdes::Usage) -> Result<String, InputError> {
    let mac = mac::x919(&usage.key(&tdes_key(inputs)?), &[&inputs.bytes("data")?]);
    Ok(hex::text(&mac[..MAC_BYTES]))
}

fn tdes_data(inputs: &Inputs<'_>, usage: dukpt_tdes::Usage) -> Result<String, InputError> {
    let key = DesCipher::double(&usage.key(&tdes_key(inputs)?));
    let mut text = inputs.bytes("data")?;
    cbc::encrypt(|block| key.encrypt(block), [0; 8], &mut text).ok_or(DATA)?;
    Ok(hex::text(&text))
}

fn aes_serial(inputs: &Inputs<'_>) -> Result<dukpt_aes::KeySerialNumber, InputError> {
    dukpt_aes::KeySerialNumber::new(inputs.array("ksn")?).ok_or(SERIAL)
}

fn aes_base(inputs: &Inputs<'_>) -> Result<Vec<u8>, InputError> {
    Some(inputs.bytes("bdk")?)
        .filter(|base| matches!(base.len(), 16 | 24 | 32))
        .ok_or(BASE)
}

fn aes_key(inputs: &Inputs<'_>, usage: dukpt_aes::Usage) -> Result<dukpt_aes::Key, InputError> {
    let (base, serial) = (aes_base(inputs)?, aes_serial(inputs)?);
    if dukpt_aes::derivation_key(&base, &serial).is_none() {
        return Err(SERIAL);
    }
    dukpt_aes::working_key(&base, &serial, usage, aes_algorithm(inputs)?).ok_or(TYPE)
}

const TYPE: InputError = InputError {
    name: "working_key_type",
};

fn aes_algorithm(inputs: &Inputs<'_>) -> Result<dukpt_aes::Algorithm, InputError> {
    use dukpt_aes::Algorithm::{Aes128, Aes192, Aes256, Tdes2, Tdes3};
    match inputs.text(TYPE.name)? {
        "TDES2" => Ok(Tdes2),
        "TDES3" => Ok(Tdes3),
        "AES128" => Ok(Aes128),
        "AES192" => Ok(Aes192),
        "AES256" => Ok(Aes256),
        _ => Err(TYPE),
    }
}

fn aes_usage(inputs: &Inputs<'_>) -> Result<dukpt_aes::Usage, InputError> {
    use dukpt_aes::Usage::{
        DataBoth, DataDecrypt, DataEncrypt, KeyEncryption, MacBoth, MacGenerate, MacVerify, Pin,
    };
    let name = "usage";
    match inputs.text(name)? {
        "KEK" => Ok(KeyEncryption),
        "PIN" => Ok(Pin),
        "MACGEN" => Ok(MacGenerate),
        "MACVER" => Ok(MacVerify),
        "MAC" => Ok(MacBoth),
        "DENC" => Ok(DataEncrypt),
        "DDEC" => Ok(DataDecrypt),
        "DATA" => Ok(DataBoth),
        _ => Err(InputError { name }),
    }
}

/// A working key for AES; one for triple DES is refused.
fn aes_cipher(key: &[u8]) -> Result<Cipher128, InputError> {
    Cipher128::aes(key).ok_or(TYPE)
}

fn aes_mac(inputs: &Inputs<'_>, usage: dukpt_aes::Usage) -> Result<String, InputError> {
    let mac = aes_cmac(&aes_key(inputs, usage)?, &[&inputs.bytes("data")?]);
    Ok(hex::text(&mac.ok_or(TYPE)?))
}
