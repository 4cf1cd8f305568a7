//! F7a: the paper runs out in the middle of a slip. The till shows which trouble it is and leads through it; new paper brings
//! the rest of the slip, which is no reprint, and no money moves meanwhile.

use super::in_browser;

#[test]
fn paper_runs_out_in_a_slip_and_is_refilled() {
    in_browser(async |shop, browser| {
        let printer = shop.pages.printer();
        printer.with(|printer| printer.set_paper_lines_left(Some(8)));
        browser.goto(&shop.till("/")).await;
        browser.press("7.07\u{E007}").await;
        browser.until("#paper", |text| text.contains("缺纸")).await;
        browser.watch("#verdict .headline").await;
        browser
            .until("#verdict .goods", |text| text == "交货")
            .await;
        // The e-slip takes the paper's place meanwhile.
        browser.until_seen("款已收妥，电子小票已提供").await;
        browser
            .until("#code", |text| text.contains("电子小票"))
            .await;
        let pressed = "return document.querySelector('.pictures [aria-pressed=true]').value";
        assert_eq!(browser.run(pressed).await, "no-paper");
        let sold = shop.json(&shop.desk("/api/v1/sales"))["items"][0].clone();
        browser.keep("till-no-paper").await;

        browser.click(".pictures button[value=no-paper]").await;
        browser.until("main", |text| text.contains("缺纸")).await;
        browser.keep("till-doctor").await;
        printer.with(|printer| {
            printer.set_paper_lines_left(None);
            printer.set_paper_out(false);
        });

        browser.goto(&shop.till("/")).await;
        browser
            .until("#verdict", |text| {
                text.contains("交易成功") && text.contains("已打印")
            })
            .await;
        // The printer goes on where the paper ended: both copies are whole, and neither is a reprint.
        let papers = shop.papers();
        assert_eq!(papers.len(), 2, "{papers:#?}");
        for (paper, copy) in papers.iter().zip(["商户存根", "持卡人存根"]) {
            assert!(
                paper.contains(copy)
                    && paper.contains("7.07")
                    && paper.contains("扫码查看电子小票"),
                "{paper}"
            );
            assert!(!paper.contains("重打印"), "{paper}");
        }
        let now = shop.json(&shop.desk("/api/v1/sales"));
        assert_eq!(now["items"].as_array().expect("sales").len(), 1);
        for name in ["id", "amount_minor", "position", "outcome"] {
            assert_eq!(now["items"][0][name], sold[name], "no money has moved");
        }
    });
}
