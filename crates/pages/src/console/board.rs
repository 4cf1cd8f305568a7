//! The live board: how fast, how well, what is open, and the newest sales with their loops.
//!
//! The parts that change have ids; the server sends the same parts again, and the page shows them without a reload.

use super::{Asked, offline, page, sale_path};
use crate::chip::{self, Tone};
use crate::language::{Lang, Words};
use crate::ring;
use crate::sale::SaleView;
use maud::{Markup, html};
use payment::evidence::{Bead, stations};
use payment::kind::Rail;

/// The board at one moment.
#[derive(Clone, Debug)]
pub struct Board {
    /// China time.
    pub as_of: String,
    /// The numbers on top.
    pub figures: Figures,
    /// Sales, newest first.
    pub sales: Vec<Listed>,
    /// Sales that have come since the look before and are in none of the rows: the stream was faster than the look.
    pub passed: u64,
    /// Links to others.
    pub links: Vec<LinkCard>,
}

/// A sale in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The sale.
    pub sale: SaleView,
    /// Name of its merchant.
    pub merchant: String,
}

impl Listed {
    /// Its loop stands open at this bead: it is there now, broken there, or nobody can know.
    pub fn is_open_at(&self, hop: usize) -> bool {
        let bead = self.sale.beads.get(hop);
        matches!(bead, Some(Bead::Active | Bead::Unknown | Bead::Broken))
    }
}

/// The numbers on top.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Seconds that rate, approvals and latencies are counted over.
    pub window_s: u64,
    /// Requests in the window.
    pub arrived: u64,
    /// Requests a second in the window, in tenths.
    pub per_second_tenths: u64,
    /// Answers in the window that approve.
    pub approved: u64,
    /// Answers in the window.
    pub answered: u64,
    /// From request to answer at the acquirer: half, 95 and 99 of 100 took no longer, in milliseconds.
    pub latency_ms: Option<[u64; 3]>,
    /// One-sided items and refused reversals since the journal began.
    pub cases: u64,
    /// Requests forwarded since the journal began.
    pub forwarded: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Sales whose end is not known, or that people must look at.
    pub open: u64,
    /// The clock that runs out first of all open sales, or ran out longest ago.
    pub oldest: Option<Clock>,
}

/// When a step is due, and how far that is from the look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds since the epoch.
    pub due_ms: i64,
    /// Milliseconds left; negative when it is over.
    pub left_ms: i64,
}

/// A link to another party.
#[derive(Clone, Debug)]
pub struct LinkCard {
    /// Whom it leads to.
    pub name: (String, String),
    /// It carries messages: keys are exchanged.
    pub up: bool,
    /// Lines of the card: what, and how much.
    pub lines: Vec<(Words, String)>,
}

/// Rows of the stream.
pub const ROWS_MAX: usize = 30;

/// The parts that change, by the id of their element.
pub fn parts(lang: Lang, board: &Board, hop: Option<usize>) -> Vec<(&'static str, String)> {
    vec![
        ("as-of", board.as_of.clone()),
        ("age", age(lang, board).into_string()),
        ("figures", figures(lang, &board.figures).into_string()),
        ("hops", hops(lang, board, hop).into_string()),
        ("stream", stream(lang, board, hop).into_string()),
        ("links", links(lang, &board.links).into_string()),
    ]
}

/// How the board is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Live.
    #[default]
    Live,
    /// As it is now; it stands.
    Paused,
    /// Live, for a screen on the wall: larger, and nothing to press but the way back.
    Wall,
}

