//! Hexadecimal text of fixed-size values, and the compact serde form of small opaque values: hex in texts, bytes elsewhere.
//!
//! Invariant: decoding accepts exactly the wanted length or nothing.

use core::fmt;
use serde::{Deserializer, Serializer, de};

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Writes a block as 16 upper-case hex characters.
pub(crate) fn block_text(block: [u8; 8]) -> [u8; 16] {
    let mut text = [0; 16];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(block) {
        *pair = [UPPER[usize::from(byte >> 4)], UPPER[usize::from(byte & 15)]];
    }
    text
}

/// Upper-case hex of any bytes; not for secrets.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(UPPER[usize::from(nibble)]))
        .collect()
}

/// Fills `out` from hex text of exactly twice its length; `false` leaves it half written.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != out.len() {
        return false;
    }
    for (byte, pair) in out.iter_mut().zip(pairs) {
        let [Some(high), Some(low)] = pair.map(|c| char::from(c).to_digit(16)) else {
            return false;
        };
        *byte = (high << 4 | low) as u8;
    }
    true
}

/// Writes `bytes` as hex where the format is read by people, as plain bytes elsewhere.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&text(bytes))
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// Reads back what [`serialize`] wrote; any other length is refused.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Compact::<N>)
    } else {
        deserializer.deserialize_bytes(Compact::<N>)
    }
}

/// Reads what [`serialize`] wrote of at most `MAX` bytes.
pub(crate) fn deserialize_up_to<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<u8>, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Bounded::<MAX>)
    } else {
        deserializer.deserialize_bytes(Bounded::<MAX>)
    }
}

struct Bounded<const MAX: usize>;

impl<const MAX: usize> de::Visitor<'_> for Bounded<MAX> {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} bytes, or twice as many hex characters")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
        let mut bytes = vec![0; (text.len() / 2).min(MAX)];
        if decode(text.as_bytes(), &mut bytes) {
            Ok(bytes)
        } else {
            Err(E::invalid_length(text.len(), &self))
        }
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        if bytes.len() > MAX {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(bytes.to_vec())
    }
}

struct Compact<const N: usize>;

impl<'de, const N: usize> de::Visitor<'de> for Compact<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes, or twice as many hex characters")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<[u8; N], E> {
        let mut bytes = [0; N];
        // The text itself stays out of the error: it may be longer than the reader of a log should see.
        if decode(text.as_bytes(), &mut bytes) {
            Ok(bytes)
        } else {
            Err(E::invalid_length(text.len(), &self))
        }
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes
            .try_into()
            .map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}
