//! Remedies: two people, one preview, one effect; what one person may do alone; a crash between approval and effect; and all
//! of it against a running acquirer, until the money is back at the issuer and everybody says so.

use super::{Answer, Desk, MERCHANT, agent, ask, person};
use crate::installation::{Installation, Process, get, start_till};
use crate::wait_until;
use counterfoil::config::Profile;
use counterfoil::people::proposals::{Proposals, Refusal, State};
use counterfoil::people::remedies::{Judged, Remedies, SALES_MAX};
use counterfoil::people::{People, Person, Role, Trouble};
use counterfoil::verify;
use payment::{Amount, Mandate, MerchantId, Remedy, Unremedied};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use ureq::Agent;
use ureq::http::Method;

/// An acquirer that knows sales `a` and `b`, gives each back once, and may be away.
#[derive(Default)]
struct Pretended {
    away: AtomicBool,
    done: Mutex<Vec<(String, Remedy, Mandate)>>,
}

impl Remedies for Pretended {
    fn judge(&self, sales: &[String], _: Remedy) -> Result<Vec<Judged>, Trouble> {
        let done = self.done.lock().expect("no panic");
        let judge = |sale: &String| Judged {
            sale: sale.clone(),
            amount: ["a", "b"]
                .contains(&sale.as_str())
                .then_some(Amount::fen(12_800)),
            refused: match sale.as_str() {
                known if done.iter().any(|(of, ..)| of == known) => Some(Unremedied::WentBack),
                "a" | "b" => None,
                _ => Some(Unremedied::Unknown),
            },
        };
        Ok(sales.iter().map(judge).collect())
    }

    fn carry_out(
        &self,
        sale: &str,
        remedy: Remedy,
        mandate: &Mandate,
    ) -> Result<Result<(), Unremedied>, Trouble> {
        if self.away.load(SeqCst) {
            return Err(Trouble("away".to_owned()));
        }
        let mut done = self.done.lock().expect("no panic");
        if done.iter().any(|(of, ..)| of == sale) {
            return Ok(Err(Unremedied::WentBack));
        }
        done.push((sale.to_owned(), remedy, mandate.clone()));
        Ok(Ok(()))
    }
}

fn desk() -> (Desk, Arc<Pretended>, Proposals) {
    let desk = Desk::staffed();
    let pretended = Arc::new(Pretended::default());
    desk.people.remedied_by(pretended.clone());
    let proposals = Proposals::new(desk.people.clone());
    (desk, pretended, proposals)
}

fn named(sales: &[&str]) -> Vec<String> {
    sales.iter().map(|sale| (*sale).to_owned()).collect()
}

#[test]
fn what_was_approved_is_done_once_also_over_a_crash() {
    let (desk, pretended, proposals) = desk();
    let give = Remedy::GiveBack;
    let li = person("li", Role::Operator);
    let asks = |sales: &[&str]| proposals.remedy(&li, give, &named(sales), "paid cash too");
    let first = asks(&["a", "b", "a", "nowhere"]).expect("proposed");
    let second = asks(&["a"]).expect("proposed");
    let shown = |id| proposals.find(id).expect("it reads").expect("it is there");
    assert!(shown(first).preview.1.contains("2 transaction(s), ¥256.00"));
    let checker = desk.session(&desk.enter("qian", Role::Supervisor));

    // The acquirer is away: what was approved waits, and is done when it is back.
    pretended.away.store(true, SeqCst);
    let approved = proposals.approve(&checker, first, &shown(first).shown);
    assert!(approved.is_ok(), "{approved:?}");
    assert_eq!(shown(first).state, State::Approved);
    assert!(pretended.done.lock().expect("no panic").is_empty());
    pretended.away.store(false, SeqCst);
    proposals.carry_on();
    proposals.carry_on();
    assert_eq!(shown(first).state, State::Done);
    {
        let done = pretended.done.lock().expect("no panic");
        let told: Vec<_> = done
            .iter()
            .map(|(sale, remedy, mandate)| {
                let approved = mandate.approved.as_ref().map(|name| name.as_str());
                (sale.as_str(), *remedy, mandate.by.as_str(), approved)
            })
            .collect();
        let by = |sale| (sale, give, "li", Some("qian"));
        assert_eq!(told, [by("a"), by("b")]);
    }
    let again = proposals.approve(&checker, first, &shown(first).shown);
    assert!(matches!(again, Err(Refusal::Closed)), "{again:?}");

    // Another proposal for the same sale is approved, and the acquirer says why it does nothing.
    let approved = proposals.approve(&checker, second, &shown(second).shown);
    assert!(approved.is_ok(), "{approved:?}");
    let outcomes = proposals.outcomes(second).expect("outcomes");
    assert_eq!(outcomes["a"], Err(Unremedied::WentBack));
    assert_eq!(pretended.done.lock().expect("no panic").len(), 2);
    let (kept, _) = desk.people.audit(None).expect("the log");
    let acts: Vec<_> = kept
        .iter()
        .filter(|kept| kept.object.contains("give_back"))
        .map(|kept| (kept.act.as_str(), kept.who.as_str()))
        .collect();
    assert_eq!(
        acts,
        [
            ("remedied", "qian"),
            ("approved", "qian"),
            ("remedied", "qian"),
            ("approved", "qian"),
            ("proposed", "li"),
            ("proposed", "li"),
        ]
    );
}

