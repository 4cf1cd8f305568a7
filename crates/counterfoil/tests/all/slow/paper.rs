//! A sale is approved and its slip does not come out, by every cause: F5, F6, F7a to F7g and the blank slip, over whole
//! processes and real TCP. Each time the receipt and the sentence are right, no money moves, and exactly one original
//! comes out, whatever is restarted: the terminal, the printer, both.

use super::books::Books;
use super::mutation::Tap;
use crate::installation::{Installation, Process, free_port, local, start_till};
use iso8583::frame::Framing;
use receipt::CopyOf;
use receipt::escpos::STATUS_QUESTION;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time-outs that no sale reaches, however busy the machine is: here the paper fails, not the wire.
const PATIENT_LADDER_MS: [u64; 4] = [8_000, 11_000, 14_000, 20_000];
/// How long a slip or a sentence may take once its cause is there or gone: the spool asks again every three seconds.
const COMES_WITHIN: Duration = Duration::from_secs(90);
/// Millimetres a second of a printer that is still printing when its power goes.
const SLOW_MM_PER_S: &str = "50";
/// What every slip but the original carries.
const MARK: &str = "****重打印/DUPLICATED****";
const PRINTED: &str = "已打印";

/// What is switched off and on again while the slip waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restart {
    Nothing,
    Terminal,
    Printer,
    Both,
}

impl Restart {
    fn of_terminal(self) -> bool {
        matches!(self, Self::Terminal | Self::Both)
    }

    fn of_printer(self) -> bool {
        matches!(self, Self::Printer | Self::Both)
    }
}

const RESTARTS: [Restart; 4] = [
    Restart::Nothing,
    Restart::Terminal,
    Restart::Printer,
    Restart::Both,
];

#[test]
fn f5_the_terminal_dies_before_it_wrote_the_answer_down() {
    at_each(&[Restart::Terminal, Restart::Both], |counter, restart| {
        let wire = counter.wire.take().expect("a tapped wire");
        wire.deaf.store(true, SeqCst);
        let answers = wire.received().len();
        counter.ask();
        counter.sale = name(&counter.till.expect_screen("confirming"));
        eventually("the acquirer has answered", || {
            wire.received().len() > answers
        });
        counter.till.kill();
        let approved = |line: &String| line.contains("\"screen\":\"approved\"");
        assert!(!counter.till.lines().iter().any(approved), "it has heard");
        wire.deaf.store(false, SeqCst);
        if restart.of_printer() {
            counter.printer.kill();
            counter.printer.start();
        }
        counter.till = start_till(&counter.config);
        // It asks first, and the answer is found again: never a second request.
        let found = counter.till.expect_screen("approved");
        assert_eq!(name(&found), counter.sale);
        counter.comes_out([1..=1, 1..=1], [0, 0]);
        counter.says("recovered", PRINTED);
    });
}

#[test]
fn f6_the_terminal_dies_before_it_printed() {
    at_each(&[Restart::Terminal, Restart::Both], |counter, restart| {
        counter.printer.kill();
        counter.sell();
        counter.till.kill();
        counter.printer.start();
        if restart.of_printer() {
            counter.printer.kill();
            counter.printer.start();
        }
        counter.till = start_till(&counter.config);
        counter.comes_out([1..=1, 1..=1], [0, 0]);
        counter.says("paid", PRINTED);
    });
}

#[test]
fn f7a_paper_out() {
    comes_out_by_itself("out", "paper", "缺纸");
}

#[test]
fn f7b_jam() {
    comes_out_by_itself("jam", "unjam", "卡纸或切刀故障");
}

#[test]
fn f7c_head_broken() {
    comes_out_by_itself("break", "repair", "打印头、电源或主板故障");
}

#[test]
fn f7d_offline() {
    comes_out_by_itself("unplug", "plug", "打印机没有应答");
}

