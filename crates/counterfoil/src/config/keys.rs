//! Keys in configuration: `store:NAME` of a key store everywhere, `clear:HEX` and `wrapped:HEX` in a sandbox only.
//!
//! Invariant: a production profile takes no key that stands in the file, and none whose value was ever published.

use super::security::{PartyModule, SecurityText};
use super::{Problem, Profile};
use crate::driver::wall;
use crate::key_store::{KeyStore, check_value};
use crypto::{
    ClearKey, KeyCustody, KeyUsage, SecurityModule, SoftwareModule, WrappedKey, Zeroizing,
    published_local_master_key,
};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// A key as text; its `Debug` shows nothing of it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct KeyText(String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split_once(':').map_or("key", |(form, _)| form))
    }
}

impl KeyText {
    /// The text behind the form, for a secret that is not a key of the module (a webhook's).
    pub(crate) fn reveal(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, secret)| secret)
    }

    /// The key itself, of a test card: `clear:HEX` only.
    pub(crate) fn clear(&self, name: &str) -> Result<ClearKey, Problem> {
        match self.0.split_once(':') {
            Some(("clear", hex)) => {
                ClearKey::from_hex(hex).map_err(|error| format!("{name}: {error}"))
            }
            _ => Err(format!("{name}: must be clear:HEX")),
        }
    }

    /// The key for one usage, under the module's local master key; `name` is the setting that errors speak of.
    pub fn load(&self, keys: &Keyring, usage: KeyUsage, name: &str) -> Result<WrappedKey, Problem> {
        let loaded = match (self.0.split_once(':'), keys.profile) {
            (Some(("store", title)), _) => keys.stored(title),
            (Some(("clear" | "wrapped", _)), Profile::Production) => Err(
                "profile = \"production\" loads keys only from a key store, as store:NAME"
                    .to_owned(),
            ),
            (Some(("clear", hex)), Profile::Sandbox) => ClearKey::from_hex(hex)
                .and_then(|clear| keys.module.import(usage, &clear))
                .map_err(|error| error.to_string()),
            (Some(("wrapped", hex)), Profile::Sandbox) => {
                serde_json::from_value(serde_json::Value::String(hex.to_owned()))
                    .map_err(|_| "not a wrapped key".to_owned())
            }
            _ => Err("must be store:NAME, or clear:HEX or wrapped:HEX in a sandbox".to_owned()),
        };
        let key: WrappedKey = loaded.map_err(|problem| format!("{name}: {problem}"))?;
        if key.usage() != usage {
            return Err(format!(
                "{name}: key is for {}, not {}",
                key.usage().name(),
                usage.name()
            ));
        }
        Ok(key)
    }
}

/// What a party's keys come out of: its security module and, by name, its key store.
#[derive(Debug)]
pub struct Keyring {
    /// The security module.
    pub module: PartyModule,
    profile: Profile,
    store: Option<(PathBuf, KeyStore)>,
}

impl Keyring {
    /// Opens the module and the store; a production profile demands a store and a local master key that nobody published.
    pub fn open(
        local: Option<&KeyText>,
        security: Option<&SecurityText>,
        profile: Profile,
        key_store: Option<&Path>,
    ) -> Result<Self, Problem> {
        let module = PartyModule::open(local, security, profile)?;
        if profile == Profile::Production && key_store.is_none() {
            return Err("key_store: profile = \"production\" needs one".to_owned());
        }
        let store = match key_store {
            Some(path) => {
                let store = KeyStore::open(path, &module)
                    .map_err(|problem| format!("key_store: {problem}"))?;
                Some((path.to_owned(), store))
            }
            None => None,
        };
        Ok(Self {
            module,
            profile,
            store,
        })
    }

    /// `NAME` or `NAME@GENERATION` of the store, while it serves; in production not when its value was published.
    fn stored(&self, title: &str) -> Result<WrappedKey, Problem> {
        let (path, store) = self
            .store
            .as_ref()
            .ok_or("store:NAME needs key_store = \"FILE\"")?;
        let stored = store.find(title)?;
        let title = stored.title();
        if !stored.serves(wall().0) {
            return Err(format!("key \"{title}\" has ended"));
        }
        let published = self
            .module
            .published_key(&stored.key)
            .map_err(|error| format!("{}: key \"{title}\": {error}", path.display()))?;
        match published {
            Some(source) if self.profile == Profile::Production => Err(format!(
                "key \"{title}\" (KCV {}) is a test key, {source}: refused under profile = \"production\"",
                check_value(&self.module, &stored.key)?
            )),
            _ => Ok(stored.key),
        }
    }
}

/// The module of the local master key: 64 hex characters, in the file in a sandbox, in a file of its own elsewhere.
pub(super) fn local_master_key(
    text: &KeyText,
    profile: Profile,
) -> Result<SoftwareModule, Problem> {
    match (text.0.split_once(':'), profile) {
        (Some(("clear", hex)), Profile::Sandbox) => module_of(hex, profile),
        (Some(("file", path)), _) => module_of_file(Path::new(path), profile),
        _ => Err("must be clear:HEX in a sandbox, file:PATH elsewhere".to_owned()),
    }
    .map_err(|problem| format!("local_master_key: {problem}"))
}

/// The module of a file that holds a local master key.
pub fn module_of_file(path: &Path, profile: Profile) -> Result<SoftwareModule, Problem> {
    let hex = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    module_of(hex.trim(), profile).map_err(|problem| format!("{}: {problem}", path.display()))
}

fn module_of(hex: &str, profile: Profile) -> Result<SoftwareModule, Problem> {
    let bytes: Option<Zeroizing<Vec<u8>>> = (hex.len() == 64 && hex.is_ascii())
        .then(|| {
            (0..32)
                .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).ok())
                .collect::<Option<Vec<u8>>>()
                .map(Zeroizing::new)
        })
        .flatten();
    let key: [u8; 32] = bytes
        .and_then(|bytes| bytes.as_slice().try_into().ok())
        .ok_or("must be 64 hex characters")?;
    if key == [0; 32] {
        return Err("all zeros".to_owned());
    }
    match published_local_master_key(&key) {
        Some(source) if profile == Profile::Production => Err(format!(
            "a test key, {source}: refused under profile = \"production\""
        )),
        _ => Ok(SoftwareModule::new(key)),
    }
}
