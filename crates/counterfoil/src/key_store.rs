//! The key store: an installation's keys by name, wrapped by its security module, with who made them and until when they serve.
//!
//! Invariant: the whole file is authenticated under the local master key; no key is clear in it; a generation of a key never changes
//! but for its end.

use crate::ceremony::Anchor;
use crate::config::Problem;
use crypto::{CheckValueLength, KeyCustody, WrappedKey};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Largest store read.
const BYTES_MAX: u64 = 16 * 1_024 * 1_024;
/// Longest name of a key.
const NAME_MAX: usize = 48;
/// Form of the file.
const FORM: u8 = 1;

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Of components, under dual control.
    Components,
    /// Of a key block.
    KeyBlock,
    /// Made inside the module.
    Generated,
}

/// One generation of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// Its name.
    pub name: String,
    /// Counted from 1 by rotation.
    pub generation: u32,
    /// The key, under the local master key.
    pub key: WrappedKey,
    /// Where it came from.
    pub origin: Origin,
    /// Who made it.
    pub by: Vec<String>,
    /// Milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// When it stops serving, in milliseconds since the Unix epoch; a rotated or retired key has one.
    pub ends_ms: Option<i64>,
}

impl StoredKey {
    /// Name and generation, as configuration and log write them.
    pub fn title(&self) -> String {
        format!("{}@{}", self.name, self.generation)
    }

    /// Whether it serves at this time.
    pub fn serves(&self, now_ms: i64) -> bool {
        self.ends_ms.is_none_or(|end| now_ms < end)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    form: u8,
    log: Anchor,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreFile {
    contents: Contents,
    authentication: String,
}

/// The keys of one file.
#[derive(Debug, Default)]
pub struct KeyStore {
    /// How far the ceremony log had come.
    pub log: Anchor,
    keys: Vec<StoredKey>,
}

impl KeyStore {
    /// Reads a store, or says why it is not believed.
    pub fn open(path: &Path, module: &dyn KeyCustody) -> Result<Self, Problem> {
        let problem = |what: String| format!("{}: {what}", path.display());
        let size = fs::metadata(path).map_err(|error| problem(error.to_string()))?;
        if size.len() > BYTES_MAX {
            return Err(problem(format!("more than {BYTES_MAX} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
        let file: StoreFile = serde_json::from_str(&text)
            .map_err(|error| problem(format!("not a key store: {error}")))?;
        if file.contents.form != FORM
            || file.authentication != authenticate(&file.contents, module)?
        {
            return Err(problem(
                "was changed, or belongs to another local master key".to_owned(),
            ));
        }
        Ok(Self {
            log: file.contents.log,
            keys: file.contents.keys,
        })
    }

    /// Reads a store, or begins one when there is no file.
    pub fn open_or_begin(path: &Path, module: &dyn KeyCustody) -> Result<Self, Problem> {
        if path.exists() {
            Self::open(path, module)
        } else {
            Ok(Self::default())
        }
    }

    /// Writes the store whole, beside the old one and then in its place; only its owner can read it.
    pub fn save(&self, path: &Path, module: &dyn KeyCustody) -> Result<(), Problem> {
        let contents = Contents {
            form: FORM,
            log: self.log.clone(),
            keys: self.keys.clone(),
        };
        let file = StoreFile {
            authentication: authenticate(&contents, module)?,
            contents,
        };
        let mut text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
        text.push('\n');
        let half = path.with_extension("half");
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&half)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| fs::rename(&half, path));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Every generation of every key, in the order they were made.
    pub fn keys(&self) -> &[StoredKey] {
        &self.keys
    }

    /// `NAME`, the latest generation, or `NAME@GENERATION`.
    pub fn find(&self, title: &str) -> Result<&StoredKey, Problem> {
        let place = self.place(title)?;
        Ok(&self.keys[place])
    }

    /// Adds the next generation of a key, which is the first when the name is new.
    pub fn add(
        &mut self,
        name: &str,
        key: WrappedKey,
        origin: Origin,
        by: &[String],
        created_ms: i64,
    ) -> Result<&StoredKey, Problem> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
            return Err(format!(
                "name \"{name}\" must be 1 to {NAME_MAX} of a-z, 0-9 and -"
            ));
        }
        let generation = self
            .place(name)
            .map_or(0, |place| self.keys[place].generation)
            + 1;
        self.keys.push(StoredKey {
            name: name.to_owned(),
            generation,
            key,
            origin,
            by: by.to_vec(),
            created_ms,
            ends_ms: None,
        });
        Ok(&self.keys[self.keys.len() - 1])
    }

    /// Gives a generation its end; an earlier one stands.
    pub fn end(&mut self, title: &str, at_ms: i64) -> Result<&StoredKey, Problem> {
        let place = self.place(title)?;
        let key = &mut self.keys[place];
        key.ends_ms = Some(key.ends_ms.map_or(at_ms, |end| end.min(at_ms)));
        Ok(key)
    }

    /// Whether a key of this name was ever here.
    pub fn knows(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    fn place(&self, title: &str) -> Result<usize, Problem> {
        let wanted = |key: &StoredKey| match title.split_once('@') {
            Some((name, generation)) => {
                key.name == name && key.generation.to_string() == generation
            }
            None => key.name == title,
        };
        self.keys
            .iter()
            .rposition(wanted)
            .ok_or_else(|| format!("no key \"{title}\" in the key store"))
    }
}

fn authenticate(contents: &Contents, module: &dyn KeyCustody) -> Result<String, Problem> {
    let text = serde_json::to_vec(contents).map_err(|error| error.to_string())?;
    let mac = module
        .authenticate_store(&text)
        .map_err(|error| error.to_string())?;
    Ok(mac.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// A key's check value as it is shown: three bytes.
pub fn check_value(module: &dyn KeyCustody, key: &WrappedKey) -> Result<String, Problem> {
    module
        .key_check_value(key, CheckValueLength::Three)
        .map(|value| value.to_string())
        .map_err(|error| error.to_string())
}
