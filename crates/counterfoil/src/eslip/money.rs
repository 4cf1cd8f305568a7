//! "Where is my money": the page of a sale behind its link or a ticket, the form with three facts, and what is done there.
//!
//! Invariant: whoever does not name a sale gets the same answer after the same work, whatever the reason; what a page says
//! is on disk before it is said.

use super::Desk;
use super::found::{self, Found, Named};
use super::limit::MISS_PAGES;
use crate::driver::wall;
use crate::view;
use crate::web::live::{Parts, Source};
use crate::web::{self, Language};
use ::acquirer::{Input, SaleRecord};
use axum::extract::{ConnectInfo, Form, FromRequestParts, Path, State};
use axum::http::{HeaderMap, StatusCode, header, request};
use axum::response::{Html, IntoResponse, Redirect, Response};
use pages::Lang;
use pages::cardholder::{self, Answer, Asked, Facts, Status};
use payment::verdict::row;
use payment::{Declarations, LinkId, SaleKey, Statement, Wall};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of a form.
pub const FORM_BYTES_MAX: usize = 4_096;
/// Pages that are kept live at the same time.
pub const FOLLOWERS_MAX: usize = 1_000;
/// A live page is never older than this.
const LOOKS: Duration = Duration::from_secs(1);
/// Looks of one live page; then it asks again, and is counted again.
const LOOKS_MAX: u32 = 600;

/// A fact that is tried too often is not answered for a while, whoever tries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Amount(u64),
    Minute(i64),
    Last4(String),
}

impl Fact {
    fn of(facts: &Facts) -> [Self; 3] {
        [
            Self::Amount(facts.amount.minor),
            Self::Minute(facts.minute.0),
            Self::Last4(facts.last4.clone()),
        ]
    }
}

/// Where a message goes.
#[derive(Debug, Deserialize)]
pub(super) struct Asks {
    pub to: String,
    pub consent: Option<String>,
}

/// What a cardholder states.
#[derive(Debug, Deserialize)]
pub(super) struct Declared {
    statement: String,
}

/// The form.
pub(super) async fn ask(Language(lang): Language) -> Html<String> {
    form(lang, &Asked::default(), Answer::None)
}

fn form(lang: Lang, asked: &Asked, answer: Answer) -> Html<String> {
    let today = wall().text();
    let date = today.split(' ').next().unwrap_or_default();
    Html(cardholder::form(lang, asked, date, answer))
}

/// Leads to the page of the one sale that fits three facts. It changes nothing but the buckets.
pub(super) async fn find(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Language(lang): Language,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    let (peer, now) = (peer_of(&headers, peer.ip()), Instant::now());
    if !held(&desk.peers).admits(peer, now) {
        return too_often(lang);
    }
    let facts = match asked.facts() {
        Ok(facts) => facts,
        Err(field) => {
            let page = form(lang, &asked, Answer::Unreadable(field));
            return (StatusCode::BAD_REQUEST, page).into_response();
        }
    };
    let tried = Fact::of(&facts);
    if !tried
        .iter()
        .all(|fact| held(&desk.facts).has_left(fact, now))
    {
        return too_often(lang);
    }
    match desk.by_facts(facts).await {
        Ok(Some((_, Some(link)))) => Redirect::to(&format!("/r/{link}")).into_response(),
        Ok(Some((key, None))) => {
            let ticket = held(&desk.tickets).give(key, now);
            Redirect::to(&format!("/t/{ticket}")).into_response()
        }
        Ok(None) => {
            held(&desk.peers).missed(peer, MISS_PAGES, now);
            for fact in tried {
                held(&desk.facts).missed(fact, 1.0, now);
            }
            let page = form(lang, &asked, Answer::NotShown);
            (StatusCode::NOT_FOUND, page).into_response()
        }
        Err(problem) => unavailable(lang, &problem),
    }
}

/// The page of a sale.
pub(super) async fn page(Visit { found, lang }: Visit) -> Html<String> {
    Html(cardholder::money(lang, &found.view))
}

