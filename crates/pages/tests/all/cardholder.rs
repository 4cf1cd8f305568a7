//! The cardholder's page: where the coin stands, what is promised, what is never shown, and both languages.

use pages::Lang;
use pages::cardholder::{
    Answer, Asked, MoneyView, Status, Step, Unreadable, Within, declared, form, missing, money,
    not_sent, parts, picture, sent, too_often, unavailable, within,
};
use payment::evidence::{Evidence, Upstream};
use payment::kind::Rail;
use payment::verdict::{Outcome, ROWS};
use payment::{Declarations, Statement, Wall};

const NOON: i64 = 1_795_320_000_000;

/// A sale of 128.00 in the state of this row of the verdict table.
pub fn view(row: &str) -> MoneyView {
    let row = ROWS.iter().find(|known| known.id == row).expect("a row");
    let words = |(zh, en): (&str, &str)| {
        let fill = |text: &str| {
            let text = text.replace("{reason}", "余额不足").replace("{case}", "7");
            text.replace("{attempts}", "2")
        };
        (fill(zh), fill(en).replace("余额不足", "insufficient funds"))
    };
    MoneyView {
        path: "/r/7Q2K88MD0A1B2C3D".to_owned(),
        merchant: "幸福里超市".to_owned(),
        merchant_id: "898310154110001".to_owned(),
        terminal: "T0000001".to_owned(),
        batch: 1,
        stan: 218,
        rrn: "611214028812".to_owned(),
        kind: ("消费".to_owned(), "purchase".to_owned()),
        family: row.families.first().copied(),
        amount: "¥128.00".to_owned(),
        last4: "0123".to_owned(),
        received: Wall(NOON),
        approval: None,
        status: Status {
            headline: words(row.headline),
            line: words(row.cardholder),
            position: row.position,
            outcome: row.outcome,
            owner: row.owner,
            rail: Rail::Card,
            beads: Some(Evidence::new(Upstream::NetworkGaveUp).beads()),
        },
        as_of: Wall(NOON + 12_000),
        events: vec![
            Step {
                at: Wall(NOON),
                words: ("已接受，发往银联", "accepted and sent to the network"),
                times: 1,
            },
            Step {
                at: Wall(NOON + 9_000),
                words: ("发出冲正通知", "a reversal advice was sent"),
                times: 2,
            },
        ],
        certificates: Vec::new(),
        reversed_at: (row.outcome == Outcome::Reversed).then_some(Wall(NOON + 11_300)),
        returns: Vec::new(),
        declared: Declarations::default(),
        sends: true,
    }
}

/// What stands in the picture of the stations.
fn drawing(view: &MoneyView) -> String {
    parts(Lang::Zh, view)["where"].clone()
}

