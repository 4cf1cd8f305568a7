//! The installation test of a printer: may its process IDs be called proof of paper?
//!
//! An echo of four characters is easily faked, so only a printer that took its time, stopped for an open cover and a
//! missing roll, and drew what a person could read back is trusted (receipts reference §3.4).

use crate::answers::{Answer, Answers, Status};
use crate::escpos::STATUS_QUESTION;
use crate::gb18030::{self, Code};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// How much paper the speed test takes, in millimetres.
pub const SPEED_MM: u32 = 200;
/// Faster than this no thermal printer draws the slip of the speed test (200 mm at 500 mm/s).
pub const SPEED_MIN_US: u64 = 400_000;
/// An answer that needs no paper comes within this, or not at all.
pub const ANSWER_US: u64 = 3_000_000;
/// The slip of the speed test is drawn within this, or not at all.
pub const PRINT_US: u64 = 20_000_000;
/// A person opens, closes, loads or types within this.
pub const OPERATOR_US: u64 = 300_000_000;
/// How often the cover and the roll are looked at meanwhile.
pub const LOOK_US: u64 = 500_000;
/// How often a person may be too late, or mistype the code.
pub const TRIES_MAX: u32 = 3;

const SPEED_LINES: u32 = 54;
const LONG_LINES: u32 = 120;
/// `GS I`: maker, model, firmware, serial number.
const DEVICE_QUESTIONS: [u8; 4] = [66, 67, 65, 68];

/// What a process ID of this printer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Proof {
    /// Nothing: it has none, or always the same.
    None,
    /// It took the bytes (E3).
    Parsed,
    /// The paper is printed (E4).
    Completed,
}

impl Proof {
    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Proof::None => (
                "打印机不回报打印结果，凭条只能由人确认",
                "The printer reports no result: only a person can confirm a slip",
            ),
            Proof::Parsed => (
                "打印机只回报收到数据，不回报出纸",
                "The printer reports that it took the data, not that it is on paper",
            ),
            Proof::Completed => (
                "打印机如实回报打印完成",
                "The printer truthfully reports a finished print",
            ),
        }
    }
}

/// One part of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// Who are you?
    Identify,
    /// An ID without anything to print.
    Echo,
    /// An ID behind 200 mm of paper.
    Speed,
    /// The cover is opened in the middle of a slip.
    Cover,
    /// The roll is lifted out in the middle of a slip.
    Paper,
    /// A person reads a number from the paper.
    Eyes,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Step; 6] = [
        Step::Identify,
        Step::Echo,
        Step::Speed,
        Step::Cover,
        Step::Paper,
        Step::Eyes,
    ];

    /// What happens, or what the person at the printer does, zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Step::Identify => ("正在识别打印机", "Identifying the printer"),
            Step::Echo => ("正在检查打印机的应答", "Checking the printer's answers"),
            Step::Speed => (
                "正在打印一张测试凭条，请勿触碰打印机",
                "Printing a test slip: do not touch the printer",
            ),
            Step::Cover => (
                "按“继续”后开始打印，打印途中请打开机盖，等几秒再合上",
                "Press continue; while it prints, open the cover, wait a few seconds, close it",
            ),
            Step::Paper => (
                "按“继续”后开始打印，打印途中请取出纸卷，等几秒再装回",
                "Press continue; while it prints, lift the roll out, wait a few seconds, put it back",
            ),
            Step::Eyes => (
                "请输入凭条上印的四位数字",
                "Type the four digits that stand on the slip",
            ),
        }
    }

    /// Whether it begins only when the person says so.
    pub fn waits_for_ready(self) -> bool {
        matches!(self, Step::Cover | Step::Paper)
    }
}

/// The printer as it names itself; empty where it does not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// `GS I 66`.
    pub maker: String,
    /// `GS I 67`.
    pub model: String,
    /// `GS I 65`.
    pub firmware: String,
    /// `GS I 68`.
    pub serial: String,
}

