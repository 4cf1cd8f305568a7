//! "Where is my money": the one page of a sale for its cardholder, found by its link, its code or three facts.
//!
//! Invariant: nothing is promised without a number of past cases behind it, and no more of the card is here than four digits.

mod actions;
mod form;
mod notice;
mod slip;
mod soon;
mod stations;

pub use form::{Answer, Asked, Facts, Unreadable, form};
pub use notice::{consent_wanted, declared, missing, not_sent, sent, too_often, unavailable};
pub use slip::picture;
pub use soon::{RETURNS_MAX, Within, within};

use crate::chip::{Tone, chip};
use crate::frame::{Area, Frame};
use crate::language::{Lang, Words, drawn};
use maud::{Markup, html};
use payment::certificate::Signed;
use payment::evidence::Loop;
use payment::kind::Rail;
use payment::verdict::{Family, Outcome, Owner, Position};
use payment::{Declarations, Wall, loop_picture};
use std::collections::BTreeMap;

/// A sale as its cardholder sees it.
#[derive(Clone, Debug)]
pub struct MoneyView {
    /// Path of its page: `/r/…` of its link, or `/t/…` of a ticket.
    pub path: String,
    /// Name of the merchant.
    pub merchant: String,
    /// Number of the merchant.
    pub merchant_id: String,
    /// Terminal.
    pub terminal: String,
    /// Batch.
    pub batch: u32,
    /// Trace number, which slips call the voucher number.
    pub stan: u32,
    /// Field 37.
    pub rrn: String,
    /// Kind, zh-CN and en.
    pub kind: (String, String),
    /// Of what it is one; none of a kind that this program does not know.
    pub family: Option<Family>,
    /// Amount as text.
    pub amount: String,
    /// Last four digits of the card.
    pub last4: String,
    /// When the request came.
    pub received: Wall,
    /// Field 38.
    pub approval: Option<String>,
    /// What is true of it.
    pub status: Status,
    /// When this was looked at.
    pub as_of: Wall,
    /// What happened, oldest first.
    pub events: Vec<Step>,
    /// Its certificates, oldest first.
    pub certificates: Vec<Signed>,
    /// When the issuer confirmed its reversal.
    pub reversed_at: Option<Wall>,
    /// How long past returns of the same issuer took from the request to the confirmed reversal, in milliseconds.
    pub returns: Vec<u64>,
    /// What the cardholder has said.
    pub declared: Declarations,
    /// Links can be sent.
    pub sends: bool,
}

/// What is true of a sale, in words.
#[derive(Clone, Debug)]
pub struct Status {
    /// The sentence that every audience sees.
    pub headline: (String, String),
    /// The cardholder's own.
    pub line: (String, String),
    /// Where the money is.
    pub position: Position,
    /// What became of the payment.
    pub outcome: Outcome,
    /// Who owes the next step.
    pub owner: Owner,
    /// Who decides about it.
    pub rail: Rail,
    /// The loop, when the acquirer still has the sale in memory.
    pub beads: Option<Loop>,
}

/// One line of the timeline; what was repeated stands once.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, the first time.
    pub at: Wall,
    /// What.
    pub words: Words,
    /// How often in a row.
    pub times: u32,
}

impl MoneyView {
    /// Something will still happen by itself or by people: the page is kept live.
    pub fn is_open(&self) -> bool {
        self.status.owner != Owner::Nobody
    }

    /// Money is on its way back to the card by itself, or may be; what people must return is like no past case.
    fn returns_now(&self) -> bool {
        self.status.outcome == Outcome::Reversing && self.takes_money()
    }

    /// Its approval takes money off the card.
    fn takes_money(&self) -> bool {
        matches!(self.family, Some(Family::Sale | Family::Move))
    }

    /// How long its own return took.
    fn own_return_ms(&self) -> Option<u64> {
        u64::try_from(self.reversed_at?.0 - self.received.0).ok()
    }
}

/// The whole page.
pub fn money(lang: Lang, view: &MoneyView) -> String {
    let stream = view.is_open().then(|| format!("{}/events", view.path));
    let parts = parts(lang, view);
    let part = |id: &str| drawn(parts.get(id).cloned().unwrap_or_default());
    let body = html! {
        div.sheet data-live=[stream] {
            div.fold {
                section.now id="now" aria-live="polite" { (part("now")) }
                p.age id="age" { (part("age")) }
                p id="offline" hidden {
                    (lang.say(("连接断开，以上是断开前的情况", "Disconnected: this is how it stood before")))
                }
                @if view.is_open() {
                    noscript { p { a.button href=(view.path) { (lang.say(("刷新，看最新情况", "Reload for the latest"))) } } }
                }
                (actions::actions(lang, view))
                figure.where.screen id="where" { (part("where")) }
                div.soon.screen id="soon" { (part("soon")) }
            }
            div.paper {
                div id="slip" { (part("slip")) }
                section.screen id="way" { (part("way")) }
                section.screen id="story" { (part("story")) }
                div id="proofs" { (part("proofs")) }
            }
        }
        script src="/static/copy.js" defer {}
    };
    let frame = Frame {
        script: view.is_open().then_some("live.js"),
        ..frame(lang, ("我的钱在哪里", "Where is my money"), &view.path)
    };
    frame.page(&html! {}, &body)
}

