//! Who is told of events, and what became of each delivery: kept on disk, sent in order, tried again until it is taken.
//!
//! Invariants: an event is delivered after every earlier one of the same subscriber was taken or given up; a delivery has the
//! same id each time; what waits is bounded, since more events wait in the archive; no secret is stored.

use super::address::{self, Refusal};
use super::{GAP_MS, signature};
use crate::desk::api::event::{self, Place};
use crate::driver::random;
use crate::people::{People, Person, Trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use payment::MerchantId;
use rusqlite::{Connection, OptionalExtension, params};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use ureq::Agent;

/// Subscribers, those that ended aside.
pub const SUBSCRIBERS_MAX: u32 = 64;
/// Deliveries of one subscriber that may wait; more events wait in the archive.
pub const WAITING_MAX: u32 = 1_000;
/// Attempts until a delivery is given up.
pub const ATTEMPTS_MAX: u32 = 12;
/// Milliseconds between two looks for new events.
const LOOK_MS: u64 = 300;
/// Events taken over at once.
const TAKEN_MAX: u32 = 200;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS subscriber(id INTEGER PRIMARY KEY, merchant TEXT, address TEXT NOT NULL, nonce BLOB NOT NULL,
        place TEXT NOT NULL, made_ms INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS delivery(id INTEGER PRIMARY KEY, subscriber INTEGER NOT NULL, event TEXT NOT NULL,
        kind TEXT NOT NULL, json TEXT NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER, state TEXT NOT NULL, said TEXT,
        tried_ms INTEGER);
    CREATE INDEX IF NOT EXISTS delivery_waits ON delivery(subscriber, id) WHERE next_ms IS NOT NULL;";

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its number.
    pub id: u64,
    /// Whose events; none for all of them.
    pub merchant: Option<String>,
    /// Where they are posted.
    pub address: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
}

/// One event for one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub subscriber: u64,
    /// The event's id.
    pub event: String,
    /// What happened.
    pub kind: String,
    /// `waiting`, `taken` or `given_up`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// What the receiver said last.
    pub said: Option<String>,
    /// When the last attempt was, milliseconds since the epoch.
    pub tried_ms: Option<i64>,
}

/// Why something is not done.
#[derive(Debug)]
pub enum Refused {
    /// The address is not taken.
    Address(Refusal),
    /// There are too many subscribers.
    Full,
    /// There is no such thing, or it is another merchant's.
    Unknown,
    /// The disk refused.
    Trouble(Trouble),
}

impl Refused {
    /// The words, zh-CN and en.
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Address(words) => *words,
            Self::Full => ("接收地址太多", "There are too many addresses"),
            Self::Unknown => ("没有找到", "Not found"),
            Self::Trouble(_) => ("暂时不能处理", "Not possible at the moment"),
        }
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Trouble(error.into())
    }
}

/// The subscribers of an acquirer, with the thread that delivers; it ends when the last of them is dropped.
#[derive(Clone)]
pub struct Subscriptions(Arc<Owner>);

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscriptions")
    }
}

