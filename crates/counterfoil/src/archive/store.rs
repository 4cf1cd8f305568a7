//! The archive's file and its place in the journal: rows go in by the batch, each batch with its place in one transaction.
//!
//! It is written without waiting for the disk (`synchronous = OFF`): a power cut may spoil it, which costs a rebuild and
//! never a fact, since every fact is in the journal; and its flushes never stand in the way of the journal's.

use super::projection::schema;
use super::{ArchiveError, Projection, Role, Watch, for_role, journal_path, path, read_only};
use crate::journal::{Chain, Head, Reader, Row, read, read_after};
use payment::{Mono, Now, Wall};
use rusqlite::{Connection, OptionalExtension, params};
use std::fs::{File, OpenOptions, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Version of the tables; an archive of another one is rebuilt.
pub const SCHEMA_VERSION: i64 = 4;
/// Records in one transaction, at least, while the journal has as many. Terminals are many, so a large batch touches each
/// page of their rows once instead of often.
pub const FLUSH_RECORDS: u64 = 100_000;
const CACHE_KIB: i64 = 131_072;
const CHECKPOINT_PAGES: i64 = 10_000;

const PLACE: &str = "CREATE TABLE place(id INTEGER PRIMARY KEY CHECK(id = 1), role TEXT NOT NULL, seq INTEGER NOT NULL,
    chain BLOB NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL);";

/// An archive open for writing; there is only one at a time.
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    journal: PathBuf,
    reader: Reader,
    projection: Box<dyn Projection>,
    _lock: File,
}

impl Store {
    /// Opens the archive of `data`, or begins one. An archive of another version, of another journal, or spoilt, is begun again.
    pub(crate) fn open(data: &Path) -> Result<Self, ArchiveError> {
        let lock = lock(data)?;
        let role = Role::of(data)?;
        match place_of(data, role) {
            Ok(Some(place)) => Self::resume(data, role, lock, place),
            Ok(None) => Self::begin(data, role, lock),
            Err(error) if error.is_damage() => Self::begin(data, role, lock),
            Err(error) => Err(error),
        }
    }

    /// Deletes what is there and begins again.
    pub(crate) fn anew(data: &Path) -> Result<Self, ArchiveError> {
        let lock = lock(data)?;
        let role = Role::of(data)?;
        Self::begin(data, role, lock)
    }

    fn begin(data: &Path, role: Role, lock: File) -> Result<Self, ArchiveError> {
        let (path, journal) = (path(data), journal_path(data));
        let sqlite = |error| ArchiveError::Sqlite {
            path: path.clone(),
            error,
        };
        // Readers never see one without tables: it gets its name when it is whole.
        let new = beside(&path, ".new");
        remove(&new)?;
        create(&new, role)
            .and_then(|new| new.close().map_err(|(_, error)| error))
            .map_err(sqlite)?;
        remove(&path)?;
        std::fs::rename(&new, &path).map_err(|error| ArchiveError::File {
            path: path.clone(),
            error,
        })?;
        let connection = Connection::open(&path)
            .and_then(configure)
            .map_err(sqlite)?;
        let reader = read(&journal)?;
        Ok(Self {
            connection,
            path,
            journal,
            reader,
            projection: for_role(role),
            _lock: lock,
        })
    }

    /// The party's copy is folded again up to the place, from a snapshot where the journal has one that is old enough.
    fn resume(data: &Path, role: Role, lock: File, place: Head) -> Result<Self, ArchiveError> {
        let (path, journal) = (path(data), journal_path(data));
        let connection = Connection::open(&path)
            .and_then(configure)
            .map_err(|error| ArchiveError::Sqlite {
                path: path.clone(),
                error,
            })?;
        let mut projection = for_role(role);
        let mut from = Head::default();
        for (head, state) in snapshots(&journal)? {
            if head.seq <= place.seq && projection.restore(&state) {
                from = head;
                break;
            }
        }
        let mut reader = read_after(&journal, from)?;
        while reader.place().seq < place.seq {
            let Some(row) = reader.next().transpose()? else {
                break;
            };
            fold(&mut *projection, &row, &journal, false)?;
        }
        Ok(Self {
            connection,
            path,
            journal,
            reader,
            projection,
            _lock: lock,
        })
    }

    /// Projects all that the journal has now; gives the rows.
    pub(crate) fn project(&mut self) -> Result<u64, ArchiveError> {
        let from = self.place().seq;
        while self.project_batch()? {}
        Ok(self.place().seq - from)
    }

    /// Projects one transaction's worth; false when the journal had nothing more.
    pub(crate) fn project_batch(&mut self) -> Result<bool, ArchiveError> {
        let Self {
            connection,
            path,
            journal,
            reader,
            projection,
            ..
        } = self;
        let before = reader.place().seq;
        let mut records = 0;
        while records < FLUSH_RECORDS {
            let Some(row) = reader.next().transpose()? else {
                break;
            };
            records += fold(&mut **projection, &row, journal, true)?;
        }
        let place = reader.place();
        if place.seq == before {
            return Ok(false);
        }
        let sqlite = |error| ArchiveError::Sqlite {
            path: path.clone(),
            error,
        };
        let transaction = connection.transaction().map_err(sqlite)?;
        write(&transaction, &mut **projection, place).map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        Ok(true)
    }

