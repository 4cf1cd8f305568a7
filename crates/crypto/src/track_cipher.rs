//! Track encryption of UnionPay terminals: eight bytes of the packed track under the track key, in place.
//!
//! Invariant: hides the discretionary data only; it never replaces the link's own protection. Cipher text may hold the separator's
//! nibble, so nothing is read of a track before it is deciphered as a whole.

use crate::{block_cipher::DES_BLOCK, engine::BlockCipher, module::SecurityError};
use core::fmt;
use zeroize::Zeroizing;

/// Characters of the longest track: track 3.
const CHARACTERS_MAX: usize = 104;

/// A deciphered track: digits and `D` for the separator; masked, wiped when dropped.
pub struct ClearTrack(Zeroizing<Vec<u8>>);

impl ClearTrack {
    /// The clear characters, for one call.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ClearTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearTrack(******)")
    }
}

/// Digits and separators, two to a byte, an odd one filled up with zero; `None` for any other character and beyond a track's length.
pub(crate) fn pack(track: &str) -> Option<Zeroizing<Vec<u8>>> {
    if track.is_empty() || track.len() > CHARACTERS_MAX {
        return None;
    }
    let mut packed = Zeroizing::new(vec![0; track.len().div_ceil(2)]);
    for (place, character) in track.bytes().enumerate() {
        let nibble = match character {
            b'0'..=b'9' => character - b'0',
            b'=' | b'D' => 0xD,
            _ => return None,
        };
        packed[place / 2] |= nibble << (4 * (1 - place % 2));
    }
    Some(packed)
}

/// Enciphers the eight bytes in front of the last; `None` when there are fewer.
pub(crate) fn encipher(
    key: &impl BlockCipher<DES_BLOCK>,
    packed: &mut [u8],
) -> Result<Option<()>, SecurityError> {
    let Some(block) = enciphered_block(packed) else {
        return Ok(None);
    };
    *block = key.encrypt(*block)?;
    Ok(Some(()))
}

fn enciphered_block(packed: &mut [u8]) -> Option<&mut [u8; DES_BLOCK]> {
    packed.split_last_mut()?.1.last_chunk_mut()
}

/// Deciphers a track of so many characters and reads it; `None` when that does not give digits and separators, filled up with zero.
pub(crate) fn open(
    key: &impl BlockCipher<DES_BLOCK>,
    packed: &[u8],
    characters: usize,
) -> Result<Option<ClearTrack>, SecurityError> {
    if characters > CHARACTERS_MAX || packed.len() != characters.div_ceil(2) {
        return Ok(None);
    }
    let mut packed = Zeroizing::new(packed.to_vec());
    let Some(block) = enciphered_block(&mut packed) else {
        return Ok(None);
    };
    *block = key.decrypt(*block)?;
    Ok(read(&packed, characters))
}

fn read(packed: &[u8], characters: usize) -> Option<ClearTrack> {
    let mut track = Zeroizing::new(Vec::with_capacity(2 * packed.len()));
    for nibble in packed.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        track.push(match nibble {
            0..=9 => b'0' + nibble,
            0xD => b'D',
            _ => return None,
        });
    }
    if track.split_off(characters).iter().any(|fill| *fill != b'0') {
        return None;
    }
    Some(ClearTrack(track))
}
