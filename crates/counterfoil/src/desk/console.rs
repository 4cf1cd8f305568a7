//! The operator's console: finds what a page shows, and shows it.

use super::Desk;
use super::facts;
use super::live::{Reader, Viewer};
use super::remedy;
use super::story;
use super::survey;
use super::visitor::{Scope, SignedIn};
use crate::driver::Refused;
use crate::people::{Person, Session};
use crate::view;
use crate::web::{Language, live};
use acquirer::SaleRecord;
use axum::Router;
use axum::extract::{Extension, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use pages::Lang;
use pages::console::board::Mode;
use pages::console::one_sided::{self, Cause, cause_name};
use pages::console::sale::SalePage;
use pages::console::settings::{self, Settings};
use pages::console::{self, board, fleet, plots, sale};
use payment::timeouts::Ladder;
use payment::{MerchantId, Now};
use serde::Deserialize;
use std::sync::Arc;

/// The routes.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/", get(home))
        .route("/console", get(live_board))
        .route("/console/live", get(parts))
        .route("/console/sale/{terminal}/{batch}/{stan}", get(one_sale))
        .route(
            "/console/sale/{terminal}/{batch}/{stan}/live",
            get(sale_parts),
        )
        .route(
            "/console/sale/{terminal}/{batch}/{stan}/slip.svg",
            get(slip),
        )
        .route("/console/one-sided", get(queue))
        .route("/console/one-sided/preview", get(preview))
        .route("/console/terminals", get(terminals))
        .route("/console/plots", get(drawn))
        .route("/console/settings", get(shown_settings))
}

/// Everybody's own first page.
async fn home(person: SignedIn) -> Result<Redirect, StatusCode> {
    Ok(Redirect::to(match Scope::of(&person)? {
        Scope::Staff => "/console",
        Scope::Merchant(_) => "/merchant",
    }))
}

/// What stands around a page of the console, as it is now; only staff get this far.
pub(super) struct Around {
    lang: Lang,
    path: String,
    as_of: String,
    waiting: u64,
}

impl FromRequestParts<Desk> for Around {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, StatusCode> {
        let Ok(Language(lang)) = Language::from_request_parts(parts, desk).await;
        let person = parts.extensions.get::<Person>().cloned().map(Extension);
        Scope::staff(&person)?;
        let shown = desk.hub.shown();
        Ok(Self {
            lang,
            path: without_lang(&parts.uri),
            as_of: shown.now.text(),
            waiting: shown.waiting(),
        })
    }
}

impl Around {
    pub(super) fn asked(&self) -> console::Asked<'_> {
        console::Asked {
            lang: self.lang,
            path: &self.path,
            as_of: &self.as_of,
            waiting: self.waiting,
        }
    }

    fn missing(&self) -> Response {
        (StatusCode::NOT_FOUND, Html(console::missing(self.asked()))).into_response()
    }
}

