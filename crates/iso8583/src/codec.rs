//! Bytes to message and back. What is accepted strictly is exactly what would be written: re-encoding gives the same
//! bytes, so that a MAC over received bytes and over re-encoded ones agree.

use crate::dialect::{Bitmap, Coding, Dialect, Format, Prefix, Wire};
use crate::digits::{self, hex_digit, nibble, pack, unpack};
use crate::error::{Deviation, Error, ErrorKind};
use crate::message::{Fields, Message, Mti, bit};
use crate::{field60, keys62};

/// Bytes of a MAC.
pub const MAC_BYTES: usize = 8;

impl Dialect {
    /// Reads a body (message type to last element). `out` is cleared first, and left empty on error.
    ///
    /// # Errors
    /// The first byte that this dialect would not have written.
    pub fn decode(&self, body: &[u8], out: &mut Message) -> Result<(), Error> {
        self.decode_judged(body, out, |deviation| Err(deviation.into()))
    }

    /// Reads a body that may break the dialect in ways that keep it readable, naming each (settled point 8): a pad nibble
    /// that is not 0, a length beyond the table that its prefix can still say, a character outside the alphabet, a
    /// working-key length without a layout.
    ///
    /// # Errors
    /// The first byte after which the rest cannot be read.
    pub fn decode_lenient(&self, body: &[u8], out: &mut Message) -> Result<Vec<Deviation>, Error> {
        let mut deviations = Vec::new();
        self.decode_judged(body, out, |deviation| {
            deviations.push(deviation);
            Ok(())
        })?;
        Ok(deviations)
    }

    /// Appends a body; allocates only if `out` lacks the room. `out` is as before on error.
    ///
    /// # Errors
    /// The first value that this dialect cannot write.
    pub fn encode(&self, message: &Message, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_present(message, message.present(), None, out)
    }

    /// Appends a body whose MAC element is made from all bytes before it (reference §5.4); a MAC in `message` is ignored.
    ///
    /// # Errors
    /// As [`Dialect::encode`]; also if the dialect has no MAC element or the message has elements behind it.
    pub fn encode_with_mac(
        &self,
        message: &Message,
        out: &mut Vec<u8>,
        mac: impl FnOnce(&[u8]) -> [u8; MAC_BYTES],
    ) -> Result<(), Error> {
        let start = out.len();
        let Some(field) = self.mac_field() else {
            return Err(Error::outside(0, ErrorKind::Undescribed));
        };
        let present = message.present() | bit(field);
        if present & (bit(field) - 1) != 0 {
            return Err(Error::new(field, 0, ErrorKind::Layout));
        }
        self.encode_present(message, present, Some(field), out)?;
        // The element is the last one and fixed: only its own bytes follow the input.
        let at = out.len() - self.mac_wire_bytes(field);
        let mac = mac(&out[start..at]);
        self.write_mac(field, mac, &mut out[at..]);
        Ok(())
    }

