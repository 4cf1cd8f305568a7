//! `counterfoil authority`: what it issues a configuration file can take, and what it refuses.

use crate::installation::{Installation, Process};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MERCHANT: &str = "898100053110001";
const ACQUIRER: &str = "acquirer.example";
const NETWORK: &str = "network.example";

#[test]
fn an_authority_issues_lists_and_revokes() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("authority");
    let run = |arguments: &[&str]| {
        let output = Installation::command(&["authority"])
            .args(arguments)
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stderr)),
        }
    };
    let at_text = at.to_str().expect("UTF-8");
    run(&["new", at_text]).expect("it is made");
    run(&["new", at_text]).expect_err("it is there already");
    let shown = run(&[
        "issue",
        at_text,
        "--terminal",
        "T0000001",
        "--merchant",
        MERCHANT,
    ])
    .expect("it is issued");
    assert!(shown.contains("[tls]\nca = "), "{shown}");
    let table: toml::Table = shown.parse().expect("a table that a file can take");
    let key = table["tls"]["key"].as_str().expect("a key").to_owned();
    run(&["issue", at_text, "--member", "48020000"]).expect("it is issued");
    run(&["issue", at_text, "--server", NETWORK]).expect("it is issued");
    for refused in [
        &["issue", at_text, "--terminal", "T0000002"][..],
        &[
            "issue",
            at_text,
            "--terminal",
            "T0000001",
            "--merchant",
            MERCHANT,
        ],
        &["issue", at_text, "--terminal", "T1", "--merchant", MERCHANT],
        &[
            "issue",
            at_text,
            "--terminal",
            "../../01",
            "--merchant",
            MERCHANT,
        ],
        &["issue", at_text, "--member", "4802000x"],
        &[
            "issue", at_text, "--member", "48020001", "--server", NETWORK,
        ],
        &["issue", at_text, "--server", "../network"],
        &["issue", at_text, "--server", "ca"],
        &["issue", at_text],
        &["revoke", at_text, "00"],
        &["list", "nowhere"],
    ] {
        run(refused).expect_err(&refused.join(" "));
    }
    let listed = run(&["list", at_text]).expect("a list");
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let serial = listed.split(' ').next().expect("a serial number");
    run(&["revoke", at_text, serial]).expect("it is revoked");
    run(&["revoke", at_text, serial]).expect("again changes nothing");
    let listed = run(&["list", at_text]).expect("a list");
    assert_eq!(listed.matches("  revoked  ").count(), 1, "{listed}");
    let mut keys = 0;
    for file in std::fs::read_dir(&at).expect("the folder").flatten() {
        if file.path().extension().is_some_and(|end| end == "key") {
            let mode = file.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
            keys += 1;
        }
    }
    assert_eq!(keys, 4);

    // A key that others may read is not taken, and config check says so.
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let file = installation.terminal(1, &[]);
    let line = format!(
        "tls = {{ ca = {0:?}, certificate = {1:?}, key = {2:?}, crl = {3:?}, name = {ACQUIRER:?} }}",
        at.join("ca.pem"),
        at.join("T0000001.pem"),
        Path::new(&key),
        at.join("crl.pem")
    );
    let text = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(&file, text.replace("plain = true", &line)).expect("it is written");
    let check = || Process::spawn(Installation::command(&["config", "check"]).arg(&file));
    assert!(check().wait().success());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("it is set");
    let mut checked = check();
    assert!(!checked.wait().success());
    checked.expect_line("mode 0640");
}
