//! One ISO 8583 message in logical form, reusable without allocation; its buffer is zeroed when it is cleared or dropped
//! and its `Debug` is masked by the field table.

use core::fmt;
use core::hint::black_box;

use crate::mask;

/// A message type indicator as its four hexadecimal-coded decimal digits: `Mti(0x0200)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mti(pub u16);

impl Mti {
    /// The answer's type: 0200 → 0210, 0820 → 0830 (reference §1.5).
    #[must_use]
    pub fn response(self) -> Self {
        Self(self.0.wrapping_add(0x10))
    }

    /// The request's type of an answer: 0210 → 0200.
    #[must_use]
    pub fn request(self) -> Self {
        Self(self.0.wrapping_sub(0x10))
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Highest data element number.
pub const FIELD_MAX: u8 = 128;

/// Smallest buffer that a message with values allocates.
const BUFFER_BYTES_MIN: usize = 512;

/// A message: its type and the logical values of elements 2..=128.
///
/// A logical value is independent of the dialect: digits as ASCII (without pad), text and binary as raw bytes.
/// Track data keep the separator byte that came in (`D` from a terminal; `D` or `=` between hosts), so that re-encoding
/// gives the same bytes.
pub struct Message {
    mti: Mti,
    /// Element n is bit 128 - n, so that the big-endian bytes are the 16-byte bitmap.
    present: u128,
    used: usize,
    /// Bytes from `used` on are zero.
    bytes: Vec<u8>,
    slots: [Slot; FIELD_MAX as usize + 1],
}

#[derive(Clone, Copy, Default)]
struct Slot {
    start: u32,
    len: u32,
}

impl Message {
    /// An empty message.
    #[must_use]
    pub fn new(mti: Mti) -> Self {
        Self {
            mti,
            present: 0,
            used: 0,
            bytes: Vec::new(),
            slots: [Slot::default(); FIELD_MAX as usize + 1],
        }
    }

    /// Forgets all values (zeroing them) and keeps the buffer.
    pub fn clear(&mut self, mti: Mti) {
        self.bytes[..self.used].fill(0);
        self.used = 0;
        self.present = 0;
        self.mti = mti;
    }

    /// Message type.
    #[must_use]
    pub fn mti(&self) -> Mti {
        self.mti
    }

    /// Replaces the message type.
    pub fn set_mti(&mut self, mti: Mti) {
        self.mti = mti;
    }

    /// Whether the element is present.
    #[must_use]
    pub fn has(&self, field: u8) -> bool {
        self.present & bit(field) != 0
    }

    /// Logical value of an element.
    #[must_use]
    pub fn get(&self, field: u8) -> Option<&[u8]> {
        self.has(field).then(|| self.value(field))
    }

    /// Value as text, if it is valid UTF-8 (GBK text is not).
    #[must_use]
    pub fn text(&self, field: u8) -> Option<&str> {
        core::str::from_utf8(self.get(field)?).ok()
    }

    /// Value as a number, if it is 1 to 18 decimal digits.
    #[must_use]
    pub fn number(&self, field: u8) -> Option<u64> {
        crate::digits::number(self.get(field)?)
    }

    /// Sets an element, replacing what was there. Whether the value fits the dialect is checked when encoding.
    ///
    /// # Panics
    /// If `field` is not in 2..=128: element numbers are constants of the program.
    pub fn set(&mut self, field: u8, value: &[u8]) {
        match self.slots.get(usize::from(field)) {
            Some(slot) if self.has(field) && slot.len as usize == value.len() => {
                let start = slot.start as usize;
                self.bytes[start..start + value.len()].copy_from_slice(value);
            }
            _ => {
                self.remove(field);
                self.append(field, value.len()).copy_from_slice(value);
            }
        }
    }

    /// Sets an element from text.
    ///
    /// # Panics
    /// As [`Message::set`].
    pub fn set_text(&mut self, field: u8, value: &str) {
        self.set(field, value.as_bytes());
    }

    /// Sets an element to `width` decimal digits, padded with zeros on the left.
    ///
    /// # Panics
    /// If the number has more digits than `width`, `width` is above 20, or as [`Message::set`].
    pub fn set_number(&mut self, field: u8, value: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let written = crate::digits::write_number(value, &mut digits[..width]);
        assert!(
            written,
            "element {field}: a number has more than {width} digits"
        );
        self.set(field, &digits[..width]);
    }

    /// Removes an element, zeroing its bytes.
    pub fn remove(&mut self, field: u8) {
        if !self.has(field) {
            return;
        }
        let Slot { start, len } = self.slots[usize::from(field)];
        self.present &= !bit(field);
        let (from, end, used) = (start as usize, (start + len) as usize, self.used);
        self.bytes.copy_within(end..used, from);
        self.used -= len as usize;
        self.bytes[self.used..used].fill(0);
        for slot in &mut self.slots {
            if slot.start > start {
                slot.start -= len;
            }
        }
    }

    /// Elements in ascending order.
    pub fn fields(&self) -> impl Iterator<Item = (u8, &[u8])> {
        Fields(self.present).map(|field| (field, self.value(field)))
    }

    pub(crate) fn present(&self) -> u128 {
        self.present
    }

    /// Value of an element known to be present.
    pub(crate) fn value(&self, field: u8) -> &[u8] {
        let Slot { start, len } = self.slots[usize::from(field)];
        &self.bytes[start as usize..(start + len) as usize]
    }

    /// Room for the value of an element that is absent.
    #[inline]
    pub(crate) fn append(&mut self, field: u8, len: usize) -> &mut [u8] {
        let bit = bit(field);
        assert!(bit != 0, "no data element {field}");
        let start = self.used;
        if self.bytes.len() < start + len {
            self.grow(start + len);
        }
        self.used = start + len;
        self.present |= bit;
        self.slots[usize::from(field)] = Slot {
            start: start as u32,
            len: len as u32,
        };
        &mut self.bytes[start..start + len]
    }

    #[cold]
    fn grow(&mut self, need: usize) {
        assert!(need <= u32::MAX as usize, "a message is far below 4 GiB");
        let mut bytes = vec![0; need.next_power_of_two().max(BUFFER_BYTES_MIN)];
        bytes[..self.used].copy_from_slice(&self.bytes[..self.used]);
        core::mem::swap(&mut self.bytes, &mut bytes);
        bytes.fill(0);
        black_box(&bytes);
    }
}

/// Bit of an element, 0 for a number that is none.
#[inline]
pub(crate) fn bit(field: u8) -> u128 {
    if (2..=FIELD_MAX).contains(&field) {
        1 << (FIELD_MAX - field)
    } else {
        0
    }
}

/// Element numbers of a bitmap in ascending order.
pub(crate) struct Fields(pub(crate) u128);

impl Iterator for Fields {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.0 == 0 {
            return None;
        }
        let zeros = self.0.leading_zeros();
        self.0 &= !(1 << (127 - zeros));
        Some(zeros as u8 + 1)
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        Self {
            mti: self.mti,
            present: self.present,
            used: self.used,
            bytes: self.bytes[..self.used].to_vec(),
            slots: self.slots,
        }
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.mti == other.mti && self.present == other.present && self.fields().eq(other.fields())
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message {:?} ", self.mti)?;
        f.debug_map()
            .entries(
                self.fields()
                    .map(|(field, value)| (field, mask::masked(field, value))),
            )
            .finish()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.bytes.fill(0);
        black_box(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_removed_and_kept_apart() {
        let mut message = Message::new(Mti(0x0200));
        message.set_text(41, "50080001");
        message.set_number(4, 1200, 12);
        message.set_number(11, 7, 6);
        message.set_text(41, "5");
        message.remove(4);
        message.set_text(2, "");
        let fields: Vec<_> = message.fields().collect();
        assert_eq!(fields, [(2, &b""[..]), (11, b"000007"), (41, b"5")]);
        assert_eq!(message.number(11), Some(7));
        assert_eq!(
            (message.number(2), message.get(0), message.get(129)),
            (None, None, None)
        );
        assert_eq!(message.clone(), message);
        assert!(message.bytes[message.used..].iter().all(|&byte| byte == 0));
        message.clear(Mti(0x0210));
        assert!(message.bytes.iter().all(|&byte| byte == 0));
        assert_eq!(message, Message::new(Mti(0x0200).response()));
    }

    #[test]
    fn equal_starts_of_empty_values_survive_a_removal() {
        let mut message = Message::new(Mti(0x0200));
        message.set(48, b"");
        message.set(59, b"abc");
        message.set(60, b"");
        message.set(61, b"de");
        message.remove(59);
        let fields: Vec<_> = message.fields().collect();
        assert_eq!(fields, [(48, &b""[..]), (60, b""), (61, b"de")]);
    }
}