#[test]
fn f7e_switched_off() {
    at_each(&RESTARTS, |counter, restart| {
        // Where no paper is to come, nothing is waited for.
        counter.till.kill();
        let patient = [("eslip_after_ms", "600000")];
        let file = counter.config.file_name().and_then(|name| name.to_str());
        counter.shop.adjust(file.expect("its file"), &patient);
        counter.start_till();
        counter.till.tell("printing off");
        counter.till.expect_screen("printing-off");
        counter.sell();
        counter.shows_eslip("打印功能已被关闭");
        let money = counter.money();
        counter.restart(restart);
        if restart.of_terminal() {
            counter.till.expect_screen("printing-off");
        }
        assert_eq!(counter.money(), money);
        assert_eq!(counter.printer.papers().len(), 0, "it is switched off");
        counter.till.tell("printing on");
        counter.till.expect_screen("printing-on");
        counter.till.tell("reprint");
        // No byte of it was ever sent: these are the originals.
        counter.comes_out([1..=1, 1..=1], [0, 0]);
        counter.says("paid", PRINTED);
        assert_eq!(counter.money(), money);
    });
}

#[test]
fn f7f_wrong_device() {
    at_each(&RESTARTS, |counter, restart| {
        counter.printer.kill();
        let mut device = WebServer::open(counter.printer.port);
        counter.sell();
        counter.shows_eslip("接的不是小票打印机");
        let money = counter.money();
        if restart.of_terminal() {
            counter.till.kill();
        }
        if restart.of_printer() {
            device = device.restart();
        }
        if restart.of_terminal() {
            counter.start_till();
        }
        device.wait_until_asked();
        assert_eq!(counter.money(), money);
        let heard = device.close();
        assert!(
            heard
                .chunks(STATUS_QUESTION.len())
                .all(|chunk| chunk == STATUS_QUESTION),
            "more than questions went to what is no printer: {heard:02x?}"
        );
        counter.printer.start();
        counter.comes_out([1..=1, 1..=1], [0, 0]);
        counter.says("paid", PRINTED);
        assert_eq!(counter.money(), money);
    });
}

/// The power goes in the middle of the merchant's copy: of the printer while nobody restarts it, else of what restarts.
#[test]
fn f7g_power() {
    at_each(&RESTARTS, |counter, restart| {
        counter.printer.kill();
        counter.printer.speed_mm = SLOW_MM_PER_S;
        counter.printer.start();
        counter.sell();
        counter.printer.wait_until_printing();
        // Some lines come out.
        std::thread::sleep(Duration::from_millis(500));
        if restart.of_terminal() {
            counter.till.kill();
        }
        if restart != Restart::Terminal {
            // Whoever pulls the plug finds the torn piece in the slot.
            let papers = counter.printer.papers().len();
            counter.printer.bring(&["off"]);
            eventually("the torn piece lies there", || {
                counter.printer.papers().len() > papers
            });
        }
        if restart.of_printer() {
            counter.printer.kill();
        }
        if restart.of_terminal() {
            counter.start_till();
        }
        counter.shows_eslip(match restart {
            Restart::Terminal => "打印时断电",
            _ => "打印机没有应答",
        });
        let money = counter.money();
        match restart {
            Restart::Nothing => counter.printer.end(&["on"]),
            Restart::Terminal => {}
            Restart::Printer | Restart::Both => {
                counter.printer.speed_mm = "0";
                counter.printer.faults.clear();
                counter.printer.start();
            }
        }
        // What was never sent comes by itself; what had begun is only asked for.
        eventually("the cardholder's copy is on paper", || {
            counter.printer.count(CopyOf::Cardholder) == (1, 0)
        });
        assert_eq!(
            counter.printer.count(CopyOf::Merchant).1,
            0,
            "nobody asked for it"
        );
        if restart.of_terminal() {
            counter.says("paid_eslip", "电子小票已提供（打印时断电）");
        }
        let (seen, marked) = match restart {
            // Its slip went on coming out while the terminal was away.
            Restart::Terminal => ("complete", 0),
            _ => ("partial", 1),
        };
        counter.till.tell(&format!("paper {seen}"));
        let originals = if marked == 0 { 1..=1 } else { 0..=1 };
        counter.comes_out([originals, 1..=1], [marked, 0]);
        counter.says("paid", PRINTED);
        assert_eq!(counter.money(), money);
    });
}

