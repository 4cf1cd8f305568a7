//! Reversals: first in line, never given up, under the original's number, and over only with the acquirer's word.

use crate::host::Mac;
use crate::world::{ANSWER_MS, World, key};
use payment::terminal::{Request, Standing};
use payment::{Kind, ResponseCode, SaleKey};
use terminal::{Busy, Command, Ending, Input, Screen};

/// A plain terminal whose sale was not answered; its reversal has just left.
fn silent() -> (World, SaleKey) {
    let mut world = World::signed_on(false);
    let sent = world.sell();
    world.pass(ANSWER_MS);
    world.screens();
    (world, key(&sent))
}

#[test]
fn a_plain_terminal_reverses_a_silent_sale() {
    let (mut world, key) = silent();
    let sent = world.only(Kind::Reversal);
    let Request::Reversal { sale, reason, sign } = sent.request else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (sale.key, reason, sign),
        (key, ResponseCode::ISSUER_TIMEOUT, None)
    );
    // Neither track nor PIN is sent again (reference §4.5).
    for (field, there) in [
        (2, true),
        (35, false),
        (37, false),
        (52, false),
        (53, false),
    ] {
        assert_eq!(sent.fields.contains(&field), there, "field {field}");
    }
    world.code(&sent, ResponseCode::APPROVED, Mac::Right);
    let never_debited = false;
    assert_eq!(
        world.screens(),
        [Screen::Reversed {
            key,
            kind: Kind::Purchase,
            never_debited
        }]
    );
    let next = world.sell();
    assert_eq!(crate::world::key(&next).stan, key.stan.next());
}

#[test]
fn answers() {
    let done = |never_debited| Some(Ending::Reversed { never_debited });
    for (code, mac, ending, refused) in [
        (ResponseCode::APPROVED, Mac::Right, done(false), false),
        (ResponseCode::INVALID_RELATED, Mac::Right, done(true), false),
        (
            ResponseCode::ORIGINAL_NOT_FOUND,
            Mac::Right,
            done(true),
            false,
        ),
        (ResponseCode::APPROVED, Mac::Absent, None, false),
        (ResponseCode::ISSUER_TIMEOUT, Mac::Right, None, false),
        (ResponseCode::BATCH_MISMATCH, Mac::Right, None, false),
        (ResponseCode::ISSUER_UNAVAILABLE, Mac::Right, None, true),
        (ResponseCode::ISSUER_UNAVAILABLE, Mac::Absent, None, true),
        (ResponseCode::APPROVED, Mac::Wrong, None, false),
    ] {
        let (mut world, key) = silent();
        let sent = world.only(Kind::Reversal);
        world.code(&sent, code, mac);
        assert_eq!(world.ending(key), ending, "{code} {mac:?}");
        let shown = world
            .screens()
            .contains(&Screen::ReversalRefused { key, code });
        assert_eq!(shown, refused, "{code} {mac:?}");
        if ending.is_some() {
            continue;
        }
        let kept = world.terminal.state().reversal().unwrap();
        assert_eq!(kept.refused, refused.then_some(code));
        if !world.terminal.state().signed_on() {
            world.sign_on();
        }
        world.pass(500);
        let again = world.only(Kind::Reversal);
        assert_eq!(again.request.origin(), sent.request.origin());
        world.code(&again, ResponseCode::APPROVED, Mac::Right);
        assert_eq!(world.ending(key), done(false));
    }
}

#[test]
fn tried_again_without_end() {
    let (mut world, key) = silent();
    let mut gaps = vec![500, 1_000, 1_000];
    gaps.resize(30, 1_500);
    for (round, gap) in gaps.into_iter().enumerate() {
        let sent = world.only(Kind::Reversal);
        match round % 3 {
            0 => world.pass(ANSWER_MS),
            1 => world.input(Input::Lost {
                exchange: sent.exchange,
            }),
            _ => world.input(Input::NotSent {
                exchange: sent.exchange,
            }),
        }
        world.pass(gap - 1);
        world.nothing_sent();
        world.pass(1);
    }
    let sent = world.only(Kind::Reversal);
    assert_eq!(world.terminal.state().reversal().unwrap().attempts, 31);
    world.code(&sent, ResponseCode::ORIGINAL_NOT_FOUND, Mac::Right);
    assert_eq!(
        world.ending(key),
        Some(Ending::Reversed {
            never_debited: true
        })
    );
}

