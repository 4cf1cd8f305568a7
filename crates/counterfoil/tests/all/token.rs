//! A real PKCS#11 token, SoftHSM of Debian: vectors inside it, what is said of a wrong one, and parties whose keys live there.
//!
//! The library reads where its tokens are from its process's environment. So a test that calls it runs once more as a child
//! process with that environment, and the parent holds the child's end.

use crate::installation::{HOSTS, Installation, PROGRAM, repository, start_till};
use counterfoil::token::{self, TokenModule, TokenPlace};
use crypto::{
    ClearKey, Cryptogram, CryptogramScheme, KeyUsage, MacAlgorithm, Pan, Pin, PinBlock, PinFormat,
    SecurityError, SecurityModule, SoftwareModule, WrappedKey,
};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use expect_test::{Expect, expect};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LIBRARY: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "246813";

/// Tokens in a folder of their own; gone with it.
struct Tokens(tempfile::TempDir);

impl Tokens {
    fn new(labels: &[&str]) -> Self {
        let tokens = Self(tempfile::tempdir().expect("a folder"));
        let folder = tokens.0.path();
        std::fs::create_dir(folder.join("tokens")).expect("a folder");
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            folder.join("tokens").display()
        );
        std::fs::write(tokens.settings(), settings).expect("settings");
        for label in labels {
            let made = tokens
                .command("softhsm2-util")
                .args(["--init-token", "--free", "--label", label])
                .args(["--pin", PIN, "--so-pin", "135792"])
                .output()
                .expect("softhsm2-util runs (Debian: apt install softhsm2)");
            assert!(made.status.success(), "{made:?}");
        }
        tokens
    }

    fn settings(&self) -> PathBuf {
        self.0.path().join("softhsm2.conf")
    }

    /// A command that finds these tokens and the PIN.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.settings());
        command.env(token::PIN_VARIABLE, PIN);
        command
    }

    /// The program, in English.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(["--language", "en"]).args(arguments);
        command
    }

    /// The vectors command on the published file.
    fn vectors(&self, library: &str, label: &str) -> Command {
        let mut command = self.program(&["vectors", "--pkcs11", library, "--token", label]);
        command.arg(repository().join("crates/crypto/tests/all/vectors.json"));
        command
    }
}

/// Runs `test` in a child process that finds one token of each label; `name` is the test's own.
fn beside_tokens(name: &str, labels: &[&str], test: impl FnOnce()) {
    if std::env::var_os("SOFTHSM2_CONF").is_some() {
        return test();
    }
    let tokens = Tokens::new(labels);
    let itself = std::env::current_exe().expect("this binary");
    let child = tokens
        .command(itself.to_str().expect("a path"))
        .args(["--exact", &format!("token::{name}"), "--nocapture"])
        .output()
        .expect("the child runs");
    let said = String::from_utf8_lossy(&child.stdout);
    let wrong = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}\n{wrong}");
    assert!(said.contains("1 passed"), "{said}");
}

fn place(label: &str) -> TokenPlace {
    TokenPlace::new(LIBRARY.into(), label.to_owned(), None).expect("a PIN")
}

