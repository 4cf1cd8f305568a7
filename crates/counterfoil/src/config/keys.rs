//! Keys in configuration: `clear:HEX` in a sandbox only, `wrapped:HEX` everywhere.

use super::{Problem, Profile};
use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule, WrappedKey};
use serde::Deserialize;
use std::fmt;

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

    /// The key under the module's local master key.
    pub fn wrap(
        &self,
        module: &dyn SecurityModule,
        profile: Profile,
        usage: KeyUsage,
        name: &str,
    ) -> Result<WrappedKey, Problem> {
        match (self.0.split_once(':'), profile) {
            (Some(("clear", hex)), Profile::Sandbox) => ClearKey::from_hex(hex)
                .and_then(|clear| module.import(usage, &clear))
                .map_err(|error| format!("{name}: {error}")),
            (Some(("clear", _)), Profile::Production) => Err(format!(
                "{name}: a clear key loads only under profile = \"sandbox\""
            )),
            (Some(("wrapped", hex)), _) => {
                let key: WrappedKey =
                    serde_json::from_value(serde_json::Value::String(hex.to_owned()))
                        .map_err(|_| format!("{name}: not a wrapped key"))?;
                if key.usage() == usage {
                    Ok(key)
                } else {
                    Err(format!(
                        "{name}: wrapped for {:?}, not {usage:?}",
                        key.usage()
                    ))
                }
            }
            _ => Err(format!("{name}: must be clear:HEX or wrapped:HEX")),
        }
    }
}

/// The local master key: 64 hex characters, in the file in a sandbox, in a file of its own elsewhere.
pub fn local_master_key(text: &KeyText, profile: Profile) -> Result<SoftwareModule, Problem> {
    let hex = match (text.0.split_once(':'), profile) {
        (Some(("clear", hex)), Profile::Sandbox) => hex.to_owned(),
        (Some(("file", path)), _) => std::fs::read_to_string(path)
            .map_err(|error| format!("local_master_key: {path}: {error}"))?
            .trim()
            .to_owned(),
        _ => {
            return Err(
                "local_master_key: must be clear:HEX in a sandbox, file:PATH elsewhere".to_owned(),
            );
        }
    };
    let bytes: Option<Vec<u8>> = (hex.len() == 64 && hex.is_ascii())
        .then(|| {
            (0..32)
                .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).ok())
                .collect()
        })
        .flatten();
    let key: [u8; 32] = bytes
        .and_then(|b| b.try_into().ok())
        .ok_or("local_master_key: must be 64 hex characters".to_owned())?;
    if key == [0; 32] {
        return Err("local_master_key: all zeros".to_owned());
    }
    Ok(SoftwareModule::new(key))
}
