//! A receipt printer that is none of ours: emupos judges what a real terminal sends it, and answers in its own words.
//!
//! What is on its paper is read by Python, its QR codes from the picture; what left the terminal is read by our own
//! printer; both must say the same.

use super::independent::interpreter;
use crate::installation::{Installation, Process, free_port, local, repository, start_till};
use crate::wait_until;
use receipt::escpos::STATUS_QUESTION;
use receipt::{Paper, Status, Trouble, VirtualPrinter};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// emupos, and everything that a terminal sent it.
struct Judge {
    _process: Process,
    folder: PathBuf,
    port: u16,
    control: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

/// A piece of paper as Python reads it.
#[derive(Debug)]
struct Piece {
    text: String,
    qr: Vec<String>,
}

#[test]
fn emupos_prints_what_was_sent() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let judge = Judge::start(&installation);
    let _hosts = installation.start_hosts();
    let mut till = start_till(&installation.terminal(1, &[]));
    till.expect_screen("signed-on");
    till.tell("sale 38.00");
    till.expect_screen("approved");
    let originals = judge.pieces(2);

    // Without paper nothing comes out; with a new roll every slip does, once.
    judge.set("paper-out", true);
    till.tell("sale 12.50");
    till.expect_screen("approved");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(judge.read().len(), originals.len());
    judge.set("paper-out", false);
    let all = judge.pieces(4);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(judge.read().len(), 4, "each slip once");

    let ours = judge.as_we_read_it();
    assert_eq!(ours.len(), all.len());
    for (theirs, ours) in all.iter().zip(&ours) {
        assert_eq!(words(&theirs.text), words(ours));
        assert_eq!(
            theirs.qr,
            qr_of(ours),
            "the QR codes of the picture: {ours}"
        );
        assert_eq!(theirs.qr.len(), 1, "the e-slip's link: {ours}");
    }
    for (piece, amount) in all.iter().zip(["38.00", "38.00", "12.50", "12.50"]) {
        for said in ["POS签购单", "商户编号", &format!("￥{amount}")] {
            assert!(piece.text.contains(said), "{said} in {}", piece.text);
        }
        assert!(!piece.text.contains("DUPLICATED"), "{}", piece.text);
    }
    println!("{} pieces of paper read alike, Chinese included", all.len());
}

#[test]
fn emupos_answers_as_the_table_says() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let judge = Judge::start(&installation);
    let mut line = TcpStream::connect(local(judge.port)).expect("emupos listens");
    line.set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time-out");
    let mut ask = || {
        line.write_all(&STATUS_QUESTION).expect("it is sent");
        let mut four = [0; 4];
        line.read_exact(&mut four).expect("four answers");
        four
    };
    for (fault, expected, trouble, paper_low) in [
        ("", [0x12, 0x12, 0x12, 0x12], None, false),
        ("paper-near-end", [0x12, 0x12, 0x12, 0x1E], None, true),
        (
            "paper-out",
            [0x1A, 0x32, 0x12, 0x7E],
            Some(Trouble::PaperOut),
            true,
        ),
        (
            "cover-open",
            [0x1A, 0x16, 0x12, 0x12],
            Some(Trouble::CoverOpen),
            false,
        ),
    ] {
        if !fault.is_empty() {
            judge.set(fault, true);
        }
        let answered = ask();
        assert_eq!(answered, expected, "{fault}");
        assert_eq!(
            Status::from_realtime(answered),
            Status { trouble, paper_low }
        );
        if !fault.is_empty() {
            judge.set(fault, false);
        }
    }
    assert_eq!(ask(), [0x12; 4]);
}

impl Judge {
    fn start(installation: &Installation) -> Judge {
        let (port, control) = (free_port(), free_port());
        let folder = installation.path("paper");
        std::fs::create_dir(&folder).expect("a folder");
        let mut command = Command::new(interpreter());
        command
            .arg("-B")
            .arg(repository().join("tests/python/printer.py"))
            .arg("serve")
            .arg(&folder)
            .args([port.to_string(), control.to_string()]);
        let mut process = Process::spawn(&mut command);
        process.expect_line("emupos ready");
        let sent = Arc::default();
        let listener = TcpListener::bind(local(installation.ports().printer)).expect("a port");
        let kept = Arc::clone(&sent);
        std::thread::spawn(move || {
            for terminal in listener.incoming().flatten() {
                overhear(terminal, port, &kept);
            }
        });
        Judge {
            _process: process,
            folder,
            port,
            control,
            sent,
        }
    }

    /// Brings one of its faults about, or ends it.
    fn set(&self, fault: &str, on: bool) {
        let address = format!(
            "http://127.0.0.1:{}/api/v1/devices/judge/faults/{fault}",
            self.control
        );
        let answer = if on {
            ureq::put(address).send_empty()
        } else {
            ureq::delete(address).call()
        };
        assert_eq!(answer.expect("emupos answers").status().as_u16(), 204);
    }

    /// Waits until so many pieces are there.
    fn pieces(&self, count: usize) -> Vec<Piece> {
        let files = || {
            std::fs::read_dir(&self.folder)
                .expect("the folder")
                .flatten()
        };
        let whole = || files().filter(|f| f.path().extension() == Some("json".as_ref()));
        for _ in 0..6 {
            if whole().count() >= count {
                break;
            }
            // A printer that never answers an ID is waited for before the next slip.
            std::thread::sleep(Duration::from_secs(5));
        }
        wait_until("the slips are on paper", || whole().count() >= count);
        self.read()
    }

    fn read(&self) -> Vec<Piece> {
        let output = Command::new(interpreter())
            .arg("-B")
            .arg(repository().join("tests/python/printer.py"))
            .arg("read")
            .arg(&self.folder)
            .output()
            .expect("Python starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).expect("text");
        let pieces = lines.lines().map(|line| {
            let piece: Value = serde_json::from_str(line).expect("JSON");
            let codes = piece["qr"].as_array().expect("a list").iter();
            Piece {
                text: piece["text"].as_str().expect("text").to_owned(),
                qr: codes
                    .map(|code| code.as_str().expect("text").to_owned())
                    .collect(),
            }
        });
        pieces.collect()
    }

    /// What our own printer makes of everything that the terminal sent.
    fn as_we_read_it(&self) -> Vec<String> {
        let mut printer = VirtualPrinter::new(Paper::Mm58);
        for piece in self.sent.lock().expect("no panic").chunks(1_024) {
            printer.hear(piece);
        }
        assert_eq!(printer.realtime_in_pictures(), 0);
        let papers = printer.papers().iter();
        papers.map(|piece| piece.text.clone()).collect()
    }
}

/// Passes bytes on both ways until either side is gone, and keeps those of the terminal.
fn overhear(mut terminal: TcpStream, port: u16, kept: &Arc<Mutex<Vec<u8>>>) {
    let mut printer = TcpStream::connect(local(port)).expect("emupos listens");
    let mut answers = printer.try_clone().expect("a second handle");
    let mut back = terminal.try_clone().expect("a second handle");
    std::thread::spawn(move || {
        // Either side may be gone: then the other is closed too.
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        kept.lock().expect("no panic").extend(&bytes[..count]);
        if printer.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = printer.shutdown(Shutdown::Both);
}

/// The words of a text without its blanks, and without what stands for a QR code.
fn words(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.to_lowercase().trim().starts_with("[qr "));
    lines
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

fn qr_of(text: &str) -> Vec<String> {
    let codes = text.lines().map(str::trim);
    codes
        .filter_map(|line| line.strip_prefix("[QR ")?.strip_suffix(']'))
        .map(str::to_owned)
        .collect()
}
