//! Rows of derived unique keys per transaction, with triple DES and with AES.
//!
//! Invariant: a serial number with too many one bits in its counter is malformed.

use super::{
    InputError, Outcome, Rejection, RowEngine, Stop,
    inputs::{Inputs, key_error},
};
use crate::{
    dukpt_aes, dukpt_tdes,
    engine::{BlockCipher, CmacKey, Engine},
    hex,
    mac::RetailKey,
    pin::PinFormat,
    pin_block_4::encipher_format_4,
};

const SERIAL: InputError = InputError { name: "ksn" };
const DATA: InputError = InputError { name: "data" };
const BASE: InputError = InputError { name: "bdk" };

/// Bytes of MAC that a DUKPT terminal sends.
const MAC_BYTES: usize = 4;

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    use dukpt_aes::Usage::{DataEncrypt, MacGenerate, MacVerify};
    use dukpt_tdes::Usage::{DataRequest, DataResponse, MacRequest, MacResponse};
    let value = match algorithm {
        "DUKPT-TDES-INITIAL-KEY" => {
            let base = inputs.array("bdk")?;
            hex::text(&*dukpt_tdes::initial_key(
                engine,
                &base,
                &tdes_serial(inputs)?,
            )?)
        }
        "DUKPT-TDES-TRANSACTION-KEY" => hex::text(&*tdes_key(engine, inputs)?),
        "DUKPT-TDES-PIN-BLOCK-FORMAT0" => {
            let block = PinFormat::WithPan.encode(&inputs.pin()?, &inputs.pan()?);
            let key = dukpt_tdes::Usage::Pin.key(engine, &tdes_key(engine, inputs)?)?;
            hex::text(&engine.des(key.as_slice())?.encrypt(*block)?)
        }
        "DUKPT-TDES-RETAIL-MAC-REQUEST" => tdes_mac(engine, inputs, MacRequest)?,
        "DUKPT-TDES-RETAIL-MAC-RESPONSE" => tdes_mac(engine, inputs, MacResponse)?,
        "DUKPT-TDES-DATA-CBC-REQUEST" => tdes_data(engine, inputs, DataRequest)?,
        "DUKPT-TDES-DATA-CBC-RESPONSE" => tdes_data(engine, inputs, DataResponse)?,
        "DUKPT-TDES-KSN-NEXT" => match tdes_serial(inputs)?.next() {
            Some(next) => hex::text(&next.bytes()),
            None => return Ok(Some(Outcome::Rejected(Rejection::Exhausted))),
        },
        "DUKPT-AES-INITIAL-KEY" => {
            let id = inputs.array("initial_key_id")?;
            let key = dukpt_aes::initial_key(engine, &inputs.bytes("bdk")?, id)?;
            hex::text(&key.ok_or(BASE)?)
        }
        "DUKPT-AES-DERIVATION-KEY" => {
            let base = aes_base(inputs)?;
            let key = dukpt_aes::derivation_key(engine, &base, &aes_serial(inputs)?)?;
            hex::text(&key.ok_or(SERIAL)?)
        }
        "DUKPT-AES-WORKING-KEY" => hex::text(&aes_key(engine, inputs, aes_usage(inputs)?)?),
        "DUKPT-AES-PIN-BLOCK-FORMAT4" => {
            let key = aes_key(engine, inputs, dukpt_aes::Usage::Pin)?;
            let key = engine.aes(&key).map_err(key_error(TYPE.name))?;
            let (pin, pan, random) = (inputs.pin()?, inputs.pan()?, inputs.array("random8")?);
            hex::text(&encipher_format_4(&key, &pin, &pan, &random)?)
        }
        "DUKPT-AES-CMAC-REQUEST" => aes_mac(engine, inputs, MacGenerate)?,
        "DUKPT-AES-CMAC-RESPONSE" => aes_mac(engine, inputs, MacVerify)?,
        "DUKPT-AES-DATA-CBC-REQUEST" => {
            let key = aes_key(engine, inputs, DataEncrypt)?;
            cbc(inputs, &engine.aes(&key).map_err(key_error(TYPE.name))?)?
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

fn tdes_key<E: Engine>(engine: &E, inputs: &Inputs<'_>) -> Result<dukpt_tdes::Key, Stop> {
    let base = inputs.array("bdk")?;
    let key = dukpt_tdes::transaction_key(engine, &base, &tdes_serial(inputs)?)?;
    Ok(key.ok_or(SERIAL)?)
}

fn tdes_mac<E: Engine>(
    engine: &E,
    inputs: &Inputs<'_>,
    usage: dukpt_tdes::Usage,
) -> Result<String, Stop> {
    let key = usage.key(engine, &tdes_key(engine, inputs)?)?;
    let mac = RetailKey::new(engine, &key)?.x919(&[&inputs.bytes(DATA.name)?])?;
    Ok(hex::text(&mac[..MAC_BYTES]))
}

fn tdes_data<E: Engine>(
    engine: &E,
    inputs: &Inputs<'_>,
    usage: dukpt_tdes::Usage,
) -> Result<String, Stop> {
    let key = usage.key(engine, &tdes_key(engine, inputs)?)?;
    cbc(inputs, &engine.des(key.as_slice())?)
}

/// The data enciphered in whole blocks from an initial value of zeros.
fn cbc<const N: usize>(inputs: &Inputs<'_>, key: &impl BlockCipher<N>) -> Result<String, Stop> {
    let mut text = inputs.bytes(DATA.name)?;
    let (blocks, rest) = text.as_chunks_mut();
    if !rest.is_empty() {
        return Err(DATA.into());
    }
    key.encrypt_chained([0; N], blocks)?;
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

fn aes_key<E: Engine>(
    engine: &E,
    inputs: &Inputs<'_>,
    usage: dukpt_aes::Usage,
) -> Result<dukpt_aes::Key, Stop> {
    let (base, serial) = (aes_base(inputs)?, aes_serial(inputs)?);
    if dukpt_aes::derivation_key(engine, &base, &serial)?.is_none() {
        return Err(SERIAL.into());
    }
    let key = dukpt_aes::working_key(engine, &base, &serial, usage, aes_algorithm(inputs)?)?;
    Ok(key.ok_or(TYPE)?)
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

fn aes_mac<E: Engine>(
    engine: &E,
    inputs: &Inputs<'_>,
    usage: dukpt_aes::Usage,
) -> Result<String, Stop> {
    let key = aes_key(engine, inputs, usage)?;
    let key = engine.cmac(&key).map_err(key_error(TYPE.name))?;
    Ok(hex::text(&key.mac(&[&inputs.bytes(DATA.name)?])?))
}
