//! The fault lab, rendered in both languages and read.

use crate::fixture::{HOSTILE, sale};
use pages::Lang;
use pages::lab::{Account, Choice, LabView, Part, Phase, Run, Webhook, page, run};

fn view() -> LabView {
    let webhook = |attempt, verified| Webhook {
        id: "evt_7-0".into(),
        kind: HOSTILE.into(),
        at: "2026-11-22T14:02:51+08:00".into(),
        to: "http://127.0.0.1:7192/lab/webhook".into(),
        attempt,
        verified,
        beads: Some(sale().beads),
    };
    LabView {
        choices: vec![Choice {
            id: "F13",
            part: Part::Clock,
            words: ("终端的钟快 7 分钟", "the till's clock is 7 minutes fast"),
            chosen: true,
        }],
        amount_minor: 12_801,
        printer: ("正常".into(), "well".into()),
        run: Some(Run {
            number: 1,
            faults: vec!["F13"],
            phase: Phase::Closed,
            elapsed_ms: 3_100,
            sale: Some(sale()),
            accounts: vec![Account {
                name: ("挂账", "suspense"),
                before_minor: 0,
                now_minor: -12_801,
            }],
            notices: vec![("扣款".into(), "debited".into())],
            webhooks: vec![webhook(1, false), webhook(2, true)],
            paper: vec![HOSTILE.into()],
            problem: None,
        }),
        links: vec![("http://127.0.0.1:7193/".into(), ("收银台", "Till"))],
        as_of: "2026-11-22 14:03:05".into(),
    }
}

#[test]
fn the_lab_speaks_one_language_and_runs_nothing() {
    let page_in = |lang| page(lang, &view());
    crate::speaks_english(&page_in(Lang::En));
    for page in Lang::ALL.map(page_in) {
        assert!(!page.contains("<script>alert") && !page.contains(" style="));
        assert!(page.len() < pages::PAGE_BYTES_MAX);
    }
}

#[test]
fn a_webhook_is_shown_with_its_attempt_its_signature_and_the_loop() {
    let shown = run(Lang::En, &view()).into_string();
    let (_, table) = shown.split_once("Webhooks").expect("a table");
    let rows: Vec<&str> = table.split("<tr>").skip(2).collect();
    assert!(rows[0].contains("wrong") && rows[0].contains("<td class=\"number\">1</td>"));
    assert!(rows[1].contains("verified") && rows[1].contains("<td class=\"number\">2</td>"));
    assert!(rows[0].contains("svg class=\"dots\"") && table.contains("/lab/webhook"));
}
