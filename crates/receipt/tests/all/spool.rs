//! The spool by stories: every trouble of the reference, each restart, each level of evidence.

use crate::world::{OnPaper, World, submit};
use receipt::spool::{EXPIRE_US, JOBS_MAX};
use receipt::{CopyOf, Cut, Echo, Evidence, JobState, PaperSeen, SpoolInput, SpoolRecord, Trouble};

pub const SECOND: u64 = 1_000_000;
pub const MERCHANT: CopyOf = CopyOf::Merchant;

pub fn check(world: &World, slip_id: u64, state: JobState, evidence: Evidence, paper: [u32; 3]) {
    let (state_is, evidence_is, printed) = world.state(slip_id);
    assert_eq!((state_is, evidence_is), (state, evidence));
    let [unmarked, marked, complete] = paper;
    let on_paper = OnPaper {
        unmarked,
        marked,
        complete,
    };
    let all = world.on_paper();
    let found = all.get(&(slip_id, MERCHANT)).copied();
    assert_eq!(found.unwrap_or_default(), on_paper);
    let both = [MERCHANT, CopyOf::Cardholder].map(|copy| all.get(&(slip_id, copy)));
    let complete: u32 = both.iter().flatten().map(|slip| slip.complete).sum();
    assert!(printed <= complete);
}

#[test]
fn a_well_printer_prints_once_and_proves_it() {
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.submit(1, MERCHANT);
    world.settle();
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
    let states: Vec<_> = world.told.iter().map(|told| (told.1, told.2)).collect();
    assert_eq!(
        states,
        [
            (JobState::Queued, Evidence::NotSent),
            (JobState::Printing, Evidence::NotSent),
            (JobState::Printing, Evidence::HandedOver),
            (JobState::Done, Evidence::Printed),
        ]
    );
    assert_eq!(world.spool.deadline(), None);
    assert_eq!(world.spool.last(), Some(1));
}

#[test]
fn reprints_are_marked_counted_and_keep_the_original_time() {
    let mut world = World::new();
    for slip_id in [1, 2] {
        world.submit(slip_id, MERCHANT);
        world.submit(slip_id, CopyOf::Cardholder);
    }
    world.settle();
    for _ in 0..2 {
        world.input(SpoolInput::Reprint { slip_id: 1 });
        world.settle();
    }
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 2, 3]);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 0, 1]);
    assert_eq!(world.state(1).2, 6);
    let text = &world.printer.papers().last().unwrap().text;
    assert!(text.contains("第 2 次重打印\n  原单时间 2026-11-22 14:03:22\n"));
    world.input(SpoolInput::Reprint { slip_id: 7 });
    assert_eq!(world.refused, [7]);
}

type Switch = fn(&mut World, bool);

#[test]
fn a_printer_in_trouble_gets_nothing_and_goes_on_by_itself() {
    let paper_out = |world: &mut World, on: bool| world.printer.set_paper_out(on);
    let cover = |world: &mut World, on: bool| world.printer.set_cover_open(on);
    let head = |world: &mut World, on: bool| world.printer.set_head_fault(on);
    let cable = |world: &mut World, on: bool| {
        world.reachable = !on;
        world.lose(0);
    };
    let rows: [(Trouble, Switch); 4] = [
        (Trouble::PaperOut, paper_out),
        (Trouble::CoverOpen, cover),
        (Trouble::Fault, head),
        (Trouble::Unreachable, cable),
    ];
    for (trouble, set) in rows {
        let mut world = World::new();
        set(&mut world, true);
        world.submit(1, MERCHANT);
        world.pass(20 * SECOND);
        check(
            &world,
            1,
            JobState::Held(trouble),
            Evidence::NotSent,
            [0, 0, 0],
        );
        set(&mut world, false);
        world.pass(5 * SECOND);
        check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);

        set(&mut world, true);
        world.submit(2, MERCHANT);
        world.pass(EXPIRE_US);
        check(
            &world,
            2,
            JobState::Failed(trouble),
            Evidence::NotSent,
            [0, 0, 0],
        );
        assert_eq!(world.spool.deadline(), None);
        set(&mut world, false);
        world.input(SpoolInput::Reprint { slip_id: 2 });
        world.pass(10 * SECOND);
        check(&world, 2, JobState::Done, Evidence::Printed, [1, 0, 1]);
    }
}

