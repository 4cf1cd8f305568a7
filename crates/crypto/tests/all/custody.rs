//! What custodians ask: components, key blocks, check values, long keys, published keys.

use crate::{MAK, PIK, PVK, TMK, ZONE_PIK, hex, import, module, pan, pin, unhex};
use KeyAlgorithm::{Aes, Des};
use crypto::{
    CheckValueLength, ClearKey, Component, ComponentError, ComponentLabel, CustodyError,
    KeyAlgorithm, KeyBlockError, KeyBlockVersion, KeyCustody, KeyMode, KeyUsage, MacAlgorithm,
    Passphrase, PinFormat, SealRandom, SealedComponent, SecurityError, SecurityModule,
    SoftwareModule, WrappedKey, Zeroizing,
};

/// Key block protection keys and blocks of TR-31:2018 A.7.2.2 and A.7.4; both hold the same key, for enciphering PINs only.
const PROTECTION_B: &str = "DD7515F2BFC17F85CE48F3CA25CB21F6";
const BLOCK_B: &str =
    "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E";
const PROTECTION_D: &str = "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6";
const BLOCK_D: &str = "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34";
const TRIPLE: &str = "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123";

fn take(
    module: &SoftwareModule,
    usage: KeyUsage,
    algorithm: KeyAlgorithm,
    key: &str,
) -> WrappedKey {
    try_take(module, usage, algorithm, key).expect("importable key")
}

fn try_take(
    module: &SoftwareModule,
    usage: KeyUsage,
    algorithm: KeyAlgorithm,
    key: &str,
) -> Result<WrappedKey, SecurityError> {
    module.import(usage, &ClearKey::of(algorithm, &unhex(key))?)
}

/// Published check values (security reference §1.3).
#[test]
fn check_values() {
    use CheckValueLength::{Five, Four, Three};
    let module = module(1);
    let refused = Err(SecurityError::KeyAlgorithm);
    for (algorithm, key, length, value) in [
        (Des, TMK, Three, Ok("08D7B4")),
        (Des, TMK, Four, Ok("08D7B4FB")),
        (Des, TRIPLE, Three, Ok("4EBA73")),
        (Des, TMK, Five, refused),
        (Aes, "3F419E1CB7079442AA37474C2EFBF8B8", Three, Ok("08793E")),
        (Aes, PROTECTION_D, Five, Ok("2331550BC9")),
        (Aes, PROTECTION_D, Four, refused),
    ] {
        let key = take(&module, KeyUsage::KeyBlockProtection, algorithm, key);
        let shown = module.key_check_value(&key, length);
        assert_eq!(
            shown.map(|value| value.to_string()),
            value.map(str::to_owned)
        );
    }
}

