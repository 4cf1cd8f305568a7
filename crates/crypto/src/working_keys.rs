//! Working keys of a terminal and the field 62 that carries them (UnionPay-style reference §5.1).
//!
//! Invariant: all keys of a field are taken or none, each only with its own check value.

use crate::{
    block_cipher::DES_BLOCK,
    engine::{BlockCipher, Engine},
    key::{ClearKey, KeyUsage},
    module::SecurityError,
    wrapped_key::WrappedKey,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of field 62 for 60.3 = 003: two slots of a 16-byte key and its check value.
pub(crate) const FIELD_62_DOUBLE: usize = 40;
const CHECK_VALUE: usize = 4;
/// Slot size by field length: single-length keys, double-length keys, double-length keys with a track key.
const FORMS: [(usize, usize); 3] = [(24, 12), (FIELD_62_DOUBLE, 20), (60, 20)];

/// The keys that one sign-in gives a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingKeys {
    /// PIK.
    pub pin: WrappedKey,
    /// MAK.
    pub mac: WrappedKey,
    /// TDK, when the host sends one (60-byte field).
    pub track: Option<WrappedKey>,
}

/// The same before wrapping.
pub(crate) struct ClearWorkingKeys {
    pub(crate) pin: ClearKey,
    pub(crate) mac: ClearKey,
    pub(crate) track: Option<ClearKey>,
}

/// Enciphers a double-length PIK and a single-length MAK: the MAK slot holds 8 cipher bytes and 8 zeros (§5.1, MAK slot trap).
pub(crate) fn encipher_field62<E: Engine>(
    engine: &E,
    tmk: &E::Des,
    pin: &ClearKey,
    mac: &ClearKey,
) -> Result<[u8; FIELD_62_DOUBLE], SecurityError> {
    let mut field = [0; FIELD_62_DOUBLE];
    for (slot, key) in field.chunks_exact_mut(FIELD_62_DOUBLE / 2).zip([pin, mac]) {
        let (cipher, check_value) = slot.split_at_mut(slot.len() - CHECK_VALUE);
        let cipher = &mut cipher[..key.bytes().len()];
        cipher.copy_from_slice(key.bytes());
        tmk.encrypt_blocks(cipher.as_chunks_mut().0)?;
        check_value.copy_from_slice(&key.check_value(engine)?);
    }
    Ok(field)
}

/// Deciphers and checks every key of a 24-, 40- or 60-byte field.
pub(crate) fn decipher_field62<E: Engine>(
    engine: &E,
    tmk: &E::Des,
    field: &[u8],
) -> Result<ClearWorkingKeys, SecurityError> {
    let form = FORMS.into_iter().find(|(length, _)| *length == field.len());
    let (_, slot_size) = form.ok_or(SecurityError::Field62Length { found: field.len() })?;
    let slot =
        |index: usize| field[index * slot_size..][..slot_size].split_at(slot_size - CHECK_VALUE);
    let decipher = |usage, cipher: &[u8], check_value: &[u8]| {
        decipher_key(engine, tmk, usage, cipher, check_value)
    };
    let (cipher, check_value) = slot(0);
    let pin = decipher(KeyUsage::Pin, cipher, check_value)?;
    let (cipher, check_value) = slot(1);
    // Hosts disagree about what fills the slot behind a single-length MAK; the check value tells which key was meant.
    let mac = match decipher(KeyUsage::Mac, &cipher[..DES_BLOCK], check_value) {
        Err(SecurityError::CheckValue { .. }) => decipher(KeyUsage::Mac, cipher, check_value)?,
        otherwise => otherwise?,
    };
    let track = (field.len() > 2 * slot_size).then(|| {
        let (cipher, check_value) = slot(2);
        decipher(KeyUsage::Track, cipher, check_value)
    });
    Ok(ClearWorkingKeys {
        pin,
        mac,
        track: track.transpose()?,
    })
}

/// Deciphers one key in ECB and refuses it unless its check value is the one received.
pub(crate) fn decipher_key<E: Engine>(
    engine: &E,
    kek: &E::Des,
    usage: KeyUsage,
    cipher: &[u8],
    check_value: &[u8],
) -> Result<ClearKey, SecurityError> {
    let mut key = Zeroizing::new([0; 16]);
    let key = key
        .get_mut(..cipher.len())
        .ok_or(SecurityError::KeyLength {
            found: cipher.len(),
        })?;
    key.copy_from_slice(cipher);
    kek.decrypt_blocks(key.as_chunks_mut().0)?;
    let key = ClearKey::new(key)?;
    if bool::from(key.check_value(engine)?.as_slice().ct_eq(check_value)) {
        Ok(key)
    } else {
        Err(SecurityError::CheckValue { usage })
    }
}
