//! One TCP connection: frames in, many for each read; frames out, one write for all that wait.
//!
//! A writer writes at once, from its own thread, without a wake-up; only what the socket does not take waits for the
//! connection's task. Under TLS the same holds: whoever writes seals what waits.

use super::counts::LinkCount;
use super::sealing::Sealing;
use super::tls::{Session, Standing, Stream, judged};
use super::{FULL_PAUSE_MS, ms};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::{self, Framing};
use payment::Peer;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncReadExt;
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
    /// Bytes for the socket.
    bytes: Vec<u8>,
    /// Bytes that the socket has taken.
    written: usize,
    /// Ends of the frames whose loss must be told.
    told: VecDeque<(usize, I)>,
    /// Frames that must become records first.
    sealing: Option<Sealing<I>>,
    closed: bool,
}

impl<I> Outbox<I> {
    fn waiting(&self) -> usize {
        self.bytes.len() + self.sealing.as_ref().map_or(0, Sealing::waiting)
    }
}

impl<I> Connection<I> {
    fn new(
        stream: OwnedWriteHalf,
        tls: Option<rustls::Connection>,
        outbox_bytes_max: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            stream,
            outbox: Mutex::new(Outbox {
                bytes: Vec::new(),
                written: 0,
                told: VecDeque::new(),
                sealing: tls.map(Sealing::new),
                closed: false,
            }),
            outbox_bytes_max,
            wake: Notify::new(),
            closing: AtomicBool::new(false),
        })
    }

    /// Queues a frame; true when it is the first that waits, so the caller must write. The error is a frame that did not
    /// leave and never will.
    pub(super) fn queue(&self, frame: &[u8], if_undelivered: Option<I>) -> Result<bool, Option<I>> {
        let mut outbox = self.lock();
        if outbox.closed {
            return Err(if_undelivered);
        }
        let waiting = outbox.waiting();
        if waiting + frame.len() > self.outbox_bytes_max {
            drop(outbox);
            self.close();
            return Err(if_undelivered);
        }
        let Outbox {
            bytes,
            told,
            sealing,
            ..
        } = &mut *outbox;
        let (bytes, told) = match sealing {
            Some(sealing) => (&mut sealing.clear, &mut sealing.told),
            None => (bytes, told),
        };
        bytes.extend_from_slice(frame);
        if let Some(input) = if_undelivered {
            told.push_back((bytes.len(), input));
        }
        Ok(waiting == 0)
    }

    /// Writes what waits as far as the socket takes it; gives the number of writes that took bytes.
    pub(super) fn write_waiting(&self) -> usize {
        let mut outbox = self.lock();
        let mut writes = 0;
        let Outbox {
            bytes,
            told,
            sealing,
            ..
        } = &mut *outbox;
        if let Some(Err(error)) = sealing.as_mut().map(|sealing| sealing.seal(bytes, told)) {
            tracing::debug!(%error, "a frame could not be sealed");
            self.close();
            return writes;
        }
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
        if outbox.waiting() == 0
            && let Some(farewell) = outbox.sealing.as_mut().map(Sealing::farewell)
        {
            // It is a courtesy: frames say themselves where they end.
            let _ = self.stream.try_write(&farewell);
        }
        outbox.bytes = Vec::new();
        let unsealed = outbox.sealing.take().map(|sealing| sealing.told);
        let told = outbox.told.drain(..).chain(unsealed.into_iter().flatten());
        told.map(|(_, input)| input).collect()
    }

    /// Appends what the records in `sealed` hold to `clear`, and takes them away; false when the other side has ended.
    fn unseal(&self, sealed: &mut Vec<u8>, clear: &mut Vec<u8>) -> Result<bool, rustls::Error> {
        let mut outbox = self.lock();
        let Outbox { bytes, sealing, .. } = &mut *outbox;
        let Some(sealing) = sealing else {
            return Ok(false);
        };
        let before = bytes.len();
        let opened = sealing.open(sealed, clear, bytes);
        let (answers, too_many) = (bytes.len() > before, bytes.len() > self.outbox_bytes_max);
        drop(outbox);
        if answers {
            self.write_waiting();
        }
        if too_many {
            self.close();
        }
        opened
    }

    fn waits(&self) -> bool {
        self.lock().waiting() > 0
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
    read: OwnedReadHalf,
    allowed: Allowed,
    /// Frames, the last one not whole.
    pub(super) buffer: Vec<u8>,
    secured: Option<Secured>,
}