#[test]
fn it_goes_before_the_next_sale() {
    let (mut world, key) = silent();
    world.pass(ANSWER_MS);
    world.only(Kind::Reversal);
    let presented = world.present();
    let inquiry = Command::balance(presented);
    for command in [world.sale_command(100), inquiry] {
        // While the reversal waits for its next turn it leaves at once; the sale does not.
        world.screens();
        world.command(command);
        let reversing = Screen::Reversing {
            key,
            kind: Kind::Purchase,
            by_acquirer: false,
        };
        assert_eq!(
            world.screens(),
            [reversing, Screen::Busy(Busy::ReversalFirst)]
        );
        let sent = world.only(Kind::Reversal);
        world.input(Input::Lost {
            exchange: sent.exchange,
        });
    }
    let command = world.sale_command(100);
    world.command(command);
    let sent = world.only(Kind::Reversal);
    let command = world.sale_command(100);
    world.command(command);
    world.nothing_sent();
    world.code(&sent, ResponseCode::APPROVED, Mac::Right);
    assert_eq!(world.terminal.state().next_stan(), key.stan.next());
}

#[test]
fn signing_off_does_not_lose_it() {
    let (mut world, key) = silent();
    world.pass(ANSWER_MS);
    world.only(Kind::Reversal);
    world.command(Command::SignOff);
    let sent = world.only(Kind::SignOff);
    world.code(&sent, ResponseCode::APPROVED, Mac::Absent);
    world.sign_on();
    world.pass(500);
    let sent = world.only(Kind::Reversal);
    world.code(&sent, ResponseCode::APPROVED, Mac::Right);
    assert_eq!(
        world.ending(key),
        Some(Ending::Reversed {
            never_debited: false
        })
    );
}

#[test]
fn given_up_upstream() {
    for code in [ResponseCode::ISSUER_TIMEOUT, ResponseCode::LATE_ANSWER] {
        // Extended: the acquirer owns the reversal and is followed.
        let mut world = World::signed_on(true);
        let sent = world.sell();
        let key = key(&sent);
        world.code(&sent, code, Mac::Right);
        let by_acquirer = Screen::Reversing {
            key,
            kind: Kind::Purchase,
            by_acquirer: true,
        };
        assert_eq!(world.screens(), std::slice::from_ref(&by_acquirer));
        assert!(world.terminal.state().reversal().is_none());
        world.command(Command::Withdraw);
        assert_eq!(world.screens(), [by_acquirer]);
        world.pass(500);
        let question = world.only(Kind::ResultQuery);
        let mut answer = payment::terminal::Answer::to(&question.request, ResponseCode::APPROVED);
        answer.standing = Some((
            Standing::Reversed {
                never_debited: false,
            },
            0,
        ));
        world.answer(&question, &answer, Mac::Right);
        let never_debited = false;
        assert_eq!(
            world.screens(),
            [Screen::Reversed {
                key,
                kind: Kind::Purchase,
                never_debited
            }]
        );

        // Plain, or without a MAC: never shown as declined, and reversed by the terminal.
        for (extended, mac) in [
            (false, Mac::Right),
            (true, Mac::Absent),
            (false, Mac::Absent),
        ] {
            let mut world = World::signed_on(extended);
            let sent = world.sell();
            let key = crate::world::key(&sent);
            world.code(&sent, code, mac);
            let by_terminal = Screen::Reversing {
                key,
                kind: Kind::Purchase,
                by_acquirer: false,
            };
            assert_eq!(world.screens(), [by_terminal]);
            world.due();
            let reversal = world.only(Kind::Reversal);
            let reason = ResponseCode::ISSUER_TIMEOUT;
            assert!(matches!(reversal.request, Request::Reversal { reason: r, .. } if r == reason));
        }
    }
}

#[test]
fn a_reversal_that_the_acquirer_takes_over_is_followed() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let key = key(&sent);
    world.command(Command::Withdraw);
    world.due();
    let reversal = world.only(Kind::Reversal);
    world.code(&reversal, ResponseCode::ISSUER_TIMEOUT, Mac::Right);
    assert!(world.terminal.state().reversal().is_none());
    world.pass(500);
    let question = world.only(Kind::ResultQuery);
    // It was never seen after all: the terminal's own again.
    let mut answer = payment::terminal::Answer::to(&question.request, ResponseCode::APPROVED);
    answer.standing = Some((Standing::NeverSeen, 0));
    world.answer(&question, &answer, Mac::Right);
    world.due();
    let reversal = world.only(Kind::Reversal);
    world.code(&reversal, ResponseCode::ORIGINAL_NOT_FOUND, Mac::Right);
    assert_eq!(
        world.ending(key),
        Some(Ending::Reversed {
            never_debited: true
        })
    );
}
