//! "Where is my money" over real sockets: three facts or nothing, guesses are stopped, statements are kept for people.

use crate::installation::{Installation, Process, get, start_till};
use crate::wait_until;
use rusqlite::Connection;
use serde_json::Value;

/// One visitor of the public pages, with an address of its own behind the relay.
struct Visitor {
    port: u16,
    peer: String,
    agent: ureq::Agent,
}

/// Status, place to go on, and page.
type Answer = (u16, String, String);

impl Visitor {
    fn new(port: u16, peer: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self {
            port,
            peer: peer.to_owned(),
            agent,
        }
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .agent
            .post(format!("http://127.0.0.1:{}{path}", self.port))
            .header("x-forwarded-for", &self.peer);
        let mut answer = request.send_form(form.iter().copied()).expect("an answer");
        let place = answer.headers().get("location");
        let place = place.map_or_else(String::new, |place| {
            place.to_str().expect("a path").to_owned()
        });
        let page = answer.body_mut().read_to_string().expect("a page");
        (answer.status().as_u16(), place, page)
    }

    fn asks(&self, facts: [&str; 4], shop: &str) -> Answer {
        let [amount, date, time, last4] = facts;
        let form = [
            ("amount", amount),
            ("date", date),
            ("time", time),
            ("last4", last4),
            ("shop", shop),
        ];
        self.post("/", &form)
    }
}

/// Date and minute of a sale, so many minutes later.
fn minute(seen: &Value, later: i64) -> (String, String) {
    let (date, time) = seen["received"]
        .as_str()
        .expect("when")
        .split_once(' ')
        .expect("date and time");
    let at = payment::Wall::of_minute(date, &time[..5]).expect("a minute");
    let text = payment::Wall(at.0 + later * 60_000).text();
    let (date, time) = text.split_once(' ').expect("date and time");
    (date.to_owned(), time[..5].to_owned())
}

fn sold(till: &mut Process, command: &str, screen: &str) -> String {
    till.tell(command);
    let shown = till.expect_screen(screen);
    shown["sale"].as_str().expect("a sale").to_owned()
}

#[test]
fn three_facts_or_nothing_and_what_is_said_is_kept() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let port = installation.ports().eslips;
    let _printer = installation.start_printer();
    let script = "<script>alert(1)</script>超市";
    let file = std::fs::read_to_string(installation.path("acquirer.toml")).expect("the file");
    installation.write("acquirer.toml", &file.replace("幸福里超市", script));
    let _hosts = installation.start_hosts();
    let config = installation.terminal(1, &[("idle_report_ms", "100")]);
    let mut till = start_till(&config);
    till.expect_screen("signed-on");
    let sale = sold(&mut till, "sale 71.30", "approved");
    let mut seen = Value::Null;
    wait_until("the slip is reported", || {
        seen = installation.where_is(&sale).expect("it is found");
        seen["row"] == "paid"
    });
    let link = seen["link"].as_str().expect("a link").to_owned();
    let (date, time) = minute(&seen, 0);
    let facts = ["71.30", &date, &time, "0123"];

    // The form, and the page behind it.
    let (status, form) = get(port, "/").expect("the form");
    assert!(status == 200 && form.contains("我的钱在哪里"), "{form}");
    let visitor = Visitor::new(port, "198.51.100.1");
    let page = format!("/r/{link}");
    wait_until("the archive has the sale", || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        Visitor::new(port, "198.51.100.2").asks(facts, "").1 == page
    });
    let (status, shown) = get(port, &page).expect("its page");
    assert_eq!(status, 200);
    for words in [
        "71.30",
        "**** 0123",
        "收单待结算",
        "&lt;script&gt;",
        "/static/counterfoil.css",
    ] {
        assert!(shown.contains(words), "no {words} in {shown}");
    }
    assert!(
        !shown.contains("<script>alert") && !shown.contains("6228"),
        "{shown}"
    );
    let (_, english) = get(port, &format!("{page}?lang=en")).expect("its page");
    assert!(
        english.contains("with the acquirer") && !english.contains("收单"),
        "{english}"
    );
    let (status, _) = get(port, &format!("{page}/events")).expect("an answer");
    assert_eq!(status, 204, "a closed loop is not followed");

    // One minute more or less; the shop by a part of its name; never with a wrong fact.
    for (later, shop, fits) in [
        (1, "", true),
        (-1, "超市", true),
        (0, "火锅", false),
        (2, "", false),
        (-2, "", false),
    ] {
        let (date, time) = minute(&seen, later);
        let (status, place, _) = visitor.asks(["71.3", &date, &time, "0123"], shop);
        assert_eq!(
            (status, place == page),
            if fits { (303, true) } else { (404, false) },
            "{later} {shop}"
        );
    }
    let one_wrong = Visitor::new(port, "198.51.100.3");
    let (_, _, nothing) = one_wrong.asks(["71.31", &date, &time, "0123"], "");
    let (status, _, other) = one_wrong.asks(["71.31", &date, &time, "0124"], "");
    assert_eq!(status, 404);
    assert_eq!(
        nothing.replace("0123", ""),
        other.replace("0124", "").replace("0123", "")
    );
    assert!(nothing.contains("这里不能显示") && nothing.contains("不要因此再付一次"));
    let (status, _, page_of_card) = one_wrong.asks(["71.30", &date, &time, "6228480000000123"], "");
    assert!(status == 400 && page_of_card.contains("末四位"));

    check_statements(&installation, &visitor, &sale, &page);
    check_twins(&installation, &mut till, port);
    check_guesses(port, &date, &time);
}

