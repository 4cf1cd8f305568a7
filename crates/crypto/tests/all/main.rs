//! Tests of the security module through its public interface.

mod any_bytes;
mod card_authentication;
mod card_number;
mod chip_cards;
mod custody;
mod derived_keys;
mod host_operations;
mod key_blocks;
mod keys;
mod masking;
mod message_authentication;
mod personal_identification;
mod pin_blocks;
mod published;
mod vectors;

use crypto::{ClearKey, KeyUsage, Pan, Pin, SecurityModule, SoftwareModule, WrappedKey};

/// Keys of the computed reference set (UnionPay-style reference §5.8).
const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
const PIK: &str = "1A2B3C4D5E6F70818293A4B5C6D7E8F9";
const MAK: &str = "5BD0C1F29A8E3746";
/// Another PIN key and a PIN verification key.
const ZONE_PIK: &str = "B0C1D2E3F4A5968778695A4B3C2D1E0F";
const PVK: &str = "46B0AA84C9AB2CC87FBD7C736E515C06";

/// The module of one party; parties differ by their number.
fn module(party: u8) -> SoftwareModule {
    SoftwareModule::new([party; 32])
}

fn import(module: &SoftwareModule, usage: KeyUsage, key: &str) -> WrappedKey {
    module
        .import(usage, &ClearKey::from_hex(key).expect("hex key"))
        .expect("importable key")
}

fn pan(digits: &str) -> Pan {
    Pan::parse(digits.as_bytes()).expect("card number")
}

fn pin(digits: &str) -> Pin {
    Pin::parse(digits.as_bytes()).expect("PIN")
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hex text");
    let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex text");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
