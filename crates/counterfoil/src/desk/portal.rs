//! The merchant's portal: finds what a page shows of one merchant, and shows it.
//!
//! A merchant's person sees that merchant whatever the address says; staff name the merchant in the address.

use super::Desk;
use super::console::{self, find, merchant_of, stopped, without_lang};
use super::survey::{self, is_unprinted, reading};
use super::visitor::{Scope, SignedIn};
use crate::people::Person;
use crate::view;
use crate::web::Language;
use acquirer::SaleRecord;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use pages::Lang;
use pages::console::board::Listed;
use pages::console::one_sided::Item;
use pages::merchant::transactions::{Filters, OUTCOMES, POSITIONS, Transactions, csv};
use pages::merchant::{self, sale, today, transactions, unresolved};
use payment::verdict::Position;
use payment::{Batch, MerchantId, SaleKey, Stan, TerminalId, Wall};
use rusqlite::{Connection, ToSql};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a page.
const PAGE: usize = 50;
/// Rows of a file.
const FILE: usize = 10_000;
/// The newest sales, of all merchants, that a filter walks through.
const WALKED_ROWS: &str = "rowid > (SELECT coalesce(max(rowid), 0) FROM sale) - 200000";
const DAY_MS: i64 = 86_400_000;
/// China is so far ahead of UTC.
const AHEAD_MS: i64 = 28_800_000;

/// The routes.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/merchant", get(whole))
        .route("/merchant/transactions", get(listed))
        .route("/merchant/transactions.csv", get(file))
        .route("/merchant/unresolved", get(open))
        .route("/merchant/tills", get(tills))
        .route("/merchant/payouts", get(payouts))
        .route("/merchant/disputes", get(disputes))
        .route("/merchant/documents", get(documents))
        .route("/merchant/sale/{terminal}/{batch}/{stan}", get(one_sale))
        .route(
            "/merchant/sale/{terminal}/{batch}/{stan}/slip.svg",
            get(slip),
        )
}

#[derive(Debug, Deserialize)]
struct Chosen {
    merchant: Option<String>,
}

/// The merchant of a page, and what stands around it.
struct Visit {
    lang: Lang,
    path: String,
    as_of: String,
    merchant: MerchantId,
    number: String,
    name: String,
    staff: bool,
    waiting: u64,
}

impl FromRequestParts<Desk> for Visit {
    type Rejection = Response;

    /// Whose portal it is: the visitor's own, or the one that staff name. Else what is answered instead.
    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let Ok(Language(lang)) = Language::from_request_parts(parts, desk).await;
        let person = parts.extensions.get::<Person>().cloned().map(Extension);
        let scope = Scope::of(&person).map_err(IntoResponse::into_response)?;
        let uri = &parts.uri;
        let (merchant, staff) = match scope {
            Scope::Merchant(merchant) => (merchant, false),
            Scope::Staff => {
                let chosen = Query::<Chosen>::try_from_uri(uri)
                    .ok()
                    .and_then(|Query(chosen)| chosen.merchant);
                let known = chosen.as_deref().and_then(merchant_of);
                let known = known.filter(|id| desk.merchants.contains_key(id));
                (known.ok_or_else(|| choice(desk, lang, uri))?, true)
            }
        };
        Ok(Self::to(desk, lang, uri, merchant, staff))
    }
}

impl Visit {
    fn to(desk: &Desk, lang: Lang, uri: &Uri, merchant: MerchantId, staff: bool) -> Self {
        let shown = desk.hub.shown();
        let own = shown
            .open
            .iter()
            .filter(|sale| sale.key().merchant == merchant);
        Self {
            lang,
            path: without_lang(uri),
            as_of: shown.now.text(),
            merchant,
            number: merchant.to_string(),
            name: desk.merchant(&merchant),
            staff,
            waiting: own.count() as u64,
        }
    }

    fn asked(&self) -> merchant::Asked<'_> {
        merchant::Asked {
            lang: self.lang,
            path: &self.path,
            as_of: &self.as_of,
            merchant: &self.name,
            number: &self.number,
            staff: self.staff,
            waiting: self.waiting,
        }
    }
}

fn choice(desk: &Desk, lang: Lang, uri: &Uri) -> Response {
    let named = desk
        .merchants
        .iter()
        .map(|(id, name)| (id.to_string(), name.clone()));
    let named: Vec<_> = named.collect();
    let as_of = desk.hub.shown().now.text();
    Html(merchant::choice(lang, &without_lang(uri), &as_of, &named)).into_response()
}

