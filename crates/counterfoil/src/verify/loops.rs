//! The loops across parties: what stands has moved its amount once at the issuer and what moved stands, originals are not
//! claimed beyond their amount, no hold outlives its capture, books say what answers said, terminals ended as their acquirer
//! stands.
//!
//! Each check is one query over what was recomputed; a check whose parties were not all given is left out.

use super::party::Recomputed;
use super::{Check, Findings};
use crate::archive::Role;
use rusqlite::{Connection, named_params};
use std::path::Path;

/// `moved` is what an approval must add to the merchant's money by its effect and amount, whatever the party says of it;
/// only an adjustment has to be believed, and [`Check::ClaimsExceeded`] adds those up. `root` is the pre-authorisation.
/// A transfer between two issuers is two exchanges, its legs: `of_acquirer` and `of_forwarder` complete the key of the
/// transfer that a leg is part of; of anything else they are its own. `suspended` is what an approval must put into suspense,
/// `given` what it must give to another cardholder of the same bank.
const TABLES: &str = "
    CREATE TABLE sale(terminal TEXT, batch INTEGER, stan INTEGER, merchant TEXT, transmission INTEGER, trace INTEGER,
        acquirer INTEGER, forwarder INTEGER, effect TEXT, amount_minor INTEGER, moved INTEGER, moved_minor INTEGER,
        advice INTEGER, original_terminal TEXT, original_batch INTEGER, original_stan INTEGER, received_ms INTEGER,
        stands INTEGER, upstream TEXT, confirmation TEXT, progress TEXT, cause TEXT, case_number INTEGER, posting INTEGER,
        posted_minor INTEGER);
    CREATE TABLE posting_left(id INTEGER, amount_minor INTEGER);
    CREATE TABLE exchange(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, effect TEXT, rrn TEXT,
        terminal TEXT, amount_minor INTEGER, moved INTEGER, moved_minor INTEGER, standing TEXT, at_ms INTEGER,
        original_transmission INTEGER, original_trace INTEGER, original_acquirer INTEGER, original_forwarder INTEGER,
        expired INTEGER, of_acquirer INTEGER, of_forwarder INTEGER, suspended INTEGER, given INTEGER);
    CREATE TABLE debit(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, debits INTEGER,
        minor INTEGER, at_ms INTEGER, of_acquirer INTEGER, of_forwarder INTEGER);
    CREATE TABLE gift(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, gifts INTEGER, minor INTEGER);
    CREATE TABLE held(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, minor INTEGER);
    CREATE TABLE passed(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, state TEXT, code TEXT);
    CREATE TABLE advice(transmission INTEGER, trace INTEGER, acquirer INTEGER, forwarder INTEGER, progress TEXT, attempts INTEGER);
    CREATE TABLE till(terminal TEXT, batch INTEGER, stan INTEGER, merchant TEXT, ending TEXT, amount_minor INTEGER,
        advice INTEGER);";

