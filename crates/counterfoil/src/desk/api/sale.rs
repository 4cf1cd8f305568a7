//! Transactions: the list from the archive, one of them and the one-sided queue from the acquirer itself.

use super::query::{Many, Millis, Number};
use super::{Api, Problem, Words, rfc3339};
use crate::archive;
use crate::people::{Person, blocking};
use crate::view;
use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use pages::SaleView;
use payment::MerchantId;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::path::Path as File;
use utoipa::ToSchema;

/// A transaction in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SaleRow {
    /// `terminal-batch-trace`: its name in addresses.
    pub id: String,
    /// Field 42.
    pub merchant: String,
    /// Field 37.
    pub rrn: String,
    /// Name of its kind.
    pub kind: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217, numeric.
    pub currency: u32,
    /// Masked card.
    pub card: String,
    /// When the request came.
    pub received: String,
    /// Its outcome.
    pub outcome: String,
    /// What became of the slip.
    pub receipt: String,
    /// Where the money is.
    pub position: String,
    /// What the goods wait for.
    pub goods: String,
    /// Who owes the next step.
    pub owner: String,
    /// The common sentence.
    pub headline: Words,
    /// It is in the one-sided queue.
    pub one_sided: bool,
    /// By when the next step is due.
    pub due: Option<String>,
}

/// A page of transactions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SalePage {
    /// Newest first.
    pub items: Vec<SaleRow>,
    /// Where older ones begin; none at the end.
    pub next: Option<String>,
    /// When this was looked at.
    pub as_of: String,
}

/// The one-sided queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Queue {
    /// Oldest first.
    pub items: Vec<SaleView>,
    /// How many there are in all.
    pub total: u64,
    /// When this was looked at.
    pub as_of: String,
}

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    merchant: Option<String>,
    terminal: Option<String>,
    outcome: Option<String>,
    receipt: Option<String>,
    one_sided: Option<bool>,
    from_ms: Option<Millis>,
    to_ms: Option<Millis>,
    after: Option<Number>,
    #[serde(default)]
    limit: Many,
}

const SELECT: &str = "
    SELECT rowid, terminal, batch, stan, merchant, rrn, kind, amount_minor, currency, card_masked, received_ms, outcome, receipt,
        position, goods, owner, headline_zh, headline_en, one_sided, due_ms FROM sale
    WHERE (?1 IS NULL OR merchant = ?1) AND (?2 IS NULL OR terminal = ?2) AND (?3 IS NULL OR outcome = ?3)
        AND (?4 IS NULL OR receipt = ?4) AND (?5 IS NULL OR (one_sided <> 0) = ?5) AND (?6 IS NULL OR received_ms >= ?6)
        AND (?7 IS NULL OR received_ms < ?7) AND (?8 IS NULL OR rowid < ?8)
    ORDER BY rowid DESC LIMIT ?9";

pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SalePage>, Problem> {
    let as_of = rfc3339(api.desk.people.now().0);
    let data = api.desk.data.clone();
    let found = blocking(move || read(&data, &person, &wanted)).await;
    let (items, next) = found.map_err(Problem::trouble)?;
    Ok(Json(SalePage { items, next, as_of }))
}

fn read(
    data: &File,
    person: &Person,
    wanted: &Wanted,
) -> Result<(Vec<SaleRow>, Option<String>), String> {
    let archive = archive::read(data).map_err(|error| error.to_string())?;
    let Many(limit) = wanted.limit;
    // A merchant's own number stands before any that is asked for.
    let own = person.merchant.map(|merchant| merchant.to_string());
    let hidden = own.is_some() && wanted.merchant.is_some() && own != wanted.merchant;
    if hidden {
        return Ok((Vec::new(), None));
    }
    let look = || {
        let mut select = archive.prepare(SELECT)?;
        let rows = select.query_map(
            params![
                own.or_else(|| wanted.merchant.clone()),
                wanted.terminal,
                wanted.outcome,
                wanted.receipt,
                wanted.one_sided,
                wanted.from_ms.map(|at| at.0),
                wanted.to_ms.map(|at| at.0),
                wanted.after.map(Number::column),
                limit + 1
            ],
            |row| Ok((row.get::<_, i64>(0)?, sale(row)?)),
        )?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut rows = look().map_err(|error| error.to_string())?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|(place, _)| place.to_string());
    Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
}

fn sale(row: &rusqlite::Row<'_>) -> rusqlite::Result<SaleRow> {
    let (terminal, batch, stan): (String, u32, u32) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let words: (String, String) = (row.get(16)?, row.get(17)?);
    Ok(SaleRow {
        id: id(&terminal, batch, stan),
        merchant: row.get(4)?,
        rrn: row.get(5)?,
        kind: row.get(6)?,
        amount_minor: row.get(7)?,
        currency: row.get(8)?,
        card: row.get(9)?,
        received: rfc3339(row.get(10)?),
        outcome: row.get(11)?,
        receipt: row.get(12)?,
        position: row.get(13)?,
        goods: row.get(14)?,
        owner: row.get(15)?,
        headline: Words::of(words),
        one_sided: row.get::<_, i64>(18)? != 0,
        due: row.get::<_, Option<i64>>(19)?.map(rfc3339),
    })
}

/// A sale's name in addresses.
pub(super) fn id(terminal: &str, batch: u32, stan: u32) -> String {
    format!("{terminal}-{batch:06}-{stan:06}")
}

/// The reference that [`view::find`] knows for a sale's name in an address.
fn reference(id: &str) -> String {
    let mut parts = id.rsplitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(stan), Some(batch), Some(terminal)) => format!("{terminal}/{batch}/{stan}"),
        _ => id.to_owned(),
    }
}

pub(super) async fn one(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(asked): Path<String>,
) -> Result<Json<SaleView>, Problem> {
    let reference = reference(&asked);
    let found = api.desk.acquirer.look(move |acquirer, now| {
        let sale = view::find(acquirer.state(), &reference)?;
        person
            .sees(&sale.key().merchant)
            .then(|| view::of(sale, now.wall))
    });
    let found = found
        .await
        .map_err(|refused| Problem::trouble(format!("{refused:?}")))?;
    found.map(Json).ok_or_else(Problem::missing)
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    limit: Many,
}

pub(super) async fn one_sided(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(Asked { limit: Many(many) }): Query<Asked>,
) -> Result<Json<Queue>, Problem> {
    let looked = api.desk.acquirer.look(move |acquirer, now| {
        let own = |merchant: MerchantId| person.sees(&merchant);
        let rows = acquirer
            .state()
            .one_sided()
            .filter(|sale| own(sale.key().merchant));
        let (mut items, mut total) = (Vec::new(), 0);
        for sale in rows {
            total += 1;
            if items.len() < many as usize {
                items.push(view::of(sale, now.wall));
            }
        }
        Queue {
            items,
            total,
            as_of: rfc3339(now.wall.0),
        }
    });
    let queue = looked
        .await
        .map_err(|refused| Problem::trouble(format!("{refused:?}")))?;
    Ok(Json(queue))
}