/// What is read under TLS.
#[derive(Debug)]
struct Secured {
    standing: Standing,
    sealed: Vec<u8>,
}

impl<I: Send + 'static> Reading<I> {
    /// Splits a stream into the side that everybody writes and the side that one task reads.
    pub(super) fn new(stream: Stream, allowed: Allowed, outbox_bytes_max: usize) -> Self {
        let Stream { tcp, session } = stream;
        let (read, write) = tcp.into_split();
        let (tls, standing) = session
            .map(|Session { tls, standing, .. }| (tls, standing))
            .unzip();
        let connection = Connection::new(write, tls, outbox_bytes_max);
        let mut reading = Self {
            connection,
            read,
            allowed,
            buffer: Vec::new(),
            secured: standing.map(|standing| Secured {
                standing,
                sealed: Vec::new(),
            }),
        };
        // Frames may have come together with the end of the handshake; if they are bad, the next read says so again.
        if let Some(secured) = &mut reading.secured {
            let (sealed, clear) = (&mut secured.sealed, &mut reading.buffer);
            let _ = reading.connection.unseal(sealed, clear);
        }
        reading
    }

    /// Hands every frame to the party, until the connection ends. `from` looks at each one and says who it is from, or why
    /// the connection must end.
    pub(super) async fn run<P: Driven<Input = I>>(
        &mut self,
        handle: &DriverHandle<P>,
        mut from: impl FnMut(&[u8]) -> Result<Peer, Ended>,
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
        let partial = !self.buffer.is_empty();
        let mut patience = self.patience(partial);
        let mut clogged = false;
        loop {
            let (into, standing) = match &mut self.secured {
                Some(secured) => (&mut secured.sealed, Some(&mut secured.standing)),
                None => (&mut self.buffer, None),
            };
            into.reserve(self.allowed.read_bytes);
            tokio::select! {
                read = self.read.read_buf(into) => match read {
                    Ok(0) | Err(_) => return Err(Ended::ByPeer),
                    Ok(_) => {
                        counts.add(LinkCount::Reads, 1);
                        self.unseal()?;
                        // A frame keeps the deadline of its first byte: one byte at a time gains nothing, neither of a frame
                        // nor of a record.
                        if self.buffer.is_empty() {
                            if patience.why == LinkCount::Idle {
                                patience = self.patience(true);
                            }
                            continue;
                        }
                        match frame::next(self.allowed.framing, &self.buffer) {
                            Ok(None) if partial => continue,
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
                () = until_revoked(standing) => return Err(Ended::For(LinkCount::TlsRevoked)),
                () = until(patience.deadline) => return Err(Ended::For(patience.why)),
            }
        }
    }

    /// How long to wait: for the rest of a frame or record, or for the next one.
    fn patience(&self, partial: bool) -> Patience {
        let (wait_ms, why) = match partial {
            true => (Some(self.allowed.frame_ms), LinkCount::Slow),
            false => (self.allowed.idle_ms, LinkCount::Idle),
        };
        Patience {
            deadline: wait_ms.map(|wait_ms| Instant::now() + ms(wait_ms)),
            why,
        }
    }

    /// Opens the records that were read.
    fn unseal(&mut self) -> Result<(), Ended> {
        let Some(Secured { sealed, .. }) = &mut self.secured else {
            return Ok(());
        };
        match self.connection.unseal(sealed, &mut self.buffer) {
            Ok(true) => Ok(()),
            // The frames before the end count, and the socket's end comes next.
            Ok(false) if !self.buffer.is_empty() => Ok(()),
            Ok(false) => Err(Ended::ByPeer),
            Err(error) => {
                tracing::info!(%error, "a secured connection breaks");
                Err(Ended::For(judged(&error)))
            }
        }
    }
}

/// Until when something must have come.
struct Patience {
    deadline: Option<Instant>,
    /// What is counted when it has not.
    why: LinkCount,
}

async fn until_revoked(standing: Option<&mut Standing>) {
    match standing {
        Some(standing) => standing.until_revoked().await,
        None => std::future::pending().await,
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
    from: &mut impl FnMut(&[u8]) -> Result<Peer, Ended>,
) -> Result<(), Ended> {
    let mut start = 0;
    let ended = loop {
        match frame::next(framing, &buffer[start..]) {
            Ok(Some(length)) => {
                let frame = &buffer[start..start + length];
                match from(frame) {
                    Ok(peer) => {
                        frames.push((peer, frame.to_vec()));
                        start += length;
                    }
                    Err(why) => break Err(why),
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
