//! The printing doctor on real TCP: each fault of the virtual printer leads to its row first, and ends when it is removed.

use crate::installation::{Installation, Process, free_port, local, start_till};
use crate::{runtime, wait_until};
use counterfoil::printer::Bench;
use receipt::Paper;
use serde_json::Value;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A virtual printer on a port, and whoever else may listen there.
struct Desk {
    runtime: Runtime,
    port: u16,
    bench: Bench,
}

impl Desk {
    fn at(port: u16) -> Desk {
        Desk {
            runtime: runtime(),
            port,
            bench: Bench::new(Paper::Mm58),
        }
    }

    fn with_printer() -> Desk {
        let desk = Desk::at(free_port());
        desk.serve();
        desk
    }

    fn listener(&self) -> TcpListener {
        self.runtime
            .block_on(TcpListener::bind(local(self.port)))
            .expect("a free port")
    }

    fn serve(&self) {
        let listener = self.listener();
        self.runtime.spawn(self.bench.clone().serve(listener));
    }

    fn do_to_printer(&self, word: &str) {
        assert!(self.bench.obey(word), "{word}");
    }

    /// The code on the page that came out after `seen` others.
    fn code(&self, seen: usize) -> String {
        let mut code = None;
        wait_until("a test page comes out", || {
            code = self.bench.with(|printer| {
                let slips = printer.papers_after(seen);
                let mut lines = slips.iter().flat_map(|slip| slip.text.lines());
                lines.find(|line| is_code(line)).map(str::to_owned)
            });
            code.is_some()
        });
        code.expect("just waited for").trim().to_owned()
    }

    fn pages(&self) -> usize {
        self.bench.with(|printer| printer.papers_total())
    }

    fn call_doctor(&self, more: &[&str]) -> Visit {
        let address = local(self.port).to_string();
        let mut command = Installation::command(&["doctor", "--json", "--printer", &address]);
        let mut visit = Visit(Process::spawn(command.args(more).stdin(Stdio::piped())));
        visit.expect("look", None);
        visit
    }
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    line.len() == 4 && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// A dialogue with the command.
struct Visit(Process);

impl Visit {
    /// The very next step.
    #[track_caller]
    fn expect(&mut self, kind: &str, fault: Option<&str>) -> Value {
        let view: Value = serde_json::from_str(&self.0.expect_line("{")).expect("JSON");
        assert_eq!(
            (view["kind"].as_str(), view["fault"].as_str()),
            (Some(kind), fault),
            "{view}"
        );
        view
    }

    fn say(&mut self, line: &str) {
        assert!(self.0.tell(line));
    }

    /// The page is printed and its code read: solved.
    #[track_caller]
    fn prove(&mut self, desk: &Desk, seen: usize, fault: &str) {
        self.expect("print", Some(fault));
        self.expect("read-code", Some(fault));
        self.say(&desk.code(seen));
        let view = self.expect("fixed", Some(fault));
        assert!(!view["money"].as_str().expect("a sentence").is_empty());
        assert_eq!(self.0.wait().code(), Some(0));
    }
}

#[test]
fn a_fault_that_the_printer_tells_leads_to_its_row() {
    for (bring, end, asked, fault) in [
        ("out", "paper", 0, "paper-out"),
        ("open", "close", 0, "cover-open"),
        ("break", "repair", 1, "unrecoverable"),
        ("hot", "cool", 1, "head-hot"),
        ("press", "release", 0, "not-ready"),
    ] {
        let desk = Desk::with_printer();
        desk.do_to_printer(bring);
        let mut visit = desk.call_doctor(&[]);
        for _ in 0..asked {
            visit.expect("ask", Some(fault));
            visit.say("no");
        }
        visit.expect("do", Some(fault));
        let seen = desk.pages();
        desk.do_to_printer(end);
        visit.prove(&desk, seen, fault);
    }
}

#[test]
fn a_cutter_that_sticks_while_the_page_is_cut() {
    let desk = Desk::with_printer();
    desk.do_to_printer("stick");
    let mut visit = desk.call_doctor(&[]);
    visit.expect("print", None);
    visit.expect("do", Some("cutter-stuck"));
    desk.do_to_printer("free");
    // The page that was held comes out by itself.
    visit.expect("read-code", Some("cutter-stuck"));
    visit.say(&desk.code(0));
    visit.expect("fixed", Some("cutter-stuck"));
    assert_eq!(desk.pages(), 1);
    assert_eq!(visit.0.wait().code(), Some(0));
}

#[test]
fn a_cable_that_is_out_and_a_port_that_is_closed() {
    let desk = Desk::with_printer();
    desk.do_to_printer("unplug");
    let mut visit = desk.call_doctor(&[]);
    visit.expect("ask", Some("held-elsewhere"));
    visit.say("no");
    visit.expect("do", Some("data-cable"));
    desk.do_to_printer("plug");
    visit.prove(&desk, 0, "data-cable");

    let desk = Desk::at(free_port());
    let mut visit = desk.call_doctor(&[]);
    visit.expect("do", Some("wrong-port"));
    desk.serve();
    visit.prove(&desk, 0, "wrong-port");
}

#[test]
fn what_answers_like_a_web_page_is_no_printer() {
    let desk = Desk::at(free_port());
    let web = serve_web(&desk);
    let mut visit = desk.call_doctor(&[]);
    visit.expect("do", Some("wrong-device"));
    desk.runtime.block_on(async {
        web.abort();
        let _ = web.await;
    });
    desk.serve();
    visit.prove(&desk, 0, "wrong-device");
}

/// Refuses everything, in words.
fn serve_web(desk: &Desk) -> JoinHandle<()> {
    let listener = desk.listener();
    desk.runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 64];
            let read = stream.read(&mut bytes).await;
            assert!(
                !bytes.starts_with(b"\x1B@"),
                "a page was sent to it: {read:?}"
            );
            let _ = stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
    })
}

