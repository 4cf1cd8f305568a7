//! What the archives say of one sale: the acquirer's own, and those of other parties where a sandbox lets them be read.
//!
//! Each archive is opened for reading and closed again; one that is not there, or that has not come so far, is unknown.

use crate::archive::{self, Role, event_words};
use crate::eslip;
use acquirer::SaleRecord;
use pages::console::ledger::{Account, Books, Entry, Known};
use payment::{HostKey, SaleKey};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows of the journal about one sale that are read.
const EVENTS_MAX: u32 = 200;

/// What is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub events: Vec<Event>,
    pub certificates: u64,
    pub own: Option<Known>,
    pub network: Option<NetworkFacts>,
    pub issuer: Option<IssuerFacts>,
    pub terminal: Option<TerminalFacts>,
    pub slip: Option<String>,
}

/// A row of the acquirer's journal.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub place: (u64, u64),
    pub at: i64,
    pub what: String,
    pub detail: Option<String>,
}

impl Event {
    /// Its words.
    pub(super) fn words(&self) -> (&'static str, &'static str) {
        match self.what.as_str() {
            "guarded" => ("拦下重复收款", "a second charge was held back"),
            "batch_break" => ("批结算不符", "the batch does not agree"),
            what => event_words(what).unwrap_or(("其他记录", "another record")),
        }
    }
}

/// An exchange as the network passed it on.
#[derive(Clone, Debug)]
pub(super) struct NetworkFacts {
    pub at: i64,
    pub state: String,
    pub answered: Option<i64>,
    pub code: Option<String>,
}

/// An exchange as the issuer decided it.
#[derive(Clone, Debug)]
pub(super) struct IssuerFacts {
    pub at: i64,
    pub code: String,
    pub standing: String,
    pub reversed: Option<i64>,
    pub notices: Vec<(i64, String)>,
    pub books: Known,
}

/// A sale as its till keeps it.
#[derive(Clone, Debug)]
pub(super) struct TerminalFacts {
    pub started: i64,
    pub ended: Option<i64>,
    pub ending: String,
    pub printed: Option<u32>,
    pub slip_state: Option<String>,
}

/// Reads what there is. Blocks: not for a runtime thread.
pub(super) fn read(data: &Path, reads: &[PathBuf], sale: &SaleRecord, merchant: &str) -> Facts {
    let mut facts = Facts::default();
    let of_own = |facts: &mut Facts| -> rusqlite::Result<()> {
        let Ok(archive) = archive::read(data) else {
            return Ok(());
        };
        facts.events = events(&archive, &sale.key())?;
        facts.certificates = certificates(&archive, &sale.key())?;
        facts.own = Some(own_books(&archive, sale)?);
        Ok(())
    };
    if let Err(problem) = of_own(&mut facts) {
        tracing::warn!(%problem, "the archive does not tell of a sale");
    }
    facts.slip = sale
        .link
        .and_then(|link| eslip::slip_picture(data, link, merchant));
    for data in reads {
        if let Err(problem) = of_other(&mut facts, data, sale) {
            tracing::debug!(%problem, data = %data.display(), "another party's archive does not tell of a sale");
        }
    }
    facts
}

fn of_other(facts: &mut Facts, data: &Path, sale: &SaleRecord) -> Result<(), String> {
    let role = Role::of(data).map_err(|error| error.to_string())?;
    let archive = archive::read(data).map_err(|error| error.to_string())?;
    let told = match (role, sale.host) {
        (Role::Network, Some(host)) => network(&archive, &host).map(|found| {
            facts.network = found.or(facts.network.take());
        }),
        (Role::Issuer, Some(host)) => issuer(&archive, &host, sale.rrn.as_str()).map(|found| {
            facts.issuer = found.or(facts.issuer.take());
        }),
        (Role::Terminal, _) => terminal(&archive, &sale.key()).map(|found| {
            facts.terminal = found.or(facts.terminal.take());
        }),
        _ => Ok(()),
    };
    told.map_err(|error| error.to_string())
}