/// The result, kept with the printer's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// What its IDs are worth.
    pub proof: Proof,
    /// Whose IDs.
    pub device: Device,
    /// The step that it did not pass.
    pub failed: Option<Step>,
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptanceInput {
    /// The connection is up; the test begins.
    Begin,
    /// Bytes from the printer.
    Heard(Vec<u8>),
    /// The person is ready for the step that waits for it.
    Ready,
    /// The person typed the code.
    Typed(String),
    /// The connection is gone.
    Lost,
    /// Time has passed.
    Tick,
}

/// What the driver must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptanceEffect {
    /// Send these bytes whole.
    Send(Vec<u8>),
    /// Show the words of this step.
    Show(Step),
    /// The test is over.
    Over(Accepted),
}

/// The test of one printer over one connection.
#[derive(Clone, Debug)]
pub struct Acceptance {
    ids: [[u8; 4]; 4],
    code: String,
    device: Device,
    step: Step,
    phase: Phase,
    tries: u32,
    answers: Answers,
    realtime: Vec<u8>,
    effects: Vec<AcceptanceEffect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not begun, or a person is awaited.
    Waiting {
        until_us: u64,
    },
    /// The answer to question `n` of [`DEVICE_QUESTIONS`] is awaited.
    Identifying {
        n: usize,
        until_us: u64,
    },
    /// The ID is awaited.
    Printing {
        sent_us: u64,
        until_us: u64,
        look_us: u64,
        trouble: Option<Trouble>,
        stopped: bool,
    },
    Over,
}

impl Acceptance {
    /// A test with four random IDs and a random code below 10 000, both from the driver.
    pub fn new(ids: [[u8; 4]; 4], code: u16) -> Acceptance {
        Acceptance {
            ids: ids.map(|id| id.map(printable)),
            code: format!("{:04}", code % 10_000),
            device: Device::default(),
            step: Step::Identify,
            phase: Phase::Waiting { until_us: u64::MAX },
            tries: 0,
            answers: Answers::default(),
            realtime: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// The step it is at.
    pub fn step(&self) -> Step {
        self.step
    }

    /// When a `Tick` is due, in microseconds.
    pub fn deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Waiting { until_us } => (until_us < u64::MAX).then_some(until_us),
            Phase::Identifying { until_us, .. } => Some(until_us),
            Phase::Printing {
                until_us, look_us, ..
            } => Some(until_us.min(look_us)),
            Phase::Over => None,
        }
    }

    /// Takes an input and says what to do about it.
    pub fn take(&mut self, now_us: u64, input: AcceptanceInput) -> Vec<AcceptanceEffect> {
        match input {
            AcceptanceInput::Begin if self.step == Step::Identify && self.deadline().is_none() => {
                if self.phase != Phase::Over {
                    self.effects.push(AcceptanceEffect::Show(Step::Identify));
                    self.identify(now_us, 0);
                }
            }
            AcceptanceInput::Heard(bytes) => {
                for answer in self.answers.hear(&bytes) {
                    self.heard(now_us, answer);
                }
            }
            AcceptanceInput::Ready
                if self.step.waits_for_ready() && matches!(self.phase, Phase::Waiting { .. }) =>
            {
                self.print(now_us, LONG_LINES, OPERATOR_US);
            }
            AcceptanceInput::Typed(text)
                if self.step == Step::Eyes && matches!(self.phase, Phase::Waiting { .. }) =>
            {
                self.typed(text.trim());
            }
            AcceptanceInput::Lost if self.phase != Phase::Over => self.fail(),
            AcceptanceInput::Tick => self.tick(now_us),
            AcceptanceInput::Begin
            | AcceptanceInput::Ready
            | AcceptanceInput::Typed(_)
            | AcceptanceInput::Lost => {}
        }
        std::mem::take(&mut self.effects)
    }

