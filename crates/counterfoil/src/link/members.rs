//! Long-lived links between hosts, many exchanges at once. One side connects and introduces itself by its first frame.

use super::connection::{Allowed, Connection, Ended, Reading};
use super::counts::LinkCount;
use super::identity::Identity;
use super::socket::{Connecting, Listening, accept, keep_alive, listen};
use super::tls::{Inbound, Outbound, Stream};
use super::{CONNECT_MS, Limits, MEMBER_OUTBOX_BYTES_MAX, MEMBER_READ_BYTES, RECONNECT_MS, ms};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::{self, Framing};
use payment::{Institution, Peer};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Accepts links of `members` on `address`. A member that connects again takes the place of its older link. Under TLS a
/// member is who its certificate names, and introduces itself as nobody else.
///
/// # Errors
/// An address that cannot be listened on. Must be called on the runtime.
pub fn listen_members<P: Driven>(
    address: SocketAddr,
    members: Vec<Institution>,
    inbound: Inbound,
    limits: Limits,
    handle: DriverHandle<P>,
) -> io::Result<Listening> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let members: Arc<[Institution]> = members.into();
    let task = tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let accepting = async {
            loop {
                let stream = accept(&listener, &handle.board().counts).await;
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    handle.board().counts.add(LinkCount::Crowded, 1);
                    continue;
                };
                let (members, inbound, limits, handle) = (
                    Arc::clone(&members),
                    inbound.clone(),
                    limits.clone(),
                    handle.clone(),
                );
                tokio::spawn(async move {
                    notice_loss(&stream);
                    let counts = &handle.board().counts;
                    let secured = inbound.secure(stream, limits.handshake_ms, counts).await;
                    if let Some(stream) = secured {
                        welcome(stream, &members, &limits, &handle).await;
                    }
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = accepting => {}
            () = handle.until_stopped() => {}
        }
    });
    Ok(Listening::new(address, task))
}

/// Keeps a link to `member` at `address` (host and port) up, trying again for ever. Must be called on the runtime.
pub fn connect_member<P: Driven>(
    address: String,
    member: Institution,
    outbound: Outbound,
    limits: Limits,
    handle: DriverHandle<P>,
) -> Connecting {
    Connecting::new(tokio::spawn(async move {
        let connecting = async {
            let (first_ms, last_ms) = RECONNECT_MS;
            let mut wait_ms = first_ms;
            loop {
                match timeout(ms(CONNECT_MS), TcpStream::connect(&address)).await {
                    Ok(Ok(stream)) => {
                        let counts = &handle.board().counts;
                        counts.add(LinkCount::Connected, 1);
                        notice_loss(&stream);
                        let secured = outbound.secure(stream, limits.handshake_ms, counts).await;
                        // A link on which nothing was heard may have been refused.
                        if let Some(stream) = secured
                            && carry(reading(stream, &limits), member, &handle).await
                        {
                            wait_ms = first_ms;
                        }
                    }
                    Ok(Err(error)) => tracing::debug!(address, %error, "no link"),
                    Err(_) => tracing::debug!(address, "no link in time"),
                }
                handle.board().counts.add(LinkCount::Lost, 1);
                sleep(ms(wait_ms)).await;
                wait_ms = (wait_ms * 2).min(last_ms);
            }
        };
        tokio::select! {
            () = connecting => {}
            () = handle.until_stopped() => {}
        }
    }))
}

/// Waits for the first frame of an accepted link, and carries the link if it is from a member.
async fn welcome<P: Driven>(
    stream: Stream,
    members: &[Institution],
    limits: &Limits,
    handle: &DriverHandle<P>,
) {
    let counts = &handle.board().counts;
    let certified = match stream.session.as_ref().map(|session| &session.identity) {
        None => None,
        Some(Some(Identity::Member(member))) => Some(*member),
        Some(other) => {
            tracing::info!(?other, "a certificate that is no member's");
            return counts.add(LinkCount::TlsUnnamed, 1);
        }
    };
    let mut reading = reading(stream, limits);
    let introduced = timeout(ms(limits.introduction_ms), async {
        loop {
            match frame::next(Framing::Host, &reading.buffer) {
                Ok(Some(length)) => {
                    let Ok((header, _)) = frame::open_host(&reading.buffer[..length]) else {
                        return Err(Ended::For(LinkCount::Garbage));
                    };
                    let member = institution(header.source()).filter(|m| members.contains(m));
                    let member = member.ok_or(Ended::For(LinkCount::Strangers))?;
                    if certified.is_some_and(|certified| certified != member) {
                        tracing::warn!(?certified, %member, "a member speaks as another one");
                        return Err(Ended::For(LinkCount::WrongMember));
                    }
                    return Ok(member);
                }
                Ok(None) => reading.fill(counts).await?,
                Err(_) => return Err(Ended::For(LinkCount::Garbage)),
            }
        }
    });
    match introduced.await {
        Ok(Ok(member)) => {
            carry(reading, member, handle).await;
        }
        Ok(Err(Ended::For(why))) => counts.add(why, 1),
        Ok(Err(_)) => {}
        Err(_) => counts.add(LinkCount::Strangers, 1),
    }
}

/// Carries the frames of a link from up to down; true if there were any to hear.
async fn carry<P: Driven>(
    mut reading: Reading<P::Input>,
    member: Institution,
    handle: &DriverHandle<P>,
) -> bool {
    let connection = Arc::clone(&reading.connection);
    if !handle.board().attach_member(member, &connection) {
        return false;
    }
    // When this link is lost with its task, the party hears of that too.
    let down = Down {
        connection: &connection,
        member,
        handle,
    };
    tracing::info!(party = handle.name(), %member, "link up");
    handle.must_know(P::link_changed(member, true));
    let mut heard = false;
    let from = |_: &[u8]| {
        heard = true;
        Ok(Peer::Member(member))
    };
    let ended = reading.run(handle, from).await;
    if let Ended::For(why) = ended {
        handle.board().counts.add(why, 1);
    }
    drop(down);
    tracing::info!(party = handle.name(), %member, ?ended, "link down");
    heard
}

struct Down<'a, P: Driven> {
    connection: &'a Arc<Connection<P::Input>>,
    member: Institution,
    handle: &'a DriverHandle<P>,
}

impl<P: Driven> Drop for Down<'_, P> {
    fn drop(&mut self) {
        let current = self
            .handle
            .board()
            .detach_member(self.member, self.connection);
        self.handle.must_know(self.connection.abandon());
        if current {
            self.handle.must_know(P::link_changed(self.member, false));
        }
    }
}

/// Makes a link notice a peer that is gone without a word.
fn notice_loss(stream: &TcpStream) {
    if let Err(error) = keep_alive(stream) {
        tracing::warn!(%error, "a link will not notice a peer that is gone");
    }
}

fn reading<I: Send + 'static>(stream: Stream, limits: &Limits) -> Reading<I> {
    let allowed = Allowed {
        framing: Framing::Host,
        read_bytes: MEMBER_READ_BYTES,
        frame_ms: limits.frame_ms,
        idle_ms: None,
        frames_per_second_max: u32::MAX,
    };
    Reading::new(stream, allowed, MEMBER_OUTBOX_BYTES_MAX)
}

fn institution(digits: &[u8]) -> Option<Institution> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits)
        .ok()?
        .parse()
        .ok()
        .map(Institution)
}
