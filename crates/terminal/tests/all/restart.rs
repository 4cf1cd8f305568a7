//! The terminal dies at every record it writes, before and after the effects, and comes back.

use crate::host::Fate;
use crate::money::{agree, settle};
use crate::world::World;
use payment::ResponseCode;
use std::collections::VecDeque;
use terminal::{Command, Record};

/// What the requests meet after the sign-on, one after another; then everything is well.
const STORIES: &[&[Fate]] = &[
    &[],
    &[Fate::Decline],
    &[Fate::NoMac(ResponseCode::APPROVED)],
    &[Fate::NoMac(ResponseCode::INSUFFICIENT_FUNDS)],
    &[Fate::WrongMac],
    &[Fate::WrongMac, Fate::WrongMac, Fate::AnswerLost],
    &[Fate::GaveUp],
    &[Fate::InProgress(3)],
    &[Fate::InProgress(10)],
    &[Fate::InProgress(3), Fate::RequestLost, Fate::AnswerLost],
    &[Fate::AnswerLost],
    &[Fate::AnswerLost, Fate::RequestLost],
    &[
        Fate::AnswerLost,
        Fate::RequestLost,
        Fate::AnswerLost,
        Fate::AnswerLost,
    ],
    &[Fate::Broken, Fate::Refused, Fate::Broken],
    &[Fate::RequestLost],
    &[
        Fate::RequestLost,
        Fate::RequestLost,
        Fate::Refused,
        Fate::RequestLost,
    ],
    &[Fate::Refused],
];

fn run(story: &[Fate], extended: bool, goods: Option<bool>, crash: Option<(usize, bool)>) -> World {
    let mut world = World::new(extended);
    world.crash = crash;
    let mut fates = story.iter().copied().collect::<VecDeque<_>>();
    world.command(Command::SignOn);
    settle(&mut world, &mut fates, goods);
    // A cashier who sees nothing happen tries again; then the next customers come.
    for _ in 0..3 {
        let sale = world.sale_command(4_200);
        world.command(sale);
        world.serve(&mut fates, Fate::Approve);
        settle(&mut world, &mut fates, goods);
    }
    assert!(!world.host.sales.is_empty());
    agree(&world);
    world
}

#[test]
fn at_every_record() {
    let mut questions = 0;
    for story in STORIES {
        for extended in [true, false] {
            for goods in [None, Some(true), Some(false)] {
                let records = run(story, extended, goods, None).records;
                let asks = |record: &Record| matches!(record, Record::AskGoods { .. });
                let asked = records.iter().any(asks);
                if goods.is_some() && !asked {
                    continue;
                }
                questions += u32::from(asked);
                for at in 1..=records.len() {
                    for after_effects in [false, true] {
                        run(story, extended, goods, Some((at, after_effects)));
                    }
                }
            }
        }
    }
    assert_eq!(questions, 3);
}

/// A dead acquirer: whatever is unresolved stays so, with a next step each time, and at no more than a few requests a second.
#[test]
fn in_a_silent_world() {
    for story in STORIES {
        for extended in [true, false] {
            let mut world = World::signed_on(extended);
            let mut fates = story.iter().copied().collect::<VecDeque<_>>();
            let sale = world.sale_command(4_200);
            world.command(sale);
            world.serve(&mut fates, Fate::RequestLost);
            for _ in 0..30 {
                let before = world.records.len();
                world.pass(10_000);
                world.serve(&mut fates, Fate::RequestLost);
                assert!(world.records.len() - before < 80);
                if world.terminal.state().is_settled() {
                    continue;
                }
                // `check` has seen the deadline; it is also near.
                let next = world.deadline().unwrap();
                assert!(next.since_ms(world.now.mono) <= 30_000);
            }
            settle(&mut world, &mut fates, None);
            agree(&world);
        }
    }
}
