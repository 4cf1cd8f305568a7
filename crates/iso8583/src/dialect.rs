//! A dialect as data: one line for each element, read from a text of our own tiny format. A dialect that was read is
//! always consistent: every prefix can hold its longest length.

use core::fmt;
use std::sync::OnceLock;

use crate::digits;
use crate::frame::Framing;
use crate::message::{FIELD_MAX, bit};

/// Longest dialect text that is read, in bytes.
pub const DIALECT_BYTES_MAX: usize = 64 * 1024;

/// How one party writes messages: the encoding of the type, the bitmap and every element.
///
/// A text has one item a line, `#` starts a comment. Header lines: `name WORD`, `framing terminal|host`,
/// `mti bcd|ascii`, `bitmap primary|both|hex`, `lengths bcd|ascii`, `digits bcd|ascii`, `mac NUMBER`. Element lines:
/// number, class (`n z an ans b h`), length (`12` fixed, `..19` two-digit prefix, `...600` three-digit prefix) and the
/// options `left` (an odd fixed number of digits is left-justified), `min N`, `keys` (holds the working keys of a
/// sign-in answer). See `src/dialects/`.
#[derive(Clone, Debug)]
pub struct Dialect {
    name: String,
    framing: Option<Framing>,
    mac_field: Option<u8>,
    pub(crate) mti: Coding,
    pub(crate) bitmap: Bitmap,
    /// Elements with a description, as [`crate::message::bit`].
    pub(crate) described: u128,
    pub(crate) formats: Box<[Format; FIELD_MAX as usize + 1]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Bcd,
    Ascii,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bitmap {
    /// 8 bytes, bit 1 never set.
    Primary,
    /// 16 bytes, bit 1 always set.
    Both,
    /// 16 or 32 upper-case hex characters; bit 1 set exactly if an element above 64 is there.
    Hex,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) wire: Wire,
    pub(crate) prefix: Prefix,
    pub(crate) min: u16,
    pub(crate) max: u16,
    pub(crate) keys: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Decimal digits, two to a byte; odd numbers padded on the right.
    DigitsLeft,
    /// Decimal digits, two to a byte; odd numbers padded on the left.
    DigitsRight,
    /// Track nibbles, two to a byte, padded on the right.
    TrackNibbles,
    /// One byte a character of this alphabet.
    Text(u8),
    /// Raw bytes.
    Raw,
    /// Raw bytes written as upper-case hex; lengths count characters.
    Hex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    Fixed,
    Bcd2,
    Bcd3,
    Ascii2,
    Ascii3,
}

/// A dialect text that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectError {
    /// Line, counted from 1; 0 for something missing from the whole text.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl core::error::Error for DialectError {}

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dialect line {}: {}", self.line, self.what)
    }
}

impl Dialect {
    /// The UnionPay-style terminal interface: packed decimal, primary bitmap, MAC in 64 (reference §1.5).
    pub fn terminal() -> &'static Self {
        static TERMINAL: OnceLock<Dialect> = OnceLock::new();
        TERMINAL.get_or_init(|| built_in(include_str!("dialects/terminal.txt")))
    }

    /// The switch interface: ASCII, both bitmaps, MAC in 128 (reference §8.9).
    pub fn host() -> &'static Self {
        static HOST: OnceLock<Dialect> = OnceLock::new();
        HOST.get_or_init(|| built_in(include_str!("dialects/host.txt")))
    }

    /// Plain ISO 8583:1987 in ASCII with hex bitmaps, without a frame.
    pub fn ascii87() -> &'static Self {
        static ASCII87: OnceLock<Dialect> = OnceLock::new();
        ASCII87.get_or_init(|| built_in(include_str!("dialects/ascii87.txt")))
    }

    /// The built-in dialects.
    pub fn all() -> [&'static Self; 3] {
        [Self::terminal(), Self::host(), Self::ascii87()]
    }

    /// A built-in dialect by its name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().into_iter().find(|dialect| dialect.name == name)
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How messages are framed on a stream, if the dialect says.
    #[must_use]
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Element that holds the MAC, if any; always described, and the last of the dialect.
    #[must_use]
    pub fn mac_field(&self) -> Option<u8> {
        self.mac_field
    }

    /// Whether the dialect describes an element.
    #[must_use]
    pub fn describes(&self, field: u8) -> bool {
        self.described & bit(field) != 0
    }

    /// Reads a dialect text.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, DialectError> {
        if text.len() > DIALECT_BYTES_MAX {
            return Err(DialectError {
                line: 0,
                what: "text too long",
            });
        }
        let mut draft = Draft::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            if let Some(first) = words.next() {
                draft.line(first, words).map_err(|what| DialectError {
                    line: index + 1,
                    what,
                })?;
            }
        }
        draft
            .finish()
            .map_err(|what| DialectError { line: 0, what })
    }
}

