//! Views to render: a sale whose answer was lost, of a merchant whose name is a script.

use pages::SaleView;
use pages::console::board::{Board, Clock, Figures, LinkCard, Listed};
use pages::console::one_sided::{Cause, Item, Queue};
use payment::evidence::Bead;
use payment::kind::Rail;
use payment::loop_picture;
use payment::verdict::{Goods, Outcome};

/// A merchant's name that would run if it were not text.
pub const HOSTILE: &str = "<script>alert('幸福里')</script>";

fn words(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

/// A sale whose answer was lost at the network, being reversed.
pub fn sale() -> SaleView {
    use Bead::{Broken, Closed, NotReached, Unknown};
    let beads = [
        Closed, Closed, Unknown, Unknown, Unknown, Broken, NotReached, NotReached,
    ];
    SaleView {
        key: "T0000001/000001/000042".into(),
        rrn: "611214000042".into(),
        kind: words("消费", "purchase"),
        amount_minor: 12_800,
        amount: "¥128.00".into(),
        card: "622848******0123".into(),
        received: "2026-11-22 14:02:51".into(),
        as_of: "2026-11-22 14:03:05".into(),
        row: "reversing_silent".into(),
        headline: words(
            "交易未完成，正在自动冲正",
            "Not completed. Reversing automatically",
        ),
        outcome: Outcome::Reversing,
        receipt: "none".into(),
        position: words("是否扣款尚不可知", "debited or not: not known yet"),
        position_id: "debited_or_not".into(),
        goods: words("勿交货", "Do not deliver"),
        goods_id: Goods::DoNotDeliver,
        owner: words("收单系统（自动）", "acquirer, automatically"),
        due: Some("2026-11-22 14:03:20".into()),
        due_ms: Some(1_795_240_000_000),
        lines: [
            words("收银", "till"),
            words("商户", "shop"),
            words("持卡人", "holder"),
            words("运营", "staff"),
        ],
        rail: Rail::Card,
        beads,
        dots: loop_picture::dots(&beads),
        picture: words("", ""),
        slip: words("无需小票", "none is due"),
        link: None,
        evidence: vec![words(
            "已发往银联，超时无应答",
            "sent to the network; no answer within the time-out",
        )],
    }
}

/// It in a list.
pub fn listed() -> Listed {
    Listed {
        sale: sale(),
        merchant: HOSTILE.into(),
    }
}

/// It in the queue.
pub fn item() -> Item {
    Item {
        row: listed(),
        cause: Cause::LostUpstream,
        case: Some(7),
        clock: Some(Clock {
            due_ms: 1_795_240_000_000,
            left_ms: -3_000,
        }),
        age_ms: 90_000_000,
    }
}

/// A queue of one.
pub fn queue() -> Queue {
    Queue {
        items: vec![item()],
        more: 2,
    }
}

/// A board with one sale.
pub fn board() -> Board {
    Board {
        as_of: "2026-11-22 14:03:05".into(),
        figures: Figures {
            window_s: 60,
            arrived: 740,
            per_second_tenths: 123,
            approved: 999,
            answered: 1_000,
            latency_ms: Some([4, 9, 38]),
            cases: 7,
            forwarded: 100_000,
            in_flight: 3,
            open: 4,
            oldest: Some(Clock {
                due_ms: 1_795_240_000_000,
                left_ms: 42_000,
            }),
        },
        sales: vec![listed()],
        passed: 1,
        links: vec![LinkCard {
            name: words("银联", "Network"),
            up: false,
            lines: vec![(("在途请求", "in flight"), "3".into())],
        }],
    }
}
