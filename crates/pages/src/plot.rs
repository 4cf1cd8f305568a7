//! Plots: few marks, labelled directly, with n, unit and time zone named, and the same data as a table below.

use crate::chip::Tone;
use crate::language::{Lang, Words};
use maud::{Markup, html};

/// What stands around every plot.
#[derive(Clone, Debug)]
pub struct Head {
    /// What it shows.
    pub title: Words,
    /// What is measured, in which unit, over which time: zh-CN and en.
    pub unit: (String, String),
    /// From how many it was counted.
    pub n: u64,
}

/// A bar: its length is drawn, its value told.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is of.
    pub name: (String, String),
    /// Its length.
    pub value: u64,
    /// Its value in words.
    pub told: String,
    /// Colour.
    pub tone: Tone,
}

/// A point of a line: its name below the axis, its value.
#[derive(Clone, Debug)]
pub struct Point {
    /// What it is of, as the axis shows it.
    pub name: String,
    /// Value.
    pub value: u64,
    /// From how many.
    pub n: u64,
}

/// A line across a plot, at a value.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Value.
    pub value: u64,
    /// What it is.
    pub name: Words,
    /// Colour.
    pub tone: Tone,
}

/// Bars below each other; drawing and table are one.
pub fn bars(lang: Lang, head: &Head, bars: &[Bar]) -> Markup {
    drawn_bars(lang, head, &html! {}, bars)
}

/// The same below a drawing of their own.
pub(crate) fn drawn_bars(lang: Lang, head: &Head, drawing: &Markup, bars: &[Bar]) -> Markup {
    if bars.is_empty() {
        return framed(
            lang,
            &Head {
                n: 0,
                ..head.clone()
            },
            &html! {},
        );
    }
    let longest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    framed(
        lang,
        head,
        &html! {
            (drawing)
            table.bars {
                tbody { @for bar in bars {
                    tr class=(bar.tone.class()) {
                        th scope="row" { (lang.pick(&bar.name)) }
                        td.scale { svg class="strip" viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true" {
                            rect class="bar" x="0" y="1" height="14" width=(bar.value.saturating_mul(1_000) / longest) {}
                        } }
                        td.number { (bar.told) }
                    }
                } }
            }
        },
    )
}

/// One bar of parts, with each part named below.
pub fn stack(lang: Lang, head: &Head, parts: &[Bar]) -> Markup {
    let whole = parts.iter().map(|part| part.value).sum::<u64>().max(1);
    let mut left = 0;
    let mut placed = Vec::with_capacity(parts.len());
    for part in parts {
        let width = part.value.saturating_mul(1_000) / whole;
        placed.push((left, width));
        left += width;
    }
    framed(
        lang,
        head,
        &html! {
            svg class="strip stack" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true" {
                @for (n, (part, (left, width))) in parts.iter().zip(&placed).enumerate() {
                    @if *width > 0 { rect class={ "bar part" (n) " " (part.tone.class()) } x=(left) y="0" width=(width) height="40" {} }
                }
            }
            table.bars { tbody { @for (n, part) in parts.iter().enumerate() {
                tr class=(part.tone.class()) {
                    th scope="row" { svg class="key" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" { rect class={ "bar part" (n) } width="12" height="12" {} } " " (lang.pick(&part.name)) }
                    td.number { (part.told) }
                }
            } } }
        },
    )
}

const WIDTH: u64 = 720;
const HEIGHT: u64 = 220;
/// Room for the axis below and for the values above.
const FOOT: u64 = 28;
const HEAD: u64 = 22;
/// Room for what a limit is called.
const SIDE: u64 = 130;
/// Height of a name.
const NAME: u64 = 18;

