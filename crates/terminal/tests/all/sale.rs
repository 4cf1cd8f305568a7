//! A sale that is answered: what counts as an approval, as a decline, and as no answer at all.

use crate::host::{Mac, approval};
use crate::world::{ANSWER_MS, World, key};
use payment::terminal::{Answer, Request};
use payment::{Amount, Kind, MerchantId, ResponseCode, Stan, TerminalId};
use receipt::SpoolRecord;
use terminal::{Command, Ending, Input, Record, Screen};

#[test]
fn clean() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    for field in [2, 35, 52, 64] {
        assert!(sent.fields.contains(&field));
    }
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    let key = key(&sent);
    let amount = Amount::fen(12_800);
    assert_eq!(
        world.screens(),
        [Screen::Approved {
            key,
            kind: Kind::Purchase,
            amount,
            recovered: false
        }]
    );
    assert!(matches!(world.ending(key), Some(Ending::Approved(a)) if a.rrn.is_some()));
    let slips: Vec<_> = world
        .records
        .iter()
        .cloned()
        .filter_map(|record| match record {
            Record::Spool(SpoolRecord::Submitted {
                slip_id,
                fields,
                copy,
                ..
            }) => Some((slip_id, fields.amount_minor, copy)),
            _ => None,
        })
        .collect();
    let id = terminal::slip_id(key.batch, key.stan);
    let copies = [receipt::CopyOf::Merchant, receipt::CopyOf::Cardholder];
    assert_eq!(slips, copies.map(|copy| (id, 12_800, copy)));
    let totals = world.terminal.state().totals();
    assert_eq!(
        (totals.debits, totals.debits_minor, totals.reversed),
        (1, 12_800, 0)
    );
}

#[test]
fn partly_approved() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let mut answer = approval(&sent.request);
    answer.code = ResponseCode::PARTIAL;
    answer.amount = Some(Amount::fen(5_000));
    world.answer(&sent, &answer, Mac::Right);
    assert!(matches!(
        world.screens()[..],
        [Screen::Approved { amount, .. }] if amount == Amount::fen(5_000)
    ));
    assert_eq!(world.terminal.state().totals().debits_minor, 5_000);
}

#[test]
fn declined_with_a_mac_leaves_nothing() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let code = ResponseCode::INSUFFICIENT_FUNDS;
    world.code(&sent, code, Mac::Right);
    assert_eq!(
        world.screens(),
        [Screen::Declined {
            key: key(&sent),
            kind: Kind::Purchase,
            code
        }]
    );
    assert!(world.terminal.state().is_settled());
    assert_eq!(world.deadline(), None);
    assert!(world.printer.is_empty());
}

#[test]
fn declined_without_a_mac_is_shown_and_reversed() {
    let mut world = World::signed_on(false);
    let sent = world.sell();
    let (key, code) = (key(&sent), ResponseCode::INSUFFICIENT_FUNDS);
    world.code(&sent, code, Mac::Absent);
    let reversing = Screen::Reversing {
        key,
        kind: Kind::Purchase,
        by_acquirer: false,
    };
    assert_eq!(
        world.screens(),
        [
            reversing.clone(),
            Screen::Declined {
                key,
                kind: Kind::Purchase,
                code
            }
        ]
    );
    world.due();
    let reversal = world.only(Kind::Reversal);
    world.code(&reversal, ResponseCode::INVALID_RELATED, Mac::Right);
    let reversed = Screen::Reversed {
        key,
        kind: Kind::Purchase,
        never_debited: true,
    };
    assert_eq!(world.screens(), [reversing, reversed]);
}

#[test]
fn an_approval_without_a_right_mac_is_reversed() {
    for (mac, signs_on) in [(Mac::Absent, false), (Mac::Wrong, true)] {
        for extended in [false, true] {
            let mut world = World::signed_on(extended);
            let sent = world.sell();
            let key = key(&sent);
            world.answer(&sent, &approval(&sent.request), mac);
            let reversing = Screen::Reversing {
                key,
                kind: Kind::Purchase,
                by_acquirer: false,
            };
            assert_eq!(world.screens(), [reversing]);
            if signs_on {
                world.sign_on();
            }
            world.due();
            let reversal = world.only(Kind::Reversal);
            assert!(matches!(
                reversal.request,
                Request::Reversal {
                    reason: ResponseCode::MAC_ERROR,
                    ..
                }
            ));
            world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
            assert_eq!(
                world.ending(key),
                Some(Ending::Reversed {
                    never_debited: false
                })
            );
        }
    }
}

