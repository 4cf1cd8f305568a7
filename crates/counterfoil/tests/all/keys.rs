//! The key ceremony, run as people run it: files, passphrases, check values, and what must be refused.

use crate::installation::PROGRAM;
use std::cell::RefCell;
use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two components whose sum is the published key 0123456789ABCDEFFEDCBA9876543210.
const HALVES: [&str; 2] = [
    "408A26D3087FEA5B46BF2AB6433B7334",
    "40A862B580D526B5B962912F346E4025",
];
/// Three components of the same key.
const THIRDS: [&str; 3] = [
    "493191C479A275FBCDA723915E9D4FD9",
    "CB6B2ACBAB8CA7F4FBBC014037F8B673",
    "8379FE685B851FE0C8C798491F31CBBA",
];
const PUBLISHED: &str = "0123456789ABCDEFFEDCBA9876543210";
const PUBLISHED_KCV: &str = "08D7B4";
/// Two components of the key block protection key of TR-31:2018 A.7.4.
const PROTECTION_HALVES: [&str; 2] = [
    "B646DF52DCC2D236C44C1EC366183A8D6008BB00A224E852D5369DE253E7A9A7",
    "3EA77478F2FF01BADBEC276650483645C87202D68FEDC453D0B93A7D1782D441",
];
/// The block of TR-31:2018 A.7.4: an AES PIN key that may only encipher.
const BLOCK: &str = "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34";
const BLOCK_KEY: &str = "3F419E1CB7079442AA37474C2EFBF8B8";

/// A room with a store, its local master key, and everything that was ever said in it.
struct Room {
    directory: tempfile::TempDir,
    said: RefCell<String>,
}

impl Room {
    fn new() -> Self {
        let room = Self {
            directory: tempfile::tempdir().expect("a directory"),
            said: RefCell::default(),
        };
        room.done(&["master", "--out", "lmk", "--by", "Alice"]);
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = Command::new(PROGRAM)
            .current_dir(self.directory.path())
            .args(["--language", "en"])
            .args(arguments)
            .output()
            .expect("the program runs");
        let mut said = self.said.borrow_mut();
        said.push_str(&String::from_utf8_lossy(&output.stdout));
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        output
    }

    fn keys(&self, arguments: &[impl AsRef<str>]) -> Output {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let store = ["--store", "keys.store", "--local-master-key", "lmk"];
        let wants_store = !matches!(arguments[0], "master" | "component" | "log");
        let store = if wants_store { &store[..] } else { &[] };
        self.run(&[&["keys"], arguments.as_slice(), store].concat())
    }

    /// What it prints when it does what it is told.
    #[track_caller]
    fn done(&self, arguments: &[impl AsRef<str> + Debug]) -> String {
        let output = self.keys(arguments);
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {why}");
        said
    }

    /// That it does not, and says why.
    #[track_caller]
    fn refused(&self, arguments: &[impl AsRef<str> + Debug], why: &str) {
        let output = self.keys(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?} was done");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }

    /// A component that was made elsewhere, in the file `HOLDER.component`, under the passphrase of `HOLDER.pass`.
    fn component(&self, holder: &str, algorithm: &str, hex: &str) {
        self.write("typed", hex);
        self.write(
            &format!("{holder}.pass"),
            &format!("{holder} keeps a secret\n"),
        );
        let (out, pass) = (format!("{holder}.component"), format!("{holder}.pass"));
        self.done(&[
            "component",
            "--holder",
            holder,
            "--algorithm",
            algorithm,
            "--from",
            "typed",
            "--out",
            &out,
            "--passphrase-file",
            &pass,
        ]);
        fs::remove_file(self.path("typed")).expect("removed");
    }

    /// The published key as `tmk-shop`, of Alice's and Bob's halves.
    fn with_published_key() -> Self {
        let room = Self::new();
        for (holder, half) in ["alice", "bob"].into_iter().zip(HALVES) {
            room.component(holder, "des", half);
        }
        let said = room.done(&combine(&["alice", "bob"], "tmk-shop", "terminal-master"));
        assert!(said.contains(&format!(
            "Key tmk-shop@1, KCV {PUBLISHED_KCV}, of alice, bob"
        )));
        room
    }

    /// No output, store, component file or log holds any of these.
    #[track_caller]
    fn never_showed(&self, secrets: &[&str]) {
        let mut all = self.said.borrow().clone();
        for entry in fs::read_dir(self.directory.path()).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.file_name().is_some_and(|name| name != "lmk") {
                all += &fs::read_to_string(&path).unwrap_or_default();
            }
        }
        let all = all.to_uppercase();
        for secret in secrets {
            for part in secret.as_bytes().chunks(16) {
                let part = String::from_utf8_lossy(part);
                assert!(!all.contains(&*part), "{part} of {secret} is shown");
            }
        }
    }
}

