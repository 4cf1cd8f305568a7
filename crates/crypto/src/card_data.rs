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
    /// A tag that a request for authorisation must bring is not there, or its value is not of its length.
    Mandatory {
        /// Which.
        tag: u16,
    },
}

impl fmt::Display for CardDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "card data longer than 255 bytes",
            Self::CutOff => "card data cut off",
            Self::Tag => "card data tag of more than two bytes",
            Self::Length => "card data length not in its shortest form",
            Self::Duplicate => "card data tag twice",
            Self::Mandatory { tag } => return write!(f, "card data without a right tag {tag:X}"),
        })
    }
}

impl core::error::Error for CardDataError {}

/// What a request for authorisation says of its card (UnionPay-style reference §2.7): its mandatory tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRequest {
    /// Application cryptogram, tag 9F26.
    pub cryptogram: [u8; 8],
    /// Type of the cryptogram, tag 9F27: `80` asks the issuer.
    pub kind: u8,
    /// Transaction counter, tag 9F36.
    pub counter: [u8; 2],
    /// Unpredictable number of the terminal, tag 9F37.
    pub unpredictable: [u8; 4],
    /// Amount in minor units, tag 9F02.
    pub amount: u64,
    /// Numeric currency, tag 5F2A.
    pub currency: u16,
    /// `YYMMDD` in packed digits, tag 9A.
    pub date: [u8; 3],
    /// Terminal verification results, tag 95.
    pub terminal_results: [u8; 5],
    /// Card verification results with their length, bytes 4 to 7 of tag 9F10.
    pub card_results: [u8; 4],
    /// Method, condition and result of the cardholder's verification, tag 9F34, when the terminal sent it.
    pub verification: Option<[u8; 3]>,
    /// The bytes under the cryptogram in their order.
    pub signed: Vec<u8>,
}

impl CardRequest {
    /// Reads element 55 strictly; a tag that is missing or of a wrong length is [`CardDataError::Mandatory`].
    pub fn read(bytes: &[u8]) -> Result<Self, CardDataError> {
        let objects = read(bytes)?;
        let issuer_data = *objects.get(&0x9F10).ok_or(missing(0x9F10))?;
        let card_results = issuer_data.get(3..7).and_then(|part| part.try_into().ok());
        let card_results: [u8; 4] = card_results.ok_or(missing(0x9F10))?;
        let mut signed = Vec::new();
        for (tag, length) in SIGNED {
            let value = objects.get(&tag).filter(|value| value.len() == length);
            signed.extend_from_slice(value.ok_or(missing(tag))?);
        }
        signed.extend_from_slice(&card_results);
        Ok(Self {
            cryptogram: fixed(&objects, 0x9F26)?,
            kind: fixed::<1>(&objects, 0x9F27)?[0],
            counter: fixed(&objects, 0x9F36)?,
            unpredictable: fixed(&objects, 0x9F37)?,
            amount: digits(&fixed::<6>(&objects, 0x9F02)?).ok_or(missing(0x9F02))?,
            currency: digits(&fixed::<2>(&objects, 0x5F2A)?).ok_or(missing(0x5F2A))? as u16,
            date: fixed(&objects, 0x9A)?,
            terminal_results: fixed(&objects, 0x95)?,
            card_results,
            verification: fixed(&objects, 0x9F34).ok(),
            signed,
        })
    }
}

/// The order under the cryptogram (reference §2.7), before the card verification results.
const SIGNED: [(u16, usize); 10] = [
    (0x9F02, 6),
    (0x9F03, 6),
    (0x9F1A, 2),
    (0x95, 5),
    (0x5F2A, 2),
    (0x9A, 3),
    (0x9C, 1),
    (0x9F37, 4),
    (0x82, 2),
    (0x9F36, 2),
];

fn missing(tag: u16) -> CardDataError {
    CardDataError::Mandatory { tag }
}

fn fixed<const N: usize>(
    objects: &BTreeMap<u16, &[u8]>,
    tag: u16,
) -> Result<[u8; N], CardDataError> {
    let value = objects.get(&tag).and_then(|value| (*value).try_into().ok());
    value.ok_or(missing(tag))
}

/// The number that packed digits write; at most 19 digits.
fn digits(packed: &[u8]) -> Option<u64> {
    let mut nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.try_fold(0, |sum, nibble| {
        (nibble < 10).then_some(sum * 10 + u64::from(nibble))
    })
}

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
