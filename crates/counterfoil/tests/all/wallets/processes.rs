//! The provider and the parties as processes: a kill in the middle, a whole walk at the till, and what production refuses.

use super::{Shop, credentials, number, page_code, scan_and_pay, start};
use crate::installation::{HOSTS, Installation, free_port, repository, start_till};
use crate::wait_until;
use counterfoil::config::acquirer::AcquirerFile;
use counterfoil::config::{self, Profile};
use counterfoil::wallet::simulator::{Settings, Simulator};
use payment::Amount;

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

#[test]
fn production_keeps_to_the_published_times() {
    let example = std::fs::read_to_string(repository().join("examples/acquirer.toml"));
    let example = example.expect("the example");
    for (old, new, sandbox, production) in [
        ("poll_ms = 3000", "poll_ms = 5000", true, true),
        ("poll_ms = 3000", "poll_ms = 2999", true, false),
        ("poll_ms = 3000", "poll_ms = 5001", true, false),
        ("poll_ms = 3000", "poll_ms = 0", false, false),
        (
            "revoke_after_ms = 15000",
            "revoke_after_ms = 14999",
            true,
            false,
        ),
        (
            "pay_within_ms = 45000",
            "pay_within_ms = 1000",
            false,
            false,
        ),
    ] {
        let text = example.replace(old, new);
        assert!(text.contains(new), "{old}");
        let file: AcquirerFile = config::parse(&text).expect("it is read");
        let wallet = file.wallet.expect("a wallet");
        assert_eq!(wallet.rules(Profile::Sandbox).is_ok(), sandbox, "{new}");
        assert_eq!(
            wallet.rules(Profile::Production).is_ok(),
            production,
            "{new}"
        );
    }
}
