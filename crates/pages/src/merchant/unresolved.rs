//! What stands open for a merchant: each with its loop, who owes the next step, and the clock.

use super::{Asked, page};
use crate::chip::{self, Tone};
use crate::console::board::clock_text;
use crate::console::one_sided::{Item, LISTED_MAX};
use crate::ring;
use crate::sale::Audience;
use maud::html;

/// The page.
pub fn unresolved(asked: Asked<'_>, items: &[Item]) -> String {
    let lang = asked.lang;
    let body = html! {
        h1 { (lang.say(("待确认", "Unresolved"))) }
        @if items.is_empty() {
            section.card { p { (chip::chip(Tone::Closed, lang.say(("没有待确认的交易", "nothing is open")))) } }
        }
        div.cards { @for item in items.iter().take(LISTED_MAX) {
            @let sale = &item.row.sale;
            article.card {
                p { span.amount { (sale.amount(lang)) } " " (chip::outcome(lang, sale)) " " (chip::receipt(lang, sale)) }
                h2 { a href=(asked.to(&format!("/sale/{}", sale.key))) { (lang.pick(&sale.headline)) } }
                p { (ring::small(sale)) " " span.second { (sale.key) " · " (sale.received) } }
                p { (lang.pick(sale.line(Audience::Merchant))) }
                dl.facts {
                    dt { (lang.say(("下一步", "Next"))) } dd { (lang.pick(&sale.owner)) }
                    dt { (lang.say(("时限", "Clock"))) } dd { @match item.clock { Some(clock) => { (clock_text(lang, clock)) @if clock.left_ms < 0 { " " (lang.say(("前已到期", "overdue"))) } }, None => (lang.say(("无", "none"))) } }
                    dt { (lang.say(("货物", "Goods"))) } dd { (lang.pick(&sale.goods)) }
                    @if let Some(case) = item.case { dt { (lang.say(("案号", "Case"))) } dd { (case) } }
                }
            }
        } }
        @if let Some(more) = items.len().checked_sub(LISTED_MAX + 1) {
            p.second { (lang.either(html! { "另有 " (more + 1) " 笔未列出，最先到期的在上。" }, html! { (more + 1) " more are not listed; what runs out first is on top." })) }
        }
    };
    page(asked, ("待确认", "Unresolved"), &body)
}
