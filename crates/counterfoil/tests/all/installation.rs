//! An installation of the program for tests: the published examples on free ports and folders of its own, and the processes
//! that run from them. Every process ends with the test that started it.

use crate::wait_until;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil");
/// The hosts in the order in which a loop passes them.
pub const HOSTS: [&str; 3] = ["acquirer", "network", "issuer"];
/// Time-outs of the examples' four parties for a test that must not wait for them, in milliseconds.
pub const SHORT_LADDER_MS: [u64; 4] = [200, 300, 400, 600];
/// A wait this long has become a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Four parties and a printer that have not been started.
#[derive(Debug)]
pub struct Installation {
    folder: tempfile::TempDir,
    ladder_ms: [u64; 4],
    ports: Ports,
}

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// For terminals.
    pub terminals: u16,
    /// For members of the network.
    pub members: u16,
    /// Control ports of the hosts.
    pub control: [u16; 3],
    /// The receipt printer.
    pub printer: u16,
    /// E-slips.
    pub eslips: u16,
    /// The desk.
    pub desk: u16,
}

impl Installation {
    /// Writes the configuration of the three hosts, and what the installation test found out about the printer.
    pub fn new(ladder_ms: [u64; 4]) -> Self {
        let ports = Ports {
            terminals: free_port(),
            members: free_port(),
            control: [free_port(), free_port(), free_port()],
            printer: free_port(),
            eslips: free_port(),
            desk: free_port(),
        };
        let installation = Self {
            folder: tempfile::tempdir().expect("a folder"),
            ladder_ms,
            ports,
        };
        for host in HOSTS {
            installation.write(&format!("{host}.toml"), &installation.example(host));
        }
        // Beside the files of terminals and acquirer, which name them.
        for named in ["printer.toml", "goods.toml", "downloads.toml"] {
            let example = repository().join("examples").join(named);
            std::fs::copy(example, installation.path(named)).expect("the example");
        }
        installation
    }

    /// Where everything listens.
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Data directory of a party.
    pub fn data(&self, party: &str) -> PathBuf {
        self.path("data").join(party)
    }

    /// The published example of a party, with the folders, ports and time-outs of this installation.
    pub fn example(&self, party: &str) -> String {
        let file = repository().join("examples").join(format!("{party}.toml"));
        let mut text = std::fs::read_to_string(&file).expect("the example");
        let ports = self.ports;
        let at = |port: u16| format!("127.0.0.1:{port}");
        for (published, ours) in [
            ("127.0.0.1:7100".to_owned(), at(ports.terminals)),
            ("127.0.0.1:7101".to_owned(), at(ports.control[0])),
            ("127.0.0.1:7102".to_owned(), at(ports.eslips)),
            ("127.0.0.1:7103".to_owned(), at(ports.desk)),
            ("127.0.0.1:7200".to_owned(), at(ports.members)),
            ("127.0.0.1:7201".to_owned(), at(ports.control[1])),
            ("127.0.0.1:7301".to_owned(), at(ports.control[2])),
            // Several tills run at the same time: the system chooses, unless a test does.
            ("127.0.0.1:7500".to_owned(), at(0)),
            ("127.0.0.1:9100".to_owned(), at(ports.printer)),
            (
                "counterfoil-data/".to_owned(),
                format!("{}/", self.path("data").display()),
            ),
        ] {
            text = text.replace(&published, &ours);
        }
        for (name, ms) in ["issuer_ms", "network_ms", "acquirer_ms", "terminal_ms"]
            .iter()
            .zip(self.ladder_ms)
        {
            text = set(&text, name, &ms.to_string());
        }
        text
    }

    /// Writes a file into its folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("it is written");
        path
    }

    /// Sets top-level settings of a file that stands in its folder already.
    pub fn adjust(&self, name: &str, settings: &[(&str, &str)]) {
        let path = self.path(name);
        let mut text = std::fs::read_to_string(&path).expect("the file");
        for (setting, value) in settings {
            text = set(&text, setting, value);
        }
        std::fs::write(path, text).expect("it is written");
    }

    /// Writes the file of terminal number `n`, with these settings changed or added.
    pub fn terminal(&self, n: u32, settings: &[(&str, &str)]) -> PathBuf {
        let name = format!("terminal-{n}.toml");
        let text = self
            .example("terminal")
            .replace("/data/terminal\"", &format!("/data/terminal-{n}\""))
            .replace("T0000001", &format!("T{n:07}"));
        self.write(&name, &text);
        self.adjust(&name, settings);
        self.path(&name)
    }

    /// Starts a host and waits until it is ready.
    pub fn start(&self, host: &str) -> Process {
        let mut process = Process::spawn(
            Self::command(&[host, "--config"]).arg(self.path(&format!("{host}.toml"))),
        );
        process.expect_line(&format!("{host} ready"));
        process
    }

    /// Starts the hosts, and waits until both members have signed on to the network.
    pub fn start_hosts(&self) -> [Process; 3] {
        let network = self.start("network");
        let hosts = [self.start("acquirer"), network, self.start("issuer")];
        self.wait_for_members();
        hosts
    }

    /// Waits until both members have signed on to the network.
    pub fn wait_for_members(&self) {
        for control in self.ports.control {
            wait_until("every host has written its keys", || {
                get(control, "/v1/status").is_some_and(|(_, status)| {
                    let status: Value = serde_json::from_str(&status).expect("JSON");
                    status["records"].as_u64()
                        >= Some(if control == self.ports.control[1] {
                            2
                        } else {
                            1
                        })
                })
            });
        }
    }

    /// Starts the virtual printer.
    pub fn start_printer(&self) -> Process {
        let at = format!("127.0.0.1:{}", self.ports.printer);
        let mut process = Process::spawn(
            Self::command(&["printer", "--listen", &at, "--speed-mm", "0"]).stdin(Stdio::null()),
        );
        process.expect_line("printer ready");
        process
    }

    /// Asks `counterfoil where`; the answer as JSON, or what it said instead.
    pub fn where_is(&self, reference: &str) -> Result<Value, String> {
        let control = format!("127.0.0.1:{}", self.ports.control[0]);
        let output = Self::command(&[
            "where",
            reference,
            "--json",
            "--control",
            &control,
            "--data",
        ])
        .arg(self.data("acquirer"))
        .output()
        .expect("it runs");
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The program with these arguments, speaking English.
    pub fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["--language", "en"]).args(arguments);
        command
    }
}