/// Path and query without `lang`.
pub(super) fn without_lang(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = pairs
        .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="))
        .collect();
    match kept.as_slice() {
        [] => uri.path().to_owned(),
        kept => format!("{}?{}", uri.path(), kept.join("&")),
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    /// 1 to 8.
    hop: Option<usize>,
    pause: Option<u8>,
    wall: Option<u8>,
}

impl Filter {
    fn mode(&self) -> Mode {
        match (self.pause, self.wall) {
            (Some(_), _) => Mode::Paused,
            (None, Some(_)) => Mode::Wall,
            (None, None) => Mode::Live,
        }
    }

    fn hop(&self) -> Option<usize> {
        self.hop
            .filter(|hop| (1..=8).contains(hop))
            .map(|hop| hop - 1)
    }
}

async fn live_board(
    State(desk): State<Desk>,
    around: Around,
    Query(filter): Query<Filter>,
) -> Html<String> {
    let shown = desk.hub.shown();
    Html(board::board(
        around.asked(),
        &shown.board,
        filter.hop(),
        filter.mode(),
    ))
}

async fn parts(State(desk): State<Desk>, around: Around, Query(filter): Query<Filter>) -> Response {
    let viewer = Viewer::new(&desk.hub, around.lang, filter.hop());
    live::follow(desk.hub.places(), viewer)
}

/// A sale as a path names it.
pub(super) type Named = Path<(String, u32, u32)>;

/// A sale that was found, and what is needed to tell of it.
pub(super) struct Found {
    pub(super) sale: Arc<SaleRecord>,
    pub(super) now: Now,
    pub(super) budget_ms: u64,
}

/// The sale, where it is there and this visitor may see it: what belongs to others is as if it were not there.
pub(super) async fn find(
    desk: &Desk,
    scope: Scope,
    named: (String, u32, u32),
) -> Result<Option<Found>, Refused> {
    let (terminal, batch, stan) = named;
    let reference = format!("{terminal}/{batch}/{stan}");
    let found = desk.acquirer.look(move |acquirer, now| {
        let sale = view::find(acquirer.state(), &reference)?;
        Some(Found {
            sale: Arc::new(sale.clone()),
            now,
            budget_ms: acquirer.config().ladder.acquirer_ms,
        })
    });
    let may_see = |found: &Found| match scope {
        Scope::Staff => true,
        Scope::Merchant(merchant) => found.sale.key().merchant == merchant,
    };
    Ok(found.await?.filter(may_see))
}

async fn one_sale(
    State(desk): State<Desk>,
    around: Around,
    session: Option<Extension<Session>>,
    Path(named): Named,
) -> Result<Response, StatusCode> {
    let Some((page, as_of)) = told(&desk, named, session.as_deref()).await? else {
        return Ok(around.missing());
    };
    let asked = console::Asked {
        as_of: &as_of,
        ..around.asked()
    };
    Ok(Html(sale::sale(asked, &page)).into_response())
}

async fn sale_parts(
    State(desk): State<Desk>,
    around: Around,
    session: Option<Extension<Session>>,
    Path(named): Named,
) -> Response {
    let places = Arc::clone(desk.hub.places());
    let reader = Reader {
        desk,
        lang: around.lang,
        session: session.map(|Extension(session)| session),
        named,
    };
    live::follow(&places, reader)
}

/// Everything of one sale for one who may see it, and as of when; none where there is no such sale.
pub(super) async fn told(
    desk: &Desk,
    named: (String, u32, u32),
    session: Option<&Session>,
) -> Result<Option<(SalePage, String)>, StatusCode> {
    let Some(found) = find(desk, Scope::Staff, named).await.map_err(stopped)? else {
        return Ok(None);
    };
    let merchant = desk.merchant(&found.sale.key().merchant);
    let facts = read(desk, &found, &merchant).await?;
    let key = found.sale.key().to_string();
    let offers = remedy::offers(desk, session, &[key]).await?;
    let page = story::tell(
        (&found.sale, found.now.wall, found.budget_ms),
        merchant,
        &facts,
        &desk.tap,
        offers,
    );
    Ok(Some((page, found.now.wall.text())))
}

async fn read(desk: &Desk, found: &Found, merchant: &str) -> Result<facts::Facts, StatusCode> {
    let (data, reads, sale) = (
        desk.data.clone(),
        Arc::clone(&desk.reads),
        Arc::clone(&found.sale),
    );
    let merchant = merchant.to_owned();
    tokio::task::spawn_blocking(move || facts::read(&data, &reads, &sale, &merchant))
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn slip(
    State(desk): State<Desk>,
    _: Around,
    Path(named): Named,
) -> Result<Response, StatusCode> {
    picture(&desk, Scope::Staff, named).await
}

/// The slip of a sale as a picture.
pub(super) async fn picture(
    desk: &Desk,
    scope: Scope,
    named: (String, u32, u32),
) -> Result<Response, StatusCode> {
    let found = find(desk, scope, named).await.map_err(stopped)?;
    let found = found.ok_or(StatusCode::NOT_FOUND)?;
    let merchant = desk.merchant(&found.sale.key().merchant);
    let svg = read(desk, &found, &merchant)
        .await?
        .slip
        .ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

#[derive(Debug, Deserialize)]
struct ByCause {
    cause: Option<String>,
}

async fn queue(
    State(desk): State<Desk>,
    around: Around,
    Query(by): Query<ByCause>,
) -> Html<String> {
    let queue = desk.hub.shown().queue(|id| desk.merchant(id));
    let cause = by.cause.and_then(|name| {
        Cause::ALL
            .into_iter()
            .find(|cause| cause_name(*cause) == name)
    });
    Html(one_sided::queue(around.asked(), &queue, cause))
}

async fn preview(
    State(desk): State<Desk>,
    around: Around,
    session: Option<Extension<Session>>,
    uri: Uri,
) -> Result<Html<String>, StatusCode> {
    let chosen: Vec<String> = pairs(&uri)
        .filter(|(name, _)| name == "sale")
        .map(|(_, key)| key)
        .collect();
    let offers = remedy::offers(&desk, session.as_deref(), &chosen).await?;
    Ok(Html(console::remedy::preview(around.asked(), &offers)))
}

/// The pairs of a query; a form repeats a name for each choice.
fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).unwrap_or_default();
    pairs.into_iter()
}

async fn terminals(State(desk): State<Desk>, around: Around) -> Result<Html<String>, StatusCode> {
    let seen = survey::fleet(&desk, None).await?;
    Ok(Html(fleet::fleet(around.asked(), &seen)))
}

async fn drawn(State(desk): State<Desk>, around: Around) -> Result<Html<String>, StatusCode> {
    let counted = survey::plots(&desk).await?;
    Ok(Html(plots::plots(around.asked(), &counted)))
}

/// A ladder that somebody asks about.
#[derive(Debug, Deserialize)]
struct Tried {
    issuer_ms: Option<u64>,
    network_ms: Option<u64>,
    acquirer_ms: Option<u64>,
    terminal_ms: Option<u64>,
}

async fn shown_settings(
    State(desk): State<Desk>,
    around: Around,
    Query(tried): Query<Tried>,
) -> Result<Html<String>, StatusCode> {
    let looked = desk.acquirer.look(|acquirer, _| {
        let config = acquirer.config();
        (
            config.ladder,
            config.gaps.0.clone(),
            config.confirm_within_ms,
        )
    });
    let (ladder, gaps_ms, confirm_within_ms) = looked.await.map_err(stopped)?;
    let settings = Settings {
        ladder,
        tried: Ladder {
            issuer_ms: tried.issuer_ms.unwrap_or(ladder.issuer_ms),
            network_ms: tried.network_ms.unwrap_or(ladder.network_ms),
            acquirer_ms: tried.acquirer_ms.unwrap_or(ladder.acquirer_ms),
            terminal_ms: tried.terminal_ms.unwrap_or(ladder.terminal_ms),
        },
        gaps_ms,
        confirm_within_ms,
    };
    Ok(Html(settings::settings(around.asked(), &settings)))
}

/// A stopped acquirer has no pages.
pub(super) fn stopped(refused: Refused) -> StatusCode {
    tracing::debug!(%refused, "a page could not look");
    StatusCode::SERVICE_UNAVAILABLE
}

/// The merchant of an address.
pub(super) fn merchant_of(text: &str) -> Option<MerchantId> {
    MerchantId::parse(text.as_bytes())
}
