//! Production recovery on real database images, cut and damaged byte by byte (settled 26).
//!
//! What recovers is always a prefix of what was appended, and a torn end costs no row that was appended before it.

use counterfoil::journal::{Head, Journal, JournalError, push_record, read};
use payment::{Mono, Now, Wall};
use std::fs;
use std::path::{Path, PathBuf};

const ROWS: u64 = 40;

/// A database and its write-ahead log as they lay on disk while the journal was open, and the log's length after each row.
struct Image {
    database: Vec<u8>,
    log: Vec<u8>,
    log_bytes_after: Vec<usize>,
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

fn blob(at: u64) -> Vec<u8> {
    let mut blob = Vec::new();
    // Some rows fill several pages.
    let text = "r".repeat(if at.is_multiple_of(4) { 9_000 } else { 300 });
    push_record(&mut blob, &(at, text)).expect("it encodes");
    blob
}

fn image() -> Image {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("party.db");
    let mut journal = Journal::open(&path, "issuer", "test").expect("it opens");
    let mut log_bytes_after = vec![fs::metadata(log_of(&path)).expect("the log").len() as usize];
    for at in 1..=ROWS {
        let now = Now {
            mono: Mono(at),
            wall: Wall(at as i64),
        };
        journal.append(now, &blob(at)).expect("it is appended");
        log_bytes_after.push(fs::metadata(log_of(&path)).expect("the log").len() as usize);
    }
    let image = Image {
        database: fs::read(&path).expect("the database"),
        log: fs::read(log_of(&path)).expect("the log"),
        log_bytes_after,
    };
    drop(journal);
    image
}

/// Recovers an image; gives the rows replayed, each of them checked.
fn recovered(folder: &Path, database: &[u8], log: &[u8]) -> Result<u64, JournalError> {
    let path = folder.join("party.db");
    for stale in ["party.db-shm", "party.db.lock"] {
        let _ = fs::remove_file(folder.join(stale));
    }
    fs::write(&path, database).expect("it is written");
    fs::write(log_of(&path), log).expect("it is written");
    let mut journal = Journal::open(&path, "issuer", "test")?;
    let mut rows = 0;
    journal.replay(Head::default(), |row| {
        rows += 1;
        assert_eq!(
            (row.seq, row.now.mono, &row.records),
            (rows, Mono(rows), &blob(rows))
        );
        Ok(())
    })?;
    assert_eq!(journal.head().seq, rows);
    // It goes on from there.
    let now = Now {
        mono: Mono(rows + 1),
        wall: Wall(0),
    };
    journal.append(now, &blob(rows + 1)).expect("it goes on");
    drop(journal);
    assert_eq!(
        read(&path).expect("it opens").filter(Result::is_ok).count() as u64,
        rows + 1
    );
    Ok(rows)
}

#[test]
fn a_log_cut_at_any_byte_of_its_tail_recovers_every_row_before() {
    let Image {
        database,
        log,
        log_bytes_after,
    } = image();
    let folder = tempfile::tempdir().expect("a folder");
    let first = log_bytes_after[ROWS as usize - 3];
    // Every byte of the frames' headers and around them, and many of the pages between.
    let cuts = (first..=log.len()).filter(|cut| {
        let within = (cut - 32) % 4_120;
        within <= 26 || within >= 4_118 || within.is_multiple_of(37)
    });
    for cut in cuts {
        let whole = log_bytes_after
            .iter()
            .rposition(|bytes| *bytes <= cut)
            .expect("the first is 0 rows") as u64;
        let rows =
            recovered(folder.path(), &database, &log[..cut]).expect("a torn tail is no damage");
        assert_eq!(rows, whole, "cut at {cut}");
    }
}

#[test]
fn a_torn_last_commit_is_no_damage_and_an_earlier_one_is() {
    let Image {
        database,
        log,
        log_bytes_after,
    } = image();
    let folder = tempfile::tempdir().expect("a folder");
    let last = log_bytes_after[ROWS as usize - 1];
    for at in (last..log.len()).step_by(211) {
        let mut torn = log.clone();
        torn[at] ^= 0x20;
        let rows = recovered(folder.path(), &database, &torn).expect("a torn tail is no damage");
        assert_eq!(rows, ROWS - 1, "flipped at {at}");
    }
    // A byte of any frame before the last two commits, and of the log's header.
    let acknowledged = log_bytes_after[ROWS as usize - 2];
    for at in (0..32).chain((32..acknowledged).step_by(1_013)) {
        let mut damaged = log.clone();
        damaged[at] ^= 0x20;
        let error = recovered(folder.path(), &database, &damaged)
            .expect_err("acknowledged rows would be lost");
        let JournalError::DamagedLog { path, offset } = &error else {
            panic!("flipped at {at}: {error}");
        };
        assert_eq!(path, &log_of(&folder.path().join("party.db")));
        let frame = if at < 32 {
            0
        } else {
            (at - 32) / 4_120 * 4_120 + 32
        };
        assert_eq!(*offset, frame as u64, "flipped at {at}");
    }
}

#[test]
fn a_checkpointed_database_recovers_and_its_damage_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("party.db");
    let mut journal = Journal::open(&path, "issuer", "test").expect("it opens");
    for at in 1..=ROWS {
        journal
            .append(
                Now {
                    mono: Mono(at),
                    wall: Wall(at as i64),
                },
                &blob(at),
            )
            .expect("it is appended");
    }
    // The last to close checkpoints.
    drop(journal);
    let database = fs::read(&path).expect("the database");
    assert_eq!(
        recovered(folder.path(), &database, &[]).expect("whole"),
        ROWS
    );
    let mut found = 0;
    let places: Vec<usize> = (4_096..database.len()).step_by(509).collect();
    for at in &places {
        let mut damaged = database.clone();
        damaged[*at] ^= 0x01;
        match recovered(folder.path(), &damaged, &[]) {
            // A byte of no meaning: free space of a page.
            Ok(rows) => assert_eq!(rows, ROWS, "flipped at {at}"),
            Err(_) => found += 1,
        }
    }
    assert!(found * 2 > places.len(), "{found} of {}", places.len());
}
