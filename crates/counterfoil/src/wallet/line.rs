//! The threads between the acquirer and a wallet provider: a few, because one slow answer must not hold up the others.
//!
//! The queue is bounded. What does not fit is dropped and counted: whoever asked asks again when nothing comes back.

use super::{NoAnswer, OrderName, WalletProvider, ask};
use acquirer::wallet::{Ask, WalletAnswer};
use crypto::Pan;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Requests that may wait for a thread.
pub const QUEUE_MAX: usize = 10_000;
/// Requests under way at once.
const THREADS: usize = 8;

/// One request, and who is told what came of it.
pub struct Job {
    /// The order.
    pub order: OrderName,
    /// What is asked.
    pub what: Ask,
    /// The code that the customer shows, for a payment.
    pub code: Option<Pan>,
    /// Told once, from a thread of the line.
    pub tell: Tell,
}

/// Is told the answer.
pub type Tell = Box<dyn FnOnce(Result<WalletAnswer, NoAnswer>) + Send>;

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({}, {:?})", self.order.number, self.what)
    }
}

/// The line; when it is dropped it forgets what waits, and ends with what is under way.
#[derive(Debug)]
pub struct WalletLine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    answered: AtomicU64,
    unanswered: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Job>,
    ended: bool,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineFigures {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were not.
    pub unanswered: u64,
    /// Requests dropped because too many waited.
    pub dropped: u64,
}

impl WalletLine {
    /// Starts the threads.
    pub fn start(provider: Arc<dyn WalletProvider>) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (0..THREADS)
            .map(|_| {
                let (shared, provider) = (Arc::clone(&shared), Arc::clone(&provider));
                std::thread::spawn(move || shared.serve(&*provider))
            })
            .collect();
        Self { shared, threads }
    }

    /// Queues a request.
    pub fn ask(&self, job: Job) {
        let mut queue = self.shared.lock();
        if queue.waiting.len() >= QUEUE_MAX {
            self.shared.dropped.fetch_add(1, Relaxed);
            return;
        }
        queue.waiting.push_back(job);
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// What was counted since the start.
    pub fn figures(&self) -> LineFigures {
        LineFigures {
            answered: self.shared.answered.load(Relaxed),
            unanswered: self.shared.unanswered.load(Relaxed),
            dropped: self.shared.dropped.load(Relaxed),
        }
    }
}

impl Drop for WalletLine {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.ended = true;
        queue.waiting.clear();
        drop(queue);
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, provider: &dyn WalletProvider) {
        while let Some(job) = self.next() {
            let said = ask(provider, &job.order, job.what, job.code.as_ref());
            match &said {
                Ok(_) => self.answered.fetch_add(1, Relaxed),
                Err(why) => {
                    tracing::warn!(order = job.order.number, what = ?job.what, %why, "a wallet did not answer");
                    self.unanswered.fetch_add(1, Relaxed)
                }
            };
            (job.tell)(said);
        }
    }

    fn next(&self) -> Option<Job> {
        let idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.ended;
        let waited = self.changed.wait_while(self.lock(), idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        queue.waiting.pop_front()
    }
}
