//! Paper: slips can be asked for again, and nothing about paper decides about money.

use crate::host::{Mac, approval};
use crate::world::{ANSWER_MS, World, key, switched};
use payment::{Kind, ResponseCode, Stan};
use receipt::{CopyOf, JobState, PaperSeen, SpoolInput, SpoolRecord, Trouble};
use terminal::{Command, Ending, Input, Record, Screen};

fn wanted(world: &World) -> Vec<u64> {
    let slip = |record: &Record| match record {
        Record::Spool(SpoolRecord::Wanted { slip_id, .. }) => Some(*slip_id),
        _ => None,
    };
    world.records.iter().filter_map(slip).collect()
}

#[test]
fn reprint() {
    let mut world = World::signed_on(false);
    world.command(Command::Reprint(None));
    assert_eq!(world.screens(), [Screen::NoSuchSlip]);
    let first = world.sell_and_approve();
    let second = world.sell_and_approve();
    let sent = world.sell();
    world.code(&sent, ResponseCode::INSUFFICIENT_FUNDS, Mac::Right);
    world.screens();
    // Nothing could be printed in half an hour, so the slips were given up.
    world.pass(31 * 60 * 1_000);
    let id = |key: payment::SaleKey| terminal::slip_id(key.batch, key.stan);
    world.command(Command::Reprint(None));
    assert_eq!(wanted(&world), [id(second); 2]);
    world.command(Command::Reprint(Some(first.stan)));
    assert_eq!(
        wanted(&world),
        [id(second), id(second), id(first), id(first)]
    );
    assert_eq!(world.screens(), []);
    // Unknown, and a decline, of which there is no slip.
    for stan in [Stan(999_999), key(&sent).stan] {
        world.command(Command::Reprint(Some(stan)));
        assert_eq!(world.screens(), [Screen::NoSuchSlip]);
    }
}

#[test]
fn a_reversal_has_a_proof_of_its_own() {
    let mut world = World::signed_on(false);
    let sent = world.sell();
    world.pass(ANSWER_MS);
    let reversal = world.only(Kind::Reversal);
    world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
    let submitted: Vec<_> = world
        .records
        .iter()
        .cloned()
        .filter_map(|record| match record {
            Record::Spool(SpoolRecord::Submitted {
                slip_id, fields, ..
            }) => Some((slip_id, fields.title)),
            _ => None,
        })
        .collect();
    assert_eq!(submitted.len(), 1);
    assert_ne!(
        submitted[0].0,
        terminal::slip_id(key(&sent).batch, key(&sent).stan)
    );
    assert_eq!(submitted[0].1, receipt::Title::ReversalProof);
    world.screens();
    world.pass(31 * 60 * 1_000);
    world.command(Command::Reprint(Some(key(&sent).stan)));
    assert_eq!(wanted(&world), [submitted[0].0]);
}

#[test]
fn a_printer_that_comes_and_goes_moves_no_money() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    let ending = world.ending(key(&sent));
    let totals = world.terminal.state().totals();
    assert!(matches!(ending, Some(Ending::Approved(_))));
    for input in [
        SpoolInput::Connected,
        SpoolInput::Heard(vec![0x12, 0xff, 0x00]),
        SpoolInput::Lost,
        SpoolInput::Connected,
        SpoolInput::Restarted,
        switched(true),
        switched(false),
    ] {
        world.input(Input::Printer(input));
        world.pass(7_000);
        world.sent.clear();
    }
    assert_eq!(world.ending(key(&sent)), ending);
    assert_eq!(world.terminal.state().totals(), totals);
}

/// The printer takes the first copy, and its cable is pulled before it says anything.
fn left_in_the_dark(world: &mut World) {
    for input in [
        SpoolInput::Connected,
        SpoolInput::Heard(vec![0x12, 0x12, 0x12, 0x12]),
        SpoolInput::Wrote { job: 0 },
        SpoolInput::Lost,
    ] {
        world.input(Input::Printer(input));
    }
}

#[test]
fn what_nobody_knows_is_asked_and_the_cashier_answers() {
    for (seen, state) in [
        (PaperSeen::Complete, JobState::Done),
        (PaperSeen::NotNeeded, JobState::Closed),
        (PaperSeen::Blank, JobState::Held(Trouble::Unreachable)),
        (PaperSeen::Nothing, JobState::Held(Trouble::Unreachable)),
    ] {
        let mut world = World::signed_on(true);
        let sale = world.sell_and_approve();
        let slip_id = terminal::slip_id(sale.batch, sale.stan);
        let ending = world.ending(sale);
        world.screens();
        world.due();
        left_in_the_dark(&mut world);
        let copy = CopyOf::Merchant;
        assert!(
            world
                .screens()
                .contains(&Screen::AskPaper { slip_id, copy })
        );
        world.command(Command::Paper(None, seen));
        let known = |world: &World| world.terminal.state().spool().copy(slip_id, copy).unwrap();
        assert_eq!(known(&world).state, state, "{seen:?}");
        assert_eq!(known(&world).cause, seen.trouble());
        assert_eq!(world.ending(sale), ending, "paper decides nothing");
        // The other copy was never sent: nobody was asked about it, and nothing was said of it.
        let other = world
            .terminal
            .state()
            .spool()
            .copy(slip_id, CopyOf::Cardholder);
        assert_eq!(other.unwrap().cause, None);
    }
    let mut world = World::signed_on(true);
    world.command(Command::Paper(None, PaperSeen::Blank));
    assert_eq!(world.screens(), [Screen::NoSuchSlip]);
}

#[test]
fn the_cashier_hears_of_the_printer_and_who_switched_it_off() {
    let mut world = World::signed_on(true);
    world.command(Command::Printing(false));
    let off = Screen::Printing {
        on: false,
        by: "01".to_owned(),
    };
    assert_eq!(world.screens(), std::slice::from_ref(&off));
    let sale = world.sell_and_approve();
    let slip_id = terminal::slip_id(sale.batch, sale.stan);
    let state = |world: &World| world.terminal.state().spool().evidence(slip_id).unwrap().0;
    assert_eq!(state(&world), JobState::Skipped(Trouble::Disabled));
    world.screens();
    world.command(Command::SignOn);
    world.sign_on();
    assert!(world.screens().contains(&off), "amber at the sign-on");
    world.command(Command::Printing(true));
    world.command(Command::Reprint(None));
    assert_eq!(state(&world), JobState::Queued);
    world.printer_screens();
    world.due();
    world.input(Input::Printer(SpoolInput::Lost));
    let gone = Screen::Printer(Some(Trouble::Unreachable));
    assert_eq!(world.printer_screens(), [gone]);
}
