//! Cipher block chaining over whole blocks, for any block cipher.
//!
//! Invariant: text that is not whole blocks is refused and left as it was.

use crate::block_cipher::xor;

/// Enciphers `text` in place; `None` unless it is whole blocks.
pub(crate) fn encrypt<const N: usize>(
    cipher: impl Fn([u8; N]) -> [u8; N],
    initial_value: [u8; N],
    text: &mut [u8],
) -> Option<()> {
    let mut chained = initial_value;
    for block in whole_blocks(text)? {
        chained = cipher(xor(chained, *block));
        *block = chained;
    }
    Some(())
}

/// Reverse of [`encrypt`]; `cipher` deciphers one block.
pub(crate) fn decrypt<const N: usize>(
    cipher: impl Fn([u8; N]) -> [u8; N],
    initial_value: [u8; N],
    text: &mut [u8],
) -> Option<()> {
    let mut chained = initial_value;
    for block in whole_blocks(text)? {
        let received = *block;
        *block = xor(chained, cipher(received));
        chained = received;
    }
    Some(())
}

fn whole_blocks<const N: usize>(text: &mut [u8]) -> Option<&mut [[u8; N]]> {
    let (blocks, rest) = text.as_chunks_mut();
    rest.is_empty().then_some(blocks)
}
