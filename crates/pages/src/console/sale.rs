//! One sale as the operator sees it: the verdict, the loop, and everything that it rests on.
//!
//! Every section has an id: the server sends a section that has changed again, and the page shows it without a reload.

use super::board::duration;
use super::ledger::{self, Books};
use super::messages::{self, Message};
use super::remedy::{self, Offers};
use super::sequence::{self, Step};
use super::timeline::{self, Timeline};
use super::{Asked, offline, page, sale_path};
use crate::chip;
use crate::language::{Lang, Words};
use crate::ring;
use crate::sale::{Audience, SaleView};
use maud::{Markup, html};
use payment::Declarations;

/// Everything of one sale.
#[derive(Clone, Debug)]
pub struct SalePage {
    /// The sale.
    pub sale: SaleView,
    /// Name of its merchant.
    pub merchant: String,
    /// Milliseconds until the next step is due; negative when that is over.
    pub left_ms: Option<i64>,
    /// Its hops.
    pub timeline: Timeline,
    /// Who said what.
    pub steps: Vec<Step>,
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// Messages that the acquirer keeps.
    pub messages_kept: usize,
    /// The books about it.
    pub books: Vec<Books>,
    /// Further evidence, weaker than what the verdict rests on, with its source.
    pub proofs: Vec<Proof>,
    /// What the till said of the slip, beyond the verdict.
    pub slip: Vec<(Words, String)>,
    /// A picture of the slip is at the page's own path with `/slip.svg`.
    pub slip_picture: bool,
    /// What staff can do about it.
    pub offers: Offers,
    /// What its cardholder has said of it.
    pub declared: Declarations,
    /// Its rows of the journal, oldest first.
    pub audit: Vec<AuditRow>,
}

/// A piece of evidence.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Where it comes from.
    pub source: Words,
    /// What it says.
    pub text: (String, String),
}

/// A row of the journal.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Number of the journal's row, and of the record in it.
    pub place: (u64, u64),
    /// China time, with milliseconds.
    pub at: String,
    /// What happened.
    pub what: Words,
    /// With what.
    pub detail: Option<String>,
}

/// What draws a section.
type Drawn = fn(Lang, &SalePage) -> Markup;

/// The sections: their anchors, their names, and what draws them.
const SECTIONS: [(&str, Words, Drawn); 9] = [
    ("timeline", ("时间线", "Timeline"), |lang, view| {
        timeline::timeline(lang, &view.timeline)
    }),
    (
        "sequence",
        ("时序图", "Sequence diagram"),
        |lang, view| sequence::sequence(lang, view.sale.rail, &view.steps),
    ),
    ("messages", ("报文", "Messages"), |lang, view| {
        messages::messages(lang, &view.messages, view.messages_kept)
    }),
    ("ledger", ("账务", "Ledger"), |lang, view| {
        ledger::ledger(lang, &view.books)
    }),
    ("evidence", ("证据", "Evidence"), evidence),
    ("receipt", ("小票", "Slip"), receipt),
    ("people", ("人", "People"), people),
    ("audit", ("审计", "Audit"), audit),
    ("remedy", ("处理", "Remedies"), |lang, view| {
        remedy::parts(lang, &view.offers)
    }),
];

/// The page.
pub fn sale(asked: Asked<'_>, view: &SalePage) -> String {
    let lang = asked.lang;
    let sections = |ids: &[&str]| {
        html! { @for id in ids { @for (_, name, drawn) in SECTIONS.iter().filter(|(of, ..)| of == id) {
            section.card id=(id) { (content(lang, view, *name, *drawn)) }
        } } }
    };
    let live = format!(
        "{}/live?lang={}",
        sale_path("/console", &view.sale.key),
        lang.tag()
    );
    let body = html! {
        (offline(lang))
        section.salehead id=(HEAD) data-live=(live) { (header(lang, view)) }
        div.saleparts {
            div {
                div id=(RING) { (ring::large(lang, &view.sale)) }
                nav.tabs aria-label=(lang.say(("章节", "Sections"))) {
                    @for (id, name, _) in SECTIONS { a href={ "#" (id) } { (lang.say(name)) } }
                }
                (sections(&["timeline", "sequence", "messages"]))
            }
            div { (sections(&["remedy", "ledger", "evidence", "receipt", "people"])) }
        }
        (sections(&["audit"]))
    };
    page(asked, ("交易", "Sale"), Some("live.js"), &body)
}

/// The ids of what stands above the sections.
const HEAD: &str = "salehead";
const RING: &str = "loop";

/// The parts that change, by the id of their element.
pub fn parts(lang: Lang, view: &SalePage, as_of: &str) -> Vec<(&'static str, String)> {
    let sections =
        SECTIONS.map(|(id, name, drawn)| (id, content(lang, view, name, drawn).into_string()));
    let above = [
        ("as-of", as_of.to_owned()),
        (HEAD, header(lang, view).into_string()),
        (RING, ring::large(lang, &view.sale).into_string()),
    ];
    above.into_iter().chain(sections).collect()
}

