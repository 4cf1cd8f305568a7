//! Card verification values: CVV and CVC of the stripe, of the chip (service code 999) and of the card's back (000).
//!
//! Invariant: the decimal digits of the last cipher block come first, its letters minus ten after them, so a value is never short.

use crate::{
    block_cipher::{DesCipher, halves, xor},
    card::Pan,
    digits::{Digits, decimalise, pack},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Whether `received` is that value, compared in constant time; digits that are none make no match.
pub(crate) fn cvv_matches(
    key: &[u8; 16],
    pan: &Pan,
    expiry: &[u8],
    service_code: &[u8],
    received: &[u8],
) -> bool {
    match (Expiry::parse(expiry), ServiceCode::parse(service_code)) {
        (Ok(expiry), Ok(service_code)) => cvv(key, pan, &expiry, &service_code)
            .as_slice()
            .ct_eq(received)
            .into(),
        _ => false,
    }
}

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
