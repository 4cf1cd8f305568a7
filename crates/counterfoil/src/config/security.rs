//! Where a party's keys live: in this process under its local master key, or in a PKCS#11 token.
//!
//! Invariant: exactly one of the two is configured; nothing falls back from a token to software.

use super::keys::{KeyText, local_master_key};
use super::{Problem, Profile};
use crate::token::{self, TokenModule, TokenPlace};
use crypto::{
    Card, ClearKey, Cryptogram, CryptogramScheme, KeyUsage, MacAlgorithm, Pan, Pin, PinBlock,
    PinFormat, PinOffset, SealedPan, SecurityError, SecurityModule, SoftwareModule, WorkingKeys,
    WrappedKey,
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
            (None, Some(text)) => TokenPlace::new(
                text.pkcs11.clone(),
                text.token.clone(),
                text.pin_file.as_deref(),
            )
            .and_then(|place| token::open(&place))
            .map(Self::Token)
            .map_err(|error| format!("security: {error}")),
            (Some(_), Some(_)) => {
                Err("local_master_key and [security] exclude each other".to_owned())
            }
            (None, None) => Err("local_master_key is missing, and so is [security]".to_owned()),
        }
    }
}

/// Gives each operation to the module that is configured.
macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl SecurityModule for PartyModule {
            $(fn $name(&self, $($argument: $type),*) -> Result<$answer, SecurityError> {
                match self {
                    Self::Software(module) => module.$name($($argument),*),
                    Self::Token(module) => module.$name($($argument),*),
                }
            })*
        }
    };
}

forward! {
    card(pan: &Pan, day: u16) -> Card;
    open_pan(sealed: &SealedPan) -> Pan;
    mac(algorithm: MacAlgorithm, key: &WrappedKey, parts: &[&[u8]]) -> [u8; 8];
    mac_matches(algorithm: MacAlgorithm, key: &WrappedKey, parts: &[&[u8]], received: &[u8]) -> bool;
    encipher_pin(pik: &WrappedKey, format: PinFormat, pin: &Pin, pan: &Pan) -> PinBlock;
    translate_pin(from: &WrappedKey, from_format: PinFormat, to: &WrappedKey, to_format: PinFormat, block: &PinBlock, pan: &Pan) -> PinBlock;
    verify_pin(pik: &WrappedKey, format: PinFormat, block: &PinBlock, pan: &Pan, pvk: &WrappedKey, offset: &PinOffset) -> bool;
    pin_offset(pvk: &WrappedKey, pan: &Pan, pin: &Pin) -> PinOffset;
    card_value_matches(cvk: &WrappedKey, pan: &Pan, expiry: &[u8], service_code: &[u8], received: &[u8]) -> bool;
    answer_cryptogram(imk: &WrappedKey, scheme: CryptogramScheme, cryptogram: &Cryptogram<'_>, code: [u8; 2]) -> Option<[u8; 8]>;
    issue_working_keys(tmk: &WrappedKey, random: &[u8; 32]) -> (WorkingKeys, [u8; 40]);
    install_working_keys(tmk: &WrappedKey, field62: &[u8]) -> WorkingKeys;
    issue_host_key(kek: &WrappedKey, usage: KeyUsage, random: &[u8; 16]) -> (WrappedKey, [u8; 16], [u8; 4]);
    install_host_key(kek: &WrappedKey, usage: KeyUsage, enciphered: &[u8; 16], check_value: &[u8; 4]) -> WrappedKey;
    sign_certificate(key: &WrappedKey, payload: &[u8]) -> [u8; 64];
    certificate_key(key: &WrappedKey) -> [u8; 32];
    import(usage: KeyUsage, clear: &ClearKey) -> WrappedKey;
}
