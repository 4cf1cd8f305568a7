//! The lab: a run that is over, one that failed, and the page before any.

use crate::fixture;
use pages::Lang;
use pages::lab::{Account, Choice, LabView, Part, Phase, Run, page};

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
        sale: Some(fixture::sale()),
        accounts: vec![Account {
            name: ("挂账（发卡行）", "Suspense (issuer)"),
            before_minor: 0,
            now_minor: -12_801,
        }],
        notices: vec![words("您的卡支出 128.01 元", "Your card paid ¥128.01")],
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
