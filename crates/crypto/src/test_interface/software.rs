//! What only rows ask of the software engine: SHA-1, SM3, HMAC, AES-GCM and Argon2id.
//!
//! Invariant: limits of time and memory are set by the caller.

use super::{PasswordHash, RowEngine};
use crate::{module::SecurityError, software_engine::SoftwareEngine};
use aes_gcm::{
    Aes128Gcm, Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use hmac::{Hmac, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use sm3::Sm3;

impl RowEngine for SoftwareEngine {
    fn sha1(&self, message: &[u8]) -> Result<[u8; 20], SecurityError> {
        Ok(Sha1::digest(message).into())
    }

    fn sm3(&self, message: &[u8]) -> Result<[u8; 32], SecurityError> {
        Ok(Sm3::digest(message).into())
    }

    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], SecurityError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| length(key))?;
        parts.iter().for_each(|part| mac.update(part));
        Ok(mac.finalize().into_bytes().into())
    }

    fn aes_gcm(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        associated: &[u8],
        text: &[u8],
    ) -> Result<Vec<u8>, SecurityError> {
        let nonce = nonce.into();
        let payload = Payload {
            msg: text,
            aad: associated,
        };
        let sealed = match key.len() {
            16 => Aes128Gcm::new_from_slice(key)
                .map_err(|_| length(key))?
                .encrypt(nonce, payload),
            _ => Aes256Gcm::new_from_slice(key)
                .map_err(|_| length(key))?
                .encrypt(nonce, payload),
        };
        sealed.map_err(|_| length(key))
    }

    fn argon2id(&self, hash: &PasswordHash<'_>) -> Result<Option<Vec<u8>>, SecurityError> {
        Ok(argon2id(hash).ok())
    }
}

fn length(key: &[u8]) -> SecurityError {
    SecurityError::KeyLength { found: key.len() }
}

fn argon2id(hash: &PasswordHash<'_>) -> Result<Vec<u8>, argon2::Error> {
    let mut builder = ParamsBuilder::new();
    builder
        .m_cost(hash.memory_kib)
        .t_cost(hash.iterations)
        .p_cost(hash.lanes)
        .output_len(hash.length)
        .data(AssociatedData::new(hash.associated_data)?);
    let parameters = builder.build()?;
    let mut out = vec![0; hash.length];
    Argon2::new_with_secret(hash.secret, Algorithm::Argon2id, Version::V0x13, parameters)?
        .hash_password_into(hash.password, hash.salt, &mut out)?;
    Ok(out)
}