    /// The bytes of a body that its MAC covers, and the MAC; `None` without the MAC element at the end. `message` is the
    /// decoded body.
    #[must_use]
    pub fn mac_parts<'a>(
        &self,
        body: &'a [u8],
        message: &'a Message,
    ) -> Option<(&'a [u8], &'a [u8])> {
        let field = self.mac_field()?;
        if message.present() & (bit(field) - 1) != 0 {
            return None;
        }
        let mac = message.get(field)?;
        Some((
            body.split_at_checked(body.len().checked_sub(self.mac_wire_bytes(field))?)?
                .0,
            mac,
        ))
    }

    fn mac_wire_bytes(&self, field: u8) -> usize {
        usize::from(self.formats[usize::from(field)].max)
    }

    fn write_mac(&self, field: u8, mac: [u8; MAC_BYTES], wire: &mut [u8]) {
        match self.formats[usize::from(field)].wire {
            Wire::Hex => {
                unpack::<true>(&mac, wire);
            }
            _ => wire.copy_from_slice(&mac),
        }
    }

    fn decode_judged(
        &self,
        body: &[u8],
        out: &mut Message,
        judge: impl FnMut(Deviation) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let result = self.decode_into(body, out, judge);
        if result.is_err() {
            out.clear(Mti(0));
        }
        result
    }

    #[inline]
    fn decode_into(
        &self,
        body: &[u8],
        out: &mut Message,
        mut judge: impl FnMut(Deviation) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut reader = Reader { body, at: 0 };
        out.clear(self.read_mti(&mut reader)?);
        let bitmap_at = reader.at;
        let present = self.read_bitmap(&mut reader)?;
        let unknown = present & !self.described;
        if let Some(field) = Fields(unknown).next() {
            return Err(Error::new(field, bitmap_at, ErrorKind::Undescribed));
        }
        for field in Fields(present) {
            let format = &self.formats[usize::from(field)];
            read_element(field, format, &mut reader, out, &mut judge)?;
        }
        let left = body.len() - reader.at;
        if left > 0 {
            return Err(Error::outside(
                reader.at,
                ErrorKind::Trailing { bytes: left },
            ));
        }
        Ok(())
    }

    fn read_mti(&self, reader: &mut Reader<'_>) -> Result<Mti, Error> {
        let bad = Error::outside(0, ErrorKind::Mti);
        let mut digits = [0; 4];
        match self.mti {
            Coding::Bcd => {
                if !unpack::<false>(reader.take(None, 2)?, &mut digits) {
                    return Err(bad);
                }
            }
            Coding::Ascii => digits.copy_from_slice(reader.take(None, 4)?),
        }
        let mut packed = [0; 2];
        if !pack::<false>(&digits, &mut packed) {
            return Err(bad);
        }
        Ok(Mti(u16::from_be_bytes(packed)))
    }

    fn read_bitmap(&self, reader: &mut Reader<'_>) -> Result<u128, Error> {
        let at = reader.at;
        let bad = Error::outside(at, ErrorKind::Bitmap);
        let bits = match self.bitmap {
            Bitmap::Primary => u128::from(word(reader.take(None, 8)?)) << 64,
            Bitmap::Both => {
                let first = word(reader.take(None, 8)?);
                u128::from(first) << 64 | u128::from(word(reader.take(None, 8)?))
            }
            Bitmap::Hex => {
                let first = hex_word(reader.take(None, 16)?).ok_or(bad)?;
                let mut bits = u128::from(first) << 64;
                if first >> 63 == 1 {
                    bits |= u128::from(hex_word(reader.take(None, 16)?).ok_or(bad)?);
                }
                bits
            }
        };
        let secondary = match self.bitmap {
            Bitmap::Primary => false,
            Bitmap::Both => true,
            Bitmap::Hex => bits as u64 != 0,
        };
        if (bits >> 127 == 1) != secondary {
            return Err(bad);
        }
        Ok(bits & !(1 << 127))
    }

    fn encode_present(
        &self,
        message: &Message,
        present: u128,
        mac_to_come: Option<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = out.len();
        let result = self.encode_into(message, present, mac_to_come, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    #[inline]
    fn encode_into(
        &self,
        message: &Message,
        present: u128,
        mac_to_come: Option<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = out.len();
        self.write_mti(message.mti(), out)?;
        if let Some(field) = Fields(present & !self.described).next() {
            return Err(Error::new(field, out.len() - start, ErrorKind::Undescribed));
        }
        self.write_bitmap(present, out);
        for field in Fields(present) {
            let format = &self.formats[usize::from(field)];
            let value = if mac_to_come == Some(field) {
                &[0; MAC_BYTES]
            } else {
                message.value(field)
            };
            if let Err(kind) = write_element(format, value, message, out) {
                return Err(Error::new(field, out.len() - start, kind));
            }
        }
        Ok(())
    }

    fn write_mti(&self, mti: Mti, out: &mut Vec<u8>) -> Result<(), Error> {
        let packed = mti.0.to_be_bytes();
        let mut digits = [0; 4];
        if !unpack::<false>(&packed, &mut digits) {
            return Err(Error::outside(0, ErrorKind::Mti));
        }
        match self.mti {
            Coding::Bcd => out.extend_from_slice(&packed),
            Coding::Ascii => out.extend_from_slice(&digits),
        }
        Ok(())
    }

    fn write_bitmap(&self, present: u128, out: &mut Vec<u8>) {
        let (first, second) = ((present >> 64) as u64, present as u64);
        match self.bitmap {
            Bitmap::Primary => out.extend_from_slice(&first.to_be_bytes()),
            Bitmap::Both => out.extend_from_slice(&(present | 1 << 127).to_be_bytes()),
            Bitmap::Hex => {
                let mut text = [0; 32];
                let extended = u64::from(second != 0) << 63;
                let bits = u128::from(first | extended) << 64 | u128::from(second);
                unpack::<true>(&bits.to_be_bytes(), &mut text);
                out.extend_from_slice(if second == 0 { &text[..16] } else { &text });
            }
        }
    }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    fn take(&mut self, field: Option<u8>, need: usize) -> Result<&'a [u8], Error> {
        match self.body[self.at..].split_at_checked(need) {
            Some((taken, _)) => {
                self.at += need;
                Ok(taken)
            }
            None => {
                let left = self.body.len() - self.at;
                let kind = ErrorKind::Truncated { need, left };
                Err(Error {
                    field,
                    offset: self.at,
                    kind,
                })
            }
        }
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

fn hex_word(text: &[u8]) -> Option<u64> {
    let mut packed = [0; 8];
    pack::<true>(text, &mut packed).then(|| u64::from_be_bytes(packed))
}

#[inline]
fn read_element(
    field: u8,
    format: &Format,
    reader: &mut Reader<'_>,
    out: &mut Message,
    judge: &mut impl FnMut(Deviation) -> Result<(), Error>,
) -> Result<(), Error> {
    let at = reader.at;
    let length = read_length(field, format, reader)?;
    let (min, max) = (usize::from(format.min), usize::from(format.max));
    if length > max {
        judge(Deviation {
            field,
            offset: at,
            what: ErrorKind::TooLong { length, max },
        })?;
    } else if length < min {
        judge(Deviation {
            field,
            offset: at,
            what: ErrorKind::TooShort { length, min },
        })?;
    }
    let start = reader.at;
    match format.wire {
        Wire::DigitsLeft | Wire::DigitsRight | Wire::TrackNibbles => {
            let packed = reader.take(Some(field), length.div_ceil(2))?;
            let value = out.append(field, length);
            let pad_at = match format.wire {
                Wire::DigitsLeft => read_left::<false>(packed, value),
                Wire::DigitsRight => read_right(packed, value),
                _ => read_left::<true>(packed, value),
            };
            match pad_at {
                Ok(()) => {}
                Err((index, ErrorKind::PadNibble)) => {
                    judge(Deviation {
                        field,
                        offset: start + index,
                        what: ErrorKind::PadNibble,
                    })?;
                }
                Err((index, kind)) => return Err(Error::new(field, start + index, kind)),
            }
        }
        Wire::Text(alphabet) => {
            let text = reader.take(Some(field), length)?;
            if let Some(index) = digits::outside(text, alphabet) {
                let deviation = Deviation {
                    field,
                    offset: start + index,
                    what: ErrorKind::Character,
                };
                // A digit that is none leaves no number to work with.
                if alphabet == digits::DIGIT {
                    return Err(deviation.into());
                }
                judge(deviation)?;
            }
            out.append(field, length).copy_from_slice(text);
        }
        Wire::Raw => {
            let bytes = reader.take(Some(field), length)?;
            out.append(field, length).copy_from_slice(bytes);
            if format.keys && !keys_fit(out, length) {
                judge(Deviation {
                    field,
                    offset: at,
                    what: ErrorKind::KeyLayout { length },
                })?;
            }
        }
        Wire::Hex => {
            let text = reader.take(Some(field), length)?;
            if !length.is_multiple_of(2) || !pack::<true>(text, out.append(field, length / 2)) {
                let index = digits::outside(text, digits::HEX).unwrap_or(text.len() - 1);
                return Err(Error::new(field, start + index, ErrorKind::Character));
            }
        }
    }
    Ok(())
}

#[inline]
fn read_length(field: u8, format: &Format, reader: &mut Reader<'_>) -> Result<usize, Error> {
    let bytes = match format.prefix {
        Prefix::Fixed => return Ok(usize::from(format.max)),
        Prefix::Bcd2 => 1,
        Prefix::Bcd3 | Prefix::Ascii2 => 2,
        Prefix::Ascii3 => 3,
    };
    let at = reader.at;
    let prefix = reader.take(Some(field), bytes)?;
    let mut length = 0;
    for &byte in prefix {
        let (high, low) = match format.prefix {
            Prefix::Bcd2 | Prefix::Bcd3 => (byte >> 4, byte & 15),
            _ => (0, byte.wrapping_sub(b'0')),
        };
        if high > 9 || low > 9 {
            return Err(Error::new(field, at, ErrorKind::LengthDigit));
        }
        let ten = if matches!(format.prefix, Prefix::Bcd2 | Prefix::Bcd3) {
            100
        } else {
            10
        };
        length = length * ten + usize::from(high * 10 + low);
    }
    Ok(length)
}

/// Left-justified digits. The pad is judged last, so that a value read leniently is complete.
#[inline]
fn read_left<const HEX_DIGITS: bool>(
    packed: &[u8],
    value: &mut [u8],
) -> Result<(), (usize, ErrorKind)> {
    let whole = value.len() / 2;
    let (pairs, single) = value.split_at_mut(2 * whole);
    if !unpack::<HEX_DIGITS>(&packed[..whole], pairs) {
        return Err(bad_digit(packed));
    }
    if let Some(digit) = single.first_mut() {
        let byte = packed[whole];
        if !HEX_DIGITS && byte >> 4 > 9 {
            return Err((whole, ErrorKind::Character));
        }
        *digit = hex_digit(byte >> 4);
        if byte & 15 != 0 {
            return Err((whole, ErrorKind::PadNibble));
        }
    }
    Ok(())
}

#[inline]
fn read_right(packed: &[u8], value: &mut [u8]) -> Result<(), (usize, ErrorKind)> {
    let odd = value.len() % 2;
    let (single, pairs) = value.split_at_mut(odd);
    if !unpack::<false>(&packed[odd..], pairs) {
        return Err(bad_digit(packed));
    }
    if let Some(digit) = single.first_mut() {
        if packed[0] & 15 > 9 {
            return Err((0, ErrorKind::Character));
        }
        *digit = hex_digit(packed[0] & 15);
        if packed[0] >> 4 != 0 {
            return Err((0, ErrorKind::PadNibble));
        }
    }
    Ok(())
}

#[cold]
fn bad_digit(packed: &[u8]) -> (usize, ErrorKind) {
    let index = packed
        .iter()
        .position(|byte| byte >> 4 > 9 || byte & 15 > 9);
    (index.unwrap_or(0), ErrorKind::Character)
}

fn write_element(
    format: &Format,
    value: &[u8],
    message: &Message,
    out: &mut Vec<u8>,
) -> Result<(), ErrorKind> {
    let length = if format.wire == Wire::Hex {
        2 * value.len()
    } else {
        value.len()
    };
    let (min, max) = (usize::from(format.min), usize::from(format.max));
    if length > max {
        return Err(ErrorKind::TooLong { length, max });
    }
    if length < min {
        return Err(ErrorKind::TooShort { length, min });
    }
    write_length(format.prefix, length, out);
    match format.wire {
        Wire::DigitsLeft => write_left::<false>(value, out),
        Wire::TrackNibbles => write_left::<true>(value, out),
        Wire::DigitsRight => write_right(value, out),
        Wire::Text(alphabet) => {
            if digits::outside(value, alphabet).is_some() {
                return Err(ErrorKind::Character);
            }
            out.extend_from_slice(value);
            Ok(())
        }
        Wire::Raw => {
            if format.keys && !keys_fit(message, length) {
                return Err(ErrorKind::KeyLayout { length });
            }
            out.extend_from_slice(value);
            Ok(())
        }
        Wire::Hex => {
            let start = out.len();
            out.resize(start + length, 0);
            unpack::<true>(value, &mut out[start..]);
            Ok(())
        }
    }
}

#[inline]
fn write_length(prefix: Prefix, length: usize, out: &mut Vec<u8>) {
    let [hundreds, tens, ones] =
        [length / 100, length / 10 % 10, length % 10].map(|digit| digit as u8);
    match prefix {
        Prefix::Fixed => {}
        Prefix::Bcd2 => out.push(tens << 4 | ones),
        Prefix::Bcd3 => out.extend_from_slice(&[hundreds, tens << 4 | ones]),
        Prefix::Ascii2 => out.extend_from_slice(&[b'0' + tens, b'0' + ones]),
        Prefix::Ascii3 => out.extend_from_slice(&[b'0' + hundreds, b'0' + tens, b'0' + ones]),
    }
}

#[inline]
fn write_left<const HEX_DIGITS: bool>(value: &[u8], out: &mut Vec<u8>) -> Result<(), ErrorKind> {
    let start = out.len();
    let (pairs, single) = value.split_at(value.len() / 2 * 2);
    out.resize(start + pairs.len() / 2, 0);
    if !pack::<HEX_DIGITS>(pairs, &mut out[start..]) {
        return Err(ErrorKind::Character);
    }
    if let Some(&digit) = single.first() {
        let nibble = nibble::<HEX_DIGITS>(digit);
        if nibble > 15 {
            return Err(ErrorKind::Character);
        }
        out.push(nibble << 4);
    }
    Ok(())
}

#[inline]
fn write_right(value: &[u8], out: &mut Vec<u8>) -> Result<(), ErrorKind> {
    let (single, pairs) = value.split_at(value.len() % 2);
    if let Some(&digit) = single.first() {
        let nibble = nibble::<false>(digit);
        if nibble > 15 {
            return Err(ErrorKind::Character);
        }
        out.push(nibble);
    }
    write_left::<false>(pairs, out)
}

/// A sign-in answer (0810 whose 60.3 starts with 0) carries working keys in a length that has a layout; any other
/// message may carry anything in 62. Element 60 is read and written before 62.
fn keys_fit(message: &Message, length: usize) -> bool {
    message.mti() != Mti(0x0810)
        || message
            .get(60)
            .and_then(|value| value.get(field60::NETWORK_CODE_AT))
            != Some(&b'0')
        || keys62::LENGTHS.contains(&length)
}
