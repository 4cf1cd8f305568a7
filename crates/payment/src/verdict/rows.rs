//! The verdict table: one row each, read by till, slip, page, console, API and `counterfoil where`.

mod others;
mod sales;
mod shared;

use super::{Family, Row, Situation};
use sales::ROWS as SALES;

/// The row of a situation for a family; the selection names only rows that exist, and a test walks them.
pub(super) fn find(family: Family, when: Situation) -> &'static Row {
    let fits = |row: &&Row| row.when == when && row.families.contains(&family);
    ROWS.iter().find(fits).unwrap_or(&ROWS[0])
}

/// The table (product reference D.0, extended by the hops it must tell apart and by the kinds that are no sales).
pub const ROWS: &[Row] = &joined();

const fn joined() -> [Row; SALES.len() + others::ROWS.len()] {
    let mut all = [SALES[0]; SALES.len() + others::ROWS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at < SALES.len() {
            true => SALES[at],
            false => others::ROWS[at - SALES.len()],
        };
        at += 1;
    }
    all
}
