//! The acquirer's file.

use super::downloads::DownloadsFile;
use super::issuer::WebhookText;
use super::keys::{KeyText, Keyring};
use super::link::{Link, TlsText};
use super::security::{PartyModule, SecurityText};
use super::{ConfigError, Problem, Profile, institution, merchant_id, terminal_range};
use crate::wallet::signing::Credentials;
use ::acquirer::wallet::Rules;
use ::acquirer::{Config, MerchantSetup, TerminalSetup};
use crypto::{KeyUsage, SecurityModule};
use payment::Percents;
use payment::certificate::KeyId;
use payment::download::Offer;
use payment::relay::Gaps;
use payment::timeouts::Ladder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerFile {
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
    /// Where terminals connect.
    pub listen: SocketAddr,
    /// How terminals are protected: this table, or `plain`.
    pub tls: Option<TlsText>,
    /// Terminals connect over plain TCP, said explicitly.
    #[serde(default)]
    pub plain: bool,
    /// The loopback control port that `counterfoil where` asks.
    pub control: SocketAddr,
    /// Its own code.
    pub institution: String,
    /// The link to the network.
    pub network: MemberLink,
    /// The time-out ladder.
    #[serde(default)]
    pub timeouts: Ladder,
    /// Milliseconds between attempts at a reversal; the last repeats for ever.
    #[serde(default = "gaps")]
    pub reversal_gaps_ms: Vec<u64>,
    /// How far completions and adjustments may go beyond their original.
    #[serde(default)]
    pub percents: Percents,
    /// Milliseconds until an unconfirmed approval becomes a one-sided item.
    #[serde(default = "confirm_within_ms")]
    pub confirm_within_ms: u64,
    /// Where e-slips are served, loopback only: what faces the public stands before it.
    pub eslip_listen: Option<SocketAddr>,
    /// Where the desk is served (console, merchants' portal, API), loopback only.
    pub desk_listen: Option<SocketAddr>,
    /// Requests that each key of the API may make in a minute.
    #[serde(default = "api_per_minute")]
    pub api_per_minute: u32,
    /// Data directories of other parties whose archives the desk may read: in a sandbox, where all are on one machine.
    #[serde(default)]
    pub desk_reads: Vec<PathBuf>,
    /// Below which public address e-slips are found; messages to cardholders carry it.
    pub eslip: Option<String>,
    /// Signs outcome certificates; without it there are none.
    pub certificate_key: Option<KeyText>,
    /// The wallet that scanned codes are sent to; without one they are not taken.
    pub wallet: Option<WalletText>,
    /// The gateway that sends links to telephones.
    pub sms: Option<WebhookText>,
    /// The gateway that sends links to mailboxes.
    pub mail: Option<WebhookText>,
    /// What terminals download, a path from this file's folder; without it they download nothing.
    pub downloads: Option<PathBuf>,
    /// What [`AcquirerFile::read`] found there.
    #[serde(skip)]
    pub offer: Offer,
    /// Merchants.
    pub merchants: Vec<MerchantText>,
    /// Terminals.
    pub terminals: Vec<TerminalText>,
}

/// A link to the network, as a member's file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberLink {
    /// The network's code.
    pub institution: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How the link is protected: this table, or `plain`.
    pub tls: Option<TlsText>,
    /// The link is plain TCP, said explicitly.
    #[serde(default)]
    pub plain: bool,
    /// Key-encrypting key shared with it.
    pub kek: KeyText,
    /// `aes-cmac` or `x9.19`.
    #[serde(default = "mac")]
    pub mac: String,
}

/// A wallet's provider, as the file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletText {
    /// `http://…`; a local relay speaks TLS.
    pub url: String,
    /// Our name there.
    pub client: String,
    /// The secret shared with it.
    pub secret: KeyText,
    /// Milliseconds between two polls, 3,000 to 5,000.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
    /// Milliseconds until an unpaid presented code is given up.
    #[serde(default = "pay_within_ms")]
    pub pay_within_ms: u64,
    /// Milliseconds until an unpaid shown order is given up.
    #[serde(default = "scan_within_ms")]
    pub scan_within_ms: u64,
    /// Milliseconds before which no order is revoked, at least 15,000.
    #[serde(default = "revoke_after_ms")]
    pub revoke_after_ms: u64,
}

impl WalletText {
    /// Name and secret.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            client: self.client.clone(),
            secret: self.secret.reveal().as_bytes().to_vec(),
        }
    }

    /// The times; shorter ones than the published rules allow are for a sandbox (product reference §0, finding 5).
    ///
    /// # Errors
    /// A time that the rules forbid.
    pub fn rules(&self, profile: Profile) -> Result<Rules, Problem> {
        let rules = Rules {
            poll_ms: self.poll_ms,
            pay_within_ms: self.pay_within_ms,
            scan_within_ms: self.scan_within_ms,
            revoke_after_ms: self.revoke_after_ms,
            ..Rules::default()
        };
        let published = (3_000..=5_000).contains(&rules.poll_ms) && rules.revoke_after_ms >= 15_000;
        if profile == Profile::Production && !published {
            return Err(
                "wallet: poll_ms must be 3000 to 5000, and revoke_after_ms at least 15000"
                    .to_owned(),
            );
        }
        if rules.poll_ms == 0
            || rules.pay_within_ms < rules.poll_ms
            || rules.scan_within_ms < rules.poll_ms
        {
            return Err("wallet: poll_ms must be more than 0 and less than pay_within_ms and scan_within_ms".to_owned());
        }
        Ok(rules)
    }
}

fn poll_ms() -> u64 {
    Rules::DEFAULT.poll_ms
}

