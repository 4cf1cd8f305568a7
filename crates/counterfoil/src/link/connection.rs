//! One TCP connection: frames in, many for each read; frames out, one write for all that wait.
//!
//! A writer writes at once, from its own thread, without a wake-up; only what the socket does not take waits for the
//! connection's task.

use super::counts::LinkCount;
use super::{FULL_PAUSE_MS, ms};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::{self, Framing};
use payment::Peer;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep, sleep_until};

/// An outbox that grew larger than this gives its memory back once it is empty.
const OUTBOX_BYTES_KEPT: usize = 64 * 1_024;

/// The writing side, shared by everybody who sends.
#[derive(Debug)]
pub(super) struct Connection<I> {
    stream: OwnedWriteHalf,
    outbox: Mutex<Outbox<I>>,
    outbox_bytes_max: usize,
    /// Something did not fit the socket, or the connection is to close.
    wake: Notify,
    closing: AtomicBool,
}

#[derive(Debug)]
struct Outbox<I> {
    bytes: Vec<u8>,
    /// Bytes that the socket has taken.
    written: usize,
    /// Ends of the frames whose loss must be told.
    told: VecDeque<(usize, I)>,
    closed: bool,
}

impl<I> Connection<I> {
    /// Splits a stream into the side that everybody writes and the side that one task reads.
    pub(super) fn split(stream: TcpStream, outbox_bytes_max: usize) -> (Arc<Self>, OwnedReadHalf) {
        let (read, write) = stream.into_split();
        let connection = Self {
            stream: write,
            outbox: Mutex::new(Outbox {
                bytes: Vec::new(),
                written: 0,
                told: VecDeque::new(),
                closed: false,
            }),
            outbox_bytes_max,
            wake: Notify::new(),
            closing: AtomicBool::new(false),
        };
        (Arc::new(connection), read)
    }

    /// Queues a frame; true when it is the first that waits, so the caller must write. The error is a frame that did not
    /// leave and never will.
    pub(super) fn queue(&self, frame: &[u8], if_undelivered: Option<I>) -> Result<bool, Option<I>> {
        let mut outbox = self.lock();
        if outbox.closed {
            return Err(if_undelivered);
        }
        if outbox.bytes.len() + frame.len() > self.outbox_bytes_max {
            drop(outbox);
            self.close();
            return Err(if_undelivered);
        }
        let first = outbox.bytes.is_empty();
        outbox.bytes.extend_from_slice(frame);
        if let Some(input) = if_undelivered {
            let end = outbox.bytes.len();
            outbox.told.push_back((end, input));
        }
        Ok(first)
    }

    /// Writes what waits as far as the socket takes it; gives the number of writes that took bytes.
    pub(super) fn write_waiting(&self) -> usize {
        let mut outbox = self.lock();
        let mut writes = 0;
        while outbox.written < outbox.bytes.len() {
            match self.stream.try_write(&outbox.bytes[outbox.written..]) {
                Ok(bytes) => {
                    outbox.written += bytes;
                    writes += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wake.notify_one();
                    break;
                }
                Err(_) => {
                    self.close();
                    break;
                }
            }
        }
        let written = outbox.written;
        while outbox.told.front().is_some_and(|(end, _)| *end <= written) {
            outbox.told.pop_front();
        }
        if written == outbox.bytes.len() {
            outbox.written = 0;
            outbox.bytes.clear();
            outbox.bytes.shrink_to(OUTBOX_BYTES_KEPT);
        }
        writes
    }

    /// Asks the connection's task to end.
    pub(super) fn close(&self) {
        self.closing.store(true, SeqCst);
        self.wake.notify_one();
    }

    /// Takes no more frames, and gives what to tell about those that did not leave whole.
    pub(super) fn abandon(&self) -> Vec<I> {
        let mut outbox = self.lock();
        outbox.closed = true;
        outbox.bytes = Vec::new();
        outbox.told.drain(..).map(|(_, input)| input).collect()
    }

    fn waits(&self) -> bool {
        !self.lock().bytes.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Outbox<I>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reading allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) framing: Framing,
    pub(super) read_bytes: usize,
    pub(super) frame_ms: u64,
    /// Longest silence; `None` for a link whose silence is the party's business.
    pub(super) idle_ms: Option<u64>,
    pub(super) frames_per_second_max: u32,
}

/// Why a reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The peer closed or the network failed.
    ByPeer,
    /// We were asked to.
    Closed,
    /// For a reason that is counted.
    For(LinkCount),
    /// The party has stopped.
    Stopped,
}

/// Reads a connection frame by frame.
#[derive(Debug)]
pub(super) struct Reading<I> {
    pub(super) connection: Arc<Connection<I>>,
    pub(super) read: OwnedReadHalf,
    pub(super) allowed: Allowed,
    pub(super) buffer: Vec<u8>,
}

