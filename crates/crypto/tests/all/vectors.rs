//! Every row of the reference vectors: supported ones must agree, the others are named.

use crypto::test_interface::{Outcome, check};
use expect_test::expect;
use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
struct Row {
    name: String,
    algorithm: String,
    inputs: BTreeMap<String, serde_json::Value>,
    output: serde_json::Value,
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("vectors.json")).expect("vectors file")
}

fn text(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn run(row: &Row) -> Outcome {
    let inputs = row
        .inputs
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    check(&row.algorithm, &inputs).unwrap_or_else(|error| panic!("{}: {error}", row.name))
}

/// The row's output in the interface's terms.
fn agrees(outcome: &Outcome, output: &serde_json::Value) -> bool {
    match (outcome, output.as_object()) {
        (Outcome::Value(value), None) => *value == text(output),
        (Outcome::Values(values), Some(wanted)) => {
            values.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|(name, wanted)| values.get(name.as_str()) == Some(&text(wanted)))
        }
        _ => false,
    }
}

#[test]
fn supported_rows_agree_and_the_others_are_named() {
    let rows = rows();
    let mut supported = 0;
    let mut unsupported: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &rows {
        let outcome = run(row);
        if outcome == Outcome::Unsupported {
            unsupported
                .entry(&row.algorithm)
                .or_default()
                .push(&row.name);
        } else {
            assert!(
                agrees(&outcome, &row.output),
                "{}: {outcome:?} is not {}",
                row.name,
                row.output
            );
            supported += 1;
        }
    }
    assert_eq!((rows.len(), supported), (158, 48));
    let lines: Vec<String> = unsupported
        .iter()
        .map(|(algorithm, names)| format!("{algorithm}: {}\n", names.join(" ")))
        .collect();
    expect![[r#"
        AES-GCM-ENCRYPT: aes256-gcm-16
        ARGON2ID: argon2id-rfc9106
        AUDIT-HASH-CHAIN: audit-chain-1
        BER-TLV-PARSE: field55-request
        CVV: cvv-4123456789012 cvv-4999988887777 cvv-4666655554444 cvv-4333322221111 cvv-4123456789012345 cvv-4999988887777000 cvv-4666655554444111 cvv-4333322221111222 cvv-111-worked cvv-jpos-1 cvv-jpos-2 cvv-second-scan icvv-999 cvv2-000
        DUKPT-AES-CMAC-REQUEST: aesdukpt-cmac-req-1
        DUKPT-AES-CMAC-RESPONSE: aesdukpt-cmac-rsp-1
        DUKPT-AES-DATA-CBC-REQUEST: aesdukpt-enc-req-1
        DUKPT-AES-DERIVATION-KEY: aesdukpt-deriv-1 aesdukpt-deriv-2 aesdukpt-deriv-1FFFE aesdukpt-deriv-20000 aesdukpt-deriv-256-1
        DUKPT-AES-INITIAL-KEY: aesdukpt-ik-128 aesdukpt-ik-256
        DUKPT-AES-KSN-NEXT: aesdukpt-ksn-next-skip aesdukpt-ksn-last
        DUKPT-AES-PIN-BLOCK-FORMAT4: aesdukpt-pinblock-1
        DUKPT-AES-WORKING-KEY: aesdukpt-pinkey-1 aesdukpt-mackey-1 aesdukpt-enckey-1 aesdukpt-pinkey-256-1 aesdukpt-pinkey-256-to-128
        DUKPT-TDES-DATA-CBC-REQUEST: dukpt-encreq-E00001
        DUKPT-TDES-DATA-CBC-RESPONSE: dukpt-encrsp-E00001
        DUKPT-TDES-INITIAL-KEY: dukpt-ik
        DUKPT-TDES-KSN-NEXT: dukpt-ksn-next-1 dukpt-ksn-next-skip dukpt-ksn-next-carry
        DUKPT-TDES-PIN-BLOCK-FORMAT0: dukpt-pin-E00001 dukpt-pin-E00002 dukpt-pin-E00003 dukpt-pin-EFF800 dukpt-pin-F00000
        DUKPT-TDES-RETAIL-MAC-REQUEST: dukpt-macreq-E00001 dukpt-macreq-E00002 dukpt-macreq-E00003 dukpt-macreq-EFF800 dukpt-macreq-F00000
        DUKPT-TDES-RETAIL-MAC-RESPONSE: dukpt-macrsp-E00001 dukpt-macrsp-E00002 dukpt-macrsp-E00003 dukpt-macrsp-EFF800 dukpt-macrsp-F00000
        DUKPT-TDES-TRANSACTION-KEY: dukpt-txn-E00001 dukpt-txn-E00002 dukpt-txn-E00003 dukpt-txn-EFF800 dukpt-txn-F00000
        EMV-APPLICATION-CRYPTOGRAM: arqc-cskd-pad2 arqc-cskd-pad1 arqc-cvn10-udk arqc-pyemv-hsm
        EMV-ARPC-METHOD-1: arpc1-cskd arpc1-vsdc-udk arpc1-pyemv-hsm
        EMV-ARPC-METHOD-2: arpc2-cskd
        EMV-COMMON-SESSION-KEY: emv-common-sk
        EMV-UDK-OPTION-A: emv-udk-a-1 emv-udk-a-19digit-unionpay
        EMV-UDK-OPTION-B: emv-udk-b-17
        HKDF-SHA256: hkdf-rfc5869-1
        HMAC-SHA256: hmac-rfc4231-2
        KCV-SM4-ZERO-BLOCK: kcv-sm4-4
        PAN-LOOKUP-HMAC: pan-lookup-token
        PBOC-ARQC-ARPC-CHAIN: pboc-arqc-arpc-published pboc-arqc-arpc-16digit
        PBOC-SESSION-KEY: pboc-sk
        PINBLOCK-ISO9564-1-CLEAR: pb1-clear
        PINBLOCK-ISO9564-2-CLEAR: pb2-clear
        PINBLOCK-ISO9564-3-CLEAR: pb3-clear
        PINBLOCK-ISO9564-4-AES: pb4-x9.24-3 pb4-aes256
        PINBLOCK-ISO9564-4-PANFIELD: pb4-panfield-16 pb4-panfield-19
        SM3: sm3-abc
        SM4-CBC-ENCRYPT: sm4-cbc
        SM4-ECB-ENCRYPT: sm4-gbt32907 sm4-ecb-2-blocks
        TDES-CMAC: tdes3-cmac-20 tdes2-cmac-8
        TR31-UNWRAP: tr31-B-A.7.2.2 tr31-B-A.7.3.2-KS tr31-D-A.7.4 tr31-D-X9.143-8.1 tr31-B-payshield tr31-D-payshield tr31-D-tampered-header
        TR31-WRAP: tr31-D-wrap-deterministic tr31-B-wrap-deterministic
        UNIONPAY-SM4-MAC: unionpay-sm4-mac
        UNIONPAY-TRACK-TDK: unionpay-track2-tdk
        VISA-PVV: pvv-1 pvv-psec pvv-second-scan pvv-19digit-pan
        WEBHOOK-HMAC: webhook-signature
    "#]].assert_eq(&lines.concat());
}

#[test]
fn changed_inputs_do_not_agree() {
    let supported = rows()
        .into_iter()
        .filter(|row| run(row) != Outcome::Unsupported);
    for mut row in supported {
        let output = match &row.output {
            serde_json::Value::Object(values) => values.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let changed = match output.first() {
            Some(name) => row.output[name.as_str()].take(),
            None => row.output.take(),
        };
        assert!(
            !agrees(&run(&row), &row.output),
            "{} agrees with {} taken away",
            row.name,
            changed
        );
    }
}

#[test]
fn absent_and_malformed_inputs_are_errors() {
    for row in rows()
        .into_iter()
        .filter(|row| run(row) != Outcome::Unsupported)
    {
        for name in row.inputs.keys() {
            for bad in [None, Some("~")] {
                let mut inputs: BTreeMap<_, _> = row
                    .inputs
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect();
                inputs.remove(name);
                inputs.extend(bad.map(|bad| (name.clone(), bad.to_owned())));
                let error = check(&row.algorithm, &inputs).expect_err(&row.name);
                assert_eq!(error.name, name, "{}", row.name);
            }
        }
    }
}
