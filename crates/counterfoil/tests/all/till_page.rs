//! The till's page over HTTP: what a browser may do to money, and what it is shown.

use crate::installation::{Installation, Process, free_port, start_till};
use crate::wait_until;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;

/// A browser without script: one cookie, the forms that it was shown.
struct Browser {
    port: u16,
    cookie: String,
    page: String,
}

/// What was answered: status, where it leads, text.
type Answer = (u16, String, String);

impl Browser {
    fn open(port: u16) -> Self {
        let mut browser = Self {
            port,
            cookie: String::new(),
            page: String::new(),
        };
        wait_until("the page is served", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        browser.load("/");
        browser
    }

    fn load(&mut self, path: &str) {
        let (status, _, page) = self.ask("GET", path, &[], "");
        assert_eq!(status, 200, "{page}");
        self.page = page;
    }

    /// The value of a hidden field of the page.
    fn hidden(&self, name: &str) -> String {
        let begins = format!("name=\"{name}\" value=\"");
        let at = self.page.find(&begins).expect("the field") + begins.len();
        let value = &self.page[at..];
        value[..value.find('"').expect("its end")].to_owned()
    }

    fn form(&self, fields: &str) -> String {
        format!(
            "csrf={}&once={}&{fields}",
            self.hidden("csrf"),
            self.hidden("once")
        )
    }

    fn post(&mut self, path: &str, fields: &str) -> Answer {
        let form = self.form(fields);
        self.ask("POST", path, &[], &form)
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += &format!("Host: 127.0.0.1:{}\r\n", self.port);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !self.cookie.is_empty() {
            request += &format!("Cookie: {}\r\n", self.cookie);
        }
        if method == "POST" {
            let length = body.len();
            request += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
            );
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .expect("it is sent");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            named
                .map(|(_, value)| value.to_owned())
                .next()
                .unwrap_or_default()
        };
        if let Some(cookie) = header("set-cookie")
            .split(';')
            .next()
            .filter(|c| c.starts_with("till="))
        {
            self.cookie = cookie.to_owned();
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (
            status.expect("a status"),
            header("location"),
            text.to_owned(),
        )
    }

    /// Reads the main page until it contains all of `words`.
    fn until(&mut self, words: &[&str]) {
        wait_until(&words.join(" "), || {
            self.load("/");
            words.iter().all(|words| self.page.contains(words))
        });
    }

    fn sales(&self) -> usize {
        self.page.matches("<a class=\"line\"").count()
    }
}

fn printer(installation: &Installation) -> Process {
    let at = format!("127.0.0.1:{}", installation.ports().printer);
    let mut command = Installation::command(&["printer", "--listen", &at]);
    let mut printer = Process::spawn(command.stdin(Stdio::piped()));
    printer.expect_line("printer ready");
    printer
}

/// The first message of a stream of changes.
fn first_event(browser: &Browser) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", browser.port)).expect("it listens");
    let request = format!(
        "GET /events?lang=zh-CN HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\n\r\n",
        browser.port, browser.cookie
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines
        .find(|line| line.starts_with("data:"))
        .expect("a message")
}

#[test]
fn a_charge_by_form_is_one_charge_and_nobody_else_may_send_it() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _printer = printer(&installation);
    let hosts = installation.start_hosts();
    let port = free_port();
    let page = format!("\"127.0.0.1:{port}\"");
    let name = "\"幸福里<script>alert(1)</script>\"";
    let config = installation.terminal(
        1,
        &[
            ("page", &page),
            ("merchant_name", name),
            ("idle_report_ms", "100"),
        ],
    );
    let mut till = start_till(&config);
    till.expect_screen("signed-on");
    let mut browser = Browser::open(port);
    assert!(!browser.page.contains("<script>alert"), "{}", browser.page);
    assert!(browser.page.contains("幸福里&lt;script&gt;"));

    check_refusals(&mut browser);

