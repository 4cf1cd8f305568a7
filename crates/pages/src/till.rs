//! The till's page: amount, tender, the loop, the verdict, what the cashier may do next, the last five sales.
//!
//! It shows what the terminal itself knows and nothing else; a hop that it cannot know is amber. No money moves by script
//! alone: every command is a form.

pub mod about;
pub mod basket;
pub mod doctor;
pub mod drill;
pub mod found;
mod now;
mod pad;
mod paper;
mod recent;
mod scan;
mod sheet;

use crate::chip::Tone;
use crate::frame::{Area, Frame};
use crate::language::Lang;
use crate::sale::SaleView;
use basket::BasketView;
use maud::{Markup, html};
use paper::PaperView;

pub use about::{AboutKind, KindName};
pub use now::{Clock, Step};
pub use pad::{is_amount, typed};
pub use paper::{PaperView as Paper, Picture};
pub use recent::Recent;
pub use sheet::{GoodsQuestion, PaperQuestion, SecondSwipe};

/// Words that were made, zh-CN and en.
pub type Said = (String, String);

/// A lamp of the top bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lamp {
    /// What it asks for.
    pub tone: Tone,
    /// What it says.
    pub words: Said,
}

/// Something without a final result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Trace number; 0 for what is no sale.
    pub trace: u32,
    /// Since when, China time.
    pub since: String,
    /// Amount as text.
    pub amount: String,
    /// What is not over yet.
    pub words: Said,
}

/// What the cashier may do about the sale that is shown; a page offers two at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Asks again, or sends what is pending; charges nothing.
    Recover,
    /// Takes the open sale back instead of waiting.
    Withdraw,
    /// Prints the slip of this trace number again.
    Reprint(u32),
    /// Shows the e-slip of this trace number.
    ESlip(u32),
    /// Takes cash in place of this sale.
    CashInstead {
        /// `terminal/batch/trace`.
        sale: String,
        /// Amount as a form takes it.
        amount: String,
    },
}

/// A code for the customer to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What it is for.
    pub words: Said,
    /// What the customer does with it.
    pub hint: Said,
    /// Its text.
    pub text: String,
}

/// Everything the till's page shows.
#[derive(Clone, Debug)]
pub struct TillView {
    /// Name of the shop.
    pub shop: String,
    /// Number of the till.
    pub till: String,
    /// Who works at it, and since when.
    pub shift: Said,
    /// Network, printer, pending.
    pub lamps: [Lamp; 3],
    /// Everything without a final result.
    pub pending: Vec<Pending>,
    /// When this was looked at, China time.
    pub as_of: String,
    /// The sale that is shown.
    pub sale: Option<SaleView>,
    /// It was picked from the list; otherwise it is the present one.
    pub picked: bool,
    /// How long the open step may still take.
    pub clock: Option<Clock>,
    /// What may be done about it.
    pub actions: Vec<Action>,
    /// What may be ordered about it: void, refund.
    pub about: Vec<AboutKind>,
    /// What the terminal said last that is no sale.
    pub notice: Option<(Tone, Said)>,
    /// The goods question.
    pub goods: Option<GoodsQuestion>,
    /// Somebody must look at a slip.
    pub seen: Option<PaperQuestion>,
    /// This card may have paid already.
    pub second: Option<SecondSwipe>,
    /// A code for the customer.
    pub code: Option<Code>,
    /// The printer's trouble.
    pub paper: Option<PaperView>,
    /// The last five.
    pub recent: Vec<Recent>,
    /// What lies in the basket.
    pub basket: BasketView,
    /// Test cards by name, in the sandbox only.
    pub cards: Vec<String>,
    /// What stands in the amount field.
    pub amount: String,
}

/// What every form of one visitor carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Proves that the form is ours.
    pub csrf: String,
    /// Names this showing of the page: a charge sent twice is one charge.
    pub once: String,
}

impl Door {
    /// The hidden fields.
    fn fields(&self) -> Markup {
        html! {
            input type="hidden" name="csrf" value=(self.csrf);
            input type="hidden" name="once" value=(self.once);
        }
    }
}

/// Where a page of the till stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its path with its query, without `lang`.
    pub path: &'a str,
    /// Where its stream of changes is.
    pub events: &'a str,
}

type Part = fn(Lang, &TillView, &Door) -> Markup;

/// The parts that change by themselves, by the id of their element.
const PARTS: [(&str, Part); 11] = [
    ("lamps", lamps),
    ("as-of", as_of),
    ("notice", notice),
    ("ask", sheet::ask),
    ("verdict", now::verdict),
    ("clock", now::clock),
    ("code", scan::code),
    ("paper", paper::strip),
    ("pending", pending),
    ("loop", now::ring),
    ("recent", recent::rows),
];