fn rows<T>(
    archive: &Connection,
    query: &str,
    key: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    archive.prepare(query)?.query_map(key, read)?.collect()
}

fn events(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Vec<Event>> {
    let query = "SELECT seq, ordinal, at_ms, what, detail FROM event
        WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4 ORDER BY seq, ordinal LIMIT ?5";
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    rows(
        archive,
        query,
        params![terminal, key.batch.0, key.stan.0, merchant, EVENTS_MAX],
        |row| {
            Ok(Event {
                place: (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64),
                at: row.get(2)?,
                what: row.get(3)?,
                detail: row.get(4)?,
            })
        },
    )
}

fn certificates(archive: &Connection, key: &SaleKey) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM certificate WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4";
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    archive
        .query_row(
            query,
            params![terminal, key.batch.0, key.stan.0, merchant],
            |row| row.get::<_, i64>(0),
        )
        .map(|count| count as u64)
}

/// Account names of an archive's `balance` table, as pages name them.
fn owner(archive: &Connection, account: i64) -> rusqlite::Result<(String, String)> {
    let query = "SELECT owner FROM balance WHERE account = ?1";
    let owner: Option<String> = archive
        .query_row(query, [account], |row| row.get(0))
        .optional()?;
    let words = match owner.as_deref() {
        Some("network") => ("应收银联", "receivable from the network"),
        Some("wallet") => ("应收钱包", "receivable from the wallet"),
        Some("suspense") => ("发卡行挂账", "issuer's suspense"),
        Some("settlement") => ("待清算", "to be cleared"),
        Some("recoverable") => ("应收追索", "recoverable"),
        Some("funds") => ("资金", "funds"),
        Some("limits") => ("授信额度", "credit limits"),
        Some(merchant) if merchant.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Ok((
                format!("应付商户 {merchant}"),
                format!("payable to merchant {merchant}"),
            ));
        }
        Some("cardholder") => ("持卡人账户", "cardholder's account"),
        _ => return Ok((format!("账户 {account}"), format!("account {account}"))),
    };
    Ok((words.0.to_owned(), words.1.to_owned()))
}

/// Entries gathered into accounts, in the order in which the accounts were first moved.
#[derive(Default)]
struct Sheet {
    order: Vec<i64>,
    entries: BTreeMap<i64, Vec<Entry>>,
}

impl Sheet {
    fn post(
        &mut self,
        debit: i64,
        credit: i64,
        minor: u64,
        what: (&'static str, &'static str),
        counts: bool,
    ) {
        for (account, debit) in [(debit, true), (credit, false)] {
            if !self.order.contains(&account) {
                self.order.push(account);
            }
            self.entries.entry(account).or_default().push(Entry {
                debit,
                minor,
                what,
                counts,
            });
        }
    }

    fn known(mut self, archive: &Connection) -> rusqlite::Result<Known> {
        if self.order.is_empty() {
            return Ok(Known::Nothing);
        }
        let accounts = self.order.iter().map(|account| {
            Ok(Account {
                name: owner(archive, *account)?,
                entries: self.entries.remove(account).unwrap_or_default(),
            })
        });
        accounts
            .collect::<rusqlite::Result<_>>()
            .map(Known::Accounts)
    }
}

fn own_books(archive: &Connection, sale: &SaleRecord) -> rusqlite::Result<Known> {
    let mut sheet = Sheet::default();
    if let Some(transfer) = sale.transfer {
        let query = "SELECT debit, credit, amount_minor, reversed FROM posting WHERE id = ?1";
        let found = archive
            .query_row(query, [transfer as i64], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get::<_, i64>(2)? as u64,
                    row.get::<_, bool>(3)?,
                ))
            })
            .optional()?;
        if let Some((debit, credit, minor, reversed)) = found {
            sheet.post(debit, credit, minor, ("记账", "posted"), true);
            if reversed {
                sheet.post(credit, debit, minor, ("冲回", "taken back"), true);
            }
        }
    }
    sheet.known(archive)
}

