//! The link id of a sale: 80 random bits, by which its e-slip is found and by nothing else.
//!
//! It says nothing of the sale and cannot be guessed; its text is 16 upper-case Crockford characters, so that a QR code
//! stays in its alphanumeric mode (receipts reference §10.5).

use crate::base32;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of an id.
const LENGTH: usize = 10;

/// The id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkId(pub [u8; LENGTH]);

impl LinkId {
    /// The id made of the first ten of fresh random bytes.
    pub fn of_random(random: &[u8; 32]) -> Self {
        let mut id = [0; LENGTH];
        id.copy_from_slice(&random[..LENGTH]);
        Self(id)
    }

    /// Reads the text, as people type it: either case, O for 0, I and L for 1.
    pub fn parse(text: &str) -> Option<Self> {
        base32::decode(text)?.try_into().ok().map(Self)
    }

    /// The tag of field 59 that carries it in an answer.
    pub fn write(&self) -> String {
        format!("{TAG}{VALUE_LENGTH:03}{self}")
    }

    /// Finds the id among the tags of a field 59; other tags are passed over, nonsense gives none.
    pub fn read(field: &[u8]) -> Option<Self> {
        let value = crate::sign::tag(field, TAG.as_bytes())?;
        (value.len() == VALUE_LENGTH).then_some(())?;
        Self::parse(std::str::from_utf8(value).ok()?)
    }

    /// The whole link below `base`, for instance `https://r.example/r`.
    ///
    /// Where nothing but the host and our own `/r` stand before the id, it is upper case, which means the same and makes
    /// a smaller QR code.
    pub fn below(&self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        let path = base
            .split_once("://")
            .map_or(base, |(_, rest)| rest)
            .split_once('/')
            .map(|(_, path)| path);
        let link = format!("{base}/{self}");
        if matches!(path, None | Some("r" | "R")) {
            link.to_ascii_uppercase()
        } else {
            link
        }
    }
}

/// Two characters, then a three-digit length, then the value, as every tag of field 59.
const TAG: &str = "CL";
const VALUE_LENGTH: usize = 16;

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_survives_text_wire_and_people() {
        let id = LinkId([0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF]);
        assert_eq!(id.to_string(), "0123456789ABCDEF");
        for text in [
            "0123456789ABCDEF",
            "o123456789abcdef",
            "OI23456789ABCDEF",
            "0L23456789abcdef",
        ] {
            assert_eq!(LinkId::parse(text), Some(id), "{text}");
        }
        for bad in [
            "",
            "0123456789ABCDE",
            "0123456789ABCDEFG",
            "0123456789ABCDEU",
            "0123456789ABCDÉ",
        ] {
            assert_eq!(LinkId::parse(bad), None, "{bad}");
        }
        let mut field = b"A2004abcd".to_vec();
        field.extend_from_slice(id.write().as_bytes());
        assert_eq!(LinkId::read(&field), Some(id));
        for bad in [
            &b"CL0150123456789ABCDE"[..],
            b"CL016",
            b"CL0160123456789ABCDU!",
            b"",
        ] {
            assert_eq!(LinkId::read(bad), None);
        }
    }

    #[test]
    fn the_link_is_upper_case_where_that_means_the_same() {
        let id = LinkId([0; 10]);
        for (base, link) in [
            (
                "http://127.0.0.1:7102/r",
                "HTTP://127.0.0.1:7102/R/0000000000000000",
            ),
            ("https://r.example/", "HTTPS://R.EXAMPLE/0000000000000000"),
            (
                "https://shop.example/Slips",
                "https://shop.example/Slips/0000000000000000",
            ),
        ] {
            assert_eq!(id.below(base), link);
        }
    }
}
