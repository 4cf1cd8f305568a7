//! Remedies: for each chosen sale what would happen and what is refused, their sum, and the form that asks for it.
//!
//! Only what can be done is in the form; the acquirer judges it again when it is done.

use super::one_sided::Cause;
use super::{Asked, page, sale_path};
use crate::chip::{self, Tone};
use crate::language::{Lang, Words};
use crate::people::csrf;
use crate::sale::SaleView;
use maud::{Markup, html};
use payment::remedy::REASON_BYTES_MAX;
use payment::{Amount, Remedy};

/// A sale, and why a remedy would be refused for it; none where it can be done.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The sale.
    pub sale: SaleView,
    /// Name of its merchant.
    pub merchant: String,
    /// Why it is in the queue, when it is.
    pub cause: Option<Cause>,
    /// In the order of [`Remedy::ALL`].
    pub refused: [Option<Words>; 2],
}

/// The remedies for some sales.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// The sales.
    pub rows: Vec<Offered>,
    /// Chosen, and not known here.
    pub unknown: usize,
    /// The session's token; none when the reader may not ask for remedies.
    pub csrf: Option<String>,
    /// Why the last try did nothing.
    pub told: Option<Words>,
}

const fn about(remedy: Remedy) -> Words {
    match remedy {
        Remedy::AskNow => (
            "把没有答复的冲正、通知或订单马上再问一次，不等下一次自动重发。不动钱，一人即可。",
            "What nobody has answered is asked again at once, not at its next repetition. It moves no money; one person suffices.",
        ),
        Remedy::GiveBack => (
            "交易成立，但钱要退给持卡人：整笔原路退回，不再付给商户。动钱，要另一人复核后才执行。",
            "The sale stands, and the cardholder must get it back: all of it goes back the way it came and is not paid out. It moves money, so it is done once a second person has approved.",
        ),
    }
}

const fn would(remedy: Remedy) -> Words {
    match remedy {
        Remedy::AskNow => ("将马上再问", "asked again at once"),
        Remedy::GiveBack => ("将退回", "goes back"),
    }
}

/// The page of the chosen sales.
pub fn preview(asked: Asked<'_>, offers: &Offers) -> String {
    let lang = asked.lang;
    let body = html! {
        h1 { (lang.say(("处理预览", "Preview of the remedies"))) }
        p { (lang.say((
            "本页只预览：提交之前，不发报文，不动账。",
            "This is a preview: until it is submitted no message is sent and nothing is booked.",
        ))) }
        @if let Some(told) = offers.told { p.told role="status" { (lang.say(told)) } }
        @if offers.rows.is_empty() {
            section.card { p { (lang.say(("没有选中任何交易。", "Nothing is selected."))) } }
        } @else {
            (advice(lang, &offers.rows))
            @for n in 0..Remedy::ALL.len() { section.card { (part(lang, offers, n)) } }
        }
        @if offers.unknown > 0 {
            p.second { (lang.either(
                html! { "另有 " (offers.unknown) " 笔不在前置的记录里。" },
                html! { (offers.unknown) " more are not known here." },
            )) }
        }
        p { a.button href="/console/one-sided" { (lang.say(("返回单边账", "Back to the queue"))) } }
    };
    page(asked, ("处理预览", "Preview of the remedies"), None, &body)
}

/// What fits each cause.
fn advice(lang: Lang, rows: &[Offered]) -> Markup {
    html! {
        @for cause in Cause::ALL {
            @let count = rows.iter().filter(|row| row.cause == Some(cause)).count();
            @if count > 0 {
                @let (what, why) = cause.remedy();
                p { b { (lang.say(cause.words())) " · " (count) } " " (lang.say(("建议：", "Proposed: "))) (lang.say(what)) (lang.say(("。", ".")))
                    " " span.second { (lang.say(why)) } }
            }
        }
    }
}

/// The remedies of one sale, for its own page.
pub(super) fn parts(lang: Lang, offers: &Offers) -> Markup {
    html! {
        @for row in &offers.rows { @for (n, remedy) in Remedy::ALL.into_iter().enumerate() { div.remedy {
            h3 { (lang.say(remedy.words())) }
            p { (outcome(lang, row, n)) }
            @if row.refused[n].is_none() {
                p.second { (lang.say(about(remedy))) }
                (form(lang, remedy, &[row], offers.csrf.as_deref()))
            }
        } } }
    }
}

fn part(lang: Lang, offers: &Offers, n: usize) -> Markup {
    let remedy = Remedy::ALL[n];
    let (can, cannot): (Vec<&Offered>, Vec<&Offered>) =
        offers.rows.iter().partition(|row| row.refused[n].is_none());
    html! {
        h2 { (lang.say(remedy.words())) }
        p.second { (lang.say(about(remedy))) }
        p.tally { (lang.either(
            html! { b { (can.len()) } " 笔可以处理，共 " b { (sum(&can)) } "；" (cannot.len()) " 笔不能。" },
            html! { b { (can.len()) } " can be done, " b { (sum(&can)) } "; " (cannot.len()) " cannot." },
        )) }
        (list(lang, &can, n))
        @if can.is_empty() {
            details { summary { (lang.say(("为什么不能", "Why not"))) } (list(lang, &cannot, n)) }
        } @else {
            (list(lang, &cannot, n))
            (form(lang, remedy, &can, offers.csrf.as_deref()))
        }
    }
}

fn list(lang: Lang, rows: &[&Offered], n: usize) -> Markup {
    html! { @if !rows.is_empty() { ul.remedies { @for row in rows { li { (one(lang, row, n)) } } } } }
}

fn one(lang: Lang, row: &Offered, n: usize) -> Markup {
    let sale = &row.sale;
    html! {
        span.key { a href=(sale_path("/console", &sale.key)) { (sale.key) } " " span.second { (row.merchant) } }
        b.money { (sale.amount) }
        span { (outcome(lang, row, n)) }
    }
}

/// What would come of it.
fn outcome(lang: Lang, row: &Offered, n: usize) -> Markup {
    html! { @match row.refused[n] {
        None => (chip::chip(Tone::Closed, lang.say(would(Remedy::ALL[n])))),
        Some(why) => { (chip::chip(Tone::Quiet, lang.say(("不做", "not done")))) " " (lang.say(why)) }
    } }
}

/// Nothing for a reader who may not ask.
fn form(lang: Lang, remedy: Remedy, can: &[&Offered], token: Option<&str>) -> Markup {
    let id = format!("reason-{}", remedy.name());
    html! {
        @if let Some(token) = token { form.ask-remedy method="post" action="/console/remedies" {
            (csrf(token))
            input type="hidden" name="remedy" value=(remedy.name());
            @for row in can { input type="hidden" name="sale" value=(row.sale.key); }
            label for=(id) { (lang.say(("理由（写入账本）", "Reason (kept in the journal)"))) }
            div.row {
                input id=(id) name="reason" required maxlength=(REASON_BYTES_MAX / 3) autocomplete="off";
                button.main[remedy.needs_approval()] type="submit" { (lang.say(match remedy {
                    Remedy::AskNow => ("马上再问", "Ask again now"),
                    Remedy::GiveBack => ("提出退回，交另一人复核", "Propose it to a second person"),
                })) }
            }
        } }
    }
}

fn sum(rows: &[&Offered]) -> Amount {
    Amount::fen(rows.iter().map(|row| row.sale.amount_minor).sum())
}
