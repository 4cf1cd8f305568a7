//! The network's tables: what it passed on and how that ended, and the reversal advices it forwards.
//!
//! Rows follow from records alone.

use super::projection::name;
use super::{Projection, Watch};
use crate::journal::{JournalError, Row};
use ::network::{Config, Network, Record};
use payment::host::{Financial, Reversal};
use payment::{HostKey, Institution, Machine, Party, ResponseCode, Wall};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::Path;

/// `exchange.state` is `forwarded`, `declined`, `not_sent`, `answered` or `timed_out`; `advice.progress` is `open`,
/// `refused` or `confirmed`.
pub(super) const SCHEMA: &str = "
    CREATE TABLE exchange(transmission INTEGER NOT NULL, stan INTEGER NOT NULL, acquirer INTEGER NOT NULL,
        forwarder INTEGER NOT NULL, kind TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency INTEGER NOT NULL,
        card_masked TEXT NOT NULL, rrn TEXT NOT NULL, terminal TEXT NOT NULL, merchant TEXT NOT NULL, issuer INTEGER,
        at_ms INTEGER NOT NULL, state TEXT NOT NULL, answered_ms INTEGER, code TEXT, wrong_mac INTEGER NOT NULL, late_code TEXT,
        PRIMARY KEY(transmission, stan, acquirer, forwarder)) WITHOUT ROWID;
    CREATE INDEX exchange_rrn ON exchange(rrn);
    CREATE TABLE advice(transmission INTEGER NOT NULL, stan INTEGER NOT NULL, acquirer INTEGER NOT NULL,
        forwarder INTEGER NOT NULL, original_transmission INTEGER NOT NULL, original_stan INTEGER NOT NULL,
        original_acquirer INTEGER NOT NULL, original_forwarder INTEGER NOT NULL, own INTEGER NOT NULL, reason INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL, at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, progress TEXT NOT NULL, code TEXT,
        ended_ms INTEGER, is_case INTEGER NOT NULL,
        PRIMARY KEY(transmission, stan, acquirer, forwarder)) WITHOUT ROWID;";

const INSERT_EXCHANGE: &str = "
    INSERT INTO exchange VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, NULL)
    ON CONFLICT(transmission, stan, acquirer, forwarder) DO UPDATE SET
        issuer = excluded.issuer, state = excluded.state, answered_ms = excluded.answered_ms, code = excluded.code";
const END_EXCHANGE: &str = "
    UPDATE exchange SET state = ?5, answered_ms = ?6, code = ?7
    WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const WRONG_MAC: &str = "
    UPDATE exchange SET wrong_mac = 1 WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const LATE: &str = "
    UPDATE exchange SET late_code = ?5 WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const INSERT_ADVICE: &str = "
    INSERT INTO advice VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 'open', NULL, NULL, 0)
    ON CONFLICT(transmission, stan, acquirer, forwarder) DO NOTHING";
const TRY_ADVICE: &str = "
    UPDATE advice SET attempts = attempts + 1
    WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const CASE_ADVICE: &str = "
    UPDATE advice SET is_case = 1 WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const ANSWER_ADVICE: &str = "
    UPDATE advice SET progress = ?5, code = ?6, ended_ms = ?7
    WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";

/// Requests whose time is taken at once; beyond it new ones are not timed.
const ASKED_MAX: usize = 65_536;

/// The fold and the records that wait to be written.
pub(super) struct NetworkTables {
    fold: Network,
    waiting: Vec<Record>,
    watch: Option<Watch>,
    /// Requests without an answer, by when they came.
    asked: BTreeMap<HostKey, Wall>,
}

impl NetworkTables {
    pub(super) fn new() -> Self {
        Self {
            fold: Network::new(Config::new(Institution(0))),
            waiting: Vec::new(),
            watch: None,
            asked: BTreeMap::new(),
        }
    }

