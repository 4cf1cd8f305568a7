//! Surveys: what the newest sales of the archive say together, of the fleet and of the plots.
//!
//! A survey reads a bounded number of rows, the newest, and says from how many it was counted.

use super::Desk;
use super::console::stopped;
use crate::archive::{self, ArchiveError};
use acquirer::SaleRecord;
use axum::http::StatusCode;
use pages::console::fleet::{Fleet, Terminal};
use pages::console::plots::Plots;
use pages::plot::Point;
use payment::sign::Trouble;
use payment::{MerchantId, TerminalId, Wall};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::Path;

/// Sales that a survey reads.
const SURVEYED: i64 = 50_000;
/// Terminals on a page.
const TERMINALS_MAX: usize = 300;
/// Where the ranges of latency end, in milliseconds.
const LATENCIES: [u64; 10] = [2, 5, 10, 20, 50, 100, 500, 1_000, 5_000, u64::MAX];
/// Where the ranges of healing end, in seconds.
const HEALS: [(u64, &str); 7] = [
    (1, "<1 s"),
    (10, "<10 s"),
    (60, "<1 min"),
    (600, "<10 min"),
    (3_600, "<1 h"),
    (86_400, "<1 d"),
    (u64::MAX, "≥1 d"),
];
/// Hours of the control chart.
const HOURS: usize = 24;
const HOUR_MS: i64 = 3_600_000;
/// Only the newest rows are read: rows are numbered in the order in which they came.
const NEWEST: &str = "rowid > (SELECT coalesce(max(rowid), 0) FROM sale) - ?1";

/// What the archive says of a terminal.
#[derive(Default)]
struct Told {
    seen: i64,
    approved: u64,
    unprinted: u64,
    trouble: Option<String>,
    reversing: u64,
}