/// Every usage with every algorithm and length: taken and used again, or refused for its own reason.
#[test]
fn lengths_and_algorithms() {
    use KeyUsage::{
        CardVerification, Certificate, CryptogramMaster, HostMaster, KeyBlockProtection, Mac, Pin,
        PinVerification, PinVerificationValue, TerminalMaster, Track,
    };
    const BYTES: [usize; 4] = [8, 16, 24, 32];
    let long = "5BD0C1F29A8E3746B0C1D2E3F4A5968778695A4B3C2D1E0F46B0AA84C9AB2CC8";
    for (usage, des, aes) in [
        (TerminalMaster, &[8, 16][..], &[][..]),
        (Pin, &[8, 16, 24], &[16, 24, 32]),
        (Mac, &[8, 16], &[16, 24, 32]),
        (Track, &[16, 24], &[]),
        (HostMaster, &[16, 24], &[]),
        (PinVerification, &[16, 24], &[]),
        (PinVerificationValue, &[16, 24], &[]),
        (Certificate, &[16], &[]),
        (CardVerification, &[16], &[]),
        (CryptogramMaster, &[16], &[]),
        (KeyBlockProtection, &[16, 24], &[16, 24, 32]),
    ] {
        for (algorithm, allowed) in [(Des, des), (Aes, aes)] {
            for bytes in BYTES {
                let taken = try_take(&module(1), usage, algorithm, &long[..2 * bytes]);
                let what = format!("{usage:?} {algorithm:?} {bytes}");
                if allowed.contains(&bytes) {
                    let key = taken.expect(&what);
                    assert_eq!(
                        (key.algorithm(), usize::from(key.bits())),
                        (algorithm, 8 * bytes)
                    );
                    let text = serde_json::to_string(&key).expect("json");
                    let read: WrappedKey = serde_json::from_str(&text).expect("json");
                    assert_eq!(read, key, "{what}");
                    assert!(module(1).published_key(&read).is_ok(), "{what} opens");
                    assert!(module(2).published_key(&read).is_err(), "{what} elsewhere");
                } else if algorithm.has_length(bytes) && allowed.is_empty() {
                    assert_eq!(taken, Err(SecurityError::KeyAlgorithm), "{what}");
                } else {
                    assert_eq!(
                        taken,
                        Err(SecurityError::KeyLength { found: bytes }),
                        "{what}"
                    );
                }
            }
        }
    }
    // Longer keys that are shorter ones in disguise.
    let [left, right] = [&long[..16], &long[16..32]];
    for key in [
        format!("{left}{left}{right}"),
        format!("{left}{right}{right}"),
        format!("{left}{right}{}", "01".repeat(8)),
    ] {
        let refused = try_take(&module(1), Pin, Des, &key);
        assert_eq!(refused, Err(SecurityError::DegenerateKey), "{key}");
    }
    let zeros = try_take(&module(1), Pin, Aes, &"00".repeat(32));
    assert_eq!(zeros, Err(SecurityError::DegenerateKey));
}

/// What journals hold: the form of a DES key of at most 16 bytes never changes, and a key that was kept then opens now.
#[test]
fn kept_keys_stay_readable() {
    let module = module(1);
    let kept: WrappedKey = serde_json::from_str(KEPT).expect("json");
    assert_eq!(kept, import(&module, KeyUsage::Mac, MAK));
    assert_eq!(serde_json::to_string(&kept).expect("json"), KEPT);
}

/// The MAC key of the reference set under local master key 0101…01: derived, wrapped and written down with another AES.
const KEPT: &str = "\"0308BFE5A5072ABCB7CBE0B690B3D23182493AD68114C7E52F26BFB24B34\"";

/// A key of another cipher is refused wherever a cipher is used; AES MAC keys of any length make AES-CMACs only.
#[test]
fn algorithms_do_not_mix() {
    let module = module(1);
    let pik = take(&module, KeyUsage::Pin, Aes, ZONE_PIK);
    let number = pan("6225760000000005");
    let block = module.encipher_pin(&pik, PinFormat::WithPan, &pin("123456"), &number);
    assert_eq!(block, Err(SecurityError::KeyAlgorithm));
    for bytes in [16, 24, 32] {
        let mak = take(&module, KeyUsage::Mac, Aes, &PROTECTION_D[..2 * bytes]);
        for (algorithm, makes) in [
            (MacAlgorithm::AesCmac, true),
            (MacAlgorithm::X919, false),
            (MacAlgorithm::UnionPayEcb, false),
            (MacAlgorithm::UnionPaySm4, false),
        ] {
            let made = module.mac(algorithm, &mak, &[b"text"]);
            assert_eq!(made.is_ok(), makes, "{algorithm} {bytes}");
        }
    }
    // The same sixteen bytes make the same MAC, whether their cipher was named or not.
    let [named, unnamed] = [Aes, Des].map(|algorithm| take(&module, KeyUsage::Mac, algorithm, TMK));
    assert_eq!(
        module.mac(MacAlgorithm::AesCmac, &named, &[b"text"]),
        module.mac(MacAlgorithm::AesCmac, &unnamed, &[b"text"])
    );
    assert_ne!(named.check_value(), unnamed.check_value());
}

