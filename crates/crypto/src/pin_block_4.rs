//! PIN blocks of ISO 9564-1 format 4: sixteen bytes under AES, bound to the card number.
//!
//! Invariant: every malformed block is refused with one and the same error; random fill comes in from the caller.

use crate::{
    block_cipher::{DES_BLOCK, xor},
    card::Pan,
    engine::BlockCipher,
    module::SecurityError,
    pin::{PIN_DIGITS_MAX, PIN_DIGITS_MIN, Pin, PinBlock},
};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a format 4 block.
const BLOCK: usize = 16;
/// Nibbles of an 8-byte block.
const NIBBLES: usize = 2 * DES_BLOCK;
/// Nibbles in front of the digits: control and length.
const HEAD: usize = 2;

/// An enciphered format 4 block; masked, not serialisable (settled 12), wiped when dropped.
#[derive(Clone)]
pub struct PinBlock4([u8; BLOCK]);

impl PinBlock4 {
    /// Takes the sixteen bytes.
    pub fn new(block: [u8; BLOCK]) -> Self {
        Self(block)
    }

    /// The enciphered bytes, for the wire.
    pub fn expose(&self) -> [u8; BLOCK] {
        self.0
    }
}

impl PartialEq for PinBlock4 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PinBlock4 {}

impl fmt::Debug for PinBlock4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinBlock4(******)")
    }
}

impl Drop for PinBlock4 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for PinBlock4 {}

/// A PIN block of any zone; masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZonePinBlock {
    /// Of a zone under triple DES.
    Tdes(PinBlock),
    /// Of a zone under AES.
    Aes(PinBlock4),
}

/// Nibble behind the PIN in format 4, up to the random half.
const FILL_4: u8 = 0xA;

/// A format 4 block under an AES key: PIN field enciphered, PAN field mixed in, enciphered again.
pub(crate) fn encipher_format_4(
    key: &impl BlockCipher<16>,
    pin: &Pin,
    pan: &Pan,
    random: &[u8; 8],
) -> Result<[u8; 16], SecurityError> {
    let fill = [FILL_4; NIBBLES - HEAD - PIN_DIGITS_MIN];
    let fill = &fill[pin.ascii().len() - PIN_DIGITS_MIN..];
    let left = pin_field(4, pin, fill).ok_or(SecurityError::PinFormat)?;
    let mut field = Zeroizing::new([0; 16]);
    field[..DES_BLOCK].copy_from_slice(left.as_slice());
    field[DES_BLOCK..].copy_from_slice(random);
    key.encrypt(xor(key.encrypt(*field)?, pan_field_4(pan)))
}

/// The PIN of a format 4 block; anything but the exact form is [`SecurityError::PinFormat`].
pub(crate) fn decipher_format_4(
    key: &impl BlockCipher<16>,
    block: &[u8; 16],
    pan: &Pan,
) -> Result<Pin, SecurityError> {
    let field = Zeroizing::new(key.decrypt(xor(key.decrypt(*block)?, pan_field_4(pan)))?);
    let (left, _) = field.split_at(DES_BLOCK);
    let left = left.try_into().map_err(|_| SecurityError::PinFormat)?;
    read_pin_field(4, left, |nibble| nibble == FILL_4)
}

/// Digits beyond twelve, the card number, zeros. Card numbers here have at least twelve digits, so none needs zeros in front.
pub(crate) fn pan_field_4(pan: &Pan) -> [u8; 16] {
    let mut field = [0; 16];
    field[0] = ((pan.len() - PIN_DIGITS_MAX) as u8) << 4;
    for (place, digit) in (1..).zip(pan.expose()) {
        field[place / 2] |= (digit - b'0') << (4 * (1 - place % 2));
    }
    field
}

/// Control nibble, length, digits, and `fill` to the end; `None` unless that is exactly 16 nibbles.
pub(crate) fn pin_field(control: u8, pin: &Pin, fill: &[u8]) -> Option<Zeroizing<[u8; DES_BLOCK]>> {
    let digits = pin.ascii();
    if HEAD + digits.len() + fill.len() != NIBBLES {
        return None;
    }
    let digits_and_fill = digits
        .iter()
        .map(|digit| digit - b'0')
        .chain(fill.iter().copied());
    let nibbles = [control, digits.len() as u8]
        .into_iter()
        .chain(digits_and_fill);
    let mut block = Zeroizing::new([0; DES_BLOCK]);
    for (place, nibble) in nibbles.enumerate() {
        block[place / 2] |= nibble << (4 * (1 - place % 2));
    }
    Some(block)
}

/// The PIN of such a field; anything but the exact form is [`SecurityError::PinFormat`].
pub(crate) fn read_pin_field(
    control: u8,
    block: &[u8; DES_BLOCK],
    allows_fill: impl Fn(u8) -> bool,
) -> Result<Pin, SecurityError> {
    let mut nibbles = Zeroizing::new([0; NIBBLES]);
    for (pair, byte) in nibbles.as_chunks_mut::<2>().0.iter_mut().zip(block) {
        *pair = [byte >> 4, byte & 15];
    }
    let (head, rest) = nibbles.split_at_mut(HEAD);
    let (digits, fill) = rest
        .split_at_mut_checked(usize::from(head[1]))
        .ok_or(SecurityError::PinFormat)?;
    if head[0] != control || !fill.iter().all(|nibble| allows_fill(*nibble)) {
        return Err(SecurityError::PinFormat);
    }
    digits.iter_mut().for_each(|nibble| *nibble += b'0');
    Pin::parse(digits).map_err(|_| SecurityError::PinFormat)
}