#[test]
fn one_person_asks_again_and_gives_nothing_back() {
    let (desk, pretended, proposals) = desk();
    let zhao = person("zhao", Role::Supervisor);
    let asks = |who: &Person, remedy, sales: &[String], reason: &str| {
        proposals.remedy(who, remedy, sales, reason)
    };
    let a = named(&["a"]);
    let many: Vec<String> = (0..=SALES_MAX).map(|n| n.to_string()).collect();
    let long = "x".repeat(241);
    let give = Remedy::GiveBack;
    for (who, sales, reason, refused) in [
        (
            person("chen", Role::Auditor),
            &a,
            "cash",
            Refusal::Forbidden,
        ),
        (zhao.clone(), &a, " ", Refusal::Reason),
        (zhao.clone(), &a, long.as_str(), Refusal::Reason),
        (zhao.clone(), &Vec::new(), "cash", Refusal::Senseless),
        (zhao.clone(), &many, "cash", Refusal::Senseless),
        (zhao.clone(), &named(&["nowhere"]), "cash", Refusal::Nothing),
    ] {
        for remedy in Remedy::ALL {
            let said = asks(&who, remedy, sales, reason);
            let same = said
                .as_ref()
                .is_err_and(|said| said.words() == refused.words());
            assert!(same, "{remedy:?} {said:?}, not {refused:?}");
        }
    }
    let id = asks(&zhao, give, &a, "cash").expect("proposed");
    let own = desk.session(&desk.enter("zhao", Role::Supervisor));
    let shown = proposals
        .find(id)
        .expect("it reads")
        .expect("it is there")
        .shown;
    let alone = proposals.approve(&own, id, &shown);
    assert!(matches!(alone, Err(Refusal::OwnProposal)), "{alone:?}");
    assert!(pretended.done.lock().expect("no panic").is_empty());
    let id = asks(&zhao, Remedy::AskNow, &a, "the line is back").expect("done");
    let found = proposals.find(id).expect("it reads").expect("it is there");
    assert_eq!((found.state, found.checker), (State::Done, None));
    let done = pretended.done.lock().expect("no panic");
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].1, &done[0].2.approved), (Remedy::AskNow, &None));
}

/// A running acquirer, a till, and the browsers of its staff.
struct Running {
    people: People,
    at: SocketAddr,
    agent: Agent,
    installation: Installation,
    till: Process,
    hosts: [Process; 3],
    _printer: Process,
}

impl Running {
    fn start() -> Self {
        let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
        let printer = installation.start_printer();
        let hosts = installation.start_hosts();
        let mut till = start_till(&installation.terminal(1, &[("idle_report_ms", "100")]));
        till.expect_screen("signed-on");
        let people = People::open(&installation.data("acquirer"), Profile::Sandbox);
        Self {
            people: people.expect("people open"),
            at: SocketAddr::from(([127, 0, 0, 1], installation.ports().desk)),
            agent: agent(),
            installation,
            till,
            hosts,
            _printer: printer,
        }
    }

