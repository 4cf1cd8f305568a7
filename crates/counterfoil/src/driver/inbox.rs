//! What waits for a party: one bounded queue, taken whole, so that a wake-up serves everything that came meanwhile.
//!
//! Invariant: frames and inputs of others never exceed the limit; what must not be lost is bounded by what caused it.

use super::Driven;
use payment::{Now, Peer};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Makes an answer visible, after the flush.
pub(super) type Reveal = Box<dyn FnOnce() + Send>;

/// Reads the party; what it saw is shown by what it gives.
pub(super) type Look<P> = Box<dyn FnOnce(&P, Now) -> Reveal + Send>;

/// Something for the machine thread.
pub(super) enum Event<P: Driven> {
    /// A frame to hear.
    Frame(Peer, Vec<u8>),
    /// An input to decide.
    Input(P::Input),
    /// A look at the party.
    Look(Look<P>),
    /// Finish and stop.
    Stop,
}

/// Why a driver did not take something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too much waits already.
    Full,
    /// The driver has stopped.
    Stopped,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too much waits for the party already",
            Self::Stopped => "the party has stopped",
        })
    }
}

impl std::error::Error for Refused {}

/// Why a driver stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was asked to.
    Asked,
    /// It had to: in words for the operator.
    Failed(String),
}

pub(super) struct Inbox<P: Driven> {
    limit: usize,
    queue: Mutex<Queue<P>>,
    arrived: Condvar,
    stopped: watch::Sender<Option<Stop>>,
}

struct Queue<P: Driven> {
    events: Vec<Event<P>>,
    /// True while the machine thread sleeps: only then does an arrival cost a wake-up.
    asleep: bool,
    stopped: bool,
}

impl<P: Driven> fmt::Debug for Inbox<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} waiting)", self.waiting())
    }
}

impl<P: Driven> Inbox<P> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            queue: Mutex::new(Queue {
                events: Vec::new(),
                asleep: false,
                stopped: false,
            }),
            arrived: Condvar::new(),
            stopped: watch::Sender::new(None),
        }
    }

    /// Adds an event within the limit.
    pub(super) fn push(&self, event: Event<P>) -> Result<(), Refused> {
        let mut queue = self.lock();
        if queue.stopped {
            return Err(Refused::Stopped);
        }
        if queue.events.len() >= self.limit {
            return Err(Refused::Full);
        }
        queue.events.push(event);
        self.wake(queue);
        Ok(())
    }

    /// Adds an event that must not be lost; dropped only when the driver has stopped.
    pub(super) fn control(&self, event: Event<P>) {
        let mut queue = self.lock();
        if !queue.stopped {
            queue.events.push(event);
            self.wake(queue);
        }
    }

    /// Takes frames out of `frames` within the limit; false when the driver has stopped.
    pub(super) fn offer(&self, frames: &mut Vec<(Peer, Vec<u8>)>) -> bool {
        let mut queue = self.lock();
        if queue.stopped {
            return false;
        }
        let room = self.limit.saturating_sub(queue.events.len());
        let taken = frames.drain(..room.min(frames.len()));
        queue
            .events
            .extend(taken.map(|(from, bytes)| Event::Frame(from, bytes)));
        self.wake(queue);
        true
    }

    /// Swaps everything that waits into `taken`, which must be empty; waits for the first event, at most `patience`.
    /// False when the driver has stopped.
    pub(super) fn take(&self, taken: &mut Vec<Event<P>>, patience: Option<Duration>) -> bool {
        let mut queue = self.lock();
        if patience != Some(Duration::ZERO) {
            // Set again before every wait: whoever wakes this thread has cleared it.
            let nothing = |queue: &mut Queue<P>| {
                queue.asleep = queue.events.is_empty() && !queue.stopped;
                queue.asleep
            };
            queue = match patience {
                None => self
                    .arrived
                    .wait_while(queue, nothing)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    self.arrived
                        .wait_timeout_while(queue, patience, nothing)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
            queue.asleep = false;
        }
        std::mem::swap(&mut queue.events, taken);
        !queue.stopped
    }

    /// Takes nothing more; the first reason stays.
    pub(super) fn stop(&self, why: Stop) {
        let mut queue = self.lock();
        queue.stopped = true;
        let dropped = std::mem::take(&mut queue.events);
        self.wake(queue);
        drop(dropped);
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert(why);
            first
        });
    }

    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stopped.borrow().clone()
    }

    pub(super) async fn until_stopped(&self) {
        // The sender lives in this inbox, so waiting cannot fail.
        let _ = self.stopped.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().events.len()
    }

    fn lock(&self) -> MutexGuard<'_, Queue<P>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue<P>>) {
        let asleep = std::mem::take(&mut queue.asleep);
        drop(queue);
        if asleep {
            self.arrived.notify_one();
        }
    }
}
