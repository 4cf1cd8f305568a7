//! Silence is not consent: positive signs, implied confirmation, result queries and the one-sided queue.

use crate::outs::*;
use crate::world::*;
use payment::SignOutcome::{Approved, Declined, Reversed};
use payment::evidence::{Confirmation, Delivery};
use payment::sign::Trouble;
use payment::terminal::{MacCheck, Standing};
use payment::verdict::{Owner, Receipt};
use payment::{Amount, Batch, Sign};

#[test]
fn what_a_sign_says_of_the_slip() {
    for (level, trouble, row, receipt) in [
        (5, Trouble::None, "paid", Receipt::Printed),
        (4, Trouble::None, "paid", Receipt::Printed),
        (4, Trouble::PaperOut, "paid", Receipt::Printed),
        (
            3,
            Trouble::None,
            "paid_slip_unconfirmed",
            Receipt::SentNotConfirmed,
        ),
        (
            1,
            Trouble::None,
            "paid_slip_unconfirmed",
            Receipt::SentNotConfirmed,
        ),
        (
            2,
            Trouble::Jam,
            "paid_not_printed",
            Receipt::Failed(Trouble::Jam),
        ),
        (
            0,
            Trouble::SwitchedOff,
            "paid_not_printed",
            Receipt::Failed(Trouble::SwitchedOff),
        ),
        (
            0,
            Trouble::None,
            "paid_not_printed",
            Receipt::Failed(Trouble::Other),
        ),
    ] {
        let mut world = World::open();
        world.approved(&buy(1));
        assert_eq!(
            told(&world.report(sign(1, Approved, level, trouble))),
            ["00"]
        );
        let verdict = world.verdict(&buy(1));
        assert_eq!(
            (verdict.row, verdict.receipt),
            (row, receipt),
            "{level} {trouble:?}"
        );
        assert_eq!(
            (world.payable(), world.acquirer.state().unconfirmed()),
            (12_800, 0)
        );
        let written = world.records();
        world.report(sign(1, Approved, level, trouble));
        assert_eq!(world.records(), written, "the same sign again is no news");
        assert!(world.wait(60_000).is_empty(), "confirmed: it does not age");
    }
}

#[test]
fn a_sign_rides_on_any_message_and_only_under_a_right_mac() {
    let said = Some(sign(1, Approved, 4, Trouble::None));
    let mut world = World::open();
    world.approved(&buy(1));
    let stray = world.keys[&PLAIN].mac;
    let frame = world.frame(
        &world.financial(&Ask {
            sign: said,
            ..buy(2)
        }),
        Some(&stray),
    );
    assert_eq!(told(&world.till_sends(&frame)), ["A0"]);
    assert_eq!(
        world.sale(&buy(1)).evidence.confirmation,
        Confirmation::None
    );
    world.ask(&Ask {
        sign: said,
        ..buy(2)
    });
    assert_eq!(world.verdict(&buy(1)).row, "paid");
    // On a reversal of another sale, too.
    world.approved(&Ask {
        amount: Amount::fen(500),
        ..buy(3)
    });
    world.reverse(&Ask {
        sign: Some(sign(3, Approved, 1, Trouble::None)),
        ..buy(2)
    });
    assert_eq!(world.verdict(&buy(3)).row, "paid_slip_unconfirmed");
    // For a sale that is not there, in flight, or of another terminal, it says nothing.
    let in_flight = Ask {
        amount: Amount::fen(600),
        ..buy(4)
    };
    world.forwarded(&in_flight);
    let written = world.records();
    world.report(sign(4, Approved, 4, Trouble::None));
    world.report(sign(99, Approved, 4, Trouble::None));
    world.report(Sign {
        batch: Batch(2),
        ..sign(1, Declined, 0, Trouble::None)
    });
    assert_eq!(world.records(), written);
}

#[test]
fn a_sign_that_disagrees_is_a_case_at_once_and_keeps_its_number() {
    for outcome in [Declined, Reversed] {
        let mut world = World::open();
        world.approved(&buy(1));
        let day = 86_400_000;
        world.wait(5_000);
        assert_eq!(
            cases(&world.report(sign(1, outcome, 0, Trouble::None))),
            [1]
        );
        let verdict = world.verdict(&buy(1));
        assert_eq!(
            (verdict.row, verdict.owner),
            ("one_sided", Owner::Operations)
        );
        let due = verdict.due.unwrap();
        assert!(due > world.now.wall.0 && due < world.now.wall.0 + day);
        assert!(verdict.headline_en.contains("#1"));
        assert!(world.wait(60_000).is_empty(), "no second case by age");
        assert!(
            cases(&world.report(sign(1, outcome, 1, Trouble::None))).is_empty(),
            "nor by more words"
        );
        assert_eq!(
            (world.acquirer.state().one_sided().count(), world.payable()),
            (1, 12_800)
        );
        // The terminal puts it right.
        world.report(sign(1, Approved, 4, Trouble::None));
        assert_eq!(
            (
                world.verdict(&buy(1)).row,
                world.acquirer.state().one_sided().count()
            ),
            ("paid", 0)
        );
    }
}