#[test]
fn paper_that_ends_in_the_middle_is_waited_for_and_not_sent_again() {
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(19));
    world.submit(1, MERCHANT);
    world.pass(EXPIRE_US + SECOND);
    let held = JobState::Held(Trouble::PaperOut);
    check(&world, 1, held, Evidence::Transported, [1, 0, 0]);
    world.printer.set_paper_out(false);
    world.settle();
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
}

#[test]
fn paper_out_five_jobs_new_roll_five_slips_once_each() {
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(40));
    for slip_id in 1..=5 {
        world.submit(slip_id, MERCHANT);
    }
    world.pass(20 * SECOND);
    world.printer.set_paper_out(false);
    world.pass(20 * SECOND);
    for slip_id in 1..=5 {
        check(
            &world,
            slip_id,
            JobState::Done,
            Evidence::Printed,
            [1, 0, 1],
        );
    }
}

#[test]
fn a_link_or_power_lost_in_the_middle_is_asked_about_and_never_sent_again_by_itself() {
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(19));
    world.submit(1, MERCHANT);
    world.settle();
    world.lose(0);
    let unknown = JobState::Unknown(Trouble::Unreachable);
    check(&world, 1, unknown, Evidence::HandedOver, [1, 0, 0]);
    world.printer.set_paper_out(false);
    world.pass(EXPIRE_US + SECOND);
    check(&world, 1, unknown, Evidence::HandedOver, [1, 0, 1]);
    world.answer(1, PaperSeen::Complete);
    check(&world, 1, JobState::Done, Evidence::Seen, [1, 0, 1]);
    assert_eq!(world.spool.questions().count(), 0);

    world.printer.set_paper_lines_left(Some(19));
    world.submit(2, MERCHANT);
    world.settle();
    world.power_cut();
    world.printer.set_paper_out(false);
    world.pass(10 * SECOND);
    check(&world, 2, unknown, Evidence::HandedOver, [1, 0, 0]);
    let asked: Vec<_> = world
        .spool
        .questions()
        .map(|(id, copy, _)| (id, copy))
        .collect();
    assert_eq!(asked, [(2, MERCHANT)]);
    world.answer(2, PaperSeen::Partial);
    assert_eq!(world.copy(2).cause, Some(Trouble::Partial));
    world.pass(10 * SECOND);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 1, 1]);
    assert_eq!(world.copy(2).cause, Some(Trouble::Partial));
}

#[test]
fn a_restart_while_printing_is_asked_about_and_another_changes_nothing() {
    let mut world = World::new();
    world.printer.set_cover_open(true);
    world.submit(1, MERCHANT);
    world.crash(SpoolInput::Tick, 0, 0);
    assert_eq!(world.copy(1).state, JobState::Queued);
    world.printer.set_cover_open(false);
    world.printer.set_paper_lines_left(Some(19));
    world.pass(10 * SECOND);
    let unknown = JobState::Unknown(Trouble::Interrupted);
    for _ in 0..2 {
        world.crash(SpoolInput::Tick, 0, 0);
        world.printer.set_paper_out(false);
        world.pass(10 * SECOND);
        check(&world, 1, unknown, Evidence::Transported, [1, 0, 1]);
    }
    world.answer(1, PaperSeen::Nothing);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
    world.crash(SpoolInput::Tick, 0, 0);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
}

