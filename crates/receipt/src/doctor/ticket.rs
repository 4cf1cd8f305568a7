//! The service ticket: what a person with tools must know before coming, and nothing of any sale or card.

use super::{Doctor, Fault, Outcome, Part, Reach, Reply, Said, Sight, Step, Swap, bounded, pick};
use crate::slip::Language;
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Which printer it is; every text is what the printer (`GS I`) or the settings say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printer {
    /// Where it is reached.
    pub address: String,
    /// Its maker.
    pub maker: String,
    /// Its model.
    pub model: String,
    /// Its firmware.
    pub firmware: String,
    /// Its serial number.
    pub serial: String,
}

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Seconds after the dialogue began.
    pub after_s: u64,
    /// The step.
    pub step: Step,
    /// How the printer answered when the step began, and its trouble.
    pub saw: Option<(Reach, Option<Trouble>)>,
    /// What the person answered last.
    pub reply: Option<Reply>,
    /// Whether its test was passed.
    pub passed: Option<bool>,
}

/// The ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTicket {
    /// Date and time, as the till shows them.
    pub opened: String,
    /// Which printer.
    pub printer: Printer,
    /// How the dialogue ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// The row that stood last.
    pub fault: Option<Fault>,
    /// What the machine saw last.
    pub sight: Option<Sight>,
    /// Every step, at most [`super::STEPS_MAX`].
    pub steps: Vec<Taken>,
    /// Parts that were replaced by known good ones, and whether that helped.
    pub swaps: Vec<(Swap, bool)>,
    /// What to bring, the likeliest first.
    pub parts: Vec<Part>,
}

impl ServiceTicket {
    pub(super) fn new(doctor: &Doctor, printer: Printer, opened: String) -> ServiceTicket {
        let fault = match doctor.outcome {
            Some(Outcome::Stop) => Some(Fault::WaterOrBurn),
            Some(Outcome::Ticket(fault)) => fault,
            Some(Outcome::Fixed(fault)) => Some(fault),
            Some(Outcome::Healthy) => None,
            None => doctor.suspect,
        };
        let swaps = doctor.taken.iter().filter_map(|taken| match taken.step {
            Step::Swap { swap, .. } if taken.reply == Some(Reply::Yes) => {
                Some((swap, taken.passed == Some(true)))
            }
            _ => None,
        });
        ServiceTicket {
            opened: bounded(&opened),
            printer: Printer {
                address: bounded(&printer.address),
                maker: bounded(&printer.maker),
                model: bounded(&printer.model),
                firmware: bounded(&printer.firmware),
                serial: bounded(&printer.serial),
            },
            outcome: doctor.outcome,
            fault,
            sight: doctor.sight.clone(),
            steps: doctor.taken.clone(),
            swaps: swaps.collect(),
            parts: fault.map_or_else(Vec::new, |fault| fault.row().parts.to_vec()),
        }
    }

    /// The ticket as lines of text.
    pub fn text(&self, language: Language) -> String {
        let say = |said: Said| pick(language, said);
        let mut page = String::new();
        let mut line = |label: Said, value: &str| {
            let value = if value.is_empty() { "–" } else { value };
            // Writing to a string cannot fail.
            let _ = writeln!(page, "{}{value}", say(label));
        };
        line(("打印机报修单", "PRINTER SERVICE TICKET"), " ");
        line(("时间：", "opened: "), &self.opened);
        line(("地址：", "address: "), &self.printer.address);
        let model = format!("{} {}", self.printer.maker, self.printer.model);
        line(("型号：", "model: "), model.trim());
        line(("固件：", "firmware: "), &self.printer.firmware);
        line(("序列号：", "serial: "), &self.printer.serial);
        let fault = self.fault.map(|fault| fault.row());
        let name = fault.map_or(String::new(), |row| {
            format!("{} ({})", say(row.name), row.id)
        });
        line(("故障：", "fault: "), &name);
        line(("结果：", "outcome: "), say(self.ending()));
        if let Some(sight) = &self.sight {
            line(
                ("最后所见：", "last seen: "),
                &saw(sight.reach, sight.status.trouble, language),
            );
        }
        let parts: Vec<_> = self.parts.iter().map(|part| say(part.words())).collect();
        line(("建议带件：", "parts: "), &parts.join(say(("、", ", "))));
        for (swap, helped) in &self.swaps {
            let helped = say(match helped {
                true => ("有效", "helped"),
                false => ("无效", "did not help"),
            });
            let tried = format!("{}{} {helped}", say(swap.words()), say(("：", ":")));
            line(("换件试验：", "swap test: "), &tried);
        }
        line(("步骤：", "steps:"), " ");
        for taken in &self.steps {
            let step = format!("{:>5} s  {}", taken.after_s, taken.words(language));
            line(("", ""), &step);
        }
        page
    }

