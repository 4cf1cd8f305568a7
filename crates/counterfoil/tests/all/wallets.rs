//! Wallet orders over real HTTP: signatures, payers who hesitate, withdrawals, faults, kills and a provider that is away.

use crate::installation::{HOSTS, Installation, Process, free_port, get, local, start_till};
use crate::{runtime, wait_until};
use acquirer::wallet::{
    Ask, End, Refusal, Rules, Stage, WalletAnswer, WalletEffect, WalletRecord, Wallets, Way,
};
use counterfoil::control;
use counterfoil::wallet::signing::{
    Answered, Asked, CLIENT, Credentials, NONCE, Refused, SIGNATURE, TIMESTAMP, WINDOW_MS,
};
use counterfoil::wallet::simulator::{Act, Settings, Simulator};
use counterfoil::wallet::{
    ATTEMPT_MS, Job, NoAnswer, OrderName, SandboxWallet, WalletLine, WalletProvider,
};
use crypto::Pan;
use payment::relay::Gaps;
use payment::{Amount, Decision, Mono};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const MERCHANT: &str = "898100053110001";

fn credentials() -> Credentials {
    Credentials {
        client: "48500001".to_owned(),
        secret: b"published sandbox secret".to_vec(),
    }
}

/// A wallet in this process, and the port it listens on.
struct Wallet {
    simulator: Simulator,
    port: u16,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Wallet {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let settings = Settings {
            credentials: credentials(),
            password_above_minor: 100_000,
            base: format!("http://127.0.0.1:{port}"),
            slow_ms: 300,
        };
        let simulator = Simulator::open(folder.path(), settings).expect("it opens");
        let runtime = runtime();
        let serving = control::serve(local(port), simulator.routes());
        runtime.block_on(serving).expect("it listens");
        Self {
            simulator,
            port,
            _runtime: runtime,
            _folder: folder,
        }
    }

    fn code(&self, account: &str) -> Pan {
        let code = self.simulator.new_code(account).expect("a disk");
        Pan::parse(code.expect("an account").as_bytes()).expect("digits")
    }

    fn balance(&self, account: &str) -> i64 {
        let accounts = self.simulator.accounts().expect("a disk");
        let found = accounts.into_iter().find(|a| a.name == account);
        found.expect("an account").balance_minor
    }
}

/// The acquirer's side, as its driver will be: orders, a line to the provider, and a clock.
struct Shop {
    wallets: Wallets<u32>,
    rules: Rules,
    line: WalletLine,
    started: Instant,
    codes: BTreeMap<u32, Pan>,
    told: Sender<Told>,
    answers: Receiver<Told>,
    asked: Vec<(Mono, Ask)>,
}

type Told = (u32, u32, Result<WalletAnswer, NoAnswer>);

impl Shop {
    fn at(port: u16) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let provider = SandboxWallet::new(&base, credentials(), 200);
        let (told, answers) = channel();
        Self {
            wallets: Wallets::default(),
            rules: Rules {
                poll_ms: 30,
                pay_within_ms: 600,
                scan_within_ms: 600,
                revoke_after_ms: 150,
                absent_after_ms: 60_000,
                gaps: Gaps(vec![20, 50]),
            },
            line: WalletLine::start(Arc::new(provider)),
            started: Instant::now(),
            codes: BTreeMap::new(),
            told,
            answers,
            asked: Vec::new(),
        }
    }

    fn now(&self) -> Mono {
        Mono(self.started.elapsed().as_micros() as u64)
    }

    fn take(&mut self, decided: Decision<WalletRecord<u32>, WalletEffect<u32>>) {
        for record in &decided.records {
            self.wallets.apply(record);
        }
        for effect in decided.effects {
            let WalletEffect::Ask(request) = effect else {
                continue;
            };
            self.asked.push((self.now(), request.what));
            let (key, ask, told) = (request.key, request.ask, self.told.clone());
            self.line.ask(Job {
                order: name(key, request.amount),
                what: request.what,
                code: self.codes.get(&key).cloned(),
                // The test may be over.
                tell: Box::new(move |said| drop(told.send((key, ask, said)))),
            });
        }
    }

    fn pay(&mut self, key: u32, code: Pan, amount: Amount) {
        self.codes.insert(key, code);
        let made = self
            .wallets
            .create(self.now(), &self.rules, key, Way::Presented, amount);
        self.take(made);
    }

    fn show(&mut self, key: u32, amount: Amount) {
        let made = self
            .wallets
            .create(self.now(), &self.rules, key, Way::Shown, amount);
        self.take(made);
    }

    fn withdraw(&mut self, key: u32) {
        let gone = self.wallets.withdraw(self.now(), &self.rules, key);
        self.take(gone);
    }

    fn pump(&mut self) {
        while let Ok((key, ask, said)) = self.answers.try_recv() {
            if let Ok(answer) = said {
                let now = self.now();
                let heard = self
                    .wallets
                    .heard(now, &self.rules, key, Some(ask), &answer);
                self.take(heard);
            }
        }
        let due = self.wallets.tick(self.now(), &self.rules);
        self.take(due);
    }

    #[track_caller]
    fn until(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        wait_until(what, || {
            self.pump();
            reached(self)
        });
    }

    fn stage(&self, key: u32) -> Stage {
        self.wallets.order(&key).expect("an order").stage()
    }

    #[track_caller]
    fn ends(&mut self, key: u32, end: End) {
        self.until("it is over", |shop| {
            shop.wallets
                .order(&key)
                .is_some_and(|order| order.is_over())
        });
        assert_eq!(self.stage(key), Stage::Ended(end));
    }
}