    fn sold(&mut self, amount: &str) -> String {
        self.till.tell(&format!("sale {amount}"));
        let shown = self.till.expect_screen("approved");
        let sale = shown["sale"].as_str().expect("a sale").to_owned();
        self.until(&sale, "paid");
        sale
    }

    fn until(&self, sale: &str, row: &str) -> serde_json::Value {
        let mut seen = serde_json::Value::Null;
        wait_until(&format!("{sale} is {row}"), || {
            seen = self.installation.where_is(sale).expect("it is found");
            seen["row"] == row
        });
        seen
    }

    /// The cookie of somebody who has just come in.
    fn enters(&self, name: &str, role: Role) -> String {
        let merchant = (role == Role::Merchant).then(|| MerchantId::parse(MERCHANT.as_bytes()));
        let person = Person {
            name: name.to_owned(),
            role,
            merchant: merchant.flatten(),
        };
        let link = self.people.entry_link(&person).expect("a link");
        self.get(&link, "").cookie()
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        let headers = [("cookie", cookie)];
        ask(&self.agent, self.at, Method::GET, path, &headers, "")
    }

    fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.get(path, cookie);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let session = cookie.split_once('=').map_or("", |(_, id)| id);
        let session = self.people.session(session).expect("it reads");
        let csrf = session.map(|session| session.csrf).unwrap_or_default();
        self.forged(path, cookie, &format!("csrf={csrf}&{form}"))
    }

    fn forged(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let headers = [
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        ask(&self.agent, self.at, Method::POST, path, &headers, form)
    }
}

