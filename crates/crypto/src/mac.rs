//! Message authentication codes of the terminal interface and of host links.
//!
//! Invariant: nothing on this path allocates, and every algorithm answers the eight bytes that travel in field 64 or 128.

use crate::{
    block_cipher::{DES_BLOCK, DesCipher, encrypt_16, halves, xor},
    hex,
    key::ClearKey,
    module::SecurityError,
};
use cipher::KeyInit;
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use sm4::Sm4;

/// How a link authenticates its messages. The field is always the first four bytes of the MAC as upper-case hex characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MacAlgorithm {
    /// The terminals' XOR-and-encipher MAC (UnionPay-style reference §5.4); key of 8 or 16 bytes.
    ///
    /// Weak by construction: exchanging two aligned 8-byte blocks leaves it unchanged under every key.
    #[serde(rename = "unionpay-ecb")]
    UnionPayEcb,
    /// ANSI X9.19, that is ISO 9797-1 algorithm 3 with zero padding (§5.5); key of 16 bytes.
    #[serde(rename = "x9.19")]
    X919,
    /// AES-CMAC (RFC 4493); key of 16 bytes, or an AES key of any length.
    #[serde(rename = "aes-cmac")]
    AesCmac,
    /// The terminals' XOR-and-encipher MAC over 16-byte blocks with SM4; key of 16 bytes. Its output form is the one that
    /// descriptions agree on, without a published value; weak like [`Self::UnionPayEcb`].
    #[serde(rename = "unionpay-sm4")]
    UnionPaySm4,
}

impl MacAlgorithm {
    const ALL: [Self; 4] = [
        Self::UnionPayEcb,
        Self::X919,
        Self::AesCmac,
        Self::UnionPaySm4,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::UnionPayEcb => "unionpay-ecb",
            Self::X919 => "x9.19",
            Self::AesCmac => "aes-cmac",
            Self::UnionPaySm4 => "unionpay-sm4",
        }
    }

    /// The field's eight characters over the parts one after another.
    pub(crate) fn field(self, key: &ClearKey, parts: &[&[u8]]) -> Result<[u8; 8], SecurityError> {
        let mac = match self {
            Self::UnionPayEcb => unionpay_ecb(&key.des()?, parts),
            Self::X919 => x919(key.double_length()?, parts),
            Self::AesCmac => halves(&key.aes_cmac(parts)?)[0],
            Self::UnionPaySm4 => unionpay_sm4(&Sm4::new(key.double_length()?.into()), parts),
        };
        Ok(field_text(mac))
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no [`MacAlgorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMacAlgorithm;

impl fmt::Display for UnknownMacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MAC algorithm is none of unionpay-ecb, x9.19, aes-cmac, unionpay-sm4")
    }
}

impl core::error::Error for UnknownMacAlgorithm {}

impl FromStr for MacAlgorithm {
    type Err = UnknownMacAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownMacAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|known| known.name() == name)
            .ok_or(UnknownMacAlgorithm)
    }
}

/// First four bytes as eight hex characters, as fields 64 and 128 carry them.
pub(crate) fn field_text(mac: [u8; 8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = hex::block_text(mac);
    [a, b, c, d, e, f, g, h]
}

/// The last cipher block of the terminal MAC, steps 1 to 5 of §5.4.
pub(crate) fn unionpay_ecb(key: &DesCipher, parts: &[&[u8]]) -> [u8; 8] {
    let mut folded = [0; DES_BLOCK];
    each_block(parts, |block| folded = xor(folded, block));
    let text = hex::block_text(folded);
    let (halves, _) = text.as_chunks();
    key.encrypt(xor(key.encrypt(halves[0]), halves[1]))
}

/// The same over 16-byte blocks with SM4; the left half of the last cipher block.
pub(crate) fn unionpay_sm4(key: &Sm4, parts: &[&[u8]]) -> [u8; 8] {
    let mut folded = [0; 16];
    each_block(parts, |block| folded = xor(folded, block));
    let [left, right] = halves(&folded);
    let left_text = hex::block_text(left);
    let cipher = encrypt_16(key, xor(encrypt_16(key, left_text), hex::block_text(right)));
    halves(&cipher)[0]
}

/// ISO 9797-1 algorithm 1 with zero padding: the last block of a CBC encipherment.
pub(crate) fn cbc_mac(key: &DesCipher, parts: &[&[u8]]) -> [u8; 8] {
    let mut chained = [0; DES_BLOCK];
    each_block(parts, |block| chained = key.encrypt(xor(chained, block)));
    chained
}

/// ISO 9797-1 algorithm 3 with zero padding: algorithm 1 under the left half, then out through the right half and in again.
pub(crate) fn x919(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 8] {
    let [left, right] = halves(key).map(|half| DesCipher::single(&half));
    left.encrypt(right.decrypt(cbc_mac(&left, parts)))
}

/// Hands out the parts, one after another, as blocks, the last one filled with zeros; nothing at all is one zero block.
fn each_block<const N: usize>(parts: &[&[u8]], mut take: impl FnMut([u8; N])) {
    let mut pending = [0; N];
    let mut held = 0;
    let mut any = false;
    for part in parts {
        let mut rest = *part;
        if held > 0 {
            let (head, tail) = rest.split_at(rest.len().min(N - held));
            pending[held..held + head.len()].copy_from_slice(head);
            held += head.len();
            rest = tail;
            if held < N {
                continue;
            }
            take(pending);
            any = true;
            pending = [0; N];
        }
        let (whole, tail) = rest.as_chunks();
        whole.iter().for_each(|block| take(*block));
        any |= !whole.is_empty();
        pending[..tail.len()].copy_from_slice(tail);
        held = tail.len();
    }
    if held > 0 || !any {
        take(pending);
    }
}
