//! The installation test on real TCP: an honest printer is trusted, and no way of lying that ours knows earns as much.

use crate::runtime;
use counterfoil::printer::Bench;
use receipt::acceptance::{Acceptance, AcceptanceEffect, AcceptanceInput, Accepted, Proof, Step};
use receipt::virtual_printer::{Echo, Fault, Told};
use receipt::{Paper, VirtualPrinter};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// As fast as a printer can be and still be believed.
const SPEED_MM_PER_S: u32 = 400;
const IDS: [[u8; 4]; 4] = [*b"k2F~", *b"pO0%", *b"9zQ!", *b"aB3d"];
const CODE: u16 = 4_071;
/// Into the slip, and until the cause is taken away again.
const ACT: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(2_300)];

type Lie = (&'static str, fn(&mut VirtualPrinter));

const LIES: [Lie; 12] = [
    ("knows no IDs", |p| p.set_echo(Echo::Absent)),
    ("always 1234", |p| p.set_echo(Echo::Constant)),
    ("when read", |p| p.set_echo(Echo::Parsed)),
    ("half is lost", |p| p.set_echo(Echo::Lost)),
    ("late", |p| p.set_echo(Echo::Late)),
    ("another ID", |p| p.set_echo(Echo::WrongId)),
    ("prints nothing", |p| p.set_echo(Echo::NothingPrinted)),
    ("always well", |p| p.set_told(Told::AlwaysWell)),
    ("a cheap copy", |p| p.set_told(Told::Clone)),
    ("upside-down roll", |p| p.set_blank(true)),
    ("never answers", |p| p.set_fault(Fault::Silent, true)),
    ("prints in no time", |p| p.set_speed(None)),
];

#[test]
fn printer_that_lies_is_never_trusted() {
    let runtime = runtime();
    let install = |lie: Option<fn(&mut VirtualPrinter)>| {
        let bench = Bench::new(Paper::Mm58);
        bench.with(|printer| {
            printer.set_speed(Some(SPEED_MM_PER_S));
            if let Some(lie) = lie {
                lie(printer);
            }
        });
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("its address");
        runtime.spawn(bench.clone().serve(listener));
        std::thread::spawn(move || accept(&bench, address))
    };
    let honest = install(None);
    let liars: Vec<_> = LIES.map(|(name, lie)| (name, install(Some(lie)))).into();
    let honest = honest.join().expect("no panic");
    assert_eq!((honest.proof, honest.failed), (Proof::Completed, None));
    assert_eq!(honest.device.maker, "COUNTERFOIL");
    for (name, liar) in liars {
        let accepted = liar.join().expect("no panic");
        println!(
            "{name}: {:?}, failed at {:?}",
            accepted.proof, accepted.failed
        );
        assert!(accepted.proof < Proof::Completed, "{name}: {accepted:?}");
        assert!(accepted.failed.is_some(), "{name}");
    }
}

/// Runs the installation test; a person opens the cover, lifts the roll and reads the paper as asked.
fn accept(bench: &Bench, address: SocketAddr) -> Accepted {
    let mut line = TcpStream::connect(address).expect("the printer listens");
    line.set_read_timeout(Some(Duration::from_millis(10)))
        .expect("a time-out");
    let start = Instant::now();
    let mut acceptance = Acceptance::new(IDS, CODE);
    let mut inputs = vec![AcceptanceInput::Begin];
    let mut acts: Vec<(Instant, Fault, bool)> = Vec::new();
    loop {
        let now_us = start.elapsed().as_micros() as u64;
        let mut bytes = [0; 1_024];
        match line.read(&mut bytes) {
            Ok(0) => inputs.push(AcceptanceInput::Lost),
            Ok(count) => inputs.push(AcceptanceInput::Heard(bytes[..count].to_vec())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        if acceptance.deadline().is_some_and(|due_us| due_us <= now_us) {
            inputs.push(AcceptanceInput::Tick);
        }
        acts.retain(|(at, fault, on)| {
            let later = *at > Instant::now();
            if !later {
                bench.with(|printer| printer.set_fault(*fault, *on));
            }
            later
        });
        for input in std::mem::take(&mut inputs) {
            for effect in acceptance.take(now_us, input) {
                match effect {
                    AcceptanceEffect::Send(bytes) => line.write_all(&bytes).expect("it is sent"),
                    AcceptanceEffect::Over(accepted) => return accepted,
                    AcceptanceEffect::Show(step) => {
                        inputs.extend(person(bench, step, &mut acts));
                    }
                }
            }
        }
    }
}

/// What the person does when this step is shown.
fn person(
    bench: &Bench,
    step: Step,
    acts: &mut Vec<(Instant, Fault, bool)>,
) -> Option<AcceptanceInput> {
    let fault = match step {
        Step::Cover => Fault::CoverOpen,
        Step::Paper => Fault::PaperOut,
        Step::Eyes => {
            // Whoever reads the paper waits until it is there.
            std::thread::sleep(Duration::from_secs(3));
            let papers = bench.with(|printer| {
                let whole = printer.papers().iter().map(|paper| paper.text.clone());
                whole.chain([printer.unfinished().text]).collect::<String>()
            });
            let code = papers
                .lines()
                .map(str::trim)
                .rfind(|line| line.len() == 4 && line.bytes().all(|byte| byte.is_ascii_digit()));
            return Some(AcceptanceInput::Typed(code.unwrap_or("0000").to_owned()));
        }
        Step::Identify | Step::Echo | Step::Speed => return None,
    };
    let now = Instant::now();
    acts.push((now + ACT[0], fault, true));
    acts.push((now + ACT[1], fault, false));
    Some(AcceptanceInput::Ready)
}
