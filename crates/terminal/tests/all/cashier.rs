//! The cashier's keys while something is unresolved: nothing charges twice, nothing is forgotten.

use crate::host::{Mac, approval};
use crate::world::{ANSWER_MS, World, key};
use payment::terminal::Request;
use payment::{Kind, ResponseCode};
use terminal::{Busy, Command, Ending, Input, Screen};

#[test]
fn withdraw() {
    // While the answer is awaited, and while the result is being asked for.
    for ask in [false, true] {
        let mut world = World::signed_on(true);
        let sent = world.sell();
        let key = key(&sent);
        if ask {
            world.pass(ANSWER_MS);
            world.only(Kind::ResultQuery);
        }
        let late = world.host.write(&approval(&sent.request), Mac::Right);
        world.command(Command::Withdraw);
        assert!(!world.frame(sent.exchange, &late));
        world.due();
        let reversal = world.only(Kind::Reversal);
        assert!(matches!(
            reversal.request,
            Request::Reversal {
                reason: ResponseCode::REASON_OTHER,
                ..
            }
        ));
        world.screens();
        world.command(Command::Withdraw);
        assert_eq!(
            world.screens(),
            [Screen::Reversing {
                key,
                kind: Kind::Purchase,
                by_acquirer: false
            }]
        );
        world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
        assert_eq!(
            world.ending(key),
            Some(Ending::Reversed {
                never_debited: false
            })
        );
    }
    let mut world = World::signed_on(true);
    world.command(Command::Withdraw);
    assert_eq!(world.screens(), [Screen::NothingPending]);
    let key = world.sell_and_approve();
    world.command(Command::Withdraw);
    assert_eq!(world.screens(), [Screen::NothingPending]);
    assert!(matches!(world.ending(key), Some(Ending::Approved(_))));
}

#[test]
fn another_sale_waits() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let again = world.sale_command(12_800);
    world.command(again);
    assert_eq!(world.screens(), [Screen::Busy(Busy::SaleUnresolved)]);
    world.nothing_sent();
    // Between two questions the second swipe asks the question, and charges nothing.
    world.pass(ANSWER_MS);
    let question = world.only(Kind::ResultQuery);
    world.input(Input::Lost {
        exchange: question.exchange,
    });
    let again = world.sale_command(12_800);
    world.command(again);
    world.only(Kind::ResultQuery);
    assert_eq!(
        world.screens(),
        [
            Screen::Asking(key(&sent)),
            Screen::Busy(Busy::SaleUnresolved)
        ]
    );
}

#[test]
fn flush_charges_nothing() {
    let mut world = World::signed_on(true);
    world.command(Command::Flush);
    assert_eq!(world.screens(), [Screen::NothingPending]);
    world.nothing_sent();

    // The sign of the last sale, which nobody has heard yet.
    world.sell_and_approve();
    world.command(Command::Flush);
    let report = world.only(Kind::IdleReport);
    world.command(Command::Flush);
    assert_eq!(world.screens(), [Screen::Busy(Busy::Exchanging)]);
    world.code(&report, ResponseCode::APPROVED, Mac::Right);
    world.command(Command::Flush);
    assert_eq!(world.screens(), [Screen::NothingPending]);

    // A question, then a reversal, both before their turn.
    let sent = world.sell();
    world.input(Input::Lost {
        exchange: sent.exchange,
    });
    for _ in 0..terminal::QUERIES_MAX {
        world.command(Command::Flush);
        let question = world.only(Kind::ResultQuery);
        world.input(Input::Lost {
            exchange: question.exchange,
        });
    }
    world.command(Command::Flush);
    world.command(Command::Flush);
    let reversal = world.only(Kind::Reversal);
    world.input(Input::Lost {
        exchange: reversal.exchange,
    });
    world.command(Command::Flush);
    let reversal = world.only(Kind::Reversal);
    world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
    assert!(world.terminal.state().is_settled());
}
