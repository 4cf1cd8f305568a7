//! Derived unique key per transaction with AES (ANSI X9.24-3): the host's side, from base derivation key and serial number.
//!
//! Invariant: a serial number's counter has at most sixteen one bits and stops at its end; no key is longer than its parent.

use crate::{
    engine::{BlockCipher, Engine},
    module::SecurityError,
};
use zeroize::Zeroizing;

/// One bits that a counter may have; devices skip the values with more.
const COUNTER_ONES_MAX: u32 = 16;
/// Version of the derivation data.
const VERSION: u8 = 1;

/// A derived key of 16, 24 or 32 bytes.
pub(crate) type Key = Zeroizing<Vec<u8>>;

/// Base derivation key id, device and counter.
#[derive(Clone, Copy)]
pub(crate) struct KeySerialNumber([u8; 12]);

impl KeySerialNumber {
    /// `None` when the counter has more than sixteen one bits.
    pub(crate) fn new(bytes: [u8; 12]) -> Option<Self> {
        let number = Self(bytes);
        (number.counter().count_ones() <= COUNTER_ONES_MAX).then_some(number)
    }

    pub(crate) fn bytes(&self) -> [u8; 12] {
        self.0
    }

    /// The number after this one; `None` when the device's keys are used up.
    pub(crate) fn next(&self) -> Option<Self> {
        let mut counter = self.counter().checked_add(1)?;
        while counter.count_ones() > COUNTER_ONES_MAX {
            counter = counter.checked_add(1 << counter.trailing_zeros())?;
        }
        let mut bytes = self.0;
        bytes[8..].copy_from_slice(&counter.to_be_bytes());
        Some(Self(bytes))
    }

    fn counter(&self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// What the initial key is derived with.
    fn initial_key_id(&self) -> [u8; 8] {
        let [id @ .., _, _, _, _] = self.0;
        id
    }

    /// What a key of `counter` is derived with: device, counter.
    fn context(&self, counter: u32) -> [u8; 8] {
        let [_, _, _, _, a, b, c, d, ..] = self.0;
        let [e, f, g, h] = counter.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// What a derived key is for, by its code in the derivation data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Enciphers keys.
    KeyEncryption = 0x0002,
    /// Enciphers PIN blocks.
    Pin = 0x1000,
    /// The terminal's MACs.
    MacGenerate = 0x2000,
    /// The host's MACs.
    MacVerify = 0x2001,
    /// MACs of both.
    MacBoth = 0x2002,
    /// The terminal's data.
    DataEncrypt = 0x3000,
    /// The host's data.
    DataDecrypt = 0x3001,
    /// Data of both.
    DataBoth = 0x3002,
    /// Derives further keys.
    Derivation = 0x8000,
    /// Loaded into the device.
    Initial = 0x8001,
}

/// What a derived key is a key of, by its code in the derivation data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// Two-key triple DES.
    Tdes2 = 0,
    /// Three-key triple DES.
    Tdes3 = 1,
    /// AES with 16 bytes of key.
    Aes128 = 2,
    /// AES with 24 bytes of key.
    Aes192 = 3,
    /// AES with 32 bytes of key.
    Aes256 = 4,
}

impl Algorithm {
    fn key_bytes(self) -> usize {
        match self {
            Self::Tdes2 | Self::Aes128 => 16,
            Self::Tdes3 | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// The AES of a base derivation key; `None` unless that has 16, 24 or 32 bytes.
    fn of_base(base: &[u8]) -> Option<Self> {
        [Self::Aes128, Self::Aes192, Self::Aes256]
            .into_iter()
            .find(|aes| aes.key_bytes() == base.len())
    }

    /// Bits of strength: triple DES is below every AES.
    fn strength(self) -> usize {
        match self {
            Self::Tdes2 | Self::Tdes3 => 0,
            aes => aes.key_bytes(),
        }
    }
}

/// The key that a device is loaded with; `None` unless the base derivation key is an AES key.
pub(crate) fn initial_key<E: Engine>(
    engine: &E,
    base: &[u8],
    initial_key_id: [u8; 8],
) -> Result<Option<Key>, SecurityError> {
    let Some(algorithm) = Algorithm::of_base(base) else {
        return Ok(None);
    };
    derive(engine, base, Usage::Initial, algorithm, initial_key_id).map(Some)
}

/// The key from which those of one transaction are derived; `None` for counter 0 and unless the base is an AES key.
pub(crate) fn derivation_key<E: Engine>(
    engine: &E,
    base: &[u8],
    serial: &KeySerialNumber,
) -> Result<Option<Key>, SecurityError> {
    let initial = initial_key(engine, base, serial.initial_key_id())?;
    let (Some(algorithm), Some(mut key)) = (Algorithm::of_base(base), initial) else {
        return Ok(None);
    };
    let counter = serial.counter();
    let mut reached = 0;
    for bit in (0..u32::BITS).rev().map(|bit| 1 << bit) {
        if counter & bit != 0 {
            reached |= bit;
            let context = serial.context(reached);
            key = derive(engine, &key, Usage::Derivation, algorithm, context)?;
        }
    }
    Ok((counter != 0).then_some(key))
}

/// A key of one transaction; `None` also when `wanted` would be stronger than what it is derived from.
pub(crate) fn working_key<E: Engine>(
    engine: &E,
    base: &[u8],
    serial: &KeySerialNumber,
    usage: Usage,
    wanted: Algorithm,
) -> Result<Option<Key>, SecurityError> {
    let strong = Algorithm::of_base(base).is_some_and(|own| wanted.strength() <= own.strength());
    match derivation_key(engine, base, serial)? {
        Some(parent) if strong => {
            let context = serial.context(serial.counter());
            derive(engine, &parent, usage, wanted, context).map(Some)
        }
        _ => Ok(None),
    }
}

fn derive<E: Engine>(
    engine: &E,
    parent: &[u8],
    usage: Usage,
    algorithm: Algorithm,
    context: [u8; 8],
) -> Result<Key, SecurityError> {
    let cipher = engine.aes(parent)?;
    let [usage_high, usage_low] = (usage as u16).to_be_bytes();
    let [bits_high, bits_low] = (8 * algorithm.key_bytes() as u16).to_be_bytes();
    let mut key = Zeroizing::new(vec![0; algorithm.key_bytes()]);
    for (part, counter) in key.chunks_mut(16).zip(1..) {
        let mut data = [0; 16];
        data[..8].copy_from_slice(&[
            VERSION,
            counter,
            usage_high,
            usage_low,
            0,
            algorithm as u8,
            bits_high,
            bits_low,
        ]);
        data[8..].copy_from_slice(&context);
        let block = Zeroizing::new(cipher.encrypt(data)?);
        part.copy_from_slice(&block[..part.len()]);
    }
    Ok(key)
}
