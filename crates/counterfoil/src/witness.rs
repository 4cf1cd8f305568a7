//! What every party's own journal says of one sale, strongest evidence first: host record, then network, then terminal.
//!
//! Each line names its source; different evidence that disagrees is shown beside each other, never resolved in silence.

use crate::archive::{self, Role};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What one party says.
#[derive(Clone, Debug, Serialize)]
pub struct Testimony {
    /// Who.
    pub party: Role,
    /// From which data directory.
    pub data: PathBuf,
    /// What it says, zh-CN and en.
    pub says: (String, String),
}

/// Asks the archives of `directories` about the sale with this retrieval reference number, terminal, batch and trace.
///
/// # Errors
/// A directory whose journal or archive cannot be read.
pub fn ask(
    directories: &[PathBuf],
    rrn: &str,
    terminal: &str,
    batch: u32,
    stan: u32,
) -> Result<Vec<Testimony>, String> {
    let mut said = Vec::new();
    for data in directories {
        let party = Role::of(data).map_err(|error| error.to_string())?;
        let archive = open(data)?;
        let says = match party {
            Role::Issuer => issuer(&archive, rrn, terminal),
            Role::Network => network(&archive, rrn, terminal),
            Role::Acquirer => acquirer(&archive, terminal, batch, stan),
            Role::Terminal => till(&archive, terminal, batch, stan),
        };
        if let Some(says) = says.map_err(|error| format!("{}: {error}", data.display()))? {
            said.push(Testimony {
                party,
                data: data.clone(),
                says,
            });
        }
    }
    said.sort_by_key(|testimony| rank(testimony.party));
    Ok(said)
}

/// Rank of evidence: the host that moved the money, the network, the acquirer, the terminal.
const fn rank(role: Role) -> u8 {
    match role {
        Role::Issuer => 0,
        Role::Network => 1,
        Role::Acquirer => 2,
        Role::Terminal => 3,
    }
}

/// The archive as it is; made from the journal where there is none, or where it is behind and nobody else writes it.
fn open(data: &Path) -> Result<Connection, String> {
    let behind = archive::lag(data).map_or(true, |lag| lag.rows > 0);
    if behind {
        let rebuilt = archive::rebuild(data);
        if !archive::path(data).exists() {
            rebuilt.map_err(|error| error.to_string())?;
        }
    }
    archive::read(data).map_err(|error| error.to_string())
}

type Said = Result<Option<(String, String)>, rusqlite::Error>;

fn text(row: &Row<'_>, column: usize) -> Result<String, rusqlite::Error> {
    Ok(row
        .get::<_, Option<String>>(column)?
        .unwrap_or_else(|| "–".to_owned()))
}

fn issuer(archive: &Connection, rrn: &str, terminal: &str) -> Said {
    let query = "SELECT code, standing, reversal_code, came_again FROM exchange WHERE rrn = ?1 AND terminal = ?2";
    archive
        .query_row(query, params![rrn, terminal], |row| {
            let (code, standing, reversal, again) = (text(row, 0)?, text(row, 1)?, text(row, 2)?, row.get::<_, i64>(3)?);
            Ok((
                format!("应答 {code}，状态 {standing}，冲正应答 {reversal}，重复 {again} 次"),
                format!("answered {code}, now {standing}, reversal answered {reversal}, came again {again} time(s)"),
            ))
        })
        .optional()
}

fn network(archive: &Connection, rrn: &str, terminal: &str) -> Said {
    let query = "SELECT state, code, late_code FROM exchange WHERE rrn = ?1 AND terminal = ?2";
    archive
        .query_row(query, params![rrn, terminal], |row| {
            let (state, code, late) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
            Ok((
                format!("状态 {state}，答复收单 {code}，发卡行迟到应答 {late}"),
                format!("{state}, told the acquirer {code}, late answer of the issuer {late}"),
            ))
        })
        .optional()
}

fn acquirer(archive: &Connection, terminal: &str, batch: u32, stan: u32) -> Said {
    let query = "SELECT headline_zh, headline_en, position FROM sale WHERE terminal = ?1 AND batch = ?2 AND stan = ?3";
    archive
        .query_row(query, params![terminal, batch, stan], |row| {
            let (zh, en, position) = (text(row, 0)?, text(row, 1)?, text(row, 2)?);
            Ok((format!("{zh}（{position}）"), format!("{en} ({position})")))
        })
        .optional()
}

fn till(archive: &Connection, terminal: &str, batch: u32, stan: u32) -> Said {
    let query = "SELECT ending, code, slip_level, slip_trouble, attempts FROM sale WHERE terminal = ?1 AND batch = ?2 AND stan = ?3";
    archive
        .query_row(query, params![terminal, batch, stan], |row| {
            let (ending, code, trouble) = (text(row, 0)?, text(row, 1)?, text(row, 3)?);
            let level = row.get::<_, Option<i64>>(2)?.map_or("–".to_owned(), |level| format!("E{level}"));
            let attempts: i64 = row.get(4)?;
            Ok((
                format!("结局 {ending}，代码 {code}，小票 {level}（{trouble}），冲正 {attempts} 次"),
                format!("ended {ending}, code {code}, slip {level} ({trouble}), {attempts} reversal attempt(s)"),
            ))
        })
        .optional()
}
