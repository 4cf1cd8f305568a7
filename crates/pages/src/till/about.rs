//! Transactions about an earlier one, every other kind, and the till's own business: sign-on, settlement, shift.

use super::{Door, TillView, press, side_page};
use crate::language::Lang;
use maud::{Markup, html};

/// A kind by the name that a form sends, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindName {
    /// `pre-auth-void`.
    pub name: String,
    /// Its words.
    pub words: crate::Words,
    /// It is about an earlier transaction.
    pub about: bool,
    /// A code is scanned.
    pub scanned: bool,
}

/// What may be ordered about one sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutKind {
    /// The kind.
    pub kind: KindName,
    /// A part of it may be named.
    pub partial: bool,
}

/// The forms below a sale that was picked.
pub(super) fn forms(lang: Lang, view: &TillView, door: &Door) -> Markup {
    let Some(sale) = &view.sale else {
        return html! {};
    };
    let trace = sale.key.rsplit('/').next().unwrap_or_default();
    html! {
        @for about in &view.about {
            form.row.about method="post" action="/order" {
                (door.fields())
                input type="hidden" name="original" value=(trace);
                input type="hidden" name="kind" value=(about.kind.name);
                @if about.partial {
                    label for={ "part-" (about.kind.name) } { (lang.say(("金额（留空为全部）", "Amount (empty: all of it)"))) }
                    input id={ "part-" (about.kind.name) } name="amount" inputmode="decimal" maxlength="11";
                }
                button { (lang.say(about.kind.words)) }
            }
        }
    }
}

/// Every kind that can be ordered, and the till's own business.
pub fn page(lang: Lang, kinds: &[KindName], cards: &[String], door: &Door, as_of: &str) -> String {
    let business = [
        ("settle", ("批结算", "Settle the batch")),
        ("shift", ("交接班", "Close the shift")),
        ("signon", ("签到", "Sign on")),
        ("signoff", ("签退", "Sign off")),
        ("echo", ("回响测试", "Echo test")),
        ("printing-on", ("开启凭条打印", "Print slips")),
        ("printing-off", ("关闭凭条打印", "Do not print slips")),
        (
            "resume",
            ("故障已排除，继续打印", "The jam is removed: go on"),
        ),
        (
            "clear",
            ("清空打印机后重打印", "Clear the printer and reprint"),
        ),
    ];
    let body = html! {
        section.card {
            h1 { (lang.say(("更多交易", "More transactions"))) }
            form.order method="post" action="/order" {
                (door.fields())
                label for="kind" { (lang.say(("交易种类", "Kind"))) }
                select id="kind" name="kind" required {
                    @for kind in kinds {
                        option value=(kind.name) { (lang.say(kind.words)) @if kind.about { (lang.say(("（需原交易）", " (about an earlier one)"))) } }
                    }
                }
                label for="order-amount" { (lang.say(("金额", "Amount"))) }
                input id="order-amount" name="amount" inputmode="decimal" maxlength="11";
                label for="original" { (lang.say(("原交易：凭证号，或 12 位参考号", "Earlier transaction: trace number, or the 12-character reference"))) }
                input id="original" name="original" maxlength="12";
                @if !cards.is_empty() {
                    label for="order-card" { (lang.say(("沙箱测试卡", "Sandbox test card"))) }
                    select id="order-card" name="card" {
                        option value="" { (lang.say(("原交易的卡", "that of the earlier transaction"))) }
                        @for card in cards { option value=(card) { (card) } }
                    }
                }
                label for="to" { (lang.say(("转入卡：测试卡名或卡号", "Receiving card: name of a test card, or a number"))) }
                input id="to" name="to" maxlength="19" autocomplete="off";
                label for="order-code" { (lang.say(("付款码", "Payment code"))) }
                input id="order-code" name="code" inputmode="numeric" maxlength="24";
                button.main { (lang.say(("提交", "Submit"))) }
            }
        }
        section.card {
            h2 { (lang.say(("本机", "This till"))) }
            div.row { @for (order, words) in business { (press(lang, door, order, None, words, "", None)) } }
        }
    };
    side_page(
        lang,
        ("更多交易", "More transactions"),
        "/more",
        Some(as_of),
        &body,
    )
}
