//! Card numbers: clear for the length of one call, sealed, tokenised and masked everywhere else.
//!
//! Invariant: only [`Pan`] holds the clear digits, only [`Pan::expose`] gives them, and nothing here writes them anywhere.

use crate::{
    digits::{Digits, DigitsError, luhn_check_digit, number},
    hex,
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

const PAN_DIGITS_MIN: usize = 12;
const PAN_DIGITS_MAX: usize = 19;
/// Digits of the BIN as this system speaks of it.
const BIN_DIGITS: usize = 6;
/// Packed digits of a sealed block: 20 nibbles behind the length byte.
const PACKED: core::ops::Range<usize> = 1..11;

/// A primary account number of 12 to 19 digits; the check digit is not enforced. Masked, not serialisable, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pan(Digits<PAN_DIGITS_MIN, PAN_DIGITS_MAX>);

impl Pan {
    /// Reads ASCII digits.
    pub fn parse(text: &[u8]) -> Result<Self, DigitsError> {
        Digits::parse(text).map(Self)
    }

    /// First six digits.
    pub fn bin(&self) -> u32 {
        number(&self.expose()[..BIN_DIGITS]) as u32
    }

    /// Last four digits.
    pub fn last4(&self) -> u16 {
        number(&self.expose()[self.len() - 4..]) as u16
    }

    /// Number of digits, 12 to 19.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.0.ascii().len()
    }

    /// The clear ASCII digits: the only place where they leave this type.
    pub fn expose(&self) -> &[u8] {
        self.0.ascii()
    }

    /// Whether the last digit is the Luhn check digit of the others.
    pub fn check_digit_holds(&self) -> bool {
        let (payload, check) = self.expose().split_at(self.len() - 1);
        luhn_check_digit(payload) == Some(check[0])
    }

    /// The 12 digits left of the check digit, fewer when the number is shorter (ISO 9564-1).
    pub(crate) fn rightmost_12(&self) -> &[u8] {
        let payload = &self.expose()[..self.len() - 1];
        &payload[payload.len().saturating_sub(12)..]
    }

    /// The block that sealing enciphers: length, packed digits filled with F, and zeros; opening checks all of it.
    pub(crate) fn pack(&self) -> [u8; 16] {
        let mut block = [0; 16];
        block[0] = self.len() as u8;
        block[PACKED].fill(0xFF);
        for (place, digit) in self.expose().iter().enumerate() {
            let shift = if place % 2 == 0 { 4 } else { 0 };
            block[PACKED.start + place / 2] ^= ((digit - b'0') ^ 0xF) << shift;
        }
        block
    }

    /// Reads [`Self::pack`] back; `None` unless packing the result gives the very same block.
    pub(crate) fn unpack(block: &[u8; 16]) -> Option<Self> {
        let length = usize::from(block[0]);
        if length > PAN_DIGITS_MAX {
            return None;
        }
        let mut ascii = Zeroizing::new([0; 2 * PACKED.end]);
        for (pair, byte) in ascii.as_chunks_mut::<2>().0.iter_mut().zip(&block[PACKED]) {
            *pair = [b'0' + (byte >> 4), b'0' + (byte & 15)];
        }
        let pan = Self::parse(&ascii[..length]).ok()?;
        (Zeroizing::new(pan.pack()).as_slice() == block).then_some(pan)
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, self.bin(), self.len(), self.last4())
    }
}

/// What a party's state and records may hold of a card.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The whole number, for the module only.
    pub sealed: SealedPan,
    /// Equality look-up of the whole number.
    pub token: PanToken,
    /// First six digits.
    pub bin: u32,
    /// Last four digits.
    pub last4: u16,
    /// Number of digits.
    pub digits: u8,
}

impl Card {
    /// First six and last four digits with the others starred, in the card number's own length.
    pub fn masked(&self) -> String {
        format!("{self:?}")
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, self.bin, usize::from(self.digits), self.last4)
    }
}

fn write_masked(f: &mut fmt::Formatter<'_>, bin: u32, digits: usize, last4: u16) -> fmt::Result {
    let starred = digits.min(PAN_DIGITS_MAX).saturating_sub(BIN_DIGITS + 4);
    write!(f, "{bin:06}{:*<starred$}{last4:04}", "")
}

/// A card number enciphered under the module's key of one day: what journals hold (settled 13). Equal numbers of one day seal equally.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedPan {
    pub(crate) key_day: u16,
    pub(crate) block: [u8; 16],
}

impl SealedPan {
    /// The day whose key sealed it, in whatever days the caller counts.
    pub fn key_day(&self) -> u16 {
        self.key_day
    }
}

impl fmt::Debug for SealedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sealed")
    }
}

impl Serialize for SealedPan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = [0; 18];
        bytes[..2].copy_from_slice(&self.key_day.to_be_bytes());
        bytes[2..].copy_from_slice(&self.block);
        hex::serialize(&bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for SealedPan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [day_high, day_low, block @ ..] = hex::deserialize::<D, 18>(deserializer)?;
        Ok(Self {
            key_day: u16::from_be_bytes([day_high, day_low]),
            block,
        })
    }
}

/// A keyed digest of a card number: equal for equal numbers, on every day, and useless without the module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PanToken(pub(crate) [u8; 16]);

impl PanToken {
    /// The digest's bytes; not secret.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for PanToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {}", hex::text(&self.0))
    }
}

impl Serialize for PanToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hex::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PanToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all blocks one bit away, only those that change a digit into another digit open, and to another number.
    #[test]
    fn redundancy_is_checked() {
        for digits in ["622202123456", "6222021234567", "6222021234567890128"] {
            let pan = Pan::parse(digits.as_bytes()).expect("card number");
            let block = pan.pack();
            assert_eq!(Pan::unpack(&block), Some(pan.clone()));
            for bit in 0..128 {
                let mut changed = block;
                changed[bit / 8] ^= 0x80 >> (bit % 8);
                let digit = (bit / 4).wrapping_sub(2 * PACKED.start);
                if let Some(other) = Pan::unpack(&changed) {
                    assert!(digit < digits.len() && other != pan, "{digits}: bit {bit}");
                }
            }
        }
    }
}
