//! EMV and PBOC application cryptograms: card key, session key, what the card signs, and the issuer's answer to it.
//!
//! Invariant: clear keys live only inside one call, and no cryptogram is answered that was not verified first.

use crate::{
    block_cipher::xor,
    card::Pan,
    chip_card::{self, CardScript},
    digits::{Digits, pack},
    engine::{BlockCipher, Engine},
    mac::RetailKey,
    module::SecurityError,
};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How session keys come from a card's key; card keys are of option A, the signed data are padded with one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptogramScheme {
    /// PBOC and UnionPay: counter, and inverted counter.
    Pboc,
    /// EMV common session key derivation.
    EmvCommon,
}

/// How an issuer answers a cryptogram in tag 91 (EMV book 2 §8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerMethod {
    /// Method 1: eight bytes of cryptogram, then the authorisation response code.
    #[default]
    ResponseCode,
    /// Method 2: four bytes of MAC, then the card status update.
    StatusUpdate,
}

/// Card status update of an approval: byte 2, the issuer approves the online transaction (EMV common core definitions).
pub const STATUS_UPDATE_APPROVED: [u8; 4] = [0x00, 0x80, 0x00, 0x00];

/// What a card sent with its application cryptogram; masked.
pub struct Cryptogram<'a> {
    /// The card.
    pub pan: &'a Pan,
    /// Two ASCII digits of tag 5F34, `00` when the card has none.
    pub sequence: [u8; 2],
    /// Tag 9F36.
    pub counter: [u8; 2],
    /// The signed data elements one after another, without tags and lengths.
    pub data: &'a [u8],
    /// Tag 9F26.
    pub received: [u8; 8],
}

impl fmt::Debug for Cryptogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cryptogram({:?})", self.pan)
    }
}

impl Cryptogram<'_> {
    /// The issuer's answer of method 1 with the two characters of `code`; `None` unless the cryptogram is the card's own.
    pub(crate) fn answer<E: Engine>(
        &self,
        engine: &E,
        scheme: CryptogramScheme,
        issuer: &E::Des,
        code: [u8; 2],
    ) -> Result<Option<[u8; 8]>, SecurityError> {
        match self.verified(engine, scheme, issuer)? {
            Some(session) => response_1(&session.whole, self.received, code).map(Some),
            None => Ok(None),
        }
    }

    /// The issuer's answer of method 2; `None` unless the cryptogram is the card's own and `proprietary` at most eight bytes.
    pub(crate) fn answer_status<E: Engine>(
        &self,
        engine: &E,
        scheme: CryptogramScheme,
        issuer: &E::Des,
        status_update: [u8; 4],
        proprietary: &[u8],
    ) -> Result<Option<[u8; 4]>, SecurityError> {
        match self.verified(engine, scheme, issuer)? {
            Some(session) => response_2(&session, self.received, status_update, proprietary),
            None => Ok(None),
        }
    }

    /// The session key under which the cryptogram is the card's own, compared in constant time.
    fn verified<E: Engine>(
        &self,
        engine: &E,
        scheme: CryptogramScheme,
        issuer: &E::Des,
    ) -> Result<Option<RetailKey<E>>, SecurityError> {
        let Ok(sequence) = SequenceNumber::parse(&self.sequence) else {
            return Ok(None);
        };
        let card = engine.des(&*card_key_a(issuer, self.pan, &sequence)?)?;
        let session = session_key(scheme, &card, self.counter)?;
        let session = RetailKey::new(engine, &session)?;
        let own = cryptogram(&session, self.data, ONE_BIT)?;
        Ok(bool::from(own.ct_eq(&self.received)).then_some(session))
    }

    /// A script command for the card, under its own key.
    pub(crate) fn script<E: Engine>(
        &self,
        engine: &E,
        scheme: CryptogramScheme,
        issuer: &E::Des,
        script: CardScript,
    ) -> Result<Vec<u8>, SecurityError> {
        let sequence =
            SequenceNumber::parse(&self.sequence).map_err(|_| SecurityError::CardSequence)?;
        let card = engine.des(&*card_key_a(issuer, self.pan, &sequence)?)?;
        let session = chip_card::script_key(scheme, &card, self.counter, self.received)?;
        let session = RetailKey::new(engine, &session)?;
        script.command(&session, self.counter, self.received)
    }
}

/// Padding of method 2, before zeros.
pub(crate) const ONE_BIT: &[u8] = &[0x80];

/// PAN sequence number: two digits, 00 when the card has none.
pub(crate) type SequenceNumber = Digits<2, 2>;
/// A card or session key.
pub(crate) type Key = Zeroizing<[u8; 16]>;

/// Longest proprietary authentication data of ARPC method 2.
pub(crate) const PROPRIETARY_BYTES_MAX: usize = 8;
/// Digits of card number and sequence number that option A takes.
const DIVERSIFICATION_DIGITS: usize = 16;

