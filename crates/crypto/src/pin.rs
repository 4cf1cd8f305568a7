//! PINs and their blocks: format 0 of ISO 9564-1, with the card number or, for plain terminals, without.
//!
//! Invariant: a clear PIN lives only inside one call, and every malformed block is refused with one and the same error.

use crate::{
    block_cipher::{DES_BLOCK, xor},
    card::Pan,
    digits::{Digits, DigitsError},
    module::SecurityError,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) const PIN_DIGITS_MIN: usize = 4;
pub(crate) const PIN_DIGITS_MAX: usize = 12;

/// A clear PIN of 4 to 12 digits; masked, not serialisable, wiped when dropped.
#[derive(PartialEq, Eq)]
pub struct Pin(Digits<PIN_DIGITS_MIN, PIN_DIGITS_MAX>);

impl Pin {
    /// Reads ASCII digits.
    pub fn parse(text: &[u8]) -> Result<Self, DigitsError> {
        Digits::parse(text).map(Self)
    }

    pub(crate) fn ascii(&self) -> &[u8] {
        self.0.ascii()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(******)")
    }
}

/// An enciphered PIN block as field 52 carries it; masked, not serialisable (settled 12), wiped when dropped.
#[derive(Clone)]
pub struct PinBlock([u8; DES_BLOCK]);

impl PinBlock {
    /// Takes the eight bytes of field 52.
    pub fn new(block: [u8; DES_BLOCK]) -> Self {
        Self(block)
    }

    /// The enciphered bytes, for the wire.
    pub fn expose(&self) -> [u8; DES_BLOCK] {
        self.0
    }
}

impl PartialEq for PinBlock {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PinBlock {}

impl fmt::Debug for PinBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinBlock(******)")
    }
}

impl Drop for PinBlock {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for PinBlock {}

/// Whether the card number is mixed into a PIN block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinFormat {
    /// ISO 9564-1 format 0; first digit 2 of field 53.
    WithPan,
    /// The same block before the card number is mixed in; first digit 1 of field 53.
    WithoutPan,
}

impl PinFormat {
    /// The clear block of a PIN.
    pub(crate) fn encode(self, pin: &Pin, pan: &Pan) -> Zeroizing<[u8; DES_BLOCK]> {
        let digits = pin.ascii();
        let mut block = Zeroizing::new([0xFF; DES_BLOCK]);
        block[0] = digits.len() as u8;
        for (place, digit) in digits.iter().enumerate() {
            let (keep, shift) = if place % 2 == 0 { (0x0F, 4) } else { (0xF0, 0) };
            let byte = &mut block[1 + place / 2];
            *byte = *byte & keep | (digit - b'0') << shift;
        }
        *block = xor(*block, self.pan_field(pan));
        block
    }

    /// The PIN of a clear block; anything but the exact form is [`SecurityError::PinFormat`].
    pub(crate) fn decode(self, block: &[u8; DES_BLOCK], pan: &Pan) -> Result<Pin, SecurityError> {
        let plain = Zeroizing::new(xor(*block, self.pan_field(pan)));
        let mut nibbles = Zeroizing::new([0; 2 * (DES_BLOCK - 1)]);
        for (pair, byte) in nibbles.as_chunks_mut::<2>().0.iter_mut().zip(&plain[1..]) {
            *pair = [byte >> 4, byte & 15];
        }
        // A control nibble other than 0 makes the length byte at least 16: longer than the block, or than any PIN.
        let length = usize::from(plain[0]);
        let (digits, fill) = nibbles
            .split_at_mut_checked(length)
            .ok_or(SecurityError::PinFormat)?;
        if fill.iter().any(|nibble| *nibble != 0xF) {
            return Err(SecurityError::PinFormat);
        }
        digits.iter_mut().for_each(|nibble| *nibble += b'0');
        Pin::parse(digits).map_err(|_| SecurityError::PinFormat)
    }

    pub(crate) fn pan_field(self, pan: &Pan) -> [u8; DES_BLOCK] {
        let mut field = [0; DES_BLOCK];
        if self == Self::WithPan {
            for (place, digit) in pan.rightmost_12().iter().rev().enumerate() {
                field[DES_BLOCK - 1 - place / 2] |= (digit - b'0') << (4 * (place % 2));
            }
        }
        field
    }
}

/// What the issuer keeps to verify a PIN: its difference from the natural PIN, digit by digit (IBM 3624). Not secret.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PinOffset {
    pub(crate) length: u8,
    pub(crate) digits: [u8; PIN_DIGITS_MAX],
}

impl PinOffset {
    /// The offset's digits as numbers 0 to 9.
    pub(crate) fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }
}

impl FromStr for PinOffset {
    type Err = DigitsError;

    fn from_str(text: &str) -> Result<Self, DigitsError> {
        let parsed = Digits::<PIN_DIGITS_MIN, PIN_DIGITS_MAX>::parse(text.as_bytes())?;
        let mut digits = [0; PIN_DIGITS_MAX];
        digits
            .iter_mut()
            .zip(parsed.ascii())
            .for_each(|(digit, ascii)| *digit = ascii - b'0');
        Ok(Self {
            length: parsed.ascii().len() as u8,
            digits,
        })
    }
}

impl TryFrom<String> for PinOffset {
    type Error = DigitsError;

    fn try_from(text: String) -> Result<Self, DigitsError> {
        text.parse()
    }
}

impl From<PinOffset> for String {
    fn from(offset: PinOffset) -> Self {
        offset.to_string()
    }
}

impl fmt::Display for PinOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits()
            .iter()
            .try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for PinOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinOffset({self})")
    }
}
