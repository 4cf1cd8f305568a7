//! The API of a running acquirer: rights by the table's own rows, other merchants' transactions, one shape of errors, keys
//! that act once, events, and webhooks that are tried until they are taken.

use super::{Answer, MERCHANT, OTHER_MERCHANT, agent, ask};
use crate::installation::{Installation, local, start_till};
use crate::wait_until;
use crate::webhook::{answer, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use counterfoil::config::Profile;
use counterfoil::desk::api::{ENDPOINTS, Gives, ROOT, Verb, document};
use counterfoil::people::{People, Role};
use counterfoil::webhook::signature;
use expect_test::expect_file;
use payment::MerchantId;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use ureq::Agent;
use ureq::http::Method;

#[test]
fn the_document_is_made_of_the_endpoints() {
    let text = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    expect_file!["../../../../../docs/openapi.json"].assert_eq(&text);
    let paths = document()["paths"].as_object().expect("paths").len();
    assert!(paths >= 10 && text.contains(r#""openapi": "3.1.0""#));
}

/// A running acquirer with one approved transaction of [`MERCHANT`].
struct Running {
    people: People,
    at: SocketAddr,
    agent: Agent,
    sale: Value,
    installation: Installation,
    till: crate::installation::Process,
    _hosts: [crate::installation::Process; 3],
}

impl Running {
    fn start() -> Self {
        let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
        // Whoever waits here asks often.
        installation.adjust("acquirer.toml", &[("api_per_minute", "1000000")]);
        let hosts = installation.start_hosts();
        let mut till = start_till(&installation.terminal(1, &[("idle_report_ms", "100")]));
        till.expect_screen("signed-on");
        let people = People::open(&installation.data("acquirer"), Profile::Sandbox);
        let mut running = Self {
            people: people.expect("people open"),
            at: SocketAddr::from(([127, 0, 0, 1], installation.ports().desk)),
            agent: agent(),
            sale: Value::Null,
            installation,
            till,
            _hosts: hosts,
        };
        running.sell("128.00");
        let key = running.key("first", Role::Operator, None);
        wait_until("the archive has it", || {
            let page = running.json("/sales", &key);
            running.sale = page["items"][0].clone();
            running.sale["outcome"] == "approved"
        });
        running
    }

    fn sell(&mut self, amount: &str) {
        self.till.tell(&format!("sale {amount}"));
        self.till.expect_screen("approved");
    }

    fn key(&self, label: &str, role: Role, merchant: Option<&str>) -> String {
        let merchant = merchant.and_then(|text| MerchantId::parse(text.as_bytes()));
        self.people
            .make_key("test", label, role, merchant)
            .expect("a key")
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", if key.is_empty() { "" } else { &bearer })];
        headers.extend(more);
        ask(
            &self.agent,
            self.at,
            method,
            &format!("{ROOT}{path}"),
            &headers,
            body,
        )
    }

    fn json(&self, path: &str, key: &str) -> Value {
        let answer = self.ask(Method::GET, path, key, &[], "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    fn post(&self, path: &str, key: &str, once: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", once),
        ];
        self.ask(Method::POST, path, key, &headers, body)
    }
}

#[test]
fn the_api_of_a_running_acquirer() {
    let mut running = Running::start();
    check_rights(&running);
    check_tenants(&running);
    check_errors(&running);
    check_keys_act_once(&running);
    check_events(&running);
    check_webhooks(&mut running);
    check_metrics(&running);
}

#[test]
fn a_key_that_asks_too_often_is_told_how_long_to_wait() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    installation.adjust("acquirer.toml", &[("api_per_minute", "3")]);
    let _acquirer = installation.start("acquirer");
    let people = People::open(&installation.data("acquirer"), Profile::Sandbox);
    let people = people.expect("people open");
    let key = |label| people.make_key("test", label, Role::Auditor, None);
    let (often, other) = (key("often").expect("a key"), key("other").expect("a key"));
    let (agent, at) = (agent(), local(installation.ports().desk));
    let asks = |key: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        ask(
            &agent,
            at,
            Method::GET,
            &format!("{ROOT}/proposals"),
            &headers,
            "",
        )
    };
    // A minute gives three back; the first that is refused comes soon after them.
    let refused = (0..100)
        .map(|_| asks(&often))
        .find(|answer| answer.status != 200);
    let refused = refused.expect("it is stopped");
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (429, "application/problem+json")
    );
    let problem: Value = serde_json::from_str(&refused.body).expect("JSON");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(problem["ask_again_after"], wait);
    assert_eq!(
        (&problem["outcome"], &problem["retry_safe"]),
        (&"none".into(), &true.into())
    );
    assert_eq!(asks(&other).status, 200);
    assert_eq!(asks("cfk_nobody").status, 401);
}

