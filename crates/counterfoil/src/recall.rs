//! Looks for originals that the acquirer has forgotten: the archive knows where, the journal's own record proves it.
//!
//! Invariant: the archive holds no card and no token, so whose card it was is read from the journal. A look waits until the
//! archive has all that the journal had when it began, so that no claim is missing, and gives up in time; the answering
//! path waits for none of it.

use crate::archive::{self, ArchiveError};
use crate::driver::DriverHandle;
use crate::journal;
use ::acquirer::{Acquirer, Found, Input, Question, Recalled, Record, Wanted};
use payment::{ApprovalCode, Batch, Claims, SaleKey, Stan, TerminalId};
use rusqlite::{OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Milliseconds after which a look gives up; the terminal waits longer for its answer.
pub const LOOK_MS_MAX: u64 = 5_000;
/// Questions that may wait; what comes beyond it is answered as not known.
pub const QUESTIONS_MAX: usize = 64;
/// Milliseconds between two looks at an archive that is behind.
const AGAIN_MS: u64 = 20;

type Asked = (Instant, Wanted, Box<Question>);

/// Takes questions without waiting; its thread ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Recall {
    questions: SyncSender<Asked>,
    handle: Arc<OnceLock<DriverHandle<Acquirer>>>,
}

/// The other end: looks, once the party runs.
#[derive(Debug)]
pub(crate) struct Looks {
    questions: Receiver<Asked>,
    handle: Arc<OnceLock<DriverHandle<Acquirer>>>,
}

/// Both ends, before the party runs.
pub(crate) fn recall() -> (Recall, Looks) {
    let (sender, questions) = sync_channel(QUESTIONS_MAX);
    let handle = Arc::default();
    (
        Recall {
            questions: sender,
            handle: Arc::clone(&handle),
        },
        Looks { questions, handle },
    )
}

impl Recall {
    /// Hands a question over, or answers at once that nobody knows.
    pub(crate) fn ask(&self, wanted: Wanted, question: Box<Question>) {
        use std::sync::mpsc::TrySendError::{Disconnected, Full};
        if let Err(Full((.., question)) | Disconnected((.., question))) =
            self.questions.try_send((Instant::now(), wanted, question))
            && let Some(handle) = self.handle.get()
        {
            tell(handle, question, Found::Unknown);
        }
    }
}

impl Looks {
    /// Starts the thread that looks into the archive of `data`.
    ///
    /// # Errors
    /// The system starts no thread.
    pub(crate) fn start(
        self,
        data: PathBuf,
        handle: DriverHandle<Acquirer>,
    ) -> std::io::Result<()> {
        let _ = self.handle.set(handle.clone());
        let run = move || {
            for (asked, wanted, question) in self.questions {
                let until = asked + Duration::from_millis(LOOK_MS_MAX);
                tell(&handle, question, look(&data, wanted, until));
            }
        };
        let thread = std::thread::Builder::new().name("recall".to_owned());
        thread.spawn(run).map(drop)
    }
}

/// An inbox that is full takes no answer: the terminal's next attempt asks again.
fn tell(handle: &DriverHandle<Acquirer>, question: Box<Question>, found: Found) {
    if let Err(refused) = handle.send(Input::Recalled { question, found }) {
        tracing::warn!(%refused, "what was recalled was not taken");
    }
}

/// Looks for a transaction in the archive of `data` and in its journal, at the latest until `until`.
pub fn look(data: &Path, wanted: Wanted, until: Instant) -> Found {
    find(data, wanted, until).unwrap_or_else(|error| {
        tracing::warn!(%error, rrn = %wanted.rrn, "a forgotten transaction could not be looked for");
        Found::Unknown
    })
}

fn find(data: &Path, wanted: Wanted, until: Instant) -> Result<Found, ArchiveError> {
    let journal_seq = archive::lag(data)?.journal_seq;
    while archive::lag(data)?.archive_seq < journal_seq {
        if Instant::now() >= until {
            return Ok(Found::Unknown);
        }
        std::thread::sleep(Duration::from_millis(AGAIN_MS));
    }
    let sqlite = |error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    };
    let archived = archived(data, wanted)?.map_err(sqlite)?;
    let Some(archived) = archived else {
        return Ok(Found::Nothing);
    };
    if !archived.stands {
        return Ok(Found::NotStanding);
    }
    Ok(recorded(data, wanted, &archived)?.map_or(Found::Unknown, Found::Standing))
}

/// What the archive says of it.
struct Archived {
    key: SaleKey,
    stands: bool,
    approval: Option<ApprovalCode>,
    claims: Claims,
    /// The journal row that its request is in.
    seq: Option<i64>,
}

const ARCHIVED: &str = "
    SELECT s.terminal, s.batch, s.stan, s.stands, s.approval, s.returned_minor, s.held_more_minor, s.captured_minor,
        s.adjusted_minor, s.undone, (SELECT e.seq FROM event e WHERE e.terminal = s.terminal AND e.batch = s.batch
            AND e.stan = s.stan AND e.merchant = s.merchant AND e.what = 'forwarded' LIMIT 1)
    FROM sale s WHERE s.rrn = ?1 AND s.merchant = ?2";

/// The row of the archive; the inner error says that it does not read.
fn archived(
    data: &Path,
    wanted: Wanted,
) -> Result<rusqlite::Result<Option<Archived>>, ArchiveError> {
    let archive = archive::read(data)?;
    let (rrn, merchant) = (wanted.rrn.to_string(), wanted.merchant.to_string());
    let found = archive.query_row(ARCHIVED, params![rrn, merchant], |row| {
        let terminal: String = row.get(0)?;
        let approval: Option<String> = row.get(4)?;
        Ok(Archived {
            key: SaleKey {
                terminal: TerminalId::parse(terminal.as_bytes()).unwrap_or(TerminalId([b' '; 8])),
                merchant: wanted.merchant,
                batch: Batch(row.get(1)?),
                stan: Stan(row.get(2)?),
            },
            stands: row.get(3)?,
            approval: approval.and_then(|code| ApprovalCode::parse(code.as_bytes())),
            claims: Claims {
                returned: row.get::<_, i64>(5)?.unsigned_abs(),
                held_more: row.get::<_, i64>(6)?.unsigned_abs(),
                captured: row.get::<_, i64>(7)?.unsigned_abs(),
                adjusted: row.get(8)?,
                undone: row.get(9)?,
            },
            seq: row.get(10)?,
        })
    });
    Ok(found.optional())
}

/// Its own record, and with it the card.
fn recorded(
    data: &Path,
    wanted: Wanted,
    archived: &Archived,
) -> Result<Option<Recalled>, ArchiveError> {
    let path = archive::journal_path(data);
    let Some(seq) = archived.seq else {
        return Ok(None);
    };
    let Some(row) = journal::read_row(&path, seq.unsigned_abs())? else {
        return Ok(None);
    };
    let recalled = |record| match record {
        Record::Forwarded {
            sale,
            rrn,
            host,
            at,
            moved_minor,
            ..
        } if (sale.key, rrn) == (archived.key, wanted.rrn) => Some(Recalled {
            sale,
            rrn,
            host,
            at,
            approval: archived.approval,
            moved_minor,
            claims: archived.claims,
        }),
        _ => None,
    };
    Ok(row.records(&path)?.into_iter().find_map(recalled))
}
