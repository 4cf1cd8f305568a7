//! Rows of message authentication codes.
//!
//! Invariant: the functions behind them are those of fields 64 and 128 wherever one exists.

use super::{InputError, Outcome, RowEngine, Stop, inputs::Inputs};
use crate::{block_cipher::tdes_cmac, engine::CmacKey, hex, mac};

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    let message = || inputs.bytes("message");
    let value = match algorithm {
        "ISO9797-1-ALG1" => {
            let mac = mac::cbc_mac(
                &inputs.des(engine, "key")?,
                &[&message()?, inputs.padding()?],
            )?;
            inputs.cut(&mac, "mac_length")?
        }
        "ISO9797-1-ALG3" => {
            let mac = inputs
                .retail(engine, "key")?
                .x919(&[&message()?, inputs.padding()?])?;
            inputs.cut(&mac, "mac_length")?
        }
        "AES-CMAC" => {
            let key = inputs.cmac(engine, "key")?;
            hex::text(&key.mac(&[&message()?])?)
        }
        "TDES-CMAC" => {
            if inputs.bytes("key")?.len() < 16 {
                return Err(InputError { name: "key" }.into());
            }
            let key = inputs.des(engine, "key")?;
            hex::text(&tdes_cmac(&key, &[&message()?])?)
        }
        "UNIONPAY-ECB-MAC" => {
            let key = inputs.des(engine, "key")?;
            field(mac::unionpay_ecb(&key, &[&message()?])?)
        }
        "UNIONPAY-SM4-MAC" => {
            let key = engine.sm4(&inputs.array("key")?)?;
            field(mac::unionpay_sm4(&key, &[&message()?])?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn field(mac: [u8; 8]) -> String {
    hex::text(&mac::field_text(mac))
}
