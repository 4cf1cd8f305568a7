//! Keys: what they are for, how they come in clear once, and how they rest enciphered under the module's local master key.
//!
//! Invariant: a [`WrappedKey`] opens only for the usage it was wrapped for, only unchanged, and only in its own module.

use crate::{
    block_cipher::{self, halves, halves_equal, has_weak_part},
    engine::{BlockCipher, Engine},
    hex,
    module::SecurityError,
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest key kept: double-length triple DES or AES-128.
const KEY_BYTES_MAX: usize = 16;

/// What a key may be used for; a key of one usage is refused for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUsage {
    /// TMK: protects the working keys of one terminal.
    TerminalMaster = 1,
    /// PIK: enciphers PIN blocks in one zone.
    Pin = 2,
    /// MAK: authenticates messages of one link.
    Mac = 3,
    /// TDK: enciphers track data at the terminal.
    Track = 4,
    /// Key-encrypting key between two members.
    HostMaster = 5,
    /// PVK: the issuer's PIN verification key.
    PinVerification = 6,
    /// Seals card numbers; made inside the module, never imported.
    PanSeal = 7,
    /// Makes card tokens; made inside the module, never imported.
    PanToken = 8,
    /// Signs outcome certificates; the Ed25519 seed is derived from it.
    Certificate = 9,
    /// CVK: the issuer's key of card verification values.
    CardVerification = 10,
    /// IMK-AC: the issuer's master key of application cryptograms.
    CryptogramMaster = 11,
}

impl KeyUsage {
    const ALL: [Self; 11] = [
        Self::TerminalMaster,
        Self::Pin,
        Self::Mac,
        Self::Track,
        Self::HostMaster,
        Self::PinVerification,
        Self::PanSeal,
        Self::PanToken,
        Self::Certificate,
        Self::CardVerification,
        Self::CryptogramMaster,
    ];

    /// Byte that stands for the usage inside wrapped keys and derivations.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Single-length keys live on in the terminal interface only (UnionPay-style reference §5.1, 60.3 = 001, and the MAK slot).
    fn allows_single_length(self) -> bool {
        matches!(self, Self::TerminalMaster | Self::Pin | Self::Mac)
    }
}

/// A clear key on its way into the module; 8 or 16 bytes, masked, wiped when dropped.
pub struct ClearKey {
    length: usize,
    bytes: [u8; KEY_BYTES_MAX],
}

impl ClearKey {
    /// Takes 8 or 16 bytes; any other length is [`SecurityError::KeyLength`].
    pub fn new(key: &[u8]) -> Result<Self, SecurityError> {
        if !matches!(key.len(), 8 | 16) {
            return Err(SecurityError::KeyLength { found: key.len() });
        }
        let mut bytes = [0; KEY_BYTES_MAX];
        bytes[..key.len()].copy_from_slice(key);
        Ok(Self {
            length: key.len(),
            bytes,
        })
    }

    /// Reads 16 or 32 hex characters of either case; anything else is [`SecurityError::KeyText`].
    pub fn from_hex(text: &str) -> Result<Self, SecurityError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES_MAX]);
        let length = text.len() / 2;
        let key = bytes.get_mut(..length).ok_or(SecurityError::KeyText)?;
        if !hex::decode(text.as_bytes(), key) {
            return Err(SecurityError::KeyText);
        }
        Self::new(key).map_err(|_| SecurityError::KeyText)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The key expanded for DES; both allowed lengths are DES key lengths.
    pub(crate) fn des<E: Engine>(&self, engine: &E) -> Result<E::Des, SecurityError> {
        engine.des(self.bytes())
    }

    /// First four bytes of the zero block under the key as a DES key.
    pub(crate) fn check_value<E: Engine>(&self, engine: &E) -> Result<[u8; 4], SecurityError> {
        block_cipher::check_value(&self.des(engine)?)
    }

    /// The key for MACs that a key-encrypting key gives: `FF` into the seventh byte of each half (X9.24 variant); parity stays.
    pub(crate) fn mac_variant(&self) -> Self {
        let mut variant = Self {
            length: self.length,
            bytes: self.bytes,
        };
        for half in variant.bytes.as_chunks_mut::<8>().0 {
            half[6] ^= 0xFF;
        }
        variant
    }

    /// The key as 16 bytes; a single-length key is [`SecurityError::KeyLength`].
    pub(crate) fn double_length(&self) -> Result<&[u8; 16], SecurityError> {
        if self.length == KEY_BYTES_MAX {
            Ok(&self.bytes)
        } else {
            Err(SecurityError::KeyLength { found: self.length })
        }
    }
}

impl fmt::Debug for ClearKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearKey(******)")
    }
}

impl Drop for ClearKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for ClearKey {}

/// A key enciphered under the module's local master key, with its check value: what state and records may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrappedKey {
    usage: KeyUsage,
    length: u8,
    check_value: [u8; 4],
    bytes: [u8; 24],
}

impl WrappedKey {
    /// What the key is for.
    pub fn usage(&self) -> KeyUsage {
        self.usage
    }

    /// First four bytes of the zero block enciphered by DES or triple DES under the key, whatever algorithm uses it later.
    pub fn check_value(&self) -> [u8; 4] {
        self.check_value
    }

