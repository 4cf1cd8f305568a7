//! The outcome certificate: the acquirer's signed word on how a sale ended, which anyone can check without asking anyone.
//!
//! Each payload carries its number and the digest of the one before, so that a certificate that was taken out leaves a gap.
//! A certificate is true for its moment: a later one of the same sale may say that it was reversed.

use crate::{Amount, Batch, Currency, MerchantId, Rrn, SaleKey, Stan, TerminalId, Wall, base32};
use crypto::{sha256, verify_certificate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of a payload.
pub const PAYLOAD_LENGTH: usize = 71;
/// Bytes of payload and signature; 216 characters of base32 exactly, so that no bit of the text is without meaning.
pub const SIGNED_LENGTH: usize = PAYLOAD_LENGTH + 64;
/// What every certificate's text begins with. With the text it makes 220 characters: a QR code of version 8, 49 modules.
pub const PREFIX: &str = "CF1:";
/// The only layout there is.
const VERSION: u8 = 1;

/// How a sale ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertifiedOutcome {
    /// Approved: the sale stands.
    Approved = 1,
    /// Reversed, by the issuer's word.
    Reversed = 2,
    /// Declined by the issuer or the network.
    Declined = 3,
}

impl CertifiedOutcome {
    const ALL: [Self; 3] = [Self::Approved, Self::Reversed, Self::Declined];

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Approved => ("交易成功", "Approved"),
            Self::Reversed => (
                "已冲正，视为没有发生",
                "Reversed: as if it had not happened",
            ),
            Self::Declined => ("未成功，没有生效", "Declined: it took no effect"),
        }
    }
}

/// Names the public key: the first bytes of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    /// The name of `public`.
    pub fn of(public: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = sha256(public);
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The end of a chain: the number of its last certificate, and the first bytes of that payload's SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// 0 before the first certificate.
    pub number: u64,
    /// Zeros before the first certificate.
    pub digest: [u8; 8],
}

/// What a certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose key signs it.
    pub key: KeyId,
    /// Its number in the acquirer's chain, from 1, below 2⁴⁰.
    pub number: u64,
    /// First eight bytes of the SHA-256 of the payload before; zeros in the first one.
    pub previous: [u8; 8],
    /// How the sale ended.
    pub outcome: CertifiedOutcome,
    /// Fields 41, 42, 60.2 and 11.
    pub sale: SaleKey,
    /// Field 37.
    pub rrn: Rrn,
    /// The sale's amount; below 2⁴⁸ minor units.
    pub amount: Amount,
    /// When the outcome was known, in whole seconds.
    pub at: Wall,
}

impl Certificate {
    /// The canonical payload: fixed places, numbers with their highest byte first.
    pub fn payload(&self) -> [u8; PAYLOAD_LENGTH] {
        let mut payload = [0; PAYLOAD_LENGTH];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            payload[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(&[VERSION << 4 | self.outcome as u8]);
        put(&self.key.0);
        put(&self.number.to_be_bytes()[3..]);
        put(&self.previous);
        put(&self.sale.merchant.0);
        put(&self.sale.terminal.0);
        put(&self.sale.batch.0.to_be_bytes()[1..]);
        put(&self.sale.stan.0.to_be_bytes()[1..]);
        put(&self.rrn.0);
        put(&self.amount.minor.to_be_bytes()[2..]);
        put(&self.amount.currency.0.to_be_bytes());
        put(&((self.at.0.div_euclid(1_000)).clamp(0, i64::from(u32::MAX)) as u32).to_be_bytes());
        payload
    }

    /// Reads a payload. What reads, writes the same bytes again.
    ///
    /// # Errors
    /// Why it is none.
    pub fn of_payload(payload: &[u8; PAYLOAD_LENGTH]) -> Result<Self, CertificateError> {
        let mut rest = &payload[..];
        let mut take = |length: usize| {
            let (field, after) = rest.split_at(length);
            rest = after;
            field
        };
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        let wrong = CertificateError::Payload;
        let head = take(1)[0];
        if head >> 4 != VERSION {
            return Err(CertificateError::Version(head >> 4));
        }
        let outcome = CertifiedOutcome::ALL
            .into_iter()
            .find(|known| *known as u8 == head & 15)
            .ok_or(wrong)?;
        let mut key = [0; 4];
        key.copy_from_slice(take(4));
        let chain_number = number(take(5));
        let mut previous = [0; 8];
        previous.copy_from_slice(take(8));
        let merchant = MerchantId::parse(take(15)).ok_or(wrong)?;
        let terminal = TerminalId::parse(take(8)).ok_or(wrong)?;
        let batch = Batch(number(take(3)) as u32);
        let stan = Stan(number(take(3)) as u32);
        let rrn = Rrn::parse(take(12)).ok_or(wrong)?;
        let minor = number(take(6));
        let currency = Currency(number(take(2)) as u16);
        let at = Wall(number(take(4)) as i64 * 1_000);
        Ok(Self {
            key: KeyId(key),
            number: chain_number,
            previous,
            outcome,
            sale: SaleKey {
                terminal,
                merchant,
                batch,
                stan,
            },
            rrn,
            amount: Amount { minor, currency },
            at,
        })
    }

    /// The chain's end once this certificate is its last.
    pub fn head(&self) -> ChainHead {
        let mut digest = [0; 8];
        digest.copy_from_slice(&sha256(&self.payload())[..8]);
        ChainHead {
            number: self.number,
            digest,
        }
    }

    /// True when this certificate comes right after `head`.
    pub fn follows(&self, head: ChainHead) -> bool {
        self.number == head.number + 1 && self.previous == head.digest
    }
}

/// A certificate with its signature, not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The payload.
    pub payload: [u8; PAYLOAD_LENGTH],
    /// Ed25519 over the payload.
    pub signature: [u8; 64],
}

