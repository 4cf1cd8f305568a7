//! The audit log: who did what to what and when, append-only, each record chained to the one before (security reference §1.16).
//!
//! Invariant: a record that is changed, deleted, inserted, exchanged or cut off is named by [`verify`], also when the chain
//! behind it was made anew: each head is published in a file of its own, one line a record, which belongs off the host.

use super::store::{self, Trouble, hex};
use crate::archive::read_only;
use payment::Wall;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Records on one page.
pub const LISTED_MAX: u32 = 100;

/// The service never changes a record: the database refuses it.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS audit(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, act TEXT NOT NULL,
        object TEXT NOT NULL, before TEXT, after TEXT, hash BLOB NOT NULL);
    CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
    CREATE TRIGGER IF NOT EXISTS audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;";

/// What is to be written down.
#[derive(Clone, Debug)]
pub struct Entry {
    who: String,
    act: &'static str,
    object: String,
    before: Option<String>,
    after: Option<String>,
}

impl Entry {
    /// Who did what to what.
    pub fn new(who: &str, act: &'static str, object: impl Into<String>) -> Self {
        Self {
            who: who.to_owned(),
            act,
            object: object.into(),
            before: None,
            after: None,
        }
    }

    /// With the object as it was and as it is: their hashes are kept, so that either can be proved and neither read.
    pub fn changed(mut self, before: &impl Serialize, after: &impl Serialize) -> Self {
        (self.before, self.after) = (Some(digest(before)), Some(digest(after)));
        self
    }
}

fn digest(value: &impl Serialize) -> String {
    // What is hashed here is our own plain data, which always becomes JSON.
    hex(&Sha256::digest(
        serde_json::to_vec(value).unwrap_or_default(),
    ))
}

/// A record as it is listed; its JSON, in this order, is what the chain covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its number, from 1.
    pub seq: u64,
    /// When, wall clock of this host.
    pub at_ms: i64,
    /// Who.
    pub who: String,
    /// What they did.
    pub act: String,
    /// To what.
    pub object: String,
    /// SHA-256 of the object before, as hex.
    pub before: Option<String>,
    /// SHA-256 of the object after, as hex.
    pub after: Option<String>,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl Default for Head {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: Sha256::digest(b"audit-chain-v1").into(),
        }
    }
}

impl Head {
    /// As it is shown and published: `number:hash`.
    pub fn text(&self) -> String {
        format!("{}:{}", self.seq, hex(&self.hash))
    }

    fn read(text: &str) -> Option<Self> {
        let (seq, hash) = text.trim().split_once(':')?;
        let pairs: Option<Vec<u8>> = (hash.len() == 64 && hash.is_ascii()).then(|| {
            (0..32)
                .filter_map(|n| u8::from_str_radix(&hash[2 * n..2 * n + 2], 16).ok())
                .collect()
        });
        Some(Self {
            seq: seq.parse().ok()?,
            hash: pairs?.try_into().ok()?,
        })
    }

    fn next(&self, kept: &Kept) -> Self {
        let canonical = serde_json::to_vec(kept).unwrap_or_default();
        Self {
            seq: self.seq + 1,
            hash: link(&self.hash, self.seq + 1, &canonical),
        }
    }
}

/// `SHA-256(01 || hash before || number as 8 bytes || record)` (security reference §1.16).
fn link(before: &[u8; 32], seq: u64, record: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(before);
    hash.update(seq.to_be_bytes());
    hash.update(record);
    hash.finalize().into()
}

/// Adds a record within the transaction of what it is about.
pub(super) fn append(write: &Transaction<'_>, at: Wall, entry: &Entry) -> rusqlite::Result<Head> {
    let head = head_of(write)?;
    let kept = Kept {
        seq: head.seq + 1,
        at_ms: at.0,
        who: entry.who.clone(),
        act: entry.act.to_owned(),
        object: entry.object.clone(),
        before: entry.before.clone(),
        after: entry.after.clone(),
    };
    let next = head.next(&kept);
    write.execute(
        "INSERT INTO audit VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            kept.seq as i64,
            kept.at_ms,
            kept.who,
            kept.act,
            kept.object,
            kept.before,
            kept.after,
            next.hash
        ],
    )?;
    Ok(next)
}