    /// The initial value of the wrap: usage, length and check value are thereby authenticated along with the key.
    fn initial_value(&self) -> [u8; 8] {
        let [a, b, c, d] = self.check_value;
        [0xA6, 0xA6, self.usage.code(), self.length, a, b, c, d]
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
        let mut bytes = [0; 30];
        bytes[0] = self.usage.code();
        bytes[1] = self.length;
        bytes[2..6].copy_from_slice(&self.check_value);
        bytes[6..].copy_from_slice(&self.bytes);
        hex::serialize(&bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for WrappedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [usage, length, a, b, c, d, bytes @ ..] = hex::deserialize::<D, 30>(deserializer)?;
        let usage = KeyUsage::ALL
            .into_iter()
            .find(|known| known.code() == usage);
        let usage = usage.ok_or_else(|| de::Error::custom("unknown key usage"))?;
        Ok(Self {
            usage,
            length,
            check_value: [a, b, c, d],
            bytes,
        })
    }
}

/// AES-256 key wrap (RFC 3394) of one 16-byte value, with the usage in its initial value.
pub(crate) struct KeyWrap<'a, A>(pub(crate) &'a A);

impl<A: BlockCipher<16>> KeyWrap<'_, A> {
    /// Wraps a key, refusing usages that are never imported and degenerate keys.
    pub(crate) fn wrap<E: Engine>(
        &self,
        engine: &E,
        usage: KeyUsage,
        key: &ClearKey,
    ) -> Result<WrappedKey, SecurityError> {
        if matches!(usage, KeyUsage::PanSeal | KeyUsage::PanToken) {
            return Err(SecurityError::KeyUsage { found: usage });
        }
        if key.length < KEY_BYTES_MAX && !usage.allows_single_length() {
            return Err(SecurityError::KeyLength { found: key.length });
        }
        let disguised_single =
            key.length == KEY_BYTES_MAX && usage != KeyUsage::Mac && halves_equal(key.bytes());
        if disguised_single || has_weak_part(key.bytes()) {
            return Err(SecurityError::DegenerateKey);
        }
        let check_value = key.check_value(engine)?;
        let mut wrapped = WrappedKey {
            usage,
            length: key.length as u8,
            check_value,
            bytes: [0; 24],
        };
        wrapped.bytes = self.wrap_block(wrapped.initial_value(), &key.bytes)?;
        Ok(wrapped)
    }

    /// Opens a key for one usage.
    pub(crate) fn unwrap(
        &self,
        wanted: KeyUsage,
        wrapped: &WrappedKey,
    ) -> Result<ClearKey, SecurityError> {
        if wrapped.usage != wanted {
            return Err(SecurityError::KeyUsage {
                found: wrapped.usage,
            });
        }
        let (initial_value, key) = self.unwrap_block(&wrapped.bytes)?;
        if !bool::from(initial_value.ct_eq(&wrapped.initial_value())) {
            return Err(SecurityError::TamperedKey);
        }
        let length = usize::from(wrapped.length);
        ClearKey::new(key.get(..length).ok_or(SecurityError::TamperedKey)?)
    }

    fn wrap_block(
        &self,
        initial_value: [u8; 8],
        key: &[u8; 16],
    ) -> Result<[u8; 24], SecurityError> {
        let mut halves = halves(key);
        let mut check = initial_value;
        for step in 1..=12 {
            let half = &mut halves[(step - 1) % 2];
            let [left, right] = block_cipher::halves(&self.0.encrypt(join(check, *half))?);
            check = (u64::from_be_bytes(left) ^ step as u64).to_be_bytes();
            *half = right;
        }
        let mut wrapped = [0; 24];
        wrapped[..8].copy_from_slice(&check);
        wrapped[8..].copy_from_slice(halves.as_flattened());
        Ok(wrapped)
    }

    fn unwrap_block(
        &self,
        wrapped: &[u8; 24],
    ) -> Result<([u8; 8], Zeroizing<[u8; 16]>), SecurityError> {
        let [a, b, c, d, e, f, g, h, key @ ..] = *wrapped;
        let mut check = [a, b, c, d, e, f, g, h];
        let mut halves = Zeroizing::new(halves(&key));
        for step in (1..=12).rev() {
            let half = &mut halves[(step - 1) % 2];
            let mixed = (u64::from_be_bytes(check) ^ step as u64).to_be_bytes();
            [check, *half] = block_cipher::halves(&self.0.decrypt(join(mixed, *half))?);
        }
        Ok((check, Zeroizing::new(join(halves[0], halves[1]))))
    }
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

    /// RFC 3394 §4.3: 128 bits of key data under a 256-bit key.
    #[test]
    fn published_wrap() {
        let key: [u8; 32] = core::array::from_fn(|i| i as u8);
        let key = SoftwareEngine(()).aes(&key).unwrap();
        let wrap = KeyWrap(&key);
        let key = core::array::from_fn(|i| i as u8 * 0x11);
        let wrapped = wrap.wrap_block([0xA6; 8], &key).unwrap();
        assert_eq!(
            hex::text(&wrapped),
            "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"
        );
        let (initial_value, opened) = wrap.unwrap_block(&wrapped).unwrap();
        assert_eq!((initial_value, *opened), ([0xA6; 8], key));
    }
}
