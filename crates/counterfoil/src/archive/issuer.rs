//! The issuer's tables: exchanges, postings, accounts and what cardholders were told.
//!
//! Rows follow from records alone; the fold gives the balances.

use super::projection::{name, no_key, write_balances};
use super::{Projection, Watch};
use crate::journal::{JournalError, Row};
use ::issuer::{
    AVAILABLE_FROM, Answered, Config, Issuer, LIMITS, RECOVERABLE, Record, Returned, SETTLEMENT,
    SUSPENSE,
};
use crypto::{KeyUsage, MacAlgorithm};
use ledger::{AccountId, Entry, TransferId};
use payment::host::Financial;
use payment::{HostKey, Institution, Machine, Party, Posting, Wall};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::path::Path;

/// `exchange` is keyed as host messages are; `effect` is what an approval does (the posting of its kind), `moved_minor`
/// what that adds to the merchant's money, `original_` the request that it is about, `expired_ms` when its hold ran out. An
/// exchange has as many postings as its entries; one out of the account `recoverable` stands for a credit that was spent
/// before it was taken back. `posting.closed` is null while the movement stands. `notice` is what the
/// holder of the exchange's own card was told of each booking, at most once.
pub(super) const SCHEMA: &str = "
    CREATE TABLE exchange(transmission INTEGER NOT NULL, stan INTEGER NOT NULL, acquirer INTEGER NOT NULL,
        forwarder INTEGER NOT NULL, kind TEXT NOT NULL, effect TEXT NOT NULL, amount_minor INTEGER NOT NULL,
        currency INTEGER NOT NULL, card_masked TEXT NOT NULL, rrn TEXT NOT NULL, terminal TEXT NOT NULL, merchant TEXT NOT NULL,
        at_ms INTEGER NOT NULL, code TEXT NOT NULL, approval TEXT, standing TEXT NOT NULL, came_again INTEGER NOT NULL,
        advised INTEGER NOT NULL, reversal_code TEXT, reversed_ms INTEGER, moved_minor INTEGER NOT NULL,
        original_transmission INTEGER, original_stan INTEGER, original_acquirer INTEGER, original_forwarder INTEGER,
        expired_ms INTEGER, PRIMARY KEY(transmission, stan, acquirer, forwarder)) WITHOUT ROWID;
    CREATE INDEX exchange_rrn ON exchange(rrn);
    CREATE INDEX exchange_original ON exchange(original_transmission, original_stan, original_acquirer, original_forwarder)
        WHERE original_stan IS NOT NULL;
    CREATE TABLE posting(id TEXT PRIMARY KEY, transmission INTEGER, stan INTEGER, acquirer INTEGER, forwarder INTEGER,
        debit INTEGER NOT NULL, credit INTEGER NOT NULL, amount_minor INTEGER NOT NULL, held INTEGER NOT NULL,
        at_ms INTEGER NOT NULL, closed TEXT) WITHOUT ROWID;
    CREATE TABLE notice(seq INTEGER NOT NULL, ordinal INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
        card_masked TEXT NOT NULL, rrn TEXT NOT NULL, amount_minor INTEGER NOT NULL, PRIMARY KEY(seq, ordinal)) WITHOUT ROWID;";

const INSERT_ANSWERED: &str = "
    INSERT INTO exchange VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, 0, NULL, NULL,
        ?17, ?18, ?19, ?20, ?21, NULL)
    ON CONFLICT(transmission, stan, acquirer, forwarder) DO UPDATE SET came_again = came_again + 1";
const INSERT_BARRED: &str = "
    INSERT INTO exchange VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, NULL, 'barred', 0, 1, ?14, ?13,
        0, ?15, ?16, ?17, ?18, NULL)
    ON CONFLICT(transmission, stan, acquirer, forwarder) DO UPDATE SET advised = 1";
const UPDATE_RETURNED: &str = "
    UPDATE exchange SET advised = 1, reversal_code = ?5, reversed_ms = iif(?6, ?7, reversed_ms),
        standing = iif(?6, 'reversed', standing)
    WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const UPDATE_EXPIRED: &str = "
    UPDATE exchange SET expired_ms = ?5 WHERE transmission = ?1 AND stan = ?2 AND acquirer = ?3 AND forwarder = ?4";
const INSERT_POSTING: &str =
    "INSERT INTO posting VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL)";
const CLOSE_POSTING: &str =
    "UPDATE posting SET closed = ?2, amount_minor = coalesce(?3, amount_minor) WHERE id = ?1";
const INSERT_NOTICE: &str = "INSERT INTO notice VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// The fold and what waits to be written.
pub(super) struct IssuerTables {
    fold: Issuer,
    waiting: Vec<Waiting>,
    accounts: BTreeSet<AccountId>,
}

struct Waiting {
    seq: u64,
    ordinal: usize,
    at: Wall,
    record: Record,
}

