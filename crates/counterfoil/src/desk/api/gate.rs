//! Who asks the API: a key, or a page of this site with its session; how often; and what an idempotency key makes of a request.

use super::Api;
use super::problem::Problem;
use crate::eslip::limit::Limit;
use crate::people::{self, Admitted, Asked, People, Permission, Person, admit, blocking};
use crate::web::{self, Origin};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Requests that a key, or a person, may make in a minute unless the acquirer's file says another number; beyond it the
/// answer is 429 with the seconds to wait.
pub const REQUESTS_PER_MINUTE: u32 = 600;
/// Largest body of a request.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// Largest answer that is kept for a key.
const ANSWER_BYTES_MAX: usize = 1_024 * 1_024;
/// Longest idempotency key.
pub const KEY_BYTES_MAX: usize = 128;

/// How often each may ask, by the name in the audit log.
pub(super) type Limits = Arc<Mutex<Limit<String>>>;

#[derive(Clone)]
struct Gate {
    people: People,
    limits: Limits,
    permission: Permission,
}

/// `route` for those only who hold `permission`, as often as `limits` allow.
pub(super) fn guard(
    people: &People,
    limits: &Limits,
    permission: Permission,
    route: MethodRouter<Api>,
) -> MethodRouter<Api> {
    let gate = Gate {
        people: people.clone(),
        limits: Arc::clone(limits),
        permission,
    };
    route.route_layer(middleware::from_fn_with_state(gate, check))
}

async fn check(
    State(Gate {
        people,
        limits,
        permission,
    }): State<Gate>,
    mut request: Request,
    next: Next,
) -> Response {
    let safe = request.method().is_safe();
    let person = match who(&people, request.headers(), safe).await {
        Ok(person) => person,
        Err(problem) => return problem.into_response(),
    };
    if let Some(wait_s) = must_wait(&limits, &person) {
        return Problem::too_often(wait_s).into_response();
    }
    if !person.role.may(permission) {
        return Problem::forbidden().into_response();
    }
    request.extensions_mut().insert(person.clone());
    match key_of(request.headers()) {
        _ if safe => next.run(request).await,
        None => next.run(request).await,
        Some(Ok(key)) => once(&people, &person, &key, request, next).await,
        Some(Err(problem)) => problem.into_response(),
    }
}

/// Seconds that somebody must wait who asked too often; none for who is admitted.
fn must_wait(limits: &Limits, person: &Person) -> Option<u32> {
    let (now, who) = (Instant::now(), person.name.clone());
    let mut limits = limits.lock().unwrap_or_else(PoisonError::into_inner);
    let admitted = limits.admits(who.clone(), now);
    (!admitted).then(|| limits.wait_s(who, now))
}

/// Whose key it is, or whose session; a session's request that changes something is the visitor's own wish.
async fn who(people: &People, headers: &HeaderMap, safe: bool) -> Result<Person, Problem> {
    let bearer = headers.get(header::AUTHORIZATION);
    if let Some(bearer) = bearer.and_then(|value| value.to_str().ok()) {
        let key = bearer
            .strip_prefix("Bearer ")
            .unwrap_or_default()
            .to_owned();
        let people = people.clone();
        let found = blocking(move || people.of_key(&key)).await;
        return found.map_err(Problem::trouble)?.ok_or_else(Problem::nobody);
    }
    let session = match admit(people, headers).await {
        Admitted::Session(session) if session.strong => session,
        Admitted::Session(_) | Admitted::Nobody => return Err(Problem::nobody()),
        Admitted::Trouble(problem) => return Err(Problem::trouble(problem)),
    };
    let token = headers
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    let own = web::origin(headers) == Origin::Own
        && token.is_some_and(|token| people::same_token(token, &session.csrf));
    if !safe && !own {
        return Err(Problem::forbidden());
    }
    Ok(session.person)
}

fn key_of(headers: &HeaderMap) -> Option<Result<String, Problem>> {
    let key = headers.get("idempotency-key")?;
    let text = key.to_str().ok().filter(|text| {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        !text.is_empty() && text.len() <= KEY_BYTES_MAX && printable
    });
    let words = (
        "幂等键须为 1 到 128 个可见字符",
        "An idempotency key has 1 to 128 visible characters",
    );
    Some(
        text.map(str::to_owned)
            .ok_or_else(|| Problem::refused(words)),
    )
}

/// Does it once for its key, and says the same again after that; a key whose request did nothing is free again.
async fn once(
    people: &People,
    person: &Person,
    key: &str,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut hash = Sha256::new();
    hash.update(format!("{} {}\n", parts.method, parts.uri));
    hash.update(&body);
    let asked: [u8; 32] = hash.finalize().into();
    let (store, who, held) = (people.clone(), person.name.clone(), key.to_owned());
    let taken = blocking(move || store.take_key(&who, &held, &asked)).await;
    match taken {
        Ok(Asked::New) => {}
        Ok(Asked::Answered(status, body)) => return again(status, body),
        Ok(Asked::UnderWay) => return Problem::under_way().into_response(),
        Ok(Asked::Another) => return Problem::key_taken().into_response(),
        Err(trouble) => return Problem::trouble(trouble).into_response(),
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = answer.into_parts();
    let kept = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    let did = parts.status.is_success();
    let text = String::from_utf8_lossy(&kept).into_owned();
    let (store, who, held, status) = (
        people.clone(),
        person.name.clone(),
        key.to_owned(),
        parts.status.as_u16(),
    );
    let settled =
        blocking(move || store.settle_key(&who, &held, did.then_some((status, text.as_str()))))
            .await;
    if let Err(trouble) = settled {
        // The key stays as one under way, which nobody takes for "nothing happened".
        tracing::error!(%trouble, "the answer of an idempotency key could not be kept");
    }
    Response::from_parts(parts, Body::from(kept))
}

fn again(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let replayed = HeaderName::from_static("idempotent-replayed");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (replayed, HeaderValue::from_static("true")),
    ];
    (status, headers, body).into_response()
}
