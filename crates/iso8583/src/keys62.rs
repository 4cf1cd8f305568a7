//! Element 62 of a sign-in answer: encrypted working keys with their check values (reference §5.1). Lengths without a
//! layout are refused.

use core::fmt;

use crate::error::{Error, ErrorKind};

/// Lengths that have a layout, bytes.
pub const LENGTHS: [usize; 5] = [24, 40, 56, 60, 84];

/// Bytes of a key check value.
pub const CHECK_BYTES: usize = 4;

/// One key as it travels: encrypted under the terminal master key, with its check value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WrappedKey<'a> {
    /// Encrypted key, 8, 16 or 24 bytes.
    pub key: &'a [u8],
    /// First four bytes of the encryption of zeros.
    pub check: [u8; CHECK_BYTES],
}

impl fmt::Debug for WrappedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.key.len())
    }
}

/// The working keys of one sign-in answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys<'a> {
    /// PIN key.
    pub pin: WrappedKey<'a>,
    /// The whole MAC-key slot. See [`Keys::mac_single`].
    pub mac: WrappedKey<'a>,
    /// Track key, in the layouts that have one.
    pub track: Option<WrappedKey<'a>>,
}

impl<'a> Keys<'a> {
    /// Splits an element 62.
    ///
    /// # Errors
    /// A length that has no layout.
    pub fn parse(value: &'a [u8]) -> Result<Self, Error> {
        let (key_bytes, with_track) = match value.len() {
            24 => (8, false),
            40 => (16, false),
            60 => (16, true),
            56 => (24, false),
            84 => (24, true),
            length => return Err(Error::new(62, 0, ErrorKind::KeyLayout { length })),
        };
        let slot = |index: usize| {
            let (key, check) = value[index * (key_bytes + CHECK_BYTES)..].split_at(key_bytes);
            WrappedKey {
                key,
                check: [check[0], check[1], check[2], check[3]],
            }
        };
        Ok(Self {
            pin: slot(0),
            mac: slot(1),
            track: with_track.then(|| slot(2)),
        })
    }

    /// The first eight bytes of the MAC slot, which alone are the (encrypted) MAC key unless the peer certifies a longer
    /// one: the second half is zeros or a repetition (reference §5.1, "MAK slot trap").
    #[must_use]
    pub fn mac_single(&self) -> &'a [u8] {
        &self.mac.key[..8]
    }

    /// Appends the element.
    pub fn write(&self, out: &mut Vec<u8>) {
        for slot in [Some(self.pin), Some(self.mac), self.track]
            .into_iter()
            .flatten()
        {
            out.extend_from_slice(slot.key);
            out.extend_from_slice(&slot.check);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_split_and_written_back() {
        for length in 0..100 {
            let value: Vec<u8> = (0..length as u8).collect();
            let parsed = Keys::parse(&value);
            assert_eq!(parsed.is_ok(), LENGTHS.contains(&length), "{length}");
            if let Ok(keys) = parsed {
                let mut back = Vec::new();
                keys.write(&mut back);
                assert_eq!(back, value);
                assert_eq!(keys.mac_single(), &keys.mac.key[..8]);
                assert_eq!(keys.track.is_some(), [60, 84].contains(&length));
                assert_eq!(
                    keys.pin.key.len() + CHECK_BYTES,
                    length / if keys.track.is_some() { 3 } else { 2 }
                );
            }
        }
    }
}