impl IssuerTables {
    pub(super) fn new() -> Self {
        let config = Config {
            institution: Institution(0),
            network: Institution(0),
            kek: no_key(KeyUsage::HostMaster),
            mac: MacAlgorithm::X919,
            pvk: no_key(KeyUsage::PinVerification),
            issuer_timeout_ms: 0,
            cards: Vec::new(),
            pin_tries_max: 0,
            no_pin_limit_minor: 0,
            percents: payment::Percents::default(),
            hold_ms: 0,
            chip: None,
            unit: payment::CNY,
        };
        Self {
            fold: Issuer::new(config),
            waiting: Vec::new(),
            accounts: BTreeSet::new(),
        }
    }

    /// Notes the accounts that an entry in the books changed.
    fn booked(&mut self, entry: &Entry) {
        let moved = match entry {
            Entry::Open { account, .. } => {
                self.accounts.insert(*account);
                return;
            }
            Entry::Post { transfer } | Entry::Hold { transfer, .. } => Some(*transfer),
            Entry::PostHold { hold: id, .. }
            | Entry::VoidHold { hold: id, .. }
            | Entry::ExpireHold { hold: id, .. }
            | Entry::Reverse { original: id, .. } => match self.fold.ledger().entry(*id) {
                Some(Entry::Post { transfer } | Entry::Hold { transfer, .. }) => Some(transfer),
                _ => None,
            },
        };
        if let Some(transfer) = moved {
            self.accounts.extend([transfer.debit, transfer.credit]);
        }
    }
}

impl Projection for IssuerTables {
    fn take(&mut self, row: &Row, path: &Path, keep: bool) -> Result<u64, JournalError> {
        let records = row.records::<Record>(path)?;
        let count = records.len() as u64;
        for (ordinal, record) in records.into_iter().enumerate() {
            self.fold.apply(&record);
            if !keep {
                continue;
            }
            match &record {
                Record::Opened { entries, .. } => {
                    entries.iter().for_each(|entry| self.booked(entry))
                }
                Record::Answered(Answered { entries, .. })
                | Record::Returned(Returned { entries, .. })
                | Record::Expired { entries, .. } => {
                    entries.iter().for_each(|entry| self.booked(entry));
                }
                Record::SignOnSent { .. } | Record::KeysTaken { .. } | Record::LinkDown => continue,
            }
            self.waiting.push(Waiting {
                seq: row.seq,
                ordinal,
                at: row.now.wall,
                record,
            });
        }
        Ok(count)
    }