#[test]
fn published_blocks_come_in() {
    let module = module(1);
    for (algorithm, protection, block, bits) in [
        (Des, PROTECTION_B, BLOCK_B, 128),
        (Aes, PROTECTION_D, BLOCK_D, 128),
    ] {
        let kbpk = take(&module, KeyUsage::KeyBlockProtection, algorithm, protection);
        let key = module
            .import_key_block(&kbpk, KeyUsage::Pin, block)
            .expect("the key");
        assert_eq!(
            (key.usage(), key.algorithm(), key.bits()),
            (KeyUsage::Pin, algorithm, bits)
        );
        assert_eq!((key.mode(), key.exportable()), (KeyMode::Out, true));
        for usage in KeyUsage::ALL {
            if usage != KeyUsage::Pin {
                assert_eq!(
                    module.import_key_block(&kbpk, usage, block),
                    Err(KeyBlockError::Usage.into()),
                    "{usage:?}"
                );
            }
        }
        let other = take(&module, KeyUsage::KeyBlockProtection, algorithm, ZONE_PIK);
        assert_eq!(
            module.import_key_block(&other, KeyUsage::Pin, block),
            Err(KeyBlockError::Authentication.into())
        );
        let pik = take(&module, KeyUsage::Pin, algorithm, protection);
        let found = KeyUsage::Pin;
        assert_eq!(
            module.import_key_block(&pik, KeyUsage::Pin, block),
            Err(SecurityError::KeyUsage { found }.into())
        );
    }
}

/// Out and in again: the same key, whatever it is for, under both versions; nobody can tell its length from the block's.
#[test]
fn blocks_carry_every_usage() {
    let module = module(1);
    let b = take(&module, KeyUsage::KeyBlockProtection, Des, TRIPLE);
    let d = take(&module, KeyUsage::KeyBlockProtection, Aes, PROTECTION_D);
    for (usage, algorithm, key, header) in [
        (KeyUsage::TerminalMaster, Des, TMK, Some("K0TB00E")),
        (KeyUsage::HostMaster, Des, TMK, Some("K0TB00E")),
        (KeyUsage::KeyBlockProtection, Des, TMK, Some("K1TB00E")),
        (KeyUsage::KeyBlockProtection, Aes, TMK, Some("K1AB00E")),
        (KeyUsage::Pin, Des, MAK, Some("P0DB00E")),
        (KeyUsage::Pin, Des, TRIPLE, Some("P0TB00E")),
        (KeyUsage::Pin, Aes, PROTECTION_D, Some("P0AB00E")),
        (KeyUsage::Mac, Des, MAK, Some("M1DC00E")),
        (KeyUsage::Mac, Des, TMK, Some("M3TC00E")),
        (KeyUsage::Mac, Aes, TMK, Some("M6AC00E")),
        (KeyUsage::Track, Des, TMK, Some("D0TB00E")),
        (KeyUsage::PinVerification, Des, PVK, Some("V1TC00E")),
        (KeyUsage::PinVerificationValue, Des, PVK, Some("V2TC00E")),
        (KeyUsage::CardVerification, Des, TMK, Some("C0TC00E")),
        (KeyUsage::CryptogramMaster, Des, TMK, Some("E0TX00E")),
        (KeyUsage::Certificate, Des, TMK, None),
    ] {
        let key = take(&module, usage, algorithm, key);
        for (kbpk, version) in [(&b, KeyBlockVersion::B), (&d, KeyBlockVersion::D)] {
            let block = module.export_key_block(kbpk, version, &key, &[0x5A; 32]);
            let Some(header) = header else {
                assert_eq!(block, Err(KeyBlockError::Exportability.into()));
                continue;
            };
            if version == KeyBlockVersion::B && algorithm == Aes {
                assert_eq!(block, Err(KeyBlockError::Strength.into()), "{header}");
                continue;
            }
            let block = block.expect(header);
            assert_eq!(&block[5..12], header);
            let hidden = match (version, algorithm) {
                (KeyBlockVersion::B, _) => 96,
                (KeyBlockVersion::D, Des) => 112,
                (KeyBlockVersion::D, Aes) => 144,
            };
            assert_eq!(block.len(), hidden, "{header}");
            assert_eq!(
                module.import_key_block(kbpk, usage, &block),
                Ok(key),
                "{header}"
            );
        }
        let wrong_cipher = module.export_key_block(&d, KeyBlockVersion::B, &key, &[0; 32]);
        assert!(header.is_none() || wrong_cipher == Err(KeyBlockError::ProtectionKey.into()));
    }
    // Protection is never the weaker key.
    let short = take(&module, KeyUsage::KeyBlockProtection, Aes, ZONE_PIK);
    let long = take(&module, KeyUsage::Pin, Aes, PROTECTION_D);
    assert_eq!(
        module.export_key_block(&short, KeyBlockVersion::D, &long, &[0; 32]),
        Err(CustodyError::KeyBlock(KeyBlockError::Strength))
    );
}