const INDEXES: &str = "
    CREATE INDEX sale_host ON sale(transmission, trace, acquirer, forwarder);
    CREATE INDEX sale_key ON sale(terminal, batch, stan, merchant);
    CREATE INDEX sale_original ON sale(merchant, original_terminal, original_batch, original_stan)
        WHERE original_stan IS NOT NULL;
    CREATE INDEX exchange_host ON exchange(transmission, trace, acquirer, forwarder);
    CREATE INDEX exchange_of ON exchange(transmission, trace, of_acquirer, of_forwarder);
    CREATE INDEX gift_host ON gift(transmission, trace, acquirer, forwarder);
    CREATE INDEX exchange_original ON exchange(original_transmission, original_trace, original_acquirer, original_forwarder)
        WHERE original_trace IS NOT NULL;
    CREATE INDEX exchange_rrn ON exchange(rrn, acquirer, terminal);
    CREATE INDEX debit_host ON debit(transmission, trace, acquirer, forwarder);
    CREATE INDEX held_host ON held(transmission, trace, acquirer, forwarder);
    CREATE INDEX passed_host ON passed(transmission, trace, acquirer, forwarder);
    CREATE INDEX till_key ON till(terminal, batch, stan, merchant);
    CREATE VIEW link AS SELECT c.transmission, c.trace, c.acquirer, c.forwarder, c.effect, c.standing, c.amount_minor, c.moved,
            o.transmission AS o_transmission, o.trace AS o_trace, o.acquirer AS o_acquirer, o.forwarder AS o_forwarder,
            o.effect AS o_effect, o.amount_minor AS o_amount_minor
        FROM exchange c JOIN exchange o ON o.transmission = c.original_transmission AND o.trace = c.original_trace
            AND o.acquirer = c.original_acquirer AND o.forwarder = c.original_forwarder;
    CREATE TABLE rooted AS
        SELECT transmission, trace, acquirer, forwarder, effect, standing, transmission AS root_transmission,
            trace AS root_trace, acquirer AS root_acquirer, forwarder AS root_forwarder
        FROM exchange WHERE effect = 'hold'
        UNION ALL SELECT transmission, trace, acquirer, forwarder, effect, standing, o_transmission, o_trace, o_acquirer,
            o_forwarder
        FROM link WHERE effect IN ('hold_more', 'release', 'capture')
        UNION ALL SELECT u.transmission, u.trace, u.acquirer, u.forwarder, u.effect, u.standing, c.o_transmission, c.o_trace,
            c.o_acquirer, c.o_forwarder
        FROM link u JOIN link c ON c.transmission = u.o_transmission AND c.trace = u.o_trace AND c.acquirer = u.o_acquirer
            AND c.forwarder = u.o_forwarder WHERE u.effect = 'uncapture';
    CREATE TABLE authorisation AS
        SELECT r.root_transmission AS transmission, r.root_trace AS trace, r.root_acquirer AS acquirer,
            r.root_forwarder AS forwarder,
            sum(r.effect = 'capture' AND r.standing = 'approved') - sum(r.effect = 'uncapture' AND r.standing = 'approved')
                AS captured,
            sum(r.effect = 'release' AND r.standing = 'approved') AS released,
            sum(r.effect = 'uncapture' OR r.effect IN ('capture', 'release') AND r.standing = 'reversed') AS taken_back,
            coalesce(sum(h.minor), 0) AS minor
        FROM rooted r LEFT JOIN held h USING(transmission, trace, acquirer, forwarder) GROUP BY 1, 2, 3, 4;
    CREATE INDEX authorisation_host ON authorisation(transmission, trace, acquirer, forwarder);
    ANALYZE;";

/// What an approval must add to the merchant's money; quota of a barter is none.
const MOVED: &str = "CASE WHEN currency <> $money THEN 0 WHEN effect IN ('debit', 'capture') THEN amount_minor
    WHEN effect IN ('credit', 'undo', 'uncapture') THEN -amount_minor WHEN effect = 'adjust' THEN moved_minor ELSE 0 END";

/// The rest of the key of the transaction that an exchange is part of: both legs of a transfer have the network in the place
/// of one of its acquirer's two.
const OF_ACQUIRER: &str = "iif(e.effect = 'move_in', e.forwarder, e.acquirer)";
const OF_FORWARDER: &str = "iif(e.effect = 'move_out', e.acquirer, e.forwarder)";

/// From one cardholder to another of the same bank: a transfer, or quota that is delivered.
const GIVES: &str = "(e.effect = 'move' OR e.effect = 'capture' AND e.currency <> $money)";

