//! The dot font of the slips: 24 dots high, ASCII 12 dots wide, every other character 24.
//!
//! A character without a glyph is the caller's error to name, never a box; everything that a two-byte
//! printer can draw has one, save `≒` (`font/make.py` says how they were drawn).

/// Height of every glyph in dots.
pub const GLYPH_DOTS: u32 = 24;

const RECORD_BYTES: usize = 75;
const CODE_BYTES: usize = 3;

/// Sorted records: a code point of three bytes, then 24 rows of three bytes.
static RECORDS: &[u8] = include_bytes!("../font/glyphs.bin");

/// The dots of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyph {
    rows: &'static [u8],
    width: u32,
}

impl Glyph {
    /// Its cell's width in dots: 12 or 24.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Whether a dot of its cell is black.
    pub fn dot(&self, x: u32, y: u32) -> bool {
        x < self.width
            && y < GLYPH_DOTS
            && self.rows[(y * 3 + x / 8) as usize] & (0x80 >> (x % 8)) != 0
    }
}

/// The glyph of a character, if the font has it.
pub fn glyph(character: char) -> Option<Glyph> {
    let (records, _) = RECORDS.as_chunks::<RECORD_BYTES>();
    let [_, code @ ..] = u32::from(character).to_be_bytes();
    let found = records.binary_search_by(|record| record[..CODE_BYTES].cmp(&code));
    found.ok().map(|place| Glyph {
        rows: &records[place][CODE_BYTES..],
        width: if character.is_ascii() { 12 } else { 24 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb18030;

    #[test]
    fn whatever_a_two_byte_printer_draws_has_a_glyph() {
        let drawn = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        let missing: String = drawn
            .filter(|&character| gb18030::code(character).is_some())
            .filter(|&character| glyph(character).is_none())
            .collect();
        assert_eq!(missing, "≒");
    }

    #[test]
    fn glyphs_are_pictures_of_their_characters() {
        let picture = |character| -> Vec<String> {
            let glyph = glyph(character).expect("a glyph");
            let row = |y| (0..glyph.width()).map(move |x| if glyph.dot(x, y) { '#' } else { '.' });
            (0..GLYPH_DOTS).map(|y| row(y).collect()).collect()
        };
        assert!(picture(' ').iter().all(|row| row == "............"));
        let one: Vec<String> = picture('一')
            .into_iter()
            .filter(|row| row.contains('#'))
            .collect();
        assert_eq!(one, [".######################."; 2]);
        for rare in ['㐂', '𠮷', 'é', '¥'] {
            assert!(picture(rare).concat().contains('#'), "{rare}");
        }
        for missing in ['😀', '\u{1B}', '\u{E000}', '\u{10FFFF}', 'ก'] {
            assert_eq!(glyph(missing), None);
        }
    }
}
