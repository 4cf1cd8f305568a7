//! A node: one party, its disk, its clocks, its security module, and the driver's contract between them.
//!
//! Records are decided and applied at once, gathered, flushed; effects leave after the flush and never before (D2).

use crate::core::{Core, Event, Who};
use crate::disk::{Disk, Tail};
use crate::memo::Memo;
use crate::prng::{Prng, mix};
use crate::weather::Fault;
use crypto::SoftwareModule;
use payment::{HostKey, Mono, Now, Party, Peer, SaleKey, Surroundings, Wall};
use std::cell::Cell;

/// A party that the simulator can drive, and what of it the oracle looks at.
pub trait Actor: Party {
    /// What it is built from.
    type Config: Clone;
    /// Builds one without history.
    fn build(config: &Self::Config) -> Self;
    /// Wraps an input for the queue.
    fn wrap(input: Self::Input) -> AnyInput;
    /// What an effect is about, for faults and judges; called when it is decided.
    fn tag(&self, effect: &Self::Effect) -> Tag;
    /// A record has become durable.
    fn durable(core: &mut Core, who: Who, record: &Self::Record);
    /// After the records of one gathering became durable: what the state says now.
    fn settled(&self, _core: &mut Core, _who: Who, _records: &[Self::Record]) {}
    /// A party that is not in order changes what it is about to say; not what it has written down.
    fn miscounts(_core: &mut Core, _who: Who, _effect: &mut Self::Effect) {}
    /// An effect that is no frame.
    fn local(core: &mut Core, who: Who, effect: Self::Effect);
    /// Whether a record changes money or an outcome: no changed frame may lead to one (K1).
    fn counts(record: &Self::Record) -> bool;
    /// Plants the scenario's bug, if it is this party's.
    #[cfg(feature = "planted")]
    fn plant(&mut self, bug: crate::planted::Bug);
    /// One line for the timeline.
    fn line(record: &Self::Record) -> String;
}

/// An input of any party.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // an input lives for one decision
pub enum AnyInput {
    /// For the acquirer.
    Acquirer(acquirer::Input),
    /// For the network.
    Network(network::Input),
    /// For an issuer.
    Issuer(issuer::Input),
    /// For a terminal.
    Terminal(terminal::Input),
}

/// How a message names the transaction that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// At the terminal interface.
    Till(SaleKey),
    /// Between hosts.
    Host(HostKey),
}

/// What a message is, as far as faults care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A sale, asked.
    Sale(Name),
    /// A sale, answered.
    SaleAnswer(Name, Option<Said>),
    /// A reversal, asked or answered.
    Reversal,
    /// A reversal answered.
    ReversalAnswer,
    /// A part of a settlement, or its answer.
    Batch {
        /// Field 64 is carried.
        mac: bool,
    },
    /// Sign-on, query, report and their answers.
    Other,
}

/// What an authenticated answer of the acquirer to a sale says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// It is an approval.
    pub success: bool,
    /// Field 39.
    pub code: [u8; 2],
    /// Field 38.
    pub approval: Option<[u8; 6]>,
    /// Field 37.
    pub rrn: Option<[u8; 12]>,
}

/// Something that waits for its flush.
pub struct Out<P: Party> {
    what: What<P>,
    /// Records that must be durable first.
    needs: u64,
}

enum What<P: Party> {
    Frame {
        to: Peer,
        frame: Vec<u8>,
        tag: Tag,
        if_undelivered: Option<P::Input>,
    },
    Local(P::Effect),
}

struct Gathering<P: Party> {
    blob: Vec<u8>,
    records: Vec<P::Record>,
    outs: Vec<Out<P>>,
}

impl<P: Party> Default for Gathering<P> {
    fn default() -> Self {
        Self {
            blob: Vec::new(),
            records: Vec::new(),
            outs: Vec::new(),
        }
    }
}

/// Clocks of a node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub mono_offset: u64,
    pub drift_ppm: i64,
    pub wall_ms: i64,
}

