//! What the archive knows of a sale for its cardholder: its fields, its events, its certificates, its issuer's past returns.
//!
//! Invariant: a sale is found by its link id, by its whole key, or by three facts that fit it alone; what is found holds no
//! more of the card than its last four digits.

use crate::archive::{self, ArchiveError, event_words};
use pages::cardholder::{Facts, MoneyView, RETURNS_MAX, Status, Step};
use payment::certificate::PAYLOAD_LENGTH;
use payment::kind::Rail;
use payment::verdict::{Family, Outcome, ROWS, row};
use payment::{
    Amount, Batch, Declarations, Kind, LinkId, MerchantId, SaleKey, Stan, Statement, TerminalId,
    Wall,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use std::path::Path;

/// Lines of a timeline; what comes after them is left out.
const EVENTS_MAX: usize = 64;
/// Milliseconds before and after the minute that was named.
const MINUTE_MS: i64 = 60_000;
/// Sales with the same three facts that are told apart by their shop; one more is one too many.
const SAME_MAX: usize = 8;

/// A sale as its page tells it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What the page shows; path, merchant's name and what is signed are filled in by who shows it.
    pub view: MoneyView,
    /// The sale.
    pub key: SaleKey,
    /// Its link, where it has one.
    pub link: Option<LinkId>,
    /// Name of the verdict that the archive has.
    pub row: String,
    /// What its certificates say.
    pub payloads: Vec<[u8; PAYLOAD_LENGTH]>,
}

/// How a sale is named.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// By the link of its slip.
    Link(LinkId),
    /// By its key.
    Key(SaleKey),
}

/// The sale in the archive of `data`.
pub(super) fn find(data: &Path, named: Named) -> Result<Option<Found>, ArchiveError> {
    asked(data, |archive| look(archive, named))
}

