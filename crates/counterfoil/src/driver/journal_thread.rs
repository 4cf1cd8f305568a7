//! The journal thread: appends what was gathered, once, and only then lets its effects go.

use super::figures::count;
use super::inbox::{Reveal, Stop};
use super::machine_thread::named;
use super::{Driven, DriverHandle, Frame, LOCAL_MAX, Local};
use crate::journal::{Journal, JournalError};
use crate::link::Leaving;
use payment::{Now, Peer, Wall};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use zeroize::Zeroizing;

/// What was decided in one go, and waits to be durable.
pub(super) struct Gathering<P: Driven> {
    pub(super) now: Now,
    pub(super) inputs: usize,
    pub(super) records: usize,
    /// The records as the journal holds them.
    pub(super) blob: Vec<u8>,
    /// The frames one after another; `leaving` says where each ends.
    pub(super) frames: Vec<u8>,
    pub(super) leaving: Vec<Leaving<P::Input>>,
    pub(super) local: Vec<P::Effect>,
    pub(super) reveals: Vec<Reveal>,
    /// Frames heard, for the tap when there is one.
    pub(super) heard: Vec<(Wall, Peer, Zeroizing<Vec<u8>>)>,
}

impl<P: Driven> Default for Gathering<P> {
    fn default() -> Self {
        Self {
            now: Now::default(),
            inputs: 0,
            records: 0,
            blob: Vec::new(),
            frames: Vec::new(),
            leaving: Vec::new(),
            local: Vec::new(),
            reveals: Vec::new(),
            heard: Vec::new(),
        }
    }
}

impl<P: Driven> Gathering<P> {
    pub(super) fn is_empty(&self) -> bool {
        self.inputs == 0 && self.reveals.is_empty()
    }

    /// Puts a later gathering behind this one, so that both cost one flush.
    fn join(&mut self, later: Self) {
        let before = self.frames.len();
        // A gathering of looks alone decided nothing and has no time.
        if later.inputs > 0 {
            self.now = later.now;
            self.inputs += later.inputs;
        }
        self.records += later.records;
        self.blob.extend_from_slice(&later.blob);
        self.frames.extend_from_slice(&later.frames);
        self.leaving
            .extend(later.leaving.into_iter().map(|leaving| Leaving {
                end: leaving.end + before,
                ..leaving
            }));
        self.local.extend(later.local);
        self.reveals.extend(later.reveals);
        self.heard.extend(later.heard);
    }
}

/// Work for the journal thread, in order.
pub(super) enum Job<P: Driven> {
    Gathering(Gathering<P>),
    /// The state after every gathering so far.
    Snapshot(Vec<u8>),
}

/// Starts the journal thread and the thread of local effects.
pub(super) fn spawn<P: Driven>(
    journal: Journal,
    jobs: Receiver<Job<P>>,
    mut local: Local<P>,
    handle: DriverHandle<P>,
) -> Vec<JoinHandle<()>> {
    let name = handle.name().to_owned();
    let (effects, taken) = sync_channel::<Vec<P::Effect>>(LOCAL_MAX);
    let counters = handle.counters.clone();
    let effects_thread = named(&name, "effects", move || {
        for effects in taken {
            count(&counters.local_effects, effects.len());
            effects.into_iter().for_each(&mut local);
        }
    });
    let journal_thread = named(&name, "journal", move || {
        let run = AssertUnwindSafe(|| run(journal, &jobs, &effects, &handle));
        let failed = match catch_unwind(run) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("an assertion broke while it was written".to_owned()),
        };
        let why = failed.map_or(Stop::Asked, |error| {
            let why = format!(
                "the journal took nothing more, so {} answers nothing more: {error}",
                handle.name()
            );
            tracing::error!(party = handle.name(), error, "{why}");
            Stop::Failed(why)
        });
        handle.inbox.stop(why);
        handle.board().close();
    });
    vec![effects_thread, journal_thread]
}

/// Runs until the machine thread is gone, or a write fails: then everything that was not durable is dropped (D5).
fn run<P: Driven>(
    mut journal: Journal,
    jobs: &Receiver<Job<P>>,
    effects: &SyncSender<Vec<P::Effect>>,
    handle: &DriverHandle<P>,
) -> Result<(), JournalError> {
    while let Ok(job) = jobs.recv() {
        let mut next = Some(job);
        while let Some(job) = next.take() {
            match job {
                Job::Snapshot(state) => {
                    journal.snapshot(&state)?;
                    count(&handle.counters.snapshots, 1);
                }
                Job::Gathering(mut gathering) => {
                    next = coalesce(&mut gathering, jobs);
                    append(&mut journal, &gathering, handle)?;
                    release(gathering, effects, handle);
                }
            }
        }
    }
    Ok(())
}

/// Joins the gatherings that wait; gives a job that is none.
fn coalesce<P: Driven>(first: &mut Gathering<P>, jobs: &Receiver<Job<P>>) -> Option<Job<P>> {
    loop {
        match jobs.try_recv() {
            Ok(Job::Gathering(later)) => first.join(later),
            Ok(other) => return Some(other),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return None,
        }
    }
}

fn append<P: Driven>(
    journal: &mut Journal,
    gathering: &Gathering<P>,
    handle: &DriverHandle<P>,
) -> Result<(), JournalError> {
    if gathering.blob.is_empty() {
        return Ok(());
    }
    let before = Instant::now();
    let seq = journal.append(gathering.now, &gathering.blob)?;
    handle.observed.journal_at(seq, gathering.now.wall);
    let counters = &handle.counters;
    counters.flushed(before.elapsed());
    count(&counters.records, gathering.records);
    count(&counters.record_bytes, gathering.blob.len());
    Ok(())
}

/// Shows the taps what was heard and what is about to leave.
fn show<P: Driven>(gathering: &Gathering<P>, handle: &DriverHandle<P>) {
    let taps = handle.taps.read().unwrap_or_else(PoisonError::into_inner);
    if taps.is_empty() {
        return;
    }
    let show = |frame: Frame<'_>| taps.iter().for_each(|tap| tap(frame));
    for (at, peer, bytes) in &gathering.heard {
        show(Frame {
            at: *at,
            said: false,
            peer: *peer,
            bytes,
        });
    }
    let mut start = 0;
    for leaving in &gathering.leaving {
        show(Frame {
            at: gathering.now.wall,
            said: true,
            peer: leaving.to,
            bytes: &gathering.frames[start..leaving.end],
        });
        start = leaving.end;
    }
}

fn release<P: Driven>(
    gathering: Gathering<P>,
    effects: &SyncSender<Vec<P::Effect>>,
    handle: &DriverHandle<P>,
) {
    let counters = &handle.counters;
    count(&counters.frames_released, gathering.leaving.len());
    show(&gathering, handle);
    let undelivered = handle.board().release(&gathering.frames, gathering.leaving);
    if !undelivered.is_empty() {
        count(&counters.undelivered, undelivered.len());
        handle.must_know(undelivered);
    }
    if !gathering.local.is_empty() && effects.send(gathering.local).is_err() {
        let why = "the thread of local effects is gone";
        tracing::error!(party = handle.name(), "{why}");
        handle.inbox.stop(Stop::Failed(why.to_owned()));
    }
    for reveal in gathering.reveals {
        reveal();
    }
}
