//! The fault lab: choose what breaks, charge, and watch what everybody sees until the loop is closed.

use crate::chip::{Tone, chip};
use crate::frame::{Area, Frame, Place};
use crate::language::Lang;
use crate::merchant::today::signed;
use crate::ring;
use crate::sale::{Audience, SaleView};
use crate::verdict_card::verdict_card;
use maud::{Markup, html};
use payment::evidence::Loop;
use serde::Serialize;

/// What can be broken together stands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A hop of the loop.
    Hop,
    /// The receipt printer.
    Printer,
    /// A clock.
    Clock,
}

impl Part {
    const ALL: [(Self, (&'static str, &'static str)); 3] = [
        (Self::Hop, ("环节", "Hops")),
        (Self::Printer, ("打印机", "Printer")),
        (Self::Clock, ("时钟", "Clock")),
    ];
}

/// A fault that can be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// Its name.
    pub id: &'static str,
    /// What it breaks.
    pub part: Part,
    /// What happens, zh-CN and en.
    pub words: (&'static str, &'static str),
    /// It was chosen last.
    pub chosen: bool,
}

/// An account of the world, before the charge and now, in minor units.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Whose, zh-CN and en.
    pub name: (&'static str, &'static str),
    /// Before.
    pub before_minor: i64,
    /// Now.
    pub now_minor: i64,
}

/// A webhook that the lab's own receiver was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    /// The event's id: the same when it comes again.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub at: String,
    /// Where it was posted.
    pub to: String,
    /// How often it has come by then.
    pub attempt: u32,
    /// Its signature is right.
    pub verified: bool,
    /// The loop as the acquirer knew it when this came.
    pub beads: Option<Loop>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It waits for its turn: a story of the demo is on the stage.
    Waiting,
    /// The loop is open.
    Open,
    /// The loop is closed.
    Closed,
    /// It could not be done; `problem` says why.
    Failed,
}

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Its number since the start.
    pub number: u64,
    /// The faults that were armed.
    pub faults: Vec<&'static str>,
    /// How far it is.
    pub phase: Phase,
    /// Milliseconds since the charge.
    pub elapsed_ms: u64,
    /// What the acquirer knows of the sale.
    pub sale: Option<SaleView>,
    /// The books.
    pub accounts: Vec<Account>,
    /// Messages of the bank to the cardholder, zh-CN and en.
    pub notices: Vec<(String, String)>,
    /// Webhooks about it, oldest first.
    pub webhooks: Vec<Webhook>,
    /// What came out on paper since, as text.
    pub paper: Vec<String>,
    /// Why it could not be done, zh-CN and en.
    pub problem: Option<(String, String)>,
}

/// The lab.
#[derive(Clone, Debug, Serialize)]
pub struct LabView {
    /// What can be broken.
    pub choices: Vec<Choice>,
    /// The amount offered, in minor units.
    pub amount_minor: u64,
    /// The printer's state, zh-CN and en.
    pub printer: (String, String),
    /// The last run.
    pub run: Option<Run>,
    /// Where else to look, by address and name: till, cardholder's page, console.
    pub links: Vec<(String, (&'static str, &'static str))>,
    /// China time.
    pub as_of: String,
}

/// The page.
pub fn page(lang: Lang, view: &LabView) -> String {
    let places: Vec<Place> = Vec::new();
    let frame = Frame {
        lang,
        area: Area::Lab,
        title: ("故障实验室", "Fault lab"),
        path: "/lab",
        places: &places,
        script: Some("live.js"),
        as_of: Some(&view.as_of),
    };
    let head = html! { p.second { (lang.say(("沙箱：没有真钱", "Sandbox: no real money"))) } };
    frame.page(&head, &body(lang, view))
}

fn body(lang: Lang, view: &LabView) -> Markup {
    html! {
        div.bench data-live="/lab/events" {
            div { (palette(lang, view)) (elsewhere(lang, view)) }
            div id="run" { (run(lang, view)) }
        }
    }
}

fn palette(lang: Lang, view: &LabView) -> Markup {
    html! {
        section.card {
            h1 { (lang.say(("弄坏它，看它自己好", "Break it, and watch it heal"))) }
            p.said { (lang.say((
                "勾选要坏的地方，收一笔款。每个人看到的都在右边，直到环路闭合。",
                "Tick what shall break and charge. What everybody sees is beside it, until the loop is closed.",
            ))) }
            form method="post" action="/lab/run" {
                @for (part, name) in Part::ALL {
                    fieldset {
                        legend { (lang.say(name)) }
                        @for choice in view.choices.iter().filter(|choice| choice.part == part) {
                            label.choice {
                                input type="checkbox" name="fault" value=(choice.id) checked[choice.chosen];
                                b { (choice.id) } span { (lang.say(choice.words)) }
                            }
                        }
                    }
                }
                label for="amount" { (lang.say(("金额（元）", "Amount (yuan)"))) }
                input id="amount" name="amount" inputmode="decimal" required
                    value={ (view.amount_minor / 100) "." (format!("{:02}", view.amount_minor % 100)) };
                div.row {
                    button.main { (lang.say(("刷卡收款", "Charge"))) }
                    button formaction="/lab/heal" formnovalidate { (lang.say(("全部修好", "Mend everything"))) }
                }
            }
        }
    }
}

fn elsewhere(lang: Lang, view: &LabView) -> Markup {
    html! {
        section.card {
            h2 { (lang.say(("同一时刻，别处看到的", "The same moment, elsewhere"))) }
            ul.plain { @for (address, name) in &view.links { li { a href=(address) target="_blank" rel="noopener" { (lang.say(*name)) } } } }
        }
    }
}

