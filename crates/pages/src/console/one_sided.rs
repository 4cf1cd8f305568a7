//! The one-sided queue: what stands open for people, by cause, the clock that runs out first on top.

use super::board::{Clock, Listed, clock_text};
use super::{Asked, page, sale_path};
use crate::chip::{self, Tone};
use crate::language::{Lang, Words};
use crate::plot::{self, Bar, Head};
use crate::ring;
use maud::{Markup, html};
use payment::Amount;

/// Why an item is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The issuer refused to take it back.
    ReversalRefused,
    /// The answer was lost at the network or behind it, and the reversal is not confirmed.
    LostUpstream,
    /// Our last hop: the till never said that it has the approval.
    LostAtOurHop,
    /// What was told as done was refused, or nobody has answered the advice.
    Advice,
    /// Something else keeps it open.
    Other,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 5] = [
        Self::ReversalRefused,
        Self::LostUpstream,
        Self::LostAtOurHop,
        Self::Advice,
        Self::Other,
    ];

    /// The words.
    pub const fn words(self) -> Words {
        match self {
            Self::ReversalRefused => ("冲正被拒绝", "reversal refused"),
            Self::LostUpstream => ("断在银联一侧", "lost at the network"),
            Self::LostAtOurHop => ("断在我方最后一程", "lost at our last hop"),
            Self::Advice => ("通知未了结", "advice not settled"),
            Self::Other => ("其他", "other"),
        }
    }

    /// What is proposed, and why.
    pub const fn remedy(self) -> (Words, Words) {
        match self {
            Self::ReversalRefused => (
                (
                    "人工核对发卡行记录，做贷记调整",
                    "check with the issuer, then a credit adjustment",
                ),
                (
                    "发卡行明确拒绝冲正，再发一次不会有别的结果。",
                    "the issuer refused the reversal; asking again would not change that.",
                ),
            ),
            Self::LostUpstream => (
                (
                    "等待自动冲正，或马上再问",
                    "let the automatic reversal go on, or ask again now",
                ),
                (
                    "冲正通知会一直重发到发卡行答复；线路刚恢复时，马上再问会快一些。",
                    "the advice is repeated until the issuer answers; when a line has just come back, asking now is sooner.",
                ),
            ),
            Self::LostAtOurHop => (
                (
                    "联系门店核对小票：成立则保留，不成立则退回持卡人",
                    "ask the shop for the slip: keep the sale if it stood, else give it back",
                ),
                (
                    "发卡行已同意，终端没有回报。终端下一次报文会自动了结它。",
                    "the issuer approved and the till has not reported. Its next message settles this by itself.",
                ),
            ),
            Self::Advice => (
                (
                    "等待重发，被拒绝的由人工核对",
                    "let it be repeated; a refused one needs people",
                ),
                (
                    "通知不冲正，只重发；收银台已按成功处理。",
                    "an advice is never reversed, only repeated; the till has treated it as done.",
                ),
            ),
            Self::Other => (
                ("人工核对", "look at it"),
                (
                    "证据不属于已知的任何一种。",
                    "the evidence fits none of the known causes.",
                ),
            ),
        }
    }
}

/// An item.
#[derive(Clone, Debug)]
pub struct Item {
    /// The sale.
    pub row: Listed,
    /// Why it is here.
    pub cause: Cause,
    /// Number of its case.
    pub case: Option<u32>,
    /// Its clock.
    pub clock: Option<Clock>,
    /// Milliseconds since its request came.
    pub age_ms: u64,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Items in the order of their clocks.
    pub items: Vec<Item>,
    /// Items that are not shown because there are too many.
    pub more: u64,
}

/// The ages at which a bucket ends, in milliseconds, their names, and their colours.
pub const AGES: [(u64, Words, Tone); 5] = [
    (3_600_000, ("0–1 小时", "0–1 h"), Tone::Closed),
    (86_400_000, ("1–24 小时", "1–24 h"), Tone::Closed),
    (172_800_000, ("24–48 小时", "24–48 h"), Tone::Wait),
    (604_800_000, ("2–7 天", "2–7 d"), Tone::Wait),
    (u64::MAX, ("7 天以上", "over 7 d"), Tone::Stop),
];

/// Items that a page lists: it is no longer than a page may be; what is beyond waits for a cause to be chosen, or for its turn.
pub const LISTED_MAX: usize = 50;

