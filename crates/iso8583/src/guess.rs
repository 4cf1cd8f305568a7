//! Which dialect unknown bytes are most likely in. A guess only orders attempts; the codec decides what is well-formed.

use crate::dialect::Dialect;
use crate::frame::{
    FRAME_BYTES_MAX, Framing, open_host, open_terminal, open_terminal_without_length,
};
use crate::message::{Message, Mti};

/// How much of a frame is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// With length and headers.
    Frame,
    /// With headers, without the two length bytes.
    WithoutLength,
    /// From the message type on.
    Body,
}

/// A dialect and layer in which the bytes can be read, strictly if any, else leniently; if none reads them, the one that
/// their beginning looks like. `None` if they look like nothing known.
#[must_use]
pub fn guess(bytes: &[u8]) -> Option<(&'static Dialect, Layer)> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut message = Message::new(Mti(0));
    let candidates = candidates(bytes);
    let read = |strict: bool, message: &mut Message| {
        candidates.iter().flatten().find(|(dialect, _, body)| {
            if strict {
                dialect.decode(body, message).is_ok()
            } else {
                dialect.decode_lenient(body, message).is_ok()
            }
        })
    };
    let found = match read(true, &mut message) {
        Some(found) => Some(found),
        None => read(false, &mut message),
    };
    match found {
        Some(&(dialect, layer, _)) => Some((dialect, layer)),
        None => looks_like(bytes),
    }
}

impl Layer {
    /// The body of bytes that are complete from this layer on; `None` if they are no such frame.
    #[must_use]
    pub fn body<'a>(self, dialect: &Dialect, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match (self, dialect.framing()) {
            (Self::Body, _) => Some(bytes),
            (Self::Frame, Some(Framing::Terminal)) => {
                open_terminal(bytes).ok().map(|(_, body)| body)
            }
            (Self::Frame, Some(Framing::Host)) => open_host(bytes).ok().map(|(_, body)| body),
            (Self::WithoutLength, Some(Framing::Terminal)) => {
                open_terminal_without_length(bytes).map(|(_, body)| body)
            }
            (Self::Frame | Self::WithoutLength, _) => None,
        }
    }
}

type Candidate<'a> = (&'static Dialect, Layer, &'a [u8]);

fn candidates(bytes: &[u8]) -> [Option<Candidate<'_>>; 6] {
    [
        (Dialect::terminal(), Layer::Frame),
        (Dialect::terminal(), Layer::WithoutLength),
        (Dialect::terminal(), Layer::Body),
        (Dialect::host(), Layer::Frame),
        (Dialect::host(), Layer::Body),
        (Dialect::ascii87(), Layer::Body),
    ]
    .map(|(dialect, layer)| {
        layer
            .body(dialect, bytes)
            .map(|body| (dialect, layer, body))
    })
}

fn looks_like(bytes: &[u8]) -> Option<(&'static Dialect, Layer)> {
    match bytes {
        [0x60 | 0x61, _, _, _, _, 0x60 | 0x61, ..] => {
            Some((Dialect::terminal(), Layer::WithoutLength))
        }
        [_, _, 0x60 | 0x61, _, _, _, _, 0x60 | 0x61, ..] => {
            Some((Dialect::terminal(), Layer::Frame))
        }
        [0x2E, 0x01 | 0x02, b'0'..=b'9', ..] => Some((Dialect::host(), Layer::Frame)),
        [b'0'..=b'2', digit, _, _, bitmap, ..] if digit.is_ascii_digit() => match bitmap {
            b'0'..=b'9' | b'A'..=b'F' => Some((Dialect::ascii87(), Layer::Body)),
            _ => Some((Dialect::host(), Layer::Body)),
        },
        [0x01..=0x09, ..] => Some((Dialect::terminal(), Layer::Body)),
        _ => None,
    }
}