    fn ending(&self) -> Said {
        match self.outcome {
            None => ("未完成", "not finished"),
            Some(Outcome::Healthy) => ("正常", "well"),
            Some(Outcome::Fixed(_)) => ("已解决", "solved"),
            Some(Outcome::Ticket(_)) => ("需要维修", "needs service"),
            Some(Outcome::Stop) => ("停用，已要求断电", "stopped, told to unplug"),
        }
    }
}

impl Taken {
    /// The step, the answer and the result in one line.
    fn words(&self, language: Language) -> String {
        let say = |said: Said| pick(language, said);
        let mut text = match self.step {
            Step::Look => say(("查看", "look")).to_owned(),
            Step::Ask { question, .. } => say(question.row().words).to_owned(),
            Step::Do { fault } => say(fault.row().instruction).to_owned(),
            Step::Swap { swap, .. } => say(swap.words()).to_owned(),
            Step::Print => say(("打印测试页", "print a test page")).to_owned(),
            Step::ReadCode => say(("读测试页", "read the test page")).to_owned(),
        };
        if let Some((reach, trouble)) = self.saw {
            let _ = write!(text, " [{}]", saw(reach, trouble, language));
        }
        if let Some(reply) = self.reply {
            let _ = write!(text, " → {}", say(reply_words(reply)));
        }
        if let Some(passed) = self.passed {
            text += match passed {
                true => " ✓",
                false => " ✗",
            };
        }
        text
    }
}

fn reply_words(reply: Reply) -> Said {
    match reply {
        Reply::Yes => ("是", "yes"),
        Reply::No => ("否", "no"),
        Reply::Looks(symptom) => symptom.words(),
        Reply::Code(_) => ("读出数字", "read digits"),
        Reply::Stop => ("有水或冒烟", "water or smoke"),
        Reply::GiveUp => ("放弃", "gave up"),
    }
}

/// How the printer answered, in a few words.
fn saw(reach: Reach, trouble: Option<Trouble>, language: Language) -> String {
    let words = match (reach, trouble) {
        (Reach::Up, None) => ("状态正常", "status good"),
        (Reach::Up, Some(Trouble::PaperOut)) => ("缺纸", "paper out"),
        (Reach::Up, Some(Trouble::CoverOpen)) => ("盖未合上", "cover open"),
        (Reach::Up, Some(Trouble::Offline)) => ("脱机无原因", "offline, no cause"),
        (Reach::Up, Some(Trouble::Jam)) => ("卡纸", "jam"),
        (Reach::Up, Some(Trouble::Cutter)) => ("切刀", "cutter"),
        (Reach::Up, Some(Trouble::HeadHot)) => ("过热或电压", "heat or voltage"),
        (Reach::Up, Some(Trouble::Fault)) => ("硬件故障", "hardware fault"),
        (Reach::Up, Some(Trouble::Disabled)) => ("打印已关闭", "printing off"),
        (_, Some(Trouble::PowerLost)) => ("正在断电", "switched off"),
        (Reach::Up, Some(_)) => ("不明", "unknown"),
        (Reach::Refused, _) => ("端口拒绝", "port refused"),
        (Reach::Down, _) => ("没有回音", "nothing there"),
        (Reach::Silent, _) => ("连上无应答", "connected, silent"),
        (Reach::Foreign, _) => ("不是打印机", "not a printer"),
    };
    pick(language, words).to_owned()
}