/// The whole page.
pub fn page(lang: Lang, view: &TillView, door: &Door, place: Place<'_>) -> String {
    let live = |id: &str| part(id).map_or_else(Markup::default, |part| part(lang, view, door));
    let head = html! {
        p.shop { (view.shop) " · " (view.till) span.second { " · " (lang.pick(&view.shift)) } }
        ul.lamps id="lamps" { (live("lamps")) }
    };
    let body = html! {
        p id="offline" hidden { (lang.say(("与收银程序的连接断开，屏幕可能不是最新，请勿凭此交货。", "The connection to the till is lost: this screen may be old. Do not deliver by it."))) }
        div.desk data-live=(place.events) {
            div.told {
                div id="notice" { (live("notice")) }
                div id="ask" { (live("ask")) }
                div id="verdict" { (live("verdict")) }
                div id="clock" { (live("clock")) }
                div id="code" { (live("code")) }
                div id="paper" { (live("paper")) }
                div id="pending" { (live("pending")) }
            }
            div.take {
                (basket::section(lang, &view.basket, door))
                (pad::form(lang, view, door))
            }
            div.shown {
                section.card id="loop" { (live("loop")) }
                section.card {
                    div id="recent" { (live("recent")) }
                    (found::form(lang, ""))
                }
            }
        }
        (keys(lang, door))
        script src="/static/till.js" defer {}
    };
    Frame {
        lang,
        area: Area::Till,
        title: ("收银台", "Till"),
        path: place.path,
        places: &[],
        script: Some("live.js"),
        as_of: Some(&view.as_of),
    }
    .page(&head, &body)
}

/// The parts that change, by the id of their element.
pub fn parts(lang: Lang, view: &TillView, door: &Door) -> Vec<(&'static str, String)> {
    PARTS
        .iter()
        .map(|(id, part)| (*id, part(lang, view, door).into_string()))
        .collect()
}

fn part(wanted: &str) -> Option<Part> {
    PARTS
        .iter()
        .find(|(id, _)| *id == wanted)
        .map(|(_, part)| *part)
}

fn lamps(lang: Lang, view: &TillView, _: &Door) -> Markup {
    let [network, printer, waiting] = &view.lamps;
    let lamp = |lamp: &Lamp| crate::chip::chip(lamp.tone, lang.pick(&lamp.words));
    html! {
        li { (lamp(network)) }
        li { a href="#paper" { (lamp(printer)) } }
        li { a href="#pending" { (lamp(waiting)) } }
    }
}

fn as_of(_: Lang, view: &TillView, _: &Door) -> Markup {
    html! { (view.as_of) }
}

/// What is not over yet, for the cashier and for whoever takes the till over.
fn pending(lang: Lang, view: &TillView, _: &Door) -> Markup {
    if view.pending.is_empty() {
        return html! {};
    }
    html! {
        section.card {
            h2 { (lang.say(("待处理", "Pending"))) }
            ul.last {
                @for item in &view.pending {
                    li.line {
                        b.much { (lang.amount(&item.amount)) }
                        span { (lang.pick(&item.words)) }
                        span.second.small { @if item.trace > 0 { (lang.say(("凭证号", "trace"))) " " (format!("{:06}", item.trace)) " · " } (item.since) }
                    }
                }
            }
        }
    }
}

fn notice(lang: Lang, view: &TillView, _: &Door) -> Markup {
    html! {
        @if let Some((tone, words)) = &view.notice {
            p class={ "notice " (tone.class()) } role="status" { span aria-hidden="true" { (tone.mark()) " " } (lang.pick(words)) }
        }
    }
}

/// The forms behind the function keys. Esc has none: no key cancels money.
fn keys(lang: Lang, door: &Door) -> Markup {
    let keys = [
        ("F2", "reprint", ("重打印上一张", "Reprint the last")),
        ("F3", "flush", ("查询待处理", "Ask about what is pending")),
        ("F4", "eslip", ("电子小票", "E-slip")),
    ];
    html! {
        nav.keys-below aria-label=(lang.say(("快捷键", "Keys"))) {
            @for (key, order, words) in keys {
                (press(lang, door, order, None, words, &format!("quiet-key key-{key}"), Some(key)))
            }
            a.button href="/more" { (lang.say(("更多交易", "More transactions"))) }
            a.button href="/training" { (lang.say(("练习", "Training"))) }
        }
    }
}

/// A command of one button.
fn press(
    lang: Lang,
    door: &Door,
    order: &str,
    about: Option<&str>,
    words: (&'static str, &'static str),
    class: &str,
    key: Option<&str>,
) -> Markup {
    html! {
        form method="post" action="/press" {
            (door.fields())
            @if let Some(about) = about { input type="hidden" name="about" value=(about); }
            button class=(class) name="order" value=(order) data-key=[key] {
                (lang.say(words))
                @if let Some(key) = key { " " kbd { (key) } }
            }
        }
    }
}

/// A page beside the main one: its own title, one column, the way back.
pub(crate) fn side_page(
    lang: Lang,
    title: crate::Words,
    path: &str,
    as_of: Option<&str>,
    body: &Markup,
) -> String {
    let head = html! { a.button href="/" { (lang.say(("← 回收银台", "← Back to the till"))) } };
    Frame {
        lang,
        area: Area::Till,
        title,
        path,
        places: &[],
        script: None,
        as_of,
    }
    .page(&head, &html! { div.aside { (body) } })
}