/// `combine` of these holders' components, each with its own passphrase.
fn combine(holders: &[&str], name: &str, usage: &str) -> Vec<String> {
    let mut arguments = vec!["combine".to_owned()];
    arguments.extend(holders.iter().map(|holder| format!("{holder}.component")));
    arguments.extend(["--name", name, "--usage", usage].map(str::to_owned));
    for holder in holders {
        arguments.extend(["--passphrase-file".to_owned(), format!("{holder}.pass")]);
    }
    arguments
}

/// `combine`, and more.
fn and(mut arguments: Vec<String>, more: [&str; 2]) -> Vec<String> {
    arguments.extend(more.map(str::to_owned));
    arguments
}

/// A terminal's file, as short as it may be.
fn terminal_file(profile: &str, local: &str, store: &str, key: &str) -> String {
    format!(
        "profile = \"{profile}\"\ndata = \"data\"\nlocal_master_key = \"{local}\"\n{store}\n\
         acquirer = \"127.0.0.1:1\"\nid = \"T0000001\"\nmerchant = \"123456789012345\"\n\
         merchant_name = \"m\"\nacquirer_name = \"a\"\ntmk = \"{key}\"\n"
    )
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn two_holders_make_the_published_key_and_nobody_sees_it() {
    let room = Room::with_published_key();
    for private in ["lmk", "alice.component", "keys.store", "ceremony.log"] {
        assert_eq!(mode(&room.path(private)), 0o600, "{private}");
    }
    let shown = room.done(&["show"]);
    for part in [
        "tmk-shop@1",
        "terminal-master",
        "DES-128",
        "KCV 08D7B4",
        "alice, bob",
        "TEST KEY",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let log = room.done(&["log"]);
    let acts: Vec<_> = log
        .lines()
        .map(|line| line.split("  ").nth(2).expect("an act"))
        .collect();
    assert_eq!(acts, ["master", "component", "component", "combine"]);
    // Three components of the same key, the third holder's part of it; a wrong expectation keeps nothing.
    for (holder, third) in ["carol", "dave", "erin"].into_iter().zip(THIRDS) {
        room.component(holder, "des", third);
    }
    let thirds = combine(&["carol", "dave", "erin"], "kek-west", "host-master");
    let expecting = |value| and(thirds.clone(), ["--expected", value]);
    room.refused(&expecting("08D7B5"), "check value is 08D7B4, not 08D7B5");
    room.refused(&expecting("08D7B"), "6, 8 or 10 hex");
    assert!(!room.done(&["show"]).contains("kek-west"));
    room.done(&expecting("08D7B4FB"));
    room.refused(&thirds, "there already");
    // A random component shows its check value and nothing else.
    let said = room.done(&[
        "component",
        "--holder",
        "Frank",
        "--out",
        "frank.component",
        "--passphrase-file",
        "bob.pass",
    ]);
    assert!(
        said.starts_with("Component of Frank, KCV ") && said.trim_end().len() == 30,
        "{said}"
    );
    room.refused(
        &[
            "component",
            "--holder",
            "Frank",
            "--out",
            "shown",
            "--show",
            "--passphrase-file",
            "bob.pass",
        ],
        "wants a terminal",
    );
    room.never_showed(&[&HALVES[..], &THIRDS, &[PUBLISHED, room.text("lmk").trim()]].concat());
}

#[test]
fn dual_control_and_damage() {
    let room = Room::new();
    for (holder, half) in ["alice", "bob"].into_iter().zip(HALVES) {
        room.component(holder, "des", half);
    }
    room.component("ALICE ", "des", THIRDS[0]);
    room.component("carol", "aes", PROTECTION_HALVES[0]);
    for (holders, usage, why) in [
        (&["alice", "alice"][..], "pin", "two components of"),
        (&["alice", "ALICE "], "pin", "two components of"),
        (&["alice", "carol"], "pin", "different ciphers or lengths"),
        (&["alice"], "pin", "required"),
        (&["alice", "bob"], "pan-seal", "none of terminal-master"),
        (&["alice", "bob"], "key", "none of terminal-master"),
    ] {
        let arguments = combine(holders, "key", usage);
        room.refused(&arguments, why);
    }
    // Wrong, equal, short and missing passphrases.
    let halves = |passes: [&'static str; 2]| {
        let [a, b] = passes;
        [
            "combine",
            "alice.component",
            "bob.component",
            "--name",
            "key",
            "--usage",
            "pin",
            "--passphrase-file",
            a,
            "--passphrase-file",
            b,
        ]
    };
    room.write("short.pass", "too short\n");
    for (passes, why) in [
        (
            ["bob.pass", "alice.pass"],
            "alice.component: component does not open",
        ),
        (
            ["alice.pass", "carol.pass"],
            "bob.component: component does not open",
        ),
        (["alice.pass", "alice.pass"], "open with one passphrase"),
        (["short.pass", "bob.pass"], "12 characters"),
    ] {
        room.refused(&halves(passes), why);
    }
    // Whatever is changed in a component's file, it does not open; no change makes it open more expensively than allowed.
    let whole = room.text("alice.component");
    for (from, to, why) in [
        ("\"alice\"", "\"mallory\"", "does not open"),
        ("\"bits\": 128", "\"bits\": 192", "does not open"),
        ("\"des\"", "\"aes\"", "does not open"),
        ("\"passes\": 3", "\"passes\": 2", "does not open"),
        (
            "\"memory_kib\": 65536",
            "\"memory_kib\": 4000000000",
            "unknown form",
        ),
        ("\"form\": 1", "\"form\": 2", "unknown form"),
    ] {
        assert!(whole.contains(from), "{from}");
        room.write("alice.component", &whole.replace(from, to));
        room.refused(&halves(["alice.pass", "bob.pass"]), why);
    }
    for field in [
        "\"component\": \"",
        "\"check_value\": \"",
        "\"salt\": \"",
        "\"nonce\": \"",
    ] {
        let at = whole.find(field).expect("a field") + field.len();
        room.write("alice.component", &flipped(&whole, at));
        room.refused(&halves(["alice.pass", "bob.pass"]), "does not open");
    }
    room.write("alice.component", &whole);
    assert!(!room.path("keys.store").exists());
    room.done(&halves(["alice.pass", "bob.pass"]));
    // Components that a hurried hand types.
    for (hex, why) in [
        (HALVES[0].replacen('4', "5", 1), "even parity"),
        ("01".repeat(16), "zeros refused"),
        (HALVES[0][2..].to_owned(), "not hex"),
        (HALVES[0].replacen('4', "x", 1), "not hex"),
    ] {
        room.write("typed", &hex);
        room.refused(
            &[
                "component",
                "--holder",
                "Eve",
                "--from",
                "typed",
                "--out",
                "eve",
                "--passphrase-file",
                "bob.pass",
            ],
            why,
        );
    }
}

/// One bit of one hex character changed.
fn flipped(text: &str, at: usize) -> String {
    let nibble = u32::from_str_radix(&text[at..=at], 16).expect("hex") ^ 1;
    format!("{}{nibble:X}{}", &text[..at], &text[at + 1..])
}

#[test]
fn key_blocks_travel_and_say_what_the_key_may_do() {
    let room = Room::with_published_key();
    for (holder, half) in ["carol", "dave"].into_iter().zip(PROTECTION_HALVES) {
        room.component(holder, "aes", half);
    }
    let under = combine(&["carol", "dave"], "kbpk", "key-block-protection");
    // The published check value of this key (security reference §1.3).
    room.done(&and(under, ["--expected", "2331550BC9"]));
    fn import<'a>(block: &'a str, name: &'a str, usage: &'a str) -> Vec<&'a str> {
        [
            "import", block, "--under", "kbpk", "--name", name, "--usage", usage, "--by", "Carol",
        ]
        .to_vec()
    }
    let said = room.done(&import(BLOCK, "pik-west", "pin"));
    assert!(said.contains("Key pik-west@1, KCV 08793E"), "{said}");
    // Every character of the block matters; a usage is what its header says.
    for at in (0..BLOCK.len()).step_by(7) {
        let other = if BLOCK.as_bytes()[at] == b'0' {
            "1"
        } else {
            "0"
        };
        let changed = format!("{}{other}{}", &BLOCK[..at], &BLOCK[at + 1..]);
        room.refused(&import(&changed, "changed", "pin"), "key");
    }
    for usage in ["mac", "track", "host-master", "key-block-protection"] {
        room.refused(
            &import(BLOCK, "wrong", usage),
            "key block holds a key of another usage",
        );
    }
    let mut unexpected = import(BLOCK, "other", "pin");
    unexpected.extend(["--expected", "08793F"]);
    room.refused(&unexpected, "not 08793F");
    room.refused(&import(BLOCK, "pik-west", "pin"), "there already");
    // Out and in again, under another name: the same key with the same restriction.
    fn export<'a>(name: &'a str, format: &'a str) -> Vec<&'a str> {
        [
            "export", name, "--under", "kbpk", "--format", format, "--by", "Carol",
        ]
        .to_vec()
    }
    let block = room.done(&export("pik-west", "d"));
    assert!(
        block.starts_with("D0144P0AE00E0000") && block.trim_end().len() == 144,
        "{block}"
    );
    assert!(
        room.done(&import(block.trim_end(), "pik-again", "pin"))
            .contains("KCV 08793E")
    );
    assert!(
        room.done(&export("tmk-shop", "d"))
            .starts_with("D0112K0TB00E0000")
    );
    // The next generation of a known key, as the other member sends it; of another usage it is none.
    room.done(&["rotate", "tmk-shop", "--by", "Carol"]);
    let next = room.done(&export("tmk-shop", "d"));
    let rotate = |name: &'static str, block: &str| {
        [
            "rotate", name, "--under", "kbpk", "--by", "Carol", "--block", block,
        ]
        .map(str::to_owned)
    };
    room.done(&import(
        room.done(&export("tmk-shop@1", "d")).trim_end(),
        "tmk-west",
        "terminal-master",
    ));
    assert!(
        room.done(&rotate("tmk-west", next.trim_end()))
            .contains("Key tmk-west@2, KCV ")
    );
    room.refused(
        &rotate("tmk-west", next.trim_end()),
        "the new key is the old one",
    );
    room.refused(&rotate("pik-west", next.trim_end()), "another usage");
    room.refused(&export("pik-west", "b"), "protection key of another cipher");
    room.refused(&export("nothing", "d"), "no key \"nothing\"");
    let under_a_pin_key = [
        "export", "tmk-shop", "--under", "pik-west", "--format", "d", "--by", "Carol",
    ];
    room.refused(&under_a_pin_key, "usage Pin refused");
    room.never_showed(&[&PROTECTION_HALVES[..], &[PUBLISHED, BLOCK_KEY]].concat());
}

