//! One sale in four open windows at the same time: till, cardholder's page, the console's board and its page of the sale.
//! Nobody reloads; every window says the same sentence while the loop is open and when it is closed.

use super::chromium::Browser;
use super::in_browser;
use crate::shop::{Shop, TILL, silence};
use counterfoil::fault::{Act, Direction, Fault};
use counterfoil::view::SaleView;
use fantoccini::wd::WindowHandle;

const CONFIRMING: &str = "正在确认，请勿再次刷卡";
const REVERSING: &str = "交易未完成，正在自动冲正";
const REVERSED: &str = "自动冲正成功，款项将退回原卡";
const RECOVERED: &str = "已找回结果：交易成功";

#[test]
fn till_cardholder_and_console_see_one_loop_break_and_heal() {
    in_browser(async |shop, browser| {
        // The links that sign in work once.
        let entry = shop.pages.link("Merchant").expect("a link");
        browser.goto(entry).await;
        founding_case(shop, browser).await;
        last_hop(shop, browser).await;
    });
}

/// F2: the bank debits and says so to the cardholder, its answer is lost. The reversal is held up until all three are open.
async fn founding_case(shop: &Shop, browser: &Browser) {
    shop.world.bank.plan(Fault {
        mti: Some(0x0210),
        direction: Direction::Forth,
        act: Act::Drop,
        times: 1,
    });
    shop.world
        .upstream
        .plan(silence(Some(0x0420), Direction::Forth));
    let (till, sale) = charge(shop, browser, "77.01").await;
    browser.until_seen(REVERSING).await;
    let others = others(shop, browser, &sale).await;
    for window in &others {
        browser.switch(window).await;
        browser.until_seen(REVERSING).await;
    }
    // What it looks like meanwhile, in windows of their own.
    for (name, address) in [
        ("till-reversing", shop.till("/")),
        ("console-reversing", shop.desk("/console")),
        (
            "cardholder-reversing",
            shop.public(&format!("/r/{}", sale.link.as_deref().expect("a link"))),
        ),
    ] {
        browser.window(&address).await;
        browser.keep(name).await;
        browser.close_window().await;
    }
    let debit = &shop.world.notices()[0].0;
    assert!(debit.contains("消费¥77.01"), "SMS, but no slip: {debit}");

    shop.world.upstream.heal();
    for window in [&till].into_iter().chain(&others) {
        browser.switch(window).await;
        browser.until_seen(REVERSED).await;
    }
    let notices = shop.world.notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[1].0.contains("退回"), "{notices:?}");
    browser.switch(&till).await;
    assert_eq!(browser.seen().await, [CONFIRMING, REVERSING, REVERSED]);
    browser
        .until("#verdict .goods", |text| text == "勿交货")
        .await;
    for window in &others {
        browser.switch(window).await;
        assert_eq!(browser.seen().await, [REVERSING, REVERSED]);
        browser.close_window().await;
    }
    browser.switch(&till).await;
}

/// F4: approved, and the answer lost on the last hop. It is found again; nothing is reversed.
async fn last_hop(shop: &Shop, browser: &Browser) {
    // The answer, and the first answers to the question after it.
    shop.pages
        .till_hop()
        .plan(silence(Some(0x0210), Direction::Back));
    shop.pages.till_hop().plan(Fault {
        mti: Some(0x0630),
        direction: Direction::Back,
        act: Act::Drop,
        times: 1,
    });
    let (till, sale) = charge(shop, browser, "77.02").await;
    let others = others(shop, browser, &sale).await;
    browser.switch(&till).await;
    browser.until_seen(RECOVERED).await;
    browser
        .until("#verdict .goods", |text| text == "交货")
        .await;
    assert_eq!(browser.seen().await, [CONFIRMING, RECOVERED]);
    shop.pages.till_hop().heal();
    for window in &others {
        browser.switch(window).await;
        browser.until_seen(RECOVERED).await;
        let seen = browser.seen().await;
        assert!(!seen.contains(&REVERSING.to_owned()), "{seen:?}");
        browser.close_window().await;
    }
    browser.switch(&till).await;
    assert!(shop.papers().last().expect("a slip").contains("77.02"));
}

/// Charges at the till's page and watches it; the till's window, and the sale as the acquirer knows it.
async fn charge(shop: &Shop, browser: &Browser, yuan: &str) -> (WindowHandle, SaleView) {
    browser.goto(&shop.till("/")).await;
    browser.press(&format!("{yuan}\u{E007}")).await;
    browser
        .until("#verdict .headline", |text| text == CONFIRMING)
        .await;
    browser.watch("#verdict .headline").await;
    let list = |shop: &Shop| shop.json(&shop.desk("/api/v1/sales"))["items"][0].clone();
    let amount: u64 = yuan.replace('.', "").parse().expect("fen");
    shop.until("the acquirer's sale", || {
        list(shop)["amount_minor"] == amount
    });
    let id = list(shop)["id"].as_str().expect("a name").to_owned();
    let trace = id.rsplit('-').next().and_then(|trace| trace.parse().ok());
    let trace: u32 = trace.unwrap_or_else(|| panic!("{TILL}: {id}"));
    let mut sale = shop.sale(trace).expect("the sale");
    shop.until("its link", || {
        sale = shop.sale(trace).expect("the sale");
        sale.link.is_some()
    });
    (browser.this_window().await, sale)
}

/// The console's live board, its page of the sale and the cardholder's page, each in a window of its own, each watched.
async fn others(shop: &Shop, browser: &Browser, sale: &SaleView) -> [WindowHandle; 3] {
    let board = browser.window(&shop.desk("/console")).await;
    let row = format!("a.sale[href='/console/sale/{}'] .because", sale.key);
    browser.until(&row, |text| !text.is_empty()).await;
    browser.watch(&row).await;
    // Two ages on one page, and both follow.
    let loaded = browser.text("#as-of").await;
    let age = browser.until("#as-of", |text| text != loaded).await;
    browser
        .until("#age", |text| {
            text.trim_start_matches("截至 ") >= age.as_str()
        })
        .await;
    let page = browser
        .window(&shop.desk(&format!("/console/sale/{}", sale.key)))
        .await;
    browser.until("#salehead h1", |text| !text.is_empty()).await;
    browser.watch("#salehead h1").await;
    let link = sale.link.as_deref().expect("a link");
    let cardholder = browser.window(&shop.public(&format!("/r/{link}"))).await;
    browser.until("#now h1", |text| !text.is_empty()).await;
    browser.watch("#now h1").await;
    [board, page, cardholder]
}
