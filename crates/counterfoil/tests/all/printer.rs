//! The virtual printer as a program: its words, its page, its folder; and every line that may lead to a printer.

use crate::installation::{Installation, Process, free_port, get, local, start_till};
use crate::wait_until;
use counterfoil::config::terminal::TerminalFile;
use receipt::escpos::STATUS_QUESTION;
use receipt::virtual_printer::{Echo, Fault, Told};
use receipt::{Paper, VirtualPrinter};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};

/// A slip with an ID behind it.
const SLIP: &[u8] =
    b"\xC7\xA9\xB9\xBA\xB5\xA5\n\x1BE\x01\xD6\xD0 A&B <x>\n\x1DVB\x00\x1D(H\x06\x0000ABCD";

/// The program, where it listens and where its page is.
struct Shown {
    process: Process,
    port: u16,
    page: u16,
}

impl Shown {
    fn start(arguments: &[&str]) -> Shown {
        let (port, page) = (free_port(), free_port());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let mut command = Installation::command(&["printer", "--listen", &at(port), "--page"]);
        command.arg(at(page)).args(arguments).stdin(Stdio::piped());
        let mut process = Process::spawn(&mut command);
        process.expect_line("printer ready on");
        process.expect_line("page: http://");
        Shown {
            process,
            port,
            page,
        }
    }

    fn connect(&self) -> TcpStream {
        let line = TcpStream::connect(local(self.port)).expect("it listens");
        let patience = Some(Duration::from_secs(30));
        line.set_read_timeout(patience).expect("a time-out");
        line
    }

    fn page(&self, language: &str) -> String {
        let (status, text) = get(self.page, &format!("/?lang={language}")).expect("a page");
        assert_eq!(status, 200);
        text
    }

    /// Presses a button of the page as a browser does; the status of the answer.
    fn press(&self, word: &str, origin: &str) -> u16 {
        let address = format!("http://127.0.0.1:{}/do/{word}?lang=en", self.page);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let answer = agent.post(address).header("Origin", origin).send_empty();
        answer.expect("an answer").status().as_u16()
    }
}

fn answer(line: &mut TcpStream, bytes: &[u8], count: usize) -> Vec<u8> {
    line.write_all(bytes).expect("it is sent");
    let mut answer = vec![0; count];
    line.read_exact(&mut answer).expect("an answer");
    answer
}

#[test]
fn printer_page_shows_the_paper_and_troubles_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let mut shown = Shown::start(&["--folder", path, "--speed-mm", "500"]);
    let mut line = shown.connect();
    assert_eq!(answer(&mut line, SLIP, 7), b"\x37\x22ABCD\x00");
    shown.process.expect_line("kept as 0001");

    for (language, words) in [
        ("zh", ["一切正常，等候打印。", "打印出的纸：1 张", "全文"]),
        (
            "en",
            ["All is well.", "Paper that came out: 1", "Full text"],
        ),
    ] {
        let page = shown.page(language);
        for words in words {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(page.contains("签购单\n中 A&amp;B &lt;x&gt;"), "{page}");
        assert!(page.contains("http-equiv=\"refresh\""));
    }
    // The same picture on the page and in the folder.
    let (status, drawing) = get(shown.page, "/paper/1.svg").expect("a drawing");
    assert_eq!(status, 200);
    let kept = |name: &str| std::fs::read(folder.path().join(name)).expect(name);
    assert_eq!(drawing.as_bytes(), kept("0001.svg"));
    assert!(kept("0001.png").starts_with(b"\x89PNG\r\n\x1A\n"));
    assert_eq!(kept("0001.txt"), "签购单\n中 A&B <x>\n".as_bytes());
    for missing in ["/paper/2.svg", "/paper/0.png", "/paper/1.exe", "/paper/x"] {
        assert_eq!(get(shown.page, missing).expect("an answer").0, 404);
    }

    // A button, seen by the terminal's line and on the page; then the cure, and what was held comes out.
    let own = format!("http://127.0.0.1:{}", shown.page);
    assert_eq!(shown.press("out", &own), 303);
    assert_eq!(
        answer(&mut line, &STATUS_QUESTION, 4),
        [0x1A, 0x32, 0x12, 0x7E]
    );
    line.write_all(SLIP).expect("it is sent");
    assert!(shown.page("zh").contains("缺纸"));
    assert_eq!(shown.press("paper", "http://elsewhere.example"), 403);
    assert_eq!(shown.press("papr", &own), 404);
    assert_eq!(shown.press("paper", &own), 303);
    assert_eq!(answer(&mut line, b"", 7), b"\x37\x22ABCD\x00");
    shown.process.expect_line("kept as 0002");

    // A folder goes on where it stood.
    assert!(shown.process.stop().success());
    let mut again = Shown::start(&["--folder", path, "--speed-mm", "0"]);
    answer(&mut again.connect(), SLIP, 7);
    again.process.expect_line("kept as 0003");
    assert_eq!(std::fs::read_dir(folder.path()).expect("it").count(), 9);
}

