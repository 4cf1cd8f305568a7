//! Data elements of the chip (element 55) as a cryptogram's verifier must read them: strictly.
//!
//! Invariant: every tag at most once, every length in its shortest form, nothing left over.

use core::fmt;
use std::collections::BTreeMap;

/// Longest element 55.
const BYTES_MAX: usize = 255;

/// Why card data are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardDataError {
    /// More than 255 bytes.
    TooLong,
    /// A tag or length is cut off, or a value is shorter than its length.
    CutOff,
    /// A tag of more than two bytes.
    Tag,
    /// A length that is indefinite or not in its shortest form.
    Length,
    /// The same tag twice.
    Duplicate,
}

impl fmt::Display for CardDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "card data longer than 255 bytes",
            Self::CutOff => "card data cut off",
            Self::Tag => "card data tag of more than two bytes",
            Self::Length => "card data length not in its shortest form",
            Self::Duplicate => "card data tag twice",
        })
    }
}

impl core::error::Error for CardDataError {}

/// The values by tag; scripts (71, 72) stay whole.
pub(crate) fn read(bytes: &[u8]) -> Result<BTreeMap<u16, &[u8]>, CardDataError> {
    if bytes.len() > BYTES_MAX {
        return Err(CardDataError::TooLong);
    }
    let mut objects = BTreeMap::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let (tag, after) = tag(*first, after)?;
        let (length, after) = length(after)?;
        let (value, after) = after
            .split_at_checked(length)
            .ok_or(CardDataError::CutOff)?;
        if objects.insert(tag, value).is_some() {
            return Err(CardDataError::Duplicate);
        }
        rest = after;
    }
    Ok(objects)
}

fn tag(first: u8, rest: &[u8]) -> Result<(u16, &[u8]), CardDataError> {
    if first & 0x1F != 0x1F {
        return Ok((u16::from(first), rest));
    }
    let (second, rest) = rest.split_first().ok_or(CardDataError::CutOff)?;
    if second & 0x80 != 0 {
        return Err(CardDataError::Tag);
    }
    Ok((u16::from_be_bytes([first, *second]), rest))
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), CardDataError> {
    let (first, rest) = bytes.split_first().ok_or(CardDataError::CutOff)?;
    match first {
        0..=0x7F => Ok((usize::from(*first), rest)),
        0x81 => match rest.split_first() {
            Some((length @ 0x80.., rest)) => Ok((usize::from(*length), rest)),
            Some(_) => Err(CardDataError::Length),
            None => Err(CardDataError::CutOff),
        },
        _ => Err(CardDataError::Length),
    }
}