#[test]
fn a_job_of_which_no_byte_left_goes_unmarked() {
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.answer_connect();
    let (records, _) = world
        .spool
        .decide(world.now_us, SpoolInput::Heard(vec![0x12; 4]));
    records.iter().for_each(|record| world.spool.apply(record));
    world.records.extend(records);
    assert_eq!(world.copy(1).prints, 1);
    world.input(SpoolInput::NotSent { job: 7 });
    assert_eq!(world.copy(1).prints, 1);
    world.input(SpoolInput::NotSent { job: 0 });
    assert_eq!(
        (world.copy(1).prints, world.copy(1).state),
        (0, JobState::Queued)
    );
    world.lose(0);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);

    // The connection was gone before the bytes came to it; the news of both come in this order.
    world.submit(2, MERCHANT);
    world.settle_until_started();
    world.lose(0);
    assert!(world.copy(2).state.asks());
    world.input(SpoolInput::NotSent { job: 9 });
    assert!(world.copy(2).state.asks());
    world.input(SpoolInput::NotSent { job: 2 });
    assert_eq!(world.copy(2).prints, 0);
    world.pass(10 * SECOND);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 0, 1]);
}

#[test]
fn a_stuck_cutter_after_the_body_is_printed_not_cut_and_holds_the_next() {
    let mut world = World::new();
    world.printer.set_cutter_stuck(true);
    world.submit(1, MERCHANT);
    world.submit(2, MERCHANT);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
    assert_eq!(world.copy(1).cut, Cut::Stuck);
    let held = JobState::Held(Trouble::Cutter);
    check(&world, 2, held, Evidence::NotSent, [0, 0, 0]);
    assert_eq!(world.spool.printer().trouble, Some(Trouble::Cutter));
    world.input(SpoolInput::Resume);
    assert_eq!(world.commands, [[0x10, 0x05, 1]]);
    world.printer.set_cutter_stuck(false);
    world.pass(10 * SECOND);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 0, 1]);
    assert_eq!([world.copy(1).cut, world.copy(2).cut], [Cut::Done; 2]);
    // Without an error there is nothing to resume.
    world.input(SpoolInput::Resume);
    assert_eq!(world.commands.len(), 1);
}

/// The slip is in the printer, and this is what it tells.
pub fn printing(automatic: [u8; 4]) -> World {
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.answer_connect();
    world.heard(&[0x12; 4]);
    assert_eq!(world.copy(1).state, JobState::Printing);
    world.input(SpoolInput::Wrote { job: 0 });
    world.clear_wires();
    world.heard(&automatic);
    world
}

#[test]
fn an_error_is_resumed_once_the_cover_was_open_or_somebody_says_so() {
    let mut world = printing([0x18, 0x04, 0, 0]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::Jam));
    world.heard(&[0x38, 0x04, 0, 0]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::CoverOpen));
    assert!(world.commands.is_empty());
    world.heard(&[0x18, 0x04, 0, 0]);
    world.heard(&[0x18, 0x04, 0, 0x0F]);
    assert_eq!(world.commands, [[0x10, 0x05, 1]]);
    world.input(SpoolInput::Resume);
    assert_eq!(world.commands.len(), 2);
    world.heard(&[0x10, 0, 0, 0]);
    world.heard(b"\x37\x22000B\x00");
    assert_eq!(world.copy(1).state, JobState::Done);
}

#[test]
fn cleared_buffers_give_a_marked_copy_and_only_on_command() {
    let mut world = printing([0x18, 0x08, 0, 0]);
    world.heard(&[0x37, 0x25, 0]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::Cutter));
    world.input(SpoolInput::Clear);
    world.input(SpoolInput::Clear);
    assert_eq!(world.commands.len(), 1);
    assert!(world.commands[0].starts_with(&[0x10, 0x05, 2, 0x10, 0x14, 8]));
    world.heard(&[0x37, 0x25, 0, 0x10, 0, 0, 0]);
    let known = world.copy(1);
    assert_eq!((known.state, known.prints), (JobState::Queued, 1));
    world.lose(0);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [0, 1, 1]);

    // Not answered: what became of it is for a person to say.
    let mut world = printing([0x18, 0x08, 0, 0]);
    world.input(SpoolInput::Clear);
    world.clear_wires();
    world.pass(10 * SECOND);
    assert!(world.copy(1).state.asks());
}

