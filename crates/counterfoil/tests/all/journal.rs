//! The journal alone: what is appended is there again, and whatever was changed is named.

use counterfoil::journal::{Head, Journal, JournalError, push_record, read, read_after};
use payment::{Mono, Now, Wall};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

fn now(at: u64) -> Now {
    Now {
        mono: Mono(at),
        wall: Wall(1_700_000_000_000 + at as i64),
    }
}

fn blob(records: &[&str]) -> Vec<u8> {
    let mut blob = Vec::new();
    for record in records {
        push_record(&mut blob, record).expect("text encodes");
    }
    blob
}

fn open(path: &Path) -> Journal {
    Journal::open(path, "acquirer", "test").expect("the journal opens")
}

/// A journal with `rows` rows, closed.
fn written(folder: &Path, rows: u64) -> PathBuf {
    let path = folder.join("party.db");
    let mut journal = open(&path);
    for at in 1..=rows {
        let seq = journal
            .append(now(at), &blob(&["first", &format!("row {at}")]))
            .expect("it is appended");
        assert_eq!(seq, at);
    }
    path
}

fn replayed(path: &Path) -> Result<Vec<String>, JournalError> {
    let mut journal = Journal::open(path, "acquirer", "test")?;
    let mut records = Vec::new();
    journal.replay(Head::default(), |row| {
        records.extend(row.records::<String>(path)?);
        Ok(())
    })?;
    Ok(records)
}

#[test]
fn what_was_appended_is_replayed_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), 600);
    let records = replayed(&path).expect("it replays");
    assert_eq!(records.len(), 1_200);
    assert_eq!(records[1_199], "row 600");

    let mut journal = open(&path);
    assert_eq!((journal.head().seq, journal.head().now), (600, now(600)));
    let mut reader = read(&path).expect("a live journal may be read");
    assert_eq!(
        reader
            .by_ref()
            .map(|row| row.expect("whole").seq)
            .collect::<Vec<_>>(),
        (1..=600).collect::<Vec<_>>()
    );
    journal
        .append(now(601), &blob(&["later"]))
        .expect("it is appended");
    let later = reader.next().expect("there is more now").expect("whole");
    assert_eq!(later.records::<String>(&path).expect("text"), ["later"]);
    assert_eq!(reader.place(), journal.head());
    let mut further = read_after(&path, reader.place()).expect("it opens");
    assert!(further.next().is_none());
}

#[test]
fn a_journal_has_one_writer_and_one_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("party.db");
    let first = open(&path);
    let error = Journal::open(&path, "acquirer", "test").expect_err("two writers");
    assert!(
        matches!(&error, JournalError::Locked { path: named } if *named == path),
        "{error}"
    );
    drop(first);
    for (party, profile) in [("issuer", "test"), ("acquirer", "production")] {
        let error = Journal::open(&path, party, profile).expect_err("a stranger's journal");
        assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
    }
    assert_eq!(
        open(&path).meta("party").expect("it reads").as_deref(),
        Some("acquirer")
    );
}

#[test]
fn every_change_is_named_with_file_and_row() {
    for (change, row) in [
        (
            "UPDATE gathering SET records = x'00000000' WHERE seq = 7",
            7,
        ),
        ("UPDATE gathering SET wall = wall + 1 WHERE seq = 3", 3),
        ("UPDATE gathering SET mono = mono + 1 WHERE seq = 1", 1),
        ("UPDATE gathering SET chain = zeroblob(32) WHERE seq = 5", 5),
        ("UPDATE gathering SET chain = x'00' WHERE seq = 5", 5),
        (
            "UPDATE gathering SET chain = zeroblob(32) WHERE seq = 10",
            10,
        ),
        ("UPDATE gathering SET version = 9 WHERE seq = 9", 9),
        ("UPDATE gathering SET records = 'text' WHERE seq = 2", 2),
        ("DELETE FROM gathering WHERE seq = 4", 4),
        ("DELETE FROM gathering WHERE seq = 1", 1),
        ("UPDATE gathering SET seq = 11 WHERE seq = 10", 10),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path(), 10);
        Connection::open(&path)
            .expect("it opens")
            .execute_batch(change)
            .expect("it is changed");
        let error = replayed(&path).expect_err(change);
        let JournalError::Damaged {
            path: named, seq, ..
        } = &error
        else {
            panic!("{change}: {error}");
        };
        assert_eq!((named, *seq), (&path, row), "{change}: {error}");
        let read = read(&path)
            .expect("it opens")
            .last()
            .expect("there are rows");
        assert!(
            matches!(read, Err(JournalError::Damaged { seq, .. }) if seq == row),
            "{change}: {read:?}"
        );
    }
}

#[test]
fn the_newest_whole_snapshot_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), 3);
    let mut journal = open(&path);
    for at in 4..=6 {
        journal
            .append(now(at), &blob(&["more"]))
            .expect("it is appended");
        journal
            .snapshot(format!("state {at}").as_bytes())
            .expect("it is kept");
    }
    let newest = |journal: &Journal| {
        journal
            .newest_snapshot()
            .expect("it reads")
            .map(|s| (s.head.seq, s.state))
    };
    assert_eq!(newest(&journal), Some((6, b"state 6".to_vec())));
    let from = journal
        .newest_snapshot()
        .expect("it reads")
        .expect("there is one")
        .head;
    assert_eq!(from, journal.head());

    let other = Connection::open(&path).expect("it opens");
    let count: i64 = other
        .query_row("SELECT count(*) FROM snapshot", [], |row| row.get(0))
        .expect("it counts");
    assert_eq!(count, 2);
    other
        .execute("UPDATE snapshot SET state = 'state 9' WHERE seq = 6", [])
        .expect("it is changed");
    assert_eq!(newest(&journal), Some((5, b"state 5".to_vec())));
    other
        .execute("UPDATE snapshot SET seq = 2 WHERE seq = 5", [])
        .expect("it is changed");
    assert_eq!(newest(&journal), None);
}

#[test]
fn after_one_failed_write_nothing_more_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), 1);
    let mut journal = open(&path);
    journal.limit_pages(12).expect("it is limited");
    let big = blob(&[&"x".repeat(6_000)]);
    let written = (0..100)
        .take_while(|at| journal.append(now(10 + at), &big).is_ok())
        .count();
    assert!((1..12).contains(&written), "{written}");
    // Now there would be room again.
    journal.limit_pages(1_000_000).expect("it is limited");
    for _ in 0..2 {
        let error = journal
            .append(now(200), &blob(&["small"]))
            .expect_err("poisoned");
        assert!(matches!(error, JournalError::Poisoned { .. }), "{error}");
        let error = journal.snapshot(b"state").expect_err("poisoned");
        assert!(matches!(error, JournalError::Poisoned { .. }), "{error}");
    }
    drop(journal);
    assert_eq!(replayed(&path).expect("it replays").len(), 2 + written);
}