/// Starts a terminal that obeys its standard input.
pub fn start_till(config: &Path) -> Process {
    let mut command = Installation::command(&["terminal", "--script", "-", "--json", "--config"]);
    Process::spawn(command.arg(config).stdin(Stdio::piped()))
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Sets a setting where it stands, or adds it at the top of the file.
fn set(text: &str, setting: &str, value: &str) -> String {
    let begins = format!("{setting} = ");
    let line = format!("{setting} = {value}");
    if text.lines().any(|line| line.starts_with(&begins)) {
        let lines = text.lines().map(|old| {
            if old.starts_with(&begins) {
                line.as_str()
            } else {
                old
            }
        });
        lines.fold(String::new(), |text, line| text + line + "\n")
    } else {
        format!("{line}\n{text}")
    }
}

/// A port below the range from which the system takes the ports of outgoing connections. The next one to try stands in a
/// locked file, so that test processes that run at the same time do not take each other's.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 16_000..31_000;
    let path = std::env::temp_dir().join("counterfoil-test-ports");
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .expect("a file for the next port");
    file.lock().expect("the file is locked");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("the file is read");
    let mut next = text.trim().parse().unwrap_or(PORTS.start);
    loop {
        let port = if PORTS.contains(&next) {
            next
        } else {
            PORTS.start
        };
        next = port + 1;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            file.set_len(0).expect("the file is emptied");
            file.rewind().expect("the file is rewound");
            write!(file, "{next}").expect("the file is written");
            return port;
        }
    }
}

/// A loopback address.
pub const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Status and body of a page, or nothing when nobody answers.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .get(format!("http://127.0.0.1:{port}{path}"))
        .call()
        .ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), text))
}

/// A process, its output line by line. It is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Arc<Mutex<Output>>,
    read: usize,
}

#[derive(Debug, Default)]
struct Output {
    lines: Vec<String>,
    /// Streams that are still open.
    open: usize,
}

impl Process {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = Arc::new(Mutex::new(Output {
            lines: Vec::new(),
            open: 2,
        }));
        let input = child.stdin.take();
        let (out, err) = (
            child.stdout.take().expect("its output"),
            child.stderr.take().expect("its errors"),
        );
        let (first, second) = (Arc::clone(&output), Arc::clone(&output));
        std::thread::spawn(move || collect(out, &first));
        std::thread::spawn(move || collect(err, &second));
        Self {
            child,
            input,
            output,
            read: 0,
        }
    }

    /// Writes a line to it; false when it is gone.
    pub fn tell(&mut self, line: &str) -> bool {
        let input = self.input.as_mut().expect("it has an input");
        input.write_all(format!("{line}\n").as_bytes()).is_ok()
    }

    /// Its next line, if there is one by now.
    pub fn next_line(&mut self) -> Option<String> {
        let line = self
            .output
            .lock()
            .expect("no panic")
            .lines
            .get(self.read)
            .cloned();
        self.read += usize::from(line.is_some());
        line
    }

    /// Every line so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().expect("no panic").lines.clone()
    }

    /// True when it has closed its output: it is gone.
    pub fn is_silent(&self) -> bool {
        self.output.lock().expect("no panic").open == 0
    }

    /// Waits for a line that contains `words`, passing over others.
    #[track_caller]
    pub fn expect_line(&mut self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let silent = self.is_silent();
            match self.next_line() {
                Some(line) if line.contains(words) => return line,
                Some(_) => {}
                None => {
                    assert!(
                        !silent && Instant::now() < end,
                        "no `{words}` in {:#?}",
                        self.lines()
                    );
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    /// Waits for a screen by its name, passing over others.
    #[track_caller]
    pub fn expect_screen(&mut self, name: &str) -> Value {
        serde_json::from_str(&self.expect_line(&format!("\"screen\":\"{name}\""))).expect("JSON")
    }

    /// Its number, for a signal.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    /// Asks it to stop with SIGTERM, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        let told = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(told.success());
        self.wait()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the process ends", || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        wait_until("its last words arrive", || self.is_silent());
        status.expect("just waited for")
    }

    /// Still there.
    pub fn is_alive(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("it can be waited for")
            .is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read, output: &Mutex<Output>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        output.lock().expect("no panic").lines.push(line);
    }
    output.lock().expect("no panic").open -= 1;
}
