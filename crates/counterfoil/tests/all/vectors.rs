//! `counterfoil vectors`: the published file passes; one changed nibble in any family does not.

use crate::installation::{PROGRAM, repository};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output};

fn published() -> Vec<Value> {
    let file = repository().join("crates/crypto/tests/all/vectors.json");
    let text = std::fs::read_to_string(file).expect("vectors file");
    serde_json::from_str(&text).expect("rows")
}

/// What the command says of these rows.
fn check(rows: &[Value], language: &str) -> Output {
    check_text(&serde_json::to_string(rows).expect("JSON"), language)
}

fn check_text(text: &str, language: &str) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("vectors.json");
    std::fs::write(&file, text).expect("written");
    Command::new(PROGRAM)
        .args(["--language", language, "vectors"])
        .arg(&file)
        .output()
        .expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn the_published_file_passes() {
    for (language, family, sum) in [
        (
            "en",
            "CVV: 14 passed, 0 failed, 0 unknown\n",
            "sum: 158 passed, 0 failed, 0 unknown\n",
        ),
        (
            "zh",
            "CVV：通过 14，失败 0，未知 0\n",
            "合计：通过 158，失败 0，未知 0\n",
        ),
    ] {
        let output = check(&published(), language);
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        assert!(text.contains(family), "{text}");
        assert!(text.ends_with(sum), "{text}");
        assert_eq!(text.lines().count(), 67 + 1);
    }
}

/// One nibble of one expected value, in each family in turn: that row fails, is shown, and no other does.
#[test]
fn one_changed_nibble_in_any_family_fails() {
    let rows = published();
    let first_of_each: BTreeMap<String, usize> = (0..rows.len())
        .rev()
        .map(|place| {
            (
                rows[place]["algorithm"].as_str().expect("text").to_owned(),
                place,
            )
        })
        .collect();
    assert_eq!(first_of_each.len(), 67);
    let mut all = rows.clone();
    for place in first_of_each.values() {
        flip(&mut all[*place]["output"]);
    }
    let output = check(&all, "en");
    let text = said(&output);
    assert!(!output.status.success());
    for (family, place) in &first_of_each {
        let of_family = rows
            .iter()
            .filter(|row| row["algorithm"] == *family.as_str());
        let passed = of_family.count() - 1;
        let line = format!("{family}: {passed} passed, 1 failed, 0 unknown\n");
        let name = rows[*place]["name"].as_str().expect("text");
        assert!(text.contains(&line), "{line}{text}");
        assert!(
            text.contains(&format!("  ✗ {name}\n    expected ")),
            "{name}{text}"
        );
    }
    assert!(
        text.ends_with("sum: 91 passed, 67 failed, 0 unknown\n"),
        "{text}"
    );

    // One alone is enough for the exit status, and both values are shown.
    let mut one = rows.clone();
    let cvv = first_of_each["CVV"];
    flip(&mut one[cvv]["output"]);
    let output = check(&one, "en");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("    expected 270\n    got 370\n"),
        "{}",
        said(&output)
    );
}

/// Changes one nibble of a value, or of the first of several.
fn flip(output: &mut Value) {
    match output {
        Value::Object(values) => flip(values.values_mut().next().expect("a value")),
        Value::String(text) => {
            let nibble = char::from(text.as_bytes()[0]).to_digit(16).unwrap_or(0) ^ 1;
            let first = char::from_digit(nibble, 16)
                .expect("a nibble")
                .to_ascii_uppercase();
            text.replace_range(..1, &first.to_string());
        }
        other => panic!("{other} has no nibble"),
    }
}

#[test]
fn what_is_unknown_or_unreadable_is_no_success() {
    let mut rows = published();
    rows[3]["algorithm"] = "ROT13".into();
    let output = check(&rows, "en");
    assert!(!output.status.success());
    assert!(said(&output).contains(
        "ROT13: 0 passed, 0 failed, 1 unknown\n  ? tdes3-ecb-sp800-67 unknown algorithm\n"
    ));

    rows[3]["algorithm"] = "TDES-ECB-ENCRYPT".into();
    rows[3]["inputs"]["key"] = "0123".into();
    let output = check(&rows, "en");
    assert!(!output.status.success());
    assert!(said(&output).contains("    got input key is absent or malformed\n"));

    for text in ["", "[]", "{}", "[{}]", "[{\"name\": 1}]"] {
        let output = check_text(text, "en");
        assert!(!output.status.success(), "{text}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{text}"
        );
    }
}
