//! The network's file.

use super::keys::{KeyText, Keyring};
use super::link::{Link, TlsText};
use super::security::{PartyModule, SecurityText};
use super::{Problem, Profile, institution};
use ::network::{Config, Member, Route};
use crypto::KeyUsage;
use payment::relay::Gaps;
use payment::timeouts::Ladder;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFile {
    /// Sandbox or production.
    pub profile: Profile,
    /// Directory of journal and archive.
    pub data: PathBuf,
    /// The collector that spans of every loop are posted to (OTLP over HTTP); without one there are none.
    pub traces: Option<String>,
    /// Keeps the archive beside the journal up to date while it runs.
    #[serde(default = "super::yes")]
    pub archive: bool,
    /// Key of the software module.
    pub local_master_key: Option<KeyText>,
    /// The token, instead of the software module.
    pub security: Option<SecurityText>,
    /// The key store that `store:NAME` speaks of; production takes no other keys.
    pub key_store: Option<PathBuf>,
    /// Where members connect.
    pub listen: SocketAddr,
    /// How members are protected: this table, or `plain`.
    pub tls: Option<TlsText>,
    /// Members connect over plain TCP, said explicitly.
    #[serde(default)]
    pub plain: bool,
    /// The loopback control port.
    pub control: SocketAddr,
    /// Its own code.
    pub institution: String,
    /// The time-out ladder.
    #[serde(default)]
    pub timeouts: Ladder,
    /// Milliseconds between attempts at a reversal.
    #[serde(default = "gaps")]
    pub reversal_gaps_ms: Vec<u64>,
    /// `hhmm`, China time, from which field 15 names the next day.
    #[serde(default = "cutover")]
    pub cutover: u16,
    /// Members.
    pub members: Vec<MemberText>,
    /// Which cards belong to whom.
    pub routes: Vec<RouteText>,
}

/// A member.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberText {
    /// Its code.
    pub institution: String,
    /// Its name in zh-CN.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Key-encrypting key shared with it.
    pub kek: KeyText,
    /// `aes-cmac` or `x9.19`.
    #[serde(default = "mac")]
    pub mac: String,
}

/// A route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteText {
    /// First digits of the card number.
    pub prefix: String,
    /// The member that issued it.
    pub issuer: String,
}

fn gaps() -> Vec<u64> {
    Gaps::default().0
}

const fn cutover() -> u16 {
    2_300
}

fn mac() -> String {
    "aes-cmac".to_owned()
}

impl NetworkFile {
    /// The port for members.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn link(&self) -> Result<Link, Problem> {
        let tls = self.tls.as_ref();
        Link::listening("listen", self.listen, self.plain, tls, self.profile)
    }

    /// The party's configuration and its security module, or the first thing that is wrong.
    pub fn resolve(&self) -> Result<(Config, PartyModule), Problem> {
        self.traces.as_deref().map(super::collector).transpose()?;
        self.timeouts.check().map_err(|error| error.to_string())?;
        if self.cutover >= 2_400 || self.cutover % 100 >= 60 {
            return Err(format!(
                "cutover = {} is not a time of day hhmm",
                self.cutover
            ));
        }
        let keys = Keyring::open(
            self.local_master_key.as_ref(),
            self.security.as_ref(),
            self.profile,
            self.key_store.as_deref(),
        )?;
        let mut config = Config::new(institution(&self.institution)?);
        config.network_timeout_ms = self.timeouts.network_ms;
        config.gaps = Gaps(self.reversal_gaps_ms.clone());
        config.cutover = self.cutover;
        for text in &self.members {
            let name = format!("members.kek of {}", text.institution);
            config.members.push(Member {
                institution: institution(&text.institution)?,
                kek: text.kek.load(&keys, KeyUsage::HostMaster, &name)?,
                mac: text
                    .mac
                    .parse()
                    .map_err(|_| format!("mac \"{}\" is not aes-cmac or x9.19", text.mac))?,
                name_zh: text.name_zh.clone(),
                name_en: text.name_en.clone(),
            });
        }
        for text in &self.routes {
            let issuer = institution(&text.issuer)?;
            let digits = !text.prefix.is_empty()
                && text.prefix.len() <= 19
                && text.prefix.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                return Err(format!(
                    "route prefix \"{}\" must be 1 to 19 digits",
                    text.prefix
                ));
            }
            if !config
                .members
                .iter()
                .any(|member| member.institution == issuer)
            {
                return Err(format!(
                    "route \"{}\" names the unknown member \"{}\"",
                    text.prefix, text.issuer
                ));
            }
            config.routes.push(Route {
                bin_prefix: text.prefix.clone(),
                issuer,
            });
        }
        Ok((config, keys.module))
    }
}
