//! `counterfoil doctor`: what is wrong with a printer, one step at a time, on a connection of its own.
//!
//! It looks before it asks and sends nothing but questions to what has not answered like a printer.

mod probe;

use super::terminal::read_lines;
use super::{Failure, runtime};
use probe::{Found, Probe};
use receipt::doctor::{Doctor, Outcome, Reply, Step, Symptom, View};
use receipt::{DoctorEffect, DoctorInput, Language};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the printer listens
    #[arg(long)]
    printer: SocketAddr,
    /// The model it should be, as it names itself
    #[arg(long)]
    model: Option<String>,
    /// What the paper looks like, when that is the complaint
    #[arg(long, value_parser = symptom_names())]
    symptom: Option<String>,
    /// Writes the service ticket here: text, or JSON with --json
    #[arg(long)]
    ticket: Option<PathBuf>,
    /// Shows every step as one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A printer is looked at this often while a person is busy with it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let language = if zh { Language::Zh } else { Language::En };
    let mut dialogue = Dialogue {
        started: Instant::now(),
        doctor: Doctor::default(),
        probe: Probe::new(arguments.printer, arguments.model.clone(), language),
        lines: read_lines(None)?,
        language,
        json: arguments.json,
    };
    let symptom = Symptom::ALL
        .into_iter()
        .find(|symptom| Some(symptom.id()) == arguments.symptom.as_deref());
    let outcome = runtime()?.block_on(dialogue.converse(symptom));
    let ticket = dialogue
        .doctor
        .ticket(dialogue.probe.printer(), crate::driver::wall().text());
    let text = if arguments.json {
        serde_json::to_string_pretty(&ticket).map_err(|error| error.to_string())? + "\n"
    } else {
        ticket.text(language)
    };
    match &arguments.ticket {
        Some(path) => {
            std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None if !arguments.json && matches!(outcome, Outcome::Ticket(_)) => print!("\n{text}"),
        None => {}
    }
    Ok(match outcome {
        Outcome::Healthy | Outcome::Fixed(_) => ExitCode::SUCCESS,
        Outcome::Ticket(_) => ExitCode::from(1),
        Outcome::Stop => ExitCode::from(2),
    })
}

fn symptom_names() -> clap::builder::PossibleValuesParser {
    Symptom::ALL.map(Symptom::id).into()
}

struct Dialogue {
    started: Instant,
    doctor: Doctor,
    probe: Probe,
    lines: mpsc::Receiver<String>,
    language: Language,
    json: bool,
}

impl Dialogue {
    async fn converse(&mut self, symptom: Option<Symptom>) -> Outcome {
        // Whether a sale is open is not known here, so it may be.
        let began = DoctorInput::Began {
            sale_open: true,
            symptom,
        };
        let mut inputs = VecDeque::from([began]);
        loop {
            while let Some(input) = inputs.pop_front() {
                for effect in self.take(input) {
                    inputs.extend(self.perform(effect).await);
                }
            }
            if let Some(outcome) = self.doctor.outcome() {
                return outcome;
            }
            let line = tokio::time::timeout(LOOK_EVERY, self.lines.recv()).await;
            match line {
                Ok(line) => inputs.extend(self.typed(line)),
                Err(_) if self.doctor.step() != Some(Step::ReadCode) => {
                    inputs.extend(self.ask_probe(false).await);
                    inputs.push_back(DoctorInput::Tick);
                }
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, input: DoctorInput) -> Vec<DoctorEffect> {
        let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let asked = self.doctor.step() == Some(Step::ReadCode);
        let (records, effects) = self.doctor.decide(now_us, input);
        for record in &records {
            self.doctor.apply(record);
        }
        if asked && self.doctor.step() != Some(Step::ReadCode) {
            self.probe.forget_page();
        }
        effects
    }

    async fn perform(&mut self, effect: DoctorEffect) -> Vec<DoctorInput> {
        match effect {
            DoctorEffect::Show => {
                if let Some(view) = self.doctor.view(self.language) {
                    show(&view, self.json);
                }
                Vec::new()
            }
            DoctorEffect::Recover => {
                self.probe.recover().await;
                Vec::new()
            }
            DoctorEffect::Look => self.ask_probe(false).await,
            DoctorEffect::PrintTestPage => self.ask_probe(true).await,
        }
    }

    /// Looks, or prints, and hears meanwhile whether somebody sees smoke or has had enough.
    async fn ask_probe(&mut self, print: bool) -> Vec<DoctorInput> {
        let step = self.doctor.step();
        let mut typed = Vec::new();
        let found = {
            let found = async {
                match print {
                    true => self.probe.print().await,
                    false => self.probe.look().await,
                }
            };
            tokio::pin!(found);
            loop {
                let line = tokio::select! {
                    found = &mut found => break found,
                    line = self.lines.recv(), if typed.is_empty() => line,
                };
                let reply = step.and_then(|step| reply(line.as_deref(), step));
                match reply {
                    Some(reply @ (Reply::Stop | Reply::GiveUp)) => {
                        return vec![DoctorInput::Replied(reply)];
                    }
                    // An answer to the open step waits until the look is over.
                    Some(reply) => typed.push(DoctorInput::Replied(reply)),
                    None => {}
                }
            }
        };
        match found {
            // The look began before the answer: what the answer leads to looks again.
            _ if !typed.is_empty() => typed,
            Found::Sight(sight) => vec![DoctorInput::Saw(sight)],
            Found::Page(code, evidence) => vec![DoctorInput::Printed { code, evidence }],
        }
    }

    fn typed(&mut self, line: Option<String>) -> Option<DoctorInput> {
        let reply = reply(line.as_deref(), self.doctor.step()?);
        if reply.is_none()
            && let Some(view) = self.doctor.view(self.language)
            && !self.json
        {
            println!("   {}", view.hint);
        }
        reply.map(DoctorInput::Replied)
    }
}

/// A line read as a reply; nobody there any more means giving up.
fn reply(line: Option<&str>, step: Step) -> Option<Reply> {
    match line {
        Some(line) => Reply::parse(line, step),
        None => Some(Reply::GiveUp),
    }
}

/// Shows a step or the end, as JSON or as lines to read; the money on top of the first one.
pub(super) fn show(view: &View, json: bool) {
    if json {
        match serde_json::to_string(view) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{error}"),
        }
        return;
    }
    if let Some(money) = view.money.as_ref().filter(|_| view.number == 1) {
        println!("{money}");
    }
    let named = matches!(view.kind.as_str(), "do" | "swap");
    let name = view.name.as_ref().filter(|_| named);
    let name = name.map_or(String::new(), |name| format!("【{name}】"));
    let mark = match view.kind.as_str() {
        "healthy" | "fixed" => "✓".to_owned(),
        "ticket" | "stop" => "!".to_owned(),
        _ => view.number.to_string(),
    };
    println!("{mark:>2} {name}{}", view.text);
    for (place, (_, words)) in view.choices.iter().enumerate() {
        println!("   {:>2}  {words}", place + 1);
    }
    if !view.hint.is_empty() {
        println!("   {}", view.hint);
    }
}
