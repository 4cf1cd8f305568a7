//! A row of the journal, the records in it, and the chain over all rows before.
//!
//! Whoever changes a byte of a row, its time or its number, or leaves a row out, breaks the chain from there on.

use super::JournalError;
use payment::Now;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Version of the records' encoding; a journal of another one is refused, never guessed at.
pub const RECORDS_VERSION: u32 = 4;
/// The chain before the first row.
pub(super) const EMPTY: Chain = Chain([0; 32]);

const LENGTH_BYTES: usize = 4;

/// SHA-256 over a row and the chain before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chain(pub [u8; 32]);

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// One gathering as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number, from 1, without gaps.
    pub seq: u64,
    /// When it was decided.
    pub now: Now,
    /// Version of the records.
    pub version: u32,
    /// The records, each behind its length.
    pub records: Vec<u8>,
    /// The chain up to and with this row.
    pub chain: Chain,
}

impl Row {
    /// The records of this row, in order.
    ///
    /// # Errors
    /// Bytes that are no records of this kind; `path` is named.
    pub fn records<R: DeserializeOwned>(&self, path: &Path) -> Result<Vec<R>, JournalError> {
        let mut records = Vec::new();
        let mut rest = self.records.as_slice();
        while !rest.is_empty() {
            let Some((record, after)) = split_record(rest) else {
                return Err(JournalError::damaged(
                    path,
                    self.seq,
                    "a record is cut short",
                ));
            };
            let record = postcard::from_bytes(record).map_err(|error| {
                JournalError::damaged(path, self.seq, &format!("a record does not read: {error}"))
            })?;
            records.push(record);
            rest = after;
        }
        Ok(records)
    }
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// Appends one record behind its length (four bytes, least first).
///
/// # Errors
/// A record that its type cannot encode; `records` is then lost, and the caller must not go on.
pub fn push_record<R: Serialize>(records: &mut Vec<u8>, record: &R) -> Result<(), postcard::Error> {
    let start = records.len();
    let mut bytes = std::mem::take(records);
    bytes.extend_from_slice(&[0; LENGTH_BYTES]);
    *records = postcard::to_extend(record, bytes)?;
    let length = (records.len() - start - LENGTH_BYTES) as u32;
    records[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The chain after a row, from the chain before it.
pub(super) fn link(before: &Chain, seq: u64, now: Now, version: u32, records: &[u8]) -> Chain {
    let mut hash = Sha256::new();
    hash.update(before.0);
    hash.update(seq.to_be_bytes());
    hash.update(now.mono.0.to_be_bytes());
    hash.update(now.wall.0.to_be_bytes());
    hash.update(version.to_be_bytes());
    hash.update(records);
    Chain(hash.finalize().into())
}
