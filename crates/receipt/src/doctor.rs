//! The printing doctor: what is wrong with the printer, one step at a time, each step closed by a test.
//!
//! State is its records applied in order. It looks before it asks, asks the cheapest question first, never asks the
//! same thing twice in a row, ends within [`STEPS_MAX`] steps, and water or smoke ends it from every state. No word of
//! it speaks of the money but [`MONEY`], which says that the printer does not decide about it.

mod reply;
mod rows;
mod state;
mod ticket;
mod turn;
mod view;

pub use rows::{
    Fault, Next, Part, QUESTIONS, Question, QuestionRow, ROWS, Row, Said, Swap, Symptom, Test,
};
pub use state::{Doctor, Heard};
pub use ticket::{Printer, ServiceTicket, Taken};
pub use view::View;

use crate::answers::Status;
use crate::slip::{Language, SlipFields, Title};
use crate::spool::{Evidence, JobState};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// Most steps of one dialogue; what is not solved by then becomes a service ticket.
pub const STEPS_MAX: usize = 40;
/// Most test pages of one dialogue.
pub const TEST_PAGES_MAX: u8 = 6;
/// A hot head has cooled down within this, or it is not the heat (receipts reference §6 row 8).
pub const COOL_WAIT_US: u64 = 180_000_000;
/// A test page that is neither printed nor refused within this is stuck in the printer.
pub const PAGE_WAIT_US: u64 = 30_000_000;
/// Longest text of a setting or of a printer's identity that is kept, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 64;

/// Stands on top while a sale is open, zh-CN and en.
pub const MONEY: Said = (
    "交易结果与打印机无关，以收银屏上的结果为准。",
    "The printer does not change the sale: the result on the till's screen stands.",
);

/// How the printer answers on its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It answered the status question.
    #[default]
    Up,
    /// There is a device at the address, and nobody listens on the port.
    Refused,
    /// Nothing at the address answers, or the link broke.
    Down,
    /// The connection is up and nothing was answered.
    Silent,
    /// Something answered that is not a printer's status.
    Foreign,
}

/// What the computer's own print queue says, where there is one (receipts reference §4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// No queue, or a well one.
    #[default]
    Fine,
    /// Somebody ticked "use printer offline".
    WorkOffline,
    /// The port's own status poll got no answer.
    PortOffline,
}

/// Who switched printing off, as far as the settings know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchedOff {
    /// The operator, or where the setting stands; empty when nobody wrote it down.
    pub by: String,
    /// Since when; empty when nobody wrote it down.
    pub since: String,
}

/// What the machine sees by itself at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// How it answers; the status means something only when it is up.
    pub reach: Reach,
    /// What its status bytes mean.
    pub status: Status,
    /// Printing is switched off in our own settings.
    pub off: Option<SwitchedOff>,
    /// The computer's print queue.
    pub queue: Queue,
    /// There is no slip template for a kind of sale: the software is too old.
    pub template_missing: bool,
    /// A sale has no result yet: there is nothing to print.
    pub result_pending: bool,
    /// Our writes make no progress though it answers.
    pub stalled: bool,
    /// Its maker or model is not the configured one (`GS I`).
    pub device_differs: bool,
    /// Whether it has two-byte characters (`GS I 2`); `None` when it did not say.
    pub chinese_font: Option<bool>,
    /// Where the last slip stands.
    pub last_print: Option<(JobState, Evidence)>,
    /// Seconds since it was last heard; `None` when it never was.
    pub heard_s: Option<u64>,
    /// Slips that wait.
    pub waiting: u32,
}

impl Sight {
    /// Something keeps slips from being printed.
    pub fn is_blocked(&self) -> bool {
        self.off.is_some()
            || self.stalled
            || self.reach != Reach::Up
            || self
                .status
                .trouble
                .is_some_and(|trouble| !is_of_a_slip(trouble))
    }

    /// One way of saying each thing, and its texts cut to their limit: what a spool calls a trouble of the
    /// printer may be one of the link or of the settings.
    fn normal(mut self) -> Sight {
        match self.status.trouble {
            Some(Trouble::Unreachable) if self.reach == Reach::Up => self.reach = Reach::Down,
            Some(Trouble::Misconfigured) => self.reach = Reach::Foreign,
            Some(Trouble::BusyElsewhere) => self.reach = Reach::Silent,
            Some(Trouble::Stalled) => self.stalled = true,
            Some(Trouble::Disabled) => {
                self.off.get_or_insert_default();
            }
            Some(Trouble::Unreachable) => {}
            Some(trouble) if is_of_a_slip(trouble) => {}
            _ => return self.cut(),
        }
        self.status.trouble = None;
        self.cut()
    }

