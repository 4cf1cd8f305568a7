//! The lab: a run that is over, one that failed, and the page before any.

use crate::fixture::{HOSTILE, sale};
use pages::Lang;
use pages::lab::{Account, Choice, LabView, Part, Phase, Run, Webhook, page, run};

fn words(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

/// The page in every phase of a run.
pub fn all(lang: Lang) -> Vec<String> {
    let run = |phase| Run {
        number: 3,
        faults: vec!["F2", "F10"],
        phase,
        elapsed_ms: 2_340,
        sale: Some(sale()),
        accounts: vec![Account {
            name: ("挂账（发卡行）", "Suspense (issuer)"),
            before_minor: 0,
            now_minor: -12_801,
        }],
        notices: vec![words("您的卡支出 128.01 元", "Your card paid ¥128.01")],
        webhooks: vec![webhook(1, false), webhook(2, true)],
        paper: vec!["冲正凭证".to_owned()],
        problem: (phase == Phase::Failed).then(|| words("没有做成", "It could not be done")),
    };
    let view = |run| LabView {
        choices: vec![Choice {
            id: "F7a",
            part: Part::Printer,
            words: ("缺纸", "out of paper"),
            chosen: true,
        }],
        amount_minor: 12_801,
        printer: words("正常", "ready"),
        run,
        links: vec![("http://127.0.0.1:7193/".to_owned(), ("收银台", "Till"))],
        as_of: "2026-11-22 14:03:05".to_owned(),
    };
    let runs = [Phase::Waiting, Phase::Open, Phase::Closed, Phase::Failed];
    let runs = runs.map(|phase| Some(run(phase)));
    let pages = std::iter::once(None).chain(runs);
    pages.map(|run| page(lang, &view(run))).collect()
}

#[test]
fn a_closed_run_is_exported_and_an_open_one_is_not() {
    let [before, _, open, closed, _] = all(Lang::En).try_into().expect("five pages");
    assert!(before.contains("Try F2"));
    assert!(open.contains("open for 2.3 s") && !open.contains("experiment.toml"));
    assert!(closed.contains("closed after 2.3 s") && closed.contains("experiment.toml"));
    assert!(closed.contains("¥128.01") && closed.contains("2026-11-22 14:03:05"));
}

/// One that its receiver got.
fn webhook(attempt: u32, verified: bool) -> Webhook {
    Webhook {
        id: "evt_7-0".into(),
        kind: HOSTILE.into(),
        at: "2026-11-22T14:02:51+08:00".into(),
        to: "http://127.0.0.1:7192/lab/webhook".into(),
        attempt,
        verified,
        beads: Some(sale().beads),
    }
}

fn view() -> LabView {
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
fn what_a_lab_shows_runs_nothing() {
    let page_in = |lang| page(lang, &view());
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
