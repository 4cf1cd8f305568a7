//! The machine thread: hears, decides, applies and renders; it alone touches the party.
//!
//! It hands each gathering to the journal thread and decides the next one while that one is being flushed.

use super::clock::Clock;
use super::figures::count;
use super::inbox::{Event, Stop};
use super::journal_thread::{self, Gathering, Job};
use super::resume::encode_state;
use super::{Driven, DriverHandle, GATHERING_MAX, Local};
use crate::journal::{Journal, push_record};
use crate::link::Leaving;
use crate::log::{Rare, frame_text};
use crypto::SecurityModule;
use payment::{Mono, Now, Peer, Surroundings};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use zeroize::Zeroizing;

/// Gatherings between the one being decided and the one being flushed. More would only make each smaller.
const GATHERINGS_WAITING: usize = 1;
/// Pause after a tick that changed nothing although a deadline has passed, in milliseconds.
const IDLE_TICK_MS: u64 = 1;

pub(super) struct Machine<P: Driven> {
    pub(super) party: P,
    pub(super) module: Box<dyn SecurityModule + Send>,
    pub(super) clock: Clock,
    pub(super) snapshot_records: u64,
    pub(super) records_since_snapshot: u64,
    pub(super) handle: DriverHandle<P>,
}

/// Starts the machine thread, the journal thread and the thread of local effects.
pub(super) fn spawn<P: Driven>(
    machine: Machine<P>,
    journal: Journal,
    local: Local<P>,
) -> Vec<JoinHandle<()>> {
    let (jobs, taken) = sync_channel(GATHERINGS_WAITING);
    let handle = machine.handle.clone();
    let name = handle.name.clone();
    let mut threads = journal_thread::spawn(journal, taken, local, handle.clone());
    threads.push(named(&name, "machine", move || {
        let run = AssertUnwindSafe(|| Run::of(machine, jobs).run());
        if catch_unwind(run).is_err() {
            let why =
                "an assertion broke while a record was applied; the state is only what a replay makes of it";
            tracing::error!(party = &*handle.name, "{why}");
            handle.inbox.stop(Stop::Failed(why.to_owned()));
        }
    }));
    threads
}

/// Starts a thread whose name says party and part; the system shows the first 15 bytes.
pub(super) fn named(
    party: &str,
    part: &str,
    run: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    Builder::new()
        .name(format!("{part} {party}"))
        .spawn(run)
        .expect("a start needs three threads")
}

struct Run<P: Driven> {
    machine: Machine<P>,
    jobs: SyncSender<Job<P>>,
    gathering: Gathering<P>,
    frame: Vec<u8>,
    refusals: Rare,
    not_before: Mono,
    stopping: bool,
}

impl<P: Driven> Run<P> {
    fn of(machine: Machine<P>, jobs: SyncSender<Job<P>>) -> Self {
        Self {
            machine,
            jobs,
            gathering: Gathering::default(),
            frame: Vec::new(),
            refusals: Rare::default(),
            not_before: Mono(0),
            stopping: false,
        }
    }

    /// Runs until asked to stop, or until the journal thread takes nothing more.
    fn run(mut self) {
        let mut events = Vec::new();
        while !self.stopping {
            let patience = self.patience();
            if !self.machine.handle.inbox.take(&mut events, patience) {
                return;
            }
            let mut waiting = events.drain(..);
            loop {
                self.tick_if_due();
                for event in waiting.by_ref().take(GATHERING_MAX) {
                    self.take(event);
                }
                if !self.hand_over() {
                    return;
                }
                if waiting.as_slice().is_empty() || self.stopping {
                    break;
                }
            }
        }
        if self.machine.records_since_snapshot > 0 {
            // A journal thread that is gone has said why.
            let _ = self
                .jobs
                .send(Job::Snapshot(encode_state(&self.machine.party)));
        }
    }

    fn take(&mut self, event: Event<P>) {
        match event {
            Event::Frame(from, frame) => self.hear(from, &frame),
            Event::Input(input) => {
                let now = self.machine.clock.now();
                let party = &self.machine.party;
                match catch_unwind(AssertUnwindSafe(|| party.decide(now, input))) {
                    Ok(decision) => self.carry_out(now, decision),
                    Err(_) => self.set_aside("an input", ""),
                }
            }
            Event::Look(look) => {
                let (party, now) = (&self.machine.party, self.machine.clock.now());
                // A look that panics takes only its own answer with it.
                if let Ok(reveal) = catch_unwind(AssertUnwindSafe(|| look(party, now))) {
                    self.gathering.reveals.push(reveal);
                }
            }
            Event::Stop => self.stopping = true,
        }
    }

