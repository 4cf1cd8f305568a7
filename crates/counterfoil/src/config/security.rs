//! Where a party's keys live: in this process under its local master key, or in a PKCS#11 token.
//!
//! Invariant: exactly one of the two is configured; nothing falls back from a token to software.

use super::keys::{KeyText, local_master_key};
use super::{Problem, Profile};
use crate::token::{self, TokenModule, TokenPlace};
use crypto::{SecurityModule, SoftwareModule};
use serde::Deserialize;
use std::ops::Deref;
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

    /// For the thread that runs the party.
    pub fn boxed(self) -> Box<dyn SecurityModule + Send> {
        match self {
            Self::Software(module) => Box::new(module),
            Self::Token(module) => Box::new(module),
        }
    }
}

impl Deref for PartyModule {
    type Target = dyn SecurityModule;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Software(module) => module,
            Self::Token(module) => module,
        }
    }
}
