//! Events: what happened to transactions, in the order of the journal, as pages with a cursor and as a stream.
//!
//! Invariant: an event is told when it is in the archive, so never before it is on disk, and never twice on one stream.

use super::query::{Many, Number};
use super::sale::id;
use super::{Api, Problem, Words, rfc3339};
use crate::archive;
use crate::people::{Person, blocking};
use axum::Json;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use payment::ResponseCode;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use utoipa::ToSchema;

/// Streams that may be open at once.
pub const STREAMS_MAX: usize = 64;
/// A stream ends after so long, in milliseconds, and its reader comes again: a key that was revoked reads no longer.
pub const STREAM_MS: u64 = 600_000;
/// Milliseconds between two looks for new events.
const LOOK_MS: u64 = 300;

static STREAMS: Semaphore = Semaphore::const_new(STREAMS_MAX);

/// Something that happened to a transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its place: `after` for the events that follow.
    pub id: String,
    /// What happened, for instance `payment.reversal.sent`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub at: String,
    /// The transaction's id.
    pub transaction: String,
    /// Its merchant.
    pub merchant: String,
    /// What there is to say beside it, for instance a response code.
    pub detail: Option<String>,
    /// What happened, in words.
    pub words: Words,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// Oldest first.
    pub items: Vec<Event>,
    /// Where the next ones begin; the same place when there are none yet.
    pub next: String,
}

/// A place in the journal: row and ordinal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    seq: i64,
    ordinal: i64,
}

impl Place {
    /// Reads `row-ordinal`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (seq, ordinal) = text.split_once('-')?;
        Some(Self {
            seq: Number::read(seq)?.column(),
            ordinal: Number::read(ordinal)?.column(),
        })
    }

    /// As it stands in an event's id.
    pub(crate) fn text(self) -> String {
        format!("{}-{}", self.seq, self.ordinal)
    }
}

const SELECT: &str = "
    SELECT seq, ordinal, at_ms, what, detail, terminal, batch, stan, merchant FROM event
    WHERE (seq, ordinal) > (?1, ?2) AND (?3 IS NULL OR merchant = ?3) ORDER BY seq, ordinal LIMIT ?4";

/// Events after a place, oldest first; of one merchant, or of all.
pub(crate) fn after(
    data: &Path,
    merchant: Option<&str>,
    place: Place,
    limit: u32,
) -> Result<Vec<(Place, Event)>, String> {
    let archive = archive::read(data).map_err(|error| error.to_string())?;
    let look = || {
        let mut select = archive.prepare(SELECT)?;
        let rows = select.query_map(params![place.seq, place.ordinal, merchant, limit], event)?;
        rows.collect::<rusqlite::Result<_>>()
    };
    look().map_err(|error| error.to_string())
}

fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Place, Event)> {
    let place = Place {
        seq: row.get(0)?,
        ordinal: row.get(1)?,
    };
    let (what, detail): (String, Option<String>) = (row.get(3)?, row.get(4)?);
    let terminal: String = row.get(5)?;
    let event = Event {
        id: place.text(),
        kind: kind(&what, detail.as_deref()),
        at: rfc3339(row.get(2)?),
        transaction: id(&terminal, row.get(6)?, row.get(7)?),
        merchant: row.get(8)?,
        detail,
        words: Words::of(archive::event_words(&what).unwrap_or_default()),
    };
    Ok((place, event))
}

/// The last event's place.
pub(crate) fn last(data: &Path) -> Result<Place, String> {
    let archive = archive::read(data).map_err(|error| error.to_string())?;
    let query = "SELECT seq, ordinal FROM event ORDER BY seq DESC, ordinal DESC LIMIT 1";
    let found = archive.query_row(query, [], |row| {
        Ok(Place {
            seq: row.get(0)?,
            ordinal: row.get(1)?,
        })
    });
    let found = found.optional().map_err(|error| error.to_string())?;
    Ok(found.unwrap_or_default())
}

/// The public name of what the archive calls an event.
fn kind(what: &str, detail: Option<&str>) -> String {
    let code = || ResponseCode::parse(detail.unwrap_or_default().as_bytes());
    match what {
        "reversing" => "payment.reversal.queued".to_owned(),
        "reversal_tried" => "payment.reversal.sent".to_owned(),
        "reversal_answered" if code().is_some_and(|code| code.reversal_done()) => {
            "payment.reversal.confirmed".to_owned()
        }
        "reversal_answered" => "payment.reversal.refused".to_owned(),
        "one_sided" => "onesided.opened".to_owned(),
        "certified" => "payment.certified".to_owned(),
        other => format!("payment.{other}"),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    after: Option<String>,
    #[serde(default)]
    limit: Many,
}

/// The place that was asked for: the beginning when none was, none when it is no place.
fn place(text: Option<&str>) -> Option<Place> {
    text.map_or(Some(Place::default()), Place::read)
}

fn no_place() -> Problem {
    Problem::refused(("after 不是有效的位置", "`after` is no place in the events"))
}

fn own(person: &Person) -> Option<String> {
    person.merchant.map(|merchant| merchant.to_string())
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(From {
        after: from,
        limit: Many(many),
    }): Query<From>,
) -> Result<Json<EventPage>, Problem> {
    let start = place(from.as_deref()).ok_or_else(no_place)?;
    let (data, own) = (api.desk.data.clone(), own(&person));
    let found = blocking(move || after(&data, own.as_deref(), start, many)).await;
    let found = found.map_err(Problem::trouble)?;
    let next = found.last().map_or(start, |(place, _)| *place);
    Ok(Json(EventPage {
        items: found.into_iter().map(|(_, event)| event).collect(),
        next: next.text(),
    }))
}

/// An open stream.
struct Open {
    api: Api,
    own: Option<String>,
    place: Place,
    waiting: VecDeque<Event>,
    until: Instant,
    _permit: SemaphorePermit<'static>,
}

pub(super) async fn stream(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(From { after: from, .. }): Query<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let place = place(last.or(from.as_deref())).ok_or_else(no_place)?;
    let permit = STREAMS.try_acquire();
    let open = Open {
        api,
        own: own(&person),
        place,
        waiting: VecDeque::new(),
        until: Instant::now() + Duration::from_millis(STREAM_MS),
        _permit: permit.map_err(|_| Problem::trouble("too many streams are open"))?,
    };
    let events = stream::unfold(open, |open| async {
        let (event, open) = next(open).await?;
        let told = sse::Event::default().id(&event.id).event(&event.kind);
        Some((Ok(told.json_data(&event).unwrap_or_default()), open))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// The next event, however long it takes; none at the end of the stream or when the archive does not read.
async fn next(mut open: Open) -> Option<(Event, Open)> {
    loop {
        if let Some(event) = open.waiting.pop_front() {
            return Some((event, open));
        }
        if Instant::now() >= open.until {
            return None;
        }
        let (data, own, place) = (open.api.desk.data.clone(), open.own.clone(), open.place);
        let found = blocking(move || after(&data, own.as_deref(), place, super::LIMIT_MAX))
            .await
            .ok()?;
        match found.last() {
            Some((last, _)) => open.place = *last,
            None => tokio::time::sleep(Duration::from_millis(LOOK_MS)).await,
        }
        open.waiting = found.into_iter().map(|(_, event)| event).collect();
    }
}