    // The basket's sum is the amount; paid, it is empty.
    browser.post("/basket", "add=6901234567908");
    browser.load("/");
    assert!(browser.page.contains("value=\"12.80\""));
    let charge = browser.form("tender=swipe&amount=12.80&card=debit");
    let (status, to, _) = browser.ask("POST", "/charge", &[], &charge);
    assert_eq!((status, to.as_str()), (303, "/"));
    browser.until(&["交易成功", "交货", "¥12.80", "成功", "已打印", "回路闭合"]);
    assert!(
        !browser.page.contains("value=\"12.80\""),
        "the basket is empty"
    );
    assert_eq!(browser.sales(), 1);

    // The same form again: the first's result, no second charge.
    let (status, to, _) = browser.ask("POST", "/charge", &[], &charge);
    assert_eq!(status, 303);
    assert!(to.starts_with("/?trace="), "{to}");
    browser.load(&to);
    assert_eq!(browser.sales(), 1);
    // The sale that was picked can be taken back from here.
    assert!(browser.page.contains("value=\"void\"") && browser.page.contains("value=\"refund\""));
    let event = first_event(&browser);
    assert!(
        event.contains("\"verdict\"") && event.contains("交易成功"),
        "{event}"
    );
    assert!(!event.contains("6228480000000123") && !browser.page.contains("6228480000000123"));

    // One sentence, here and at the acquirer.
    let trace = to.trim_start_matches("/?trace=").to_owned();
    let sale = format!("T0000001/{trace}");
    let mut seen = serde_json::Value::Null;
    wait_until("the acquirer has heard of the slip", || {
        seen = installation.where_is(&sale).expect("it is found");
        seen["row"] == "paid"
    });
    assert!(
        browser
            .page
            .contains(seen["headline"][0].as_str().expect("a headline"))
    );

    check_unresolved(&mut browser, &hosts[2], &mut till);
}

/// Without its token, its cookie, our own origin or our own name nothing is ordered.
fn check_refusals(browser: &mut Browser) {
    let good = browser.form("tender=swipe&amount=9.99&card=debit");
    let bad = good.replacen("csrf=", "csrf=0", 1);
    for (what, headers, form, expected) in [
        ("a wrong token", vec![], &bad, 403),
        (
            "another origin",
            vec![("Origin", "http://evil.example")],
            &good,
            403,
        ),
        (
            "another site",
            vec![("Sec-Fetch-Site", "cross-site")],
            &good,
            403,
        ),
        (
            "another name",
            vec![("Host", "rebound.example")],
            &good,
            421,
        ),
    ] {
        assert_eq!(
            browser.ask("POST", "/charge", &headers, form).0,
            expected,
            "{what}"
        );
    }
    let cookie = std::mem::take(&mut browser.cookie);
    assert_eq!(
        browser.ask("POST", "/charge", &[], &good).0,
        403,
        "no cookie"
    );
    browser.cookie = cookie;
    assert_eq!(browser.ask("GET", "/charge", &[], "").0, 405);
    browser.load("/");
    assert_eq!(browser.sales(), 0, "nothing was charged");
    // What is no amount is told, not charged.
    browser.post("/charge", "tender=swipe&amount=1e3&card=debit");
    browser.load("/");
    assert!(
        browser.page.contains("1e3") && browser.sales() == 0,
        "{}",
        browser.page
    );
    // A key of the pad without script.
    let (_, to, _) = browser.post("/key", "amount=12&key=8");
    assert_eq!(to, "/?amount=128");
}

/// The issuer is silent: the page says what it cannot know, and is healed with the sale.
fn check_unresolved(browser: &mut Browser, issuer: &Process, till: &mut Process) {
    let signal = |name: &str| {
        let mut command = std::process::Command::new("kill");
        assert!(
            command
                .args([name, &issuer.id().to_string()])
                .status()
                .expect("kill runs")
                .success()
        );
    };
    browser.load("/");
    signal("-STOP");
    browser.post("/charge", "tender=swipe&amount=66.00&card=debit");
    till.expect_screen("reversing");
    browser.until(&["交易未完成，正在自动冲正", "勿交货", "现金收款（自动关联）"]);
    // A second swipe meanwhile opens the sheet.
    browser.post("/charge", "tender=swipe&amount=66.00&card=debit");
    browser.until(&["请勿再次刷卡", "还没有结果", "仍要收款（关联）"]);
    signal("-CONT");
    browser.until(&["自动冲正成功"]);
    assert_eq!(browser.sales(), 2);
}
