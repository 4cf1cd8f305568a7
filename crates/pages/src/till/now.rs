//! The sale that is shown: its verdict with what may be done, how long the open step takes, its loop and the step it is in.

use super::{Action, Door, TillView, press};
use crate::language::Lang;
use crate::ring;
use crate::sale::{Audience, SaleView};
use crate::verdict_card::verdict_card;
use maud::{Markup, html};
use payment::evidence::Bead;
use payment::verdict::{Goods, Outcome};

/// How long an open step may still take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What is waited for.
    pub words: super::Said,
    /// When the wait began, milliseconds since the epoch.
    pub since_ms: i64,
    /// When it ends.
    pub due_ms: i64,
    /// When this was looked at.
    pub now_ms: i64,
}

/// One of the five steps of a sale (product reference A3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The customer pays: card, code or chip is read.
    Presented,
    /// The request leaves.
    Sent,
    /// Acquirer, network and issuer work on it.
    Processed,
    /// The result comes back.
    Answered,
    /// The slip is printed.
    Printed,
}

impl Step {
    const ALL: [(Self, crate::Words); 5] = [
        (Self::Presented, ("顾客付款", "Presented")),
        (Self::Sent, ("送出请求", "Sent")),
        (Self::Processed, ("交易处理", "Processed")),
        (Self::Answered, ("返回结果", "Answered")),
        (Self::Printed, ("打印小票", "Printed")),
    ];

    /// The step that a sale is in or stopped in, as far as its till knows.
    pub fn of(sale: &SaleView) -> Self {
        let [sent, .., back, _] = sale.beads;
        match (sale.outcome, back) {
            _ if sent != Bead::Closed => Self::Sent,
            (Outcome::Unknown, Bead::NotReached) => Self::Processed,
            (Outcome::Approved, Bead::Closed) if sale.goods_id == Goods::Hold => Self::Answered,
            (Outcome::Approved | Outcome::Unknown, Bead::Closed) => Self::Printed,
            (Outcome::Reversing | Outcome::ReversalRefused, _) => Self::Processed,
            _ => Self::Answered,
        }
    }
}

/// The verdict and at most two buttons.
pub(super) fn verdict(lang: Lang, view: &TillView, door: &Door) -> Markup {
    let Some(sale) = &view.sale else {
        return html! {
            section.verdict.quiet {
                h1.headline { (lang.say(("输入金额，选择付款方式", "Enter the amount, choose how to pay"))) }
                p.said { (lang.say(("结果会显示在这里：交货、稍候，或勿交货。", "The result stands here: deliver, wait, or do not deliver."))) }
            }
        };
    };
    html! {
        (verdict_card(lang, sale, Audience::Cashier))
        @if !view.actions.is_empty() {
            div.row.actions {
                @for (n, action) in view.actions.iter().take(2).enumerate() { (button(lang, door, action, n == 0)) }
            }
        }
        @if view.picked {
            p.row {
                a.button href="/" { (lang.say(("回到当前交易", "Back to the present sale"))) }
            }
        }
    }
}

fn button(lang: Lang, door: &Door, action: &Action, first: bool) -> Markup {
    let class = if first { "main" } else { "" };
    let one = |order: &str, about: Option<&str>, words| {
        press(lang, door, order, about, words, class, None)
    };
    match action {
        Action::Recover => one("flush", None, ("找回结果", "Recover the result")),
        Action::Withdraw => one("withdraw", None, ("立即冲正", "Reverse now")),
        Action::Reprint(trace) => one("reprint", Some(&trace.to_string()), ("补打小票", "Reprint")),
        Action::ESlip(trace) => one(
            "eslip",
            Some(&trace.to_string()),
            ("发送电子小票", "Send the e-slip"),
        ),
        Action::CashInstead { sale, amount } => html! {
            form method="post" action="/cash" {
                (door.fields())
                input type="hidden" name="instead" value=(sale);
                input type="hidden" name="amount" value=(amount);
                button class=(class) { (lang.say(("现金收款（自动关联）", "Take cash (linked)"))) }
            }
        },
    }
}

