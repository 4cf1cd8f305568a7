//! The installation test on real TCP: an honest printer is trusted, and no way of lying that ours knows earns as much.

use crate::runtime;
use counterfoil::printer::{Bench, Unguessable, accept};
use receipt::acceptance::{Accepted, Proof, Step};
use receipt::virtual_printer::{Echo, Fault, Told};
use receipt::{Paper, VirtualPrinter};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;

/// As fast as a printer can be and still be believed.
const SPEED_MM_PER_S: u32 = 400;
const UNGUESSABLE: Unguessable = Unguessable {
    ids: [*b"k2F~", *b"pO0%", *b"9zQ!", *b"aB3d"],
    code: 4_071,
};
/// Into the slip, and from there until the cause is taken away again.
const ACT: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];

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
        runtime.spawn(test(bench, address))
    };
    let honest = install(None);
    let liars: Vec<_> = LIES.map(|(name, lie)| (name, install(Some(lie)))).into();
    let honest = runtime.block_on(honest).expect("no panic");
    assert_eq!((honest.proof, honest.failed), (Proof::Completed, None));
    assert_eq!(honest.device.maker, "COUNTERFOIL");
    for (name, liar) in liars {
        let accepted = runtime.block_on(liar).expect("no panic");
        println!(
            "{name}: {:?}, failed at {:?}",
            accepted.proof, accepted.failed
        );
        assert!(accepted.proof < Proof::Completed, "{name}: {accepted:?}");
        assert!(accepted.failed.is_some(), "{name}");
    }
}

/// Runs the installation test; a person opens the cover, lifts the roll and reads the paper as asked.
async fn test(bench: Bench, address: SocketAddr) -> Accepted {
    let (person, said) = mpsc::channel(1);
    let address = address.into();
    let tested = accept(&address, UNGUESSABLE, said, |step| {
        tokio::spawn(react(bench.clone(), step, person.clone()));
    });
    tested.await.expect("the printer listens").accepted
}

/// What the person does when this step is shown.
async fn react(bench: Bench, step: Step, says: mpsc::Sender<String>) {
    let fault = match step {
        Step::Cover => Fault::CoverOpen,
        Step::Paper => Fault::PaperOut,
        Step::Eyes => {
            // Whoever reads the paper waits until it is there.
            tokio::time::sleep(Duration::from_secs(3)).await;
            let papers = bench.with(|printer| {
                let whole = printer.papers().iter().map(|paper| paper.text.clone());
                whole.chain([printer.unfinished().text]).collect::<String>()
            });
            let code = code_on(&papers).unwrap_or_else(|| "0000".to_owned());
            let _ = says.send(code).await;
            return;
        }
        Step::Identify | Step::Echo | Step::Speed => return,
    };
    let _ = says.send(String::new()).await;
    for (after, on) in ACT.into_iter().zip([true, false]) {
        tokio::time::sleep(after).await;
        bench.with(|printer| printer.set_fault(fault, on));
    }
}

/// The number that stands on the paper, alone on its line.
pub fn code_on(papers: &str) -> Option<String> {
    let mut lines = papers.lines().map(str::trim);
    lines
        .rfind(|line| line.len() == 4 && line.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
}
