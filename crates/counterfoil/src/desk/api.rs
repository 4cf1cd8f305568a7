//! The API: what the pages do, for programs. One row of [`ENDPOINTS`] is the route, its rights, its place in the OpenAPI
//! document, its line on the docs page and its cell in the tests.
//!
//! Invariants: nobody reaches a handler without the row's permission; what belongs to another merchant is answered as if it
//! did not exist; every error has the one shape of [`Problem`], with nothing of our inside in it.

mod certificate;
mod document;
pub(crate) mod event;
mod gate;
mod problem;
mod proposal;
mod query;
mod remedy;
mod sale;
mod terminal;
mod webhook;
mod webhook_page;

pub use document::document;
pub use gate::REQUESTS_PER_MINUTE;
pub use problem::Problem;
pub use query::{LIMIT_MAX, Takes};

use crate::desk::Desk;
use crate::eslip::Certifier;
use crate::eslip::limit::Limit;
use crate::people::{Permission, Role};
use crate::web::Language;
use crate::webhook::subscription::Subscriptions;
use axum::extract::Request;
use axum::http::header;
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};
use pages::api::{DocsRow, DocsView};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Where every endpoint lies.
pub const ROOT: &str = "/api/v1";

/// Everything the endpoints may ask.
#[derive(Clone, Debug)]
pub struct Api {
    /// The desk.
    pub desk: Desk,
    /// Signs certificates, where there are any.
    pub certifier: Option<Arc<Certifier>>,
    /// Who is told of events.
    pub subscriptions: Subscriptions,
    /// Requests that each key, or each person, may make in a minute.
    pub per_minute: u32,
}

/// Words in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Words {
    /// zh-CN.
    #[serde(rename = "zh-CN")]
    zh: String,
    /// en.
    en: String,
}

impl Words {
    fn of((zh, en): (impl Into<String>, impl Into<String>)) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// How an endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It reads.
    Get,
    /// It changes something.
    Post,
}

impl Verb {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Something that is asked for in the address.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Its name.
    pub name: &'static str,
    /// What it is, zh-CN and en.
    pub what: pages::Words,
    /// What may stand there.
    pub takes: Takes,
}

const fn asked(name: &'static str, takes: Takes, what: pages::Words) -> Asked {
    Asked { name, what, takes }
}

