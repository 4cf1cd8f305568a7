//! One party: its journal to the end, its books, its snapshots, its archive.
//!
//! The archive is compared at its own place, so that one that lags is not taken for one that differs.

use super::{Check, Findings, PartyReport, compare};
use crate::archive::{self, ArchiveError, FLUSH_RECORDS, Projection, Role, SCHEMA_VERSION};
use crate::journal::{Head, Reader, read};
use payment::Wall;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A party's archive, made anew from its journal.
pub(super) struct Recomputed {
    pub(super) role: Role,
    pub(super) database: PathBuf,
    /// When its journal began to be read; what others did later it need not know.
    pub(super) read_at: Wall,
}

/// The directories in the order to read them: against the loop, so that what a later one does not know did not happen yet
/// when an earlier one was read.
pub(super) fn in_order(data_dirs: &[PathBuf]) -> Vec<(Result<Role, ArchiveError>, &Path)> {
    let rank = |role: &Result<Role, ArchiveError>| match role {
        Ok(Role::Terminal) => 0,
        Ok(Role::Acquirer) => 1,
        Ok(Role::Network) => 2,
        Ok(Role::Issuer) => 3,
        Err(_) => 4,
    };
    let mut all: Vec<_> = data_dirs
        .iter()
        .map(|data| (Role::of(data), data.as_path()))
        .collect();
    all.sort_by_key(|(role, _)| rank(role));
    all
}

/// Checks the party in `data`, recomputing its archive into `database`.
pub(super) fn check(
    data: &Path,
    role: Result<Role, ArchiveError>,
    database: PathBuf,
    findings: &mut Findings,
) -> (PartyReport, Option<Recomputed>) {
    let mut report = PartyReport {
        data: data.to_owned(),
        party: role.as_ref().map_or("", |role| role.name()),
        rows: 0,
        records: 0,
        chain: Head::default().chain.to_string(),
        snapshots: 0,
        archive_seq: None,
        archive_rows: 0,
    };
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let read_at = Wall(since_epoch.as_millis() as i64);
    let outcome = role.and_then(|role| {
        let mut check = PartyCheck::begin(data, role, &database, findings)?;
        let outcome = check.run(&mut report, findings);
        let head = check.reader.place();
        (report.rows, report.chain) = (head.seq, head.chain.to_string());
        outcome.map(|()| Recomputed {
            role,
            database,
            read_at,
        })
    });
    match outcome {
        Ok(recomputed) => (report, Some(recomputed)),
        Err(error) => {
            findings.error(data, &error);
            (report, None)
        }
    }
}

struct PartyCheck<'a> {
    data: &'a Path,
    journal: PathBuf,
    reader: Reader,
    projection: Box<dyn Projection>,
    recomputed: Connection,
    /// The archive as it was when the check began, and its place.
    archive: Option<(Connection, Head)>,
    snapshots: Vec<(Head, Vec<u8>)>,
}

impl<'a> PartyCheck<'a> {
    fn begin(
        data: &'a Path,
        role: Role,
        database: &Path,
        findings: &mut Findings,
    ) -> Result<Self, ArchiveError> {
        let journal = archive::journal_path(data);
        let recomputed = archive::create(database, role).map_err(|error| ArchiveError::Sqlite {
            path: database.to_owned(),
            error,
        })?;
        let archive = open_archive(data, role).unwrap_or_else(|error| {
            findings.add(Check::ArchiveUnreadable, || {
                format!("{}: {error}", archive::path(data).display())
            });
            None
        });
        Ok(Self {
            data,
            reader: read(&journal)?,
            projection: archive::for_role(role),
            recomputed,
            archive,
            snapshots: archive::snapshots(&journal)?,
            journal,
        })
    }

    fn run(
        &mut self,
        report: &mut PartyReport,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        self.arrived(Head::default(), report, findings)?;
        let mut waiting = 0;
        while let Some(row) = self.reader.next().transpose()? {
            let records = archive::fold(&mut *self.projection, &row, &self.journal, true)?;
            report.records += records;
            waiting += records;
            if waiting >= FLUSH_RECORDS {
                self.flush()?;
                waiting = 0;
            }
            self.arrived(self.reader.place(), report, findings)?;
        }
        self.flush()?;
        let data = self.data.display();
        if let Some((_, place)) = &self.archive {
            let what = || {
                format!(
                    "{data}: the archive is at row {}, which this journal does not have",
                    place.seq
                )
            };
            findings.add(Check::ArchiveDiffers, what);
        }
        if let Err(error) = self.projection.audit() {
            findings.add(Check::Books, || format!("{data}: {error}"));
        }
        Ok(())
    }

    /// Compares what is known of the journal up to `place`.
    fn arrived(
        &mut self,
        place: Head,
        report: &mut PartyReport,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        if let Some((_, state)) = self
            .snapshots
            .iter()
            .find(|(head, _)| head.seq == place.seq)
        {
            report.snapshots += 1;
            if !self.projection.agrees(state) {
                findings.add(Check::SnapshotDiffers, || {
                    format!("{} row {}", self.data.display(), place.seq)
                });
            }
        }
        let reached = self.archive.take_if(|(_, stored)| *stored == place);
        if let Some((archive, stored)) = reached {
            self.flush()?;
            report.archive_seq = Some(stored.seq);
            let differs = |what| {
                findings.add(Check::ArchiveDiffers, || {
                    format!("{}: {what}", self.data.display())
                })
            };
            match compare::compare(&archive, &self.recomputed, differs) {
                Ok(rows) => report.archive_rows = rows,
                Err(error) => findings.add(Check::ArchiveUnreadable, || {
                    format!("{}: {error}", archive::path(self.data).display())
                }),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ArchiveError> {
        let mut write = || {
            let transaction = self.recomputed.transaction()?;
            archive::write(&transaction, &mut *self.projection, self.reader.place())?;
            transaction.commit()
        };
        write().map_err(|error| ArchiveError::Sqlite {
            path: self.journal.clone(),
            error,
        })
    }
}

/// The archive of `data`, held as it is now while its projector may go on.
fn open_archive(data: &Path, role: Role) -> rusqlite::Result<Option<(Connection, Head)>> {
    let path = archive::path(data);
    if !path.exists() {
        return Ok(None);
    }
    let archive = archive::read_only(&path)?;
    archive.execute_batch("BEGIN")?;
    let version: i64 = archive.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != SCHEMA_VERSION {
        return Ok(None);
    }
    Ok(archive::stored_place(&archive, role)?.map(|place| (archive, place)))
}
