//! Why bytes were refused: always the field and the byte, never the content of a value.

use core::fmt;

use crate::frame::FrameError;

/// A refusal of a message: which data element, at which byte, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Data element 2..=128, or `None` for the MTI, the bitmap, the framing and bytes left over.
    pub field: Option<u8>,
    /// Byte counted from 0 at the MTI; for framing errors from the start of the frame.
    /// When encoding, the byte of the body that would have come next.
    pub offset: usize,
    /// The reason.
    pub kind: ErrorKind,
}

/// The reason of a refusal or of a deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes end before the element does.
    Truncated {
        /// Bytes the element needs.
        need: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// The message type is not four decimal digits.
    Mti,
    /// The bitmap is written in a way that the dialect never writes it (bit 1, or a letter that is no hex digit).
    Bitmap,
    /// The dialect does not describe this element.
    Undescribed,
    /// A length prefix that is not decimal.
    LengthDigit,
    /// Longer than the dialect allows (digits for numeric classes, bytes otherwise).
    TooLong {
        /// Length found.
        length: usize,
        /// Longest allowed.
        max: usize,
    },
    /// Shorter than the dialect allows (digits for numeric classes, bytes otherwise).
    TooShort {
        /// Length found.
        length: usize,
        /// Shortest allowed.
        min: usize,
    },
    /// A character outside the alphabet of the element.
    Character,
    /// The unused nibble of an odd number of digits is not 0.
    PadNibble,
    /// Working keys of a sign-in answer in a length that no layout has (reference §5.1).
    KeyLayout {
        /// Length found, bytes.
        length: usize,
    },
    /// A sub-field does not follow its layout.
    Layout,
    /// Bytes are left after the last element.
    Trailing {
        /// Their number.
        bytes: usize,
    },
    /// The frame around the message is wrong.
    Frame(FrameError),
}

/// A place where a message breaks its dialect and can still be read (settled point 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Data element 2..=128.
    pub field: u8,
    /// Byte counted from 0 at the MTI.
    pub offset: usize,
    /// What deviates.
    pub what: ErrorKind,
}

impl Error {
    pub(crate) fn new(field: u8, offset: usize, kind: ErrorKind) -> Self {
        Self {
            field: Some(field),
            offset,
            kind,
        }
    }

    pub(crate) fn outside(offset: usize, kind: ErrorKind) -> Self {
        Self {
            field: None,
            offset,
            kind,
        }
    }
}

impl From<Deviation> for Error {
    fn from(deviation: Deviation) -> Self {
        Self::new(deviation.field, deviation.offset, deviation.what)
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "field {field} at byte {}: {}", self.offset, self.kind),
            None => write!(f, "message at byte {}: {}", self.offset, self.kind),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(*self).fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { need, left } => write!(f, "{need} bytes needed, {left} left"),
            Self::Mti => f.write_str("message type is not four digits"),
            Self::Bitmap => f.write_str("bitmap not as this dialect writes it"),
            Self::Undescribed => f.write_str("element not described by this dialect"),
            Self::LengthDigit => f.write_str("length is not decimal"),
            Self::TooLong { length, max } => write!(f, "length {length} is above {max}"),
            Self::TooShort { length, min } => write!(f, "length {length} is below {min}"),
            Self::Character => f.write_str("character outside the alphabet"),
            Self::PadNibble => f.write_str("pad nibble is not 0"),
            Self::KeyLayout { length } => write!(f, "no working-key layout has {length} bytes"),
            Self::Layout => f.write_str("sub-field does not follow its layout"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes left over"),
            Self::Frame(error) => error.fmt(f),
        }
    }
}
