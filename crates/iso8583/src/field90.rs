//! Element 90 between hosts: the key of the original message, always 42 digits (reference §4.7).

use crate::digits::{number, write_number};
use crate::error::{Error, ErrorKind};
use crate::message::Mti;

/// Digits of element 90.
pub const DIGITS: usize = 42;

/// The sub-fields of element 90.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field90 {
    /// Type of the original message.
    pub mti: Mti,
    /// Trace number of the original, 0..=999999.
    pub stan: u32,
    /// Transmission date and time of the original, MMDDhhmmss as ASCII digits.
    pub transmission: [u8; 10],
    /// Acquiring institution, up to 11 digits.
    pub acquirer: u64,
    /// Forwarding institution, up to 11 digits.
    pub forwarder: u64,
}

impl Field90 {
    /// Reads the logical value.
    ///
    /// # Errors
    /// Not 42 digits.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let digits: &[u8; DIGITS] = value
            .try_into()
            .map_err(|_| Error::new(90, 0, ErrorKind::Layout))?;
        if let Some(at) = digits.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(Error::new(90, at, ErrorKind::Character));
        }
        let part = |from: usize, to: usize| number(&digits[from..to]).unwrap_or(0);
        let mut transmission = [0; 10];
        transmission.copy_from_slice(&digits[10..20]);
        Ok(Self {
            mti: Mti(digits[..4]
                .iter()
                .fold(0, |mti, digit| mti << 4 | u16::from(digit - b'0'))),
            stan: part(4, 10) as u32,
            transmission,
            acquirer: part(20, 31),
            forwarder: part(31, 42),
        })
    }

    /// Writes the logical value.
    ///
    /// # Panics
    /// If a sub-field has more digits than its place.
    #[must_use]
    pub fn write(&self) -> [u8; DIGITS] {
        let mut digits = [b'0'; DIGITS];
        digits[..4].copy_from_slice(format!("{:?}", self.mti).as_bytes());
        digits[10..20].copy_from_slice(&self.transmission);
        let fits = write_number(u64::from(self.stan), &mut digits[4..10])
            & write_number(self.acquirer, &mut digits[20..31])
            & write_number(self.forwarder, &mut digits[31..]);
        assert!(fits, "a sub-field of 90 has more digits than its place");
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_key_is_read_and_written_back() {
        let value = b"020000001205112342030009201000000092010000";
        let field = Field90::parse(value).unwrap();
        assert_eq!((field.mti, field.stan), (Mti(0x0200), 12));
        assert_eq!(&field.transmission, b"0511234203");
        assert_eq!((field.acquirer, field.forwarder), (92_010_000, 92_010_000));
        assert_eq!(&field.write(), value);
        assert!(Field90::parse(&value[1..]).is_err());
        assert!(Field90::parse(b"02000000120511234203000920100000009201000x").is_err());
    }
}
