//! Components of a key: each known to one holder, worth nothing alone, at rest under that holder's passphrase.
//!
//! Invariant: a component is clear only between opening and combining; whatever its file says beside the cipher text is
//! authenticated with it, and no file makes the opening costlier than the named limits.

use crate::{
    block_cipher::set_odd_parity,
    hex,
    key::{ClearKey, KEY_BYTES_MAX, KeyAlgorithm},
    module::SecurityError,
    software_engine::SoftwareEngine,
};
use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use argon2::{Algorithm, Argon2, Params, Version};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Shortest passphrase of a holder, in characters.
const PASSPHRASE_CHARACTERS_MIN: usize = 12;
/// Longest passphrase of a holder, in bytes.
const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// Longest name of a holder, in bytes.
const HOLDER_BYTES_MAX: usize = 64;
/// What Argon2id costs in a new file: memory in KiB, passes, lanes (RFC 9106 §4, second choice).
const COST: Cost = Cost {
    memory_kib: 65_536,
    passes: 3,
    lanes: 4,
};
/// What an opened file may ask at most.
const COST_MAX: Cost = Cost {
    memory_kib: 262_144,
    passes: 16,
    lanes: 16,
};
/// Form of the file.
const FORM: u8 = 1;
/// Keeps what is authenticated here apart from everything else under a passphrase.
const LABEL: &[u8] = b"counterfoil key component";

/// Why a component is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentError {
    /// Fewer than 12 characters, or more than 1,024 bytes.
    Passphrase,
    /// No name, a longer one than 64 bytes, or one with control characters.
    Holder,
    /// Not as many hex characters as a key of the cipher has.
    Text,
    /// A byte of a DES component with even parity: a typing error.
    Parity,
    /// All zeros: the others would then know the key.
    Zero,
    /// The file is of another form, or asks for more work than allowed.
    Form,
    /// Wrong passphrase, or the file was changed.
    Sealed,
    /// The cipher has no key of this length.
    Length,
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase must have 12 characters or more",
            Self::Holder => "holder's name must have 1 to 64 printable characters",
            Self::Text => "component is not hex of a key's length",
            Self::Parity => "component has a byte of even parity: look for a typing error",
            Self::Zero => "component of zeros refused",
            Self::Form => "component file of an unknown form",
            Self::Sealed => "component does not open: wrong passphrase, or the file was changed",
            Self::Length => "the cipher has no key of this length",
        })
    }
}

impl core::error::Error for ComponentError {}

/// A holder's passphrase; masked, wiped when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes 12 characters or more, or [`ComponentError::Passphrase`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, ComponentError> {
        let long = text.chars().count() >= PASSPHRASE_CHARACTERS_MIN;
        if !long || text.len() > PASSPHRASE_BYTES_MAX {
            return Err(ComponentError::Passphrase);
        }
        Ok(Self(text))
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Passphrase {}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(******)")
    }
}

/// One component in clear; masked, wiped when dropped.
#[derive(Debug)]
pub struct Component(ClearKey);

impl Component {
    /// Makes one from the caller's random bytes; odd parity for DES.
    pub fn generate(
        algorithm: KeyAlgorithm,
        bytes: usize,
        random: &[u8; KEY_BYTES_MAX],
    ) -> Result<Self, ComponentError> {
        let mut text = Zeroizing::new(*random);
        let text = text.get_mut(..bytes).ok_or(ComponentError::Length)?;
        if algorithm == KeyAlgorithm::Des {
            set_odd_parity(text);
        }
        Self::of(algorithm, text)
    }

    /// Reads one that was made elsewhere: hex, spaces between groups allowed; DES parity is checked, not mended.
    pub fn parse(algorithm: KeyAlgorithm, text: &str) -> Result<Self, ComponentError> {
        let characters: Zeroizing<Vec<u8>> =
            Zeroizing::new(text.bytes().filter(|c| !c.is_ascii_whitespace()).collect());
        let mut bytes = Zeroizing::new([0; KEY_BYTES_MAX]);
        let bytes = bytes
            .get_mut(..characters.len() / 2)
            .ok_or(ComponentError::Text)?;
        if !hex::decode(&characters, bytes) {
            return Err(ComponentError::Text);
        }
        let odd = |byte: &u8| !byte.count_ones().is_multiple_of(2);
        if algorithm == KeyAlgorithm::Des && !bytes.iter().all(odd) {
            return Err(ComponentError::Parity);
        }
        Self::of(algorithm, bytes).map_err(|error| match error {
            ComponentError::Length => ComponentError::Text,
            other => other,
        })
    }

    fn of(algorithm: KeyAlgorithm, bytes: &[u8]) -> Result<Self, ComponentError> {
        let key = ClearKey::of(algorithm, bytes).map_err(|_| ComponentError::Length)?;
        let parity = match algorithm {
            KeyAlgorithm::Des => 1,
            KeyAlgorithm::Aes => 0,
        };
        if bytes.iter().all(|byte| byte & !parity == 0) {
            return Err(ComponentError::Zero);
        }
        Ok(Self(key))
    }

    /// Its check value, three bytes, as a key of its own would have (security reference §1.3).
    pub fn check_value(&self) -> [u8; 3] {
        let [a, b, c, _] = self.0.check_value(&SoftwareEngine(())).unwrap_or_default();
        [a, b, c]
    }