fn name(key: u32, amount: Amount) -> OrderName {
    OrderName {
        number: format!("T0000001{key:012}"),
        merchant: MERCHANT.to_owned(),
        amount,
    }
}

fn number(key: u32) -> String {
    name(key, Amount::fen(1)).number
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis() as i64
}

/// Sends a request as it stands; the status and the refusal that came back.
fn send(port: u16, asked: &Asked<'_>, signature: &str) -> (u16, Option<Refused>) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .post(format!("http://127.0.0.1:{port}{}", asked.path))
        .header(CLIENT, asked.client)
        .header(TIMESTAMP, asked.at_ms.to_string())
        .header(NONCE, asked.nonce)
        .header(SIGNATURE, signature)
        .send(asked.body)
        .expect("somebody answers");
    let body = answer.body_mut().read_to_vec().expect("a body");
    (answer.status().as_u16(), serde_json::from_slice(&body).ok())
}

#[test]
fn a_request_is_taken_once_signed_and_in_its_time() {
    let wallet = Wallet::start();
    let body = format!(r#"{{"merchant":"{MERCHANT}","amount_minor":100,"currency":156}}"#);
    let at_ms = now_ms();
    let good = Asked {
        client: "48500001",
        method: "POST",
        path: "/v1/orders/N1",
        at_ms,
        nonce: "nonce-1",
        body: body.as_bytes(),
    };
    let secret = credentials().secret;
    let check = |asked: &Asked<'_>, secret: &[u8], expected: Option<&str>| {
        let (status, refused) = send(wallet.port, asked, &asked.signature(secret));
        let named = refused.map(|refused| {
            assert_eq!(refused.status(), status);
            let named = serde_json::to_value(refused).expect("JSON");
            named["error"].as_str().expect("a name").to_owned()
        });
        assert_eq!(named.as_deref(), expected, "{asked:?}");
        assert_eq!(status == 200, expected.is_none());
    };
    let orders = || wallet.simulator.orders(10).expect("a disk").len();
    let refused = [
        (
            Asked {
                client: "48500002",
                ..good
            },
            "unknown-client",
        ),
        (Asked { nonce: "", ..good }, "unknown-client"),
        (
            Asked {
                at_ms: at_ms - WINDOW_MS - 1_000,
                ..good
            },
            "clock-skew",
        ),
        (
            Asked {
                at_ms: at_ms + WINDOW_MS + 5_000,
                ..good
            },
            "clock-skew",
        ),
        (Asked { at_ms: 0, ..good }, "clock-skew"),
        (
            Asked {
                path: "/v1/orders/N1/other",
                nonce: "nonce-2",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                path: "/v1/orders/N%201",
                nonce: "nonce-3",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                body: b"{}",
                nonce: "nonce-4",
                ..good
            },
            "malformed",
        ),
        (
            Asked {
                body: b"\xFF",
                nonce: "nonce-5",
                ..good
            },
            "malformed",
        ),
    ];
    for (asked, expected) in refused {
        check(&asked, &secret, Some(expected));
    }
    check(&good, b"another secret", Some("bad-signature"));
    assert_eq!(orders(), 0);
    check(&good, &secret, None);
    check(&good, &secret, Some("nonce-reused"));
    check(
        &Asked {
            nonce: "nonce-6",
            ..good
        },
        &secret,
        None,
    );
    assert_eq!(orders(), 1);
    // The same number for another amount is another order.
    let other = body.replace("100", "200");
    let other = Asked {
        nonce: "nonce-7",
        body: other.as_bytes(),
        ..good
    };
    check(&other, &secret, Some("malformed"));
}

