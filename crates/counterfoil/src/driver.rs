//! The driver: runs one party on real time, one journal and real links.
//!
//! Invariants: only the machine thread touches the party; no byte and no effect leaves before its records *and every
//! earlier record* are on disk (D2); after one failed write nothing leaves any more (D5).

mod clock;
mod figures;
mod inbox;
mod journal_thread;
mod machine_thread;
mod resume;

pub(crate) use clock::wall;
pub use figures::{Figures, FlushTimes};
pub use inbox::{Refused, Stop};
pub(crate) use machine_thread::random;

use crate::journal::JournalError;
use crate::link::{Board, LinkFigures};
use crate::observed::Observed;
use crypto::SecurityModule;
use figures::Counters;
use inbox::{Event, Inbox};
use payment::{Machine, Now, Party, Peer, Wall};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Inputs decided in one go, and so made durable by one flush at most.
pub const GATHERING_MAX: usize = 1_024;
/// Frames and inputs that may wait; beyond it links stop reading and callers are refused.
pub const INBOX_MAX: usize = 65_536;
/// Records after which a snapshot bounds the next replay.
pub const SNAPSHOT_RECORDS: u64 = 2_000_000;
/// Records replayed at a start after which a snapshot is made at once.
pub const REPLAYED_RECORDS: u64 = 200_000;
/// Batches of effects, other than frames, that may wait for their thread; beyond it the party waits.
pub const LOCAL_MAX: usize = 1_024;

/// A party that can be driven: its values may pass between threads and have a masked `Debug`.
pub trait Driven:
    Party<Input: Send + Debug, Effect: Send + Debug, Record: Debug> + Send + 'static
{
}

impl<P> Driven for P where
    P: Party<Input: Send + Debug, Effect: Send + Debug, Record: Debug> + Send + 'static
{
}

/// What a driver needs besides the party.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The journal's file.
    pub journal: PathBuf,
    /// The party's name: in the journal, in logs and in thread names.
    pub name: String,
    /// The profile, for instance `sandbox`; a journal belongs to one.
    pub profile: String,
    /// See [`SNAPSHOT_RECORDS`].
    pub snapshot_records: u64,
    /// Largest size of the journal in pages; `None` for the disk's own limit.
    pub journal_pages_max: Option<u32>,
}

impl Settings {
    /// Settings with the named defaults.
    pub fn new(journal: PathBuf, name: &str, profile: &str) -> Self {
        Self {
            journal,
            name: name.to_owned(),
            profile: profile.to_owned(),
            snapshot_records: SNAPSHOT_RECORDS,
            journal_pages_max: None,
        }
    }
}

/// What performs effects that are not frames; called in order on a thread of its own, after the flush.
pub type Local<P> = Box<dyn FnMut(<P as Machine>::Effect) + Send>;

/// A frame as a tap sees it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When the party took it up.
    pub at: Wall,
    /// The party said it; else it heard it.
    pub said: bool,
    /// The other side.
    pub peer: Peer,
    /// Its bytes, secrets included.
    pub bytes: &'a [u8],
}

/// Sees every frame once what was decided of it is on disk. It is called on the journal thread: it must not wait.
pub type Tap = Box<dyn Fn(Frame<'_>) + Send + Sync>;

/// The taps of a party.
type Taps = Arc<RwLock<Vec<Tap>>>;

/// A running party.
#[derive(Debug)]
pub struct Driver<P: Driven> {
    handle: DriverHandle<P>,
    threads: Vec<JoinHandle<()>>,
}

impl<P: Driven> Driver<P> {
    /// Opens the journal, replays it into `party`, tells the party that it was resumed, and runs it.
    ///
    /// # Errors
    /// A journal that does not open or does not replay (D4), and a state of another version.
    pub fn start(
        mut party: P,
        module: Box<dyn SecurityModule + Send>,
        settings: Settings,
        local: Local<P>,
    ) -> Result<Self, JournalError> {
        let counters = Arc::new(Counters::default());
        let resumed = resume::resume(&mut party, &settings)?;
        let clock = clock::Clock::after(resumed.journal.head().now);
        let board = Board::new(clock.now().mono);
        let inbox = Arc::new(Inbox::new(INBOX_MAX));
        let handle = DriverHandle {
            inbox: Arc::clone(&inbox),
            board: Arc::new(board),
            counters,
            taps: Arc::default(),
            observed: Arc::default(),
            skew_ms: clock.skew(),
            name: settings.name.as_str().into(),
        };
        let head = resumed.journal.head();
        handle.observed.journal_at(head.seq, head.now.wall);
        inbox.control(Event::Input(P::resumed()));
        let threads = machine_thread::spawn(
            machine_thread::Machine {
                party,
                module,
                clock,
                snapshot_records: settings.snapshot_records,
                records_since_snapshot: resumed.records,
                handle: handle.clone(),
            },
            resumed.journal,
            local,
        );
        Ok(Self { handle, threads })
    }

    /// A handle to it; handles may be cloned and kept.
    pub fn handle(&self) -> &DriverHandle<P> {
        &self.handle
    }

    /// Waits until the driver has stopped: because it was asked to, or because it had to.
    ///
    /// # Errors
    /// Why it had to stop, in words for the operator; the process should then end with a failure.
    pub fn join(self) -> Result<(), String> {
        for thread in self.threads {
            if thread.join().is_err() {
                self.handle
                    .inbox
                    .stop(Stop::Failed("a thread of the driver panicked".to_owned()));
            }
        }
        self.handle.board.close();
        match self.handle.inbox.stopped() {
            Some(Stop::Failed(why)) => Err(why),
            _ => Ok(()),
        }
    }

    /// Takes what waits, makes it durable, keeps a snapshot and stops.
    ///
    /// # Errors
    /// As for [`Driver::join`].
    pub fn stop(self) -> Result<(), String> {
        self.handle.stop();
        self.join()
    }
}

/// A way to a running party, for links, pages and timers of others.
pub struct DriverHandle<P: Driven> {
    inbox: Arc<Inbox<P>>,
    board: Arc<Board<P::Input>>,
    counters: Arc<Counters>,
    taps: Taps,
    observed: Arc<Observed>,
    skew_ms: Arc<AtomicI64>,
    name: Arc<str>,
}

impl<P: Driven> Clone for DriverHandle<P> {
    fn clone(&self) -> Self {
        Self {
            inbox: Arc::clone(&self.inbox),
            board: Arc::clone(&self.board),
            counters: Arc::clone(&self.counters),
            taps: Arc::clone(&self.taps),
            observed: Arc::clone(&self.observed),
            skew_ms: Arc::clone(&self.skew_ms),
            name: Arc::clone(&self.name),
        }
    }
}

impl<P: Driven> Debug for DriverHandle<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DriverHandle({})", self.name)
    }
}

