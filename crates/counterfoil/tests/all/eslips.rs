//! E-slips and certificates over real sockets: what a cardholder sees, and what anyone can check.

use crate::installation::{Installation, Process, get, start_till};
use crate::wait_until;
use crate::webhook::answer;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Stdio;

fn printer_with_buttons(installation: &Installation) -> Process {
    let at = format!("127.0.0.1:{}", installation.ports().printer);
    let mut command = Installation::command(&["printer", "--listen", &at]);
    let mut printer = Process::spawn(command.stdin(Stdio::piped()));
    printer.expect_line("printer ready");
    printer
}

fn signal(name: &str, process: &Process) {
    let mut command = std::process::Command::new("kill");
    let status = command.args([name, &process.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// The path of a link, as a phone asks for it.
fn path(shown: &Value) -> String {
    let link = shown["link"].as_str().expect("a link");
    let rest = link.split_once("://").expect("a scheme").1;
    rest[rest.find('/').expect("a path")..].to_owned()
}

fn certificate(installation: &Installation, arguments: &[&str]) -> (bool, String) {
    let control = format!("127.0.0.1:{}", installation.ports().control[0]);
    let mut command = Installation::command(&["certificate"]);
    command.args(arguments);
    if arguments[0] != "verify" {
        command.args(["--control", &control]);
    }
    let output = command.output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8(said).expect("text"),
    )
}

#[test]
fn an_unprinted_sale_is_an_eslip_and_a_reversed_one_says_so() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let eslips = installation.ports().eslips;
    let mut printer = printer_with_buttons(&installation);
    printer.tell("out");
    let gateway = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = gateway.local_addr().expect("its address");
    let file = std::fs::read_to_string(installation.path("acquirer.toml")).expect("the file");
    let sms = format!("{file}\n[sms]\nurl = \"http://{at}/sms\"\nsecret = \"clear:gateway\"\n");
    installation.write("acquirer.toml", &sms);
    let hosts = installation.start_hosts();
    let config = installation.terminal(1, &[("idle_report_ms", "100"), ("eslip_after_ms", "1000")]);
    let mut till = start_till(&config);
    till.expect_screen("signed-on");

    // Out of paper: the slip is shown, the acquirer hears of it, the paper still waits.
    till.tell("sale 128.00");
    let sale = till.expect_screen("approved")["sale"]
        .as_str()
        .expect("a sale")
        .to_owned();
    let shown = till.expect_screen("e-slip");
    assert_eq!(shown["sale"], Value::from(sale.clone()));
    let mut seen = Value::Null;
    wait_until("the acquirer has heard of the e-slip", || {
        seen = installation.where_is(&sale).expect("it is found");
        seen["row"] == "paid_eslip"
    });
    assert_eq!(seen["slip"][0], "电子小票已提供（缺纸）");
    assert_eq!(seen["slip"][1], "e-slip given (out of paper)");
    let paid = page_with(eslips, &path(&shown), "款已收妥，电子小票已提供");
    for words in [
        "幸福里超市",
        "128.00",
        "**** 0123",
        seen["rrn"].as_str().expect("rrn"),
        "noindex",
        "CF1:",
    ] {
        assert!(paid.contains(words), "no {words} in {paid}");
    }
    assert!(!paid.contains("6228"), "more of the card than four digits");
    let (status, picture) = get(
        eslips,
        &format!("{}/slip.svg", path(&shown).replace("/R/", "/r/")),
    )
    .expect("a picture");
    assert!(status == 200 && picture.starts_with("<svg"), "{picture}");
    check_sending(eslips, &path(&shown), &gateway);
    printer.tell("paper");
    printer.expect_line("✂");

    // The issuer is silent for a while: the next sale is reversed, and its page says so.
    signal("-STOP", &hosts[2]);
    till.tell("sale 66.00");
    till.expect_screen("reversing");
    signal("-CONT", &hosts[2]);
    let reversed = till.expect_screen("reversed")["sale"]
        .as_str()
        .expect("a sale")
        .to_owned();
    till.tell("eslip");
    let shown = till.expect_screen("e-slip");
    assert_eq!(shown["sale"], Value::from(reversed.clone()));
    let page = page_with(eslips, &path(&shown), "冲正凭证");
    assert!(page.contains("66.00") && page.contains("已退回"), "{page}");

    check_certificates(&installation, &sale, &reversed);
    let (status, page) = get(eslips, "/r/0000000000000000").expect("a page");
    assert_eq!(status, 404);
    assert!(page.contains("不要因此再付一次"));
}

/// The link goes to the telephone that the cardholder typed, with consent only; the gateway gets nothing of the card.
fn check_sending(port: u16, path: &str, gateway: &TcpListener) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let ask = |form: &str| {
        let answer = agent
            .post(format!(
                "http://127.0.0.1:{port}{}/send",
                path.replace("/R/", "/r/")
            ))
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form);
        answer.expect("an answer").status().as_u16()
    };
    assert_eq!(ask("to=13800138000"), 400, "without consent");
    assert_eq!(
        ask("to=6228480000000123&consent=yes"),
        400,
        "a card is no telephone"
    );
    assert_eq!(ask("to=13800138000&consent=yes"), 202);
    let (_, body) = answer(gateway, "204 Yes");
    assert!(
        body.contains("13800138000") && body.contains(path),
        "{body}"
    );
    assert!(!body.contains("0123") && !body.contains("128.00"), "{body}");
}

