//! The engine over a token: triple DES, AES, AES-CMAC and SHA-256 inside the token, on session keys that cannot be read back.
//!
//! Invariant: no cipher runs in this process; what the token has no mechanism for is refused by the mechanism's name.

use super::session::Token;
use crypto::{BlockCipher, CmacKey, Engine, SecurityError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use cryptoki::session::Session;
use std::convert::Infallible;
use zeroize::Zeroizing;

const DES3_ECB: &str = "CKM_DES3_ECB";
const DES3_CBC: &str = "CKM_DES3_CBC";
const AES_ECB: &str = "CKM_AES_ECB";
const AES_CBC: &str = "CKM_AES_CBC";
const AES_CMAC: &str = "CKM_AES_CMAC";
const SHA256: &str = "CKM_SHA256";

/// Bytes of a single-length DES key.
const DES_KEY: usize = 8;

impl Engine for Token {
    type Des = TokenCipher<8>;
    type Aes = TokenCipher<16>;
    type Sm4 = Infallible;
    type Cmac = TokenCmac;
    type Signing = Infallible;

    /// Session objects are memory of the token: two keys for each of two thousand terminals.
    const OPENED_MAX: usize = 4_096;

    fn des(&self, key: &[u8]) -> Result<TokenCipher<8>, SecurityError> {
        // K‖K as a two-key triple DES key is single DES (security reference §1.1): tokens no longer offer CKM_DES_ECB.
        let doubled = Zeroizing::new([key, key].concat());
        let (kind, key) = match key.len() {
            DES_KEY => (KeyType::DES2, doubled.as_slice()),
            16 => (KeyType::DES2, key),
            24 => (KeyType::DES3, key),
            found => return Err(SecurityError::KeyLength { found }),
        };
        TokenCipher::create(self, kind, key)
    }

    fn aes(&self, key: &[u8]) -> Result<TokenCipher<16>, SecurityError> {
        check_aes(key)?;
        TokenCipher::create(self, KeyType::AES, key)
    }

    fn sm4(&self, _: &[u8; 16]) -> Result<Infallible, SecurityError> {
        // PKCS#11 has no number for it; vendors' own numbers differ.
        Err(SecurityError::NotOffered { mechanism: "SM4" })
    }

    fn cmac(&self, key: &[u8]) -> Result<TokenCmac, SecurityError> {
        check_aes(key)?;
        let key = self.key(KeyType::AES, key, &[Attribute::Sign(true)])?;
        Ok(TokenCmac(key))
    }

    fn signing(&self, _: &[u8; 32]) -> Result<Infallible, SecurityError> {
        // A token gives the public half of a pair that it made itself, not of a seed that comes in.
        let mechanism = "CKM_EDDSA from an imported seed";
        Err(SecurityError::NotOffered { mechanism })
    }

    fn sha256(&self, parts: &[&[u8]]) -> Result<[u8; 32], SecurityError> {
        self.digest(SHA256, &Mechanism::Sha256, &parts.concat())
    }
}

impl Token {
    pub(super) fn digest<const N: usize>(
        &self,
        name: &'static str,
        mechanism: &Mechanism<'_>,
        message: &[u8],
    ) -> Result<[u8; N], SecurityError> {
        sized(self.operate(name, |session| session.digest(mechanism, message))?)
    }

    /// A session key for some uses.
    pub(super) fn key(
        &self,
        kind: KeyType,
        value: &[u8],
        use_for: &[Attribute],
    ) -> Result<TokenKey, SecurityError> {
        Ok(TokenKey {
            token: self.clone(),
            object: self.create(kind, value, use_for)?,
            kept: false,
        })
    }
}

fn check_aes(key: &[u8]) -> Result<(), SecurityError> {
    match key.len() {
        16 | 24 | 32 => Ok(()),
        found => Err(SecurityError::KeyLength { found }),
    }
}

/// A token that answers another length than its mechanism's has failed.
fn sized<const N: usize>(answer: Vec<u8>) -> Result<[u8; N], SecurityError> {
    answer.try_into().map_err(|_| SecurityError::TokenFailed)
}

/// A key in the token of triple DES, whose blocks are 8 bytes, or of AES, whose blocks are 16.
pub struct TokenCipher<const N: usize>(TokenKey);

impl<const N: usize> TokenCipher<N> {
    fn create(token: &Token, kind: KeyType, value: &[u8]) -> Result<Self, SecurityError> {
        let use_for = [Attribute::Encrypt(true), Attribute::Decrypt(true)];
        token.key(kind, value, &use_for).map(Self)
    }
}

impl TokenCipher<16> {
    /// A key that stays in the token.
    pub(super) fn kept(token: Token, object: ObjectHandle) -> Self {
        Self(TokenKey::kept(token, object))
    }
}

/// A mechanism with its parameters.
type Mode = (&'static str, Mechanism<'static>);

/// The mechanisms of the cipher with this block size.
trait Modes<const N: usize> {
    fn ecb() -> Mode;
    fn cbc(initial_value: [u8; N]) -> Mode;
}

impl Modes<8> for TokenCipher<8> {
    fn ecb() -> Mode {
        (DES3_ECB, Mechanism::Des3Ecb)
    }

    fn cbc(initial_value: [u8; 8]) -> Mode {
        (DES3_CBC, Mechanism::Des3Cbc(initial_value))
    }
}

impl Modes<16> for TokenCipher<16> {
    fn ecb() -> Mode {
        (AES_ECB, Mechanism::AesEcb)
    }

    fn cbc(initial_value: [u8; 16]) -> Mode {
        (AES_CBC, Mechanism::AesCbc(initial_value))
    }
}

impl<const N: usize> BlockCipher<N> for TokenCipher<N>
where
    Self: Modes<N>,
{
    fn encrypt_blocks(&self, blocks: &mut [[u8; N]]) -> Result<(), SecurityError> {
        self.0
            .encrypt_in_place(Self::ecb(), blocks.as_flattened_mut())
    }

    fn decrypt_blocks(&self, blocks: &mut [[u8; N]]) -> Result<(), SecurityError> {
        self.0
            .decrypt_in_place(Self::ecb(), blocks.as_flattened_mut())
    }

    fn encrypt_chained(
        &self,
        initial_value: [u8; N],
        blocks: &mut [[u8; N]],
    ) -> Result<(), SecurityError> {
        let mode = Self::cbc(initial_value);
        self.0.encrypt_in_place(mode, blocks.as_flattened_mut())
    }

    fn decrypt_chained(
        &self,
        initial_value: [u8; N],
        blocks: &mut [[u8; N]],
    ) -> Result<(), SecurityError> {
        let mode = Self::cbc(initial_value);
        self.0.decrypt_in_place(mode, blocks.as_flattened_mut())
    }
}

/// A key of AES-CMAC in the token.
pub struct TokenCmac(TokenKey);

impl TokenCmac {
    /// A key that stays in the token.
    pub(super) fn kept(token: Token, object: ObjectHandle) -> Self {
        Self(TokenKey::kept(token, object))
    }
}

impl CmacKey for TokenCmac {
    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; 16], SecurityError> {
        let message = Zeroizing::new(parts.concat());
        self.0.sign(AES_CMAC, &Mechanism::AesCMac, &message)
    }
}