#[test]
fn rotation_keeps_the_old_key_until_its_end() {
    let room = Room::with_published_key();
    let rotate = |more: &[&'static str]| [&["rotate", "tmk-shop", "--by", "Alice"], more].concat();
    let said = room.done(&rotate(&["--keep-days", "3"]));
    assert!(
        said.contains("Key tmk-shop@2, KCV ") && said.contains("tmk-shop@1 serves until "),
        "{said}"
    );
    let shown = room.done(&["show"]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("tmk-shop@1") && lines[0].contains("serves until"));
    assert!(lines[1].starts_with("tmk-shop@2") && lines[1].contains("made in the module"));
    assert!(!lines[1].contains("TEST KEY") && !lines[1].contains(PUBLISHED_KCV));
    // A next generation of components; the same key is no rotation.
    let halves = [
        "alice.component",
        "bob.component",
        "--passphrase-file",
        "alice.pass",
        "--passphrase-file",
        "bob.pass",
    ];
    room.done(&rotate(&halves));
    room.refused(&rotate(&halves), "the new key is the old one");
    room.refused(&rotate(&["--keep-days", "10000"]), "at most 366");
    // The configuration names the latest, or one that still serves.
    let check = |key: &str| {
        let store = "key_store = \"keys.store\"";
        let text = terminal_file("sandbox", "file:lmk", store, &format!("store:{key}"));
        room.write("terminal.toml", &text);
        let output = room.run(&["config", "check", "terminal.toml"]);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(check("tmk-shop"), "");
    assert_eq!(check("tmk-shop@1"), "");
    room.done(&["retire", "tmk-shop@1", "--by", "Alice"]);
    assert_eq!(check("tmk-shop@2"), "");
    for (key, why) in [
        ("tmk-shop@1", "key \"tmk-shop@1\" has ended"),
        ("tmk-shop@9", "no key \"tmk-shop@9\""),
        ("tmk", "no key \"tmk\""),
    ] {
        assert!(check(key).contains(why), "{}", check(key));
    }
    room.component("carol", "des", THIRDS[0]);
    room.component("dave", "des", THIRDS[1]);
    room.done(&combine(&["carol", "dave"], "pik", "pin"));
    assert!(
        check("pik").contains("tmk: key is for pin, not terminal-master"),
        "{}",
        check("pik")
    );
    room.never_showed(&[PUBLISHED]);
}

#[test]
fn production_takes_no_test_key_and_none_that_stands_in_the_file() {
    let room = Room::with_published_key();
    room.component("carol", "des", THIRDS[0]);
    room.component("dave", "des", THIRDS[1]);
    room.done(&combine(&["carol", "dave"], "tmk-real", "terminal-master"));
    let example =
        fs::read_to_string(crate::installation::repository().join("examples/network.toml"));
    let example = example.expect("an example");
    let published_local = example
        .lines()
        .find_map(|line| {
            line.strip_prefix("local_master_key = \"clear:")?
                .strip_suffix('"')
        })
        .expect("a local master key");
    room.write("published-lmk", published_local);
    let stored = "key_store = \"keys.store\"";
    let clear = format!("clear:{PUBLISHED}");
    for (profile, local, store, key, why) in [
        ("production", "file:lmk", stored, "store:tmk-real", ""),
        (
            "production",
            "file:lmk",
            stored,
            "store:tmk-shop",
            "tmk: key \"tmk-shop@1\" (KCV 08D7B4) is a test key, the well-known test key 0123…3210: refused under profile",
        ),
        (
            "production",
            "file:lmk",
            stored,
            clear.as_str(),
            "tmk: profile = \"production\" loads keys only from a key store",
        ),
        (
            "production",
            "file:lmk",
            stored,
            "wrapped:00",
            "loads keys only from a key store",
        ),
        (
            "production",
            "file:lmk",
            "",
            "store:tmk-real",
            "key_store: profile = \"production\" needs one",
        ),
        (
            "production",
            "file:published-lmk",
            stored,
            "store:tmk-real",
            "local_master_key: published-lmk: a test key",
        ),
        (
            "production",
            "clear:00",
            stored,
            "store:tmk-real",
            "file:PATH elsewhere",
        ),
        ("sandbox", "file:lmk", stored, "store:tmk-shop", ""),
        ("sandbox", "file:lmk", stored, clear.as_str(), ""),
        (
            "sandbox",
            "file:lmk",
            "",
            "store:tmk-shop",
            "needs key_store",
        ),
        (
            "sandbox",
            "file:published-lmk",
            stored,
            "store:tmk-shop",
            "belongs to another local master key",
        ),
    ] {
        room.write("terminal.toml", &terminal_file(profile, local, store, key));
        let output = room.run(&["config", "check", "terminal.toml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.success(),
            why.is_empty(),
            "{profile} {local} {key}: {said}"
        );
        assert!(said.contains(why), "{profile} {local} {key}: {said}");
    }
    room.never_showed(&[&HALVES[..], &[PUBLISHED]].concat());
}

#[test]
fn a_changed_log_or_store_is_found() {
    let room = Room::with_published_key();
    let (log, store) = (room.text("ceremony.log"), room.text("keys.store"));
    room.done(&["log", "--verify"]);
    let with_store = [
        "log",
        "--verify",
        "--store",
        "keys.store",
        "--local-master-key",
        "lmk",
    ];
    assert!(room.done(&with_store).contains("✓ 4 lines"));
    let lines: Vec<&str> = log.lines().collect();
    let without = |place: usize| {
        let mut rest = lines.clone();
        rest.remove(place);
        rest.join("\n") + "\n"
    };
    for (changed, why) in [
        (log.replacen("alice", "mallo", 1), "line 2 was changed"),
        (
            log.replacen(PUBLISHED_KCV, "08D7B5", 1),
            "line 4 was changed",
        ),
        (without(0), "line 1 was changed"),
        (without(2), "line 3 was changed"),
        (log.trim_end().to_owned(), "line 4 was changed"),
        (log.clone() + &log, "line 5 was changed"),
    ] {
        room.write("ceremony.log", &changed);
        room.refused(&["log", "--verify"], why);
        room.refused(&["show"], why);
        room.refused(&["rotate", "tmk-shop", "--by", "Mallory"], why);
    }
    // A log cut at a line's end still follows; the store remembers how far it had come.
    room.write("ceremony.log", &without(3));
    room.done(&["log", "--verify"]);
    room.refused(&with_store, "was cut or rewritten");
    room.refused(
        &["rotate", "tmk-shop", "--by", "Mallory"],
        "was cut or rewritten",
    );
    room.write("ceremony.log", &log);
    for (from, to) in [
        ("tmk-shop", "tmk-bank"),
        ("\"alice\"", "\"mallory\""),
        ("\"components\"", "\"generated\""),
        ("\"ends_ms\": null", "\"ends_ms\": 1"),
        ("\"lines\": 4", "\"lines\": 3"),
    ] {
        assert!(store.contains(from), "{from}");
        room.write("keys.store", &store.replace(from, to));
        room.refused(
            &["show"],
            "was changed, or belongs to another local master key",
        );
    }
    for field in ["\"key\": \"", "\"authentication\": \"", "\"head\": \""] {
        let at = store.find(field).expect("a field") + field.len();
        // Past the bytes that say usage, length and check value: those make it another form.
        room.write("keys.store", &flipped(&store, at + 20));
        room.refused(&["show"], "was changed");
    }
    room.write("keys.store", &store);
    room.done(&["show"]);
}
