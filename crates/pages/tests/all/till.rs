//! The till's page, rendered from views and read.

use pages::chip::Tone;
use pages::till::basket::{BasketView, Good, Line};
use pages::till::drill::{Answer, Deal, Drill, Next, Score, cases};
use pages::till::{
    AboutKind, Action, Clock, Code, Door, GoodsQuestion, KindName, Lamp, Paper, PaperQuestion,
    Pending, Picture, Place, Recent, SecondSwipe, Step, TillView, drill, is_amount, page, parts,
    typed,
};
use pages::{Lang, SaleView};
use payment::evidence::{
    Bead, Evidence, Loop, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::verdict::{self, Goods, Outcome};
use payment::{Amount, Kind, ResponseCode, loop_picture};

fn words(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

fn sale(evidence: &Evidence, beads: Loop) -> SaleView {
    let verdict = verdict::verdict(Kind::Purchase, evidence);
    let row = Kind::Purchase.row();
    let pair = |(zh, en)| words(zh, en);
    SaleView {
        key: "T0000001/000001/000218".into(),
        rrn: String::new(),
        kind: words(row.zh, row.en),
        amount_minor: 12_800,
        amount: Amount::fen(12_800).to_string(),
        card: "622848******0123".into(),
        received: "2026-11-22 14:02:51".into(),
        as_of: "2026-11-22 14:03:05".into(),
        row: verdict.row.into(),
        headline: (verdict.headline_zh, verdict.headline_en),
        outcome: verdict.outcome,
        receipt: "none".into(),
        position: pair(verdict.position.words()),
        position_id: String::new(),
        goods: pair(verdict.goods.words()),
        goods_id: verdict.goods,
        owner: pair(verdict.owner.words()),
        due: None,
        due_ms: None,
        lines: verdict.lines,
        rail: row.rail,
        beads,
        dots: loop_picture::dots(&beads),
        picture: words("", ""),
        slip: verdict.receipt.words(),
        link: None,
        evidence: Vec::new(),
    }
}

fn reversing() -> SaleView {
    use Bead::{Broken, Closed, NotReached, Unknown as U};
    let reversal = Reversal {
        cause: ReversalCause::Upstream,
        progress: ReversalProgress::Open,
        attempts: 1,
    };
    let evidence = Evidence {
        reversal: Some(reversal),
        ..Evidence::new(Upstream::Silent)
    };
    sale(&evidence, [Closed, U, U, U, U, U, Broken, NotReached])
}

/// A view in which everything is open at once.
fn full() -> TillView {
    let lamp = |tone, zh, en| Lamp {
        tone,
        words: words(zh, en),
    };
    let kind = KindName {
        name: "refund".into(),
        words: ("退货", "Refund"),
        about: true,
        scanned: false,
    };
    TillView {
        shop: "Tea <script>alert(1)</script>".into(),
        till: "T0000001".into(),
        shift: words("收银员 01", "cashier 01"),
        lamps: [
            lamp(Tone::Closed, "网络 41 ms", "Network 41 ms"),
            lamp(Tone::Stop, "打印 缺纸", "Printer no paper"),
            lamp(Tone::Wait, "待处理 1", "Pending 1"),
        ],
        pending: vec![Pending {
            trace: 218,
            since: "2026-11-22 14:02:51".into(),
            amount: "¥128.00".into(),
            words: words("冲正未送达", "REVERSAL NOT DELIVERED"),
        }],
        as_of: "2026-11-22 14:03:05".into(),
        sale: Some(reversing()),
        picked: true,
        clock: Some(Clock {
            words: words("等待银行结果，至多", "The bank's result comes within"),
            since_ms: 1_000,
            due_ms: 9_000,
            now_ms: 4_500,
        }),
        actions: vec![
            Action::CashInstead {
                sale: "T0000001/000001/000218".into(),
                amount: "128.00".into(),
            },
            Action::Recover,
            Action::Withdraw,
        ],
        about: vec![AboutKind {
            kind,
            partial: true,
        }],
        notice: Some((Tone::Quiet, words("签到成功", "Signed on"))),
        goods: Some(GoodsQuestion {
            amount: "¥128.00".into(),
            trace: 218,
            until: "2026-11-22 14:05:00".into(),
            until_ms: 9_000,
        }),
        seen: Some(PaperQuestion {
            trace: 218,
            copy: words("持卡人存根", "CARDHOLDER COPY"),
        }),
        second: Some(SecondSwipe {
            earlier: "T0000001/000001/000218".into(),
            amount: "¥128.00".into(),
            plain: "128.00".into(),
            age_min: Some(2),
            sale: Some(reversing()),
            reasons: vec![("supervisor", ("主管决定", "the supervisor decided"))],
        }),
        code: Some(Code {
            words: words("让顾客自己看", "Let the customer see"),
            hint: words("扫一扫", "Scan it"),
            text: "HTTPS://R.EXAMPLE/0123456789ABCDEF".into(),
        }),
        paper: Some(Paper {
            picture: Some(Picture::NoPaper),
            words: words("打印机缺纸", "Out of paper"),
            waiting: 2,
        }),
        recent: vec![
            Recent::Sale(Box::new(reversing())),
            Recent::Cash {
                at: "2026-11-22 13:58:00".into(),
                trace: 217,
                amount: "¥36.50".into(),
                words: words("现金已收", "cash received"),
            },
        ],
        basket: BasketView {
            lines: vec![Line {
                barcode: "690".into(),
                name: words("茶", "Tea"),
                count: 2,
                amount: "¥7.00".into(),
            }],
            total: "¥7.00".into(),
            goods: vec![Good {
                barcode: "690".into(),
                name: words("茶", "Tea"),
                price: "¥3.50".into(),
            }],
        },
        cards: vec!["debit".into()],
        amount: "7.00".into(),
    }
}

fn door() -> Door {
    Door {
        csrf: "c5".into(),
        once: "0e".into(),
    }
}

fn rendered(lang: Lang) -> String {
    let place = Place {
        path: "/",
        events: "/events?once=0e",
    };
    page(lang, &full(), &door(), place)
}

/// Every page of the till in a language.
pub fn pages_of(lang: Lang) -> Vec<String> {
    let all = (0..cases() as u64).map(|n| {
        let deal = Deal::of(n, None);
        let answer = Answer::of("hold", "wait");
        let answer = answer.filter(|_| n % 2 == 0);
        let score = Score { points: 3, of: 6 };
        drill::page(
            lang,
            &Drill {
                deal,
                answer,
                score,
            },
            &door(),
        )
    });
    let kinds = [KindName {
        name: "void".into(),
        words: ("消费撤销", "Void"),
        about: true,
        scanned: false,
    }];
    let more = pages::till::about::page(
        lang,
        &kinds,
        &["debit".into()],
        &door(),
        "2026-11-22 14:03:05",
    );
    let slip = pages::till::found::Slip {
        trace: 218,
        at: "2026-11-22 14:02:51".into(),
        amount: "¥128.00".into(),
        card: "622848******0123".into(),
        title: words("签购单", "Sales slip"),
        state: words("已打印", "printed"),
        sale: true,
    };
    let found = pages::till::found::page(
        lang,
        "\"><i>",
        "/search?q=",
        &[slip],
        &door(),
        "2026-11-22 14:03:05",
    );
    all.chain([rendered(lang), more, found]).collect()
}

#[test]
fn nothing_is_inline() {
    for page in pages_of(Lang::Zh).iter().chain(&pages_of(Lang::En)) {
        assert!(
            !page.contains(" style=") && !page.contains("onclick"),
            "{page}"
        );
        assert!(
            !page.contains("<script>") && !page.contains("<i>"),
            "{page}"
        );
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().expect("its end");
            let guarded =
                form.contains("name=\"csrf\" value=\"c5\"") && form.contains("name=\"once\"");
            assert!(guarded || form.contains("method=\"get\""), "{form}");
        }
    }
}

#[test]
fn the_page_says_what_a_cashier_needs() {
    let zh = rendered(Lang::Zh);
    for words in [
        "勿交货",
        "交易未完成，正在自动冲正",
        "现金收款（自动关联）",
        "找回结果",
        "商品已经交给顾客了吗？",
        "这张卡2 分钟前的",
        "凭条是否完整打出？",
        "缺纸",
        "等待打印 2 张",
        "最近五笔",
        "aria-pressed=\"true\"",
        "data-live=\"/events?once=0e\"",
        "value=\"7.00\"",
        "data-key=\"F2\"",
    ] {
        assert!(zh.contains(words), "no {words} in {zh}");
    }
    // Two buttons and no more, whatever is offered.
    assert!(!zh.contains("立即冲正"));
    assert!(!zh.contains("Escape"), "no key cancels money");
    let parts = parts(Lang::Zh, &full(), &door());
    for (id, html) in &parts {
        assert!(
            zh.contains(&format!("id=\"{id}\"")) && zh.contains(html.as_str()),
            "{id}"
        );
    }
}

#[test]
fn an_empty_till_is_a_page_too() {
    let view = TillView {
        sale: None,
        picked: false,
        clock: None,
        actions: Vec::new(),
        about: Vec::new(),
        notice: None,
        goods: None,
        seen: None,
        second: None,
        code: None,
        paper: None,
        pending: Vec::new(),
        recent: Vec::new(),
        basket: BasketView::default(),
        cards: Vec::new(),
        amount: String::new(),
        ..full()
    };
    let place = Place {
        path: "/",
        events: "/events",
    };
    let page = page(Lang::Zh, &view, &door(), place);
    assert!(page.contains("本机还没有交易") && !page.contains("沙箱测试卡"));
}

#[test]
fn the_step_is_where_the_loop_is() {
    use Bead::{Active, Broken, Closed, NotReached, Unknown as U};
    let confirmed = Reversal {
        cause: ReversalCause::Upstream,
        progress: ReversalProgress::Confirmed(ResponseCode::APPROVED),
        attempts: 1,
    };
    let reversed = Evidence {
        reversal: Some(confirmed),
        ..Evidence::new(Upstream::Silent)
    };
    for (evidence, beads, step) in [
        (
            Evidence::new(Upstream::Waiting),
            [Closed, Active, U, U, U, U, NotReached, NotReached],
            Step::Processed,
        ),
        (
            Evidence::new(Upstream::Waiting),
            [Closed, U, U, U, U, U, Broken, NotReached],
            Step::Answered,
        ),
        (
            Evidence::new(Upstream::NotSent(ResponseCode::ISSUER_TIMEOUT)),
            [
                Broken, NotReached, NotReached, NotReached, NotReached, NotReached, NotReached,
                NotReached,
            ],
            Step::Sent,
        ),
        (
            Evidence::new(Upstream::Approved),
            [
                Closed, Closed, Closed, Closed, Closed, Closed, Closed, NotReached,
            ],
            Step::Answered,
        ),
        (
            reversed,
            [Closed, U, U, U, U, U, Broken, NotReached],
            Step::Answered,
        ),
    ] {
        assert_eq!(Step::of(&sale(&evidence, beads)), step, "{evidence:?}");
    }
    assert_eq!(Step::of(&reversing()), Step::Processed);
    assert_eq!(reversing().outcome, Outcome::Reversing);
}

#[test]
fn keys_make_an_amount() {
    let press = |keys: &[&str]| {
        keys.iter()
            .fold(String::new(), |typed_so_far, key| typed(&typed_so_far, key))
    };
    for (keys, expected) in [
        (&["1", "2", "8"][..], "128"),
        (&["1", "2", ".", "5", "0", "0"], "12.50"),
        (&["0", "0", "5"], "5"),
        (&["00", "7"], "7"),
        (&[".", "5"], "0.5"),
        (&["1", "back", "back"], ""),
        (&["1", "x", "<b>"], "1"),
        (&["9", "9", "9", "9", "9", "9", "9", "9", "9"], "99999999"),
        (&["1", ".", "."], "1."),
    ] {
        assert_eq!(press(keys), expected, "{keys:?}");
    }
    assert!(is_amount("0.01") && !is_amount("") && !is_amount("1e3") && !is_amount("1.234"));
}

#[test]
fn a_drill_scores_by_the_verdict_table() {
    let mut goods_seen = Vec::new();
    for n in 0..cases() as u64 {
        let deal = Deal::of(n, None);
        let mut best = Vec::new();
        for goods in ["deliver", "hold", "do-not-deliver"] {
            for next in Next::ALL {
                let answer = Answer::of(goods, next.name()).expect("an answer");
                if deal.points(answer) == 2 {
                    best.push(answer);
                }
            }
        }
        let [right] = best[..] else {
            panic!("case {n}: one right answer, not {best:?}");
        };
        let score = Score { points: 2, of: 2 };
        let asked = drill::page(
            Lang::Zh,
            &Drill {
                deal,
                answer: None,
                score,
            },
            &door(),
        );
        let marked = drill::page(
            Lang::Zh,
            &Drill {
                deal,
                answer: Some(right),
                score,
            },
            &door(),
        );
        // Goods words stand in the question alone, never in the screen that is judged.
        let screen = asked.split("<fieldset").next().expect("the screen");
        assert!(!screen.contains("<p class=\"goods\""), "{screen}");
        assert!(marked.contains("对") && !marked.contains("不对") && marked.contains("2 / 2"));
        goods_seen.push(right.goods);
    }
    for goods in [Goods::Deliver, Goods::Hold, Goods::DoNotDeliver] {
        assert!(goods_seen.contains(&goods));
    }
    let first = Deal::of(3, None);
    assert_ne!(Deal::of(3, Some(first)), first, "not the same twice");
    assert_eq!(Answer::of("deliver", "steal"), None);
}
