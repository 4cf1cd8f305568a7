//! The second swipe: a card that may have paid already is not charged again unless somebody says why, and cash in place of
//! a sale gives a late approval back by itself.

use super::chromium::Browser;
use super::in_browser;
use crate::shop::{Shop, silence};
use counterfoil::fault::{Act, Direction, Fault};
use std::time::Duration;

const HELD_BACK: &str = "请勿再次刷卡";

#[test]
fn a_second_swipe_is_held_back_and_cash_gives_a_late_approval_back() {
    in_browser(async |shop, browser| {
        choices(shop, browser).await;
        cash_link(shop, browser).await;
    });
}

/// The network's answer is lost, and so is every reversal: nobody knows, for as long as this takes.
async fn choices(shop: &Shop, browser: &Browser) {
    let upstream = &shop.world.upstream;
    upstream.plan(silence(Some(0x0420), Direction::Forth));
    upstream.plan(Fault {
        mti: Some(0x0210),
        direction: Direction::Back,
        act: Act::Drop,
        times: 1,
    });
    browser.goto(&shop.till("/")).await;
    browser.press("33.00\u{E007}").await;
    browser
        .until("#verdict .headline", |text| {
            text == "交易未完成，正在自动冲正"
        })
        .await;
    let first = newest(shop);

    // Held back, and told why. Waiting, by keyboard, puts the sheet away; the next swipe brings it again.
    swipe_again(browser).await;
    browser.keep("till-second-swipe").await;
    browser.tab_to("等待").await;
    browser
        .until("#ask", |text| !text.contains(HELD_BACK))
        .await;
    swipe_again(browser).await;
    // Asking charges nothing.
    browser.click("#ask button[value=flush]").await;
    browser
        .until("#verdict .headline", |text| {
            text == "交易未完成，正在自动冲正"
        })
        .await;
    assert_eq!(newest(shop), first, "nothing was charged meanwhile");

    // Charged all the same, with a reason that is recorded.
    swipe_again(browser).await;
    browser.click("#ask details summary").await;
    browser
        .until("#ask details", |text| text.contains("原因"))
        .await;
    browser.keep("till-charge-anyway").await;
    let choose = "const reason = document.getElementById('reason'); reason.value = 'supervisor'; return reason.value";
    assert_eq!(browser.run(choose).await, "supervisor");
    browser.click("#ask details form button").await;
    browser
        .until("#verdict", |text| {
            text.contains("交易成功") && text.contains("交货")
        })
        .await;
    let second = newest(shop);
    assert_ne!(second, first);
    upstream.heal();
    shop.until_row(first, "reversed");
    shop.until_row(second, "paid");
}

/// The card is swiped for the same amount while the first sale is open.
async fn swipe_again(browser: &Browser) {
    browser.press("33.00\u{E007}").await;
    browser
        .until("#ask", |text| {
            text.contains(HELD_BACK) && text.contains("33.00") && text.contains("还没有结果")
        })
        .await;
}

/// Unknown at first, paid in cash, approved too late: the approval goes back, and the cash stands.
async fn cash_link(shop: &Shop, browser: &Browser) {
    shop.world.upstream.plan(Fault {
        mti: Some(0x0210),
        direction: Direction::Back,
        act: Act::Delay(Duration::from_secs(8)),
        times: 1,
    });
    browser.goto(&shop.till("/")).await;
    browser.press("44.00\u{E007}").await;
    browser
        .until("#verdict", |text| text.contains("现金收款（自动关联）"))
        .await;
    let trace = newest(shop);
    let link = shop.sale(trace).and_then(|sale| sale.link).expect("a link");
    let till = browser.this_window().await;
    let cardholder = browser.window(&shop.public(&format!("/r/{link}"))).await;
    browser.until("#now h1", |text| !text.is_empty()).await;
    browser.watch("#now h1").await;
    browser.switch(&till).await;
    browser.click("#verdict form[action='/cash'] button").await;
    browser
        .until("#notice", |text| {
            text.contains("现金已收") && text.contains("44.00")
        })
        .await;
    browser
        .until("#recent", |text| {
            text.contains(&format!("现金已收 · 代替 {trace:06}"))
        })
        .await;
    browser.keep("till-cash").await;
    shop.until_row(trace, "reversed");
    browser
        .until("#recent", |text| {
            text.contains("已冲正") || text.contains("已退回")
        })
        .await;
    browser.switch(&cardholder).await;
    browser.until_seen("自动冲正成功，款项将退回原卡").await;
    let seen = browser.seen().await;
    assert_eq!(seen.len(), 2, "never paid by card: {seen:?}");
    let story = browser.text("#story").await;
    assert!(story.contains("冲正之后收到迟到的同意"), "{story}");
    browser.close_window().await;
    browser.switch(&till).await;
}

/// Trace number of the acquirer's newest sale.
fn newest(shop: &Shop) -> u32 {
    let newest = shop.json(&shop.desk("/api/v1/sales"))["items"][0]["id"].clone();
    let id = newest.as_str().expect("a sale").to_owned();
    let trace = id.rsplit('-').next().and_then(|trace| trace.parse().ok());
    trace.expect("a trace number")
}
