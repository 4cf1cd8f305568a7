//! Card verification values and application cryptograms behind the module: right ones match, everything else does not.

use crate::{TMK, import, module, pan, unhex};
use crypto::{Cryptogram, CryptogramScheme, KeyUsage, SecurityError, SecurityModule};

#[test]
fn card_verification_values() {
    let module = module(1);
    let key = import(&module, KeyUsage::CardVerification, TMK);
    let card = pan("4123456789012345");
    let matches = |expiry: &str, service_code: &str, value: &str| {
        let [expiry, service_code, value] = [expiry, service_code, value].map(str::as_bytes);
        module
            .card_value_matches(&key, &card, expiry, service_code, value)
            .expect("the key's usage")
    };
    assert!(matches("8701", "101", "561"));
    for value in 0..1_000 {
        assert_eq!(
            matches("8701", "101", &format!("{value:03}")),
            value == 561,
            "{value}"
        );
    }
    for (expiry, service_code, value) in [
        ("8702", "101", "561"),
        ("8701", "999", "561"),
        ("8701", "000", "561"),
        ("870", "101", "561"),
        ("87010", "101", "561"),
        ("87o1", "101", "561"),
        ("8701", "10", "561"),
        ("8701", "101", ""),
        ("8701", "101", "56"),
        ("8701", "101", "5610"),
    ] {
        assert!(
            !matches(expiry, service_code, value),
            "{expiry} {service_code} {value}"
        );
    }
    let pin_key = import(&module, KeyUsage::PinVerification, TMK);
    let refused = module.card_value_matches(&pin_key, &card, b"8701", b"101", b"561");
    let found = KeyUsage::PinVerification;
    assert_eq!(refused, Err(SecurityError::KeyUsage { found }));
}

/// The published PBOC example, and the same card data under the EMV common session key.
#[test]
fn application_cryptograms() {
    let module = module(1);
    let key = import(
        &module,
        KeyUsage::CryptogramMaster,
        "F0C34A8124CEE0A91A0B034AA97D6EAC",
    );
    let card = pan("6228000100001");
    let data = unhex("000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002");
    let received = 0x5D01_6C91_005E_7CC2_u64.to_be_bytes();
    let right = Cryptogram {
        pan: &card,
        sequence: *b"01",
        counter: [0x02, 0x40],
        data: &data,
        received,
    };
    let answer = |scheme, cryptogram: &Cryptogram<'_>, code| {
        module
            .answer_cryptogram(&key, scheme, cryptogram, code)
            .expect("the key's usage")
            .map(u64::from_be_bytes)
    };
    let pboc = |cryptogram: &Cryptogram<'_>| answer(CryptogramScheme::Pboc, cryptogram, *b"01");
    assert_eq!(pboc(&right), Some(0x2141_5243_527C_E78F));
    assert_ne!(answer(CryptogramScheme::Pboc, &right, *b"00"), pboc(&right));
    assert_eq!(answer(CryptogramScheme::EmvCommon, &right, *b"01"), None);

    for bit in 0..64 {
        let received = (u64::from_be_bytes(received) ^ 1 << bit).to_be_bytes();
        assert_eq!(pboc(&Cryptogram { received, ..right }), None, "bit {bit}");
    }
    for bit in 0..8 * data.len() {
        let mut data = data.clone();
        data[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            pboc(&Cryptogram {
                data: &data,
                ..right
            }),
            None,
            "bit {bit}"
        );
    }
    let other = pan("6228000100002");
    for (what, wrong) in [
        (
            "card",
            Cryptogram {
                pan: &other,
                ..right
            },
        ),
        (
            "sequence",
            Cryptogram {
                sequence: *b"00",
                ..right
            },
        ),
        (
            "no sequence",
            Cryptogram {
                sequence: *b"0x",
                ..right
            },
        ),
        (
            "counter",
            Cryptogram {
                counter: [0x02, 0x41],
                ..right
            },
        ),
        (
            "data cut",
            Cryptogram {
                data: &data[1..],
                ..right
            },
        ),
        ("no data", Cryptogram { data: &[], ..right }),
    ] {
        assert_eq!(pboc(&wrong), None, "{what}");
    }
    assert_eq!(format!("{right:?}"), "Cryptogram(622800***0001)");

    let mac_key = import(&module, KeyUsage::Mac, TMK);
    let refused = module.answer_cryptogram(&mac_key, CryptogramScheme::Pboc, &right, *b"01");
    let found = KeyUsage::Mac;
    assert_eq!(refused, Err(SecurityError::KeyUsage { found }));
}