/// A mode of use and a ban on export stay with the key; a mode of another kind of key is refused.
#[test]
fn headers_restrict() {
    let module = module(1);
    let kbpk = take(&module, KeyUsage::KeyBlockProtection, Aes, PROTECTION_D);
    let block = |header: &str| {
        let inputs = [
            ("version", "D"),
            ("kbpk", PROTECTION_D),
            ("header_after_length", header),
            ("key", TMK),
            ("random_padding", "0102030405060708090A0B0C0D0E"),
        ];
        match crate::vectors::got(&crate::vectors::row("TR31-WRAP", &inputs, "")) {
            crypto::test_interface::Outcome::Value(block) => block,
            other => panic!("{other:?}"),
        }
    };
    let number = pan("6225760000000005");
    let whole = import(&module, KeyUsage::Pin, TMK);
    let sealed = module
        .encipher_pin(&whole, PinFormat::WithPan, &pin("123456"), &number)
        .expect("a block");
    for (header, mode) in [
        ("P0TB00E0000", KeyMode::Both),
        ("P0TN00S0000", KeyMode::Both),
        ("P0TE00E0000", KeyMode::Out),
        ("P0TD00N0000", KeyMode::In),
    ] {
        let key = module
            .import_key_block(&kbpk, KeyUsage::Pin, &block(header))
            .expect("a PIN key");
        assert_eq!(key.mode(), mode, "{header}");
        let refused = Err(SecurityError::KeyMode { found: mode });
        let out = module.encipher_pin(&key, PinFormat::WithPan, &pin("123456"), &number);
        assert_eq!(
            out,
            if mode == KeyMode::In {
                refused.clone()
            } else {
                Ok(sealed.clone())
            }
        );
        let format = PinFormat::WithPan;
        let moved = module.translate_pin(&key, format, &whole, format, &sealed, &number);
        assert_eq!(
            moved,
            if mode == KeyMode::Out {
                refused
            } else {
                Ok(sealed.clone())
            }
        );
        let leaves = module.export_key_block(&kbpk, KeyBlockVersion::D, &key, &[0; 32]);
        match header.as_bytes()[6] {
            b'N' => assert_eq!(leaves, Err(KeyBlockError::Exportability.into())),
            _ => {
                // `N` and `B` restrict nothing; it leaves as `B`.
                let mode = header[3..4].replace('N', "B");
                assert_eq!(leaves.expect(header)[8..12], format!("{mode}00E"));
            }
        }
    }
    for (usage, header, why) in [
        (KeyUsage::Pin, "P0TC00E0000", KeyBlockError::Mode),
        (KeyUsage::Pin, "P0TX00E0000", KeyBlockError::Mode),
        (KeyUsage::Mac, "M3TE00E0000", KeyBlockError::Mode),
        (KeyUsage::Mac, "M1TC00E0000", KeyBlockError::Usage),
        (KeyUsage::Mac, "M6TC00E0000", KeyBlockError::Usage),
        (KeyUsage::Pin, "P0HB00E0000", KeyBlockError::Usage),
        (
            KeyUsage::CryptogramMaster,
            "E0TB00E0000",
            KeyBlockError::Mode,
        ),
        (
            KeyUsage::PinVerification,
            "V2TC00E0000",
            KeyBlockError::Usage,
        ),
    ] {
        let refused = module.import_key_block(&kbpk, usage, &block(header));
        assert_eq!(refused, Err(why.into()), "{header}");
    }
    // A key that only verifies makes no MAC.
    let verifies = module
        .import_key_block(&kbpk, KeyUsage::Mac, &block("M3TV00E0000"))
        .expect("a MAC key");
    let made = module.mac(
        MacAlgorithm::X919,
        &import(&module, KeyUsage::Mac, TMK),
        &[b"text"],
    );
    let made = made.expect("a MAC");
    assert_eq!(
        module.mac(MacAlgorithm::X919, &verifies, &[b"text"]),
        Err(SecurityError::KeyMode { found: KeyMode::In })
    );
    assert_eq!(
        module.mac_matches(MacAlgorithm::X919, &verifies, &[b"text"], &made),
        Ok(true)
    );
}

