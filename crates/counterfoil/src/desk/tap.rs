//! The tap: the acquirer's last messages, decoded and masked when they are taken.
//!
//! A frame is taken only once what was decided of it is durable. Its bytes live for one decoding and are wiped; what is kept
//! is what `counterfoil decode` would print. A tap never holds the party up: what does not fit is left out.

use crate::driver::{DriverHandle, Frame};
use acquirer::{Acquirer, SaleRecord};
use iso8583::field60::Field60;
use iso8583::field61::Field61;
use iso8583::field90::Field90;
use iso8583::frame::Framing;
use iso8583::{Message, Mti, describe, guess};
use pages::console::messages::{Field, Message as Shown};
use payment::{HostKey, Peer, Wall};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Messages that are kept.
pub const MESSAGES_MAX: usize = 4_096;
/// Frames that wait to be decoded; beyond it they are left out.
const WAITING_MAX: usize = 1_024;
/// Messages of one sale that a page shows.
const SHOWN_MAX: usize = 24;

/// The last messages.
#[derive(Clone, Debug)]
pub struct Tap(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Taken>,
    heard: Option<Wall>,
    echo: Option<Wall>,
}

/// A message and whom it is about.
#[derive(Debug)]
struct Taken {
    at: Wall,
    about: About,
    shown: Shown,
}

/// What a message names.
#[derive(Debug)]
enum About {
    /// Terminal, batch and trace number; the trace number of its original.
    Terminal(String, u32, [Option<u32>; 2]),
    /// Field 7, field 11 of the message, and of its original.
    Host([Option<(u64, u32)>; 2]),
    /// Neither.
    Nothing,
}

struct Raw {
    at: Wall,
    said: bool,
    peer: Peer,
    bytes: Zeroizing<Vec<u8>>,
}

impl Tap {
    /// Takes the frames of a running acquirer from now on.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(acquirer: &DriverHandle<Acquirer>) -> std::io::Result<Self> {
        let (sender, frames) = sync_channel::<Raw>(WAITING_MAX);
        let tap = Self(Arc::default());
        let own = tap.clone();
        std::thread::Builder::new()
            .name("tap".to_owned())
            .spawn(move || own.run(&frames))?;
        acquirer.tap(Box::new(move |frame: Frame<'_>| {
            // What does not fit is left out: the party does not wait.
            let _ = sender.try_send(Raw {
                at: frame.at,
                said: frame.said,
                peer: frame.peer,
                bytes: Zeroizing::new(frame.bytes.to_vec()),
            });
        }));
        Ok(tap)
    }

    fn run(&self, frames: &Receiver<Raw>) {
        while let Ok(raw) = frames.recv() {
            let Some(taken) = taken(&raw) else { continue };
            let mut kept = self.lock();
            if matches!(raw.peer, Peer::Member(_)) && !raw.said {
                kept.heard = Some(raw.at);
                if taken.shown.mti.starts_with("08") {
                    kept.echo = Some(raw.at);
                }
            }
            kept.messages.push_back(taken);
            if kept.messages.len() > MESSAGES_MAX {
                kept.messages.pop_front();
            }
        }
    }

    /// When the network last said something, and when it last spoke of the link itself.
    pub(super) fn network(&self) -> (Option<Wall>, Option<Wall>) {
        let kept = self.lock();
        (kept.heard, kept.echo)
    }

    /// The messages of a sale that are still kept, oldest first.
    pub(super) fn of(&self, sale: &SaleRecord) -> Vec<Shown> {
        let kept = self.lock();
        let since = sale.received.wall;
        let about = kept.messages.iter().filter(|taken| taken.at >= since);
        about
            .filter(|taken| taken.about.is(sale))
            .take(SHOWN_MAX)
            .map(|taken| taken.shown.clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl About {
    fn is(&self, sale: &SaleRecord) -> bool {
        let key = sale.key();
        match self {
            Self::Terminal(terminal, batch, stans) => {
                terminal == key.terminal.as_str()
                    && *batch == key.batch.0
                    && stans.contains(&Some(key.stan.0))
            }
            Self::Host(names) => {
                let named = |key: HostKey| names.contains(&Some((key.transmission, key.stan.0)));
                sale.host.is_some_and(named)
                    || sale.reversal.is_some_and(|reversal| named(reversal.advice))
            }
            Self::Nothing => false,
        }
    }
}

fn taken(raw: &Raw) -> Option<Taken> {
    let (dialect, layer) = guess(&raw.bytes)?;
    let body = layer.body(dialect, &raw.bytes)?;
    let mut message = Message::new(Mti(0));
    dialect.decode_lenient(body, &mut message).ok()?;
    let terminal = dialect.framing() == Some(Framing::Terminal);
    let about = if terminal {
        of_terminal(&message)
    } else {
        of_host(&message)
    };
    let fields = describe::describe(&message, dialect).into_iter();
    let fields = fields.filter(|line| line.number != 0).map(|line| Field {
        number: match line.part.as_str() {
            "" => line.number.to_string(),
            part => format!("{}.{part}", line.number),
        },
        name: (line.zh, line.en),
        value: line.value,
        note: line.note,
    });
    let shown = Shown {
        at: clock_ms(raw.at),
        said: raw.said,
        peer: match raw.peer {
            Peer::Exchange(_) => ("终端", "terminal"),
            Peer::Member(_) => ("银联", "network"),
        },
        mti: message.mti().to_string(),
        bytes: raw.bytes.len(),
        fields: fields.collect(),
    };
    Some(Taken {
        at: raw.at,
        about,
        shown,
    })
}

fn of_terminal(message: &Message) -> About {
    let batch = message.get(60).and_then(|value| Field60::parse(value).ok());
    let (Some(terminal), Some(batch)) = (message.text(41), batch) else {
        return About::Nothing;
    };
    let original = message.get(61).and_then(|value| Field61::parse(value).ok());
    let original = original.filter(|original| original.batch == batch.batch);
    let own = message.number(11).and_then(|stan| u32::try_from(stan).ok());
    About::Terminal(
        terminal.to_owned(),
        batch.batch,
        [own, original.map(|original| original.stan)],
    )
}

fn of_host(message: &Message) -> About {
    let own = message
        .number(7)
        .zip(message.number(11).and_then(|stan| u32::try_from(stan).ok()));
    let original = message.get(90).and_then(|value| Field90::parse(value).ok());
    let original = original.and_then(|original| {
        let transmission = std::str::from_utf8(&original.transmission).ok()?;
        Some((transmission.parse().ok()?, original.stan))
    });
    About::Host([own, original])
}

/// `14:02:51.142`, China time.
pub(super) fn clock_ms(at: Wall) -> String {
    format!("{}.{:03}", at.text().split_off(11), at.0.rem_euclid(1_000))
}
