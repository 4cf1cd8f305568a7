//! The link from a terminal's spool to its printer, over whichever line leads there.
//!
//! What the spool is told is what the line said, in order; a loss that belongs to an older connection never reaches it.

use super::transport::{PrinterAddress, Reading, Writing, write_whole};
use crate::driver::DriverHandle;
use crate::fleet::{Fleet, Input};
use receipt::escpos::STATUS_QUESTION;
use receipt::{SpoolEffect, SpoolInput};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// Effects that may wait for the printer's link; a terminal makes a handful for each slip.
const EFFECTS_MAX: usize = 1_024;

/// Where a terminal's spool effects go.
pub type SpoolLine = mpsc::Sender<SpoolEffect>;

/// Keeps the link between the spool of the terminal at `place` and the printer at `address`. Must be called on the runtime.
pub fn connect(address: PrinterAddress, place: u32, handle: DriverHandle<Fleet>) -> SpoolLine {
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
    address: PrinterAddress,
    place: u32,
    handle: DriverHandle<Fleet>,
}

type Connection = (Option<Reading>, Writing);

impl Link {
    async fn run(self, mut effects: mpsc::Receiver<SpoolEffect>) {
        let mut connection: Option<Connection> = None;
        let mut bytes = vec![0; 1_024];
        loop {
            let heard = async {
                match &mut connection {
                    Some((Some(read), _)) => read.read(&mut bytes).await,
                    Some((None, _)) | None => std::future::pending().await,
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

    async fn perform(&self, effect: SpoolEffect, connection: &mut Option<Connection>) {
        match effect {
            SpoolEffect::Connect => {
                // A serial port or a device is free again only when its old opening is gone.
                *connection = None;
                *connection = match self.address.open().await {
                    Ok(opened) => Some(opened),
                    Err(error) => {
                        tracing::info!(printer = %self.address, %error, "no line to the printer");
                        None
                    }
                };
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

    /// Writes all of it, or loses the connection and says so.
    async fn write(&self, connection: &mut Option<Connection>, bytes: &[u8]) -> bool {
        let Some((_, half)) = connection else {
            return false;
        };
        if write_whole(half, bytes).await {
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
