//! The positive sign (settled point 5): said until it is heard, and not once more.

use crate::host::Mac;
use crate::world::{ANSWER_MS, IDLE_MS, QUERY_MS, World, key, switched};
use payment::sign::Trouble;
use payment::{Kind, ResponseCode, SignOutcome};
use receipt::SpoolInput;
use terminal::{Command, Input, Screen};

#[test]
fn the_next_message_carries_it() {
    let mut world = World::signed_on(true);
    let first = world.sell_and_approve();
    let sent = world.sell();
    let sign = sent.request.sign().unwrap();
    assert_eq!((sign.batch, sign.stan), (first.batch, first.stan));
    assert_eq!(sign.outcome, SignOutcome::Approved);
    // A decline says nothing new: the approval before it has been heard now.
    world.code(&sent, ResponseCode::INSUFFICIENT_FUNDS, Mac::Right);
    assert_eq!(world.deadline().filter(|at| *at <= world.now.mono), None);
    world.command(Command::Flush);
    world.nothing_sent();
}

#[test]
fn a_decline_does_not_hide_an_unreported_approval() {
    let mut world = World::signed_on(true);
    let first = world.sell_and_approve();
    let sent = world.sell();
    // Without a MAC the answer proves nothing, also not that the sign was heard.
    world.code(&sent, ResponseCode::INSUFFICIENT_FUNDS, Mac::Absent);
    world.due();
    let reversal = world.only(Kind::Reversal);
    assert_eq!(reversal.request.sign().unwrap().stan, first.stan);
    world.input(Input::Lost {
        exchange: reversal.exchange,
    });
    world.pass(500);
    let reversal = world.only(Kind::Reversal);
    assert_eq!(reversal.request.sign().unwrap().stan, first.stan);
    world.code(&reversal, ResponseCode::INVALID_RELATED, Mac::Right);
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    let sign = report.request.sign().unwrap();
    assert_eq!(
        (sign.stan, sign.outcome),
        (key(&reversal).stan, SignOutcome::Reversed)
    );

    let mut world = World::signed_on(true);
    let first = world.sell_and_approve();
    let sent = world.sell();
    world.input(Input::NotSent {
        exchange: sent.exchange,
    });
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    assert_eq!(report.request.sign().unwrap().stan, first.stan);
}

#[test]
fn an_idle_terminal_reports_until_it_is_heard() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    world.pass(IDLE_MS - 1);
    world.nothing_sent();
    world.pass(1);
    world.only(Kind::IdleReport);
    world.pass(QUERY_MS + IDLE_MS);
    let report = world.only(Kind::IdleReport);
    world.code(&report, ResponseCode::APPROVED, Mac::Absent);
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    world.code(&report, ResponseCode::APPROVED, Mac::Right);
    let heard = report.request.sign().unwrap();

    // What becomes of the slip is news, each time once.
    world.input(Input::Printer(switched(true)));
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    let sign = report.request.sign().unwrap();
    assert_eq!(sign.stan, heard.stan);
    assert_eq!(sign.slip.trouble, Trouble::SwitchedOff);
    assert_ne!(sign, heard);
    world.code(&report, ResponseCode::APPROVED, Mac::Right);
    world.pass(10 * IDLE_MS);
    world.nothing_sent();
    assert_eq!(world.screens(), []);
}

/// A report whose answer is lost may have been heard: when the slip is again as it was before, that is news once more.
#[test]
fn what_was_said_in_between_is_taken_back() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    world.input(Input::Printer(SpoolInput::Lost));
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    let unreachable = report.request.sign().unwrap();
    assert_eq!(unreachable.slip.trouble, Trouble::Offline);
    world.code(&report, ResponseCode::APPROVED, Mac::Right);

    world.input(Input::Printer(SpoolInput::Restarted));
    world.pass(IDLE_MS);
    let between = world.only(Kind::IdleReport).request.sign().unwrap();
    assert_eq!(between.slip.trouble, Trouble::None);
    world.input(Input::Printer(SpoolInput::Lost));
    world.pass(QUERY_MS + IDLE_MS);
    let report = world.only(Kind::IdleReport);
    assert_eq!(report.request.sign(), Some(unreachable));
    world.code(&report, ResponseCode::APPROVED, Mac::Right);
    world.pass(10 * IDLE_MS);
    world.nothing_sent();
}

#[test]
fn a_sale_need_not_wait_for_a_report() {
    let mut world = World::signed_on(true);
    let first = world.sell_and_approve();
    world.pass(IDLE_MS);
    world.only(Kind::IdleReport);
    let sent = world.sell();
    assert_eq!(sent.request.sign().unwrap().stan, first.stan);
}

#[test]
fn a_plain_terminal_has_none() {
    let mut world = World::signed_on(false);
    world.input(Input::Printer(switched(true)));
    world.sell_and_approve();
    world.pass(10 * IDLE_MS);
    world.nothing_sent();
    let sent = world.sell();
    assert_eq!(sent.request.sign(), None);
    world.pass(ANSWER_MS);
    assert_eq!(world.only(Kind::Reversal).request.sign(), None);
}

#[test]
fn a_sign_on_need_not_wait_for_a_report() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    world.pass(IDLE_MS);
    world.only(Kind::IdleReport);
    world.screens();
    world.command(Command::SignOn);
    world.sign_on();
    assert!(world.screens().contains(&Screen::SignedOn));
}