/// The page; `cause` shows one cause alone.
pub fn queue(asked: Asked<'_>, queue: &Queue, cause: Option<Cause>) -> String {
    let lang = asked.lang;
    let shown = queue
        .items
        .iter()
        .filter(|item| cause.is_none_or(|cause| cause == item.cause));
    let mut shown: Vec<&Item> = shown.collect();
    let more = queue.more + shown.len().saturating_sub(LISTED_MAX) as u64;
    shown.truncate(LISTED_MAX);
    let body = html! {
        h1 { (lang.say(("单边账", "One-sided"))) }
        p { (lang.say((
            "这里的每一笔都有负责人和时限，最先到期的在最上面。系统自己会做的事不需要人按按钮。",
            "Every item has an owner and a clock; what runs out first is on top. Nobody needs to press a button for what the system does by itself.",
        ))) }
        (by_cause(lang, queue, cause))
        section.card {
            @if shown.is_empty() {
                p { (chip::chip(Tone::Closed, lang.say(("没有未了结的单边账", "nothing is open")))) }
            } @else {
                form method="get" action="/console/one-sided/preview" {
                    (items(lang, &shown))
                    p.row { button type="submit" { (lang.say(("预览所选的处理", "Preview for the selected"))) }
                        span.second.small { (lang.say(("预览不改动任何账。", "A preview changes nothing."))) } }
                }
            }
            @if more > 0 {
                p.second { (lang.either(html! { "另有 " (more) " 笔未列出，最先到期的在上。" }, html! { (more) " more are not listed; what runs out first is on top." })) }
            }
        }
        section.card { (ageing(lang, &queue.items)) }
    };
    page(asked, ("单边账", "One-sided"), None, &body)
}

fn by_cause(lang: Lang, queue: &Queue, chosen: Option<Cause>) -> Markup {
    html! {
        nav.tiles aria-label=(lang.say(("按原因", "By cause"))) {
            @for cause in Cause::ALL {
                @let of: Vec<&Item> = queue.items.iter().filter(|item| item.cause == cause).collect();
                @if !of.is_empty() || chosen == Some(cause) {
                    @let minor: u64 = of.iter().map(|item| item.row.sale.amount_minor).sum();
                    a.card.tile href={ "/console/one-sided?cause=" (cause_name(cause)) } aria-current=[(chosen == Some(cause)).then_some("true")] {
                        h2 { (lang.say(cause.words())) }
                        p.value { (of.len()) small { (lang.say((" 笔", ""))) } }
                        p.second.small { (Amount::fen(minor)) }
                    }
                }
            }
            @if chosen.is_some() { a.button href="/console/one-sided" { (lang.say(("全部", "All"))) } }
        }
    }
}

/// The name of a cause in addresses.
pub const fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::ReversalRefused => "refused",
        Cause::LostUpstream => "upstream",
        Cause::LostAtOurHop => "last-hop",
        Cause::Advice => "advice",
        Cause::Other => "other",
    }
}

fn items(lang: Lang, items: &[&Item]) -> Markup {
    html! {
        ol.sales.queue {
            @for item in items {
                @let sale = &item.row.sale;
                li {
                    label.pick { input type="checkbox" name="sale" value=(sale.key) aria-label={ (lang.say(("选择 ", "select "))) (sale.key) }; }
                    a.sale href=(sale_path("/console", &sale.key)) {
                        span.when { b { @match item.clock { Some(clock) => (clock_text(lang, clock)), None => "–" } }
                            " " span.second.small { (lang.say(match item.clock { Some(Clock { left_ms: ..0, .. }) => ("已超时", "overdue"), Some(_) => ("还剩", "left"), None => ("无时限", "no clock") })) } }
                        span.till { b { (sale.key) } " " span.second { (item.row.merchant) } }
                        span.ringcell { (ring::small(sale)) }
                        span.money { b { (sale.amount(lang)) } }
                        span.chips { (chip::outcome(lang, sale)) " " (chip::chip(Tone::Wait, lang.say(item.cause.words()))) }
                        span.because {
                            (lang.pick(&sale.headline)) " "
                            span.second { (lang.say(("下一步：", "Next: "))) (lang.pick(&sale.owner)) @if let Some(case) = item.case { (lang.say(("，案号 ", ", case "))) (case) } }
                        }
                    }
                }
            }
        }
    }
}

fn ageing(lang: Lang, items: &[Item]) -> Markup {
    let mut from = 0;
    let bars = AGES.map(|(until, (zh, en), tone)| {
        let of = items
            .iter()
            .filter(|item| (from..until).contains(&item.age_ms));
        let (count, minor) = of.fold((0_u64, 0_u64), |(count, minor), item| {
            (count + 1, minor + item.row.sale.amount_minor)
        });
        from = until;
        Bar {
            name: (zh.to_owned(), en.to_owned()),
            value: count,
            told: format!("{count} · {}", Amount::fen(minor)),
            tone,
        }
    });
    let head = Head {
        title: ("账龄", "Ageing"),
        unit: (
            "从收到请求算起，笔数与金额".to_owned(),
            "since the request came; count and amount".to_owned(),
        ),
        n: items.len() as u64,
    };
    plot::bars(lang, &head, &bars)
}
