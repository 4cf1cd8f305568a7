//! The lab's page and API.

use super::{Lab, Refusal};
use crate::view;
use crate::web::live::{self, Parts, Source};
use crate::web::{self, Language, Origin};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use pages::Lang;
use pages::lab;
use payment::Amount;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::watch;

/// Largest body.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// A page is redrawn at most so often.
const REDRAW: Duration = Duration::from_millis(200);

/// The routes, for the desk's port.
pub(in crate::demo) fn routes(lab: Lab) -> Router {
    let routes = Router::new()
        .route("/lab", get(page))
        .route("/lab/run", post(run))
        .route("/lab/heal", post(heal))
        .route("/lab/events", get(events))
        .route("/lab/webhook", post(webhook))
        .route("/lab/experiment.toml", get(experiment))
        .route("/api/v1/lab", get(state).post(begin).delete(mend))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(lab);
    web::by_own_name(routes)
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

async fn events(State(lab): State<Lab>, Language(lang): Language) -> Response {
    let watcher = Watcher {
        changed: lab.changed.subscribe(),
        lab: lab.clone(),
        lang,
    };
    live::follow(&lab.places, watcher)
}

/// One who watches a run.
struct Watcher {
    changed: watch::Receiver<u64>,
    lab: Lab,
    lang: Lang,
}

impl Source for Watcher {
    async fn next(&mut self) -> Option<Parts> {
        self.changed.changed().await.ok()?;
        tokio::time::sleep(REDRAW).await;
        self.changed.mark_unchanged();
        let view = self.lab.view().await.ok()?;
        let run = lab::run(self.lang, &view).into_string();
        Some(Parts::from([
            ("run", run.into()),
            ("as-of", view.as_of.into()),
        ]))
    }
}

/// Takes a webhook as its receiver: what is signed rightly is taken, all is kept.
async fn webhook(State(lab): State<Lab>, headers: HeaderMap, body: String) -> StatusCode {
    let Some(mut heard) = lab.receiver.read(&headers, &body) else {
        return StatusCode::BAD_REQUEST;
    };
    let reference = heard.sale.clone();
    let look = lab.hosts.acquirer.look(move |acquirer, now| {
        let sale = view::find(acquirer.state(), &reference)?;
        Some(view::of(sale, now.wall).beads)
    });
    heard.webhook.beads = look.await.ok().flatten();
    let verified = heard.webhook.verified;
    lab.receiver.keep(heard);
    lab.tell();
    if verified {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::UNAUTHORIZED
    }
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
