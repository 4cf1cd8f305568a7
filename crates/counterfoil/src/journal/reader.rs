//! Reading a journal, also while its party writes: rows in order, each checked against the chain.

use super::chain::link;
use super::{Chain, Head, JournalError, RECORDS_VERSION, Row, open_to_read};
use payment::{Mono, Now, Wall};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Rows fetched at once; between fetches no read transaction is open, so a slow reader does not hold up checkpoints.
const ROWS_FETCHED: usize = 256;
/// Bytes of records after which a fetch ends early.
const BYTES_FETCHED: usize = 8 * 1024 * 1024;

/// Reads the journal at `path` from its first row.
///
/// # Errors
/// A file that does not open.
pub fn read(path: &Path) -> Result<Reader, JournalError> {
    read_after(path, Head::default())
}

/// Reads the journal at `path` from the row after `place`, which a reader gave earlier.
///
/// # Errors
/// A file that does not open.
pub fn read_after(path: &Path, place: Head) -> Result<Reader, JournalError> {
    Ok(Reader {
        connection: open_to_read(path).map_err(|error| JournalError::sqlite(path, error))?,
        path: path.to_path_buf(),
        rows: Rows::after(place),
        damaged: false,
    })
}

/// The row numbered `seq`, by itself: its chain is not followed, for whoever knows the number has read it before.
///
/// # Errors
/// A file that does not open or read.
pub fn read_row(path: &Path, seq: u64) -> Result<Option<Row>, JournalError> {
    let look = || {
        let connection = open_to_read(path)?;
        let mut fetched = VecDeque::new();
        fetch(&connection, seq.saturating_sub(1), &mut fetched)?;
        fetched.pop_front().transpose()
    };
    let row = look().map_err(|error| JournalError::sqlite(path, error))?;
    Ok(row.filter(|row| row.seq == seq && row.version == RECORDS_VERSION))
}

/// The rows of a journal. At the end it gives `None` and may be asked again later, when there may be more.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    rows: Rows,
    damaged: bool,
}

impl Reader {
    /// The last row given, to continue from.
    pub fn place(&self) -> Head {
        self.rows.head
    }

    /// Which journal this is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Iterator for Reader {
    type Item = Result<Row, JournalError>;

    /// The next row; an error is given once, and nothing after it.
    fn next(&mut self) -> Option<Self::Item> {
        if self.damaged {
            return None;
        }
        let next = self.rows.next(&self.connection, &self.path).transpose();
        self.damaged = matches!(next, Some(Err(_)));
        next
    }
}

/// Where a reading stands.
#[derive(Debug)]
pub(super) struct Rows {
    head: Head,
    fetched: VecDeque<rusqlite::Result<Row>>,
}

impl Rows {
    pub(super) fn after(head: Head) -> Self {
        Self {
            head,
            fetched: VecDeque::new(),
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn next(
        &mut self,
        connection: &Connection,
        path: &Path,
    ) -> Result<Option<Row>, JournalError> {
        let expected = self.head.seq + 1;
        if self.fetched.is_empty() {
            fetch(connection, self.head.seq, &mut self.fetched)
                .map_err(|error| JournalError::sqlite(path, error))?;
        }
        let row = match self.fetched.pop_front() {
            None => return Ok(None),
            Some(Ok(row)) => row,
            // The disk's own checks speak before the chain does; the row is known all the same.
            Some(Err(error)) if is_damage(&error) => {
                return Err(JournalError::damaged(path, expected, &error.to_string()));
            }
            Some(Err(error)) => return Err(JournalError::sqlite(path, error)),
        };
        let wrong = |what: &str| Err(JournalError::damaged(path, expected, what));
        if row.seq != expected {
            return wrong("the row is missing");
        }
        if row.version != RECORDS_VERSION {
            return wrong(&format!(
                "its records are of version {}, not {RECORDS_VERSION}",
                row.version
            ));
        }
        if link(
            &self.head.chain,
            row.seq,
            row.now,
            row.version,
            &row.records,
        ) != row.chain
        {
            return wrong("it does not continue the chain");
        }
        self.head = Head {
            seq: row.seq,
            chain: row.chain,
            now: row.now,
        };
        Ok(Some(row))
    }
}

/// Fetches rows until there are enough; the first one that does not read is the last.
fn fetch(
    connection: &Connection,
    after: u64,
    fetched: &mut VecDeque<rusqlite::Result<Row>>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, mono, wall, version, records, chain FROM gathering WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = statement.query_map([after as i64, ROWS_FETCHED as i64], |row| {
        Ok(Row {
            seq: row.get::<_, i64>(0)? as u64,
            now: Now {
                mono: Mono(row.get::<_, i64>(1)? as u64),
                wall: Wall(row.get(2)?),
            },
            version: row.get(3)?,
            records: row.get(4)?,
            chain: Chain(row.get(5)?),
        })
    })?;
    let mut bytes = 0;
    for row in rows {
        let enough = row.as_ref().map_or(true, |row| {
            bytes += row.records.len();
            bytes >= BYTES_FETCHED
        });
        fetched.push_back(row);
        if enough {
            break;
        }
    }
    Ok(())
}

/// True of errors that say that a value is not what was written.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
    ) || error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
}
