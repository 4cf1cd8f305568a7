//! Element 60 of the terminal interface: transaction type, batch, network-management code and what follows
//! (reference §2.9). Any length from 11 digits on is accepted and written back unchanged.

use crate::digits::{number, write_number};
use crate::error::{Error, ErrorKind};

/// Digits of the shortest element 60.
pub const DIGITS_MIN: usize = 11;
/// Digits of the longest element 60.
pub const DIGITS_MAX: usize = 30;
/// Where 60.3 starts.
pub(crate) const NETWORK_CODE_AT: usize = 8;

/// The sub-fields of element 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field60 {
    /// 60.1 transaction type, 0..=99.
    pub transaction_type: u8,
    /// 60.2 batch number, 0..=999999.
    pub batch: u32,
    /// 60.3 network-management code, 0..=999; 000 in financial messages.
    pub network_code: u16,
    /// 60.4 terminal capability, one digit.
    pub capability: Option<u8>,
    /// 60.5 IC-card condition, one digit; only together with 60.4.
    pub condition: Option<u8>,
    rest: [u8; DIGITS_MAX],
    rest_len: u8,
}

impl Field60 {
    /// A management message's 11 digits; 60.1 is 00 there.
    #[must_use]
    pub fn management(batch: u32, network_code: u16) -> Self {
        Self {
            transaction_type: 0,
            batch,
            network_code,
            capability: None,
            condition: None,
            rest: [0; DIGITS_MAX],
            rest_len: 0,
        }
    }

    /// A financial message's 13 digits with capability and condition.
    #[must_use]
    pub fn financial(transaction_type: u8, batch: u32, capability: u8, condition: u8) -> Self {
        Self {
            transaction_type,
            capability: Some(capability),
            condition: Some(condition),
            ..Self::management(batch, 0)
        }
    }

    /// Digits after 60.5, as they came (60.6 to 60.9).
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.rest[..usize::from(self.rest_len)]
    }

    /// Reads the logical value.
    ///
    /// # Errors
    /// Fewer than 11 digits, more than 30, or something that is no digit.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let length = value.len();
        if length < DIGITS_MIN {
            return Err(Error::new(
                60,
                0,
                ErrorKind::TooShort {
                    length,
                    min: DIGITS_MIN,
                },
            ));
        }
        if length > DIGITS_MAX {
            return Err(Error::new(
                60,
                0,
                ErrorKind::TooLong {
                    length,
                    max: DIGITS_MAX,
                },
            ));
        }
        if let Some(at) = value.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(Error::new(60, at, ErrorKind::Character));
        }
        let part = |from: usize, to: usize| number(&value[from..to]).unwrap_or(0);
        let tail = value.get(13..).unwrap_or_default();
        let mut rest = [0; DIGITS_MAX];
        rest[..tail.len()].copy_from_slice(tail);
        Ok(Self {
            transaction_type: part(0, 2) as u8,
            batch: part(2, 8) as u32,
            network_code: part(8, 11) as u16,
            capability: value.get(11).map(|digit| digit - b'0'),
            condition: value.get(12).map(|digit| digit - b'0'),
            rest,
            rest_len: tail.len() as u8,
        })
    }

    /// Writes the logical value.
    ///
    /// # Panics
    /// If a sub-field has more digits than its place.
    #[must_use]
    pub fn write(&self) -> Digits {
        let mut digits = Digits {
            bytes: [0; DIGITS_MAX],
            len: 0,
        };
        digits.push(u64::from(self.transaction_type), 2);
        digits.push(u64::from(self.batch), 6);
        digits.push(u64::from(self.network_code), 3);
        if let Some(capability) = self.capability {
            digits.push(u64::from(capability), 1);
            if let Some(condition) = self.condition {
                digits.push(u64::from(condition), 1);
                for digit in self.rest() {
                    digits.push(u64::from(digit - b'0'), 1);
                }
            }
        }
        digits
    }
}

/// The digits of a written element 60; dereferences to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    bytes: [u8; DIGITS_MAX],
    len: usize,
}

impl Digits {
    fn push(&mut self, value: u64, width: usize) {
        let place = &mut self.bytes[self.len..self.len + width];
        assert!(
            write_number(value, place),
            "{value} has more than {width} digits"
        );
        self.len += width;
    }
}

impl core::ops::Deref for Digits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_seen_is_read_and_written_back() {
        for value in [
            "00000172003",
            "220000240006",
            "2200000000060",
            "22000024000600",
            "22000727000600070",
        ] {
            let field = Field60::parse(value.as_bytes()).unwrap();
            assert_eq!(&*field.write(), value.as_bytes());
        }
        let field = Field60::parse(b"22000727000600070").unwrap();
        assert_eq!(
            (field.transaction_type, field.batch, field.network_code),
            (22, 727, 0)
        );
        assert_eq!(
            (field.capability, field.condition, field.rest()),
            (Some(6), Some(0), &b"0070"[..])
        );
        assert_eq!(&*Field60::financial(22, 1, 5, 0).write(), b"2200000100050");
        assert_eq!(&*Field60::management(42, 3).write(), b"00000042003");
        for wrong in [&b"2216052900"[..], b"2200000x003", &[b'1'; 31]] {
            assert!(Field60::parse(wrong).is_err());
        }
    }
}
