//! The journal: what one party decided, one row per gathering, durable when `append` returns (architecture §4).
//!
//! Invariants: rows are only ever added, each chained to the one before (D4); damage is named by file and row and nothing
//! is skipped; after one failed write nothing more is taken (D5).

mod chain;
mod damage;
mod reader;
mod tail;

pub use chain::{Chain, RECORDS_VERSION, Row, push_record};
pub use damage::JournalError;
pub use reader::{Reader, read, read_after, read_row};

use chain::EMPTY;
use payment::{Mono, Now, Wall};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The oldest SQLite that is safe here: earlier ones can corrupt a database when the write-ahead log is reset.
pub const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Pages in the write-ahead log that start a checkpoint.
pub const CHECKPOINT_PAGES: u32 = 10_000;
/// Bytes to which the write-ahead log is cut after a checkpoint.
pub const WAL_BYTES_KEPT: u32 = 64 * 1024 * 1024;
/// Bytes of a page. A gathering under load fills several; one purchase alone fits one.
pub const PAGE_BYTES: u32 = 4_096;
/// Snapshots kept: the newest, and the one before in case the newest does not read.
pub const SNAPSHOTS_KEPT: u64 = 2;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS gathering(seq INTEGER PRIMARY KEY, mono INTEGER NOT NULL, wall INTEGER NOT NULL,
        version INTEGER NOT NULL, records BLOB NOT NULL, chain BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS snapshot(seq INTEGER PRIMARY KEY, version INTEGER NOT NULL, state BLOB NOT NULL,
        chain BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// Place in a journal: how many gatherings there are up to here, and the chain over them. The empty journal's is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the row, from 1; 0 before the first.
    pub seq: u64,
    /// The chain over this row and all before it.
    pub chain: Chain,
    /// When it was decided.
    pub now: Now,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            seq: 0,
            chain: EMPTY,
            now: Now::default(),
        }
    }
}

/// A state that stands for every row up to `head`.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The last row that is in it.
    pub head: Head,
    /// The state, encoded by the party.
    pub state: Vec<u8>,
}

/// A journal open for writing; no second process can open the same one.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    head: Head,
    poisoned: bool,
    _lock: File,
}

