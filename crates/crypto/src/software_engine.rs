//! The engine inside the process: RustCrypto's ciphers, MACs and digests.
//!
//! Invariant: key schedules are wiped when dropped, and nothing here fails for another reason than a key's length.

use crate::{
    block_cipher::{halves_equal, xor},
    engine::{BlockCipher, CmacKey, Engine, SigningKey},
    module::SecurityError,
};
use aes::{Aes128, Aes192, Aes256};
use cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, array::ArraySize,
};
use cmac::{Cmac, Mac};
use des::{Des, TdesEde2, TdesEde3};
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};
use sm4::Sm4;

/// The engine of [`SoftwareModule`](crate::SoftwareModule).
#[derive(Clone)]
pub struct SoftwareEngine(pub(crate) ());

impl Engine for SoftwareEngine {
    type Des = DesKey;
    type Aes = AesKey;
    type Sm4 = Sm4Key;
    type Cmac = AesCmac;
    type Signing = Ed25519;

    const OPENED_MAX: usize = 65_536;

    fn des(&self, key: &[u8]) -> Result<DesKey, SecurityError> {
        DesKey::new(key).ok_or(SecurityError::KeyLength { found: key.len() })
    }

    fn aes(&self, key: &[u8]) -> Result<AesKey, SecurityError> {
        AesKey::new(key).ok_or(SecurityError::KeyLength { found: key.len() })
    }

    fn sm4(&self, key: &[u8; 16]) -> Result<Sm4Key, SecurityError> {
        Ok(Sm4Key(Sm4::new(key.into())))
    }

    fn cmac(&self, key: &[u8]) -> Result<AesCmac, SecurityError> {
        AesCmac::new(key).ok_or(SecurityError::KeyLength { found: key.len() })
    }

    fn signing(&self, seed: &[u8; 32]) -> Result<Ed25519, SecurityError> {
        Ok(Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    fn sha256(&self, parts: &[&[u8]]) -> Result<[u8; 32], SecurityError> {
        let mut digest = Sha256::new();
        parts.iter().for_each(|part| digest.update(part));
        Ok(digest.finalize().into())
    }
}

/// A DES key schedule of single, double or triple length.
pub enum DesKey {
    /// Single DES.
    Single(Des),
    /// Two-key triple DES.
    Double(TdesEde2),
    /// Three-key triple DES.
    Triple(TdesEde3),
}

impl DesKey {
    /// `None` unless of 8, 16 or 24 bytes. K‖K is single DES by definition and is run as such.
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            8 => Des::new_from_slice(key).ok().map(Self::Single),
            16 if halves_equal(key) => Self::new(&key[..8]),
            16 => TdesEde2::new_from_slice(key).ok().map(Self::Double),
            24 => TdesEde3::new_from_slice(key).ok().map(Self::Triple),
            _ => None,
        }
    }
}

/// An AES key schedule.
pub enum AesKey {
    /// Of 16 bytes.
    Aes128(Aes128),
    /// Of 24 bytes.
    Aes192(Aes192),
    /// Of 32 bytes.
    Aes256(Aes256),
}

impl AesKey {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Aes192),
            32 => Aes256::new_from_slice(key).ok().map(Self::Aes256),
            _ => None,
        }
    }
}

/// An SM4 key schedule.
pub struct Sm4Key(Sm4);

/// Implements the modes of a cipher over its block functions.
macro_rules! block_cipher {
    ($key:ty, $bytes:literal) => {
        impl BlockCipher<$bytes> for $key {
            fn encrypt_blocks(&self, blocks: &mut [[u8; $bytes]]) -> Result<(), SecurityError> {
                blocks
                    .iter_mut()
                    .for_each(|block| *block = self.encrypt_one(*block));
                Ok(())
            }

            fn decrypt_blocks(&self, blocks: &mut [[u8; $bytes]]) -> Result<(), SecurityError> {
                blocks
                    .iter_mut()
                    .for_each(|block| *block = self.decrypt_one(*block));
                Ok(())
            }

            fn encrypt_chained(
                &self,
                initial_value: [u8; $bytes],
                blocks: &mut [[u8; $bytes]],
            ) -> Result<(), SecurityError> {
                let mut chained = initial_value;
                for block in blocks {
                    chained = self.encrypt_one(xor(chained, *block));
                    *block = chained;
                }
                Ok(())
            }

            fn decrypt_chained(
                &self,
                initial_value: [u8; $bytes],
                blocks: &mut [[u8; $bytes]],
            ) -> Result<(), SecurityError> {
                let mut chained = initial_value;
                for block in blocks {
                    let received = *block;
                    *block = xor(chained, self.decrypt_one(received));
                    chained = received;
                }
                Ok(())
            }
        }
    };
}

