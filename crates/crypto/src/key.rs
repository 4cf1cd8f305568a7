//! Keys: what they are for, their algorithm and length, and how they come in clear once.
//!
//! Invariant: a clear key is masked and wiped; one that its algorithm or its use does not allow never becomes a wrapped one.

use crate::{
    block_cipher::{self, halves_equal, has_weak_part},
    engine::{CmacKey, Engine},
    hex,
    module::SecurityError,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest key kept: AES-256.
pub(crate) const KEY_BYTES_MAX: usize = 32;
/// Longest key of the DES family: triple length.
const DES_KEY_BYTES_MAX: usize = 24;
/// Bytes of a double-length DES key.
const DOUBLE_LENGTH: usize = 16;

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
    /// KBPK: protects key blocks on their way to another member.
    KeyBlockProtection = 12,
    /// PVK of PIN verification values, which IBM 3624 must not use.
    PinVerificationValue = 13,
    /// IMK-SMI: the issuer's master key of the MACs of scripts.
    ScriptMaster = 14,
}

impl KeyUsage {
    /// Every usage.
    pub const ALL: [Self; 14] = [
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
        Self::KeyBlockProtection,
        Self::PinVerificationValue,
        Self::ScriptMaster,
    ];

    /// As configuration, store and command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TerminalMaster => "terminal-master",
            Self::Pin => "pin",
            Self::Mac => "mac",
            Self::Track => "track",
            Self::HostMaster => "host-master",
            Self::PinVerification => "pin-verification",
            Self::PanSeal => "pan-seal",
            Self::PanToken => "pan-token",
            Self::Certificate => "certificate",
            Self::CardVerification => "card-verification",
            Self::CryptogramMaster => "cryptogram-master",
            Self::KeyBlockProtection => "key-block-protection",
            Self::PinVerificationValue => "pin-verification-value",
            Self::ScriptMaster => "script-master",
        }
    }

    /// Byte that stands for the usage inside wrapped keys and derivations.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Which keys serve it. Single length lives on in the terminal interface only (UnionPay-style reference §5.1, 60.3 = 001, and
    /// the MAK slot); what schemes define with double length stays double.
    fn allows(self, algorithm: KeyAlgorithm, length: usize) -> bool {
        use KeyAlgorithm::{Aes, Des};
        match (self, algorithm) {
            (Self::TerminalMaster, Des) | (Self::Mac, Des) => length <= DOUBLE_LENGTH,
            (Self::Pin, Des) | (Self::Pin | Self::Mac | Self::KeyBlockProtection, Aes) => true,
            (
                Self::Track
                | Self::HostMaster
                | Self::PinVerification
                | Self::PinVerificationValue
                | Self::KeyBlockProtection,
                Des,
            ) => length >= DOUBLE_LENGTH,
            (
                Self::Certificate
                | Self::CardVerification
                | Self::CryptogramMaster
                | Self::ScriptMaster,
                Des,
            ) => length == DOUBLE_LENGTH,
            (Self::PanSeal | Self::PanToken, _) | (_, Aes) => false,
        }
    }
}

/// The cipher that a key is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// DES of 8, triple DES of 16 or 24 bytes. A MAC key of 16 bytes also serves the AES and SM4 MACs of links that carry no key blocks.
    Des,
    /// AES of 16, 24 or 32 bytes.
    Aes,
}

impl KeyAlgorithm {
    /// Whether the cipher has keys of so many bytes.
    pub fn has_length(self, bytes: usize) -> bool {
        match self {
            Self::Des => matches!(bytes, 8 | 16 | 24),
            Self::Aes => matches!(bytes, 16 | 24 | 32),
        }
    }
}

/// A clear key on its way into the module; masked, wiped when dropped.
pub struct ClearKey {
    algorithm: KeyAlgorithm,
    length: usize,
    bytes: [u8; KEY_BYTES_MAX],
}

impl ClearKey {
    /// Takes 8, 16 or 24 bytes of a DES key; any other length is [`SecurityError::KeyLength`].
    pub fn new(key: &[u8]) -> Result<Self, SecurityError> {
        Self::of(KeyAlgorithm::Des, key)
    }

    /// Takes a key of either algorithm; a length that the algorithm does not have is [`SecurityError::KeyLength`].
    pub fn of(algorithm: KeyAlgorithm, key: &[u8]) -> Result<Self, SecurityError> {
        if !algorithm.has_length(key.len()) {
            return Err(SecurityError::KeyLength { found: key.len() });
        }
        let mut bytes = [0; KEY_BYTES_MAX];
        bytes[..key.len()].copy_from_slice(key);
        Ok(Self {
            algorithm,
            length: key.len(),
            bytes,
        })
    }

