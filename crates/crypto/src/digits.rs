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
