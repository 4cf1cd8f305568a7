//! Field 55 as it travels: what a chip card says in a request, which is secret, and what the issuer answers it, which is not.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroize;

/// The most that field 55 of a request may carry (UnionPay-style reference §2.7).
pub const CHIP_REQUEST_MAX: usize = 512;
/// The most that field 55 of an answer may carry here: issuer authentication and one script.
pub const CHIP_ANSWER_MAX: usize = 160;

/// Field 55 of a request: cryptogram and card data as TLV. It may hold the card number, so it lives beside the request,
/// in no record, and is zeroed when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ChipRequest(Vec<u8>);

impl ChipRequest {
    /// At most [`CHIP_REQUEST_MAX`] bytes, not empty.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=CHIP_REQUEST_MAX)
            .contains(&bytes.len())
            .then(|| Self(bytes.to_vec()))
    }

    /// The TLV bytes, for the wire and the chip's own readers.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for ChipRequest {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ChipRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChipRequest({} bytes)", self.0.len())
    }
}

/// Field 55 of an answer: issuer authentication data (91), scripts (71, 72).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChipAnswer {
    length: u8,
    bytes: [u8; CHIP_ANSWER_MAX],
}

impl ChipAnswer {
    /// At most [`CHIP_ANSWER_MAX`] bytes, not empty.
    pub fn new(tlv: &[u8]) -> Option<Self> {
        let length = u8::try_from(tlv.len()).ok().filter(|length| *length > 0)?;
        let mut bytes = [0; CHIP_ANSWER_MAX];
        bytes.get_mut(..tlv.len())?.copy_from_slice(tlv);
        Some(Self { length, bytes })
    }

    /// The TLV bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for ChipAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChipAnswer({} bytes)", self.length)
    }
}

impl Serialize for ChipAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.bytes())
    }
}

impl<'de> Deserialize<'de> for ChipAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <Vec<u8>>::deserialize(deserializer)?;
        Self::new(&bytes).ok_or_else(|| serde::de::Error::custom("field 55 of an answer"))
    }
}