#[test]
fn the_clock_stands_still_in_trouble_and_an_unproved_slip_with_trouble_is_asked_about() {
    let cover = [0x38, 0, 0, 0];
    let mut world = printing([0x10, 0, 0, 0]);
    world.pass(30 * SECOND);
    // Taken whole, and nothing was heard of it: the link itself was given up.
    assert!(world.copy(1).state.asks());

    let mut world = printing(cover);
    for _ in 0..100 {
        world.now_us += 2 * SECOND;
        world.heard(&cover);
        world.input(SpoolInput::Tick);
        world.heard(&[0x1A, 0x16, 0x12, 0x12]);
    }
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::CoverOpen));
    world.heard(&[0x10, 0, 0, 0]);
    assert_eq!(world.spool.look_at(), Some((1, MERCHANT)));
    for _ in 0..20 {
        world.now_us += SECOND;
        world.heard(&[0x00]);
        world.input(SpoolInput::Tick);
        world.heard(&[0x12; 4]);
    }
    let known = world.copy(1);
    assert_eq!(known.evidence, Evidence::Parsed);
    assert_eq!(known.state, JobState::Unknown(Trouble::CoverOpen));
    world.answer(1, PaperSeen::Complete);
    assert_eq!(world.spool.look_at(), None);
}

#[test]
fn without_an_honest_id_nothing_is_called_printed() {
    for echo in [Echo::Absent, Echo::Constant] {
        let mut world = World::new();
        world.printer.set_echo(echo);
        world.submit(1, MERCHANT);
        world.submit(2, MERCHANT);
        world.pass(4 * SECOND);
        assert_eq!(world.state(1), (JobState::Printing, Evidence::Parsed, 0));
        world.pass(40 * SECOND);
        for slip_id in [1, 2] {
            check(&world, slip_id, JobState::Done, Evidence::Parsed, [1, 0, 1]);
            let (state, evidence, printed) = world.state(slip_id);
            assert_eq!((printed, state.words(evidence).0), (0, "已发送，未确认"));
        }
    }
}

#[test]
fn an_answer_in_order_speaks_for_the_print_that_owed_it() {
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.submit(2, MERCHANT);
    world.answer_connect();
    let heard = |world: &mut World, bytes: &[u8]| world.input(SpoolInput::Heard(bytes.into()));
    heard(&mut world, &[0x12; 4]);
    heard(&mut world, b"\x37\x22000B\x00");
    assert_eq!(world.state(1), (JobState::Done, Evidence::Printed, 1));
    heard(&mut world, &[0x12; 4]);
    assert_eq!(world.state(2), (JobState::Printing, Evidence::NotSent, 0));
    // The first print's tail is answered only now, its cut too: neither says anything of the second.
    heard(&mut world, b"\x37\x22000C\x00\x00");
    assert_eq!(world.state(2), (JobState::Printing, Evidence::NotSent, 0));
    heard(&mut world, &[0x00]);
    assert_eq!(world.state(2), (JobState::Printing, Evidence::Parsed, 0));
}

#[test]
fn a_printer_that_forgets_silently_is_asked_about() {
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(19));
    world.submit(1, MERCHANT);
    world.settle();
    world.printer.power_cut();
    world.printer.set_paper_out(false);
    world.pass(60 * SECOND);
    let unknown = JobState::Unknown(Trouble::PaperOut);
    check(&world, 1, unknown, Evidence::Transported, [1, 0, 0]);
    world.input(SpoolInput::Reprint { slip_id: 1 });
    world.settle();
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 1]);
}

