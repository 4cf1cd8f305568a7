//! HMAC-SHA256 and what this project makes of it: look-up tokens of card numbers, webhook signatures, keys by purpose, and the
//! chain of audit records.
//!
//! Invariant: every use has its own prefix or key, so no value of one can stand for another.

use crate::{card::Pan, engine::Engine, module::SecurityError, test_interface::RowEngine};
use zeroize::Zeroizing;

/// Prefix of what a look-up token is made of.
pub(crate) const PAN_LOOKUP_LABEL: &[u8] = b"pan-lookup-v1\0";
/// Prefix of what a link of the audit chain is made of.
const AUDIT_LINK: u8 = 1;
/// Most bytes of HKDF-SHA256 (RFC 5869 §2.3).
const HKDF_BYTES_MAX: usize = 255 * 32;

/// Equality look-up of a whole card number under a key of its own (PCI DSS 3.5.1.1).
pub(crate) fn pan_lookup<E: RowEngine>(
    engine: &E,
    key: &[u8],
    pan: &Pan,
) -> Result<[u8; 32], SecurityError> {
    engine.hmac_sha256(key, &[PAN_LOOKUP_LABEL, pan.expose()])
}

/// Signature of a webhook's body and the second it was sent.
pub(crate) fn webhook_signature<E: RowEngine>(
    engine: &E,
    secret: &[u8],
    sent_at: u64,
    body: &[u8],
) -> Result<[u8; 32], SecurityError> {
    engine.hmac_sha256(secret, &[sent_at.to_string().as_bytes(), b".", body])
}

/// Keys for one purpose out of one secret (HKDF-SHA256, RFC 5869); `None` beyond 8160 bytes.
pub(crate) fn hkdf_sha256<E: RowEngine>(
    engine: &E,
    secret: &[u8],
    salt: &[u8],
    purpose: &[u8],
    length: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, SecurityError> {
    if length > HKDF_BYTES_MAX {
        return Ok(None);
    }
    let extracted = Zeroizing::new(engine.hmac_sha256(salt, &[secret])?);
    let mut key = Zeroizing::new(vec![0; length]);
    let mut block = Zeroizing::new(Vec::new());
    for (part, counter) in key.chunks_mut(32).zip(1..) {
        let next = engine.hmac_sha256(extracted.as_slice(), &[&block, purpose, &[counter]])?;
        block = Zeroizing::new(next.to_vec());
        part.copy_from_slice(&block[..part.len()]);
    }
    Ok(Some(key))
}

/// The next link of the audit chain.
pub(crate) fn audit_link<E: Engine>(
    engine: &E,
    previous: &[u8; 32],
    sequence: u64,
    record: &[u8],
) -> Result<[u8; 32], SecurityError> {
    let number = sequence.to_be_bytes();
    engine.sha256(&[&[AUDIT_LINK], previous, &number, record])
}
