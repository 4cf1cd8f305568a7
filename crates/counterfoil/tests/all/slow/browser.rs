//! The pages in a real browser, as people use them: Chromium through its driver, over the demo's world.
//!
//! Pictures of every page at 360 and 1440 px are left in the target folder; axe-core judges each page.

mod chromium;
mod counter;
mod paper;
mod second_swipe;
mod windows;

use crate::shop::Shop;
use chromium::Browser;

/// The demo's world with its pages, and a browser.
fn in_browser(test: impl AsyncFnOnce(&Shop, &Browser)) {
    let shop = Shop::open();
    shop.run(async {
        let browser = Browser::open().await;
        test(&shop, &browser).await;
        browser.close().await;
    });
}

#[test]
fn every_page_is_looked_at_after_the_founding_case() {
    in_browser(async |shop, browser| {
        let [till, public, entry, lab] = [
            "Till",
            "Where is my money (cardholder)",
            "Merchant",
            "Fault lab",
        ]
        .map(|name| shop.pages.link(name).expect("a page of the demo"));
        browser.goto(lab).await;
        browser.click("input[value=F2]").await;
        browser.click("button.main").await;
        let sentence = "自动冲正成功，款项将退回原卡";
        browser
            .until("#run .headline", |text| text == sentence)
            .await;
        let books = browser.text("#run table").await;
        assert!(books.contains("50,000.00"), "{books}");
        browser
            .until("#run", |text| {
                text.contains("✉") && text.contains("冲正凭证")
            })
            .await;
        browser.look("lab", lab).await;
        let sale = &shop.json(&shop.desk("/api/v1/lab"))["run"]["sale"];
        let (key, link) = (
            sale["key"].as_str().expect("a key"),
            sale["link"].as_str().expect("a link"),
        );

        browser.look("till", till).await;
        browser.goto(entry).await;
        let merchant = browser.run("return location.href").await;
        let merchant = merchant.as_str().expect("an address");
        browser.look("merchant", merchant).await;
        browser.look("console", &shop.desk("/console")).await;
        let page = shop.desk(&format!("/console/sale/{key}"));
        browser.look("sale", &page).await;
        for name in ["one-sided", "terminals", "settings", "plots"] {
            browser
                .look(name, &shop.desk(&format!("/console/{name}")))
                .await;
        }
        browser.look("where", public).await;
        browser
            .look("cardholder", &shop.public(&format!("/r/{link}")))
            .await;
        browser.until("body", |text| text.contains(sentence)).await;
    });
}
