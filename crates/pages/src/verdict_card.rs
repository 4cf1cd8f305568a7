//! The verdict as a card: what the goods wait for in large type, the common sentence, the audience's own line, who is next.

use crate::chip::{self, Tone};
use crate::language::Lang;
use crate::sale::{Audience, SaleView};
use maud::{Markup, html};
use payment::verdict::Goods;

/// The card for an audience. Its sentence is announced when it changes; nothing else on a page is.
pub fn verdict_card(lang: Lang, sale: &SaleView, audience: Audience) -> Markup {
    let tone = match audience {
        Audience::Cashier => goods_tone(sale.goods_id),
        _ => chip::tone(sale.outcome),
    };
    html! {
        section class={ "verdict " (tone.class()) } aria-live="assertive" {
            p { (chip::outcome(lang, sale)) " " (chip::receipt(lang, sale)) }
            @if matches!(audience, Audience::Cashier) && sale.goods_id != Goods::NotConcerned {
                p.goods { (lang.pick(&sale.goods)) }
            }
            h1.headline { (lang.pick(&sale.headline)) }
            p.said { (lang.pick(sale.line(audience))) }
            dl.facts {
                dt { (lang.say(("钱在哪里", "Where the money is"))) } dd { (lang.pick(&sale.position)) }
                dt { (lang.say(("下一步", "Next"))) }
                dd {
                    (lang.pick(&sale.owner))
                    @if let Some(due) = &sale.due {
                        (lang.say(("，不晚于 ", ", by "))) time data-due=[sale.due_ms] { (due) }
                    }
                }
            }
        }
    }
}

const fn goods_tone(goods: Goods) -> Tone {
    match goods {
        Goods::Deliver => Tone::Closed,
        Goods::Hold => Tone::Wait,
        Goods::DoNotDeliver => Tone::Stop,
        Goods::NotConcerned => Tone::Quiet,
    }
}
