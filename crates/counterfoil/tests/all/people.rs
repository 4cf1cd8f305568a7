//! People at the desk over real sockets: sign-in, sessions, rights, four eyes, and the log of what they did.

mod api;
mod audit;
mod four_eyes;
mod remedies;
mod rights;
mod sign_in;

use axum::Router;
use axum::routing::{get, post};
use counterfoil::config::Profile;
use counterfoil::people::{self, People, Permission, Person, Role};
use payment::{MerchantId, Wall};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

/// A merchant of the example files, and another one.
const MERCHANT: &str = "898100053110001";
const OTHER_MERCHANT: &str = "898100058120002";
const PASSWORD: &str = "correct horse battery";
/// 2026-11-22 14:00 China time.
const START_MS: i64 = 1_795_327_200_000;

/// The people's pages on a socket, with a clock of the test.
struct Desk {
    people: People,
    data: TempDir,
    clock: Arc<AtomicI64>,
    at: SocketAddr,
    agent: Agent,
    _runtime: Runtime,
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    /// The cookie that it sets, as a browser sends it back.
    fn cookie(&self) -> String {
        let set = self.headers.get_all("set-cookie").into_iter();
        let mut set = set.map(|value| value.to_str().expect("text"));
        let session = set.rfind(|value| value.contains("session="));
        let pair = session.and_then(|value| value.split(';').next());
        pair.unwrap_or_default().to_owned()
    }
}

impl Desk {
    fn open() -> Self {
        Self::with(Profile::Sandbox)
    }

    /// With an operator, an auditor and two supervisors.
    fn staffed() -> Self {
        let desk = Self::open();
        for (name, role) in [
            ("li", Role::Operator),
            ("chen", Role::Auditor),
            ("zhao", Role::Supervisor),
            ("qian", Role::Supervisor),
        ] {
            desk.enter(name, role);
        }
        desk
    }

    fn with(profile: Profile) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(AtomicI64::new(START_MS));
        let told = Arc::clone(&clock);
        let tells = Arc::new(move || Wall(told.load(SeqCst)));
        let people = People::with_clock(data.path(), profile, tells).expect("people open");
        let page = || async { "in" };
        let routes = [
            ("/console", Permission::ReadConsole),
            ("/merchant", Permission::ReadPortal),
            ("/money", Permission::Propose),
        ];
        let routes = routes
            .into_iter()
            .fold(people::routes(&people), |all, (path, permission)| {
                let routes = Router::new().route(path, get(page)).route(path, post(page));
                all.merge(people.guard(routes, permission))
            });
        let runtime = crate::runtime();
        let site = counterfoil::web::site(routes);
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let at = runtime.block_on(counterfoil::control::serve(here, site));
        Self {
            people,
            data,
            clock,
            at: at.expect("it listens"),
            agent: agent(),
            _runtime: runtime,
        }
    }

    fn wait(&self, ms: i64) {
        self.clock.fetch_add(ms, SeqCst);
    }

    fn add(&self, name: &str, role: Role) {
        let person = person(name, role);
        self.people.add("test", &person, PASSWORD).expect("added");
    }

    fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(&self.agent, self.at, method, path, headers, body)
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(Method::GET, path, &[("cookie", cookie)], "")
    }

    /// As a form of a page of this site sends it.
    fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let headers = [
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.ask(Method::POST, path, &headers, form)
    }

    fn sign_in(&self, name: &str, password: &str, code: &str) -> Answer {
        let password = password.replace(' ', "+");
        let form = format!("name={name}&password={password}&code={code}");
        self.post("/login", "", &form)
    }

    /// Signed in by an entry link.
    fn enter(&self, name: &str, role: Role) -> String {
        let link = self.people.entry_link(&person(name, role)).expect("a link");
        let cookie = self.get(&link, "").cookie();
        assert!(!cookie.is_empty(), "{name} comes in");
        cookie
    }

    /// The token of the session's forms.
    fn csrf(&self, cookie: &str) -> String {
        let page = self.get("/account", cookie).body;
        let token = page
            .split_once(r#"name="csrf" value=""#)
            .expect("a token")
            .1;
        token.split('"').next().expect("its end").to_owned()
    }

    fn session(&self, cookie: &str) -> people::Session {
        let id = cookie.split_once('=').expect("a cookie").1;
        let session = self.people.session(id).expect("it reads");
        session.expect("it counts")
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

fn ask(
    agent: &Agent,
    at: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{at}{path}"));
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_owned()).expect("a request");
    let mut answer = agent.run(request).expect("an answer");
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.body_mut().read_to_string().expect("a body"),
    }
}

fn person(name: &str, role: Role) -> Person {
    let merchant = MerchantId::parse(MERCHANT.as_bytes());
    Person {
        name: name.to_owned(),
        role,
        merchant: merchant.filter(|_| role == Role::Merchant),
    }
}
