//! Track encryption of UnionPay terminals: eight bytes of the packed track under the track key, in place.
//!
//! Invariant: hides the discretionary data only; it never replaces the link's own protection.

use crate::{block_cipher::DES_BLOCK, engine::BlockCipher, module::SecurityError};
use zeroize::Zeroizing;

/// Characters of the longest track: track 3.
const CHARACTERS_MAX: usize = 104;

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
    let front = packed.split_last_mut().map(|(_, front)| front);
    let Some(block) = front.and_then(|front| front.last_chunk_mut()) else {
        return Ok(None);
    };
    *block = key.encrypt(*block)?;
    Ok(Some(()))
}
