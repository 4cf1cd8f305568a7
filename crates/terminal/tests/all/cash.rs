//! Cash at the till, alone and in place of a card sale, and the three ways on after "do not swipe again".

use crate::host::{Belief, Fate, Mac, Sent, approval};
use crate::money::settle;
use crate::world::*;
use payment::terminal::{Answer, Request, Sale, Standing};
use payment::{Amount, Batch, Kind, LinkReason, Linked, ResponseCode, SaleKey, Stan, TerminalId};
use receipt::{SpoolEffect, SpoolRecord};
use std::collections::VecDeque;
use terminal::{Busy, Command, Ending, Order, Record, Screen};

fn cash(fen: u64, instead_of: Option<SaleKey>) -> Command {
    let amount = Amount::fen(fen);
    Command::Cash { amount, instead_of }
}

fn sale_of(sent: &Sent) -> Sale {
    match &sent.request {
        Request::Financial { sale, .. } => *sale,
        other => panic!("{other:?}"),
    }
}

/// Drawer kicks and cash slips so far.
fn drawer_and_slips(world: &World) -> (usize, usize) {
    let kick = |effect: &&SpoolEffect| matches!(effect, SpoolEffect::Command(bytes) if bytes.starts_with(&[0x1B, b'p']));
    let slip = |record: &&Record| {
        matches!(record, Record::Spool(SpoolRecord::Submitted { fields, .. })
            if fields.transaction.0 == "现金收款")
    };
    (
        world.printer.iter().filter(kick).count(),
        world.records.iter().filter(slip).count(),
    )
}

fn taken(world: &World) -> (u32, u64, usize) {
    let state = world.terminal.state();
    let totals = state.totals();
    (totals.cash, totals.cash_minor, state.cash().count())
}

/// A sale at another till of the same merchant.
fn other_till(world: &World) -> SaleKey {
    SaleKey {
        terminal: TerminalId(*b"T0000009"),
        merchant: world.terminal.config().merchant,
        batch: Batch(3),
        stan: Stan(7),
    }
}

/// A sale that the acquirer refuses because of another till's.
fn refused(world: &mut World) -> (SaleKey, SaleKey) {
    let earlier = other_till(world);
    let sent = world.sell();
    let mut answer = Answer::to(&sent.request, ResponseCode::DUPLICATE);
    answer.guard = Some(earlier);
    world.answer(&sent, &answer, Mac::Right);
    let (key, code) = (key(&sent), ResponseCode::DUPLICATE);
    assert_eq!(
        world.screens(),
        [
            Screen::Declined {
                key,
                kind: Kind::Purchase,
                code
            },
            Screen::Guard {
                key,
                earlier,
                amount: Amount::fen(12_800)
            }
        ]
    );
    (key, earlier)
}

fn again(world: &World, linked: Linked) -> Command {
    Command::Transact(Box::new(Order {
        kind: Kind::Purchase,
        amount: Some(Amount::fen(12_800)),
        presented: Some(world.present()),
        original: None,
        linked: Some(linked),
        to: None,
    }))
}

#[test]
fn cash_alone_needs_no_host_and_no_card() {
    let mut world = World::new(true);
    world.command(cash(12_850, None));
    world.command(cash(50, None));
    world.nothing_sent();
    assert_eq!(taken(&world), (2, 12_900, 2));
    assert_eq!(drawer_and_slips(&world), (2, 2));
    let taken_as = world.terminal.state().cash().map(|cash| cash.key.stan);
    assert_eq!(
        taken_as.collect::<Vec<_>>(),
        [FIRST_STAN, FIRST_STAN.next()]
    );
    assert!(matches!(
        world.screens()[..],
        [
            Screen::CashTaken {
                instead_of: None,
                ..
            },
            Screen::CashTaken { .. }
        ]
    ));
    world.restart();
    assert_eq!(taken(&world), (2, 12_900, 2));
    // Without a printer it is only counted.
    let mut bare = World::without_printer();
    bare.command(cash(100, None));
    assert_eq!(
        (taken(&bare), drawer_and_slips(&bare)),
        ((1, 100, 1), (0, 0))
    );
}