fn head_of(disk: &Connection) -> rusqlite::Result<Head> {
    let last = disk.query_row(
        "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
        [],
        |row| {
            Ok(Head {
                seq: row.get::<_, i64>(0)? as u64,
                hash: row.get(1)?,
            })
        },
    );
    Ok(last.optional()?.unwrap_or_default())
}

/// Where the heads of a data directory are published.
pub(super) fn heads_path(data: &Path) -> PathBuf {
    data.join("audit.heads")
}

/// Publishes a head: to the file, and to the log, which is collected elsewhere.
pub(super) fn publish(heads: &Path, head: &Head) {
    tracing::info!(head = %head.text(), "audit");
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(heads)
        .and_then(|mut file| writeln!(file, "{}", head.text()));
    if let Err(error) = written {
        // The record itself is safe; what is lost is the proof that nothing behind it was cut off.
        tracing::error!(%error, "a head of the audit log could not be published");
    }
}

fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        seq: row.get::<_, i64>(0)? as u64,
        at_ms: row.get(1)?,
        who: row.get(2)?,
        act: row.get(3)?,
        object: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
    })
}

impl store::People {
    /// Records before `below`, newest first, at most [`LISTED_MAX`], with the head of the whole log.
    ///
    /// # Errors
    /// The disk refused.
    pub fn audit(&self, below: Option<u64>) -> Result<(Vec<Kept>, Head), Trouble> {
        let disk = self.disk();
        let mut select = disk.prepare(
            "SELECT seq, at_ms, who, act, object, before, after FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        )?;
        let below = below.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let rows = select.query_map(params![below, LISTED_MAX], kept)?;
        Ok((rows.collect::<Result<_, _>>()?, head_of(&disk)?))
    }

    /// Writes down what has no other effect in this file.
    ///
    /// # Errors
    /// The disk refused.
    pub fn note(&self, entry: Entry) -> Result<(), Trouble> {
        self.write(|_, entries| {
            entries.push(entry);
            Ok(())
        })
    }
}

/// What is wrong with an audit log, from its first bad record on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Number of the first record that is not as it was written.
    pub index: u64,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.index, self.what)
    }
}

/// Recomputes the audit log of a data directory from its beginning; gives its head, or the first record that is not as it was.
///
/// # Errors
/// The log cannot be read.
pub fn verify(data: &Path) -> Result<Result<Head, Damage>, Trouble> {
    let disk = read_only(&store::path(data))?;
    let heads = std::fs::read_to_string(heads_path(data)).unwrap_or_default();
    let published: BTreeMap<u64, [u8; 32]> = heads
        .lines()
        .filter_map(Head::read)
        .map(|head| (head.seq, head.hash))
        .collect();
    let mut select = disk.prepare(
        "SELECT seq, at_ms, who, act, object, before, after, hash FROM audit ORDER BY seq",
    )?;
    let mut rows = select.query([])?;
    let mut head = Head::default();
    while let Some(row) = rows.next()? {
        let (kept, stored): (Kept, [u8; 32]) = (kept(row)?, row.get(7)?);
        let next = head.next(&kept);
        let damage = |what| {
            Ok(Err(Damage {
                index: next.seq,
                what,
            }))
        };
        if kept.seq != next.seq {
            return damage("missing");
        }
        if stored != next.hash {
            return damage("not as it was written");
        }
        if published
            .get(&next.seq)
            .is_some_and(|hash| *hash != next.hash)
        {
            return damage("not the one whose head was published");
        }
        head = next;
    }
    match published.last_key_value() {
        Some((last, _)) if *last > head.seq => Ok(Err(Damage {
            index: head.seq + 1,
            what: "missing: the log was cut off",
        })),
        _ => Ok(Ok(head)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_that_of_the_reference() {
        let record = br#"{"seq":1,"actor":"alice","action":"refund.approve","object":"rf_1","at":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(
            hex(&link(&Head::default().hash, 1, record)),
            "3884e666876da7cce376f7b55c929475bfb59ff9c492166b579ce5017e9b4ba7"
        );
    }
}