async fn whole(State(desk): State<Desk>, visit: Visit) -> Result<Html<String>, Response> {
    let merchant = visit.merchant;
    let looked = desk
        .acquirer
        .look(move |acquirer, now| (acquirer.state().books().payable(&merchant), now.wall));
    let (due_minor, now) = looked
        .await
        .map_err(|refused| stopped(refused).into_response())?;
    let number = visit.number.clone();
    let mut counted = reading(&desk, move |archive| counted(archive, &number, now))
        .await
        .map_err(IntoResponse::into_response)?;
    counted.due_minor = due_minor;
    Ok(Html(today::today(visit.asked(), &counted)))
}

/// The day of a moment in China begins here.
fn day_of(at: Wall) -> i64 {
    (at.0 + AHEAD_MS).div_euclid(DAY_MS) * DAY_MS - AHEAD_MS
}

fn counted(archive: &Connection, merchant: &str, now: Wall) -> rusqlite::Result<today::Today> {
    let query = format!(
        "SELECT outcome, receipt, position, stands, moved_minor, amount_minor FROM sale
         WHERE {WALKED_ROWS} AND merchant = ?1 AND received_ms >= ?2 AND effect <> 'none' AND currency = 156"
    );
    let mut statement = archive.prepare(&query)?;
    let mut rows = statement.query((merchant, day_of(now)))?;
    let mut today = today::Today {
        date: now.text().chars().take(10).collect(),
        ..today::Today::default()
    };
    let mut positions = BTreeMap::<&str, (u64, u64)>::new();
    while let Some(row) = rows.next()? {
        let (outcome, receipt, position): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let minor = row.get::<_, i64>(5)?.max(0) as u64;
        if row.get(3)? {
            today.taken.0 += 1;
            today.taken.1 += row.get::<_, i64>(4)?;
        }
        if matches!(
            outcome.as_str(),
            "unknown" | "reversing" | "reversal_refused"
        ) {
            today.unresolved.0 += 1;
            today.unresolved.1 += minor;
        }
        today.no_slip += u64::from(outcome == "approved" && is_unprinted(&receipt));
        if let Some((name, _)) = POSITIONS.iter().find(|(name, _)| *name == position) {
            let told = positions.entry(name).or_default();
            *told = (told.0 + 1, told.1 + minor);
        }
    }
    let of = |(name, position): &(&str, Position)| {
        positions
            .get(name)
            .map(|(n, minor)| (*position, *n, *minor))
    };
    today.positions = POSITIONS.iter().filter_map(of).collect();
    Ok(today)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    tender: String,
    till: String,
    outcome: String,
    receipt: String,
    position: String,
    date: String,
    before: Option<i64>,
}

impl Wanted {
    fn filters(&self) -> Filters {
        Filters {
            tender: self.tender.clone(),
            till: self.till.clone(),
            outcome: self.outcome.clone(),
            receipt: self.receipt.clone(),
            position: self.position.clone(),
            date: self.date.clone(),
        }
    }

    /// The conditions of a query on `sale`, and their values; what is none of the choices asks for nothing.
    fn conditions(&self, merchant: &str) -> (String, Vec<Box<dyn ToSql + Send>>) {
        let mut text = format!("{WALKED_ROWS} AND merchant = ?");
        let mut values: Vec<Box<dyn ToSql + Send>> = vec![Box::new(merchant.to_owned())];
        match self.tender.as_str() {
            "card" => text.push_str(" AND kind NOT LIKE 'wallet%'"),
            "wallet" => text.push_str(" AND kind LIKE 'wallet%'"),
            _ => {}
        }
        match self.receipt.as_str() {
            "printed" => text.push_str(" AND receipt = 'printed'"),
            "unprinted" => text.push_str(
                " AND outcome = 'approved' AND (receipt LIKE 'failed%' OR receipt LIKE 'e_slip%')",
            ),
            _ => {}
        }
        let mut equal = |column: &str, value: &str| {
            text.push_str(&format!(" AND {column} = ?"));
            values.push(Box::new(value.to_owned()));
        };
        if TerminalId::parse(self.till.as_bytes()).is_some() {
            equal("terminal", &self.till);
        }
        if OUTCOMES.iter().any(|(name, _)| *name == self.outcome) {
            equal("outcome", &self.outcome);
        }
        if POSITIONS.iter().any(|(name, _)| *name == self.position) {
            equal("position", &self.position);
        }
        if let Some(day) = day(&self.date) {
            text.push_str(" AND received_ms >= ? AND received_ms < ?");
            values.push(Box::new(day));
            values.push(Box::new(day + DAY_MS));
        }
        if let Some(before) = self.before {
            text.push_str(" AND rowid < ?");
            values.push(Box::new(before));
        }
        (text, values)
    }
}

