//! The closing audit: the load tool's list against what acquirer and issuer kept, in plain SQL.
//!
//! It uses no codec, MAC, PIN or ledger code: it compares names, host keys and amounts of rows (settled point 27).

use super::purchases::Purchase;
use crate::archive;
use crate::config::Problem;
use rusqlite::{Connection, params};
use serde::Serialize;
use std::path::Path;

/// What the audit found; every count but the first two is of purchases that are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Purchases in the load tool's list.
    pub purchases: u64,
    /// Of these, audited.
    pub audited: u64,
    /// Paid on the till with no standing debit, or debited and not paid on the till.
    pub one_sided: u64,
    /// Paid on the till and not standing, with its amount, at the acquirer.
    pub lost: u64,
    /// With more than one standing debit.
    pub double: u64,
    /// Not over, or in the hands of people.
    pub open: u64,
    /// Standing debits, and halves of transfers, that nobody asked for.
    pub strange: u64,
    /// Sums of what the tills show, the acquirer captured and the issuer debited, in fen.
    pub sums_minor: [i64; 3],
}

impl Audit {
    /// Nothing is wrong.
    pub fn clean(&self) -> bool {
        let Self {
            purchases,
            audited,
            one_sided,
            lost,
            double,
            open,
            strange,
            sums_minor: [tills, acquirer, issuer],
        } = *self;
        purchases == audited
            && one_sided + lost + double + open + strange == 0
            && tills == acquirer
            && tills == issuer
    }

    /// In one line.
    pub fn text(&self) -> String {
        let Self {
            purchases,
            audited,
            one_sided,
            lost,
            double,
            open,
            strange,
            sums_minor,
        } = self;
        format!(
            "audited {audited} of {purchases}: {one_sided} one-sided, {lost} lost, {double} double, {open} open, \
             {strange} never asked for; sums {}",
            if sums_minor.iter().all(|sum| sum == &sums_minor[0]) {
                format!("agree ({} fen)", sums_minor[0])
            } else {
                format!("differ {sums_minor:?}")
            }
        )
    }
}

const TAPE: &str = "CREATE TABLE tape(terminal TEXT, batch INTEGER, stan INTEGER, merchant TEXT, amount INTEGER, paid INTEGER);";

/// What the till shows beside what both hosts keep, one row for each purchase that the till began. A transfer is no purchase,
/// and neither is a leg of one: each has to be of a transfer that stands.
const BESIDE: &str = "
    CREATE TABLE standing AS
        SELECT p.transmission, p.stan, p.acquirer, p.forwarder, count(*) AS debits, sum(p.amount_minor) AS amount
        FROM issuer.posting p LEFT JOIN issuer.exchange e USING(transmission, stan, acquirer, forwarder)
        WHERE p.transmission IS NOT NULL AND p.closed IS NULL
            AND coalesce(e.effect NOT IN ('move', 'move_out', 'move_in'), 1)
        GROUP BY p.transmission, p.stan, p.acquirer, p.forwarder;
    CREATE TABLE stray AS
        SELECT e.effect FROM issuer.exchange e
        WHERE e.standing = 'approved' AND e.effect IN ('move', 'move_out', 'move_in') AND NOT EXISTS (
            SELECT 1 FROM acquirer.sale s WHERE s.stands AND s.effect = 'move' AND s.amount_minor = e.amount_minor
                AND s.host_transmission = e.transmission AND s.host_stan = e.stan
                AND s.host_acquirer = iif(e.effect = 'move_in', e.forwarder, e.acquirer));
    CREATE UNIQUE INDEX standing_key ON standing(transmission, stan, acquirer, forwarder);
    CREATE TABLE beside AS
        SELECT tape.amount, tape.paid, sale.rowid AS sale,
            coalesce(sale.stands AND sale.amount_minor = tape.amount, 0) AS stands,
            coalesce(standing.debits, 0) AS debits, standing.amount AS debited, standing.rowid AS debit,
            coalesce(exchange.standing = 'approved', 0) AS answered
        FROM tape
        LEFT JOIN acquirer.sale AS sale ON sale.terminal = tape.terminal AND sale.batch = tape.batch
            AND sale.stan = tape.stan AND sale.merchant = tape.merchant
        LEFT JOIN standing ON standing.transmission = sale.host_transmission AND standing.stan = sale.host_stan
            AND standing.acquirer = sale.host_acquirer AND standing.forwarder = sale.host_forwarder
        LEFT JOIN issuer.exchange AS exchange ON exchange.transmission = sale.host_transmission
            AND exchange.stan = sale.host_stan AND exchange.acquirer = sale.host_acquirer
            AND exchange.forwarder = sale.host_forwarder;";

/// Projects both journals and compares them with the list.
///
/// # Errors
/// A journal that does not read.
pub fn audit(purchases: &[Purchase], acquirer: &Path, issuer: &Path) -> Result<Audit, Problem> {
    for data in [acquirer, issuer] {
        archive::rebuild(data).map_err(|error| error.to_string())?;
    }
    compare(purchases, &archive::path(acquirer), &archive::path(issuer))
        .map_err(|error| format!("audit: {error}"))
}

/// Compares the list with the tables of both hosts.
///
/// # Errors
/// Files that are not such tables.
pub fn compare(purchases: &[Purchase], acquirer: &Path, issuer: &Path) -> rusqlite::Result<Audit> {
    let mut sql = Connection::open_in_memory()?;
    sql.execute_batch(TAPE)?;
    let transaction = sql.transaction()?;
    let mut begun = 0;
    for purchase in purchases {
        let Some(key) = purchase.key else { continue };
        begun += 1;
        transaction
            .prepare_cached("INSERT INTO tape VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                key.terminal.to_string(),
                key.batch.0,
                key.stan.0,
                key.merchant.to_string(),
                purchase.amount_minor as i64,
                purchase.outcome.paid(),
            ])?;
    }
    transaction.commit()?;
    for (path, name) in [(acquirer, "acquirer"), (issuer, "issuer")] {
        sql.execute(&format!("ATTACH ?1 AS {name}"), [path.to_string_lossy()])?;
    }
    sql.execute_batch(BESIDE)?;
    let count = |query: &str| sql.query_row(query, [], |row| row.get::<_, i64>(0));
    let wrong = |condition: &str| {
        count(&format!("SELECT count(*) FROM beside WHERE {condition}")).map(|n| n as u64)
    };
    let never_begun = purchases.len() as u64 - begun;
    let open = |p: &&Purchase| {
        matches!(
            p.outcome,
            super::purchases::Outcome::Open | super::purchases::Outcome::Case
        )
    };
    Ok(Audit {
        purchases: purchases.len() as u64,
        audited: wrong("1")? + never_begun,
        one_sided: wrong(
            "(paid AND (debits = 0 OR NOT answered OR debited IS NOT amount)) OR (NOT paid AND debits > 0)",
        )?,
        lost: wrong("paid AND NOT stands")?,
        double: wrong("debits > 1")?,
        open: purchases.iter().filter(open).count() as u64,
        strange: count(
            "SELECT (SELECT count(*) FROM standing) - (SELECT count(DISTINCT debit) FROM beside) + (SELECT count(*) FROM stray)",
        )? as u64,
        sums_minor: [
            count("SELECT coalesce(sum(amount), 0) FROM tape WHERE paid")?,
            count("SELECT coalesce(sum(moved_minor), 0) FROM acquirer.sale WHERE stands")?,
            count("SELECT coalesce(sum(amount), 0) FROM standing")?,
        ],
    })
}