    /// From a request to what its acquirer is told.
    fn time(&mut self, record: &Record) {
        let (at, ended) = match record {
            Record::Forwarded { sale, .. } | Record::TransferTaken { sale, .. } => {
                if self.asked.len() < ASKED_MAX {
                    self.asked.insert(sale.key, record.at().wall);
                }
                return;
            }
            Record::Answered { answer, .. } => (record.at().wall, answer.key),
            Record::NotSent { key, .. }
            | Record::TimedOut { key, .. }
            | Record::TransferEnded { key, .. } => (record.at().wall, *key),
            _ => return,
        };
        if let (Some(asked), Some(watch)) = (self.asked.remove(&ended), &self.watch) {
            watch.hop(asked, at);
        }
    }
}

impl Projection for NetworkTables {
    fn take(&mut self, row: &Row, path: &Path, keep: bool) -> Result<u64, JournalError> {
        let records = row.records::<Record>(path)?;
        let count = records.len() as u64;
        for record in records {
            self.fold.apply(&record);
            if keep {
                self.time(&record);
                self.waiting.push(record);
            }
        }
        Ok(count)
    }

    fn write(&mut self, archive: &Connection) -> rusqlite::Result<()> {
        self.waiting
            .drain(..)
            .try_for_each(|record| write_record(archive, &record))
    }

    fn restore(&mut self, snapshot: &[u8]) -> bool {
        let Ok(state) = postcard::from_bytes(snapshot) else {
            return false;
        };
        self.fold.restore(state);
        true
    }

    fn agrees(&self, snapshot: &[u8]) -> bool {
        postcard::to_allocvec(self.fold.state()).is_ok_and(|state| state == snapshot)
    }