    fn write(&mut self, archive: &Connection) -> rusqlite::Result<()> {
        for waiting in std::mem::take(&mut self.waiting) {
            match &waiting.record {
                Record::Opened { entries, .. } => {
                    for entry in entries {
                        write_entry(archive, None, waiting.at, entry)?;
                    }
                }
                Record::Answered(answered) => write_answered(archive, &waiting, answered)?,
                Record::Returned(returned) => write_returned(archive, &waiting, returned)?,
                Record::Expired { key, entries } => {
                    let (transmission, acquirer) = (key.transmission as i64, key.acquirer.0 as i64);
                    let forwarder = key.forwarder.0 as i64;
                    let at = waiting.at.0;
                    archive.prepare_cached(UPDATE_EXPIRED)?.execute(params![
                        transmission,
                        key.stan.0,
                        acquirer,
                        forwarder,
                        at
                    ])?;
                    for entry in entries {
                        write_entry(archive, Some(key), waiting.at, entry)?;
                    }
                }
                Record::SignOnSent { .. } | Record::KeysTaken { .. } | Record::LinkDown => {}
            }
        }
        write_balances(archive, self.fold.ledger(), &mut self.accounts, owner)
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

    /// It answers in the same turn: there is nothing to measure.
    fn watched(&mut self, _: Watch) {}

    fn audit(&self) -> Result<(), String> {
        self.fold.audit().map_err(|error| error.to_string())
    }
}

fn owner(account: AccountId) -> String {
    let name = match account {
        AccountId(AVAILABLE_FROM) => "funds",
        LIMITS => "limits",
        SUSPENSE => "suspense",
        SETTLEMENT => "settlement",
        RECOVERABLE => "recoverable",
        _ => "cardholder",
    };
    name.to_owned()
}

/// The four columns of a key that may not be there.
fn columns(key: Option<HostKey>) -> (Option<i64>, Option<u32>, Option<i64>, Option<i64>) {
    (
        key.map(|key| key.transmission as i64),
        key.map(|key| key.stan.0),
        key.map(|key| key.acquirer.0 as i64),
        key.map(|key| key.forwarder.0 as i64),
    )
}

/// What a cardholder is told of an approval, and when it is taken back.
const fn told(posting: Posting) -> (&'static str, &'static str) {
    match posting {
        Posting::Credit | Posting::Undo | Posting::Uncapture => ("returned", "debited"),
        Posting::Hold | Posting::HoldMore => ("held", "released"),
        Posting::Release => ("released", "held"),
        Posting::Move | Posting::MoveOut => ("sent", "sent_back"),
        Posting::MoveIn => ("received", "received_back"),
        Posting::None | Posting::Debit | Posting::Capture | Posting::Adjust => {
            ("debited", "returned")
        }
    }
}

fn write_answered(
    archive: &Connection,
    waiting: &Waiting,
    answered: &Answered,
) -> rusqlite::Result<()> {
    let Answered {
        at,
        sale,
        code,
        approval,
        entries,
        moved_minor,
        ..
    } = answered;
    let standing = if code.is_success() {
        "approved"
    } else {
        "declined"
    };
    let HostKey {
        transmission,
        stan,
        acquirer,
        forwarder,
    } = sale.key;
    let original = columns(sale.original);
    archive.prepare_cached(INSERT_ANSWERED)?.execute(params![
        transmission as i64,
        stan.0,
        acquirer.0 as i64,
        forwarder.0 as i64,
        name(&sale.kind),
        name(&sale.kind.row().posting),
        sale.amount.minor as i64,
        sale.amount.currency.0,
        sale.card.masked(),
        sale.rrn.as_str(),
        sale.terminal.as_str(),
        sale.merchant.as_str(),
        at.wall.0,
        code.as_str(),
        approval.as_ref().map(|approval| approval.as_str()),
        standing,
        moved_minor,
        original.0,
        original.1,
        original.2,
        original.3,
    ])?;
    for entry in entries {
        write_entry(archive, Some(&sale.key), at.wall, entry)?;
    }
    if !entries.is_empty() {
        write_notice(archive, waiting, told(sale.kind.row().posting).0, sale)?;
    }
    Ok(())
}

fn write_returned(
    archive: &Connection,
    waiting: &Waiting,
    returned: &Returned,
) -> rusqlite::Result<()> {
    let Returned {
        at,
        reversal,
        code,
        entries,
        effective,
        barred,
    } = returned;
    let (
        sale,
        HostKey {
            transmission,
            stan,
            acquirer,
            forwarder,
        },
    ) = (&reversal.sale, reversal.original);
    let key = (
        transmission as i64,
        stan.0,
        acquirer.0 as i64,
        forwarder.0 as i64,
    );
    if *barred {
        let about = columns(sale.original);
        archive.prepare_cached(INSERT_BARRED)?.execute(params![
            key.0,
            key.1,
            key.2,
            key.3,
            name(&sale.kind),
            name(&sale.kind.row().posting),
            sale.amount.minor as i64,
            sale.amount.currency.0,
            sale.card.masked(),
            sale.rrn.as_str(),
            sale.terminal.as_str(),
            sale.merchant.as_str(),
            at.wall.0,
            code.as_str(),
            about.0,
            about.1,
            about.2,
            about.3,
        ])?;
    } else {
        let update = params![
            key.0,
            key.1,
            key.2,
            key.3,
            code.as_str(),
            effective,
            at.wall.0
        ];
        archive.prepare_cached(UPDATE_RETURNED)?.execute(update)?;
    }
    for entry in entries {
        write_entry(archive, Some(&reversal.original), at.wall, entry)?;
    }
    if !entries.is_empty() {
        write_notice(archive, waiting, told(sale.kind.row().posting).1, sale)?;
    }
    Ok(())
}

fn write_entry(
    archive: &Connection,
    request: Option<&HostKey>,
    at: Wall,
    entry: &Entry,
) -> rusqlite::Result<()> {
    let (id, closed, amount) = match entry {
        Entry::Open { .. } => return Ok(()),
        Entry::Post { transfer } | Entry::Hold { transfer, .. } => {
            return archive
                .prepare_cached(INSERT_POSTING)?
                .execute(params![
                    posting(transfer.id),
                    request.map(|key| key.transmission as i64),
                    request.map(|key| key.stan.0),
                    request.map(|key| key.acquirer.0 as i64),
                    request.map(|key| key.forwarder.0 as i64),
                    transfer.debit.0 as i64,
                    transfer.credit.0 as i64,
                    transfer.amount_minor as i64,
                    matches!(entry, Entry::Hold { .. }),
                    at.0,
                ])
                .map(drop);
        }
        // What was posted of a hold stands as a posting of that amount.
        Entry::PostHold {
            hold, amount_minor, ..
        } => (*hold, None, Some(*amount_minor as i64)),
        Entry::VoidHold { hold, .. } => (*hold, Some("voided"), None),
        Entry::ExpireHold { hold, .. } => (*hold, Some("expired"), None),
        Entry::Reverse { original, .. } => (*original, Some("reversed"), None),
    };
    archive
        .prepare_cached(CLOSE_POSTING)?
        .execute(params![posting(id), closed, amount])
        .map(drop)
}

/// Numbers of the books are longer than SQLite's; as text of one length they sort alike.
fn posting(id: TransferId) -> String {
    format!("{:039}", id.0)
}

fn write_notice(
    archive: &Connection,
    waiting: &Waiting,
    kind: &str,
    sale: &Financial,
) -> rusqlite::Result<()> {
    let Waiting {
        seq, ordinal, at, ..
    } = waiting;
    let (card, rrn, minor) = (
        sale.card.masked(),
        sale.rrn.as_str(),
        sale.amount.minor as i64,
    );
    archive
        .prepare_cached(INSERT_NOTICE)?
        .execute(params![
            *seq as i64,
            *ordinal as i64,
            at.0,
            kind,
            card,
            rrn,
            minor
        ])
        .map(drop)
}
