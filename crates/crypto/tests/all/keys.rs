//! Keys: usage, tampering, degenerate values, sign-in and host key exchange.

use crate::{MAK, PIK, PVK, TMK, ZONE_PIK, hex, import, module, pan, pin};
use crypto::{
    ClearKey, Cryptogram, CryptogramScheme, KeyUsage, MacAlgorithm, PinFormat, SecurityError,
    SecurityModule, SoftwareModule, WorkingKeys, WrappedKey,
};
use proptest::prelude::*;
use serde::{
    Deserialize,
    de::value::{BytesDeserializer, Error},
};

/// Random bytes of a test: every byte different, no degenerate key.
fn random<const N: usize>(seed: u8) -> [u8; N] {
    core::array::from_fn(|i| seed.wrapping_add((i as u8).wrapping_mul(37)) ^ 0x5A)
}

fn mac(module: &SoftwareModule, key: &WrappedKey) -> Result<[u8; 8], SecurityError> {
    module.mac(MacAlgorithm::UnionPayEcb, key, &[b"0800"])
}

/// What refuses a key of the wrong usage, for every method that takes one.
#[test]
fn keys_serve_their_usage_only() {
    let module = module(1);
    let keys = [
        import(&module, KeyUsage::TerminalMaster, TMK),
        import(&module, KeyUsage::Pin, PIK),
        import(&module, KeyUsage::Mac, MAK),
        import(&module, KeyUsage::Track, ZONE_PIK),
        import(&module, KeyUsage::HostMaster, TMK),
        import(&module, KeyUsage::PinVerification, PVK),
        import(&module, KeyUsage::Certificate, TMK),
        import(&module, KeyUsage::CardVerification, TMK),
        import(&module, KeyUsage::CryptogramMaster, TMK),
    ];
    let [_, pik, _, _, _, pvk, ..] = &keys;
    let (pan, pin, format) = (pan("6225760000000005"), pin("123456"), PinFormat::WithPan);
    let block = module
        .encipher_pin(pik, format, &pin, &pan)
        .expect("PIN block");
    let offset = module.pin_offset(pvk, &pan, &pin).expect("offset");
    let (_, field62) = module
        .issue_working_keys(&keys[0], &random(1))
        .expect("issued");
    let (_, enciphered, check) = module
        .issue_host_key(&keys[4], KeyUsage::Mac, &random(2))
        .expect("issued");

    type Use<'a> = (
        &'static str,
        KeyUsage,
        Box<dyn Fn(&WrappedKey) -> Result<(), SecurityError> + 'a>,
    );
    let cryptogram = Cryptogram {
        pan: &pan,
        sequence: *b"00",
        counter: [0, 1],
        data: b"",
        received: [0; 8],
    };
    let uses: [Use<'_>; 15] = [
        (
            "card_value_matches",
            KeyUsage::CardVerification,
            Box::new(|key| {
                module
                    .card_value_matches(key, &pan, b"3012", b"101", b"000")
                    .map(drop)
            }),
        ),
        (
            "answer_cryptogram",
            KeyUsage::CryptogramMaster,
            Box::new(|key| {
                module
                    .answer_cryptogram(key, CryptogramScheme::Pboc, &cryptogram, *b"00")
                    .map(drop)
            }),
        ),
        (
            "sign_certificate",
            KeyUsage::Certificate,
            Box::new(|key| module.sign_certificate(key, b"").map(drop)),
        ),
        (
            "certificate_key",
            KeyUsage::Certificate,
            Box::new(|key| module.certificate_key(key).map(drop)),
        ),
        (
            "mac",
            KeyUsage::Mac,
            Box::new(|key| mac(&module, key).map(drop)),
        ),
        (
            "mac_matches",
            KeyUsage::Mac,
            Box::new(|key| {
                module
                    .mac_matches(MacAlgorithm::UnionPayEcb, key, &[], b"")
                    .map(drop)
            }),
        ),
        (
            "encipher_pin",
            KeyUsage::Pin,
            Box::new(|key| module.encipher_pin(key, format, &pin, &pan).map(drop)),
        ),
        (
            "translate_pin from",
            KeyUsage::Pin,
            Box::new(|key| {
                module
                    .translate_pin(key, format, pik, format, &block, &pan)
                    .map(drop)
            }),
        ),
        (
            "translate_pin to",
            KeyUsage::Pin,
            Box::new(|key| {
                module
                    .translate_pin(pik, format, key, format, &block, &pan)
                    .map(drop)
            }),
        ),
        (
            "verify_pin pik",
            KeyUsage::Pin,
            Box::new(|key| {
                module
                    .verify_pin(key, format, &block, &pan, pvk, &offset)
                    .map(drop)
            }),
        ),
        (
            "verify_pin pvk",
            KeyUsage::PinVerification,
            Box::new(|key| {
                module
                    .verify_pin(pik, format, &block, &pan, key, &offset)
                    .map(drop)
            }),
        ),
        (
            "issue_working_keys",
            KeyUsage::TerminalMaster,
            Box::new(|key| module.issue_working_keys(key, &random(1)).map(drop)),
        ),
        (
            "install_working_keys",
            KeyUsage::TerminalMaster,
            Box::new(|key| module.install_working_keys(key, &field62).map(drop)),
        ),
        (
            "issue_host_key",
            KeyUsage::HostMaster,
            Box::new(|key| {
                module
                    .issue_host_key(key, KeyUsage::Pin, &random(3))
                    .map(drop)
            }),
        ),
        (
            "install_host_key",
            KeyUsage::HostMaster,
            Box::new(|key| {
                module
                    .install_host_key(key, KeyUsage::Mac, &enciphered, &check)
                    .map(drop)
            }),
        ),
    ];
    for (name, usage, run) in &uses {
        for key in &keys {
            // The key between two members also makes MACs, under its variant.
            let for_mac = name.starts_with("mac") && key.usage() == KeyUsage::HostMaster;
            let wanted = if key.usage() == *usage || for_mac {
                Ok(())
            } else {
                Err(SecurityError::KeyUsage { found: key.usage() })
            };
            assert_eq!(run(key), wanted, "{name} with {key:?}");
        }
    }
}

