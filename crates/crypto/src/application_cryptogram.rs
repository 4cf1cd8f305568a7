//! EMV and PBOC application cryptograms: card key, session key, what the card signs, and the issuer's answer to it.
//!
//! Invariant: clear keys live only inside one call; the caller chooses the scheme's variant, never this file.

use crate::{
    block_cipher::{DesCipher, xor},
    card::Pan,
    digits::{Digits, decimalise, pack},
    mac,
};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// PAN sequence number: two digits, 00 when the card has none.
pub(crate) type SequenceNumber = Digits<2, 2>;
/// A card or session key.
pub(crate) type Key = Zeroizing<[u8; 16]>;

/// Longest proprietary authentication data of ARPC method 2.
const PROPRIETARY_BYTES_MAX: usize = 8;
/// Digits of card number and sequence number that option A takes.
const DIVERSIFICATION_DIGITS: usize = 16;

/// The card's master key, option A: the rightmost 16 digits of card number and sequence number.
pub(crate) fn card_key_a(issuer: &[u8; 16], pan: &Pan, sequence: &SequenceNumber) -> Key {
    let digits = Zeroizing::new([pan.expose(), sequence.ascii()].concat());
    let skipped = digits.len().saturating_sub(DIVERSIFICATION_DIGITS);
    let zeros = [b'0'; DIVERSIFICATION_DIGITS];
    let missing = DIVERSIFICATION_DIGITS - (digits.len() - skipped);
    diversify(issuer, pack(&[&zeros[..missing], &digits[skipped..]], 0))
}

/// The card's master key, option B: as A up to 16 digits of card number, beyond that from their SHA-1.
pub(crate) fn card_key_b(issuer: &[u8; 16], pan: &Pan, sequence: &SequenceNumber) -> Key {
    if pan.len() <= DIVERSIFICATION_DIGITS {
        return card_key_a(issuer, pan, sequence);
    }
    let even: &[u8] = if pan.len() % 2 == 0 { b"" } else { b"0" };
    let packed: Zeroizing<[u8; 11]> =
        Zeroizing::new(pack(&[even, pan.expose(), sequence.ascii()], 0));
    let used = (even.len() + pan.len() + sequence.ascii().len()) / 2;
    let digits: [u8; DIVERSIFICATION_DIGITS] = decimalise(&Sha1::digest(&packed[..used]));
    diversify(issuer, pack(&[&digits], 0))
}

fn diversify(issuer: &[u8; 16], left: [u8; 8]) -> Key {
    pair(issuer, left, left.map(|byte| !byte))
}

/// The EMV common session key: `r` is the transaction counter, or what the scheme puts there.
pub(crate) fn common_session_key(card: &[u8; 16], r: [u8; 8]) -> Key {
    let with = |third| {
        let mut r = r;
        r[2] = third;
        r
    };
    pair(card, with(0xF0), with(0x0F))
}

/// The PBOC session key: the transaction counter on the right, and inverted.
pub(crate) fn pboc_session_key(card: &[u8; 16], counter: [u8; 2]) -> Key {
    let right = |[high, low]: [u8; 2]| [0, 0, 0, 0, 0, 0, high, low];
    pair(card, right(counter), right(counter.map(|byte| !byte)))
}

fn pair(key: &[u8; 16], left: [u8; 8], right: [u8; 8]) -> Key {
    let cipher = DesCipher::double(key);
    let mut derived = Zeroizing::new([0; 16]);
    derived[..8].copy_from_slice(&left);
    derived[8..].copy_from_slice(&right);
    cipher.encrypt_ecb(derived.as_mut_slice());
    derived
}

/// How the card pads what it signs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Zeros up to a whole block (method 1).
    Zeros,
    /// One bit, then zeros (method 2).
    Bit,
}

/// The application cryptogram over the data elements one after another.
pub(crate) fn cryptogram(key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 8] {
    match padding {
        Padding::Zeros => mac::x919(key, &[data]),
        Padding::Bit => mac::x919(key, &[data, &[0x80]]),
    }
}

/// The issuer's answer, method 1: the authorisation response code mixed into the cryptogram.
pub(crate) fn response_1(key: &[u8; 16], cryptogram: [u8; 8], code: [u8; 2]) -> [u8; 8] {
    let [high, low] = code;
    DesCipher::double(key).encrypt(xor(cryptogram, [high, low, 0, 0, 0, 0, 0, 0]))
}

/// The issuer's answer, method 2: a MAC over cryptogram, card status update and up to eight bytes more; `None` beyond that.
pub(crate) fn response_2(
    key: &[u8; 16],
    cryptogram: [u8; 8],
    status_update: [u8; 4],
    proprietary: &[u8],
) -> Option<[u8; 4]> {
    let parts: [&[u8]; 4] = [&cryptogram, &status_update, proprietary, &[0x80]];
    let [a, b, c, d, ..] = mac::x919(key, &parts);
    (proprietary.len() <= PROPRIETARY_BYTES_MAX).then_some([a, b, c, d])
}
