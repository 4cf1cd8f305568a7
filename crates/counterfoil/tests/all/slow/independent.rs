//! The independent client in Python, which shares no code with the program: it judges a running acquirer, is seen to
//! reject every answer that was tampered with, and reads and writes the plain dialect beside our codec.

use super::draw::Draw;
use crate::installation::{Installation, repository};
use iso8583::{Dialect, Message, Mti};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Messages in each direction of the differential test.
const MESSAGES: usize = 1_500;

#[test]
fn the_independent_client_judges_the_acquirer_and_can_fail() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _hosts = installation.start_hosts();
    let address = format!("127.0.0.1:{}", installation.ports().terminals);
    let judged = python(
        "client.py",
        &["--address", &address, "--terminal", "T0000001"],
    );
    println!("{}", text(&judged));
    assert!(judged.status.success(), "{}", text(&judged));
    assert!(text(&judged).contains("33 checks passed"));

    let proofs = text(&python("client.py", &["--list"]));
    assert!(proofs.lines().count() >= 90, "{proofs}");
    for (n, proof) in proofs.lines().enumerate() {
        // Trace numbers of its own: a repeat would get the answer of the sale that used them before.
        let trace = (1_000 + 100 * n).to_string();
        let arguments = [
            "--address",
            &address,
            "--terminal",
            "T0000002",
            "--trace",
            &trace,
            "--prove",
            proof,
        ];
        let proved = python("client.py", &arguments);
        println!("{}", text(&proved).trim_end());
        assert_eq!(
            proved.status.code(),
            Some(1),
            "a tampered answer was not noticed: {}",
            text(&proved)
        );
    }
    let again = python(
        "client.py",
        // The same terminal: what it left unconfirmed would keep another one from charging the same again.
        &[
            "--address",
            &address,
            "--terminal",
            "T0000002",
            "--trace",
            "90000",
        ],
    );
    assert!(again.status.success(), "{}", text(&again));
}

#[test]
fn the_plain_dialect_agrees_with_an_independent_codec() {
    let mut draw = Draw(0x5EED);
    let formats = formats();
    // Ours to theirs.
    let ours: Vec<(Vec<u8>, Map<String, Value>)> =
        (0..MESSAGES).map(|_| random(&mut draw, &formats)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages.txt");
    let lines: String = ours.iter().map(|(bytes, _)| hex(bytes) + "\n").collect();
    std::fs::write(&file, lines).expect("it is written");
    let read = python("differential.py", &["read", file.to_str().expect("a path")]);
    assert!(read.status.success(), "{}", text(&read));
    let theirs: Vec<Map<String, Value>> = text(&read)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(theirs.len(), MESSAGES);
    for ((bytes, fields), seen) in ours.iter().zip(&theirs) {
        assert_eq!(fields, seen, "{}", hex(bytes));
    }
    // Theirs to ours.
    let written = python("differential.py", &["write", &MESSAGES.to_string(), "7"]);
    assert!(written.status.success(), "{}", text(&written));
    let mut count = 0;
    for line in text(&written).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let bytes = unhex(line["hex"].as_str().expect("hex"));
        let mut message = Message::new(Mti(0));
        if let Err(error) = Dialect::ascii87().decode(&bytes, &mut message) {
            panic!("{error}: {line}");
        }
        assert_eq!(Value::Object(fields_of(&message)), line["fields"]);
        let mut again = Vec::new();
        Dialect::ascii87()
            .encode(&message, &mut again)
            .expect("it encodes");
        assert_eq!(again, bytes, "{line}");
        count += 1;
    }
    assert_eq!(count, MESSAGES);
    println!("{MESSAGES} messages of ours read there, {count} of theirs read here");
}

/// Runs a script of the independent client in its own environment, which is made when it is missing.
fn python(script: &str, arguments: &[&str]) -> Output {
    let scripts = repository().join("tests/python");
    Command::new(interpreter())
        .arg("-B")
        .arg(scripts.join(script))
        .args(arguments)
        .output()
        .expect("Python starts")
}

/// The Python of the test environment, which is made when it is missing.
pub fn interpreter() -> PathBuf {
    let target = Path::new(crate::installation::PROGRAM)
        .ancestors()
        .nth(2)
        .expect("the target folder");
    let interpreter = target.join("python/bin/python");
    if !interpreter.exists() {
        let made = Command::new("cargo")
            .args(["xtask", "test", "python"])
            .env("CARGO_TARGET_DIR", target)
            .current_dir(repository())
            .output()
            .expect("cargo starts");
        assert!(
            made.status.success(),
            "cargo xtask test python could not make {}: {}",
            interpreter.display(),
            text(&made)
        );
    }
    interpreter
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Number, class, and whether the length is counted, of every element of the dialect as its own file tells them.
type Format = (u8, String, bool, usize);

fn formats() -> Vec<Format> {
    include_str!("../../../../iso8583/src/dialects/ascii87.txt")
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let number = words.next()?.parse().ok()?;
            let (class, width) = (words.next()?.to_owned(), words.next()?);
            let most = width.trim_start_matches('.').parse().ok()?;
            Some((number, class, width.starts_with('.'), most))
        })
        .collect()
}

/// A random message of ours: its bytes, and its fields as the other side names them.
fn random(draw: &mut Draw, formats: &[Format]) -> (Vec<u8>, Map<String, Value>) {
    let kinds = [
        0x0100, 0x0110, 0x0200, 0x0210, 0x0220, 0x0400, 0x0430, 0x0800, 0x0810,
    ];
    let mut message = Message::new(Mti(kinds[draw.below(kinds.len())]));
    let every = [2, 4, 20, 120][draw.below(4)];
    for (number, class, counted, most) in formats {
        if draw.below(every) != 0 {
            continue;
        }
        let longest = [12, 60, 999][draw.below(3)].min(*most);
        let length = if *counted {
            1 + draw.below(longest)
        } else {
            *most
        };
        let alphabet: &[u8] = match class.as_str() {
            "n" => b"0123456789",
            "z" => b"0123456789=D",
            "h" => b"0123456789ABCDEF",
            _ => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%&'()*+,-./:;<=>?@[]^_{|}~",
        };
        let length = if class == "h" {
            (length / 2 * 2).max(2)
        } else {
            length
        };
        let value: Vec<u8> = (0..length)
            .map(|_| alphabet[draw.below(alphabet.len())])
            .collect();
        if class == "h" {
            message.set(*number, &unhex(std::str::from_utf8(&value).expect("hex")));
        } else {
            message.set(*number, &value);
        }
    }
    let mut bytes = Vec::new();
    Dialect::ascii87()
        .encode(&message, &mut bytes)
        .expect("it encodes");
    (bytes, fields_of(&message))
}

/// The fields as the other side names them: binary ones as hex.
fn fields_of(message: &Message) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert(
        "t".to_owned(),
        Value::from(format!("{:04X}", message.mti().0)),
    );
    for (number, class, ..) in formats() {
        if let Some(value) = message.get(number) {
            let text = if class == "h" {
                hex(value)
            } else {
                String::from_utf8(value.to_vec()).expect("text")
            };
            fields.insert(number.to_string(), Value::from(text));
        }
    }
    fields
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}
