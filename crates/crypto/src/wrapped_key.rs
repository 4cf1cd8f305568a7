//! Keys at rest: enciphered under the module's local master key, with all that restricts them.
//!
//! Invariant: a [`WrappedKey`] opens only for the usage it was wrapped for, only unchanged, and only in its own module; what is
//! said of it beside the cipher text is authenticated with it.

use crate::{
    block_cipher,
    engine::{BlockCipher, Engine},
    hex,
    key::{ClearKey, KEY_BYTES_MAX, KeyAlgorithm, KeyUsage},
    module::SecurityError,
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key up to this length is padded to it before wrapping, a longer one to [`KEY_BYTES_MAX`].
const SHORT_BYTES: usize = 16;
/// What key wrap adds in front.
const CHECK_BYTES: usize = 8;
/// Attribute: the key is of AES.
const AES: u8 = 0x80;
/// Attribute: the key came in as not exportable.
const NOT_EXPORTABLE: u8 = 0x04;
/// Attribute bits of [`KeyMode`].
const MODE: u8 = 0x03;
/// Marks, in the usage byte, a serialised key with attributes; keys without any keep the form that journals have always held.
const WITH_ATTRIBUTES: u8 = 0x80;
/// Longest serialised key: usage, length, attributes, check value, cipher text.
const SERIALISED_MAX: usize = 7 + CHECK_BYTES + KEY_BYTES_MAX;

/// Which half of its usage a key serves; keys of this system serve both, a key block may say less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// Both ways.
    Both,
    /// Enciphers, or generates, only.
    Out,
    /// Deciphers, or verifies, only.
    In,
}

impl KeyMode {
    /// Whether a key of this mode may be used this way.
    fn allows(self, way: Self) -> bool {
        self == Self::Both || self == way
    }
}

/// A key enciphered under the module's local master key, with its check value: what state and records may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrappedKey {
    usage: KeyUsage,
    length: u8,
    attributes: u8,
    check_value: [u8; 4],
    bytes: [u8; CHECK_BYTES + KEY_BYTES_MAX],
}

impl WrappedKey {
    /// What the key is for.
    pub fn usage(&self) -> KeyUsage {
        self.usage
    }

    /// The cipher that it is for.
    pub fn algorithm(&self) -> KeyAlgorithm {
        if self.attributes & AES == 0 {
            KeyAlgorithm::Des
        } else {
            KeyAlgorithm::Aes
        }
    }

    /// Bits of the key, parity included.
    pub fn bits(&self) -> u16 {
        8 * u16::from(self.length)
    }

    /// Which half of its usage it serves.
    pub fn mode(&self) -> KeyMode {
        match self.attributes & MODE {
            1 => KeyMode::Out,
            2 => KeyMode::In,
            _ => KeyMode::Both,
        }
    }

    /// Whether it may leave in a key block.
    pub fn exportable(&self) -> bool {
        self.attributes & NOT_EXPORTABLE == 0
    }

    /// First four bytes of the zero block enciphered by DES or triple DES under the key, whatever algorithm uses it later; of an
    /// AES key, first four bytes of the zero block's AES-CMAC.
    pub fn check_value(&self) -> [u8; 4] {
        self.check_value
    }

    /// The initial value of the wrap: everything said of the key is thereby authenticated along with it.
    fn initial_value(&self) -> [u8; CHECK_BYTES] {
        let [a, b, c, d] = self.check_value;
        let attributes = 0xA6 ^ self.attributes;
        [0xA6, attributes, self.usage.code(), self.length, a, b, c, d]
    }

    fn cipher_bytes(length: u8) -> usize {
        if usize::from(length) <= SHORT_BYTES {
            CHECK_BYTES + SHORT_BYTES
        } else {
            CHECK_BYTES + KEY_BYTES_MAX
        }
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WrappedKey({:?} {})",
            self.usage,
            hex::text(&self.check_value)
        )
    }
}

impl Serialize for WrappedKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(SERIALISED_MAX);
        if self.attributes == 0 {
            bytes.extend([self.usage.code(), self.length]);
        } else {
            bytes.extend([
                WITH_ATTRIBUTES | self.usage.code(),
                self.length,
                self.attributes,
            ]);
        }
        bytes.extend(self.check_value);
        bytes.extend(&self.bytes[..Self::cipher_bytes(self.length)]);
        hex::serialize(&bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for WrappedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let serialised = hex::deserialize_up_to::<D, SERIALISED_MAX>(deserializer)?;
        read(&serialised).ok_or_else(|| de::Error::custom("not a wrapped key"))
    }
}

/// Reads exactly what serialising writes; what the bytes claim is checked when the key is opened.
fn read(bytes: &[u8]) -> Option<WrappedKey> {
    let (usage, bytes) = bytes.split_first()?;
    let (length, bytes) = bytes.split_first()?;
    let (attributes, bytes) = if usage & WITH_ATTRIBUTES == 0 {
        (&0, bytes)
    } else {
        bytes.split_first().filter(|(bits, _)| **bits != 0)?
    };
    let (check_value, cipher) = bytes.split_first_chunk()?;
    if cipher.len() != WrappedKey::cipher_bytes(*length) {
        return None;
    }
    let code = usage & !WITH_ATTRIBUTES;
    let mut key = WrappedKey {
        usage: KeyUsage::ALL
            .into_iter()
            .find(|usage| usage.code() == code)?,
        length: *length,
        attributes: *attributes,
        check_value: *check_value,
        bytes: [0; CHECK_BYTES + KEY_BYTES_MAX],
    };
    key.bytes[..cipher.len()].copy_from_slice(cipher);
    Some(key)
}

