//! The one shape of an error (RFC 9457), with what an integrator must know before doing anything again.
//!
//! Invariant: it tells nothing of our inside; the correlation id finds the log line that does.

use super::gate::BODY_BYTES_MAX;
use crate::people::drawn;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The header that names a request in answers and logs.
pub(super) const CORRELATION: &str = "x-correlation-id";
/// The content type of errors.
pub(super) const KIND: &str = "application/problem+json";

/// An error.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of error for ever; a place on the docs page.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// The same in zh-CN.
    title_zh: &'static str,
    /// What became of what was asked: `none` when nothing happened, `unknown` when that is not known yet.
    outcome: &'static str,
    /// What becomes of money that may have moved: `none` when no money moved.
    reversal_status: &'static str,
    /// The same request may be sent again without harm.
    retry_safe: bool,
    /// Seconds after which asking again makes sense.
    ask_again_after: Option<u32>,
    /// Finds this request in the log.
    correlation_id: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, (title_zh, title): pages::Words) -> Self {
        Self {
            kind: format!("/api/docs#{kind}"),
            title,
            status: status.as_u16(),
            title_zh,
            outcome: "none",
            reversal_status: "none",
            retry_safe: true,
            ask_again_after: None,
            correlation_id: String::new(),
        }
    }

    /// What was asked is not right; asking the same again does not help.
    pub(super) fn refused(words: pages::Words) -> Self {
        Self {
            retry_safe: false,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", words)
        }
    }

    /// It does not exist, or is not this merchant's.
    pub(super) fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            ("没有找到", "Not found"),
        )
    }

    /// Nobody is signed in.
    pub(super) fn nobody() -> Self {
        let words = ("请提供有效的密钥", "A valid key is needed");
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", words)
    }

    /// The role does not allow it.
    pub(super) fn forbidden() -> Self {
        let words = ("角色不允许", "The role does not allow it");
        Self::new(StatusCode::FORBIDDEN, "forbidden", words)
    }

    /// The key asked too often; nothing was looked at.
    pub(super) fn too_often(wait_s: u32) -> Self {
        let words = (
            "请求过于频繁，请稍后再试",
            "Too many requests; wait a little",
        );
        Self {
            ask_again_after: Some(wait_s),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", words)
        }
    }

    /// Things stand otherwise than the request supposes.
    pub(super) fn conflict(words: pages::Words) -> Self {
        Self {
            retry_safe: false,
            ..Self::new(StatusCode::CONFLICT, "conflict", words)
        }
    }

    /// The same request is under way, or ended without a word: its key may be asked again.
    pub(super) fn under_way() -> Self {
        let words = ("同一请求正在处理", "The same request is under way");
        Self {
            outcome: "unknown",
            ask_again_after: Some(2),
            ..Self::new(StatusCode::CONFLICT, "under-way", words)
        }
    }

    /// The idempotency key belongs to another request.
    pub(super) fn key_taken() -> Self {
        Self::refused((
            "这个幂等键属于另一个请求",
            "This idempotency key belongs to another request",
        ))
    }

    /// Something of ours failed: the log has it, the answer does not.
    pub(super) fn trouble(problem: impl ToString) -> Self {
        let made = Self {
            ask_again_after: Some(5),
            correlation_id: drawn(),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                ("暂时不能处理", "Not possible at the moment"),
            )
        };
        tracing::error!(
            problem = problem.to_string(),
            correlation = made.correlation_id,
            "the API failed"
        );
        made
    }

    /// What the server refuses before a handler is reached.
    fn of_status(status: StatusCode) -> Self {
        let (kind, words) = match status {
            StatusCode::NOT_FOUND => return Self::missing(),
            StatusCode::METHOD_NOT_ALLOWED => ("method", ("方法不允许", "Method not allowed")),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("too-large", ("请求太大", "The request is too large"))
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("media-type", ("请用 JSON", "JSON is expected")),
            status if status.is_server_error() => (
                "unavailable",
                ("暂时不能处理", "Not possible at the moment"),
            ),
            _ => ("malformed", ("请求格式不对", "The request is malformed")),
        };
        Self {
            retry_safe: status.is_server_error(),
            ..Self::new(status, kind, words)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = status.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

/// Gives every request its correlation id and every error the one shape, also those that the server made by itself.
pub(super) async fn shaped(request: Request, next: Next) -> Response {
    let answer = match read(request).await {
        Ok(request) => next.run(request).await,
        Err(status) => status.into_response(),
    };
    let failed = answer.status().is_client_error() || answer.status().is_server_error();
    let (mut parts, body) = answer.into_parts();
    let mut correlation = drawn();
    let body = if failed {
        let known = parts.extensions.remove::<Problem>();
        let mut problem = known.unwrap_or_else(|| Problem::of_status(parts.status));
        if problem.correlation_id.is_empty() {
            problem.correlation_id.clone_from(&correlation);
        }
        correlation.clone_from(&problem.correlation_id);
        let limited = parts.status == StatusCode::TOO_MANY_REQUESTS;
        if let Some(seconds) = problem.ask_again_after.filter(|_| limited) {
            parts.headers.insert(header::RETRY_AFTER, seconds.into());
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        parts
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
        Body::from(serde_json::to_vec(&problem).unwrap_or_default())
    } else {
        body
    };
    if let Ok(id) = HeaderValue::from_str(&correlation) {
        parts.headers.insert(CORRELATION, id);
    }
    Response::from_parts(parts, body)
}

/// The request with its whole body: one that is refused half read would take the answer down with its connection.
async fn read(request: Request) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    Ok(Request::from_parts(parts, Body::from(body)))
}