    fn watched(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    fn audit(&self) -> Result<(), String> {
        Ok(())
    }
}

fn write_record(archive: &Connection, record: &Record) -> rusqlite::Result<()> {
    let at = record.at().wall;
    match record {
        Record::Link { .. }
        | Record::SignedOn { .. }
        | Record::SignedOff { .. }
        | Record::KeysOffered { .. }
        | Record::KeysAnswered { .. }
        | Record::Noticed { .. } => Ok(()),
        Record::Forwarded { sale, issuer, .. } => {
            begin(archive, sale, at, Some(*issuer), "forwarded", None)
        }
        Record::Declined { sale, code, .. } => {
            begin(archive, sale, at, None, "declined", Some(*code))
        }
        Record::NotSent { key, code, .. } => end(archive, key, at, "not_sent", *code),
        Record::Answered { answer, .. } => end(archive, &answer.key, at, "answered", answer.code),
        Record::TimedOut { key, reversal, .. } => {
            end(archive, key, at, "timed_out", ResponseCode::ISSUER_TIMEOUT)?;
            reversal
                .iter()
                .try_for_each(|reversal| take_advice(archive, reversal, true, at))
        }
        Record::WrongMac { key, .. } => keyed(archive, WRONG_MAC, key),
        Record::Late { key, code, .. } => {
            let (transmission, stan, acquirer, forwarder) = parts(key);
            let values = params![transmission, stan, acquirer, forwarder, code.as_str()];
            archive.prepare_cached(LATE)?.execute(values).map(drop)
        }
        Record::AdviceTaken { reversal, .. } => take_advice(archive, reversal, false, at),
        Record::AdviceWithoutIssuer { reversal, .. } => {
            take_advice(archive, reversal, false, at)?;
            answer_advice(
                archive,
                &reversal.key,
                "confirmed",
                ResponseCode::ORIGINAL_NOT_FOUND,
                Some(at),
            )
        }
        Record::AdviceTried { key, .. } => keyed(archive, TRY_ADVICE, key),
        Record::CaseOpened { key, .. } => keyed(archive, CASE_ADVICE, key),
        Record::AdviceRefused { key, code, .. } => {
            answer_advice(archive, key, "refused", *code, None)
        }
        Record::AdviceConfirmed { key, code, .. } => {
            answer_advice(archive, key, "confirmed", *code, Some(at))
        }
        Record::TransferTaken { sale, issuers, .. } => {
            begin(archive, sale, at, Some(issuers[0]), "forwarded", None)
        }
        Record::CreditSent { .. } => Ok(()),
        Record::TransferUndone { reversals, .. } => take_own(archive, reversals, at),
        Record::TransferEnded {
            key,
            code,
            reversals,
            ..
        } => {
            let state = match *code {
                ResponseCode::ISSUER_TIMEOUT => "timed_out",
                _ => "answered",
            };
            end(archive, key, at, state, *code)?;
            take_own(archive, reversals, at)
        }
        Record::TransferReversed { reversal, legs, .. } => {
            take_advice(archive, reversal, false, at)?;
            take_own(archive, legs, at)
        }
    }
}

/// The four columns of a host key.
fn parts(key: &HostKey) -> (i64, u32, i64, i64) {
    (
        key.transmission as i64,
        key.stan.0,
        key.acquirer.0 as i64,
        key.forwarder.0 as i64,
    )
}

fn keyed(archive: &Connection, sql: &str, key: &HostKey) -> rusqlite::Result<()> {
    archive.prepare_cached(sql)?.execute(parts(key)).map(drop)
}

fn begin(
    archive: &Connection,
    sale: &Financial,
    at: Wall,
    issuer: Option<Institution>,
    state: &str,
    code: Option<ResponseCode>,
) -> rusqlite::Result<()> {
    let (transmission, stan, acquirer, forwarder) = parts(&sale.key);
    let insert = params![
        transmission,
        stan,
        acquirer,
        forwarder,
        name(&sale.kind),
        sale.amount.minor as i64,
        sale.amount.currency.0,
        sale.card.masked(),
        sale.rrn.as_str(),
        sale.terminal.as_str(),
        sale.merchant.as_str(),
        issuer.map(|issuer| issuer.0 as i64),
        at.0,
        state,
        code.map(|_| at.0),
        code.as_ref().map(ResponseCode::as_str),
    ];
    archive
        .prepare_cached(INSERT_EXCHANGE)?
        .execute(insert)
        .map(drop)
}

fn end(
    archive: &Connection,
    key: &HostKey,
    at: Wall,
    state: &str,
    code: ResponseCode,
) -> rusqlite::Result<()> {
    let (transmission, stan, acquirer, forwarder) = parts(key);
    let values = params![
        transmission,
        stan,
        acquirer,
        forwarder,
        state,
        at.0,
        code.as_str()
    ];
    archive
        .prepare_cached(END_EXCHANGE)?
        .execute(values)
        .map(drop)
}

fn take_advice(
    archive: &Connection,
    reversal: &Reversal,
    own: bool,
    at: Wall,
) -> rusqlite::Result<()> {
    let (key, original) = (parts(&reversal.key), parts(&reversal.original));
    let insert = params![
        key.0,
        key.1,
        key.2,
        key.3,
        original.0,
        original.1,
        original.2,
        original.3,
        own,
        reversal.reason.0,
        reversal.sale.amount.minor as i64,
        at.0,
    ];
    archive
        .prepare_cached(INSERT_ADVICE)?
        .execute(insert)
        .map(drop)
}

fn take_own(archive: &Connection, reversals: &[Reversal], at: Wall) -> rusqlite::Result<()> {
    reversals
        .iter()
        .try_for_each(|reversal| take_advice(archive, reversal, true, at))
}

fn answer_advice(
    archive: &Connection,
    key: &HostKey,
    progress: &str,
    code: ResponseCode,
    ended: Option<Wall>,
) -> rusqlite::Result<()> {
    let (transmission, stan, acquirer, forwarder) = parts(key);
    let ended = ended.map(|at| at.0);
    let values = params![
        transmission,
        stan,
        acquirer,
        forwarder,
        progress,
        code.as_str(),
        ended
    ];
    archive
        .prepare_cached(ANSWER_ADVICE)?
        .execute(values)
        .map(drop)
}
