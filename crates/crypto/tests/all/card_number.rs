//! Card numbers: parsing, sealing, tokens and masks.

use crate::{module, pan, unhex};
use crypto::{Card, DigitsError, Pan, SealedPan, SecurityError, SecurityModule, luhn_check_digit};
use proptest::prelude::*;

proptest! {
    #[test]
    fn sealed_numbers_open(digits in "[0-9]{12,19}", day in any::<u16>(), other_day in any::<u16>()) {
        let module = module(1);
        let number = pan(&digits);
        let card = module.card(&number, day).unwrap();
        let opened = module.open_pan(&card.sealed).unwrap();
        prop_assert_eq!(opened.expose(), digits.as_bytes());
        prop_assert_eq!(card.sealed.key_day(), day);
        prop_assert_eq!(module.card(&number, day).unwrap(), card, "sealing is deterministic");
        let other = module.card(&number, other_day).unwrap();
        prop_assert_eq!(other.token, card.token, "the token does not depend on the day");
        prop_assert_eq!(other.sealed == card.sealed, other_day == day);
        let masked = format!("{}{}{}", &digits[..6], "*".repeat(digits.len() - 10), &digits[digits.len() - 4..]);
        prop_assert_eq!(card.masked(), masked);
        prop_assert_eq!((card.bin, card.last4), (number.bin(), number.last4()));
        let json = serde_json::to_string(&card).unwrap();
        prop_assert_eq!(serde_json::from_str::<Card>(&json).unwrap(), card);
        prop_assert!(!json.contains(&digits));
    }

    #[test]
    fn tokens_differ(left in "[0-9]{12,19}", right in "[0-9]{12,19}") {
        let [left_token, right_token] = [&left, &right].map(|digits| module(1).card(&pan(digits), 0).unwrap().token);
        prop_assert_eq!(left_token == right_token, left == right);
        prop_assert_ne!(left_token, module(2).card(&pan(&left), 0).unwrap().token, "another module's token");
    }

    #[test]
    fn any_sealed_bytes(block in "[0-9A-F]{36}") {
        let sealed: SealedPan = serde_json::from_str(&format!("\"{block}\"")).unwrap();
        prop_assert_eq!(module(1).open_pan(&sealed), Err(SecurityError::SealedPan));
    }
}

#[test]
fn changed_seals_do_not_open() {
    let module = module(1);
    let sealed = module
        .card(&pan("6222021234567890128"), 20_000)
        .expect("card")
        .sealed;
    let text = serde_json::to_string(&sealed).expect("json");
    let bytes = unhex(text.trim_matches('"'));
    assert_eq!(bytes.len(), 18);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed: SealedPan =
            serde_json::from_str(&format!("\"{}\"", crate::hex(&changed))).expect("json");
        assert_eq!(
            module.open_pan(&changed),
            Err(SecurityError::SealedPan),
            "bit {bit}"
        );
    }
    assert_eq!(
        crate::module(2).open_pan(&sealed),
        Err(SecurityError::SealedPan),
        "another module's seal"
    );
}

#[test]
fn texts_that_are_no_card_number() {
    let length = |found| {
        Some(DigitsError::Length {
            found,
            min: 12,
            max: 19,
        })
    };
    for (text, error) in [
        ("", length(0)),
        ("12345678901", length(11)),
        ("123456789012", None),
        ("1234567890123456789", None),
        ("12345678901234567890", length(20)),
        ("12345678901x", Some(DigitsError::NotADigit { offset: 11 })),
        ("１23456789012", Some(DigitsError::NotADigit { offset: 0 })),
    ] {
        assert_eq!(Pan::parse(text.as_bytes()).err(), error, "{text}");
    }
}

#[test]
fn check_digits() {
    for (digits, holds) in [
        ("6222021234567890128", true),
        ("6217000010000000011", true),
        ("4000000000000002", true),
        ("4000000000000003", false),
    ] {
        assert_eq!(pan(digits).check_digit_holds(), holds, "{digits}");
    }
    assert_eq!(luhn_check_digit(b""), Some(b'0'));
    assert_eq!(luhn_check_digit(b"12x4"), None);
}