#[test]
fn two_people_give_a_sale_back_and_everybody_says_so() {
    let mut running = Running::start();
    let (sale, other) = (running.sold("128.00"), running.sold("66.00"));
    let [li, zhao, qian, chen, shop] = [
        ("li", Role::Operator),
        ("zhao", Role::Supervisor),
        ("qian", Role::Supervisor),
        ("chen", Role::Auditor),
        ("shop", Role::Merchant),
    ]
    .map(|(name, role)| running.enters(name, role));
    check_rights(&running, &sale, [&li, &chen, &shop]);

    // The transaction's own page offers it; the preview of several says what is refused and why.
    let page = running.page(&format!("/console/sale/{sale}?lang=zh"), &li);
    assert!(
        page.contains("退回持卡人") && page.contains("/console/remedies"),
        "{page}"
    );
    let preview = format!("/console/one-sided/preview?sale={sale}&sale={other}&sale=T0000001/9/9");
    let page = running.page(&format!("{preview}&lang=en"), &li);
    for words in [
        "194.00",
        "<b>2</b> can be done",
        "<b>0</b> can be done",
        "1 more are not known",
        "Nothing of it is unanswered",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    assert!(!running.page(&preview, &chen).contains("/console/remedies"));

    // One proposes twice, another one approves, once; nobody approves alone.
    let form = format!("remedy=give_back&reason=%E5%8F%A6%E4%BB%98%E7%8E%B0%E9%87%91&sale={sale}");
    let proposed = |cookie: &str| {
        let answer = running.post("/console/remedies", cookie, &form);
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.header("location").to_owned()
    };
    let (first, second) = (proposed(&li), proposed(&zhao));
    let shown = |place: &str| {
        let id = place.rsplit('/').next().and_then(|id| id.parse().ok());
        let proposals = Proposals::new(running.people.clone());
        let found = proposals.find(id.expect("a number")).expect("it reads");
        format!("shown={}", found.expect("it is there").shown)
    };
    let approves = |place: &str, cookie: &str| {
        let path = format!("{place}/approve");
        running.post(&path, cookie, &shown(place)).status
    };
    assert_eq!(
        running.until(&sale, "paid")["outcome"],
        "approved",
        "nothing yet"
    );
    assert_eq!(approves(&first, &li), 403, "an operator approves nothing");
    assert_eq!(approves(&second, &zhao), 409, "nobody approves their own");
    assert!(running.page(&first, &qian).contains("可以执行"));
    assert_eq!(approves(&first, &qian), 303);
    assert_eq!(approves(&first, &qian), 409, "it is closed");
    let page = running.page(&first, &qian);
    assert!(
        page.contains("已执行") && page.contains("另付现金"),
        "{page}"
    );
    assert_eq!(approves(&second, &qian), 303);
    let page = running.page(&second, &qian);
    assert!(
        page.contains("已经退回") || page.contains("已经在冲正"),
        "{page}"
    );

    // The issuer has given it back; till, cardholder's page, console and journal say the same.
    running.sold("5.00");
    wait_until("the till was told with its next answer", || {
        let lines = running.till.lines();
        lines.iter().any(|line| line.contains("taken-back"))
    });
    let seen = running.until(&sale, "reversed");
    let link = seen["link"].as_str().expect("a link");
    let headline = seen["headline"][0].as_str().expect("a headline");
    wait_until("the cardholder's page says the same", || {
        let public = get(running.installation.ports().eslips, &format!("/r/{link}"));
        public.is_some_and(|(status, page)| status == 200 && page.contains(headline))
    });
    wait_until("the story has both people and the reason", || {
        let page = running.page(&format!("/console/sale/{sale}"), &li);
        page.contains(headline) && page.contains("li + qian") && page.contains("另付现金")
    });
    check_api(&running, &other);
    running.till.stop();
    for host in &mut running.hosts {
        host.stop();
    }
    let parties = ["acquirer", "network", "issuer", "terminal-1"];
    let report = verify::run(&parties.map(|party| running.installation.data(party)));
    assert!(report.clean, "{report}");
    assert_eq!(report.sales_compared, 2, "the others stand: {report}");
}

/// The form is a page's own, and a role's.
fn check_rights(running: &Running, sale: &str, [li, chen, shop]: [&str; 3]) {
    let form = format!("remedy=give_back&reason=cash&sale={sale}");
    for (cookie, status) in [(chen, 403), (shop, 403)] {
        assert_eq!(
            running.post("/console/remedies", cookie, &form).status,
            status
        );
    }
    let forged = running.forged("/console/remedies", li, &format!("csrf=00&{form}"));
    assert_eq!(forged.status, 403);
    let nobody = running.forged("/console/remedies", "", &form);
    assert!(nobody.header("location").starts_with("/login"));
    let wrong = running.post(
        "/console/remedies",
        li,
        &format!("remedy=all&reason=x&sale={sale}"),
    );
    assert_eq!(wrong.status, 422);
    let refused = running.post(
        "/console/remedies",
        li,
        &format!("remedy=ask_now&reason=x&sale={sale}"),
    );
    assert_eq!(refused.status, 409);
    assert!(
        refused.body.contains("所选的交易都不能这样处理"),
        "{}",
        refused.body
    );
    assert_eq!(
        Proposals::new(running.people.clone())
            .open()
            .expect("it reads"),
        0
    );
}

/// By the API the same, once for its key.
fn check_api(running: &Running, other: &str) {
    let key = running.people.make_key("test", "bot", Role::Operator, None);
    let bearer = format!("Bearer {}", key.expect("a key"));
    let body =
        format!(r#"{{"remedy":"give_back","sales":["{other}","T0000001/9/9"],"reason":"cash"}}"#);
    let ask = |body: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "remedy-1"),
        ];
        ask(
            &running.agent,
            running.at,
            Method::POST,
            "/api/v1/remedies",
            &headers,
            body,
        )
    };
    let first = ask(&body);
    assert_eq!(first.status, 200, "{}", first.body);
    let said: serde_json::Value = serde_json::from_str(&first.body).expect("JSON");
    assert_eq!(said["state"], "open");
    assert_eq!(said["items"][0]["refused"], serde_json::Value::Null);
    assert_eq!(said["items"][1]["refused"], "unknown");
    assert_eq!(ask(&body).body, first.body, "the same again");
    let open = Proposals::new(running.people.clone())
        .open()
        .expect("it reads");
    assert_eq!(open, 1);
    assert_eq!(running.until(other, "paid")["outcome"], "approved");
}
