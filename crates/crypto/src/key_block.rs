//! Key blocks of ANSI X9.143 (TR-31), versions B and D: a key, what it may do, and a MAC over both.
//!
//! Invariant: nothing of a block is believed before its MAC holds, compared in constant time; a stronger key never rests
//! under a weaker one.

use crate::{
    block_cipher::tdes_cmac,
    engine::{BlockCipher, CmacKey, Engine},
    hex,
    module::SecurityError,
};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Characters of a header without optional blocks.
const HEADER: usize = 16;
/// Longest block that the length field can say.
const BLOCK_CHARACTERS_MAX: usize = 9_999;
/// Characters of the smallest optional block: its id and its length.
const OPTIONAL_BLOCK_MIN: usize = 4;
/// Bytes in front of the key that say its length in bits.
const LENGTH_BYTES: usize = 2;

/// Why a key block is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyBlockError {
    /// Neither version B nor D.
    Version,
    /// The length field is not the text's own length.
    Length,
    /// The header or an optional block is not of the standard's form.
    Header,
    /// Cipher text and MAC are not upper-case hex of whole blocks.
    Body,
    /// The protection key is not one of the version's cipher.
    ProtectionKey,
    /// The MAC does not hold: the block was changed, or is under another key.
    Authentication,
    /// The authenticated length of the key is none of its algorithm.
    KeyLength,
    /// The key is stronger than the one that protects it.
    Strength,
    /// Random padding that does not fill whole blocks.
    Padding,
    /// The security module did not do its part.
    Module(SecurityError),
    /// The header says another usage than the wanted one, or one that this system has no key for.
    Usage,
    /// The header's mode of use is none that this usage has.
    Mode,
    /// The key may not leave: it came in as not exportable, or its usage has no key block.
    Exportability,
}

impl From<SecurityError> for KeyBlockError {
    fn from(error: SecurityError) -> Self {
        Self::Module(error)
    }
}

impl fmt::Display for KeyBlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Module(error) => return error.fmt(f),
            Self::Version => "key block of an unknown version",
            Self::Length => "key block's length field differs from its length",
            Self::Header => "key block's header is malformed",
            Self::Body => "key block's body is malformed",
            Self::ProtectionKey => "protection key of another cipher",
            Self::Authentication => "key block's MAC does not hold",
            Self::KeyLength => "key block holds a key of a wrong length",
            Self::Strength => "key is stronger than its protection key",
            Self::Padding => "key block's padding does not fill whole blocks",
            Self::Usage => "key block holds a key of another usage",
            Self::Mode => "key block's mode of use is not one of its usage",
            Self::Exportability => "key may not leave in a key block",
        })
    }
}

impl core::error::Error for KeyBlockError {}

/// A version, by its first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Triple DES.
    B,
    /// AES.
    D,
}

impl Version {
    /// Reads the block's first character.
    pub(crate) fn of(character: u8) -> Result<Self, KeyBlockError> {
        match character {
            b'B' => Ok(Self::B),
            b'D' => Ok(Self::D),
            _ => Err(KeyBlockError::Version),
        }
    }

    fn character(self) -> char {
        match self {
            Self::B => 'B',
            Self::D => 'D',
        }
    }

    /// Bytes of a cipher block, and of the MAC.
    pub(crate) fn block(self) -> usize {
        match self {
            Self::B => 8,
            Self::D => 16,
        }
    }

    /// The keys that encipher and authenticate, derived from the protection key.
    fn keys<'a, E: Engine>(
        self,
        engine: &'a E,
        protection: &[u8],
    ) -> Result<Keys<'a, E>, KeyBlockError> {
        let algorithm = match (self, protection.len()) {
            (Self::B, 16) => 0,
            (Self::B, 24) => 1,
            (Self::D, 16) => 2,
            (Self::D, 24) => 3,
            (Self::D, 32) => 4,
            _ => return Err(KeyBlockError::ProtectionKey),
        };
        let derive = |usage| {
            let bits = (8 * protection.len()) as u16;
            let [bits_high, bits_low] = bits.to_be_bytes();
            let mut key = Zeroizing::new(vec![0; protection.len()]);
            for (part, counter) in key.chunks_mut(self.block()).zip(1..) {
                let data = [counter, 0, usage, 0, 0, algorithm, bits_high, bits_low];
                let block = Zeroizing::new(self.mac(engine, protection, &[&data])?);
                part.copy_from_slice(&block[..part.len()]);
            }
            Ok::<_, KeyBlockError>(key)
        };
        Ok(Keys {
            engine,
            version: self,
            encryption: derive(0)?,
            authentication: derive(1)?,
        })
    }

    /// CMAC with the version's cipher.
    fn mac<E: Engine>(
        self,
        engine: &E,
        key: &[u8],
        parts: &[&[u8]],
    ) -> Result<Vec<u8>, KeyBlockError> {
        Ok(match self {
            Self::B => tdes_cmac(&engine.des(key)?, parts)?.to_vec(),
            Self::D => engine.cmac(key)?.mac(parts)?.to_vec(),
        })
    }
}

