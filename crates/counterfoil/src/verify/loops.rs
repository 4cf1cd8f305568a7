//! The loops across parties: each standing sale has its one debit and each debit its sale, books say what answers said,
//! terminals ended as their acquirer stands.
//!
//! Each check is one query over what was recomputed; a check whose parties were not all given is left out.

use super::party::Recomputed;
use super::{Check, Findings};
use crate::archive::Role;
use rusqlite::{Connection, named_params};
use std::path::Path;

const TABLES: &str = "
    CREATE TABLE sale(terminal TEXT, batch INTEGER, stan INTEGER, merchant TEXT, transmission INTEGER, trace INTEGER,
        acquirer INTEGER, forwarder INTEGER, amount_minor INTEGER, moves_money INTEGER, received_ms INTEGER, stands INTEGER,
        upstream TEXT, confirmation TEXT, progress TEXT, case_number INTEGER, posting INTEGER, posted_minor INTEGER);
    CREATE TABLE posting_left(id INTEGER, amount_minor INTEGER);
    CREATE TABLE exchange(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, amount_minor INTEGER,
        moves_money INTEGER, standing TEXT);
    CREATE TABLE debit(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, debits INTEGER,
        minor INTEGER, at_ms INTEGER);
    CREATE TABLE passed(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, state TEXT, code TEXT);
    CREATE TABLE advice(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, progress TEXT, attempts INTEGER);
    CREATE TABLE till(terminal TEXT, batch INTEGER, stan INTEGER, merchant TEXT, ending TEXT, amount_minor INTEGER);";

const INDEXES: &str = "
    CREATE INDEX sale_host ON sale(transmission, trace, acquirer, forwarder);
    CREATE INDEX sale_key ON sale(terminal, batch, stan, merchant);
    CREATE INDEX exchange_host ON exchange(transmission, trace, acquirer, forwarder);
    CREATE INDEX debit_host ON debit(transmission, trace, acquirer, forwarder);
    CREATE INDEX passed_host ON passed(transmission, trace, acquirer, forwarder);
    CREATE INDEX till_key ON till(terminal, batch, stan, merchant);
    ANALYZE;";

/// What of each role's archive is looked at. A movement into suspense debits a cardholder, one out of it gives back.
const fn gathering(role: Role) -> &'static str {
    match role {
        Role::Acquirer => {
            "INSERT INTO sale SELECT s.terminal, s.batch, s.stan, s.merchant, s.host_transmission, s.host_stan, s.host_acquirer,
                s.host_forwarder, s.amount_minor, s.moves_money, s.received_ms, s.stands, s.upstream, s.confirmation,
                s.reversal_progress, s.case_number, s.posting, p.amount_minor
             FROM party.sale s LEFT JOIN party.posting p ON p.id = s.posting AND NOT p.reversed;
             INSERT INTO posting_left SELECT p.id, p.amount_minor FROM party.posting p
             WHERE NOT p.reversed AND p.id NOT IN (SELECT posting FROM party.sale WHERE stands AND posting IS NOT NULL);"
        }
        Role::Issuer => {
            "INSERT INTO exchange SELECT transmission, stan, acquirer, forwarder, amount_minor, moves_money, standing
             FROM party.exchange;
             INSERT INTO debit SELECT p.transmission, p.stan, p.acquirer, p.forwarder, sum(p.credit = b.account),
                sum(iif(p.credit = b.account, p.amount_minor, -p.amount_minor)), min(p.at_ms)
             FROM party.posting p JOIN party.balance b ON b.owner = 'suspense' AND b.account IN (p.credit, p.debit)
             WHERE p.closed IS NULL AND p.transmission IS NOT NULL GROUP BY 1, 2, 3, 4;"
        }
        Role::Network => {
            "INSERT INTO passed SELECT transmission, stan, acquirer, forwarder, state, code FROM party.exchange;
             INSERT INTO advice SELECT transmission, stan, acquirer, forwarder, progress, attempts FROM party.advice;"
        }
        Role::Terminal => {
            "INSERT INTO till SELECT terminal, batch, stan, merchant, ending, amount_minor FROM party.sale;"
        }
    }
}

/// The roles that a check needs, what it finds, and the query that gives place and detail of each finding.
type Query = (&'static [Role], Check, &'static str);