/// The begin of `2026-11-22` in China, in milliseconds since the epoch.
fn day(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !((1970..=2199).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)) {
        return None;
    }
    // Days from civil, after Howard Hinnant: years begin in March.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * DAY_MS - AHEAD_MS)
}

async fn listed(
    State(desk): State<Desk>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Response> {
    let filters = wanted.filters();
    let (merchant, number) = (visit.merchant, visit.number.clone());
    let keys = reading(&desk, move |archive| {
        keys(archive, &wanted, &number, merchant)
    })
    .await;
    let keys = keys.map_err(IntoResponse::into_response)?;
    let next = keys.get(PAGE - 1).map(|(row, _)| *row);
    let name = visit.name.clone();
    let looked = desk.acquirer.look(move |acquirer, now| {
        let of = |key: &SaleKey| acquirer.state().sale(key).cloned();
        let tills = acquirer
            .config()
            .terminals
            .iter()
            .filter(|(_, setup)| setup.merchant == merchant);
        let tills: Vec<String> = tills
            .map(|(id, _)| id.to_string())
            .take(TILLS_MAX)
            .collect();
        let sales: Vec<SaleRecord> = keys.iter().filter_map(|(_, key)| of(key)).collect();
        (sales, tills, now.wall)
    });
    let (sales, tills, now) = looked
        .await
        .map_err(|refused| stopped(refused).into_response())?;
    let view = Transactions {
        filters,
        tills,
        rows: sales
            .iter()
            .map(|sale| Listed {
                sale: view::of(sale, now),
                merchant: name.clone(),
            })
            .collect(),
        next,
    };
    Ok(Html(transactions::transactions(visit.asked(), &view)))
}

/// Tills that a filter offers.
const TILLS_MAX: usize = 500;

/// The sales that match, newest first, with the numbers of their rows.
fn keys(
    archive: &Connection,
    wanted: &Wanted,
    number: &str,
    merchant: MerchantId,
) -> rusqlite::Result<Vec<(i64, SaleKey)>> {
    let (conditions, values) = wanted.conditions(number);
    let query = format!(
        "SELECT rowid, terminal, batch, stan FROM sale WHERE {conditions} ORDER BY rowid DESC LIMIT {PAGE}"
    );
    let mut statement = archive.prepare(&query)?;
    let mut rows = statement.query(rusqlite::params_from_iter(
        values.iter().map(|value| &**value as &dyn ToSql),
    ))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let terminal: String = row.get(1)?;
        if let Some(terminal) = TerminalId::parse(terminal.as_bytes()) {
            keys.push((
                row.get(0)?,
                SaleKey {
                    terminal,
                    merchant,
                    batch: Batch(row.get(2)?),
                    stan: Stan(row.get(3)?),
                },
            ));
        }
    }
    Ok(keys)
}

