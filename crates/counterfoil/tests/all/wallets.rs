//! Wallet orders over real HTTP: payers who hesitate, withdrawals, faults, and a provider that is away.

mod processes;
mod signed;

use crate::installation::{Installation, Process, free_port, get, local};
use crate::{runtime, wait_until};
use acquirer::wallet::{
    Ask, End, Refusal, Rules, Stage, WalletAnswer, WalletEffect, WalletRecord, Wallets, Way,
};
use counterfoil::control;
use counterfoil::wallet::signing::Credentials;
use counterfoil::wallet::simulator::{Act, Settings, Simulator};
use counterfoil::wallet::{Job, NoAnswer, OrderName, SandboxWallet, WalletLine};
use crypto::Pan;
use payment::relay::Gaps;
use payment::{Amount, Decision, Mono};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

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