#[test]
fn an_unconfirmed_approval_ages_and_a_later_sign_closes_it() {
    let mut world = World::open();
    for stan in 1..=3 {
        world.approved(&buy(stan));
    }
    assert_eq!(
        world.verdict(&buy(1)).due,
        Some(world.now.wall.0 + CONFIRM_WITHIN_MS as i64)
    );
    assert!(world.wait(CONFIRM_WITHIN_MS - 1).is_empty());
    assert_eq!(cases(&world.wait(1)), [1, 2, 3]);
    let verdict = world.verdict(&buy(2));
    assert_eq!(
        (verdict.row, verdict.owner),
        ("one_sided", Owner::Operations)
    );
    assert!(verdict.headline_zh.contains("#2") && verdict.due.unwrap() > world.now.wall.0);
    assert_eq!(world.acquirer.state().one_sided().count(), 3);
    world.restart();
    assert_eq!(
        world.acquirer.state().one_sided().count(),
        3,
        "a restart forgets no case"
    );
    world.report(sign(2, Approved, 4, Trouble::None));
    assert_eq!(world.verdict(&buy(2)).row, "paid");
    // A disagreeing sign keeps the number it has.
    assert!(cases(&world.report(sign(3, Declined, 0, Trouble::None))).is_empty());
    assert!(world.verdict(&buy(3)).headline_zh.contains("#3"));
    // The till takes one back.
    let advice = advice(world.reverse(&buy(1)));
    assert_eq!(told(&world.network_answers(&advice, "00")), ["00"]);
    assert_eq!(
        (world.verdict(&buy(1)).row, world.payable()),
        ("reversed", 2 * 12_800)
    );
    assert_eq!(
        world
            .acquirer
            .state()
            .one_sided()
            .map(|s| s.key())
            .collect::<Vec<_>>(),
        [world.key(&buy(3))]
    );
}

#[test]
fn a_sign_does_not_close_the_case_of_a_refused_reversal() {
    let mut world = World::open();
    world.approved(&buy(1));
    let advice = advice(world.reverse(&buy(1)));
    assert_eq!(cases(&world.network_answers(&advice, "40")), [1]);
    world.report(sign(1, Approved, 4, Trouble::None));
    let verdict = world.verdict(&buy(1));
    assert!(
        verdict.row == "reversal_refused"
            && verdict.headline_zh.contains("#1")
            && verdict.due.is_some()
    );
    assert_eq!(world.acquirer.state().one_sided().count(), 1);
}

/// Messages may pass each other on their way: what was said before the till knew does not undo what it said then.
#[test]
fn an_old_approval_does_not_undo_what_was_taken_back() {
    let mut world = World::open();
    world.approved(&buy(1));
    let advice = advice(world.reverse(&buy(1)));
    world.network_answers(&advice, "00");
    world.report(sign(1, Reversed, 1, Trouble::None));
    let written = world.records();
    world.report(sign(1, Approved, 4, Trouble::None));
    assert_eq!(world.records(), written);
    // More of the slip is still news, less of it is old, and what somebody saw counts.
    for (level, trouble, is_news) in [
        (4, Trouble::None, true),
        (2, Trouble::PaperOut, false),
        (0, Trouble::None, false),
        (0, Trouble::Blank, true),
        (4, Trouble::None, true),
    ] {
        let written = world.records();
        world.report(sign(1, Reversed, level, trouble));
        let heard = world.records() > written;
        assert_eq!(heard, is_news, "{level} {trouble:?}");
    }
}

#[test]
fn a_plain_terminal_confirms_by_its_next_sale() {
    let plain = |stan| Ask {
        terminal: PLAIN,
        ..buy(stan)
    };
    let mut world = World::open();
    world.approved(&plain(1));
    world.ask(&plain(1));
    assert_eq!(
        world.verdict(&plain(1)).row,
        "approved_unconfirmed",
        "a repeat confirms nothing of itself"
    );
    let asked = world.forwarded(&plain(2));
    assert_eq!(world.verdict(&plain(1)).row, "paid_slip_unknown");
    world.network_answers(&asked, "51");
    // The last of the day ages, and the first of the next morning closes it.
    world.approved(&plain(3));
    assert_eq!(cases(&world.wait(CONFIRM_WITHIN_MS)), [1]);
    world.approved(&plain(4));
    assert_eq!(
        (
            world.verdict(&plain(3)).row,
            world.acquirer.state().one_sided().count()
        ),
        ("paid_slip_unknown", 0)
    );
    assert_eq!(world.verdict(&plain(2)).row, "declined");
    // What it took back before is not confirmed by going on.
    let advice = advice(world.reverse(&plain(4)));
    world.network_answers(&advice, "00");
    world.forwarded(&plain(5));
    assert_eq!(
        (world.verdict(&plain(4)).row, world.payable()),
        ("reversed", 2 * 12_800)
    );
    // A terminal that speaks the extension is not taken at its silence.
    let small = |stan| Ask {
        amount: Amount::fen(500),
        ..buy(stan)
    };
    world.approved(&small(1));
    world.approved(&small(2));
    assert_eq!(world.verdict(&small(1)).row, "approved_unconfirmed");
}

