//! What only rows of vectors ask of a token: SHA-1, HMAC-SHA256, AES-GCM; SM3 and Argon2id are refused.
//!
//! Invariant: as for the engine, nothing is computed in this process.

use super::session::Token;
use crypto::SecurityError;
use crypto::vectors::{PasswordHash, RowEngine};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType};
use zeroize::Zeroizing;

const SHA1: &str = "CKM_SHA_1";
const SHA256_HMAC: &str = "CKM_SHA256_HMAC";
const AES_GCM: &str = "CKM_AES_GCM";

/// Bytes that HMAC-SHA256 fills a shorter key up to with zeros (RFC 2104 §2); tokens demand keys of 32 bytes at least.
const HMAC_BLOCK: usize = 64;
/// Bits of an AES-GCM tag.
const TAG_BITS: u64 = 128;

impl RowEngine for Token {
    fn sha1(&self, message: &[u8]) -> Result<[u8; 20], SecurityError> {
        self.digest(SHA1, &Mechanism::Sha1, message)
    }

    fn sm3(&self, _: &[u8]) -> Result<[u8; 32], SecurityError> {
        Err(SecurityError::NotOffered { mechanism: "SM3" })
    }

    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], SecurityError> {
        let mut filled = Zeroizing::new(key.to_vec());
        filled.resize(key.len().max(HMAC_BLOCK), 0);
        let sign = [Attribute::Sign(true)];
        let key = self.key(KeyType::GENERIC_SECRET, &filled, &sign)?;
        key.sign(SHA256_HMAC, &Mechanism::Sha256Hmac, &parts.concat())
    }

    fn aes_gcm(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        associated: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, SecurityError> {
        let key = self.key(KeyType::AES, key, &[Attribute::Encrypt(true)])?;
        let mut nonce = *nonce;
        let parameters = GcmParams::new(&mut nonce, associated, TAG_BITS.into())
            .map_err(|_| SecurityError::TokenFailed)?;
        key.encrypt(AES_GCM, &Mechanism::AesGcm(parameters), text)
    }

    fn argon2id(&self, _: &PasswordHash<'_>) -> Result<Option<Vec<u8>>, SecurityError> {
        let mechanism = "Argon2id";
        Err(SecurityError::NotOffered { mechanism })
    }
}
