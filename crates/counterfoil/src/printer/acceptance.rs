//! The installation test over a real line, with a person at the printer.
//!
//! Every wait ends: by an answer, by the test's own deadlines, or because nobody is there any more.

use super::transport::{PrinterAddress, Reading, Writing, write_whole};
use receipt::acceptance::{
    Acceptance, AcceptanceEffect, AcceptanceInput, Accepted, SPEED_MM, Step,
};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// What the printer cannot guess.
#[derive(Clone, Copy, Debug)]
pub struct Unguessable {
    /// Process IDs.
    pub ids: [[u8; 4]; 4],
    /// What the person reads from the paper, below 10 000.
    pub code: u16,
}

impl Unguessable {
    /// From the system's randomness.
    pub fn random() -> Self {
        let bytes = crate::driver::random();
        let (ids, rest) = bytes.as_chunks::<4>().0.split_at(4);
        Self {
            ids: [ids[0], ids[1], ids[2], ids[3]],
            code: (u32::from_le_bytes(rest[0]) % 10_000) as u16,
        }
    }
}

/// What the test found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The verdict.
    pub accepted: Accepted,
    /// Millimetres of paper a second, where it drew the slip of the speed test.
    pub speed_mm_per_s: Option<u32>,
}

/// Tests the printer at `address`. `show` gets every step; `said` brings the lines of the person: any line begins a step
/// that waits for it, and the last step takes the number. What is said unasked is passed over.
///
/// # Errors
/// No line to the printer.
pub async fn accept(
    address: &PrinterAddress,
    unguessable: Unguessable,
    said: mpsc::Receiver<String>,
    show: impl FnMut(Step),
) -> io::Result<Tested> {
    let (reading, writing) = address.open().await?;
    let test = Test {
        acceptance: Acceptance::new(unguessable.ids, unguessable.code),
        started: Instant::now(),
        reading,
        writing,
        said: Some(said),
        awaited: None,
        show,
        speed_began: None,
        speed_mm_per_s: None,
    };
    Ok(test.run().await)
}

struct Test<S> {
    acceptance: Acceptance,
    started: Instant,
    reading: Option<Reading>,
    writing: Writing,
    /// Gone when nobody is there any more.
    said: Option<mpsc::Receiver<String>>,
    /// The step that waits for the person.
    awaited: Option<Step>,
    show: S,
    speed_began: Option<Instant>,
    speed_mm_per_s: Option<u32>,
}

impl<S: FnMut(Step)> Test<S> {
    async fn run(mut self) -> Tested {
        let mut inputs = VecDeque::from([AcceptanceInput::Begin]);
        loop {
            while let Some(input) = inputs.pop_front() {
                let now_us = self.now_us();
                for effect in self.acceptance.take(now_us, input) {
                    match effect {
                        AcceptanceEffect::Send(bytes) => inputs.extend(self.send(&bytes).await),
                        AcceptanceEffect::Show(step) => self.shown(step),
                        AcceptanceEffect::Over(accepted) => {
                            return Tested {
                                accepted,
                                speed_mm_per_s: self.speed_mm_per_s,
                            };
                        }
                    }
                }
            }
            inputs.extend(self.wait().await);
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn shown(&mut self, step: Step) {
        match (step, self.speed_began.take()) {
            (Step::Speed, _) => self.speed_began = Some(Instant::now()),
            (Step::Cover, Some(began)) => self.speed_mm_per_s = speed(began.elapsed()),
            _ => {}
        }
        self.awaited = (step.waits_for_ready() || step == Step::Eyes).then_some(step);
        (self.show)(step);
    }

    async fn send(&mut self, bytes: &[u8]) -> Option<AcceptanceInput> {
        let written = write_whole(&mut self.writing, bytes).await;
        (!written).then_some(AcceptanceInput::Lost)
    }

    /// What happens next.
    async fn wait(&mut self) -> Option<AcceptanceInput> {
        if self.said.is_none() && self.awaited.is_some() {
            return Some(AcceptanceInput::Lost);
        }
        let due_us = self.acceptance.deadline().unwrap_or_default();
        let left = Duration::from_micros(due_us.saturating_sub(self.now_us()));
        let mut bytes = [0; 1_024];
        let heard = async {
            match &mut self.reading {
                Some(reading) => reading.read(&mut bytes).await,
                None => std::future::pending().await,
            }
        };
        let said = async {
            match &mut self.said {
                Some(said) => said.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = heard => Some(match read {
                Ok(0) | Err(_) => AcceptanceInput::Lost,
                Ok(count) => AcceptanceInput::Heard(bytes[..count].to_vec()),
            }),
            line = said => match line {
                Some(line) => self.reaction(line),
                None => {
                    self.said = None;
                    None
                }
            },
            () = tokio::time::sleep(left) => Some(AcceptanceInput::Tick),
        }
    }

    fn reaction(&mut self, line: String) -> Option<AcceptanceInput> {
        match self.awaited? {
            Step::Eyes if line.trim().is_empty() => None,
            Step::Eyes => {
                self.awaited = None;
                Some(AcceptanceInput::Typed(line))
            }
            _ => {
                self.awaited = None;
                Some(AcceptanceInput::Ready)
            }
        }
    }
}

fn speed(took: Duration) -> Option<u32> {
    let took_ms = u32::try_from(took.as_millis()).ok()?;
    (SPEED_MM * 1_000).checked_div(took_ms)
}
