//! The fleet: every terminal with what it lets its health be seen by.

use super::board::{duration, tenths};
use super::{Asked, page};
use crate::chip::{self, Tone};
use crate::language::Lang;
use maud::{Markup, html};

/// A terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Its number.
    pub id: String,
    /// Name of its merchant.
    pub merchant: String,
    /// Milliseconds since its last request with a sale; none when it never had one.
    pub seen_ms: Option<u64>,
    /// It is signed on.
    pub signed_on: bool,
    /// It speaks result query and positive sign.
    pub extended: bool,
    /// Its batch.
    pub batch: Option<u32>,
    /// Approved sales at hand.
    pub approved: u64,
    /// Of them not printed.
    pub unprinted: u64,
    /// The last trouble that its printer reported, zh-CN and en.
    pub trouble: Option<(&'static str, &'static str)>,
    /// Reversals of its sales that nobody has confirmed yet.
    pub reversing: u64,
}

impl Terminal {
    /// What its state asks for, and in which words.
    pub fn health(&self) -> (Tone, (&'static str, &'static str)) {
        if self.trouble.is_some() {
            (Tone::Wait, ("打印机要看", "look at the printer"))
        } else if self.reversing > 0 {
            (Tone::Wait, ("有冲正未了", "reversal pending"))
        } else if !self.signed_on {
            (Tone::Quiet, ("未签到", "not signed on"))
        } else {
            (Tone::Closed, ("正常", "well"))
        }
    }
}

/// The fleet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// Terminals that have been seen first, the least healthy on top.
    pub terminals: Vec<Terminal>,
    /// Configured and never signed on.
    pub unseen: u64,
    /// Sales that the rates were counted from.
    pub n: u64,
}

/// The page.
pub fn fleet(asked: Asked<'_>, fleet: &Fleet) -> String {
    let lang = asked.lang;
    let body = html! {
        h1 { (lang.say(("终端", "Terminals"))) }
        p.second { (lang.either(
            html! { "见过 " (fleet.terminals.len()) " 台，另有 " (fleet.unseen) " 台已配置、从未签到。未出票率按最近 n = " (fleet.n) " 笔计算。版本尚不随报文上报，这里不知道。" },
            html! { (fleet.terminals.len()) " seen; " (fleet.unseen) " more are configured and never signed on. Rates are counted from the last n = " (fleet.n) " sales. Terminals do not report their version yet; it is not known here." },
        )) }
        (tiles(lang, &fleet.terminals))
    };
    page(asked, ("终端", "Terminals"), None, &body)
}

/// Tiles of a page: it is no longer than a page may be.
pub const TILES_MAX: usize = 100;

/// Terminals as tiles, the least healthy first.
pub fn tiles(lang: Lang, terminals: &[Terminal]) -> Markup {
    html! {
        div.fleet { @for terminal in terminals.iter().take(TILES_MAX) {
            @let (tone, words) = terminal.health();
            section class={ "card " (tone.class()) } {
                h2 { (terminal.id) " " (chip::chip(tone, lang.say(words))) }
                p.second.small { (terminal.merchant) }
                dl.facts {
                    dt { (lang.say(("最近一笔", "Last sale"))) }
                    dd { @match terminal.seen_ms {
                        Some(ms) => (lang.either(html! { (duration(lang, ms)) " 前" }, html! { (duration(lang, ms)) " ago" })),
                        None => (lang.say(("还没有", "none yet"))),
                    } }
                    dt { (lang.say(("打印机", "Printer"))) }
                    dd { @match terminal.trouble { Some(trouble) => (lang.say(trouble)), None => (lang.say(("没有报告故障", "no trouble reported"))) } }
                    dt { (lang.say(("未出票", "Not printed"))) }
                    dd { (rate(terminal.unprinted, terminal.approved)) }
                    dt { (lang.say(("冲正未了", "Reversals pending"))) } dd { (terminal.reversing) }
                    dt { (lang.say(("批次", "Batch"))) }
                    dd { @match terminal.batch { Some(batch) => { (format!("{batch:06}")) } None => "–" }
                        @if !terminal.extended { " · " (lang.say(("只会基本报文", "plain dialect"))) } }
                }
            }
        } }
        @if let Some(more) = terminals.len().checked_sub(TILES_MAX + 1) {
            p.second { (lang.either(html! { "另有 " (more + 1) " 台未列出，最需要看的在前。" }, html! { (more + 1) " more are not listed; those to look at come first." })) }
        }
    }
}

fn rate(part: u64, whole: u64) -> Markup {
    html! { @if whole == 0 { "–" } @else { (part) " / " (whole) " (" (tenths(part.saturating_mul(1_000) / whole)) " %)" } }
}