#[test]
fn printer_answers_every_word_with_its_state() {
    let mut shown = Shown::start(&[]);
    for fault in Fault::ALL {
        let (bring, end) = fault.commands();
        shown.process.tell(bring);
        let said = shown.process.expect_line("state: ").to_lowercase();
        let words = fault.words().1.to_lowercase();
        assert!(said.contains(&words), "{bring}: {said}");
        shown.process.tell(end);
        let said = shown.process.expect_line("state: ");
        assert!(said.contains("All is well."), "{end}: {said}");
    }
    for (word, words) in Echo::ALL[1..]
        .iter()
        .map(|echo| (echo.command(), echo.words().1))
        .chain(
            Told::ALL[1..]
                .iter()
                .map(|told| (told.command(), told.words().1)),
        )
    {
        shown.process.tell(word);
        let said = shown.process.expect_line("state: ").to_lowercase();
        assert!(said.contains(&words.to_lowercase()), "{word}: {said}");
        for honest in ["honest", "truthful"] {
            shown.process.tell(honest);
            shown.process.expect_line("state: ");
        }
    }
    shown.process.tell("nonsense");
    shown.process.expect_line("? nonsense");
    shown.process.tell("quit");
    assert!(shown.process.wait().success());
}

#[test]
fn printer_out_of_reach_is_gone_at_once_and_comes_back() {
    for (bring, end, fresh) in [
        ("unplug", "plug", &[][..]),
        ("off", "on", &[0x10, 0x00, 0x00, 0x00][..]),
    ] {
        let mut shown = Shown::start(&["--speed-mm", "0"]);
        let mut line = shown.connect();
        assert_eq!(answer(&mut line, b"\x10\x04\x01", 1), [0x12]);
        shown.process.tell(bring);
        assert_eq!(line.read(&mut [0; 8]).expect("an end"), 0, "{bring}");
        shown.process.tell(end);
        shown.process.expect_line("All is well.");
        let said = answer(&mut shown.connect(), b"\x10\x04\x01", fresh.len() + 1);
        assert_eq!(said, [fresh, &[0x12]].concat());
    }
}

#[test]
fn printer_prints_in_its_own_time_and_stops_for_the_cover() {
    let mut shown = Shown::start(&["--speed-mm", "60"]);
    let mut line = shown.connect();
    let long = [&b"x\n".repeat(60)[..], b"\x1D(H\x06\x0000ABCD"].concat();
    line.write_all(&long).expect("it is sent");
    shown.process.tell("open");
    shown.process.expect_line("cover open");
    std::thread::sleep(Duration::from_secs(5));
    // The cover was open for longer than the slip takes: no ID came, only what was asked now.
    assert_eq!(answer(&mut line, b"\x10\x04\x02", 1), [0x16]);
    shown.process.tell("close");
    assert_eq!(answer(&mut line, b"", 7), b"\x37\x22ABCD\x00");
}