/// Columns beside each other, and limits across: a histogram.
pub fn columns(lang: Lang, head: &Head, points: &[Point], at: Option<(usize, &Limit)>) -> Markup {
    let highest = points
        .iter()
        .map(|point| point.value)
        .max()
        .unwrap_or(0)
        .max(1);
    let width = (WIDTH - SIDE) / (points.len() as u64).max(1);
    let drawing = html! {
        @for (n, point) in points.iter().enumerate() {
            @let height = point.value.saturating_mul(HEIGHT - FOOT - HEAD) / highest;
            @let x = n as u64 * width;
            @if point.value > 0 {
                rect class="bar" x=(x + 2) y=(HEIGHT - FOOT - height.max(2)) width=(width.saturating_sub(4)) height=(height.max(2)) {}
                text x=(x + width / 2) y=(HEIGHT - FOOT - height - 6) text-anchor="middle" { (point.value) }
            }
            text.axis x=(x + width / 2) y=(HEIGHT - 8) text-anchor="middle" { (point.name) }
        }
        @if let Some((place, limit)) = at {
            @let x = (place as u64).min(points.len() as u64) * width;
            line class={ "limit " (limit.tone.class()) } x1=(x) x2=(x) y1="6" y2=(HEIGHT - FOOT) {}
            text class={ "limit " (limit.tone.class()) } x=(x + 6) y="18" { (lang.say(limit.name)) }
        }
    };
    framed(
        lang,
        head,
        &html! { (canvas(lang, head, &drawing)) (table(lang, points)) },
    )
}

/// Points joined by a line, and limits across: a control chart.
pub fn line(lang: Lang, head: &Head, points: &[Point], limits: &[Limit]) -> Markup {
    let values = points.iter().map(|point| point.value);
    let highest = values
        .chain(limits.iter().map(|limit| limit.value))
        .max()
        .unwrap_or(0)
        .max(1);
    let step = (WIDTH - SIDE) / (points.len() as u64).max(1);
    let x = |n: usize| step / 2 + n as u64 * step;
    let y = |value: u64| HEIGHT - FOOT - value.saturating_mul(HEIGHT - FOOT - HEAD) / highest;
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(n, point)| format!("{} {}", x(n), y(point.value)))
        .collect();
    let outside = |value: u64| {
        limits
            .iter()
            .any(|limit| limit.tone == Tone::Stop && value > limit.value)
    };
    // Names of neighbours would overlap.
    let every = (points.len() / 10).max(1);
    let drawing = html! {
        @for (limit, at) in limits.iter().zip(apart(limits.iter().map(|limit| y(limit.value)))) {
            line class={ "limit " (limit.tone.class()) } x1="0" x2=(WIDTH - SIDE) y1=(y(limit.value)) y2=(y(limit.value)) {}
            text class={ "limit " (limit.tone.class()) } x=(WIDTH - SIDE + 8) y=(at + 5) { (lang.say(limit.name)) }
        }
        @if !path.is_empty() { path.line d={ "M" (path.join(" L")) } {} }
        @for (n, point) in points.iter().enumerate() {
            @if outside(point.value) {
                path.outside d={ "M" (x(n)) " " (y(point.value) - 7) " l7 12 h-14 z" } {}
            } @else {
                circle.point cx=(x(n)) cy=(y(point.value)) r="4" {}
            }
            @if n % every == 0 { text.axis x=(x(n)) y=(HEIGHT - 8) text-anchor="middle" { (point.name) } }
        }
    };
    framed(
        lang,
        head,
        &html! { (canvas(lang, head, &drawing)) (table(lang, points)) },
    )
}

/// Heights at which names can stand below each other: each is at its line, or as far above the one before as a name is high.
/// Lines come from below.
fn apart(lines: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut names: Vec<u64> = Vec::new();
    for line in lines {
        let room = names
            .last()
            .map_or(line, |below| below.saturating_sub(NAME));
        names.push(line.min(room));
    }
    names
}

fn canvas(lang: Lang, head: &Head, drawing: &Markup) -> Markup {
    html! { div.scroll { svg.plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(lang.say(head.title)) {
        line.base x1="0" x2=(WIDTH - SIDE) y1=(HEIGHT - FOOT) y2=(HEIGHT - FOOT) {}
        (drawing)
    } } }
}

fn table(lang: Lang, points: &[Point]) -> Markup {
    html! {
        details {
            summary { (lang.say(("数据表", "Data as a table"))) }
            table {
                thead { tr { th { (lang.say(("区间", "Range"))) } th.number { (lang.say(("值", "Value"))) } th.number { "n" } } }
                tbody { @for point in points { tr { td { (point.name) } td.number { (point.value) } td.number { (point.n) } } } }
            }
        }
    }
}

fn framed(lang: Lang, head: &Head, content: &Markup) -> Markup {
    html! {
        figure.plotted {
            figcaption { h2 { (lang.say(head.title)) } p.second.small { (lang.pick(&head.unit)) " · n = " (head.n) } }
            @if head.n == 0 { p.second { (lang.say(("还没有数据。", "There is no data yet."))) } } @else { (content) }
        }
    }
}