/// A type as the document describes it.
#[derive(Clone, Copy)]
pub struct Shape {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

const fn shape<T: ToSchema + PartialSchema>() -> Shape {
    Shape {
        name: T::name,
        schema: T::schema,
        parts: T::schemas,
    }
}

/// What comes back.
#[derive(Clone, Copy)]
pub enum Gives {
    /// JSON of this shape.
    Json(Shape),
    /// Server-sent events, each with JSON of this shape.
    Stream(Shape),
}

/// One endpoint.
pub struct Endpoint {
    /// How it is asked.
    pub verb: Verb,
    /// Its path below [`ROOT`].
    pub path: &'static str,
    /// What it asks of somebody.
    pub may: Permission,
    /// What it does, zh-CN and en.
    pub does: pages::Words,
    /// What the query may hold.
    pub query: &'static [Asked],
    /// What its body holds.
    pub body: Option<Shape>,
    /// What comes back when it works.
    pub gives: Gives,
    route: fn() -> MethodRouter<Api>,
}

impl Endpoint {
    /// Whether a role may ask it.
    pub fn is_for(&self, role: Role) -> bool {
        role.may(self.may)
    }
}

const fn after(takes: Takes) -> Asked {
    let what = (
        "从哪里接着读：上一页的 next",
        "where to go on: `next` of the page before",
    );
    asked("after", takes, what)
}

const MANY: Asked = asked(
    "limit",
    Takes::LIMIT,
    ("最多几条，1 到 200", "how many at most, 1 to 200"),
);

/// Every endpoint.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/sales",
        may: Permission::ReadSales,
        does: ("交易列表，最新的在前", "Lists transactions, newest first"),
        query: &[
            asked(
                "merchant",
                Takes::Text,
                ("只看这个商户", "of this merchant only"),
            ),
            asked(
                "terminal",
                Takes::Text,
                ("只看这台终端", "of this terminal only"),
            ),
            asked(
                "outcome",
                Takes::Text,
                ("只看这种结果", "with this outcome only"),
            ),
            asked(
                "receipt",
                Takes::Text,
                ("只看小票的这种情况", "whose slip is in this state only"),
            ),
            asked(
                "one_sided",
                Takes::Switch,
                ("只看是否单边", "only those that are, or are not, one-sided"),
            ),
            asked(
                "from_ms",
                Takes::MILLIS,
                (
                    "此时刻及以后收到",
                    "received at or after, milliseconds since the epoch",
                ),
            ),
            asked(
                "to_ms",
                Takes::MILLIS,
                (
                    "此时刻以前收到",
                    "received before, milliseconds since the epoch",
                ),
            ),
            after(Takes::NUMBER),
            MANY,
        ],
        body: None,
        gives: Gives::Json(shape::<sale::SalePage>()),
        route: || get(sale::list),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/sales/{reference}",
        may: Permission::ReadSales,
        does: (
            "一笔交易：结论、环路、证据",
            "One transaction: its verdict, its loop, its evidence; by id, retrieval reference number or link id",
        ),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<pages::SaleView>()),
        route: || get(sale::one),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/one-sided",
        may: Permission::ReadSales,
        does: ("单边账", "The one-sided queue"),
        query: &[MANY],
        body: None,
        gives: Gives::Json(shape::<sale::Queue>()),
        route: || get(sale::one_sided),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/terminals",
        may: Permission::ReadSales,
        does: ("终端", "Terminals"),
        query: &[after(Takes::TERMINAL), MANY],
        body: None,
        gives: Gives::Json(shape::<terminal::TerminalPage>()),
        route: || get(terminal::list),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/events",
        may: Permission::ReadSales,
        does: ("事件，最早的在前", "Events, oldest first"),
        query: &[after(Takes::PLACE), MANY],
        body: None,
        gives: Gives::Json(shape::<event::EventPage>()),
        route: || get(event::list),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/events/stream",
        may: Permission::ReadSales,
        does: (
            "事件流（SSE）；断线后凭 Last-Event-ID 接着读",
            "The same as they happen (server-sent events); `Last-Event-ID` goes on where a line broke",
        ),
        query: &[after(Takes::PLACE)],
        body: None,
        gives: Gives::Stream(shape::<event::Event>()),
        route: || get(event::stream),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/certificates",
        may: Permission::ReadConsole,
        does: (
            "结果凭证，按链上的顺序",
            "Outcome certificates, in the order of their chain",
        ),
        query: &[after(Takes::NUMBER), MANY],
        body: None,
        gives: Gives::Json(shape::<certificate::CertificatePage>()),
        route: || get(certificate::list),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/proposals",
        may: Permission::ReadConsole,
        does: ("待复核和已处理的申请", "Proposals, open ones first"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<proposal::ProposalList>()),
        route: || get(proposal::list),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/proposals",
        may: Permission::Propose,
        does: (
            "提出申请，由另一人在页面上复核",
            "Proposes what somebody else must approve, on the page",
        ),
        query: &[],
        body: Some(shape::<proposal::NewRole>()),
        gives: Gives::Json(shape::<proposal::Proposed>()),
        route: || post(proposal::propose),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/proposals/{id}/withdraw",
        may: Permission::Propose,
        does: ("撤回自己的申请", "Takes one's own proposal back"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<proposal::Proposed>()),
        route: || post(proposal::withdraw),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/remedies",
        may: Permission::Propose,
        does: (
            "再问一次，或提出退回持卡人，由另一人在页面上复核",
            "Asks again at once, or proposes to give back, which somebody else must approve on the page",
        ),
        query: &[],
        body: Some(shape::<remedy::NewRemedy>()),
        gives: Gives::Json(shape::<remedy::RemedyAsked>()),
        route: || post(remedy::ask),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/webhooks",
        may: Permission::ReadWebhooks,
        does: ("事件通知的接收地址", "Where events are posted"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<webhook::WebhookList>()),
        route: || get(webhook::list),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/webhooks",
        may: Permission::ManageWebhooks,
        does: (
            "新增接收地址，从下一个事件开始",
            "Adds an address, from the next event on (Standard Webhooks)",
        ),
        query: &[],
        body: Some(shape::<webhook::NewWebhook>()),
        gives: Gives::Json(shape::<webhook::Done>()),
        route: || post(webhook::subscribe),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/webhooks/{id}/secret",
        may: Permission::ManageWebhooks,
        does: ("核对签名的密钥", "What checks the signatures"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<webhook::Secret>()),
        route: || get(webhook::secret),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/webhooks/{id}/end",
        may: Permission::ManageWebhooks,
        does: ("停止通知", "Ends an address"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<webhook::Done>()),
        route: || post(webhook::end),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/webhooks/deliveries",
        may: Permission::ReadWebhooks,
        does: ("投递记录，最新的在前", "Deliveries, newest first"),
        query: &[after(Takes::NUMBER), MANY],
        body: None,
        gives: Gives::Json(shape::<webhook::DeliveryPage>()),
        route: || get(webhook::deliveries),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/webhooks/deliveries/{id}/resend",
        may: Permission::ManageWebhooks,
        does: ("重新投递", "Sends a delivery again, with the same id"),
        query: &[],
        body: None,
        gives: Gives::Json(shape::<webhook::Done>()),
        route: || post(webhook::resend),
    },
];

