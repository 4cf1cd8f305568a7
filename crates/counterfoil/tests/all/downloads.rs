//! What a till downloads from an acquirer in another process, over a restart of each, and a chip that is answered by ARPC
//! method 2; and what an acquirer does not offer.

use crate::installation::{Installation, Process, SHORT_LADDER_MS, start_till};

fn downloaded(till: &mut Process, names: &[&str], version: u32) {
    for name in names {
        let screen = till.expect_screen("downloaded");
        let text = screen["text"].as_str().expect("text").to_owned();
        let whole = text.contains(name) && text.contains(&format!("version {version} "));
        assert!(whole, "{screen}");
    }
}

#[test]
fn a_till_downloads_what_it_serves() {
    let installation = Installation::new(SHORT_LADDER_MS);
    let mut printer = installation.start_printer();
    let [mut acquirer, mut network, mut issuer] = installation.start_hosts();
    let config = installation.terminal(1, &[("idle_report_ms", "100")]);
    let mut till = start_till(&config);
    let all = ["terminal parameters", "public keys", "chip applications"];
    downloaded(&mut till, &all, 1);

    // Its card believes an answer of method 2; a tap up to the downloaded limit needs no PIN.
    till.tell("insert 128.00 chip2");
    till.expect_screen("approved");
    till.tell("tap 900.00 chip");
    till.expect_screen("approved");
    till.tell("downloads");
    for line in [
        "A000000333/01",
        "A000000333010101",
        "no PIN up to ¥1,000.00",
    ] {
        till.expect_line(line);
    }

    // Another version: the till has it after its next sign-on, and only that.
    let path = installation.path("downloads.toml");
    let text = std::fs::read_to_string(&path).expect("the file");
    let (before, applications) = text.split_once("[applications]").expect("the table");
    let applications = applications
        .replacen("version = 1", "version = 2", 1)
        .replace("DF2106000000100000", "DF2106000000050000");
    let newer = format!("{before}[applications]{applications}");
    std::fs::write(&path, newer).expect("it is written");
    assert!(acquirer.stop().success());
    let mut acquirer = installation.start("acquirer");
    installation.wait_for_members();
    till.tell("signon");
    downloaded(&mut till, &all[2..], 2);
    till.tell("downloads");
    till.expect_line("no PIN up to ¥500.00");

    // The till is switched off and on: what it downloaded is still there, and nothing is fetched again.
    assert!(till.stop().success(), "{:#?}", till.lines());
    let mut till = start_till(&config);
    till.expect_screen("signed-on");
    till.tell("downloads");
    till.expect_line("version 2");
    till.expect_line("no PIN up to ¥500.00");
    till.tell("download keys");
    downloaded(&mut till, &all[1..2], 1);

    // Both chips go up with the batch, which agrees.
    till.tell("settle");
    let settled = till.expect_screen("settled");
    let text = settled["text"].as_str().expect("text");
    assert!(text.contains("domestic balanced"), "{settled}");
    for process in [
        &mut till,
        &mut acquirer,
        &mut network,
        &mut issuer,
        &mut printer,
    ] {
        assert!(process.stop().success(), "{:#?}", process.lines());
    }
}

/// A garbled key is refused at the start, with its place.
#[test]
fn an_acquirer_offers_no_garbled_key() {
    let installation = Installation::new(SHORT_LADDER_MS);
    let path = installation.path("downloads.toml");
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, text.replacen("BBE9066D", "BBE9066C", 1)).expect("it is written");
    for arguments in [&["config", "check"][..], &["acquirer", "--config"]] {
        let refused = Installation::command(arguments)
            .arg(installation.path("acquirer.toml"))
            .output()
            .expect("it runs");
        assert!(!refused.status.success());
        let said = String::from_utf8_lossy(&refused.stderr);
        for part in ["downloads.toml", "number 1", "A000000333/01", "DF03"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
