//! What a person types, read as an answer to the open step.
//!
//! Anything else is no answer: nothing is guessed.

use super::{Question, Reply, Step, Symptom};

impl Reply {
    /// The answer that `text` is to `step`; `None` when it is none.
    pub fn parse(text: &str, step: Step) -> Option<Reply> {
        let text = text.trim().to_ascii_lowercase();
        let reply = match text.as_str() {
            "stop" | "smoke" | "water" | "停" | "停止" | "冒烟" | "进水" | "焦味" => {
                Reply::Stop
            }
            "quit" | "ticket" | "报修" | "放弃" | "退出" => Reply::GiveUp,
            "y" | "yes" | "done" | "是" | "有" | "亮" | "好" | "好了" | "完成" => {
                Reply::Yes
            }
            "n" | "no" | "否" | "不" | "没有" | "不亮" | "不行" | "看不清" => Reply::No,
            text => match step {
                Step::ReadCode if is_code(text) => Reply::Code(text.parse().ok()?),
                Step::ReadCode
                | Step::Ask {
                    question: Question::Paper,
                    ..
                } => Reply::Looks(symptom(text)?),
                _ => return None,
            },
        };
        step.takes(reply).then_some(reply)
    }
}

fn is_code(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// By its number among the choices, from 1, or by its name.
fn symptom(text: &str) -> Option<Symptom> {
    let number = text.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    match number {
        Some(number) => Symptom::ALL.get(number).copied(),
        None => Symptom::ALL
            .into_iter()
            .find(|symptom| symptom.id() == text || symptom.words().0 == text),
    }
}