fn host_params(host: &HostKey) -> [i64; 4] {
    [
        host.transmission as i64,
        i64::from(host.stan.0),
        host.acquirer.0 as i64,
        host.forwarder.0 as i64,
    ]
}

fn network(archive: &Connection, host: &HostKey) -> rusqlite::Result<Option<NetworkFacts>> {
    let query = "SELECT at_ms, state, answered_ms, code FROM exchange
        WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
    archive
        .query_row(query, host_params(host), |row| {
            Ok(NetworkFacts {
                at: row.get(0)?,
                state: row.get(1)?,
                answered: row.get(2)?,
                code: row.get(3)?,
            })
        })
        .optional()
}

fn issuer(
    archive: &Connection,
    host: &HostKey,
    rrn: &str,
) -> rusqlite::Result<Option<IssuerFacts>> {
    let query = "SELECT at_ms, code, standing, reversed_ms FROM exchange
        WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
    let found = archive
        .query_row(query, host_params(host), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((at, code, standing, reversed)) = found else {
        return Ok(None);
    };
    let query = "SELECT at_ms, kind FROM notice WHERE rrn = ?1 ORDER BY seq, ordinal LIMIT 8";
    let notices = rows(archive, query, [rrn], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(IssuerFacts {
        at,
        code,
        standing,
        reversed,
        notices,
        books: issuer_books(archive, host)?,
    }))
}

fn issuer_books(archive: &Connection, host: &HostKey) -> rusqlite::Result<Known> {
    let query = "SELECT debit, credit, amount_minor, held, closed FROM posting
        WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4 ORDER BY at_ms, id LIMIT 64";
    let mut sheet = Sheet::default();
    let found = rows(archive, query, host_params(host), |row| {
        let closed: Option<String> = row.get(4)?;
        Ok((
            (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?),
            row.get::<_, i64>(2)? as u64,
            row.get::<_, bool>(3)?,
            closed,
        ))
    })?;
    for ((debit, credit), minor, held, closed) in found {
        match (held, closed.as_deref()) {
            (true, None) => sheet.post(debit, credit, minor, ("冻结", "held"), false),
            (_, Some("voided")) => sheet.post(debit, credit, minor, ("已解冻", "released"), false),
            (_, Some("expired")) => {
                sheet.post(debit, credit, minor, ("冻结到期", "hold expired"), false)
            }
            (_, Some("reversed")) => {
                sheet.post(debit, credit, minor, ("记账", "posted"), true);
                sheet.post(credit, debit, minor, ("冲回", "taken back"), true);
            }
            _ => sheet.post(debit, credit, minor, ("记账", "posted"), true),
        }
    }
    sheet.known(archive)
}

fn terminal(archive: &Connection, key: &SaleKey) -> rusqlite::Result<Option<TerminalFacts>> {
    let query = "SELECT started_ms, ended_ms, ending, slip_printed, slip_state FROM sale
        WHERE terminal = ?1 AND batch = ?2 AND stan = ?3 AND merchant = ?4";
    let (terminal, merchant) = (key.terminal.as_str(), key.merchant.as_str());
    archive
        .query_row(
            query,
            params![terminal, key.batch.0, key.stan.0, merchant],
            |row| {
                Ok(TerminalFacts {
                    started: row.get(0)?,
                    ended: row.get(1)?,
                    ending: row.get(2)?,
                    printed: row.get(3)?,
                    slip_state: row.get(4)?,
                })
            },
        )
        .optional()
}

impl Facts {
    /// The books of acquirer and issuer, as a page shows them.
    pub(super) fn books(&self) -> Vec<Books> {
        vec![
            Books {
                party: ("收单", "Acquirer"),
                known: self.own.clone().unwrap_or(Known::NotHere),
            },
            Books {
                party: ("发卡行", "Issuer"),
                known: self
                    .issuer
                    .as_ref()
                    .map_or(Known::NotHere, |issuer| issuer.books.clone()),
            },
        ]
    }
}
