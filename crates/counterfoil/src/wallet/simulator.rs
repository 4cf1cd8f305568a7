//! A wallet of the sandbox: accounts, payment codes, orders and books of its own, behind signed requests.
//!
//! What a request did is on disk before its answer leaves, together with its nonce: a kill loses nothing and repeats nothing.

mod books;
mod fault;
mod page;

pub use books::{Account, AuditError, CODE_LIFE_MS, Placed};
pub use fault::Act;

use super::sandbox::Words;
use super::signing::{
    Answered, Asked, CLIENT, Credentials, NONCE, NONCE_MAX, Refused, SIGNATURE, TIMESTAMP,
    WINDOW_MS,
};
use crate::driver::wall;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use books::{Books, Request};
use fault::Plan;
use serde::Serialize;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest body of a request, in bytes.
const BODY_MAX: usize = 16_384;

/// How the wallet behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may ask, and the secret shared with them.
    pub credentials: Credentials,
    /// Amounts above it need the payer's word, in fen.
    pub password_above_minor: i64,
    /// Where QR codes lead: the address under which the page is reached.
    pub base: String,
    /// How much later a slow answer comes, in milliseconds.
    pub slow_ms: u64,
}

/// The wallet.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    books: Mutex<Books>,
    plan: Mutex<Plan>,
}

impl Simulator {
    /// Opens the wallet in `data`, with its accounts on the first start.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(data: &Path, settings: Settings) -> Result<Self, String> {
        let books = Books::open(data)?;
        Ok(Self(Arc::new(Inner {
            settings,
            books: Mutex::new(books),
            plan: Mutex::default(),
        })))
    }

    /// The interface of providers, and the page of the customers.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/v1/{*rest}", any(asked))
            .with_state(self.clone())
            .merge(page::routes(self.clone()))
            .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX))
    }

    /// Plans a fault for the next `times` occasions, behind the ones already planned.
    pub fn plan(&self, act: Act, times: u32) {
        self.plan_locked().add(act, times);
    }

    /// Forgets the faults that are planned.
    pub fn heal(&self) {
        self.plan_locked().clear();
    }

    /// A fresh payment code of an account; it works once, for [`CODE_LIFE_MS`]. None for an account that is not there.
    ///
    /// # Errors
    /// The disk refused.
    pub fn new_code(&self, account: &str) -> Result<Option<String>, String> {
        told(self.books().new_code(account, wall().0))
    }

    /// The payer says yes to an order; `account` pays one that is shown. False when there is nothing to say yes to.
    ///
    /// # Errors
    /// The disk refused.
    pub fn confirm(&self, number: &str, account: Option<&str>) -> Result<bool, String> {
        if self
            .plan_locked()
            .take(|act| act == Act::NeverPay)
            .is_some()
        {
            return Ok(false);
        }
        told(self.books().confirm(number, account, wall().0))
    }

    /// The payer says no to an order. False when there is nothing to say no to.
    ///
    /// # Errors
    /// The disk refused.
    pub fn refuse(&self, number: &str) -> Result<bool, String> {
        told(self.books().refuse(number, wall().0))
    }

    /// The accounts with their balances.
    ///
    /// # Errors
    /// The disk refused.
    pub fn accounts(&self) -> Result<Vec<Account>, String> {
        told(self.books().accounts())
    }

    /// The newest orders, at most `count`.
    ///
    /// # Errors
    /// The disk refused.
    pub fn orders(&self, count: u32) -> Result<Vec<Placed>, String> {
        told(self.books().orders(count))
    }

    /// One order.
    ///
    /// # Errors
    /// The disk refused.
    pub fn order(&self, number: &str) -> Result<Option<Placed>, String> {
        told(self.books().placed(number))
    }

    /// Holds every order against the entries of the books.
    ///
    /// # Errors
    /// What does not agree.
    pub fn audit(&self) -> Result<(), AuditError> {
        self.books().audit()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan_locked(&self) -> MutexGuard<'_, Plan> {
        self.0.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a request comes to: the words of its answer, or why it is not taken, with the nonce that the answer names.
    fn take(&self, asked: &Asked<'_>, signature: &str) -> Result<Words, Refused> {
        let credentials = &self.0.settings.credentials;
        let known = asked.client == credentials.client && !asked.nonce.is_empty();
        if !known || asked.nonce.len() > NONCE_MAX {
            return Err(Refused::UnknownClient);
        }
        if !asked.is_signed(&credentials.secret, signature) {
            return Err(Refused::BadSignature);
        }
        let now_ms = wall().0;
        if now_ms.saturating_sub(asked.at_ms).saturating_abs() > WINDOW_MS {
            return Err(Refused::ClockSkew {
                provider_ms: now_ms,
            });
        }
        let request = Request::read(asked.method, asked.path, asked.body);
        let never_pays = request.as_ref().is_some_and(Request::pays)
            && self
                .plan_locked()
                .take(|act| act == Act::NeverPay)
                .is_some();
        let terms = books::Terms {
            now_ms,
            password_above_minor: match never_pays {
                true => 0,
                false => self.0.settings.password_above_minor,
            },
            base: &self.0.settings.base,
        };
        let done = self.books().perform(asked.nonce, request.as_ref(), &terms);
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "the wallet's disk refused");
            Err(Refused::Busy)
        })
    }
}

fn told<T>(done: rusqlite::Result<T>) -> Result<T, String> {
    done.map_err(|error| error.to_string())
}

/// One signed request.
async fn asked(
    State(wallet): State<Simulator>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fails = |act| matches!(act, Act::Fail);
    if wallet.plan_locked().take(fails).is_some() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let path = uri.path().to_owned();
    let served = wallet.clone();
    let done = tokio::task::spawn_blocking(move || {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let asked = Asked {
            client: header(CLIENT),
            method: method.as_str(),
            path: &path,
            at_ms: header(TIMESTAMP).parse().unwrap_or_default(),
            nonce: header(NONCE),
            body: &body,
        };
        let pays = path.ends_with("/pay");
        let said = served.take(&asked, header(SIGNATURE));
        (pays, served.answer(&said, asked.nonce))
    });
    let Ok((pays, answer)) = done.await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let later = |act| match act {
        Act::LoseAnswer | Act::Slow => true,
        Act::LosePaidAnswer => pays,
        Act::Fail | Act::NeverPay => false,
    };
    let act = wallet.plan_locked().take(later);
    match act {
        Some(Act::LoseAnswer | Act::LosePaidAnswer) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        Some(Act::Slow) => {
            tokio::time::sleep(Duration::from_millis(wallet.0.settings.slow_ms)).await;
            answer
        }
        _ => answer,
    }
}

impl Simulator {
    /// The answer, signed unless who asked is not known to have our secret.
    fn answer(&self, said: &Result<Words, Refused>, nonce: &str) -> Response {
        let (status, body) = match said {
            Ok(words) => (200, json(words)),
            Err(refused) => (refused.status(), json(refused)),
        };
        let status_code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let kind = (HeaderName::from_static("content-type"), "application/json");
        if matches!(said, Err(Refused::UnknownClient | Refused::BadSignature)) {
            return (status_code, [kind], body).into_response();
        }
        let at_ms = wall().0;
        let answered = Answered {
            status,
            nonce,
            at_ms,
            body: body.as_bytes(),
        };
        let signature = answered.signature(&self.0.settings.credentials.secret);
        let mut answer = (status_code, [kind], body).into_response();
        for (name, value) in [
            (TIMESTAMP, at_ms.to_string()),
            (NONCE, nonce.to_owned()),
            (SIGNATURE, signature),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                let name = HeaderName::from_static(name);
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values become JSON")
}
