//! What a dialogue shows: one step in plain words of one language, for a terminal and for a page.

use super::{Doctor, MONEY, Outcome, Question, Said, Step, Symptom, pick};
use crate::slip::Language;
use serde::{Deserialize, Serialize};

/// One step, or the end, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Which step it is, from 1.
    pub number: usize,
    /// `look`, `ask`, `do`, `swap`, `print`, `read-code`; at the end `healthy`, `fixed`, `ticket`, `stop`.
    pub kind: String,
    /// The id of the row it is about.
    pub fault: Option<String>,
    /// The name of that row.
    pub name: Option<String>,
    /// Stands on top: what is sure about the money of an open sale.
    pub money: Option<String>,
    /// What is said or asked.
    pub text: String,
    /// How to answer; empty when nobody has to.
    pub hint: String,
    /// The choices, in order, as id and words.
    pub choices: Vec<(String, String)>,
}

impl Doctor {
    /// The open step or the end; `None` before it began.
    pub fn view(&self, language: Language) -> Option<View> {
        let say = |said: Said| pick(language, said);
        let (kind, fault, text, hint) = match self.outcome {
            Some(outcome) => ended(outcome, language),
            None => self.shown(self.step?, language),
        };
        let is_stop = self.outcome == Some(Outcome::Stop);
        let asks_paper = matches!(
            self.step(),
            Some(Step::Ask {
                question: Question::Paper,
                ..
            })
        );
        let choices = Symptom::ALL.iter().filter(|_| asks_paper);
        Some(View {
            number: self.taken.len(),
            kind: kind.to_owned(),
            fault: fault.map(|fault| fault.row().id.to_owned()),
            name: fault.map(|fault| say(fault.row().name).to_owned()),
            money: (self.sale_open && !is_stop).then(|| say(MONEY).to_owned()),
            text,
            hint: say(hint).to_owned(),
            choices: choices
                .map(|symptom| (symptom.id().to_owned(), say(symptom.words()).to_owned()))
                .collect(),
        })
    }

    fn shown(&self, step: Step, language: Language) -> Shown {
        let say = |said: Said| pick(language, said).to_owned();
        match step {
            Step::Look => (
                "look",
                None,
                say(("正在查看打印机……", "Looking at the printer…")),
                NOTHING,
            ),
            Step::Ask { question, suspect } => {
                let hint = match question {
                    Question::Paper => NUMBER,
                    _ => YES_NO,
                };
                ("ask", suspect, say(question.row().words), hint)
            }
            Step::Do { fault } => {
                let off = self.sight.as_ref().and_then(|sight| sight.off.as_ref());
                let mut text = say(fault.row().instruction);
                if let Some(off) =
                    off.filter(|off| fault == super::Fault::PrintingOff && !off.by.is_empty())
                {
                    let who = format!("{} {}", off.by, off.since);
                    text += &match language {
                        Language::Zh | Language::Both => format!("（关闭者：{}）", who.trim()),
                        Language::En => format!(" (switched off by: {})", who.trim()),
                    };
                }
                ("do", Some(fault), text, DONE)
            }
            Step::Swap { fault, swap } => ("swap", Some(fault), say(swap.words()), SWAPPED),
            Step::Print => (
                "print",
                self.suspect,
                say(("正在打印测试页……", "Printing a test page…")),
                NOTHING,
            ),
            Step::ReadCode => (
                "read-code",
                self.suspect,
                say((
                    "请读出测试页上的四位数字",
                    "Which four digits stand on the test page?",
                )),
                CODE,
            ),
        }
    }
}

type Shown = (&'static str, Option<super::Fault>, String, Said);

const NOTHING: Said = ("", "");
const YES_NO: Said = (
    "yes 是 · no 否 · stop 有水或冒烟",
    "yes · no · stop: water or smoke",
);
const NUMBER: Said = ("输入序号", "type its number");
const DONE: Said = (
    "yes 做好了 · no 做不到 · stop 有水或冒烟",
    "yes: done · no: cannot · stop: water or smoke",
);
const SWAPPED: Said = ("yes 已换上 · no 没有备件", "yes: in place · no: none here");
const CODE: Said = (
    "输入四位数字 · no 看不清或没有",
    "type the digits · no: unreadable or no page",
);

fn ended(outcome: Outcome, language: Language) -> Shown {
    let name = |fault: super::Fault| pick(language, fault.row().name);
    let zh = language == Language::Zh;
    match outcome {
        Outcome::Healthy if zh => (
            "healthy",
            None,
            "打印机正常，测试页已读出。".to_owned(),
            NOTHING,
        ),
        Outcome::Healthy => (
            "healthy",
            None,
            "The printer is well; its test page was read.".to_owned(),
            NOTHING,
        ),
        Outcome::Fixed(fault) => {
            let name = name(fault);
            let text = match zh {
                true => format!("已解决：{name}。测试页已读出。"),
                false => format!("Solved: {name}. The test page was read."),
            };
            ("fixed", Some(fault), text, NOTHING)
        }
        Outcome::Ticket(fault) => {
            let name = fault.map_or(pick(language, ("原因不明", "cause unknown")), name);
            let text = match zh {
                true => format!("需要报修：{name}。每一步都已记下。"),
                false => format!("Needs service: {name}. Every step is written down."),
            };
            ("ticket", fault, text, NOTHING)
        }
        Outcome::Stop => {
            let fault = super::Fault::WaterOrBurn;
            let text = pick(language, fault.row().instruction).to_owned();
            ("stop", Some(fault), text, NOTHING)
        }
    }
}