#[test]
fn blank_slip() {
    at_each(&RESTARTS, |counter, restart| {
        counter.printer.bring(&["blank"]);
        counter.sell();
        // The printer says that it printed, and only an eye can tell.
        counter.says("paid", PRINTED);
        let money = counter.money();
        eventually("two blank pieces", || counter.printer.papers().len() == 2);
        counter.printer.bring(&["open"]);
        counter.till.tell("paper blank");
        counter.says("paid_not_printed", "未打印（出纸无字）");
        assert_eq!(counter.money()[..3], money[..3]);
        counter.restart(restart);
        counter.says("paid_not_printed", "未打印（出纸无字）");
        counter.printer.end(&["good", "close"]);
        counter.comes_out([0..=0, 0..=0], [1, 1]);
        counter.says("paid", PRINTED);
        assert_eq!(counter.money(), money);
    });
}

/// A fault of the printer from before the sale until after the restart; its slip needs nobody.
fn comes_out_by_itself(begin: &'static str, end: &str, cause: &str) {
    at_each(&RESTARTS, |counter, restart| {
        counter.printer.bring(&[begin]);
        counter.sell();
        counter.shows_eslip(cause);
        let money = counter.money();
        assert_eq!(counter.printer.papers().len(), 0, "{begin}");
        counter.restart(restart);
        counter.says("paid_eslip", &format!("电子小票已提供（{cause}）"));
        assert_eq!(counter.money(), money);
        counter.printer.end(&[end]);
        counter.comes_out([1..=1, 1..=1], [0, 0]);
        counter.says("paid", PRINTED);
        assert_eq!(counter.money(), money);
    });
}

/// Runs a story at one counter for each restart, all at once; then the books of every party are verified.
fn at_each(restarts: &[Restart], story: impl Fn(&mut Counter, Restart) + Sync) {
    let shop = Installation::new(PATIENT_LADDER_MS);
    let mut hosts = shop.start_hosts();
    let run = |n: u32, restart: Restart| {
        let mut counter = Counter::open(&shop, n);
        story(&mut counter, restart);
        println!("{restart:?}: {} papers", counter.printer.papers().len());
        counter
    };
    let mut counters: Vec<Counter> = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (1..)
            .zip(restarts)
            .map(|(n, restart)| scope.spawn(move || run(n, *restart)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|counter| counter.expect("its story holds"))
            .collect()
    });
    let books = Books::at(&shop, counters.len() as u32);
    books.wait_until_closed(COMES_WITHIN);
    for counter in &mut counters {
        assert!(counter.till.stop().success(), "{:#?}", counter.till.lines());
        counter.check_paper();
    }
    for host in &mut hosts {
        assert!(host.stop().success(), "{:#?}", host.lines());
    }
    books.verify(counters.len());
}

/// A till with its own printer, and the one sale that is made there.
struct Counter<'a> {
    shop: &'a Installation,
    config: PathBuf,
    wire: Option<Tap>,
    till: Process,
    printer: Printer,
    /// Of its own: the same card and amount at two tills is held back until the first has reported.
    minor: u64,
    sale: String,
    /// Originals and marked copies of the merchant's and the cardholder's slip that are right at the end.
    due: ([RangeInclusive<usize>; 2], [usize; 2]),
}

/// The two slips of a sale.
const COPIES: [CopyOf; 2] = [CopyOf::Merchant, CopyOf::Cardholder];

impl<'a> Counter<'a> {
    fn open(shop: &'a Installation, n: u32) -> Self {
        let wire = Tap::open(shop.ports().terminals, Framing::Terminal);
        let mut printer = Printer::new();
        printer.start();
        let quoted = |port: u16| format!("\"127.0.0.1:{port}\"");
        let config = shop.terminal(
            n,
            &[
                ("acquirer", &quoted(wire.port)),
                ("printer", &quoted(printer.port)),
                ("idle_report_ms", "100"),
                ("eslip_after_ms", "700"),
                ("dialogue_ms", "120000"),
            ],
        );
        let mut till = start_till(&config);
        till.expect_screen("signed-on");
        Self {
            shop,
            config,
            wire: Some(wire),
            till,
            printer,
            minor: 1_280 + u64::from(n),
            sale: String::new(),
            due: ([0..=0, 0..=0], [0, 0]),
        }
    }

    fn ask(&mut self) {
        let (yuan, fen) = (self.minor / 100, self.minor % 100);
        self.till.tell(&format!("sale {yuan}.{fen:02}"));
    }

    fn sell(&mut self) {
        self.ask();
        self.sale = name(&self.till.expect_screen("approved"));
    }