fn pay_within_ms() -> u64 {
    Rules::DEFAULT.pay_within_ms
}

fn scan_within_ms() -> u64 {
    Rules::DEFAULT.scan_within_ms
}

fn revoke_after_ms() -> u64 {
    Rules::DEFAULT.revoke_after_ms
}

/// A merchant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantText {
    /// Field 42.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Field 18.
    pub category: u16,
}

/// A terminal, or a range of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalText {
    /// Field 41 of the first.
    pub id: String,
    /// How many, counting up.
    #[serde(default = "one")]
    pub count: u32,
    /// Their merchant.
    pub merchant: String,
    /// Their master key.
    pub tmk: KeyText,
    /// They speak the result query and the positive sign.
    #[serde(default = "super::yes")]
    pub extended: bool,
    /// Largest amount of one sale, in fen.
    #[serde(default = "amount_minor_max")]
    pub amount_minor_max: u64,
}

fn gaps() -> Vec<u64> {
    Gaps::default().0
}

const fn api_per_minute() -> u32 {
    crate::desk::api::REQUESTS_PER_MINUTE
}

const fn confirm_within_ms() -> u64 {
    180_000
}

const fn one() -> u32 {
    1
}

const fn amount_minor_max() -> u64 {
    5_000_000
}

fn mac() -> String {
    "aes-cmac".to_owned()
}

impl MemberLink {
    /// The link to the network.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn link(&self, profile: Profile) -> Result<Link, Problem> {
        let tls = self.tls.as_ref();
        Link::connecting("network", self.address, self.plain, tls, profile)
    }

    /// MAC algorithm, key and code.
    pub fn resolve(
        &self,
        keys: &Keyring,
    ) -> Result<
        (
            payment::Institution,
            crypto::WrappedKey,
            crypto::MacAlgorithm,
        ),
        Problem,
    > {
        let kek = self.kek.load(keys, KeyUsage::HostMaster, "network.kek")?;
        let mac = self
            .mac
            .parse()
            .map_err(|_| format!("network.mac \"{}\" is not aes-cmac or x9.19", self.mac))?;
        Ok((institution(&self.institution)?, kek, mac))
    }
}

impl AcquirerFile {
    /// Reads the file, and the one that says what terminals download.
    ///
    /// # Errors
    /// The file that is not taken, and why.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut file: Self = super::read(path)?;
        if let Some(downloads) = &file.downloads {
            let downloads = path.parent().unwrap_or(Path::new("")).join(downloads);
            let text: DownloadsFile = super::read(&downloads)?;
            file.offer = text.resolve().map_err(|problem| ConfigError {
                file: downloads,
                problem,
            })?;
        }
        Ok(file)
    }

    /// The port for terminals.
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
        if self.confirm_within_ms <= self.timeouts.terminal_ms {
            return Err(format!(
                "confirm_within_ms = {} must be more than timeouts.terminal_ms = {}",
                self.confirm_within_ms, self.timeouts.terminal_ms
            ));
        }
        let keys = Keyring::open(
            self.local_master_key.as_ref(),
            self.security.as_ref(),
            self.profile,
            self.key_store.as_deref(),
        )?;
        let (network, kek, mac) = self.network.resolve(&keys)?;
        let mut merchants = BTreeMap::new();
        for text in &self.merchants {
            merchants.insert(
                merchant_id(&text.id)?,
                MerchantSetup {
                    name: text.name.clone(),
                    category: text.category,
                },
            );
        }
        let mut terminals = BTreeMap::new();
        for text in &self.terminals {
            let merchant = merchant_id(&text.merchant)?;
            if !merchants.contains_key(&merchant) {
                return Err(format!(
                    "terminal \"{}\" names the unknown merchant \"{}\"",
                    text.id, text.merchant
                ));
            }
            let tmk = text
                .tmk
                .load(&keys, KeyUsage::TerminalMaster, "terminals.tmk")?;
            for id in terminal_range(&text.id, text.count)? {
                let setup = TerminalSetup {
                    merchant,
                    tmk,
                    extended: text.extended,
                    amount_minor_max: text.amount_minor_max,
                };
                if terminals.insert(id, setup).is_some() {
                    return Err(format!(
                        "terminal \"{id}\" is named twice; one terminal belongs to one merchant"
                    ));
                }
            }
        }
        let certificates = match &self.certificate_key {
            Some(text) => {
                let key = text.load(&keys, KeyUsage::Certificate, "certificate_key")?;
                let public = keys
                    .module
                    .certificate_key(&key)
                    .map_err(|e| e.to_string())?;
                Some(KeyId::of(&public))
            }
            None => None,
        };
        if self.api_per_minute == 0 {
            return Err("api_per_minute must be more than 0".to_owned());
        }
        for (key, address) in [
            ("eslip_listen", self.eslip_listen),
            ("desk_listen", self.desk_listen),
        ] {
            if address.is_some() && !self.archive {
                return Err(format!("{key} needs archive = true: its pages read it"));
            }
        }
        if self.profile == Profile::Production && !self.desk_reads.is_empty() {
            return Err(
                "desk_reads: in production nobody reads another party's archive".to_owned(),
            );
        }
        let wallet = self
            .wallet
            .as_ref()
            .map(|wallet| wallet.rules(self.profile))
            .transpose()?;
        let config = Config {
            institution: institution(&self.institution)?,
            network,
            kek,
            mac,
            ladder: self.timeouts,
            gaps: Gaps(self.reversal_gaps_ms.clone()),
            confirm_within_ms: self.confirm_within_ms,
            percents: self.percents,
            wallet,
            certificates,
            offer: self.offer.clone(),
            merchants,
            terminals,
        };
        Ok((config, keys.module))
    }
}