async fn file(
    State(desk): State<Desk>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Response> {
    let (number, lang) = (visit.number.clone(), visit.lang);
    let rows = reading(&desk, move |archive| cells(archive, &wanted, &number, lang)).await;
    let rows = rows.map_err(IntoResponse::into_response)?;
    let head = match lang {
        Lang::Zh => [
            "时间",
            "终端",
            "批次",
            "凭证号",
            "参考号",
            "类型",
            "金额",
            "卡号",
            "结果",
            "小票",
            "钱在哪里",
            "授权码",
            "说明",
        ],
        Lang::En => [
            "time", "till", "batch", "trace", "rrn", "kind", "amount", "card", "outcome", "slip",
            "money", "approval", "what",
        ],
    };
    let text = csv(&head, rows.into_iter());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"transactions.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

fn cells(
    archive: &Connection,
    wanted: &Wanted,
    number: &str,
    lang: Lang,
) -> rusqlite::Result<Vec<Vec<String>>> {
    let (conditions, values) = wanted.conditions(number);
    let query = format!(
        "SELECT received_ms, terminal, batch, stan, rrn, kind, amount_minor, card_masked, outcome, receipt, position, approval,
         headline_zh, headline_en FROM sale WHERE {conditions} ORDER BY rowid DESC LIMIT {FILE}"
    );
    let mut statement = archive.prepare(&query)?;
    let rows = statement.query_map(
        rusqlite::params_from_iter(values.iter().map(|value| &**value as &dyn ToSql)),
        |row| {
            let minor: i64 = row.get(6)?;
            let outcome: String = row.get(8)?;
            let words = OUTCOMES.iter().find(|(name, _)| *name == outcome);
            let position: String = row.get(10)?;
            let place = POSITIONS.iter().find(|(name, _)| *name == position);
            Ok(vec![
                Wall(row.get(0)?).text(),
                row.get(1)?,
                format!("{:06}", row.get::<_, u32>(2)?),
                format!("{:06}", row.get::<_, u32>(3)?),
                row.get(4)?,
                row.get(5)?,
                format!("{}.{:02}", minor / 100, minor % 100),
                row.get(7)?,
                words.map_or(outcome.clone(), |(_, outcome)| {
                    lang.say(pages::chip::outcome_words(*outcome)).to_owned()
                }),
                row.get(9)?,
                place.map_or(position.clone(), |(_, position)| {
                    lang.say(position.words()).to_owned()
                }),
                row.get::<_, Option<String>>(11)?.unwrap_or_default(),
                row.get(if lang == Lang::Zh { 12 } else { 13 })?,
            ])
        },
    )?;
    rows.collect()
}

async fn open(State(desk): State<Desk>, visit: Visit) -> Result<Html<String>, Response> {
    let shown = desk.hub.shown();
    let own = shown
        .open
        .iter()
        .filter(|sale| sale.key().merchant == visit.merchant);
    let items: Vec<Item> = shown.items(own.map(Arc::as_ref), |_| visit.name.clone()).0;
    Ok(Html(unresolved::unresolved(visit.asked(), &items)))
}

async fn tills(State(desk): State<Desk>, visit: Visit) -> Result<Html<String>, Response> {
    let seen = survey::fleet(&desk, Some(visit.merchant))
        .await
        .map_err(IntoResponse::into_response)?;
    Ok(Html(merchant::tills(visit.asked(), &seen)))
}

async fn payouts(State(desk): State<Desk>, visit: Visit) -> Result<Html<String>, Response> {
    let merchant = visit.merchant;
    let looked = desk
        .acquirer
        .look(move |acquirer, _| acquirer.state().books().payable(&merchant));
    let due = looked
        .await
        .map_err(|refused| stopped(refused).into_response())?;
    Ok(Html(merchant::payouts(visit.asked(), &today::signed(due))))
}

async fn disputes(visit: Visit) -> Result<Html<String>, Response> {
    Ok(Html(merchant::disputes(visit.asked())))
}

async fn documents(State(desk): State<Desk>, visit: Visit) -> Result<Html<String>, Response> {
    let merchant = visit.merchant;
    let looked = desk.acquirer.look(move |acquirer, _| {
        acquirer
            .config()
            .merchants
            .get(&merchant)
            .map(|setup| setup.category)
    });
    let category = looked
        .await
        .map_err(|refused| stopped(refused).into_response())?;
    Ok(Html(merchant::documents(
        visit.asked(),
        category.unwrap_or_default(),
    )))
}

async fn one_sale(
    State(desk): State<Desk>,
    Language(lang): Language,
    person: SignedIn,
    visit: Result<Visit, Response>,
    Path(named): console::Named,
    uri: Uri,
) -> Result<Response, Response> {
    let scope = Scope::of(&person).map_err(IntoResponse::into_response)?;
    let found = find(&desk, scope, named)
        .await
        .map_err(|refused| stopped(refused).into_response())?;
    let Some(found) = found else {
        let visit = visit?;
        return Ok((StatusCode::NOT_FOUND, Html(sale::sale(visit.asked(), None))).into_response());
    };
    let visit = Visit::to(
        &desk,
        lang,
        &uri,
        found.sale.key().merchant,
        scope == Scope::Staff,
    );
    let told = view::of(&found.sale, found.now.wall);
    let slip = found.sale.link.is_some() && told.receipt != "none";
    Ok(Html(sale::sale(visit.asked(), Some((&told, slip)))).into_response())
}

async fn slip(
    State(desk): State<Desk>,
    person: SignedIn,
    Path(named): console::Named,
) -> Result<Response, StatusCode> {
    console::picture(&desk, Scope::of(&person)?, named).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_in_china() {
        let begin = day("2026-11-22").expect("a day");
        assert_eq!(Wall(begin).text(), "2026-11-22 00:00:00");
        assert_eq!(day_of(Wall(begin + DAY_MS - 1)), begin);
        assert_eq!(
            day("2028-02-29").map(|at| Wall(at).text()),
            Some("2028-02-29 00:00:00".to_owned())
        );
        for date in [
            "",
            "2026-13-01",
            "2026-11",
            "x-y-z",
            "2026-11-22-1",
            "99999999999-1-1",
        ] {
            assert_eq!(day(date), None, "{date}");
        }
    }
}
