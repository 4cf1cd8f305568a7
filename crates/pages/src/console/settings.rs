//! The settings that decide how a loop breaks: the time-out ladder as nested bars, with the pair that does not nest.

use super::{Asked, page};
use crate::chip::{self, Tone};
use crate::language::Lang;
use crate::plot::{self, Bar, Head};
use maud::{Markup, html};
use payment::timeouts::{Ladder, NotNested};

/// The settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ladder in force.
    pub ladder: Ladder,
    /// A ladder that somebody asks about; the one in force where nobody does.
    pub tried: Ladder,
    /// Milliseconds between attempts at a reversal; the last repeats.
    pub gaps_ms: Vec<u64>,
    /// Milliseconds until an unconfirmed approval is one-sided.
    pub confirm_within_ms: u64,
}

/// The steps of the ladder: its name in the file, zh-CN and en, and its value.
fn steps(ladder: &Ladder) -> [(&'static str, (&'static str, &'static str), u64); 4] {
    [
        ("issuer_ms", ("发卡行", "issuer"), ladder.issuer_ms),
        (
            "network_ms",
            ("银联等发卡行", "network waits for the issuer"),
            ladder.network_ms,
        ),
        (
            "acquirer_ms",
            ("前置等银联", "acquirer waits for the network"),
            ladder.acquirer_ms,
        ),
        (
            "terminal_ms",
            ("终端等前置", "terminal waits for the acquirer"),
            ladder.terminal_ms,
        ),
    ]
}

/// The page. Trying a ladder changes nothing: settings are read from the file at a start.
pub fn settings(asked: Asked<'_>, settings: &Settings) -> String {
    let lang = asked.lang;
    let refused = settings.tried.check().err();
    let body = html! {
        h1 { (lang.say(("设置", "Settings"))) }
        section.card {
            (nested(lang, &settings.tried, refused.as_ref()))
            (told(lang, refused.as_ref()))
            @if settings.tried != settings.ladder {
                p.second { (lang.say(("这是试算，不是现行设置。", "This is a trial, not what is in force."))) " " a href="/console/settings" { (lang.say(("看现行设置", "Show what is in force"))) } }
            }
        }
        section.card {
            h2 { (lang.say(("试一试别的时限", "Try other time-outs"))) }
            form method="get" action="/console/settings" {
                div.fields4 { @for (name, words, value) in steps(&settings.tried) {
                    p { label for=(name) { (lang.say(words)) " (ms)" } input id=(name) name=(name) inputmode="numeric" value=(value); }
                } }
                p.row { button type="submit" { (lang.say(("检查", "Check"))) }
                    span.second.small { (lang.say(("现行设置写在配置文件里，重启时生效；不嵌套的设置不能启动。", "What is in force stands in the configuration file and is read at a start; a ladder that does not nest does not start."))) } }
            }
        }
        section.card {
            h2 { (lang.say(("冲正与单边账", "Reversals and the one-sided queue"))) }
            dl.facts {
                dt { (lang.say(("冲正重发间隔", "Gaps between reversal attempts"))) }
                dd { @for (n, gap) in settings.gaps_ms.iter().enumerate() { @if n > 0 { " → " } (gap) } " ms" (lang.say(("，最后一个一直重复", "; the last repeats for ever"))) }
                dt { (lang.say(("多久无回报列入单边账", "Unconfirmed becomes one-sided after"))) } dd { (settings.confirm_within_ms) " ms" }
            }
        }
    };
    page(asked, ("设置", "Settings"), None, &body)
}

fn nested(lang: Lang, ladder: &Ladder, refused: Option<&NotNested>) -> Markup {
    let offending =
        |name: &str| refused.is_some_and(|pair| pair.inner.0 == name || pair.outer.0 == name);
    let bars = steps(ladder).map(|(name, (zh, en), value)| Bar {
        name: (format!("{zh} · {name}"), format!("{en} · {name}")),
        value,
        told: format!("{}{value} ms", if offending(name) { "✕ " } else { "" }),
        tone: if offending(name) {
            Tone::Stop
        } else {
            Tone::Closed
        },
    });
    let head = Head {
        title: ("时限阶梯", "Time-out ladder"),
        unit: (
            "每一方最多等后一方多久，单位毫秒；里层必须短于外层".to_owned(),
            "how long each party waits for the one behind it, in ms; the inner one must be shorter"
                .to_owned(),
        ),
        n: 4,
    };
    plot::drawn_bars(lang, &head, &drawn(ladder, offending), &bars)
}

/// Height of the drawing, and of the band by which each bar is inside the one around it, in units of the drawing.
const HEIGHT: u64 = 100;
const BAND: u64 = 13;

/// The ladder as bars inside each other, the terminal's outermost: one that does not nest sticks out.
fn drawn(ladder: &Ladder, offending: impl Fn(&str) -> bool) -> Markup {
    let steps = steps(ladder);
    let longest = steps
        .iter()
        .map(|(_, _, value)| *value)
        .max()
        .unwrap_or(0)
        .max(1);
    html! {
        svg.ladder viewBox={ "0 0 1000 " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
            @for (depth, (name, _, value)) in (0..).zip(steps.iter().rev()) {
                @let tone = if offending(name) { Tone::Stop } else { Tone::Closed };
                rect class=(tone.class()) x="1" y=(1 + depth * BAND) width=(value.saturating_mul(998) / longest) height=(HEIGHT - 2 - 2 * depth * BAND) {}
            }
        }
    }
}

fn told(lang: Lang, refused: Option<&NotNested>) -> Markup {
    html! {
        @match refused {
            None => p { (chip::chip(Tone::Closed, lang.say(("嵌套正确", "it nests")))) " " (lang.say(("后一方总比前一方先放弃。", "whoever stands behind gives up first."))) },
            Some(NotNested { inner, outer }) => p role="alert" { (chip::chip(Tone::Stop, lang.say(("不嵌套", "it does not nest")))) " " (lang.either(
                html! { code { (inner.0) " = " (inner.1) } " 必须小于 " code { (outer.0) " = " (outer.1) } "，否则前一方先于后一方放弃，应答回来时已没有人等。" },
                html! { code { (inner.0) " = " (inner.1) } " must be less than " code { (outer.0) " = " (outer.1) } ", or the one in front gives up before the one behind it and nobody waits for the answer." },
            )) },
        }
    }
}