#[test]
fn a_key_between_members_makes_macs_under_its_variant_only() {
    let module = module(1);
    let algorithms = [MacAlgorithm::X919, MacAlgorithm::AesCmac];
    let host = import(&module, KeyUsage::HostMaster, TMK);
    let variant = crate::unhex(TMK)
        .iter()
        .enumerate()
        .map(|(at, byte)| if at % 8 == 6 { byte ^ 0xFF } else { *byte })
        .collect::<Vec<_>>();
    let same = module
        .import(KeyUsage::Mac, &ClearKey::new(&variant).expect("a key"))
        .expect("a MAC key");
    let other = import(&module, KeyUsage::Mac, TMK);
    for algorithm in algorithms {
        let mac = |key| module.mac(algorithm, key, &[b"0800", b"001"]);
        assert_eq!(mac(&host), mac(&same), "{algorithm:?}");
        assert_ne!(mac(&host), mac(&other), "{algorithm:?}");
    }
}

#[test]
fn changed_wrapped_keys_do_not_open() {
    let module = module(1);
    let key = import(&module, KeyUsage::Mac, MAK);
    let text = serde_json::to_string(&key).expect("json");
    assert_eq!(text.len(), 62);
    assert_eq!(
        serde_json::from_str::<WrappedKey>(&text).expect("json"),
        key
    );
    let bytes = crate::unhex(text.trim_matches('"'));
    let read = |bytes: &[u8]| WrappedKey::deserialize(BytesDeserializer::<Error>::new(bytes));
    assert_eq!(read(&bytes), Ok(key));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Ok(changed) = read(&changed) else {
            assert!(
                bit < 16,
                "only an unknown usage, or a length of another form, is refused on reading, not bit {bit}"
            );
            continue;
        };
        let refused = if bit < 8 {
            SecurityError::KeyUsage {
                found: changed.usage(),
            }
        } else {
            SecurityError::TamperedKey
        };
        assert_eq!(mac(&module, &changed), Err(refused), "bit {bit}");
    }
    assert!(read(&bytes[1..]).is_err() && read(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(serde_json::from_str::<WrappedKey>("\"00\"").is_err());
    assert_eq!(
        mac(&crate::module(2), &key),
        Err(SecurityError::TamperedKey),
        "another module's key"
    );
}

/// A MAC key relabelled as a PIN key passes the label's check and fails the wrap's.
#[test]
fn relabelled_keys_do_not_open() {
    let module = module(1);
    let text = serde_json::to_string(&import(&module, KeyUsage::Mac, PIK)).expect("json");
    let relabelled: WrappedKey =
        serde_json::from_str(&text.replacen("\"03", "\"02", 1)).expect("json");
    assert_eq!(relabelled.usage(), KeyUsage::Pin);
    let block = module.encipher_pin(
        &relabelled,
        PinFormat::WithPan,
        &pin("123456"),
        &pan("6225760000000005"),
    );
    assert_eq!(block, Err(SecurityError::TamperedKey));
}

#[test]
fn imports_are_refused() {
    use KeyUsage::{
        HostMaster, Mac, PanSeal, PanToken, Pin, PinVerification, TerminalMaster, Track,
    };
    let refused = |usage, key: &str| {
        let key = ClearKey::from_hex(key).expect("hex key");
        module(1).import(usage, &key).err()
    };
    let degenerate = Some(SecurityError::DegenerateKey);
    let zero = "00".repeat(16);
    let twice = MAK.repeat(2);
    for usage in [TerminalMaster, Pin, Mac, Track, HostMaster, PinVerification] {
        assert_eq!(refused(usage, TMK), None, "{usage:?}");
        assert_eq!(refused(usage, &zero), degenerate, "{usage:?} zero");
        // Weak and semi-weak halves, with right and wrong parity.
        for weak in [
            "0101010101010101",
            "FEFEFEFEFEFEFEFE",
            "E0E0E0E0F1F1F1F1",
            "01FE01FE01FE01FE",
            "FFFFFFFFFFFFFFFF",
        ] {
            assert_eq!(
                refused(usage, &format!("{weak}{MAK}")),
                degenerate,
                "{usage:?} {weak} left"
            );
            assert_eq!(
                refused(usage, &format!("{MAK}{weak}")),
                degenerate,
                "{usage:?} {weak} right"
            );
        }
        let (equal_halves, single) = match usage {
            Mac => (None, None),
            TerminalMaster | Pin => (degenerate, None),
            _ => (degenerate, Some(SecurityError::KeyLength { found: 8 })),
        };
        assert_eq!(refused(usage, &twice), equal_halves, "{usage:?} K||K");
        assert_eq!(refused(usage, MAK), single, "{usage:?} single length");
    }
    for usage in [PanSeal, PanToken] {
        assert_eq!(
            refused(usage, TMK),
            Some(SecurityError::KeyUsage { found: usage })
        );
    }
    for text in [
        "",
        "00",
        "0123456789ABCDE",
        "0123456789ABCDEG",
        "0123456789ABCDEF01",
        &"01".repeat(32),
    ] {
        assert_eq!(
            ClearKey::from_hex(text).err(),
            Some(SecurityError::KeyText),
            "{text}"
        );
    }
    assert_eq!(
        ClearKey::new(&[1; 32]).err(),
        Some(SecurityError::KeyLength { found: 32 })
    );
}

fn sign_in(
    seed: u8,
) -> (
    SoftwareModule,
    WorkingKeys,
    SoftwareModule,
    WrappedKey,
    [u8; 40],
) {
    let (acquirer, terminal) = (module(1), module(2));
    let issued = acquirer.issue_working_keys(
        &import(&acquirer, KeyUsage::TerminalMaster, TMK),
        &random(seed),
    );
    let (keys, field62) = issued.expect("issued");
    let tmk = import(&terminal, KeyUsage::TerminalMaster, TMK);
    (acquirer, keys, terminal, tmk, field62)
}

#[test]
fn issued_keys_install() {
    let (acquirer, issued, terminal, tmk, field62) = sign_in(7);
    let installed = terminal
        .install_working_keys(&tmk, &field62)
        .expect("installed");
    assert_eq!(installed.pin.check_value(), issued.pin.check_value());
    assert_eq!(installed.mac.check_value(), issued.mac.check_value());
    assert_eq!((installed.track, issued.track), (None, None));
    assert_ne!(installed.mac, issued.mac, "wrapped under different modules");
    assert_eq!(mac(&terminal, &installed.mac), mac(&acquirer, &issued.mac));
    assert_eq!(
        field62[28..36],
        [0; 8],
        "MAK slot: eight cipher bytes, eight zeros"
    );
    assert_eq!(
        (&field62[16..20], &field62[36..]),
        (&issued.pin.check_value()[..], &issued.mac.check_value()[..])
    );
    // Hosts fill the rest of the MAK slot as they like.
    let mut filled = field62;
    filled[28..36].copy_from_slice(&field62[20..28]);
    assert_eq!(terminal.install_working_keys(&tmk, &filled), Ok(installed));
    assert_eq!(
        acquirer.issue_working_keys(&import(&acquirer, KeyUsage::TerminalMaster, TMK), &[0; 32]),
        Err(SecurityError::DegenerateKey)
    );
}

/// Any changed bit that matters breaks a check value; nothing is installed then.
#[test]
fn check_values_refuse() {
    let (_, _, terminal, tmk, field62) = sign_in(9);
    for bit in 0..field62.len() * 8 {
        let mut changed = field62;
        changed[bit / 8] ^= 1 << (bit % 8);
        // The zeros behind the MAK, and the parity bits that DES ignores but encipherment scrambles.
        let wanted = match bit / 8 {
            0..20 => Some(SecurityError::CheckValue {
                usage: KeyUsage::Pin,
            }),
            28..36 => None,
            _ => Some(SecurityError::CheckValue {
                usage: KeyUsage::Mac,
            }),
        };
        assert_eq!(
            terminal.install_working_keys(&tmk, &changed).err(),
            wanted,
            "bit {bit}"
        );
    }
    let other = import(&terminal, KeyUsage::TerminalMaster, ZONE_PIK);
    let refused = Err(SecurityError::CheckValue {
        usage: KeyUsage::Pin,
    });
    assert_eq!(
        terminal.install_working_keys(&other, &field62),
        refused,
        "another terminal's master key"
    );
}

#[test]
fn field_62_lengths() {
    let (_, _, terminal, tmk, field62) = sign_in(11);
    let bytes: Vec<u8> = field62.iter().copied().cycle().take(120).collect();
    for length in 0..=bytes.len() {
        let refused = terminal.install_working_keys(&tmk, &bytes[..length]).err();
        match length {
            // The cycle repeats the PIK's slot where a track key would be.
            40 | 60 => assert_eq!(refused, None),
            24 => assert!(matches!(refused, Some(SecurityError::CheckValue { .. }))),
            // 57 bytes among them (sample 9.18).
            _ => assert_eq!(
                refused,
                Some(SecurityError::Field62Length { found: length })
            ),
        }
    }
    let single = import(&terminal, KeyUsage::TerminalMaster, MAK);
    let short = SecurityError::KeyLength { found: 8 };
    assert_eq!(terminal.install_working_keys(&single, &field62), Err(short));
    assert_eq!(terminal.issue_working_keys(&single, &random(1)), Err(short));
}

#[test]
fn host_keys_travel() {
    let (network, member) = (module(1), module(2));
    let [network_kek, member_kek] =
        [&network, &member].map(|module| import(module, KeyUsage::HostMaster, ZONE_PIK));
    for usage in [KeyUsage::Pin, KeyUsage::Mac] {
        let (issued, enciphered, check) = network
            .issue_host_key(&network_kek, usage, &random(3))
            .expect("issued");
        let installed = member
            .install_host_key(&member_kek, usage, &enciphered, &check)
            .expect("installed");
        assert_eq!(
            (installed.usage(), installed.check_value()),
            (usage, issued.check_value())
        );
        for bit in 0..128 {
            let mut changed = enciphered;
            changed[bit / 8] ^= 1 << (bit % 8);
            let refused = member.install_host_key(&member_kek, usage, &changed, &check);
            assert_eq!(
                refused,
                Err(SecurityError::CheckValue { usage }),
                "bit {bit}"
            );
        }
        let refused =
            member.install_host_key(&member_kek, usage, &enciphered, &check.map(|byte| !byte));
        assert_eq!(refused, Err(SecurityError::CheckValue { usage }));
    }
    for found in [
        KeyUsage::TerminalMaster,
        KeyUsage::HostMaster,
        KeyUsage::PinVerification,
        KeyUsage::PanSeal,
    ] {
        let refused = SecurityError::KeyUsage { found };
        assert_eq!(
            network.issue_host_key(&network_kek, found, &random(3)),
            Err(refused)
        );
        assert_eq!(
            member.install_host_key(&member_kek, found, &[0; 16], &[0; 4]),
            Err(refused)
        );
    }
}

proptest! {
    /// Bytes from outside never panic, and never install without their check values.
    #[test]
    fn any_field_62(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        let module = module(1);
        let tmk = import(&module, KeyUsage::TerminalMaster, TMK);
        prop_assert!(module.install_working_keys(&tmk, &bytes).is_err());
    }

    #[test]
    fn any_wrapped_key_text(text in "[0-9A-Fa-f]{60}") {
        if let Ok(key) = serde_json::from_str::<WrappedKey>(&format!("\"{text}\"")) {
            prop_assert!(mac(&module(1), &key).is_err());
            prop_assert_eq!(hex(&key.check_value()), text[4..12].to_uppercase());
        }
    }
}
