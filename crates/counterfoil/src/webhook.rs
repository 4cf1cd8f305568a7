//! Notices by HTTP: each is posted until its receiver says 2xx, signed after the Standard Webhooks rules.
//!
//! Invariant: the queue is bounded and never holds up a party. What is dropped is counted; every notice is in the journal.

pub mod address;
pub mod subscription;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use ureq::Agent;

/// Notices that may wait; beyond it the oldest is dropped.
pub const WAITING_MAX: usize = 10_000;
/// First and longest gap between two attempts, in milliseconds; each gap is twice the one before.
pub const GAP_MS: (u64, u64) = (500, 300_000);
/// Longest time that one attempt may take, in milliseconds.
pub const ATTEMPT_MS: u64 = 10_000;

/// Where notices go.
#[derive(Clone)]
pub struct Settings {
    /// `http://…`; the sender speaks no TLS, a local relay does.
    pub address: String,
    /// The secret shared with the receiver.
    pub secret: Vec<u8>,
    /// See [`GAP_MS`].
    pub gap_ms: (u64, u64),
    /// See [`WAITING_MAX`].
    pub waiting_max: usize,
}

impl Settings {
    /// Settings with the named defaults.
    pub fn new(address: String, secret: Vec<u8>) -> Self {
        Self {
            address,
            secret,
            gap_ms: GAP_MS,
            waiting_max: WAITING_MAX,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({}, secret masked)", self.address)
    }
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookFigures {
    /// Notices that the receiver took.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Notices dropped because too many waited.
    pub dropped: u64,
    /// Notices waiting now.
    pub waiting: u64,
}

/// A sender with a thread of its own; it ends, and forgets what waits, when this is dropped.
#[derive(Debug)]
pub struct Webhook {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    queue: Mutex<Queue>,
    changed: Condvar,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    /// The gap after the next failure.
    gap_ms: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    ended: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// Names it for ever, so that its receiver can tell a repetition.
    pub(crate) id: Arc<str>,
    /// Its body.
    pub(crate) json: Arc<str>,
}

impl Webhook {
    /// Starts a sender.
    pub fn start(settings: Settings) -> Self {
        let shared = Arc::new(Shared {
            gap_ms: AtomicU64::new(settings.gap_ms.0),
            settings,
            queue: Mutex::default(),
            changed: Condvar::new(),
            delivered: AtomicU64::default(),
            failed: AtomicU64::default(),
            dropped: AtomicU64::default(),
        });
        let sender = Arc::clone(&shared);
        let thread = std::thread::spawn(move || send_all(&*sender, &sender.settings));
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Queues a notice. `id` names it for ever, so that its receiver can tell a repetition; `json` is its body.
    pub fn notify(&self, id: &str, json: String) {
        let notice = Notice {
            id: id.into(),
            json: json.into(),
        };
        let mut queue = self.shared.lock();
        if queue.waiting.len() >= self.shared.settings.waiting_max
            && let Some(oldest) = queue.waiting.pop_front()
        {
            self.shared.dropped.fetch_add(1, Relaxed);
            tracing::warn!(
                id = &*oldest.id,
                "too many notices wait; the oldest is dropped"
            );
        }
        queue.waiting.push_back(notice);
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// What was counted since the start.
    pub fn figures(&self) -> WebhookFigures {
        WebhookFigures {
            delivered: self.shared.delivered.load(Relaxed),
            failed: self.shared.failed.load(Relaxed),
            dropped: self.shared.dropped.load(Relaxed),
            waiting: self.shared.lock().waiting.len() as u64,
        }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A sender that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest notice, which stays in the queue; `None` at the end.
    fn oldest(&self) -> Option<Notice> {
        let queue = self
            .changed
            .wait_while(self.lock(), |queue| {
                queue.waiting.is_empty() && !queue.ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        let oldest = queue.waiting.front().filter(|_| !queue.ended);
        oldest.cloned()
    }

    /// Takes a delivered notice off, unless it was dropped meanwhile.
    fn done(&self, notice: &Notice) {
        self.delivered.fetch_add(1, Relaxed);
        let mut queue = self.lock();
        if queue
            .waiting
            .front()
            .is_some_and(|first| Arc::ptr_eq(&first.id, &notice.id))
        {
            queue.waiting.pop_front();
        }
    }

    /// Waits, unless the end comes first.
    fn pause(&self, gap: Duration) {
        let until = Instant::now() + gap;
        let mut queue = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if queue.ended || left.is_zero() {
                return;
            }
            queue = self
                .changed
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Where a sender takes its notices from, and what it is told of each attempt.
pub(crate) trait Mailbag {
    /// The next notice; waits until one is due, and is `None` at the end.
    fn next(&self) -> Option<Notice>;
    /// Its receiver took it.
    fn taken(&self, notice: &Notice);
    /// It was not taken.
    fn refused(&self, notice: &Notice, why: &str);
}

impl Mailbag for Shared {
    fn next(&self) -> Option<Notice> {
        self.oldest()
    }

    fn taken(&self, notice: &Notice) {
        self.done(notice);
        self.gap_ms.store(self.settings.gap_ms.0, Relaxed);
    }

    /// The oldest goes first, so the others wait with it.
    fn refused(&self, notice: &Notice, why: &str) {
        self.failed.fetch_add(1, Relaxed);
        let gap_ms = self.gap_ms.load(Relaxed);
        tracing::warn!(
            id = &*notice.id,
            error = why,
            gap_ms,
            "a notice was not taken"
        );
        self.pause(Duration::from_millis(gap_ms));
        self.gap_ms
            .store((gap_ms * 2).min(self.settings.gap_ms.1), Relaxed);
    }
}

/// Sends one notice after the other until the bag ends.
pub(crate) fn send_all(bag: &impl Mailbag, settings: &Settings) {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_millis(ATTEMPT_MS)))
        .build()
        .into();
    while let Some(notice) = bag.next() {
        match post(&agent, settings, &notice) {
            Ok(()) => bag.taken(&notice),
            Err(error) => bag.refused(&notice, &error.to_string()),
        }
    }
}

fn post(agent: &Agent, settings: &Settings, notice: &Notice) -> Result<(), ureq::Error> {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    agent
        .post(&settings.address)
        .header("content-type", "application/json")
        .header("webhook-id", &*notice.id)
        .header("webhook-timestamp", seconds.to_string())
        .header(
            "webhook-signature",
            signature(&settings.secret, &notice.id, seconds, &notice.json),
        )
        .send(notice.json.as_bytes())
        .map(drop)
}

/// The header `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks).
pub fn signature(secret: &[u8], id: &str, timestamp_s: u64, json: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .expect("this construction takes a key of any length");
    mac.update(format!("{id}.{timestamp_s}.{json}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
