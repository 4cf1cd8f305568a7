//! PINs through the zones: terminal, acquirer, network, issuer.

use crate::{PIK, PVK, ZONE_PIK, import, module, pan, pin};
use crypto::{KeyUsage, Pin, PinBlock, PinFormat, PinOffset, SecurityError, SecurityModule};
use proptest::prelude::*;

const FORMATS: [PinFormat; 2] = [PinFormat::WithPan, PinFormat::WithoutPan];

proptest! {
    /// From any terminal format through two zones to the issuer's verification, for any card and PIN.
    #[test]
    fn pins_travel_through_zones(card in "[0-9]{12,19}", right in "[0-9]{4,12}", wrong in "[0-9]{4,12}") {
        let (acquirer, issuer) = (module(1), module(2));
        let (card, with_pan) = (pan(&card), PinFormat::WithPan);
        let pik = import(&acquirer, KeyUsage::Pin, PIK);
        let [zone, issuer_zone] = [&acquirer, &issuer].map(|module| import(module, KeyUsage::Pin, ZONE_PIK));
        let pvk = import(&issuer, KeyUsage::PinVerification, PVK);
        let offset = issuer.pin_offset(&pvk, &card, &pin(&right)).unwrap();
        prop_assert_eq!(offset.to_string().len(), right.len());
        for format in FORMATS {
            for (tried, wanted) in [(&right, true), (&wrong, wrong == right)] {
                let block = acquirer.encipher_pin(&pik, format, &pin(tried), &card).unwrap();
                let moved = acquirer.translate_pin(&pik, format, &zone, with_pan, &block, &card).unwrap();
                prop_assert_eq!(&moved, &acquirer.encipher_pin(&zone, with_pan, &pin(tried), &card).unwrap());
                let verified = issuer.verify_pin(&issuer_zone, with_pan, &moved, &card, &pvk, &offset);
                prop_assert_eq!(verified, Ok(wanted));
            }
        }
        let block = acquirer.encipher_pin(&pik, PinFormat::WithoutPan, &pin(&right), &card).unwrap();
        let moved = acquirer.translate_pin(&pik, PinFormat::WithoutPan, &zone, PinFormat::WithoutPan, &block, &card);
        let verified = issuer.verify_pin(&issuer_zone, PinFormat::WithoutPan, &moved.unwrap(), &card, &pvk, &offset);
        prop_assert_eq!(verified, Ok(true));
    }

    /// Blocks from outside never panic.
    #[test]
    fn any_block(block in any::<[u8; 8]>(), card in "[0-9]{12,19}") {
        let module = module(1);
        let pik = import(&module, KeyUsage::Pin, PIK);
        for format in FORMATS {
            let moved = module.translate_pin(&pik, format, &pik, format, &PinBlock::new(block), &pan(&card));
            if let Ok(moved) = moved {
                prop_assert_eq!(moved.expose(), block, "a block that holds a PIN is that PIN's only block");
            }
        }
    }
}

/// A block under another zone's key, or of another card or format, is malformed or a wrong PIN; never the right one.
#[test]
fn strange_blocks_never_verify() {
    let module = module(1);
    let [pik, zone] = [PIK, ZONE_PIK].map(|key| import(&module, KeyUsage::Pin, key));
    let pvk = import(&module, KeyUsage::PinVerification, PVK);
    let (card, format) = (pan("6222021234567890128"), PinFormat::WithPan);
    let mut malformed = 0;
    for number in 0..500 {
        let chosen = pin(&format!("{:06}", number * 1999 % 1_000_000));
        let offset = module.pin_offset(&pvk, &card, &chosen).expect("offset");
        let block = module
            .encipher_pin(&pik, format, &chosen, &card)
            .expect("block");
        let other_card = pan(&format!("62220212345{:08}", 10_000_000 + number));
        for (name, key, format, card) in [
            ("zone", &zone, format, &card),
            ("card", &pik, format, &other_card),
            ("format", &pik, PinFormat::WithoutPan, &card),
        ] {
            match module.verify_pin(key, format, &block, card, &pvk, &offset) {
                Err(SecurityError::PinFormat) => malformed += 1,
                other => assert_eq!(other, Ok(false), "another {name}"),
            }
            let moved = module.translate_pin(key, format, &zone, format, &block, card);
            assert!(
                matches!(moved, Ok(_) | Err(SecurityError::PinFormat)),
                "another {name}"
            );
        }
    }
    assert!(
        malformed > 1000,
        "only {malformed} of 1500 were seen to be malformed"
    );
}

/// Every way a block can be malformed is the same error.
#[test]
fn malformed_blocks_are_one_error() {
    use crypto::test_interface::{Outcome, Rejection, check};
    let card = "4000000000000002";
    let decode = |clear: &str| {
        let inputs = [("clear_block", clear), ("pan", card)];
        check(
            "PINBLOCK-ISO9564-0-DECODE",
            &inputs
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        )
    };
    // The card number's field is zero here, so that these texts are the plain blocks.
    let reject = Ok(Outcome::Rejected(Rejection::Module(
        SecurityError::PinFormat,
    )));
    assert_eq!(
        decode("06123456FFFFFFFF"),
        Ok(Outcome::Value("123456".to_owned()))
    );
    for (name, block) in [
        ("control", "16123456FFFFFFFF"),
        ("too short", "03123FFFFFFFFFFF"),
        ("too long", "0D1234567890123F"),
        ("length 0", "00FFFFFFFFFFFFFF"),
        ("nibble above 9", "0612345AFFFFFFFF"),
        ("fill inside the PIN", "0612345FFFFFFFFF"),
        ("digit in the fill", "06123456FFFFFFF0"),
        ("decimal length", "10123456789012FF"),
    ] {
        assert_eq!(decode(block), reject, "{name}");
    }
}

#[test]
fn pins_do_not_leave_their_card() {
    let module = module(1);
    let pik = import(&module, KeyUsage::Pin, PIK);
    let card = pan("6225760000000005");
    let block = module
        .encipher_pin(&pik, PinFormat::WithPan, &pin("123456"), &card)
        .expect("block");
    let moved = module.translate_pin(
        &pik,
        PinFormat::WithPan,
        &pik,
        PinFormat::WithoutPan,
        &block,
        &card,
    );
    assert_eq!(moved, Err(SecurityError::PinTranslation));
}

#[test]
fn lengths_and_offsets() {
    for (text, valid) in [
        ("123", false),
        ("1234", true),
        ("123456789012", true),
        ("1234567890123", false),
        ("12a4", false),
        ("", false),
    ] {
        assert_eq!(Pin::parse(text.as_bytes()).is_ok(), valid, "{text}");
        assert_eq!(text.parse::<PinOffset>().is_ok(), valid, "{text}");
        let json = serde_json::from_str::<PinOffset>(&format!("\"{text}\"")).ok();
        assert_eq!(
            json.map(|offset| offset.to_string()).as_deref(),
            valid.then_some(text)
        );
    }
}
