//! Rows of message authentication codes.
//!
//! Invariant: the functions behind them are those of fields 64 and 128 wherever one exists.

use super::{InputError, Outcome, inputs::Inputs};
use crate::{block_cipher::tdes_cmac, block_cipher_128::aes_cmac, hex, mac};
use cipher::KeyInit;
use sm4::Sm4;

const KEY: InputError = InputError { name: "key" };

pub(super) fn check(algorithm: &str, inputs: &Inputs<'_>) -> Result<Option<Outcome>, InputError> {
    let message = || inputs.bytes("message");
    let value = match algorithm {
        "ISO9797-1-ALG1" => {
            let mac = mac::cbc_mac(&inputs.des("key")?, &[&message()?, inputs.padding()?]);
            inputs.cut(&mac, "mac_length")?
        }
        "ISO9797-1-ALG3" => {
            let mac = mac::x919(&inputs.array("key")?, &[&message()?, inputs.padding()?]);
            inputs.cut(&mac, "mac_length")?
        }
        "AES-CMAC" => {
            let mac = aes_cmac(&inputs.bytes("key")?, &[&message()?]);
            hex::text(&mac.ok_or(KEY)?)
        }
        "TDES-CMAC" => {
            let mac = tdes_cmac(&inputs.bytes("key")?, &[&message()?]);
            hex::text(&mac.ok_or(KEY)?)
        }
        "UNIONPAY-ECB-MAC" => field(mac::unionpay_ecb(&inputs.des("key")?, &[&message()?])),
        "UNIONPAY-SM4-MAC" => {
            let key = Sm4::new(&inputs.array("key")?.into());
            field(mac::unionpay_sm4(&key, &[&message()?]))
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn field(mac: [u8; 8]) -> String {
    hex::text(&mac::field_text(mac))
}
