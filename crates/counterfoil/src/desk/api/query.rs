//! What a query may hold: one type for each, which reads it and says in the document what it reads.
//!
//! Invariant: what the document allows is taken, and everything else is refused before a handler is reached.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// Rows of one answer, at most.
pub const LIMIT_MAX: u32 = 200;
/// Rows of one answer, unless another number is asked for.
const LIMIT: u32 = 50;
/// Digits of a number that a database's column holds for certain.
const DIGITS_MAX: usize = 18;
/// The last millisecond that is asked for: of the year 2286.
const MILLIS_MAX: i64 = 9_999_999_999_999;

/// What may stand in a place of the query or of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// `true` or `false`.
    Switch,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// Text of this pattern.
    Like(&'static str),
}

impl Takes {
    /// [`Many`].
    pub(super) const LIMIT: Self = Self::Whole(1, LIMIT_MAX as i64);
    /// [`Millis`].
    pub(super) const MILLIS: Self = Self::Whole(0, MILLIS_MAX);
    /// [`Number`] as a cursor.
    pub(super) const NUMBER: Self = Self::Like("^[0-9]{1,18}$");
    /// A place in the events.
    pub(super) const PLACE: Self = Self::Like("^[0-9]{1,18}-[0-9]{1,18}$");
    /// A terminal.
    pub(super) const TERMINAL: Self = Self::Text;
    /// [`Number`] in a path.
    pub(super) const ID: Self = Self::Whole(0, 999_999_999_999_999_999);

    /// As the document says it.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Switch => json!({ "type": "boolean" }),
            Self::Whole(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Self::Like(pattern) => json!({ "type": "string", "pattern": pattern }),
        }
    }
}

/// How many rows an answer may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Many(pub(super) u32);

impl Default for Many {
    fn default() -> Self {
        Self(LIMIT)
    }
}

impl<'de> Deserialize<'de> for Many {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let many = u32::deserialize(from)?;
        let range = 1..=LIMIT_MAX;
        range
            .contains(&many)
            .then_some(Self(many))
            .ok_or_else(|| D::Error::custom("out of range"))
    }
}

/// A moment, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Millis(pub(super) i64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let millis = i64::deserialize(from)?;
        let range = 0..=MILLIS_MAX;
        range
            .contains(&millis)
            .then_some(Self(millis))
            .ok_or_else(|| D::Error::custom("out of range"))
    }
}

/// The number of a row: as many digits as its column holds, and nothing but digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u64);

impl Number {
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self)
    }

    /// As its column holds it.
    pub(super) const fn column(self) -> i64 {
        self.0 as i64
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("no number"))
    }
}
