//! The six steps at the counter (product reference A4): goods, amount, tender, card with its PIN, the wait with the loop, the
//! slip. By finger on a phone, by mouse, and by keyboard alone.

use super::chromium::{Browser, Pointer};
use super::in_browser;
use crate::shop::Shop;
use counterfoil::fault::{Act, Direction, Fault};
use std::time::Duration;

#[test]
fn six_steps_by_finger_by_mouse_and_by_keys() {
    in_browser(async |shop, browser| {
        browser.goto(&shop.till("/")).await;
        browser.touch_screen(true).await;
        browser.size(360, 800).await;
        six_steps(shop, browser, Pointer::Finger).await;
        browser.touch_screen(false).await;
        browser.size(1_440, 900).await;
        six_steps(shop, browser, Pointer::Mouse).await;
        keys_alone(shop, browser).await;
        languages(shop, browser).await;
    });
}

async fn six_steps(shop: &Shop, browser: &Browser, pointer: Pointer) {
    let papers = shop.papers().len();
    // The answer takes its time, within everybody's, so that the wait is to be seen.
    shop.world.upstream.plan(Fault {
        mti: Some(0x0210),
        direction: Direction::Back,
        act: Act::Delay(Duration::from_millis(1_300)),
        times: 1,
    });

    // 1 Goods.
    browser.touch(pointer, ".basket details summary").await;
    browser
        .touch(pointer, ".goods button[value='6901234567908']")
        .await;
    browser
        .until(".basket tfoot", |text| text.contains("12.80"))
        .await;
    // 2 Amount: the basket's.
    let typed = "return document.getElementById('amount').value";
    assert_eq!(browser.run(typed).await, "12.80");
    // 3 Tender and 4 card: the sandbox lends the card, whose holder enters its PIN.
    assert_eq!(
        browser
            .run("return document.getElementById('card').value")
            .await,
        "debit"
    );
    browser.touch(pointer, "button[value=swipe]").await;
    // 5 The wait, with the loop and the time that is left.
    browser
        .until("#verdict .headline", |text| {
            text == "正在确认，请勿再次刷卡"
        })
        .await;
    browser
        .until("#verdict .goods", |text| text == "稍候")
        .await;
    let drawn = "return document.querySelector('#loop svg').textContent.includes('…')";
    assert_eq!(browser.run(drawn).await, true, "where the loop is now");
    browser.until("#clock", |text| text.contains("至多")).await;
    // 6 The slip: on paper before it is called printed. No reload: the page follows by itself.
    browser.watch("#verdict .headline").await;
    browser
        .until("#verdict .goods", |text| text == "交货")
        .await;
    browser
        .until("#verdict", |text| text.contains("已打印"))
        .await;
    assert_eq!(browser.seen().await.last().expect("words"), "交易成功");
    assert_eq!(
        shop.papers().len(),
        papers + 2,
        "merchant's and cardholder's copy"
    );
    browser.goto(&shop.till("/")).await;
    assert_eq!(browser.run(typed).await, "", "the basket is paid and empty");
}

/// Digits, Enter and function keys; F2 prints the last slip again, marked.
async fn keys_alone(shop: &Shop, browser: &Browser) {
    browser.goto(&shop.till("/")).await;
    browser.press("36.50\u{E007}").await;
    browser
        .until("#verdict", |text| {
            text.contains("交易成功") && text.contains("交货") && text.contains("已打印")
        })
        .await;
    let papers = shop.papers();
    assert!(!papers.last().expect("a slip").contains("重打印"));
    browser.press("\u{E032}").await;
    shop.until("the reprint", || shop.papers().len() > papers.len());
    let reprint = shop.papers().pop().expect("a slip");
    assert!(
        reprint.contains("重打印") && reprint.contains("36.50"),
        "{reprint}"
    );
    // No key cancels money.
    browser.press("\u{E00C}").await;
    browser
        .until("#verdict .headline", |text| text == "交易成功")
        .await;
}

/// One press changes the language; it stays until the next.
async fn languages(shop: &Shop, browser: &Browser) {
    let spoken = "return document.documentElement.lang";
    browser.goto(&shop.till("/")).await;
    assert_eq!(browser.run(spoken).await, "zh-CN");
    browser.click(".languages a[hreflang=en]").await;
    browser
        .until("#verdict .headline", |text| text == "Paid")
        .await;
    browser.goto(&shop.till("/")).await;
    assert_eq!(browser.run(spoken).await, "en");
    browser
        .until("label[for=amount]", |text| text == "Amount")
        .await;
    browser.click(".languages a[hreflang=zh-CN]").await;
    browser
        .until("#verdict .headline", |text| text == "交易成功")
        .await;
}