/// The whole page.
pub fn board(asked: Asked<'_>, board: &Board, hop: Option<usize>, mode: Mode) -> String {
    let (lang, paused) = (asked.lang, mode == Mode::Paused);
    let filter = hop.map_or(String::new(), |hop| format!("?hop={}", hop + 1));
    let live = (!paused).then(|| {
        format!(
            "/console/live?lang={}{}",
            lang.tag(),
            filter.replace('?', "&")
        )
    });
    let joint = if filter.is_empty() { '?' } else { '&' };
    let body = html! {
        (offline(lang))
        div.board.wall[mode == Mode::Wall] data-live=[live] {
            div.boardhead {
                h1 { (lang.say(("实时", "Live"))) }
                span.second id="age" { (age(lang, board)) }
                @if paused {
                    (chip::chip(Tone::Wait, lang.say(("已暂停", "paused"))))
                    a.button href={ "/console" (filter) } { (lang.say(("继续", "Resume"))) }
                } @else if mode == Mode::Wall {
                    a.button href={ "/console" (filter) } { (lang.say(("退出墙屏", "Leave the wall"))) }
                } @else {
                    a.button href={ "/console" (filter) (joint) "wall=1" } { (lang.say(("墙屏", "Wall"))) }
                    a.button href={ "/console" (filter) (joint) "pause=1" } { (lang.say(("暂停", "Pause"))) }
                }
            }
            div.tiles id="figures" { (figures(lang, &board.figures)) }
            div.boardbody {
                section.card.streamcard {
                    h2 { (lang.say(("最新交易", "Newest sales"))) }
                    nav.hops id="hops" aria-label=(lang.say(("按断开的环节筛选", "Filter by where the loop is open"))) { (hops(lang, board, hop)) }
                    div id="stream" { (stream(lang, board, hop)) }
                }
                div.links id="links" { (links(lang, &board.links)) }
            }
        }
    };
    page(
        asked,
        ("实时", "Live"),
        (!paused).then_some("live.js"),
        &body,
    )
}

fn age(lang: Lang, board: &Board) -> Markup {
    lang.either(
        html! { "截至 " (board.as_of) },
        html! { "as of " (board.as_of) },
    )
}

fn figures(lang: Lang, figures: &Figures) -> Markup {
    let Figures { window_s, .. } = *figures;
    let window = lang.either(
        html! { "近 " (window_s) " 秒" },
        html! { "last " (window_s) " s" },
    );
    html! {
        (tile(lang, ("每秒笔数", "Per second"), &html! { (tenths(figures.per_second_tenths)) small { (lang.say((" 笔/秒", " /s"))) } }, &html! {
            (window) " · n = " (figures.arrived)
        }))
        (tile(lang, ("同意率", "Approved"), &share(figures.approved, figures.answered), &html! {
            (window) " · n = " (figures.answered)
        }))
        (tile(lang, ("应答用时 p50 · p95 · p99", "Latency p50 · p95 · p99"), &html! {
            @match figures.latency_ms {
                Some([p50, p95, p99]) => { (p50) " / " (p95) " / " (p99) small { " ms" } }
                None => "–",
            }
        }, &html! { (window) " · n = " (figures.answered) }))
        (tile(lang, ("单边率", "One-sided"), &html! {
            @if figures.forwarded == 0 { "–" } @else {
                (lang.say(("万分之 ", ""))) (tenths(figures.cases.saturating_mul(100_000) / figures.forwarded))
                small { (lang.say(("", " per 10,000"))) }
            }
        }, &lang.either(
            html! { (figures.cases) " 件 · 自账本开始 n = " (figures.forwarded) },
            html! { (figures.cases) " of n = " (figures.forwarded) " since the journal began" },
        )))
        (tile(lang, ("未了结", "Open"), &html! { (figures.open) small { (lang.say((" 笔", ""))) } }, &lang.either(
            html! { "在途 " (figures.in_flight) " 笔" },
            html! { (figures.in_flight) " in flight" },
        )))
        (tile(lang, ("最早的时限", "Oldest clock"), &html! {
            @match figures.oldest { Some(clock) => (clock_text(lang, clock)), None => "–" }
        }, &html! {
            (lang.say(match figures.oldest {
                Some(Clock { left_ms: ..0, .. }) => ("已超时", "overdue"),
                Some(_) => ("还剩", "left"),
                None => ("没有在等的事", "nothing is waited for"),
            }))
        }))
    }
}

fn tile(lang: Lang, name: Words, value: &Markup, below: &Markup) -> Markup {
    html! {
        section.card.tile { h2 { (lang.say(name)) } p.value { (value) } p.second.small { (below) } }
    }
}

/// How far a clock is; seconds count down by themselves.
pub(crate) fn clock_text(lang: Lang, clock: Clock) -> Markup {
    let seconds = (0..MINUTES_FROM_MS).contains(&clock.left_ms);
    html! { time data-due=[seconds.then_some(clock.due_ms)] { (duration(lang, clock.left_ms.unsigned_abs())) } }
}

