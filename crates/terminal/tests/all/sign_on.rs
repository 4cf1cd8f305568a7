//! Sign-on: keys are taken whole or not at all, and what fails is tried again.

use crate::host::{BATCH, Mac};
use crate::world::{ANSWER_MS, World};
use payment::terminal::{Answer, MacCheck};
use payment::{Kind, ResponseCode, Stan};
use terminal::{Busy, Command, Input, Screen};

#[test]
fn good() {
    let world = World::signed_on(true);
    let state = world.terminal.state();
    assert!(state.signed_on());
    assert_eq!((state.batch(), state.next_stan()), (BATCH, Stan(42)));
    assert_eq!(world.deadline(), None);
}

#[test]
fn silent_or_refused_or_without_good_keys_is_tried_again() {
    let mut world = World::new(true);
    world.command(Command::SignOn);
    world.due();
    let silent = world.only(Kind::SignOn);
    world.pass(ANSWER_MS);
    assert_eq!(world.screens(), [Screen::HostSilent]);
    world.pass(1_000);
    let refused = world.only(Kind::SignOn);
    assert_ne!(refused.request.origin().stan, silent.request.origin().stan);
    world.code(&refused, ResponseCode::INVALID_MERCHANT, Mac::Absent);
    let shown = [Screen::SignOnRefused(ResponseCode::INVALID_MERCHANT)];
    assert_eq!(world.screens(), shown);

    // A check value that does not hold: the frame is not taken, and time runs out.
    world.pass(1_000);
    let sent = world.only(Kind::SignOn);
    let mut answer = world.host.sign_on(&sent.request);
    if let Some(keys) = &mut answer.keys {
        keys.0[39] ^= 1;
    }
    let bytes = world.host.write(&answer, Mac::Absent);
    assert!(!world.frame(sent.exchange, &bytes));
    world.pass(ANSWER_MS);
    assert_eq!(world.screens(), [Screen::HostSilent]);
    assert!(world.terminal.state().keys().is_none());

    // Approved and no keys at all is not called approved.
    world.pass(1_000);
    let sent = world.only(Kind::SignOn);
    world.code(&sent, ResponseCode::APPROVED, Mac::Absent);
    let shown = [Screen::SignOnRefused(ResponseCode::SECURITY_ERROR)];
    assert_eq!(world.screens(), shown);
    world.pass(1_000);
    world.sign_on();
    assert_eq!(world.screens(), [Screen::SignedOn]);
}

#[test]
fn a_sale_before_it_starts_it() {
    let mut world = World::new(true);
    let command = world.sale_command(100);
    world.command(command);
    assert_eq!(world.screens(), [Screen::Busy(Busy::SignOnFirst)]);
    world.sign_on();
    world.screens();
    world.sell_and_approve();
}

#[test]
fn codes_that_ask_for_it_start_it() {
    for code in [
        ResponseCode::BATCH_MISMATCH,
        ResponseCode::PIN_FORMAT,
        ResponseCode::MAC_ERROR,
    ] {
        let mut world = World::signed_on(true);
        let sent = world.sell();
        world.code(&sent, code, Mac::Right);
        assert!(matches!(world.screens()[..], [Screen::Declined { code: c, .. }] if c == code));
        world.sign_on();
        world.screens();
        world.sell_and_approve();
    }
}

#[test]
fn echo_and_sign_off() {
    let mut world = World::signed_on(true);
    world.command(Command::Echo);
    let sent = world.only(Kind::Echo);
    assert_eq!(sent.request.origin().stan, None);
    world.command(Command::SignOff);
    assert_eq!(world.screens(), [Screen::Busy(Busy::Exchanging)]);
    world.code(&sent, ResponseCode::APPROVED, Mac::Absent);
    world.command(Command::SignOff);
    let sent = world.only(Kind::SignOff);
    // The cashier stops for now, whatever the code says.
    world.code(&sent, ResponseCode::MAC_ERROR, Mac::Absent);
    assert_eq!(world.screens(), [Screen::EchoAnswered, Screen::SignedOff]);
    assert_eq!(world.deadline(), None);
    world.command(Command::Echo);
    world.pass(ANSWER_MS);
    assert_eq!(world.screens(), [Screen::HostSilent]);
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let mut world = World::signed_on(true);
    world.command(Command::Echo);
    let sent = world.only(Kind::Echo);
    let written = world.records.len();
    let answer = Answer::to(&sent.request, ResponseCode::APPROVED);
    for exchange in [0, sent.exchange - 1, sent.exchange + 1] {
        let bytes = world.host.write(&answer, Mac::Absent);
        assert!(!world.frame(exchange, &bytes));
        world.input(Input::Answer {
            exchange,
            mac: MacCheck::Right,
            answer: Box::new(answer),
            keys: None,
            chip: None,
        });
        world.input(Input::NotSent { exchange });
        world.input(Input::Lost { exchange });
    }
    assert_eq!(world.records.len(), written);
}