#[test]
fn a_silent_printer_is_unreachable_and_gets_no_slip() {
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.answer_connect();
    world.now_us += 3 * SECOND;
    world.input(SpoolInput::Tick);
    let held = JobState::Held(Trouble::Unreachable);
    assert_eq!(world.state(1).0, held);
    world.pass(5 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
}

#[test]
fn a_full_spool_forgets_the_oldest_finished_slip_or_refuses() {
    let mut world = World::new();
    let most = JOBS_MAX as u64;
    for slip_id in 0..most {
        world.submit(slip_id, MERCHANT);
    }
    world.submit(most, MERCHANT);
    assert_eq!(world.refused, [most]);
    // Two are over, of which one is over for good: that one goes first, however young it is.
    world.answer_connect();
    world.heard(&[0x12; 4]);
    world.lose(0);
    assert!(world.copy(0).state.asks());
    world.answer(9, PaperSeen::NotNeeded);
    for (slip_id, forgotten) in [(most, 9), (most + 1, 0)] {
        world.submit(slip_id, MERCHANT);
        assert_eq!(world.spool.evidence(forgotten), None);
    }
    world.submit(most + 2, MERCHANT);
    assert_eq!(world.refused, [most, most + 2]);
    assert_eq!(world.spool.unfinished(), JOBS_MAX);
}

/// Twenty thousand copies wait for paper, are printed one after the other, and come back from their records: each
/// decision is on its own copy, or this would not end.
#[test]
fn ten_thousand_slips() {
    const SLIPS: u64 = 10_000;
    let mut world = World::new();
    for slip_id in 0..SLIPS {
        let copies = [MERCHANT, CopyOf::Cardholder].map(|copy| submit(slip_id, copy));
        world.inputs(copies);
    }
    world.answer_connect();
    world.heard(&[0x1A, 0x32, 0x12, 0x7E]);
    assert_eq!(
        world.copy(SLIPS - 1).state,
        JobState::Held(Trouble::PaperOut)
    );
    world.heard(&[0x10, 0, 0, 0]);
    for job in 0..2 * SLIPS as u32 {
        world.now_us += 1_000;
        world.input(SpoolInput::Tick);
        world.heard(&[0x12; 4]);
        let [one, two, three, letter] =
            receipt::escpos::process_id(job, receipt::escpos::Section::Cut);
        world.input(SpoolInput::Wrote { job });
        world.heard(&[0x37, 0x22, one, two, three, letter, 0x00, 0x00]);
        world.clear_wires();
    }
    assert_eq!(world.spool.unfinished(), 0);
    for slip_id in 0..SLIPS {
        assert_eq!(world.state(slip_id), (JobState::Done, Evidence::Printed, 2));
    }
    let mut replayed = receipt::Spool::default();
    for record in &world.records {
        replayed.apply(record);
    }
    assert_eq!(replayed, world.spool);
}

/// Inputs decided together are the inputs decided one after the other.
#[test]
fn together_or_one_by_one() {
    let inputs = || {
        [
            submit(1, MERCHANT),
            submit(1, CopyOf::Cardholder),
            SpoolInput::Connected,
            SpoolInput::Heard(vec![0x12; 4]),
            SpoolInput::Wrote { job: 0 },
            SpoolInput::Heard(b"\x37\x22000C\x00\x12\x12\x12\x12".to_vec()),
            SpoolInput::Heard(vec![0x38, 0, 0, 0]),
            SpoolInput::Lost,
        ]
    };
    let together = receipt::Spool::default().decide_all(5, inputs()).0;
    let mut spool = receipt::Spool::default();
    let mut one_by_one: Vec<SpoolRecord> = Vec::new();
    for input in inputs() {
        let (records, _) = spool.decide(5, input);
        records.iter().for_each(|record| spool.apply(record));
        one_by_one.extend(records);
    }
    assert_eq!(together, one_by_one);
    assert!(one_by_one.len() > 8);
}