struct Keys<'a, E> {
    engine: &'a E,
    version: Version,
    encryption: Zeroizing<Vec<u8>>,
    authentication: Zeroizing<Vec<u8>>,
}

impl<E: Engine> Keys<'_, E> {
    fn mac(&self, parts: &[&[u8]]) -> Result<Vec<u8>, KeyBlockError> {
        self.version.mac(self.engine, &self.authentication, parts)
    }

    /// Enciphers whole blocks; other text is left as it is.
    fn encrypt(&self, mac: &[u8], text: &mut [u8]) -> Result<(), KeyBlockError> {
        let key = &self.encryption;
        match self.version {
            Version::B => (self.engine.des(key)?)
                .encrypt_chained(initial_value(mac)?, text.as_chunks_mut().0)?,
            Version::D => (self.engine.aes(key)?)
                .encrypt_chained(initial_value(mac)?, text.as_chunks_mut().0)?,
        }
        Ok(())
    }

    /// Reverse of [`Self::encrypt`].
    fn decrypt(&self, mac: &[u8], text: &mut [u8]) -> Result<(), KeyBlockError> {
        let key = &self.encryption;
        match self.version {
            Version::B => (self.engine.des(key)?)
                .decrypt_chained(initial_value(mac)?, text.as_chunks_mut().0)?,
            Version::D => (self.engine.aes(key)?)
                .decrypt_chained(initial_value(mac)?, text.as_chunks_mut().0)?,
        }
        Ok(())
    }
}

fn initial_value<const N: usize>(mac: &[u8]) -> Result<[u8; N], KeyBlockError> {
    mac.try_into().map_err(|_| KeyBlockError::Body)
}

/// Wraps a key. `attributes` is the header behind its length field, with optional blocks if it says so; `padding` is random
/// and fills the plain text up to whole blocks.
pub(crate) fn wrap<E: Engine>(
    engine: &E,
    version: Version,
    protection: &[u8],
    attributes: &str,
    key: &[u8],
    padding: &[u8],
) -> Result<String, KeyBlockError> {
    let plain_length = LENGTH_BYTES + key.len() + padding.len();
    if !plain_length.is_multiple_of(version.block()) {
        return Err(KeyBlockError::Padding);
    }
    let length = 1 + 4 + attributes.len() + 2 * (plain_length + version.block());
    if length > BLOCK_CHARACTERS_MAX {
        return Err(KeyBlockError::Length);
    }
    let mut text = format!("{}{length:04}{attributes}", version.character());
    let header = Header::parse(text.as_bytes(), version)?;
    if header.characters != text.len() {
        return Err(KeyBlockError::Header);
    }
    check_key(&header, protection, key.len())?;
    let bits = u16::try_from(8 * key.len()).map_err(|_| KeyBlockError::KeyLength)?;
    let keys = version.keys(engine, protection)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(plain_length));
    plain.extend_from_slice(&bits.to_be_bytes());
    plain.extend_from_slice(key);
    plain.extend_from_slice(padding);
    let mac = keys.mac(&[text.as_bytes(), &plain])?;
    keys.encrypt(&mac, &mut plain)?;
    text += &hex::text(&plain);
    text += &hex::text(&mac);
    Ok(text)
}

/// What a block says, after its MAC held.
pub(crate) struct Opened {
    pub(crate) usage: [u8; 2],
    pub(crate) algorithm: u8,
    pub(crate) mode: u8,
    pub(crate) exportability: u8,
    pub(crate) key: Zeroizing<Vec<u8>>,
}

/// Opens a block.
pub(crate) fn unwrap<E: Engine>(
    engine: &E,
    protection: &[u8],
    block: &str,
) -> Result<Opened, KeyBlockError> {
    let text = block.as_bytes();
    let version = Version::of(*text.first().ok_or(KeyBlockError::Length)?)?;
    let header = Header::parse(text, version)?;
    if header.length != text.len() {
        return Err(KeyBlockError::Length);
    }
    let (head, body) = text.split_at(header.characters);
    let (mut plain, mac) = read_body(version, body)?;
    let keys = version.keys(engine, protection)?;
    keys.decrypt(&mac, &mut plain)?;
    let wanted = keys.mac(&[head, &plain])?;
    if !bool::from(wanted.as_slice().ct_eq(&mac)) {
        return Err(KeyBlockError::Authentication);
    }
    let ([high, low], rest) = plain.split_first_chunk().ok_or(KeyBlockError::Body)?;
    let bits = usize::from(u16::from_be_bytes([*high, *low]));
    let key = rest
        .get(..bits / 8)
        .filter(|_| bits.is_multiple_of(8))
        .ok_or(KeyBlockError::KeyLength)?;
    check_key(&header, protection, key.len())?;
    Ok(Opened {
        usage: header.usage,
        algorithm: header.algorithm,
        mode: header.mode,
        exportability: header.exportability,
        key: Zeroizing::new(key.to_vec()),
    })
}

