//! How soon: what past returns of the same issuer took, as a dot plot, a sentence and a table.
//!
//! Invariant: every statement names how many cases it rests on; with none, nothing is said.

use super::{MoneyView, day};
use crate::language::{Lang, drawn};
use maud::{Markup, html};
use payment::Wall;
use std::fmt::Write;

/// Past returns that are looked at, the newest.
pub const RETURNS_MAX: usize = 400;
/// Cases from which on "19 of 20" is said, and a time is named.
const MANY: usize = 20;
/// Columns of the plot.
const COLUMNS: u64 = 36;
/// Dots in a column; beyond it a dot stands for more than one.
const DOTS_MAX: usize = 7;

/// Within which time how many past returns came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Cases.
    pub cases: usize,
    /// Milliseconds.
    pub ms: u64,
    /// 19 of 20 came within it, not all.
    pub most: bool,
}

/// 19 of 20 where there are as many, else all; none without a case.
pub fn within(returns: &[u64]) -> Option<Within> {
    let mut sorted = returns.to_vec();
    sorted.sort_unstable();
    let (cases, most) = (sorted.len(), sorted.len() >= MANY);
    let last = match most {
        true => (cases * 19).div_ceil(20) - 1,
        false => cases.checked_sub(1)?,
    };
    let ms = *sorted.get(last)?;
    Some(Within { cases, ms, most })
}

/// When the money is expected, behind the cardholder's line; only for what returns now, and only with enough cases.
pub(super) fn expected(lang: Lang, view: &MoneyView) -> Markup {
    let Some(Within { cases, ms, .. }) = within(&view.returns).filter(|within| within.most) else {
        return html! {};
    };
    if !view.returns_now() {
        return html! {};
    }
    let by = Wall(view.received.0 + ms as i64);
    if by.0 < view.as_of.0 {
        return html! {
            " " em.late { (lang.say((
                "这一笔比通常的慢，我们没有停下，会一直追到退回。",
                "This one takes longer than usual. We have not stopped and will not before it is back.",
            ))) }
        };
    }
    let by = day(lang, by);
    html! {
        " " em {
            (lang.either(
                html! { "预计" (by) " 前退回（按同一发卡行最近 " (cases) " 笔，20 笔里 19 笔这么快）。" },
                html! { "Expect it back by " (by) " (19 of 20 of this bank's last " (cases) " were that fast)." },
            ))
        }
    }
}

/// The section; empty for what does not come back.
pub(super) fn soon(lang: Lang, view: &MoneyView) -> Markup {
    let own = view.own_return_ms();
    let concerned = view.returns_now() || (own.is_some() && view.takes_money());
    if !concerned {
        return html! {};
    }
    html! {
        h2 { (lang.say(("多久能退回", "How soon it comes back"))) }
        @if let Some(own) = own {
            p { (lang.either(
                html! { "这一笔从刷卡到发卡行确认退回，用了 " b { (time(lang, own)) } "。" },
                html! { "From the payment to your bank's confirmation this one took " b { (time(lang, own)) } "." },
            )) }
        }
        @match within(&view.returns) {
            None => p { (lang.say((
                "同一发卡行还没有退回的先例可比，所以我们不说多久。",
                "There is no earlier return of this bank to compare with, so we do not say how long.",
            ))) },
            Some(within) => {
                p { (sentence(lang, within)) }
                (plot(lang, &view.returns, within, own))
                (table(lang, &view.returns))
            }
        }
    }
}

fn sentence(lang: Lang, Within { cases, ms, most }: Within) -> Markup {
    let time = time(lang, ms);
    match (most, cases) {
        (true, _) => lang.either(
            html! { "同一发卡行最近 " (cases) " 笔退回：20 笔里 19 笔在 " b { (time) } "内完成。" },
            html! { "This bank's last " (cases) " returns: 19 of 20 came within " b { (time) } "." },
        ),
        (false, 1) => lang.either(
            html! { "同一发卡行最近只有 1 笔退回，用了 " b { (time) } "。" },
            html! { "This bank's only recent return took " b { (time) } "." },
        ),
        (false, _) => lang.either(
            html! { "同一发卡行最近 " (cases) " 笔退回，全部在 " b { (time) } "内完成；笔数还少，不作预计。" },
            html! { "This bank's last " (cases) " returns all came within " b { (time) } "; too few to name a time." },
        ),
    }
}

/// A column of the plot: up to this many milliseconds, this many returns.
struct Column {
    up_to_ms: u64,
    count: usize,
}

fn columns(returns: &[u64]) -> Vec<Column> {
    let longest = returns.iter().copied().max().unwrap_or_default().max(1);
    let edge = |n: u64| (longest * (n + 1)).div_ceil(COLUMNS);
    let place = |ms: u64| (0..COLUMNS).find(|n| ms <= edge(*n));
    let mut columns: Vec<Column> = (0..COLUMNS)
        .map(|n| Column {
            up_to_ms: edge(n),
            count: 0,
        })
        .collect();
    for ms in returns {
        if let Some(column) = place(*ms).and_then(|n| columns.get_mut(n as usize)) {
            column.count += 1;
        }
    }
    columns
}

