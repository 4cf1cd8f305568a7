//! Reads a party's journal without disturbing it, for whoever must know while the party is down.

use crate::journal;
use crate::view::{self, SaleView};
use acquirer::{Record, State};
use payment::Wall;
use std::path::Path;

/// A sale as the acquirer's journal has it; what it says is as old as the journal's last row.
pub fn acquirer_sale(data: &Path, reference: &str) -> Result<Option<SaleView>, String> {
    let path = data.join("journal.db");
    if !path.exists() {
        return Err(format!(
            "the acquirer does not answer, and {} does not exist",
            path.display()
        ));
    }
    let mut state = State::default();
    let mut last = Wall::default();
    for row in journal::read(&path).map_err(|error| error.to_string())? {
        let row = row.map_err(|error| error.to_string())?;
        last = row.now.wall;
        row.records::<Record>(&path)
            .map_err(|error| error.to_string())?
            .iter()
            .for_each(|record| state.apply(record));
    }
    Ok(view::find(&state, reference).map(|sale| view::of(sale, last)))
}
