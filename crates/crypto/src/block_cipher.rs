//! What is made of blocks and DES keys around any engine's ciphers: halves, parity, weak keys, check values, CMAC with triple DES.
//!
//! Invariant: no key and no block is looked at here beyond what its standard says of its bits.

use crate::{engine::BlockCipher, module::SecurityError};
use subtle::ConstantTimeEq;

/// Bytes of a DES block and of a single-length DES key.
pub(crate) const DES_BLOCK: usize = 8;

/// First four bytes of the enciphered zero block (UnionPay-style reference §5.1).
pub(crate) fn check_value(key: &impl BlockCipher<DES_BLOCK>) -> Result<[u8; 4], SecurityError> {
    let [a, b, c, d, ..] = key.encrypt([0; DES_BLOCK])?;
    Ok([a, b, c, d])
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

/// CMAC with triple DES (SP 800-38B §6), over the parts one after another.
pub(crate) fn tdes_cmac(
    key: &impl BlockCipher<DES_BLOCK>,
    parts: &[&[u8]],
) -> Result<[u8; DES_BLOCK], SecurityError> {
    let message = zeroize::Zeroizing::new(parts.concat());
    let whole = message.len().next_multiple_of(DES_BLOCK).max(DES_BLOCK);
    let mut padded = zeroize::Zeroizing::new(message.to_vec());
    let mut mask = doubled(key.encrypt([0; DES_BLOCK])?);
    if message.len() < whole {
        mask = doubled(mask);
        padded.push(0x80);
        padded.resize(whole, 0);
    }
    let (blocks, _) = padded.as_chunks_mut();
    if let Some(last) = blocks.last_mut() {
        *last = xor(*last, mask);
    }
    key.encrypt_chained([0; DES_BLOCK], blocks)?;
    Ok(blocks.last().copied().unwrap_or_default())
}

/// The block doubled in the field of 64 bits.
fn doubled(block: [u8; DES_BLOCK]) -> [u8; DES_BLOCK] {
    let number = u64::from_be_bytes(block);
    let reduced = if number >> 63 == 1 { 0x1B } else { 0 };
    (number << 1 ^ reduced).to_be_bytes()
}