    /// Tells `watch` of what becomes known.
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.projection.watched(watch);
        self
    }

    /// The last row that was projected.
    pub(crate) fn place(&self) -> Head {
        self.reader.place()
    }
}

/// Writes what `projection` holds, and that the archive now stands at `place`.
pub(crate) fn write(
    archive: &Connection,
    projection: &mut dyn Projection,
    place: Head,
) -> rusqlite::Result<()> {
    projection.write(archive)?;
    let Now { mono, wall } = place.now;
    archive
        .prepare_cached("UPDATE place SET seq = ?1, chain = ?2, mono = ?3, wall = ?4")?
        .execute(params![
            place.seq as i64,
            place.chain.0,
            mono.0 as i64,
            wall.0
        ])
        .map(drop)
}

/// Folds one row. A record that breaks an assertion of its party breaks nothing else.
pub(crate) fn fold(
    projection: &mut dyn Projection,
    row: &Row,
    journal: &Path,
    keep: bool,
) -> Result<u64, ArchiveError> {
    match catch_unwind(AssertUnwindSafe(|| projection.take(row, journal, keep))) {
        Ok(taken) => Ok(taken?),
        Err(panic) => {
            let what = panic.downcast_ref::<String>().map(String::as_str);
            let what = what
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or("an assertion broke");
            Err(ArchiveError::Record {
                path: journal.to_owned(),
                seq: row.seq,
                what: what.to_owned(),
            })
        }
    }
}

/// Makes an empty archive.
pub(crate) fn create(path: &Path, role: Role) -> rusqlite::Result<Connection> {
    let connection = configure(Connection::open(path)?)?;
    connection.execute_batch(&format!("BEGIN; {PLACE} {} COMMIT;", schema(role)))?;
    connection.execute(
        "INSERT INTO place VALUES(1, ?1, 0, ?2, 0, 0)",
        params![role.name(), Head::default().chain.0],
    )?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(connection)
}

fn configure(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Where the archive of `data` stands, when it is there, of this version, and of this very journal.
pub(super) fn place_of(data: &Path, role: Role) -> Result<Option<Head>, ArchiveError> {
    let path = path(data);
    if !path.exists() {
        return Ok(None);
    }
    let look = || {
        let archive = read_only(&path)?;
        let version: i64 = archive.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != SCHEMA_VERSION {
            return Ok(None);
        }
        stored_place(&archive, role)
    };
    let place = look().map_err(|error| ArchiveError::Sqlite {
        path: path.clone(),
        error,
    })?;
    let Some(place) = place else { return Ok(None) };
    Ok(
        (place.seq == 0 || head_at(&journal_path(data), place.seq)? == Some(place))
            .then_some(place),
    )
}

/// The place that an archive of `role` has stored.
pub(crate) fn stored_place(archive: &Connection, role: Role) -> rusqlite::Result<Option<Head>> {
    let query = "SELECT seq, chain, mono, wall FROM place WHERE role = ?1";
    archive.query_row(query, [role.name()], head).optional()
}

fn head_at(journal: &Path, seq: u64) -> Result<Option<Head>, ArchiveError> {
    let look = || {
        let query = "SELECT seq, chain, mono, wall FROM gathering WHERE seq = ?1";
        read_only(journal)?
            .query_row(query, [seq as i64], head)
            .optional()
    };
    look().map_err(|error| ArchiveError::Sqlite {
        path: journal.to_owned(),
        error,
    })
}

fn head(row: &rusqlite::Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        seq: row.get::<_, i64>(0)? as u64,
        chain: Chain(row.get(1)?),
        now: Now {
            mono: Mono(row.get::<_, i64>(2)? as u64),
            wall: Wall(row.get(3)?),
        },
    })
}

/// The snapshots of a journal with the row each is of, newest first.
pub(crate) fn snapshots(journal: &Path) -> Result<Vec<(Head, Vec<u8>)>, ArchiveError> {
    let look = || {
        let connection = read_only(journal)?;
        let mut statement = connection.prepare(
            "SELECT g.seq, g.chain, g.mono, g.wall, s.state FROM snapshot s JOIN gathering g ON g.seq = s.seq
             WHERE s.version = ?1 ORDER BY s.seq DESC",
        )?;
        let rows = statement.query_map([crate::journal::RECORDS_VERSION], |row| {
            Ok((head(row)?, row.get(4)?))
        })?;
        rows.collect::<rusqlite::Result<_>>()
    };
    look().map_err(|error| ArchiveError::Sqlite {
        path: journal.to_owned(),
        error,
    })
}

/// Deletes an archive with what SQLite keeps beside it; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), ArchiveError> {
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(path, suffix);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ArchiveError::File { path, error });
            }
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(data: &Path) -> Result<File, ArchiveError> {
    let archive = path(data);
    let path = beside(&archive, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(|error| ArchiveError::File {
        path: path.clone(),
        error,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Locked { path: archive }),
        Err(TryLockError::Error(error)) => Err(ArchiveError::File { path, error }),
    }
}
