//! How requests to the sandbox's wallet and its answers are signed: HMAC-SHA256 over all that matters, each line by line.
//!
//! A request is taken once: its second must be near the provider's clock, and its nonce new. An answer names the nonce of its
//! request, so no answer can stand for another one. `docs/wallet.md` has the scheme with a worked example.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// First line of everything that is signed.
pub const SCHEME: &str = "counterfoil-wallet-1";
/// Header with the name of who asks.
pub const CLIENT: &str = "wallet-client";
/// Header with the sender's clock, in milliseconds since the Unix epoch.
pub const TIMESTAMP: &str = "wallet-timestamp";
/// Header with the request's nonce; an answer repeats it.
pub const NONCE: &str = "wallet-nonce";
/// Header with the signature, base64.
pub const SIGNATURE: &str = "wallet-signature";
/// How far the clocks of both sides may be apart, in milliseconds.
pub const WINDOW_MS: i64 = 60_000;
/// Longest nonce.
pub const NONCE_MAX: usize = 64;

/// Who asks, and the secret shared with the provider.
#[derive(Clone)]
pub struct Credentials {
    /// Its name at the provider.
    pub client: String,
    /// The secret.
    pub secret: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, secret masked)", self.client)
    }
}

/// Why a provider does not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum Refused {
    /// Nobody of this name, or headers are missing.
    UnknownClient,
    /// The signature is wrong.
    BadSignature,
    /// The clocks of both sides are too far apart.
    ClockSkew {
        /// The provider's clock, in milliseconds since the Unix epoch.
        provider_ms: i64,
    },
    /// This nonce has been here already.
    NonceReused,
    /// The request is not understood, or contradicts an earlier one of the same number.
    Malformed,
    /// Too much at the moment.
    Busy,
}

impl Refused {
    /// The HTTP status it comes with.
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownClient | Self::BadSignature | Self::ClockSkew { .. } => 401,
            Self::NonceReused => 409,
            Self::Malformed => 400,
            Self::Busy => 503,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownClient => f.write_str("it does not know us"),
            Self::BadSignature => f.write_str("our signature is wrong"),
            Self::ClockSkew { provider_ms } => {
                write!(f, "our clock is too far from its own, {provider_ms} ms")
            }
            Self::NonceReused => f.write_str("this request was here already"),
            Self::Malformed => f.write_str("it does not understand the request"),
            Self::Busy => f.write_str("it is too busy"),
        }
    }
}

/// A request to be signed or checked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The header [`CLIENT`].
    pub client: &'a str,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// With the leading slash; there is never a query.
    pub path: &'a str,
    /// The header [`TIMESTAMP`].
    pub at_ms: i64,
    /// The header [`NONCE`].
    pub nonce: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Asked<'_> {
    fn text(&self) -> String {
        format!(
            "{SCHEME}\nrequest\n{}\n{}\n{}\n{}\n{}\n{}",
            self.client,
            self.method,
            self.path,
            self.at_ms,
            self.nonce,
            digest(self.body)
        )
    }

    /// The header [`SIGNATURE`].
    pub fn signature(&self, secret: &[u8]) -> String {
        sign(secret, &self.text())
    }

    /// Whether this is its signature; compared in constant time.
    pub fn is_signed(&self, secret: &[u8], signature: &str) -> bool {
        verifies(secret, &self.text(), signature)
    }
}

/// An answer to be signed or checked.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// HTTP status.
    pub status: u16,
    /// The nonce of the request.
    pub nonce: &'a str,
    /// The header [`TIMESTAMP`] of the answer.
    pub at_ms: i64,
    /// The body.
    pub body: &'a [u8],
}

impl Answered<'_> {
    fn text(&self) -> String {
        format!(
            "{SCHEME}\nanswer\n{}\n{}\n{}\n{}",
            self.status,
            self.nonce,
            self.at_ms,
            digest(self.body)
        )
    }

    /// The header [`SIGNATURE`].
    pub fn signature(&self, secret: &[u8]) -> String {
        sign(secret, &self.text())
    }

    /// Whether this is its signature; compared in constant time.
    pub fn is_signed(&self, secret: &[u8], signature: &str) -> bool {
        verifies(secret, &self.text(), signature)
    }
}

fn digest(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

fn keyed(secret: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .expect("this construction takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

fn sign(secret: &[u8], text: &str) -> String {
    STANDARD.encode(keyed(secret, text).finalize().into_bytes())
}

fn verifies(secret: &[u8], text: &str, signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature) else {
        return false;
    };
    keyed(secret, text).verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"published sandbox secret";

    fn asked() -> Asked<'static> {
        Asked {
            client: "48500001",
            method: "POST",
            path: "/v1/orders/1/pay",
            at_ms: 1_795_327_402_000,
            nonce: "AAECAwQFBgcICQoLDA0ODw==",
            body: br#"{"amount_minor":1280}"#,
        }
    }

    #[test]
    fn every_part_of_a_request_is_signed() {
        let good = asked();
        let signature = good.signature(SECRET);
        assert!(good.is_signed(SECRET, &signature));
        let changed = [
            Asked {
                client: "48500002",
                ..good
            },
            Asked {
                method: "GET",
                ..good
            },
            Asked {
                path: "/v1/orders/2/pay",
                ..good
            },
            Asked {
                at_ms: good.at_ms + 1,
                ..good
            },
            Asked {
                nonce: "other",
                ..good
            },
            Asked {
                body: b"{}",
                ..good
            },
        ];
        for other in changed {
            assert!(!other.is_signed(SECRET, &signature), "{other:?}");
        }
        assert!(!good.is_signed(b"another secret", &signature));
        for wrong in ["", "=", "AAAA", &signature[1..]] {
            assert!(!good.is_signed(SECRET, wrong), "{wrong}");
        }
    }

    #[test]
    fn every_part_of_an_answer_is_signed_and_no_answer_is_a_request() {
        let good = Answered {
            status: 200,
            nonce: "n",
            at_ms: 5,
            body: b"{}",
        };
        let signature = good.signature(SECRET);
        assert!(good.is_signed(SECRET, &signature));
        let changed = [
            Answered {
                status: 201,
                ..good
            },
            Answered { nonce: "m", ..good },
            Answered { at_ms: 6, ..good },
            Answered {
                body: b"[]",
                ..good
            },
        ];
        for other in changed {
            assert!(!other.is_signed(SECRET, &signature), "{other:?}");
        }
        assert!(!asked().is_signed(SECRET, &signature));
    }

    /// The worked example of `docs/wallet.md`, computed once with OpenSSL.
    #[test]
    fn the_example_of_the_page() {
        let signature = "4Lsp9bAk3xqTTheC+vISNAT1ISMZm7IS89E0za4QBT8=";
        assert_eq!(asked().signature(SECRET), signature);
        assert!(include_str!("../../../../docs/wallet.md").contains(signature));
    }
}
