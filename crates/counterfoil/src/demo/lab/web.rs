//! The lab's page and API.

use super::{Lab, Refusal};
use crate::web::{self, Language, Origin};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use pages::lab;
use payment::Amount;
use serde::Deserialize;
use std::time::Duration;

/// A page is redrawn at most so often.
const REDRAW: Duration = Duration::from_millis(200);

/// The routes, for the desk's port.
pub(in crate::demo) fn routes(lab: Lab) -> Router {
    Router::new()
        .route("/lab", get(page))
        .route("/lab/run", post(run))
        .route("/lab/heal", post(heal))
        .route("/lab/events", get(events))
        .route("/lab/experiment.toml", get(experiment))
        .route("/api/v1/lab", get(state).post(begin).delete(mend))
        .with_state(lab)
}

async fn page(State(lab): State<Lab>, Language(lang): Language) -> Response {
    match lab.view().await {
        Ok(view) => Html(lab::page(lang, &view)).into_response(),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

/// The form: a fault may be named several times.
async fn run(
    State(lab): State<Lab>,
    Language(lang): Language,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    if web::origin(&headers) == Origin::Foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut faults = Vec::new();
    let mut amount = None;
    for (name, value) in fields {
        match name.as_str() {
            "fault" => faults.push(value),
            "amount" => amount = Amount::parse_yuan(&value),
            _ => {}
        }
    }
    match lab.begin(&faults, amount.map_or(0, |amount| amount.minor)) {
        Ok(_) => Redirect::to("/lab").into_response(),
        Err(refusal) => (status(refusal), lang.say(refusal.words())).into_response(),
    }
}

async fn heal(State(lab): State<Lab>, headers: HeaderMap) -> Response {
    if web::origin(&headers) == Origin::Foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    lab.heal();
    Redirect::to("/lab").into_response()
}

async fn events(State(lab): State<Lab>, Language(lang): Language) -> impl IntoResponse {
    web::live(lab.changed.subscribe(), REDRAW, move || {
        let lab = lab.clone();
        async move {
            let view = lab.view().await.ok()?;
            Some(
                serde_json::json!({ "as-of": view.as_of, "run": lab::run(lang, &view).into_string() }),
            )
        }
    })
}

/// What a program asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    faults: Vec<String>,
    amount_minor: u64,
}

async fn state(State(lab): State<Lab>) -> Response {
    match lab.view().await {
        Ok(view) => Json(view).into_response(),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

async fn begin(State(lab): State<Lab>, headers: HeaderMap, Json(wanted): Json<Wanted>) -> Response {
    if web::origin(&headers) == Origin::Foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    match lab.begin(&wanted.faults, wanted.amount_minor) {
        Ok(number) => (
            StatusCode::ACCEPTED,
            Json(serde_json::json!({ "number": number })),
        )
            .into_response(),
        Err(refusal) => (status(refusal), refusal.words().1).into_response(),
    }
}

async fn mend(State(lab): State<Lab>, headers: HeaderMap) -> StatusCode {
    if web::origin(&headers) == Origin::Foreign {
        return StatusCode::FORBIDDEN;
    }
    lab.heal();
    StatusCode::NO_CONTENT
}

async fn experiment(State(lab): State<Lab>) -> Response {
    match lab.experiment().await {
        Ok(Some(experiment)) => (
            [(header::CONTENT_TYPE, "application/toml")],
            experiment.text(),
        )
            .into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    }
}

const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Busy => StatusCode::CONFLICT,
        Refusal::Fault | Refusal::Amount => StatusCode::BAD_REQUEST,
    }
}
