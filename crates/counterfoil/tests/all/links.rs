//! What tests of links share: a port with an echo behind it, and the simplest client.

use crate::echo::{Echo, number, start, terminal_frame};
use crate::runtime;
use counterfoil::driver::Driver;
use counterfoil::link::{Inbound, Limits, LinkCount, Listening, listen_terminals};
use iso8583::frame::{Framing, open_terminal};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A terminal port with an echo behind it.
pub struct Port {
    /// The echo.
    pub driver: Driver<Echo>,
    /// Where it listens.
    pub address: SocketAddr,
    _listening: Listening,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Port {
    /// Opens one.
    pub fn open(limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let driver = start(&folder.path().join("echo.db"));
        let runtime = runtime();
        let listening = runtime
            .block_on(async {
                let handle = driver.handle().clone();
                listen_terminals(
                    ([127, 0, 0, 1], 0).into(),
                    Framing::Terminal,
                    Inbound::Plain,
                    limits,
                    handle,
                )
            })
            .expect("it listens");
        let address = listening.address();
        Self {
            driver,
            address,
            _listening: listening,
            _runtime: runtime,
            _folder: folder,
        }
    }

    /// What its links counted.
    pub fn count(&self, count: LinkCount) -> u64 {
        self.driver.handle().link_figures().get(count)
    }
}

/// Connects; a read that takes very long fails.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("it is set");
    stream
}

/// Sends a number and gives the answer.
pub fn ask(stream: &mut TcpStream, n: u64) -> u64 {
    stream.write_all(&terminal_frame(n)).expect("it is written");
    read_frame(stream)
}

/// Reads one frame's number.
pub fn read_frame(stream: &mut TcpStream) -> u64 {
    let mut frame = terminal_frame(0);
    stream.read_exact(&mut frame).expect("an answer");
    number(open_terminal(&frame).expect("a frame").1)
}

/// True when the other side closes before it says anything or patience ends.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}