fn built_in(text: &str) -> Dialect {
    Dialect::parse(text).expect("the built-in dialects are read by the tests")
}

#[derive(Default)]
struct Draft<'a> {
    name: Option<&'a str>,
    framing: Option<Framing>,
    mac: Option<u8>,
    mti: Option<Coding>,
    bitmap: Option<Bitmap>,
    lengths: Option<Coding>,
    digits: Option<Coding>,
    elements: Vec<(u8, Format)>,
}

impl<'a> Draft<'a> {
    fn line(
        &mut self,
        first: &'a str,
        mut words: impl Iterator<Item = &'a str>,
    ) -> Result<(), &'static str> {
        if first.as_bytes()[0].is_ascii_digit() {
            return self.element(element_number(first)?, words);
        }
        let value = words.next().ok_or("value missing")?;
        match first {
            "name" => once(&mut self.name, value)?,
            "framing" => once(
                &mut self.framing,
                match value {
                    "terminal" => Framing::Terminal,
                    "host" => Framing::Host,
                    _ => return Err("unknown framing"),
                },
            )?,
            "mti" => once(&mut self.mti, coding(value)?)?,
            "lengths" => once(&mut self.lengths, coding(value)?)?,
            "digits" => once(&mut self.digits, coding(value)?)?,
            "bitmap" => once(
                &mut self.bitmap,
                match value {
                    "primary" => Bitmap::Primary,
                    "both" => Bitmap::Both,
                    "hex" => Bitmap::Hex,
                    _ => return Err("unknown bitmap"),
                },
            )?,
            "mac" => once(&mut self.mac, element_number(value)?)?,
            _ => return Err("unknown word"),
        }
        words.next().map_or(Ok(()), |_| Err("more than one value"))
    }

    fn element(
        &mut self,
        number: u8,
        mut words: impl Iterator<Item = &'a str>,
    ) -> Result<(), &'static str> {
        let lengths = self.lengths.ok_or("elements before lengths")?;
        let digits = self.digits.ok_or("elements before digits")?;
        if self.bitmap.ok_or("elements before bitmap")? == Bitmap::Primary && number > 64 {
            return Err("element above 64 with a primary bitmap");
        }
        if self.elements.iter().any(|(other, _)| *other == number) {
            return Err("element described twice");
        }
        let class = words.next().ok_or("class missing")?;
        let (prefix, max) = length(words.next().ok_or("length missing")?, lengths)?;
        let fixed = prefix == Prefix::Fixed;
        let wire = match (class, digits) {
            ("n", Coding::Bcd) if fixed => Wire::DigitsRight,
            ("n", Coding::Bcd) => Wire::DigitsLeft,
            ("n", Coding::Ascii) => Wire::Text(digits::DIGIT),
            ("z", Coding::Bcd) => Wire::TrackNibbles,
            ("z", Coding::Ascii) => Wire::Text(digits::TRACK),
            ("an", _) => Wire::Text(digits::AN),
            ("ans", _) => Wire::Text(digits::ANS),
            ("b", _) => Wire::Raw,
            ("h", _) => Wire::Hex,
            _ => return Err("unknown class"),
        };
        let min = if fixed { max } else { 0 };
        let mut format = Format {
            wire,
            prefix,
            min,
            max,
            keys: false,
        };
        while let Some(option) = words.next() {
            match option {
                "left" if wire == Wire::DigitsRight => format.wire = Wire::DigitsLeft,
                "keys" if wire == Wire::Raw => format.keys = true,
                "min" if !fixed => {
                    let min = words
                        .next()
                        .and_then(|word| word.parse().ok())
                        .ok_or("min without a number")?;
                    if min > max {
                        return Err("min above the longest length");
                    }
                    format.min = min;
                }
                _ => return Err("unknown option"),
            }
        }
        if wire == Wire::Hex && !(format.min | format.max).is_multiple_of(2) {
            return Err("odd number of hex characters");
        }
        self.elements.push((number, format));
        Ok(())
    }

    fn finish(self) -> Result<Dialect, &'static str> {
        let absent = Format {
            wire: Wire::Raw,
            prefix: Prefix::Fixed,
            min: 0,
            max: 0,
            keys: false,
        };
        let mut formats = Box::new([absent; FIELD_MAX as usize + 1]);
        let mut described = 0;
        for (number, format) in self.elements {
            formats[usize::from(number)] = format;
            described |= bit(number);
        }
        if let Some(mac) = self.mac {
            let format = formats[usize::from(mac)];
            if described & bit(mac) == 0 || !is_mac(format) {
                return Err("the MAC element is not eight bytes");
            }
        }
        Ok(Dialect {
            name: self.name.ok_or("name missing")?.to_owned(),
            framing: self.framing,
            mac_field: self.mac,
            mti: self.mti.ok_or("mti missing")?,
            bitmap: self.bitmap.ok_or("bitmap missing")?,
            described,
            formats,
        })
    }
}

