//! Who asks: one browser, known by a cookie that holds nothing; a form counts only when it is ours and comes from our page.
//!
//! Three walls before an order: the name that the browser asked for is this machine's, the request says that it comes from
//! our own page, and the form carries a token that only a page shown to this browser has (security reference C20–C23).

use crate::driver::random;
use crate::web::{self, Origin};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The cookie.
const COOKIE: &str = "till";
/// Digits of the cookie and of a token.
const DIGITS: usize = 32;

/// A browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    id: String,
    fresh: bool,
}

impl Visitor {
    /// The browser that asks, or a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let known = web::cookie(headers, COOKIE)
            .filter(|id| id.len() == DIGITS && id.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match known {
            Some(id) => Self {
                id: id.to_owned(),
                fresh: false,
            },
            None => Self {
                id: digits(&random()),
                fresh: true,
            },
        }
    }

    /// What it is called.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The token of its forms.
    pub(super) fn token(&self, key: &[u8; 32]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(&self.id));
        mac.map_or_else(
            |_| String::new(),
            |mac| digits(&mac.finalize().into_bytes()),
        )
    }

    /// `page` with the cookie, where the browser has none yet.
    pub(super) fn greet(&self, page: impl IntoResponse) -> Response {
        let mut answer = page.into_response();
        let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", self.id);
        if let (true, Ok(cookie)) = (self.fresh, HeaderValue::from_str(&cookie)) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }

    /// Refuses an order that is not from a form of ours.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        key: &[u8; 32],
        token: &str,
    ) -> Result<(), Stranger> {
        let expected = self.token(key);
        let equal = !self.fresh && !expected.is_empty() && same(&expected, token);
        match equal && web::origin(headers) != Origin::Foreign {
            true => Ok(()),
            false => Err(Stranger),
        }
    }
}

/// A form that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stranger;

impl From<Stranger> for Response {
    fn from(_: Stranger) -> Self {
        let words = "这个页面已过期，请返回收银台重试，没有收款。\nThis form is not from this till's page: go back and try again. Nothing was charged.\n";
        (StatusCode::FORBIDDEN, words).into_response()
    }
}

/// Compared without telling by its time how much of it was right.
fn same(expected: &str, given: &str) -> bool {
    let pairs = expected.bytes().zip(given.bytes());
    expected.len() == given.len() && pairs.fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A name for one showing of a page.
pub(super) fn once() -> String {
    digits(&random())
}

fn digits(bytes: &[u8]) -> String {
    let bytes = bytes.iter().take(DIGITS / 2);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (header::HeaderName::from_static(name), value)
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_page() {
        let from = |pairs: &[(&'static str, &str)]| {
            let mut all = vec![("host", "127.0.0.1:7500")];
            all.extend_from_slice(pairs);
            web::origin(&headers(&all)) != Origin::Foreign
        };
        assert!(from(&[]));
        assert!(from(&[
            ("origin", "http://127.0.0.1:7500"),
            ("sec-fetch-site", "same-origin")
        ]));
        // A page that tells nobody where it was says so of itself too.
        assert!(from(&[
            ("origin", "null"),
            ("sec-fetch-site", "same-origin")
        ]));
        for strange in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:7401"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(!from(&[strange]), "{strange:?}");
        }
    }

    #[test]
    fn a_token_is_of_one_browser() {
        let key = [7; 32];
        let known = headers(&[
            ("cookie", "till=00112233445566778899aabbccddeeff"),
            ("host", "127.0.0.1:1"),
        ]);
        let other = headers(&[
            ("cookie", "till=ff112233445566778899aabbccddeeff"),
            ("host", "127.0.0.1:1"),
        ]);
        let visitor = Visitor::of(&known);
        let token = visitor.token(&key);
        assert!(visitor.admit(&known, &key, &token).is_ok());
        assert!(visitor.admit(&known, &key, "").is_err());
        assert!(Visitor::of(&other).admit(&other, &key, &token).is_err());
        // A browser without a cookie was shown no page.
        let fresh = Visitor::of(&headers(&[]));
        assert!(fresh.admit(&known, &key, &fresh.token(&key)).is_err());
    }
}
