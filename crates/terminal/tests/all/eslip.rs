//! The e-slip: shown once, in time, and never in the way of paper or money.

use crate::host::{Mac, approval};
use crate::world::{ANSWER_MS, ESLIP_MS, World, key};
use payment::sign::Trouble;
use payment::terminal::{Answer, Standing};
use payment::{Kind, LinkId, ResponseCode, SaleKey, SignOutcome};
use receipt::{Paper, SpoolEffect, SpoolInput, SpoolRecord, VirtualPrinter};
use terminal::{Command, Input, Record, Screen};

const LINK: LinkId = LinkId([0xC5; 10]);
const ADDRESS: &str = "HTTP://127.0.0.1:7102/R/RQ2WBHE5RQ2WBHE5";

fn approve(world: &mut World) -> SaleKey {
    let sent = world.sell();
    let answer = Answer {
        link: Some(LINK),
        ..approval(&sent.request)
    };
    world.answer(&sent, &answer, Mac::Right);
    assert!(matches!(world.screens()[..], [.., Screen::Approved { .. }]));
    let link = world.records.iter().rev().find_map(|record| match record {
        Record::Spool(SpoolRecord::Submitted { fields, .. }) => Some(fields.link.clone()),
        _ => None,
    });
    assert!(
        link.is_none_or(|link| link.as_deref() == Some(ADDRESS)),
        "the slip has it too"
    );
    key(&sent)
}

fn shown(key: SaleKey) -> Screen {
    Screen::ESlip {
        key,
        link: ADDRESS.to_owned(),
    }
}

#[test]
fn a_slip_that_does_not_come_is_shown() {
    let mut world = World::signed_on(true);
    let sale = approve(&mut world);
    let (totals, unfinished) = (
        world.terminal.state().totals(),
        world.terminal.state().spool().unfinished(),
    );
    world.pass(ESLIP_MS - 1);
    assert_eq!(world.screens(), []);
    world.pass(1);
    assert_eq!(world.screens(), [shown(sale)]);
    // The paper still waits, the money has not moved, and it is shown by itself once, also after a restart.
    assert_eq!(world.terminal.state().totals(), totals);
    assert_eq!(world.terminal.state().spool().unfinished(), unfinished);
    world.sent.clear();
    world.restart();
    world.pass(ESLIP_MS * 10);
    assert_eq!(world.screens(), []);
    world.command(Command::ESlip(None));
    world.command(Command::ESlip(Some(sale.stan)));
    assert_eq!(world.screens(), [shown(sale), shown(sale)]);
    world.command(Command::ESlip(Some(payment::Stan(999_999))));
    assert_eq!(world.screens(), [Screen::NoSuchSlip]);
}

#[test]
fn the_sign_says_that_it_was_shown_and_why() {
    let mut world = World::signed_on(true);
    world.input(Input::Printer(SpoolInput::SwitchedOff {
        off: true,
        by: "01".to_owned(),
    }));
    let sale = approve(&mut world);
    world.pass(ESLIP_MS);
    assert_eq!(world.screens(), [shown(sale)]);
    let reported = |world: &mut World| world.sent.pop_back().and_then(|sent| sent.request.sign());
    let sign = match reported(&mut world) {
        Some(sign) if sign.slip.eslip => sign,
        // The report before it was on its way already.
        _ => {
            world.pass(ESLIP_MS * 2);
            reported(&mut world).expect("a report with a sign")
        }
    };
    assert_eq!(
        (sign.stan, sign.outcome),
        (sale.stan, SignOutcome::Approved)
    );
    assert_eq!(
        (sign.slip.level, sign.slip.trouble, sign.slip.eslip),
        (0, Trouble::SwitchedOff, true)
    );
}

#[test]
fn without_a_printer_it_is_shown_at_once() {
    let mut world = World::without_printer();
    let sale = approve(&mut world);
    world.due();
    assert_eq!(world.screens(), [shown(sale)]);
}

#[test]
fn paper_in_time_needs_none() {
    let mut world = World::signed_on(true);
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    world.input(Input::Printer(SpoolInput::Connected));
    approve(&mut world);
    for _ in 0..200 {
        for effect in std::mem::take(&mut world.printer) {
            let mut said = match effect {
                SpoolEffect::Send { job, bytes } => {
                    let said = printer.hear(&bytes);
                    world.input(Input::Printer(SpoolInput::Wrote { job }));
                    said
                }
                SpoolEffect::Query => printer.hear(&receipt::escpos::STATUS_QUESTION),
                SpoolEffect::Connect => {
                    world.input(Input::Printer(SpoolInput::Connected));
                    Vec::new()
                }
                _ => Vec::new(),
            };
            said.extend(printer.answers());
            if !said.is_empty() {
                world.input(Input::Printer(SpoolInput::Heard(said)));
            }
        }
        world.pass(10);
        world.sent.clear();
    }
    assert_eq!(printer.papers_total(), 2, "both copies are on paper");
    world.pass(ESLIP_MS * 3);
    assert_eq!(world.screens(), []);
}

#[test]
fn the_proof_of_a_reversal_has_one_too() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.pass(ANSWER_MS);
    let query = world.only(Kind::ResultQuery);
    let answer = Answer {
        standing: Some((
            Standing::Reversed {
                never_debited: false,
            },
            500,
        )),
        link: Some(LINK),
        ..Answer::to(&query.request, ResponseCode::APPROVED)
    };
    world.answer(&query, &answer, Mac::Right);
    world.screens();
    world.pass(ESLIP_MS);
    assert_eq!(world.screens(), [shown(key(&sent))]);
}

#[test]
fn a_link_without_a_right_mac_or_of_a_sale_that_was_declined_is_not_shown() {
    for (code, mac) in [
        (ResponseCode::INSUFFICIENT_FUNDS, Mac::Right),
        (ResponseCode::APPROVED, Mac::Absent),
    ] {
        let mut world = World::signed_on(true);
        let sent = world.sell();
        let answer = Answer {
            link: Some(LINK),
            ..Answer::to(&sent.request, code)
        };
        world.answer(&sent, &answer, mac);
        if mac == Mac::Absent {
            // It is reversed; the proof of that has no link that anybody vouched for.
            world.due();
            let reversal = world.only(Kind::Reversal);
            world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
        }
        world.screens();
        world.sent.clear();
        world.pass(ESLIP_MS);
        assert!(
            !world
                .screens()
                .iter()
                .any(|screen| matches!(screen, Screen::ESlip { .. }))
        );
    }
}
