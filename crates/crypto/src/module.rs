//! The security module as parties see it, and why it refuses.
//!
//! Invariant: no method takes or gives a clear key, gives a clear PIN, runs a raw cipher, or moves a PIN to another card number.

use crate::{
    application_cryptogram::{Cryptogram, CryptogramScheme},
    card::{Card, Pan, SealedPan},
    chip_card::CardScript,
    key::{ClearKey, KeyUsage},
    mac::MacAlgorithm,
    pin::{Pin, PinBlock, PinFormat, PinOffset},
    pin_block_4::ZonePinBlock,
    pvv::PvkIndex,
    track_cipher::ClearTrack,
    working_keys::WorkingKeys,
    wrapped_key::{KeyMode, WrappedKey},
};
use core::fmt;

/// Why the module refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityError {
    /// The key is for something else.
    KeyUsage {
        /// What the key is for.
        found: KeyUsage,
    },
    /// The wrapped key was changed, or belongs to another module.
    TamperedKey,
    /// The key has a length that this use does not allow.
    KeyLength {
        /// Bytes of the key.
        found: usize,
    },
    /// The key is for another cipher.
    KeyAlgorithm,
    /// The key serves the other half of its usage only.
    KeyMode {
        /// The half that it serves.
        found: KeyMode,
    },
    /// The key's text is not 16, 32 or 48 hex characters.
    KeyText,
    /// A zero, weak or semi-weak DES key, or a double-length key with equal halves where two are demanded.
    DegenerateKey,
    /// The check value received is not the key's own.
    CheckValue {
        /// Slot of the key.
        usage: KeyUsage,
    },
    /// Field 62 is not of 24, 40 or 60 bytes.
    Field62Length {
        /// Bytes received.
        found: usize,
    },
    /// The PIN block does not hold a PIN of this format and card number: one error for every such reason, and it costs a PIN try.
    PinFormat,
    /// Translation out of the format bound to the card number, which would free the PIN from its card (PCI PIN 3-3).
    PinTranslation,
    /// The card's sequence number is not two digits.
    CardSequence,
    /// The sealed card number was changed, or belongs to another module.
    SealedPan,
    /// The token that holds the keys has no such mechanism; nothing was computed elsewhere instead.
    NotOffered {
        /// What is missing.
        mechanism: &'static str,
    },
    /// The token did not do what it offers: removed, locked, out of memory. Its own word is in the log.
    TokenFailed,
    /// The track is too short to be enciphered, or what was deciphered is no track.
    TrackData,
    /// More than eight bytes of proprietary authentication data.
    ProprietaryData,
}

impl fmt::Display for SecurityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyUsage { found } => write!(f, "key of usage {found:?} refused here"),
            Self::TamperedKey => f.write_str("wrapped key does not open"),
            Self::KeyLength { found } => write!(f, "key of {found} bytes refused here"),
            Self::KeyAlgorithm => f.write_str("key of another cipher refused here"),
            Self::KeyMode { found } => write!(f, "key of mode {found:?} refused here"),
            Self::KeyText => f.write_str("key is not 16, 32 or 48 hex characters"),
            Self::DegenerateKey => f.write_str("degenerate key refused"),
            Self::CheckValue { usage } => write!(f, "check value of the {usage:?} key differs"),
            Self::Field62Length { found } => {
                write!(f, "field 62 of {found} bytes, not 24, 40 or 60")
            }
            Self::PinFormat => f.write_str("PIN block refused"),
            Self::PinTranslation => {
                f.write_str("PIN translation to a format without card number refused")
            }
            Self::CardSequence => f.write_str("card sequence number is not two digits"),
            Self::SealedPan => f.write_str("sealed card number does not open"),
            Self::NotOffered { mechanism } => write!(f, "not on this token: {mechanism}"),
            Self::TokenFailed => f.write_str("token failed"),
            Self::TrackData => f.write_str("track refused"),
            Self::ProprietaryData => f.write_str("more than 8 bytes of proprietary data"),
        }
    }
}

impl core::error::Error for SecurityError {}

/// A zone as a translation sees it: its PIN key and the form of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinZone<'a> {
    /// Blocks of eight bytes under triple DES.
    Tdes {
        /// PIN key of the zone.
        key: &'a WrappedKey,
        /// Form of its blocks.
        format: PinFormat,
    },
    /// Format 4 under AES.
    Aes {
        /// PIN key of the zone.
        key: &'a WrappedKey,
    },
}

/// Everything a party may ask of its keys. Keys come in wrapped, random bytes come in from the caller.
///
/// Every method refuses a key of another usage ([`SecurityError::KeyUsage`]) and a changed one ([`SecurityError::TamperedKey`]).
pub trait SecurityModule {
    /// Seals, tokenises and masks a card number; `day` picks the sealing key, in whatever days the caller counts.
    fn card(&self, pan: &Pan, day: u16) -> Result<Card, SecurityError>;

    /// Opens a sealed card number of any day, or [`SecurityError::SealedPan`].
    fn open_pan(&self, sealed: &SealedPan) -> Result<Pan, SecurityError>;

    /// The eight characters of field 64 or 128 over the parts one after another (UnionPay-style reference §5.4, §5.5).
    ///
    /// A key-encrypting key makes them under its MAC variant: for the messages that bring or ask for working keys.
    fn mac(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
    ) -> Result<[u8; 8], SecurityError>;

    /// Whether `received` is that field, compared in constant time; any length but eight is no match.
    fn mac_matches(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
        received: &[u8],
    ) -> Result<bool, SecurityError>;

