//! What every page has in common on the wire: its headers, its files, its language.
//!
//! Every answer carries the same policy, errors too: nothing from elsewhere, no inline script, no frame, nothing kept.

pub mod live;

use axum::Router;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pages::{Lang, served};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// The policy of every page of ours (security reference, C22).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The cookie of the language; it holds nothing else.
const LANGUAGE: &str = "lang";
/// A choice of language is kept for so long, in seconds.
const LANGUAGE_KEPT_S: u32 = 31_536_000;

/// `routes` with the common files and headers.
pub fn site(routes: Router) -> Router {
    routes
        .route("/static/{name}", get(file))
        .layer(middleware::from_fn(headed))
}

async fn file(Path(name): Path<String>) -> Response {
    match served::find(&name) {
        Some(file) => ([(header::CONTENT_TYPE, file.kind)], file.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Adds the headers, and remembers a language that was asked for with `?lang=`.
async fn headed(request: Request, next: Next) -> Response {
    let chosen = query(request.uri().query().unwrap_or_default());
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("x-robots-tag"),
            "noindex, nofollow, noarchive",
        ),
    ] {
        // A page may have a narrower or another one of its own.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if let Some(lang) = chosen {
        let cookie = format!(
            "{LANGUAGE}={}; Path=/; Max-Age={LANGUAGE_KEPT_S}; SameSite=Lax",
            lang.tag()
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    answer
}

/// The visitor's language: what the address asks for, else the cookie, else the browser's first that is ours, else zh-CN.
#[derive(Clone, Copy, Debug)]
pub struct Language(pub Lang);

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asked = query(parts.uri.query().unwrap_or_default());
        let kept = || cookie(&parts.headers, LANGUAGE).and_then(Lang::of);
        let browser = || {
            let header = parts.headers.get(header::ACCEPT_LANGUAGE)?;
            header.to_str().ok().and_then(Lang::of)
        };
        Ok(Self(
            asked.or_else(kept).or_else(browser).unwrap_or_default(),
        ))
    }
}

fn query(query: &str) -> Option<Lang> {
    let mut pairs = query.split('&');
    pairs
        .find_map(|pair| pair.strip_prefix("lang="))
        .and_then(Lang::of)
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}

/// Where a request says that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A page of this site.
    Own,
    /// A page of another one.
    Foreign,
    /// It says nothing: a program, or a browser of long ago.
    Silent,
}

/// Where a request comes from (C21). `Referrer-Policy: no-referrer` makes the `Origin` of forms `null`, so that
/// `Sec-Fetch-Site`, which no page can set, is asked first; without it the `Origin` must name this host.
pub fn origin(headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin
            .split_once("://")
            .is_some_and(|(_, named)| Some(named) == text("host")),
        (None, None) => return Origin::Silent,
    };
    if own { Origin::Own } else { Origin::Foreign }
}

/// `routes` for those only who asked for this machine by a name of its own: whoever came by another one was led here by
/// somebody else's page (C20).
pub fn by_own_name(routes: Router) -> Router {
    routes.layer(middleware::from_fn(own_name))
}

async fn own_name(request: Request, next: Next) -> Response {
    match is_own_name(request.headers()) {
        true => next.run(request).await,
        false => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

fn is_own_name(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.is_some_and(|host| {
        let named = host.rsplit_once(':').map_or(host, |(name, _)| name);
        named == "localhost"
            || host
                .parse::<SocketAddr>()
                .map(|at| at.ip())
                .or_else(|_| host.parse::<IpAddr>())
                .is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for (host, ours) in [
            ("127.0.0.1:7500", true),
            ("localhost:7400", true),
            ("[::1]:7400", true),
            ("rebound.example:7400", false),
            ("127.0.0.1.example:7400", false),
            ("10.0.0.1:7400", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            assert_eq!(is_own_name(&headers), ours, "{host}");
        }
        assert!(!is_own_name(&HeaderMap::new()));
    }
}
