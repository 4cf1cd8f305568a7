//! Where a party's keys live: in this process under its local master key, or in a PKCS#11 token.
//!
//! Invariant: exactly one of the two is configured; nothing falls back from a token to software.

use super::keys::{KeyText, local_master_key};
use super::{Problem, Profile};
use crate::token::{self, TokenModule, TokenPlace};
use crypto::{
    Card, CardScript, CheckValue, CheckValueLength, ClearKey, ClearTrack, Component, Cryptogram,
    CryptogramScheme, CustodyError, KeyAlgorithm, KeyBlockVersion, KeyCustody, KeyUsage,
    MacAlgorithm, Pan, Pin, PinBlock, PinFormat, PinOffset, PinZone, PvkIndex, SealedPan,
    SecurityError, SecurityModule, SoftwareModule, WorkingKeys, WrappedKey, ZonePinBlock,
};
use serde::Deserialize;
use std::path::PathBuf;

/// The table `[security]`: a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityText {
    /// The vendor's PKCS#11 library.
    pub pkcs11: PathBuf,
    /// The token's label; a token holds the keys of one party.
    pub token: String,
    /// File with the user PIN; without it the environment gives the PIN.
    pub pin_file: Option<PathBuf>,
}

/// The security module of a party; copies use the same keys.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a party has one
pub enum PartyModule {
    /// In this process.
    Software(SoftwareModule),
    /// In a token.
    Token(TokenModule),
}

impl PartyModule {
    /// The configured one.
    pub fn open(
        master: Option<&KeyText>,
        security: Option<&SecurityText>,
        profile: Profile,
    ) -> Result<Self, Problem> {
        match (master, security) {
            (Some(master), None) => local_master_key(master, profile).map(Self::Software),
            (None, Some(text)) => {
                Self::of_token(text).map_err(|problem| format!("security: {problem}"))
            }
            (Some(_), Some(_)) => {
                Err("local_master_key and [security] exclude each other".to_owned())
            }
            (None, None) => Err("local_master_key is missing, and so is [security]".to_owned()),
        }
    }

    /// The one of a token.
    pub fn of_token(text: &SecurityText) -> Result<Self, Problem> {
        let pin_file = text.pin_file.as_deref();
        TokenPlace::new(text.pkcs11.clone(), text.token.clone(), pin_file)
            .and_then(|place| token::open(&place))
            .map(Self::Token)
            .map_err(|error| error.to_string())
    }
}

/// Gives each operation to the module that is configured.
macro_rules! forward {
    ($trait:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }) => {
        impl $trait for PartyModule {
            $(fn $name(&self, $($argument: $type),*) -> $answer {
                match self {
                    Self::Software(module) => module.$name($($argument),*),
                    Self::Token(module) => module.$name($($argument),*),
                }
            })*
        }
    };
}

type Answer<T> = Result<T, SecurityError>;
type Custody<T> = Result<T, CustodyError>;

forward! {
    SecurityModule {
        card(pan: &Pan, day: u16) -> Answer<Card>;
        open_pan(sealed: &SealedPan) -> Answer<Pan>;
        mac(algorithm: MacAlgorithm, key: &WrappedKey, parts: &[&[u8]]) -> Answer<[u8; 8]>;
        mac_matches(algorithm: MacAlgorithm, key: &WrappedKey, parts: &[&[u8]], received: &[u8]) -> Answer<bool>;
        encipher_pin(pik: &WrappedKey, format: PinFormat, pin: &Pin, pan: &Pan) -> Answer<PinBlock>;
        translate_pin(from: &WrappedKey, from_format: PinFormat, to: &WrappedKey, to_format: PinFormat, block: &PinBlock, pan: &Pan) -> Answer<PinBlock>;
        translate_pin_between(from: PinZone<'_>, to: PinZone<'_>, block: &ZonePinBlock, pan: &Pan, random: &[u8; 8]) -> Answer<ZonePinBlock>;
        verify_pin(pik: &WrappedKey, format: PinFormat, block: &PinBlock, pan: &Pan, pvk: &WrappedKey, offset: &PinOffset) -> Answer<bool>;
        verify_pin_value(pik: &WrappedKey, format: PinFormat, block: &PinBlock, pan: &Pan, pvk: &WrappedKey, index: PvkIndex, value: &[u8]) -> Answer<bool>;
        pin_offset(pvk: &WrappedKey, pan: &Pan, pin: &Pin) -> Answer<PinOffset>;
        card_value_matches(cvk: &WrappedKey, pan: &Pan, expiry: &[u8], service_code: &[u8], received: &[u8]) -> Answer<bool>;
        answer_cryptogram(imk: &WrappedKey, scheme: CryptogramScheme, cryptogram: &Cryptogram<'_>, code: [u8; 2]) -> Answer<Option<[u8; 8]>>;
        answer_cryptogram_status(imk: &WrappedKey, scheme: CryptogramScheme, cryptogram: &Cryptogram<'_>, status_update: [u8; 4], proprietary: &[u8]) -> Answer<Option<[u8; 4]>>;
        seal_script(smi: &WrappedKey, scheme: CryptogramScheme, cryptogram: &Cryptogram<'_>, script: CardScript) -> Answer<Vec<u8>>;
        seal_track(tdk: &WrappedKey, track: &[u8]) -> Answer<Vec<u8>>;
        open_track(tdk: &WrappedKey, packed: &[u8], characters: usize) -> Answer<ClearTrack>;
        issue_working_keys(tmk: &WrappedKey, random: &[u8; 32]) -> Answer<(WorkingKeys, [u8; 40])>;
        install_working_keys(tmk: &WrappedKey, field62: &[u8]) -> Answer<WorkingKeys>;
        issue_host_key(kek: &WrappedKey, usage: KeyUsage, random: &[u8; 16]) -> Answer<(WrappedKey, [u8; 16], [u8; 4])>;
        install_host_key(kek: &WrappedKey, usage: KeyUsage, enciphered: &[u8; 16], check_value: &[u8; 4]) -> Answer<WrappedKey>;
        sign_certificate(key: &WrappedKey, payload: &[u8]) -> Answer<[u8; 64]>;
        certificate_key(key: &WrappedKey) -> Answer<[u8; 32]>;
        import(usage: KeyUsage, clear: &ClearKey) -> Answer<WrappedKey>;
    }
}

forward! {
    KeyCustody {
        combine(usage: KeyUsage, components: &[Component]) -> Custody<WrappedKey>;
        generate(usage: KeyUsage, algorithm: KeyAlgorithm, bytes: usize, random: &[u8; 32]) -> Custody<WrappedKey>;
        key_check_value(key: &WrappedKey, length: CheckValueLength) -> Answer<CheckValue>;
        export_key_block(kbpk: &WrappedKey, version: KeyBlockVersion, key: &WrappedKey, random: &[u8; 32]) -> Custody<String>;
        import_key_block(kbpk: &WrappedKey, usage: KeyUsage, block: &str) -> Custody<WrappedKey>;
        published_key(key: &WrappedKey) -> Answer<Option<&'static str>>;
        authenticate_store(text: &[u8]) -> Answer<[u8; 16]>;
    }
}