    /// Terminal: builds and enciphers a PIN block (§5.3).
    fn encipher_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        pin: &Pin,
        pan: &Pan,
    ) -> Result<PinBlock, SecurityError>;

    /// Hosts: moves a PIN block from one zone to the next for the same card number.
    ///
    /// A malformed block is [`SecurityError::PinFormat`]; leaving [`PinFormat::WithPan`] is [`SecurityError::PinTranslation`].
    fn translate_pin(
        &self,
        from: &WrappedKey,
        from_format: PinFormat,
        to: &WrappedKey,
        to_format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
    ) -> Result<PinBlock, SecurityError>;

    /// Hosts: the same where either zone, or both, are under AES; `random` fills a format 4 block that goes out.
    ///
    /// A block of the other zone's form is [`SecurityError::PinFormat`]; leaving the forms bound to the card number is
    /// [`SecurityError::PinTranslation`] (PCI PIN 3-3).
    fn translate_pin_between(
        &self,
        from: PinZone<'_>,
        to: PinZone<'_>,
        block: &ZonePinBlock,
        pan: &Pan,
        random: &[u8; 8],
    ) -> Result<ZonePinBlock, SecurityError>;

    /// Issuer: whether the block holds the card's PIN. A malformed block is [`SecurityError::PinFormat`] and counts as a try too.
    fn verify_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
        pvk: &WrappedKey,
        offset: &PinOffset,
    ) -> Result<bool, SecurityError>;

    /// Issuer: whether the block holds a four-digit PIN of this Visa PIN verification value. A longer PIN is no match, since the
    /// value covers four digits; a malformed block is [`SecurityError::PinFormat`] and counts as a try too.
    #[allow(clippy::too_many_arguments)] // the same inputs as verify_pin, and the key's index
    fn verify_pin_value(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
        pvk: &WrappedKey,
        index: PvkIndex,
        value: &[u8],
    ) -> Result<bool, SecurityError>;

    /// Issuer: the offset to keep for a chosen PIN (IBM 3624).
    fn pin_offset(
        &self,
        pvk: &WrappedKey,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError>;

    /// Issuer: whether `received` is the card verification value of the stripe (the track's own service code), the chip (999) or the
    /// card's back (000); four digits of expiry in the order of the value's scheme. Anything but the three right digits is no match.
    fn card_value_matches(
        &self,
        cvk: &WrappedKey,
        pan: &Pan,
        expiry: &[u8],
        service_code: &[u8],
        received: &[u8],
    ) -> Result<bool, SecurityError>;

    /// Issuer: verifies an application cryptogram and answers it (ARPC method 1) with the two characters of tag 8A; `None` when it is
    /// not the card's own. Counter, amounts and the like are the caller's to judge.
    fn answer_cryptogram(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        code: [u8; 2],
    ) -> Result<Option<[u8; 8]>, SecurityError>;

    /// Issuer: a command to the card that sent this cryptogram, with its MAC, as template 71 or 72 carries it behind tag 86.
    ///
    /// It fits this one transaction of this one card. The caller has verified the cryptogram.
    fn seal_script(
        &self,
        smi: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        script: CardScript,
    ) -> Result<Vec<u8>, SecurityError>;
    /// Issuer: the same with an answer of ARPC method 2: the first four bytes of tag 91 over the card status update and up to eight
    /// bytes of proprietary data, more being [`SecurityError::ProprietaryData`].
    fn answer_cryptogram_status(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        status_update: [u8; 4],
        proprietary: &[u8],
    ) -> Result<Option<[u8; 4]>, SecurityError>;

    /// Terminal: packs a track of digits and one separator and enciphers the eight bytes in front of the last (§5.6); one of
    /// fewer than 17 characters is [`SecurityError::TrackData`].
    fn seal_track(&self, tdk: &WrappedKey, track: &[u8]) -> Result<Vec<u8>, SecurityError>;

    /// Acquirer: the clear track of so many characters. Nothing may be read of an enciphered one: its nibbles can look like a
    /// separator. What does not decipher to a track is [`SecurityError::TrackData`].
    fn open_track(
        &self,
        tdk: &WrappedKey,
        packed: &[u8],
        characters: usize,
    ) -> Result<ClearTrack, SecurityError>;

    /// Acquirer: makes a double-length PIK and a single-length MAK from the caller's random bytes, and the field 62 that carries them.
    ///
    /// The first 24 random bytes become the keys, parity adjusted. The terminal master key must be of double length.
    fn issue_working_keys(
        &self,
        tmk: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<(WorkingKeys, [u8; 40]), SecurityError>;

    /// Terminal: takes the keys of a 24-, 40- or 60-byte field 62, all of them or none.
    fn install_working_keys(
        &self,
        tmk: &WrappedKey,
        field62: &[u8],
    ) -> Result<WorkingKeys, SecurityError>;

    /// Host link: makes a PIN or MAC key from the caller's random bytes, parity adjusted; also its ECB encipherment and check value.
    fn issue_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        random: &[u8; 16],
    ) -> Result<(WrappedKey, [u8; 16], [u8; 4]), SecurityError>;

    /// Host link: takes a PIN or MAC key that the other member issued, or [`SecurityError::CheckValue`].
    fn install_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        enciphered: &[u8; 16],
        check_value: &[u8; 4],
    ) -> Result<WrappedKey, SecurityError>;

    /// Acquirer: the Ed25519 signature (RFC 8032) of an outcome certificate; the same bytes give the same signature.
    fn sign_certificate(&self, key: &WrappedKey, payload: &[u8])
    -> Result<[u8; 64], SecurityError>;

    /// Acquirer: the public half of its certificate key, for everybody.
    fn certificate_key(&self, key: &WrappedKey) -> Result<[u8; 32], SecurityError>;

    /// Loads a clear key: for the sandbox, whose keys are published values (settled 16).
    fn import(&self, usage: KeyUsage, clear: &ClearKey) -> Result<WrappedKey, SecurityError>;
}
