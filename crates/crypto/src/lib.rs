//! PIN blocks, MACs, key wrapping and check values behind one security-module interface.
//!
//! Invariant: outside this crate no key is ever clear, no PIN is ever clear, and a card number is clear only where
//! [`Pan::expose`] is called. Parties talk to a [`SecurityModule`]; ciphers are private. Raw primitives are reachable
//! only as rows of text through `vectors`, behind the cargo feature of that name, for the command that checks this build.
//!
//! The DES implementation underneath is table-based and is not promised to run in constant time; an installation that
//! cares puts a hardware token behind the same trait.

mod application_cryptogram;
mod block_cipher;
mod card;
mod card_data;
mod card_verification;
mod certificate;
mod chip_card;
mod digits;
mod hex;
mod key;
mod mac;
mod module;
mod pin;
mod pin_verification;
mod software_module;
mod working_keys;

// Standards that so far only the vectors run: each moves up when the security module offers it.
#[cfg(feature = "vectors")]
mod block_cipher_128;
#[cfg(feature = "vectors")]
mod cbc;
#[cfg(feature = "vectors")]
mod dukpt_aes;
#[cfg(feature = "vectors")]
mod dukpt_tdes;
#[cfg(feature = "vectors")]
mod key_block;
#[cfg(feature = "vectors")]
mod keyed_hash;
#[cfg(feature = "vectors")]
mod pin_block;
#[cfg(feature = "vectors")]
mod pvv;
#[cfg(feature = "vectors")]
mod track_cipher;

#[cfg(feature = "vectors")]
pub mod test_interface;
#[cfg(feature = "vectors")]
pub mod vectors;

#[cfg(feature = "vectors")]
pub use key_block::KeyBlockError;

pub use application_cryptogram::{Cryptogram, CryptogramScheme};
pub use card::{Card, Pan, PanToken, SealedPan};
pub use card_data::{CardDataError, CardRequest};
pub use certificate::{sha256, verify_certificate};
pub use chip_card::{
    Application, CardBytes, CardMemory, CardRisk, CardScript, ChipCard, ChipProfile,
};
pub use digits::{DigitsError, luhn_check_digit};
pub use key::{ClearKey, KeyUsage, WrappedKey};
pub use mac::{MacAlgorithm, UnknownMacAlgorithm};
pub use module::{SecurityError, SecurityModule};
pub use pin::{Pin, PinBlock, PinFormat, PinOffset};
pub use software_module::SoftwareModule;
pub use working_keys::WorkingKeys;
