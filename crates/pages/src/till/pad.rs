//! The amount and how it is paid: one form, which needs no script.

use super::{Door, TillView};
use crate::language::Lang;
use maud::{Markup, html};

/// The keys, row by row.
const KEYS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "00"];

/// The amount after a key, for a page without script; a key that makes no amount changes nothing.
pub fn typed(amount: &str, key: &str) -> String {
    if key == "back" {
        let mut shorter = amount.to_owned();
        shorter.pop();
        return shorter;
    }
    let longer = match (amount, key) {
        ("" | "0", "00") => "0".to_owned(),
        ("0", digit) if digit != "." => digit.to_owned(),
        ("", ".") => "0.".to_owned(),
        _ => format!("{amount}{key}"),
    };
    match is_amount(&longer) && KEYS.contains(&key) {
        true => longer,
        false => amount.to_owned(),
    }
}

/// Up to eight digits and two decimals, as far as they are typed.
pub fn is_amount(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (1..=8).contains(&whole.len()) && decimals.len() <= 2 && digits(whole) && digits(decimals)
}

pub(super) fn form(lang: Lang, view: &TillView, door: &Door) -> Markup {
    let tile = |tender: &str, words, class: &str| {
        html! { button class={ "tile " (class) } name="tender" value=(tender) { (lang.say(words)) } }
    };
    html! {
        form.pad id="pad" method="post" action="/charge" autocomplete="off" {
            (door.fields())
            // Enter charges: the first button of a form is what it presses.
            button.default name="tender" value="enter" tabindex="-1" aria-hidden="true" {}
            label for="amount" { (lang.say(("应收金额", "Amount"))) }
            div.sum {
                span aria-hidden="true" { "¥" }
                input id="amount" name="amount" inputmode="decimal" pattern="[0-9]{1,8}(\\.[0-9]{0,2})?" maxlength="11" value=(view.amount) placeholder="0.00" required autofocus;
                button.back name="key" value="back" formaction="/key" formnovalidate aria-label=(lang.say(("删一位", "Delete a digit"))) { "⌫" }
            }
            div.keys role="group" aria-label=(lang.say(("数字键", "Digits"))) {
                @for key in KEYS { button name="key" value=(key) formaction="/key" formnovalidate { (key) } }
            }
            @if !view.cards.is_empty() {
                div.shown-card {
                    label for="card" { (lang.say(("沙箱测试卡", "Sandbox test card"))) }
                    select id="card" name="card" {
                        @for card in &view.cards { option value=(card) { (card) } }
                    }
                }
            }
            div.tiles.three {
                (tile("swipe", ("刷卡", "Swipe"), "main"))
                (tile("insert", ("插卡", "Insert"), ""))
                (tile("tap", ("挥卡", "Tap"), ""))
            }
            div.scan {
                label for="code-shown" { (lang.say(("顾客的付款码（扫入；留空则由顾客扫我）", "The customer's payment code (scan it; empty: the customer scans ours)"))) }
                div.row {
                    input id="code-shown" name="code" inputmode="numeric" maxlength="24";
                    (tile("code", ("扫码", "Scan"), ""))
                }
            }
            div.tiles {
                (tile("cash", ("现金", "Cash"), ""))
                (tile("pre-auth", ("预授权", "Pre-authorise"), ""))
                button.tile name="tender" value="balance-inquiry" formnovalidate { (lang.say(("余额查询", "Balance"))) }
                a.button.tile href="/more" { (lang.say(("更多…", "More…"))) }
            }
        }
    }
}
