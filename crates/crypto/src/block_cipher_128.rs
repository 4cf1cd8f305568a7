//! Block ciphers of 16-byte blocks: AES of three key lengths, and SM4 (GB/T 32907).
//!
//! Invariant: key schedules are wiped when dropped.

use crate::block_cipher::{decrypt_16, encrypt_16};
use aes::{Aes128, Aes192, Aes256};
use cipher::KeyInit;
use cmac::Cmac;
#[cfg(feature = "vectors")]
use sm4::Sm4;

/// An expanded key.
pub(crate) enum Cipher128 {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
    #[cfg(feature = "vectors")]
    Sm4(Sm4),
}

impl Cipher128 {
    /// Expands an AES key of 16, 24 or 32 bytes; `None` for any other length.
    pub(crate) fn aes(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Aes192),
            32 => Aes256::new_from_slice(key).ok().map(Self::Aes256),
            _ => None,
        }
    }

    /// Expands an SM4 key.
    #[cfg(feature = "vectors")]
    pub(crate) fn sm4(key: &[u8; 16]) -> Self {
        Self::Sm4(Sm4::new(key.into()))
    }

    pub(crate) fn encrypt(&self, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes128(key) => encrypt_16(key, block),
            Self::Aes192(key) => encrypt_16(key, block),
            Self::Aes256(key) => encrypt_16(key, block),
            #[cfg(feature = "vectors")]
            Self::Sm4(key) => encrypt_16(key, block),
        }
    }

    pub(crate) fn decrypt(&self, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes128(key) => decrypt_16(key, block),
            Self::Aes192(key) => decrypt_16(key, block),
            Self::Aes256(key) => decrypt_16(key, block),
            #[cfg(feature = "vectors")]
            Self::Sm4(key) => decrypt_16(key, block),
        }
    }
}

/// AES-CMAC (SP 800-38B) under a key of 16, 24 or 32 bytes, over the parts one after another; `None` for another length.
pub(crate) fn aes_cmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 16]> {
    use crate::block_cipher::aes_cmac as cmac;
    match key.len() {
        16 => Some(cmac(Cmac::<Aes128>::new_from_slice(key).ok()?, parts)),
        24 => Some(cmac(Cmac::<Aes192>::new_from_slice(key).ok()?, parts)),
        32 => Some(cmac(Cmac::<Aes256>::new_from_slice(key).ok()?, parts)),
        _ => None,
    }
}