/// Every line is one that Prometheus reads, and the counts are those of the transactions.
fn check_metrics(running: &Running) {
    for control in running.installation.ports().control {
        let (status, text) = crate::installation::get(control, "/metrics").expect("an answer");
        assert_eq!(status, 200);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = name.split_once('{').expect("labels");
            let of_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|part| name.strip_suffix(part))
                .is_some_and(|name| text.contains(&format!("# TYPE {name} histogram\n")));
            let typed = text.contains(&format!("# TYPE {name} "));
            assert!(typed || of_histogram, "{line}");
            assert!(name.starts_with("counterfoil_"), "{line}");
            assert!(
                labels.starts_with("party=\"") && labels.ends_with("\"}"),
                "{line}"
            );
        }
    }
    let acquirer = running.installation.ports().control[0];
    let (_, text) = crate::installation::get(acquirer, "/metrics").expect("an answer");
    let approved = r#"counterfoil_payments_total{party="acquirer",outcome="approved"} 2"#;
    assert!(text.lines().any(|line| line == approved), "{text}");
}

/// Role by endpoint: only the cells that the table lists are open, and none without a key.
fn check_rights(running: &Running) {
    let id = running.sale["id"].as_str().expect("an id");
    for role in Role::ALL {
        let merchant = (role == Role::Merchant).then_some(MERCHANT);
        let key = running.key(role.name(), role, merchant);
        for row in ENDPOINTS {
            let path = row.path.replace("{reference}", id).replace("{id}", "999");
            if matches!(row.gives, Gives::Stream(_)) && row.is_for(role) {
                continue;
            }
            let (method, body) = match row.verb {
                Verb::Get => (Method::GET, ""),
                Verb::Post => (Method::POST, "{}"),
            };
            let json = [("content-type", "application/json")];
            let status = running.ask(method.clone(), &path, &key, &json, body).status;
            assert_eq!(
                status == 403,
                !row.is_for(role),
                "{role:?} {method} {path}: {status}"
            );
            if row.is_for(role) && row.verb == Verb::Get && !row.path.contains("{id}") {
                assert_eq!(status, 200, "{role:?} {path}");
            }
            for wrong in ["", "cfk_0000", "nonsense"] {
                let status = running
                    .ask(method.clone(), &path, wrong, &json, body)
                    .status;
                assert_eq!(status, 401, "{method} {path} with {wrong:?}");
            }
        }
    }
    let key = running.key("ended", Role::Operator, None);
    let keys = running.people.keys().expect("keys");
    let id = keys
        .iter()
        .find(|key| key.label == "ended")
        .expect("it is listed")
        .id;
    running.people.revoke_key("test", id).expect("revoked");
    assert_eq!(
        running.ask(Method::GET, "/sales", &key, &[], "").status,
        401
    );
}

/// What is another merchant's does not exist, whatever it is called.
fn check_tenants(running: &Running) {
    let own = running.key("own", Role::Merchant, Some(MERCHANT));
    let other = running.key("other", Role::Merchant, Some(OTHER_MERCHANT));
    let (id, rrn) = (running.sale["id"].as_str(), running.sale["rrn"].as_str());
    let whole = running.json(&format!("/sales/{}", id.expect("id")), &own);
    let link = whole["link"].as_str().expect("a link").to_owned();
    let key = whole["key"].as_str().expect("a key").replace('/', "%2F");
    for name in [id.expect("id"), rrn.expect("rrn"), &link, &key] {
        let path = format!("/sales/{name}");
        assert_eq!(
            running.ask(Method::GET, &path, &own, &[], "").status,
            200,
            "{path}"
        );
        let hidden = running.ask(Method::GET, &path, &other, &[], "");
        let never = running.ask(Method::GET, "/sales/999999999999", &other, &[], "");
        assert_eq!((hidden.status, never.status), (404, 404), "{path}");
    }
    for (key, sees) in [(&own, true), (&other, false)] {
        for path in [
            "/sales".to_owned(),
            format!("/sales?merchant={MERCHANT}"),
            "/events".to_owned(),
        ] {
            let items = running.json(&path, key)["items"]
                .as_array()
                .expect("items")
                .len();
            assert_eq!(items > 0, sees, "{path}");
        }
        let terminals = running.json("/terminals?limit=3", key);
        let terminals = terminals["items"].as_array().expect("items");
        let merchant = if sees { MERCHANT } else { OTHER_MERCHANT };
        assert!(!terminals.is_empty());
        assert!(terminals.iter().all(|row| row["merchant"] == merchant));
    }
    let text = running.ask(Method::GET, "/sales", &own, &[], "").body;
    assert!(!text.contains("6228480"), "four digits of a card at most");
    assert_eq!(
        whole["headline"][0],
        running
            .installation
            .where_is(rrn.expect("rrn"))
            .expect("found")["headline"][0]
    );
}

