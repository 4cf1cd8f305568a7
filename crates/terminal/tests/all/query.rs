//! Silence of the acquirer at an extended terminal: asked first, and every standing leads somewhere.

use crate::host::{ASK_AGAIN_MS, Mac, Sent, rrn_and_approval};
use crate::world::{ANSWER_MS, DIALOGUE_MS, GOODS_MS, QUERY_MS, World, key};
use payment::terminal::{Answer, Request, Standing};
use payment::{Amount, Kind, ResponseCode, SaleKey};
use terminal::{Command, Ending, Input, Phase, QUERIES_MAX, Screen};

/// An unanswered sale, and the question about it that has just left.
fn asking() -> (World, SaleKey, Sent) {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let key = key(&sent);
    world.pass(ANSWER_MS);
    assert_eq!(world.screens(), [Screen::Asking(key)]);
    let question = world.only(Kind::ResultQuery);
    let Request::Query {
        original, origin, ..
    } = question.request
    else {
        panic!("{question:?}")
    };
    assert_eq!(original, (key.batch, key.stan));
    assert_eq!(origin.stan, Some(key.stan.next()));
    (world, key, question)
}

fn result(question: &Sent, standing: Standing) -> Answer {
    let mut answer = Answer::to(&question.request, ResponseCode::APPROVED);
    answer.standing = Some((standing, ASK_AGAIN_MS));
    if standing == Standing::Approved {
        // The whole first answer, its amount included.
        (answer.rrn, answer.approval) = rrn_and_approval();
        answer.amount = Some(Amount::fen(12_800));
    }
    answer
}

fn tell(world: &mut World, question: &Sent, standing: Standing) {
    world.answer(question, &result(question, standing), Mac::Right);
}

fn approved(key: SaleKey) -> Screen {
    let amount = Amount::fen(12_800);
    Screen::Approved {
        key,
        kind: Kind::Purchase,
        amount,
        recovered: true,
    }
}

fn reversed_by_terminal(world: &mut World, key: SaleKey) {
    world.due();
    let reversal = world.only(Kind::Reversal);
    assert_eq!(crate::world::key(&reversal), key);
    world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
    assert_eq!(
        world.ending(key),
        Some(Ending::Reversed {
            never_debited: false
        })
    );
}

#[test]
fn approved_within_the_dialogue_is_kept_and_printed() {
    let (mut world, key, question) = asking();
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(world.screens(), [approved(key)]);
    let slip = terminal::slip_id(key.batch, key.stan);
    assert!(world.terminal.state().spool().evidence(slip).is_some());
    assert!(
        matches!(world.ending(key), Some(Ending::Approved(a)) if a.recovered && a.rrn.is_some())
    );
}

#[test]
fn a_lost_connection_is_silence_at_once() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.input(Input::Lost {
        exchange: sent.exchange,
    });
    world.due();
    let question = world.only(Kind::ResultQuery);
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(
        world
            .ending(key(&sent))
            .map(|e| matches!(e, Ending::Approved(_))),
        Some(true)
    );
}

/// Approved after the dialogue: the cashier is being asked.
fn asked_late() -> (World, SaleKey) {
    let (mut world, key, question) = asking();
    world.pass(QUERY_MS);
    // The terminal was off for a while.
    drop(question);
    world.now.mono = world.now.mono.plus_ms(DIALOGUE_MS);
    world.restart();
    world.due();
    let question = world.only(Kind::ResultQuery);
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(world.screens(), [Screen::AskGoods(key)]);
    (world, key)
}

#[test]
fn approved_after_the_dialogue_asks_for_the_goods() {
    let (mut world, key) = asked_late();
    world.command(Command::GoodsHandedOver(true));
    assert_eq!(world.screens(), [approved(key)]);
    world.command(Command::GoodsHandedOver(false));
    assert_eq!(world.screens(), [Screen::NothingPending]);

    let (mut world, key) = asked_late();
    world.command(Command::GoodsHandedOver(false));
    reversed_by_terminal(&mut world, key);

    let (mut world, key) = asked_late();
    world.command(Command::Withdraw);
    reversed_by_terminal(&mut world, key);

    let (mut world, key) = asked_late();
    world.pass(GOODS_MS - 1);
    world.nothing_sent();
    world.pass(1);
    reversed_by_terminal(&mut world, key);
}

