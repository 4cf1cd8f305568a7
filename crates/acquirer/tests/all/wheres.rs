//! Where is the money? One test per fault of the alphabet, while the loop is open and after it healed, from evidence alone.

use crate::outs::*;
use crate::world::*;
use payment::SignOutcome::Approved;
use payment::loop_picture::dots;
use payment::sign::Trouble;
use payment::terminal::Standing;
use payment::verdict::{Goods, Outcome, Owner, Position, Receipt};
use std::collections::BTreeMap;

/// Row, outcome, receipt, position, goods, owner, whether something is due, and the loop.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Expected<'a>(
    &'static str,
    Outcome,
    Receipt,
    Position,
    Goods,
    Owner,
    bool,
    &'a str,
);

#[track_caller]
fn check(world: &World, ask: &Ask, expected: Expected<'static>, payable: i64) {
    let v = world.verdict(ask);
    let beads = dots(&v.beads);
    let found = Expected(
        v.row,
        v.outcome,
        v.receipt,
        v.position,
        v.goods,
        v.owner,
        v.due.is_some(),
        &beads,
    );
    assert_eq!(found, expected);
    if let Some(due) = v.due {
        let ahead = due - world.now.wall.0;
        assert!((0..86_400_000).contains(&ahead), "due in {ahead} ms");
    }
    for text in [&v.headline_zh, &v.headline_en]
        .into_iter()
        .chain(v.lines.iter().flat_map(|(zh, en)| [zh, en]))
    {
        assert!(
            !text.contains(['{', '}']) && !text.ends_with('#'),
            "not filled in: {text}"
        );
    }
    assert_eq!(world.payable(), payable);
    world.acquirer.state().books().ledger().audit().unwrap();
}

const CONFIRMING: Expected<'static> = Expected(
    "confirming",
    Outcome::Unknown,
    Receipt::None,
    Position::DebitedOrNot,
    Goods::Hold,
    Owner::Acquirer,
    true,
    "●●◐? ○○○▯",
);
const SILENT: Expected<'static> = Expected(
    "reversing_silent",
    Outcome::Reversing,
    Receipt::None,
    Position::DebitedOrNot,
    Goods::DoNotDeliver,
    Owner::Acquirer,
    true,
    "●●?? ?✕?▯",
);
const UNCONFIRMED: Expected<'static> = Expected(
    "approved_unconfirmed",
    Outcome::Approved,
    Receipt::Unknown,
    Position::AcquirerPayable,
    Goods::Hold,
    Owner::Terminal,
    true,
    "●●●● ●●??",
);
const PAID: Expected<'static> = Expected(
    "paid",
    Outcome::Approved,
    Receipt::Printed,
    Position::AcquirerPayable,
    Goods::Deliver,
    Owner::Nobody,
    false,
    "●●●● ●●●▮",
);

fn reversed(beads: &'static str) -> Expected<'static> {
    let (no, gone) = (Goods::DoNotDeliver, Position::Returned);
    Expected(
        "reversed",
        Outcome::Reversed,
        Receipt::None,
        gone,
        no,
        Owner::Nobody,
        false,
        beads,
    )
}

/// Request lost before the network.
#[test]
fn where_f1() {
    let (mut world, ask) = (World::open(), buy(1));
    world.forwarded(&ask);
    check(&world, &ask, CONFIRMING, 0);
    let advice = advice(world.wait(LADDER.acquirer_ms));
    check(&world, &ask, SILENT, 0);
    world.network_answers(&advice, "25");
    let healed = Expected(
        "reversed_never_debited",
        Outcome::Reversed,
        Receipt::None,
        Position::Cardholder,
        Goods::DoNotDeliver,
        Owner::Nobody,
        false,
        "●●?? ?✕?▯",
    );
    check(&world, &ask, healed, 0);
}

/// The issuer debited, its answer was lost to the network.
#[test]
fn where_f2() {
    let (mut world, ask) = (World::open(), buy(1));
    let asked = world.forwarded(&ask);
    check(&world, &ask, CONFIRMING, 0);
    let advice = advice(world.network_answers(&asked, "98"));
    let open = Expected(
        "reversing_network_gave_up",
        Outcome::Reversing,
        Receipt::None,
        Position::DebitedOrNot,
        Goods::DoNotDeliver,
        Owner::Acquirer,
        true,
        "●●●? ✕●?▯",
    );
    check(&world, &ask, open, 0);
    world.network_answers(&advice, "00");
    check(&world, &ask, reversed("●●●● ✕●?▯"), 0);
}

/// The network's answer was lost on its way to us.
#[test]
fn where_f3() {
    let (mut world, ask) = (World::open(), buy(1));
    world.forwarded(&ask);
    let advice = advice(world.wait(LADDER.acquirer_ms));
    check(&world, &ask, SILENT, 0);
    world.network_answers(&advice, "00");
    check(&world, &ask, reversed("●●●● ?✕?▯"), 0);
}

/// Our answer was lost on the last hop.
#[test]
fn where_f4() {
    let (mut world, ask) = (World::open(), buy(1));
    let asked = world.forwarded(&ask);
    let Some(Out::Till {
        lost: Some(lost), ..
    }) = world.network_answers(&asked, "00").pop()
    else {
        panic!()
    };
    world.step(lost);
    let open = Expected(
        "approved_undelivered",
        Outcome::Approved,
        Receipt::Unknown,
        Position::AcquirerPayable,
        Goods::Hold,
        Owner::Terminal,
        true,
        "●●●● ●●✕▯",
    );
    check(&world, &ask, open, 12_800);
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Approved);
    check(&world, &ask, UNCONFIRMED, 12_800);
    world.report(sign(1, Approved, 4, Trouble::None));
    check(
        &world,
        &ask,
        Expected {
            0: "recovered",
            ..PAID
        },
        12_800,
    );
}

