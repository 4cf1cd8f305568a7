//! Derived unique key per transaction with triple DES (ANSI X9.24-1): the host's side, from base derivation key and serial number.
//!
//! Invariant: a serial number's counter has at most ten one bits, and it stops at its end instead of wrapping.

use crate::{
    block_cipher::{halves, xor},
    engine::{BlockCipher, Engine},
    module::SecurityError,
};
use zeroize::Zeroizing;

/// The transaction counter: the right 21 bits of the serial number.
const COUNTER: u32 = 0x001F_FFFF;
/// One bits that a counter may have; devices skip the values with more.
const COUNTER_ONES_MAX: u32 = 10;
/// Mixed into a key to get its companion.
const MASK: [u8; 16] = [
    0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0, 0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0,
];

/// A key of one transaction or device.
pub(crate) type Key = Zeroizing<[u8; 16]>;

/// Key set and device, then the counter.
#[derive(Clone, Copy)]
pub(crate) struct KeySerialNumber([u8; 10]);

impl KeySerialNumber {
    /// `None` when the counter has more than ten one bits.
    pub(crate) fn new(bytes: [u8; 10]) -> Option<Self> {
        let number = Self(bytes);
        (number.counter().count_ones() <= COUNTER_ONES_MAX).then_some(number)
    }

    pub(crate) fn bytes(&self) -> [u8; 10] {
        self.0
    }

    /// The number after this one; `None` when the device's keys are used up.
    pub(crate) fn next(&self) -> Option<Self> {
        let mut counter = self.counter() + 1;
        while counter.count_ones() > COUNTER_ONES_MAX {
            counter += 1 << counter.trailing_zeros();
        }
        (counter <= COUNTER).then(|| self.with_counter(counter))
    }

    fn counter(&self) -> u32 {
        let [.., a, b, c] = self.0;
        u32::from_be_bytes([0, a, b, c]) & COUNTER
    }

    fn with_counter(&self, counter: u32) -> Self {
        let [head @ .., a, b, c] = self.0;
        let kept = u32::from_be_bytes([0, a, b, c]) & !COUNTER;
        let [_, tail @ ..] = (kept | counter).to_be_bytes();
        let mut bytes = [0; 10];
        bytes[..7].copy_from_slice(&head);
        bytes[7..].copy_from_slice(&tail);
        Self(bytes)
    }

    /// The left and the right eight bytes of the ten.
    fn windows(&self) -> [[u8; 8]; 2] {
        let [a, b, middle @ .., c, d] = self.0;
        let [e, f, g, h, i, j] = middle;
        [[a, b, e, f, g, h, i, j], [e, f, g, h, i, j, c, d]]
    }
}

/// The key that a device is loaded with.
pub(crate) fn initial_key<E: Engine>(
    engine: &E,
    base: &[u8; 16],
    serial: &KeySerialNumber,
) -> Result<Key, SecurityError> {
    let [device, _] = serial.with_counter(0).windows();
    let companion = Zeroizing::new(xor(*base, MASK));
    Ok(join([
        engine.des(base)?.encrypt(device)?,
        engine.des(companion.as_slice())?.encrypt(device)?,
    ]))
}

/// The key of one transaction, before a usage is mixed in; `None` for counter 0, which belongs to no transaction.
pub(crate) fn transaction_key<E: Engine>(
    engine: &E,
    base: &[u8; 16],
    serial: &KeySerialNumber,
) -> Result<Option<Key>, SecurityError> {
    let counter = serial.counter();
    let mut key = initial_key(engine, base, serial)?;
    let mut reached = 0;
    for bit in (0..COUNTER.count_ones()).rev().map(|bit| 1 << bit) {
        if counter & bit != 0 {
            reached |= bit;
            let [_, register] = serial.with_counter(reached).windows();
            key = next_key(engine, &key, register)?;
        }
    }
    Ok((counter != 0).then_some(key))
}

/// The non-reversible step: each half of the new key is the old right half enciphered around `register`.
fn next_key<E: Engine>(engine: &E, key: &Key, register: [u8; 8]) -> Result<Key, SecurityError> {
    let half = |key: &[u8; 16]| {
        let [left, right] = *Zeroizing::new(halves(key));
        let enciphered = engine.des(&left)?.encrypt(xor(right, register))?;
        Ok(xor(enciphered, right))
    };
    Ok(join([half(&Zeroizing::new(xor(**key, MASK)))?, half(key)?]))
}

/// What a transaction key is used for.
#[derive(Clone, Copy)]
pub(crate) enum Usage {
    /// PIN blocks.
    Pin,
    /// MAC of the request.
    MacRequest,
    /// MAC of the response.
    MacResponse,
    /// Data of the request.
    DataRequest,
    /// Data of the response.
    DataResponse,
}

impl Usage {
    /// The transaction key with this usage mixed into both halves; data keys are enciphered under themselves once more.
    pub(crate) fn key<E: Engine>(
        self,
        engine: &E,
        transaction: &Key,
    ) -> Result<Key, SecurityError> {
        let (byte, is_data) = match self {
            Self::Pin => (7, false),
            Self::MacRequest => (6, false),
            Self::MacResponse => (4, false),
            Self::DataRequest => (5, true),
            Self::DataResponse => (3, true),
        };
        let mut variant = transaction.clone();
        for half in variant.as_chunks_mut::<8>().0 {
            half[byte] ^= 0xFF;
        }
        if is_data {
            let cipher = engine.des(variant.as_slice())?;
            cipher.encrypt_blocks(variant.as_chunks_mut().0)?;
        }
        Ok(variant)
    }
}

fn join(halves: [[u8; 8]; 2]) -> Key {
    let halves = Zeroizing::new(halves);
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(halves.as_flattened());
    key
}
