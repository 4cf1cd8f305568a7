//! The page of webhooks: the same as the API's endpoints, for people.

use super::Api;
use super::webhook::note;
use crate::people::{Permission, Session, Trouble, blocking, places, trouble};
use crate::web::Language;
use crate::webhook::subscription::{Delivery, Refused, Subscriber};
use axum::Router;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use pages::chip::Tone;
use pages::people::{DeliveryRow, WebhookRow, WebhooksView};
use pages::{Lang, Words};
use payment::Wall;
use serde::Deserialize;

/// Deliveries on the page.
const LISTED: u32 = 50;
const PATH: &str = "/webhooks";

/// The page and its forms.
pub(super) fn routes(api: &Api) -> Router {
    let people = &api.desk.people;
    let read = Router::new()
        .route(PATH, get(shown))
        .with_state(api.clone());
    let manage = Router::new()
        .route(PATH, post(subscribe))
        .route("/webhooks/{id}/end", post(end))
        .route("/webhooks/deliveries/{id}/resend", post(resend))
        .with_state(api.clone());
    people
        .guard(read, Permission::ReadWebhooks)
        .merge(people.guard(manage, Permission::ManageWebhooks))
}

async fn shown(
    State(api): State<Api>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    page(api, lang, session, None).await
}

async fn page(api: Api, lang: Lang, session: Session, told: Option<Words>) -> Response {
    let now = api.desk.people.now().text();
    let person = session.person.clone();
    let read = blocking(move || {
        let webhooks = api.subscriptions.list(&person)?;
        let deliveries = api.subscriptions.deliveries(&person, None, LISTED)?;
        Ok::<_, Trouble>((webhooks, deliveries))
    });
    let (webhooks, deliveries) = match read.await {
        Ok(found) => found,
        Err(problem) => return trouble(lang, PATH, &problem.to_string()),
    };
    let webhooks: Vec<WebhookRow> = webhooks.into_iter().map(webhook).collect();
    let deliveries: Vec<DeliveryRow> = deliveries.into_iter().map(delivery).collect();
    let role = session.person.role;
    let view = WebhooksView {
        webhooks: &webhooks,
        deliveries: &deliveries,
        manages: role.may(Permission::ManageWebhooks),
        told,
        name: &session.person.name,
        role: role.words(),
        csrf: &session.csrf,
        places: &places(role),
        as_of: &now,
    };
    let status = told.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    (status, Html(view.page(lang))).into_response()
}

fn webhook(row: Subscriber) -> WebhookRow {
    WebhookRow {
        id: row.id,
        merchant: row.merchant,
        address: row.address,
        counts: (row.waiting, row.given_up),
    }
}

fn delivery(row: Delivery) -> DeliveryRow {
    let state = match row.state.as_str() {
        "taken" => (("已送达", "taken"), Tone::Closed),
        "given_up" => (("已放弃", "given up"), Tone::Stop),
        _ => (("等待", "waiting"), Tone::Wait),
    };
    DeliveryRow {
        id: row.id,
        kind: row.kind,
        event: row.event,
        state,
        attempts: row.attempts,
        said: row.said,
        tried: row.tried_ms.map(|ms| Wall(ms).text()),
    }
}

#[derive(Deserialize)]
struct New {
    address: String,
}

async fn subscribe(
    State(api): State<Api>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Form(New { address }): Form<New>,
) -> Response {
    let (store, person) = (api.clone(), session.person.clone());
    let made = blocking(move || {
        let id = store.subscriptions.subscribe(&person, &address)?;
        note(
            &store,
            &person,
            "webhook.added",
            format!("webhook {id}, {address}"),
        )
    });
    done(api, lang, session, made.await).await
}

async fn end(
    State(api): State<Api>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(id): Path<u64>,
) -> Response {
    let (store, person) = (api.clone(), session.person.clone());
    let ended = blocking(move || {
        store.subscriptions.end(&person, id)?;
        note(&store, &person, "webhook.ended", format!("webhook {id}"))
    });
    done(api, lang, session, ended.await).await
}

async fn resend(
    State(api): State<Api>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(id): Path<u64>,
) -> Response {
    let (store, person) = (api.clone(), session.person.clone());
    let sent = blocking(move || {
        store.subscriptions.resend(&person, id)?;
        note(&store, &person, "webhook.resent", format!("delivery {id}"))
    });
    done(api, lang, session, sent.await).await
}

async fn done(api: Api, lang: Lang, session: Session, done: Result<(), Refused>) -> Response {
    let words = match done {
        Ok(()) => return Redirect::to(PATH).into_response(),
        Err(Refused::Trouble(problem)) => return trouble(lang, PATH, &problem.to_string()),
        Err(refused) => refused.words(),
    };
    page(api, lang, session, Some(words)).await
}
