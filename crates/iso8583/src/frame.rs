//! Frames of a TCP stream: where one ends, its header, and its body. A stream is never read further than one bounded
//! frame, and a length that makes no sense is an error before its bytes have come.

use core::fmt;

use crate::error::{Error, ErrorKind};

/// Longest frame on either interface, all bytes counted.
pub const FRAME_BYTES_MAX: usize = 4096;
/// Length, TPDU and application header of the terminal interface.
pub const TERMINAL_PREFIX_BYTES: usize = LEN_BYTES + TPDU_BYTES + HEADER_BYTES;
/// Header of the switch interface.
pub const HOST_HEADER_BYTES: usize = 46;

const LEN_BYTES: usize = 2;
const TPDU_BYTES: usize = 5;
const HEADER_BYTES: usize = 6;
/// Message type and primary bitmap.
const TERMINAL_BODY_BYTES_MIN: usize = 10;
/// Message type and both bitmaps.
const HOST_BODY_BYTES_MIN: usize = 20;

/// How frames follow each other on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Two binary length bytes, TPDU, application header, body (reference §1.1).
    Terminal,
    /// A 46-byte header with four ASCII length digits, body (reference §8.9).
    Host,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The length says more than [`FRAME_BYTES_MAX`].
    TooLong {
        /// Bytes of the whole frame.
        length: usize,
    },
    /// The length is too small for header, type and bitmap.
    TooShort {
        /// Bytes of the whole frame.
        length: usize,
    },
    /// The length says something else than there is.
    Length {
        /// Bytes of the whole frame as its length says.
        said: usize,
        /// Bytes that are there.
        real: usize,
    },
    /// The header does not begin with its own length (46).
    HeaderLength,
    /// The length is not four decimal digits.
    LengthDigit,
}

impl core::error::Error for FrameError {}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "frame of {length} bytes is above {FRAME_BYTES_MAX}")
            }
            Self::TooShort { length } => write!(f, "frame of {length} bytes cannot hold a message"),
            Self::Length { said, real } => write!(f, "length says {said} bytes, there are {real}"),
            Self::HeaderLength => f.write_str("header does not begin with its length"),
            Self::LengthDigit => f.write_str("length is not decimal"),
        }
    }
}

/// Bytes of the first frame in `buffer`, once it is complete; `None` while more must be read.
///
/// # Errors
/// As soon as the bytes cannot become a frame; the connection should then be closed, for nothing marks the next one.
pub fn next(framing: Framing, buffer: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(length) = length(framing, buffer)? else {
        return Ok(None);
    };
    Ok((buffer.len() >= length).then_some(length))
}

/// Length of the first frame as far as its bytes have come.
fn length(framing: Framing, buffer: &[u8]) -> Result<Option<usize>, FrameError> {
    let (length, least) = match framing {
        Framing::Terminal => match buffer {
            [high, low, ..] => {
                let rest = usize::from(u16::from_be_bytes([*high, *low]));
                (
                    LEN_BYTES + rest,
                    TERMINAL_PREFIX_BYTES + TERMINAL_BODY_BYTES_MIN,
                )
            }
            _ => return Ok(None),
        },
        Framing::Host => {
            if buffer
                .first()
                .is_some_and(|&byte| usize::from(byte) != HOST_HEADER_BYTES)
            {
                return Err(FrameError::HeaderLength);
            }
            let digits = buffer.get(2..).unwrap_or_default();
            let digits = &digits[..digits.len().min(4)];
            if digits.iter().any(|digit| !digit.is_ascii_digit()) {
                return Err(FrameError::LengthDigit);
            }
            if digits.len() < 4 {
                return Ok(None);
            }
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            (length, HOST_HEADER_BYTES + HOST_BODY_BYTES_MIN)
        }
    };
    if length > FRAME_BYTES_MAX {
        return Err(FrameError::TooLong { length });
    }
    if length < least {
        return Err(FrameError::TooShort { length });
    }
    Ok(Some(length))
}

