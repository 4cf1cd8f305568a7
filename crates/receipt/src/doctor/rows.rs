//! The fault table: one row for each fault, and the questions that tell rows apart (receipts reference §6, product A73–A89).
//!
//! The order is the order of suspicion: what is certain and cheap to see comes first.

mod link;
mod mechanism;
mod paper;
mod settings;

use super::{Queue, Reach, Sight, state::Heard};
use crate::spool::JobState;
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// zh-CN, then en.
pub type Said = (&'static str, &'static str);

/// A fault of the table; its serialised name is its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the row says it
pub enum Fault {
    WaterOrBurn,
    PrintingOff,
    WindowsOffline,
    WindowsStatus,
    ResultPending,
    SoftwareOld,
    WrongDevice,
    WrongPort,
    HeldElsewhere,
    PowerOff,
    DataCable,
    CoverOpen,
    PaperOut,
    Unrecoverable,
    CutterStuck,
    PaperJam,
    HeadHot,
    SupplyVoltage,
    NotReady,
    BufferFull,
    PartialPrint,
    PrintedTwice,
    BlankSlip,
    FaintPrint,
    WrongDriver,
    GarbledChinese,
    PaperNearEnd,
}

impl Fault {
    /// Its row.
    pub fn row(self) -> &'static Row {
        ROWS[self as usize]
    }
}

/// One fault: what points to it, what to do, and how one knows that it is over.
#[derive(Debug)]
pub struct Row {
    /// Which one.
    pub fault: Fault,
    /// Its id, stable: kebab-case.
    pub id: &'static str,
    /// Its name.
    pub name: Said,
    /// What the machine can see by itself.
    pub machine: Said,
    /// What a person must be asked before it is certain.
    pub asks: &'static [Question],
    /// What tells it apart from its neighbours.
    pub apart: Said,
    /// The one instruction.
    pub instruction: Said,
    /// What must follow.
    pub test: Test,
    /// The known good part to try when it does not.
    pub swap: Option<Swap>,
    /// And after that.
    pub otherwise: Next,
    /// What a person with tools should bring.
    pub parts: &'static [Part],
    /// The printer must be told to go on once the cause is removed (§3.3 step 7).
    pub recovers: bool,
    /// Where the row comes from: its number in §6, its product item.
    pub source: &'static str,
    /// Whether what was seen and heard points to it.
    pub sees: fn(&Sight, &Heard) -> bool,
}

/// Every row, in the order of suspicion and of [`Fault`].
pub const ROWS: [&Row; 27] = [
    &mechanism::WATER_OR_BURN,
    &settings::PRINTING_OFF,
    &settings::WINDOWS_OFFLINE,
    &settings::WINDOWS_STATUS,
    &settings::RESULT_PENDING,
    &settings::SOFTWARE_OLD,
    &link::WRONG_DEVICE,
    &link::WRONG_PORT,
    &link::HELD_ELSEWHERE,
    &link::POWER_OFF,
    &link::DATA_CABLE,
    &mechanism::COVER_OPEN,
    &paper::PAPER_OUT,
    &mechanism::UNRECOVERABLE,
    &mechanism::CUTTER_STUCK,
    &mechanism::PAPER_JAM,
    &mechanism::HEAD_HOT,
    &mechanism::SUPPLY_VOLTAGE,
    &mechanism::NOT_READY,
    &link::BUFFER_FULL,
    &paper::PARTIAL_PRINT,
    &paper::PRINTED_TWICE,
    &paper::BLANK_SLIP,
    &paper::FAINT_PRINT,
    &paper::WRONG_DRIVER,
    &paper::GARBLED_CHINESE,
    &paper::PAPER_NEAR_END,
];

/// What must be observed after the instruction was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// No test: nobody uses it until a person with tools has looked.
    Never,
    /// The printer's status no longer says this, and the cover is closed.
    Clears(Trouble),
    /// The roll is not near its end.
    RollFull,
    /// The printer answers the status question.
    Answers,
    /// It answers and is the configured device.
    RightDevice,
    /// It takes bytes again.
    Flows,
    /// Printing is on in the settings.
    SwitchedOn,
    /// The computer's print queue is online.
    QueueOnline,
    /// Every kind of sale has its template.
    Template,
    /// The sale has its result.
    ResultKnown,
    /// A test page is printed and a person says its code.
    Code,
}

impl Test {
    /// Whether what was seen passes it; [`Test::Code`] is passed by a person.
    pub fn passed_by(self, sight: &Sight) -> bool {
        let up = sight.reach == Reach::Up;
        let trouble = sight.status.trouble;
        match self {
            Test::Never | Test::Code => false,
            Test::Clears(Trouble::Offline) => up && trouble.is_none(),
            Test::Clears(cause) => {
                up && !matches!(trouble, Some(Trouble::CoverOpen | Trouble::PowerLost))
                    && trouble != Some(cause)
                    && (cause != Trouble::HeadHot || trouble != Some(Trouble::Voltage))
            }
            Test::RollFull => up && !sight.status.paper_low && trouble.is_none(),
            Test::Answers => up && trouble != Some(Trouble::PowerLost),
            Test::RightDevice => up && !sight.device_differs,
            Test::Flows => up && !sight.stalled,
            Test::SwitchedOn => sight.off.is_none(),
            Test::QueueOnline => sight.queue == Queue::Fine,
            Test::Template => !sight.template_missing,
            Test::ResultKnown => !sight.result_pending,
        }
    }

