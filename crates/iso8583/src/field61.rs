//! Element 61 of the terminal interface: the original transaction by batch, trace number and date (reference §2.10).
//! 12, 16 and 17 to 29 digits are accepted and written back unchanged.

use crate::digits::{number, write_number};
use crate::error::{Error, ErrorKind};

/// Digits of the longest element 61.
pub const DIGITS_MAX: usize = 29;

/// The sub-fields of element 61.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field61 {
    /// 61.1 batch of the original, 0..=999999.
    pub batch: u32,
    /// 61.2 trace number of the original, 0..=999999.
    pub stan: u32,
    /// 61.3 date of the original as a number MMDD, 0 if unknown; absent in the short form.
    pub date: Option<u16>,
    rest: [u8; DIGITS_MAX],
    rest_len: u8,
}

impl Field61 {
    /// The 16-digit form, which every host accepts (reference §10.1).
    #[must_use]
    pub fn new(batch: u32, stan: u32, date: u16) -> Self {
        Self {
            batch,
            stan,
            date: Some(date),
            rest: [0; DIGITS_MAX],
            rest_len: 0,
        }
    }

    /// Digits after the date as they came: authorization mode and institution.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.rest[..usize::from(self.rest_len)]
    }

    /// Reads the logical value.
    ///
    /// # Errors
    /// A length without a layout, or something that is no digit.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let length = value.len();
        match length {
            12 | 16..=DIGITS_MAX => {}
            13..=15 => return Err(Error::new(61, 0, ErrorKind::Layout)),
            0..=11 => return Err(Error::new(61, 0, ErrorKind::TooShort { length, min: 12 })),
            _ => {
                return Err(Error::new(
                    61,
                    0,
                    ErrorKind::TooLong {
                        length,
                        max: DIGITS_MAX,
                    },
                ));
            }
        }
        if let Some(at) = value.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(Error::new(61, at, ErrorKind::Character));
        }
        let part = |from: usize, to: usize| number(&value[from..to]).unwrap_or(0);
        let tail = value.get(16..).unwrap_or_default();
        let mut rest = [0; DIGITS_MAX];
        rest[..tail.len()].copy_from_slice(tail);
        Ok(Self {
            batch: part(0, 6) as u32,
            stan: part(6, 12) as u32,
            date: (length > 12).then(|| part(12, 16) as u16),
            rest,
            rest_len: tail.len() as u8,
        })
    }

    /// Writes the logical value.
    ///
    /// # Panics
    /// If a sub-field has more digits than its place.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut digits = vec![b'0'; if self.date.is_some() { 16 } else { 12 }];
        let mut fits = write_number(u64::from(self.batch), &mut digits[..6]);
        fits &= write_number(u64::from(self.stan), &mut digits[6..12]);
        if let Some(date) = self.date {
            fits &= write_number(u64::from(date), &mut digits[12..]);
            digits.extend_from_slice(self.rest());
        }
        assert!(fits, "a sub-field of 61 has more digits than its place");
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for value in [
            "000001000178",
            "2334156811860529",
            "23341568118605290112345678901",
        ] {
            let field = Field61::parse(value.as_bytes()).unwrap();
            assert_eq!(field.write(), value.as_bytes());
        }
        let field = Field61::parse(b"2334156811860529").unwrap();
        assert_eq!(field, Field61::new(233_415, 681_186, 529));
        for wrong in [
            "",
            "12345678901",
            "12345678901234",
            "123456789012345678901234567890",
            "12345678901x",
        ] {
            assert!(Field61::parse(wrong.as_bytes()).is_err());
        }
    }
}