/// Reads the archive on a thread that may wait.
pub(super) async fn reading<T: Send + 'static>(
    desk: &Desk,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StatusCode> {
    let data = desk.data.clone();
    let told = tokio::task::spawn_blocking(move || read_in(&data, read));
    match told.await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "the archive could not be read");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn read_in<T>(
    data: &Path,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, ArchiveError> {
    let connection = archive::read(data)?;
    read(&connection).map_err(|error| ArchiveError::Sqlite {
        path: archive::path(data),
        error,
    })
}

/// The terminals, of one merchant where it is named.
pub(super) async fn fleet(desk: &Desk, of: Option<MerchantId>) -> Result<Fleet, StatusCode> {
    let looked = desk.acquirer.look(move |acquirer, now| {
        let terminals = acquirer.config().terminals.iter();
        let mut unseen = 0;
        let mut found = Vec::new();
        for (id, setup) in terminals.filter(|(_, setup)| of.is_none_or(|of| of == setup.merchant)) {
            match acquirer.state().session(id) {
                Some(session) if found.len() < TERMINALS_MAX => {
                    found.push((
                        *id,
                        setup.merchant,
                        setup.extended,
                        session.keys.is_some(),
                        session.batch.0,
                    ));
                }
                Some(_) => {}
                None => unseen += 1,
            }
        }
        (found, unseen, now.wall)
    });
    let (found, unseen, now) = looked.await.map_err(stopped)?;
    let (mut told, n) = reading(desk, told_of_terminals).await?;
    let mut terminals: Vec<Terminal> = found
        .into_iter()
        .map(|(id, merchant, extended, signed_on, batch)| {
            let told = told.remove(&id).unwrap_or_default();
            Terminal {
                id: id.to_string(),
                merchant: desk.merchant(&merchant),
                seen_ms: (told.seen > 0).then(|| (now.0 - told.seen).max(0) as u64),
                signed_on,
                extended,
                batch: Some(batch),
                approved: told.approved,
                unprinted: told.unprinted,
                trouble: told.trouble.as_deref().and_then(trouble_words),
                reversing: told.reversing,
            }
        })
        .collect();
    let rank = |terminal: &Terminal| match terminal.health().0 {
        pages::chip::Tone::Stop => 0,
        pages::chip::Tone::Wait => 1,
        pages::chip::Tone::Quiet => 2,
        pages::chip::Tone::Closed => 3,
    };
    terminals.sort_by_key(|terminal| (rank(terminal), terminal.seen_ms.unwrap_or(u64::MAX)));
    Ok(Fleet {
        terminals,
        unseen,
        n,
    })
}

/// The words of a trouble as the archive spells it; none of `none`.
fn trouble_words(name: &str) -> Option<(&'static str, &'static str)> {
    let all = Trouble::ALL.iter().copied();
    all.filter(|trouble| *trouble != Trouble::None)
        .find(|trouble| archive::name(trouble) == name)
        .map(Trouble::words)
}

fn told_of_terminals(archive: &Connection) -> rusqlite::Result<(BTreeMap<TerminalId, Told>, u64)> {
    let query = format!(
        "SELECT terminal, received_ms, outcome, receipt, slip_trouble FROM sale WHERE {NEWEST} ORDER BY rowid"
    );
    let mut statement = archive.prepare(&query)?;
    let mut rows = statement.query([SURVEYED])?;
    let (mut told, mut n) = (BTreeMap::<TerminalId, Told>::new(), 0);
    while let Some(row) = rows.next()? {
        let Some(id) = TerminalId::parse(row.get_ref(0)?.as_bytes().unwrap_or_default()) else {
            continue;
        };
        n += 1;
        let told = told.entry(id).or_default();
        told.seen = told.seen.max(row.get(1)?);
        let outcome: String = row.get(2)?;
        let receipt: String = row.get(3)?;
        if outcome == "approved" && receipt != "none" {
            told.approved += 1;
            told.unprinted += u64::from(is_unprinted(&receipt));
            // The newest word counts: what prints again is well again.
            told.trouble = row.get(4)?;
        }
        told.reversing += u64::from(matches!(outcome.as_str(), "reversing" | "reversal_refused"));
    }
    Ok((told, n))
}

/// The slip was due and is not known to be on paper, as `receipt` is spelt in the archive.
pub(super) fn is_unprinted(receipt: &str) -> bool {
    receipt.starts_with("failed") || receipt.starts_with("e_slip")
}

/// The plots.
pub(super) async fn plots(desk: &Desk) -> Result<Plots, StatusCode> {
    let looked = desk
        .acquirer
        .look(|acquirer, now| (acquirer.config().ladder.acquirer_ms, now.wall));
    let (budget_ms, now) = looked.await.map_err(stopped)?;
    let reads = desk.reads.clone();
    let ages: Vec<u64> = desk
        .hub
        .shown()
        .open
        .iter()
        .map(|sale: &std::sync::Arc<SaleRecord>| (now.0 - sale.received.wall.0).max(0) as u64)
        .collect();
    let mut plots = reading(desk, move |archive| counted(archive, now, budget_ms)).await?;
    plots.ageing = aged(&ages);
    if plots.hops_ms.is_empty() {
        return Ok(plots);
    }
    let hops = tokio::task::spawn_blocking(move || others(&reads)).await;
    plots.hops_ms.extend(hops.unwrap_or_default());
    Ok(plots)
}

fn aged(ages: &[u64]) -> Vec<((String, String), u64)> {
    const ENDS: [(u64, &str, &str); 5] = [
        (3_600_000, "0–1 小时", "0–1 h"),
        (86_400_000, "1–24 小时", "1–24 h"),
        (172_800_000, "24–48 小时", "24–48 h"),
        (604_800_000, "2–7 天", "2–7 d"),
        (u64::MAX, "7 天以上", "over 7 d"),
    ];
    let mut from = 0;
    let count = |(until, zh, en): (u64, &str, &str)| {
        let of = ages
            .iter()
            .filter(|age| (from..until).contains(*age))
            .count() as u64;
        from = until;
        ((zh.to_owned(), en.to_owned()), of)
    };
    ENDS.map(count).into()
}

/// The number of the range that a value falls into.
fn range_of(value: u64, ends: impl Iterator<Item = u64>) -> usize {
    ends.take_while(|end| value >= *end).count()
}

fn counted(archive: &Connection, now: Wall, budget_ms: u64) -> rusqlite::Result<Plots> {
    let query = format!(
        "SELECT received_ms, answered_ms, one_sided, outcome, receipt, slip_trouble, host_stan IS NOT NULL FROM sale WHERE {NEWEST}"
    );
    let mut statement = archive.prepare(&query)?;
    let mut rows = statement.query([SURVEYED])?;
    let mut took = Vec::new();
    let mut latency = [0_u64; LATENCIES.len()];
    let mut hours = [(0_u64, 0_u64); HOURS];
    let mut unprinted = BTreeMap::<String, u64>::new();
    let mut n = 0;
    while let Some(row) = rows.next()? {
        n += 1;
        let (received, answered): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        if let Some(answered) = answered.filter(|_| row.get(6).unwrap_or(false)) {
            let ms = (answered - received).max(0) as u64;
            took.push(ms);
            latency[range_of(ms, LATENCIES.into_iter()).min(LATENCIES.len() - 1)] += 1;
        }
        let ago = (now.0 - received).max(0) / HOUR_MS;
        if let Some(hour) = usize::try_from(ago).ok().filter(|ago| *ago < HOURS) {
            hours[HOURS - 1 - hour].0 += u64::from(row.get::<_, bool>(2)?);
            hours[HOURS - 1 - hour].1 += 1;
        }
        let receipt: String = row.get(4)?;
        if is_unprinted(&receipt) {
            *unprinted
                .entry(row.get::<_, Option<String>>(5)?.unwrap_or_default())
                .or_default() += 1;
        }
    }
    took.sort_unstable();
    let points = hours.iter().enumerate().map(|(n, (sided, of))| {
        let ago = (HOURS - 1 - n) as i64;
        Point {
            name: Wall(now.0 - ago * HOUR_MS).text()[11..13].to_owned(),
            value: sided.saturating_mul(100_000).checked_div(*of).unwrap_or(0),
            n: *of,
        }
    });
    Ok(Plots {
        n,
        hops_ms: median(&took)
            .into_iter()
            .map(|ms| {
                (
                    (
                        "前置：请求到应答".to_owned(),
                        "acquirer: request to answer".to_owned(),
                    ),
                    ms,
                )
            })
            .collect(),
        latency: LATENCIES
            .iter()
            .zip(latency)
            .map(|(end, value)| Point {
                name: if *end == u64::MAX {
                    "≥5000".to_owned()
                } else {
                    format!("<{end}")
                },
                value,
                n: value,
            })
            .collect(),
        budget_at: range_of(budget_ms, LATENCIES.into_iter()),
        one_sided_limits: limits(&hours),
        one_sided: points.collect(),
        unprinted: ranked(unprinted),
        heal: healed(archive)?,
        ..Plots::default()
    })
}

fn median(sorted: &[u64]) -> Option<u64> {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Mean share of the hours and three standard deviations above it, as of a binomial of the mean hour, per 100,000.
fn limits(hours: &[(u64, u64)]) -> Option<(u64, u64)> {
    let of = |hour: &&(u64, u64)| hour.1 > 0;
    let (sided, n) = hours
        .iter()
        .filter(of)
        .fold((0, 0), |(a, b), (sided, n)| (a + sided, b + n));
    let busy = hours.iter().filter(of).count() as u64;
    if n == 0 {
        return None;
    }
    let mean = sided * 100_000 / n;
    // The variance of a share p of n is p(1 - p)/n; in units of 100,000 its root is that of p(100,000 - p)/n.
    let deviation = (mean * 100_000_u64.saturating_sub(mean) / (n / busy).max(1)).isqrt();
    Some((mean, mean + 3 * deviation))
}

fn ranked(causes: BTreeMap<String, u64>) -> Vec<((String, String), u64)> {
    let mut ranked: Vec<_> = causes
        .into_iter()
        .map(|(name, count)| {
            let (zh, en) = trouble_words(&name).unwrap_or(("原因不明", "cause not told"));
            ((zh.to_owned(), en.to_owned()), count)
        })
        .collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
}

/// From the moment a reversal or a case was opened to the end of it.
fn healed(archive: &Connection) -> rusqlite::Result<Vec<Point>> {
    let broken = format!(
        "SELECT terminal, batch, stan, merchant FROM sale WHERE {NEWEST}
         AND (reversal_cause IS NOT NULL OR one_sided OR case_number IS NOT NULL)"
    );
    let query = format!(
        "SELECT min(CASE WHEN what IN ('reversing', 'one_sided', 'tombstone') THEN at_ms END),
            max(CASE WHEN what IN ('reversal_answered', 'confirmed') THEN at_ms END)
         FROM ({broken}) JOIN event USING (terminal, batch, stan, merchant) GROUP BY terminal, batch, stan, merchant"
    );
    let mut statement = archive.prepare(&query)?;
    let mut rows = statement.query(params![SURVEYED])?;
    let mut counts = [0_u64; HEALS.len()];
    while let Some(row) = rows.next()? {
        if let (Some(from), Some(to)) =
            (row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)
            && to >= from
        {
            let seconds = (to - from) as u64 / 1_000;
            counts[range_of(seconds, HEALS.iter().map(|(end, _)| *end)).min(HEALS.len() - 1)] += 1;
        }
    }
    let points = HEALS.iter().zip(counts).map(|((_, name), value)| Point {
        name: (*name).to_owned(),
        value,
        n: value,
    });
    Ok(points.collect())
}

/// Medians of what the network's archive tells, where a sandbox lets it be read.
fn others(reads: &[std::path::PathBuf]) -> Vec<((String, String), u64)> {
    let mut hops = Vec::new();
    for data in reads {
        if archive::Role::of(data).ok() != Some(archive::Role::Network) {
            continue;
        }
        let query = "SELECT answered_ms - at_ms FROM exchange WHERE answered_ms IS NOT NULL ORDER BY at_ms DESC LIMIT 10000";
        let read = read_in(data, |archive| {
            archive
                .prepare(query)?
                .query_map([], |row| row.get::<_, i64>(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()
        });
        let mut took: Vec<u64> = read
            .unwrap_or_default()
            .into_iter()
            .map(|ms| ms.max(0) as u64)
            .collect();
        took.sort_unstable();
        hops.extend(median(&took).map(|ms| {
            (
                (
                    "银联：等发卡行".to_owned(),
                    "network: waits for the issuer".to_owned(),
                ),
                ms,
            )
        }));
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_limits_are_those_of_the_plots() {
        assert_eq!(range_of(0, LATENCIES.into_iter()), 0);
        assert_eq!(range_of(2, LATENCIES.into_iter()), 1);
        assert_eq!(range_of(2_000, LATENCIES.into_iter()), 8);
        assert_eq!(limits(&[(0, 0)]), None);
        let (mean, upper) = limits(&[(0, 100), (2, 100)]).expect("a mean");
        assert_eq!(mean, 1_000);
        assert!(upper > mean && upper < 100_000, "{upper}");
        assert_eq!(median(&[1, 2, 3]), Some(2));
        assert_eq!(median(&[]), None);
    }
}