    /// The clear component as hex, for its holder's eyes.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::text(self.0.bytes()))
    }

    /// The XOR of components of one cipher and length, odd parity for DES; `None` when they differ in that.
    pub(crate) fn combine(components: &[Self]) -> Option<Result<ClearKey, SecurityError>> {
        let (first, rest) = components.split_first()?;
        let mut bytes = Zeroizing::new(first.0.bytes().to_vec());
        for other in rest {
            if other.0.algorithm() != first.0.algorithm() || other.0.bytes().len() != bytes.len() {
                return None;
            }
            bytes
                .iter_mut()
                .zip(other.0.bytes())
                .for_each(|(byte, other)| *byte ^= other);
        }
        if first.0.algorithm() == KeyAlgorithm::Des {
            set_odd_parity(&mut bytes);
        }
        Some(ClearKey::of(first.0.algorithm(), &bytes))
    }

    /// Seals it under its holder's passphrase; `random` must be fresh.
    pub fn seal(
        &self,
        label: ComponentLabel,
        passphrase: &Passphrase,
        random: &SealRandom,
    ) -> Result<SealedComponent, ComponentError> {
        let named = !label.holder.trim().is_empty() && label.holder.len() <= HOLDER_BYTES_MAX;
        if !named || label.holder.chars().any(char::is_control) {
            return Err(ComponentError::Holder);
        }
        let mut sealed = SealedComponent {
            form: FORM,
            label,
            algorithm: self.0.algorithm(),
            bits: 8 * self.0.bytes().len() as u16,
            check_value: Bytes(self.check_value()),
            cost: COST,
            salt: Bytes(random.salt),
            nonce: Bytes(random.nonce),
            component: String::new(),
        };
        let cipher = sealed
            .cipher(passphrase)?
            .encrypt(
                &random.nonce.into(),
                Payload {
                    msg: self.0.bytes(),
                    aad: &sealed.authenticated(),
                },
            )
            .map_err(|_| ComponentError::Sealed)?;
        sealed.component = hex::text(&cipher);
        Ok(sealed)
    }
}

/// Whose component, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentLabel {
    /// The holder's name.
    pub holder: String,
    /// When it was made, in whatever form the caller writes times.
    pub created: String,
}

/// Fresh random bytes of one sealing.
#[derive(Clone, Debug)]
pub struct SealRandom {
    /// Salt of the passphrase.
    pub salt: [u8; 16],
    /// Nonce of the cipher.
    pub nonce: [u8; 12],
}

/// What a passphrase costs to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A component as its file holds it: label and check value readable, the component itself under AES-256-GCM with a key that
/// Argon2id makes of the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedComponent {
    form: u8,
    /// Whose, and since when.
    pub label: ComponentLabel,
    algorithm: KeyAlgorithm,
    bits: u16,
    check_value: Bytes<3>,
    cost: Cost,
    salt: Bytes<16>,
    nonce: Bytes<12>,
    component: String,
}

impl SealedComponent {
    /// Opens it, or [`ComponentError::Sealed`] for a wrong passphrase and for any changed bit alike.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Component, ComponentError> {
        if self.form != FORM || !self.cost.within(COST_MAX) {
            return Err(ComponentError::Form);
        }
        let mut cipher = vec![0; self.component.len().min(2 * (KEY_BYTES_MAX + 16)) / 2];
        if !hex::decode(self.component.as_bytes(), &mut cipher) {
            return Err(ComponentError::Sealed);
        }
        let opened = self.cipher(passphrase)?.decrypt(
            &self.nonce.0.into(),
            Payload {
                msg: &cipher,
                aad: &self.authenticated(),
            },
        );
        let bytes = Zeroizing::new(opened.map_err(|_| ComponentError::Sealed)?);
        Component::of(self.algorithm, &bytes)
    }

    /// Everything beside the cipher text, each part with its length in front.
    fn authenticated(&self) -> Vec<u8> {
        let aes = u8::from(self.algorithm == KeyAlgorithm::Aes);
        let cost = [self.cost.memory_kib, self.cost.passes, self.cost.lanes];
        let cost = cost.map(u32::to_be_bytes);
        let parts: [&[u8]; 9] = [
            LABEL,
            &[self.form, aes],
            self.label.holder.as_bytes(),
            self.label.created.as_bytes(),
            &self.bits.to_be_bytes(),
            &self.check_value.0,
            cost.as_flattened(),
            &self.salt.0,
            &self.nonce.0,
        ];
        parts
            .into_iter()
            .flat_map(|part| [&(part.len() as u32).to_be_bytes(), part].concat())
            .collect()
    }

    fn cipher(&self, passphrase: &Passphrase) -> Result<Aes256Gcm, ComponentError> {
        let cost = Params::new(
            self.cost.memory_kib,
            self.cost.passes,
            self.cost.lanes,
            Some(KEY_BYTES_MAX),
        );
        let mut key = Zeroizing::new([0; KEY_BYTES_MAX]);
        Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            cost.map_err(|_| ComponentError::Form)?,
        )
        .hash_password_into(passphrase.0.as_bytes(), &self.salt.0, key.as_mut_slice())
        .map_err(|_| ComponentError::Form)?;
        Aes256Gcm::new_from_slice(key.as_slice()).map_err(|_| ComponentError::Form)
    }
}

impl Cost {
    fn within(self, most: Self) -> bool {
        self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes
    }
}

/// Bytes that a file shows as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hex::serialize(&self.0, serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::deserialize::<D, N>(deserializer).map(Self)
    }
}