fn passphrase(text: &str) -> Result<Passphrase, ComponentError> {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

fn label(holder: &str) -> ComponentLabel {
    ComponentLabel {
        holder: holder.to_owned(),
        created: "2026-11-22".to_owned(),
    }
}

const RANDOM: SealRandom = SealRandom {
    salt: [1; 16],
    nonce: [2; 12],
};

#[test]
fn components_combine() {
    let module = module(1);
    let component = |text| Component::parse(Des, text).expect("a component");
    let halves = [
        "408A26D3087FEA5B46BF2AB6433B7334",
        "40A862B580D526B5B962912F346E4025",
    ];
    let key = module
        .combine(KeyUsage::TerminalMaster, &halves.map(component))
        .expect("the published key");
    assert_eq!(key, import(&module, KeyUsage::TerminalMaster, TMK));
    for (components, refused) in [
        (vec![component(halves[0])], CustodyError::ComponentCount),
        (vec![], CustodyError::ComponentCount),
        (
            vec![component(halves[0]), component(halves[0])],
            SecurityError::DegenerateKey.into(),
        ),
        (
            vec![component(halves[0]), component(&halves[1][..16])],
            CustodyError::ComponentsDiffer,
        ),
        (
            vec![
                component(halves[0]),
                Component::parse(Aes, halves[1]).expect("one"),
            ],
            CustodyError::ComponentsDiffer,
        ),
    ] {
        assert_eq!(
            module.combine(KeyUsage::TerminalMaster, &components),
            Err(refused)
        );
    }
    for (algorithm, text, refused) in [
        (
            Des,
            "408A26D3087FEA5B46BF2AB6433B7335",
            ComponentError::Parity,
        ),
        (Des, "408A26D3087FEA5B46BF2AB6433B73", ComponentError::Text),
        (Aes, "408A26D3087FEA5B", ComponentError::Text),
        (Des, "408A26D3087FEA5x", ComponentError::Text),
        (Des, "", ComponentError::Text),
        (Des, "0101010101010101", ComponentError::Zero),
        (
            Aes,
            "00000000000000000000000000000000",
            ComponentError::Zero,
        ),
    ] {
        assert_eq!(
            Component::parse(algorithm, text).err(),
            Some(refused),
            "{text}"
        );
    }
    let spaced = Component::parse(Des, "408A 26D3 087F EA5B  46BF 2AB6 433B 7334\n");
    assert_eq!(
        spaced.expect("one").check_value(),
        component(halves[0]).check_value()
    );
    let made = Component::generate(Des, 24, &[0x10; 32]).expect("one");
    assert_eq!(*made.expose(), "10".repeat(24), "odd parity stays");
    assert_eq!(
        Component::generate(Des, 32, &[9; 32]).err(),
        Some(ComponentError::Length)
    );
}

#[test]
fn sealed_components_open_for_their_holder_only() {
    let component = Component::parse(Aes, PROTECTION_D).expect("a component");
    let secret = passphrase("correct horse battery").expect("long enough");
    let sealed = component
        .seal(label("Alice"), &secret, &RANDOM)
        .expect("sealed");
    let text = serde_json::to_string(&sealed).expect("json");
    let opened = sealed.open(&secret).expect("the holder's own");
    assert_eq!(*opened.expose(), PROTECTION_D);
    for part in PROTECTION_D.as_bytes().chunks(8) {
        assert!(!text.contains(&String::from_utf8_lossy(part).into_owned()));
    }
    assert!(!format!("{component:?} {secret:?} {sealed:?}").contains(&PROTECTION_D[..8]));
    let wrong = passphrase("correct horse batterz").expect("long enough");
    assert_eq!(sealed.open(&wrong).err(), Some(ComponentError::Sealed));
    assert_eq!(
        passphrase("too short").err(),
        Some(ComponentError::Passphrase)
    );
    assert_eq!(
        passphrase(&"x".repeat(2_000)).err(),
        Some(ComponentError::Passphrase)
    );
    for holder in ["", "  ", "a\nb", &"x".repeat(65)] {
        let refused = component.seal(label(holder), &secret, &RANDOM);
        assert_eq!(refused.err(), Some(ComponentError::Holder), "{holder:?}");
    }
    let lower = text.replace("\"memory_kib\":65536", "\"memory_kib\":65535");
    let costly = text.replace("\"passes\":3", "\"passes\":4000000000");
    for (changed, refused) in [
        (lower, ComponentError::Sealed),
        (costly, ComponentError::Form),
    ] {
        let changed: SealedComponent = serde_json::from_str(&changed).expect("json");
        assert_eq!(changed.open(&secret).err(), Some(refused));
    }
}

/// Everything in the vectors that is a key, and what hurried hands type, is known; random keys are not.
#[test]
fn published_keys_are_known() {
    let module = module(1);
    let known = |algorithm, key: &str| {
        let key = take(&module, KeyUsage::Pin, algorithm, key);
        module.published_key(&key).expect("an own key")
    };
    for key in [
        TMK,
        PIK,
        PVK,
        ZONE_PIK,
        TRIPLE,
        "C0D1E2F3041526374859606A7B8C9DAE",
    ] {
        assert!(known(Des, key).is_some(), "{key}");
    }
    // Parity hides nothing.
    assert_eq!(
        known(Des, "0022446688AACCEEFFDDBB9977553311"),
        known(Des, TMK)
    );
    for pattern in [
        "11111111111111111111111111111111",
        "12345678123456781234567812345678",
        "000102030405060708090A0B0C0D0E0F",
        "FFEEDDCCBBAA99887766554433221100",
        "FEDCBA9876543210FEDCBA9876543210",
        "41414141414141414141414141414141",
    ] {
        assert!(known(Aes, pattern).is_some(), "{pattern}");
    }
    for seed in 1..=50_u8 {
        let text = crypto::sha256(&[seed]);
        assert_eq!(known(Aes, &hex(&text)), None, "{seed}");
        assert_eq!(known(Des, &hex(&text[..16])), None, "{seed}");
    }
    let mut rows = 0;
    for row in crate::vectors::rows() {
        for name in [
            "key", "pvk", "cvk", "imk", "imk_ac", "bdk", "kbpk", "tdk", "udk",
        ] {
            let Some(crypto::vectors::Scalar::Text(key)) = row.inputs.get(name) else {
                continue;
            };
            // Single DES keys, and keys that no module takes, are no concern of a production profile.
            for algorithm in [Des, Aes] {
                let taken = try_take(&module, KeyUsage::Pin, algorithm, key);
                let Ok(key) = taken.map(|key| (key, key.bits())) else {
                    continue;
                };
                if key.1 > 64 {
                    let published = module.published_key(&key.0).expect("an own key");
                    assert!(published.is_some(), "{name} of {}", row.name);
                    rows += 1;
                }
            }
        }
    }
    assert!(rows > 100, "{rows}");
}

/// The store's authentication depends on the module and on every byte.
#[test]
fn stores_are_authenticated() {
    let seal = |party, text: &[u8]| module(party).authenticate_store(text);
    assert_eq!(seal(1, b"store"), seal(1, b"store"));
    assert_ne!(seal(1, b"store"), seal(2, b"store"));
    assert_ne!(seal(1, b"store"), seal(1, b"storf"));
}