    fn identify(&mut self, now_us: u64, n: usize) {
        let Some(question) = DEVICE_QUESTIONS.get(n) else {
            return self.enter(now_us, Step::Echo);
        };
        self.send(vec![0x1D, 0x49, *question]);
        let until_us = now_us.saturating_add(ANSWER_US);
        self.phase = Phase::Identifying { n, until_us };
    }

    fn heard(&mut self, now_us: u64, answer: Answer) {
        match (self.phase, answer) {
            (Phase::Identifying { n, .. }, Answer::Information(text)) => {
                let text = text.into_iter().filter(u8::is_ascii_graphic);
                let text: String = text.map(char::from).collect();
                let device = &mut self.device;
                let names = [
                    &mut device.maker,
                    &mut device.model,
                    &mut device.firmware,
                    &mut device.serial,
                ];
                if let Some(name) = names.into_iter().nth(n) {
                    *name = text;
                }
                self.identify(now_us, n + 1);
            }
            (Phase::Printing { .. }, Answer::AutoStatus(four)) => {
                self.looked(Status::from_auto(four));
            }
            (Phase::Printing { .. }, Answer::Realtime(byte)) => {
                self.realtime.push(byte);
                if let Ok(four) = <[u8; 4]>::try_from(&self.realtime[..]) {
                    self.realtime.clear();
                    self.looked(Status::from_realtime(four));
                }
            }
            (Phase::Printing { .. }, Answer::ProcessId(id)) => self.echoed(now_us, id),
            _ => {}
        }
    }

    fn looked(&mut self, status: Status) {
        let stops = match self.step {
            Step::Cover => status.trouble == Some(Trouble::CoverOpen),
            _ => status.trouble == Some(Trouble::PaperOut),
        };
        if let Phase::Printing {
            trouble, stopped, ..
        } = &mut self.phase
        {
            *trouble = status.trouble;
            *stopped |= stops;
        }
    }

    fn echoed(&mut self, now_us: u64, id: [u8; 4]) {
        let Phase::Printing {
            sent_us,
            trouble,
            stopped,
            ..
        } = self.phase
        else {
            return;
        };
        if id != self.id() {
            // Only in the echo test nothing older can be on its way.
            if self.step == Step::Echo {
                self.fail();
            }
            return;
        }
        match self.step {
            Step::Echo => self.enter(now_us, Step::Speed),
            Step::Speed if now_us.saturating_sub(sent_us) < SPEED_MIN_US => self.fail(),
            Step::Speed => self.enter(now_us, Step::Cover),
            Step::Cover | Step::Paper if trouble.is_some() => self.fail(),
            Step::Cover if stopped => self.enter(now_us, Step::Paper),
            Step::Paper if stopped => self.enter(now_us, Step::Eyes),
            Step::Identify | Step::Cover | Step::Paper | Step::Eyes => self.again(now_us),
        }
    }

    fn typed(&mut self, text: &str) {
        if text == self.code {
            return self.over(Proof::Completed, None);
        }
        self.tries += 1;
        if self.tries >= TRIES_MAX {
            return self.fail();
        }
        self.effects.push(AcceptanceEffect::Show(Step::Eyes));
    }

    /// The slip was finished before the person did anything.
    fn again(&mut self, now_us: u64) {
        self.tries += 1;
        if self.tries >= TRIES_MAX {
            return self.fail();
        }
        self.await_person(now_us);
    }

    fn enter(&mut self, now_us: u64, step: Step) {
        self.step = step;
        self.tries = 0;
        self.realtime.clear();
        match step {
            Step::Identify => {}
            Step::Echo => {
                self.effects.push(AcceptanceEffect::Show(step));
                self.print(now_us, 0, ANSWER_US);
            }
            Step::Speed => {
                self.effects.push(AcceptanceEffect::Show(step));
                self.print(now_us, SPEED_LINES, PRINT_US);
            }
            Step::Cover | Step::Paper => self.await_person(now_us),
            Step::Eyes => {
                let code = self.code.clone();
                self.send(code_page(&code));
                self.await_person(now_us);
            }
        }
    }

