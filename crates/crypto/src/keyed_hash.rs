//! HMAC-SHA256 and what this project makes of it: look-up tokens of card numbers, webhook signatures, keys by purpose, and the
//! chain of audit records.
//!
//! Invariant: every use has its own prefix or key, so no value of one can stand for another.

use crate::{card::Pan, certificate::sha256};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Prefix of what a look-up token is made of.
pub(crate) const PAN_LOOKUP_LABEL: &[u8] = b"pan-lookup-v1\0";
/// Prefix of what a link of the audit chain is made of.
const AUDIT_LINK: u8 = 1;
/// Most bytes of HKDF-SHA256 (RFC 5869 §2.3).
const HKDF_BYTES_MAX: usize = 255 * 32;

/// HMAC-SHA256 (RFC 2104) over the parts one after another; `None` never happens, any key length is allowed.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

/// Equality look-up of a whole card number under a key of its own (PCI DSS 3.5.1.1).
pub(crate) fn pan_lookup(key: &[u8], pan: &Pan) -> Option<[u8; 32]> {
    hmac_sha256(key, &[PAN_LOOKUP_LABEL, pan.expose()])
}

/// Signature of a webhook's body and the second it was sent.
pub(crate) fn webhook_signature(secret: &[u8], sent_at: u64, body: &[u8]) -> Option<[u8; 32]> {
    hmac_sha256(secret, &[sent_at.to_string().as_bytes(), b".", body])
}

/// Keys for one purpose out of one secret (HKDF-SHA256, RFC 5869); `None` beyond 8160 bytes.
pub(crate) fn hkdf_sha256(
    secret: &[u8],
    salt: &[u8],
    purpose: &[u8],
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![
        0;
        Some(length).filter(|bytes| *bytes <= HKDF_BYTES_MAX)?
    ]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(purpose, &mut key)
        .ok()?;
    Some(key)
}

/// The next link of the audit chain.
pub(crate) fn audit_link(previous: &[u8; 32], sequence: u64, record: &[u8]) -> [u8; 32] {
    let number = sequence.to_be_bytes();
    sha256(&[&[AUDIT_LINK], previous.as_slice(), &number, record].concat())
}
