//! Two archives, row by row in the order of their keys: what differs is named by table, key and column.

use rusqlite::Connection;
use rusqlite::types::Value;
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
        let next = |rows: &mut rusqlite::Rows<'_>| self.values(rows);
        let (mut kept, mut right) = (next(&mut archive)?, next(&mut recomputed)?);
        let mut count = 0;
        while kept.is_some() || right.is_some() {
            count += 1;
            let order = match (&kept, &right) {
                (Some(kept), Some(right)) => self.order(kept, right),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            match (order, &kept, &right) {
                (Ordering::Less, Some(kept), _) => {
                    differs(format!("{}: not in the journal", self.key_of(kept)))
                }
                (Ordering::Greater, _, Some(right)) => {
                    differs(format!("{}: missing in the archive", self.key_of(right)))
                }
                (_, Some(kept), Some(right)) if kept != right => {
                    differs(self.difference(kept, right))
                }
                _ => {}
            }
            if order != Ordering::Greater {
                kept = next(&mut archive)?;
            }
            if order != Ordering::Less {
                right = next(&mut recomputed)?;
            }
        }
        Ok(count)
    }

    fn values(&self, rows: &mut rusqlite::Rows<'_>) -> rusqlite::Result<Option<Vec<Value>>> {
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        (0..self.columns.len())
            .map(|at| row.get(at))
            .collect::<rusqlite::Result<_>>()
            .map(Some)
    }

    fn order(&self, kept: &[Value], right: &[Value]) -> Ordering {
        self.key
            .iter()
            .map(|at| order(&kept[*at], &right[*at]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    fn key_of(&self, row: &[Value]) -> String {
        let key: Vec<String> = self.key.iter().map(|at| text(&row[*at])).collect();
        format!("{} {}", self.name, key.join("/"))
    }

    fn difference(&self, kept: &[Value], right: &[Value]) -> String {
        let columns = self
            .columns
            .iter()
            .zip(kept.iter().zip(right))
            .filter(|(_, (kept, right))| kept != right);
        let columns: Vec<String> = columns
            .map(|(column, (kept, right))| {
                format!("{column} is {} and must be {}", text(kept), text(right))
            })
            .collect();
        format!("{}: {}", self.key_of(right), columns.join(", "))
    }
}

/// SQLite's own order of keys: numbers before text, text by its bytes.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
