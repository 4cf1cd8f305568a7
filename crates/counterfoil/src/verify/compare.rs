//! Two archives, row by row in the order of their keys: what differs is named by table, key and column.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::cmp::Ordering;

/// Compares every table but the place; gives the rows that were compared.
pub(super) fn compare(
    archive: &Connection,
    recomputed: &Connection,
    mut differs: impl FnMut(String),
) -> rusqlite::Result<u64> {
    let mut tables = recomputed.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'place' ORDER BY name",
    )?;
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut rows = 0;
    for table in &tables {
        rows += Table::of(recomputed, table)?.compare(archive, recomputed, &mut differs)?;
    }
    Ok(rows)
}

struct Table<'a> {
    name: &'a str,
    columns: Vec<String>,
    /// Places of the key's columns, in the key's order.
    key: Vec<usize>,
}

impl<'a> Table<'a> {
    fn of(archive: &Connection, name: &'a str) -> rusqlite::Result<Self> {
        let mut info =
            archive.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let columns: Vec<(String, usize)> = info
            .query_map([name], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)? as usize))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut key: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].1 > 0).collect();
        key.sort_by_key(|at| columns[*at].1);
        Ok(Self {
            name,
            columns: columns.into_iter().map(|(column, _)| column).collect(),
            key,
        })
    }

    fn compare(
        &self,
        archive: &Connection,
        recomputed: &Connection,
        differs: &mut impl FnMut(String),
    ) -> rusqlite::Result<u64> {
        let order: Vec<&str> = self
            .key
            .iter()
            .map(|at| self.columns[*at].as_str())
            .collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            self.columns.join(", "),
            self.name,
            order.join(", ")
        );
        let (mut archive, mut recomputed) = (archive.prepare(&sql)?, recomputed.prepare(&sql)?);
        let (mut archive, mut recomputed) = (archive.query([])?, recomputed.query([])?);
        archive.advance()?;
        recomputed.advance()?;
        let mut count = 0;
        loop {
            let order = match (archive.get(), recomputed.get()) {
                (None, None) => return Ok(count),
                (Some(kept), None) => {
                    differs(format!("{}: not in the journal", self.key_of(kept)?));
                    Ordering::Less
                }
                (None, Some(right)) => {
                    differs(format!("{}: missing in the archive", self.key_of(right)?));
                    Ordering::Greater
                }
                (Some(kept), Some(right)) => {
                    let order = self.order(kept, right)?;
                    match order {
                        Ordering::Less => {
                            differs(format!("{}: not in the journal", self.key_of(kept)?));
                        }
                        Ordering::Greater => {
                            differs(format!("{}: missing in the archive", self.key_of(right)?));
                        }
                        Ordering::Equal => {
                            if let Some(difference) = self.difference(kept, right)? {
                                differs(difference);
                            }
                        }
                    }
                    order
                }
            };
            count += 1;
            if order != Ordering::Greater {
                archive.advance()?;
            }
            if order != Ordering::Less {
                recomputed.advance()?;
            }
        }
    }

    fn order(&self, kept: &Row<'_>, right: &Row<'_>) -> rusqlite::Result<Ordering> {
        for at in &self.key {
            let order = order(kept.get_ref(*at)?, right.get_ref(*at)?);
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    fn key_of(&self, row: &Row<'_>) -> rusqlite::Result<String> {
        let key = self.key.iter().map(|at| Ok(text(row.get_ref(*at)?)));
        let key: Vec<String> = key.collect::<rusqlite::Result<_>>()?;
        Ok(format!("{} {}", self.name, key.join("/")))
    }

    /// The columns in which two rows of one key differ, when there are any.
    fn difference(&self, kept: &Row<'_>, right: &Row<'_>) -> rusqlite::Result<Option<String>> {
        let mut columns = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let (kept, right) = (kept.get_ref(at)?, right.get_ref(at)?);
            if kept != right {
                columns.push(format!(
                    "{column} is {} and must be {}",
                    text(kept),
                    text(right)
                ));
            }
        }
        if columns.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!(
            "{}: {}",
            self.key_of(right)?,
            columns.join(", ")
        )))
    }
}

/// SQLite's own order of keys: numbers before text, text by its bytes.
fn order(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    match (a, b) {
        (ValueRef::Integer(a), ValueRef::Integer(b)) => a.cmp(&b),
        (ValueRef::Text(a), ValueRef::Text(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

const fn rank(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 1,
        ValueRef::Text(_) => 2,
        ValueRef::Blob(_) => 3,
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "nothing".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
