//! The operator's console, rendered in both languages and read.

use crate::fixture::{HOSTILE, board, queue, sale};
use pages::Lang;
use pages::chip::Tone;
use pages::console::fleet::{Fleet, Terminal};
use pages::console::ledger::{Account, Books, Entry, Known};
use pages::console::messages::{Field, Message};
use pages::console::one_sided::{Cause, Queue};
use pages::console::plots::Plots;
use pages::console::remedy::{self, Offered, Offers};
use pages::console::sale::{AuditRow, Proof, SalePage};
use pages::console::sequence::{Lane, Step, mermaid};
use pages::console::settings::Settings;
use pages::console::timeline::{Bar, Timeline};
use pages::console::{Asked, board as live, fleet, one_sided, plots, sale as one, settings};
use pages::plot::{self, Head, Limit, Point};
use payment::kind::Rail;
use payment::timeouts::Ladder;

fn asked(lang: Lang) -> Asked<'static> {
    Asked {
        lang,
        path: "/console",
        as_of: "2026-11-22 14:03:05",
        waiting: 3,
    }
}

fn words(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

/// One that can be asked for again, one that can be given back, for a reader who may.
fn offers() -> Offers {
    let refused = Some(("已经退回", "It went back already"));
    let row = |refused| Offered {
        sale: sale(),
        merchant: HOSTILE.into(),
        cause: Some(Cause::LostAtOurHop),
        refused,
    };
    Offers {
        rows: vec![row([None, refused]), row([refused, None])],
        unknown: 2,
        csrf: Some("0123abcd".into()),
        told: Some(("请写明理由", "A reason is needed")),
    }
}

fn sale_page() -> SalePage {
    let entry = |debit, counts| Entry {
        debit,
        minor: 12_800,
        what: ("记账", "posted"),
        counts,
    };
    let account = |zh: &str, en: &str, debit| Account {
        name: words(zh, en),
        entries: vec![entry(debit, true), entry(!debit, true)],
    };
    SalePage {
        sale: sale(),
        merchant: HOSTILE.into(),
        left_ms: Some(-5_000),
        offers: offers(),
        timeline: Timeline {
            start: "14:02:51.142".into(),
            length_ms: 8_100,
            bars: vec![
                Bar {
                    name: words("前置 → 银联", "acquirer → network"),
                    from_ms: 0,
                    to_ms: Some(12),
                    tone: Tone::Closed,
                    note: None,
                },
                Bar {
                    name: words("银联 → 前置", "network → acquirer"),
                    from_ms: 12,
                    to_ms: Some(8_000),
                    tone: Tone::Stop,
                    note: Some(words("8.0 s 无回应", "8.0 s, no answer")),
                },
                Bar {
                    name: words("冲正 0420 第 1 次", "reversal 0420, attempt 1"),
                    from_ms: 8_000,
                    to_ms: None,
                    tone: Tone::Wait,
                    note: None,
                },
            ],
            answered_ms: Some(8_000),
            budget_ms: 8_000,
        },
        steps: steps(),
        messages: vec![Message {
            at: "14:02:51.142".into(),
            said: true,
            peer: ("银联", "network"),
            mti: "0200".into(),
            bytes: 160,
            fields: vec![
                Field {
                    number: "2".into(),
                    name: ("主账号", "Primary account number"),
                    value: "622848******0123".into(),
                    note: String::new(),
                },
                Field {
                    number: "22".into(),
                    name: ("输入方式", "Entry mode"),
                    value: "051".into(),
                    note: "插卡 / contact chip".into(),
                },
            ],
        }],
        messages_kept: 4_096,
        books: vec![
            Books {
                party: ("收单", "Acquirer"),
                known: Known::Accounts(vec![
                    account("应收银联", "receivable", true),
                    account("应付商户", "payable", false),
                ]),
            },
            Books {
                party: ("发卡行", "Issuer"),
                known: Known::NotHere,
            },
        ],
        proofs: vec![Proof {
            source: ("通知（不作凭证）", "notice (no proof)"),
            text: words("扣款短信", "text message: debited"),
        }],
        slip: vec![(("证据等级", "Evidence level"), "E4".into())],
        slip_picture: true,
        declared: payment::Declarations {
            paid_cash: Some(payment::Wall(1_763_791_385_000)),
            not_me: None,
        },
        audit: vec![AuditRow {
            place: (12, 0),
            at: "14:02:51.142".into(),
            what: ("已接受，发往银联", "accepted and sent to the network"),
            detail: Some("<b>".into()),
        }],
    }
}

fn steps() -> Vec<Step> {
    let step = |from, to, lost| Step {
        at: "14:02:51.142".into(),
        from,
        to,
        text: words("0200 消费; 再来", "0200 purchase; again"),
        lost,
    };
    vec![
        step(Lane::Terminal, Lane::Acquirer, false),
        step(Lane::Network, Lane::Acquirer, true),
        step(Lane::Acquirer, Lane::Acquirer, false),
    ]
}

fn terminal() -> Terminal {
    Terminal {
        id: "T0000001".into(),
        merchant: HOSTILE.into(),
        seen_ms: Some(125_000),
        signed_on: true,
        extended: false,
        batch: Some(1),
        approved: 200,
        unprinted: 3,
        trouble: Some(("缺纸", "out of paper")),
        reversing: 1,
    }
}

fn settings_view() -> Settings {
    Settings {
        ladder: Ladder::DEMO,
        tried: Ladder {
            network_ms: 2_500,
            ..Ladder::DEMO
        },
        gaps_ms: vec![500, 1_000],
        confirm_within_ms: 10_000,
    }
}

fn plots_view() -> Plots {
    let point = |name: &str, value| Point {
        name: name.into(),
        value,
        n: value,
    };
    Plots {
        n: 1_000,
        hops_ms: vec![(words("前置", "acquirer"), 4)],
        latency: vec![point("<2", 900), point("<5", 100)],
        budget_at: 1,
        one_sided: vec![point("13", 70), point("14", 900)],
        one_sided_limits: Some((80, 300)),
        ageing: vec![(words("0–1 小时", "0–1 h"), 3)],
        unprinted: vec![(words("缺纸", "out of paper"), 3)],
        heal: vec![point("<1 s", 4)],
    }
}

/// Every page of the console.
pub fn all(lang: Lang) -> Vec<String> {
    let asked = asked(lang);
    let fleet_view = Fleet {
        terminals: vec![terminal()],
        unseen: 23,
        n: 1_000,
    };
    vec![
        live::board(asked, &board(), None, live::Mode::Live),
        live::board(asked, &board(), Some(5), live::Mode::Paused),
        one::sale(asked, &sale_page()),
        one_sided::queue(asked, &queue(), None),
        remedy::preview(asked, &offers()),
        remedy::preview(asked, &Offers::default()),
        fleet::fleet(asked, &fleet_view),
        settings::settings(asked, &settings_view()),
        plots::plots(asked, &plots_view()),
        pages::console::missing(asked),
    ]
}

#[test]
fn no_page_runs_what_it_is_told() {
    for page in all(Lang::En) {
        assert!(!page.contains("<script>alert"), "a name ran: {page}");
    }
    for page in all(Lang::Zh) {
        assert!(!page.contains("<script>alert"), "a name ran: {page}");
        assert!(page.len() < 200_000 && page.contains("2026-11-22 14:03:05"));
        assert!(!page.contains(" style=") && !page.contains("onclick"));
    }
}

#[test]
fn a_board_is_filtered_by_the_bead_that_is_open() {
    let rows = |hop| {
        let parts = live::parts(Lang::Zh, &board(), hop);
        let stream = parts.into_iter().find(|(id, _)| *id == "stream");
        stream.expect("a stream").1.matches("<li>").count()
    };
    assert_eq!(rows(None), 1);
    let open: Vec<usize> = (0..8).filter(|hop| rows(Some(*hop)) == 1).collect();
    assert_eq!(
        open,
        [2, 3, 4, 5],
        "unknown and broken are open; closed and not reached are not"
    );
}

#[test]
fn figures_name_their_unit_and_their_n() {
    let page = live::board(asked(Lang::En), &board(), None, live::Mode::Live);
    for told in [
        "12.3",
        "99.9",
        "4 / 9 / 38",
        "0.7",
        "n = 1000",
        "7 of n = 100000",
        "42 s",
    ] {
        assert!(page.contains(told), "no {told}");
    }
    assert!(page.contains(r#"data-live="/console/live?lang=en""#));
    let paused = live::board(asked(Lang::En), &board(), Some(5), live::Mode::Paused);
    assert!(!paused.contains("data-live") && paused.contains(r#"href="/console?hop=6""#));
}

#[test]
fn the_offending_pair_of_a_ladder_is_named() {
    let page = settings::settings(asked(Lang::Zh), &settings_view());
    assert!(
        page.contains("network_ms = 2500")
            && page.contains("acquirer_ms = 2000")
            && page.contains(r#"role="alert""#)
    );
    let well = Settings {
        tried: Ladder::DEMO,
        ..settings_view()
    };
    assert!(settings::settings(asked(Lang::Zh), &well).contains("嵌套正确"));
}

#[test]
fn a_diagram_is_also_mermaid() {
    assert_eq!(
        mermaid(Lang::En, Rail::Card, &steps()),
        "sequenceDiagram\n  participant 1 as POS\n  participant 2 as acquirer\n  participant 3 as network\n  participant 4 as issuer\n  \
         1->>2: 14:02:51.142 0200 purchase, again\n  3--x2: 14:02:51.142 0200 purchase, again\n  \
         Note over 2: 14:02:51.142 0200 purchase, again\n"
    );
}

#[test]
fn books_that_do_not_agree_say_so() {
    let mut view = sale_page();
    assert!(one::sale(asked(Lang::En), &view).contains("balanced"));
    if let Known::Accounts(accounts) = &mut view.books[0].known {
        accounts[0].entries[0].minor += 1;
    }
    assert!(one::sale(asked(Lang::En), &view).contains("not balanced"));
}

#[test]
fn a_queue_shows_one_cause_when_asked() {
    let of = |cause| {
        one_sided::queue(asked(Lang::En), &queue(), cause)
            .matches(r#"type="checkbox""#)
            .count()
    };
    assert_eq!(
        (
            of(None),
            of(Some(Cause::LostUpstream)),
            of(Some(Cause::Advice))
        ),
        (1, 1, 0)
    );
}

/// What a page lists is bounded, so that the page is: every list is full here.
#[test]
fn full_pages_stay_below_their_limit() {
    let full_board = || {
        let mut board = board();
        board.sales = (0..180).map(|_| crate::fixture::listed()).collect();
        board
    };
    let full_queue = Queue {
        items: (0..500).map(|_| crate::fixture::item()).collect(),
        more: 7,
    };
    let full_fleet = Fleet {
        terminals: (0..300).map(|_| terminal()).collect(),
        unseen: 0,
        n: 1,
    };
    for lang in Lang::ALL {
        let asked = asked(lang);
        for (name, page) in [
            (
                "board",
                live::board(asked, &full_board(), None, live::Mode::Live),
            ),
            ("queue", one_sided::queue(asked, &full_queue, None)),
            ("fleet", fleet::fleet(asked, &full_fleet)),
        ] {
            assert!(
                page.len() < pages::PAGE_BYTES_MAX,
                "{name}: {} bytes",
                page.len()
            );
        }
        let queue = one_sided::queue(asked, &full_queue, None);
        assert!(queue.contains("457"), "450 are not listed, and 7 before");
        let more = lang.say(("另有 200 台未列出", "200 more are not listed"));
        assert!(fleet::fleet(asked, &full_fleet).contains(more));
    }
    for file in pages::served::FILES {
        assert!(file.bytes.len() < pages::PAGE_BYTES_MAX, "{}", file.name);
    }
}

#[test]
fn names_of_limits_never_lie_on_each_other() {
    let limit = |value| Limit {
        value,
        name: ("限", "limit"),
        tone: Tone::Stop,
    };
    let head = Head {
        title: ("图", "plot"),
        unit: words("单位", "unit"),
        n: 1,
    };
    let names = |values: [u64; 2]| -> Vec<i64> {
        let drawn = plot::line(Lang::En, &head, &[], &values.map(limit)).into_string();
        let texts = drawn.split("<text class=\"limit").skip(1);
        texts
            .map(|text| {
                let y = text.split("y=\"").nth(1).and_then(|y| y.split('"').next());
                y.and_then(|y| y.parse().ok()).expect("a height")
            })
            .collect()
    };
    for values in [[0, 0], [5, 5], [10, 11], [0, 100]] {
        let drawn = names(values);
        assert!(drawn[0] - drawn[1] >= 18, "{values:?}: {drawn:?}");
    }
    let empty = plot::bars(Lang::En, &head, &[]).into_string();
    assert!(empty.contains("no data yet"), "{empty}");
}

#[test]
fn a_bar_that_does_not_nest_sticks_out() {
    let drawn = |tried| {
        let view = Settings {
            tried,
            ..settings_view()
        };
        let page = settings::settings(asked(Lang::En), &view);
        let (_, ladder) = page.split_once("svg class=\"ladder\"").expect("a ladder");
        let ladder = ladder.split("</svg>").next().unwrap_or_default().to_owned();
        let widths = ladder.split("width=\"").skip(1);
        let widths: Vec<u64> = widths
            .filter_map(|width| width.split('"').next()?.parse().ok())
            .collect();
        (widths, ladder.matches("class=\"stop\"").count())
    };
    let (widths, stops) = drawn(Ladder::DEMO);
    assert!(
        widths.is_sorted_by(|a, b| a > b) && stops == 0,
        "{widths:?}"
    );
    let (widths, stops) = drawn(settings_view().tried);
    assert!(widths[2] > widths[1] && stops == 2, "{widths:?}");
}
