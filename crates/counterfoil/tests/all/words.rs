//! Every page that the demo's servers give, as they give it, in both languages: none says a word of the other one, and each
//! that shows data carries its age.

#[path = "../../../pages/tests/all/spoken.rs"]
pub mod spoken;

use crate::shop::{Shop, between, silence};
use counterfoil::fault::Direction;
use spoken::strangers;
use std::collections::{BTreeSet, VecDeque};

/// Names, which are the same in both languages: ours, shops and banks, and what they call themselves on slips.
const NAMES: [&str; 8] = [
    "存根",
    "幸福里超市",
    "老码头火锅",
    "示例收单",
    "示例银行",
    "示例第二银行",
    "示例易货中心",
    "Counterfoil",
];
/// More pages than these are no pages of ours.
const PAGES_MAX: usize = 400;
/// Fewer, and the walk has lost its way.
const PAGES_MIN: usize = 40;
/// Files, not pages, and what works once.
const NOT_PAGES: [&str; 8] = [
    "/static/",
    "/enter/",
    ".svg",
    ".csv",
    ".toml",
    ".json",
    ".well-known",
    "/verify",
];

/// More than a slow machine repeats a reversal in while this reads.
const ATTEMPTS_LOST: u32 = 30;

#[test]
fn no_page_of_the_servers_says_a_word_of_the_other_language() {
    let shop = Shop::open();
    let unprinted = shop.lab(&["F7a"], 3_001);
    shop.until_row(unprinted, "paid_eslip");
    shop.lab(&["F2"], 3_002);
    shop.until("the till's own word on the reversal", || {
        shop.page(&shop.till("/")).contains("自动冲正成功")
    });
    walk(&shop);
    // A reversal on its way for as long as this takes, and a second swipe that was held back.
    for _ in 0..ATTEMPTS_LOST {
        shop.world
            .upstream
            .plan(silence(Some(0x0420), Direction::Forth));
    }
    shop.world
        .upstream
        .plan(silence(Some(0x0210), Direction::Back));
    let open = shop.swipe("30.03");
    shop.until("the reversal", || {
        shop.page(&shop.till("/"))
            .contains("交易未完成，正在自动冲正")
    });
    shop.swipe_again("30.03");
    shop.until("the second swipe is held back", || {
        shop.page(&shop.till("/")).contains("请勿再次刷卡")
    });
    let link = shop.sale(open).and_then(|sale| sale.link).expect("a link");
    walk(&shop);
    for lang in ["zh-CN", "en"] {
        read(&shop, &shop.public(&format!("/r/{link}")), lang);
    }
}

/// The cards of the sandbox begin with one of these.
const BINS: [&str; 3] = ["622848", "622576", "998000"];

/// From every entry to whatever it leads to.
fn walk(shop: &Shop) {
    for lang in ["zh-CN", "en"] {
        let entries = [
            shop.till("/"),
            shop.till("/training"),
            shop.public("/"),
            shop.desk("/console"),
            shop.desk("/merchant?merchant=898100053110001"),
            shop.desk("/account"),
            shop.desk("/login"),
            shop.desk("/api/docs"),
            shop.desk("/lab"),
        ];
        let mut known: BTreeSet<String> = entries.iter().cloned().collect();
        let mut open = VecDeque::from(entries);
        while let Some(address) = open.pop_front() {
            assert!(known.len() < PAGES_MAX, "{known:#?}");
            for next in read(shop, &address, lang) {
                if known.insert(next.clone()) {
                    open.push_back(next);
                }
            }
        }
        assert!(known.len() > PAGES_MIN, "{known:#?}");
    }
}

/// Reads a page; where it leads to.
fn read(shop: &Shop, address: &str, lang: &str) -> Vec<String> {
    let joint = if address.contains('?') { '&' } else { '?' };
    let answer = shop.get(&format!("{address}{joint}lang={lang}"));
    let after_scheme = address.find("//").map_or(0, |at| at + 2);
    let path = address[after_scheme..]
        .find('/')
        .map(|at| at + after_scheme);
    let (site, path) = address.split_at(path.expect("a path"));
    if answer.status == 303 {
        return vec![format!("{site}{}", without_lang(&answer.location))];
    }
    let page = answer.text;
    assert_eq!(answer.status, 200, "{address}: {page}");
    let digits = page.split(|c: char| !c.is_ascii_digit());
    let clear = digits.filter(|run| {
        BINS.iter()
            .any(|bin| run.len() > bin.len() && run.starts_with(bin))
    });
    assert_eq!(
        clear.count(),
        0,
        "{address}: more of a card than six and four digits"
    );
    let found = strangers(&page, lang == "en", &NAMES);
    assert_eq!(found, Vec::<String>::new(), "{address} in {lang}");
    let shows_data = ["/console", "/merchant", "/lab", "/r/"];
    if shows_data.iter().any(|area| path.starts_with(area)) {
        let age = ["id=\"as-of\">", "id=\"age\">"].map(|id| between(&page, id, "</p>"));
        assert!(
            age.iter().any(|age| age.contains(':')),
            "{address} has no age"
        );
    }
    let links = page.split("href=\"").skip(1);
    let links = links.filter_map(|link| link.split('"').next());
    let own =
        links.filter(|link| link.starts_with('/') && !NOT_PAGES.iter().any(|no| link.contains(no)));
    own.map(|link| format!("{site}{}", without_lang(link)))
        .collect()
}

/// A path without its language and its place on the page.
fn without_lang(link: &str) -> String {
    let link = link.replace("&amp;", "&");
    let link = link.split('#').next().unwrap_or_default();
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="))
        .collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    }
}