/// What of each role's archive is looked at. A movement into suspense debits a cardholder, one out of it gives back; an
/// amount held for a pre-authorisation is neither, while a credit card's purchase is held until it is cleared. What is taken
/// back of a gift that was spent comes out of the account `recoverable`.
const fn gathering(role: Role) -> &'static str {
    match role {
        Role::Acquirer => {
            "INSERT INTO sale SELECT s.terminal, s.batch, s.stan, s.merchant, s.host_transmission, s.host_stan, s.host_acquirer,
                s.host_forwarder, s.effect, s.amount_minor, $moved, s.moved_minor, s.advice, s.original_terminal,
                s.original_batch, s.original_stan, s.received_ms, s.stands, s.upstream, s.confirmation,
                s.reversal_progress, s.reversal_cause, s.case_number, s.posting,
                (SELECT iif(p.debit = b.account, p.amount_minor, -p.amount_minor) FROM party.posting p
                 JOIN party.balance b ON b.owner IN ('network', 'wallet') AND b.account IN (p.debit, p.credit)
                 WHERE p.id = s.posting AND NOT p.reversed)
             FROM party.sale s;
             INSERT INTO posting_left SELECT p.id, p.amount_minor FROM party.posting p
             WHERE NOT p.reversed AND p.id NOT IN (SELECT posting FROM party.sale WHERE stands AND posting IS NOT NULL);"
        }
        Role::Issuer => {
            "INSERT INTO exchange SELECT transmission, stan, acquirer, forwarder, effect, rrn, terminal, amount_minor, $moved,
                moved_minor, standing, at_ms, original_transmission, original_stan, original_acquirer, original_forwarder,
                expired_ms IS NOT NULL, $of_acquirer, $of_forwarder,
                CASE effect WHEN 'move_out' THEN amount_minor WHEN 'move_in' THEN -amount_minor
                    ELSE $moved END,
                iif($gives, amount_minor, 0)
             FROM party.exchange e;
             INSERT INTO gift SELECT p.transmission, p.stan, p.acquirer, p.forwarder, count(*),
                sum(iif(b.account IS NULL, p.amount_minor, -p.amount_minor))
             FROM party.posting p JOIN party.exchange e USING(transmission, stan, acquirer, forwarder)
             LEFT JOIN party.balance b ON b.owner = 'recoverable' AND b.account = p.debit
             WHERE p.closed IS NULL AND NOT p.held AND $gives
             GROUP BY 1, 2, 3, 4 HAVING sum(iif(b.account IS NULL, p.amount_minor, -p.amount_minor)) <> 0;
             INSERT INTO debit SELECT p.transmission, p.stan, p.acquirer, p.forwarder, count(*),
                sum(iif(p.credit = b.account, p.amount_minor, -p.amount_minor)), min(p.at_ms),
                coalesce($of_acquirer, p.acquirer), coalesce($of_forwarder, p.forwarder)
             FROM party.posting p JOIN party.balance b ON b.owner = 'suspense' AND b.account IN (p.credit, p.debit)
             LEFT JOIN party.exchange e USING(transmission, stan, acquirer, forwarder)
             WHERE p.closed IS NULL AND p.transmission IS NOT NULL AND (NOT p.held OR e.effect IS NULL OR e.effect = 'debit')
             GROUP BY 1, 2, 3, 4 HAVING sum(iif(p.credit = b.account, p.amount_minor, -p.amount_minor)) <> 0;
             INSERT INTO held SELECT p.transmission, p.stan, p.acquirer, p.forwarder, sum(p.amount_minor)
             FROM party.posting p JOIN party.exchange e USING(transmission, stan, acquirer, forwarder)
             WHERE p.closed IS NULL AND p.held AND e.effect <> 'debit' GROUP BY 1, 2, 3, 4;"
        }
        Role::Network => {
            "INSERT INTO passed SELECT transmission, stan, acquirer, forwarder, state, code FROM party.exchange;
             INSERT INTO advice SELECT transmission, stan, acquirer, forwarder, progress, attempts FROM party.advice;"
        }
        Role::Terminal => {
            "INSERT INTO till SELECT terminal, batch, stan, merchant, ending, amount_minor, advice FROM party.sale;"
        }
    }
}

