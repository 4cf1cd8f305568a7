//! The demo's world with its pages open, and somebody who reads all of them over plain HTTP.

use counterfoil::demo::{Pages, Ports, World};
use counterfoil::fault::{Act, Direction, Fault};
use counterfoil::view::SaleView;
use serde_json::{Value, json};
use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The shop's till and its merchant.
pub const TILL: &str = "T0000024";
pub const MERCHANT: &str = "898100053110001";
/// A hang becomes a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every frame of this type is lost, in one direction, until the hop is healed.
pub const fn silence(mti: Option<u16>, direction: Direction) -> Fault {
    Fault {
        mti,
        direction,
        act: Act::Drop,
        times: u32::MAX,
    }
}

/// What was answered: status, where it leads, its cookie, text.
pub struct Answer {
    pub status: u16,
    pub location: String,
    cookie: String,
    pub text: String,
}

/// A running world, and its visitor.
pub struct Shop {
    pub world: World,
    pub pages: Pages,
    agent: ureq::Agent,
    staff: String,
    /// The public port counts the pages of each peer: every look comes from another one.
    peers: Cell<u32>,
    data: tempfile::TempDir,
    runtime: Background,
}

/// The world's runtime; nobody waits for its end.
struct Background(Option<tokio::runtime::Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shop {
    pub fn open() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (world, pages) = runtime.block_on(async {
            let world = World::start(data.path(), Ports::FREE)
                .await
                .expect("the demo's world");
            let pages = world.open_pages().await.expect("the demo's pages");
            (world, pages)
        });
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let mut shop = Self {
            world,
            pages,
            agent: agent.into(),
            staff: String::new(),
            peers: Cell::new(0),
            data,
            runtime: Background(Some(runtime)),
        };
        let entry = shop.pages.link("Console").expect("a link").to_owned();
        shop.staff = shop.ask(&entry, None).cookie;
        assert!(!shop.staff.is_empty(), "the entry link signs in");
        shop
    }

    /// Runs what needs the world's runtime.
    pub fn run<T>(&self, what: impl Future<Output = T>) -> T {
        let runtime = self.runtime.0.as_ref().expect("until the end");
        runtime.block_on(what)
    }

    /// Where a party's journal lies.
    pub fn data(&self, party: &str) -> PathBuf {
        self.data.path().join(party)
    }

    pub fn till(&self, path: &str) -> String {
        let till = self.pages.link("Till").expect("the till");
        format!("{}{path}", till.trim_end_matches('/'))
    }

    pub fn public(&self, path: &str) -> String {
        format!("http://{}{path}", self.world.public.expect("public pages"))
    }

    pub fn desk(&self, path: &str) -> String {
        format!("http://{}{path}", self.pages.desk)
    }

    /// A page, signed in where that is asked for; who asks too often waits.
    pub fn get(&self, address: &str) -> Answer {
        loop {
            let answer = self.ask(address, None);
            if answer.status != 429 {
                return answer;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// A page that is there.
    pub fn page(&self, address: &str) -> String {
        let answer = self.get(address);
        assert_eq!(answer.status, 200, "{address}: {}", answer.text);
        answer.text
    }

    pub fn json(&self, address: &str) -> Value {
        serde_json::from_str(&self.page(address)).expect("JSON")
    }

    fn ask(&self, address: &str, cookie: Option<&str>) -> Answer {
        self.peers.set(self.peers.get() + 1);
        let [_, a, b, c] = self.peers.get().to_be_bytes();
        let request = self
            .agent
            .get(address)
            .header("x-forwarded-for", &format!("10.{a}.{b}.{c}"))
            .header("cookie", cookie.unwrap_or(&self.staff));
        answer(
            request
                .call()
                .unwrap_or_else(|error| panic!("{address}: {error}")),
        )
    }

    fn post(&self, address: &str, cookie: &str, form: &str) -> Answer {
        let request = self
            .agent
            .post(address)
            .content_type("application/x-www-form-urlencoded")
            .header("cookie", cookie);
        answer(request.send(form).expect("an answer"))
    }

    /// A swipe at the till's page; the trace number of the sale that came of it.
    pub fn swipe(&self, yuan: &str) -> u32 {
        let charge = self.swiping(yuan);
        assert_eq!(charge().status, 303);
        // The same form again leads to the sale that it made.
        let leads = charge().location;
        let trace = leads.strip_prefix("/?trace=").and_then(|n| n.parse().ok());
        trace.unwrap_or_else(|| panic!("{yuan} was not charged: {leads:?}"))
    }

    /// A swipe that may be held back.
    pub fn swipe_again(&self, yuan: &str) {
        assert_eq!(self.swiping(yuan)().status, 303);
    }

    /// The form of a swipe, to be sent.
    fn swiping(&self, yuan: &str) -> impl Fn() -> Answer {
        let door = self.ask(&self.till("/"), Some(""));
        let hidden = |name: &str| between(&door.text, &format!("name=\"{name}\" value=\""), "\"");
        let form = format!(
            "csrf={}&once={}&tender=swipe&amount={yuan}&card=debit",
            hidden("csrf"),
            hidden("once")
        );
        move || self.post(&self.till("/charge"), &door.cookie, &form)
    }

    /// The lab breaks these and charges; the trace number, once the acquirer has heard of it.
    pub fn lab(&self, faults: &[&str], amount_minor: u64) -> u32 {
        let lab = self.desk("/api/v1/lab");
        let wanted = json!({ "faults": faults, "amount_minor": amount_minor }).to_string();
        self.until("the lab's turn", || {
            let request = self.agent.post(&lab).content_type("application/json");
            answer(request.send(&wanted).expect("an answer")).status == 202
        });
        let mut key = None;
        self.until("the lab's sale", || {
            let run = &self.json(&lab)["run"];
            key = run["sale"]["key"]
                .as_str()
                .filter(|_| run["sale"]["amount_minor"] == amount_minor)
                .map(str::to_owned);
            key.is_some()
        });
        let key = key.expect("a key");
        let trace = key.rsplit('/').next().and_then(|trace| trace.parse().ok());
        trace.expect("a trace number")
    }

    /// What the acquirer says, by its control port.
    pub fn sale(&self, trace: u32) -> Option<SaleView> {
        let control = self.world.control;
        let answer = self.get(&format!("http://{control}/v1/where/{TILL}/{trace}"));
        (answer.status == 200).then(|| serde_json::from_str(&answer.text).expect("a sale"))
    }

    /// Waits until the acquirer says this row of the table.
    pub fn until_row(&self, trace: u32, row: &str) -> SaleView {
        let mut last = None;
        self.until(row, || {
            last = self.sale(trace);
            last.as_ref().is_some_and(|sale| sale.row == row)
        });
        last.expect("a sale")
    }

    /// Waits until `reached` says so.
    pub fn until(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !reached() {
            assert!(Instant::now() < end, "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the printer printed, newest last.
    pub fn papers(&self) -> Vec<String> {
        let papers = |printer: &mut receipt::VirtualPrinter| {
            let papers = printer.papers().iter();
            papers.map(|paper| paper.text.clone()).collect()
        };
        self.pages.printer().with(papers)
    }

    /// What the command line says.
    pub fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        let output = command.args(arguments).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn answer(answer: http::Response<ureq::Body>) -> Answer {
    let header = |name: &str| {
        let value = answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let cookie = header("set-cookie");
    let (status, location) = (answer.status().as_u16(), header("location"));
    Answer {
        status,
        location,
        cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
        text: answer.into_body().read_to_string().expect("a text"),
    }
}

/// What stands between two pieces of a text; empty where the first is not there.
pub fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let Some((_, rest)) = text.split_once(begin) else {
        return "";
    };
    rest.split_once(end).map_or("", |(found, _)| found)
}

/// The text of the first `<h1>` after `from`.
pub fn heading(page: &str, from: &str) -> String {
    let at = page.find(from).map_or("", |at| &page[at..]);
    let inner = between(at, "<h1", "</h1>");
    let text = inner.split_once('>').map_or("", |(_, text)| text);
    text.replace("&amp;", "&")
}

/// Without what only lays a text out: spaces and line ends, and with one yen sign.
pub fn folded(text: &str) -> String {
    let text = text.replace('¥', "￥");
    text.split_whitespace().collect()
}
