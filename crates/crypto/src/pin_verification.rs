//! IBM 3624 PIN verification: a natural PIN from the card number under the PIN verification key, and an offset to the chosen one.
//!
//! Invariant: the decimalisation table is part of the module and never a request's parameter; six-digit PINs are verified whole.

use crate::{
    block_cipher::DES_BLOCK,
    card::Pan,
    digits::pack,
    engine::BlockCipher,
    module::SecurityError,
    pin::{PIN_DIGITS_MAX, Pin, PinOffset},
};
use zeroize::Zeroizing;

/// Which card digits are enciphered, how the slice is padded, and how hex digits become decimal ones.
pub(crate) struct Ibm3624 {
    /// Decimal digit for each of the 16 hex digits.
    pub(crate) table: [u8; 16],
    /// First digit of the validation data.
    pub(crate) start: usize,
    /// Digits of validation data.
    pub(crate) length: usize,
    /// Nibble that fills the validation data up to 16.
    pub(crate) pad: u8,
}

impl Ibm3624 {
    /// This system's choice: the 12 digits left of the check digit, padded with F, table 0123456789012345.
    pub(crate) fn of(pan: &Pan) -> Self {
        let length = pan.rightmost_12().len();
        Self {
            table: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5],
            start: pan.len() - 1 - length,
            length,
            pad: 0xF,
        }
    }

    /// The offset that makes `pin` the card's PIN.
    pub(crate) fn offset(
        &self,
        key: &impl BlockCipher<DES_BLOCK>,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError> {
        let natural = self.natural(key, pan)?;
        let mut digits = [0; PIN_DIGITS_MAX];
        for ((digit, ascii), natural) in digits.iter_mut().zip(pin.ascii()).zip(natural.iter()) {
            *digit = (ascii - b'0' + 10 - natural) % 10;
        }
        Ok(PinOffset {
            length: pin.ascii().len() as u8,
            digits,
        })
    }

    /// The PIN that `offset` stands for; `None` never happens for an offset of legal length.
    pub(crate) fn pin(
        &self,
        key: &impl BlockCipher<DES_BLOCK>,
        pan: &Pan,
        offset: &PinOffset,
    ) -> Result<Option<Pin>, SecurityError> {
        let mut ascii = self.natural(key, pan)?;
        let ascii = &mut ascii[..offset.digits().len()];
        ascii
            .iter_mut()
            .zip(offset.digits())
            .for_each(|(digit, offset)| *digit = b'0' + (*digit + offset) % 10);
        Ok(Pin::parse(ascii).ok())
    }

    /// The 16 decimal digits from which natural PINs are cut.
    fn natural(
        &self,
        key: &impl BlockCipher<DES_BLOCK>,
        pan: &Pan,
    ) -> Result<Zeroizing<[u8; 16]>, SecurityError> {
        let rest = pan.expose().get(self.start..).unwrap_or_default();
        let slice = &rest[..rest.len().min(self.length)];
        let block: [u8; DES_BLOCK] = pack(&[slice], self.pad);
        let mut digits = Zeroizing::new([0; 16]);
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(key.encrypt(block)?) {
            *pair = [
                self.table[usize::from(byte >> 4)],
                self.table[usize::from(byte & 15)],
            ];
        }
        Ok(digits)
    }
}