const SALE: &str = "printf('%s/%06d/%06d %d', s.terminal, s.batch, s.stan, s.amount_minor)";
const DEBIT: &str =
    "printf('%010d/%06d/%08d/%08d', d.transmission, d.trace, d.acquirer, d.forwarder)";
const SALE_DEBIT: &str = "sale s LEFT JOIN debit d USING(transmission, trace, acquirer, forwarder)";
const DEBIT_SALE: &str = "debit d LEFT JOIN sale s USING(transmission, trace, acquirer, forwarder)";

/// A sale without a key between hosts went to a wallet: no issuer knows it.
///
/// `$sale`, `$debit`, `$sale_debit` and `$debit_sale` stand for the texts above.
const QUERIES: [Query; 23] = [
    (
        &[Role::Acquirer],
        Check::PostingMissing,
        "SELECT $sale, coalesce(s.posted_minor, '') FROM sale s
         WHERE s.stands AND s.moves_money AND s.posted_minor IS NOT s.amount_minor",
    ),
    (&[Role::Acquirer], Check::PostingLeft, "SELECT id, amount_minor FROM posting_left"),
    (
        &[Role::Issuer],
        Check::ExchangeBooks,
        "SELECT printf('%010d/%06d/%08d/%08d', e.transmission, e.trace, e.acquirer, e.forwarder),
            printf('%s %d, debits %d of %d', e.standing, e.amount_minor, coalesce(d.debits, 0), coalesce(d.minor, 0))
         FROM exchange e LEFT JOIN debit d USING(transmission, trace, acquirer, forwarder)
         WHERE iif(e.standing = 'approved' AND e.moves_money, d.debits IS NOT 1 OR d.minor IS NOT e.amount_minor,
            d.debits IS NOT NULL)",
    ),
    (
        &[Role::Issuer],
        Check::ExchangeBooks,
        "SELECT $debit, 'no such exchange' FROM debit d LEFT JOIN exchange e USING(transmission, trace, acquirer, forwarder)
         WHERE e.standing IS NULL",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitMissing,
        "SELECT $sale, '' FROM $sale_debit WHERE s.stands AND s.moves_money AND s.transmission IS NOT NULL
            AND d.debits IS NULL",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitDouble,
        "SELECT $sale, d.debits FROM $sale_debit WHERE s.stands AND d.debits > 1",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitAmount,
        "SELECT $sale, d.minor FROM $sale_debit WHERE s.stands AND d.debits <= 1 AND d.minor <> s.amount_minor",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitWithoutSale,
        "SELECT $debit, d.minor FROM $debit_sale WHERE s.terminal IS NULL AND d.at_ms < :acquirer_ms",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::NewerThanAcquirer,
        "SELECT $debit, d.minor FROM $debit_sale WHERE s.terminal IS NULL AND d.at_ms >= :acquirer_ms",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitAfterReversal,
        "SELECT $sale, d.minor FROM $debit_sale WHERE s.progress = 'confirmed'",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitNotApproved,
        "SELECT $sale, s.upstream FROM $debit_sale
         WHERE NOT s.stands AND s.progress IS NULL AND s.upstream <> 'waiting'",
    ),
    (
        &[Role::Acquirer, Role::Network],
        Check::NetworkDisagrees,
        "SELECT $sale, coalesce(p.state || ' ' || coalesce(p.code, ''), 'never seen')
         FROM sale s LEFT JOIN passed p USING(transmission, trace, acquirer, forwarder)
         WHERE s.stands AND s.transmission IS NOT NULL AND p.state IS NOT 'answered'",
    ),
    (
        &[Role::Acquirer, Role::Terminal],
        Check::TerminalApproved,
        "SELECT printf('%s/%06d/%06d %d', t.terminal, t.batch, t.stan, t.amount_minor), coalesce(s.upstream, 'never seen')
         FROM till t LEFT JOIN sale s USING(terminal, batch, stan, merchant) WHERE t.ending = 'approved' AND s.stands IS NOT 1",
    ),
    (
        &[Role::Acquirer, Role::Terminal],
        Check::TerminalNotApproved,
        "SELECT $sale, t.ending FROM till t JOIN sale s USING(terminal, batch, stan, merchant)
         WHERE s.stands AND (t.ending = 'reversed' OR t.ending IN ('declined', 'not_sent')
            AND s.case_number IS NULL AND s.confirmation <> 'none')",
    ),
    (
        &[Role::Acquirer, Role::Terminal],
        Check::TerminalNeverAsked,
        "SELECT $sale, '' FROM sale s LEFT JOIN till t USING(terminal, batch, stan, merchant)
         WHERE s.stands AND s.moves_money AND t.ending IS NULL AND s.received_ms < :terminal_ms
            AND s.terminal IN (SELECT terminal FROM till)",
    ),
    (&[Role::Acquirer], Check::InFlight, "SELECT $sale, '' FROM sale s WHERE s.upstream = 'waiting' AND s.progress IS NULL"),
    (
        &[Role::Acquirer],
        Check::AwaitsConfirmation,
        "SELECT $sale, '' FROM sale s
         WHERE s.stands AND s.moves_money AND s.confirmation = 'none' AND s.case_number IS NULL",
    ),
    (
        &[Role::Acquirer],
        Check::OneSided,
        "SELECT $sale, s.case_number FROM sale s WHERE s.stands AND s.case_number IS NOT NULL",
    ),
    (&[Role::Acquirer], Check::ReversalOpen, "SELECT $sale, '' FROM sale s WHERE s.progress = 'open'"),
    (&[Role::Acquirer], Check::ReversalRefused, "SELECT $sale, s.case_number FROM sale s WHERE s.progress = 'refused'"),
    (
        &[Role::Network],
        Check::ReversalOpen,
        "SELECT $debit, printf('attempts %d', d.attempts) FROM advice d WHERE d.progress = 'open'",
    ),
    (
        &[Role::Network],
        Check::ReversalRefused,
        "SELECT $debit, printf('attempts %d', d.attempts) FROM advice d WHERE d.progress = 'refused'",
    ),
    (
        &[Role::Terminal],
        Check::TerminalOpen,
        "SELECT printf('%s/%06d/%06d %d', t.terminal, t.batch, t.stan, t.amount_minor), t.ending FROM till t
         WHERE t.ending NOT IN ('approved', 'declined', 'not_sent', 'reversed')",
    ),
];

