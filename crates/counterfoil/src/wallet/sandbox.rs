//! The adapter of the sandbox's wallet: JSON over HTTP, both ways signed after [`super::signing`].
//!
//! An answer counts only when it is signed for this very request; its words are read once, here.

use super::signing::{
    Answered, Asked, CLIENT, Credentials, NONCE, Refused, SIGNATURE, TIMESTAMP, WINDOW_MS,
};
use super::{NUMBER_MAX, NoAnswer, OrderName, WalletProvider};
use crate::driver::{random, wall};
use acquirer::wallet::{Refusal, Voucher, WalletAnswer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::Pan;
use payment::{Amount, CNY, QrText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// Longest time that one request may take, in milliseconds.
pub const ATTEMPT_MS: u64 = 10_000;
/// Longest answer, in bytes.
const ANSWER_MAX: u64 = 16_384;

/// The sandbox's wallet, seen from the acquirer.
#[derive(Debug)]
pub struct SandboxWallet {
    base: String,
    credentials: Credentials,
    agent: Agent,
}

impl SandboxWallet {
    /// An adapter for the wallet at `base`, for instance `http://127.0.0.1:7400`. It speaks no TLS, a local relay does.
    pub fn new(base: &str, credentials: Credentials, attempt_ms: u64) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(attempt_ms)))
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            credentials,
            agent,
        }
    }

    fn ask(&self, order: &OrderName, method: &str, tail: &str, body: Value) -> Said {
        let number = &order.number;
        let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if number.is_empty() || number.len() > NUMBER_MAX || !plain {
            return Err(NoAnswer::NotAsked("not a number of an order".to_owned()));
        }
        let path = format!("/v1/orders/{number}{tail}");
        let body = match method {
            "GET" => String::new(),
            _ => body.to_string(),
        };
        let nonce = STANDARD.encode(&random()[..16]);
        let asked = Asked {
            client: &self.credentials.client,
            method,
            path: &path,
            at_ms: wall().0,
            nonce: &nonce,
            body: body.as_bytes(),
        };
        let answer = self.send(&asked)?;
        self.read(order, &nonce, answer)
    }

    fn send(&self, asked: &Asked<'_>) -> Result<Response<ureq::Body>, NoAnswer> {
        let address = format!("{}{}", self.base, asked.path);
        let at_ms = asked.at_ms.to_string();
        let signature = asked.signature(&self.credentials.secret);
        let headers = [
            (CLIENT, asked.client),
            (TIMESTAMP, &at_ms),
            (NONCE, asked.nonce),
            (SIGNATURE, &signature),
        ];
        let sent = if asked.method == "GET" {
            let request = self.agent.get(&address);
            let with =
                |request: ureq::RequestBuilder<_>, (name, value)| request.header(name, value);
            headers.into_iter().fold(request, with).call()
        } else {
            let request = self.agent.post(&address);
            let with =
                |request: ureq::RequestBuilder<_>, (name, value)| request.header(name, value);
            let request = headers.into_iter().fold(request, with);
            request
                .header("content-type", "application/json")
                .send(asked.body)
        };
        sent.map_err(|error| NoAnswer::Unreachable(error.to_string()))
    }

    fn read(&self, order: &OrderName, nonce: &str, mut answer: Response<ureq::Body>) -> Said {
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let (signature, at_ms) = (header(SIGNATURE), header(TIMESTAMP));
        let at_ms: i64 = at_ms.parse().unwrap_or_default();
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX)
            .read_to_vec();
        let body = body.map_err(|error| NoAnswer::Unreachable(error.to_string()))?;
        let answered = Answered {
            status,
            nonce,
            at_ms,
            body: &body,
        };
        let named = serde_json::from_slice::<Refused>(&body).ok();
        if !answered.is_signed(&self.credentials.secret, &signature) {
            // Whoever does not know our secret cannot sign its refusal either; it is told apart, and believed in nothing.
            return Err(match named {
                Some(why @ (Refused::UnknownClient | Refused::BadSignature)) => {
                    NoAnswer::Refused(why)
                }
                _ => NoAnswer::NotTheirs,
            });
        }
        if let Some(refused) = named {
            return Err(NoAnswer::Refused(refused));
        }
        if (at_ms - wall().0).abs() > WINDOW_MS {
            return Err(NoAnswer::Refused(Refused::ClockSkew { provider_ms: at_ms }));
        }
        let unclear = |what: &str| NoAnswer::Unclear(what.to_owned());
        let words: Words =
            serde_json::from_slice(&body).map_err(|error| unclear(&error.to_string()))?;
        if status != 200 || words.number != order.number {
            return Err(unclear("another order, or a status that is not 200"));
        }
        words
            .meaning()
            .ok_or_else(|| unclear("words that do not go together"))
    }
}

