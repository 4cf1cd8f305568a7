//! Every row of the reference vectors passes, and no other output does.

use crypto::{
    CardDataError, KeyBlockError, SecurityError,
    test_interface::{Outcome, Rejection},
    vectors::{Output, Scalar, Vector, Verdict, run},
};
use std::collections::BTreeMap;

pub(crate) fn rows() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).expect("vectors file")
}

/// A row of our own.
pub(crate) fn row(algorithm: &str, inputs: &[(&str, &str)], output: &str) -> Vector {
    let inputs = inputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Scalar::Text((*value).to_owned())));
    Vector {
        name: format!("{algorithm} {output}"),
        algorithm: algorithm.to_owned(),
        inputs: inputs.collect(),
        output: Output::One(Scalar::Text(output.to_owned())),
    }
}

pub(crate) fn got(vector: &Vector) -> Outcome {
    // No row's output is empty, so every outcome comes back as the failure that it then is.
    let mut vector = vector.clone();
    vector.output = Output::One(Scalar::Text(String::new()));
    match run(&vector) {
        Verdict::Failed(Ok(outcome)) => outcome,
        other => panic!("{}: {other:?}", vector.name),
    }
}

#[test]
fn every_row_passes() {
    let rows = rows();
    let failed: Vec<_> = rows
        .iter()
        .map(|row| (&row.name, run(row), &row.output))
        .filter(|(_, verdict, _)| *verdict != Verdict::Passed)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let algorithms: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.algorithm).collect();
    assert_eq!((rows.len(), algorithms.len()), (158, 67));
}

#[test]
fn rejected_rows_are_rejected_for_their_own_reason() {
    let reject = Output::One(Scalar::Text("REJECT".to_owned()));
    let reasons: Vec<_> = rows()
        .into_iter()
        .filter(|row| row.output == reject)
        .map(|row| (row.name.clone(), got(&row)))
        .collect();
    let wanted = [
        (
            "pb0-decode-wrong-pan",
            Rejection::Module(SecurityError::PinFormat),
        ),
        (
            "tr31-D-tampered-header",
            Rejection::KeyBlock(KeyBlockError::Authentication),
        ),
    ];
    let wanted: Vec<_> = wanted
        .map(|(name, reason)| (name.to_owned(), Outcome::Rejected(reason)))
        .into();
    assert_eq!(reasons, wanted);
}

/// The text with one character, at `place` of those that may change, changed to another of its kind.
fn changed(text: &str, place: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let place = place % bytes.len();
    bytes[place] = match bytes[place] {
        b'0' => b'1',
        b'A' => b'B',
        b'a'..=b'z' => bytes[place] ^ 1,
        _ => b'0',
    };
    String::from_utf8(bytes).expect("ASCII")
}

fn scalar(value: &Scalar, place: usize) -> Scalar {
    Scalar::Text(changed(&value.to_string(), place))
}

#[test]
fn a_changed_output_fails() {
    for row in rows() {
        for place in 0..8 {
            let mut row = row.clone();
            row.output = match &row.output {
                Output::One(value) => Output::One(scalar(value, place)),
                Output::Named(values) => {
                    let mut values = values.clone();
                    let name = values
                        .keys()
                        .nth(place % values.len())
                        .expect("a name")
                        .clone();
                    let value = scalar(&values[&name], place);
                    values.insert(name, value);
                    Output::Named(values)
                }
            };
            assert!(matches!(run(&row), Verdict::Failed(_)), "{row:?}");
        }
    }
}

#[test]
fn values_more_or_fewer_fail() {
    for row in rows() {
        let Output::Named(values) = &row.output else {
            continue;
        };
        let mut fewer = values.clone();
        fewer.pop_first();
        let mut more = values.clone();
        more.insert("FF".to_owned(), Scalar::Number(1));
        for values in [fewer, more] {
            let row = Vector {
                output: Output::Named(values),
                ..row.clone()
            };
            assert!(matches!(run(&row), Verdict::Failed(_)), "{row:?}");
        }
    }
}

#[test]
fn absent_and_malformed_inputs_are_errors() {
    for row in rows() {
        for name in row.inputs.keys() {
            for bad in [None, Some("~")] {
                let mut row = row.clone();
                row.inputs.remove(name);
                row.inputs
                    .extend(bad.map(|bad| (name.clone(), Scalar::Text(bad.to_owned()))));
                match run(&row) {
                    Verdict::Failed(Err(error)) => assert_eq!(error.name, name, "{}", row.name),
                    other => panic!("{} with {name} = {bad:?}: {other:?}", row.name),
                }
            }
        }
    }
}

#[test]
fn an_unknown_algorithm_is_unknown() {
    for algorithm in ["", "ROT13", "CVV ", "TDES-ECB-DECRYPT"] {
        assert_eq!(run(&row(algorithm, &[], "REJECT")), Verdict::Unknown);
    }
}

#[test]
fn card_data_are_read_strictly() {
    use CardDataError::{CutOff, Duplicate, Length, Tag, TooLong};
    let long = "00".repeat(256);
    for (data, reason) in [
        ("9F2608AABB", CutOff),
        ("9F", CutOff),
        ("95", CutOff),
        ("9581", CutOff),
        ("9F8101", Tag),
        ("9C8000", Length),
        ("9C810100", Length),
        ("9C82000100", Length),
        ("9C01009C0100", Duplicate),
        (&long, TooLong),
    ] {
        let row = row("BER-TLV-PARSE", &[("data", data)], "REJECT");
        assert_eq!(run(&row), Verdict::Passed, "{data}");
        assert_eq!(
            got(&row),
            Outcome::Rejected(Rejection::CardData(reason)),
            "{data}"
        );
    }
    let filled = format!("728180{}9C0100", "AA".repeat(128));
    let values = BTreeMap::from([
        ("72".to_owned(), "AA".repeat(128)),
        ("9C".to_owned(), "00".to_owned()),
    ]);
    let row = row("BER-TLV-PARSE", &[("data", &filled)], "");
    assert_eq!(got(&row), Outcome::Values(values));
}
