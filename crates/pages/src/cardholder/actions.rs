//! What the cardholder can do: words for the bank, a message with the link, two statements. None of them needs a script.
//!
//! Invariant: a statement is sent only by a button that says so, and says that it moves no money.

use super::{MoneyView, day, notice};
use crate::language::{Lang, Words};
use maud::{Markup, html};
use payment::kind::Rail;
use payment::verdict::{Family, Outcome};
use payment::{Certificate, Statement};

/// The list.
pub(super) fn actions(lang: Lang, view: &MoneyView) -> Markup {
    html! {
        section.actions.screen {
            h2 { (lang.say(("您可以", "What you can do"))) }
            details.act {
                summary.main data-copy="words" data-done=(lang.say(("已复制，可以粘贴给银行", "Copied: paste it to your bank"))) {
                    (lang.say(("复制给银行的话", "Copy text for your bank")))
                }
                p.words id="words" { (words(lang, view)) }
            }
            @if view.sends { (send(lang, view)) }
            @for statement in Statement::ALL {
                @if asked(view, statement) { (declare(lang, view, statement)) }
            }
        }
    }
}

/// What a bank can look up, in one text.
pub(super) fn words(lang: Lang, view: &MoneyView) -> String {
    let (amount, last4, merchant) = (lang.amount(&view.amount), &view.last4, &view.merchant);
    let (at, headline) = (view.received.text(), lang.pick(&view.status.headline));
    let (zh_card, en_card) = match view.status.rail {
        Rail::Wallet => ("付款码", "payment code"),
        Rail::Card => ("卡", "card"),
    };
    let mut lines = vec![match lang {
        Lang::Zh => format!(
            "我的{zh_card}（末四位 {last4}）于 {at} 在“{merchant}”付款 {amount}。收单机构的说法：{headline}。"
        ),
        Lang::En => format!(
            "My {en_card} ending {last4} paid {amount} at {merchant} on {at} (China time). The acquirer says: {headline}."
        ),
    }];
    let mut say = |(zh, en): Words, value: &str| {
        lines.push(match lang {
            Lang::Zh => format!("{zh}：{value}"),
            Lang::En => format!("{en}: {value}"),
        });
    };
    say(("检索参考号", "Retrieval reference"), &view.rrn);
    say(("凭证号", "Trace number"), &format!("{:06}", view.stan));
    say(("终端号", "Terminal"), &view.terminal);
    say(("商户号", "Merchant"), &view.merchant_id);
    if let Some(code) = &view.approval {
        say(("授权码", "Approval code"), code);
    }
    if let Some(at) = view.reversed_at {
        say(
            ("发卡行确认冲正", "Reversal confirmed by the issuer"),
            &at.text(),
        );
    }
    let certificate = view.certificates.last();
    if let Some(certificate) = certificate.and_then(|s| Certificate::of_payload(&s.payload).ok()) {
        say(
            ("结果凭证", "Outcome certificate"),
            &format!("№ {}", certificate.number),
        );
    }
    lines.join("\n")
}

fn send(lang: Lang, view: &MoneyView) -> Markup {
    html! {
        details.act {
            summary { (lang.say(("通知我：把这一页发给我", "Notify me: send me this page"))) }
            form method="post" action={ (view.path) "/send" } {
                label for="to" { (lang.say(("手机号或邮箱", "Telephone number or mail address"))) }
                input id="to" name="to" type="text" inputmode="email" autocomplete="off" maxlength="120" required;
                label.consent {
                    input type="checkbox" name="consent" value="yes" required;
                    span { (lang.say((
                        "同意用它发送这一页的链接，仅此一用，送达后即删除。",
                        "Use it to send the link of this page, for nothing else, and delete it once it has arrived.",
                    ))) }
                }
                button.main { (lang.say(("发送链接", "Send the link"))) }
            }
        }
    }
}

/// Cash is a question where goods were to be paid and the card may have been charged; what was said stays to be seen.
fn asked(view: &MoneyView, statement: Statement) -> bool {
    let said = view.declared.at(statement).is_some();
    let charged = view.family == Some(Family::Sale) && view.status.outcome != Outcome::Declined;
    said || statement == Statement::NotMe || charged
}

const fn title(statement: Statement) -> Words {
    match statement {
        Statement::PaidCash => ("我另外付了现金", "I paid cash too"),
        Statement::NotMe => ("这不是我付的", "This was not me"),
    }
}

fn declare(lang: Lang, view: &MoneyView, statement: Statement) -> Markup {
    if let Some(at) = view.declared.at(statement) {
        return html! {
            p.said {
                span aria-hidden="true" { "✎ " }
                (lang.either(
                    html! { "您已声明“" (title(statement).0) "”（" (day(lang, at)) "）。" },
                    html! { "You said \u{201C}" (title(statement).1) "\u{201D} on " (day(lang, at)) "." },
                ))
                " " (lang.say(notice::after(statement)))
            }
        };
    }
    let (meaning, button) = match statement {
        Statement::PaidCash => (
            (
                "我们把这句话连同时间记下来，交给运营人员核对，防止您付两次。它不会移动任何钱，也不会改变这笔交易的结果。",
                "We keep this with its time and our staff check it, so that you do not pay twice. It moves no money and does not change the outcome.",
            ),
            ("声明：我另外付了现金", "State that I paid cash too"),
        ),
        Statement::NotMe => (
            (
                "请先打卡背面的电话，让发卡行停用这张卡。我们把您的话连同时间记下来，交给运营人员核对；它不会移动任何钱。",
                "First call the number on the back of your card and have your bank block it. We keep your words with their time for our staff; they move no money.",
            ),
            ("声明：这不是我付的", "State that this was not me"),
        ),
    };
    html! {
        details.act {
            summary { (lang.say(title(statement))) }
            form method="post" action={ (view.path) "/declare" } {
                p { (lang.say(meaning)) }
                input type="hidden" name="statement" value=(statement.name());
                button.main { (lang.say(button)) }
            }
        }
    }
}