/// Statements are kept once, shown to everybody, and an open item where the sale stands.
fn check_statements(installation: &Installation, visitor: &Visitor, sale: &str, page: &str) {
    let before = installation.where_is(sale).expect("it is found");
    let declare =
        |statement: &str| visitor.post(&format!("{page}/declare"), &[("statement", statement)]);
    assert_eq!(declare("paid_twice").0, 400);
    for _ in 0..2 {
        let (status, _, said) = declare("paid_cash");
        assert!(status == 200 && said.contains("已经记下"), "{said}");
    }
    let after = installation.where_is(sale).expect("it is found");
    assert_eq!(
        (&after["row"], &after["outcome"]),
        (&before["row"], &before["outcome"])
    );
    let evidence = after["evidence"].as_array().expect("evidence");
    let last = evidence.last().expect("the weakest")[0]
        .as_str()
        .expect("words");
    assert!(
        last.contains("另外付了现金") && last.contains("人工证据"),
        "{last}"
    );
    let archive = installation.data("acquirer").join("archive.db");
    let archive = Connection::open(archive).expect("the archive");
    wait_until("it is an open item", || {
        let count = |query| archive.query_row(query, [], |row| row.get::<_, i64>(0));
        let open = count("SELECT count(*) FROM paid_twice");
        let told = count("SELECT count(*) FROM event WHERE what = 'declared_paid_cash'");
        (open, told) == (Ok(1), Ok(1))
    });
    let (_, shown) = get(visitor.port, page).expect("its page");
    assert!(shown.contains("您已声明“我另外付了现金”"), "{shown}");
}

/// Two sales that fit the same facts are shown to nobody; one of them alone has no link and gets a ticket.
fn check_twins(installation: &Installation, till: &mut Process, port: u16) {
    let first = sold(till, "sale 60000.00", "declined");
    let seen = installation.where_is(&first).expect("it is found");
    assert_eq!(seen["link"], Value::Null, "refused before it left");
    let (date, time) = minute(&seen, 0);
    let visitor = Visitor::new(port, "198.51.100.4");
    let mut place = String::new();
    wait_until("the archive has it", || {
        let visitor = Visitor::new(port, "198.51.100.5");
        place = visitor.asks(["60000", &date, &time, "0123"], "").1;
        std::thread::sleep(std::time::Duration::from_millis(200));
        !place.is_empty()
    });
    assert!(place.starts_with("/t/") && place.len() == 19, "{place}");
    let (status, page) = get(port, &place).expect("its page");
    assert!(
        status == 200 && page.contains("60,000.00") && page.contains("持卡人账户"),
        "{page}"
    );
    assert_eq!(
        get(port, &place.replace("/t/", "/r/")).expect("none").0,
        404
    );
    sold(till, "sale 60000.00", "declined");
    wait_until("the archive has both", || {
        let visitor = Visitor::new(port, "198.51.100.6");
        let (status, ..) = visitor.asks(["60000", &date, &time, "0123"], "");
        std::thread::sleep(std::time::Duration::from_millis(200));
        status == 404
    });
    assert_eq!(visitor.asks(["60000", &date, &time, "0123"], "").0, 404);
}

/// A peer that guesses is stopped soon; many peers that try the same fact are stopped together, and no other fact is.
fn check_guesses(port: u16, date: &str, time: &str) {
    let guess = |peer: &str, n: u32, last4: &str| {
        let amount = format!("{}.{:02}", n / 100 + 1, n % 100);
        Visitor::new(port, peer)
            .asks([&amount, date, time, last4], "")
            .0
    };
    let one = (0..30).map(|n| guess("203.0.113.1", n, &format!("{n:04}")));
    let answers: Vec<u16> = one.collect();
    assert!(
        answers.contains(&404) && answers.ends_with(&[429]),
        "{answers:?}"
    );
    let all = (0..80).map(|n| guess(&format!("203.0.113.{}", 2 + n), 100 + n, "7777"));
    let answers: Vec<u16> = all.collect();
    assert!(
        answers.starts_with(&[404]) && answers.ends_with(&[429]),
        "{answers:?}"
    );
}
