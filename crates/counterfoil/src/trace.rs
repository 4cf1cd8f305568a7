//! Traces: one trace is one loop, one span is one hop, sent by OTLP (HTTP, protobuf) to a collector that the file names.
//!
//! Invariants: nothing of a trace is on any wire: its id follows from what every party knows of the loop. A payment never
//! waits for it: frames and spans that find no room, and batches that find no collector, are dropped and counted. A span
//! holds nothing of a card, not even masked.

mod hop;
mod span;
mod told;

use crate::archive::Role;
use crate::config::{self, Problem};
use crate::driver::{Driven, DriverHandle, Frame};
use crate::observed::Observed;
use hop::Follower;
use payment::Wall;
use span::Span;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::Uri;
use zeroize::Zeroizing;

/// Frames that wait to be read; beyond it they are dropped and counted.
pub const FRAMES_MAX: usize = 4_096;
/// Spans that wait to be sent; beyond it they are dropped and counted.
pub const SPANS_MAX: usize = 8_192;
/// Spans of one request to the collector.
pub const BATCH_MAX: usize = 512;
/// Milliseconds that a span waits for others, at most.
pub const BATCH_MS: u64 = 500;
/// Longest time that one request to the collector may take, in milliseconds.
pub const POST_MS: u64 = 5_000;
/// A collector that did not answer is left alone for so long, in milliseconds.
pub const REST_MS: u64 = 1_000;

/// Follows a party's frames until it is dropped with the party.
#[derive(Debug)]
pub struct Tracer {
    frames: SyncSender<Work>,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What the following thread is given.
enum Work {
    Frame {
        at: Wall,
        said: bool,
        bytes: Zeroizing<Vec<u8>>,
    },
    End,
}

impl Tracer {
    /// Follows `party` where its file names a collector.
    ///
    /// # Errors
    /// An address that is none, or a thread that does not start.
    pub fn start<P: Driven>(
        collector: Option<&str>,
        role: Role,
        party: &DriverHandle<P>,
    ) -> Result<Option<Self>, Problem> {
        let Some(address) = collector.map(config::collector).transpose()? else {
            return Ok(None);
        };
        let (frames, heard) = sync_channel(FRAMES_MAX);
        let (spans, made) = sync_channel(SPANS_MAX);
        let (own, observed) = (frames.clone(), Arc::clone(party.observed()));
        party.tap(Box::new(move |frame: Frame<'_>| {
            let work = Work::Frame {
                at: frame.at,
                said: frame.said,
                bytes: Zeroizing::new(frame.bytes.to_vec()),
            };
            if own.try_send(work).is_err() {
                observed.spans_dropped.fetch_add(1, Relaxed);
            }
        }));
        let observed = Arc::clone(party.observed());
        let follow = move || follow(role, &heard, &spans, &observed);
        let observed = Arc::clone(party.observed());
        let ends: Arc<AtomicBool> = Arc::default();
        let told = Arc::clone(&ends);
        let send = move || send_all(role, &address, &made, &observed, &told);
        let thread = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread
                .spawn(work)
                .map_err(|error| format!("traces: {error}"))
        };
        let threads = vec![
            thread("trace", Box::new(follow))?,
            thread("trace-out", Box::new(send))?,
        ];
        Ok(Some(Self {
            frames,
            ends,
            threads,
        }))
    }

    /// Sends what is there and ends. Blocks as long as the collector takes it, and drops the rest when it does not.
    pub fn finish(self) {
        self.ends.store(true, Relaxed);
        // A thread that is gone has nothing left to send.
        let _ = self.frames.send(Work::End);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn follow(role: Role, frames: &Receiver<Work>, spans: &SyncSender<Span>, observed: &Observed) {
    let mut follower = Follower::new(role);
    while let Ok(Work::Frame { at, said, bytes }) = frames.recv() {
        let Some(told) = told::read(at, said, &bytes) else {
            continue;
        };
        for span in follower.take(told) {
            if spans.try_send(span).is_err() {
                observed.spans_dropped.fetch_add(1, Relaxed);
            }
        }
    }
}

fn send_all(
    role: Role,
    address: &Uri,
    spans: &Receiver<Span>,
    observed: &Observed,
    ends: &AtomicBool,
) {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_millis(POST_MS)))
        .max_redirects(0)
        .proxy(None)
        .build();
    let agent = Agent::new_with_config(config);
    while let Ok(first) = spans.recv() {
        let batch = batch(first, spans);
        let count = batch.len() as u64;
        let body = span::request(role, &batch);
        let posted = agent
            .post(address)
            .content_type("application/x-protobuf")
            .send(&body[..]);
        let Err(problem) = posted else {
            observed.spans_sent.fetch_add(count, Relaxed);
            continue;
        };
        observed.spans_dropped.fetch_add(count, Relaxed);
        tracing::debug!(%problem, count, "the collector took no spans");
        if ends.load(Relaxed) {
            return;
        }
        std::thread::sleep(Duration::from_millis(REST_MS));
    }
}

/// `first` with those that come soon after it.
fn batch(first: Span, spans: &Receiver<Span>) -> Vec<Span> {
    let end = Instant::now() + Duration::from_millis(BATCH_MS);
    let mut batch = vec![first];
    while batch.len() < BATCH_MAX {
        match spans.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(span) => batch.push(span),
            Err(_) => break,
        }
    }
    batch
}
