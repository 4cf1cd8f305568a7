//! The screens of a running terminal for more than one who looks: the text interface and the page.
//!
//! Nothing is taken from either: each screen is passed on in order, and the last ones are kept for whoever looks later.

use crate::party::Shown;
use payment::SaleKey;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use terminal::Screen;
use tokio::sync::{mpsc, watch};

/// Screens that are kept.
pub const SCREENS_MAX: usize = 32;

/// What a terminal has shown.
#[derive(Clone, Debug)]
pub struct Screens {
    log: Arc<Mutex<Log>>,
    changes: watch::Receiver<u64>,
}

#[derive(Debug, Default)]
struct Log {
    shown: VecDeque<(Instant, Screen)>,
    asked: Option<(SaleKey, Instant)>,
    answered: Option<Duration>,
    silent: bool,
}

impl Screens {
    /// Keeps what comes from `shown` and passes it on. Must be called on the runtime.
    pub fn watch(
        mut shown: mpsc::UnboundedReceiver<Shown>,
    ) -> (Self, mpsc::UnboundedReceiver<Shown>) {
        let log: Arc<Mutex<Log>> = Arc::default();
        let (changed, changes) = watch::channel(0);
        let (passed_on, next) = mpsc::unbounded_channel();
        let kept = Arc::clone(&log);
        tokio::spawn(async move {
            while let Some((place, screen)) = shown.recv().await {
                if place == 0 {
                    locked(&kept).take(&screen);
                    changed.send_modify(|count| *count += 1);
                }
                // Nobody may read it any more; the page does.
                let _ = passed_on.send((place, screen));
            }
        });
        (Self { log, changes }, next)
    }

    /// Resolves when something new is shown; never again once the terminal has stopped.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The newest screen that fits, with its age.
    pub fn newest(&self, fits: impl Fn(&Screen) -> bool) -> Option<(Duration, Screen)> {
        let log = locked(&self.log);
        let found = log.shown.iter().rev().find(|(_, screen)| fits(screen));
        found.map(|(at, screen)| (at.elapsed(), screen.clone()))
    }

    /// How long the last answer took.
    pub fn answered_in(&self) -> Option<Duration> {
        locked(&self.log).answered
    }

    /// The host did not answer when it was last asked.
    pub fn host_is_silent(&self) -> bool {
        locked(&self.log).silent
    }
}

impl Log {
    fn take(&mut self, screen: &Screen) {
        let now = Instant::now();
        match screen {
            Screen::Confirming(key) => self.asked = Some((*key, now)),
            Screen::Approved { key, .. } | Screen::Declined { key, .. } => {
                let asked = self.asked.take().filter(|(asked, _)| asked == key);
                self.answered = asked.map(|(_, at)| now - at).or(self.answered);
            }
            _ => {}
        }
        match screen {
            Screen::HostSilent | Screen::NotSent(_) | Screen::Asking(_) => self.silent = true,
            Screen::SignedOn
            | Screen::EchoAnswered
            | Screen::Approved { .. }
            | Screen::Declined { .. }
            | Screen::Reversed { .. }
            | Screen::Balance(_)
            | Screen::Settled { .. } => self.silent = false,
            _ => {}
        }
        self.shown.push_back((now, screen.clone()));
        if self.shown.len() > SCREENS_MAX {
            self.shown.pop_front();
        }
    }
}

fn locked(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