/// The countdown as a bar and in words; apart from the verdict, so that nothing is read aloud again every second.
pub(super) fn clock(lang: Lang, view: &TillView, _: &Door) -> Markup {
    let Some(clock) = &view.clock else {
        return html! {};
    };
    let whole = (clock.due_ms - clock.since_ms).max(1);
    let passed = (clock.now_ms - clock.since_ms).clamp(0, whole);
    let left = (clock.due_ms - clock.now_ms + 999).max(0) / 1_000;
    html! {
        div.clock {
            progress max=(whole) value=(passed) aria-label=(lang.pick(&clock.words)) {}
            p.second { (lang.pick(&clock.words)) " " time data-due=(clock.due_ms) { (left) " s" } }
        }
    }
}

/// The loop, large, and the step in words.
pub(super) fn ring(lang: Lang, view: &TillView, door: &Door) -> Markup {
    let Some(sale) = &view.sale else {
        return html! {
            h2 { (lang.say(("这笔交易走到哪里了", "How far the sale is"))) }
            p.second { (lang.say(("还没有交易。开始收款后，这里画出它走过的每一段。", "No sale yet. Each hop is drawn here once one begins."))) }
        };
    };
    let trace = sale.key.rsplit('/').next().unwrap_or_default();
    let kind = lang.pick(&sale.kind);
    html! {
        h2 { (lang.say(("这笔交易走到哪里了", "How far the sale is"))) }
        p.second {
            (kind) " " b { (sale.amount(lang)) } " · "
            (lang.say(("凭证号", "trace"))) " " (trace) " · " (sale.card()) " · " (sale.received)
        }
        (ring::large(lang, sale))
        (caption(lang, sale))
        @if view.picked { (super::about::forms(lang, view, door)) }
    }
}

/// The five steps, the present one marked, and what it means.
fn caption(lang: Lang, sale: &SaleView) -> Markup {
    let at = Step::of(sale);
    html! {
        ol.steps {
            @for (step, words) in Step::ALL {
                li class=(if step < at { "past" } else if step == at { "present" } else { "ahead" }) aria-current=[(step == at).then_some("step")] {
                    (lang.say(words))
                }
            }
        }
        p.caption { (lang.say(meaning(sale, at))) }
    }
}

fn meaning(sale: &SaleView, at: Step) -> crate::Words {
    let slip = sale.beads[7];
    match (at, sale.outcome) {
        (Step::Presented | Step::Sent, Outcome::Declined) => (
            "没有连上主机，请求没有发出，没有扣款。",
            "No connection: the request never left, nothing was debited.",
        ),
        (Step::Presented | Step::Sent, _) => ("请求正在送出。", "The request is leaving."),
        (Step::Processed, Outcome::Unknown) => (
            "请求已送出，正在等银行的结果。",
            "The request has left; the bank's result is awaited.",
        ),
        (Step::Processed, _) => (
            "请求已送出，之后没有可靠的结果；银行是否记账，收银台还不知道。系统正在自动冲正。",
            "The request left and no reliable result came back; debited or not, this till does not know. It is being reversed.",
        ),
        (Step::Answered, Outcome::Unknown) => (
            "没有收到应答，正在向收单机构找回结果。",
            "No answer came; the acquirer is being asked for the result.",
        ),
        (Step::Answered, Outcome::Approved) => (
            "结果已找回：银行同意。正等收银员回答商品是否已经交出。",
            "The result was found: approved. The cashier must say whether the goods were handed over.",
        ),
        (Step::Answered, Outcome::Declined) => (
            "结果已返回：没有成功，没有扣款。",
            "The result came back: not successful, nothing was debited.",
        ),
        (Step::Answered, Outcome::Reversed) => (
            "回路在返回途中断开，已经冲正；这笔交易不再有效。",
            "The loop broke and was reversed; this sale does not stand.",
        ),
        (Step::Answered, _) => (
            "回路没有闭合，已交给收单机构处理。",
            "The loop did not close; the acquirer takes it from here.",
        ),
        (Step::Printed, _) if slip == Bead::Closed => (
            "回路闭合：结果已返回，小票已打印。",
            "The loop is closed: the result is here and the slip is printed.",
        ),
        (Step::Printed, _) => (
            "结果已返回，款项有效；小票还没有确认印出。",
            "The result is here and the sale stands; the slip is not confirmed on paper.",
        ),
    }
}
