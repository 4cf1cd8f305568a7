//! Slips found again by trace number, last four digits, amount or date.

use super::side_page;
use super::{Door, Said, press};
use crate::language::Lang;
use maud::{Markup, html};

/// A slip that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Trace number.
    pub trace: u32,
    /// When, China time.
    pub at: String,
    /// Amount as text.
    pub amount: String,
    /// Masked card.
    pub card: String,
    /// What it is a proof of.
    pub title: Said,
    /// What became of it.
    pub state: Said,
    /// The till still has the sale itself.
    pub sale: bool,
}

/// The search field.
pub(super) fn form(lang: Lang, sought: &str) -> Markup {
    html! {
        form.row.search method="get" action="/search" role="search" {
            label for="q" { (lang.say(("找小票：凭证号、*卡号后四位、金额（带小数点）、日期", "Find a slip: trace, *last four, amount (with decimals), date"))) }
            input id="q" name="q" value=(sought) maxlength="40" placeholder="218 *0123 128.00 2026-11-22";
            button { (lang.say(("查找", "Search"))) }
        }
    }
}

/// What was found.
pub fn page(
    lang: Lang,
    sought: &str,
    path: &str,
    slips: &[Slip],
    door: &Door,
    as_of: &str,
) -> String {
    let body = html! {
        section.card {
            h1 { (lang.say(("找小票", "Find a slip"))) }
            (form(lang, sought))
        }
        section.card {
            @if slips.is_empty() {
                p { (lang.say(("没有这样的小票。", "There is no such slip."))) }
            }
            ul.last {
                @for slip in slips {
                    li {
                        div.line {
                            span.at { (slip.at) }
                            b.much { (lang.amount(&slip.amount)) }
                            span { (format!("{:06}", slip.trace)) " · " (crate::sale::dotted(&slip.card)) }
                            span.second { (lang.pick(&slip.title)) " · " (lang.pick(&slip.state)) }
                        }
                        div.row {
                            @if slip.sale { a.button href={ "/?trace=" (slip.trace) } { (lang.say(("查看", "Show"))) } }
                            (press(lang, door, "reprint", Some(&slip.trace.to_string()), ("重打印", "Reprint"), "", None))
                        }
                    }
                }
            }
        }
    };
    side_page(lang, ("找小票", "Find a slip"), path, Some(as_of), &body)
}