/// The one sale that fits three facts, with its link; none when none does, or several do. `shop` says whether a merchant is
/// the one that was named. Every question is one walk down one index.
pub(super) fn by_facts(
    data: &Path,
    facts: &Facts,
    shop: impl Fn(&str) -> bool,
) -> Result<Option<(SaleKey, Option<LinkId>)>, ArchiveError> {
    let (from, to) = (
        facts.minute.0 - MINUTE_MS,
        facts.minute.0 + 2 * MINUTE_MS - 1,
    );
    let mut fitting = asked(data, |archive| {
        let mut query = archive.prepare_cached(
            "SELECT terminal, batch, stan, merchant, link FROM sale WHERE amount_minor = ?1 AND currency = ?2
             AND substr(card_masked, -4) = ?3 AND received_ms BETWEEN ?4 AND ?5 LIMIT ?6",
        )?;
        let limit = SAME_MAX as i64 + 1;
        let (amount, currency) = (facts.amount.minor as i64, facts.amount.currency.0);
        let given: [&dyn ToSql; 6] = [&amount, &currency, &facts.last4, &from, &to, &limit];
        let rows = query.query_map(&given[..], |row| {
            let link: Option<String> = row.get(4)?;
            Ok((key_of(row)?, link.as_deref().and_then(LinkId::parse)))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    if fitting.len() > SAME_MAX {
        return Ok(None);
    }
    fitting.retain(|(key, _)| key.is_some_and(|key| shop(key.merchant.as_str())));
    Ok(match fitting[..] {
        [(Some(key), link)] => Some((key, link)),
        _ => None,
    })
}

fn asked<T>(
    data: &Path,
    ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, ArchiveError> {
    let archive = archive::read(data)?;
    ask(&archive).map_err(|error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    })
}

/// The key in the first four columns.
fn key_of(row: &Row<'_>) -> rusqlite::Result<Option<SaleKey>> {
    let (terminal, merchant): (String, String) = (row.get(0)?, row.get(3)?);
    let (batch, stan) = (Batch(row.get(1)?), Stan(row.get(2)?));
    let key = TerminalId::parse(terminal.as_bytes()).zip(MerchantId::parse(merchant.as_bytes()));
    Ok(key.map(|(terminal, merchant)| SaleKey {
        terminal,
        merchant,
        batch,
        stan,
    }))
}

const SALE: &str = "SELECT terminal, batch, stan, merchant, rrn, kind, amount_minor, card_masked, received_ms, approval,
    verdict_row, headline_zh, headline_en, case_number, link FROM sale";

fn look(archive: &Connection, named: Named) -> rusqlite::Result<Option<Found>> {
    let found = match named {
        Named::Link(link) => {
            let query = format!("{SALE} WHERE link = ?1");
            archive.query_row(&query, [link.to_string()], read)
        }
        Named::Key(key) => {
            let query = format!(
                "{SALE} WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4"
            );
            let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
            archive.query_row(
                &query,
                params![terminal, key.batch.0, key.stan.0, merchant],
                read,
            )
        }
    };
    let Some((mut found, bin)) = found.optional()?.flatten() else {
        return Ok(None);
    };
    found.view.events = events(archive, &found.key)?;
    found.view.declared = declared(archive, &found.key)?;
    found.payloads = payloads(archive, &found.key)?;
    found.view.as_of =
        archive.query_row("SELECT wall FROM place", [], |row| row.get(0).map(Wall))?;
    let outcome = found.view.status.outcome;
    if outcome == Outcome::Reversed {
        found.view.reversed_at = reversed_at(archive, &found.key)?;
    }
    if !matches!(outcome, Outcome::Approved | Outcome::Declined) {
        found.view.returns = returns(archive, &bin, &found.key)?;
    }
    Ok(Some(found))
}

/// A sale and the first digits of its card, which name its issuer; none when its key is not of this program.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<(Found, String)>> {
    let Some(key) = key_of(row)? else {
        return Ok(None);
    };
    let card: String = row.get(7)?;
    let kind = known_kind(&row.get::<_, String>(5)?);
    let (verdict, link): (String, Option<String>) = (row.get(10)?, row.get(14)?);
    let view = MoneyView {
        path: String::new(),
        merchant: key.merchant.to_string(),
        merchant_id: key.merchant.to_string(),
        terminal: key.terminal.to_string(),
        batch: key.batch.0,
        stan: key.stan.0,
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
        status: stored(&verdict, kind, (row.get(11)?, row.get(12)?), row.get(13)?),
        as_of: Wall::default(),
        events: Vec::new(),
        certificates: Vec::new(),
        reversed_at: None,
        returns: Vec::new(),
        declared: Declarations::default(),
        sends: false,
    };
    let found = Found {
        view,
        key,
        link: link.as_deref().and_then(LinkId::parse),
        row: verdict,
        payloads: Vec::new(),
    };
    Ok(Some((found, card.chars().take(6).collect())))
}

/// The verdict as the archive stored it, for a sale that the acquirer has no longer in memory.
fn stored(id: &str, kind: Option<Kind>, headline: (String, String), case: Option<u32>) -> Status {
    let row = row(id).unwrap_or(&ROWS[0]);
    let number = case.map(|case| case.to_string()).unwrap_or_default();
    let (zh, en) = kind.map_or_else(Default::default, kind_words);
    let filled = |text: &str, name: &str| text.replace("{case}", &number).replace("{kind}", name);
    Status {
        headline,
        line: (filled(row.cardholder.0, &zh), filled(row.cardholder.1, &en)),
        position: row.position,
        outcome: row.outcome,
        owner: row.owner,
        rail: kind.map_or(Rail::Card, |kind| kind.row().rail),
        beads: None,
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

fn events(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Vec<Step>> {
    let mut query = archive.prepare(
        "SELECT at_ms, what FROM event WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4
         ORDER BY seq, ordinal",
    )?;
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    let mut rows = query.query(params![terminal, key.batch.0, key.stan.0, merchant])?;
    let mut events: Vec<Step> = Vec::new();
    while let Some(row) = rows.next()? {
        let what: String = row.get(1)?;
        let Some(words) = event_words(&what) else {
            continue;
        };
        let again = events.last_mut().filter(|last| last.words == words);
        if let Some(last) = again {
            last.times += 1;
        } else if events.len() < EVENTS_MAX {
            events.push(Step {
                at: Wall(row.get(0)?),
                words,
                times: 1,
            });
        }
    }
    Ok(events)
}

fn declared(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Declarations> {
    let mut query = archive.prepare(
        "SELECT statement, at_ms FROM declaration WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4",
    )?;
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    let mut rows = query.query(params![terminal, key.batch.0, key.stan.0, merchant])?;
    let mut declared = Declarations::default();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if let Some(statement) = Statement::named(&name) {
            declared.keep(statement, Wall(row.get(1)?));
        }
    }
    Ok(declared)
}

/// The last word on the return of a sale `s`.
const LAST_WORD: &str = "SELECT MAX(at_ms) FROM event e WHERE e.terminal = s.terminal AND e.batch = s.batch
    AND e.stan = s.stan AND e.merchant = s.merchant AND e.what IN ('reversal_answered', 'order_ended', 'refund_answered')";

fn reversed_at(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Option<Wall>> {
    let query = format!(
        "SELECT ({LAST_WORD}) FROM sale s WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4"
    );
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    let at: Option<i64> = archive.query_row(
        &query,
        params![terminal, key.batch.0, key.stan.0, merchant],
        |row| row.get(0),
    )?;
    Ok(at.map(Wall))
}

/// Milliseconds from the request to the confirmed reversal of the newest returns of this issuer, this sale's own left out.
fn returns(archive: &Connection, bin: &str, key: &SaleKey) -> rusqlite::Result<Vec<u64>> {
    let query = format!(
        "SELECT ({LAST_WORD}) - s.received_ms FROM sale s WHERE substr(card_masked, 1, 6) = ?1 AND verdict_row = 'reversed'
         AND NOT (terminal = ?2 AND batch = ?3 AND stan = ?4 AND merchant = ?5) ORDER BY received_ms DESC LIMIT ?6"
    );
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    let mut query = archive.prepare(&query)?;
    let limit = RETURNS_MAX as i64;
    let given = params![bin, terminal, key.batch.0, key.stan.0, merchant, limit];
    let rows = query.query_map(given, |row| row.get::<_, Option<i64>>(0))?;
    let known = rows.filter_map(|took| took.map(|ms| u64::try_from(ms?).ok()).transpose());
    known.collect()
}

/// Every certificate of a sale, oldest first.
fn payloads(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Vec<[u8; PAYLOAD_LENGTH]>> {
    let mut query = archive.prepare(
        "SELECT payload FROM certificate WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4 ORDER BY number",
    )?;
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    let given = params![terminal, key.batch.0, key.stan.0, merchant];
    let rows = query.query_map(given, |row| row.get(0))?;
    rows.collect()
}

/// Certificates after number `after`, at most `limit`, in the order of the chain.
pub(crate) fn chain(
    data: &Path,
    after: u64,
    limit: u32,
) -> Result<Vec<[u8; PAYLOAD_LENGTH]>, ArchiveError> {
    asked(data, |archive| {
        let mut query = archive.prepare(
            "SELECT payload FROM certificate WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let rows = query.query_map(params![after as i64, limit], |row| row.get(0))?;
        rows.collect()
    })
}

/// Certificates of a sale.
pub(super) fn of_sale(
    data: &Path,
    key: SaleKey,
) -> Result<Vec<[u8; PAYLOAD_LENGTH]>, ArchiveError> {
    asked(data, |archive| payloads(archive, &key))
}