    fn start_till(&mut self) {
        self.till = start_till(&self.config);
        // A report of what changed may go first.
        loop {
            let line = self.till.expect_line("\"screen\":");
            if line.contains("\"screen\":\"signed-on\"") {
                return;
            }
            if line.contains("\"screen\":\"busy\"") {
                std::thread::sleep(Duration::from_millis(100));
                self.till.tell("signon");
            }
        }
    }

    fn restart(&mut self, restart: Restart) {
        if restart.of_terminal() {
            self.till.kill();
        }
        if restart.of_printer() {
            self.printer.kill();
            self.printer.start();
        }
        if restart.of_terminal() {
            self.start_till();
        }
    }

    fn shown(&self) -> Value {
        self.shop.where_is(&self.sale).expect("it is found")
    }

    /// What the acquirer says of the money: outcome, position, amount, who owes the next step.
    fn money(&self) -> [Value; 4] {
        let shown = self.shown();
        assert_eq!(shown["outcome"], "approved", "{shown:#}");
        ["outcome", "position_id", "amount_minor", "owner"].map(|part| shown[part].clone())
    }

    /// Waits until the acquirer answers with this row, and these words about the slip.
    #[track_caller]
    fn says(&self, row: &str, slip: &str) {
        until(|| {
            let shown = self.shown();
            assert_eq!(shown["amount_minor"], self.minor);
            match shown["row"] == row && shown["slip"][0] == slip {
                true => Ok(()),
                false => Err(format!(
                    "it is not {row}, {slip}: {shown:#}\n{}",
                    self.till.lines().join("\n")
                )),
            }
        });
    }

    /// Waits for the e-slip, and for the sentence that names the cause to every audience.
    #[track_caller]
    fn shows_eslip(&self, cause: &str) {
        self.says("paid_eslip", &format!("电子小票已提供（{cause}）"));
        let shown = self.shown();
        let cashier = shown["lines"][0][0].as_str().expect("a line");
        assert!(
            cashier.starts_with(cause) && cashier.contains("不要重新收款"),
            "{cashier}"
        );
        assert_eq!(shown["headline"][0], "款已收妥，电子小票已提供");
    }

    /// Waits until so many marked copies of either slip, and enough originals, have come out.
    #[track_caller]
    fn comes_out(&mut self, originals: [RangeInclusive<usize>; 2], marked: [usize; 2]) {
        self.due = (originals, marked);
        until(|| {
            let out = |(originals, marked, due, marks): (_, _, &RangeInclusive<usize>, _)| {
                originals >= *due.start() && marked >= marks
            };
            match self.slips().all(out) {
                true => Ok(()),
                false => Err(format!(
                    "not all is on paper: {:#?}\n{}",
                    self.printer.papers(),
                    self.till.lines().join("\n")
                )),
            }
        });
        self.check_paper();
    }

    /// Never a second original, and no marked copy that nobody asked for.
    #[track_caller]
    fn check_paper(&self) {
        for (originals, marked, due, marks) in self.slips() {
            assert!(
                due.contains(&originals) && marked == marks,
                "{originals} originals for {due:?}, {marked} marked for {marks}: {:#?}",
                self.printer.papers()
            );
        }
    }

    fn slips(&self) -> impl Iterator<Item = (usize, usize, &RangeInclusive<usize>, usize)> {
        let due = self.due.0.iter().zip(self.due.1);
        COPIES
            .iter()
            .zip(due)
            .map(|(copy, (originals_due, marked_due))| {
                let (originals, marked) = self.printer.count(*copy);
                (originals, marked, originals_due, marked_due)
            })
    }
}

/// A printer that may be switched off and on again; its paper stays.
struct Printer {
    port: u16,
    speed_mm: &'static str,
    process: Option<Process>,
    /// What is wrong with it and survives its power switch.
    faults: Vec<&'static str>,
    /// What earlier processes printed.
    kept: Vec<String>,
}

