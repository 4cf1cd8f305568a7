//! DES, triple DES and ciphers of 16-byte blocks as blocks in, blocks out, with the odd parity of DES keys.
//!
//! Invariant: key schedules are wiped when dropped, and every mode of the crate is built on the functions below.

use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use cmac::Mac;
use des::{Des, TdesEde2, TdesEde3};
use subtle::ConstantTimeEq;

/// Bytes of a DES block and of a single-length DES key.
pub(crate) const DES_BLOCK: usize = 8;

/// A DES key schedule of single, double or triple length.
pub(crate) enum DesCipher {
    Single(Des),
    Double(TdesEde2),
    Triple(TdesEde3),
}

impl DesCipher {
    /// Expands a key of 8, 16 or 24 bytes; `None` for any other length. K‖K is single DES by definition and is run as such.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            8 => key.try_into().ok().map(Self::single),
            16 => key.try_into().ok().map(Self::double),
            24 => TdesEde3::new_from_slice(key).ok().map(Self::Triple),
            _ => None,
        }
    }

    /// Single DES.
    pub(crate) fn single(key: &[u8; 8]) -> Self {
        Self::Single(Des::new(key.into()))
    }

    /// Two-key triple DES.
    pub(crate) fn double(key: &[u8; 16]) -> Self {
        match key.as_chunks().0 {
            [left, _] if halves_equal(key) => Self::single(left),
            _ => Self::Double(TdesEde2::new(key.into())),
        }
    }

    pub(crate) fn encrypt(&self, block: [u8; 8]) -> [u8; 8] {
        let mut block = Array(block);
        match self {
            Self::Single(key) => key.encrypt_block(&mut block),
            Self::Double(key) => key.encrypt_block(&mut block),
            Self::Triple(key) => key.encrypt_block(&mut block),
        }
        block.0
    }

    pub(crate) fn decrypt(&self, block: [u8; 8]) -> [u8; 8] {
        let mut block = Array(block);
        match self {
            Self::Single(key) => key.decrypt_block(&mut block),
            Self::Double(key) => key.decrypt_block(&mut block),
            Self::Triple(key) => key.decrypt_block(&mut block),
        }
        block.0
    }

    /// ECB over the whole blocks of `text`, in place.
    pub(crate) fn encrypt_ecb(&self, text: &mut [u8]) {
        text.as_chunks_mut()
            .0
            .iter_mut()
            .for_each(|block| *block = self.encrypt(*block));
    }

    /// Reverse of [`Self::encrypt_ecb`].
    pub(crate) fn decrypt_ecb(&self, text: &mut [u8]) {
        text.as_chunks_mut()
            .0
            .iter_mut()
            .for_each(|block| *block = self.decrypt(*block));
    }

    /// First four bytes of the enciphered zero block (UnionPay-style reference §5.1).
    pub(crate) fn check_value(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.encrypt([0; 8]);
        [a, b, c, d]
    }
}

/// Whether both halves of a double-length key are the same.
pub(crate) fn halves_equal(key: &[u8]) -> bool {
    let (left, right) = key.split_at(key.len() / 2);
    left.ct_eq(right).into()
}

/// The left and the right eight bytes.
pub(crate) fn halves(block: &[u8; 16]) -> [[u8; 8]; 2] {
    let [a, b, c, d, e, f, g, h, right @ ..] = *block;
    [[a, b, c, d, e, f, g, h], right]
}

/// XOR of two blocks.
pub(crate) fn xor<const N: usize>(left: [u8; N], right: [u8; N]) -> [u8; N] {
    core::array::from_fn(|place| left[place] ^ right[place])
}

/// Sets the low bit of every byte so that the byte has an odd number of ones.
pub(crate) fn set_odd_parity(key: &mut [u8]) {
    for byte in key {
        *byte = *byte & 0xFE | u8::from((*byte & 0xFE).count_ones().is_multiple_of(2));
    }
}

/// Whether any 8-byte part of the key, parity aside, is one of the weak or semi-weak DES keys; the zero key is one of them.
pub(crate) fn has_weak_part(key: &[u8]) -> bool {
    key.as_chunks::<DES_BLOCK>().0.iter().any(|part| {
        let mut part = zeroize::Zeroizing::new(*part);
        set_odd_parity(part.as_mut());
        des::weak_key_test(part.as_slice()).is_err()
    })
}

/// One 16-byte block enciphered.
pub(crate) fn encrypt_16<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>>(
    key: &C,
    block: [u8; 16],
) -> [u8; 16] {
    let mut block = Array(block);
    key.encrypt_block(&mut block);
    block.0
}

/// One 16-byte block deciphered.
pub(crate) fn decrypt_16<C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>>(
    key: &C,
    block: [u8; 16],
) -> [u8; 16] {
    let mut block = Array(block);
    key.decrypt_block(&mut block);
    block.0
}

/// AES-CMAC (RFC 4493) over the parts one after another.
pub(crate) fn aes_cmac<M: Mac<OutputSize = U16>>(mut key: M, parts: &[&[u8]]) -> [u8; 16] {
    parts.iter().for_each(|part| key.update(part));
    key.finalize().into_bytes().0
}

/// CMAC with triple DES (SP 800-38B) under a key of 16 or 24 bytes; `None` for another length.
pub(crate) fn tdes_cmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 8]> {
    use cmac::Cmac;
    fn over<M: Mac<OutputSize = cipher::consts::U8>>(mut key: M, parts: &[&[u8]]) -> [u8; 8] {
        parts.iter().for_each(|part| key.update(part));
        key.finalize().into_bytes().0
    }
    match key.len() {
        16 => Some(over(Cmac::<TdesEde2>::new_from_slice(key).ok()?, parts)),
        24 => Some(over(Cmac::<TdesEde3>::new_from_slice(key).ok()?, parts)),
        _ => None,
    }
}