/// What changes on the page while it is open, by element.
pub fn parts(lang: Lang, view: &MoneyView) -> BTreeMap<&'static str, String> {
    let parts = [
        ("now", now(lang, view)),
        ("age", age(lang, view)),
        ("where", stations::figure(lang, view)),
        ("soon", soon::soon(lang, view)),
        ("words", html! { (actions::words(lang, view)) }),
        ("slip", slip::paper(lang, view)),
        ("way", way(lang, view)),
        ("story", story(lang, view)),
        ("proofs", slip::proofs(lang, view)),
    ];
    let drawn = parts.into_iter();
    drawn.map(|(id, part)| (id, part.into_string())).collect()
}

/// The frame of every page here; one leads nowhere else, so that a link says nothing to others.
const fn frame(lang: Lang, title: Words, path: &str) -> Frame<'_> {
    Frame {
        lang,
        area: Area::Cardholder,
        title,
        path,
        places: &[],
        script: None,
        as_of: None,
    }
}

/// The sentence: the common headline, the cardholder's line, and what can be expected.
fn now(lang: Lang, view: &MoneyView) -> Markup {
    let (tone, words) = tone(view);
    html! {
        p { (chip(tone, lang.say(words))) }
        h1 { (lang.pick(&view.status.headline)) }
        p.line { (lang.pick(&view.status.line)) (soon::expected(lang, view)) }
        p.amount { (lang.amount(&view.amount)) }
    }
}

fn age(lang: Lang, view: &MoneyView) -> Markup {
    html! {
        (lang.say(("截至 ", "As of "))) time { (day(lang, view.as_of)) }
        (lang.say(("（北京时间）", " (China time)"))) " · " (view.merchant)
    }
}

/// The state in a word; colour never speaks alone.
fn tone(view: &MoneyView) -> (Tone, Words) {
    match (view.status.outcome, view.family) {
        (Outcome::Approved, Some(Family::Sale)) => (Tone::Closed, ("已付款", "Paid")),
        (Outcome::Approved, Some(Family::Move)) => (Tone::Closed, ("已转出", "Moved")),
        (Outcome::Approved, Some(Family::Return)) => (Tone::Closed, ("已退回", "Given back")),
        (Outcome::Approved, Some(Family::Hold)) => (Tone::Closed, ("已冻结", "Held")),
        (Outcome::Approved, Some(Family::Release)) => (Tone::Closed, ("已解冻", "Released")),
        (Outcome::Approved, _) => (Tone::Closed, ("已成功", "Done")),
        (Outcome::Reversed, Some(Family::Sale | Family::Move)) => {
            (Tone::Closed, ("已退回", "Given back"))
        }
        (Outcome::Reversed, _) => (Tone::Closed, ("已冲正", "Reversed")),
        (Outcome::Declined, Some(Family::Sale)) => (Tone::Stop, ("未付款", "Not paid")),
        (Outcome::Declined, _) => (Tone::Stop, ("未成功", "Declined")),
        (Outcome::Unknown, _) => (Tone::Wait, ("正在确认", "Being checked")),
        (Outcome::Reversing, Some(Family::Sale | Family::Move)) => {
            (Tone::Wait, ("正在退回", "Being given back"))
        }
        (Outcome::Reversing, _) => (Tone::Wait, ("正在冲正", "Being reversed")),
        (Outcome::ReversalRefused, _) => (Tone::Wait, ("人工处理中", "With our staff")),
    }
}

fn way(lang: Lang, view: &MoneyView) -> Markup {
    let Some(beads) = &view.status.beads else {
        return html! {};
    };
    html! {
        h2 { (lang.say(("这笔交易走过的路", "The way it went"))) }
        (drawn(loop_picture::svg(view.status.rail, beads, lang == Lang::Zh)))
    }
}

fn story(lang: Lang, view: &MoneyView) -> Markup {
    html! {
        h2 { (lang.say(("经过", "What happened"))) }
        ol.story {
            @for step in &view.events {
                li {
                    span {
                        (lang.say(step.words))
                        @if step.times > 1 { (lang.either(html! { "（" (step.times) " 次）" }, html! { " (" (step.times) " times)" })) }
                    }
                    time { (step.at.text()) }
                }
            }
        }
    }
}

/// A moment as people say it, with its weekday.
fn day(lang: Lang, at: Wall) -> String {
    const DAYS: [Words; 7] = [
        ("周一", "Mon"),
        ("周二", "Tue"),
        ("周三", "Wed"),
        ("周四", "Thu"),
        ("周五", "Fri"),
        ("周六", "Sat"),
        ("周日", "Sun"),
    ];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let local = at.local();
    let weekday = lang.say(DAYS[local.weekday().to_monday_zero_offset() as usize % DAYS.len()]);
    let (date, month) = (local.day(), local.month());
    let time = format!(
        "{:02}:{:02}:{:02}",
        local.hour(),
        local.minute(),
        local.second()
    );
    match lang {
        Lang::Zh => format!("{month}月{date}日（{weekday}）{time}"),
        Lang::En => {
            let month = MONTHS[(month as usize).saturating_sub(1) % MONTHS.len()];
            format!("{weekday} {date} {month}, {time}")
        }
    }
}