#[test]
fn while_a_sale_is_unresolved_cash_is_taken_only_in_its_place_and_once() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.host.receive(&sent, Fate::AnswerLost);
    let sale = key(&sent);
    let stranger = other_till(&world);
    for instead_of in [None, Some(stranger)] {
        world.command(cash(12_800, instead_of));
        assert_eq!(world.screens(), [Screen::Busy(Busy::SaleUnresolved)]);
    }
    assert_eq!(taken(&world), (0, 0, 0));
    world.command(cash(12_800, Some(sale)));
    assert_eq!(taken(&world), (1, 12_800, 1));
    // Withdrawn, then linked, then counted.
    let order: Vec<_> = world
        .records
        .iter()
        .filter_map(|record| match record {
            Record::ReversalPending { .. } => Some("withdrawn"),
            Record::Stored { .. } => Some("linked"),
            Record::CashTaken { .. } => Some("counted"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["withdrawn", "linked", "counted"]);
    world.command(cash(12_800, Some(sale)));
    assert_eq!(taken(&world), (1, 12_800, 1));
    world.screens();
    // The reversal goes first, then the link with the card and the sale; the money is back.
    world.due();
    let reversal = world.only(Kind::Reversal);
    let reply = world.host.receive(&reversal, Fate::Approve);
    world.reply(&reversal, reply);
    assert_eq!(world.host.sales[&sale], Belief::Reversed);
    world.due();
    let link = world.only(Kind::CashLink);
    let told = sale_of(&link);
    assert_eq!(
        told.linked,
        Some(Linked {
            earlier: sale,
            reason: LinkReason::Cash
        })
    );
    assert_eq!(told.card.token, sale_of(&sent).card.token);
    assert!(!link.fields.contains(&4) && !link.fields.contains(&35));
    // Unanswered it goes again; answered it is over.
    world.pass(ANSWER_MS + 1_000);
    let link = world.only(Kind::CashLink);
    assert_eq!(sale_of(&link), told);
    world.code(&link, ResponseCode::APPROVED, Mac::Right);
    assert_eq!(world.terminal.state().advices().len(), 0);
    world.command(cash(100, None));
    assert_eq!(taken(&world), (2, 12_900, 2));
    assert_eq!(world.terminal.state().totals().debits, 0);
}

#[test]
fn a_crash_at_any_record_never_leaves_both() {
    for at in 1..40 {
        for after in [false, true] {
            let mut world = World::signed_on(true);
            let sent = world.sell();
            world.host.receive(&sent, Fate::AnswerLost);
            let sale = key(&sent);
            world.crash = Some((world.records.len() + at, after));
            world.command(cash(12_800, Some(sale)));
            settle(&mut world, &mut VecDeque::new(), None);
            world.pass(60_000);
            world.serve(&mut VecDeque::new(), Fate::Approve);
            let debited = world.host.sales[&sale] == Belief::Debited;
            let (cash, ..) = taken(&world);
            assert!(
                !(debited && cash > 0),
                "record {at}: the card sale and cash both stand"
            );
            let shown = matches!(world.ending(sale), Some(Ending::Approved(_)));
            assert_eq!(debited, shown, "record {at}");
        }
    }
}

#[test]
fn a_plain_terminal_withdraws_and_sends_no_link() {
    let mut world = World::signed_on(false);
    let sent = world.sell();
    world.host.receive(&sent, Fate::AnswerLost);
    world.command(cash(12_800, Some(key(&sent))));
    assert_eq!(taken(&world), (1, 12_800, 1));
    settle(&mut world, &mut VecDeque::new(), None);
    assert_eq!(world.host.sales[&key(&sent)], Belief::Reversed);
    assert!(
        !world
            .records
            .iter()
            .any(|r| matches!(r, Record::Stored { .. }))
    );
}

#[test]
fn what_is_paid_in_cash_is_never_shown_as_approved() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.code(&sent, ResponseCode::ISSUER_TIMEOUT, Mac::Right);
    let sale = key(&sent);
    world.command(cash(12_800, Some(sale)));
    world.screens();
    world.pass(1_000);
    let query = world.only(Kind::ResultQuery);
    let mut found = approval(&query.request);
    found.standing = Some((Standing::Approved, 400));
    world.answer(&query, &found, Mac::Right);
    assert_eq!(
        world.screens(),
        [Screen::Reversing {
            key: sale,
            kind: Kind::Purchase,
            by_acquirer: false
        }]
    );
}

