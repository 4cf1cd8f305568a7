//! A sale that was taken back for what was paid at another till: told, lost, told again, and a power cut at every record.

use crate::host::{BATCH, Fate, Mac, approval};
use crate::money::settle;
use crate::world::{IDLE_MS, World, key};
use payment::guard::TakenBack;
use payment::{Amount, Batch, Kind, SaleKey, SignOutcome, Stan, TerminalId};
use receipt::{SpoolRecord, Title};
use std::collections::VecDeque;
use terminal::{Command, Ending, Record, Screen, Totals};

/// What was paid at the other till.
fn elsewhere(sale: SaleKey) -> SaleKey {
    SaleKey {
        terminal: TerminalId(*b"T0000009"),
        batch: Batch(3),
        stan: Stan(7),
        ..sale
    }
}

fn told(sale: SaleKey, never_debited: Option<bool>) -> TakenBack {
    TakenBack {
        sale,
        by: elsewhere(sale),
        never_debited,
    }
}

/// The acquirer serves until the till has nothing more to say.
fn quiet(world: &mut World, fates: &[Fate]) {
    let mut fates: VecDeque<Fate> = fates.iter().copied().collect();
    for _ in 0..40 {
        world.pass(IDLE_MS);
        world.serve(&mut fates, Fate::Approve);
        settle(world, &mut VecDeque::new(), None);
    }
}

fn proofs(world: &World) -> Vec<(u32, u64, Vec<(String, String)>)> {
    let proof = |record: &Record| match record {
        Record::Spool(SpoolRecord::Submitted { fields, .. })
            if fields.title == Title::ReversalProof =>
        {
            Some((fields.voucher, fields.amount_minor, fields.remarks.clone()))
        }
        _ => None,
    };
    world.records.iter().filter_map(proof).collect()
}

fn screens_of_notice(world: &mut World) -> usize {
    let of = |screen: &Screen| matches!(screen, Screen::TakenBack { .. });
    world.screens().iter().filter(|screen| of(screen)).count()
}

/// Taken out once, with one proof, and the acquirer has heard of it.
fn taken_back_once(world: &mut World, sale: SaleKey, others: u32) {
    assert_eq!(
        world.ending(sale),
        Some(Ending::Reversed {
            never_debited: false
        })
    );
    let totals = world.terminal.state().totals();
    let minor = u64::from(others) * 12_800;
    assert_eq!(
        (totals.debits, totals.debits_minor, totals.reversed),
        (others, minor, 1)
    );
    let taken = world.terminal.state().shift().taken.get(&Kind::Purchase);
    assert_eq!(taken.copied(), (others > 0).then_some((others, minor)));
    let block = world.terminal.state().batch_totals().domestic;
    assert_eq!((block.debits, block.debits_minor), (others, minor));
    assert_eq!(world.host.notice, None, "the acquirer does not know");
    world.pass(IDLE_MS);
    let about = |sent: &crate::host::Sent| sent.request.sign().map(|sign| sign.stan);
    assert!(world.sent.iter().all(|sent| about(sent) != Some(sale.stan)));
    world.serve(&mut VecDeque::new(), Fate::Approve);
}

#[test]
fn it_leaves_the_totals_with_a_proof_and_the_acquirer_hears_of_it() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    let kept = world.sell_and_approve();
    world.host.notice = Some(told(sale, Some(false)));
    // The idle report of the other sale brings it.
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    assert_eq!(report.request.sign().map(|sign| sign.stan), Some(kept.stan));
    let reply = world.host.receive(&report, Fate::Approve);
    world.reply(&report, reply);
    assert_eq!(
        world.screens(),
        [Screen::TakenBack {
            key: sale,
            by: elsewhere(sale),
            amount: Some(Amount::fen(12_800))
        }]
    );
    let [(voucher, minor, remarks)] = &proofs(&world)[..] else {
        panic!("one proof");
    };
    assert_eq!((*voucher, *minor), (sale.stan.0, 12_800));
    assert_eq!(
        remarks.last().unwrap(),
        &(
            "已由 T0000009/000003/000007 代替".to_owned(),
            "Replaced by T0000009/000003/000007".to_owned()
        )
    );
    // The acquirer hears of it in a report of its own.
    world.pass(IDLE_MS);
    let report = world.only(Kind::IdleReport);
    let sign = report.request.sign().unwrap();
    assert_eq!(
        (sign.batch, sign.stan, sign.outcome),
        (BATCH, sale.stan, SignOutcome::Reversed)
    );
    let reply = world.host.receive(&report, Fate::Approve);
    world.reply(&report, reply);
    taken_back_once(&mut world, sale, 1);
    // The proof is what a reprint of this sale gives.
    world.command(Command::Reprint(Some(sale.stan)));
    assert!(!world.screens().contains(&Screen::NoSuchSlip));
    assert!(matches!(world.ending(kept), Some(Ending::Approved(_))));
}

#[test]
fn the_last_sale_itself_is_taken_back() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    world.host.notice = Some(told(sale, Some(false)));
    quiet(&mut world, &[]);
    assert_eq!(screens_of_notice(&mut world), 1);
    taken_back_once(&mut world, sale, 0);
    assert_eq!(proofs(&world).len(), 1);
}

