//! What secrets show of themselves: never a digit, never a key byte.

use crate::{MAK, PIK, import, module, pan, pin};
use crypto::{ClearKey, KeyUsage, PinBlock, PinFormat, SecurityModule};
use expect_test::expect;

#[test]
fn debug_texts() {
    let module = module(1);
    let number = pan("6225760000000005");
    let pik = import(&module, KeyUsage::Pin, PIK);
    let block = module
        .encipher_pin(&pik, PinFormat::WithPan, &pin("123456"), &number)
        .expect("block");
    let card = module.card(&number, 1).expect("card");
    let shown = format!(
        "{number:?}\n{card:?}\n{:?}\n{:?}\n{block:?}\n{:?}\n{pik:?}\n{module:?}\n",
        card.sealed,
        pin("123456"),
        ClearKey::from_hex(MAK).expect("key"),
    );
    expect![[r#"
        622576******0005
        622576******0005
        sealed
        Pin(******)
        PinBlock(******)
        ClearKey(******)
        WrappedKey(Pin 14902E4D)
        SecurityModule(******)
    "#]]
    .assert_eq(&shown);
    for secret in [
        "6225760000000005",
        "76000000",
        "123456",
        "F31CE6A0",
        MAK,
        PIK,
        &PIK[..8],
    ] {
        assert!(!shown.contains(secret), "{secret} is shown");
        assert!(
            !format!("{:#?}", (&number, &card, &pik, &block)).contains(secret),
            "{secret} is shown"
        );
    }
}

/// Errors name positions and lengths, never values.
#[test]
fn error_texts() {
    let mut shown = String::new();
    for error in [
        crypto::Pan::parse(b"622576000000000x")
            .expect_err("no digit")
            .to_string(),
        crypto::Pin::parse(b"123").expect_err("short").to_string(),
        ClearKey::from_hex("5BD0C1F29A8E374")
            .expect_err("odd")
            .to_string(),
        serde_json::from_str::<crypto::WrappedKey>("\"5BD0C1F2\"")
            .expect_err("short")
            .to_string(),
        module(1)
            .translate_pin(
                &import(&module(1), KeyUsage::Pin, PIK),
                PinFormat::WithPan,
                &import(&module(1), KeyUsage::Pin, PIK),
                PinFormat::WithPan,
                &PinBlock::new([0; 8]),
                &pan("6225760000000005"),
            )
            .expect_err("malformed")
            .to_string(),
    ] {
        shown += &format!("{error}\n");
    }
    expect![[r#"
        not a digit at offset 15
        3 digits where 4 to 12 are allowed
        key is not 16, 32 or 48 hex characters
        not a wrapped key
        PIN block refused
    "#]]
    .assert_eq(&shown);
}