/// Left and right end of the axis, its height, and the distance of dots.
const AXIS: (u64, u64) = (10, 334);
const FLOOR: usize = 92;
const STEP: u64 = 9;

/// A dot for each return (or for as many as the legend says), the time that 19 of 20 kept, and this one.
fn plot(lang: Lang, returns: &[u64], within: Within, own: Option<u64>) -> Markup {
    let columns = columns(returns);
    let longest = columns.last().map_or(1, |column| column.up_to_ms);
    let tallest = columns
        .iter()
        .map(|column| column.count)
        .max()
        .unwrap_or_default();
    let each = tallest.div_ceil(DOTS_MAX).max(1);
    let x = |ms: u64| AXIS.0 + (AXIS.1 - AXIS.0) * ms.min(longest) / longest;
    let mut svg = String::from(
        r#"<svg class="plot" viewBox="0 0 344 122" role="img" aria-labelledby="plot-words">"#,
    );
    let _ = write!(
        svg,
        r#"<path class="axis" d="M{} {FLOOR}H{}"/>"#,
        AXIS.0, AXIS.1
    );
    for (n, column) in columns.iter().enumerate() {
        let x = AXIS.0 + STEP * n as u64 + STEP / 2;
        for level in 0..column.count.div_ceil(each) {
            let y = FLOOR - 7 - STEP as usize * level;
            let _ = write!(svg, r#"<circle class="dot" cx="{x}" cy="{y}" r="4"/>"#);
        }
    }
    mark(
        &mut svg,
        "limit",
        x(within.ms),
        FLOOR + 6,
        &time(lang, within.ms),
    );
    if let Some(own) = own.filter(|own| *own <= longest) {
        let words = lang.say(("这一笔", "this one"));
        let _ = write!(
            svg,
            r#"<path class="own" d="M{0} {1}l-6 10h12z"/><text class="own" x="{2}" y="{3}" text-anchor="{4}">{words}</text>"#,
            x(own),
            FLOOR + 3,
            beside(x(own)).0,
            FLOOR + 14,
            beside(x(own)).1,
        );
    } else {
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}">0</text>"#,
            AXIS.0 - 4,
            FLOOR + 18
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" text-anchor="end">{}</text></svg>"#,
        AXIS.1 + 8,
        FLOOR + 28,
        time(lang, longest)
    );
    html! {
        (drawn(svg))
        p.small.second id="plot-words" {
            @if each == 1 {
                (lang.either(
                    html! { "每点一笔，共 " (within.cases) " 笔；横轴是从刷卡到发卡行确认退回的时间。" },
                    html! { "One dot per return, " (within.cases) " in all; the axis is the time from payment to the bank's confirmation." },
                ))
            } @else {
                (lang.either(
                    html! { "每点至多 " (each) " 笔，共 " (within.cases) " 笔；横轴是从刷卡到发卡行确认退回的时间。" },
                    html! { "Each dot up to " (each) " returns, " (within.cases) " in all; the axis is the time from payment to the bank's confirmation." },
                ))
            }
        }
    }
}

/// A dashed line with its time, written to the side where there is room.
fn mark(svg: &mut String, class: &str, x: u64, floor: usize, words: &str) {
    let (at, anchor) = beside(x);
    let _ = write!(
        svg,
        r#"<path class="{class}" d="M{x} 12V{floor}"/><text class="{class}" x="{at}" y="20" text-anchor="{anchor}">{words}</text>"#
    );
}

const fn beside(x: u64) -> (u64, &'static str) {
    match x > 230 {
        true => (x - 10, "end"),
        false => (x + 10, "start"),
    }
}

/// The same data.
fn table(lang: Lang, returns: &[u64]) -> Markup {
    html! {
        details.data {
            summary { (lang.say(("同样的数据，列成表", "The same data as a table"))) }
            table {
                thead { tr {
                    th scope="col" { (lang.say(("不超过", "up to"))) }
                    th.number scope="col" { (lang.say(("笔数", "returns"))) }
                } }
                tbody {
                    @for column in columns(returns).iter().filter(|column| column.count > 0) {
                        tr { td { (time(lang, column.up_to_ms)) } td.number { (column.count) } }
                    }
                }
            }
        }
    }
}

/// A duration in the unit that people would use, rounded up.
pub(super) fn time(lang: Lang, ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    let (count, unit) = match ms {
        _ if ms < 10_000 => {
            let tenths = ms.div_ceil(100);
            let text = format!("{}.{}", tenths / 10, tenths % 10);
            return text + lang.say((" 秒", " s"));
        }
        _ if ms < 2 * MINUTE => (ms.div_ceil(1_000), (" 秒", " s")),
        _ if ms < 2 * HOUR => (ms.div_ceil(MINUTE), (" 分钟", " min")),
        _ if ms < 72 * HOUR => (ms.div_ceil(HOUR), (" 小时", " h")),
        _ => (ms.div_ceil(24 * HOUR), (" 天", " days")),
    };
    format!("{count}{}", lang.say(unit))
}