/// The routes of the API, its document and its docs page.
pub fn routes(api: &Api) -> Router {
    let people = &api.desk.people;
    let limit = Arc::new(Mutex::new(Limit::of_keys(api.per_minute)));
    let mut routes = Router::new();
    for row in ENDPOINTS {
        let guarded = gate::guard(people, &limit, row.may, (row.route)());
        routes = routes.route(&format!("{ROOT}{}", row.path), guarded);
    }
    let missing = any(|| async { Problem::missing() });
    routes
        .route(&format!("{ROOT}/{{*path}}"), missing)
        .layer(middleware::from_fn(problem::shaped))
        .with_state(api.clone())
        .route("/api/openapi.json", get(|| async { Json(document()) }))
        .route("/api/docs", get(docs))
        .merge(webhook_page::routes(api))
}

/// The docs page: the same rows as words. It tells nothing that is secret, so it stands before the sign-in.
async fn docs(Language(lang): Language, request: Request) -> Response {
    let rows: Vec<DocsRow> = ENDPOINTS
        .iter()
        .map(|row| DocsRow {
            verb: row.verb.name(),
            path: format!("{ROOT}{}", row.path),
            does: row.does,
            roles: Role::ALL
                .into_iter()
                .filter(|role| row.is_for(*role))
                .map(Role::words)
                .collect(),
            query: row
                .query
                .iter()
                .map(|asked| (asked.name, asked.what))
                .collect(),
            body: row.body.map(|body| (body.name)().into_owned()),
            gives: match row.gives {
                Gives::Json(shape) | Gives::Stream(shape) => (shape.name)().into_owned(),
            },
        })
        .collect();
    let document = document();
    let shapes = document["components"]["schemas"].as_object();
    let shapes: Vec<(String, String)> = shapes
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let text = serde_json::to_string_pretty(schema).unwrap_or_default();
            (name.clone(), text)
        })
        .collect();
    let view = DocsView {
        rows: &rows,
        shapes: &shapes,
        host: request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    };
    Html(view.page(lang)).into_response()
}

/// RFC 3339, China time.
fn rfc3339(ms: i64) -> String {
    payment::Wall(ms).text().replace(' ', "T") + "+08:00"
}
