//! The Visa PIN verification value (PVV).
//!
//! Invariant: covers the first four digits of a PIN only, so this system verifies its six-digit PINs by IBM 3624 instead.

use crate::{
    block_cipher::DES_BLOCK,
    card::Pan,
    digits::{decimalise, pack},
    engine::BlockCipher,
    module::SecurityError,
    pin::Pin,
};
use zeroize::Zeroizing;

/// Which PIN verification key a PVV was made with: 1 to 6.
#[derive(Clone, Copy)]
pub(crate) struct PvkIndex(u8);

impl PvkIndex {
    /// Reads one digit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [digit @ b'1'..=b'6'] => Some(Self(*digit)),
            _ => None,
        }
    }
}

/// The Visa PIN verification value in ASCII.
pub(crate) fn pvv(
    key: &impl BlockCipher<DES_BLOCK>,
    pan: &Pan,
    index: PvkIndex,
    pin: &Pin,
) -> Result<[u8; 4], SecurityError> {
    let payload = pan.rightmost_12();
    let card = &payload[payload.len() - 11..];
    let text: Zeroizing<[u8; DES_BLOCK]> =
        Zeroizing::new(pack(&[card, &[index.0], &pin.ascii()[..4]], 0));
    Ok(decimalise(&key.encrypt(*text)?))
}
