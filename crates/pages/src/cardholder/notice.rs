//! The short pages: what was sent, what was kept, what is not there. Each says what to do next.

use super::{MoneyView, frame};
use crate::chip::Tone;
use crate::language::{Lang, Words};
use maud::{Markup, html};
use payment::Statement;

/// The message is in the outbox.
pub fn sent(lang: Lang, view: &MoneyView) -> String {
    let said = (
        "链接会在几分钟内送达，其中没有任何卡片信息。",
        "The link arrives within minutes. It says nothing of your card.",
    );
    back(
        lang,
        view,
        Tone::Closed,
        ("正在发送", "It is being sent"),
        said,
    )
}

/// The message was not taken.
pub fn not_sent(lang: Lang, view: &MoneyView, why: Words) -> String {
    back(lang, view, Tone::Wait, ("没有发送", "Not sent"), why)
}

/// What a message without consent is answered.
pub const fn consent_wanted() -> Words {
    ("请勾选同意。", "Tick the box to agree.")
}

/// A statement is on disk.
pub fn declared(lang: Lang, view: &MoneyView, statement: Statement) -> String {
    back(
        lang,
        view,
        Tone::Closed,
        ("已经记下", "It is kept"),
        after(statement),
    )
}

/// What comes of a statement.
pub(super) const fn after(statement: Statement) -> Words {
    match statement {
        Statement::PaidCash => (
            "运营人员会核对。请保留现金收据。",
            "Our staff check it. Keep the receipt for the cash.",
        ),
        Statement::NotMe => (
            "运营人员会核对。请让发卡行停用这张卡。",
            "Our staff check it. Have your bank block the card.",
        ),
    }
}

/// There is no such sale, or we may not show it.
pub fn missing(lang: Lang) -> String {
    let said = (
        "请再扫一次小票或收银机上的码，或核对链接末尾的 16 个字符。仍然没有，请向商户索取小票，或凭银行的扣款记录询问商户。没有小票不等于没有付款，也不要因此再付一次。",
        "Scan the code on the slip or the till again, or compare the 16 characters at the end of the link. Still nothing? Ask the shop for the slip, or show it your bank's record. A missing slip does not mean that you have not paid: do not pay again because of it.",
    );
    let again = html! { p { a.button href="/" { (lang.say(("用金额、时间、卡号末四位查找", "Find it by amount, time and last four digits"))) } } };
    plain(lang, ("没有这一页", "There is no such page"), said, &again)
}

/// Too many pages from one peer, or too many tries at one fact.
pub fn too_often(lang: Lang) -> String {
    let said = ("请一分钟后再试。", "Try again in a minute.");
    plain(lang, ("请求太频繁", "Too many requests"), said, &html! {})
}

/// The archive does not answer.
pub fn unavailable(lang: Lang) -> String {
    let said = (
        "您的付款不受影响，请稍后再打开本页。",
        "Your payment is not affected. Open this page again in a while.",
    );
    plain(
        lang,
        ("暂时查不到", "Not available at the moment"),
        said,
        &html! {},
    )
}

fn back(lang: Lang, view: &MoneyView, tone: Tone, title: Words, said: Words) -> String {
    let body = html! {
        section.notice.verdict.(tone.class()) {
            h1 { (lang.say(title)) }
            p.said { (lang.say(said)) }
            p { a.button.main href=(view.path) { (lang.say(("返回", "Back"))) } }
        }
    };
    frame(lang, title, &view.path).page(&html! {}, &body)
}

fn plain(lang: Lang, title: Words, said: Words, more: &Markup) -> String {
    let body = html! {
        section.notice.verdict.(Tone::Wait.class()) {
            h1 { (lang.say(title)) }
            p.said { (lang.say(said)) }
            (more)
        }
    };
    frame(lang, title, "/").page(&html! {}, &body)
}
