//! Rows of block ciphers, their modes, key parity and check values.
//!
//! Invariant: text that is not whole blocks is refused.

use super::{InputError, Outcome, inputs::Inputs};
use crate::{
    block_cipher::set_odd_parity,
    block_cipher_128::{Cipher128, aes_cmac},
    cbc, hex,
};
use aes_gcm::{
    Aes128Gcm, Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};

const KEY: InputError = InputError { name: "key" };
const PLAINTEXT: InputError = InputError { name: "plaintext" };
const NONCE: InputError = InputError { name: "nonce" };

pub(super) fn check(algorithm: &str, inputs: &Inputs<'_>) -> Result<Option<Outcome>, InputError> {
    let value = match algorithm {
        "DES-ECB-ENCRYPT" | "TDES-ECB-ENCRYPT" => {
            let key = inputs.des("key")?;
            ecb(inputs, |block: [u8; 8]| key.encrypt(block))?
        }
        "TDES-CBC-ENCRYPT" => {
            let key = inputs.des("key")?;
            cbc_text(inputs, |block: [u8; 8]| key.encrypt(block))?
        }
        "AES-ECB-ENCRYPT" => {
            let key = inputs.aes("key")?;
            ecb(inputs, |block: [u8; 16]| key.encrypt(block))?
        }
        "SM4-ECB-ENCRYPT" => {
            let key = Cipher128::sm4(&inputs.array("key")?);
            ecb(inputs, |block: [u8; 16]| key.encrypt(block))?
        }
        "SM4-CBC-ENCRYPT" => {
            let key = Cipher128::sm4(&inputs.array("key")?);
            cbc_text(inputs, |block: [u8; 16]| key.encrypt(block))?
        }
        "AES-GCM-ENCRYPT" => hex::text(&gcm(inputs)?),
        "DES-KEY-ODD-PARITY-ADJUST" => {
            let mut key = inputs.bytes("key")?;
            set_odd_parity(&mut key);
            hex::text(&key)
        }
        "KCV-TDES-ZERO-BLOCK" => inputs.cut(&inputs.des("key")?.check_value(), "length_bytes")?,
        "KCV-AES-CMAC-ZERO-BLOCK" => {
            let check_value = aes_cmac(&inputs.bytes("key")?, &[&[0; 16]]).ok_or(KEY)?;
            inputs.cut(&check_value, "length_bytes")?
        }
        "KCV-SM4-ZERO-BLOCK" => {
            let check_value = Cipher128::sm4(&inputs.array("key")?).encrypt([0; 16]);
            inputs.cut(&check_value, "length_bytes")?
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn ecb<const N: usize>(
    inputs: &Inputs<'_>,
    cipher: impl Fn([u8; N]) -> [u8; N],
) -> Result<String, InputError> {
    let mut text = inputs.bytes("plaintext")?;
    let (blocks, rest) = text.as_chunks_mut();
    if !rest.is_empty() {
        return Err(PLAINTEXT);
    }
    blocks.iter_mut().for_each(|block| *block = cipher(*block));
    Ok(hex::text(&text))
}

fn cbc_text<const N: usize>(
    inputs: &Inputs<'_>,
    cipher: impl Fn([u8; N]) -> [u8; N],
) -> Result<String, InputError> {
    let mut text = inputs.bytes("plaintext")?;
    cbc::encrypt(cipher, inputs.array("iv")?, &mut text).ok_or(PLAINTEXT)?;
    Ok(hex::text(&text))
}

/// Cipher text and tag.
fn gcm(inputs: &Inputs<'_>) -> Result<Vec<u8>, InputError> {
    let key = inputs.bytes("key")?;
    let nonce: [u8; 12] = inputs.array("nonce")?;
    let (text, associated) = (inputs.bytes("plaintext")?, inputs.bytes("aad")?);
    let payload = Payload {
        msg: &text,
        aad: &associated,
    };
    let sealed = match key.len() {
        16 => Aes128Gcm::new_from_slice(&key)
            .map_err(|_| KEY)?
            .encrypt(&nonce.into(), payload),
        _ => Aes256Gcm::new_from_slice(&key)
            .map_err(|_| KEY)?
            .encrypt(&nonce.into(), payload),
    };
    sealed.map_err(|_| NONCE)
}