#[test]
fn lost_answers_and_repeated_notices() {
    use Fate::{AnswerLost, Broken, NoMac, Refused, RequestLost, WrongMac};
    let no_mac = NoMac(payment::ResponseCode::APPROVED);
    for fates in [
        &[AnswerLost, RequestLost, AnswerLost][..],
        &[Broken, Fate::Approve, AnswerLost, Broken],
        &[Fate::Approve, RequestLost, Refused, AnswerLost],
        &[no_mac, WrongMac, Fate::Approve, WrongMac, no_mac],
    ] {
        let mut world = World::signed_on(true);
        let sale = world.sell_and_approve();
        world.sell_and_approve();
        world.host.notice = Some(told(sale, Some(false)));
        quiet(&mut world, fates);
        assert_eq!(screens_of_notice(&mut world), 1, "{fates:?}");
        taken_back_once(&mut world, sale, 1);
        assert_eq!(proofs(&world).len(), 1, "{fates:?}");
        // An acquirer that has lost the till's word tells it again: it is heard again, and nothing else happens.
        world.host.notice = Some(told(sale, Some(false)));
        world.sell_and_approve();
        quiet(&mut world, &[]);
        assert_eq!(screens_of_notice(&mut world), 0);
        taken_back_once(&mut world, sale, 2);
        assert_eq!(proofs(&world).len(), 1);
    }
}

/// Two sales of which the first is taken back, with a power cut after the `at`th record of it.
fn with_power_cut(crash: Option<(usize, bool)>) -> (World, SaleKey, usize) {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    world.sell_and_approve();
    world.host.notice = Some(told(sale, Some(false)));
    let before = world.records.len();
    world.crash = crash.map(|(at, after)| (before + at, after));
    quiet(&mut world, &[]);
    let records = world.records.len() - before;
    (world, sale, records)
}

#[test]
fn a_power_cut_at_every_record() {
    let (_, _, records) = with_power_cut(None);
    assert!(records >= 6);
    for at in 1..=records {
        for after_effects in [false, true] {
            let (mut world, sale, _) = with_power_cut(Some((at, after_effects)));
            taken_back_once(&mut world, sale, 1);
            // The record goes before the paper: a cut in between leaves the proof to a reprint.
            assert!(proofs(&world).len() <= 1, "{at} {after_effects}");
        }
    }
}

#[test]
fn while_it_is_not_certain_the_till_reports_again() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    world.host.notice = Some(told(sale, None));
    for _ in 0..5 {
        world.pass(IDLE_MS);
        let report = world.only(Kind::IdleReport);
        assert_eq!(
            report.request.sign().map(|sign| sign.outcome),
            Some(SignOutcome::Approved)
        );
        let reply = world.host.receive(&report, Fate::Approve);
        world.reply(&report, reply);
        assert_eq!(world.screens(), []);
        assert!(matches!(world.ending(sale), Some(Ending::Approved(_))));
    }
    world.host.notice = Some(told(sale, Some(false)));
    quiet(&mut world, &[]);
    assert_eq!(screens_of_notice(&mut world), 1);
    taken_back_once(&mut world, sale, 0);
}

/// The answer to a sale brings it too, and the sale itself is not touched.
#[test]
fn the_answer_to_the_next_sale_brings_it() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    let sent = world.sell();
    let mut answer = approval(&sent.request);
    world.host.notice = Some(told(sale, Some(false)));
    answer.taken_back = world.host.notice;
    world.answer(&sent, &answer, Mac::Right);
    assert_eq!(screens_of_notice(&mut world), 1);
    quiet(&mut world, &[]);
    taken_back_once(&mut world, sale, 1);
    assert!(matches!(
        world.ending(key(&sent)),
        Some(Ending::Approved(_))
    ));
}

/// Another till's sale, one that is still open, and one that nobody remembers.
#[test]
fn what_it_does_not_hold_is_not_taken_out() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    let strangers = told(elsewhere(sale), Some(false));
    let forgotten = SaleKey {
        stan: Stan(9),
        ..sale
    };
    let sent = world.sell();
    let open = told(key(&sent), Some(false));
    for (notice, shown) in [(strangers, 0), (open, 0), (told(forgotten, Some(true)), 1)] {
        let mut answer =
            payment::terminal::Answer::to(&sent.request, payment::ResponseCode::IN_PROGRESS);
        answer.taken_back = Some(notice);
        // The open sale asks again and again.
        if let Some(sent) = world.sent.pop_front() {
            let mut answer =
                payment::terminal::Answer::to(&sent.request, payment::ResponseCode::APPROVED);
            answer.standing = Some((payment::terminal::Standing::InProgress, 400));
            answer.taken_back = Some(notice);
            world.answer(&sent, &answer, Mac::Right);
        } else {
            world.answer(&sent, &answer, Mac::Right);
        }
        assert_eq!(screens_of_notice(&mut world), shown, "{notice:?}");
        assert_eq!(world.terminal.state().totals().debits, 1);
        world.pass(1_000);
    }
    assert_eq!(proofs(&world).len(), 0);
}

/// What was settled or counted in a shift before this one stays counted there.
#[test]
fn closed_totals_stay_as_they_were() {
    let mut world = World::signed_on(true);
    let sale = world.sell_and_approve();
    quiet(&mut world, &[]);
    world.command(Command::CloseShift);
    world.command(Command::Settle);
    quiet(&mut world, &[]);
    assert!(world.host.closed.contains(&BATCH));
    world.screens();
    let next = world.sell_and_approve();
    world.host.notice = Some(told(sale, Some(false)));
    quiet(&mut world, &[]);
    assert_eq!(screens_of_notice(&mut world), 1);
    assert!(matches!(world.ending(sale), Some(Ending::Reversed { .. })));
    assert!(matches!(world.ending(next), Some(Ending::Approved(_))));
    let state = world.terminal.state();
    assert_eq!(
        state.totals(),
        Totals {
            debits: 1,
            debits_minor: 12_800,
            reversed: 1,
            ..Totals::default()
        }
    );
    assert_eq!(state.shift().taken[&Kind::Purchase], (1, 12_800));
    assert_eq!(world.host.notice, None);
}
