//! Key blocks: what is wrapped opens, what is changed does not, and every refusal has its own reason.

use crate::{
    hex,
    vectors::{got, row, rows},
};
use crypto::{
    KeyBlockError::{self, *},
    test_interface::{Outcome, Rejection},
    vectors::Scalar,
};
use proptest::prelude::*;

const TDES: &str = "DD7515F2BFC17F85CE48F3CA25CB21F6";
const AES: &str = "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6";

fn wrap(version: &str, protection: &str, attributes: &str, key: &[u8], padding: &[u8]) -> Outcome {
    got(&row(
        "TR31-WRAP",
        &[
            ("version", version),
            ("kbpk", protection),
            ("header_after_length", attributes),
            ("key", &hex(key)),
            ("random_padding", &hex(padding)),
        ],
        "",
    ))
}

fn unwrap(protection: &str, block: &str) -> Outcome {
    let inputs = [("kbpk", protection), ("key_block", block)];
    got(&row("TR31-UNWRAP", &inputs, ""))
}

fn refused(error: KeyBlockError) -> Outcome {
    Outcome::Rejected(Rejection::KeyBlock(error))
}

fn published(name: &str) -> (String, String) {
    let row = rows().into_iter().find(|row| row.name == name);
    let inputs = row.expect("a row").inputs;
    let text = |name: &str| match &inputs[name] {
        Scalar::Text(text) => text.clone(),
        other => panic!("{other} is no text"),
    };
    (text("kbpk"), text("key_block"))
}

/// One character changed anywhere, optional blocks and length included: no key comes out.
#[test]
fn no_changed_block_opens() {
    for name in ["tr31-B-A.7.3.2-KS", "tr31-D-A.7.4", "tr31-D-X9.143-8.1"] {
        let (protection, block) = published(name);
        assert!(matches!(unwrap(&protection, &block), Outcome::Value(_)));
        for place in 0..block.len() {
            for other in [
                '0', '1', '7', 'B', 'D', 'E', 'F', 'N', 'a', 'Z', ' ', '\u{7F}',
            ] {
                let mut changed: Vec<char> = block.chars().collect();
                if changed[place] == other {
                    continue;
                }
                changed[place] = other;
                let changed: String = changed.into_iter().collect();
                let outcome = unwrap(&protection, &changed);
                assert!(
                    matches!(outcome, Outcome::Rejected(_)),
                    "{changed}: {outcome:?}"
                );
            }
        }
        for length in 16..block.len() {
            let outcome = unwrap(&protection, &block[..length]);
            assert!(
                matches!(outcome, Outcome::Rejected(_)),
                "{length}: {outcome:?}"
            );
        }
    }
}

#[test]
fn every_refusal_has_its_reason() {
    let (protection, block) = published("tr31-D-A.7.4");
    let with = |from: usize, text: &str| {
        format!("{}{text}{}", &block[..from], &block[from + text.len()..])
    };
    for (what, changed, reason) in [
        ("version A", with(0, "A"), Version),
        ("version B of the other cipher", with(0, "B"), ProtectionKey),
        ("length", with(1, "0128"), Length),
        ("length of letters", with(1, "01x2"), Length),
        ("cut", block[..96].to_owned(), Length),
        ("usage", with(5, "D0"), Authentication),
        ("usage with a sign", with(5, "P_"), Header),
        ("algorithm", with(7, "T"), Authentication),
        ("mode", with(8, "N"), Authentication),
        ("exportability", with(11, "X"), Header),
        ("exportability", with(11, "N"), Authentication),
        ("optional blocks that are not there", with(12, "99"), Header),
        ("reserved", with(14, "01"), Header),
        ("cipher text", with(20, "00"), Authentication),
        ("small letters", with(40, "b"), Body),
        ("MAC", with(110, "00"), Authentication),
    ] {
        assert_eq!(unwrap(&protection, &changed), refused(reason), "{what}");
    }
    let other = AES.replace("88E1", "88E2");
    assert_eq!(unwrap(&other, &block), refused(Authentication));
}

/// The rules of wrapping: whole blocks, key lengths of the algorithm, nothing strong under something weak.
#[test]
fn what_must_not_be_wrapped_is_not() {
    let key = [0x5A; 32];
    let aes128 = &AES[..32];
    for (version, protection, attributes, bytes, padding, wanted) in [
        ("B", TDES, "P0TE00E0000", 16, 6, None),
        ("B", TDES, "P0TE00E0000", 24, 6, Some(Strength)),
        ("B", TDES, "P0AE00E0000", 16, 6, Some(Strength)),
        ("B", AES, "P0TE00E0000", 16, 6, Some(ProtectionKey)),
        ("D", aes128, "P0AE00E0000", 16, 14, None),
        ("D", aes128, "P0AE00E0000", 32, 14, Some(Strength)),
        ("D", AES, "P0AE00E0000", 32, 14, None),
        ("D", aes128, "P0TE00E0000", 24, 6, None),
        ("D", AES, "P0AE00E0000", 20, 10, Some(KeyLength)),
        ("D", AES, "P0TE00E0000", 8, 6, Some(KeyLength)),
        ("D", AES, "P0DE00E0000", 8, 6, None),
        ("D", AES, "M7HG00E0000", 20, 10, None),
    ] {
        let outcome = wrap(
            version,
            protection,
            attributes,
            &key[..bytes],
            &key[..padding],
        );
        match wanted {
            Some(error) => assert_eq!(outcome, refused(error), "{version} {attributes} {bytes}"),
            None => opens(protection, &outcome, &key[..bytes]),
        }
    }
}

fn opens(protection: &str, block: &Outcome, key: &[u8]) {
    let Outcome::Value(block) = block else {
        panic!("{block:?} is no key block");
    };
    assert_eq!(
        unwrap(protection, block),
        Outcome::Value(hex(key)),
        "{block}"
    );
}

proptest! {
    /// Any key with any padding, with and without optional blocks, comes back.
    #[test]
    fn what_is_wrapped_opens(
        key in prop::collection::vec(any::<u8>(), 16..=16),
        longer in any::<bool>(),
        padding in prop::collection::vec(any::<u8>(), 0..4),
        optional in "[ -~]{12}",
    ) {
        let key = if longer { [key.as_slice(), &key[..8]].concat() } else { key };
        let triple = format!("{TDES}{}", &AES[..16]);
        for (version, protection, block) in [("B", triple.as_str(), 8), ("D", AES, 16)] {
            let plain = 2 + key.len();
            let fill = vec![7; plain.next_multiple_of(block) - plain + block * padding.len()];
            for attributes in ["P0TE00E0000".to_owned(), format!("P0TE00E0100PB10{optional}")] {
                opens(protection, &wrap(version, protection, &attributes, &key, &fill), &key);
            }
        }
    }
}
