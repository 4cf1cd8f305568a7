//! One printer on TCP, as the doctor sees it: status, identity, and one test page at a time.
//!
//! Every wait is bounded; nothing but the status question is sent to what has not answered it.

use receipt::answers::Answers;
use receipt::doctor::{Printer, Reach, Sight, test_page};
use receipt::escpos::{Section, process_id};
use receipt::{Answer, CopyOf, Evidence, Language, Paper, Status, lay_out};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_millis(1_500);
/// How long one answer to the status question may take (receipts reference §3.3 step 2).
const ANSWER: Duration = Duration::from_secs(1);
/// How often it is asked before it counts as silent.
const ASKED_MAX: usize = 2;
/// How long the answer to a question about itself may take; many models do not know it.
const IDENTITY: Duration = Duration::from_millis(300);
/// How long a write may make no progress before the printer counts as stuck.
const WRITE: Duration = Duration::from_secs(5);
/// How long a well printer may take for a test page.
const PAGE: Duration = Duration::from_secs(12);
/// How often its status is asked meanwhile.
const PAGE_LOOK: Duration = Duration::from_secs(2);
/// Bytes that are heard of one question at most.
const HEARD_MAX: usize = 4 * 1024;
/// So many printable characters in a row are no status.
const TEXT_RUN: usize = 5;
/// `DLE ENQ 1`: go on from the failed line.
const RECOVER: [u8; 3] = [0x10, 0x05, 0x01];

/// What a look, or a test page, led to.
pub(super) enum Found {
    /// What was seen.
    Sight(Sight),
    /// The test page with this code left; how sure it is that it is on paper.
    Page(u16, Evidence),
}

/// The connection and what is known so far.
pub(super) struct Probe {
    address: SocketAddr,
    model: Option<String>,
    language: Language,
    link: Option<Link>,
    heard: Option<Instant>,
    printer: Printer,
    chinese_font: Option<bool>,
    identified: bool,
    stalled: bool,
    /// The code of the next page, until somebody was asked for it: a page that was held and comes out late has it too.
    code: Option<u16>,
    page: Option<Page>,
    pages: u32,
}

struct Link {
    stream: TcpStream,
    answers: Answers,
}

/// A test page that was sent and whose code nobody was asked for yet.
#[derive(Clone, Copy)]
struct Page {
    code: u16,
    job: u32,
    evidence: Evidence,
    finished: bool,
}

/// The link cannot be used.
struct Trouble(Reach);

impl Probe {
    pub(super) fn new(address: SocketAddr, model: Option<String>, language: Language) -> Self {
        Self {
            address,
            model,
            language,
            link: None,
            heard: None,
            printer: Printer {
                address: address.to_string(),
                ..Printer::default()
            },
            chinese_font: None,
            identified: false,
            stalled: false,
            code: None,
            page: None,
            pages: 0,
        }
    }

    pub(super) fn printer(&self) -> Printer {
        self.printer.clone()
    }

    /// Somebody was asked for the page's code: the next page gets another one.
    pub(super) fn forget_page(&mut self) {
        (self.page, self.code) = (None, None);
    }

    /// Looks once; a page that was held and is out by now is what was found.
    pub(super) async fn look(&mut self) -> Found {
        let sight = self.sight().await;
        match self.page {
            Some(page) if page.finished && !sight.is_blocked() => {
                Found::Page(page.code, page.evidence)
            }
            _ => Found::Sight(sight),
        }
    }

    /// Prints a page, or waits for the one that is still in the printer.
    pub(super) async fn print(&mut self) -> Found {
        if self.page.is_none() {
            let Err(Trouble(reach)) = self.send_page().await else {
                return self.await_page().await;
            };
            if reach != Reach::Up {
                self.hang_up();
            }
            return Found::Sight(self.sight().await);
        }
        self.await_page().await
    }

    pub(super) async fn recover(&mut self) {
        // A link that broke is seen by the next look.
        let _ = self.write(&RECOVER).await;
    }

