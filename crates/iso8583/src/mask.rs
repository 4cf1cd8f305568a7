//! What of a value may be seen. Nothing secret passes: an element without a row shows only its length.

use core::fmt;

use crate::digits::hex_digit;
use crate::field::{Sensitivity, element};

/// Digits of the shortest number that is shown in part; shorter ones are all stars.
const PAN_DIGITS_MIN: usize = 13;

/// First six and last four characters, the rest stars (reference §7.3); all stars if shorter than 13.
#[must_use]
pub fn mask_pan(pan: &[u8]) -> String {
    let shown = pan.len() >= PAN_DIGITS_MIN;
    let mask = |(index, &byte): (usize, &u8)| {
        let open = shown && byte.is_ascii_digit() && (index < 6 || index + 4 >= pan.len());
        if open { char::from(byte) } else { '*' }
    };
    pan.iter().enumerate().map(mask).collect()
}

/// A value as its sensitivity allows.
#[must_use]
pub fn mask(sensitivity: Sensitivity, value: &[u8]) -> String {
    match sensitivity {
        Sensitivity::Public => plain(value),
        Sensitivity::Pan => mask_pan(value),
        Sensitivity::Track => mask_track(value),
        Sensitivity::Expiry => "*".repeat(value.len()),
        Sensitivity::Pin | Sensitivity::Key | Sensitivity::CardData | Sensitivity::Private => {
            format!("<{} bytes>", value.len())
        }
    }
}

/// The value of an element as the field table allows; prints without quotes.
#[must_use]
pub fn masked(field: u8, value: &[u8]) -> Masked {
    let sensitivity = element(field).map_or(Sensitivity::Key, |row| row.sensitivity);
    Masked(mask(sensitivity, value))
}

/// A masked value.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked(String);

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digits up to the separator are the card number. An encrypted track can hold `D` by chance, so at most the longest
/// card number is taken for one.
fn mask_track(track: &[u8]) -> String {
    let end = track
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(track.len());
    let pan = if end <= 19 { &track[..end] } else { &[] };
    mask_pan(pan) + &"*".repeat(track.len() - pan.len())
}

/// Printable ASCII as it is, anything else as upper-case hex.
#[must_use]
pub(crate) fn plain(value: &[u8]) -> String {
    if value.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        value.iter().map(|&byte| char::from(byte)).collect()
    } else {
        hex(value)
    }
}

/// Upper-case hex.
#[must_use]
pub(crate) fn hex(value: &[u8]) -> String {
    value
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(hex_digit(nibble)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: u8, value: &str, expected: &str) {
        assert_eq!(masked(field, value.as_bytes()).to_string(), expected);
    }

    #[test]
    fn secrets_are_masked_by_the_table() {
        check(2, "6228480000000123", "622848******0123");
        check(2, "622848000012", "************");
        check(2, "", "");
        check(4, "000000000100", "000000000100");
        check(14, "2806", "****");
        check(
            35,
            "6224242900000113D28062013949031013",
            "622424******0113******************",
        );
        check(35, "6226097806938388=4912", "622609******8388*****");
        check(35, "62260978069383881234D", "*********************");
        check(45, "%B6226097806938388^A", "********************");
        check(52, "\u{1}2345678", "<8 bytes>");
        check(62, "0123456789", "<10 bytes>");
        check(43, "\u{e9}", "C3A9");
        assert_eq!(masked(0, b"x").to_string(), "<1 bytes>");
    }
}