    /// Reads 16, 32 or 48 hex characters of a DES key, of either case; anything else is [`SecurityError::KeyText`].
    pub fn from_hex(text: &str) -> Result<Self, SecurityError> {
        let mut bytes = Zeroizing::new([0; DES_KEY_BYTES_MAX]);
        let length = text.len() / 2;
        let key = bytes.get_mut(..length).ok_or(SecurityError::KeyText)?;
        if !hex::decode(text.as_bytes(), key) {
            return Err(SecurityError::KeyText);
        }
        Self::new(key).map_err(|_| SecurityError::KeyText)
    }

    /// The cipher that it is for.
    pub(crate) fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Whether it may serve `usage`: right algorithm, right length, neither weak nor a longer key in name only.
    pub(crate) fn check(&self, usage: KeyUsage) -> Result<(), SecurityError> {
        if matches!(usage, KeyUsage::PanSeal | KeyUsage::PanToken) {
            return Err(SecurityError::KeyUsage { found: usage });
        }
        if !usage.allows(self.algorithm, self.length) {
            let lengths = [8, DOUBLE_LENGTH, DES_KEY_BYTES_MAX, KEY_BYTES_MAX];
            let serves = lengths
                .into_iter()
                .any(|length| usage.allows(self.algorithm, length));
            return Err(if serves {
                SecurityError::KeyLength { found: self.length }
            } else {
                SecurityError::KeyAlgorithm
            });
        }
        match self.algorithm {
            // K‖K is what terminals make of a single-length MAK.
            KeyAlgorithm::Des if usage == KeyUsage::Mac => self.check_parts(),
            KeyAlgorithm::Des if self.collapses() => Err(SecurityError::DegenerateKey),
            KeyAlgorithm::Des => self.check_parts(),
            KeyAlgorithm::Aes if self.bytes().iter().all(|byte| *byte == 0) => {
                Err(SecurityError::DegenerateKey)
            }
            KeyAlgorithm::Aes => Ok(()),
        }
    }

    fn check_parts(&self) -> Result<(), SecurityError> {
        if has_weak_part(self.bytes()) {
            return Err(SecurityError::DegenerateKey);
        }
        Ok(())
    }

    /// Whether neighbouring parts are equal, which makes triple DES single.
    fn collapses(&self) -> bool {
        let parts = self.bytes().as_chunks::<8>().0;
        parts
            .windows(2)
            .any(|pair| halves_equal(pair.as_flattened()))
    }

    /// What tells the key apart: four bytes of the enciphered zero block, or of its AES-CMAC (security reference §1.3).
    pub(crate) fn check_value<E: Engine>(&self, engine: &E) -> Result<[u8; 4], SecurityError> {
        match self.algorithm {
            KeyAlgorithm::Des => block_cipher::check_value(&self.des(engine)?),
            KeyAlgorithm::Aes => {
                let [a, b, c, d, ..] = self.cmac(engine)?.mac(&[&[0; 16]])?;
                Ok([a, b, c, d])
            }
        }
    }

    /// AES-CMAC under an AES key, or under sixteen bytes of a link that names its algorithm elsewhere.
    pub(crate) fn cmac<E: Engine>(&self, engine: &E) -> Result<E::Cmac, SecurityError> {
        if self.algorithm == KeyAlgorithm::Des {
            self.double_length()?;
        }
        engine.cmac(self.bytes())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The key expanded for DES; one made for another cipher is [`SecurityError::KeyAlgorithm`].
    pub(crate) fn des<E: Engine>(&self, engine: &E) -> Result<E::Des, SecurityError> {
        if self.algorithm != KeyAlgorithm::Des {
            return Err(SecurityError::KeyAlgorithm);
        }
        engine.des(self.bytes())
    }

    /// The key for MACs that a key-encrypting key gives: `FF` into the seventh byte of each half (X9.24 variant); parity stays.
    pub(crate) fn mac_variant(&self) -> Self {
        let mut variant = Self {
            algorithm: self.algorithm,
            length: self.length,
            bytes: self.bytes,
        };
        for half in variant.bytes.as_chunks_mut::<8>().0 {
            half[6] ^= 0xFF;
        }
        variant
    }

    /// The key expanded for AES; one made for another cipher is [`SecurityError::KeyAlgorithm`].
    pub(crate) fn aes<E: Engine>(&self, engine: &E) -> Result<E::Aes, SecurityError> {
        if self.algorithm != KeyAlgorithm::Aes {
            return Err(SecurityError::KeyAlgorithm);
        }
        engine.aes(self.bytes())
    }

    /// The 16 bytes of a double-length key; any other length is [`SecurityError::KeyLength`].
    pub(crate) fn double_length(&self) -> Result<&[u8; 16], SecurityError> {
        if self.algorithm != KeyAlgorithm::Des {
            return Err(SecurityError::KeyAlgorithm);
        }
        self.bytes()
            .try_into()
            .map_err(|_| SecurityError::KeyLength { found: self.length })
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