#[test]
fn a_roll_upside_down_is_found_by_eyes_only() {
    let desk = Desk::with_printer();
    desk.do_to_printer("blank");
    let mut visit = desk.call_doctor(&[]);
    visit.expect("print", None);
    visit.expect("read-code", None);
    visit.say("no");
    let asked = visit.expect("ask", None);
    assert_eq!(asked["choices"][1][0], "blank");
    visit.say("2");
    visit.expect("do", Some("blank-slip"));
    desk.do_to_printer("good");
    let seen = desk.pages();
    visit.say("yes");
    visit.prove(&desk, seen, "blank-slip");
}

#[test]
fn a_well_printer_a_ticket_and_a_stop_have_their_exit_codes() {
    let desk = Desk::with_printer();
    let mut visit = desk.call_doctor(&[]);
    visit.expect("print", None);
    visit.expect("read-code", None);
    visit.say(&desk.code(0));
    visit.expect("healthy", None);
    assert_eq!(visit.0.wait().code(), Some(0));

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ticket.json");
    desk.do_to_printer("break");
    let mut visit = desk.call_doctor(&["--ticket", path.to_str().expect("a path")]);
    visit.expect("ask", Some("unrecoverable"));
    visit.say("no");
    visit.expect("do", Some("unrecoverable"));
    visit.say("yes");
    visit.expect("ticket", Some("unrecoverable"));
    assert_eq!(visit.0.wait().code(), Some(1));
    let text = std::fs::read_to_string(&path).expect("the ticket");
    let ticket: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(ticket["fault"], "unrecoverable");
    assert_eq!(ticket["parts"][0], "head");
    assert_eq!(ticket["printer"]["address"], local(desk.port).to_string());
    assert_eq!(ticket["steps"].as_array().map(Vec::len), Some(3));

    let mut visit = desk.call_doctor(&[]);
    visit.expect("ask", Some("unrecoverable"));
    visit.say("smoke");
    let stop = visit.expect("stop", Some("water-or-burn"));
    assert_eq!(stop["money"], Value::Null);
    assert_eq!(visit.0.wait().code(), Some(2));
}

#[test]
fn at_the_till_the_spool_is_asked_and_everything_else_goes_on() {
    let installation = Installation::new([200, 300, 400, 600]);
    let desk = Desk::at(installation.ports().printer);
    desk.serve();
    desk.do_to_printer("out");
    let mut till = start_till(&installation.terminal(1, &[]));
    till.tell("doctor");
    let step = |till: &mut Process, kind: &str| -> Value {
        let line = till.expect_line(&format!("\"kind\":\"{kind}\""));
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(step(&mut till, "do")["fault"], "paper-out");
    till.tell("status");
    till.expect_line("next trace");
    desk.do_to_printer("paper");
    step(&mut till, "read-code");
    till.tell(&format!("d {}", desk.code(0)));
    assert_eq!(step(&mut till, "fixed")["fault"], "paper-out");
    till.tell("quit");
    assert!(till.wait().success());
}
