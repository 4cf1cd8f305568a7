//! Digit strings of bounded length, the raw material of card numbers and PINs, and the Luhn check digit.
//!
//! Invariant: a `Digits` value holds between `MIN` and `MAX` ASCII digits and is wiped when dropped.

use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Why bytes are not the wanted digit string; carries no digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitsError {
    /// Wrong number of digits.
    Length {
        /// Bytes received.
        found: usize,
        /// Fewest digits allowed.
        min: usize,
        /// Most digits allowed.
        max: usize,
    },
    /// A byte other than `0`..`9`.
    NotADigit {
        /// Position of the byte, counted from 0.
        offset: usize,
    },
}

impl fmt::Display for DigitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, min, max } => {
                write!(f, "{found} digits where {min} to {max} are allowed")
            }
            Self::NotADigit { offset } => write!(f, "not a digit at offset {offset}"),
        }
    }
}

impl core::error::Error for DigitsError {}

/// Between `MIN` and `MAX` ASCII digits.
#[derive(Clone)]
pub(crate) struct Digits<const MIN: usize, const MAX: usize> {
    length: u8,
    ascii: [u8; MAX],
}

impl<const MIN: usize, const MAX: usize> Digits<MIN, MAX> {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, DigitsError> {
        if text.len() < MIN || text.len() > MAX {
            return Err(DigitsError::Length {
                found: text.len(),
                min: MIN,
                max: MAX,
            });
        }
        if let Some(offset) = text.iter().position(|c| !c.is_ascii_digit()) {
            return Err(DigitsError::NotADigit { offset });
        }
        let mut ascii = [0; MAX];
        ascii[..text.len()].copy_from_slice(text);
        Ok(Self {
            length: text.len() as u8,
            ascii,
        })
    }

    pub(crate) fn ascii(&self) -> &[u8] {
        &self.ascii[..usize::from(self.length)]
    }
}

impl<const MIN: usize, const MAX: usize> PartialEq for Digits<MIN, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.ascii().ct_eq(other.ascii()).into()
    }
}

impl<const MIN: usize, const MAX: usize> Eq for Digits<MIN, MAX> {}

impl<const MIN: usize, const MAX: usize> Drop for Digits<MIN, MAX> {
    fn drop(&mut self) {
        self.length.zeroize();
        self.ascii.zeroize();
    }
}

impl<const MIN: usize, const MAX: usize> ZeroizeOnDrop for Digits<MIN, MAX> {}

/// The number that ASCII digits write; at most 19 digits.
pub(crate) fn number(ascii: &[u8]) -> u64 {
    ascii
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// ASCII digits of all parts as nibbles, high nibble first, filled up with `fill`; digits that do not fit are left out.
pub(crate) fn pack<const N: usize>(parts: &[&[u8]], fill: u8) -> [u8; N] {
    let mut packed = [fill << 4 | fill; N];
    let digits = parts.iter().flat_map(|part| part.iter());
    for (place, digit) in digits.enumerate().take(2 * N) {
        let shift = 4 * (1 - place % 2);
        let byte = &mut packed[place / 2];
        *byte = *byte & (0xF0 >> shift) | (digit - b'0') << shift;
    }
    packed
}

/// The first `N` digits (ASCII) of a block in hex: its decimal digits from left to right, then its letters minus ten.
///
/// A block of `N / 2` bytes or more always has that many.
pub(crate) fn decimalise<const N: usize>(block: &[u8]) -> [u8; N] {
    let nibbles = || block.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let letters = nibbles().filter_map(|nibble| nibble.checked_sub(10));
    let digits = nibbles().filter(|nibble| *nibble < 10).chain(letters);
    let mut out = [b'0'; N];
    out.iter_mut()
        .zip(digits)
        .for_each(|(out, digit)| *out += digit);
    out
}

/// The Luhn check digit (ASCII) of a card number without its last digit; `None` when a byte is not a digit.
pub fn luhn_check_digit(payload: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (place, digit) in payload.iter().rev().enumerate() {
        let digit = u32::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        sum =
            (sum + if place % 2 == 0 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }) % 10;
    }
    Some(b'0' + ((10 - sum) % 10) as u8)
}
