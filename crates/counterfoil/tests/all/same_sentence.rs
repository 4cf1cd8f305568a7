//! The same loop gives the same sentence everywhere: till, slip, e-slip, cardholder's page, console, merchant's page, API,
//! lab and `counterfoil where` are read and compared, while it is open and when it is closed.

use crate::shop::{MERCHANT, Shop, between, folded, heading, silence};
use counterfoil::fault::Direction;
use counterfoil::view::SaleView;
use payment::verdict::{self, Outcome};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long it may take until all have heard.
const PATIENCE: Duration = Duration::from_secs(20);

/// The sentence by place and language.
type Told = BTreeMap<(&'static str, bool), String>;

/// Where the paper is the one of this ending.
#[derive(Clone, Copy, PartialEq)]
enum Paper {
    /// None came out.
    None,
    /// The last one that came out tells it.
    Last,
}

#[test]
fn same_sentence() {
    let shop = Shop::open();
    let upstream = &shop.world.upstream;

    // Approved and printed.
    let trace = shop.lab(&[], 1_001);
    agree(&shop, trace, "paid", Paper::Last, true);

    // The founding case, while its reversal is on its way and when it is over. The acquirer owns the reversal.
    upstream.plan(silence(Some(0x0420), Direction::Forth));
    let trace = shop.lab(&["F2"], 1_002);
    agree(&shop, trace, "reversing_network_gave_up", Paper::None, true);
    upstream.heal();
    agree(&shop, trace, "reversed", Paper::Last, true);

    // The answer is lost on the last hop, and found.
    let trace = shop.lab(&["F4"], 1_003);
    agree(&shop, trace, "recovered", Paper::Last, true);

    // Approved, and no paper.
    let trace = shop.lab(&["F7a"], 1_004);
    agree(&shop, trace, "paid_eslip", Paper::None, true);
    shop.pages.printer().obey("paper");
    agree(&shop, trace, "paid", Paper::Last, true);

    // The acquirer never answers: the till owns the reversal of what the bank has approved.
    upstream.plan(silence(Some(0x0420), Direction::Forth));
    shop.pages.till_hop().plan(silence(None, Direction::Back));
    let trace = shop.swipe("10.05");
    agree(&shop, trace, "reversing_approved", Paper::None, false);
    upstream.heal();
    shop.pages.till_hop().heal();
    agree(&shop, trace, "reversed", Paper::Last, false);
}

/// Everybody says the sentence of this row within a while, and goes on saying it.
fn agree(shop: &Shop, trace: u32, row: &str, paper: Paper, by_lab: bool) {
    let sale = shop.until_row(trace, row);
    let end = Instant::now() + PATIENCE;
    let told = loop {
        let told = everybody(shop, trace, &sale, paper, by_lab);
        if all_say(&told, &sale) {
            break told;
        }
        assert!(Instant::now() < end, "{row}: {told:#?}");
    };
    let again = everybody(shop, trace, &sale, paper, by_lab);
    assert_eq!(again, told, "{row}");
    certified(shop, &sale);
}

fn all_say(told: &Told, sale: &SaleView) -> bool {
    let says = |zh: bool| {
        folded(if zh {
            &sale.headline.0
        } else {
            &sale.headline.1
        })
    };
    told.iter().all(|((_, zh), text)| *text == says(*zh))
}

fn everybody(shop: &Shop, trace: u32, sale: &SaleView, paper: Paper, by_lab: bool) -> Told {
    let mut told = Told::new();
    let key = &sale.key;
    let id = key.replace('/', "-");
    let link = sale.link.as_deref().expect("a link");
    for (zh, lang) in [(true, "zh-CN"), (false, "en")] {
        let mut say = |place, text: &str| told.insert((place, zh), folded(text));
        let till = shop.page(&shop.till(&format!("/?trace={trace}&lang={lang}")));
        say("till", &heading(&till, "<main"));
        let public = shop.page(&shop.public(&format!("/r/{link}?lang={lang}")));
        say("cardholder", &heading(&public, "id=\"now\""));
        say(
            "e-slip",
            &read(between(&public, "id=\"slip\"", "slip.svg"), sale, zh),
        );
        let picture = shop.page(&shop.public(&format!("/r/{link}/slip.svg?lang={lang}")));
        say("e-slip as a picture", &read(&picture, sale, zh));
        let console = shop.page(&shop.desk(&format!("/console/sale/{key}?lang={lang}")));
        say("console", &heading(&console, "class=\"salehead\""));
        let board = shop.page(&shop.desk(&format!("/console?lang={lang}")));
        let row = between(&board, &format!("/console/sale/{key}"), "</li>");
        say("board", between(row, "because second\">", "</span>"));
        let merchant = format!("/merchant/sale/{key}?merchant={MERCHANT}&lang={lang}");
        say(
            "merchant",
            &heading(&shop.page(&shop.desk(&merchant)), "<main"),
        );
        let api = shop.json(&shop.desk(&format!("/api/v1/sales/{id}")));
        say(
            "API",
            api["headline"][usize::from(!zh)]
                .as_str()
                .expect("a headline"),
        );
        let list = shop.json(&shop.desk("/api/v1/sales"));
        let rows = list["items"].as_array().expect("sales");
        let row = rows.iter().find(|row| row["id"] == id.as_str());
        say(
            "API's list",
            row.map_or("", |row| row["headline"][lang].as_str().expect("words")),
        );
        if by_lab {
            let lab = shop.page(&shop.desk(&format!("/lab?lang={lang}")));
            say("lab", &heading(&lab, "id=\"run\""));
        }
        let control = shop.world.control.to_string();
        let language = if zh { "zh" } else { "en" };
        let said = shop.command(&["where", key, "--control", &control, "--language", language]);
        say("where", said.lines().next().unwrap_or_default());
    }
    if paper == Paper::Last {
        // The till of the demo prints in Chinese.
        let last = shop.papers().pop().unwrap_or_default();
        told.insert(("slip", true), folded(&read(&last, sale, true)));
    }
    told
}

/// The row's sentence where a document holds it, and no other row's; else the document itself, for the failure to show.
fn read(document: &str, sale: &SaleView, zh: bool) -> String {
    let document = folded(document);
    let own = folded(if zh {
        &sale.headline.0
    } else {
        &sale.headline.1
    });
    let sentences = verdict::ROWS
        .iter()
        .filter(|row| !row.headline.0.contains('{'));
    let sentences = sentences.map(|row| folded(if zh { row.headline.0 } else { row.headline.1 }));
    let other = sentences
        .filter(|sentence| !own.contains(sentence.as_str()) && !sentence.contains(own.as_str()))
        .find(|sentence| document.contains(sentence.as_str()));
    match other {
        None if document.contains(&own) => own,
        Some(other) => other,
        None => document,
    }
}

/// The last certificate of a closed loop says how it ended.
fn certified(shop: &Shop, sale: &SaleView) {
    let control = shop.world.control;
    let of_sale = format!("http://{control}/v1/certificate/{}", sale.key);
    let expected = match sale.outcome {
        Outcome::Approved => "approved",
        Outcome::Reversed => "reversed",
        _ => return,
    };
    shop.until("a certificate of this ending", || {
        let chain = shop.get(&of_sale);
        let chain: serde_json::Value = serde_json::from_str(&chain.text).unwrap_or_default();
        let last = chain.as_array().and_then(|chain| chain.last());
        let outcome = last.map_or(String::new(), |last| last["outcome"].to_string());
        outcome.to_lowercase().contains(expected)
    });
}
