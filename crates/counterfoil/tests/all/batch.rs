//! A day ends at a till of separate processes: the shift is closed, the batch settled over TCP, and the next one begins.

use crate::installation::{Installation, SHORT_LADDER_MS, start_till};
use serde_json::Value;

fn sale(screen: &Value) -> (String, u32) {
    let key = screen["sale"].as_str().expect("a sale");
    let mut parts = key.split('/');
    let batch = parts.nth(1).expect("a batch");
    (key.to_owned(), batch.parse().expect("a number"))
}

#[test]
fn a_batch_is_settled_between_processes() {
    let installation = Installation::new(SHORT_LADDER_MS);
    let mut printer = installation.start_printer();
    let [mut acquirer, mut network, mut issuer] = installation.start_hosts();
    let settings = [
        ("idle_report_ms", "100"),
        ("batch_resends", "1"),
        ("reversal_gaps_ms", "[100]"),
    ];
    let mut till = start_till(&installation.terminal(1, &settings));
    till.expect_screen("signed-on");
    till.tell("sale 128.00");
    let (first, batch) = sale(&till.expect_screen("approved"));
    till.tell("sale 20.00");
    sale(&till.expect_screen("approved"));

    till.tell("shift");
    till.expect_screen("shift-closed");
    printer.expect_line("交接班单");

    // The acquirer is down: the settlement waits, says so, and sells nothing in between.
    assert!(acquirer.stop().success());
    till.tell("settle");
    let waits = till.expect_screen("settlement-waits");
    assert!(
        waits["text"].as_str().expect("text").contains("host"),
        "{waits}"
    );
    till.tell("sale 1.00");
    till.expect_screen("busy");

    let mut acquirer = installation.start("acquirer");
    till.tell("settle");
    let settled = till.expect_screen("settled");
    let text = settled["text"].as_str().expect("text");
    assert!(
        text.contains("domestic balanced") && text.contains("foreign balanced"),
        "{settled}"
    );
    for line in ["结算单", "对账平", "✂"] {
        printer.expect_line(line);
    }
    // The sign-on follows by itself and brings the next batch.
    till.expect_screen("signed-on");
    installation.wait_for_members();
    till.tell("sale 3.00");
    let (_, next) = sale(&till.expect_screen("approved"));
    assert_eq!(next, batch + 1);
    // A second one closes the new batch; what was sold in the first is found as before.
    till.tell("settle");
    till.expect_screen("settled");
    till.expect_screen("signed-on");
    let found = installation.where_is(&first).expect("it is found");
    assert_eq!(
        (&found["outcome"], &found["key"]),
        (&Value::from("approved"), &Value::from(first.as_str()))
    );
    for process in [&mut till, &mut acquirer, &mut network, &mut issuer] {
        assert!(process.stop().success(), "{:#?}", process.lines());
    }
    let lines = printer.lines();
    let count = |mark: &str| lines.iter().filter(|line| line.contains(mark)).count();
    assert_eq!(
        (count("DUPLICATED"), count("交接班单")),
        (0, 1),
        "{lines:#?}"
    );
    assert!(printer.stop().success());
}