    async fn sight(&mut self) -> Sight {
        let status = match self.ask_status().await {
            // A connection that broke since is no proof; a fresh one is.
            Err(Trouble(Reach::Down)) => self.ask_status().await,
            status => status,
        };
        let prints = self.page.is_some_and(|page| !page.finished);
        let (reach, status) = match status {
            Ok(status) => (Reach::Up, status),
            // It took a page and says nothing any more: the question waits behind the page.
            Err(Trouble(Reach::Silent)) if prints => {
                self.stalled = true;
                (Reach::Up, Status::default())
            }
            Err(Trouble(reach)) => (reach, Status::default()),
        };
        if reach != Reach::Up || self.stalled {
            self.hang_up();
        } else if status.trouble.is_none() && !self.identified {
            self.identify().await;
        }
        let is_other = |model: &String| {
            !self.printer.model.is_empty() && !self.printer.model.eq_ignore_ascii_case(model)
        };
        Sight {
            reach,
            status,
            stalled: self.stalled,
            device_differs: self.model.as_ref().is_some_and(is_other),
            chinese_font: self.chinese_font,
            heard_s: self.heard.map(|heard| heard.elapsed().as_secs()),
            ..Sight::default()
        }
    }

    /// Asks `DLE EOT 1` to `4`, one after the other: an answer carries no number.
    async fn ask_status(&mut self) -> Result<Status, Trouble> {
        let fresh = self.link.is_none();
        self.connect().await?;
        let status = self.ask_each().await;
        match &status {
            Ok(_) => {
                self.heard = Some(Instant::now());
                self.stalled = false;
            }
            // It took the connection and dropped it without a word.
            Err(Trouble(Reach::Down)) if fresh => {
                self.hang_up();
                return Err(Trouble(Reach::Silent));
            }
            Err(Trouble(Reach::Down)) => self.hang_up(),
            Err(Trouble(Reach::Up)) => self.stalled = true,
            Err(_) => {}
        }
        status
    }

    /// What was in the printer may come out later or never.
    fn hang_up(&mut self) {
        (self.link, self.page) = (None, None);
    }

    async fn ask_each(&mut self) -> Result<Status, Trouble> {
        // What a printer does not know to tell, it does not say: then nothing is wrong with it.
        let mut four = [0x12; 4];
        let mut known = false;
        while self.hear(Instant::now(), &mut Vec::new()).await?.is_some() {}
        for (question, told) in (1..).zip(&mut four) {
            for _ in 0..ASKED_MAX {
                if let Some(byte) = self.ask_one(question).await? {
                    (*told, known) = (byte, true);
                    break;
                }
                if known {
                    break;
                }
            }
            if !known {
                return Err(Trouble(Reach::Silent));
            }
        }
        Ok(Status::from_realtime(four))
    }