fn is_mac(format: Format) -> bool {
    format.prefix == Prefix::Fixed
        && matches!((format.wire, format.max), (Wire::Raw, 8) | (Wire::Hex, 16))
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), &'static str> {
    slot.replace(value).map_or(Ok(()), |_| Err("said twice"))
}

fn coding(word: &str) -> Result<Coding, &'static str> {
    match word {
        "bcd" => Ok(Coding::Bcd),
        "ascii" => Ok(Coding::Ascii),
        _ => Err("neither bcd nor ascii"),
    }
}

fn element_number(word: &str) -> Result<u8, &'static str> {
    let number = word.parse().map_err(|_| "element number")?;
    if (2..=FIELD_MAX).contains(&number) {
        Ok(number)
    } else {
        Err("element number not in 2 to 128")
    }
}

fn length(word: &str, lengths: Coding) -> Result<(Prefix, u16), &'static str> {
    let (prefix, number, longest) =
        match (word.strip_prefix("..."), word.strip_prefix(".."), lengths) {
            (Some(number), _, Coding::Bcd) => (Prefix::Bcd3, number, 999),
            (Some(number), _, Coding::Ascii) => (Prefix::Ascii3, number, 999),
            (None, Some(number), Coding::Bcd) => (Prefix::Bcd2, number, 99),
            (None, Some(number), Coding::Ascii) => (Prefix::Ascii2, number, 99),
            (None, None, _) => (Prefix::Fixed, word, 999),
        };
    match number.parse() {
        Ok(max) if (1..=longest).contains(&max) => Ok((prefix, max)),
        _ => Err("length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(change: &str, line: usize, what: &str) {
        let head = "name x\nmti bcd\nbitmap primary\nlengths bcd\ndigits bcd\n";
        let error = Dialect::parse(&format!("{head}{change}")).unwrap_err();
        assert_eq!((error.line, error.what), (line, what), "{change}");
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        refused("name y", 6, "said twice");
        refused("# fine\n\nspeed high", 8, "unknown word");
        refused("mac", 6, "value missing");
        refused("framing x25", 6, "unknown framing");
        refused("framing host now", 6, "more than one value");
        refused("1 b 8", 6, "element number not in 2 to 128");
        refused("200 b 8", 6, "element number not in 2 to 128");
        refused("2x b 8", 6, "element number");
        refused("65 b 8", 6, "element above 64 with a primary bitmap");
        refused("2 n ..19\n2 n ..19", 7, "element described twice");
        refused("2 q ..19", 6, "unknown class");
        refused("2 n", 6, "length missing");
        refused("2 n ..100", 6, "length");
        refused("2 n 0", 6, "length");
        refused("2 n ..19 left", 6, "unknown option");
        refused("2 n ..19 min 20", 6, "min above the longest length");
        refused("52 h 15", 6, "odd number of hex characters");
        refused("mac 64", 0, "the MAC element is not eight bytes");
        assert_eq!(
            Dialect::parse("2 n 6").unwrap_err().what,
            "elements before lengths"
        );
        assert_eq!(Dialect::parse("mti bcd").unwrap_err().what, "name missing");
        assert_eq!(
            Dialect::parse(&"#".repeat(DIALECT_BYTES_MAX + 1))
                .unwrap_err()
                .what,
            "text too long"
        );
    }

    #[test]
    fn built_in_dialects_are_found_by_name() {
        for dialect in Dialect::all() {
            assert!(core::ptr::eq(
                Dialect::by_name(dialect.name()).unwrap(),
                dialect
            ));
        }
        assert!(Dialect::by_name("none").is_none());
        assert_eq!(Dialect::terminal().mac_field(), Some(64));
        assert_eq!(Dialect::host().framing(), Some(Framing::Host));
    }
}