impl Printer {
    fn new() -> Self {
        Self {
            port: free_port(),
            speed_mm: "0",
            process: None,
            faults: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn start(&mut self) {
        let at = format!("127.0.0.1:{}", self.port);
        let mut command =
            Installation::command(&["printer", "--listen", &at, "--speed-mm", self.speed_mm]);
        let mut process = Process::spawn(command.stdin(Stdio::piped()));
        for word in &self.faults {
            process.tell(word);
        }
        process.expect_line("printer ready");
        self.process = Some(process);
    }

    fn kill(&mut self) {
        self.process.as_mut().expect("it runs").kill();
        let papers = self.papers();
        self.kept = papers;
        self.process = None;
    }

    /// Brings faults about.
    fn bring(&mut self, words: &[&'static str]) {
        self.faults.extend(words);
        self.tell(words);
    }

    /// Ends every fault, with these words.
    fn end(&mut self, words: &[&str]) {
        self.faults.clear();
        self.tell(words);
    }

    fn tell(&mut self, words: &[&str]) {
        let process = self.process.as_mut().expect("it runs");
        for word in words {
            process.tell(word);
            process.expect_line("state: ");
        }
    }

    fn wait_until_printing(&mut self) {
        let process = self.process.as_mut().expect("it runs");
        eventually("it prints", || {
            process.tell("state");
            process.expect_line("state: ").contains("rinting")
        });
    }

    /// Every piece of paper so far, of this process and those before it.
    fn papers(&self) -> Vec<String> {
        let lines = self
            .process
            .as_ref()
            .map(Process::lines)
            .unwrap_or_default();
        let mut papers = self.kept.clone();
        let mut piece = String::new();
        for line in lines {
            match line.starts_with('✂') {
                true => papers.push(std::mem::take(&mut piece)),
                false => piece.extend([line.as_str(), "\n"]),
            }
        }
        papers
    }

    /// Originals and marked copies of one of the two slips.
    fn count(&self, copy: CopyOf) -> (usize, usize) {
        let papers = self.papers();
        let slips = papers.iter().filter(|paper| paper.contains(copy.words().0));
        let (marked, originals): (Vec<_>, Vec<_>) = slips.partition(|paper| paper.contains(MARK));
        (originals.len(), marked.len())
    }
}

/// A device on the printer's port that is none: it answers whatever it hears as web servers do.
struct WebServer {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    closing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl WebServer {
    fn open(port: u16) -> Self {
        let heard = Arc::default();
        Self::hearing(port, heard)
    }

    fn hearing(port: u16, heard: Arc<Mutex<Vec<u8>>>) -> Self {
        let mut bound = None;
        eventually("the printer has left its port", || {
            bound = TcpListener::bind(local(port)).ok();
            bound.is_some()
        });
        let listener = bound.expect("just bound");
        listener.set_nonblocking(true).expect("it is set");
        let closing = Arc::<AtomicBool>::default();
        let (keeps, ends) = (Arc::clone(&heard), Arc::clone(&closing));
        let thread = std::thread::spawn(move || {
            while !ends.load(SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => answer_as_web_server(stream, &keeps),
                    Err(_) => std::thread::sleep(Duration::from_millis(10)),
                }
            }
        });
        Self {
            port,
            heard,
            closing,
            thread,
        }
    }

    fn restart(self) -> Self {
        let (port, heard) = (self.port, Arc::clone(&self.heard));
        self.close();
        Self::hearing(port, heard)
    }

    /// Waits until it was asked once more.
    fn wait_until_asked(&self) {
        let before = self.heard.lock().expect("no panic").len();
        eventually("it is asked again", || {
            self.heard.lock().expect("no panic").len() > before
        });
    }

    /// Every byte that it ever heard.
    fn close(self) -> Vec<u8> {
        self.closing.store(true, SeqCst);
        self.thread.join().expect("no panic");
        self.heard.lock().expect("no panic").clone()
    }
}

fn answer_as_web_server(mut stream: std::net::TcpStream, keeps: &Mutex<Vec<u8>>) {
    stream.set_nonblocking(false).expect("it is set");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("it is set");
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        keeps
            .lock()
            .expect("no panic")
            .extend_from_slice(&bytes[..count]);
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

fn name(screen: &Value) -> String {
    screen["sale"].as_str().expect("a sale").to_owned()
}

#[track_caller]
fn eventually(what: &str, mut reached: impl FnMut() -> bool) {
    until(|| match reached() {
        true => Ok(()),
        false => Err(format!("waited in vain: {what}")),
    });
}

/// Waits until there is nothing to complain of, with patience for a busy machine.
#[track_caller]
fn until(mut reached: impl FnMut() -> Result<(), String>) {
    let patience = Instant::now() + COMES_WITHIN;
    while let Err(complaint) = reached() {
        assert!(Instant::now() < patience, "{complaint}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