/// Every error has one shape and tells nothing of our inside.
fn check_errors(running: &Running) {
    let key = running.key("errors", Role::Supervisor, None);
    let json = [("content-type", "application/json")];
    for (method, path, with, headers, body, status) in [
        (Method::GET, "/sales", "", &json[..], "", 401),
        (Method::GET, "/nowhere", &key, &json[..], "", 404),
        (Method::GET, "/sales/none", &key, &json[..], "", 404),
        (Method::DELETE, "/sales", &key, &json[..], "", 405),
        (Method::GET, "/sales?limit=many", &key, &json[..], "", 400),
        (Method::GET, "/events?after=x", &key, &json[..], "", 422),
        (Method::POST, "/proposals", &key, &json[..], "{", 400),
        (
            Method::POST,
            "/proposals",
            &key,
            &json[..],
            r#"{"name":1}"#,
            422,
        ),
        (Method::POST, "/proposals", &key, &[][..], "{}", 415),
        (
            Method::POST,
            "/proposals/x/withdraw",
            &key,
            &json[..],
            "",
            400,
        ),
        (
            Method::POST,
            "/proposals/7/withdraw",
            &key,
            &json[..],
            "",
            404,
        ),
        (
            Method::POST,
            "/webhooks",
            &key,
            &json[..],
            r#"{"address":"https://10.0.0.1/"}"#,
            422,
        ),
        (
            Method::POST,
            "/webhooks",
            &key,
            &json[..],
            r#"{"address":"http://hooks.example/"}"#,
            422,
        ),
    ] {
        let answer = running.ask(method.clone(), path, with, headers, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        let problem: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(problem["status"], status, "{path}");
        assert_eq!(
            problem["correlation_id"],
            answer.header("x-correlation-id"),
            "{path}"
        );
        assert_eq!(
            (&problem["outcome"], &problem["reversal_status"]),
            (&"none".into(), &"none".into())
        );
        assert!(problem["retry_safe"].is_boolean() && problem.get("ask_again_after").is_some());
        for inside in ["SELECT", "sqlite", ".rs", "panicked", "line 1", "/tmp"] {
            assert!(!answer.body.contains(inside), "{inside} in {}", answer.body);
        }
    }
    let good = running.ask(Method::GET, "/sales", &key, &[], "");
    assert_eq!(good.header("x-correlation-id").len(), 32);
}

/// The same key acts once; a key whose request did nothing is free again.
fn check_keys_act_once(running: &Running) {
    let key = running.key("once", Role::Operator, None);
    let other = running.key("another", Role::Operator, None);
    let staff = |name: &str| counterfoil::people::Person {
        name: name.to_owned(),
        role: Role::Auditor,
        merchant: None,
    };
    let body = |name: &str| format!(r#"{{"name":"{name}","from":"auditor","to":"operator"}}"#);
    let ask = |once: &str, name: &str| running.post("/proposals", &key, once, &body(name));

    let nobody = ask("k1", "chen");
    assert_eq!(
        nobody.status, 409,
        "there is no such person: nothing happened"
    );
    running
        .people
        .entry_link(&staff("chen"))
        .expect("now there is");
    let first = ask("k1", "chen");
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (200, ""),
        "{}",
        first.body
    );
    let again = ask("k1", "chen");
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (200, "true")
    );
    assert_eq!(again.body, first.body);
    let list = running.json("/proposals", &key);
    assert_eq!(
        list["items"].as_array().expect("items").len(),
        1,
        "one effect"
    );
    assert_eq!(
        ask("k1", "wu").status,
        422,
        "the key belongs to another request"
    );
    let theirs = running.post("/proposals", &other, "k1", &body("chen"));
    assert_eq!(
        (theirs.status, theirs.header("idempotent-replayed")),
        (200, ""),
        "keys are each caller's own"
    );
    let proposed: Value = serde_json::from_str(&first.body).expect("JSON");
    let path = format!("/proposals/{}/withdraw", proposed["id"]);
    assert_eq!(
        running.post(&path, &other, "", "").status,
        403,
        "not theirs"
    );
    assert_eq!(running.post(&path, &key, "", "").status, 200);
    assert_eq!(running.post(&path, &key, "", "").status, 409);
    assert_eq!(ask(&"x".repeat(200), "chen").status, 422);
}