#[test]
fn a_nonce_is_remembered_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let body = format!(r#"{{"merchant":"{MERCHANT}","amount_minor":100,"currency":156}}"#);
    let asked = Asked {
        client: "48500001",
        method: "POST",
        path: "/v1/orders/N1",
        at_ms: now_ms(),
        nonce: "nonce-1",
        body: body.as_bytes(),
    };
    let signature = asked.signature(&credentials().secret);
    for (round, expected) in [(0, None), (1, Some(Refused::NonceReused))] {
        let port = free_port();
        let mut process = start(folder.path(), port);
        let (_, refused) = send(port, &asked, &signature);
        assert_eq!(refused, expected, "round {round}");
        process.kill();
    }
}

/// Answers one request with what `answer` makes of its nonce.
fn pretender(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let (mut nonce, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).expect("a line") > 2 {
            let lower = line.to_lowercase();
            if lower.starts_with("wallet-nonce: ") {
                line[14..].trim().clone_into(&mut nonce);
            }
            line.clear();
        }
        stream
            .write_all(answer(&nonce).as_bytes())
            .expect("it is written");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = reader.read_to_end(&mut Vec::new());
    });
    port
}

fn reply(body: &str, at_ms: i64, signature: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{TIMESTAMP}: {at_ms}\r\n{SIGNATURE}: {signature}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn an_answer_counts_only_when_it_is_signed_for_its_request() {
    let order = name(1, Amount::fen(100));
    let number = order.number.clone();
    let body = format!(r#"{{"number":"{number}","state":"closed"}}"#);
    let other = body.replace(&number, "N2");
    let make =
        move |body: String, late_ms: i64, key: &'static [u8], nonce: Option<&'static str>| {
            move |asked: &str| {
                let at_ms = now_ms() - late_ms;
                let answered = Answered {
                    status: 200,
                    nonce: nonce.unwrap_or(asked),
                    at_ms,
                    body: body.as_bytes(),
                };
                reply(&body, at_ms, &answered.signature(key))
            }
        };
    let secret: &[u8] = b"published sandbox secret";
    let ask = |port: u16| {
        let base = format!("http://127.0.0.1:{port}/");
        SandboxWallet::new(&base, credentials(), ATTEMPT_MS).poll(&order)
    };
    let said = ask(pretender(make(body.clone(), 0, secret, None)));
    assert_eq!(said, Ok(WalletAnswer::Closed));
    for (body, key, nonce) in [
        (&body, b"no secret".as_slice(), None),
        (&body, secret, Some("other")),
    ] {
        let said = ask(pretender(make(body.clone(), 0, key, nonce)));
        assert_eq!(said, Err(NoAnswer::NotTheirs));
    }
    let late = ask(pretender(make(body, WINDOW_MS + 5_000, secret, None)));
    assert!(
        matches!(late, Err(NoAnswer::Refused(Refused::ClockSkew { .. }))),
        "{late:?}"
    );
    for strange in [
        other,
        "{}".to_owned(),
        format!(r#"{{"number":"{number}","state":"paid"}}"#),
    ] {
        let said = ask(pretender(make(strange, 0, secret, None)));
        assert!(matches!(said, Err(NoAnswer::Unclear(_))), "{said:?}");
    }
    let broken = SandboxWallet::new("http://127.0.0.1:9", credentials(), 500);
    assert!(matches!(broken.poll(&order), Err(NoAnswer::Unreachable(_))));
    let unnamed = OrderName {
        number: "../N1".to_owned(),
        ..order.clone()
    };
    assert!(matches!(broken.poll(&unnamed), Err(NoAnswer::NotAsked(_))));
}

#[test]
fn a_shown_order_is_scanned_paid_and_refunded() {
    let wallet = Wallet::start();
    let mut shop = Shop::at(wallet.port);
    shop.show(1, Amount::fen(12_800));
    shop.until("the code is there", |shop| shop.stage(1) == Stage::Shown);
    let qr = shop
        .wallets
        .order(&1)
        .and_then(|order| order.qr().map(|qr| qr.as_str().to_owned()));
    let path = format!("/q/{}", number(1));
    assert_eq!(qr, Some(format!("http://127.0.0.1:{}{path}", wallet.port)));
    for (query, words) in [("", "李雷"), ("?lang=en", "Li Lei")] {
        let (status, page) = get(wallet.port, &format!("{path}{query}")).expect("a page");
        assert!(
            status == 200 && page.contains(words) && page.contains("¥128.00"),
            "{page}"
        );
    }
    scan_and_pay(wallet.port, &number(1));
    shop.ends(1, End::Success);
    assert_eq!(wallet.balance("li"), 5_000_000 - 12_800);
    for minor in [2_800, 10_000] {
        let (now, rules) = (shop.now(), shop.rules.clone());
        let asked = shop.wallets.refund(now, &rules, 1, Amount::fen(minor));
        shop.take(asked.expect("it may be refunded"));
        shop.ends(1, End::Success);
    }
    assert_eq!(
        shop.wallets.order(&1).map(|order| order.net_minor()),
        Some(0)
    );
    assert_eq!(wallet.balance("li"), 5_000_000);
    assert_eq!(wallet.simulator.audit(), Ok(()));
}

#[test]
fn a_presented_code_is_paid_at_once_or_with_the_payers_word() {
    let wallet = Wallet::start();
    let mut shop = Shop::at(wallet.port);
    shop.rules.pay_within_ms = 60_000;
    let code = wallet.code("han");
    shop.pay(1, code.clone(), Amount::fen(1_280));
    shop.ends(1, End::Success);
    // A code works once, and an order has one code.
    shop.pay(2, code, Amount::fen(1_280));
    shop.ends(2, End::Closed);
    assert_eq!(
        shop.wallets.order(&2).and_then(|order| order.refusal()),
        Some(Refusal::Code)
    );
    for (key, yes, end) in [(3, true, End::Success), (4, false, End::Closed)] {
        shop.pay(key, wallet.code("li"), Amount::fen(200_000));
        shop.until("the payer is asked", |shop| {
            shop.stage(key) == Stage::Paying
        });
        let said = match yes {
            true => wallet.simulator.confirm(&number(key), None),
            false => wallet.simulator.refuse(&number(key)),
        };
        assert_eq!(said, Ok(true));
        shop.ends(key, end);
    }
    assert_eq!(
        shop.wallets.order(&4).and_then(|order| order.refusal()),
        Some(Refusal::Payer)
    );
    shop.pay(5, wallet.code("poor"), Amount::fen(1_280));
    shop.ends(5, End::Closed);
    assert_eq!(
        shop.wallets.order(&5).and_then(|order| order.refusal()),
        Some(Refusal::Funds)
    );
    assert_eq!(
        (wallet.balance("han"), wallet.balance("li")),
        (5_000_000 - 1_280, 4_800_000)
    );
    assert_eq!(wallet.simulator.audit(), Ok(()));
}

#[test]
fn what_nobody_wants_any_more_is_closed_or_revoked_in_its_time() {
    let wallet = Wallet::start();
    let mut shop = Shop::at(wallet.port);
    shop.show(1, Amount::fen(500));
    shop.until("the code is there", |shop| shop.stage(1) == Stage::Shown);
    shop.withdraw(1);
    shop.ends(1, End::Closed);
    assert_eq!(wallet.simulator.confirm(&number(1), Some("li")), Ok(false));
    // The payer hesitates for ever.
    wallet.simulator.plan(Act::NeverPay, 1);
    shop.asked.clear();
    let made = shop.now();
    shop.pay(2, wallet.code("li"), Amount::fen(500));
    shop.until("the payer is asked", |shop| shop.stage(2) == Stage::Paying);
    shop.withdraw(2);
    shop.ends(2, End::Revoked);
    let revoked = shop.asked.iter().find(|(_, what)| *what == Ask::Revoke);
    let (revoked, _) = revoked.expect("it was revoked");
    assert!(revoked.since_ms(made) >= shop.rules.revoke_after_ms);
    // Paid, and then withdrawn: it goes back as a refund.
    shop.pay(3, wallet.code("li"), Amount::fen(500));
    shop.ends(3, End::Success);
    assert_eq!(wallet.balance("li"), 5_000_000 - 500);
    shop.withdraw(3);
    shop.ends(3, End::Success);
    assert_eq!(
        shop.wallets.order(&3).map(|order| order.net_minor()),
        Some(0)
    );
    assert_eq!(wallet.balance("li"), 5_000_000);
    // Paid, and nobody heard of it: the revoke gives it back.
    wallet.simulator.plan(Act::LosePaidAnswer, 1);
    shop.pay(4, wallet.code("li"), Amount::fen(500));
    wait_until("it is paid", || wallet.balance("li") == 5_000_000 - 500);
    shop.withdraw(4);
    shop.ends(4, End::Revoked);
    assert_eq!(wallet.balance("li"), 5_000_000);
    assert_eq!(wallet.simulator.audit(), Ok(()));
}

#[test]
fn every_fault_ends_and_the_books_agree() {
    for act in Act::ALL {
        let wallet = Wallet::start();
        let mut shop = Shop::at(wallet.port);
        wallet.simulator.plan(act, 3);
        for key in 1..=3 {
            shop.pay(key, wallet.code("li"), Amount::fen(1_000));
        }
        shop.show(4, Amount::fen(1_000));
        shop.until("all are over", |shop| {
            shop.wallets.orders().all(|(_, order)| order.is_over())
        });
        let nets: u64 = shop
            .wallets
            .orders()
            .map(|(_, order)| order.net_minor())
            .sum();
        assert_eq!(wallet.balance("li"), 5_000_000 - nets as i64, "{act:?}");
        assert_eq!(wallet.simulator.audit(), Ok(()), "{act:?}");
        let end = match act {
            Act::NeverPay => End::Revoked,
            _ => End::Success,
        };
        for key in 1..=3 {
            assert_eq!(shop.stage(key), Stage::Ended(end), "{act:?}");
        }
        assert_eq!(shop.stage(4), Stage::Ended(End::Closed), "{act:?}");
    }
}

#[test]
fn a_provider_that_is_away_for_a_while_ends_every_order_afterwards() {
    let wallet = Wallet::start();
    let mut shop = Shop::at(wallet.port);
    shop.pay(1, wallet.code("li"), Amount::fen(1_000));
    shop.ends(1, End::Success);
    wallet.simulator.plan(Act::Fail, u32::MAX);
    shop.withdraw(1);
    shop.pay(2, wallet.code("li"), Amount::fen(1_000));
    shop.show(3, Amount::fen(1_000));
    shop.until("both are given up", |shop| {
        [2, 3].iter().all(|key| shop.stage(*key) == Stage::Ending)
    });
    let attempts = |shop: &Shop| {
        shop.asked
            .iter()
            .filter(|(_, what)| *what == Ask::Revoke)
            .count()
    };
    shop.until("attempts go on", |shop| attempts(shop) > 3);
    wallet.simulator.heal();
    shop.ends(1, End::Success);
    shop.ends(2, End::Revoked);
    shop.ends(3, End::Closed);
    assert_eq!(wallet.balance("li"), 5_000_000);
    assert_eq!(wallet.simulator.audit(), Ok(()));
}

fn start(data: &Path, port: u16) -> Process {
    let at = format!("127.0.0.1:{port}");
    let mut command = Installation::command(&["wallet", "--listen", &at, "--data"]);
    let mut process = Process::spawn(command.arg(data));
    process.expect_line("wallet ready");
    process
}

/// Shows a code on the page of a wallet that is a process.
fn page_code(port: u16) -> Pan {
    let agent: ureq::Agent = ureq::Agent::new_with_defaults();
    let address = format!("http://127.0.0.1:{port}/customer/li/code");
    let mut page = agent.post(address).send_empty().expect("a page");
    let page = page.body_mut().read_to_string().expect("text");
    let (_, tail) = page.split_once("<output class=\"code\">").expect("a code");
    let (code, _) = tail.split_once('<').expect("its end");
    Pan::parse(code.as_bytes()).expect("digits")
}

#[test]
fn a_kill_of_the_provider_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut shop = Shop::at(port);
    let mut process = start(folder.path(), port);
    for round in 0..6_u32 {
        for way in 0..4 {
            let key = round * 4 + way;
            match way {
                0 => shop.show(key, Amount::fen(700)),
                _ => shop.pay(key, page_code(port), Amount::fen(700)),
            }
        }
        // Each round at another point.
        let asked = shop.asked.len();
        shop.until("some are under way", |shop| {
            shop.asked.len() >= asked + round as usize
        });
        process.kill();
        process = start(folder.path(), port);
    }
    shop.until("all are over", |shop| {
        shop.wallets.orders().all(|(_, order)| order.is_over())
    });
    let nets: u64 = shop
        .wallets
        .orders()
        .map(|(_, order)| order.net_minor())
        .sum();
    assert!(process.stop().success());
    let settings = Settings {
        credentials: credentials(),
        password_above_minor: 0,
        base: String::new(),
        slow_ms: 0,
    };
    let books = Simulator::open(folder.path(), settings).expect("it opens");
    assert_eq!(books.audit(), Ok(()));
    let accounts = books.accounts().expect("a disk");
    assert_eq!(accounts[0].balance_minor, 5_000_000 - nets as i64);
    for (key, order) in shop.wallets.orders() {
        let theirs = books
            .order(&number(*key))
            .expect("a disk")
            .expect("the order");
        assert_eq!(
            theirs.net_minor,
            order.net_minor() as i64,
            "{order:?} {theirs:?}"
        );
    }
}

/// Li Lei presses the button of the page to which an order's QR code leads.
fn scan_and_pay(port: u16, number: &str) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .build()
        .into();
    let address = format!("http://127.0.0.1:{port}/order/{number}/confirm");
    let pressed = agent.post(address).send_form([("account", "li")]);
    assert_eq!(pressed.expect("it is pressed").status(), 303);
}

#[test]
fn a_till_scans_codes_and_shows_orders_through_every_process() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let port = free_port();
    let url = format!("\"http://127.0.0.1:{port}\"");
    let short = [
        ("url", url.as_str()),
        ("poll_ms", "300"),
        ("pay_within_ms", "4000"),
        ("scan_within_ms", "8000"),
        ("revoke_after_ms", "1000"),
    ];
    installation.adjust("acquirer.toml", &short);
    let mut printer = installation.start_printer();
    let mut wallet = start(&installation.path("wallet"), port);
    let mut hosts = installation.start_hosts();
    let mut till = start_till(&installation.terminal(1, &[("idle_report_ms", "100")]));
    till.expect_screen("signed-on");
    let sale_of = |screen: &serde_json::Value| screen["sale"].as_str().expect("a sale").to_owned();

    let code = page_code(port);
    let digits = String::from_utf8(code.expose().to_vec()).expect("digits");
    till.tell(&format!("pay 26.80 {digits}"));
    let scanned = sale_of(&till.expect_screen("approved"));
    till.tell("eslip");
    let eslip = till.expect_screen("e-slip");
    assert!(eslip["link"].as_str().is_some_and(|link| !link.is_empty()));

    till.tell("order 38.80");
    let shown = till.expect_screen("scan");
    let link = shown["link"].as_str().expect("a code").to_owned();
    let (_, number) = link.rsplit_once('/').expect("a number");
    scan_and_pay(port, number);
    let ordered = sale_of(&till.expect_screen("approved"));
    assert_eq!(sale_of(&shown), ordered);

    // Used up, and no code at all.
    till.tell(&format!("pay 1.00 {digits}"));
    till.expect_screen("declined");
    // Nobody scans this one, and the cashier takes it back.
    till.tell("order 9.90");
    till.expect_screen("scan");
    till.tell("withdraw");
    till.expect_screen("reversed");
    // A part of one, all of the other.
    let trace = |sale: &str| sale.rsplit('/').next().expect("a trace").to_owned();
    till.tell(&format!("wallet-refund {} 6.80", trace(&scanned)));
    till.expect_screen("approved");
    till.tell(&format!("void {}", trace(&ordered)));
    till.expect_screen("approved");

    for (sale, amount) in [(&scanned, "¥26.80"), (&ordered, "¥38.80")] {
        wait_until("it is confirmed", || {
            let found = installation.where_is(sale).expect("it is found");
            assert_eq!(found["amount"], amount);
            found["row"] == "paid"
        });
    }
    let stem = &digits[..6];
    let paper = printer.lines().join("\n");
    assert!(!paper.contains(&digits) && paper.contains(stem), "{paper}");
    assert!(
        paper.contains("免签名") && !paper.contains("持卡人签名"),
        "{paper}"
    );
    assert!(till.stop().success());
    for host in &mut hosts {
        assert!(host.stop().success());
    }
    assert!(wallet.stop().success() && printer.stop().success());
    // What the wallet holds for the shop is what the shop kept.
    let settings = Settings {
        credentials: credentials(),
        password_above_minor: 0,
        base: String::new(),
        slow_ms: 0,
    };
    let books = Simulator::open(&installation.path("wallet"), settings).expect("it opens");
    assert_eq!(books.audit(), Ok(()));
    assert_eq!(
        books.accounts().expect("a disk")[0].balance_minor,
        5_000_000 - 2_000
    );
    let mut verify = Installation::command(&["verify"]);
    for party in HOSTS {
        verify.arg(installation.data(party));
    }
    let verified = verify
        .arg(installation.data("terminal-1"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
}