#[test]
fn printer_addresses_in_a_terminals_file() {
    let example = include_str!("../../../../examples/terminal.toml");
    let with = |address: &str| {
        let text = example.replace("127.0.0.1:9100", address);
        toml::from_str::<TerminalFile>(&text)
    };
    for good in [
        "127.0.0.1:9100",
        "tcp:printer.example:9100",
        "serial:/dev/ttyS0?baud=19200",
        "file:/dev/usb/lp0",
    ] {
        assert!(with(good).is_ok(), "{good}");
    }
    for wrong in ["printer", "usb:lp0", "serial:/dev/ttyS0?baud=12"] {
        let problem = with(wrong).expect_err(wrong).to_string();
        for said in ["printer =", wrong, "tcp:host:port", "serial:", "file:"] {
            assert!(problem.contains(said), "{said} in {problem}");
        }
    }
}

/// A terminal that prints on our machine behind a pseudo-terminal, as a serial port and as a device file.
#[test]
fn printer_behind_a_serial_port_or_a_device_file() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _hosts = installation.start_hosts();
    for (n, kind, setting) in [(1, "serial", "?baud=19200"), (2, "file", "")] {
        let runtime = crate::runtime();
        let (mut ours, device) = runtime.block_on(async {
            let (ours, theirs) = SerialStream::pair().expect("a pseudo-terminal");
            let device = theirs.name().expect("its name");
            (ours, device)
        });
        let address = format!("\"{kind}:{device}{setting}\"");
        let config = installation.terminal(n, &[("printer", &address)]);
        let mut till = start_till(&config);
        till.expect_screen("signed-on");
        // The same amount again, before the first till has reported, would be guarded.
        till.tell(&format!("sale 38.0{n}"));
        till.expect_screen("approved");
        let text = runtime.block_on(async {
            let mut printer = VirtualPrinter::new(Paper::Mm58);
            let mut bytes = [0; 1_024];
            let patience = tokio::time::Instant::now() + Duration::from_secs(60);
            while printer.papers_total() < 2 {
                assert!(tokio::time::Instant::now() < patience, "{kind}: no slips");
                // While nobody holds the other end, reading fails.
                match AsyncReadExt::read(&mut ours, &mut bytes).await {
                    Ok(count @ 1..) => {
                        let said = printer.hear(&bytes[..count]);
                        AsyncWriteExt::write_all(&mut ours, &said)
                            .await
                            .expect("it is sent");
                    }
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            printer
                .papers()
                .iter()
                .map(|p| p.text.clone())
                .collect::<String>()
        });
        assert_eq!(
            text.matches(&format!("￥38.0{n}")).count(),
            2,
            "{kind}: {text}"
        );
    }
}

/// A FIFO cannot be read back: what is written arrives, and nothing is ever answered.
#[test]
fn printer_that_can_only_be_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("lp0");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo runs").success());
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let _hosts = installation.start_hosts();
    let mut reader = open_for_reading(&fifo);
    let address = format!("\"file:{}\"", fifo.display());
    let mut till = start_till(&installation.terminal(1, &[("printer", &address)]));
    till.expect_screen("signed-on");
    till.tell("sale 38.00");
    till.expect_screen("approved");
    let mut heard = Vec::new();
    wait_until("the status question arrives", || {
        let mut bytes = [0; 1_024];
        if let Ok(count) = reader.read(&mut bytes) {
            heard.extend(&bytes[..count]);
        }
        heard.starts_with(&STATUS_QUESTION)
    });
    // Without an answer nothing is claimed, and the till goes on.
    till.tell("sale 5.00");
    till.expect_screen("approved");
    assert!(!till.lines().iter().any(|line| line.contains("\"printed\"")));
}

/// Without waiting for a writer, or for bytes.
fn open_for_reading(fifo: &Path) -> std::fs::File {
    const NON_BLOCKING: i32 = 0o4_000;
    let mut options = std::fs::OpenOptions::new();
    options.read(true).custom_flags(NON_BLOCKING);
    options.open(fifo).expect("the FIFO opens")
}
