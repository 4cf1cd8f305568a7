//! What the till asks the cashier: were the goods handed over, how does the slip look, and the sheet of the second swipe.

use super::{Door, Said, TillView, press};
use crate::language::Lang;
use crate::ring;
use crate::sale::SaleView;
use maud::{Markup, html};

/// A late recovery: were the goods handed over?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodsQuestion {
    /// Amount as text.
    pub amount: String,
    /// Trace number.
    pub trace: u32,
    /// Silence until then means no, China time.
    pub until: String,
    /// The same, milliseconds since the epoch.
    pub until_ms: i64,
}

/// Somebody must look at the paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperQuestion {
    /// Trace number of the slip.
    pub trace: u32,
    /// Which copy.
    pub copy: Said,
}

/// The card of a refused charge has an earlier sale of the same amount without a result.
#[derive(Clone, Debug)]
pub struct SecondSwipe {
    /// `terminal/batch/trace` of the earlier sale.
    pub earlier: String,
    /// Its amount as text.
    pub amount: String,
    /// The same as a form takes it.
    pub plain: String,
    /// How long ago, in whole minutes; none for a sale of another till.
    pub age_min: Option<i64>,
    /// What this till knows of it, where it is its own.
    pub sale: Option<SaleView>,
    /// Why it may be charged all the same: name and words.
    pub reasons: Vec<(&'static str, crate::Words)>,
}

pub(super) fn ask(lang: Lang, view: &TillView, door: &Door) -> Markup {
    html! {
        @if let Some(question) = &view.goods { (goods(lang, question, door)) }
        @if let Some(second) = &view.second { (second_swipe(lang, view, second, door)) }
        @if let Some(question) = &view.seen { (seen(lang, question, door)) }
    }
}

fn goods(lang: Lang, question: &GoodsQuestion, door: &Door) -> Markup {
    html! {
        section.sheet.wait role="alertdialog" aria-labelledby="goods-asked" {
            h2 id="goods-asked" { (lang.say(("商品已经交给顾客了吗？", "Were the goods handed over?"))) }
            p {
                (lang.either(
                    html! { "凭证号 " (format!("{:06}", question.trace)) " 的 " (lang.amount(&question.amount)) " 已找回结果：银行同意。" },
                    html! { "The result of " (lang.amount(&question.amount)) ", trace " (format!("{:06}", question.trace)) ", was found: approved." },
                ))
            }
            p.second {
                (lang.say(("不回答就当作没有交货，自动冲正，时限", "No answer means no, and it is reversed. Time left or time of day:")))
                " " time data-due=(question.until_ms) { (question.until) }
            }
            div.row {
                (press(lang, door, "yes", None, ("已交货", "Yes, handed over"), "main", None))
                (press(lang, door, "no", None, ("没有交货，冲正", "No, reverse it"), "", None))
            }
        }
    }
}

fn second_swipe(lang: Lang, view: &TillView, second: &SecondSwipe, door: &Door) -> Markup {
    html! {
        section.sheet.stop role="alertdialog" aria-labelledby="second-asked" {
            h2 id="second-asked" { (lang.say(("请勿再次刷卡", "Do not present the card again"))) }
            p { (told(lang, second)) }
            @if let Some(sale) = &second.sale {
                p.row { (ring::small(sale)) b { (lang.pick(&sale.headline)) } }
            }
            div.row {
                (press(lang, door, "flush", None, ("查询结果", "Ask again"), "main", None))
                (press(lang, door, "wait", Some(&second.earlier), ("等待", "Wait"), "", None))
                form method="post" action="/cash" {
                    (door.fields())
                    input type="hidden" name="instead" value=(second.earlier);
                    input type="hidden" name="amount" value=(second.plain);
                    button { (lang.say(("现金收款（自动关联）", "Take cash (linked)"))) }
                }
            }
            details {
                summary { (lang.say(("仍要收款（关联）", "Charge anyway, linked"))) }
                form method="post" action="/anyway" {
                    (door.fields())
                    label for="reason" { (lang.say(("原因（记入流水，先前那一笔会自动退回）", "Reason (it is recorded, and the earlier sale goes back by itself)"))) }
                    select id="reason" name="reason" required {
                        option value="" { (lang.say(("请选择", "Choose"))) }
                        @for (name, words) in &second.reasons { option value=(name) { (lang.say(*words)) } }
                    }
                    @if !view.cards.is_empty() {
                        label for="anyway-card" { (lang.say(("沙箱测试卡", "Sandbox test card"))) }
                        select id="anyway-card" name="card" { @for card in &view.cards { option value=(card) { (card) } } }
                    }
                    button { (lang.say(("关联后收款", "Charge, linked"))) }
                }
            }
        }
    }
}

fn told(lang: Lang, second: &SecondSwipe) -> Markup {
    let trace = second.earlier.rsplit('/').next().unwrap_or_default();
    let age = second.age_min.map(|minutes| match minutes {
        0 => ("刚才".to_owned(), "just now".to_owned()),
        _ => (format!("{minutes} 分钟前"), format!("{minutes} min ago")),
    });
    match age {
        Some((zh, en)) => lang.either(
            html! { "这张卡" (zh) "的 " b { (lang.amount(&second.amount)) } "（凭证号 " (trace) "）还没有结果。" },
            html! { "This card's " b { (lang.amount(&second.amount)) } " from " (en) " (trace " (trace) ") has no result yet." },
        ),
        None => lang.either(
            html! { "这张卡在另一台收银机上的 " b { (lang.amount(&second.amount)) } "（" (second.earlier) "）还没有结果。" },
            html! { "This card's " b { (lang.amount(&second.amount)) } " at another till (" (second.earlier) ") has no result yet." },
        ),
    }
}

fn seen(lang: Lang, question: &PaperQuestion, door: &Door) -> Markup {
    html! {
        section.sheet.wait {
            h2 { (lang.say(receipt::PaperSeen::QUESTION)) }
            p.second { (lang.pick(&question.copy)) " · " (lang.say(("凭证号", "trace"))) " " (format!("{:06}", question.trace)) }
            div.row {
                @for (seen, order) in receipt::PaperSeen::ALL.into_iter().zip(["complete", "blank", "partial", "nothing", "none"]) {
                    (press(lang, door, order, Some(&question.trace.to_string()), seen.words(), "", None))
                }
            }
        }
    }
}