/// The slip as a picture, for whoever keeps pictures.
pub(super) async fn picture(Visit { found, lang }: Visit) -> Response {
    match cardholder::picture(&found.view) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => missing(lang),
    }
}

/// Sends the link to the address that the cardholder typed and agreed to.
pub(super) async fn send(
    State(desk): State<Desk>,
    Visit { found, lang }: Visit,
    Form(asked): Form<Asks>,
) -> Response {
    let Some(link) = found.link else {
        return missing(lang);
    };
    let refused = |why| {
        let page = Html(cardholder::not_sent(lang, &found.view, why));
        (StatusCode::BAD_REQUEST, page).into_response()
    };
    if asked.consent.is_none() {
        return refused(cardholder::consent_wanted());
    }
    match desk.send(asked.to.trim().to_owned(), link).await {
        Ok(()) => {
            let page = Html(cardholder::sent(lang, &found.view));
            (StatusCode::ACCEPTED, page).into_response()
        }
        Err(refusal) => refused(refusal.words()),
    }
}

/// Keeps a statement; it is on disk when the answer says so.
pub(super) async fn declare(
    State(desk): State<Desk>,
    Visit { found, lang }: Visit,
    Form(declared): Form<Declared>,
) -> Response {
    let Some(statement) = Statement::named(&declared.statement) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if found.view.declared.at(statement).is_none() {
        let key = found.key;
        let said = desk.handle.send(Input::Declare { key, statement });
        // A look is answered once everything before it is on disk.
        let kept = match said {
            Ok(()) => desk.handle.look(|_, _| ()).await,
            Err(refused) => Err(refused),
        };
        if let Err(refused) = kept {
            return unavailable(lang, &format!("{refused:?}"));
        }
    }
    Html(cardholder::declared(lang, &found.view, statement)).into_response()
}

/// Keeps an open page live; one that is closed is not followed, which ends its script's attempts.
pub(super) async fn events(State(desk): State<Desk>, Visit { found, lang }: Visit) -> Response {
    if found.is_settled() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let places = Arc::clone(&desk.followers);
    let follower = Follower {
        named: Named::Key(found.key),
        path: found.view.path,
        desk,
        lang,
        looks: 0,
        over: false,
    };
    web::live::follow(&places, follower)
}

/// One page that is kept live.
struct Follower {
    desk: Desk,
    named: Named,
    path: String,
    lang: Lang,
    looks: u32,
    over: bool,
}

impl Source for Follower {
    /// None once nothing more will change, or after so many looks.
    async fn next(&mut self) -> Option<Parts> {
        if self.over || self.looks == LOOKS_MAX {
            return None;
        }
        if self.looks > 0 {
            tokio::time::sleep(LOOKS).await;
        }
        self.looks += 1;
        let found = self.desk.show(self.named, &self.path).await.ok()??;
        let mut parts = cardholder::parts(self.lang, &found.view);
        self.over = found.is_settled();
        if self.over {
            // The end of this stream is no disconnection.
            parts.insert("offline", String::new());
        }
        Some(
            parts
                .into_iter()
                .map(|(id, html)| (id, html.into()))
                .collect(),
        )
    }
}

/// A visitor at the address of a sale. Whoever may not see it gets the answer instead.
pub(super) struct Visit {
    found: Found,
    lang: Lang,
}

impl FromRequestParts<Desk> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut request::Parts, desk: &Desk) -> Result<Self, Response> {
        let Ok(Language(lang)) = Language::from_request_parts(parts, desk).await;
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, desk)
            .await
            .map_err(IntoResponse::into_response)?;
        let Path((way, id)) = Path::<(String, String)>::from_request_parts(parts, desk)
            .await
            .map_err(IntoResponse::into_response)?;
        let peer = peer_of(&parts.headers, peer.ip());
        let found = desk.visit(peer, lang, &way, &id).await?;
        Ok(Self { found, lang })
    }
}

impl Found {
    /// Nothing more happens by itself, and the archive has all of it.
    fn is_settled(&self) -> bool {
        let told = row(&self.row).is_some_and(|row| row.owner == self.view.status.owner);
        told && !self.view.is_open()
    }
}