/// Checks that `frame` is exactly one frame.
fn whole(framing: Framing, frame: &[u8]) -> Result<(), Error> {
    let real = frame.len();
    let error = match length(framing, frame) {
        Ok(Some(said)) if said == real => return Ok(()),
        Ok(Some(said)) => FrameError::Length { said, real },
        Ok(None) => FrameError::TooShort { length: real },
        Err(error) => error,
    };
    Err(Error::outside(0, ErrorKind::Frame(error)))
}

/// TPDU and application header of the terminal interface (reference §1.2, §1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalHeader {
    /// Identifier `60`, destination address, source address.
    pub tpdu: [u8; TPDU_BYTES],
    /// Application class, version, status and requirement, sub-version (which may hold hex letters).
    pub header: [u8; HEADER_BYTES],
}

impl TerminalHeader {
    /// TPDU `6000030000`, header `603100311001`: what most published requests carry.
    pub const COMMON: Self = Self {
        tpdu: [0x60, 0x00, 0x03, 0x00, 0x00],
        header: [0x60, 0x31, 0x00, 0x31, 0x10, 0x01],
    };

    /// The header of the answer: addresses swapped, no processing requirement.
    #[must_use]
    pub fn answer(&self) -> Self {
        let [id, d0, d1, s0, s1] = self.tpdu;
        Self {
            tpdu: [id, s0, s1, d0, d1],
            ..*self
        }
        .with_processing_requirement(0)
    }

    /// Application class: `0x60` stripe, `0x61` IC card.
    #[must_use]
    pub fn application_class(&self) -> u8 {
        self.header[0]
    }

    /// Total software version, two BCD digits.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.header[1]
    }

    /// Terminal status nibble: 0 normal, 1 training.
    #[must_use]
    pub fn status(&self) -> u8 {
        self.header[2] >> 4
    }

    /// What the terminal must do after the current transaction, 0..=15; 0 in requests.
    #[must_use]
    pub fn processing_requirement(&self) -> u8 {
        self.header[2] & 15
    }

    /// The same header with another processing requirement (the low nibble counts).
    #[must_use]
    pub fn with_processing_requirement(mut self, requirement: u8) -> Self {
        self.header[2] = self.header[2] & 0xF0 | requirement & 15;
        self
    }
}

/// Splits a terminal frame (with its length) into header and body.
///
/// # Errors
/// A length that is not that of the bytes, or too short or too long a frame.
pub fn open_terminal(frame: &[u8]) -> Result<(TerminalHeader, &[u8]), Error> {
    whole(Framing::Terminal, frame)?;
    open_terminal_without_length(&frame[LEN_BYTES..]).ok_or(Error::outside(
        0,
        ErrorKind::Frame(FrameError::TooShort {
            length: frame.len(),
        }),
    ))
}

/// Splits TPDU, header and body, as some logs show them; `None` if too short.
#[must_use]
pub(crate) fn open_terminal_without_length(bytes: &[u8]) -> Option<(TerminalHeader, &[u8])> {
    let (&tpdu, rest) = bytes.split_first_chunk()?;
    let (&header, body) = rest.split_first_chunk()?;
    Some((TerminalHeader { tpdu, header }, body))
}

/// Appends a frame: length, TPDU, header and what `write_body` appends. On error `out` is as before.
///
/// # Errors
/// What `write_body` returns, or a frame above [`FRAME_BYTES_MAX`].
pub fn seal_terminal<E: From<Error>>(
    header: &TerminalHeader,
    out: &mut Vec<u8>,
    write_body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[0; LEN_BYTES]);
    out.extend_from_slice(&header.tpdu);
    out.extend_from_slice(&header.header);
    let length = body_then_length(start, out, write_body)?;
    out[start..start + LEN_BYTES].copy_from_slice(&((length - LEN_BYTES) as u16).to_be_bytes());
    Ok(())
}