#[test]
fn what_does_not_match_is_no_answer() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let good = approval(&sent.request);
    let rows: [fn(&mut Answer); 7] = [
        |a| a.amount = Some(Amount::fen(12_801)),
        |a| a.amount = None,
        |a| a.processing = Some(310_000),
        |a| a.origin.stan = Some(Stan(40)),
        |a| a.origin.terminal = TerminalId::parse(b"T0000002").unwrap(),
        |a| a.origin.merchant = MerchantId::parse(b"M00000000000002").unwrap(),
        |a| a.kind = Kind::Reversal,
    ];
    let written = world.records.len();
    for change in rows {
        let mut answer = good;
        change(&mut answer);
        world.answer(&sent, &answer, Mac::Right);
        assert_eq!(world.records.len(), written, "{answer:?}");
    }
    assert!(!world.frame(sent.exchange, b"\x00\x20nonsense"));
    world.answer(&sent, &good, Mac::Right);
    assert!(matches!(world.screens()[..], [Screen::Approved { .. }]));
}

#[test]
fn a_late_answer_is_ignored() {
    let mut world = World::signed_on(false);
    let sent = world.sell();
    let late = world.host.write(&approval(&sent.request), Mac::Right);
    world.pass(ANSWER_MS);
    let reversal = world.only(Kind::Reversal);
    assert!(!world.frame(sent.exchange, &late));
    // Also as the answer to the reversal it is none.
    assert!(!world.frame(reversal.exchange, &late));
    world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
    assert!(!world.frame(sent.exchange, &late));
    let ending = world.ending(key(&sent));
    assert_eq!(
        ending,
        Some(Ending::Reversed {
            never_debited: false
        })
    );
}

#[test]
fn a_request_that_never_left_needs_no_reversal() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.input(Input::NotSent {
        exchange: sent.exchange,
    });
    assert_eq!(world.screens(), [Screen::NotSent(key(&sent))]);
    assert_eq!(world.deadline(), None);
    let next = world.sell();
    assert_eq!(key(&next).stan, key(&sent).stan.next());
}

#[test]
fn a_balance_inquiry_is_never_reversed() {
    let ask = |world: &mut World| {
        let presented = world.present();
        world.command(Command::balance(presented));
        let sent = world.only(Kind::BalanceInquiry);
        world.screens();
        sent
    };
    let mut world = World::signed_on(true);
    let sent = ask(&mut world);
    let mut answer = Answer::to(&sent.request, ResponseCode::APPROVED);
    answer.balance = Some(-1_234);
    world.answer(&sent, &answer, Mac::Right);
    assert_eq!(world.screens(), [Screen::Balance(-1_234)]);

    let sent = ask(&mut world);
    answer.origin = sent.request.origin();
    world.answer(&sent, &answer, Mac::Absent);
    assert_eq!(
        world.screens(),
        [Screen::BalanceRefused(ResponseCode::MAC_ERROR)]
    );

    let sent = ask(&mut world);
    world.code(&sent, ResponseCode::INSUFFICIENT_FUNDS, Mac::Right);
    let refused = Screen::BalanceRefused(ResponseCode::INSUFFICIENT_FUNDS);
    assert_eq!(world.screens(), [refused]);

    ask(&mut world);
    world.pass(ANSWER_MS);
    let lost = ask(&mut world);
    world.input(Input::Lost {
        exchange: lost.exchange,
    });
    let unsent = ask(&mut world);
    world.input(Input::NotSent {
        exchange: unsent.exchange,
    });
    assert_eq!(world.screens(), [Screen::HostSilent]);
    world.pass(60_000);
    world.nothing_sent();
    assert!(world.terminal.state().is_settled());
}