/// The terminal died after receiving and before writing: it comes back, asks, or takes it back.
#[test]
fn where_f5() {
    let (mut world, ask) = (World::open(), buy(1));
    world.approved(&ask);
    check(&world, &ask, UNCONFIRMED, 12_800);
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Approved);
    world.report(sign(1, Approved, 4, Trouble::None));
    check(
        &world,
        &ask,
        Expected {
            0: "recovered",
            ..PAID
        },
        12_800,
    );
    // It takes it back: the money is known to have been debited.
    let ask = buy(2);
    world.approved(&ask);
    check(&world, &ask, UNCONFIRMED, 25_600);
    let advice = advice(world.reverse(&ask));
    let open = Expected(
        "reversing_approved",
        Outcome::Reversing,
        Receipt::None,
        Position::Suspended,
        Goods::DoNotDeliver,
        Owner::Acquirer,
        true,
        "●●●● ●●??",
    );
    check(&world, &ask, open, 12_800);
    world.network_answers(&advice, "00");
    check(&world, &ask, reversed("●●●● ●●??"), 12_800);
    // It never comes back: people look.
    let ask = buy(3);
    world.approved(&ask);
    assert_eq!(cases(&world.wait(CONFIRM_WITHIN_MS)), [1]);
    let one_sided = Expected {
        0: "one_sided",
        5: Owner::Operations,
        ..UNCONFIRMED
    };
    check(&world, &ask, one_sided, 25_600);
}

/// The terminal died after writing, before or while printing.
#[test]
fn where_f6() {
    let (mut world, ask) = (World::open(), buy(1));
    world.approved(&ask);
    check(&world, &ask, UNCONFIRMED, 12_800);
    world.report(sign(1, Approved, 2, Trouble::PowerLost));
    check(&world, &ask, not_printed(Trouble::PowerLost), 12_800);
    assert!(world.verdict(&ask).lines[0].0.contains("打印时断电"));
    world.report(sign(1, Approved, 5, Trouble::None));
    check(&world, &ask, PAID, 12_800);
}

fn not_printed(trouble: Trouble) -> Expected<'static> {
    Expected(
        "paid_not_printed",
        Outcome::Approved,
        Receipt::Failed(trouble),
        Position::AcquirerPayable,
        Goods::Deliver,
        Owner::Cashier,
        false,
        "●●●● ●●●✕",
    )
}

/// Out of paper.
#[test]
fn where_f7a() {
    let (mut world, ask) = (World::open(), buy(1));
    world.approved(&ask);
    world.report(sign(1, Approved, 0, Trouble::PaperOut));
    check(&world, &ask, not_printed(Trouble::PaperOut), 12_800);
    let verdict = world.verdict(&ask);
    assert!(verdict.lines[0].0.contains("缺纸") && verdict.lines[0].1.contains("out of paper"));
    world.report(sign(1, Approved, 4, Trouble::None));
    check(&world, &ask, PAID, 12_800);
}

/// The answer came after the reversal had left.
#[test]
fn where_f8() {
    let (mut world, ask) = (World::open(), buy(1));
    let asked = world.forwarded(&ask);
    let advice = advice(world.wait(LADDER.acquirer_ms));
    check(&world, &ask, SILENT, 0);
    world.network_answers(&asked, "00");
    let open = Expected(
        "reversing_late_approval",
        Outcome::Reversing,
        Receipt::None,
        Position::Suspended,
        Goods::DoNotDeliver,
        Owner::Acquirer,
        true,
        "●●●● ●✕?▯",
    );
    check(&world, &ask, open, 0);
    world.network_answers(&advice, "00");
    check(&world, &ask, reversed("●●●● ●✕?▯"), 0);
}