/// A key object; a session's own is forgotten when dropped, a kept one is left.
pub(super) struct TokenKey {
    token: Token,
    object: ObjectHandle,
    kept: bool,
}

impl TokenKey {
    fn kept(token: Token, object: ObjectHandle) -> Self {
        Self {
            token,
            object,
            kept: true,
        }
    }

    pub(super) fn sign<const N: usize>(
        &self,
        name: &'static str,
        mechanism: &Mechanism<'_>,
        message: &[u8],
    ) -> Result<[u8; N], SecurityError> {
        let act = |session: &Session| session.sign(mechanism, self.object, message);
        sized(self.token.operate(name, act)?)
    }

    pub(super) fn encrypt(
        &self,
        name: &'static str,
        mechanism: &Mechanism<'_>,
        text: &[u8],
    ) -> Result<Vec<u8>, SecurityError> {
        let act = |session: &Session| session.encrypt(mechanism, self.object, text);
        self.token.operate(name, act)
    }

    fn encrypt_in_place(
        &self,
        (name, mechanism): Mode,
        text: &mut [u8],
    ) -> Result<(), SecurityError> {
        let done = self.encrypt(name, &mechanism, text)?;
        replace(text, done)
    }

    fn decrypt_in_place(
        &self,
        (name, mechanism): Mode,
        text: &mut [u8],
    ) -> Result<(), SecurityError> {
        let act = |session: &Session| session.decrypt(&mechanism, self.object, text);
        let done = self.token.operate(name, act)?;
        replace(text, done)
    }
}

impl Drop for TokenKey {
    fn drop(&mut self) {
        if !self.kept {
            self.token.destroy(self.object);
        }
    }
}

/// Puts the token's answer in the place of the text; it may hold a clear key or PIN block and is wiped.
fn replace(text: &mut [u8], answer: Vec<u8>) -> Result<(), SecurityError> {
    let answer = Zeroizing::new(answer);
    if answer.len() != text.len() {
        return Err(SecurityError::TokenFailed);
    }
    text.copy_from_slice(&answer);
    Ok(())
}
