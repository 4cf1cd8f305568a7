//! PIN blocks, MACs, key wrapping and check values behind one security-module interface.
//!
//! Invariant: outside this crate no key is ever clear, no PIN is ever clear, and a card number is clear only where
//! [`Pan::expose`] is called. Parties talk to a [`SecurityModule`]; ciphers are private. Raw primitives are reachable
//! only as rows of text through `vectors`, behind the cargo feature of that name, for the command that checks this build.
//!
//! Every algorithm here is composed over an [`Engine`]: the place where keys live. The one of [`SoftwareModule`] is in this
//! process; an engine over a token is given by who may do I/O ([`EngineModule::with`]).
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
mod component;
mod custody;
mod digits;
mod engine;
mod engine_module;
mod hex;
mod key;
mod key_block;
mod key_block_header;
mod mac;
mod module;
mod pin;
mod pin_block_4;
mod pin_verification;
mod public_key;
mod published_keys;
mod pvv;
mod software_engine;
mod track_cipher;
mod working_keys;
mod wrapped_key;

// Standards that so far only the vectors run: each moves up when the security module offers it.
#[cfg(feature = "vectors")]
mod dukpt_aes;
#[cfg(feature = "vectors")]
mod dukpt_tdes;
#[cfg(feature = "vectors")]
mod keyed_hash;
#[cfg(feature = "vectors")]
mod pin_block;

#[cfg(feature = "vectors")]
pub mod test_interface;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use application_cryptogram::{
    AnswerMethod, Cryptogram, CryptogramScheme, STATUS_UPDATE_APPROVED,
};
pub use card::{Card, Pan, PanToken, SealedPan};
pub use card_data::{CardDataError, CardRequest};
pub use certificate::{sha256, verify_certificate};
pub use chip_card::{
    Application, CardBytes, CardFault, CardMemory, CardRisk, CardScript, ChipCard, ChipProfile,
};
pub use component::{
    Component, ComponentError, ComponentLabel, Passphrase, SealRandom, SealedComponent,
};
pub use custody::{CheckValue, CheckValueLength, CustodyError, KeyCustody};
pub use digits::{DigitsError, luhn_check_digit};
pub use engine::{BlockCipher, CmacKey, Engine, SigningKey};
pub use engine_module::{EngineModule, MasterKeys, SoftwareModule};
pub use key::{ClearKey, KeyAlgorithm, KeyUsage};
pub use key_block::{KeyBlockError, Version as KeyBlockVersion};
pub use mac::{MacAlgorithm, UnknownMacAlgorithm};
pub use module::{PinZone, SecurityError, SecurityModule};
pub use pin::{Pin, PinBlock, PinFormat, PinOffset};
pub use pin_block_4::{PinBlock4, ZonePinBlock};
pub use public_key::public_key_checksum;
pub use published_keys::published_local_master_key;
pub use pvv::PvkIndex;
pub use track_cipher::ClearTrack;
pub use working_keys::WorkingKeys;
pub use wrapped_key::{KeyMode, WrappedKey};

// What holds the text of a passphrase or a component on its way in.
pub use zeroize::Zeroizing;