struct Owner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    disk: Mutex<Connection>,
    data: PathBuf,
    people: People,
    gap_ms: (u64, u64),
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Drop for Owner {
    fn drop(&mut self) {
        *self.shared.ended() = true;
        self.shared.changed.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl Subscriptions {
    /// Opens the subscriptions in `data` and begins to deliver.
    ///
    /// # Errors
    /// The file does not open.
    pub fn open(data: &Path, people: &People) -> Result<Self, Trouble> {
        Self::with_gaps(data, people, GAP_MS)
    }

    /// The same with gaps of its own between two attempts.
    ///
    /// # Errors
    /// As for [`Subscriptions::open`].
    pub fn with_gaps(data: &Path, people: &People, gap_ms: (u64, u64)) -> Result<Self, Trouble> {
        let path = data.join("webhooks.db");
        let opened = || {
            let disk = Connection::open(&path)?;
            disk.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            disk.pragma_update(None, "synchronous", "FULL")?;
            disk.execute_batch(SCHEMA)?;
            Ok(disk)
        };
        let disk = opened()
            .map_err(|error: rusqlite::Error| Trouble(format!("{}: {error}", path.display())))?;
        let shared = Arc::new(Shared {
            disk: Mutex::new(disk),
            data: data.to_owned(),
            people: people.clone(),
            gap_ms,
            ended: Mutex::new(false),
            changed: Condvar::new(),
        });
        let deliverer = Arc::clone(&shared);
        let thread = std::thread::spawn(move || deliverer.deliver());
        Ok(Self(Arc::new(Owner {
            shared,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Adds a subscriber from the next event on; gives its number.
    ///
    /// # Errors
    /// [`Refused::Address`], [`Refused::Full`] or the disk.
    pub fn subscribe(&self, by: &Person, address: &str) -> Result<u64, Refused> {
        let shared = &self.0.shared;
        address::check(address, shared.people.profile()).map_err(Refused::Address)?;
        let place = event::last(&shared.data).map_err(|error| Refused::Trouble(Trouble(error)))?;
        let nonce = &random()[..16];
        let disk = shared.disk();
        let count = "SELECT count(*) FROM subscriber WHERE ended = 0";
        if disk.query_row(count, [], |row| row.get::<_, u32>(0))? >= SUBSCRIBERS_MAX {
            return Err(Refused::Full);
        }
        let merchant = by.merchant.map(|merchant| merchant.to_string());
        disk.execute(
            "INSERT INTO subscriber(merchant, address, nonce, place, made_ms) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![merchant, address, nonce, place.text(), shared.people.now().0],
        )?;
        Ok(disk.last_insert_rowid() as u64)
    }

    /// The secret of a subscriber, as Standard Webhooks writes it.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn secret(&self, by: &Person, id: u64) -> Result<String, Refused> {
        let shared = &self.0.shared;
        let found: Option<(Option<String>, Vec<u8>)> = shared
            .disk()
            .query_row(
                "SELECT merchant, nonce FROM subscriber WHERE id = ?1 AND ended = 0",
                [id as i64],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let own = found.filter(|(merchant, _)| sees(by, merchant.as_deref()));
        let (_, nonce) = own.ok_or(Refused::Unknown)?;
        Ok(format!("whsec_{}", STANDARD.encode(shared.secret(&nonce))))
    }

    /// Ends a subscriber; what waits for it is given up.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn end(&self, by: &Person, id: u64) -> Result<(), Refused> {
        let shared = &self.0.shared;
        let mut disk = shared.disk();
        let write = disk.transaction()?;
        let merchant: Option<Option<String>> = write
            .query_row(
                "SELECT merchant FROM subscriber WHERE id = ?1 AND ended = 0",
                [id as i64],
                |row| row.get(0),
            )
            .optional()?;
        if !merchant.is_some_and(|merchant| sees(by, merchant.as_deref())) {
            return Err(Refused::Unknown);
        }
        write.execute("UPDATE subscriber SET ended = 1 WHERE id = ?1", [id as i64])?;
        write.execute(
            "UPDATE delivery SET next_ms = NULL, state = 'given_up' WHERE subscriber = ?1 AND next_ms IS NOT NULL",
            [id as i64],
        )?;
        Ok(write.commit()?)
    }

    /// Sends a delivery again, whatever became of it.
    ///
    /// # Errors
    /// [`Refused::Unknown`] or the disk.
    pub fn resend(&self, by: &Person, id: u64) -> Result<(), Refused> {
        let shared = &self.0.shared;
        let disk = shared.disk();
        let merchant: Option<Option<String>> = disk
            .query_row(
                "SELECT s.merchant FROM delivery d JOIN subscriber s ON s.id = d.subscriber WHERE d.id = ?1 AND s.ended = 0",
                [id as i64],
                |row| row.get(0),
            )
            .optional()?;
        if !merchant.is_some_and(|merchant| sees(by, merchant.as_deref())) {
            return Err(Refused::Unknown);
        }
        disk.execute(
            "UPDATE delivery SET next_ms = ?2, attempts = 0, state = 'waiting' WHERE id = ?1",
            params![id as i64, shared.people.now().0],
        )?;
        drop(disk);
        shared.changed.notify_all();
        Ok(())
    }

    /// Subscribers that somebody may see.
    ///
    /// # Errors
    /// The disk refused.
    pub fn list(&self, by: &Person) -> Result<Vec<Subscriber>, Trouble> {
        let disk = self.0.shared.disk();
        let mut select = disk.prepare(
            "SELECT id, merchant, address,
                (SELECT count(*) FROM delivery d WHERE d.subscriber = s.id AND next_ms IS NOT NULL),
                (SELECT count(*) FROM delivery d WHERE d.subscriber = s.id AND state = 'given_up')
             FROM subscriber s WHERE ended = 0 ORDER BY id",
        )?;
        let rows = select.query_map([], |row| {
            Ok(Subscriber {
                id: row.get::<_, i64>(0)? as u64,
                merchant: row.get(1)?,
                address: row.get(2)?,
                waiting: row.get::<_, i64>(3)? as u64,
                given_up: row.get::<_, i64>(4)? as u64,
            })
        })?;
        let all: Vec<Subscriber> = rows.collect::<Result<_, _>>()?;
        let own = |row: &Subscriber| sees(by, row.merchant.as_deref());
        Ok(all.into_iter().filter(own).collect())
    }

    /// Deliveries that somebody may see, newest first, before number `below`.
    ///
    /// # Errors
    /// The disk refused.
    pub fn deliveries(
        &self,
        by: &Person,
        below: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Trouble> {
        let disk = self.0.shared.disk();
        let mut select = disk.prepare(
            "SELECT d.id, d.subscriber, d.event, d.kind, d.state, d.attempts, d.said, d.tried_ms
             FROM delivery d JOIN subscriber s ON s.id = d.subscriber
             WHERE d.id < ?1 AND (?2 IS NULL OR s.merchant = ?2) ORDER BY d.id DESC LIMIT ?3",
        )?;
        let below = below.map_or(i64::MAX, |id| i64::try_from(id).unwrap_or(i64::MAX));
        let own = by.merchant.map(|merchant| merchant.to_string());
        let rows = select.query_map(params![below, own, limit], |row| {
            Ok(Delivery {
                id: row.get::<_, i64>(0)? as u64,
                subscriber: row.get::<_, i64>(1)? as u64,
                event: row.get(2)?,
                kind: row.get(3)?,
                state: row.get(4)?,
                attempts: row.get(5)?,
                said: row.get(6)?,
                tried_ms: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Staff sees every subscriber, a merchant its own.
fn sees(by: &Person, merchant: Option<&str>) -> bool {
    match merchant.and_then(|text| MerchantId::parse(text.as_bytes())) {
        Some(merchant) => by.sees(&merchant),
        None => by.merchant.is_none(),
    }
}

/// A delivery that is due.
struct Due {
    id: i64,
    event: String,
    json: String,
    attempts: u32,
    address: String,
    nonce: Vec<u8>,
}

impl Shared {
    fn disk(&self) -> MutexGuard<'_, Connection> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret of a subscriber: derived, so that it is stored nowhere.
    fn secret(&self, nonce: &[u8]) -> [u8; 32] {
        *self.people.derived("webhook-v1", nonce)
    }

    fn deliver(&self) {
        let agent = address::agent(self.people.profile());
        loop {
            let worked = self.take_over().and_then(|()| self.due());
            let due = worked.unwrap_or_else(|problem| {
                tracing::warn!(problem, "webhooks wait");
                Vec::new()
            });
            let idle = due.is_empty();
            // One slow receiver does not hold up the others.
            std::thread::scope(|scope| {
                for due in due {
                    let agent = &agent;
                    scope.spawn(move || self.try_once(agent, &due));
                }
            });
            let ended = self.ended();
            if *ended {
                return;
            }
            if idle {
                let pause = Duration::from_millis(LOOK_MS);
                let waited = self.changed.wait_timeout(ended, pause);
                if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                    return;
                }
            }
        }
    }

    /// New events become deliveries, each with its subscriber's place in one transaction.
    fn take_over(&self) -> Result<(), String> {
        let wanting: Vec<(i64, Option<String>, String)> = {
            let disk = self.disk();
            let look = || {
                let mut select = disk.prepare(
                    "SELECT id, merchant, place FROM subscriber s WHERE ended = 0
                     AND (SELECT count(*) FROM delivery d WHERE d.subscriber = s.id AND next_ms IS NOT NULL) < ?1",
                )?;
                let rows = select.query_map([WAITING_MAX], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                rows.collect::<rusqlite::Result<_>>()
            };
            look().map_err(|error| error.to_string())?
        };
        for (id, merchant, place) in wanting {
            let place = Place::read(&place).unwrap_or_default();
            let events = event::after(&self.data, merchant.as_deref(), place, TAKEN_MAX)?;
            self.keep(id, &events).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn keep(&self, id: i64, events: &[(Place, event::Event)]) -> rusqlite::Result<()> {
        let Some((last, _)) = events.last() else {
            return Ok(());
        };
        let now = self.people.now().0;
        let mut disk = self.disk();
        let write = disk.transaction()?;
        for (_, event) in events {
            let body =
                serde_json::json!({ "type": event.kind, "timestamp": event.at, "data": event });
            write.execute(
                "INSERT INTO delivery(subscriber, event, kind, json, attempts, next_ms, state)
                 VALUES(?1, ?2, ?3, ?4, 0, ?5, 'waiting')",
                params![id, event.id, event.kind, body.to_string(), now],
            )?;
        }
        write.execute(
            "UPDATE subscriber SET place = ?2 WHERE id = ?1",
            params![id, last.text()],
        )?;
        write.commit()
    }

    /// The oldest delivery of each subscriber, where its time has come.
    fn due(&self) -> Result<Vec<Due>, String> {
        let disk = self.disk();
        let look = || {
            let mut select = disk.prepare(
                "SELECT d.id, d.event, d.json, d.attempts, s.address, s.nonce, d.next_ms FROM subscriber s JOIN delivery d
                 ON d.id = (SELECT min(id) FROM delivery WHERE subscriber = s.id AND next_ms IS NOT NULL)
                 WHERE s.ended = 0 AND d.next_ms <= ?1",
            )?;
            let rows = select.query_map([self.people.now().0], |row| {
                Ok(Due {
                    id: row.get(0)?,
                    event: row.get(1)?,
                    json: row.get(2)?,
                    attempts: row.get(3)?,
                    address: row.get(4)?,
                    nonce: row.get(5)?,
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        look().map_err(|error| error.to_string())
    }

    fn try_once(&self, agent: &Agent, due: &Due) {
        let said = self.post(agent, due);
        let (taken, said) = match said {
            Ok(status) => ((200..300).contains(&status), status.to_string()),
            Err(error) => (false, error),
        };
        let attempts = due.attempts + 1;
        let now = self.people.now().0;
        let (state, next) = match taken {
            true => ("taken", None),
            false if attempts >= ATTEMPTS_MAX => ("given_up", None),
            false => ("waiting", Some(now + self.gap(attempts))),
        };
        let marked = self.disk().execute(
            "UPDATE delivery SET attempts = ?2, state = ?3, next_ms = ?4, said = ?5, tried_ms = ?6
             WHERE id = ?1 AND next_ms IS NOT NULL",
            params![due.id, attempts, state, next, said, now],
        );
        if let Err(error) = marked {
            tracing::warn!(%error, "an attempt could not be marked; it is made again");
        }
    }

    /// Twice the gap before, with up to a quarter more by chance, so that receivers are not met by everybody at once.
    fn gap(&self, attempts: u32) -> i64 {
        let (first, longest) = self.gap_ms;
        let gap = first
            .saturating_mul(1 << (attempts - 1).min(32))
            .min(longest);
        (gap + gap * u64::from(random()[0]) / 1_024) as i64
    }

    fn post(&self, agent: &Agent, due: &Due) -> Result<u16, String> {
        // The profile may have changed since it was taken.
        address::check(&due.address, self.people.profile()).map_err(|(_, en)| en.to_owned())?;
        let seconds = self.people.now().0.max(0) as u64 / 1_000;
        let id = format!("evt_{}", due.event);
        let signed = signature(&self.secret(&due.nonce), &id, seconds, &due.json);
        let answer = agent
            .post(&due.address)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signed)
            .send(due.json.as_bytes());
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.status().as_u16())
    }
}