/// What stands in a section.
fn content(lang: Lang, view: &SalePage, name: Words, drawn: Drawn) -> Markup {
    html! { h2 { (lang.say(name)) } (drawn(lang, view)) }
}

fn header(lang: Lang, view: &SalePage) -> Markup {
    let sale = &view.sale;
    html! {
        p.salefacts {
            span.amount { (sale.amount(lang)) } " "
            (chip::outcome(lang, sale)) " " (chip::receipt(lang, sale))
            span.second { (lang.pick(&sale.kind)) " · " (view.merchant) " · " (sale.key) " · RRN " (sale.rrn) " · " (sale.card()) }
        }
        h1 { (lang.pick(&sale.headline)) }
        p { (lang.pick(sale.line(Audience::Operator))) }
        dl.facts.across {
            div { dt { (lang.say(("钱在哪里", "Where the money is"))) } dd { (lang.pick(&sale.position)) } }
            div { dt { (lang.say(("下一步", "Next"))) } dd { (lang.pick(&sale.owner)) } }
            div { dt { (lang.say(("时限", "Clock"))) } dd { (clock(lang, view)) } }
            div { dt { (lang.say(("货物", "Goods"))) } dd { (lang.pick(&sale.goods)) } }
            div { dt { (lang.say(("收到请求", "Received"))) } dd { (sale.received) } }
        }
    }
}

fn clock(lang: Lang, view: &SalePage) -> Markup {
    html! {
        @match (&view.sale.due, view.left_ms) {
            (Some(due), Some(left)) => {
                (due) " "
                span.second { (if left < 0 {
                    lang.either(html! { "（已超 " (duration(lang, left.unsigned_abs())) "）" }, html! { "(" (duration(lang, left.unsigned_abs())) " over)" })
                } else {
                    lang.either(html! { "（还剩 " (duration(lang, left.unsigned_abs())) "）" }, html! { "(" (duration(lang, left.unsigned_abs())) " left)" })
                }) }
            }
            _ => (lang.say(("无", "none"))),
        }
    }
}

fn evidence(lang: Lang, view: &SalePage) -> Markup {
    html! {
        p.second.small { (lang.say(("由强到弱。", "Strongest first."))) }
        ol.evidence {
            @for line in &view.sale.evidence {
                li { span.second { (lang.say(("前置账本", "acquirer's journal"))) } " " (lang.pick(line)) }
            }
            @for proof in &view.proofs {
                li { span.second { (lang.say(proof.source)) } " " (lang.pick(&proof.text)) }
            }
        }
    }
}

fn receipt(lang: Lang, view: &SalePage) -> Markup {
    let sale = &view.sale;
    html! {
        dl.facts {
            dt { (lang.say(("小票", "Slip"))) } dd { (lang.pick(&sale.slip)) }
            @for (name, value) in &view.slip { dt { (lang.say(*name)) } dd { (value) } }
            dt { (lang.say(("电子小票", "E-slip"))) } dd { @match &sale.link { Some(link) => code { (link) }, None => (lang.say(("没有", "none"))) } }
        }
        @if view.slip_picture {
            img.slip src={ "/console/sale/" (sale.key) "/slip.svg" } alt=(lang.say(("小票的样子", "what the slip looks like"))) loading="lazy";
        } @else {
            p.second.small { (lang.say(("没有小票的图样：这笔交易没有签购单。", "There is no picture: this sale has no slip."))) }
        }
    }
}

fn people(lang: Lang, view: &SalePage) -> Markup {
    let declared = view.declared;
    let said = [
        (
            declared.paid_cash,
            ("持卡人：我另付了现金", "The cardholder: I paid cash too"),
        ),
        (
            declared.not_me,
            ("持卡人：这不是我付的", "The cardholder: this was not me"),
        ),
    ];
    html! {
        @if declared == Declarations::default() { p { (lang.say(("没有人声明过什么。", "Nobody has declared anything."))) } }
        ul.plain { @for (at, words) in said { @if let Some(at) = at { li { b { (lang.say(words)) } " " time { (at.text()) } } } } }
        p.second { (lang.say((
            "联系方式只在经本人同意后、为发送电子小票而保存，送达即删除。",
            "Contacts are kept only with consent, to send an e-slip, and deleted once it has arrived.",
        ))) }
    }
}

fn audit(lang: Lang, view: &SalePage) -> Markup {
    html! {
        p.second.small { (lang.say((
            "账本中关于这笔交易的每一条记录；行号可用 counterfoil verify 核对。",
            "Every record of the journal about this sale; counterfoil verify checks the rows.",
        ))) }
        div.scroll { table {
            thead { tr {
                th { (lang.say(("账本行", "Journal row"))) } th { (lang.say(("时间（北京）", "China time"))) }
                th { (lang.say(("发生了什么", "What happened"))) } th { (lang.say(("细节", "Detail"))) }
            } }
            tbody { @for row in &view.audit {
                tr {
                    td { (row.place.0) "." (row.place.1) } td { (row.at) } td { (lang.say(row.what)) }
                    td { @if let Some(detail) = &row.detail { code { (detail) } } }
                }
            } }
        } }
    }
}
