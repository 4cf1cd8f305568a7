//! Both ends of a receipt printer on TCP: the small virtual printer, and the link from a terminal's spool to any printer.
//!
//! What the spool is told is what the socket said, in order; a loss that belongs to an older connection never reaches it.

use crate::driver::DriverHandle;
use crate::fleet::{Fleet, Input};
use receipt::escpos::STATUS_QUESTION;
use receipt::{Paper, SpoolEffect, SpoolInput, VirtualPrinter};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Effects that may wait for the printer's link; a terminal makes a handful for each slip.
const EFFECTS_MAX: usize = 1_024;
/// How long a connection to a printer may take.
const CONNECT: Duration = Duration::from_millis(1_500);
/// How long a write may make no progress before the printer counts as lost.
const WRITE: Duration = Duration::from_secs(10);
/// The virtual printer looks at its knobs this often.
const POLL: Duration = Duration::from_millis(20);

/// A virtual printer that others may watch and trouble.
#[derive(Clone, Debug)]
pub struct Bench {
    printer: Arc<Mutex<VirtualPrinter>>,
    linked: watch::Sender<bool>,
}

impl Bench {
    /// A well printer with a full roll.
    pub fn new(paper: Paper) -> Self {
        Self {
            printer: Arc::new(Mutex::new(VirtualPrinter::new(paper))),
            linked: watch::Sender::new(true),
        }
    }

    /// Does something to the printer, or looks at its paper.
    pub fn with<T>(&self, act: impl FnOnce(&mut VirtualPrinter) -> T) -> T {
        act(&mut self.printer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pulls the network cable, or puts it back.
    pub fn set_linked(&self, linked: bool) {
        self.linked.send_replace(linked);
    }

    /// Serves one connection at a time on `listener`, as such printers do.
    pub async fn serve(self, listener: TcpListener) {
        let mut linked = self.linked.subscribe();
        loop {
            if linked.wait_for(|up| *up).await.is_err() {
                return;
            }
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = linked.wait_for(|up| !*up) => continue,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            if !*self.linked.borrow() {
                continue;
            }
            tokio::select! {
                () = self.converse(stream) => {}
                _ = linked.wait_for(|up| !*up) => {}
            }
            self.with(VirtualPrinter::disconnect);
        }
    }

    async fn converse(&self, mut stream: TcpStream) {
        let mut bytes = [0; 4_096];
        loop {
            let room = self.with(|printer| printer.room()).min(bytes.len());
            let answers = tokio::select! {
                read = stream.read(&mut bytes[..room]), if room > 0 => match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => self.with(|printer| printer.hear(&bytes[..count])),
                },
                () = tokio::time::sleep(POLL) => self.with(VirtualPrinter::answers),
            };
            if !answers.is_empty() && stream.write_all(&answers).await.is_err() {
                return;
            }
        }
    }
}

/// Where a terminal's spool effects go.
pub type SpoolLine = mpsc::Sender<SpoolEffect>;

/// Keeps the link between the spool of the terminal at `place` and the printer at `address`. Must be called on the runtime.
pub fn connect(address: SocketAddr, place: u32, handle: DriverHandle<Fleet>) -> SpoolLine {
    let (line, effects) = mpsc::channel(EFFECTS_MAX);
    tokio::spawn(
        Link {
            address,
            place,
            handle,
        }
        .run(effects),
    );
    line
}

struct Link {
    address: SocketAddr,
    place: u32,
    handle: DriverHandle<Fleet>,
}

impl Link {
    async fn run(self, mut effects: mpsc::Receiver<SpoolEffect>) {
        let mut connection: Option<(OwnedReadHalf, OwnedWriteHalf)> = None;
        let mut bytes = vec![0; 1_024];
        loop {
            let heard = async {
                match &mut connection {
                    Some((read, _)) => read.read(&mut bytes).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                effect = effects.recv() => match effect {
                    None => return,
                    Some(effect) => self.perform(effect, &mut connection).await,
                },
                read = heard => match read {
                    Ok(0) | Err(_) => {
                        connection = None;
                        self.tell(SpoolInput::Lost);
                    }
                    Ok(count) => self.tell(SpoolInput::Heard(bytes[..count].to_vec())),
                },
            }
        }
    }

    async fn perform(
        &self,
        effect: SpoolEffect,
        connection: &mut Option<(OwnedReadHalf, OwnedWriteHalf)>,
    ) {
        match effect {
            SpoolEffect::Connect => {
                *connection = self.dial().await;
                self.tell(if connection.is_some() {
                    SpoolInput::Connected
                } else {
                    SpoolInput::Lost
                });
            }
            SpoolEffect::Close => *connection = None,
            SpoolEffect::Query => {
                self.write(connection, &STATUS_QUESTION).await;
            }
            SpoolEffect::Command(bytes) => {
                self.write(connection, &bytes).await;
            }
            SpoolEffect::Send { job, .. } if connection.is_none() => {
                self.tell(SpoolInput::NotSent { job });
            }
            SpoolEffect::Send { job, bytes } => {
                if self.write(connection, &bytes).await {
                    self.tell(SpoolInput::Wrote { job });
                }
            }
            SpoolEffect::Changed { .. }
            | SpoolEffect::PrinterChanged(_)
            | SpoolEffect::Refused { .. } => {}
        }
    }

    async fn dial(&self) -> Option<(OwnedReadHalf, OwnedWriteHalf)> {
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect(self.address))
            .await
            .ok()?
            .ok()?;
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE));
        Some(stream.into_split())
    }

    /// Writes all of it, or loses the connection and says so.
    async fn write(
        &self,
        connection: &mut Option<(OwnedReadHalf, OwnedWriteHalf)>,
        bytes: &[u8],
    ) -> bool {
        let Some((_, half)) = connection else {
            return false;
        };
        if matches!(
            tokio::time::timeout(WRITE, half.write_all(bytes)).await,
            Ok(Ok(()))
        ) {
            return true;
        }
        *connection = None;
        self.tell(SpoolInput::Lost);
        false
    }

    fn tell(&self, input: SpoolInput) {
        // A stopped driver needs no news of its printer; a full one hears of the loss at the next question.
        let _ = self.handle.send(Input::One(
            self.place,
            Box::new(terminal::Input::Printer(input)),
        ));
    }
}
