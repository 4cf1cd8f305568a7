//! The till's page, served by the terminal's own process: amount, tender, the loop, the verdict, the last sales.
//!
//! The page shows what the terminal has on disk and orders what a cashier may order; it decides nothing. Each order comes
//! by a form of ours, and a charge that is sent twice is one charge.

mod basket;
pub mod counter;
pub mod doctor;
mod knowledge;
mod live;
mod orders;
pub mod screen;
mod screens;
mod shown;
mod visitor;

pub use screens::{SCREENS_MAX, Screens};
pub use shown::PRESENT_MS;

use crate::config::Problem;
use crate::config::security::PartyModule;
use crate::config::terminal::TerminalFile;
use crate::driver::{DriverHandle, random};
use crate::fleet::Fleet;
use crate::web::{self, Language};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use basket::Basket;
use counter::{Counter, Refusal};
use doctor::TillDoctor;
use orders::Once;
use pages::till::drill::{Answer, Deal, Score};
use pages::till::{self, Door, Place};
use payment::Stan;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Mutex as Turn, Semaphore};
use visitor::Visitor;

/// Bytes of a form.
pub const FORM_BYTES_MAX: usize = 16_384;
/// Screens that follow the till at the same time.
pub const FOLLOWERS_MAX: usize = 16;
/// Trainees that are remembered; a new one takes the place of the oldest.
pub const TRAINEES_MAX: usize = 32;

/// Everything the page needs.
struct Page {
    counter: Counter,
    screens: Screens,
    public: Option<String>,
    key: [u8; 32],
    desk: Mutex<Desk>,
    /// Held while one order is given: two forms never race for the terminal.
    turn: Turn<Once>,
    doctor: Turn<Option<TillDoctor>>,
    followers: Arc<Semaphore>,
}

/// What lies beside the terminal on the cashier's desk.
#[derive(Default)]
struct Desk {
    basket: Basket,
    /// The sale that the basket was charged with.
    charged: Option<Stan>,
    /// What a refused form was told.
    told: Option<(Instant, (String, String))>,
    /// The sale that the cashier waits for instead of charging again.
    waits: Option<String>,
    trainees: VecDeque<(String, Trainee)>,
}

/// Somebody who practises.
#[derive(Clone, Copy)]
struct Trainee {
    deal: Deal,
    answer: Option<Answer>,
    score: Score,
}

impl Desk {
    /// Empties the basket once one of these is what it was charged with.
    fn paid(&mut self, stans: &[Stan]) {
        if self.charged.is_some_and(|charged| stans.contains(&charged)) {
            self.charged = None;
            self.basket.clear();
        }
    }
}

type Shared = Arc<Page>;

/// Serves the page of the first terminal of a running row on `address`, a loopback address. `screens` is what it shows;
/// `public` is where the cardholder's pages are. Must be called on the runtime.
///
/// # Errors
/// The address is not a loopback address, or it cannot be taken.
pub async fn open(
    address: SocketAddr,
    file: &TerminalFile,
    handle: DriverHandle<Fleet>,
    module: PartyModule,
    screens: Screens,
    public: Option<String>,
) -> Result<SocketAddr, Problem> {
    let page = Page {
        counter: Counter::new(handle, module, file.clone()),
        screens,
        public,
        key: random(),
        desk: Mutex::default(),
        turn: Turn::default(),
        doctor: Turn::default(),
        followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
    };
    crate::control::serve(address, routes(Arc::new(page))).await
}

fn routes(page: Shared) -> Router {
    let routes = Router::new()
        .route("/", get(main_page))
        .route("/events", get(live::events))
        .route("/search", get(search))
        .route("/more", get(more))
        .route("/key", post(orders::key))
        .route("/charge", post(orders::charge))
        .route("/press", post(orders::press))
        .route("/cash", post(orders::cash))
        .route("/anyway", post(orders::anyway))
        .route("/order", post(orders::order))
        .route("/basket", post(orders::basket))
        .route("/doctor", get(orders::doctor_page).post(orders::doctor))
        .route(
            "/training",
            get(orders::training_page).post(orders::training),
        )
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(page);
    web::by_own_name(web::site(routes))
}

/// What a page may be asked for.
type Asked = Query<BTreeMap<String, String>>;

async fn main_page(
    State(page): State<Shared>,
    Language(lang): Language,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    let visitor = Visitor::of(&headers);
    let door = page.door(&visitor, visitor::once());
    let picked = trace(&asked);
    let amount = asked.get("amount").map(String::as_str);
    let amount = amount.filter(|amount| amount.is_empty() || till::is_amount(amount));
    let view = match page.view(picked, amount).await {
        Ok(view) => view,
        Err(refusal) => return unavailable(refusal),
    };
    let query = picked.map_or_else(String::new, |stan| format!("trace={}", stan.0));
    let path = match query.as_str() {
        "" => "/".to_owned(),
        query => format!("/?{query}"),
    };
    let events = format!("/events?lang={}&once={}&{query}", lang.tag(), door.once);
    let place = Place {
        path: &path,
        events: &events,
    };
    visitor.greet(Html(till::page(lang, &view, &door, place)))
}

async fn more(
    State(page): State<Shared>,
    Language(lang): Language,
    headers: HeaderMap,
) -> Response {
    let visitor = Visitor::of(&headers);
    let door = page.door(&visitor, visitor::once());
    let kinds: Vec<_> = counter::orderable().map(shown::kind_name).collect();
    let cards = page.counter.file.cards.iter();
    let cards: Vec<_> = cards.map(|card| card.name.clone()).collect();
    let as_of = crate::driver::wall().text();
    visitor.greet(Html(till::about::page(lang, &kinds, &cards, &door, &as_of)))
}

async fn search(
    State(page): State<Shared>,
    Language(lang): Language,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    let visitor = Visitor::of(&headers);
    let door = page.door(&visitor, visitor::once());
    let sought = asked.get("q").map(String::as_str).unwrap_or_default();
    let sought: String = sought.chars().take(orders::SOUGHT_MAX).collect();
    let (slips, as_of) = match page.find(&sought).await {
        Ok(found) => found,
        Err(refusal) => return unavailable(refusal),
    };
    let path = format!("/search?q={}", orders::encoded(&sought));
    visitor.greet(Html(till::found::page(
        lang, &sought, &path, &slips, &door, &as_of,
    )))
}

fn trace(asked: &BTreeMap<String, String>) -> Option<Stan> {
    asked.get("trace")?.parse().ok().map(Stan)
}

fn unavailable(Refusal(zh, en): Refusal) -> Response {
    let words = format!(
        "收银程序没有应答：{zh}。请勿凭屏幕交货。\nThe till does not answer: {en}. Do not deliver by this screen.\n"
    );
    (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
}

impl Page {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn door(&self, visitor: &Visitor, once: String) -> Door {
        Door {
            csrf: visitor.token(&self.key),
            once,
        }
    }
}
