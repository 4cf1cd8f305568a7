//! Card verification values: CVV and CVC of the stripe, of the chip (service code 999) and of the card's back (000), and the Visa PVV.
//!
//! Invariant: the decimal digits of the last cipher block come first, its letters minus ten after them, so a value is never short.

use crate::{
    block_cipher::{DES_BLOCK, DesCipher, halves, xor},
    card::Pan,
    digits::{Digits, decimalise, pack},
    pin::Pin,
};
use zeroize::Zeroizing;

/// Expiry as the value's own scheme orders it, YYMM or MMYY.
pub(crate) type Expiry = Digits<4, 4>;
/// Service code: the track's own, 999 for the chip, 000 for the card's back.
pub(crate) type ServiceCode = Digits<3, 3>;

/// The three digits of CVV, CVC, CVN, iCVV or CVV2 under CVKA‖CVKB, in ASCII.
pub(crate) fn cvv(
    key: &[u8; 16],
    pan: &Pan,
    expiry: &Expiry,
    service_code: &ServiceCode,
) -> [u8; 3] {
    let text = Zeroizing::new(pack(
        &[pan.expose(), expiry.ascii(), service_code.ascii()],
        0,
    ));
    let [first, second] = halves(&text);
    let [left, _] = halves(key);
    let inner = DesCipher::single(&left).encrypt(first);
    decimalise(&DesCipher::double(key).encrypt(xor(inner, second)))
}

/// Which PIN verification key a PVV was made with: 1 to 6.
#[derive(Clone, Copy)]
pub(crate) struct PvkIndex(u8);

impl PvkIndex {
    /// Reads one digit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [digit @ b'1'..=b'6'] => Some(Self(*digit)),
            _ => None,
        }
    }
}

/// The Visa PIN verification value in ASCII. It covers the first four digits of the PIN only.
pub(crate) fn pvv(key: &DesCipher, pan: &Pan, index: PvkIndex, pin: &Pin) -> [u8; 4] {
    let payload = pan.rightmost_12();
    let card = &payload[payload.len() - 11..];
    let text: Zeroizing<[u8; DES_BLOCK]> =
        Zeroizing::new(pack(&[card, &[index.0], &pin.ascii()[..4]], 0));
    decimalise(&key.encrypt(*text))
}