impl Clock {
    pub fn now(&self, time: u64) -> Now {
        let drifted = time as i64 + time as i64 / 1_000 * self.drift_ppm / 1_000;
        Now {
            mono: Mono(self.mono_offset + drifted.max(0) as u64),
            wall: Wall(self.wall_ms + drifted / 1_000),
        }
    }

    /// World time at which `mono` is reached, never too early.
    fn when(&self, mono: Mono, time: u64) -> u64 {
        let now = self.now(time).mono;
        let left = mono.0.saturating_sub(now.0);
        time + left + left / 4_000 + u64::from(left > 0)
    }
}

/// A node.
pub struct Node<P: Actor> {
    pub who: Who,
    pub party: P,
    pub clock: Clock,
    pub alive: bool,
    pub gone: bool,
    pub epoch: u32,
    pub disk: Disk,
    config: P::Config,
    module: Memo,
    random: Cell<u64>,
    disk_prng: Prng,
    collecting: Gathering<P>,
    flushing: Option<Gathering<P>>,
    spare: Option<Gathering<P>>,
    appended: u64,
    durable: u64,
    released: u64,
    flushes: u32,
    tick_at: u64,
    not_before: Mono,
    frame: Vec<u8>,
    /// What it logs; only a planted bug writes here.
    pub log: Vec<u8>,
    /// Frames heard in all its lives.
    pub heard: u32,
}

impl<P: Actor> Node<P> {
    pub fn new(
        who: Who,
        config: P::Config,
        module: SoftwareModule,
        clock: Clock,
        seed: u64,
    ) -> Self {
        Self {
            who,
            party: P::build(&config),
            clock,
            alive: true,
            gone: false,
            epoch: 0,
            disk: Disk::default(),
            config,
            module: Memo::new(module),
            random: Cell::new(mix(seed ^ u64::from(who.place()))),
            disk_prng: Prng::new(seed, 0xD15C ^ u64::from(who.place()) << 16),
            collecting: Gathering::default(),
            flushing: None,
            spare: None,
            appended: 0,
            durable: 0,
            released: 0,
            flushes: 0,
            tick_at: u64::MAX,
            not_before: Mono(0),
            frame: Vec::new(),
            log: Vec::new(),
            heard: 0,
        }
    }

    /// Its next life goes by another file.
    pub fn configure(&mut self, change: impl FnOnce(&mut P::Config)) {
        change(&mut self.config);
    }

    pub fn is_idle(&self) -> bool {
        self.flushing.is_none() && self.collecting.records.is_empty()
    }

