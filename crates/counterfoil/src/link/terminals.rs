//! Connections of terminals: each carries one request or many, and every answer goes back where its request came from.

use super::board::FRAMES_PER_NUMBER;
use super::connection::{Allowed, Connection, Ended, Reading};
use super::counts::LinkCount;
use super::socket::{Listening, accept, listen};
use super::{Limits, TERMINAL_OUTBOX_BYTES_MAX, TERMINAL_READ_BYTES};
use crate::driver::{Driven, DriverHandle};
use iso8583::frame::Framing;
use payment::Peer;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Accepts terminals on `address`.
///
/// # Errors
/// An address that cannot be listened on. Must be called on the runtime.
pub fn listen_terminals<P: Driven>(
    address: SocketAddr,
    framing: Framing,
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
                        tokio::spawn(serve(
                            stream,
                            framing,
                            limits.clone(),
                            handle.clone(),
                            place,
                        ));
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

async fn serve<P: Driven>(
    stream: TcpStream,
    framing: Framing,
    limits: Limits,
    handle: DriverHandle<P>,
    _place: OwnedSemaphorePermit,
) {
    let (connection, read) = Connection::split(stream, TERMINAL_OUTBOX_BYTES_MAX);
    let mut reading = Reading {
        connection: Arc::clone(&connection),
        read,
        allowed: Allowed {
            framing,
            read_bytes: TERMINAL_READ_BYTES,
            frame_ms: limits.frame_ms,
            idle_ms: Some(limits.idle_ms),
            frames_per_second_max: limits.frames_per_second_max,
        },
        buffer: Vec::new(),
    };
    let mut numbers = Vec::new();
    let mut frames = 0;
    let ended = reading
        .run(&handle, |_| {
            if frames % FRAMES_PER_NUMBER == 0 {
                numbers.push(handle.board().attach_terminal(&connection)?);
            }
            let exchange = numbers.last()? * FRAMES_PER_NUMBER + frames % FRAMES_PER_NUMBER;
            frames += 1;
            Some(Peer::Exchange(exchange))
        })
        .await;
    if let Ended::For(why) = ended {
        handle.board().counts.add(why, 1);
    }
    handle.board().detach_terminal(&numbers);
    handle.must_know(connection.abandon());
}
