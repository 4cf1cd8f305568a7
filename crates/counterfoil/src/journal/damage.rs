//! Why a journal is refused: always with the file, and with the row where there is one.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a journal does not open, read or take a row.
#[derive(Debug)]
pub enum JournalError {
    /// The SQLite in this program is older than [`super::SQLITE_VERSION_MIN`].
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// Somebody else has it open for writing.
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// It belongs to another party or profile.
    Foreign {
        /// The journal.
        path: PathBuf,
        /// `party` or `profile`.
        name: &'static str,
        /// What the journal says.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// A row is not what it was when it was written (D4).
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The first row that is wrong.
        seq: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The write-ahead log is damaged before its end: rows that were acknowledged would be lost (D4).
    DamagedLog {
        /// The write-ahead log.
        path: PathBuf,
        /// Byte at which the damaged frame begins.
        offset: u64,
    },
    /// SQLite or the disk refused.
    Sqlite {
        /// The journal.
        path: PathBuf,
        /// What it said.
        error: rusqlite::Error,
    },
    /// The lock or the write-ahead log cannot be opened.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// An earlier write failed; nothing more is taken (D5).
    Poisoned {
        /// The journal.
        path: PathBuf,
    },
}

impl JournalError {
    pub(super) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        Self::Sqlite {
            path: path.to_path_buf(),
            error,
        }
    }

    pub(super) fn damaged(path: &Path, seq: u64, what: &str) -> Self {
        Self::Damaged {
            path: path.to_path_buf(),
            seq,
            what: what.to_owned(),
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldSqlite { found } => {
                write!(f, "SQLite {found} is too old: 3.51.3 or later is needed")
            }
            Self::Locked { path } => write!(f, "{} is open in another process", path.display()),
            Self::Foreign {
                path,
                name,
                found,
                expected,
            } => write!(
                f,
                "{} has {name} {found:?}, not {expected:?}",
                path.display()
            ),
            Self::Damaged { path, seq, what } => {
                write!(f, "{} is damaged at row {seq}: {what}", path.display())
            }
            Self::DamagedLog { path, offset } => {
                write!(
                    f,
                    "{} is damaged at byte {offset}, before its end",
                    path.display()
                )
            }
            Self::Sqlite { path, error } => write!(f, "{}: {error}", path.display()),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Poisoned { path } => {
                write!(
                    f,
                    "{} failed before; nothing more is written to it",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for JournalError {}
