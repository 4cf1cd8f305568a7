//! Card verification values: CVV and CVC of the stripe, of the chip (service code 999) and of the card's back (000).
//!
//! Invariant: the decimal digits of the last cipher block come first, its letters minus ten after them, so a value is never short.

use crate::{
    block_cipher::{halves, xor},
    card::Pan,
    digits::{Digits, decimalise, pack},
    engine::{BlockCipher, Engine},
    mac::RetailKey,
    module::SecurityError,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Whether `received` is that value, compared in constant time; digits that are none make no match.
pub(crate) fn cvv_matches<E: Engine>(
    key: &RetailKey<E>,
    pan: &Pan,
    expiry: &[u8],
    service_code: &[u8],
    received: &[u8],
) -> Result<bool, SecurityError> {
    match (Expiry::parse(expiry), ServiceCode::parse(service_code)) {
        (Ok(expiry), Ok(service_code)) => Ok(cvv(key, pan, &expiry, &service_code)?
            .as_slice()
            .ct_eq(received)
            .into()),
        _ => Ok(false),
    }
}

/// Expiry as the value's own scheme orders it, YYMM or MMYY.
pub(crate) type Expiry = Digits<4, 4>;
/// Service code: the track's own, 999 for the chip, 000 for the card's back.
pub(crate) type ServiceCode = Digits<3, 3>;

/// The three digits of CVV, CVC, CVN, iCVV or CVV2 under CVKA‖CVKB, in ASCII.
pub(crate) fn cvv<E: Engine>(
    key: &RetailKey<E>,
    pan: &Pan,
    expiry: &Expiry,
    service_code: &ServiceCode,
) -> Result<[u8; 3], SecurityError> {
    let text = Zeroizing::new(pack(
        &[pan.expose(), expiry.ascii(), service_code.ascii()],
        0,
    ));
    let [first, second] = halves(&text);
    let inner = key.left.encrypt(first)?;
    Ok(decimalise(&key.whole.encrypt(xor(inner, second))?))
}
