//! What the security module asks of the place where keys live: block ciphers, MACs and digests, in this process or in a token.
//!
//! Invariant: every standard of this crate is composed from these operations alone, so that an engine that lacks one refuses by
//! name ([`SecurityError::NotOffered`]) and nothing is computed elsewhere instead.

use crate::module::SecurityError;
use core::convert::Infallible;

/// A block cipher under one key, which is wiped or forgotten when dropped.
pub trait BlockCipher<const N: usize> {
    /// Enciphers each block by itself (ECB), in place.
    fn encrypt_blocks(&self, blocks: &mut [[u8; N]]) -> Result<(), SecurityError>;

    /// Reverse of [`Self::encrypt_blocks`].
    fn decrypt_blocks(&self, blocks: &mut [[u8; N]]) -> Result<(), SecurityError>;

    /// Enciphers the blocks one after another (CBC), in place.
    fn encrypt_chained(
        &self,
        initial_value: [u8; N],
        blocks: &mut [[u8; N]],
    ) -> Result<(), SecurityError>;

    /// Reverse of [`Self::encrypt_chained`].
    fn decrypt_chained(
        &self,
        initial_value: [u8; N],
        blocks: &mut [[u8; N]],
    ) -> Result<(), SecurityError>;

    /// One block.
    fn encrypt(&self, block: [u8; N]) -> Result<[u8; N], SecurityError> {
        let mut blocks = [block];
        self.encrypt_blocks(&mut blocks)?;
        let [block] = blocks;
        Ok(block)
    }

    /// Reverse of [`Self::encrypt`].
    fn decrypt(&self, block: [u8; N]) -> Result<[u8; N], SecurityError> {
        let mut blocks = [block];
        self.decrypt_blocks(&mut blocks)?;
        let [block] = blocks;
        Ok(block)
    }
}

/// A key of AES-CMAC (RFC 4493).
pub trait CmacKey {
    /// The MAC over the parts one after another.
    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 16], SecurityError>;
}

/// A key of Ed25519 (RFC 8032).
pub trait SigningKey {
    /// The signature; the same bytes give the same signature.
    fn sign(&self, payload: &[u8]) -> Result<[u8; 64], SecurityError>;

    /// The public half.
    fn public(&self) -> Result<[u8; 32], SecurityError>;
}

/// Where keys live and are used. A clear key comes in for the length of one call and stays inside.
pub trait Engine {
    /// A DES key of single, double or triple length.
    type Des: BlockCipher<8>;
    /// An AES key.
    type Aes: BlockCipher<16>;
    /// An SM4 key; [`Infallible`] where there is none.
    type Sm4: BlockCipher<16>;
    /// A key of AES-CMAC.
    type Cmac: CmacKey;
    /// A signing key; [`Infallible`] where there is none.
    type Signing: SigningKey;

    /// Opened keys that a module keeps at most; with one more all are forgotten, and opened again when they are wanted.
    const OPENED_MAX: usize;

    /// Takes a key of 8, 16 or 24 bytes; any other length is [`SecurityError::KeyLength`]. Parity is not looked at.
    fn des(&self, key: &[u8]) -> Result<Self::Des, SecurityError>;

    /// Takes a key of 16, 24 or 32 bytes; any other length is [`SecurityError::KeyLength`].
    fn aes(&self, key: &[u8]) -> Result<Self::Aes, SecurityError>;

    /// Takes a key.
    fn sm4(&self, key: &[u8; 16]) -> Result<Self::Sm4, SecurityError>;

    /// Takes a key of 16, 24 or 32 bytes; any other length is [`SecurityError::KeyLength`].
    fn cmac(&self, key: &[u8]) -> Result<Self::Cmac, SecurityError>;

    /// Takes the seed of a signing key.
    fn signing(&self, seed: &[u8; 32]) -> Result<Self::Signing, SecurityError>;

    /// SHA-256 over the parts one after another.
    fn sha256(&self, parts: &[&[u8]]) -> Result<[u8; 32], SecurityError>;
}

/// A cipher that an engine does not have has no keys.
impl<const N: usize> BlockCipher<N> for Infallible {
    fn encrypt_blocks(&self, _: &mut [[u8; N]]) -> Result<(), SecurityError> {
        match *self {}
    }

    fn decrypt_blocks(&self, _: &mut [[u8; N]]) -> Result<(), SecurityError> {
        match *self {}
    }

    fn encrypt_chained(&self, _: [u8; N], _: &mut [[u8; N]]) -> Result<(), SecurityError> {
        match *self {}
    }

    fn decrypt_chained(&self, _: [u8; N], _: &mut [[u8; N]]) -> Result<(), SecurityError> {
        match *self {}
    }
}

impl SigningKey for Infallible {
    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SecurityError> {
        match *self {}
    }

    fn public(&self) -> Result<[u8; 32], SecurityError> {
        match *self {}
    }
}
