//! Rows of block ciphers, their modes, key parity and check values.
//!
//! Invariant: text that is not whole blocks is refused.

use super::{InputError, Outcome, RowEngine, Stop, inputs::Inputs};
use crate::{
    block_cipher::{check_value, set_odd_parity},
    engine::{BlockCipher, CmacKey},
    hex,
};

const KEY: InputError = InputError { name: "key" };
const PLAINTEXT: InputError = InputError { name: "plaintext" };

pub(super) fn check<E: RowEngine>(
    engine: &E,
    algorithm: &str,
    inputs: &Inputs<'_>,
) -> Result<Option<Outcome>, Stop> {
    let value = match algorithm {
        "DES-ECB-ENCRYPT" | "TDES-ECB-ENCRYPT" => ecb(inputs, &inputs.des(engine, "key")?)?,
        "TDES-CBC-ENCRYPT" => cbc(inputs, &inputs.des(engine, "key")?)?,
        "AES-ECB-ENCRYPT" => ecb(inputs, &inputs.aes(engine, "key")?)?,
        "SM4-ECB-ENCRYPT" => ecb(inputs, &engine.sm4(&inputs.array("key")?)?)?,
        "SM4-CBC-ENCRYPT" => cbc(inputs, &engine.sm4(&inputs.array("key")?)?)?,
        "AES-GCM-ENCRYPT" => hex::text(&gcm(engine, inputs)?),
        "DES-KEY-ODD-PARITY-ADJUST" => {
            let mut key = inputs.bytes("key")?;
            set_odd_parity(&mut key);
            hex::text(&key)
        }
        "KCV-TDES-ZERO-BLOCK" => {
            inputs.cut(&check_value(&inputs.des(engine, "key")?)?, "length_bytes")?
        }
        "KCV-AES-CMAC-ZERO-BLOCK" => {
            let check_value = inputs.cmac(engine, "key")?.mac(&[&[0; 16]])?;
            inputs.cut(&check_value, "length_bytes")?
        }
        "KCV-SM4-ZERO-BLOCK" => {
            let check_value = engine.sm4(&inputs.array("key")?)?.encrypt([0; 16])?;
            inputs.cut(&check_value, "length_bytes")?
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Value(value)))
}

fn ecb<const N: usize>(inputs: &Inputs<'_>, key: &impl BlockCipher<N>) -> Result<String, Stop> {
    let mut text = inputs.bytes(PLAINTEXT.name)?;
    key.encrypt_blocks(whole_blocks(&mut text)?)?;
    Ok(hex::text(&text))
}

fn cbc<const N: usize>(inputs: &Inputs<'_>, key: &impl BlockCipher<N>) -> Result<String, Stop> {
    let mut text = inputs.bytes(PLAINTEXT.name)?;
    key.encrypt_chained(inputs.array("iv")?, whole_blocks(&mut text)?)?;
    Ok(hex::text(&text))
}

fn whole_blocks<const N: usize>(text: &mut [u8]) -> Result<&mut [[u8; N]], InputError> {
    let (blocks, rest) = text.as_chunks_mut();
    rest.is_empty().then_some(blocks).ok_or(PLAINTEXT)
}

/// Cipher text and tag.
fn gcm<E: RowEngine>(engine: &E, inputs: &Inputs<'_>) -> Result<Vec<u8>, Stop> {
    let (key, nonce) = (inputs.bytes(KEY.name)?, inputs.array("nonce")?);
    let (text, associated) = (inputs.bytes(PLAINTEXT.name)?, inputs.bytes("aad")?);
    if !matches!(key.len(), 16 | 32) {
        return Err(KEY.into());
    }
    Ok(engine.aes_gcm(&key, &nonce, &associated, &text)?)
}