    fn await_person(&mut self, now_us: u64) {
        self.effects.push(AcceptanceEffect::Show(self.step));
        let until_us = now_us.saturating_add(OPERATOR_US);
        self.phase = Phase::Waiting { until_us };
    }

    /// Sends lines with the step's ID behind them; none at all for the echo test.
    fn print(&mut self, now_us: u64, lines: u32, wait_us: u64) {
        let mut bytes = vec![0x1B, 0x40, 0x1B, 0x3D, 0x01, 0x1D, 0x61, 0xFF];
        for line in 0..lines {
            bytes.extend(format!("{line:03} {}\n", "=".repeat(20)).bytes());
        }
        let [one, two, three, four] = self.id();
        bytes.extend([
            0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, one, two, three, four,
        ]);
        self.send(bytes);
        self.phase = Phase::Printing {
            sent_us: now_us,
            until_us: now_us.saturating_add(wait_us),
            look_us: match self.step.waits_for_ready() {
                true => now_us.saturating_add(LOOK_US),
                false => u64::MAX,
            },
            trouble: None,
            stopped: false,
        };
    }

    /// The ID of this step and try: each is used once.
    fn id(&self) -> [u8; 4] {
        let place = match self.step {
            Step::Identify | Step::Echo => 0,
            Step::Speed => 1,
            Step::Cover => 2,
            Step::Paper | Step::Eyes => 3,
        };
        let [one, two, three, four] = self.ids[place];
        [
            one,
            two,
            three,
            printable(four.wrapping_add(self.tries as u8)),
        ]
    }

    fn tick(&mut self, now_us: u64) {
        match self.phase {
            Phase::Identifying { n, until_us } if until_us <= now_us => {
                self.identify(now_us, n + 1);
            }
            Phase::Waiting { until_us } | Phase::Printing { until_us, .. }
                if until_us <= now_us =>
            {
                self.fail();
            }
            Phase::Printing { look_us, .. } if look_us <= now_us => {
                self.realtime.clear();
                self.send(STATUS_QUESTION.to_vec());
                if let Phase::Printing { look_us, .. } = &mut self.phase {
                    *look_us = now_us.saturating_add(LOOK_US);
                }
            }
            _ => {}
        }
    }

    /// What it showed until here counts.
    fn fail(&mut self) {
        let proof = match self.step {
            Step::Identify | Step::Echo => Proof::None,
            _ => Proof::Parsed,
        };
        self.over(proof, Some(self.step));
    }

    fn over(&mut self, proof: Proof, failed: Option<Step>) {
        self.phase = Phase::Over;
        let device = self.device.clone();
        self.effects.push(AcceptanceEffect::Over(Accepted {
            proof,
            device,
            failed,
        }));
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.effects.push(AcceptanceEffect::Send(bytes));
    }
}

/// A character that a process ID may hold, `20`–`7E`.
fn printable(byte: u8) -> u8 {
    match byte {
        0x20..=0x7E => byte,
        _ => 0x20 + byte % 0x5F,
    }
}

/// The slip of the eyes test: Chinese, both languages, the code in double size, a cut.
fn code_page(code: &str) -> Vec<u8> {
    let mut bytes = vec![0x1B, 0x40, 0x1B, 0x3D, 0x01, 0x1C, 0x26];
    for character in "请输入下面的四位数字\nTYPE THESE FOUR DIGITS\n".chars() {
        match gb18030::code(character) {
            Some(Code::One(byte)) => bytes.push(byte),
            Some(Code::Two(pair)) => bytes.extend(pair),
            None => bytes.push(u8::try_from(character).unwrap_or(b'?')),
        }
    }
    bytes.extend([0x1D, 0x21, 0x11]);
    bytes.extend(code.bytes());
    bytes.extend([
        0x0A, 0x1D, 0x21, 0x00, 0x1B, 0x64, 0x04, 0x1D, 0x56, 0x42, 0x00,
    ]);
    bytes
}
