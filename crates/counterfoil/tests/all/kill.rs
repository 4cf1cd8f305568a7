//! A party killed in the middle of its work: every answer that left is in the journal when it comes back (D1).

use crate::echo::{body, number, start, terminal_frame};
use crate::runtime;
use counterfoil::link::{Inbound, Limits, listen_terminals};
use iso8583::frame::{Framing, open_terminal};
use payment::Party;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const JOURNAL: &str = "COUNTERFOIL_TEST_JOURNAL";
const TERMINALS: u64 = 8;

/// This test runs itself again as the process to kill.
#[test]
fn nothing_answered_is_lost_by_a_kill() {
    if let Ok(journal) = std::env::var(JOURNAL) {
        serve(Path::new(&journal));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("echo.db");
    let next = Arc::new(AtomicU64::new(1));
    let mut answered = Vec::new();
    for round in 0..10 {
        let mut party = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "kill::nothing_answered_is_lost_by_a_kill",
                "--nocapture",
            ])
            .env(JOURNAL, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(party.stdout.take().expect("its output"));
        let port: u16 = output
            .lines()
            .find_map(|line| {
                line.expect("text")
                    .split_once("port ")
                    .and_then(|(_, port)| port.parse().ok())
            })
            .expect("it says its port");
        let count = Arc::new(AtomicU64::new(0));
        let terminals: Vec<_> = (0..TERMINALS)
            .map(|_| {
                let (next, count) = (Arc::clone(&next), Arc::clone(&count));
                std::thread::spawn(move || ask_until_killed(port, &next, &count))
            })
            .collect();
        // Killed while requests are under way, each round at another point.
        while count.load(Relaxed) < 200 + round * 37 {
            std::thread::yield_now();
        }
        party.kill().expect("it is killed");
        party.wait().expect("it is gone");
        answered.extend(
            terminals
                .into_iter()
                .flat_map(|terminal| terminal.join().expect("no panic")),
        );
    }
    let driver = start(&path);
    let heard: BTreeMap<u64, u64> = driver
        .handle()
        .look_blocking(|echo, _| echo.state().heard.clone())
        .expect("it answers");
    for n in &answered {
        assert_eq!(heard.get(n), Some(&1), "{n} was answered");
    }
    assert!(heard.values().all(|times| *times == 1));
    driver.stop().expect("it stops");
}

/// Asks one question after the other, and gives those that were answered.
fn ask_until_killed(port: u16, next: &AtomicU64, count: &AtomicU64) -> Vec<u64> {
    let mut answered = Vec::new();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return answered;
    };
    loop {
        let n = next.fetch_add(1, Relaxed);
        let mut frame = terminal_frame(n);
        if stream.write_all(&frame).is_err() || stream.read_exact(&mut frame).is_err() {
            return answered;
        }
        assert_eq!(
            number(open_terminal(&frame).expect("a frame").1),
            number(&body(n))
        );
        answered.push(n);
        count.fetch_add(1, Relaxed);
    }
}

/// The process that is killed.
fn serve(path: &Path) -> ! {
    let driver = start(path);
    let runtime = runtime();
    let listening = runtime
        .block_on(async {
            let handle = driver.handle().clone();
            listen_terminals(
                ([127, 0, 0, 1], 0).into(),
                Framing::Terminal,
                Inbound::Plain,
                Limits::default(),
                handle,
            )
        })
        .expect("it listens");
    println!("port {}", listening.address().port());
    // It also ends when the test that started it is gone.
    let why = driver.join();
    panic!("nobody asked it to stop: {why:?}");
}
