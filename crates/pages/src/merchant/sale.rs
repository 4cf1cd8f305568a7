//! One sale as its merchant sees it: the verdict, the loop, the evidence and the slip; nothing of what is inside the acquirer.

use super::{Asked, missing, page};
use crate::ring;
use crate::sale::{Audience, SaleView};
use crate::verdict_card::verdict_card;
use maud::html;

/// The page; without a sale that there is none.
pub fn sale(asked: Asked<'_>, sale: Option<(&SaleView, bool)>) -> String {
    let Some((sale, slip)) = sale else {
        return missing(asked);
    };
    let lang = asked.lang;
    let body = html! {
        div.saleparts {
            div {
                p.salefacts { span.amount { (sale.amount) } span.second { (lang.pick(&sale.kind)) " · " (sale.key) " · RRN " (sale.rrn) " · " (sale.card) " · " (sale.received) } }
                (verdict_card(lang, sale, Audience::Merchant))
                (ring::large(lang, sale))
            }
            div {
                section.card {
                    h2 { (lang.say(("证据", "Evidence"))) }
                    ol.evidence { @for line in &sale.evidence { li { (lang.pick(line)) } } }
                }
                section.card {
                    h2 { (lang.say(("小票", "Slip"))) }
                    p { (lang.pick(&sale.slip)) }
                    @if slip { img.slip src=(asked.to(&format!("/sale/{}/slip.svg", sale.key))) alt=(lang.say(("小票的样子", "what the slip looks like"))); }
                }
            }
        }
    };
    page(asked, ("单笔交易", "Sale"), &body)
}
