//! The hops of a sale as bars on one scale of time, each with how long it took.
//!
//! A bar stands only for moments that somebody wrote down; where nobody did, the line says so instead.

use super::board::duration;
use crate::chip::Tone;
use crate::language::Lang;
use maud::{Markup, html};

/// A hop.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub name: (String, String),
    /// Begin, milliseconds from the start of the picture.
    pub from_ms: u64,
    /// End; none while it lasts or when it never came.
    pub to_ms: Option<u64>,
    /// Colour.
    pub tone: Tone,
    /// A remark in place of the duration.
    pub note: Option<(String, String)>,
}

/// The hops of a sale.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// China time of the start, with milliseconds.
    pub start: String,
    /// Length of the picture in milliseconds.
    pub length_ms: u64,
    /// The bars in the order of their begin.
    pub bars: Vec<Bar>,
    /// From request to answer at the acquirer, in milliseconds.
    pub answered_ms: Option<u64>,
    /// How long the acquirer waits at most, in milliseconds.
    pub budget_ms: u64,
}

/// Width of the scale in units of the drawing.
const SCALE: u64 = 1_000;
/// What is too short to be seen is drawn so wide.
const WIDTH_MIN: u64 = 6;

/// The bars as a table: name, bar, duration.
pub fn timeline(lang: Lang, timeline: &Timeline) -> Markup {
    html! {
        p.second.small { (lang.either(
            html! { "从 " (timeline.start) " 起，全长 " (duration(lang, timeline.length_ms)) "（北京时间，单位毫秒）" },
            html! { "from " (timeline.start) ", " (duration(lang, timeline.length_ms)) " long (China time, in milliseconds)" },
        )) }
        table.bars {
            thead.unseen { tr { th { (lang.say(("环节", "Hop"))) } th { (lang.say(("起止", "From, to"))) } th.number { (lang.say(("用时", "Took"))) } } }
            tbody {
                @for bar in &timeline.bars {
                    tr class=(bar.tone.class()) {
                        th scope="row" { (lang.pick(&bar.name)) }
                        td.scale { (drawn(bar, timeline.length_ms)) }
                        td.number { (told(lang, bar)) }
                    }
                }
                @if let Some(answered) = timeline.answered_ms {
                    (budget(lang, answered, timeline.budget_ms))
                }
            }
        }
    }
}

fn told(lang: Lang, bar: &Bar) -> Markup {
    html! {
        @match (&bar.note, bar.to_ms) {
            (Some(note), _) => (lang.pick(note)),
            (None, Some(to)) => (duration(lang, to.saturating_sub(bar.from_ms))),
            (None, None) => (lang.say(("仍在等待", "still waiting"))),
        }
    }
}

/// A hop that has not ended reaches to the end of the picture, hatched.
fn drawn(bar: &Bar, length_ms: u64) -> Markup {
    let at = |ms: u64| ms.saturating_mul(SCALE) / length_ms.max(1);
    let from = at(bar.from_ms).min(SCALE - WIDTH_MIN);
    let end = bar.to_ms.map_or(SCALE, at);
    let width = end.saturating_sub(from).clamp(WIDTH_MIN, SCALE - from);
    let class = if bar.to_ms.is_some() && bar.tone != Tone::Stop {
        "bar"
    } else {
        "bar open"
    };
    strip(class, from, width)
}

fn strip(class: &str, from: u64, width: u64) -> Markup {
    html! {
        svg class="strip" viewBox={ "0 0 " (SCALE) " 16" } preserveAspectRatio="none" aria-hidden="true" {
            rect class="ground" x="0" y="7" width=(SCALE) height="2" {}
            rect class=(class) x=(from) y="1" width=(width) height="14" {}
        }
    }
}

/// How much of the acquirer's patience the answer took.
fn budget(lang: Lang, answered_ms: u64, budget_ms: u64) -> Markup {
    let part = answered_ms.saturating_mul(SCALE) / budget_ms.max(1);
    let tone = if part >= SCALE {
        Tone::Stop
    } else if part >= SCALE / 2 {
        Tone::Wait
    } else {
        Tone::Closed
    };
    html! {
        tr class={ "budget " (tone.class()) } {
            th scope="row" { (lang.say(("应答用时占前置耐心", "Answer against the acquirer's patience"))) }
            td.scale { (strip("bar", 0, part.clamp(WIDTH_MIN, SCALE))) }
            td.number { (answered_ms) " / " (budget_ms) " ms" }
        }
    }
}