impl<P: Driven> DriverHandle<P> {
    /// Gives the party an input.
    ///
    /// # Errors
    /// [`Refused::Full`] when too much waits, [`Refused::Stopped`] when the driver has stopped.
    pub fn send(&self, input: P::Input) -> Result<(), Refused> {
        self.inbox.push(Event::Input(input))
    }

    /// Gives the party a frame to hear.
    ///
    /// # Errors
    /// As for [`DriverHandle::send`].
    pub fn frame(&self, from: Peer, bytes: Vec<u8>) -> Result<(), Refused> {
        self.inbox.push(Event::Frame(from, bytes))
    }

    /// Looks at the party in its turn; the answer comes when all that it may have seen is on disk.
    ///
    /// # Errors
    /// As for [`DriverHandle::send`]; also when the driver stops before it could answer.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&P, Now) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        self.looked(look)?.await.map_err(|_| Refused::Stopped)
    }

    /// [`DriverHandle::look`] for a thread outside the runtime.
    ///
    /// # Errors
    /// As for [`DriverHandle::look`].
    pub fn look_blocking<T: Send + 'static>(
        &self,
        look: impl FnOnce(&P, Now) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        self.looked(look)?
            .blocking_recv()
            .map_err(|_| Refused::Stopped)
    }

    fn looked<T: Send + 'static>(
        &self,
        look: impl FnOnce(&P, Now) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Refused> {
        let (answer, answered) = oneshot::channel();
        self.inbox.push(Event::Look(Box::new(move |party, now| {
            let seen = look(party, now);
            Box::new(move || drop(answer.send(seen)))
        })))?;
        Ok(answered)
    }

    /// Shows every frame from now on to `tap` too.
    pub fn tap(&self, tap: Tap) {
        let mut taps = self.taps.write().unwrap_or_else(PoisonError::into_inner);
        taps.push(tap);
    }

    /// What other threads observe of it.
    pub fn observed(&self) -> &Arc<Observed> {
        &self.observed
    }

    /// Somebody looks at its frames.
    fn is_tapped(&self) -> bool {
        let taps = self.taps.read().unwrap_or_else(PoisonError::into_inner);
        !taps.is_empty()
    }

    /// Asks the driver to take what waits and stop.
    pub fn stop(&self) {
        self.inbox.control(Event::Stop);
    }

    /// Why the driver stopped, once it has.
    pub fn stopped(&self) -> Option<Stop> {
        self.inbox.stopped()
    }

    /// Resolves when the driver has stopped.
    pub async fn until_stopped(&self) {
        self.inbox.until_stopped().await;
    }

    /// Makes the party's wall clock wrong by so many milliseconds: for the fault lab. Deadlines do not use it.
    pub fn skew_wall(&self, milliseconds: i64) {
        self.skew_ms.store(milliseconds, Ordering::Relaxed);
    }

    /// What was counted since the start.
    pub fn figures(&self) -> Figures {
        self.counters.figures(self.inbox.waiting())
    }

    /// What its links counted since the start.
    pub fn link_figures(&self) -> LinkFigures {
        self.board.figures()
    }

    /// The party's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the party's frames leave; links attach themselves to it.
    pub(crate) fn board(&self) -> &Arc<Board<P::Input>> {
        &self.board
    }

    /// Moves frames from `frames` to the party as far as there is room; false when the driver has stopped.
    pub(crate) fn offer(&self, frames: &mut Vec<(Peer, Vec<u8>)>) -> bool {
        self.inbox.offer(frames)
    }

    /// Gives inputs that must not be lost, bounded by what caused them: link changes and undelivered frames.
    pub(crate) fn must_know(&self, inputs: impl IntoIterator<Item = P::Input>) {
        for input in inputs {
            self.inbox.control(Event::Input(input));
        }
    }
}
