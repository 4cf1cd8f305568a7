//! The terminal's side of a terminal connection: one connection for each exchange, or one that is kept.
//!
//! A call that certainly did not leave is reported to the party; one that was lost afterwards is the party's own time-out.

use super::connection::{Allowed, Connection, Ended, Reading};
use super::counts::LinkCount;
use super::{CONNECT_MS, Limits, TERMINAL_OUTBOX_BYTES_MAX, TERMINAL_READ_BYTES, ms};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::Framing;
use payment::Peer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// Calls that may wait or be under way for one terminal.
pub const CALLS_MAX: usize = 64;

/// How a terminal keeps its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialing {
    /// A connection for each exchange, closed after the answer.
    Short,
    /// One connection, made when it is needed and kept; an answer belongs to the newest exchange on it.
    Kept,
}

/// A frame to send, with the exchange that it opens.
#[derive(Debug)]
pub(crate) struct Call<I> {
    pub(super) exchange: u64,
    pub(super) frame: Vec<u8>,
    pub(super) if_undelivered: Option<I>,
}

/// Sends the exchanges of a terminal party to `address` (host and port). Must be called on the runtime.
pub fn dial<P: Driven>(
    address: String,
    framing: Framing,
    dialing: Dialing,
    limits: Limits,
    handle: DriverHandle<P>,
) {
    let (calls, taken) = mpsc::channel(CALLS_MAX);
    handle.board().attach_dialer(calls);
    let line = Line {
        address: address.into(),
        allowed: Allowed {
            framing,
            read_bytes: TERMINAL_READ_BYTES,
            frame_ms: limits.frame_ms,
            idle_ms: Some(limits.idle_ms),
            frames_per_second_max: limits.frames_per_second_max,
        },
        handle,
    };
    tokio::spawn(async move {
        match dialing {
            Dialing::Short => line.short(taken).await,
            Dialing::Kept => line.kept(taken).await,
        }
    });
}

struct Line<P: Driven> {
    address: Arc<str>,
    allowed: Allowed,
    handle: DriverHandle<P>,
}

impl<P: Driven> Clone for Line<P> {
    fn clone(&self) -> Self {
        Self {
            address: Arc::clone(&self.address),
            allowed: self.allowed,
            handle: self.handle.clone(),
        }
    }
}

impl<P: Driven> Line<P> {
    /// Ends when the board drops the other end: the party has stopped.
    async fn short(self, mut calls: mpsc::Receiver<Call<P::Input>>) {
        let places = Arc::new(Semaphore::new(CALLS_MAX));
        while let Some(call) = calls.recv().await {
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                self.handle.board().counts.add(LinkCount::Crowded, 1);
                self.handle.must_know(call.if_undelivered);
                continue;
            };
            let line = self.clone();
            tokio::spawn(async move {
                line.exchange(call).await;
                drop(place);
            });
        }
    }

    async fn exchange(&self, call: Call<P::Input>) {
        let Some((connection, mut reading)) = self.connect().await else {
            self.handle.must_know(call.if_undelivered);
            return;
        };
        let exchange = call.exchange;
        self.queue(&connection, call);
        let mut answers = 0;
        let ended = reading
            .run(&self.handle, || {
                // The one answer ends the connection; whatever else the host sends on it is not asked for.
                answers += 1;
                if answers == 1 {
                    connection.close();
                }
                (answers == 1).then_some(Peer::Exchange(exchange))
            })
            .await;
        self.end(&connection, ended);
        if answers == 0 {
            self.handle.board().counts.add(LinkCount::Lost, 1);
        }
    }

    async fn kept(self, mut calls: mpsc::Receiver<Call<P::Input>>) {
        let newest = Arc::new(AtomicU64::new(0));
        let mut current: Option<Arc<Connection<P::Input>>> = None;
        while let Some(mut call) = calls.recv().await {
            newest.store(call.exchange, SeqCst);
            if let Some(connection) = &current {
                match connection.queue(&call.frame, call.if_undelivered) {
                    Ok(_) => {
                        connection.write_waiting();
                        continue;
                    }
                    Err(input) => call.if_undelivered = input,
                }
            }
            current = None;
            let Some((connection, mut reading)) = self.connect().await else {
                self.handle.must_know(call.if_undelivered);
                continue;
            };
            self.queue(&connection, call);
            current = Some(Arc::clone(&connection));
            let (line, newest) = (self.clone(), Arc::clone(&newest));
            tokio::spawn(async move {
                let ended = reading
                    .run(&line.handle, || Some(Peer::Exchange(newest.load(SeqCst))))
                    .await;
                line.end(&connection, ended);
            });
        }
        if let Some(connection) = current {
            connection.close();
        }
    }

    async fn connect(&self) -> Option<(Arc<Connection<P::Input>>, Reading<P::Input>)> {
        let connecting = timeout(ms(CONNECT_MS), TcpStream::connect(&*self.address));
        let stream = connecting.await.ok()?.ok()?;
        self.handle.board().counts.add(LinkCount::Connected, 1);
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "frames may be held back");
        }
        let (connection, read) = Connection::split(stream, TERMINAL_OUTBOX_BYTES_MAX);
        let reading = Reading {
            connection: Arc::clone(&connection),
            read,
            allowed: self.allowed,
            buffer: Vec::new(),
        };
        Some((connection, reading))
    }

    fn queue(&self, connection: &Connection<P::Input>, call: Call<P::Input>) {
        match connection.queue(&call.frame, call.if_undelivered) {
            Ok(_) => {
                connection.write_waiting();
            }
            Err(input) => self.handle.must_know(input),
        }
    }

    fn end(&self, connection: &Connection<P::Input>, ended: Ended) {
        if let Ended::For(why) = ended {
            self.handle.board().counts.add(why, 1);
        }
        self.handle.must_know(connection.abandon());
    }
}