/// Checks the loops; gives how many standing sales, debits and terminal endings there were.
pub(super) fn check(
    parties: &[Recomputed],
    database: &Path,
    findings: &mut Findings,
) -> rusqlite::Result<[u64; 3]> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.execute_batch(TABLES)?;
    for party in parties {
        let path = party.database.to_string_lossy();
        connection.execute("ATTACH ?1 AS party", [path.as_ref()])?;
        connection.execute_batch(gathering(party.role))?;
        connection.execute_batch("DETACH party")?;
    }
    connection.execute_batch(INDEXES)?;
    let given = |role: &Role| parties.iter().any(|party| party.role == *role);
    let read_at = |role| {
        parties
            .iter()
            .filter(|p| p.role == role)
            .map(|p| p.read_at.0)
            .min()
            .unwrap_or(0)
    };
    let times = (read_at(Role::Acquirer), read_at(Role::Terminal));
    for (roles, check, query) in QUERIES {
        if roles.iter().all(given) {
            ask(&connection, check, query, times, findings)?;
        }
    }
    let count = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(|count| count as u64)
    };
    Ok([
        count("SELECT count(*) FROM sale WHERE stands AND moves_money")?,
        count("SELECT count(*) FROM debit")?,
        count("SELECT count(*) FROM till")?,
    ])
}

fn ask(
    connection: &Connection,
    check: Check,
    query: &str,
    (acquirer_ms, terminal_ms): (i64, i64),
    findings: &mut Findings,
) -> rusqlite::Result<()> {
    // The longer names first, since they begin with the shorter ones.
    let parts = [
        ("$sale_debit", SALE_DEBIT),
        ("$debit_sale", DEBIT_SALE),
        ("$sale", SALE),
        ("$debit", DEBIT),
    ];
    let query = parts.iter().fold(query.to_owned(), |query, (name, text)| {
        query.replace(name, text)
    });
    let mut statement = connection.prepare(&query)?;
    for (name, ms) in named_params! { ":acquirer_ms": acquirer_ms, ":terminal_ms": terminal_ms } {
        if let Some(at) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(at, ms)?;
        }
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let text = |at| {
            row.get_ref(at).map(|value| match value {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str().unwrap_or_default().to_owned(),
            })
        };
        let (place, detail) = (text(0)?, text(1)?);
        findings.add(check, || format!("{place} {detail}").trim_end().to_owned());
    }
    Ok(())
}