#[test]
fn a_query_is_told_every_standing_and_moves_nothing() {
    let mut world = World::open();
    assert_eq!(world.query(EXTENDED, 1).0, Standing::NeverSeen);
    let asked = world.forwarded(&buy(1));
    assert_eq!(
        world.query(EXTENDED, 1),
        (Standing::InProgress, world.query(EXTENDED, 1).1)
    );
    let (first, _) = till(world.network_answers(&asked, "00"));
    let (standing, found) = world.query(EXTENDED, 1);
    assert_eq!(standing, Standing::Approved);
    let whole = |a: &payment::terminal::Answer| {
        (
            a.amount,
            a.rrn,
            a.approval,
            a.local,
            a.settlement,
            a.acquirer,
        )
    };
    assert_eq!(whole(&found), whole(&first), "the whole first answer");
    assert_eq!(world.sale(&buy(1)).evidence.delivery, Delivery::Recovered);
    let written = world.records();
    world.query(EXTENDED, 1);
    assert_eq!(
        (world.records(), world.payable()),
        (written, 12_800),
        "asking again is no news"
    );
    let declined = world.forwarded(&buy(2));
    world.network_answers(&declined, "55");
    assert_eq!(
        world.query(EXTENDED, 2).0,
        Standing::Declined(payment::ResponseCode::WRONG_PIN)
    );
    let advice = advice(world.reverse(&buy(1)));
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Reversing);
    world.network_answers(&advice, "96");
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Case);
    world.network_answers(&advice, "00");
    let (standing, found) = world.query(EXTENDED, 1);
    assert_eq!(
        (standing, found.approval, found.amount),
        (
            Standing::Reversed {
                never_debited: false
            },
            None,
            None
        )
    );
    // It leaves no tombstone: what was never seen can still be sold.
    assert_eq!(world.query(EXTENDED, 3).0, Standing::NeverSeen);
    world.approved(&buy(3));
    // What the till has printed was not lost, whoever asks for it later.
    world.report(sign(3, Approved, 4, Trouble::None));
    world.query(EXTENDED, 3);
    assert_eq!(world.verdict(&buy(3)).row, "paid");
}

#[test]
fn an_answer_that_found_nobody() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let lost = |outs: Vec<Out>| match <[Out; 1]>::try_from(outs) {
        Ok([Out::Till { lost, .. }]) => lost,
        other => panic!("{other:?}"),
    };
    let first = lost(world.network_answers(&asked, "00")).unwrap();
    world.step(first);
    assert_eq!(
        (world.verdict(&buy(1)).row, world.payable()),
        ("approved_undelivered", 12_800)
    );
    // Asked again and answered again: it is under way once more, until that is lost, too.
    let second = lost(world.ask(&buy(1))).unwrap();
    assert_eq!(world.verdict(&buy(1)).row, "approved_unconfirmed");
    world.step(second);
    assert_eq!(world.verdict(&buy(1)).row, "approved_undelivered");
    world.query(EXTENDED, 1);
    world.report(sign(1, Approved, 4, Trouble::None));
    assert_eq!(world.verdict(&buy(1)).row, "recovered");
    // A lost decline is nobody's trouble.
    let asked = world.forwarded(&buy(2));
    assert!(lost(world.network_answers(&asked, "51")).is_none());
    // Lost, and nobody comes: it ages.
    let asked = world.forwarded(&buy(3));
    let input = lost(world.network_answers(&asked, "00")).unwrap();
    world.step(input);
    assert_eq!(cases(&world.wait(CONFIRM_WITHIN_MS)), [1]);
    assert_eq!(world.verdict(&buy(3)).row, "one_sided");
}

#[test]
fn nothing_is_said_without_a_mac_to_a_terminal_that_signed_on_again() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    world.sign_on(EXTENDED, 950);
    let (_, mac) = till(world.network_answers(&asked, "00"));
    assert_eq!(mac, MacCheck::Right, "under the newest key");
}