    async fn ask_one(&mut self, question: u8) -> Result<Option<u8>, Trouble> {
        self.write(&[0x10, 0x04, question]).await?;
        let until = Instant::now() + ANSWER;
        let mut raw = Vec::new();
        while let Some(answers) = self.hear(until, &mut raw).await? {
            if raw.len() > HEARD_MAX || is_text(&raw) {
                return Err(Trouble(Reach::Foreign));
            }
            let owed = self.page.is_some();
            for answer in answers {
                match answer {
                    Answer::Realtime(byte) => return Ok(Some(byte)),
                    Answer::InOrder(_) if !owed => return Err(Trouble(Reach::Foreign)),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// Asks once who it is (`GS I`); what it does not know stays empty.
    async fn identify(&mut self) {
        self.identified = true;
        let mut texts = [const { String::new() }; 4];
        for (question, text) in [66, 67, 65, 68].into_iter().zip(&mut texts) {
            if let Some(Answer::Information(bytes)) = self.ask_identity(question).await {
                *text = String::from_utf8_lossy(&bytes).trim().to_owned();
            }
        }
        if let Some(Answer::InOrder(byte)) = self.ask_identity(2).await {
            self.chinese_font = Some(byte & 0x01 != 0);
        }
        let [maker, model, firmware, serial] = texts;
        self.printer = Printer {
            address: self.address.to_string(),
            maker,
            model,
            firmware,
            serial,
        };
    }

    async fn ask_identity(&mut self, question: u8) -> Option<Answer> {
        self.write(&[0x1D, 0x49, question]).await.ok()?;
        let until = Instant::now() + IDENTITY;
        while let Some(answers) = self.hear(until, &mut Vec::new()).await.ok()? {
            let told = |answer: &Answer| match answer {
                Answer::Information(_) => question >= 65,
                Answer::InOrder(_) => question < 65,
                _ => false,
            };
            if let Some(answer) = answers.into_iter().find(told) {
                return Some(answer);
            }
        }
        None
    }

    async fn send_page(&mut self) -> Result<(), Trouble> {
        self.connect().await?;
        let code = *self.code.get_or_insert_with(|| {
            let random = crate::driver::random();
            u16::from_le_bytes([random[0], random[1]]) % 10_000
        });
        let fields = test_page(code, &self.printer.address, &crate::driver::wall().text());
        let page = lay_out(&fields, CopyOf::Merchant, self.language, Paper::Mm58, None);
        let job = self.pages;
        self.pages += 1;
        let sent = self.write(&page.escpos_substituted(job)).await;
        self.stalled = matches!(sent, Err(Trouble(Reach::Up)));
        sent?;
        self.page = Some(Page {
            code,
            job,
            evidence: Evidence::HandedOver,
            finished: false,
        });
        Ok(())
    }

    /// Hears the printer until the page is cut, or it is in trouble, or it had time enough.
    async fn await_page(&mut self) -> Found {
        let patience = Instant::now() + PAGE;
        while Instant::now() < patience {
            let until = patience.min(Instant::now() + PAGE_LOOK);
            while self.page.is_some_and(|page| !page.finished)
                && matches!(self.hear(until, &mut Vec::new()).await, Ok(Some(_)))
            {}
            let sight = self.sight().await;
            if sight.is_blocked() {
                return Found::Sight(sight);
            }
            if self.page.is_none_or(|page| page.finished) {
                break;
            }
        }
        match self.page {
            Some(page) => Found::Page(page.code, page.evidence),
            None => Found::Sight(self.sight().await),
        }
    }

    async fn connect(&mut self) -> Result<(), Trouble> {
        if self.link.is_some() {
            return Ok(());
        }
        let stream = match timeout(CONNECT, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                return Err(Trouble(Reach::Refused));
            }
            Ok(Err(_)) | Err(_) => return Err(Trouble(Reach::Down)),
        };
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE));
        self.link = Some(Link {
            stream,
            answers: Answers::default(),
        });
        Ok(())
    }

    /// Writes all of it; no progress on a link that stands is told as `Up`.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let Some(link) = &mut self.link else {
            return Err(Trouble(Reach::Down));
        };
        match timeout(WRITE, link.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Trouble(Reach::Down)),
            Err(_) => Err(Trouble(Reach::Up)),
        }
    }

    /// What arrives next; `None` once `until` is over. `raw` keeps what was heard of one question.
    async fn hear(
        &mut self,
        until: Instant,
        raw: &mut Vec<u8>,
    ) -> Result<Option<Vec<Answer>>, Trouble> {
        let Some(link) = &mut self.link else {
            return Err(Trouble(Reach::Down));
        };
        let mut bytes = [0; 512];
        let left = until.saturating_duration_since(Instant::now());
        let count = match timeout(left, link.stream.read(&mut bytes)).await {
            Err(_) => return Ok(None),
            Ok(Ok(0) | Err(_)) if raw.is_empty() => return Err(Trouble(Reach::Down)),
            Ok(Ok(0) | Err(_)) => return Err(Trouble(Reach::Foreign)),
            Ok(Ok(count)) => count,
        };
        raw.extend(&bytes[..count]);
        let answers = link.answers.hear(&bytes[..count]);
        for answer in &answers {
            self.mark(answer);
        }
        Ok(Some(answers))
    }

    /// What an answer says about the page.
    fn mark(&mut self, answer: &Answer) {
        let Some(page) = &mut self.page else { return };
        match answer {
            Answer::ProcessId(id) => {
                let [body, cut] =
                    [Section::Body, Section::Cut].map(|section| process_id(page.job, section));
                if *id == body || *id == cut {
                    page.evidence = Evidence::Printed;
                    page.finished |= *id == cut;
                }
            }
            // The last question of a job: a printer without process IDs ends it so.
            Answer::InOrder(_) => {
                page.evidence = page.evidence.max(Evidence::Parsed);
                page.finished = true;
            }
            _ => {}
        }
    }
}

/// A run of printable characters that no status has: a page of the web, a greeting.
fn is_text(raw: &[u8]) -> bool {
    raw.windows(TEXT_RUN)
        .any(|run| run.iter().all(|byte| matches!(byte, b' '..=b'~')))
}