/// What the acquirer says of a sale now.
struct Live {
    status: Option<(Status, Declarations)>,
    at: Wall,
}

fn live(sale: &SaleRecord, now: Wall) -> Option<(Status, Declarations)> {
    let view = view::of(sale, now);
    let row = row(&view.row)?;
    let status = Status {
        line: view.line(pages::sale::Audience::Cardholder).clone(),
        headline: view.headline,
        position: row.position,
        outcome: view.outcome,
        owner: row.owner,
        rail: view.rail,
        beads: Some(view.beads),
    };
    Some((status, sale.declared))
}

impl Desk {
    /// The sale at an address, or what its visitor is told instead; wrong guesses are counted against the visitor.
    async fn visit(
        &self,
        peer: IpAddr,
        lang: Lang,
        way: &str,
        id: &str,
    ) -> Result<Found, Response> {
        let now = Instant::now();
        if !held(&self.peers).admits(peer, now) {
            return Err(too_often(lang));
        }
        let named = LinkId::parse(id).and_then(|id| match way {
            "r" | "R" => Some((Named::Link(id), format!("/r/{id}"))),
            "t" => {
                let key = held(&self.tickets).sale(&id, now)?;
                Some((Named::Key(key), format!("/t/{id}")))
            }
            _ => None,
        });
        let found = match named {
            Some((named, path)) => self.show(named, &path).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                held(&self.peers).missed(peer, MISS_PAGES, now);
                Err(missing(lang))
            }
            Err(problem) => Err(unavailable(lang, &problem)),
        }
    }

    /// The sale in the archive, with what the acquirer says of it now, and its certificates.
    async fn show(&self, named: Named, path: &str) -> Result<Option<Found>, String> {
        let data = self.data.clone();
        let found = tokio::task::spawn_blocking(move || found::find(&data, named))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        let key: SaleKey = found.key;
        let looked = self.handle.look(move |acquirer, now| Live {
            status: acquirer
                .state()
                .sale(&key)
                .filter(|sale| !sale.recalled)
                .and_then(|sale| live(sale, now.wall)),
            at: now.wall,
        });
        // A stopped acquirer has said its last word in the archive.
        if let Ok(Live { status, at }) = looked.await {
            found.view.as_of = at;
            if let Some((status, declared)) = status {
                found.view.status = status;
                found.view.declared = declared;
            }
        }
        found.view.merchant = self.merchant(&found.view.merchant_id).to_owned();
        found.view.path = path.to_owned();
        found.view.sends = self.outbox.is_some() && found.link.is_some();
        if let Some(certifier) = &self.certifier {
            found.view.certificates = certifier.sign_all(&found.payloads)?;
        }
        Ok(Some(found))
    }

    async fn by_facts(&self, facts: Facts) -> Result<Option<(SaleKey, Option<LinkId>)>, String> {
        let desk = self.clone();
        let look = move || {
            let shop = facts.shop.as_deref().map(str::to_lowercase);
            let fits = |id: &str| {
                let name = desk.merchant(id).to_lowercase();
                let named = |shop: &str| id == shop || name.contains(shop);
                shop.as_deref().is_none_or(named)
            };
            found::by_facts(&desk.data, &facts, fits)
        };
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The peer as the relay before us names it: the last entry, which the relay itself wrote.
fn peer_of(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or(peer)
}

/// No such path.
pub(super) async fn nowhere(Language(lang): Language) -> Response {
    missing(lang)
}

fn missing(lang: Lang) -> Response {
    (StatusCode::NOT_FOUND, Html(cardholder::missing(lang))).into_response()
}

fn too_often(lang: Lang) -> Response {
    let page = Html(cardholder::too_often(lang));
    (StatusCode::TOO_MANY_REQUESTS, page).into_response()
}

fn unavailable(lang: Lang, problem: &str) -> Response {
    tracing::warn!(%problem, "a cardholder's page could not be shown");
    let page = Html(cardholder::unavailable(lang));
    (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
}
