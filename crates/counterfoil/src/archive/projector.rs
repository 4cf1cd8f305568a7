//! The projector: a thread that keeps an archive close behind its journal.
//!
//! It only reads the journal; whatever befalls it, the party goes on answering and the archive can be rebuilt.

use super::{ArchiveError, Lag, Store, Watch, behind};
use crate::journal::Head;
use crate::observed::Observed;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Milliseconds between two looks at the journal, unless somebody wakes it.
pub const WAKE_MS: u64 = 200;
/// A projector that is further behind than this, in milliseconds, works without a rest.
pub const LAG_MS_MAX: u64 = 30_000;
/// How many times as long as it worked it rests: answers go before rows, and larger batches cost less.
const REST: u32 = 4;

/// A running projector; it stops when it is dropped.
#[derive(Debug)]
pub struct Projector {
    shared: Arc<Shared>,
    data: PathBuf,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    woken: bool,
    stop: bool,
    place: Head,
    failed: Option<String>,
}

impl Shared {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Turn)) {
        change(&mut self.turn());
        self.changed.notify_all();
    }

    /// Waits for the next turn: whether somebody hurries it; `None` when it is to stop.
    fn next_turn(&self, rest: Duration) -> Option<bool> {
        let wait = rest.max(Duration::from_millis(WAKE_MS));
        let idle = |turn: &mut Turn| !turn.woken && !turn.stop;
        let (mut turn, _) = self
            .changed
            .wait_timeout_while(self.turn(), wait, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let woken = std::mem::take(&mut turn.woken);
        (!turn.stop).then_some(woken)
    }
}

impl Projector {
    /// Starts the projector of a data directory whose journal exists; `observed` is told how far it is, and what it sees.
    ///
    /// # Errors
    /// No journal, another projector at work, or a thread that does not start.
    pub fn start(data: &Path, observed: Arc<Observed>) -> Result<Self, ArchiveError> {
        // The journal is asked at once, so that a wrong directory is told to whoever starts it.
        super::Role::of(data)?;
        let shared = Arc::new(Shared::default());
        let (own, directory) = (Arc::clone(&shared), data.to_owned());
        let since = crate::driver::wall();
        let watch = Watch { observed, since };
        let thread = std::thread::Builder::new()
            .name("archive".to_owned())
            .spawn(move || run(&directory, &own, &watch));
        let thread = thread.map_err(|error| ArchiveError::File {
            path: super::path(data),
            error,
        })?;
        Ok(Self {
            shared,
            data: data.to_owned(),
            thread: Some(thread),
        })
    }

    /// Makes it look at the journal now.
    pub fn wake(&self) {
        self.shared.change(|turn| turn.woken = true);
    }

    /// The last journal row that is in the archive.
    pub fn position(&self) -> u64 {
        self.shared.turn().place.seq
    }

    /// How far it is behind.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn lag(&self) -> Result<Lag, ArchiveError> {
        behind(&self.data, self.shared.turn().place)
    }

    /// Waits until all that is in the journal now is in the archive too.
    ///
    /// # Errors
    /// [`ArchiveError::Stopped`] when the projector has stopped, with its reason.
    pub fn catch_up(&self) -> Result<(), ArchiveError> {
        let head = self.lag()?.journal_seq;
        self.wake();
        let behind = |turn: &mut Turn| turn.place.seq < head && turn.failed.is_none() && !turn.stop;
        let turn = self
            .shared
            .changed
            .wait_while(self.shared.turn(), behind)
            .unwrap_or_else(PoisonError::into_inner);
        match &turn.failed {
            _ if turn.place.seq >= head => Ok(()),
            Some(why) => Err(ArchiveError::Stopped { why: why.clone() }),
            None => Err(ArchiveError::Stopped {
                why: "it was asked to".to_owned(),
            }),
        }
    }

    /// Why it stopped by itself, once it has.
    pub fn failed(&self) -> Option<String> {
        self.shared.turn().failed.clone()
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        self.shared.change(|turn| turn.stop = true);
        if let Some(thread) = self.thread.take() {
            // What it had to say it has said in the log.
            let _ = thread.join();
        }
    }
}

fn run(data: &Path, shared: &Shared, watch: &Watch) {
    let outcome = match work(Store::open(data), shared, watch) {
        Err(error) if error.is_damage() => {
            tracing::warn!(data = %data.display(), %error, "the archive is spoilt and is built again");
            work(Store::anew(data), shared, watch)
        }
        outcome => outcome,
    };
    if let Err(error) = outcome {
        tracing::error!(data = %data.display(), %error, "the archive is written no more");
        shared.change(|turn| turn.failed = Some(error.to_string()));
    }
}

fn work(
    store: Result<Store, ArchiveError>,
    shared: &Shared,
    watch: &Watch,
) -> Result<(), ArchiveError> {
    let mut store = store?.watched(watch.clone());
    let stand = |place: Head| {
        watch.observed.archive_at(place.seq, place.now.wall);
        shared.change(|turn| turn.place = place);
    };
    stand(store.place());
    let mut hurried = false;
    loop {
        let began = Instant::now();
        let more = store.project_batch()?;
        stand(store.place());
        if more && (hurried || late(store.place())) {
            if shared.turn().stop {
                return Ok(());
            }
            continue;
        }
        match shared.next_turn(began.elapsed() * REST) {
            Some(woken) => hurried = woken,
            None => return Ok(()),
        }
    }
}

/// What was projected last was decided too long ago.
fn late(place: Head) -> bool {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now_ms = since_epoch.map_or(0, |since| since.as_millis());
    now_ms > u128::try_from(place.now.wall.0).unwrap_or(0) + u128::from(LAG_MS_MAX)
}