/// The card's master key, option A: the rightmost 16 digits of card number and sequence number.
pub(crate) fn card_key_a(
    issuer: &impl BlockCipher<8>,
    pan: &Pan,
    sequence: &SequenceNumber,
) -> Result<Key, SecurityError> {
    let digits = Zeroizing::new([pan.expose(), sequence.ascii()].concat());
    let skipped = digits.len().saturating_sub(DIVERSIFICATION_DIGITS);
    let zeros = [b'0'; DIVERSIFICATION_DIGITS];
    let missing = DIVERSIFICATION_DIGITS - (digits.len() - skipped);
    diversify(issuer, pack(&[&zeros[..missing], &digits[skipped..]], 0))
}

/// The card's master key, option B: as A up to 16 digits of card number, beyond that from their SHA-1.
#[cfg(feature = "vectors")]
pub(crate) fn card_key_b<E: crate::test_interface::RowEngine>(
    engine: &E,
    issuer: &E::Des,
    pan: &Pan,
    sequence: &SequenceNumber,
) -> Result<Key, SecurityError> {
    use crate::digits::decimalise;
    if pan.len() <= DIVERSIFICATION_DIGITS {
        return card_key_a(issuer, pan, sequence);
    }
    let odd = !pan.len().is_multiple_of(2);
    let front: &[u8] = if odd { b"0" } else { b"" };
    let packed: Zeroizing<[u8; 11]> =
        Zeroizing::new(pack(&[front, pan.expose(), sequence.ascii()], 0));
    let used = (front.len() + pan.len() + sequence.ascii().len()) / 2;
    let digits: [u8; DIVERSIFICATION_DIGITS] = decimalise(&engine.sha1(&packed[..used])?);
    diversify(issuer, pack(&[&digits], 0))
}

fn diversify(issuer: &impl BlockCipher<8>, left: [u8; 8]) -> Result<Key, SecurityError> {
    pair(issuer, left, left.map(|byte| !byte))
}

/// The key of one transaction's cryptograms.
pub(crate) fn session_key(
    scheme: CryptogramScheme,
    card: &impl BlockCipher<8>,
    counter: [u8; 2],
) -> Result<Key, SecurityError> {
    match scheme {
        CryptogramScheme::Pboc => pboc_session_key(card, counter),
        CryptogramScheme::EmvCommon => {
            let [high, low] = counter;
            common_session_key(card, [high, low, 0, 0, 0, 0, 0, 0])
        }
    }
}

/// The EMV common session key: `r` is the transaction counter, or what the scheme puts there.
pub(crate) fn common_session_key(
    card: &impl BlockCipher<8>,
    r: [u8; 8],
) -> Result<Key, SecurityError> {
    let with = |third| {
        let mut r = r;
        r[2] = third;
        r
    };
    pair(card, with(0xF0), with(0x0F))
}

/// The PBOC session key: the transaction counter on the right, and inverted.
pub(crate) fn pboc_session_key(
    card: &impl BlockCipher<8>,
    counter: [u8; 2],
) -> Result<Key, SecurityError> {
    let right = |[high, low]: [u8; 2]| [0, 0, 0, 0, 0, 0, high, low];
    pair(card, right(counter), right(counter.map(|byte| !byte)))
}

fn pair(key: &impl BlockCipher<8>, left: [u8; 8], right: [u8; 8]) -> Result<Key, SecurityError> {
    let mut halves = Zeroizing::new([left, right]);
    key.encrypt_blocks(halves.as_mut_slice())?;
    let mut derived = Zeroizing::new([0; 16]);
    derived.copy_from_slice(halves.as_flattened());
    Ok(derived)
}

/// The application cryptogram over the data elements one after another; `padding` comes before the zeros that fill the block.
pub(crate) fn cryptogram<E: Engine>(
    key: &RetailKey<E>,
    data: &[u8],
    padding: &[u8],
) -> Result<[u8; 8], SecurityError> {
    key.x919(&[data, padding])
}

/// The issuer's answer, method 1: the authorisation response code mixed into the cryptogram.
pub(crate) fn response_1(
    key: &impl BlockCipher<8>,
    cryptogram: [u8; 8],
    code: [u8; 2],
) -> Result<[u8; 8], SecurityError> {
    let [high, low] = code;
    key.encrypt(xor(cryptogram, [high, low, 0, 0, 0, 0, 0, 0]))
}

/// The issuer's answer, method 2: a MAC over cryptogram, card status update and up to eight bytes more; `None` beyond that.
pub(crate) fn response_2<E: Engine>(
    key: &RetailKey<E>,
    cryptogram: [u8; 8],
    status_update: [u8; 4],
    proprietary: &[u8],
) -> Result<Option<[u8; 4]>, SecurityError> {
    let parts: [&[u8]; 4] = [&cryptogram, &status_update, proprietary, ONE_BIT];
    let [a, b, c, d, ..] = key.x919(&parts)?;
    Ok((proprietary.len() <= PROPRIETARY_BYTES_MAX).then_some([a, b, c, d]))
}