impl Journal {
    /// Opens the journal of `party` at `path`, or makes it.
    ///
    /// # Errors
    /// An SQLite that is too old, a journal that is open elsewhere, is another party's or another profile's, or is damaged.
    pub fn open(path: &Path, party: &str, profile: &str) -> Result<Self, JournalError> {
        let sqlite = |error| JournalError::sqlite(path, error);
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(JournalError::OldSqlite {
                found: rusqlite::version(),
            });
        }
        let lock = lock(path)?;
        tail::check(path)?;
        let connection = Connection::open(path).map_err(sqlite)?;
        configure(&connection).map_err(sqlite)?;
        connection.execute_batch(SCHEMA).map_err(sqlite)?;
        let mut journal = Self {
            connection,
            path: path.to_path_buf(),
            head: Head::default(),
            poisoned: false,
            _lock: lock,
        };
        journal.claim("party", party)?;
        journal.claim("profile", profile)?;
        journal.head = journal.stored_head(None)?.unwrap_or_default();
        Ok(journal)
    }

    /// The last row.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the records of one gathering, as [`push_record`] wrote them. On return they are on disk.
    ///
    /// # Errors
    /// Whatever the disk says; from then on every call is refused with [`JournalError::Poisoned`].
    ///
    /// # Panics
    /// When monotonic time goes back (settled 14).
    pub fn append(&mut self, now: Now, records: &[u8]) -> Result<u64, JournalError> {
        let before = self.head.now.mono;
        assert!(
            now.mono >= before,
            "time goes back from {before:?} to {now:?}"
        );
        self.write(|journal| {
            let seq = journal.head.seq + 1;
            let chain = chain::link(&journal.head.chain, seq, now, RECORDS_VERSION, records);
            let Now { mono, wall } = now;
            journal
                .connection
                .prepare_cached("INSERT INTO gathering VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    seq as i64,
                    mono.0 as i64,
                    wall.0,
                    RECORDS_VERSION,
                    records,
                    chain.0
                ])?;
            journal.head = Head { seq, chain, now };
            Ok(seq)
        })
    }

    /// Keeps `state` as the sum of every row so far, and forgets all but the newest [`SNAPSHOTS_KEPT`].
    ///
    /// # Errors
    /// As for [`Journal::append`].
    pub fn snapshot(&mut self, state: &[u8]) -> Result<(), JournalError> {
        self.write(|journal| {
            let Head { seq, chain, now } = journal.head;
            let sealed = chain::link(&chain, seq, now, RECORDS_VERSION, state);
            let transaction = journal.connection.transaction()?;
            transaction.execute(
                "INSERT OR REPLACE INTO snapshot VALUES(?1, ?2, ?3, ?4)",
                params![seq as i64, RECORDS_VERSION, state, sealed.0],
            )?;
            transaction.execute(
                "DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT ?1)",
                [SNAPSHOTS_KEPT as i64],
            )?;
            transaction.commit()
        })
    }

    /// The newest snapshot that is whole and fits its row; an older one, or none, when it is not.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn newest_snapshot(&self) -> Result<Option<Snapshot>, JournalError> {
        let sqlite = |error| JournalError::sqlite(&self.path, error);
        let mut statement = self
            .connection
            .prepare("SELECT seq, version, state, chain FROM snapshot ORDER BY seq DESC")
            .map_err(sqlite)?;
        let stored = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, u32>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                    row.get::<_, Vec<u8>>(3)?,
                ))
            })
            .map_err(sqlite)?;
        for stored in stored {
            match stored {
                Ok((seq, RECORDS_VERSION, state, sealed)) => {
                    let head = match seq {
                        0 => Some(Head::default()),
                        seq => self.stored_head(Some(seq))?,
                    };
                    if let Some(head) = head
                        && sealed
                            == chain::link(
                                &head.chain,
                                seq as u64,
                                head.now,
                                RECORDS_VERSION,
                                &state,
                            )
                            .0
                    {
                        return Ok(Some(Snapshot { head, state }));
                    }
                }
                Ok(_) => {}
                Err(error) if reader::is_damage(&error) => {}
                Err(error) => return Err(sqlite(error)),
            }
            tracing::error!(path = %self.path.display(), "a snapshot does not fit the journal; an older one is taken");
        }
        Ok(None)
    }

    /// Gives every row after `from` in order, each checked against the chain, up to the head.
    ///
    /// # Errors
    /// The first row that is damaged, missing or of another version, and whatever `each` refuses.
    pub fn replay(
        &mut self,
        from: Head,
        mut each: impl FnMut(&Row) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut rows = reader::Rows::after(from);
        while let Some(row) = rows.next(&self.connection, &self.path)? {
            each(&row)?;
        }
        let reached = rows.head();
        if reached != self.head {
            return Err(JournalError::damaged(
                &self.path,
                reached.seq + 1,
                "the row is missing",
            ));
        }
        Ok(())
    }

    /// Limits the size of the file to `pages` of [`PAGE_BYTES`]; an append beyond it fails as on a full disk.
    ///
    /// # Errors
    /// A journal that cannot be written.
    pub fn limit_pages(&mut self, pages: u32) -> Result<(), JournalError> {
        self.connection
            .pragma_update(None, "max_page_count", pages)
            .map_err(|error| JournalError::sqlite(&self.path, error))
    }

    /// A line of `meta`: `party`, `profile`.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<String>, JournalError> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| JournalError::sqlite(&self.path, error))
    }

    /// A journal belongs to the first who opens it.
    fn claim(&self, name: &'static str, value: &str) -> Result<(), JournalError> {
        match self.meta(name)? {
            Some(found) if found == value => Ok(()),
            Some(found) => Err(JournalError::Foreign {
                path: self.path.clone(),
                name,
                found,
                expected: value.to_owned(),
            }),
            None => self
                .connection
                .execute("INSERT INTO meta VALUES(?1, ?2)", [name, value])
                .map(drop)
                .map_err(|error| JournalError::sqlite(&self.path, error)),
        }
    }

    fn stored_head(&self, seq: Option<i64>) -> Result<Option<Head>, JournalError> {
        let found = self
            .connection
            .query_row(
                "SELECT seq, mono, wall, chain FROM gathering WHERE seq = coalesce(?1, (SELECT max(seq) FROM gathering))",
                [seq],
                |row| {
                    Ok((
                        row.get::<_, i64>(0)? as u64,
                        row.get::<_, i64>(1)? as u64,
                        row.get::<_, i64>(2)?,
                        row.get::<_, Vec<u8>>(3)?,
                    ))
                },
            )
            .optional()
            .map_err(|error| JournalError::sqlite(&self.path, error))?;
        let Some((seq, mono, wall, chain)) = found else {
            return Ok(None);
        };
        let chain = chain
            .try_into()
            .map_err(|_| JournalError::damaged(&self.path, seq, "its chain is not 32 bytes"))?;
        let now = Now {
            mono: Mono(mono),
            wall: Wall(wall),
        };
        Ok(Some(Head {
            seq,
            chain: Chain(chain),
            now,
        }))
    }

    fn write<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned {
                path: self.path.clone(),
            });
        }
        self.poisoned = true;
        let done = act(self).map_err(|error| JournalError::sqlite(&self.path, error))?;
        self.poisoned = false;
        Ok(done)
    }
}

/// The lock is a file of its own, since readers of a live journal are welcome.
fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error| JournalError::File {
        path: PathBuf::from(&name),
        error,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked {
            path: path.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Opens `path` for reading only; a journal that a party is writing may be read at any time.
fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}