    /// What it looks for.
    pub fn words(self) -> Said {
        match self {
            Test::Never => ("不做测试：维修前不得使用", "none: not used before a repair"),
            Test::Clears(Trouble::PaperOut) => (
                "有纸（EOT 4 的缺纸位清零），盖已合上",
                "paper present (its bits of EOT 4 clear), cover closed",
            ),
            Test::Clears(Trouble::CoverOpen) => ("合盖（EOT 2）", "cover closed (EOT 2)"),
            Test::Clears(Trouble::Offline) => {
                ("打印机联机（EOT 1）", "the printer is online (EOT 1)")
            }
            Test::Clears(_) => (
                "故障位清零（EOT 3），盖已合上",
                "the error bit is clear (EOT 3), cover closed",
            ),
            Test::RollFull => (
                "纸将尽位清零（EOT 4）",
                "the near-end bits are clear (EOT 4)",
            ),
            Test::Answers => ("打印机应答状态查询", "it answers the status question"),
            Test::RightDevice => (
                "应答，且型号与设置一致（GS I）",
                "it answers and is the configured model (GS I)",
            ),
            Test::Flows => ("重新接收数据", "it takes bytes again"),
            Test::SwitchedOn => ("设置中打印为开", "printing is on in the settings"),
            Test::QueueOnline => ("打印队列联机", "the queue is online"),
            Test::Template => ("每类交易都有模板", "every kind of sale has its template"),
            Test::ResultKnown => ("交易有结果", "the sale has its result"),
            Test::Code => (
                "打印测试页，读出四位数字",
                "a test page is printed and its code read",
            ),
        }
    }
}

/// What follows when the test and the swap fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next suspect.
    Row(Fault),
    /// It keeps nobody from printing: go on to the test page.
    TestPage,
    /// A person with tools.
    Ticket,
}

/// A known good part to try (A86).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Swap {
    /// Its data cable.
    Cable,
    /// Its power supply, same voltage.
    PowerSupply,
    /// A fresh thermal roll.
    Roll,
    /// Another printer of the same model.
    Printer,
}

impl Swap {
    /// What to do.
    pub fn words(self) -> Said {
        match self {
            Swap::Cable => (
                "换一根确认完好的数据线再试",
                "Try a data cable that is known to work",
            ),
            Swap::PowerSupply => (
                "换一个同型号、确认完好的电源再试",
                "Try a working power supply of the same model",
            ),
            Swap::Roll => (
                "换一卷确认完好的热敏纸再试",
                "Try a thermal roll that is known to work",
            ),
            Swap::Printer => (
                "换一台同型号、确认完好的打印机再试",
                "Try a working printer of the same model",
            ),
        }
    }
}

/// What a person with tools should bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // its words say it
pub enum Part {
    Printer,
    Board,
    Head,
    Cutter,
    Sensor,
    Platen,
    PowerSupply,
    Cable,
    Roll,
    Software,
}

impl Part {
    /// Its name.
    pub fn words(self) -> Said {
        match self {
            Part::Printer => ("备用打印机", "spare printer"),
            Part::Board => ("主板", "main board"),
            Part::Head => ("打印头", "print head"),
            Part::Cutter => ("切刀", "cutter"),
            Part::Sensor => ("纸传感器", "paper sensor"),
            Part::Platen => ("胶辊与齿轮", "platen and gears"),
            Part::PowerSupply => ("电源", "power supply"),
            Part::Cable => ("数据线", "data cable"),
            Part::Roll => ("热敏纸", "thermal roll"),
            Part::Software => ("软件或设置", "software or settings"),
        }
    }
}

/// What paper and screen look like to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // its words say it
pub enum Symptom {
    Nothing,
    Blank,
    Faint,
    CutShort,
    Garbled,
    Gibberish,
    Twice,
    SomeSales,
    Offline,
    Fine,
}

impl Symptom {
    /// Every one, in the order of the choices.
    pub const ALL: [Symptom; 10] = [
        Symptom::Nothing,
        Symptom::Blank,
        Symptom::Faint,
        Symptom::CutShort,
        Symptom::Garbled,
        Symptom::Gibberish,
        Symptom::Twice,
        Symptom::SomeSales,
        Symptom::Offline,
        Symptom::Fine,
    ];

