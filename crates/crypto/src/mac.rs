//! Message authentication codes of the terminal interface and of host links.
//!
//! Invariant: nothing on this path allocates, and every algorithm answers the eight bytes that travel in field 64 or 128.

use crate::{
    block_cipher::{DES_BLOCK, halves, xor},
    engine::{BlockCipher, CmacKey, Engine},
    hex,
    key::ClearKey,
    module::SecurityError,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

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

    /// The key as this algorithm uses it.
    pub(crate) fn key<E: Engine>(
        self,
        engine: &E,
        key: &ClearKey,
    ) -> Result<MacKey<E>, SecurityError> {
        Ok(match self {
            Self::UnionPayEcb => MacKey::UnionPayEcb(key.des(engine)?),
            Self::X919 => MacKey::X919(RetailKey::new(engine, key.double_length()?)?),
            Self::AesCmac => MacKey::AesCmac(key.cmac(engine)?),
            Self::UnionPaySm4 => MacKey::UnionPaySm4(engine.sm4(key.double_length()?)?),
        })
    }
}

/// A key of one algorithm.
pub(crate) enum MacKey<E: Engine> {
    UnionPayEcb(E::Des),
    X919(RetailKey<E>),
    AesCmac(E::Cmac),
    UnionPaySm4(E::Sm4),
}

impl<E: Engine> MacKey<E> {
    /// The field's eight characters over the parts one after another.
    pub(crate) fn field(&self, parts: &[&[u8]]) -> Result<[u8; 8], SecurityError> {
        let mac = match self {
            Self::UnionPayEcb(key) => unionpay_ecb(key, parts)?,
            Self::X919(key) => key.x919(parts)?,
            Self::AesCmac(key) => halves(&key.mac(parts)?)[0],
            Self::UnionPaySm4(key) => unionpay_sm4(key, parts)?,
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
pub(crate) fn unionpay_ecb(
    key: &impl BlockCipher<DES_BLOCK>,
    parts: &[&[u8]],
) -> Result<[u8; 8], SecurityError> {
    let mut folded = [0; DES_BLOCK];
    each_block(parts, |block| {
        folded = xor(folded, block);
        Ok(())
    })?;
    let text = hex::block_text(folded);
    let (halves, _) = text.as_chunks();
    key.encrypt(xor(key.encrypt(halves[0])?, halves[1]))
}

/// The same over 16-byte blocks with SM4; the left half of the last cipher block.
pub(crate) fn unionpay_sm4(
    key: &impl BlockCipher<16>,
    parts: &[&[u8]],
) -> Result<[u8; 8], SecurityError> {
    let mut folded = [0; 16];
    each_block(parts, |block| {
        folded = xor(folded, block);
        Ok(())
    })?;
    let [left, right] = halves(&folded).map(hex::block_text);
    let cipher = key.encrypt(xor(key.encrypt(left)?, right))?;
    Ok(halves(&cipher)[0])
}

/// ISO 9797-1 algorithm 1 with zero padding: the last block of a CBC encipherment.
#[cfg(feature = "vectors")]
pub(crate) fn cbc_mac(
    key: &impl BlockCipher<DES_BLOCK>,
    parts: &[&[u8]],
) -> Result<[u8; 8], SecurityError> {
    key.encrypt(Chain::over(key, parts)?)
}

/// A double-length key whose left half is used alone too: the single DES of X9.19 and of card verification values.
pub(crate) struct RetailKey<E: Engine> {
    pub(crate) left: E::Des,
    pub(crate) whole: E::Des,
}

impl<E: Engine> RetailKey<E> {
    pub(crate) fn new(engine: &E, key: &[u8; 16]) -> Result<Self, SecurityError> {
        Ok(Self {
            left: engine.des(&key[..DES_BLOCK])?,
            whole: engine.des(key)?,
        })
    }

    /// ISO 9797-1 algorithm 3 with zero padding: algorithm 1 under the left half, then out through the right half and in again.
    /// Over the last block that is two-key triple DES (security reference §1.4).
    pub(crate) fn x919(&self, parts: &[&[u8]]) -> Result<[u8; 8], SecurityError> {
        self.whole.encrypt(Chain::over(&self.left, parts)?)
    }
}

/// Blocks of a message that go into the cipher in one call: a token answers calls, not blocks.
const RUN_BLOCKS: usize = 64;

/// The CBC encipherment of all blocks of a message but the last.
struct Chain<'a, C> {
    key: &'a C,
    chained: [u8; DES_BLOCK],
    held: [[u8; DES_BLOCK]; RUN_BLOCKS],
    count: usize,
}

impl<'a, C: BlockCipher<DES_BLOCK>> Chain<'a, C> {
    /// What the last cipher operation gets: the last block mixed with the cipher block before it.
    fn over(key: &'a C, parts: &[&[u8]]) -> Result<[u8; DES_BLOCK], SecurityError> {
        let mut chain = Self {
            key,
            chained: [0; DES_BLOCK],
            held: [[0; DES_BLOCK]; RUN_BLOCKS],
            count: 0,
        };
        let mut last = None;
        each_block(parts, |block| match last.replace(block) {
            Some(earlier) => chain.take(earlier),
            None => Ok(()),
        })?;
        chain.encipher()?;
        Ok(xor(chain.chained, last.unwrap_or_default()))
    }

    fn take(&mut self, block: [u8; DES_BLOCK]) -> Result<(), SecurityError> {
        if self.count == RUN_BLOCKS {
            self.encipher()?;
        }
        self.held[self.count] = block;
        self.count += 1;
        Ok(())
    }

    fn encipher(&mut self) -> Result<(), SecurityError> {
        let held = &mut self.held[..self.count];
        if let Some(end) = held.len().checked_sub(1) {
            self.key.encrypt_chained(self.chained, held)?;
            self.chained = held[end];
            self.count = 0;
        }
        Ok(())
    }
}

/// Hands out the parts, one after another, as blocks, the last one filled with zeros; nothing at all is one zero block.
fn each_block<const N: usize>(
    parts: &[&[u8]],
    mut take: impl FnMut([u8; N]) -> Result<(), SecurityError>,
) -> Result<(), SecurityError> {
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
            take(pending)?;
            any = true;
            pending = [0; N];
        }
        let (whole, tail) = rest.as_chunks();
        whole.iter().try_for_each(|block| take(*block))?;
        any |= !whole.is_empty();
        pending[..tail.len()].copy_from_slice(tail);
        held = tail.len();
    }
    if held > 0 || !any {
        take(pending)?;
    }
    Ok(())
}
