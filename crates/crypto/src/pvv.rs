//! The Visa PIN verification value (PVV).
//!
//! Invariant: covers the first four digits of a PIN only, so this system verifies its six-digit PINs by IBM 3624 instead, and
//! no longer PIN than four digits matches a value.

use crate::{
    block_cipher::DES_BLOCK,
    card::Pan,
    digits::{decimalise, pack},
    engine::BlockCipher,
    module::SecurityError,
    pin::Pin,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Digits of a PIN that a value covers.
const PIN_DIGITS: usize = 4;

/// Which PIN verification key a PVV was made with: 1 to 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PvkIndex(u8);

impl PvkIndex {
    /// Reads one digit, 1 to 6.
    pub fn parse(text: &str) -> Option<Self> {
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
        Zeroizing::new(pack(&[card, &[index.0], &pin.ascii()[..PIN_DIGITS]], 0));
    Ok(decimalise(&key.encrypt(*text)?))
}

/// Whether `received` is the value of this PIN. A longer PIN is no match: the value would accept a hundred others for it.
pub(crate) fn pvv_matches(
    key: &impl BlockCipher<DES_BLOCK>,
    pan: &Pan,
    index: PvkIndex,
    pin: &Pin,
    received: &[u8],
) -> Result<bool, SecurityError> {
    let value = pvv(key, pan, index, pin)?;
    Ok(pin.ascii().len() == PIN_DIGITS && bool::from(value.ct_eq(received)))
}
