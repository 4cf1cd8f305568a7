//! The file `people.db` and the secret beside it: accounts, sessions, keys, proposals and the audit log in one database.
//!
//! Invariant: a change and its audit record are one transaction. The pepper of passwords and the root of second factors are
//! in a file of their own, so that a copy of the database alone opens nothing.

use super::audit::{self, Entry};
use super::invitation;
use super::remedies::{self, Remedies};
use crate::config::Profile;
use hmac::{Hmac, KeyInit, Mac};
use payment::Wall;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a writer waits for another one, such as the command line.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS person(name TEXT PRIMARY KEY, role TEXT NOT NULL, merchant TEXT, salt BLOB, hash BLOB,
        factor BLOB, factor_on INTEGER NOT NULL DEFAULT 0, factor_step INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0, locked_until_ms INTEGER NOT NULL DEFAULT 0,
        disabled INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS session(id BLOB PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL,
        strong INTEGER NOT NULL, signed_in_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS session_name ON session(name);
    CREATE TABLE IF NOT EXISTS entry(token BLOB PRIMARY KEY, name TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS api_key(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, label TEXT NOT NULL,
        role TEXT NOT NULL, merchant TEXT, made_ms INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS proposal(id INTEGER PRIMARY KEY, maker TEXT NOT NULL, made_ms INTEGER NOT NULL,
        act TEXT NOT NULL, preview_zh TEXT NOT NULL, preview_en TEXT NOT NULL, shown TEXT NOT NULL, state TEXT NOT NULL,
        checker TEXT, checked_ms INTEGER);
    CREATE TABLE IF NOT EXISTS answered(who TEXT NOT NULL, key TEXT NOT NULL, asked BLOB NOT NULL, status INTEGER,
        body TEXT, at_ms INTEGER NOT NULL, PRIMARY KEY(who, key)) WITHOUT ROWID;";

/// Who tells the time; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Wall + Send + Sync>;

/// The people of one acquirer. Cloning it gives another way to the same.
#[derive(Clone)]
pub struct People(Arc<Inner>);

struct Inner {
    disk: Mutex<Connection>,
    secret: Zeroizing<[u8; 32]>,
    profile: Profile,
    clock: Clock,
    heads: PathBuf,
    remedies: OnceLock<Arc<dyn Remedies>>,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("People(masked)")
    }
}

/// The disk refused, or a row is not what it must be; its text is for the log alone.
#[derive(Debug)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl People {
    /// Opens the people of an acquirer's data directory, or begins with nobody.
    ///
    /// # Errors
    /// The files cannot be made or do not open.
    pub fn open(data: &Path, profile: Profile) -> Result<Self, Trouble> {
        Self::with_clock(data, profile, Arc::new(crate::driver::wall))
    }

    /// The same with a clock of its own.
    ///
    /// # Errors
    /// As for [`People::open`].
    pub fn with_clock(data: &Path, profile: Profile, clock: Clock) -> Result<Self, Trouble> {
        let trouble = |path: &Path, error: String| Trouble(format!("{}: {error}", path.display()));
        std::fs::create_dir_all(data).map_err(|error| trouble(data, error.to_string()))?;
        let path = path(data);
        let opened = || {
            let mut disk = Connection::open(&path)?;
            disk.busy_timeout(BUSY)?;
            disk.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            disk.pragma_update(None, "synchronous", "FULL")?;
            // Two programs may begin the same file.
            let begin = disk.transaction_with_behavior(TransactionBehavior::Immediate)?;
            begin.execute_batch(SCHEMA)?;
            begin.execute_batch(audit::SCHEMA)?;
            begin.execute_batch(remedies::SCHEMA)?;
            begin.execute_batch(invitation::SCHEMA)?;
            begin.commit()?;
            Ok(disk)
        };
        let disk = opened().map_err(|error: rusqlite::Error| trouble(&path, error.to_string()))?;
        let secret = data.join("people.key");
        Ok(Self(Arc::new(Inner {
            disk: Mutex::new(disk),
            secret: read_or_make(&secret).map_err(|error| trouble(&secret, error.to_string()))?,
            profile,
            clock,
            heads: audit::heads_path(data),
            remedies: OnceLock::new(),
        })))
    }

    /// Remedies are asked of `remedies` from now on; the first one stays.
    pub fn remedied_by(&self, remedies: Arc<dyn Remedies>) {
        self.0.remedies.get_or_init(|| remedies);
    }

    pub(super) fn remedies(&self) -> Result<&dyn Remedies, Trouble> {
        let remedies = self.0.remedies.get().map(Arc::as_ref);
        remedies.ok_or_else(|| Trouble("no acquirer is here".to_owned()))
    }

    /// Sandbox or production.
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// The time.
    pub fn now(&self) -> Wall {
        (self.0.clock)()
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Connection> {
        self.0.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` in one transaction with the audit records that it gives; nothing of it stays when it fails.
    pub(super) fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Vec<Entry>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut disk = self.disk();
        let begin = disk.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut entries = Vec::new();
        let done = work(&begin, &mut entries)?;
        let mut head = None;
        for entry in &entries {
            head = Some(audit::append(&begin, self.now(), entry)?);
        }
        begin.commit()?;
        if let Some(head) = head {
            audit::publish(&self.0.heads, &head);
        }
        Ok(done)
    }

    /// A value that only this installation can make: for the pepper and the second factors.
    pub(crate) fn derived(&self, purpose: &str, of: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0.secret)
            .expect("this construction takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(of);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// The database of a data directory.
pub(super) fn path(data: &Path) -> PathBuf {
    data.join("people.db")
}

/// SHA-256, as it is stored of what is drawn at random.
pub(super) fn hashed(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether two tokens are the same, by their hashes, so that time tells nothing.
pub(crate) fn same_token(one: &str, other: &str) -> bool {
    hashed(one) == hashed(other)
}

/// 128 random bits as hex.
pub(crate) fn drawn() -> String {
    hex(&crate::driver::random()[..16])
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_or_make(path: &Path) -> std::io::Result<Zeroizing<[u8; 32]>> {
    let secret = crate::driver::random();
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(&secret)?;
            file.sync_all()?;
            Ok(Zeroizing::new(secret))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let kept = Zeroizing::new(std::fs::read(path)?);
            let kept = kept.as_slice().try_into().map_err(|_| {
                std::io::Error::new(std::io::ErrorKind::InvalidData, "not 32 bytes")
            })?;
            Ok(Zeroizing::new(kept))
        }
        Err(error) => Err(error),
    }
}
