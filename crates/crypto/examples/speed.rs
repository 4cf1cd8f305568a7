//! Measures the MAC path: `cargo run --release -p crypto --example speed`.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock"
)]

use crypto::{
    ClearKey, KeyUsage, MacAlgorithm, Pan, Pin, PinFormat, SecurityModule, SoftwareModule,
};
use std::{error::Error, hint::black_box, time::Instant};

const ROUNDS: u32 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let module = SoftwareModule::new([0x42; 32]);
    let single = module.import(KeyUsage::Mac, &ClearKey::from_hex("5BD0C1F29A8E3746")?)?;
    let double = module.import(
        KeyUsage::Mac,
        &ClearKey::from_hex("0123456789ABCDEFFEDCBA9876543210")?,
    )?;
    let pik = module.import(
        KeyUsage::Pin,
        &ClearKey::from_hex("1A2B3C4D5E6F70818293A4B5C6D7E8F9")?,
    )?;
    let zone = module.import(
        KeyUsage::Pin,
        &ClearKey::from_hex("0123456789ABCDEFFEDCBA9876543210")?,
    )?;
    let message = [0x5A; 250];

    for (name, algorithm, key) in [
        (
            "unionpay-ecb, 8-byte key",
            MacAlgorithm::UnionPayEcb,
            &single,
        ),
        (
            "unionpay-ecb, 16-byte key",
            MacAlgorithm::UnionPayEcb,
            &double,
        ),
        ("x9.19", MacAlgorithm::X919, &double),
        ("aes-cmac", MacAlgorithm::AesCmac, &double),
    ] {
        measure(name, || {
            module.mac(algorithm, key, &[black_box(&message)]).is_ok()
        });
    }
    let (pan, pin) = (Pan::parse(b"6222021234567890128")?, Pin::parse(b"123456")?);
    let (from, to) = (PinFormat::WithoutPan, PinFormat::WithPan);
    let block = module.encipher_pin(&pik, from, &pin, &pan)?;
    measure("PIN translation", || {
        module
            .translate_pin(&pik, from, &zone, to, black_box(&block), &pan)
            .is_ok()
    });
    let card = module.card(&pan, 1)?;
    measure("card (seal and token)", || {
        module.card(black_box(&pan), 1).is_ok()
    });
    measure("open sealed PAN", || {
        module.open_pan(black_box(&card.sealed)).is_ok()
    });
    Ok(())
}

fn measure(name: &str, mut operation: impl FnMut() -> bool) {
    let start = Instant::now();
    let done = (0..ROUNDS).filter(|_| operation()).count();
    let each = start.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("{name:<28} {each:>6} ns ({done} of {ROUNDS})");
}
