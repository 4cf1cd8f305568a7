//! Small signs of state: colour never speaks alone, a shape and a word go with it.

use crate::language::{Lang, Words};
use crate::sale::SaleView;
use maud::{Markup, html};
use payment::verdict::Outcome;

/// What a state asks of its reader; the class of its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing: it is closed.
    Closed,
    /// Waiting, or a look.
    Wait,
    /// Do not.
    Stop,
    /// It speaks of nothing yet.
    Quiet,
}

impl Tone {
    /// Class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Wait => "wait",
            Self::Stop => "stop",
            Self::Quiet => "quiet",
        }
    }

    /// Shape.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Closed => "✓",
            Self::Wait => "◐",
            Self::Stop => "✕",
            Self::Quiet => "○",
        }
    }
}

/// What an outcome asks of its reader.
pub const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Approved | Outcome::Reversed => Tone::Closed,
        Outcome::Unknown | Outcome::Reversing => Tone::Wait,
        Outcome::Declined | Outcome::ReversalRefused => Tone::Stop,
    }
}

/// A sign with words.
pub fn chip(tone: Tone, words: &str) -> Markup {
    html! { span class={ "chip " (tone.class()) } { span aria-hidden="true" { (tone.mark()) } " " (words) } }
}

/// An outcome in one or two words.
pub const fn outcome_words(outcome: Outcome) -> Words {
    match outcome {
        Outcome::Approved => ("成功", "approved"),
        Outcome::Declined => ("未成功", "declined"),
        Outcome::Unknown => ("确认中", "confirming"),
        Outcome::Reversing => ("正在冲正", "reversing"),
        Outcome::Reversed => ("已冲正", "reversed"),
        Outcome::ReversalRefused => ("人工处理", "with staff"),
    }
}

/// The outcome of a sale, in one or two words.
pub fn outcome(lang: Lang, sale: &SaleView) -> Markup {
    chip(tone(sale.outcome), lang.say(outcome_words(sale.outcome)))
}

/// What became of its slip; nothing where none is due.
pub fn receipt(lang: Lang, sale: &SaleView) -> Markup {
    let tone = match sale.receipt.split(':').next().unwrap_or_default() {
        "none" => return html! {},
        "printed" => Tone::Closed,
        _ => Tone::Wait,
    };
    chip(tone, lang.pick(&sale.slip))
}