impl Signed {
    /// The text that goes into the QR code.
    pub fn text(&self) -> String {
        let mut bytes = [0; SIGNED_LENGTH];
        bytes[..PAYLOAD_LENGTH].copy_from_slice(&self.payload);
        bytes[PAYLOAD_LENGTH..].copy_from_slice(&self.signature);
        format!("{PREFIX}{}", base32::encode(&bytes))
    }

    /// Reads the text, as a scanner or a person gives it: either case, blanks between the characters.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        if text.len() > TEXT_MAX {
            return Err(CertificateError::Text);
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (prefix, body) = text
            .split_at_checked(PREFIX.len())
            .ok_or(CertificateError::Text)?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Err(CertificateError::Text);
        }
        let bytes: [u8; SIGNED_LENGTH] = base32::decode(body)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(CertificateError::Text)?;
        let (payload, signature) = bytes.split_at(PAYLOAD_LENGTH);
        Ok(Self {
            payload: payload.try_into().map_err(|_| CertificateError::Text)?,
            signature: signature.try_into().map_err(|_| CertificateError::Text)?,
        })
    }

    /// What it says, when `public` signed it.
    ///
    /// # Errors
    /// It was signed by another key, or changed, or says nothing that can be read.
    pub fn verify(&self, public: &[u8; 32]) -> Result<Certificate, CertificateError> {
        if !verify_certificate(public, &self.payload, &self.signature) {
            let named = KeyId([1, 2, 3, 4].map(|n| self.payload[n]));
            return Err(if named == KeyId::of(public) {
                CertificateError::Signature
            } else {
                CertificateError::OtherKey(named)
            });
        }
        let certificate = Certificate::of_payload(&self.payload)?;
        if certificate.key != KeyId::of(public) {
            return Err(CertificateError::OtherKey(certificate.key));
        }
        Ok(certificate)
    }
}

/// Longest text that is looked at; a certificate with a blank after each character is shorter.
const TEXT_MAX: usize = 1_024;

/// Why a certificate is not genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// The text is not that of a certificate.
    Text,
    /// A layout that this program does not know.
    Version(u8),
    /// Signed, and yet unreadable.
    Payload,
    /// The signature does not belong to it: something was changed.
    Signature,
    /// It names another key.
    OtherKey(KeyId),
    /// Line `line` of a chain does not follow the one before.
    Gap {
        /// From 1.
        line: usize,
    },
}

impl CertificateError {
    /// The words, zh-CN and en.
    pub fn words(self) -> (String, String) {
        match self {
            Self::Text => (
                "不是凭证文本，或不完整".to_owned(),
                "not the text of a certificate, or not all of it".to_owned(),
            ),
            Self::Version(version) => (
                format!("凭证版本 {version} 未知"),
                format!("certificate version {version} is unknown"),
            ),
            Self::Payload => (
                "凭证内容无法读取".to_owned(),
                "the certificate's content cannot be read".to_owned(),
            ),
            Self::Signature => (
                "签名不符：内容被改动过".to_owned(),
                "the signature does not match: something was changed".to_owned(),
            ),
            Self::OtherKey(key) => (
                format!("由另一把密钥（{key}）签发"),
                format!("signed with another key ({key})"),
            ),
            Self::Gap { line } => (
                format!("第 {line} 行与前一张不相连"),
                format!("line {line} does not follow the one before"),
            ),
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().1)
    }
}

impl std::error::Error for CertificateError {}

/// Checks a whole chain from its first certificate: every signature, every number, every digest.
///
/// # Errors
/// The first thing that is wrong; a certificate that was taken out, changed or moved shows as [`CertificateError::Gap`] or
/// [`CertificateError::Signature`].
pub fn verify_chain<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    public: &[u8; 32],
) -> Result<Vec<Certificate>, CertificateError> {
    let mut head = ChainHead::default();
    let mut chain = Vec::new();
    for (n, line) in lines.into_iter().enumerate() {
        let certificate = Signed::parse(line)?.verify(public)?;
        if !certificate.follows(head) {
            return Err(CertificateError::Gap { line: n + 1 });
        }
        head = certificate.head();
        chain.push(certificate);
    }
    Ok(chain)
}