block_cipher!(DesKey, 8);
block_cipher!(AesKey, 16);
block_cipher!(Sm4Key, 16);

impl DesKey {
    fn encrypt_one(&self, block: [u8; 8]) -> [u8; 8] {
        match self {
            Self::Single(key) => encrypt(key, block),
            Self::Double(key) => encrypt(key, block),
            Self::Triple(key) => encrypt(key, block),
        }
    }

    fn decrypt_one(&self, block: [u8; 8]) -> [u8; 8] {
        match self {
            Self::Single(key) => decrypt(key, block),
            Self::Double(key) => decrypt(key, block),
            Self::Triple(key) => decrypt(key, block),
        }
    }
}

impl AesKey {
    fn encrypt_one(&self, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes128(key) => encrypt(key, block),
            Self::Aes192(key) => encrypt(key, block),
            Self::Aes256(key) => encrypt(key, block),
        }
    }

    fn decrypt_one(&self, block: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Aes128(key) => decrypt(key, block),
            Self::Aes192(key) => decrypt(key, block),
            Self::Aes256(key) => decrypt(key, block),
        }
    }
}

impl Sm4Key {
    fn encrypt_one(&self, block: [u8; 16]) -> [u8; 16] {
        encrypt(&self.0, block)
    }

    fn decrypt_one(&self, block: [u8; 16]) -> [u8; 16] {
        decrypt(&self.0, block)
    }
}

fn encrypt<const N: usize, C>(key: &C, block: [u8; N]) -> [u8; N]
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize: ArraySize<ArrayType<u8> = [u8; N]>>,
{
    let mut block = Array(block);
    key.encrypt_block(&mut block);
    block.0
}

fn decrypt<const N: usize, C>(key: &C, block: [u8; N]) -> [u8; N]
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize: ArraySize<ArrayType<u8> = [u8; N]>>,
{
    let mut block = Array(block);
    key.decrypt_block(&mut block);
    block.0
}

/// An expanded key of AES-CMAC.
#[derive(Clone)]
pub enum AesCmac {
    /// Of 16 bytes.
    Aes128(Cmac<Aes128>),
    /// Of 24 bytes.
    Aes192(Cmac<Aes192>),
    /// Of 32 bytes.
    Aes256(Cmac<Aes256>),
}

impl AesCmac {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Cmac::new_from_slice(key).ok().map(Self::Aes128),
            24 => Cmac::new_from_slice(key).ok().map(Self::Aes192),
            32 => Cmac::new_from_slice(key).ok().map(Self::Aes256),
            _ => None,
        }
    }
}

impl CmacKey for AesCmac {
    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 16], SecurityError> {
        Ok(match self.clone() {
            Self::Aes128(key) => over(key, parts),
            Self::Aes192(key) => over(key, parts),
            Self::Aes256(key) => over(key, parts),
        })
    }
}

fn over<M: Mac<OutputSize = cipher::consts::U16>>(mut key: M, parts: &[&[u8]]) -> [u8; 16] {
    parts.iter().for_each(|part| key.update(part));
    key.finalize().into_bytes().0
}

/// An expanded signing key.
pub struct Ed25519(ed25519_dalek::SigningKey);

impl SigningKey for Ed25519 {
    fn sign(&self, payload: &[u8]) -> Result<[u8; 64], SecurityError> {
        Ok(self.0.sign(payload).to_bytes())
    }

    fn public(&self) -> Result<[u8; 32], SecurityError> {
        Ok(self.0.verifying_key().to_bytes())
    }
}
