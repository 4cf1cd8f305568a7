//! MACs: parts, comparison, key lengths, and the known weakness of the terminals' one.

use crate::{MAK, TMK, import, module, unhex};
use crypto::{KeyUsage, MacAlgorithm, SecurityError, SecurityModule};
use proptest::prelude::*;

const ALGORITHMS: [MacAlgorithm; 4] = [
    MacAlgorithm::UnionPayEcb,
    MacAlgorithm::X919,
    MacAlgorithm::AesCmac,
    MacAlgorithm::UnionPaySm4,
];

proptest! {
    /// A message cut into parts anywhere has the MAC of the whole, and of no changed message.
    #[test]
    fn parts_are_one_message(
        message in prop::collection::vec(any::<u8>(), 0..120),
        cuts in prop::collection::vec(0..120_usize, 0..6),
        bit in 0..960_usize,
    ) {
        let module = module(1);
        let key = import(&module, KeyUsage::Mac, TMK);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
        cuts.extend([0, message.len()]);
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|pair| &message[pair[0]..pair[1]]).collect();
        for algorithm in ALGORITHMS {
            let whole = module.mac(algorithm, &key, &[&message]).unwrap();
            prop_assert!(whole.iter().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F')));
            prop_assert_eq!(module.mac(algorithm, &key, &parts), Ok(whole));
            prop_assert_eq!(module.mac_matches(algorithm, &key, &parts, &whole), Ok(true));
            if bit / 8 < message.len() {
                let mut changed = message.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(module.mac_matches(algorithm, &key, &[&changed], &whole), Ok(false));
            }
        }
    }
}

#[test]
fn only_the_whole_field_matches() {
    let module = module(1);
    let key = import(&module, KeyUsage::Mac, TMK);
    for algorithm in ALGORITHMS {
        let field = module.mac(algorithm, &key, &[b"0200"]).expect("MAC");
        let matches = |received: &[u8]| {
            module
                .mac_matches(algorithm, &key, &[b"0200"], received)
                .expect("MAC")
        };
        assert!(matches(&field));
        for length in 0..8 {
            assert!(
                !matches(&field[..length]),
                "{algorithm} matched {length} bytes"
            );
        }
        assert!(!matches(&[field.as_slice(), b"0"].concat()));
        assert!(!matches(&field.map(|c| c.to_ascii_lowercase() ^ 1)));
        for bit in 0..64 {
            let mut changed = field;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches(&changed),
                "{algorithm} matched with bit {bit} changed"
            );
        }
    }
}

/// Nobody should take the terminals' MACs for strong ones: aligned blocks may be exchanged under any key.
#[test]
fn exchanged_blocks_collide_only_in_the_terminal_macs() {
    let module = module(1);
    let key = import(&module, KeyUsage::Mac, TMK);
    let message = unhex("0200302004C020C09811000000000000000051001834021000062363922600099428");
    let collide = |block: usize| {
        let exchanged = [
            &message[block..2 * block],
            &message[..block],
            &message[2 * block..],
        ];
        ALGORITHMS.map(|algorithm| {
            module.mac(algorithm, &key, &exchanged) == module.mac(algorithm, &key, &[&message])
        })
    };
    assert_eq!(collide(8), [true, false, false, false]);
    assert_eq!(collide(16), [true, false, false, true]);
}

/// Zero padding does not tell lengths apart, and nothing at all is one zero block.
#[test]
fn zero_padding() {
    let module = module(1);
    let key = import(&module, KeyUsage::Mac, TMK);
    for algorithm in [
        MacAlgorithm::UnionPayEcb,
        MacAlgorithm::X919,
        MacAlgorithm::UnionPaySm4,
    ] {
        let mac = |parts: &[&[u8]]| module.mac(algorithm, &key, parts).expect("MAC");
        assert_eq!(mac(&[]), mac(&[&[0; 8]]), "{algorithm}");
        assert_eq!(mac(&[b"", b""]), mac(&[&[0; 8]]), "{algorithm}");
        assert_eq!(mac(&[b"AB"]), mac(&[b"AB\0"]), "{algorithm}");
    }
}

#[test]
fn short_keys_serve_the_terminal_mac_only() {
    let module = module(1);
    let key = import(&module, KeyUsage::Mac, MAK);
    let refused = Err(SecurityError::KeyLength { found: 8 });
    assert!(module.mac(MacAlgorithm::UnionPayEcb, &key, &[]).is_ok());
    assert_eq!(module.mac(MacAlgorithm::X919, &key, &[]), refused);
    assert_eq!(module.mac(MacAlgorithm::AesCmac, &key, &[]), refused);
    assert_eq!(module.mac(MacAlgorithm::UnionPaySm4, &key, &[]), refused);
}

#[test]
fn names_read_back() {
    for algorithm in ALGORITHMS {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        assert_eq!(
            serde_json::to_string(&algorithm).expect("json"),
            format!("\"{algorithm}\"")
        );
    }
    "x9.9".parse::<MacAlgorithm>().expect_err("unknown name");
}
