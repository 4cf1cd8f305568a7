//! Coming back: snapshot, then every later row, and the party is what it was (D1, D3).

use super::{Driven, REPLAYED_RECORDS, Settings};
use crate::journal::{Head, Journal, JournalError};

/// A journal whose rows are all in the party now.
pub(super) struct Resumed {
    pub(super) journal: Journal,
    /// Records that the next start would have to replay.
    pub(super) records: u64,
}

pub(super) fn resume<P: Driven>(
    party: &mut P,
    settings: &Settings,
) -> Result<Resumed, JournalError> {
    let path = &settings.journal;
    let mut journal = Journal::open(path, &settings.name, &settings.profile)?;
    if let Some(pages) = settings.journal_pages_max {
        journal.limit_pages(pages)?;
    }
    let mut from = Head::default();
    if let Some(snapshot) = journal.newest_snapshot()? {
        match postcard::from_bytes(&snapshot.state) {
            Ok(state) => {
                party.restore(state);
                from = snapshot.head;
            }
            Err(error) => tracing::warn!(
                party = settings.name, seq = snapshot.head.seq, %error,
                "the snapshot is of another version; every row is replayed"
            ),
        }
    }
    let mut records = 0;
    journal.replay(from, |row| {
        for record in row.records::<P::Record>(path)? {
            party.apply(&record);
            records += 1;
        }
        Ok(())
    })?;
    tracing::info!(
        party = settings.name,
        from = from.seq,
        to = journal.head().seq,
        chain = %journal.head().chain,
        records,
        "replayed"
    );
    if records > REPLAYED_RECORDS {
        journal.snapshot(&encode_state(party))?;
        records = 0;
    }
    Ok(Resumed { journal, records })
}

/// The party's state as a snapshot holds it.
pub(super) fn encode_state<P: Driven>(party: &P) -> Vec<u8> {
    postcard::to_allocvec(party.state()).expect("a state of plain values always encodes")
}
