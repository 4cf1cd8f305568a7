//! The last five sales: what became of the money, and apart from it what became of the slip.

use super::{Door, Said, TillView};
use crate::chip;
use crate::language::Lang;
use crate::ring;
use crate::sale::SaleView;
use maud::{Markup, html};

/// A line of the list.
#[derive(Clone, Debug)]
pub enum Recent {
    /// A sale with a card or a code.
    Sale(Box<SaleView>),
    /// Cash.
    Cash {
        /// When, China time.
        at: String,
        /// Trace number.
        trace: u32,
        /// Amount as text.
        amount: String,
        /// What it stands in place of.
        words: Said,
    },
}

pub(super) fn rows(lang: Lang, view: &TillView, _: &Door) -> Markup {
    html! {
        h2 { (lang.say(("最近五笔", "The last five"))) }
        @if view.recent.is_empty() {
            p.second { (lang.say(("本机还没有交易。", "No sale on this till yet."))) }
        } @else {
            ul.last { @for recent in &view.recent { li { (row(lang, recent)) } } }
        }
    }
}

/// One sale as a line; its own page is behind it.
pub(super) fn row(lang: Lang, recent: &Recent) -> Markup {
    match recent {
        Recent::Sale(sale) => html! {
            a.line href={ "/?trace=" (trace(sale)) } {
                span.at { (clock_time(&sale.received)) }
                b.much { (lang.amount(&sale.amount)) }
                (ring::small(sale))
                span.chips {
                    (chip::outcome(lang, sale)) " " (chip::receipt(lang, sale))
                    @if sale.kind.0 != "消费" { " " span.second.small { (lang.pick(&sale.kind)) } }
                }
            }
        },
        Recent::Cash {
            at,
            trace,
            amount,
            words,
        } => html! {
            span.line {
                span.at { (clock_time(at)) }
                b.much { (amount) }
                span.second.small { (lang.say(("凭证号", "trace"))) " " (format!("{trace:06}")) }
                span.chips { (chip::chip(chip::Tone::Closed, lang.pick(words))) }
            }
        },
    }
}

fn trace(sale: &SaleView) -> u32 {
    let trace = sale.key.rsplit('/').next().unwrap_or_default();
    trace.parse().unwrap_or_default()
}

/// `14:02` of `2026-11-22 14:02:51`.
fn clock_time(text: &str) -> &str {
    text.get(11..16).unwrap_or(text)
}