/// What is live: the run, or how to begin.
pub fn run(lang: Lang, view: &LabView) -> Markup {
    let Some(run) = &view.run else {
        return html! {
            section.card {
                h2 { (lang.say(("还没有收款", "Nothing was charged yet"))) }
                p { (lang.say((
                    "试试 F2：发卡行扣了款、发了短信，应答却丢了。",
                    "Try F2: the bank debits and sends its SMS, and its answer is lost.",
                ))) }
            }
        };
    };
    html! {
        p.second {
            (lang.either(format!("第 {} 次 · ", run.number), format!("Run {} · ", run.number)))
            @if run.faults.is_empty() { (lang.say(("什么都没坏", "nothing broken"))) } @else { (run.faults.join(" + ")) }
            " · " (phase(lang, run)) " · " (lang.say(("打印机：", "printer: "))) (lang.pick(&view.printer))
        }
        @if let Some(problem) = &run.problem { section.card { p { (lang.pick(problem)) } } }
        @if let Some(sale) = &run.sale {
            (verdict_card(lang, sale, Audience::Operator))
            (ring::large(lang, sale))
            (everybody(lang, sale))
        }
        @if !run.notices.is_empty() { (notices(lang, run)) }
        @if !run.accounts.is_empty() { (accounts(lang, run)) }
        @if !run.webhooks.is_empty() { (webhooks(lang, &run.webhooks)) }
        @if !run.paper.is_empty() { (paper(lang, run)) }
        @if run.phase == Phase::Closed {
            p { a.button href="/lab/experiment.toml" download="experiment.toml" { (lang.say(("导出为测试", "Export as a test"))) }
                " " code { "counterfoil sim --experiment experiment.toml" } }
        }
    }
}

fn phase(lang: Lang, run: &Run) -> Markup {
    let seconds = format!(
        "{}.{} s",
        run.elapsed_ms / 1_000,
        run.elapsed_ms % 1_000 / 100
    );
    match run.phase {
        Phase::Waiting => {
            html! { (lang.say(("等演示的故事让出舞台", "waiting for a story of the demo to leave the stage"))) }
        }
        Phase::Open => lang.either(
            format!("环路未闭合，{seconds}"),
            format!("open for {seconds}"),
        ),
        Phase::Closed => lang.either(
            format!("{seconds} 后闭合"),
            format!("closed after {seconds}"),
        ),
        Phase::Failed => html! { (lang.say(("没有做成", "could not be done"))) },
    }
}

fn everybody(lang: Lang, sale: &SaleView) -> Markup {
    let rows = [
        (Audience::Cashier, ("收银员", "Cashier")),
        (Audience::Merchant, ("商户", "Merchant")),
        (Audience::Cardholder, ("持卡人", "Cardholder")),
    ];
    html! {
        section.card {
            h2 { (lang.say(("每个人看到的", "What everybody sees"))) }
            dl.facts { @for (audience, name) in rows { dt { (lang.say(name)) } dd { (lang.pick(sale.line(audience))) } } }
        }
    }
}

fn notices(lang: Lang, run: &Run) -> Markup {
    html! {
        section.card {
            h2 { (lang.say(("银行短信", "The bank's messages"))) }
            ul.plain { @for notice in &run.notices { li { "✉ " (lang.pick(notice)) } } }
        }
    }
}

fn accounts(lang: Lang, run: &Run) -> Markup {
    html! {
        section.card {
            h2 { (lang.say(("账务", "The books"))) }
            div.scroll { table {
                thead { tr {
                    th { (lang.say(("账户", "Account"))) }
                    th.number { (lang.say(("之前", "Before"))) }
                    th.number { (lang.say(("现在", "Now"))) }
                    th.number { (lang.say(("变动", "Change"))) }
                } }
                tbody { @for account in &run.accounts { tr {
                    td { (lang.say(account.name)) }
                    td.number { (signed(account.before_minor)) }
                    td.number { (signed(account.now_minor)) }
                    td.number { b { (signed(account.now_minor - account.before_minor)) } }
                } } }
            } }
        }
    }
}

fn webhooks(lang: Lang, sent: &[Webhook]) -> Markup {
    let to = sent.first().map_or("", |first| first.to.as_str());
    html! {
        section.card {
            h2 { (lang.say(("回调通知", "Webhooks"))) }
            p.second.small { (lang.say(("发往 ", "posted to "))) code { (to) } (lang.say(("；签名由接收方核验，环路是送达那一刻的。", "; the receiver checks the signature, and the loop is as it stood then."))) }
            div.scroll { table {
                thead { tr {
                    th { (lang.say(("事件", "Event"))) }
                    th { (lang.say(("环路", "Loop"))) }
                    th.number { (lang.say(("第几次", "Attempt"))) }
                    th { (lang.say(("签名", "Signature"))) }
                } }
                tbody { @for webhook in sent { tr {
                    td { code { (webhook.kind) } br; span.second.small { (webhook.id) " · " (webhook.at) } }
                    td { @if let Some(beads) = &webhook.beads { (ring::dots(beads)) } @else { "–" } }
                    td.number { (webhook.attempt) }
                    td { @if webhook.verified { (chip(Tone::Closed, lang.say(("已核验", "verified")))) } @else { (chip(Tone::Stop, lang.say(("不对", "wrong")))) } }
                } } }
            } }
        }
    }
}

fn paper(lang: Lang, run: &Run) -> Markup {
    html! {
        section.card {
            h2 { (lang.say(("纸上", "On paper"))) }
            div.papers { @for slip in &run.paper { pre.paper { (slip) } } }
        }
    }
}