/// The security module of a token that is prepared first.
fn module(label: &str) -> TokenModule {
    token::prepare(&place(label)).expect("prepared");
    token::open(&place(label)).expect("opened")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Every row passes or is named with what the token lacks; none of those is counted as passed.
#[test]
fn vectors_run_inside_the_token() {
    let tokens = Tokens::new(&["vectors"]);
    let output = tokens.vectors(LIBRARY, "vectors").output().expect("runs");
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    let told: String = text
        .lines()
        .filter(|line| !line.ends_with(" 0 failed, 0 unknown") || line.starts_with("sum"))
        .map(|line| format!("{line}\n"))
        .collect();
    expect![[r#"
          – argon2id-rfc9106 not on this token: Argon2id
          – kcv-sm4-4 not on this token: SM4
          – sm3-abc not on this token: SM3
          – sm4-cbc not on this token: SM4
          – sm4-gbt32907 not on this token: SM4
          – sm4-ecb-2-blocks not on this token: SM4
          – unionpay-sm4-mac not on this token: SM4
        sum: 151 passed, 0 failed, 0 unknown
        passed inside the token 129, no key and no mechanism (formats only) 22, not on this token 7
    "#]]
    .assert_eq(&told);
}

/// A row that comes out otherwise fails on the token too, and its failure is not hidden behind those that it lacks.
#[test]
fn a_changed_row_fails_on_the_token() {
    let tokens = Tokens::new(&["vectors"]);
    let published = repository().join("crates/crypto/tests/all/vectors.json");
    let text = std::fs::read_to_string(published).expect("vectors");
    let changed = text.replacen("A1C72E74EA3FA9B6", "A1C72E74EA3FA9B7", 1);
    assert_ne!(text, changed);
    let file = tokens.0.path().join("vectors.json");
    std::fs::write(&file, changed).expect("written");
    let output = tokens
        .program(&["vectors", "--pkcs11", LIBRARY, "--token", "vectors"])
        .arg(&file)
        .output()
        .expect("runs");
    assert!(!output.status.success());
    let said = stdout(&output);
    assert!(
        said.contains("    expected A1C72E74EA3FA9B7\n    got A1C72E74EA3FA9B6\n"),
        "{said}"
    );
}

#[track_caller]
fn check_refusal(command: &mut Command, expected: Expect) {
    let output = command.output().expect("runs");
    assert!(!output.status.success());
    assert_eq!(stdout(&output), "");
    expected.assert_eq(&String::from_utf8_lossy(&output.stderr));
}

/// Each has its own sentence, and none of them holds a PIN.
#[test]
fn what_is_wrong_with_a_token_is_said() {
    let tokens = Tokens::new(&["one", "two", "twin", "twin"]);
    check_refusal(
        &mut tokens.vectors("/nonexistent/library.so", "one"),
        expect![[r#"
            counterfoil: PKCS#11 library /nonexistent/library.so: libloading error (/nonexistent/library.so: cannot open shared object file: No such file or directory)
        "#]],
    );
    check_refusal(
        &mut tokens.vectors(LIBRARY, "three"),
        expect![[r#"
        counterfoil: no token "three"; there are: one, twin, twin, two
    "#]],
    );
    check_refusal(
        &mut tokens.vectors(LIBRARY, "twin"),
        expect![[r#"
        counterfoil: more than one token "twin"
    "#]],
    );
    check_refusal(
        tokens
            .vectors(LIBRARY, "one")
            .env(token::PIN_VARIABLE, "999999"),
        expect![[r#"
            counterfoil: the token refuses the PIN
        "#]],
    );
    check_refusal(
        tokens
            .vectors(LIBRARY, "one")
            .env_remove(token::PIN_VARIABLE),
        expect![[r#"
            counterfoil: no token PIN: name a PIN file or set COUNTERFOIL_TOKEN_PIN
        "#]],
    );
    check_refusal(
        tokens
            .vectors(LIBRARY, "one")
            .args(["--pin-file", "/nonexistent/pin"]),
        expect![[r#"
            counterfoil: token PIN file /nonexistent/pin: No such file or directory (os error 2)
        "#]],
    );
    let pin_file = tokens.0.path().join("pin");
    std::fs::write(&pin_file, format!("{PIN}\n")).expect("written");
    let prepare = ["token", "prepare", "--pkcs11", LIBRARY, "--token", "two"];
    let mut by_file = tokens.program(&prepare);
    by_file.arg("--pin-file").arg(&pin_file);
    let prepared = by_file.env_remove(token::PIN_VARIABLE).output();
    let prepared = stdout(&prepared.expect("runs"));
    expect![[r#"
        token two: master keys generated inside it
    "#]]
    .assert_eq(&prepared);
    // Not a second time: every key that rests under the first ones would be lost.
    check_refusal(
        &mut tokens.program(&prepare),
        expect![[r#"
        counterfoil: the token has a key "counterfoil key-wrap" already
    "#]],
    );
}

/// A party's configuration names the token, and what is missing there stops the party before it starts.
#[test]
fn a_party_does_not_start_without_its_token() {
    let installation = Installation::new([200, 300, 400, 600]);
    let tokens = Tokens::new(&["issuer"]);
    let start = |file: &Path| {
        let mut command = tokens.program(&["issuer", "--config"]);
        command.arg(file);
        command
    };
    let on_token = on_token(&installation.example("issuer"), "issuer");
    let file = installation.write("issuer.toml", &on_token);
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let unprepared = start(&file).output().expect("runs");
    assert!(
        told(&unprepared).contains("security: the token has no key \"counterfoil key-wrap\": run `counterfoil token prepare`"),
        "{unprepared:?}"
    );
    let both = format!(
        "local_master_key = \"clear:{}\"\n{on_token}",
        "01".repeat(32)
    );
    let both = start(&installation.write("both.toml", &both)).output();
    let both = both.expect("runs");
    assert!(
        told(&both).contains("local_master_key and [security] exclude each other"),
        "{both:?}"
    );
    let neither = on_token.split("[security]").next().expect("text");
    let neither = start(&installation.write("neither.toml", neither)).output();
    let neither = neither.expect("runs");
    assert!(
        told(&neither).contains("local_master_key is missing, and so is [security]"),
        "{neither:?}"
    );
}

/// A published example with its keys in a token, without the certificates that no token makes from a seed.
fn on_token(example: &str, label: &str) -> String {
    let kept: String = example
        .lines()
        .filter(|line| {
            !line.starts_with("local_master_key") && !line.starts_with("certificate_key")
        })
        .map(|line| format!("{line}\n"))
        .collect();
    format!("{kept}\n[security]\npkcs11 = \"{LIBRARY}\"\ntoken = \"{label}\"\n")
}

/// Three hosts, each on a token of its own, a till in software: MACs, PIN translation, PIN verification and working keys all
/// come from inside the tokens.
#[test]
fn a_sale_through_hosts_on_tokens() {
    beside_tokens("a_sale_through_hosts_on_tokens", &HOSTS, || {
        let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
        for host in HOSTS {
            token::prepare(&place(host)).expect("prepared");
            let text = on_token(&installation.example(host), host);
            installation.write(&format!("{host}.toml"), &text);
        }
        let _printer = installation.start_printer();
        let _hosts = installation.start_hosts();
        let mut till = start_till(&installation.terminal(1, &[]));
        till.expect_screen("signed-on");
        till.tell("sale 128.00");
        till.expect_screen("approved");
        till.tell("sale 1500.00 wrong-pin");
        till.expect_screen("declined");
        till.tell("sale 1500.00");
        till.expect_screen("approved");
    });
}

const KEY: &str = "0123456789ABCDEFFEDCBA9876543210";
const OTHER_KEY: &str = "55036372B17543ECB173730768B8D6C4";

fn import(module: &dyn SecurityModule, usage: KeyUsage, hex: &str) -> WrappedKey {
    let clear = ClearKey::from_hex(hex).expect("a key");
    module.import(usage, &clear).expect("imported")
}

/// What one module makes under a key the other accepts under the same key, both ways.
#[test]
fn token_and_software_agree() {
    beside_tokens("token_and_software_agree", &["own"], || {
        let token = module("own");
        let software = SoftwareModule::new([7; 32]);
        agree(&token, &software);
        agree(&software, &token);
        // A copy uses the same token; what was sealed opens again, and only there.
        let pan = pan();
        let sealed = token.card(&pan, 20_000).expect("sealed").sealed;
        assert_eq!(token.clone().open_pan(&sealed), Ok(pan));
        assert_eq!(software.open_pan(&sealed), Err(SecurityError::SealedPan));
        let key = import(&token, KeyUsage::Mac, KEY);
        let foreign = software.mac(MacAlgorithm::X919, &key, &[b"x"]);
        assert_eq!(foreign, Err(SecurityError::TamperedKey));
    });
}

fn pan() -> Pan {
    Pan::parse(b"6225760012345678").expect("a card number")
}

fn agree(left: &dyn SecurityModule, right: &dyn SecurityModule) {
    let both = |usage, hex| (import(left, usage, hex), import(right, usage, hex));
    let (pan, pin) = (pan(), Pin::parse(b"246810").expect("a PIN"));
    let (left_mac, right_mac) = both(KeyUsage::Mac, KEY);
    let (left_kek, right_kek) = both(KeyUsage::HostMaster, OTHER_KEY);
    for algorithm in [
        MacAlgorithm::UnionPayEcb,
        MacAlgorithm::X919,
        MacAlgorithm::AesCmac,
    ] {
        for (key, same) in [(&left_mac, &right_mac), (&left_kek, &right_kek)] {
            // One block, several, and more than go into the cipher at once.
            for length in [0, 5, 8, 9, 200, 2_000] {
                let message = vec![0x5A; length];
                let parts: [&[u8]; 2] = [b"0200", &message];
                let mac = left.mac(algorithm, key, &parts).expect("a MAC");
                let matches = |mac| right.mac_matches(algorithm, same, &parts, mac);
                assert_eq!(matches(&mac), Ok(true), "{algorithm} {length}");
                let mut wrong = mac;
                wrong[0] ^= 1;
                assert_eq!(matches(&wrong), Ok(false), "{algorithm} {length}");
            }
        }
    }
    let (left_pik, right_pik) = both(KeyUsage::Pin, KEY);
    let zone = import(right, KeyUsage::Pin, OTHER_KEY);
    let pvk = import(right, KeyUsage::PinVerification, OTHER_KEY);
    let format = PinFormat::WithPan;
    let block = left
        .encipher_pin(&left_pik, format, &pin, &pan)
        .expect("a block");
    let moved = right
        .translate_pin(&right_pik, format, &zone, format, &block, &pan)
        .expect("translated");
    let offset = right.pin_offset(&pvk, &pan, &pin).expect("an offset");
    let verify = |block: &PinBlock| right.verify_pin(&zone, format, block, &pan, &pvk, &offset);
    assert_eq!(verify(&moved), Ok(true));
    let other = Pin::parse(b"246811").expect("a PIN");
    let other = right
        .encipher_pin(&zone, format, &other, &pan)
        .expect("a block");
    assert_eq!(verify(&other), Ok(false));
    assert_eq!(
        verify(&PinBlock::new([0; 8])),
        Err(SecurityError::PinFormat)
    );

    let (left_tmk, right_tmk) = both(KeyUsage::TerminalMaster, KEY);
    let random = core::array::from_fn(|place| (17 * place + 3) as u8);
    let (issued, field62) = left.issue_working_keys(&left_tmk, &random).expect("issued");
    let installed = right
        .install_working_keys(&right_tmk, &field62)
        .expect("installed");
    let check_values =
        |keys: &crypto::WorkingKeys| (keys.pin.check_value(), keys.mac.check_value());
    assert_eq!(check_values(&issued), check_values(&installed));
    let mac = left
        .mac(MacAlgorithm::UnionPayEcb, &issued.mac, &[b"0800"])
        .expect("a MAC");
    assert_eq!(
        right.mac_matches(MacAlgorithm::UnionPayEcb, &installed.mac, &[b"0800"], &mac),
        Ok(true)
    );
    let random = core::array::from_fn(|place| (29 * place + 5) as u8);
    let (_, enciphered, check_value) = left
        .issue_host_key(&left_kek, KeyUsage::Pin, &random)
        .expect("issued");
    let installed = right.install_host_key(&right_kek, KeyUsage::Pin, &enciphered, &check_value);
    assert_eq!(installed.map(|key| key.check_value()), Ok(check_value));

    let (left_imk, right_imk) = both(KeyUsage::CryptogramMaster, KEY);
    let cryptogram = Cryptogram {
        pan: &pan,
        sequence: *b"01",
        counter: [0, 1],
        data: &[0; 29],
        received: [0; 8],
    };
    for scheme in [CryptogramScheme::Pboc, CryptogramScheme::EmvCommon] {
        for (module, imk) in [(left, &left_imk), (right, &right_imk)] {
            let answer = module.answer_cryptogram(imk, scheme, &cryptogram, *b"00");
            assert_eq!(answer, Ok(None));
        }
    }
}

/// What PKCS#11 has no mechanism for is refused by name, and never done in software instead.
#[test]
fn what_the_token_lacks_is_refused_by_name() {
    beside_tokens("what_the_token_lacks_is_refused_by_name", &["own"], || {
        let token = module("own");
        let key = import(&token, KeyUsage::Mac, KEY);
        let certificate = import(&token, KeyUsage::Certificate, KEY);
        let refused = [
            token.mac(MacAlgorithm::UnionPaySm4, &key, &[b"x"]).err(),
            token.sign_certificate(&certificate, b"x").err(),
            token.certificate_key(&certificate).err(),
        ];
        let said: String = refused
            .map(|error| format!("{}\n", error.expect("refused")))
            .concat();
        expect![[r#"
            not on this token: SM4
            not on this token: CKM_EDDSA from an imported seed
            not on this token: CKM_EDDSA from an imported seed
        "#]]
        .assert_eq(&said);
    });
}

/// A master key that someone put there so that it can be read is no master key.
#[test]
fn a_master_key_that_could_leave_is_refused() {
    beside_tokens("a_master_key_that_could_leave_is_refused", &["own"], || {
        let library = Pkcs11::new(LIBRARY).expect("the library");
        library
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .expect("initialised");
        let slot = library.get_slots_with_initialized_token().expect("slots")[0];
        let session = library.open_rw_session(slot).expect("a session");
        let pin = AuthPin::from(PIN.to_owned());
        session
            .login(UserType::User, Some(&pin))
            .expect("logged in");
        for label in ["key-wrap", "key-store", "pan-seal", "pan-token"] {
            let template = [
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(label == "pan-seal"),
                Attribute::ValueLen(32.into()),
                Attribute::Label(format!("counterfoil {label}").into_bytes()),
            ];
            session
                .generate_key(&Mechanism::AesKeyGen, &template)
                .expect("a key");
        }
        let refused = token::open(&place("own")).expect_err("refused").to_string();
        expect![[r#"key "counterfoil pan-seal" could leave the token: refused"#]]
            .assert_eq(&refused);
    });
}