/// The page at `path`, once the archive is so far that it contains `words`.
fn page_with(port: u16, path: &str, words: &str) -> String {
    let mut page = String::new();
    wait_until(words, || {
        let (status, body) = get(port, path).expect("a page");
        page = body;
        // A stranger's guesses are slowed down, and so is somebody who looks every few milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(if status == 200 {
            100
        } else {
            1_000
        }));
        page.contains(words) && page.contains("CF1:")
    });
    page
}

/// Both are certified; anyone can check both, alone and in the chain, and a changed one is refused.
fn check_certificates(installation: &Installation, paid: &str, reversed: &str) {
    let (_, key) = get(
        installation.ports().eslips,
        "/.well-known/counterfoil-certificate-key",
    )
    .expect("a key");
    let key_file = installation.write("key.txt", &key);
    let key_file = key_file.to_str().expect("a path");
    let (ok, chain) = certificate(installation, &["export"]);
    assert!(ok && chain.lines().count() == 2, "{chain}");
    let chain_file = installation.write("chain.txt", &chain);
    let chain_file = chain_file.to_str().expect("a path");
    for (sale, outcome) in [(paid, "Approved"), (reversed, "Reversed")] {
        let (ok, shown) = certificate(installation, &["show", sale]);
        assert!(ok && shown.contains(outcome), "{shown}");
        let text = shown
            .lines()
            .find(|line| line.starts_with("CF1:"))
            .expect("its text");
        for arguments in [
            vec!["verify", text, "--key", key.trim()],
            vec!["verify", text, "--key", key_file, "--chain", chain_file],
        ] {
            let (ok, said) = certificate(installation, &arguments);
            assert!(
                ok && said.contains(&format!("genuine: {outcome}")) && said.contains(sale),
                "{said}"
            );
        }
        let last = if text.ends_with('0') { '1' } else { '0' };
        let changed = format!("{}{last}", &text[..text.len() - 1]);
        let (ok, said) = certificate(installation, &["verify", &changed, "--key", key.trim()]);
        assert!(!ok && said.contains("something was changed"), "{said}");
    }
    let gap = installation.write("gap.txt", chain.lines().nth(1).expect("two lines"));
    let (ok, said) = certificate(
        installation,
        &[
            "verify",
            "--key",
            key_file,
            "--chain",
            gap.to_str().expect("a path"),
        ],
    );
    assert!(!ok && said.contains("line 1 does not follow"), "{said}");
}