type Said = Result<WalletAnswer, NoAnswer>;

impl WalletProvider for SandboxWallet {
    fn order(&self, order: &OrderName) -> Said {
        self.ask(order, "POST", "", bill(order))
    }

    fn pay_with_code(&self, order: &OrderName, code: &Pan) -> Said {
        let mut body = bill(order);
        body["code"] = String::from_utf8_lossy(code.expose()).into();
        self.ask(order, "POST", "/pay", body)
    }

    fn poll(&self, order: &OrderName) -> Said {
        self.ask(order, "GET", "", Value::Null)
    }

    fn close(&self, order: &OrderName) -> Said {
        self.ask(order, "POST", "/close", bill(order))
    }

    fn revoke(&self, order: &OrderName) -> Said {
        self.ask(order, "POST", "/revoke", bill(order))
    }

    fn refund(&self, order: &OrderName, number: u8, amount: Amount) -> Said {
        let body = json!({ "amount_minor": amount.minor });
        self.ask(order, "POST", &format!("/refunds/{number}"), body)
    }
}

fn bill(order: &OrderName) -> Value {
    json!({
        "merchant": order.merchant,
        "amount_minor": order.amount.minor,
        "currency": order.amount.currency.0,
    })
}

/// An answer as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Words {
    /// The order.
    pub number: String,
    /// How it stands, or how the refund asked for stands.
    pub state: State,
    /// Text of the QR code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub qr: Option<String>,
    /// What was paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount_minor: Option<u64>,
    /// The provider's number of the payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub voucher: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<Why>,
    /// Of a revoked order: something had been paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gave_back: Option<bool>,
    /// Number of the refund.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund: Option<u8>,
}

/// The state of an order, or of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Shown,
    Unpaid,
    UserPaying,
    Paid,
    Closed,
    Declined,
    Revoked,
    NoSuchOrder,
    Refunded,
    RefundRefused,
}

/// Why a payment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Why {
    Code,
    Funds,
    Limit,
    Payer,
    #[serde(other)]
    Other,
}

impl Words {
    fn meaning(self) -> Option<WalletAnswer> {
        Some(match self.state {
            State::Shown => WalletAnswer::Shown(QrText::parse(self.qr?.as_bytes())?),
            State::Unpaid => WalletAnswer::Unpaid,
            State::UserPaying => WalletAnswer::UserPaying,
            State::Paid => WalletAnswer::Paid {
                amount: Amount {
                    minor: self.amount_minor?,
                    currency: CNY,
                },
                voucher: Voucher(self.voucher?.into_bytes().try_into().ok()?),
            },
            State::Closed => WalletAnswer::Closed,
            State::Declined => WalletAnswer::Declined(match self.why? {
                Why::Code => Refusal::Code,
                Why::Funds => Refusal::Funds,
                Why::Limit => Refusal::Limit,
                Why::Payer => Refusal::Payer,
                Why::Other => Refusal::Other,
            }),
            State::Revoked => WalletAnswer::Revoked {
                gave_back: self.gave_back?,
            },
            State::NoSuchOrder => WalletAnswer::NoSuchOrder,
            State::Refunded => WalletAnswer::Refunded {
                number: self.refund?,
            },
            State::RefundRefused => WalletAnswer::RefundRefused {
                number: self.refund?,
            },
        })
    }
}
