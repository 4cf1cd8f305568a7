//! The bench command: its JSON keys, and an audit that finds what was planted.

use counterfoil::archive;
use counterfoil::bench::audit::{Audit, audit, compare};
use counterfoil::bench::purchases::Outcome;
use counterfoil::bench::purchases::Purchase;
use rusqlite::Connection;
use std::path::Path;
use std::process::Command;

fn program(arguments: &[&str], folder: &Path) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {problem}");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn keys(report: &serde_json::Value, wanted: &[&str]) {
    for key in wanted {
        let found = key
            .split('/')
            .try_fold(report, |value, part| value.get(part));
        assert!(found.is_some(), "{key} is missing in {report}");
    }
}

/// What is planted: its name, the data it is planted in, the statement, and the finding that must follow.
type Planted<'a> = (&'a str, &'a Path, String, fn(&Audit) -> bool);

#[test]
fn codec_and_simulator_print_their_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let codec = program(
        &["bench", "codec", "--rounds", "100", "--json"],
        folder.path(),
    );
    keys(
        &codec,
        &["decode_per_s", "encode_per_s", "bytes", "machine/cpu"],
    );
    let sim = program(&["bench", "sim", "--seeds", "2", "--json"], folder.path());
    keys(
        &sim,
        &[
            "purchases_per_cpu_s",
            "purchases",
            "failed",
            "machine/kernel",
        ],
    );
}

/// With certificates on every link; the exit status says that the audit is clean.
#[test]
fn a_loop_under_tls_has_a_clean_audit() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = "bench loop --tls --rate 60 --seconds 2 --terminals 8 --connections 2 --json";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let report = program(&arguments, folder.path());
    assert_eq!(report["tls"], true);
    assert!(
        report["outcomes"]["approved"].as_u64() > Some(0),
        "{report}"
    );
}

/// The board is followed, every page is asked for, and the purchases are audited; no figure is judged here.
#[test]
fn a_board_is_followed_and_every_page_is_below_its_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments =
        "bench board --rate 60 --seconds 2 --terminals 8 --connections 2 --followers 2 --json";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let report = program(&arguments, folder.path());
    keys(
        &report,
        &[
            "without_desk/cpu_us_per_purchase",
            "unwatched/cpu_ms_per_s",
            "followed/cpu_us_per_purchase",
            "sent/bytes_per_s",
            "machine/build",
        ],
    );
    assert!(report["sent"]["staleness_us"]["n"].as_u64() > Some(0));
    let pages = report["pages"].as_array().expect("pages");
    assert!(pages.len() > 15, "{report}");
    for page in pages {
        let bytes = page["bytes"].as_u64().expect("bytes");
        assert!((1..200_000).contains(&bytes), "{page}");
    }
}

/// Many terminals on few connections: every answer finds its own terminal, or the audit would not be clean.
#[test]
fn a_loop_is_audited_and_a_planted_difference_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [
        "bench",
        "loop",
        "--rate",
        "60",
        "--seconds",
        "2",
        "--terminals",
        "8",
        "--connections",
        "2",
        "--keep",
        "--data",
        "data",
        "--list",
        "list.json",
        "--json",
    ];
    let report = program(&arguments, folder.path());
    keys(
        &report,
        &[
            "achieved_per_s",
            "latency_us/p50",
            "latency_us/p99",
            "latency_us/p99.9",
            "audit/one_sided",
            "disk",
        ],
    );
    let list = std::fs::read(folder.path().join("list.json")).expect("the list is kept");
    let purchases: Vec<Purchase> = serde_json::from_slice(&list).expect("the list reads");
    let (acquirer, issuer) = (
        folder.path().join("data/acquirer"),
        folder.path().join("data/issuer"),
    );
    let clean = audit(&purchases, &acquirer, &issuer).expect("it audits");
    assert!(clean.clean() && clean.purchases > 0, "{}", clean.text());

    let paid = purchases
        .iter()
        .position(|p| p.outcome == Outcome::Approved)
        .expect("one was approved");
    let key = purchases[paid].key.expect("it has a key");
    let at_acquirer = format!(
        "WHERE stan = {} AND terminal = '{}'",
        key.stan.0, key.terminal
    );
    let of_issuer = "WHERE stan = (SELECT min(stan) FROM posting WHERE stan IS NOT NULL)";
    let planted: [Planted<'_>; 6] = [
        ("a debit lost", &issuer, format!("DELETE FROM posting {of_issuer}"), |a| a.one_sided == 1),
        ("a debit changed", &issuer, format!("UPDATE posting SET amount_minor = amount_minor + 1 {of_issuer}"), |a| a.one_sided == 1),
        (
            "a debit twice",
            &issuer,
            format!("INSERT INTO posting SELECT id || 'again', transmission, stan, acquirer, forwarder, debit, credit, amount_minor, held, at_ms, closed FROM posting {of_issuer}"),
            |a| a.double == 1,
        ),
        ("a debit of nobody", &issuer, "INSERT INTO posting SELECT id || 'other', transmission, 999999, acquirer, forwarder, debit, credit, amount_minor, held, at_ms, closed FROM posting WHERE stan IS NOT NULL LIMIT 1".to_owned(), |a| a.strange == 1),
        ("half a transfer", &issuer, "INSERT INTO exchange SELECT transmission, 999999, acquirer, 10000, 'transfer_out', 'move_out', amount_minor, currency, card_masked, rrn, terminal, merchant, at_ms, code, approval, standing, came_again, advised, reversal_code, reversed_ms, 0, NULL, NULL, NULL, NULL, NULL FROM exchange WHERE standing = 'approved' LIMIT 1".to_owned(), |a| a.strange == 1),
        ("a sale lost", &acquirer, format!("UPDATE sale SET stands = 0 {at_acquirer}"), |a| a.lost == 1),
    ];
    for (name, data, statement, found) in planted {
        let copies = [acquirer.as_path(), issuer.as_path()].map(|data| {
            let copy = folder.path().join(format!(
                "{}.db",
                data.file_name().expect("it has a name").to_string_lossy()
            ));
            std::fs::copy(archive::path(data), &copy).expect("it copies");
            copy
        });
        let spoilt = if data == acquirer {
            &copies[0]
        } else {
            &copies[1]
        };
        let changed = Connection::open(spoilt)
            .and_then(|sql| sql.execute(&statement, []))
            .expect(name);
        assert_eq!(changed, 1, "{name}");
        let audit = compare(&purchases, &copies[0], &copies[1]).expect("it compares");
        assert!(!audit.clean() && found(&audit), "{name}: {}", audit.text());
    }
    let mut never_over = purchases.clone();
    never_over[paid].outcome = Outcome::Open;
    let found = audit(&never_over, &acquirer, &issuer).expect("it audits");
    assert!(!found.clean() && found.open == 1, "{}", found.text());
}
