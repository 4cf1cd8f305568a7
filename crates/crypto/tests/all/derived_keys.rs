//! Keys derived per transaction: counters step as devices step, stop at their end, and give every transaction its own key.

use crate::vectors::{got, row};
use crypto::{
    test_interface::{InputError, Outcome, Rejection},
    vectors::{Verdict, run},
};
use std::collections::BTreeSet;

const TDES: &str = "0123456789ABCDEFFEDCBA9876543210";
const AES: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";

fn next(kind: &str, serial: &str) -> Option<String> {
    match got(&row(
        &format!("DUKPT-{kind}-KSN-NEXT"),
        &[("ksn", serial)],
        "",
    )) {
        Outcome::Value(next) => Some(next),
        Outcome::Rejected(Rejection::Exhausted) => None,
        other => panic!("{other:?}"),
    }
}

/// A million and more steps: every counter with at most ten one bits, once, in order, and then the end.
#[test]
fn a_triple_des_device_counts_to_its_end() {
    let mut serial = "FFFF9876543210E00000".to_owned();
    let mut counters = 0;
    let mut wanted = (1_u32..=0x1F_FFFF).filter(|counter| counter.count_ones() <= 10);
    while let Some(following) = next("TDES", &serial) {
        let counter = u32::from_str_radix(&following[14..], 16).expect("hex") & 0x1F_FFFF;
        assert_eq!(Some(counter), wanted.next());
        assert_eq!(following[..14], serial[..14]);
        serial = following;
        counters += 1;
    }
    assert_eq!((counters, wanted.next()), (1_048_575, None));
}

#[test]
fn an_aes_device_stops_at_its_end() {
    for (serial, following) in [
        ("123456789012345600000000", Some("123456789012345600000001")),
        ("1234567890123456FFFE8000", Some("1234567890123456FFFF0000")),
        ("1234567890123456FFFF0000", None),
    ] {
        assert_eq!(next("AES", serial).as_deref(), following, "{serial}");
    }
}

/// A counter with too many one bits is no serial number; counter 0 is no transaction.
#[test]
fn serial_numbers_of_no_transaction_are_refused() {
    for (algorithm, base, serial) in [
        ("DUKPT-TDES-TRANSACTION-KEY", TDES, "FFFF9876543210E007FF"),
        ("DUKPT-TDES-TRANSACTION-KEY", TDES, "FFFF9876543210E00000"),
        ("DUKPT-AES-DERIVATION-KEY", AES, "12345678901234560001FFFF"),
        ("DUKPT-AES-DERIVATION-KEY", AES, "123456789012345600000000"),
    ] {
        let row = row(algorithm, &[("bdk", base), ("ksn", serial)], "");
        let error = InputError { name: "ksn" };
        assert_eq!(
            run(&row),
            Verdict::Failed(Err(error)),
            "{algorithm} {serial}"
        );
    }
}

#[test]
fn keys_differ_between_transactions_and_usages() {
    let mut keys = BTreeSet::new();
    let mut add = |algorithm: &str, inputs: &[(&str, &str)]| {
        let outcome = got(&row(algorithm, inputs, ""));
        assert!(
            matches!(&outcome, Outcome::Value(key) if keys.insert(key.clone())),
            "{outcome:?}"
        );
    };
    for counter in 1..200 {
        let tdes = format!("FFFF9876543210E{counter:05X}");
        add(
            "DUKPT-TDES-TRANSACTION-KEY",
            &[("bdk", TDES), ("ksn", &tdes)],
        );
        let serial = format!("1234567890123456{counter:08X}");
        add(
            "DUKPT-AES-DERIVATION-KEY",
            &[("bdk", AES), ("ksn", &serial)],
        );
        for usage in [
            "KEK", "PIN", "MACGEN", "MACVER", "MAC", "DENC", "DDEC", "DATA",
        ] {
            for kind in ["TDES2", "TDES3", "AES128"] {
                add(
                    "DUKPT-AES-WORKING-KEY",
                    &[
                        ("bdk", AES),
                        ("ksn", &serial),
                        ("usage", usage),
                        ("working_key_type", kind),
                    ],
                );
            }
        }
    }
}

/// No key is stronger than what it is derived from.
#[test]
fn stronger_working_keys_are_refused() {
    let serial = "123456789012345600000001";
    let bases = [
        AES.to_owned(),
        format!("{AES}{}", &AES[..16]),
        format!("{AES}{AES}"),
    ];
    for (strength, base) in bases.iter().enumerate() {
        for (wanted, kind) in ["AES128", "AES192", "AES256"].into_iter().enumerate() {
            let row = row(
                "DUKPT-AES-WORKING-KEY",
                &[
                    ("bdk", base),
                    ("ksn", serial),
                    ("usage", "PIN"),
                    ("working_key_type", kind),
                ],
                "",
            );
            match run(&row) {
                Verdict::Failed(Ok(Outcome::Value(key))) if wanted <= strength => {
                    assert_eq!(key.len(), 32 + 16 * wanted);
                }
                Verdict::Failed(Err(error)) if wanted > strength => {
                    assert_eq!(error.name, "working_key_type");
                }
                other => panic!("{kind} of {} bytes: {other:?}", base.len() / 2),
            }
        }
    }
}
