//! What the custodians of keys ask of a module, beside what parties ask: combining components, key blocks, check values.
//!
//! Invariant: no clear key comes out; a key leaves only in a key block, and only when it may.

use crate::{
    block_cipher::set_odd_parity,
    component::Component,
    engine::{CmacKey, Engine},
    engine_module::EngineModule,
    hex,
    key::{ClearKey, KEY_BYTES_MAX, KeyAlgorithm, KeyUsage},
    key_block::{self, KeyBlockError, Version},
    key_block_header,
    module::{SecurityError, SecurityModule},
    published_keys,
    wrapped_key::{KeyMode, WrappedKey},
};
use core::fmt;
use zeroize::Zeroizing;

/// Bits in front of the key inside a block, in bytes.
const LENGTH_BYTES: usize = 2;

/// Why a custodian's wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustodyError {
    /// The module refuses the key.
    Module(SecurityError),
    /// The key block is refused.
    KeyBlock(KeyBlockError),
    /// Fewer than two components.
    ComponentCount,
    /// Components of different ciphers or lengths.
    ComponentsDiffer,
}

impl fmt::Display for CustodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(error) => error.fmt(f),
            Self::KeyBlock(error) => error.fmt(f),
            Self::ComponentCount => f.write_str("a key is made of two components or more"),
            Self::ComponentsDiffer => f.write_str("components of different ciphers or lengths"),
        }
    }
}

impl core::error::Error for CustodyError {}

impl From<SecurityError> for CustodyError {
    fn from(error: SecurityError) -> Self {
        Self::Module(error)
    }
}

impl From<KeyBlockError> for CustodyError {
    fn from(error: KeyBlockError) -> Self {
        Self::KeyBlock(error)
    }
}

/// How much of a check value is shown: as little as the standard asks (security reference §1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckValueLength {
    /// Three bytes, of any key.
    Three,
    /// Four bytes, of a DES key: UnionPay terminal sign-on.
    Four,
    /// Five bytes, of an AES key: key blocks.
    Five,
}

/// A check value, shown as upper-case hex: of a DES key the enciphered zero block's first bytes, of an AES key its CMAC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckValue {
    length: usize,
    bytes: [u8; 5],
}

impl fmt::Display for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::text(&self.bytes[..self.length]))
    }
}

/// Everything a custodian may ask.
pub trait KeyCustody {
    /// The XOR of two components or more, inside the module.
    fn combine(
        &self,
        usage: KeyUsage,
        components: &[Component],
    ) -> Result<WrappedKey, CustodyError>;

    /// Makes a key of so many bytes from the caller's random bytes, parity adjusted; nobody ever sees it.
    fn generate(
        &self,
        usage: KeyUsage,
        algorithm: KeyAlgorithm,
        bytes: usize,
        random: &[u8; 32],
    ) -> Result<WrappedKey, CustodyError>;

    /// The check value of a key; a length that its cipher does not show is [`SecurityError::KeyAlgorithm`].
    fn key_check_value(
        &self,
        key: &WrappedKey,
        length: CheckValueLength,
    ) -> Result<CheckValue, SecurityError>;

    /// A TR-31 key block: version B under a triple DES key, D under an AES key; `random` fills it, so that it does not show the key's
    /// length.
    fn export_key_block(
        &self,
        kbpk: &WrappedKey,
        version: Version,
        key: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<String, CustodyError>;

    /// The key of a TR-31 block of version B or D, if its header is one of `usage`; its mode and exportability stay with it.
    fn import_key_block(
        &self,
        kbpk: &WrappedKey,
        usage: KeyUsage,
        block: &str,
    ) -> Result<WrappedKey, CustodyError>;

    /// Where the key's value was published, if it was, or what pattern it is made of: never fit for real money.
    fn published_key(&self, key: &WrappedKey) -> Result<Option<&'static str>, SecurityError>;

    /// Authenticates the text of a key store under a key of its own.
    fn authenticate_store(&self, text: &[u8]) -> Result<[u8; 16], SecurityError>;
}

impl<E: Engine> EngineModule<E> {
    /// Opens any key, for what is no use of it.
    fn with_any_key<T>(
        &self,
        key: &WrappedKey,
        act: impl FnOnce(&ClearKey) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        act(&self.open(key.usage(), key.mode(), key)?)
    }