/// Header of the switch interface (reference §8.9); the total length is that of the frame and not kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostHeader {
    /// Version, 2 in the published sample.
    pub version: u8,
    /// Receiving institution, ASCII, space-padded.
    pub destination: [u8; 11],
    /// Sending institution, ASCII, space-padded.
    pub source: [u8; 11],
    /// Reserved.
    pub reserved: [u8; 3],
    /// Batch number.
    pub batch: u8,
    /// Transaction information.
    pub info: [u8; 8],
    /// User information.
    pub user: u8,
    /// Reject code, ASCII digits; `00000` if not rejected.
    pub reject: [u8; 5],
}

impl HostHeader {
    /// A header between two institutions (digits, padded with spaces; more than 11 are cut).
    #[must_use]
    pub fn new(destination: &[u8], source: &[u8]) -> Self {
        Self {
            version: 2,
            destination: padded(destination),
            source: padded(source),
            reserved: *b"000",
            batch: 1,
            info: *b"00000000",
            user: 0,
            reject: *b"00000",
        }
    }

    /// The header of the answer: addresses swapped.
    #[must_use]
    pub fn answer(&self) -> Self {
        Self {
            destination: self.source,
            source: self.destination,
            ..*self
        }
    }

    /// Destination without its padding.
    #[must_use]
    pub fn destination(&self) -> &[u8] {
        self.destination.trim_ascii_end()
    }

    /// Source without its padding.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        self.source.trim_ascii_end()
    }
}

fn padded(id: &[u8]) -> [u8; 11] {
    let mut padded = [b' '; 11];
    for (place, byte) in padded.iter_mut().zip(id) {
        *place = *byte;
    }
    padded
}

/// Splits a switch frame into header and body.
///
/// # Errors
/// A length that is not that of the bytes, too short or too long a frame, or a header of another length.
pub fn open_host(frame: &[u8]) -> Result<(HostHeader, &[u8]), Error> {
    whole(Framing::Host, frame)?;
    let (head, body) = frame.split_at(HOST_HEADER_BYTES);
    Ok((
        HostHeader {
            version: head[1],
            destination: part(head, 6),
            source: part(head, 17),
            reserved: part(head, 28),
            batch: head[31],
            info: part(head, 32),
            user: head[40],
            reject: part(head, 41),
        },
        body,
    ))
}

/// A part of a header whose length was checked.
fn part<const N: usize>(head: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&head[at..at + N]);
    part
}

/// Appends a frame: header, total length and what `write_body` appends. On error `out` is as before.
///
/// # Errors
/// What `write_body` returns, or a frame above [`FRAME_BYTES_MAX`].
pub fn seal_host<E: From<Error>>(
    header: &HostHeader,
    out: &mut Vec<u8>,
    write_body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[HOST_HEADER_BYTES as u8, header.version]);
    out.extend_from_slice(b"0000");
    out.extend_from_slice(&header.destination);
    out.extend_from_slice(&header.source);
    out.extend_from_slice(&header.reserved);
    out.push(header.batch);
    out.extend_from_slice(&header.info);
    out.push(header.user);
    out.extend_from_slice(&header.reject);
    let length = body_then_length(start, out, write_body)?;
    crate::digits::write_number(length as u64, &mut out[start + 2..start + 6]);
    Ok(())
}

/// Appends the body and gives the bytes of the frame that began at `start`; takes everything back on error.
fn body_then_length<E: From<Error>>(
    start: usize,
    out: &mut Vec<u8>,
    write_body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<usize, E> {
    let result = write_body(out).and_then(|()| {
        let length = out.len() - start;
        if length > FRAME_BYTES_MAX {
            return Err(Error::outside(0, ErrorKind::Frame(FrameError::TooLong { length })).into());
        }
        Ok(length)
    });
    if result.is_err() {
        out.truncate(start);
    }
    result
}
