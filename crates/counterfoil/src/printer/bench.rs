//! A virtual printer on TCP that others may watch and trouble.
//!
//! One connection at a time is served, as such printers do; its clock runs with or without one.

use receipt::virtual_printer::{Echo, Fault, Told};
use receipt::{Paper, VirtualPrinter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The clock of the virtual printer, and how soon it notices what was done to it.
const POLL: Duration = Duration::from_millis(20);

/// A virtual printer that others may watch and trouble.
#[derive(Clone, Debug)]
pub struct Bench {
    printer: Arc<Mutex<VirtualPrinter>>,
    started: Instant,
    linked: watch::Sender<bool>,
    papers: watch::Sender<usize>,
}

/// A sentence in zh-CN and en.
pub type Words = (String, String);

impl Bench {
    /// A well printer with a full roll, which prints in no time.
    pub fn new(paper: Paper) -> Self {
        Self {
            printer: Arc::new(Mutex::new(VirtualPrinter::new(paper))),
            started: Instant::now(),
            linked: watch::Sender::new(true),
            papers: watch::Sender::new(0),
        }
    }

    /// Does something to the printer, or looks at its paper.
    pub fn with<T>(&self, act: impl FnOnce(&mut VirtualPrinter) -> T) -> T {
        let mut printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut printer);
        let reachable = !printer.has(Fault::Unplugged) && !printer.has(Fault::PowerOff);
        let _ = self
            .linked
            .send_if_modified(|linked| std::mem::replace(linked, reachable) != reachable);
        let papers = printer.papers_total();
        let _ = self
            .papers
            .send_if_modified(|known| std::mem::replace(known, papers) != papers);
        done
    }

    /// Tells whenever another paper is out.
    pub fn papers(&self) -> watch::Receiver<usize> {
        self.papers.subscribe()
    }

    /// Pulls the network cable, or puts it back.
    pub fn set_linked(&self, linked: bool) {
        self.with(|printer| printer.set_fault(Fault::Unplugged, !linked));
    }

    /// Does what a word says: one of a fault, of an echo, of a way to tell the status, `shut` for the drawer.
    /// False when no word is like it.
    pub fn obey(&self, word: &str) -> bool {
        let faults = Fault::ALL.iter().flat_map(|fault| {
            let (bring, end) = fault.commands();
            [(bring, *fault, true), (end, *fault, false)]
        });
        if let Some((_, fault, on)) = faults.into_iter().find(|row| row.0 == word) {
            self.with(|printer| printer.set_fault(fault, on));
        } else if let Some(echo) = Echo::ALL.iter().find(|echo| echo.command() == word) {
            self.with(|printer| printer.set_echo(*echo));
        } else if let Some(told) = Told::ALL.iter().find(|told| told.command() == word) {
            self.with(|printer| printer.set_told(*told));
        } else if word == "shut" {
            self.with(VirtualPrinter::shut_drawer);
        } else {
            return false;
        }
        true
    }

    /// What state it is in, in one sentence of each language.
    pub fn state(&self) -> Words {
        self.with(|printer| state(printer))
    }

    /// Serves one connection at a time on `listener`.
    pub async fn serve(self, listener: TcpListener) {
        let mut linked = self.linked.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept(), if *self.linked.borrow() => accepted,
                () = tokio::time::sleep(POLL) => {
                    self.tick();
                    continue;
                }
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            self.with(VirtualPrinter::connect);
            linked.mark_unchanged();
            tokio::select! {
                () = self.converse(stream) => {}
                _ = linked.wait_for(|up| !*up) => {}
            }
            self.with(VirtualPrinter::disconnect);
        }
    }

    fn tick(&self) -> Vec<u8> {
        let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.with(|printer| printer.tick(now_us))
    }

    async fn converse(&self, mut stream: TcpStream) {
        let mut bytes = [0; 4_096];
        loop {
            let room = self.with(|printer| printer.room()).min(bytes.len());
            let answers = tokio::select! {
                read = stream.read(&mut bytes[..room]), if room > 0 => match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => {
                        let mut answers = self.tick();
                        answers.extend(self.with(|printer| printer.hear(&bytes[..count])));
                        answers
                    }
                },
                () = tokio::time::sleep(POLL) => self.tick(),
            };
            if !answers.is_empty() && stream.write_all(&answers).await.is_err() {
                return;
            }
        }
    }
}

fn state(printer: &VirtualPrinter) -> Words {
    let faults = printer.faults();
    let lies = [
        (printer.echo() != Echo::Honest).then(|| printer.echo().words()),
        (printer.told() != Told::Honest).then(|| printer.told().words()),
    ];
    let all: Vec<_> = faults
        .iter()
        .map(|fault| fault.words())
        .chain(lies.into_iter().flatten())
        .collect();
    let (zh, en) = match (&all[..], printer.idle()) {
        ([], true) => ("一切正常，等候打印".to_owned(), "all is well".to_owned()),
        ([], false) => ("正在打印".to_owned(), "printing".to_owned()),
        (words, _) => {
            let (zh, en): (Vec<_>, Vec<_>) = words.iter().copied().unzip();
            (zh.join("；"), en.join("; "))
        }
    };
    (format!("{zh}。"), capital(&format!("{en}.")))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