fn gather(role: Role) -> String {
    let parts = [
        ("$moved", MOVED),
        ("$of_acquirer", OF_ACQUIRER),
        ("$of_forwarder", OF_FORWARDER),
        ("$gives", GIVES),
        ("$money", &payment::CNY.0.to_string()),
    ];
    let text = gathering(role).to_owned();
    parts
        .iter()
        .fold(text, |text, (name, part)| text.replace(name, part))
}

/// The roles that a check needs, what it finds, and the query that gives place and detail of each finding.
type Query = (&'static [Role], Check, &'static str);

const SALE: &str = "printf('%s/%06d/%06d %d', s.terminal, s.batch, s.stan, s.amount_minor)";
const DEBIT: &str =
    "printf('%010d/%06d/%08d/%08d', d.transmission, d.trace, d.acquirer, d.forwarder)";
const EXCHANGE: &str =
    "printf('%010d/%06d/%08d/%08d', e.transmission, e.trace, e.acquirer, e.forwarder)";
const SALE_DEBIT: &str = "sale s LEFT JOIN debit d USING(transmission, trace, acquirer, forwarder)";
const DEBIT_SALE: &str =
    "debit d LEFT JOIN sale s ON s.transmission = d.transmission AND s.trace = d.trace
    AND s.acquirer = d.of_acquirer AND s.forwarder = d.of_forwarder";
/// Exchanges of a sale: its own, or both legs of a transfer.
const OF_SALE: &str =
    "e.transmission = s.transmission AND e.trace = s.trace AND e.of_acquirer = s.acquirer
    AND e.of_forwarder = s.forwarder";

