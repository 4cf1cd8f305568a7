//! Connections of terminals: each carries one request or many, and every answer goes back where its request came from.

use super::board::FRAMES_PER_NUMBER;
use super::connection::{Allowed, Ended, Reading};
use super::counts::LinkCount;
use super::identity::{Doorman, Identity};
use super::socket::{Listening, accept, listen};
use super::tls::Inbound;
use super::{Limits, TERMINAL_OUTBOX_BYTES_MAX, TERMINAL_READ_BYTES};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::Framing;
use payment::Peer;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Accepts terminals on `address`. Under TLS a terminal speaks only as its certificate names it.
///
/// # Errors
/// An address that cannot be listened on. Must be called on the runtime.
pub fn listen_terminals<P: Driven>(
    address: SocketAddr,
    framing: Framing,
    inbound: Inbound,
    limits: Limits,
    handle: DriverHandle<P>,
) -> io::Result<Listening> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let accepting = async {
            loop {
                let stream = accept(&listener, &handle.board().counts).await;
                match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let serving = Serving {
                            framing,
                            inbound: inbound.clone(),
                            limits: limits.clone(),
                            handle: handle.clone(),
                        };
                        tokio::spawn(serving.serve(stream, place));
                    }
                    Err(_) => handle.board().counts.add(LinkCount::Crowded, 1),
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            () = handle.until_stopped() => {}
        }
    });
    Ok(Listening::new(address, task))
}

struct Serving<P: Driven> {
    framing: Framing,
    inbound: Inbound,
    limits: Limits,
    handle: DriverHandle<P>,
}

impl<P: Driven> Serving<P> {
    async fn serve(self, tcp: TcpStream, _place: OwnedSemaphorePermit) {
        let (handle, limits) = (&self.handle, &self.limits);
        let board = handle.board();
        let secured = self
            .inbound
            .secure(tcp, limits.handshake_ms, &board.counts)
            .await;
        let Some(stream) = secured else {
            return;
        };
        let row = match stream.session.as_ref().map(|session| &session.identity) {
            None => None,
            Some(Some(Identity::Terminals(row))) => Some(row.clone()),
            Some(other) => {
                tracing::info!(?other, "a certificate that is no terminal's");
                return board.counts.add(LinkCount::TlsUnnamed, 1);
            }
        };
        // A socket that has no peer any more ends at its first read.
        let Ok(peer) = stream.tcp.peer_addr() else {
            return;
        };
        let allowed = Allowed {
            framing: self.framing,
            read_bytes: TERMINAL_READ_BYTES,
            frame_ms: limits.frame_ms,
            idle_ms: Some(limits.idle_ms),
            frames_per_second_max: limits.frames_per_second_max,
        };
        let mut reading = Reading::new(stream, allowed, TERMINAL_OUTBOX_BYTES_MAX);
        let connection = Arc::clone(&reading.connection);
        if let Some(row) = &row
            && let Some(left) = board.sessions.enter(row, peer.ip(), &connection)
        {
            tracing::warn!(certificate = %row, %left, now = %peer.ip(), "one certificate from two places; the older one is closed");
            board.counts.add(LinkCount::SecondPlace, 1);
        }
        let mut doorman = row.clone().map(Doorman::new);
        let mut numbers = Vec::new();
        let mut frames = 0;
        let ended = reading
            .run(handle, |frame| {
                if let Some(doorman) = &mut doorman {
                    doorman.look(frame).map_err(Ended::For)?;
                }
                if frames % FRAMES_PER_NUMBER == 0 {
                    let number = board.attach_terminal(&connection);
                    numbers.push(number.ok_or(Ended::Stopped)?);
                }
                let number = numbers.last().ok_or(Ended::Stopped)?;
                let exchange = number * FRAMES_PER_NUMBER + frames % FRAMES_PER_NUMBER;
                frames += 1;
                Ok(Peer::Exchange(exchange))
            })
            .await;
        if let Ended::For(why) = ended {
            board.counts.add(why, 1);
        }
        board.detach_terminal(&numbers);
        if let Some(row) = &row {
            board.sessions.leave(row, &connection);
        }
        handle.must_know(connection.abandon());
    }
}
