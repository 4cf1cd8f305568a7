//! Element 63: card organisation and texts of answers, operator of requests, or an SM4 PIN block (reference §2.12).

use core::fmt;

/// Bytes of an SM4 PIN block.
pub const PIN_BLOCK_BYTES: usize = 16;

const PIN_PREFIX: &[u8] = b"SM016";
const CODE_CHARS: usize = 3;
const TEXT_BYTES: usize = 20;

/// The readings of element 63.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Field63<'a> {
    /// 63.1 card organisation (`CUP`, …) or operator (`01 `), 63.2 text.
    Code {
        /// Three characters, fewer if the element is shorter.
        code: &'a [u8],
        /// Issuer, centre and acquirer texts, GBK.
        text: &'a [u8],
    },
    /// Usage `SM`: the encrypted PIN block; element 52 is zeros then.
    PinBlock(&'a [u8; PIN_BLOCK_BYTES]),
}

impl<'a> Field63<'a> {
    /// Reads the logical value; every value has a reading.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Self {
        if let Some(Ok(block)) = value.strip_prefix(PIN_PREFIX).map(TryInto::try_into) {
            return Self::PinBlock(block);
        }
        let (code, text) = value.split_at(value.len().min(CODE_CHARS));
        Self::Code { code, text }
    }

    /// The three texts of 63.2, padding removed: issuer, centre, acquirer; empty where the element ends.
    #[must_use]
    pub fn texts(&self) -> [&'a [u8]; 3] {
        let Self::Code { text, .. } = *self else {
            return [&[]; 3];
        };
        [0, 1, 2].map(|index| {
            let rest = text.get(index * TEXT_BYTES..).unwrap_or_default();
            let end = if index == 2 {
                rest.len()
            } else {
                rest.len().min(TEXT_BYTES)
            };
            rest[..end].trim_ascii_end()
        })
    }

    /// Appends the element.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Code { code, text } => {
                out.extend_from_slice(code);
                out.extend_from_slice(text);
            }
            Self::PinBlock(block) => {
                out.extend_from_slice(PIN_PREFIX);
                out.extend_from_slice(*block);
            }
        }
    }
}

impl fmt::Debug for Field63<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code, text } => {
                write!(
                    f,
                    "Code({:?}, {} bytes)",
                    String::from_utf8_lossy(code),
                    text.len()
                )
            }
            Self::PinBlock(_) => f.write_str("PinBlock(****)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_is_written_back() {
        let text = b"CUPissuer              centre              acquirer            ";
        for value in [
            &b""[..],
            b"01 ",
            b"CUP",
            b"SM0160123456789abcdef",
            b"SM016short",
            text,
        ] {
            let mut back = Vec::new();
            Field63::parse(value).write(&mut back);
            assert_eq!(back, value);
        }
        assert_eq!(
            Field63::parse(text).texts(),
            [&b"issuer"[..], b"centre", b"acquirer"]
        );
        assert_eq!(
            format!("{:?}", Field63::parse(b"SM0160123456789abcdef")),
            "PinBlock(****)"
        );
    }
}
