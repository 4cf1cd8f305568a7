//! The checksum by which a terminal knows that a scheme's public key came whole (EMV book 2 §11.2.2).
//!
//! Invariant: it guards against garbling, not against forgery: whoever can change the key can make it anew.

use sha1::{Digest, Sha1};

/// SHA-1 over scheme, index, modulus and exponent, given one after another.
pub fn public_key_checksum(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
