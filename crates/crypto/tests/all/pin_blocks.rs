//! PIN blocks of formats 1 to 4: what is built is read back, what is malformed is one error.

use crate::vectors::{got, row};
use crypto::{
    SecurityError,
    test_interface::{Outcome, Rejection},
};
use proptest::prelude::*;

const KEY: &str = "AF8CB133A78F8DC2D1359F18527593FB";
/// A card number whose mixed-in twelve digits are zeros: what is seen is the plain block.
const ZEROS: &str = "4000000000000000";

fn refused() -> Outcome {
    Outcome::Rejected(Rejection::Module(SecurityError::PinFormat))
}

fn read(format: u8, block: &str, pan: &str) -> Outcome {
    let algorithm = format!("PINBLOCK-ISO9564-{format}-DECODE");
    let name = if format == 4 { "block" } else { "clear_block" };
    let inputs = [(name, block), ("pan", pan), ("key", KEY)];
    got(&row(&algorithm, &inputs, ""))
}

fn built(format: u8, pin: &str, pan: &str, fill: &str) -> String {
    let suffix = if format == 4 { "AES" } else { "CLEAR" };
    let algorithm = format!("PINBLOCK-ISO9564-{format}-{suffix}");
    let inputs = [
        ("key", KEY),
        ("pin", pin),
        ("pan", pan),
        ("fill_nibbles", &fill[..14 - pin.len()]),
        ("random8", fill),
    ];
    match got(&row(&algorithm, &inputs, "")) {
        Outcome::Value(block) => block,
        other => panic!("format {format}: {other:?}"),
    }
}

#[test]
fn malformed_blocks_are_one_error() {
    for (format, what, block) in [
        (1, "control", "0412340123456789"),
        (1, "too short", "1312340123456789"),
        (1, "too long", "1D12345678901234"),
        (1, "nibble above 9", "14123A0123456789"),
        (2, "control", "16123456FFFFFFFF"),
        (2, "fill", "26123456FFFFFFF0"),
        (2, "length 0", "20FFFFFFFFFFFFFF"),
        (2, "length 15", "2F12345678901234"),
        (3, "control", "041234ABCDEFABCD"),
        (3, "decimal fill", "341234ABCDEFABC9"),
        (3, "nibble above 9", "34123AABCDEFABCD"),
    ] {
        assert_eq!(
            read(format, block, ZEROS),
            refused(),
            "format {format}: {what}"
        );
    }
    for (format, block) in [
        (1, "1412340123456789"),
        (2, "241234FFFFFFFFFF"),
        (3, "341234ABCDEFABCD"),
    ] {
        assert_eq!(
            read(format, block, ZEROS),
            Outcome::Value("1234".to_owned())
        );
    }
}

/// Format 4 of a changed block, another card or another key: a right control nibble, length and fill have chance 2⁻⁴⁰ or so.
#[test]
fn format_4_is_bound_to_card_and_key() {
    let block = "A912150391AB65A67E52883D81CE2D15";
    let card = "4111111111111111";
    assert_eq!(read(4, block, card), Outcome::Value("1234".to_owned()));
    for other in ["4111111111111112", "41111111111111110", "411111111111"] {
        assert_eq!(read(4, block, other), refused(), "{other}");
    }
    for place in 0..block.len() {
        let digit = if &block[place..=place] == "0" {
            "1"
        } else {
            "0"
        };
        let changed = format!("{}{digit}{}", &block[..place], &block[place + 1..]);
        assert_eq!(read(4, &changed, card), refused(), "{changed}");
    }
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(
        pin in "[0-9]{4,12}",
        pan in "[0-9]{12,19}",
        fill in "[A-F]{16}",
    ) {
        for format in 1..=4 {
            let block = built(format, &pin, &pan, &fill);
            prop_assert_eq!(read(format, &block, &pan), Outcome::Value(pin.clone()), "{}", format);
        }
    }
}

#[test]
fn fill_must_fit() {
    for (format, fill) in [
        (1, "012345678"),
        (1, "01234567890"),
        (3, "ABCDEFABC9"),
        (3, "ABCDEFABC"),
    ] {
        let algorithm = format!("PINBLOCK-ISO9564-{format}-CLEAR");
        let inputs = [("pin", "1234"), ("pan", ZEROS), ("fill_nibbles", fill)];
        match crypto::vectors::run(&row(&algorithm, &inputs, "")) {
            crypto::vectors::Verdict::Failed(Err(error)) => assert_eq!(error.name, "fill_nibbles"),
            other => panic!("format {format}, {fill}: {other:?}"),
        }
    }
}