/// The same request twice: one forward, one debit, one answer.
#[test]
fn where_f9() {
    let (mut world, ask) = (World::open(), buy(1));
    let asked = world.forwarded(&ask);
    assert!(world.ask(&ask).is_empty());
    check(&world, &ask, CONFIRMING, 0);
    assert_eq!(told(&world.network_answers(&asked, "00")), ["00"]);
    assert_eq!(told(&world.ask(&ask)), ["00"]);
    check(&world, &ask, UNCONFIRMED, 12_800);
    world.report(sign(1, Approved, 4, Trouble::None));
    check(&world, &ask, PAID, 12_800);
    assert_eq!(world.sale(&ask).evidence.duplicates, 2);
}

/// The reversal is lost, then refused, then answered late.
#[test]
fn where_f10() {
    let (mut world, ask) = (World::open(), buy(1));
    world.forwarded(&ask);
    let advice = advice(world.wait(LADDER.acquirer_ms));
    check(&world, &ask, SILENT, 0);
    world.wait(8_000);
    check(
        &world,
        &ask,
        Expected {
            0: "reversal_retrying",
            ..SILENT
        },
        0,
    );
    let attempts = world.sale(&ask).evidence.reversal.unwrap().attempts;
    let [.., (operator, _)] = &world.verdict(&ask).lines;
    assert!(operator.contains(&format!("第 {attempts} 次")));
    assert_eq!(cases(&world.network_answers(&advice, "40")), [1]);
    let refused = Expected(
        "reversal_refused",
        Outcome::ReversalRefused,
        Receipt::None,
        Position::DebitedOrNot,
        Goods::DoNotDeliver,
        Owner::Operations,
        true,
        "●●?? ?✕?▯",
    );
    check(&world, &ask, refused, 0);
    assert!(!advices(&world.wait(5_000)).is_empty());
    check(&world, &ask, refused, 0);
    world.network_answers(&advice, "00");
    check(&world, &ask, reversed("●●●● ?✕?▯"), 0);
}

/// Open verdicts differ by the hop that broke, as far as our own evidence can tell.
#[test]
fn where_differs_by_hop() {
    let mut open = BTreeMap::<&str, Vec<&str>>::new();
    let mut note = |fault, world: &World| {
        open.entry(world.verdict(&buy(1)).row)
            .or_default()
            .push(fault)
    };
    let run = |play: fn(&mut World)| {
        let mut world = World::open();
        play(&mut world);
        world
    };
    let lost_request = |world: &mut World| {
        world.forwarded(&buy(1));
        world.wait(LADDER.acquirer_ms);
    };
    note("F1", &run(lost_request));
    note(
        "F2",
        &run(|world| {
            let asked = world.forwarded(&buy(1));
            world.network_answers(&asked, "98");
        }),
    );
    note("F3", &run(lost_request));
    note(
        "F4",
        &run(|world| {
            let asked = world.forwarded(&buy(1));
            let Some(Out::Till {
                lost: Some(lost), ..
            }) = world.network_answers(&asked, "00").pop()
            else {
                panic!()
            };
            world.step(lost);
        }),
    );
    note("F5", &run(|world| drop(world.approved(&buy(1)))));
    note("F6", &run(|world| drop(world.approved(&buy(1)))));
    note(
        "F7a",
        &run(|world| {
            world.approved(&buy(1));
            world.report(sign(1, Approved, 0, Trouble::PaperOut));
        }),
    );
    note(
        "F8",
        &run(|world| {
            let asked = world.forwarded(&buy(1));
            world.wait(LADDER.acquirer_ms);
            world.network_answers(&asked, "00");
        }),
    );
    note(
        "F9",
        &run(|world| {
            world.forwarded(&buy(1));
            world.ask(&buy(1));
        }),
    );
    note(
        "F10",
        &run(|world| {
            world.forwarded(&buy(1));
            world.wait(LADDER.acquirer_ms + 10_000);
        }),
    );
    assert_eq!(
        open.into_iter().collect::<Vec<_>>(),
        [
            ("approved_unconfirmed", vec!["F5", "F6"]),
            ("approved_undelivered", vec!["F4"]),
            ("confirming", vec!["F9"]),
            ("paid_not_printed", vec!["F7a"]),
            ("reversal_retrying", vec!["F10"]),
            ("reversing_late_approval", vec!["F8"]),
            ("reversing_network_gave_up", vec!["F2"]),
            ("reversing_silent", vec!["F1", "F3"]),
        ]
    );
}