/// Cipher text and MAC out of their hex.
fn read_body(
    version: Version,
    body: &[u8],
) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), KeyBlockError> {
    let mut bytes = Zeroizing::new(vec![0; body.len() / 2]);
    let whole = bytes.len().is_multiple_of(version.block()) && bytes.len() >= 2 * version.block();
    let upper = !body.iter().any(u8::is_ascii_lowercase);
    if !whole || !upper || !hex::decode(body, &mut bytes) {
        return Err(KeyBlockError::Body);
    }
    let cipher = bytes.len() - version.block();
    let mac = bytes.split_off(cipher);
    Ok((bytes, mac))
}

/// The algorithm's key lengths, and the rule that protection is never the weaker of the two.
fn check_key(header: &Header, protection: &[u8], key: usize) -> Result<(), KeyBlockError> {
    let fits = match header.algorithm {
        b'D' => key == 8,
        b'T' => matches!(key, 16 | 24),
        b'A' => matches!(key, 16 | 24 | 32),
        _ => key > 0,
    };
    if !fits {
        return Err(KeyBlockError::KeyLength);
    }
    let too_weak = match (header.version, header.algorithm) {
        (Version::B, b'A') => true,
        (_, b'D') => false,
        (Version::D, b'T') => false,
        (_, b'T' | b'A') => key > protection.len(),
        _ => false,
    };
    if too_weak {
        return Err(KeyBlockError::Strength);
    }
    Ok(())
}

/// What a header says that opening needs.
struct Header {
    version: Version,
    length: usize,
    usage: [u8; 2],
    algorithm: u8,
    mode: u8,
    exportability: u8,
    /// Of the header with its optional blocks.
    characters: usize,
}

impl Header {
    /// Checks the form of the header, whose first character said `version`, and of all optional blocks.
    fn parse(text: &[u8], version: Version) -> Result<Self, KeyBlockError> {
        let head: &[u8; HEADER] = text.first_chunk().ok_or(KeyBlockError::Length)?;
        let [
            _,
            l1,
            l2,
            l3,
            l4,
            u1,
            u2,
            algorithm,
            mode,
            v1,
            v2,
            exportability,
            n1,
            n2,
            r1,
            r2,
        ] = *head;
        let length = decimal(&[l1, l2, l3, l4]).ok_or(KeyBlockError::Length)?;
        let letters = [u1, u2, algorithm, mode, v1, v2];
        let plain = letters.iter().all(u8::is_ascii_alphanumeric);
        if !plain || !matches!(exportability, b'E' | b'N' | b'S') || [r1, r2] != *b"00" {
            return Err(KeyBlockError::Header);
        }
        let count = decimal(&[n1, n2]).ok_or(KeyBlockError::Header)?;
        let mut characters = HEADER;
        for _ in 0..count {
            let rest = text.get(characters..).ok_or(KeyBlockError::Header)?;
            characters += optional_block(rest).ok_or(KeyBlockError::Header)?;
        }
        let whole = (characters - HEADER).is_multiple_of(version.block());
        if !whole || characters > text.len() {
            return Err(KeyBlockError::Header);
        }
        Ok(Self {
            version,
            length,
            usage: [u1, u2],
            algorithm,
            mode,
            exportability,
            characters,
        })
    }
}

/// Characters of the optional block at the front: id, length in hex, printable text.
fn optional_block(text: &[u8]) -> Option<usize> {
    let [i1, i2, l1, l2] = *text.first_chunk::<OPTIONAL_BLOCK_MIN>()?;
    let mut length = [0];
    if !hex::decode(&[l1, l2], &mut length) {
        return None;
    }
    let block = text.get(..usize::from(length[0]))?;
    let printable = block.iter().all(|c| (b' '..=b'~').contains(c));
    let named = [i1, i2].iter().all(u8::is_ascii_alphanumeric);
    (named && printable && block.len() >= OPTIONAL_BLOCK_MIN).then_some(block.len())
}

fn decimal(text: &[u8]) -> Option<usize> {
    text.iter().try_fold(0, |sum, c| {
        c.is_ascii_digit().then(|| 10 * sum + usize::from(c - b'0'))
    })
}