    fn cut(mut self) -> Sight {
        if let Some(off) = &mut self.off {
            off.by = bounded(&off.by);
            off.since = bounded(&off.since);
        }
        self
    }
}

/// What became of one slip says nothing of the printer now.
fn is_of_a_slip(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Unknown
            | Trouble::Interrupted
            | Trouble::Blank
            | Trouble::Partial
            | Trouble::NothingCameOut
    )
}

/// A text that came from outside: printable, and no longer than [`TEXT_CHARACTERS_MAX`].
fn bounded(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_CHARACTERS_MAX)
        .collect()
}

/// What a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Yes, or done.
    Yes,
    /// No, or it cannot be done.
    No,
    /// What the paper looks like.
    Looks(Symptom),
    /// The code that was read on the test page.
    Code(u16),
    /// Water, smoke or a burning smell, at any time.
    Stop,
    /// No more of this: a service ticket.
    GiveUp,
}

/// What the dialogue waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Step {
    /// The machine looks; nobody has to do anything.
    Look,
    /// A person is asked; `suspect` is the row that the answer tells apart.
    Ask {
        /// What is asked.
        question: Question,
        /// The most likely row.
        suspect: Option<Fault>,
    },
    /// A person does the instruction of a row.
    Do {
        /// The row.
        fault: Fault,
    },
    /// A part is replaced by a known good one.
    Swap {
        /// The row that was not solved without it.
        fault: Fault,
        /// The part.
        swap: Swap,
    },
    /// The test page is being printed.
    Print,
    /// A person reads the code on the test page.
    ReadCode,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "fault")]
pub enum Outcome {
    /// Nothing was wrong: the test page was printed and read.
    Healthy,
    /// This was it, and the test page was printed and read.
    Fixed(Fault),
    /// A person with tools must come; the row that stood last.
    Ticket(Option<Fault>),
    /// Water or smoke: unplug it, do not use it.
    Stop,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoctorInput {
    /// Somebody asked for the doctor.
    Began {
        /// Whether a sale is open, or may be.
        sale_open: bool,
        /// What the person complained of.
        symptom: Option<Symptom>,
    },
    /// The machine has looked.
    Saw(Sight),
    /// A person answered.
    Replied(Reply),
    /// The test page left; what is known about it is at least `evidence`.
    Printed {
        /// The code on it.
        code: u16,
        /// How sure it is that it is on paper.
        evidence: Evidence,
    },
    /// Time has passed.
    Tick,
}

/// What was decided; the only thing that changes the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // field names say it: times in microseconds
pub enum DoctorRecord {
    /// A dialogue starts.
    Began {
        at_us: u64,
        sale_open: bool,
        symptom: Option<Symptom>,
    },
    /// The machine saw something new.
    Saw { sight: Box<Sight> },
    /// A person answered the open step.
    Replied { reply: Reply },
    /// A person did what the step says; the next look judges it.
    Done,
    /// The open step's test was passed or not.
    Judged { passed: bool },
    /// A test page left.
    Printed { code: u16, evidence: Evidence },
    /// The next step.
    Stepped { at_us: u64, step: Step },
    /// The dialogue is over.
    Ended { outcome: Outcome },
}

/// What the driver must do, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoctorEffect {
    /// Look at the printer now; answered by `Saw`.
    Look,
    /// The cause is removed: let the printer recover (`DLE ENQ 1`).
    Recover,
    /// Print a test page with a fresh code; answered by `Printed`, or by `Saw` when the printer is in trouble.
    PrintTestPage,
    /// There is a new step, or the end: show [`Doctor::view`].
    Show,
}

/// What stands on a test page: the code and where it comes from, and nothing of any sale.
pub fn test_page(code: u16, from: &str, date_time: &str) -> SlipFields {
    SlipFields {
        title: Title::TestPage,
        merchant_name: String::new(),
        merchant_id: String::new(),
        terminal_id: from.to_owned(),
        operator: String::new(),
        issuer: String::new(),
        acquirer: String::new(),
        masked_pan: String::new(),
        entry_letter: ' ',
        transaction: (String::new(), String::new()),
        batch: 0,
        voucher: 0,
        auth_code: None,
        rrn: None,
        date_time: date_time.to_owned(),
        amount_minor: 0,
        headline: (code_text(code), code_text(code)),
        remarks: Vec::new(),
        signature_required: false,
        verification: None,
        chip: None,
        link: None,
        training: false,
    }
}

/// A code as it is printed and typed: four digits.
pub fn code_text(code: u16) -> String {
    format!("{:04}", code % 10_000)
}

fn pick(language: Language, (zh, en): Said) -> &'static str {
    match language {
        Language::Zh | Language::Both => zh,
        Language::En => en,
    }
}
