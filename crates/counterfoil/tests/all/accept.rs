//! The installation test as a command, and what its result makes of a terminal's slips.

use crate::installation::{Installation, Process, start_till};
use crate::printer_liars::code_on;
use crate::wait_until;
use counterfoil::config::printer::PrinterFile;
use counterfoil::config::terminal::TerminalFile;
use receipt::acceptance::Proof;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn start_printer(installation: &Installation, lie: Option<&str>) -> Process {
    let at = format!("127.0.0.1:{}", installation.ports().printer);
    let mut command = Installation::command(&["printer", "--speed-mm", "400", "--listen", &at]);
    let mut printer = Process::spawn(command.stdin(Stdio::piped()));
    printer.expect_line("printer ready");
    if let Some(lie) = lie {
        printer.tell(lie);
        printer.expect_line("state:");
    }
    printer
}

/// Starts the test, which writes its result to `file`.
fn start_test(installation: &Installation, file: &Path) -> Process {
    let at = format!("127.0.0.1:{}", installation.ports().printer);
    let mut command = Installation::command(&["accept", "--printer", &at, "--write"]);
    Process::spawn(command.arg(file).stdin(Stdio::piped()))
}

/// What was written, as a terminal reads it.
fn result(file: &Path) -> PrinterFile {
    let read: PrinterFile = counterfoil::config::read(file).expect("a result");
    read.resolve().expect("a good one");
    read
}

#[test]
fn accepted_printer_proves_its_paper() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let file = installation.path("tested.toml");
    let mut printer = start_printer(&installation, None);
    let mut test = start_test(&installation, &file);
    for (step, bring, end) in [
        ("3/6", "", ""),
        ("4/6", "open", "close"),
        ("5/6", "out", "paper"),
    ] {
        test.expect_line(step);
        if !bring.is_empty() {
            test.tell("");
            std::thread::sleep(Duration::from_millis(300));
            printer.tell(bring);
            std::thread::sleep(Duration::from_secs(2));
            printer.tell(end);
        }
    }
    test.expect_line("6/6");
    let mut code = None;
    wait_until("the number is on paper", || {
        code = code_on(&printer.lines().join("\n"));
        code.is_some()
    });
    // A mistyped number is asked for again.
    test.tell("no");
    test.expect_line("6/6");
    test.tell(&code.expect("just waited for"));
    test.expect_line("truthfully reports a finished print");
    test.expect_line("maker COUNTERFOIL");
    assert!(test.wait().success(), "{:?}", test.lines());
    let found = result(&file).printer;
    assert_eq!(
        (found.proof, found.maker.as_str()),
        (Proof::Completed, "COUNTERFOIL")
    );
    assert!((100..=400).contains(&found.speed_mm_per_s), "{found:?}");

    let _hosts = installation.start_hosts();
    let settings = [
        ("printer_installed", "\"tested.toml\""),
        ("idle_report_ms", "100"),
    ];
    let mut till = start_till(&installation.terminal(1, &settings));
    let sale = sell(&mut till);
    receipts_until(&installation, &sale, "printed");
}

#[test]
fn printer_that_was_not_accepted_never_proves_paper() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _hosts = installation.start_hosts();
    let file = installation.path("tested.toml");
    let mut printer = start_printer(&installation, Some("constant"));
    let mut test = start_test(&installation, &file);
    test.expect_line("reports no result");
    test.expect_line("step 2 was not passed");
    assert_eq!(test.wait().code(), Some(1));
    assert_eq!(result(&file).printer.proof, Proof::None);

    // Even what it says honestly from now on proves nothing.
    printer.tell("honest");
    let settings = [
        ("printer_installed", "\"tested.toml\""),
        ("idle_report_ms", "100"),
        ("eslip_after_ms", "20000"),
    ];
    let mut till = start_till(&installation.terminal(1, &settings));
    let sale = sell(&mut till);
    let receipts = receipts_until(&installation, &sale, "sent_not_confirmed");
    assert!(!receipts.contains(&"printed".to_owned()), "{receipts:?}");
    till.expect_screen("e-slip");
    let receipts = receipts_until(&installation, &sale, "e_slip:None");
    assert!(!receipts.contains(&"printed".to_owned()), "{receipts:?}");
    let trace = sale.rsplit('/').next().expect("a trace");
    till.tell(&format!("search {trace}"));
    till.expect_line("sent, not confirmed");
}

#[test]
fn accepted_by_nobody_a_printer_proves_nothing() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let config = installation.terminal(1, &[]);
    let tested = TerminalFile::read(&config).expect("the example");
    assert_eq!(tested.installed.proof, Proof::Completed);
    let text = std::fs::read_to_string(&config).expect("the file");
    let text = text.replace("printer_installed = \"printer.toml\"\n", "");
    std::fs::write(&config, text).expect("it is written");
    let untested = TerminalFile::read(&config).expect("without it");
    assert_eq!(untested.printer_installed, None);
    assert_eq!(untested.installed.proof, Proof::Parsed);
}

#[test]
fn nobody_at_the_printer_ends_the_test_with_its_word_untrusted() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _printer = start_printer(&installation, None);
    let file = installation.path("tested.toml");
    let at = format!("127.0.0.1:{}", installation.ports().printer);
    let mut command = Installation::command(&["accept", "--printer", &at, "--write"]);
    let mut test = Process::spawn(command.arg(&file).stdin(Stdio::null()));
    test.expect_line("step 4 was not passed");
    assert_eq!(test.wait().code(), Some(1));
    assert_eq!(result(&file).printer.proof, Proof::Parsed);
}

#[test]
fn accepted_file_with_a_bad_value_keeps_a_terminal_from_starting() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let config = installation.terminal(1, &[]);
    installation.adjust("printer.toml", &[("proof", "\"yes\"")]);
    let mut till = start_till(&config);
    till.expect_line("printer.toml");
    assert!(!till.wait().success());
    let said = till.lines().join("\n");
    for words in ["proof = ", "`none`, `parsed`, `completed`"] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

fn sell(till: &mut Process) -> String {
    till.expect_screen("signed-on");
    till.tell("sale 38.00");
    let approved = till.expect_screen("approved");
    approved["sale"].as_str().expect("a sale").to_owned()
}

/// What `where` says about the slip, in order, until it says `last`.
fn receipts_until(installation: &Installation, sale: &str, last: &str) -> Vec<String> {
    let mut receipts: Vec<String> = Vec::new();
    wait_until("the slip is reported", || {
        let seen = installation.where_is(sale).expect("it is found");
        let receipt = seen["receipt"].as_str().expect("a receipt").to_owned();
        if receipts.last() != Some(&receipt) {
            println!("{sale}: {receipt} {}", seen["slip"]);
            receipts.push(receipt);
        }
        receipts.last().is_some_and(|receipt| receipt == last)
    });
    receipts
}
