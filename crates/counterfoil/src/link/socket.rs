//! Sockets as links want them: a long backlog, no Nagle, and an acceptor that pauses instead of spinning.

use super::counts::{Counts, LinkCount};
use super::{ACCEPT_PAUSE_MS, BACKLOG, KEEP_ALIVE_MS, PEER_GONE_MS, ms};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// A port that is listened on, until this is dropped or the party stops.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    pub(super) fn new(address: SocketAddr, task: JoinHandle<()>) -> Self {
        Self { address, task }
    }

    /// The address, with the port that the system chose if it was asked to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A link that is kept up, until this is dropped or the party stops.
#[derive(Debug)]
pub struct Connecting {
    task: JoinHandle<()>,
}

impl Connecting {
    pub(super) fn new(task: JoinHandle<()>) -> Self {
        Self { task }
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection. Accepted sockets inherit the listener's options.
pub(super) async fn accept(listener: &TcpListener, counts: &Counts) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                counts.add(LinkCount::Accepted, 1);
                return stream;
            }
            // The peer was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                counts.add(LinkCount::AcceptPaused, 1);
                tracing::warn!(%error, "no connection can be accepted; pausing");
                sleep(ms(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

/// Makes a long-lived link notice a peer that is gone without a word.
pub(super) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new()
        .with_time(ms(KEEP_ALIVE_MS))
        .with_interval(ms(KEEP_ALIVE_MS));
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_user_timeout(Some(ms(PEER_GONE_MS)))
}