    /// Its name for the command line: kebab-case.
    pub fn id(self) -> &'static str {
        match self {
            Symptom::Nothing => "nothing",
            Symptom::Blank => "blank",
            Symptom::Faint => "faint",
            Symptom::CutShort => "cut-short",
            Symptom::Garbled => "garbled",
            Symptom::Gibberish => "gibberish",
            Symptom::Twice => "twice",
            Symptom::SomeSales => "some-sales",
            Symptom::Offline => "offline",
            Symptom::Fine => "fine",
        }
    }

    /// The choice.
    pub fn words(self) -> Said {
        match self {
            Symptom::Nothing => ("没有出纸", "no paper came out"),
            Symptom::Blank => ("出纸但没有字", "paper without any print"),
            Symptom::Faint => ("字很淡或缺划", "faint, or with gaps"),
            Symptom::CutShort => ("只打了一部分", "only a part of it"),
            Symptom::Garbled => ("数字对，汉字乱", "digits right, Chinese wrong"),
            Symptom::Gibberish => ("满纸乱码", "nothing but odd signs"),
            Symptom::Twice => ("同一张打了两次", "the same slip twice"),
            Symptom::SomeSales => (
                "只有某类交易不出小票",
                "only some kinds of sale print nothing",
            ),
            Symptom::Offline => ("电脑显示打印机脱机", "the computer says offline"),
            Symptom::Fine => ("看着正常", "it looks right"),
        }
    }
}

/// A question to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // its row says it
pub enum Question {
    Wet,
    PowerLamp,
    ReadyLamp,
    OtherTill,
    Paper,
}

impl Question {
    /// Its row.
    pub fn row(self) -> &'static QuestionRow {
        &QUESTIONS[self as usize]
    }
}

/// One question: its words, and when its answer tells rows apart.
#[derive(Debug)]
pub struct QuestionRow {
    /// Which one.
    pub question: Question,
    /// The words.
    pub words: Said,
    wanted: fn(&Sight, &Heard) -> bool,
    suspect: fn(&Sight) -> Option<Fault>,
}

impl QuestionRow {
    /// Whether its answer is needed now.
    pub fn wanted(&self, sight: &Sight, heard: &Heard) -> bool {
        (self.wanted)(sight, heard)
    }

    /// The row that it is about.
    pub fn suspect(&self, sight: &Sight) -> Option<Fault> {
        (self.suspect)(sight)
    }
}

/// Every question, the most urgent first, then the cheapest; the order of [`Question`].
pub const QUESTIONS: [QuestionRow; 5] = [
    QuestionRow {
        question: Question::Wet,
        words: (
            "打印机进水了，或者有焦味、冒烟吗？",
            "Is the printer wet, smoking, or does it smell burnt?",
        ),
        wanted: |sight, heard| heard.wet.is_none() && electric(sight),
        suspect: |sight| match sight.status.trouble {
            _ if sight.reach == Reach::Down => Some(Fault::PowerOff),
            Some(Trouble::Fault) => Some(Fault::Unrecoverable),
            Some(Trouble::HeadHot) => Some(Fault::HeadHot),
            Some(Trouble::Voltage) => Some(Fault::SupplyVoltage),
            _ => Some(Fault::PowerOff),
        },
    },
    QuestionRow {
        question: Question::PowerLamp,
        words: ("打印机的电源灯亮吗？", "Is the printer's power lamp on?"),
        wanted: |sight, heard| sight.reach == Reach::Down && heard.power_lamp.is_none(),
        suspect: |_| Some(Fault::PowerOff),
    },
    QuestionRow {
        question: Question::ReadyLamp,
        words: (
            "工作灯（联机灯）一直亮、不闪吗？",
            "Is its ready lamp on, without blinking?",
        ),
        wanted: |sight, heard| {
            sight.reach == Reach::Down
                && heard.power_lamp == Some(true)
                && heard.ready_lamp.is_none()
        },
        suspect: |_| Some(Fault::DataCable),
    },
    QuestionRow {
        question: Question::OtherTill,
        words: (
            "还有别的收银机或电脑在用这台打印机吗？",
            "Does another till or computer use this printer too?",
        ),
        wanted: |sight, heard| {
            sight.reach == Reach::Silent && sight.heard_s.is_none() && heard.other_till.is_none()
        },
        suspect: |_| Some(Fault::HeldElsewhere),
    },
    QuestionRow {
        question: Question::Paper,
        words: ("纸上是什么样子？", "What does the paper look like?"),
        wanted: |_, heard| heard.unread && heard.symptom.is_none(),
        suspect: |sight| match sight.chinese_font {
            Some(false) => Some(Fault::GarbledChinese),
            _ => None,
        },
    },
];

/// Somebody may be sent to the power switch or its cable.
fn electric(sight: &Sight) -> bool {
    let up = sight.reach == Reach::Up;
    sight.reach == Reach::Down
        || matches!(sight.status.trouble, Some(Trouble::PowerLost))
        || up
            && matches!(
                sight.status.trouble,
                Some(Trouble::Fault | Trouble::HeadHot | Trouble::Voltage)
            )
}

fn has(sight: &Sight, trouble: Trouble) -> bool {
    sight.reach == Reach::Up && sight.status.trouble == Some(trouble)
}

/// What somebody said of the last slip.
fn last(sight: &Sight, trouble: Trouble) -> bool {
    let ended = sight.last_print.map(|(state, _)| state);
    ended == Some(JobState::Failed(trouble)) || ended == Some(JobState::Unknown(trouble))
}

fn looks(heard: &Heard, symptom: Symptom) -> bool {
    heard.symptom == Some(symptom)
}