    fn protection(
        &self,
        kbpk: &WrappedKey,
        version: Version,
        way: KeyMode,
    ) -> Result<ClearKey, CustodyError> {
        let key = self.open(KeyUsage::KeyBlockProtection, way, kbpk)?;
        let fits = match version {
            Version::B => key.algorithm() == KeyAlgorithm::Des,
            Version::D => key.algorithm() == KeyAlgorithm::Aes,
        };
        if !fits {
            return Err(KeyBlockError::ProtectionKey.into());
        }
        Ok(key)
    }
}

impl<E: Engine> KeyCustody for EngineModule<E> {
    fn combine(
        &self,
        usage: KeyUsage,
        components: &[Component],
    ) -> Result<WrappedKey, CustodyError> {
        if components.len() < 2 {
            return Err(CustodyError::ComponentCount);
        }
        let key = Component::combine(components).ok_or(CustodyError::ComponentsDiffer)??;
        Ok(self.import(usage, &key)?)
    }

    fn generate(
        &self,
        usage: KeyUsage,
        algorithm: KeyAlgorithm,
        bytes: usize,
        random: &[u8; 32],
    ) -> Result<WrappedKey, CustodyError> {
        let mut text = Zeroizing::new(*random);
        let text = text
            .get_mut(..bytes)
            .ok_or(SecurityError::KeyLength { found: bytes })?;
        if algorithm == KeyAlgorithm::Des {
            set_odd_parity(text);
        }
        Ok(self.import(usage, &ClearKey::of(algorithm, text)?)?)
    }

    fn key_check_value(
        &self,
        key: &WrappedKey,
        length: CheckValueLength,
    ) -> Result<CheckValue, SecurityError> {
        let length = match (length, key.algorithm()) {
            (CheckValueLength::Three, _) => 3,
            (CheckValueLength::Four, KeyAlgorithm::Des) => 4,
            (CheckValueLength::Five, KeyAlgorithm::Aes) => 5,
            _ => return Err(SecurityError::KeyAlgorithm),
        };
        self.with_any_key(key, |key| {
            let mut bytes = [0; 5];
            match key.algorithm() {
                KeyAlgorithm::Des => bytes[..4].copy_from_slice(&key.check_value(&self.engine)?),
                KeyAlgorithm::Aes => {
                    bytes.copy_from_slice(&key.cmac(&self.engine)?.mac(&[&[0; 16]])?[..5]);
                }
            }
            Ok(CheckValue { length, bytes })
        })
    }

    fn export_key_block(
        &self,
        kbpk: &WrappedKey,
        version: Version,
        key: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<String, CustodyError> {
        let header = key_block_header::write(key)?;
        let protection = self.protection(kbpk, version, KeyMode::Out)?;
        let clear = self.open(key.usage(), key.mode(), key)?;
        let longest = match clear.algorithm() {
            KeyAlgorithm::Des => 24,
            KeyAlgorithm::Aes => KEY_BYTES_MAX,
        };
        let whole = (LENGTH_BYTES + longest).next_multiple_of(version.block());
        let padding = &random[..(whole - LENGTH_BYTES - clear.bytes().len()).min(random.len())];
        Ok(key_block::wrap(
            &self.engine,
            version,
            protection.bytes(),
            &header,
            clear.bytes(),
            padding,
        )?)
    }

    fn import_key_block(
        &self,
        kbpk: &WrappedKey,
        usage: KeyUsage,
        block: &str,
    ) -> Result<WrappedKey, CustodyError> {
        let version = Version::of(*block.as_bytes().first().ok_or(KeyBlockError::Length)?)?;
        let protection = self.protection(kbpk, version, KeyMode::In)?;
        let opened = key_block::unwrap(&self.engine, protection.bytes(), block)?;
        let (algorithm, mode, exportable) = key_block_header::read(usage, &opened)?;
        let key = ClearKey::of(algorithm, &opened.key)?;
        let wrap = self.key_wrap();
        Ok(wrap.wrap_restricted(&self.engine, usage, &key, mode, exportable)?)
    }

    fn published_key(&self, key: &WrappedKey) -> Result<Option<&'static str>, SecurityError> {
        self.with_any_key(key, |key| Ok(published_keys::published(key.bytes())))
    }

    fn authenticate_store(&self, text: &[u8]) -> Result<[u8; 16], SecurityError> {
        self.masters.key_store.mac(&[text])
    }
}