    pub fn around<T>(&self, time: u64, act: impl FnOnce(&P, &Surroundings<'_>) -> T) -> T {
        let random = || {
            let mut bytes = [0; 32];
            for word in bytes.as_chunks_mut::<8>().0 {
                self.random.set(self.random.get().wrapping_add(1));
                *word = mix(self.random.get()).to_le_bytes();
            }
            bytes
        };
        let around = Surroundings {
            module: &self.module,
            now: self.clock.now(time),
            random: &random,
        };
        act(&self.party, &around)
    }

    /// The first input of its life, or of its next one.
    pub fn resume(&mut self, core: &mut Core) {
        #[cfg(feature = "planted")]
        if let Some(bug) = core.planted {
            self.party.plant(bug);
        }
        self.input(core, P::resumed());
    }

    /// A frame arrives.
    pub fn hear(&mut self, core: &mut Core, from: Peer, frame: &[u8], tampered: bool) {
        self.heard += 1;
        #[cfg(feature = "planted")]
        if core.planted
            == Some(crate::planted::Bug::Driver(
                crate::planted::Driver::JournalsFrames,
            ))
        {
            self.log.extend_from_slice(frame);
        }
        let heard = self.around(core.time, |party, around| party.hear(around, from, frame));
        match heard {
            Ok(input) => {
                let before = self.appended;
                let now = self.clock.now(core.time);
                let decision = self.party.decide(now, input);
                if tampered && decision.records.iter().any(P::counts) {
                    core.violate("K1", || "a changed frame had an effect".to_owned());
                }
                self.carry_out(core, now, decision);
                core.counted_frames += u64::from(self.appended > before);
            }
            Err(error) => {
                core.refused_frames += 1;
                core.note(self.who, || format!("refused a frame: {error}"));
            }
        }
        self.after(core);
    }

    /// An input that is no frame.
    pub fn input(&mut self, core: &mut Core, input: P::Input) {
        let now = self.clock.now(core.time);
        let decision = self.party.decide(now, input);
        self.carry_out(core, now, decision);
        self.after(core);
    }

    /// A tick was asked for at this moment.
    pub fn tick(&mut self, core: &mut Core) {
        if self.tick_at > core.time {
            return;
        }
        self.tick_at = u64::MAX;
        let now = self.clock.now(core.time);
        if self.party.deadline().is_some_and(|at| at <= now.mono) && self.not_before <= now.mono {
            let decision = self.party.decide(now, P::tick());
            let idle = decision.is_empty();
            self.carry_out(core, now, decision);
            if idle && self.party.deadline().is_some_and(|at| at <= now.mono) {
                self.not_before = now.mono.plus_ms(1);
            }
        }
        self.after(core);
    }

    fn carry_out(
        &mut self,
        core: &mut Core,
        now: Now,
        decision: payment::Decision<P::Record, P::Effect>,
    ) {
        for record in decision.records {
            let blob = std::mem::take(&mut self.collecting.blob);
            self.collecting.blob =
                postcard::to_extend(&record, blob).expect("a record of plain values encodes");
            if core.traced() {
                let line = P::line(&record);
                core.note(self.who, || format!("decides  {line}"));
            }
            self.party.apply(&record);
            self.collecting.records.push(record);
            self.appended += 1;
        }
        let needs = self.appended;
        for mut effect in decision.effects {
            P::miscounts(core, self.who, &mut effect);
            let tag = self.party.tag(&effect);
            let mut frame = std::mem::take(&mut self.frame);
            frame.clear();
            let said = self.around(core.time, |party, around| {
                party.say(around, &effect, &mut frame)
            });
            let what = match said {
                Ok(Some(said)) => What::Frame {
                    to: said.to,
                    frame: frame.as_slice().to_vec(),
                    tag,
                    if_undelivered: said.if_undelivered,
                },
                Ok(None) => What::Local(effect),
                Err(error) => {
                    core.unwritten += 1;
                    core.note(self.who, || format!("cannot write an effect: {error}"));
                    self.frame = frame;
                    continue;
                }
            };
            self.frame = frame;
            self.collecting.outs.push(Out { what, needs });
        }
        let _ = now;
    }

    /// Starts a flush if one is due, and asks for the next tick.
    fn after(&mut self, core: &mut Core) {
        self.start_flush(core);
        if let Some(at) = self.party.deadline() {
            let at = self.clock.when(at.max(self.not_before), core.time);
            if at < self.tick_at {
                self.tick_at = at;
                core.push(at, Event::Tick(self.who, self.epoch));
            }
        }
    }

    fn start_flush(&mut self, core: &mut Core) {
        #[cfg(feature = "planted")]
        self.release_early(core);
        if self.flushing.is_some()
            || (self.collecting.records.is_empty() && self.collecting.outs.is_empty())
        {
            return;
        }
        let next = self.spare.take().unwrap_or_default();
        let gathering = std::mem::replace(&mut self.collecting, next);
        let writes = !gathering.records.is_empty();
        self.flushing = Some(gathering);
        if !writes {
            return self.flushed(core);
        }
        self.flushes += 1;
        let (who, number) = (self.who, self.flushes);
        let mut latency = 60 + self.disk_prng.below(400);
        if let Some(draw) = core.fires(Fault::Slow, who.place() + 200, number) {
            latency += [2_000, 40_000, 1_500_000][draw as usize % 3] + draw % 3_000;
        }
        if core
            .fires(Fault::FlushFails, who.place() + 200, number)
            .is_some()
        {
            core.push(
                core.time + latency,
                Event::Crash(who, self.epoch, Some(Tail::Lost)),
            );
            return;
        }
        let dies = match who {
            Who::Terminal(_) => None,
            _ => core.fires(Fault::HostDiesAtFlush, who.place() + 200, number),
        };
        if let Some(draw) = dies {
            let at = core.time + draw % (latency + 100);
            core.push(at, Event::Crash(who, self.epoch, None));
        }
        core.push(core.time + latency, Event::Flushed(who, self.epoch));
    }

    #[cfg(feature = "planted")]
    fn release_early(&mut self, core: &mut Core) {
        use crate::planted::{Bug, Driver};
        let early = match (core.planted, self.who) {
            (Some(Bug::Driver(Driver::EffectsBeforeFlush)), who) => {
                !matches!(who, Who::Terminal(_))
            }
            (Some(Bug::Driver(Driver::SendsBeforeRecord)), who) => matches!(who, Who::Terminal(_)),
            _ => false,
        };
        if early {
            for out in std::mem::take(&mut self.collecting.outs) {
                self.release(core, out);
            }
        }
    }

    /// The flush is done: the records are durable, and their effects leave.
    pub fn flushed(&mut self, core: &mut Core) {
        let Some(mut gathering) = self.flushing.take() else {
            return;
        };
        if !gathering.records.is_empty() {
            self.disk.append(&gathering.blob);
            self.durable += gathering.records.len() as u64;
            core.records += gathering.records.len() as u64;
            core.bytes += gathering.blob.len() as u64;
        }
        let (who, number) = (self.who, self.flushes);
        let fault = match who {
            Who::Terminal(_) => Fault::TerminalDiesAfterWriting,
            _ => Fault::HostDiesAtFlush,
        };
        let wrote = !gathering.records.is_empty();
        let dies = wrote
            .then(|| core.fires(fault, who.place() + 400, number))
            .flatten();
        let survivors = dies.map_or(usize::MAX, |draw| {
            draw as usize % (gathering.outs.len() + 1)
        });
        // The judge hears of records and effects in the order in which they were decided.
        let mut told = 0;
        let first = self.durable - gathering.records.len() as u64;
        for (at, out) in gathering.outs.drain(..).enumerate() {
            let until = (out.needs.saturating_sub(first) as usize).min(gathering.records.len());
            for record in &gathering.records[told.min(until)..until] {
                P::durable(core, self.who, record);
            }
            told = told.max(until);
            if at < survivors {
                self.release(core, out);
            }
        }
        for record in &gathering.records[told..] {
            P::durable(core, self.who, record);
        }
        self.party.settled(core, self.who, &gathering.records);
        if dies.is_some() {
            core.push(core.time, Event::Crash(who, self.epoch, None));
            return;
        }
        gathering.blob.clear();
        gathering.records.clear();
        self.spare = Some(gathering);
        self.start_flush(core);
    }

    fn release(&mut self, core: &mut Core, out: Out<P>) {
        if out.needs > self.durable {
            core.violate("D2", || {
                "an effect left before its records were durable".to_owned()
            });
        }
        self.released = self.released.max(out.needs);
        match out.what {
            What::Local(effect) => P::local(core, self.who, effect),
            What::Frame {
                to,
                frame,
                tag,
                if_undelivered,
            } => {
                core.send(self.who, to, frame, tag, if_undelivered.map(P::wrap));
            }
        }
    }

    /// It dies. What was being flushed may be there or not; what was only gathered is gone.
    pub fn crash(&mut self, tail: Tail) {
        self.alive = false;
        self.epoch += 1;
        self.tick_at = u64::MAX;
        if let Some(gathering) = self.flushing.take() {
            self.disk.crash(&gathering.blob, tail);
        }
        self.collecting = Gathering::default();
        self.spare = None;
    }

    /// It comes back: state is the fold of what is on the disk, and nothing else.
    pub fn recover(&mut self, core: &mut Core) {
        let durable_before = self.durable;
        let (party, count) = self.fold(core, true);
        if count < self.released {
            let (released, who) = (self.released, self.who);
            core.violate("D1", || {
                format!("{who:?}: {count} records recovered, {released} had left")
            });
        }
        // A gathering that was whole on disk although its flush never returned: the oracle learns of it now.
        let known = durable_before.min(count);
        self.party = party;
        self.appended = count;
        self.durable = count;
        self.alive = true;
        self.not_before = Mono(0);
        self.tell_rest(core, known);
        if self.disk.snapshot().is_none() || self.disk_prng.percent(50) {
            let (again, _) = self.fold(core, false);
            let (one, two) = (encode(self.party.state()), encode(again.state()));
            if one != two {
                let who = self.who;
                core.violate("D3", || {
                    format!("{who:?}: two recoveries of one disk differ")
                });
            }
            self.disk.keep_snapshot(one);
        }
        self.resume(core);
    }

    /// The oracle hears the records that became durable only by the crash.
    fn tell_rest(&mut self, core: &mut Core, known: u64) {
        let mut rest = Vec::new();
        let mut seen = 0;
        self.disk.replay(0, |blob| {
            each::<P::Record>(blob, |record| {
                seen += 1;
                if seen > known {
                    rest.push(record);
                }
            });
        });
        for record in &rest {
            P::durable(core, self.who, record);
        }
        self.party.settled(core, self.who, &rest);
    }

    /// A party made of the disk alone, and how many records that were.
    pub fn fold(&mut self, core: &mut Core, live: bool) -> (P, u64) {
        let mut party = P::build(&self.config);
        let mut count = 0;
        let mut from = 0;
        let mut skipped = 0;
        if let Some((state, at)) = self.disk.snapshot()
            && live
        {
            party.restore(postcard::from_bytes(state).expect("a snapshot of plain values decodes"));
            from = at;
        }
        if from > 0 {
            // The count is of the whole disk.
            let (mut all, mut behind) = (0, 0);
            self.disk
                .replay(0, |blob| each::<P::Record>(blob, |_| all += 1));
            self.disk
                .replay(from, |blob| each::<P::Record>(blob, |_| behind += 1));
            count = all - behind;
        }
        let skips = live && core.skips_a_record();
        let torn = self.disk.replay(from, |blob| {
            each::<P::Record>(blob, |record| {
                count += 1;
                if skips && count % 7 == 0 {
                    skipped += 1;
                    return;
                }
                party.apply(&record);
            });
        });
        if torn.is_some() && live {
            core.mark(crate::marks::Mark::TornTail);
        }
        if let Some(torn) = torn
            && core.takes_torn_tails()
        {
            let mut half = Vec::new();
            each::<P::Record>(&torn, |record| half.push(record));
            half.iter().for_each(|record| party.apply(record));
        }
        (party, count)
    }

    /// At the end: the live state is what the disk says.
    pub fn check_fold(&mut self, core: &mut Core) {
        let (again, count) = self.fold(core, false);
        let who = self.who;
        if encode(again.state()) != encode(self.party.state()) {
            core.violate("D1", || {
                format!("{who:?}: the state is not the fold of its {count} records")
            });
        }
    }
}

pub fn encode<S: serde::Serialize>(state: &S) -> Vec<u8> {
    postcard::to_stdvec(state).expect("a state of plain values encodes")
}

/// Every record of a gathering, as far as it can be read.
fn each<R: serde::de::DeserializeOwned>(mut blob: &[u8], mut take: impl FnMut(R)) {
    while !blob.is_empty() {
        let Ok((record, rest)) = postcard::take_from_bytes(blob) else {
            return;
        };
        take(record);
        blob = rest;
    }
}
