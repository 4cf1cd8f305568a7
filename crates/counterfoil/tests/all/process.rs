//! The parties as processes of their own: a whole day at a till, their graceful end, and what is said while one is down.

use crate::installation::{HOSTS, Installation, SHORT_LADDER_MS, repository, start_till};
use crate::wait_until;
use serde_json::Value;
use std::process::Output;
use std::time::Duration;

#[test]
fn a_day_at_the_till_of_separate_processes() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let mut printer = installation.start_printer();
    let mut hosts = installation.start_hosts();
    let config = installation.terminal(1, &[("idle_report_ms", "100")]);
    let mut till = start_till(&config);
    till.expect_screen("signed-on");

    till.tell("sale 128.00");
    let confirming = till.expect_screen("confirming");
    let approved = till.expect_screen("approved");
    let sale = approved["sale"].as_str().expect("a sale").to_owned();
    assert_eq!(confirming["sale"], approved["sale"]);
    assert!(
        approved["text"].as_str().expect("text").contains("128.00"),
        "{approved}"
    );
    till.tell("balance");
    let balance = till.expect_screen("balance");
    assert!(
        balance["text"]
            .as_str()
            .expect("text")
            .contains("49,872.00"),
        "{balance}"
    );
    let (terminal, trace) = (&sale[..8], sale.rsplit('/').next().expect("a trace"));
    let reference = format!("{terminal}/{trace}");
    let printed =
        || installation.where_is(&reference).expect("it is found")["receipt"] == "printed";
    // What is still in the printer is not printed once more.
    wait_until("the till has reported its slip", printed);
    till.tell("reprint");
    for _ in 0..4 {
        printer.expect_line("✂");
    }
    till.tell("sale 5.00 poor");
    let declined = till.expect_screen("declined");
    till.tell("sale 1500.00 wrong-pin");
    let wrong_pin = till.expect_screen("declined");
    assert_ne!(declined["text"], wrong_pin["text"]);
    assert_ne!(declined["sale"], wrong_pin["sale"]);

    // Once the till has reported how the last one ended, a flush finds nothing.
    wait_until("nothing is pending", || {
        till.tell("flush");
        std::thread::sleep(Duration::from_millis(100));
        std::iter::from_fn(|| till.next_line()).any(|line| line.contains("\"nothing-pending\""))
    });

    wait_until("the till has reported its slip", printed);
    let found = installation.where_is(&reference).expect("it is found");
    check_paid(&found, &sale);
    assert_eq!(
        found,
        with_same_age(
            &installation.where_is(&sale).expect("by its whole key"),
            &found
        )
    );
    let rrn = found["rrn"].as_str().expect("a reference number");
    assert_eq!(
        installation.where_is(rrn).expect("by its reference number")["key"],
        found["key"]
    );
    let lost = declined["sale"].as_str().expect("a sale");
    let declined = installation.where_is(lost).expect("it is found");
    assert_eq!(
        (&declined["row"], &declined["position_id"]),
        (&Value::from("declined"), &Value::from("cardholder")),
        "{declined:#}"
    );
    assert!(
        installation
            .where_is("T0000001/999")
            .expect_err("nobody sold it")
            .contains("never saw")
    );

    assert!(till.stop().success(), "{:#?}", till.lines());
    assert!(hosts[0].stop().success(), "{:#?}", hosts[0].lines());
    // With the acquirer down its journal answers, and says the same.
    let from_journal = installation.where_is(&reference).expect("from the journal");
    check_paid(&from_journal, &sale);
    assert_eq!(from_journal, with_same_age(&found, &from_journal));
    for host in &mut hosts[1..] {
        assert!(host.stop().success(), "{:#?}", host.lines());
    }
    // Two originals, and both copies once more, each marked at its head and at its end: the reprint.
    let lines = printer.lines();
    let count = |mark: &str| lines.iter().filter(|line| line.contains(mark)).count();
    assert_eq!((count("✂"), count("DUPLICATED")), (4, 4), "{lines:#?}");
    assert!(printer.stop().success());
}

fn check_paid(found: &Value, sale: &str) {
    for (name, value) in [
        ("key", sale),
        ("row", "paid"),
        ("outcome", "approved"),
        ("receipt", "printed"),
        ("amount", "¥128.00"),
        ("card", "622848******0123"),
    ] {
        assert_eq!(found[name], value, "{name} of {found:#}");
    }
    assert_eq!(found["amount_minor"], 12_800);
}

/// The view as it would have been at the moment of the other one.
fn with_same_age(view: &Value, other: &Value) -> Value {
    let mut view = view.clone();
    view["as_of"] = other["as_of"].clone();
    view
}

#[test]
fn a_till_that_is_told_to_stop_while_a_script_waits_stops() {
    let installation = Installation::new(SHORT_LADDER_MS);
    // Nobody listens: the screen never comes.
    let mut till = start_till(&installation.terminal(1, &[]));
    till.tell("wait approved 100");
    till.expect_screen("host-silent");
    assert!(till.stop().success(), "{:#?}", till.lines());
}

#[test]
fn the_examples_are_valid_and_a_broken_ladder_is_named() {
    let examples: Vec<_> = HOSTS
        .iter()
        .chain(&["terminal"])
        .map(|party| repository().join("examples").join(format!("{party}.toml")))
        .collect();
    let checked = Installation::command(&["config", "check"])
        .args(&examples)
        .output()
        .expect("it runs");
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).contains("All valid"));
    // Each neighbour of the ladder, the other way round.
    for (ladder_ms, names) in [
        ([1_500, 1_500, 2_000, 3_000], ["issuer_ms", "network_ms"]),
        ([1_000, 2_500, 2_000, 3_000], ["network_ms", "acquirer_ms"]),
        ([1_000, 1_500, 4_000, 3_000], ["acquirer_ms", "terminal_ms"]),
    ] {
        let installation = Installation::new(ladder_ms);
        for host in HOSTS {
            let file = installation.path(&format!("{host}.toml"));
            let checked = Installation::command(&["config", "check"])
                .arg(&file)
                .output()
                .expect("it runs");
            assert!(!checked.status.success(), "{ladder_ms:?}");
            let said = said(&checked);
            assert!(names.iter().all(|name| said.contains(name)), "{said}");
            let started = Installation::command(&[host, "--config"])
                .arg(&file)
                .output()
                .expect("it runs");
            assert!(
                !started.status.success(),
                "{host} started with {ladder_ms:?}"
            );
        }
    }
    // Valid each by itself, and not together.
    let [ours, theirs] = [[200, 300, 400, 600], [200, 300, 400, 700]].map(Installation::new);
    let files = [ours.path("acquirer.toml"), theirs.path("network.toml")];
    let checked = Installation::command(&["config", "check"])
        .args(files)
        .output()
        .expect("it runs");
    assert!(
        !checked.status.success() && said(&checked).contains("different time-outs"),
        "{}",
        said(&checked)
    );
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