/// Below it a duration is told in seconds.
const MINUTES_FROM_MS: i64 = 120_000;

/// A duration in its largest unit: `840 ms`, `42 s`, `12 min`, `5 h`, `3 d`.
pub(crate) fn duration(lang: Lang, ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match (hours, minutes, seconds) {
        (48.., ..) => format!("{} {}", hours / 24, lang.say(("天", "d"))),
        (2.., ..) => format!("{hours} {}", lang.say(("小时", "h"))),
        (_, 2.., _) => format!("{minutes} {}", lang.say(("分钟", "min"))),
        (_, _, 10..) => format!("{seconds} s"),
        (_, _, 1..) => format!("{}.{} s", seconds, ms % 1_000 / 100),
        _ => format!("{ms} ms"),
    }
}

/// `12.3` of 123.
pub(crate) fn tenths(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A share as per cent with one decimal; nothing of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Markup {
    html! {
        @if whole == 0 { "–" } @else { (tenths(part.saturating_mul(1_000) / whole)) small { " %" } }
    }
}

/// One link for each bead, with how many of the sales at hand stand open there.
fn hops(lang: Lang, board: &Board, chosen: Option<usize>) -> Markup {
    let names = stations(Rail::Card);
    html! {
        @for hop in 0..names.len() {
            @let open = board.sales.iter().filter(|row| row.is_open_at(hop)).count();
            @let back = (4..7).contains(&hop);
            a href={ "/console?hop=" (hop + 1) } aria-current=[(chosen == Some(hop)).then_some("true")] {
                span.second { (hop + 1) @if back { " ↩" } }
                " " (lang.say(names[hop]))
                @if open > 0 { " " b { (open) } }
            }
        }
        @if chosen.is_some() { a.all href="/console" { (lang.say(("全部", "All"))) } }
    }
}

fn stream(lang: Lang, board: &Board, hop: Option<usize>) -> Markup {
    let shown = board
        .sales
        .iter()
        .filter(|row| hop.is_none_or(|hop| row.is_open_at(hop)))
        .take(ROWS_MAX);
    let rows: Vec<&Listed> = shown.collect();
    html! {
        @if rows.is_empty() {
            p.second { (lang.say(match hop {
                None => ("还没有交易。", "There are no sales yet."),
                Some(_) => ("没有交易断在这一环。", "No loop is open here."),
            })) }
        } @else {
            (list(lang, &rows, "/console"))
        }
        @if board.passed > 0 {
            p.second.small { (lang.either(
                html! { "另有 " (board.passed) " 笔在两次查看之间经过，未列出。" },
                html! { (board.passed) " more passed between two looks and are not listed." },
            )) }
        }
    }
}

/// Sales as rows: time and till, loop, amount, outcome and slip, and the sentence that everybody sees. Each leads to its page below `base`.
pub fn list(lang: Lang, rows: &[&Listed], base: &str) -> Markup {
    html! {
        ol.sales {
            @for Listed { sale, merchant } in rows.iter().copied() {
                li {
                    a.sale href=(sale_path(base, &sale.key)) {
                        span.when { (sale.received.get(11..).unwrap_or_default()) }
                        span.till { b { (sale.key.split('/').next().unwrap_or_default()) } " " span.second { (merchant) } }
                        span.ringcell { (ring::small(sale)) }
                        span.money { span.second { (lang.pick(&sale.kind)) } " " b { (sale.amount(lang)) } }
                        span.chips { (chip::outcome(lang, sale)) " " (chip::receipt(lang, sale)) }
                        span.because.second { (lang.pick(&sale.headline)) }
                    }
                }
            }
        }
    }
}

fn links(lang: Lang, cards: &[LinkCard]) -> Markup {
    html! {
        @for LinkCard { name, up, lines } in cards {
            section.card {
                h2 { (lang.pick(name)) " " @if *up { (chip::chip(Tone::Closed, lang.say(("通", "up")))) } @else { (chip::chip(Tone::Stop, lang.say(("断", "down")))) } }
                dl.facts {
                    @for (what, value) in lines { dt { (lang.say(*what)) } dd { (value) } }
                }
            }
        }
    }
}
