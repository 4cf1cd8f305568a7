//! The part of GB18030 that a Chinese printer can draw: ASCII and the two-byte codes.
//!
//! A four-byte code never leaves this module: a two-byte font prints its inner digits next to the
//! amount (receipts reference §9.2).

use encoding_rs::GB18030;

/// What a character becomes on the wire to the printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// ASCII, one column.
    One(u8),
    /// A double-byte character, two columns.
    Two([u8; 2]),
}

/// Stands for a character the printer's font does not have: `？`.
pub const SUBSTITUTE: Code = Code::Two([0xA3, 0xBF]);

/// The code of a printable character; `None` for controls, four-byte codes and private-use characters.
pub fn code(character: char) -> Option<Code> {
    if character.is_control() || ('\u{E000}'..='\u{F8FF}').contains(&character) {
        return None;
    }
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = GB18030.encode(character.encode_utf8(&mut utf8));
    match (unmappable, bytes.as_ref()) {
        (false, &[byte]) => Some(Code::One(byte)),
        (false, &[lead, trail]) => Some(Code::Two([lead, trail])),
        _ => None,
    }
}

/// Columns of a character: its encoded length, not its Unicode width (receipts reference §9.2).
pub fn width_of(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

/// Columns of a text.
pub fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// The character of a two-byte code, as the printer's font reads it.
pub fn character(lead: u8, trail: u8) -> Option<char> {
    let pair = [lead, trail];
    let text = GB18030.decode_without_bom_handling_and_without_replacement(&pair)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(character: char, expected: Option<Code>) {
        assert_eq!(code(character), expected, "{character:?}");
    }

    #[test]
    fn ascii_and_two_byte_codes_only() {
        check('A', Some(Code::One(b'A')));
        check('￥', Some(Code::Two([0xA3, 0xA4])));
        check('€', Some(Code::Two([0xA2, 0xE3])));
        check('龘', Some(Code::Two([0xFD, 0x93])));
        check('？', Some(SUBSTITUTE));
        for refused in [
            '¥', '㐂', '𠮷', 'ö', '\u{E5E5}', '\u{E000}', '\u{1B}', '\n', '😀',
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn columns_are_encoded_bytes() {
        for character in (0x20_u32..0xFFFF).filter_map(char::from_u32) {
            match code(character) {
                Some(Code::One(_)) => assert_eq!(width_of(character), 1, "{character:?}"),
                Some(Code::Two(_)) => assert_eq!(width_of(character), 2, "{character:?}"),
                None => {}
            }
        }
    }
}
