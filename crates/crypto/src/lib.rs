//! PIN blocks, MACs, key wrapping and check values behind one security-module interface.
//!
//! Invariant: outside this crate no key is ever clear, no PIN is ever clear, and a card number is clear only where
//! [`Pan::expose`] is called. Parties talk to a [`SecurityModule`]; ciphers are private. Raw primitives are reachable
//! only through `test_interface`, behind the cargo feature `vectors`, which the shipped program never turns on.
//!
//! The DES implementation underneath is table-based and is not promised to run in constant time; an installation that
//! cares puts a hardware token behind the same trait.

mod block_cipher;
mod card;
mod certificate;
mod digits;
mod hex;
mod key;
mod mac;
mod module;
mod pin;
mod pin_verification;
mod software_module;
mod working_keys;

#[cfg(feature = "vectors")]
pub mod test_interface;

pub use card::{Card, Pan, PanToken, SealedPan};
pub use certificate::{sha256, verify_certificate};
pub use digits::{DigitsError, luhn_check_digit};
pub use key::{ClearKey, KeyUsage, WrappedKey};
pub use mac::{MacAlgorithm, UnknownMacAlgorithm};
pub use module::{SecurityError, SecurityModule};
pub use pin::{Pin, PinBlock, PinFormat, PinOffset};
pub use software_module::SoftwareModule;
pub use working_keys::WorkingKeys;