fn check_events(running: &Running) {
    let key = running.key("events", Role::Auditor, None);
    let all = running.json("/events", &key);
    let items = all["items"].as_array().expect("items");
    let kinds: Vec<&str> = items
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(
        kinds[..2],
        ["payment.forwarded", "payment.answered"],
        "{kinds:?}"
    );
    assert_eq!(items[0]["transaction"], running.sale["id"]);
    let mut place = String::new();
    for event in items {
        let one = running.json(&format!("/events?limit=1{place}"), &key);
        assert_eq!(one["items"][0], *event, "one by one as all at once");
        place = format!("&after={}", event["id"].as_str().expect("an id"));
    }

    let stream = format!(
        "http://{}{ROOT}/events/stream?after={}",
        running.at,
        items[0]["id"].as_str().expect("id")
    );
    let answer = running
        .agent
        .get(&stream)
        .header("authorization", format!("Bearer {key}"))
        .call();
    let answer = answer.expect("a stream");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(answer.into_body().into_reader()));
    let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with("id: ")));
    assert_eq!(
        line.as_deref(),
        items[1]["id"]
            .as_str()
            .map(|id| format!("id: {id}"))
            .as_deref()
    );
}

/// A notice is posted until it is taken, signed, in order; it can be sent again under the same id.
fn check_webhooks(running: &mut Running) {
    let key = running.key("hooks", Role::Merchant, Some(MERCHANT));
    let other = running.key("others-hooks", Role::Merchant, Some(OTHER_MERCHANT));
    let receiver = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/in", receiver.local_addr().expect("its address"));
    let made = running.post(
        "/webhooks",
        &key,
        "h1",
        &format!(r#"{{"address":"{address}"}}"#),
    );
    assert_eq!(made.status, 200, "{}", made.body);
    let secret = running.json("/webhooks/1/secret", &key);
    let secret = secret["secret"]
        .as_str()
        .and_then(|text| text.strip_prefix("whsec_"));
    let secret = STANDARD.decode(secret.expect("its form")).expect("base64");
    for path in ["/webhooks/1/end", "/webhooks/deliveries/1/resend"] {
        assert_eq!(running.post(path, &other, "", "").status, 404, "{path}");
    }
    assert_eq!(
        running
            .ask(Method::GET, "/webhooks/1/secret", &other, &[], "")
            .status,
        404
    );

    running.sell("66.00");
    let (refused, first) = answer(&receiver, "500 No");
    let (head, body) = answer(&receiver, "204 Yes");
    assert_eq!(
        (header(&refused, "webhook-id"), &first),
        (header(&head, "webhook-id"), &body),
        "the same again"
    );
    let id = header(&head, "webhook-id");
    let seconds = header(&head, "webhook-timestamp").parse().expect("seconds");
    // Heads are read in lower case, and base64 is not the same in it.
    let signed = signature(&secret, id, seconds, &body).to_lowercase();
    assert_eq!(header(&head, "webhook-signature"), signed);
    let told: Value = serde_json::from_str(&body).expect("JSON");
    let kind = told["type"].as_str().expect("a type");
    assert!(kind.starts_with("payment."), "{kind}");
    assert_eq!(
        id,
        format!("evt_{}", told["data"]["id"].as_str().expect("an id"))
    );
    let (second, _) = answer(&receiver, "204 Yes");
    assert_ne!(
        header(&second, "webhook-id"),
        id,
        "the next one comes after it"
    );

    let taken = || {
        running.json("/webhooks/deliveries", &key)["items"]
            .as_array()
            .expect("items")
            .clone()
    };
    wait_until("both are marked", || {
        taken().iter().filter(|row| row["state"] == "taken").count() >= 2
    });
    let oldest = taken().last().expect("a row")["id"].to_string();
    let sent = running.post(
        &format!("/webhooks/deliveries/{oldest}/resend"),
        &key,
        "",
        "",
    );
    assert_eq!(sent.status, 200);
    let mut seen = Vec::new();
    while !seen.iter().any(|one| one == id) {
        seen.push(header(&answer(&receiver, "204 Yes").0, "webhook-id").to_owned());
        assert!(seen.len() < 20, "it is sent again: {seen:?}");
    }
    assert!(
        running.json("/webhooks", &other)["items"]
            .as_array()
            .expect("items")
            .is_empty()
    );
    assert!(
        running.json("/webhooks/deliveries", &other)["items"]
            .as_array()
            .expect("items")
            .is_empty()
    );
    assert_eq!(running.post("/webhooks/1/end", &key, "", "").status, 200);
}
