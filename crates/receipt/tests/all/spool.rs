//! The spool by stories: every trouble of the reference, each restart, each level of evidence.

use crate::world::{OnPaper, World, submit};
use receipt::spool::{CONFIRM_WAIT_US, EXPIRE_US, JOBS_MAX};
use receipt::{CopyOf, Echo, Evidence, JobState, SpoolInput, Trouble};

const SECOND: u64 = 1_000_000;
const MERCHANT: CopyOf = CopyOf::Merchant;

fn check(world: &World, slip_id: u64, state: JobState, evidence: Evidence, paper: [u32; 3]) {
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
    let settings = |world: &mut World, on: bool| world.input(SpoolInput::SwitchedOff(on));
    let rows: [(Trouble, Switch); 5] = [
        (Trouble::PaperOut, paper_out),
        (Trouble::CoverOpen, cover),
        (Trouble::Fault, head),
        (Trouble::Unreachable, cable),
        (Trouble::Disabled, settings),
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
fn a_link_or_power_lost_in_the_middle_gives_a_marked_copy() {
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(19));
    world.submit(1, MERCHANT);
    world.settle();
    world.lose(0);
    let held = JobState::Held(Trouble::Unreachable);
    check(&world, 1, held, Evidence::HandedOver, [1, 0, 0]);
    world.printer.set_paper_out(false);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
    assert_eq!(world.state(1).2, 1);

    world.printer.set_paper_lines_left(Some(19));
    world.submit(2, MERCHANT);
    world.settle();
    world.power_cut();
    world.printer.set_paper_out(false);
    world.pass(10 * SECOND);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 1, 1]);
}

#[test]
fn a_restart_while_printing_gives_a_marked_copy_and_after_it_none() {
    let mut world = World::new();
    world.printer.set_cover_open(true);
    world.submit(1, MERCHANT);
    world.crash(SpoolInput::Tick, 0, 0);
    world.printer.set_cover_open(false);
    world.printer.set_paper_lines_left(Some(19));
    world.pass(10 * SECOND);
    world.crash(SpoolInput::Tick, 0, 0);
    world.printer.set_paper_out(false);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
    world.crash(SpoolInput::Tick, 0, 0);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
}

#[test]
fn a_stuck_cutter_after_the_body_is_printed_and_holds_the_next() {
    let mut world = World::new();
    world.printer.set_cutter_stuck(true);
    world.submit(1, MERCHANT);
    world.submit(2, MERCHANT);
    world.pass(10 * SECOND);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
    let held = JobState::Held(Trouble::Cutter);
    check(&world, 2, held, Evidence::NotSent, [0, 0, 0]);
    assert_eq!(world.spool.printer().trouble, Some(Trouble::Cutter));
    world.printer.set_cutter_stuck(false);
    world.pass(10 * SECOND);
    check(&world, 2, JobState::Done, Evidence::Printed, [1, 0, 1]);
}

#[test]
fn without_an_honest_id_nothing_is_called_printed() {
    for echo in [Echo::Absent, Echo::Constant] {
        let mut world = World::new();
        world.printer.set_echo(echo);
        world.submit(1, MERCHANT);
        world.submit(2, MERCHANT);
        world.pass(10 * SECOND);
        assert_eq!(world.state(1), (JobState::Printing, Evidence::Parsed, 0));
        world.pass(2 * CONFIRM_WAIT_US);
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
    world.pass(CONFIRM_WAIT_US + 10 * SECOND);
    let failed = JobState::Failed(Trouble::Unknown);
    check(&world, 1, failed, Evidence::Transported, [1, 0, 0]);
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
    world.settle();
    world.submit(most, MERCHANT);
    world.settle();
    assert_eq!(world.spool.evidence(0), None);
    check(&world, most, JobState::Done, Evidence::Printed, [1, 0, 1]);
}

#[test]
fn words_are_in_both_languages_and_only_e4_is_printed() {
    for (level, evidence) in [
        Evidence::NotSent,
        Evidence::HandedOver,
        Evidence::Transported,
        Evidence::Parsed,
        Evidence::Printed,
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(usize::from(evidence.level()), level);
        let (zh, en) = evidence.words();
        assert_eq!(zh.contains("已打印"), level == 4);
        assert_eq!(en == "printed", level == 4);
    }
    for trouble in Trouble::ALL {
        let (zh, en) = trouble.words();
        assert!(!zh.is_ascii() && en.is_ascii(), "{trouble:?}");
        assert!(!zh.contains(',') && !zh.contains("已打印"), "{trouble:?}");
    }
}

#[test]
fn a_card_number_never_enters_a_record() {
    let SpoolInput::Submit {
        slip_id,
        mut fields,
        copy,
        language,
        paper,
    } = submit(1, MERCHANT)
    else {
        panic!("a submission")
    };
    fields.masked_pan = "6228480402564890018".into();
    let mut world = World::new();
    world.input(SpoolInput::Submit {
        slip_id,
        fields,
        copy,
        language,
        paper,
    });
    assert!(!format!("{:?}", world.records).contains("6228480402564890018"));
}
