//! The printing doctor at the till: the same dialogue, fed by what the terminal's own spool knows of its printer.
//!
//! It opens no second connection: the spool owns the printer's line, and a test page is a slip like any other.

use crate::config::Problem;
use crate::driver::DriverHandle;
use crate::fleet::{Fleet, Input};
use receipt::doctor::{
    Doctor, Outcome, Printer, Reply, ServiceTicket, Sight, Step, SwitchedOff, Symptom, View,
    test_page,
};
use receipt::{
    CopyOf, DoctorEffect, DoctorInput, Evidence, JobState, Language, Paper, Spool, SpoolInput,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Numbers of test pages begin here, above those of all slips; the wall clock makes them unique.
const PAGES: u64 = 1 << 62;

/// A spool's word on its printer is at most this old (`receipt::spool::RETRY_US` and an answer's way).
const FRESH: Duration = Duration::from_secs(4);

/// One dialogue.
pub struct TillDoctor {
    handle: DriverHandle<Fleet>,
    started: Instant,
    doctor: Doctor,
    /// Number and code of the page that was submitted and not asked about yet.
    page: Option<(u64, u16)>,
    /// Until then the spool may not have noticed what a person just did.
    fresh_at: Instant,
    printer: String,
    terminal: String,
    language: Language,
    paper: Paper,
    /// Something is to be shown.
    fresh: bool,
}

/// What the terminal knows at one look.
struct Known {
    sight: Sight,
    sale_open: bool,
    page: Option<(JobState, Evidence)>,
}

impl TillDoctor {
    /// Begins a dialogue about the terminal's printer, as its configuration names it.
    pub async fn begin(
        handle: DriverHandle<Fleet>,
        printer: String,
        symptom: Option<Symptom>,
    ) -> Result<TillDoctor, Problem> {
        let config = handle.look(|fleet, _| {
            let config = fleet.terminal(0)?.config();
            Some((config.terminal.to_string(), config.paper, config.language))
        });
        let config = config.await.map_err(|refused| format!("{refused:?}"))?;
        let (terminal, paper, language) = config.ok_or_else(|| "no terminal".to_owned())?;
        let mut dialogue = TillDoctor {
            handle,
            started: Instant::now(),
            doctor: Doctor::default(),
            page: None,
            fresh_at: Instant::now(),
            printer,
            terminal,
            language,
            paper,
            fresh: false,
        };
        let sale_open = dialogue.known().await?.sale_open;
        let began = DoctorInput::Began { sale_open, symptom };
        dialogue.input(began).await?;
        Ok(dialogue)
    }

    /// What the person typed after `d`; false when it is no answer to the open step.
    pub async fn answer(&mut self, text: &str) -> Result<bool, Problem> {
        let step = self.doctor.step();
        let Some(reply) = step.and_then(|step| Reply::parse(text, step)) else {
            return Ok(false);
        };
        self.input(DoctorInput::Replied(reply)).await?;
        Ok(true)
    }

    /// Looks again, because time has passed.
    pub async fn look(&mut self) -> Result<(), Problem> {
        let known = self.known().await?;
        let seen = match (self.page, known.page) {
            (Some((_, code)), Some((JobState::Done, evidence))) => {
                DoctorInput::Printed { code, evidence }
            }
            // Nobody knows what is on the paper: somebody may look.
            (Some((_, code)), Some((JobState::Unknown(_), _))) => DoctorInput::Printed {
                code,
                evidence: Evidence::HandedOver,
            },
            _ if Instant::now() < self.fresh_at && self.is_old_news(&known.sight) => return Ok(()),
            _ => DoctorInput::Saw(known.sight),
        };
        self.input(seen).await?;
        self.input(DoctorInput::Tick).await
    }

    fn is_old_news(&self, sight: &Sight) -> bool {
        let before = self.doctor.sight();
        before.is_some_and(|before| before.is_blocked() && sight.is_blocked())
    }

    /// True when the dialogue has ended.
    pub fn is_over(&self) -> bool {
        self.doctor.outcome().is_some()
    }

    async fn input(&mut self, input: DoctorInput) -> Result<(), Problem> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let asked = self.doctor.step() == Some(Step::ReadCode);
            let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
            let (records, effects) = self.doctor.decide(now_us, input);
            for record in &records {
                self.doctor.apply(record);
            }
            if asked && self.doctor.step() != Some(Step::ReadCode) {
                self.page = None;
            }
            for effect in effects {
                match effect {
                    DoctorEffect::Show => self.fresh = true,
                    DoctorEffect::Recover => self.tell(SpoolInput::Resume)?,
                    DoctorEffect::Look if self.doctor.step() != Some(Step::Look) => {
                        self.fresh_at = Instant::now() + FRESH;
                    }
                    DoctorEffect::Look => {
                        inputs.push_back(DoctorInput::Saw(self.known().await?.sight));
                    }
                    // A page that is held comes out by itself.
                    DoctorEffect::PrintTestPage if self.page.is_some() => {}
                    DoctorEffect::PrintTestPage => self.print()?,
                }
            }
        }
        Ok(())
    }

    /// The open step or the end.
    pub fn view(&self, language: Language) -> Option<View> {
        self.doctor.view(language)
    }

    /// Whether something is to be shown since this was last asked.
    pub fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// The service ticket, once it came to one.
    pub fn ticket(&self) -> Option<ServiceTicket> {
        let Some(Outcome::Ticket(_)) = self.doctor.outcome() else {
            return None;
        };
        let printer = Printer {
            address: self.printer.clone(),
            ..Printer::default()
        };
        Some(self.doctor.ticket(printer, crate::driver::wall().text()))
    }

    fn print(&mut self) -> Result<(), Problem> {
        let random = crate::driver::random();
        let code = u16::from_le_bytes([random[0], random[1]]) % 10_000;
        let now = crate::driver::wall();
        let slip_id = PAGES + now.0.unsigned_abs();
        self.page = Some((slip_id, code));
        self.tell(SpoolInput::Submit {
            slip_id,
            fields: test_page(code, &self.terminal, &now.text()),
            copy: CopyOf::Merchant,
            language: self.language,
            paper: self.paper,
        })
    }

    fn tell(&self, input: SpoolInput) -> Result<(), Problem> {
        self.handle
            .send(Input::One(0, Box::new(terminal::Input::Printer(input))))
            .map_err(|refused| format!("{refused:?}"))
    }

    async fn known(&self) -> Result<Known, Problem> {
        let page = self.page.map(|(slip_id, _)| slip_id);
        let known = self.handle.look(move |fleet, now| {
            let terminal = fleet.terminal(0)?;
            let state = terminal.state();
            let spool = state.spool();
            let mut sight = seen(spool, now);
            sight.result_pending = state.open().is_some();
            if !terminal.config().prints {
                sight.off.get_or_insert_with(|| SwitchedOff {
                    by: "config file".to_owned(),
                    since: String::new(),
                });
            }
            let known = |slip_id| {
                spool
                    .evidence(slip_id)
                    .map(|(state, level, _)| (state, level))
            };
            Some(Known {
                sale_open: state.open().is_some() || spool.unfinished() > 0,
                page: page.and_then(known),
                sight,
            })
        });
        let known = known.await.map_err(|refused| format!("{refused:?}"))?;
        known.ok_or_else(|| "no terminal".to_owned())
    }
}

/// What a spool knows of its printer.
fn seen(spool: &Spool, now: payment::Now) -> Sight {
    let last = spool.last().filter(|slip_id| *slip_id < PAGES);
    let off = spool.switched_off().map(|(by, since_us)| {
        let ago_ms = now.mono.0.saturating_sub(since_us) / 1_000;
        let since = now.wall.0.saturating_sub_unsigned(ago_ms);
        SwitchedOff {
            by: by.to_owned(),
            since: payment::Wall(since).text(),
        }
    });
    Sight {
        status: spool.printer(),
        off,
        last_print: last
            .and_then(|slip_id| spool.evidence(slip_id))
            .map(|(state, evidence, _)| (state, evidence)),
        waiting: u32::try_from(spool.unfinished()).unwrap_or(u32::MAX),
        ..Sight::default()
    }
}
