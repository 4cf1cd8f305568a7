//! The link parts of every party's file: TLS with certificates on both sides, or the explicit word `plain = true`.
//!
//! A link that says neither, or both, is refused; in production plain is refused beyond loopback as well.

use super::{Problem, Profile};
use crate::link::{Credentials, Inbound, Outbound, Tls};
use rustls::pki_types::ServerName;
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A `[tls]` table. Paths are as they are given, like `data`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsText {
    /// Certificates of the authorities that are believed.
    pub ca: PathBuf,
    /// The own certificate.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub key: PathBuf,
    /// Revocation lists of the authorities.
    pub crl: PathBuf,
    /// The name in the other side's certificate; for a link that connects, and only there.
    pub name: Option<String>,
}

/// One link of a file, checked.
#[derive(Clone, Debug)]
pub struct Link {
    what: &'static str,
    address: SocketAddr,
    protection: Protection,
}

#[derive(Clone, Debug)]
enum Protection {
    Plain,
    Tls(Credentials, Option<ServerName<'static>>),
}

impl Link {
    /// A port that is listened on.
    ///
    /// # Errors
    /// What is wrong with the link.
    pub fn listening(
        what: &'static str,
        address: SocketAddr,
        plain: bool,
        tls: Option<&TlsText>,
        profile: Profile,
    ) -> Result<Self, Problem> {
        if tls.is_some_and(|tls| tls.name.is_some()) {
            return Err(format!(
                "{what}: tls.name is for a link that connects; who connects here is named by certificates"
            ));
        }
        Self::new(what, address, plain, tls, profile)
    }

    /// A port of somebody else that is connected to.
    ///
    /// # Errors
    /// What is wrong with the link.
    pub fn connecting(
        what: &'static str,
        address: SocketAddr,
        plain: bool,
        tls: Option<&TlsText>,
        profile: Profile,
    ) -> Result<Self, Problem> {
        if tls.is_some_and(|tls| tls.name.is_none()) {
            return Err(format!(
                "{what}: tls.name must be the name in the other side's certificate"
            ));
        }
        Self::new(what, address, plain, tls, profile)
    }

    fn new(
        what: &'static str,
        address: SocketAddr,
        plain: bool,
        tls: Option<&TlsText>,
        profile: Profile,
    ) -> Result<Self, Problem> {
        let protection = match (plain, tls) {
            (true, None) if profile == Profile::Production && !address.ip().is_loopback() => {
                return Err(format!(
                    "{what} {address}: plain = true beyond loopback loads only under profile = \"sandbox\""
                ));
            }
            (true, None) => Protection::Plain,
            (false, Some(text)) => {
                let name = text.name.as_ref().map(|name| {
                    ServerName::try_from(name.clone()).map_err(|_| {
                        format!("{what}: tls.name \"{name}\" is no DNS name or address")
                    })
                });
                let credentials = Credentials {
                    ca: text.ca.clone(),
                    certificate: text.certificate.clone(),
                    key: text.key.clone(),
                    crl: text.crl.clone(),
                };
                Protection::Tls(credentials, name.transpose()?)
            }
            (false, None) => {
                return Err(format!(
                    "{what} {address}: a tls table is missing; plain TCP needs the words plain = true"
                ));
            }
            (true, Some(_)) => {
                return Err(format!(
                    "{what} {address}: either a tls table or plain = true, not both"
                ));
            }
        };
        Ok(Self {
            what,
            address,
            protection,
        })
    }

    /// Reads the files that it names.
    ///
    /// # Errors
    /// The first that is not taken.
    pub fn check(&self) -> Result<(), Problem> {
        match &self.protection {
            Protection::Plain => Ok(()),
            Protection::Tls(credentials, _) => {
                credentials.check().map_err(|error| self.named(&error))
            }
        }
    }

    /// Opens a port's protection. Must be called on the runtime.
    ///
    /// # Errors
    /// The first file that is not taken.
    pub fn inbound(&self) -> Result<Inbound, Problem> {
        match &self.protection {
            Protection::Plain => Ok(Inbound::Plain),
            Protection::Tls(credentials, _) => self.open(credentials).map(Inbound::Tls),
        }
    }

    /// Opens a connection's protection. Must be called on the runtime.
    ///
    /// # Errors
    /// The first file that is not taken.
    pub fn outbound(&self) -> Result<Outbound, Problem> {
        match &self.protection {
            Protection::Plain => Ok(Outbound::Plain),
            Protection::Tls(credentials, Some(name)) => self
                .open(credentials)
                .map(|tls| Outbound::Tls(tls, name.clone())),
            Protection::Tls(_, None) => Err(format!("{}: tls.name is missing", self.what)),
        }
    }

    fn open(&self, credentials: &Credentials) -> Result<Tls, Problem> {
        Tls::open(credentials.clone()).map_err(|error| self.named(&error))
    }

    fn named(&self, error: &dyn fmt::Display) -> Problem {
        format!("{} {}: {error}", self.what, self.address)
    }

    /// What `config check` says of it.
    pub fn told(&self, zh: bool) -> String {
        let Self { what, address, .. } = self;
        match (&self.protection, zh) {
            (Protection::Plain, true) => format!("{what} {address}：明文 TCP，不加密，不认证"),
            (Protection::Plain, false) => {
                format!("{what} {address}: plain TCP, not encrypted, nobody is authenticated")
            }
            (Protection::Tls(..), true) => format!("{what} {address}：TLS 1.3，双向认证"),
            (Protection::Tls(..), false) => {
                format!("{what} {address}: TLS 1.3, both sides are authenticated")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_says_how_it_is_protected() {
        let tls = |name: Option<&str>| TlsText {
            ca: "ca.pem".into(),
            certificate: "own.pem".into(),
            key: "own.key".into(),
            crl: "crl.pem".into(),
            name: name.map(str::to_owned),
        };
        let (near, far) = ("127.0.0.1:1", "10.0.0.1:1");
        let (sandbox, production) = (Profile::Sandbox, Profile::Production);
        let (nameless, named) = (tls(None), tls(Some("network.example")));
        for (listening, address, plain, tls, profile, expected) in [
            (true, near, true, None, sandbox, "plain TCP"),
            (true, far, true, None, sandbox, "plain TCP"),
            (true, near, true, None, production, "plain TCP"),
            (true, far, true, None, production, "only under profile"),
            (false, far, true, None, production, "only under profile"),
            (true, near, false, None, sandbox, "plain = true"),
            (false, near, false, None, sandbox, "plain = true"),
            (true, near, true, Some(&nameless), sandbox, "not both"),
            (true, far, false, Some(&nameless), production, "TLS 1.3"),
            (true, far, false, Some(&named), production, "tls.name"),
            (false, far, false, Some(&nameless), production, "tls.name"),
            (false, far, false, Some(&named), production, "TLS 1.3"),
        ] {
            let make = if listening {
                Link::listening
            } else {
                Link::connecting
            };
            let address = address.parse().expect("an address");
            let made = make("listen", address, plain, tls, profile);
            let said = made.map_or_else(|problem| problem, |link| link.told(false));
            assert!(said.contains(expected), "{said}, not {expected}");
        }
    }
}
