//! What a party contributes to its archive: its tables, its fold, and the rows that its records change.
//!
//! Only records decide what is written: no clock, no configuration. A fold's configuration is a form with throw-away keys,
//! since `apply` never looks at it.

use super::Role;
use super::acquirer::AcquirerTables;
use super::issuer::IssuerTables;
use super::network::NetworkTables;
use super::terminal::TerminalTables;
use crate::journal::{JournalError, Row};
use crate::observed::Observed;
use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule, WrappedKey};
use ledger::{AccountId, Ledger, Side};
use payment::Wall;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// Who is told of durations and causes as the rows go by.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) observed: Arc<Observed>,
    /// What was decided before is history: an archive that is built again tells nothing twice.
    pub(crate) since: Wall,
}

impl Watch {
    /// From a request to its answer.
    pub(crate) fn hop(&self, from: Wall, to: Wall) {
        if to >= self.since {
            self.observed.hop.observe(from, to);
        }
    }
}

/// One party's copy of its state and the rows that wait to be written.
pub(crate) trait Projection: Send {
    /// Folds a journal row; with `keep` it also remembers what the archive must say of it. Gives the number of records.
    fn take(&mut self, row: &Row, path: &Path, keep: bool) -> Result<u64, JournalError>;
    /// Writes what waits.
    fn write(&mut self, archive: &Connection) -> rusqlite::Result<()>;
    /// Takes over the state of a snapshot; false when it does not read.
    fn restore(&mut self, snapshot: &[u8]) -> bool;
    /// True when a snapshot holds the same state as this fold.
    fn agrees(&self, snapshot: &[u8]) -> bool;
    /// Tells `watch` from now on of what becomes known.
    fn watched(&mut self, watch: Watch);
    /// Proves the books, when the party has any.
    fn audit(&self) -> Result<(), String>;
}

/// The tables of a role.
pub(crate) fn schema(role: Role) -> String {
    match role {
        Role::Acquirer => [super::acquirer::SCHEMA, BALANCE].concat(),
        Role::Network => super::network::SCHEMA.to_owned(),
        Role::Issuer => [super::issuer::SCHEMA, BALANCE].concat(),
        Role::Terminal => super::terminal::SCHEMA.to_owned(),
    }
}

/// An empty projection.
pub(crate) fn for_role(role: Role) -> Box<dyn Projection> {
    match role {
        Role::Acquirer => Box::new(AcquirerTables::new()),
        Role::Network => Box::new(NetworkTables::new()),
        Role::Issuer => Box::new(IssuerTables::new()),
        Role::Terminal => Box::new(TerminalTables::new()),
    }
}

/// A key that enciphers nothing: folds need a configuration to be made, and never use it.
pub(super) fn no_key(usage: KeyUsage) -> WrappedKey {
    let clear =
        ClearKey::from_hex("0123456789ABCDEFFEDCBA9876543210").expect("sixteen bytes are a key");
    SoftwareModule::new([0; 32])
        .import(usage, &clear)
        .expect("a fresh module takes a key")
}

/// The name of a variant as the archive spells it: `NotSent(51)` is `not_sent`.
pub(crate) fn name(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let mut name = String::with_capacity(end + 4);
    for c in text[..end].chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// Totals of the accounts in use, the same for acquirer and issuer.
const BALANCE: &str = "CREATE TABLE balance(account INTEGER PRIMARY KEY, owner TEXT NOT NULL, currency INTEGER NOT NULL,
    normal TEXT NOT NULL, debits_pending INTEGER NOT NULL, debits_posted INTEGER NOT NULL, credits_pending INTEGER NOT NULL,
    credits_posted INTEGER NOT NULL, available_minor INTEGER NOT NULL);";

/// Writes the totals of `changed`, which is empty afterwards; `owner` names an account, or keeps the name it has.
pub(super) fn write_balances(
    archive: &Connection,
    ledger: &Ledger,
    changed: &mut BTreeSet<AccountId>,
    owner: impl Fn(AccountId) -> String,
) -> rusqlite::Result<()> {
    let mut upsert = archive.prepare_cached(
        "INSERT INTO balance VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(account) DO UPDATE SET
         debits_pending = excluded.debits_pending, debits_posted = excluded.debits_posted,
         credits_pending = excluded.credits_pending, credits_posted = excluded.credits_posted,
         available_minor = excluded.available_minor",
    )?;
    for account in std::mem::take(changed) {
        let (Some(balance), Some(rules)) = (ledger.balance(account), ledger.rules(account)) else {
            continue;
        };
        let normal = match rules.normal {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        upsert.execute(params![
            account.0 as i64,
            owner(account),
            rules.currency.0,
            normal,
            balance.debits_pending as i64,
            balance.debits_posted as i64,
            balance.credits_pending as i64,
            balance.credits_posted as i64,
            balance.available(rules.normal),
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use payment::evidence::Upstream;
    use payment::sign::Trouble;
    use payment::{Kind, ResponseCode};

    #[test]
    fn variants_are_spelt_alike() {
        assert_eq!(name(&Upstream::NotSent(ResponseCode::APPROVED)), "not_sent");
        assert_eq!(name(&Trouble::PaperOut), "paper_out");
        assert_eq!(name(&Kind::BalanceInquiry), "balance_inquiry");
    }
}