#[test]
fn the_coin_stands_where_the_money_is() {
    let coin = |x: usize| format!(r#"<circle class="coin" cx="{x}""#);
    let between = r#"<circle class="coin unknown" cx="67""#.to_owned();
    for (row, coin, arrow, words) in [
        ("confirming", between.clone(), None, "是否扣款尚不可知"),
        ("move_done", coin(312), None, "已转入对方账户"),
        (
            "reversing_silent",
            between.clone(),
            Some("arrow back\""),
            "正在退回您的卡",
        ),
        (
            "reversing_approved",
            coin(102),
            Some("arrow back\""),
            "发卡行已扣·挂账",
        ),
        (
            "reversal_refused",
            between,
            Some("arrow back\""),
            "是否扣款尚不可知",
        ),
        ("paid", coin(242), Some("arrow on\""), "收单待结算"),
        ("reversed", coin(32), Some("arrow back arrived\""), "已退回"),
        ("reversed_never_debited", coin(32), None, "持卡人账户"),
        ("declined", coin(32), None, "持卡人账户"),
        ("hold_done", coin(102), None, "发卡行冻结·未扣款"),
        ("release_done", coin(32), None, "已解冻"),
    ] {
        let drawn = drawing(&view(row));
        assert!(drawn.contains(&coin), "{row}: {drawn}");
        assert!(drawn.contains(words), "{row}: {drawn}");
        match arrow {
            Some(arrow) => assert!(drawn.contains(arrow), "{row}: {drawn}"),
            None => assert!(!drawn.contains("arrow"), "{row}: {drawn}"),
        }
    }
    let unknown = drawing(&view("return_reversed"));
    assert!(!unknown.contains("coin"), "nobody here knows: {unknown}");
    let mut scanned = view("paid");
    scanned.status.rail = Rail::Wallet;
    assert!(drawing(&scanned).contains("钱包") && !drawing(&scanned).contains("银联"));
}

#[test]
fn nothing_is_promised_without_a_number() {
    let seconds = |n: u64| n * 1_000;
    let hundred: Vec<u64> = (1..=100).map(seconds).collect();
    for (returns, expected) in [
        (Vec::new(), None),
        (vec![7], Some((1, 7, false))),
        ((1..=19).collect(), Some((19, 19, false))),
        ((1..=20).collect(), Some((20, 19, true))),
        ((1..=21).collect(), Some((21, 20, true))),
        ((1..=100).rev().collect(), Some((100, 95, true))),
    ] {
        let expected = expected.map(|(cases, ms, most)| Within { cases, ms, most });
        assert_eq!(within(&returns), expected, "{returns:?}");
    }
    let mut reversing = view("reversing_silent");
    let soon = |view: &MoneyView| parts(Lang::En, view)["soon"].clone();
    let now = |view: &MoneyView| parts(Lang::En, view)["now"].clone();
    assert!(soon(&reversing).contains("we do not say how long"));
    reversing.returns = vec![4_000, 26_000, 9_000];
    assert!(soon(&reversing).contains("last 3 returns all came within <b>26 s</b>"));
    assert!(
        !now(&reversing).contains("Expect it back"),
        "three are too few"
    );
    reversing.returns = hundred;
    assert!(
        soon(&reversing).contains("19 of 20 came within <b>95 s</b>"),
        "{}",
        soon(&reversing)
    );
    assert!(
        now(&reversing).contains("19 of 20 of this bank's last 100"),
        "{}",
        now(&reversing)
    );
    let (dots, rows) = (
        soon(&reversing).matches("class=\"dot\"").count(),
        soon(&reversing).matches("<tr>").count(),
    );
    assert!(
        (30..=100).contains(&dots) && rows == 37,
        "{dots} dots, {rows} rows"
    );
    reversing.as_of = Wall(NOON + 96_000);
    assert!(now(&reversing).contains("takes longer than usual"));
    let reversed = view("reversed");
    assert!(
        soon(&reversed).contains("this one took <b>12 s</b>"),
        "{}",
        soon(&reversed)
    );
    let mut refused = view("reversal_refused");
    refused.returns = vec![1_000; 40];
    assert!(soon(&refused).is_empty() && !now(&refused).contains("Expect"));
    assert_eq!(soon(&view("paid")), "");
    assert_eq!(soon(&view("declined")), "");
}

#[test]
fn what_comes_from_outside_is_text() {
    let script = "<script>alert(1)</script>\"'&";
    let mut sale = view("paid_not_printed");
    sale.merchant = script.to_owned();
    sale.terminal = "<b>".to_owned();
    let asked = Asked {
        amount: script.to_owned(),
        date: script.to_owned(),
        time: script.to_owned(),
        last4: script.to_owned(),
        shop: script.to_owned(),
    };
    for lang in Lang::ALL {
        let pages = [
            money(lang, &sale),
            form(lang, &asked, "2026-11-22", Answer::NotShown),
            picture(&sale).unwrap_or_default(),
        ];
        for page in pages {
            assert!(!page.contains("<script>alert"), "{page}");
            assert!(!page.contains("<b></dd>"), "{page}");
            assert!(!page.contains(" style="), "no inline style: {page}");
        }
    }
}

const SHOWN: [&str; 8] = [
    "confirming",
    "paid",
    "paid_not_printed",
    "reversing_network_gave_up",
    "reversed",
    "declined",
    "reversal_refused",
    "return_done",
];

/// A sale with a past to promise from, and a statement of its cardholder.
fn full(row: &str) -> MoneyView {
    let mut sale = view(row);
    sale.returns = (1..=30).map(|n| n * 700).collect();
    sale.declared.keep(Statement::PaidCash, Wall(NOON + 60_000));
    sale
}

/// Every page of the public port.
pub fn all(lang: Lang) -> Vec<String> {
    let sale = view("paid");
    let form = |answer| form(lang, &Asked::default(), "2026-11-22", answer);
    let others = [
        missing(lang),
        too_often(lang),
        unavailable(lang),
        sent(lang, &sale),
        not_sent(lang, &sale, ("不能发送", "It cannot be sent")),
        declared(lang, &sale, Statement::NotMe),
        form(Answer::None),
        form(Answer::NotShown),
        form(Answer::Unreadable(Unreadable::Last4)),
    ];
    let money = SHOWN.map(|row| money(lang, &full(row)));
    others.into_iter().chain(money).collect()
}

#[test]
fn a_page_holds_four_digits_of_the_card() {
    for row in SHOWN {
        let sale = full(row);
        let (zh, en) = (money(Lang::Zh, &sale), money(Lang::En, &sale));
        assert!(
            zh.contains("**** 0123") && zh.contains(&sale.status.headline.0),
            "{row}"
        );
        assert!(
            en.contains(&sale.status.headline.1) && en.contains("?lang=zh-CN"),
            "{row}"
        );
        assert!(!zh.contains("622848"), "{row}");
        assert!(
            zh.contains("611214028812") && zh.contains("000218"),
            "{row}"
        );
    }
}

#[test]
fn an_open_loop_is_live_and_a_closed_one_is_not() {
    let open = money(Lang::Zh, &view("reversing_silent"));
    assert!(
        open.contains(r#"data-live="/r/7Q2K88MD0A1B2C3D/events""#) && open.contains("<noscript>")
    );
    let closed = money(Lang::Zh, &view("paid"));
    assert!(!closed.contains("data-live") && !closed.contains("<noscript>"));
    for id in parts(Lang::Zh, &view("paid")).keys() {
        assert!(
            open.contains(&format!(r#"id="{id}""#)),
            "no element for {id}"
        );
    }
}

#[test]
fn statements_are_asked_for_where_they_make_sense_and_shown_once_made() {
    let asks = |view: &MoneyView, statement: Statement| {
        money(Lang::Zh, view).contains(&format!(r#"value="{}""#, statement.name()))
    };
    for (row, cash) in [
        ("paid", true),
        ("confirming", true),
        ("reversed", true),
        ("declined", false),
        ("move_done", false),
    ] {
        assert_eq!(asks(&view(row), Statement::PaidCash), cash, "{row}");
        assert!(asks(&view(row), Statement::NotMe), "{row}");
    }
    let mut said = view("paid");
    said.declared.keep(Statement::PaidCash, Wall(NOON));
    assert!(!asks(&said, Statement::PaidCash) && asks(&said, Statement::NotMe));
    assert!(money(Lang::Zh, &said).contains("您已声明“我另外付了现金”"));
    let mut quiet = view("paid");
    quiet.sends = false;
    assert!(!money(Lang::Zh, &quiet).contains("/send"));
}

#[test]
fn three_facts_are_read_as_people_type_them() {
    let asked = |amount: &str, date: &str, time: &str, last4: &str| Asked {
        amount: amount.to_owned(),
        date: date.to_owned(),
        time: time.to_owned(),
        last4: last4.to_owned(),
        shop: " ".to_owned(),
    };
    for (amount, time, last4) in [
        ("128", "14:03", "0123"),
        ("¥128.00", "14:03", " 0123 "),
        ("１２８．００", "１４：０３", "０１２３"),
        ("￥128.0元", "14:03", "0123"),
    ] {
        let facts = asked(amount, "2026-11-22", time, last4)
            .facts()
            .expect(amount);
        assert_eq!(facts.amount.minor, 12_800, "{amount}");
        assert_eq!(facts.minute.text(), "2026-11-22 14:03:00");
        assert_eq!((facts.last4.as_str(), facts.shop), ("0123", None));
    }
    for (asked, wrong) in [
        (asked("", "2026-11-22", "14:03", "0123"), Unreadable::Amount),
        (
            asked("0", "2026-11-22", "14:03", "0123"),
            Unreadable::Amount,
        ),
        (
            asked("-1", "2026-11-22", "14:03", "0123"),
            Unreadable::Amount,
        ),
        (
            asked("1.234", "2026-11-22", "14:03", "0123"),
            Unreadable::Amount,
        ),
        (
            asked("128", "2026-11-32", "14:03", "0123"),
            Unreadable::Minute,
        ),
        (asked("128", "2026-11-22", "", "0123"), Unreadable::Minute),
        (
            asked("128", "2026-11-22", "14:03", "6228480000000123"),
            Unreadable::Last4,
        ),
        (
            asked("128", "2026-11-22", "14:03", "012x"),
            Unreadable::Last4,
        ),
    ] {
        assert_eq!(asked.facts(), Err(wrong), "{asked:?}");
    }
}