#[test]
fn nothing_else_moves_the_question_about_the_goods() {
    // A sale and a flush show it again and ask the acquirer nothing.
    let (mut world, key) = asked_late();
    let until = world.deadline();
    let command = world.sale_command(100);
    world.command(command);
    world.command(Command::Flush);
    world.nothing_sent();
    assert_eq!(world.deadline(), until);
    assert_eq!(
        world
            .screens()
            .iter()
            .filter(|s| **s == Screen::AskGoods(key))
            .count(),
        2
    );
    world.restart();
    world.pass(GOODS_MS);
    reversed_by_terminal(&mut world, key);

    // It runs out under an exchange, without keys, and while signing on.
    for command in [Command::Echo, Command::SignOff, Command::SignOn] {
        let (mut world, key) = asked_late();
        world.pass(GOODS_MS - 500);
        world.command(command);
        world.due();
        world.pass(500);
        assert!(world.terminal.state().reversal().is_some());
        world.sent.clear();
        world.pass(ANSWER_MS + 1_000);
        let sent = world.sent.pop_front().unwrap();
        if sent.request.kind() == Kind::SignOn {
            let answer = world.host.sign_on(&sent.request);
            world.answer(&sent, &answer, Mac::Absent);
            reversed_by_terminal(&mut world, key);
        }
    }

    // Signed off in the middle of it: keys are fetched, and the question stays.
    let (mut world, key) = asked_late();
    world.command(Command::SignOff);
    let sent = world.only(Kind::SignOff);
    world.code(&sent, ResponseCode::APPROVED, Mac::Absent);
    world.sign_on();
    world.screens();
    world.command(Command::GoodsHandedOver(true));
    assert_eq!(world.screens(), [approved(key)]);
}

#[test]
fn declined_reversed_case_never_seen() {
    let code = ResponseCode::INSUFFICIENT_FUNDS;
    for (standing, ending) in [
        (Standing::Declined(code), Ending::Declined(code)),
        (
            Standing::Reversed {
                never_debited: false,
            },
            Ending::Reversed {
                never_debited: false,
            },
        ),
        (Standing::Case, Ending::Case),
    ] {
        let (mut world, key, question) = asking();
        tell(&mut world, &question, standing);
        assert_eq!(world.ending(key), Some(ending));
        assert_eq!(world.screens().len(), 1);
        world.pass(GOODS_MS);
        assert!(
            world
                .sent
                .iter()
                .all(|s| s.request.kind() == Kind::IdleReport)
        );
    }
    let (mut world, key, question) = asking();
    tell(&mut world, &question, Standing::NeverSeen);
    reversed_by_terminal(&mut world, key);
}

#[test]
fn in_progress_is_asked_again_and_not_taken_for_reversing() {
    let (mut world, key, mut question) = asking();
    for _ in 0..2 * QUERIES_MAX {
        tell(&mut world, &question, Standing::InProgress);
        world.pass(u64::from(ASK_AGAIN_MS) - 1);
        world.nothing_sent();
        world.pass(1);
        question = world.only(Kind::ResultQuery);
    }
    assert_eq!(world.screens(), []);
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(world.screens(), [approved(key)]);

    // Nobody reverses it yet, so the cashier may.
    let (mut world, key, question) = asking();
    tell(&mut world, &question, Standing::InProgress);
    world.command(Command::Withdraw);
    reversed_by_terminal(&mut world, key);

    // And silence after it counts as silence.
    let (mut world, key, question) = asking();
    tell(&mut world, &question, Standing::InProgress);
    for _ in 0..QUERIES_MAX {
        world.pass(500);
        world.only(Kind::ResultQuery);
        world.pass(QUERY_MS);
    }
    world.pass(500);
    reversed_by_terminal(&mut world, key);

    // Nor does it go on for ever.
    let (mut world, key, mut question) = asking();
    while matches!(
        world.terminal.state().open().map(|o| o.phase),
        Some(Phase::Unknown { .. })
    ) {
        tell(&mut world, &question, Standing::InProgress);
        world.pass(u64::from(ASK_AGAIN_MS));
        if let Some(sent) = world
            .sent
            .pop_front_if(|s| s.request.kind() == Kind::ResultQuery)
        {
            question = sent;
        }
    }
    reversed_by_terminal(&mut world, key);
}

