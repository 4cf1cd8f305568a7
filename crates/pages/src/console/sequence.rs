//! The sequence diagram of a sale, generated: who said what to whom and when; as a picture and as Mermaid text.

use crate::language::{Lang, Words};
use maud::{Markup, html};
use payment::kind::Rail;
use std::fmt::Write;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The terminal.
    Terminal,
    /// The acquirer.
    Acquirer,
    /// The network, or the wallet.
    Network,
    /// The issuer, or the payer.
    Issuer,
}

impl Lane {
    const ALL: [Self; 4] = [Self::Terminal, Self::Acquirer, Self::Network, Self::Issuer];

    const fn words(self, rail: Rail) -> Words {
        match (self, rail) {
            (Self::Terminal, _) => ("POS", "POS"),
            (Self::Acquirer, _) => ("前置", "acquirer"),
            (Self::Network, Rail::Card) => ("银联", "network"),
            (Self::Network, Rail::Wallet) => ("钱包", "wallet"),
            (Self::Issuer, Rail::Card) => ("发卡行", "issuer"),
            (Self::Issuer, Rail::Wallet) => ("付款人", "payer"),
        }
    }
}

/// One message, or one note where both ends are the same.
#[derive(Clone, Debug)]
pub struct Step {
    /// China time, `14:02:51.142`.
    pub at: String,
    /// From.
    pub from: Lane,
    /// To.
    pub to: Lane,
    /// What.
    pub text: (String, String),
    /// It did not arrive, as far as is known.
    pub lost: bool,
}

const WIDTH: usize = 720;
const LEFT: usize = 150;
const STEP: usize = 175;
const ROW: usize = 40;
const TOP: usize = 56;

/// The diagram, with its Mermaid text to copy below.
pub fn sequence(lang: Lang, rail: Rail, steps: &[Step]) -> Markup {
    html! {
        div.scroll { (picture(lang, rail, steps)) }
        details {
            summary { (lang.say(("Mermaid 文本", "Mermaid text"))) }
            textarea readonly rows="8" aria-label="Mermaid" { (mermaid(lang, rail, steps)) }
        }
    }
}

fn picture(lang: Lang, rail: Rail, steps: &[Step]) -> Markup {
    let height = TOP + ROW * (steps.len() + 1);
    let name = lang.say(("时序图", "Sequence diagram"));
    html! {
        svg.sequence viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(name) {
            @for lane in Lane::ALL {
                text.lane x=(place(lane)) y="24" text-anchor="middle" { (lang.say(lane.words(rail))) }
                line.lane x1=(place(lane)) y1="34" x2=(place(lane)) y2=(height - 12) {}
            }
            @for (n, step) in steps.iter().enumerate() { (message(lang, step, TOP + ROW * n + ROW / 2)) }
        }
    }
}

const fn place(lane: Lane) -> usize {
    LEFT + STEP * lane as usize
}

fn message(lang: Lang, step: &Step, y: usize) -> Markup {
    let (from, to) = (place(step.from), place(step.to));
    let class = if step.lost { "lost" } else { "message" };
    let text = lang.pick(&step.text);
    html! {
        text.at x="4" y=(y + 4) { (step.at) }
        @if from == to {
            @let width = breadth(text);
            rect.note x=(from - width / 2) y=(y - 15) width=(width) height="28" rx="8" {}
            text.said x=(from) y=(y + 4) text-anchor="middle" { (text) }
        } @else {
            @let end = if step.lost { from.abs_diff(to) / 2 } else { from.abs_diff(to) - 6 };
            @let tip = if to > from { from + end } else { from - end };
            @let back = if to > from { tip - 8 } else { tip + 8 };
            line class=(class) x1=(from) y1=(y) x2=(tip) y2=(y) {}
            @if step.lost {
                path.lost d={ "M" (tip - 6) " " (y - 6) " l12 12 m0 -12 l-12 12" } {}
            } @else {
                path.message d={ "M" (tip) " " (y) " L" (back) " " (y - 5) " L" (back) " " (y + 5) " z" } {}
            }
            text.said x=(usize::midpoint(from, to)) y=(y - if step.lost { 10 } else { 7 }) text-anchor="middle" { (text) }
        }
    }
}

/// Room for a note: a letter is half as wide as a Chinese character.
fn breadth(text: &str) -> usize {
    let halves: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    (halves * 7 + 24).max(132)
}

/// The same for `sequenceDiagram` of Mermaid.
pub fn mermaid(lang: Lang, rail: Rail, steps: &[Step]) -> String {
    let mut text = String::from("sequenceDiagram\n");
    for (n, lane) in Lane::ALL.into_iter().enumerate() {
        let _ = writeln!(
            text,
            "  participant {} as {}",
            n + 1,
            lang.say(lane.words(rail))
        );
    }
    for step in steps {
        let (from, to) = (step.from as usize + 1, step.to as usize + 1);
        // A semicolon would end the statement.
        let said = lang.pick(&step.text).replace([';', '\n'], ",");
        let _ = if from == to {
            writeln!(text, "  Note over {from}: {} {said}", step.at)
        } else {
            let arrow = if step.lost { "--x" } else { "->>" };
            writeln!(text, "  {from}{arrow}{to}: {} {said}", step.at)
        };
    }
    text
}
