//! What the archive knows of the sale behind a link: its fields, its events, its certificates.
//!
//! Only the link id finds a sale here, and what is found holds no more of the card than its last four digits.

use crate::archive::{self, ArchiveError, event_words};
use crate::view::SaleView;
use payment::certificate::PAYLOAD_LENGTH;
use payment::kind::Rail;
use payment::verdict::{Family, Outcome, ROWS, row};
use payment::{Amount, Kind, LinkId, Wall};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

/// Lines of a timeline; what comes after them is left out.
const EVENTS_MAX: usize = 64;

/// A sale as its e-slip tells it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub link: LinkId,
    pub terminal: String,
    pub batch: u32,
    pub stan: u32,
    pub merchant: String,
    pub rrn: String,
    pub kind: (String, String),
    /// Of what it is one; none of a kind that this program does not know.
    pub family: Option<Family>,
    pub amount: String,
    pub last4: String,
    pub received: Wall,
    pub approval: Option<String>,
    pub status: Status,
    pub events: Vec<Event>,
    pub payloads: Vec<[u8; PAYLOAD_LENGTH]>,
}

/// What is true of it, in words.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub headline: (String, String),
    /// The cardholder's sentence.
    pub line: (String, String),
    pub position: (String, String),
    pub outcome: Outcome,
    /// The loop, when the acquirer still has the sale in memory.
    pub picture: Option<(Rail, payment::evidence::Loop)>,
}

/// One line of the timeline; what was repeated stands once.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub at: Wall,
    pub words: (&'static str, &'static str),
    pub times: u32,
}

impl Found {
    /// `terminal/batch/trace`, as the acquirer finds the sale.
    pub(super) fn reference(&self) -> String {
        format!("{}/{}/{}", self.terminal, self.batch, self.stan)
    }
}

impl Status {
    /// What the acquirer says now.
    pub(super) fn live(
        view: &SaleView,
        rail: Rail,
        beads: payment::evidence::Loop,
    ) -> Option<Self> {
        let row = row(&view.row)?;
        Some(Self {
            headline: view.headline.clone(),
            line: view.lines[2].clone(),
            position: view.position.clone(),
            outcome: row.outcome,
            picture: Some((rail, beads)),
        })
    }
}

/// The sale with this link in the archive of `data`.
pub(super) fn find(data: &Path, link: LinkId) -> Result<Option<Found>, ArchiveError> {
    let archive = archive::read(data)?;
    look(&archive, link).map_err(|error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    })
}

fn look(archive: &Connection, link: LinkId) -> rusqlite::Result<Option<Found>> {
    let query = "SELECT terminal, batch, stan, merchant, rrn, kind, amount_minor, card_masked, received_ms, approval,
        verdict_row, headline_zh, headline_en, case_number FROM sale WHERE link = ?1";
    let found = archive
        .query_row(query, [link.to_string()], |row| {
            let card: String = row.get(7)?;
            let kind = known_kind(&row.get::<_, String>(5)?);
            let case: Option<u32> = row.get(13)?;
            let verdict: String = row.get(10)?;
            Ok(Found {
                link,
                terminal: row.get(0)?,
                batch: row.get(1)?,
                stan: row.get(2)?,
                merchant: row.get(3)?,
                rrn: row.get(4)?,
                kind: kind.map_or_else(Default::default, kind_words),
                family: kind.map(Family::of),
                amount: Amount {
                    minor: row.get::<_, i64>(6)? as u64,
                    currency: kind.map_or(payment::CNY, |kind| kind.row().unit),
                }
                .to_string(),
                last4: card
                    .chars()
                    .skip(card.chars().count().saturating_sub(4))
                    .collect(),
                received: Wall(row.get(8)?),
                approval: row.get(9)?,
                status: stored(&verdict, kind, (row.get(11)?, row.get(12)?), case),
                events: Vec::new(),
                payloads: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut found) = found else {
        return Ok(None);
    };
    found.events = events(archive, &found)?;
    found.payloads = payloads(
        archive,
        &found.terminal,
        found.batch,
        found.stan,
        &found.merchant,
    )?;
    Ok(Some(found))
}

/// The verdict as the archive stored it, for a sale that the acquirer has no longer in memory.
fn stored(id: &str, kind: Option<Kind>, headline: (String, String), case: Option<u32>) -> Status {
    let row = row(id).unwrap_or(&ROWS[0]);
    let number = case.map(|case| case.to_string()).unwrap_or_default();
    let (zh, en) = kind.map_or_else(Default::default, kind_words);
    let filled = |text: &str, name: &str| text.replace("{case}", &number).replace("{kind}", name);
    let position = row.position.words();
    Status {
        headline,
        line: (filled(row.cardholder.0, &zh), filled(row.cardholder.1, &en)),
        position: (position.0.to_owned(), position.1.to_owned()),
        outcome: row.outcome,
        picture: None,
    }
}

fn known_kind(name: &str) -> Option<Kind> {
    let mut all = Kind::ALL.iter().copied();
    all.find(|kind| archive::name(kind) == name)
}

fn kind_words(kind: Kind) -> (String, String) {
    let row = kind.row();
    (row.zh.to_owned(), row.en.to_owned())
}

fn events(archive: &Connection, found: &Found) -> rusqlite::Result<Vec<Event>> {
    let mut query = archive.prepare(
        "SELECT at_ms, what FROM event WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4
         ORDER BY seq, ordinal",
    )?;
    let mut rows = query.query(params![
        found.terminal,
        found.batch,
        found.stan,
        found.merchant
    ])?;
    let mut events: Vec<Event> = Vec::new();
    while let Some(row) = rows.next()? {
        let what: String = row.get(1)?;
        let Some(words) = event_words(&what) else {
            continue;
        };
        let again = events.last_mut().filter(|last| last.words == words);
        if let Some(last) = again {
            last.times += 1;
        } else if events.len() < EVENTS_MAX {
            events.push(Event {
                at: Wall(row.get(0)?),
                words,
                times: 1,
            });
        }
    }
    Ok(events)
}

/// Every certificate of a sale, oldest first.
pub(super) fn payloads(
    archive: &Connection,
    terminal: &str,
    batch: u32,
    stan: u32,
    merchant: &str,
) -> rusqlite::Result<Vec<[u8; PAYLOAD_LENGTH]>> {
    let mut query = archive.prepare(
        "SELECT payload FROM certificate WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4 ORDER BY number",
    )?;
    let rows = query.query_map(params![terminal, batch, stan, merchant], |row| row.get(0))?;
    rows.collect()
}

/// Certificates after number `after`, at most `limit`, in the order of the chain.
pub(super) fn chain(
    data: &Path,
    after: u64,
    limit: u32,
) -> Result<Vec<[u8; PAYLOAD_LENGTH]>, ArchiveError> {
    let archive = archive::read(data)?;
    let look = || -> rusqlite::Result<Vec<[u8; PAYLOAD_LENGTH]>> {
        let mut query = archive.prepare(
            "SELECT payload FROM certificate WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let rows = query.query_map(params![after as i64, limit], |row| row.get(0))?;
        rows.collect()
    };
    look().map_err(|error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    })
}

/// Certificates of the sale `terminal/batch/trace`.
pub(super) fn of_sale(
    data: &Path,
    key: payment::SaleKey,
) -> Result<Vec<[u8; PAYLOAD_LENGTH]>, ArchiveError> {
    let archive = archive::read(data)?;
    payloads(
        &archive,
        key.terminal.as_str(),
        key.batch.0,
        key.stan.0,
        key.merchant.as_str(),
    )
    .map_err(|error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    })
}
