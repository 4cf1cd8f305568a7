//! What stands before every page: who comes, whether they may, and whether the request is their own wish.
//!
//! Invariants: no session, no page; a role without the permission gets 403; a request that changes something carries the
//! session's token and comes from a page of this site, whatever the cookie says (security reference, C20, C21, C23).

use super::store::{People, same_token};
use super::{Permission, Session, page};
use crate::config::Profile;
use crate::web::{self, Language, Origin};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};

/// Largest form.
pub const FORM_BYTES_MAX: usize = 64 * 1_024;
/// Where a second factor is set up: all that a session without one may see.
pub(super) const SECOND_FACTOR: &str = "/account/second-factor";
/// The way out is open to everybody.
pub(super) const SIGN_OUT: &str = "/logout";

#[derive(Clone)]
struct Gate {
    people: People,
    permission: Permission,
}

impl People {
    /// `routes` for those only who hold `permission`; handlers find [`super::Person`] and [`Session`] as extensions.
    /// Everybody else is sent to the sign-in, or refused.
    pub fn guard(&self, routes: Router, permission: Permission) -> Router {
        let gate = Gate {
            people: self.clone(),
            permission,
        };
        routes.route_layer(middleware::from_fn_with_state(gate, check))
    }

    /// The cookie's name: with the prefix that browsers tie to TLS and this host, where there is TLS.
    pub(super) fn cookie_name(&self) -> &'static str {
        match self.profile() {
            Profile::Production => "__Host-session",
            Profile::Sandbox => "session",
        }
    }

    /// The cookie that keeps a session, or ends it.
    pub(super) fn cookie(&self, id: Option<&str>) -> HeaderValue {
        let secure = match self.profile() {
            Profile::Production => "; Secure",
            Profile::Sandbox => "",
        };
        let (id, ends) = id.map_or(("", "; Max-Age=0"), |id| (id, ""));
        let name = self.cookie_name();
        HeaderValue::from_str(&format!(
            "{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}{ends}"
        ))
        .expect("an id is hex")
    }
}

/// What the cookie of a request says.
pub(crate) enum Admitted {
    /// It is this session.
    Session(Session),
    /// None that counts.
    Nobody,
    /// It could not be looked up.
    Trouble(String),
}

/// The session that a request came with.
pub(crate) async fn admit(people: &People, headers: &HeaderMap) -> Admitted {
    let Some(id) = web::cookie(headers, people.cookie_name()) else {
        return Admitted::Nobody;
    };
    let (people, id) = (people.clone(), id.to_owned());
    match page::blocking(move || people.session(&id)).await {
        Ok(Some(session)) => Admitted::Session(session),
        Ok(None) => Admitted::Nobody,
        Err(trouble) => Admitted::Trouble(trouble.to_string()),
    }
}

async fn check(
    State(Gate { people, permission }): State<Gate>,
    Language(lang): Language,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let session = match admit(&people, request.headers()).await {
        Admitted::Session(session) => session,
        Admitted::Nobody => return to_sign_in(&request),
        Admitted::Trouble(problem) => return page::trouble(lang, &path, &problem),
    };
    let mut request = match own_wish(&session, request).await {
        Ok(request) => request,
        Err(status) => return page::forged(lang, &path, status),
    };
    let open_to_all = path == SECOND_FACTOR || path == SIGN_OUT;
    if !session.strong && !open_to_all {
        return Redirect::to(SECOND_FACTOR).into_response();
    }
    if !session.person.role.may(permission) {
        return page::forbidden(lang, &path);
    }
    request.extensions_mut().insert(session.person.clone());
    request.extensions_mut().insert(session);
    next.run(request).await
}

/// Sends to the sign-in, and back here afterwards.
fn to_sign_in(request: &Request) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let here = request.uri().path_and_query().filter(|_| reads);
    let here = here.map_or(String::new(), |here| {
        format!("?next={}", encoded(here.as_str()))
    });
    Redirect::to(&format!("/login{here}")).into_response()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// The request as it came, when it only reads, or comes from a page of ours with the session's token.
async fn own_wish(session: &Session, request: Request) -> Result<Request, StatusCode> {
    if request.method().is_safe() {
        return Ok(request);
    }
    if web::origin(request.headers()) != Origin::Own {
        return Err(StatusCode::FORBIDDEN);
    }
    let right = |token: &str| same_token(token, &session.csrf);
    if let Some(token) = request.headers().get("x-csrf-token") {
        let token = token.to_str().unwrap_or_default();
        return right(token).then_some(request).ok_or(StatusCode::FORBIDDEN);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    // The token is hex, so that it stands in a form as it is.
    let form = std::str::from_utf8(&body).unwrap_or_default();
    let token = form.split('&').find_map(|pair| pair.strip_prefix("csrf="));
    if !token.is_some_and(right) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
