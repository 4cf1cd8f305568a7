//! The archive: what pages, look-ups and audits read of one party, `archive.db` beside its `journal.db` (architecture §4).
//!
//! Invariant: it is nothing but the journal folded up to its place, whatever the batches were; it may be deleted at any
//! time and rebuilt. It holds no card number, token or key, and nothing on the answering path waits for it.

mod acquirer;
mod event;
mod issuer;
mod network;
mod projection;
mod projector;
mod store;
mod terminal;

pub use event::{EVENTS, event_words};
pub use projector::{Projector, WAKE_MS};
pub use store::{FLUSH_RECORDS, SCHEMA_VERSION};

pub(crate) use projection::{Projection, Watch, for_role, name};
pub(crate) use store::{create, fold, snapshots, stored_place, write};

use crate::journal::{Head, JournalError};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::Store;

/// How long a reader waits for a writer's turn.
const BUSY: Duration = Duration::from_secs(5);

/// Which of the four parties a journal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The POS centre.
    Acquirer,
    /// The switch.
    Network,
    /// The bank.
    Issuer,
    /// A row of terminals.
    Terminal,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Acquirer, Self::Network, Self::Issuer, Self::Terminal];

    /// The party's name in its journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquirer => "acquirer",
            Self::Network => "network",
            Self::Issuer => "issuer",
            Self::Terminal => "terminal",
        }
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Acquirer => ("收单", "acquirer"),
            Self::Network => ("转接网络", "network"),
            Self::Issuer => ("发卡行", "issuer"),
            Self::Terminal => ("终端", "terminal"),
        }
    }

    /// Whose journal is in `data`, as the journal itself says.
    ///
    /// # Errors
    /// No journal there, or one of a party that this program does not know.
    pub fn of(data: &Path) -> Result<Self, ArchiveError> {
        let path = journal_path(data);
        let sqlite = |error| ArchiveError::Sqlite {
            path: path.clone(),
            error,
        };
        let journal = read_only(&path).map_err(sqlite)?;
        let found: Option<String> = journal
            .query_row("SELECT value FROM meta WHERE name = 'party'", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(sqlite)?;
        let role = Self::ALL
            .into_iter()
            .find(|role| Some(role.name()) == found.as_deref());
        role.ok_or_else(|| ArchiveError::Stranger {
            path: path.clone(),
            party: found.unwrap_or_default(),
        })
    }
}

/// How far an archive is behind its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Lag {
    /// The journal's last row.
    pub journal_seq: u64,
    /// The last row that is in the archive.
    pub archive_seq: u64,
    /// Rows between them.
    pub rows: u64,
    /// Milliseconds of wall time between the two rows.
    pub ms: u64,
}

/// The journal of a data directory.
pub fn journal_path(data: &Path) -> PathBuf {
    data.join("journal.db")
}

/// The archive of a data directory.
pub fn path(data: &Path) -> PathBuf {
    data.join("archive.db")
}

/// Opens the archive of `data` for reading, also while its projector writes.
///
/// # Errors
/// There is none yet, or it cannot be read.
pub fn read(data: &Path) -> Result<Connection, ArchiveError> {
    let path = path(data);
    read_only(&path).map_err(|error| ArchiveError::Sqlite { path, error })
}

/// How far the archive of `data` is behind; an archive that is not there yet is behind by everything.
///
/// # Errors
/// A journal or archive that cannot be read.
pub fn lag(data: &Path) -> Result<Lag, ArchiveError> {
    let place = store::place_of(data, Role::of(data)?)?;
    behind(data, place.unwrap_or_default())
}

/// How far `place` is behind the journal's head.
fn behind(data: &Path, place: Head) -> Result<Lag, ArchiveError> {
    let journal = journal_path(data);
    let look = || {
        let journal = read_only(&journal)?;
        let ask = |sql| {
            journal
                .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        };
        let head: Option<(i64, i64)> =
            ask("SELECT seq, wall FROM gathering ORDER BY seq DESC LIMIT 1")?;
        let oldest: Option<(i64, i64)> =
            ask("SELECT seq, wall FROM gathering ORDER BY seq LIMIT 1")?;
        Ok((head.unwrap_or_default(), oldest.unwrap_or_default().1))
    };
    let ((head, wall), oldest) = look().map_err(|error| ArchiveError::Sqlite {
        path: journal.clone(),
        error,
    })?;
    // When nothing is projected yet, the oldest row tells since when.
    let since = if place.seq == 0 {
        oldest
    } else {
        place.now.wall.0
    };
    let rows = (head as u64).saturating_sub(place.seq);
    let ms = if rows == 0 {
        0
    } else {
        (wall - since).max(0) as u64
    };
    Ok(Lag {
        journal_seq: head as u64,
        archive_seq: place.seq,
        rows,
        ms,
    })
}

/// Deletes the archive of `data` and projects its whole journal again; gives the rows projected.
///
/// # Errors
/// A projector is at work on it, or the journal does not read.
pub fn rebuild(data: &Path) -> Result<u64, ArchiveError> {
    let mut store = Store::anew(data)?;
    store.project()
}

/// Why an archive is not written or read.
#[derive(Debug)]
pub enum ArchiveError {
    /// The journal does not read.
    Journal(JournalError),
    /// SQLite or the disk refused.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: rusqlite::Error,
    },
    /// A file cannot be made or removed.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The journal is of no party that this program knows.
    Stranger {
        /// The journal.
        path: PathBuf,
        /// What it calls itself.
        party: String,
    },
    /// Another projector writes this archive.
    Locked {
        /// The archive.
        path: PathBuf,
    },
    /// A record does not fit what was before it.
    Record {
        /// The journal.
        path: PathBuf,
        /// The row.
        seq: u64,
        /// What is wrong.
        what: String,
    },
    /// The projector has stopped.
    Stopped {
        /// Why.
        why: String,
    },
}

impl ArchiveError {
    /// The archive itself is broken, as after a power cut; a rebuild mends it.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Sqlite { error: rusqlite::Error::SqliteFailure(failure, _), .. }
            if matches!(failure.code, DatabaseCorrupt | NotADatabase))
    }
}

impl From<JournalError> for ArchiveError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => write!(f, "{error}"),
            Self::Sqlite { path, error } => write!(f, "{}: {error}", path.display()),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Stranger { path, party } => {
                write!(
                    f,
                    "{} is of {party:?}, not of an acquirer, network, issuer or terminal",
                    path.display()
                )
            }
            Self::Locked { path } => {
                write!(f, "{} is written by another projector", path.display())
            }
            Self::Record { path, seq, what } => write!(f, "{} row {seq}: {what}", path.display()),
            Self::Stopped { why } => write!(f, "the projector has stopped: {why}"),
        }
    }
}

impl std::error::Error for ArchiveError {}

/// Opens a database for reading only.
pub(crate) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