impl<I: Send + 'static> Reading<I> {
    /// Hands every frame to the party, until the connection ends. `from` looks at each one and says who it is from; `None`
    /// ends.
    pub(super) async fn run<P: Driven<Input = I>>(
        &mut self,
        handle: &DriverHandle<P>,
        mut from: impl FnMut(&[u8]) -> Option<Peer>,
    ) -> Ended {
        let counts = &handle.board().counts;
        let mut frames = Vec::new();
        let mut second = Second::new(self.allowed.frames_per_second_max);
        loop {
            if let Err(why) = split_frames(
                self.allowed.framing,
                &mut self.buffer,
                &mut frames,
                &mut from,
            ) {
                // Whole frames before the bad one were sent by somebody, and count.
                handle.offer(&mut frames);
                return why;
            }
            if !frames.is_empty() {
                counts.add(LinkCount::FramesIn, frames.len());
                if !second.allows(frames.len()) {
                    return Ended::For(LinkCount::Hasty);
                }
                while !frames.is_empty() {
                    if !handle.offer(&mut frames) {
                        return Ended::Stopped;
                    }
                    if !frames.is_empty() {
                        sleep(ms(FULL_PAUSE_MS)).await;
                    }
                }
            }
            if let Err(why) = self.fill(counts).await {
                return why;
            }
        }
    }

    /// Waits for more bytes, and meanwhile writes what the socket did not take before.
    pub(super) async fn fill(&mut self, counts: &super::counts::Counts) -> Result<(), Ended> {
        let (patience_ms, why) = match (self.buffer.is_empty(), self.allowed.idle_ms) {
            (false, _) => (Some(self.allowed.frame_ms), LinkCount::Slow),
            (true, idle_ms) => (idle_ms, LinkCount::Idle),
        };
        let deadline = patience_ms.map(|patience_ms| Instant::now() + ms(patience_ms));
        let partial = self.buffer.len();
        let mut clogged = false;
        loop {
            self.buffer.reserve(self.allowed.read_bytes);
            tokio::select! {
                read = self.read.read_buf(&mut self.buffer) => match read {
                    Ok(0) | Err(_) => return Err(Ended::ByPeer),
                    Ok(_) => {
                        counts.add(LinkCount::Reads, 1);
                        // A frame keeps the deadline of its first byte: one byte at a time gains nothing.
                        match frame::next(self.allowed.framing, &self.buffer) {
                            Ok(None) if partial > 0 => continue,
                            _ => return Ok(()),
                        }
                    }
                },
                () = self.connection.wake.notified() => {
                    if self.connection.closing.load(SeqCst) {
                        return Err(Ended::Closed);
                    }
                    clogged = self.connection.waits();
                }
                _ = self.connection.stream.writable(), if clogged => {
                    counts.add(LinkCount::Writes, self.connection.write_waiting());
                    clogged = self.connection.waits();
                }
                () = until(deadline) => return Err(Ended::For(why)),
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Moves whole frames out of `buffer`; what is left is the beginning of one.
fn split_frames(
    framing: Framing,
    buffer: &mut Vec<u8>,
    frames: &mut Vec<(Peer, Vec<u8>)>,
    from: &mut impl FnMut(&[u8]) -> Option<Peer>,
) -> Result<(), Ended> {
    let mut start = 0;
    let ended = loop {
        match frame::next(framing, &buffer[start..]) {
            Ok(Some(length)) => {
                let frame = &buffer[start..start + length];
                match from(frame) {
                    Some(peer) => {
                        frames.push((peer, frame.to_vec()));
                        start += length;
                    }
                    None => break Err(Ended::Stopped),
                }
            }
            Ok(None) => break Ok(()),
            Err(_) => break Err(Ended::For(LinkCount::Garbage)),
        }
    };
    if start == buffer.len() {
        buffer.clear();
    } else {
        buffer.drain(..start);
    }
    ended
}

/// Frames within the second that is running.
struct Second {
    frames_max: u32,
    frames: u32,
    began: Instant,
}

impl Second {
    fn new(frames_max: u32) -> Self {
        Self {
            frames_max,
            frames: 0,
            began: Instant::now(),
        }
    }

    fn allows(&mut self, frames: usize) -> bool {
        if self.frames_max == u32::MAX {
            return true;
        }
        let now = Instant::now();
        if now - self.began >= Duration::from_secs(1) {
            (self.began, self.frames) = (now, 0);
        }
        self.frames = self
            .frames
            .saturating_add(u32::try_from(frames).unwrap_or(u32::MAX));
        self.frames <= self.frames_max
    }
}
