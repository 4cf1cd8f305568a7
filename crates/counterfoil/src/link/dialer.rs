//! The terminal's side of terminal connections: one for each exchange, or some that are kept and shared.
//!
//! A call that certainly did not leave is reported to the party; one that was lost afterwards is the party's own time-out.

use super::connection::{Allowed, Connection, Ended, Reading};
use super::counts::LinkCount;
use super::tls::Outbound;
use super::{CONNECT_MS, Limits, TERMINAL_OUTBOX_BYTES_MAX, TERMINAL_READ_BYTES, ms};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::{self, Framing};
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
    /// Connections made when they are needed and kept, shared by many terminals: an answer belongs to the newest exchange of
    /// the terminal that its TPDU's destination address names.
    Kept {
        /// How many connections, at least one.
        lines: u16,
    },
}

/// Calls that may wait for a kept connection to be made.
pub const KEPT_CALLS_MAX: usize = 16_384;

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
    outbound: Outbound,
    limits: Limits,
    handle: DriverHandle<P>,
) {
    let (calls_max, lines) = match dialing {
        Dialing::Short => (CALLS_MAX, None),
        Dialing::Kept { lines } => (KEPT_CALLS_MAX, Some(Lines::new(lines))),
    };
    let (calls, taken) = mpsc::channel(calls_max);
    handle.board().attach_dialer(calls, lines);
    let line = Line {
        address: address.into(),
        outbound,
        handshake_ms: limits.handshake_ms,
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
            Dialing::Kept { .. } => line.kept(taken).await,
        }
    });
}

/// The kept connections of a party, and who waits on them.
#[derive(Debug)]
pub(crate) struct Lines<I> {
    connections: Vec<Option<Arc<Connection<I>>>>,
    newest: Newest,
}

impl<I> Lines<I> {
    fn new(lines: u16) -> Self {
        Self {
            connections: (0..lines.max(1)).map(|_| None).collect(),
            newest: Newest((0..=u16::MAX).map(|_| AtomicU64::new(0)).collect()),
        }
    }

    /// The connection that carries this request, if it is made, and from now on the answers of its terminal to `exchange`.
    pub(super) fn line(&self, exchange: u64, frame: &[u8]) -> Option<&Arc<Connection<I>>> {
        let [source, _] = addresses(frame);
        self.newest.0[usize::from(source)].store(exchange, SeqCst);
        self.connections[self.number(frame)].as_ref()
    }

    fn number(&self, frame: &[u8]) -> usize {
        let [source, _] = addresses(frame);
        usize::from(source) % self.connections.len()
    }

    pub(super) fn close(&self) {
        for connection in self.connections.iter().flatten() {
            connection.close();
        }
    }
}

/// The newest exchange of every address.
#[derive(Clone, Debug)]
struct Newest(Arc<[AtomicU64]>);

impl Newest {
    /// The exchange that this frame answers. Nobody's address has exchange 0, which every terminal refuses.
    fn of_answer(&self, frame: &[u8]) -> u64 {
        let [_, destination] = addresses(frame);
        self.0[usize::from(destination)].load(SeqCst)
    }
}

/// Source and destination address in a frame's TPDU (reference §1.2).
fn addresses(frame: &[u8]) -> [u16; 2] {
    frame::open_terminal(frame).map_or([0; 2], |(header, _)| {
        let [_, d0, d1, s0, s1] = header.tpdu;
        [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])]
    })
}

struct Line<P: Driven> {
    address: Arc<str>,
    outbound: Outbound,
    handshake_ms: u64,
    allowed: Allowed,
    handle: DriverHandle<P>,
}

impl<P: Driven> Clone for Line<P> {
    fn clone(&self) -> Self {
        Self {
            address: Arc::clone(&self.address),
            outbound: self.outbound.clone(),
            handshake_ms: self.handshake_ms,
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
            .run(&self.handle, |_| {
                // The one answer ends the connection; whatever else the host sends on it is not asked for.
                answers += 1;
                if answers == 1 {
                    connection.close();
                }
                if answers > 1 {
                    return Err(Ended::Stopped);
                }
                Ok(Peer::Exchange(exchange))
            })
            .await;
        self.end(&connection, ended);
        if answers == 0 {
            self.handle.board().counts.add(LinkCount::Lost, 1);
        }
    }

    /// Connects a line when a call wants it; frames that follow are queued on it by whoever releases them.
    async fn kept(self, mut calls: mpsc::Receiver<Call<P::Input>>) {
        while let Some(call) = calls.recv().await {
            let board = self.handle.board();
            let found = board.with_lines(|lines| {
                let connection = lines.line(call.exchange, &call.frame).cloned();
                (connection, lines.number(&call.frame), lines.newest.clone())
            });
            let Some((connection, number, newest)) = found else {
                return;
            };
            if let Some(connection) = connection {
                self.queue(&connection, call);
                continue;
            }
            let Some((connection, mut reading)) = self.connect().await else {
                self.handle.must_know(call.if_undelivered);
                continue;
            };
            self.queue(&connection, call);
            let attached =
                board.with_lines(|lines| lines.connections[number] = Some(Arc::clone(&connection)));
            if attached.is_none() {
                return;
            }
            let line = self.clone();
            tokio::spawn(async move {
                let from = |frame: &[u8]| Ok(Peer::Exchange(newest.of_answer(frame)));
                let ended = reading.run(&line.handle, from).await;
                line.handle
                    .board()
                    .with_lines(|lines| lines.connections[number] = None);
                line.end(&connection, ended);
            });
        }
    }

    async fn connect(&self) -> Option<(Arc<Connection<P::Input>>, Reading<P::Input>)> {
        let connecting = timeout(ms(CONNECT_MS), TcpStream::connect(&*self.address));
        let stream = connecting.await.ok()?.ok()?;
        self.handle.board().counts.add(LinkCount::Connected, 1);
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "frames may be held back");
        }
        let counts = &self.handle.board().counts;
        let stream = self
            .outbound
            .secure(stream, self.handshake_ms, counts)
            .await?;
        let reading = Reading::new(stream, self.allowed, TERMINAL_OUTBOX_BYTES_MAX);
        Some((Arc::clone(&reading.connection), reading))
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