    /// Hears and decides a frame; neither can change the party, so a broken assertion costs only this frame.
    fn hear(&mut self, from: Peer, frame: &[u8]) {
        let now = self.machine.clock.now();
        let Machine { party, module, .. } = &self.machine;
        let around = Surroundings {
            module: &**module,
            now,
            random: &random,
        };
        if tracing::enabled!(tracing::Level::TRACE) {
            tracing::trace!(party = &*self.machine.handle.name, ?from, frame = %frame_text(frame), "heard");
        }
        if self.machine.handle.is_tapped() {
            let bytes = Zeroizing::new(frame.to_vec());
            self.gathering.heard.push((now.wall, from, bytes));
        }
        let heard = catch_unwind(AssertUnwindSafe(|| {
            party.hear(&around, from, frame).map(|input| {
                tracing::debug!(party = &*self.machine.handle.name, ?from, ?input, "input");
                party.decide(now, input)
            })
        }));
        match heard {
            Ok(Ok(decision)) => self.carry_out(now, decision),
            Ok(Err(error)) => {
                count(&self.machine.handle.counters.frames_refused, 1);
                if let Some(unsaid) = self.refusals.say(now.mono) {
                    tracing::warn!(
                        party = &*self.machine.handle.name, ?from, %error, unsaid, frame = %frame_text(frame),
                        "a frame was not taken"
                    );
                }
            }
            Err(_) => self.set_aside("a frame", &frame_text(frame)),
        }
    }

    fn set_aside(&self, what: &str, shown: &str) {
        count(&self.machine.handle.counters.set_aside, 1);
        tracing::error!(
            party = &*self.machine.handle.name,
            shown,
            "an assertion broke; {what} was set aside"
        );
    }

    fn tick_if_due(&mut self) {
        let now = self.machine.clock.now();
        let due = |run: &Self| {
            run.machine
                .party
                .deadline()
                .is_some_and(|at| at <= now.mono)
        };
        if now.mono < self.not_before || !due(self) {
            return;
        }
        let decision = self.machine.party.decide(now, P::tick());
        let idle = decision.is_empty();
        self.carry_out(now, decision);
        if idle && due(self) {
            self.not_before = now.mono.plus_ms(IDLE_TICK_MS);
        }
    }

    fn patience(&self) -> Option<Duration> {
        let now = self.machine.clock.now().mono;
        let at = self.machine.party.deadline()?.max(self.not_before);
        Some(Duration::from_micros(at.0.saturating_sub(now.0)))
    }

    fn carry_out(&mut self, now: Now, decision: payment::Decision<P::Record, P::Effect>) {
        self.gathering.now = now;
        self.gathering.inputs += 1;
        self.gathering.records += decision.records.len();
        for record in &decision.records {
            tracing::debug!(party = &*self.machine.handle.name, ?record, "record");
            push_record(&mut self.gathering.blob, record)
                .expect("a record of plain values encodes");
            self.machine.party.apply(record);
        }
        for effect in decision.effects {
            tracing::debug!(party = &*self.machine.handle.name, ?effect, "effect");
            self.say(now, effect);
        }
    }

    /// Renders an effect now; what it rendered leaves only after the flush.
    fn say(&mut self, now: Now, effect: P::Effect) {
        let Machine { party, module, .. } = &self.machine;
        let around = Surroundings {
            module: &**module,
            now,
            random: &random,
        };
        self.frame.clear();
        match party.say(&around, &effect, &mut self.frame) {
            Ok(Some(said)) => {
                self.gathering.frames.extend_from_slice(&self.frame);
                self.gathering.leaving.push(Leaving {
                    to: said.to,
                    end: self.gathering.frames.len(),
                    if_undelivered: said.if_undelivered,
                });
            }
            Ok(None) => self.gathering.local.push(effect),
            Err(error) => {
                count(&self.machine.handle.counters.effects_refused, 1);
                tracing::error!(
                    party = &*self.machine.handle.name, ?effect, %error,
                    "an effect could not be written as a frame"
                );
            }
        }
    }

    /// False when the journal thread takes nothing more.
    fn hand_over(&mut self) -> bool {
        if self.gathering.is_empty() {
            return true;
        }
        let counters = &self.machine.handle.counters;
        count(&counters.gatherings, 1);
        count(&counters.inputs, self.gathering.inputs);
        self.machine.records_since_snapshot += self.gathering.records as u64;
        let gathering = std::mem::take(&mut self.gathering);
        if self.jobs.send(Job::Gathering(gathering)).is_err() {
            return false;
        }
        if self.machine.records_since_snapshot >= self.machine.snapshot_records {
            self.machine.records_since_snapshot = 0;
            let state = encode_state(&self.machine.party);
            return self.jobs.send(Job::Snapshot(state)).is_ok();
        }
        true
    }
}

pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
