//! Where frames leave: which connection carries an exchange's answer, and which one a member's frames.
//!
//! An exchange number names its connection, so there is no entry per exchange to grow or to leak; numbers are never used
//! again, also not after a restart, so that no answer can reach the wrong terminal.

use super::connection::Connection;
use super::counts::{Counts, LinkCount, LinkFigures};
use super::dialer::{Call, Lines};
use super::sessions::Sessions;
use payment::{Institution, Mono, Peer};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Frames that one connection number serves; after them the connection takes another number.
pub(super) const FRAMES_PER_NUMBER: u64 = 1 << 16;

/// A frame on its way out: it lies between the end of the one before it and `end`.
#[derive(Debug)]
pub(crate) struct Leaving<I> {
    pub(crate) to: Peer,
    pub(crate) end: usize,
    pub(crate) if_undelivered: Option<I>,
}

/// The connections of one party.
#[derive(Debug)]
pub(crate) struct Board<I> {
    routes: Mutex<Routes<I>>,
    next_number: AtomicU64,
    pub(super) counts: Counts,
    pub(super) sessions: Sessions<I>,
}

#[derive(Debug)]
struct Routes<I> {
    terminals: HashMap<u64, Arc<Connection<I>>>,
    members: BTreeMap<Institution, Arc<Connection<I>>>,
    calls: Option<mpsc::Sender<Call<I>>>,
    lines: Option<Lines<I>>,
    closed: bool,
}

impl<I: Send + 'static> Board<I> {
    /// An empty board. Connection numbers begin at the monotonic reading, which no earlier run has passed: connections
    /// come less often than every microsecond.
    pub(crate) fn new(now: Mono) -> Self {
        Self {
            routes: Mutex::new(Routes {
                terminals: HashMap::new(),
                members: BTreeMap::new(),
                calls: None,
                lines: None,
                closed: false,
            }),
            next_number: AtomicU64::new(now.0 + 1),
            counts: Counts::default(),
            sessions: Sessions::default(),
        }
    }

    /// Queues every frame at its connection and writes once to each; gives back what certainly did not leave.
    pub(crate) fn release(&self, frames: &[u8], leaving: Vec<Leaving<I>>) -> Vec<I> {
        let mut undelivered = Vec::new();
        let mut touched: Vec<Arc<Connection<I>>> = Vec::new();
        let mut start = 0;
        let count = leaving.len();
        let routes = self.lock();
        for Leaving {
            to,
            end,
            if_undelivered,
        } in leaving
        {
            let frame = &frames[start..end];
            start = end;
            let connection = match to {
                Peer::Exchange(exchange) => match &routes.lines {
                    Some(lines) => lines.line(exchange, frame),
                    None => routes.terminals.get(&(exchange / FRAMES_PER_NUMBER)),
                },
                Peer::Member(member) => routes.members.get(&member),
            };
            match (connection, to, &routes.calls) {
                (Some(connection), _, _) => match connection.queue(frame, if_undelivered) {
                    Ok(first) if first => touched.push(Arc::clone(connection)),
                    Ok(_) => {}
                    Err(input) => undelivered.extend(input),
                },
                (None, Peer::Exchange(exchange), Some(calls)) => {
                    let call = Call {
                        exchange,
                        frame: frame.to_vec(),
                        if_undelivered,
                    };
                    if let Err(refused) = calls.try_send(call) {
                        undelivered.extend(refused.into_inner().if_undelivered);
                    }
                }
                _ => undelivered.extend(if_undelivered),
            }
        }
        drop(routes);
        self.counts.add(LinkCount::FramesOut, count);
        for connection in touched {
            self.counts
                .add(LinkCount::Writes, connection.write_waiting());
        }
        undelivered
    }

    /// Gives a terminal connection a number; `None` when the party has stopped.
    pub(super) fn attach_terminal(&self, connection: &Arc<Connection<I>>) -> Option<u64> {
        let number = self.next_number.fetch_add(1, Relaxed);
        let mut routes = self.lock();
        if routes.closed {
            return None;
        }
        routes.terminals.insert(number, Arc::clone(connection));
        Some(number)
    }

    pub(super) fn detach_terminal(&self, numbers: &[u64]) {
        let mut routes = self.lock();
        for number in numbers {
            routes.terminals.remove(number);
        }
    }

    /// Makes this the connection of a member, in place of an older one; false when the party has stopped.
    pub(super) fn attach_member(
        &self,
        member: Institution,
        connection: &Arc<Connection<I>>,
    ) -> bool {
        let mut routes = self.lock();
        if routes.closed {
            return false;
        }
        if let Some(older) = routes.members.insert(member, Arc::clone(connection)) {
            self.counts.add(LinkCount::Replaced, 1);
            older.close();
        }
        true
    }

    /// Takes a member's connection off; false when a newer one has taken its place.
    pub(super) fn detach_member(
        &self,
        member: Institution,
        connection: &Arc<Connection<I>>,
    ) -> bool {
        let mut routes = self.lock();
        let current = routes
            .members
            .get(&member)
            .is_some_and(|current| Arc::ptr_eq(current, connection));
        if current {
            routes.members.remove(&member);
        }
        current
    }

    /// Exchanges without a connection are calls from now on: the party is a terminal.
    pub(super) fn attach_dialer(&self, calls: mpsc::Sender<Call<I>>, lines: Option<Lines<I>>) {
        let mut routes = self.lock();
        routes.calls = Some(calls);
        routes.lines = lines;
    }

    /// Works on the kept lines; `None` for a party that keeps none, or has stopped.
    pub(super) fn with_lines<T>(&self, act: impl FnOnce(&mut Lines<I>) -> T) -> Option<T> {
        self.lock().lines.as_mut().map(act)
    }

    /// Closes every connection and takes no more: the party has stopped.
    pub(crate) fn close(&self) {
        let mut routes = self.lock();
        routes.closed = true;
        routes.calls = None;
        if let Some(lines) = routes.lines.take() {
            lines.close();
        }
        for connection in routes.terminals.values().chain(routes.members.values()) {
            connection.close();
        }
    }

    pub(crate) fn figures(&self) -> LinkFigures {
        self.counts.figures()
    }

    fn lock(&self) -> MutexGuard<'_, Routes<I>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
