//! Where events are posted, how each delivery fared, and sending one again.

use super::query::{Many, Number};
use super::{Api, Problem, rfc3339};
use crate::people::{Person, audit, blocking};
use crate::webhook::subscription::{Delivery, Refused, Subscriber};
use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Its number.
    pub id: u64,
    /// Whose events; none for all of them.
    pub merchant: Option<String>,
    /// Where they are posted.
    pub address: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
}

/// Addresses.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// By number.
    pub items: Vec<Webhook>,
}

/// A new address.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// `https://…`; a sandbox also takes its own loopback.
    #[schema(pattern = "^https?://")]
    address: String,
}

/// What checks the signatures of an address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Secret {
    /// `whsec_…`
    pub secret: String,
}

/// It was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Done {
    /// The number of what it was done to.
    pub id: u64,
}

/// A delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryItem {
    /// Its number.
    pub id: u64,
    /// Number of the address.
    pub webhook: u64,
    /// The event's id.
    pub event: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// `waiting`, `taken` or `given_up`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// What the receiver said last: a status, or why there was none.
    pub said: Option<String>,
    /// When the last attempt was.
    pub tried: Option<String>,
}

/// A page of deliveries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryPage {
    /// Newest first.
    pub items: Vec<DeliveryItem>,
    /// Where older ones begin; none at the end.
    pub next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    after: Option<Number>,
    #[serde(default)]
    limit: Many,
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
) -> Result<Json<WebhookList>, Problem> {
    let rows = blocking(move || api.subscriptions.list(&person)).await;
    let items = rows
        .map_err(Problem::trouble)?
        .into_iter()
        .map(webhook)
        .collect();
    Ok(Json(WebhookList { items }))
}

fn webhook(row: Subscriber) -> Webhook {
    Webhook {
        id: row.id,
        merchant: row.merchant,
        address: row.address,
        waiting: row.waiting,
        given_up: row.given_up,
    }
}

pub(super) async fn subscribe(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Json(NewWebhook { address }): Json<NewWebhook>,
) -> Result<Json<Done>, Problem> {
    let made = blocking(move || {
        let id = api.subscriptions.subscribe(&person, &address)?;
        let object = format!("webhook {id}, {address}");
        note(&api, &person, "webhook.added", object)?;
        Ok(id)
    });
    let id = made.await.map_err(problem)?;
    Ok(Json(Done { id }))
}

pub(super) async fn secret(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(Number(id)): Path<Number>,
) -> Result<Json<Secret>, Problem> {
    let found = blocking(move || api.subscriptions.secret(&person, id)).await;
    let secret = found.map_err(problem)?;
    Ok(Json(Secret { secret }))
}

pub(super) async fn end(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(Number(id)): Path<Number>,
) -> Result<Json<Done>, Problem> {
    let ended = blocking(move || {
        api.subscriptions.end(&person, id)?;
        note(&api, &person, "webhook.ended", format!("webhook {id}"))
    });
    ended.await.map_err(problem)?;
    Ok(Json(Done { id }))
}

pub(super) async fn deliveries(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(From {
        after,
        limit: Many(many),
    }): Query<From>,
) -> Result<Json<DeliveryPage>, Problem> {
    let after = after.map(|Number(after)| after);
    let rows = blocking(move || api.subscriptions.deliveries(&person, after, many)).await;
    let items: Vec<DeliveryItem> = rows
        .map_err(Problem::trouble)?
        .into_iter()
        .map(delivery)
        .collect();
    let full = items.len() == many as usize;
    let next = items
        .last()
        .filter(|_| full)
        .map(|last| last.id.to_string());
    Ok(Json(DeliveryPage { items, next }))
}

fn delivery(row: Delivery) -> DeliveryItem {
    DeliveryItem {
        id: row.id,
        webhook: row.subscriber,
        event: row.event,
        kind: row.kind,
        state: row.state,
        attempts: row.attempts,
        said: row.said,
        tried: row.tried_ms.map(rfc3339),
    }
}

pub(super) async fn resend(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(Number(id)): Path<Number>,
) -> Result<Json<Done>, Problem> {
    let sent = blocking(move || {
        api.subscriptions.resend(&person, id)?;
        note(&api, &person, "webhook.resent", format!("delivery {id}"))
    });
    sent.await.map_err(problem)?;
    Ok(Json(Done { id }))
}

pub(super) fn note(
    api: &Api,
    person: &Person,
    act: &'static str,
    object: String,
) -> Result<(), Refused> {
    let entry = audit::Entry::new(&person.name, act, object);
    api.desk.people.note(entry).map_err(Refused::Trouble)
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Address(_) => Problem::refused(refused.words()),
        Refused::Full => Problem::conflict(refused.words()),
        Refused::Unknown => Problem::missing(),
        Refused::Trouble(trouble) => Problem::trouble(trouble),
    }
}