/// A sale without a key between hosts went to a wallet: no issuer knows it.
///
/// `$sale`, `$debit`, `$exchange`, `$sale_debit`, `$debit_sale` and `$of_sale` stand for the texts above.
const QUERIES: [Query; 38] = [
    (
        &[Role::Acquirer],
        Check::PostingMissing,
        "SELECT $sale, coalesce(s.posted_minor, '') FROM sale s
         WHERE s.stands AND s.moved <> 0 AND s.posted_minor IS NOT s.moved",
    ),
    (&[Role::Acquirer], Check::PostingLeft, "SELECT id, amount_minor FROM posting_left"),
    (
        &[Role::Acquirer],
        Check::MovedDiffers,
        "SELECT $sale, s.moved_minor FROM sale s WHERE s.stands AND s.moved_minor <> s.moved",
    ),
    (
        &[Role::Issuer],
        Check::MovedDiffers,
        "SELECT $exchange, e.moved_minor FROM exchange e WHERE e.standing = 'approved' AND e.moved_minor <> e.moved",
    ),
    (
        &[Role::Acquirer],
        Check::ClaimsExceeded,
        "SELECT $sale, sum(iif(c.moved < 0 AND c.effect <> 'adjust', -c.moved, 0)) FROM sale s
         JOIN sale c ON c.merchant = s.merchant AND c.original_terminal = s.terminal AND c.original_batch = s.batch
            AND c.original_stan = s.stan AND c.stands
         WHERE s.effect IN ('debit', 'capture') GROUP BY s.terminal, s.batch, s.stan, s.merchant
         HAVING sum(iif(c.moved < 0 AND c.effect <> 'adjust', -c.moved, 0))
            > s.amount_minor + sum(iif(c.effect = 'adjust', c.moved, 0))",
    ),
    (
        &[Role::Issuer],
        Check::ClaimsExceeded,
        "SELECT printf('%010d/%06d/%08d/%08d', o_transmission, o_trace, o_acquirer, o_forwarder),
            sum(iif(moved < 0 AND effect <> 'adjust', -moved, 0))
         FROM link WHERE o_effect IN ('debit', 'capture') AND standing = 'approved'
         GROUP BY o_transmission, o_trace, o_acquirer, o_forwarder
         HAVING sum(iif(moved < 0 AND effect <> 'adjust', -moved, 0))
            > o_amount_minor + sum(iif(effect = 'adjust', moved, 0))",
    ),
    (
        &[Role::Acquirer],
        Check::AdjustedOtherwise,
        "SELECT $sale, s.amount_minor + sum(c.moved) FROM sale s
         JOIN sale c ON c.merchant = s.merchant AND c.original_terminal = s.terminal AND c.original_batch = s.batch
            AND c.original_stan = s.stan AND c.stands AND c.effect = 'adjust'
         GROUP BY s.terminal, s.batch, s.stan, s.merchant
         HAVING s.amount_minor + sum(c.moved) NOT IN (SELECT l.amount_minor FROM sale l
            WHERE l.merchant = s.merchant AND l.original_terminal = s.terminal AND l.original_batch = s.batch
            AND l.original_stan = s.stan AND l.stands AND l.effect = 'adjust')",
    ),
    (
        &[Role::Issuer],
        Check::AppliedTwice,
        "SELECT $exchange, count(*) FROM exchange e WHERE e.standing = 'approved' AND e.effect <> 'none'
         GROUP BY e.rrn, e.acquirer, e.terminal, e.effect HAVING count(*) > 1",
    ),
    (
        &[Role::Issuer],
        Check::HoldLeft,
        "SELECT printf('%010d/%06d/%08d/%08d', transmission, trace, acquirer, forwarder), minor
         FROM authorisation WHERE minor > 0 AND (captured > 0 OR released > 0)",
    ),
    (
        &[Role::Issuer],
        Check::HoldLeft,
        "SELECT $exchange, a.minor FROM exchange e JOIN authorisation a USING(transmission, trace, acquirer, forwarder)
         WHERE a.minor > 0 AND e.standing <> 'approved'",
    ),
    (
        &[Role::Issuer],
        Check::HoldMissing,
        "SELECT $exchange, e.amount_minor FROM exchange e JOIN authorisation a USING(transmission, trace, acquirer, forwarder)
         WHERE e.effect = 'hold' AND e.standing = 'approved' AND NOT e.expired AND a.captured <= 0 AND a.released = 0
            AND a.taken_back = 0 AND a.minor < e.amount_minor",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::HoldUnknown,
        "SELECT $sale, coalesce(e.standing, 'never seen') FROM sale s
         LEFT JOIN exchange e ON $of_sale
         WHERE s.stands AND s.moved = 0 AND s.effect <> 'none' AND e.standing IS NOT 'approved'",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::HoldNotWanted,
        "SELECT $sale, s.effect FROM sale s JOIN exchange e USING(transmission, trace, acquirer, forwarder)
         WHERE NOT s.stands AND s.moved = 0 AND s.effect <> 'none' AND e.standing = 'approved'
            AND (s.progress = 'confirmed' OR s.progress IS NULL AND s.upstream IN ('declined', 'not_sent'))",
    ),
    (
        &[Role::Issuer],
        Check::ExchangeBooks,
        "SELECT $exchange,
            printf('%s %d, debits %d of %d', e.standing, e.amount_minor, coalesce(d.debits, 0), coalesce(d.minor, 0))
         FROM exchange e LEFT JOIN debit d USING(transmission, trace, acquirer, forwarder)
         WHERE iif(e.standing = 'approved' AND e.suspended <> 0, d.debits IS NOT 1 OR d.minor IS NOT e.suspended,
            d.debits IS NOT NULL)",
    ),
    (
        &[Role::Issuer],
        Check::ExchangeBooks,
        "SELECT $exchange,
            printf('%s %d, given %d of %d', e.standing, e.amount_minor, coalesce(g.gifts, 0), coalesce(g.minor, 0))
         FROM exchange e LEFT JOIN gift g USING(transmission, trace, acquirer, forwarder)
         WHERE iif(e.standing = 'approved' AND e.given <> 0, g.gifts IS NOT 1 OR g.minor IS NOT e.given,
            g.gifts IS NOT NULL)",
    ),
    (
        &[Role::Issuer],
        Check::TransferHalf,
        "SELECT $exchange, printf('%s %d', e.effect, e.amount_minor) FROM exchange e
         WHERE e.effect IN ('move_out', 'move_in') AND e.standing = 'approved'
            AND (:acquirer_ms = 0 OR e.at_ms < :acquirer_ms)
            AND NOT EXISTS (SELECT 1 FROM exchange o WHERE o.transmission = e.transmission AND o.trace = e.trace
                AND o.of_acquirer = e.of_acquirer AND o.of_forwarder = e.of_forwarder AND o.standing = 'approved'
                AND o.amount_minor = e.amount_minor AND o.effect = iif(e.effect = 'move_in', 'move_out', 'move_in'))
            AND NOT EXISTS (SELECT 1 FROM sale s WHERE $of_sale
                AND (s.progress = 'open' OR s.progress IS NULL AND s.upstream = 'waiting'))",
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
        "SELECT $sale, '' FROM $sale_debit WHERE s.stands AND s.moved <> 0 AND s.transmission IS NOT NULL AND d.debits IS NULL",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitDouble,
        "SELECT $sale, d.debits FROM $sale_debit WHERE s.stands AND d.debits > 1",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitAmount,
        "SELECT $sale, d.minor FROM $sale_debit WHERE s.stands AND d.debits <= 1 AND d.minor <> s.moved",
    ),
    (
        &[Role::Acquirer, Role::Issuer],
        Check::DebitAmount,
        "SELECT $sale, e.amount_minor FROM sale s JOIN exchange e ON $of_sale
         WHERE s.stands AND s.effect = 'move' AND e.standing = 'approved' AND e.amount_minor <> s.amount_minor",
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
         WHERE NOT s.stands AND s.progress IS NULL AND s.upstream <> 'waiting'
            AND NOT (s.advice AND s.upstream NOT IN ('declined', 'not_sent'))",
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
         FROM till t LEFT JOIN sale s USING(terminal, batch, stan, merchant) WHERE t.ending = 'approved' AND t.amount_minor > 0 AND s.stands IS NOT 1
            AND s.cause IS NOT 'staff'",
    ),
    (
        &[Role::Acquirer, Role::Terminal],
        Check::TerminalNotApproved,
        "SELECT $sale, t.ending FROM till t JOIN sale s USING(terminal, batch, stan, merchant)
         WHERE s.stands AND (t.ending IN ('reversed', 'replaced') OR t.ending IN ('declined', 'not_sent')
            AND (s.advice OR s.case_number IS NULL AND s.confirmation <> 'none'))",
    ),
    (
        &[Role::Acquirer, Role::Terminal],
        Check::TerminalNeverAsked,
        "SELECT $sale, '' FROM sale s LEFT JOIN till t USING(terminal, batch, stan, merchant)
         WHERE s.stands AND s.effect <> 'none' AND t.ending IS NULL AND s.received_ms < :terminal_ms
            AND s.terminal IN (SELECT terminal FROM till)",
    ),
    (&[Role::Acquirer], Check::InFlight, "SELECT $sale, '' FROM sale s WHERE s.upstream = 'waiting' AND s.progress IS NULL"),
    (
        &[Role::Acquirer],
        Check::AwaitsConfirmation,
        "SELECT $sale, '' FROM sale s
         WHERE s.stands AND s.effect <> 'none' AND NOT s.advice AND s.confirmation = 'none' AND s.case_number IS NULL",
    ),
    (
        &[Role::Acquirer],
        Check::AdviceOpen,
        "SELECT $sale, s.upstream FROM sale s
         WHERE s.advice AND s.upstream IN ('silent', 'network_gave_up', 'interrupted') AND s.progress IS NULL",
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
         WHERE t.ending NOT IN ('approved', 'declined', 'not_sent', 'reversed', 'replaced')",
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
        connection.execute_batch(&gather(party.role))?;
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
        count("SELECT count(*) FROM sale WHERE stands AND effect <> 'none'")?,
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
        ("$of_sale", OF_SALE),
        ("$sale", SALE),
        ("$debit", DEBIT),
        ("$exchange", EXCHANGE),
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