#[test]
fn reversing_is_followed_however_long_it_takes() {
    let (mut world, key, mut question) = asking();
    for round in 0..20 {
        match round % 4 {
            0 => tell(&mut world, &question, Standing::Reversing),
            1 => tell(
                &mut world,
                &question,
                Standing::Declined(ResponseCode::ISSUER_TIMEOUT),
            ),
            2 => world.pass(QUERY_MS),
            _ => world.input(Input::NotSent {
                exchange: question.exchange,
            }),
        }
        world.pass(500);
        question = world.only(Kind::ResultQuery);
    }
    assert_eq!(
        world.screens(),
        [Screen::Reversing {
            key,
            kind: Kind::Purchase,
            by_acquirer: true
        }]
    );
    tell(
        &mut world,
        &question,
        Standing::Reversed {
            never_debited: false,
        },
    );
    assert_eq!(
        world.ending(key),
        Some(Ending::Reversed {
            never_debited: false
        })
    );
}

#[test]
fn approved_after_reversing_was_shown_asks_even_within_the_dialogue() {
    let (mut world, key, question) = asking();
    tell(&mut world, &question, Standing::Reversing);
    world.pass(u64::from(ASK_AGAIN_MS));
    let question = world.only(Kind::ResultQuery);
    world.screens();
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(world.screens(), [Screen::AskGoods(key)]);
}

#[test]
fn no_answer_leads_to_a_reversal() {
    // Nothing, nothing to be trusted, or nothing that fits: all of them are no answer.
    let rows: [fn(&mut World, &Sent); 7] = [
        |world, _| world.pass(QUERY_MS),
        |world, sent| {
            world.input(Input::NotSent {
                exchange: sent.exchange,
            })
        },
        |world, sent| {
            world.input(Input::Lost {
                exchange: sent.exchange,
            })
        },
        |world, sent| world.answer(sent, &result(sent, Standing::Approved), Mac::Absent),
        |world, sent| world.code(sent, ResponseCode::APPROVED, Mac::Right),
        |world, sent| {
            let mut answer = result(sent, Standing::Approved);
            answer.amount = Some(Amount::fen(12_801));
            world.answer(sent, &answer, Mac::Right);
        },
        |world, sent| {
            let mut answer = result(sent, Standing::Approved);
            answer.code = ResponseCode::INSUFFICIENT_FUNDS;
            world.answer(sent, &answer, Mac::Right);
        },
    ];
    for no_answer in rows {
        let (mut world, key, mut question) = asking();
        for _ in 1..QUERIES_MAX {
            no_answer(&mut world, &question);
            world.pass(500);
            question = world.only(Kind::ResultQuery);
        }
        no_answer(&mut world, &question);
        world.pass(500);
        assert_eq!(
            world.screens(),
            [0, 1].map(|_| Screen::Reversing {
                key,
                kind: Kind::Purchase,
                by_acquirer: false
            })
        );
        reversed_by_terminal(&mut world, key);
    }
}

#[test]
fn a_wrong_mac_fetches_new_keys_before_the_next_question() {
    let (mut world, key, question) = asking();
    world.answer(
        &question,
        &result(&question, Standing::Approved),
        Mac::Wrong,
    );
    world.sign_on();
    world.pass(500);
    let question = world.only(Kind::ResultQuery);
    world.screens();
    tell(&mut world, &question, Standing::Approved);
    assert_eq!(world.screens(), [approved(key)]);
}