/// AES-256 key wrap (RFC 3394) of a key padded with zeros, with all that is said of it in its initial value.
pub(crate) struct KeyWrap<'a, A>(pub(crate) &'a A);

impl<A: BlockCipher<16>> KeyWrap<'_, A> {
    /// Wraps a key without restrictions, unless its usage refuses it.
    pub(crate) fn wrap<E: Engine>(
        &self,
        engine: &E,
        usage: KeyUsage,
        key: &ClearKey,
    ) -> Result<WrappedKey, SecurityError> {
        self.wrap_restricted(engine, usage, key, KeyMode::Both, true)
    }

    /// Wraps a key with what a key block says of it.
    pub(crate) fn wrap_restricted<E: Engine>(
        &self,
        engine: &E,
        usage: KeyUsage,
        key: &ClearKey,
        mode: KeyMode,
        exportable: bool,
    ) -> Result<WrappedKey, SecurityError> {
        key.check(usage)?;
        let algorithm = match key.algorithm() {
            KeyAlgorithm::Des => 0,
            KeyAlgorithm::Aes => AES,
        };
        let mode = match mode {
            KeyMode::Both => 0,
            KeyMode::Out => 1,
            KeyMode::In => 2,
        };
        let mut wrapped = WrappedKey {
            usage,
            length: key.bytes().len() as u8,
            attributes: algorithm | mode | if exportable { 0 } else { NOT_EXPORTABLE },
            check_value: key.check_value(engine)?,
            bytes: [0; CHECK_BYTES + KEY_BYTES_MAX],
        };
        let initial_value = wrapped.initial_value();
        let (check, cipher) =
            wrapped.bytes[..WrappedKey::cipher_bytes(wrapped.length)].split_at_mut(CHECK_BYTES);
        cipher[..key.bytes().len()].copy_from_slice(key.bytes());
        check.copy_from_slice(&self.wrap_blocks(initial_value, cipher)?);
        Ok(wrapped)
    }

    /// Opens a key for one usage and one way of using it.
    pub(crate) fn unwrap(
        &self,
        wanted: KeyUsage,
        way: KeyMode,
        wrapped: &WrappedKey,
    ) -> Result<ClearKey, SecurityError> {
        check_way(wanted, way, wrapped)?;
        let mut bytes = Zeroizing::new(wrapped.bytes);
        let (check, cipher) = bytes[..WrappedKey::cipher_bytes(wrapped.length)]
            .split_first_chunk_mut()
            .ok_or(SecurityError::TamperedKey)?;
        let initial_value = self.unwrap_blocks(*check, cipher)?;
        if !bool::from(initial_value.ct_eq(&wrapped.initial_value())) {
            return Err(SecurityError::TamperedKey);
        }
        let key = cipher.get(..usize::from(wrapped.length));
        ClearKey::of(wrapped.algorithm(), key.ok_or(SecurityError::TamperedKey)?)
    }

    /// Enciphers whole 8-byte parts in place and gives what stands in front of them (RFC 3394 §2.2.1).
    fn wrap_blocks(
        &self,
        initial_value: [u8; 8],
        text: &mut [u8],
    ) -> Result<[u8; 8], SecurityError> {
        let parts = text.as_chunks_mut::<8>().0;
        let mut check = initial_value;
        for step in 1..=6 * parts.len() {
            let part = &mut parts[(step - 1) % parts.len()];
            let [left, right] = block_cipher::halves(&self.0.encrypt(join(check, *part))?);
            check = (u64::from_be_bytes(left) ^ step as u64).to_be_bytes();
            *part = right;
        }
        Ok(check)
    }

    /// Reverse of [`Self::wrap_blocks`]; gives the initial value.
    fn unwrap_blocks(&self, check: [u8; 8], cipher: &mut [u8]) -> Result<[u8; 8], SecurityError> {
        let parts = cipher.as_chunks_mut::<8>().0;
        let mut check = check;
        for step in (1..=6 * parts.len()).rev() {
            let part = &mut parts[(step - 1) % parts.len()];
            let mixed = (u64::from_be_bytes(check) ^ step as u64).to_be_bytes();
            [check, *part] = block_cipher::halves(&self.0.decrypt(join(mixed, *part))?);
        }
        Ok(check)
    }
}

/// Whether a key is for `wanted` and may be used this way.
pub(crate) fn check_way(
    wanted: KeyUsage,
    way: KeyMode,
    key: &WrappedKey,
) -> Result<(), SecurityError> {
    if key.usage != wanted {
        return Err(SecurityError::KeyUsage { found: key.usage });
    }
    if !key.mode().allows(way) {
        return Err(SecurityError::KeyMode { found: key.mode() });
    }
    Ok(())
}

fn join(left: [u8; 8], right: [u8; 8]) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(&left);
    block[8..].copy_from_slice(&right);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software_engine::SoftwareEngine;

    /// RFC 3394 §4.3 and §4.6: 128 and 256 bits of key data under a 256-bit key.
    #[test]
    fn published_wraps() {
        let key: [u8; 32] = core::array::from_fn(|i| i as u8);
        let key = SoftwareEngine(()).aes(&key).unwrap();
        let wrap = KeyWrap(&key);
        let data: [u8; 32] =
            core::array::from_fn(|i| if i < 16 { i as u8 * 0x11 } else { i as u8 - 16 });
        for (length, wrapped) in [
            (16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
            (
                32,
                "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
            ),
        ] {
            let mut text = data[..length].to_vec();
            let check = wrap.wrap_blocks([0xA6; 8], &mut text).unwrap();
            assert_eq!(hex::text(&check) + &hex::text(&text), wrapped);
            assert_eq!(wrap.unwrap_blocks(check, &mut text), Ok([0xA6; 8]));
            assert_eq!(text, data[..length]);
        }
    }
}
