//! PIN blocks of ISO 9564-1 formats 1, 2 and 3; format 0 is with the production formats in `pin`, format 4 in `pin_block_4`.
//!
//! Invariant: every malformed block is refused with one and the same error; random fill comes in from the caller.

use crate::{
    block_cipher::{DES_BLOCK, xor},
    card::Pan,
    module::SecurityError,
    pin::{Pin, PinFormat},
    pin_block_4::{pin_field, read_pin_field},
};
use zeroize::Zeroizing;

/// A format of one 8-byte block.
#[derive(Clone, Copy)]
pub(crate) enum BlockFormat {
    /// Random nibbles behind the PIN, no card number.
    One,
    /// F behind the PIN, no card number; only between reader and chip.
    Two,
    /// Random nibbles A to F behind the PIN, then the card number mixed in.
    Three,
}

impl BlockFormat {
    /// The clear block; `None` unless `fill` is exactly the nibbles that are left, of values this format allows.
    pub(crate) fn encode(
        self,
        pin: &Pin,
        pan: Option<&Pan>,
        fill: &[u8],
    ) -> Option<Zeroizing<[u8; DES_BLOCK]>> {
        let allowed = fill.iter().all(|nibble| self.allows_fill(*nibble));
        let block = pin_field(self.control(), pin, fill).filter(|_| allowed)?;
        Some(Zeroizing::new(xor(*block, self.pan_field(pan)?)))
    }

    /// The PIN of a clear block; anything but the exact form is [`SecurityError::PinFormat`].
    pub(crate) fn decode(
        self,
        block: &[u8; DES_BLOCK],
        pan: Option<&Pan>,
    ) -> Result<Pin, SecurityError> {
        let pan_field = self.pan_field(pan).ok_or(SecurityError::PinFormat)?;
        let plain = Zeroizing::new(xor(*block, pan_field));
        read_pin_field(self.control(), &plain, |nibble| self.allows_fill(nibble))
    }

    fn control(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    fn allows_fill(self, nibble: u8) -> bool {
        match self {
            Self::One => nibble <= 0xF,
            Self::Two => nibble == 0xF,
            Self::Three => (0xA..=0xF).contains(&nibble),
        }
    }

    /// What is mixed in; `None` when format 3 has no card number.
    fn pan_field(self, pan: Option<&Pan>) -> Option<[u8; DES_BLOCK]> {
        match self {
            Self::One | Self::Two => Some([0; DES_BLOCK]),
            Self::Three => pan.map(|pan| PinFormat::WithPan.pan_field(pan)),
        }
    }
}