#[test]
fn cash_in_place_of_another_till_s_sale() {
    for (code, screens) in [("00", 0), ("22", 1), ("25", 1)] {
        let mut world = World::signed_on(true);
        let (refused, earlier) = refused(&mut world);
        let code = ResponseCode::parse(code.as_bytes()).unwrap();
        world.command(cash(12_800, Some(earlier)));
        assert_eq!(taken(&world), (1, 12_800, 1));
        world.screens();
        world.due();
        let link = world.only(Kind::CashLink);
        assert_eq!(sale_of(&link).linked.map(|l| l.earlier), Some(earlier));
        world.code(&link, code, Mac::Right);
        let refusal = Screen::LinkRefused { earlier, code };
        assert_eq!(world.screens(), vec![refusal; screens]);
        assert_eq!(world.terminal.state().advices().len(), 0);
        // The refused sale itself took nothing: cash in its place needs no link.
        world.command(cash(12_800, Some(refused)));
        world.due();
        assert_eq!(taken(&world), (2, 25_600, 2));
        assert_eq!(world.terminal.state().advices().len(), 0);
    }
    // What stands is not paid in cash as well.
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    world.command(cash(12_800, Some(sale)));
    assert_eq!(world.screens(), [Screen::NoSuchOriginal]);
}

#[test]
fn charge_anyway_carries_its_reason() {
    let mut world = World::signed_on(true);
    let (_, earlier) = refused(&mut world);
    assert_eq!(
        world.terminal.state().refused().map(|r| r.earlier),
        Some(earlier)
    );
    let reason = LinkReason::NoDebitSeen;
    let linked = Linked { earlier, reason };
    world.command(again(&world, linked));
    let sent = world.only(Kind::Purchase);
    assert_eq!(sale_of(&sent).linked, Some(linked));
    assert!(world.terminal.state().refused().is_none());
    world.screens();
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    assert!(matches!(world.screens()[..], [Screen::Approved { .. }]));
    // Without a guard in the answer, or for another reason than 94, nothing is offered.
    let sent = world.sell();
    world.code(&sent, ResponseCode::DUPLICATE, Mac::Right);
    assert_eq!(world.screens().len(), 1);
}

#[test]
fn on_the_own_till_only_the_supervisor_and_only_behind_the_reversal() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    let earlier = key(&sent);
    let linked = |reason| Linked { earlier, reason };
    let supervisor = linked(LinkReason::Supervisor);
    // Under way, or to be reversed by this till: it goes first.
    world.command(again(&world, supervisor));
    assert_eq!(world.screens(), [Screen::Busy(Busy::SaleUnresolved)]);
    world.command(Command::Withdraw);
    world.screens();
    world.command(again(&world, supervisor));
    let reversal = world.only(Kind::Reversal);
    assert!(world.screens().contains(&Screen::Busy(Busy::ReversalFirst)));
    // The acquirer has it.
    world.code(&reversal, ResponseCode::ISSUER_TIMEOUT, Mac::Right);
    world.screens();
    world.command(again(&world, linked(LinkReason::TooLong)));
    assert!(
        world
            .screens()
            .contains(&Screen::Busy(Busy::SaleUnresolved))
    );
    world.sent.clear();
    world.command(again(&world, supervisor));
    let charge = world.only(Kind::Purchase);
    assert_eq!(sale_of(&charge).linked, Some(supervisor));
    assert_eq!(world.ending(earlier), Some(Ending::Replaced));
    let by = world.records.iter().find_map(|record| match record {
        Record::Overridden {
            linked, operator, ..
        } => Some((*linked, operator.clone())),
        _ => None,
    });
    assert_eq!(by, Some((supervisor, "01".to_owned())));
    world.answer(&charge, &approval(&charge.request), Mac::Right);
    assert_eq!(world.terminal.state().totals().debits, 1);
}
