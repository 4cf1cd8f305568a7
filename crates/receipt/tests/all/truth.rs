//! What is known of a slip and of its printer: what somebody saw, what is asked, what is skipped, what is no printer.

use crate::spool::{MERCHANT, SECOND, check, printing};
use crate::world::{World, submit};
use receipt::spool::{BUSY_ELSEWHERE_US, HEAD_COOL_US};
use receipt::{
    CopyOf, Cut, Evidence, InstalledPrinter, JobState, PaperSeen, Proof, Search, SpoolInput,
    Trouble,
};

#[test]
fn what_somebody_saw() {
    let rows = [
        (PaperSeen::Complete, JobState::Done, Evidence::Seen, 1, None),
        (
            PaperSeen::Blank,
            JobState::Done,
            Evidence::Printed,
            2,
            Some(Trouble::Blank),
        ),
        (
            PaperSeen::Partial,
            JobState::Done,
            Evidence::Printed,
            2,
            Some(Trouble::Partial),
        ),
        (
            PaperSeen::Nothing,
            JobState::Done,
            Evidence::Printed,
            2,
            Some(Trouble::NothingCameOut),
        ),
        (
            PaperSeen::NotNeeded,
            JobState::Closed,
            Evidence::Printed,
            1,
            None,
        ),
    ];
    for (seen, state, evidence, prints, cause) in rows {
        let mut world = World::new();
        world.submit(1, MERCHANT);
        world.settle();
        world.answer(1, seen);
        let waiting = world.copy(1);
        assert_eq!(waiting.cause, cause);
        let again = prints == 2;
        assert_eq!(waiting.state == JobState::Queued, again, "{seen:?}");
        world.pass(10 * SECOND);
        let known = world.copy(1);
        let found = (known.state, known.evidence, known.prints, known.cause);
        assert_eq!(found, (state, evidence, prints, cause), "{seen:?}");
        let marked = u32::from(again);
        check(&world, 1, state, evidence, [1, marked, 1 + marked]);
    }
    // Nothing can be seen of what was never sent, and what is in the printer is not sent again.
    let mut world = World::new();
    world.printer.set_paper_lines_left(Some(19));
    world.submit(1, MERCHANT);
    world.answer(1, PaperSeen::Complete);
    world.answer(1, PaperSeen::Nothing);
    world.settle();
    for seen in [PaperSeen::Blank, PaperSeen::Nothing, PaperSeen::NotNeeded] {
        world.answer(1, seen);
    }
    assert_eq!(world.refused, [1; 5]);
    world.answer(1, PaperSeen::Complete);
    assert_eq!(world.copy(1).evidence, Evidence::Seen);
    world.crash(SpoolInput::Tick, 0, 0);
    assert_eq!(world.copy(1).state, JobState::Done);
}

#[test]
fn a_scanned_slip_is_seen() {
    let scan = |print| SpoolInput::Scanned {
        slip_id: 1,
        copy: MERCHANT,
        print,
    };
    let mut world = World::new();
    world.submit(1, MERCHANT);
    world.input(scan(1));
    assert_eq!(world.refused, [1]);
    world.settle();
    world.lose(0);
    world.input(SpoolInput::Reprint { slip_id: 1 });
    world.settle();
    world.input(scan(3));
    world.input(scan(0));
    assert_eq!(
        (world.refused.len(), world.copy(1).evidence),
        (3, Evidence::Printed)
    );
    world.printer.set_paper_lines_left(Some(10));
    world.input(SpoolInput::Reprint { slip_id: 1 });
    world.settle();
    world.lose(0);
    assert!(world.copy(1).state.asks());
    // An older print says nothing of the latest one.
    world.input(scan(2));
    assert_eq!(world.copy(1).evidence, Evidence::Seen);
    assert!(world.copy(1).state.asks());
    world.input(scan(3));
    assert_eq!(world.copy(1).state, JobState::Done);
}

#[test]
fn the_slip_after_a_touched_roll_is_looked_at_once() {
    let mut world = World::new();
    world.printer.set_paper_out(true);
    world.submit(1, MERCHANT);
    world.pass(10 * SECOND);
    assert_eq!(world.spool.look_at(), None);
    world.printer.set_paper_out(false);
    world.pass(10 * SECOND);
    world.submit(2, MERCHANT);
    world.pass(10 * SECOND);
    assert_eq!(world.spool.look_at(), Some((1, MERCHANT)));
    world.answer(1, PaperSeen::Blank);
    world.pass(10 * SECOND);
    assert_eq!(world.spool.look_at(), None);
    check(&world, 1, JobState::Done, Evidence::Printed, [1, 1, 2]);
}

#[test]
fn a_device_that_is_no_printer_gets_nothing() {
    // Four bytes which alone would read as a well printer, after one that none says; and a web server.
    for said in [
        &b"H\x12\x12\x12\x12"[..],
        b"HTTP/1.1 400 Bad Request\r\nServer: rvr2\r\n\r\n",
    ] {
        let mut world = World::new();
        world.submit(1, MERCHANT);
        world.answer_connect();
        world.heard(said);
        assert_eq!(world.copy(1).prints, 0);
        world.lose(0);
        let held = JobState::Held(Trouble::Misconfigured);
        assert_eq!(world.copy(1).state, held);
        world.pass(10 * SECOND);
        check(&world, 1, JobState::Done, Evidence::Printed, [1, 0, 1]);
    }
}

#[test]
fn a_silent_connection_is_somebody_elses_and_a_refused_one_is_not() {
    for (reachable, trouble) in [
        (true, Trouble::BusyElsewhere),
        (false, Trouble::Unreachable),
    ] {
        let mut world = World::new();
        world.submit(1, MERCHANT);
        let start_us = world.now_us;
        while world.now_us < start_us + BUSY_ELSEWHERE_US + 10 * SECOND {
            world.reachable = reachable;
            world.answer_connect();
            world.now_us = world.spool.deadline().unwrap().max(world.now_us);
            world.input(SpoolInput::Tick);
        }
        assert_eq!(world.copy(1).state, JobState::Held(trouble));
    }
}

#[test]
fn a_head_that_never_cools_has_the_wrong_voltage() {
    let mut world = printing([0x18, 0x40, 0, 0]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::HeadHot));
    world.now_us += HEAD_COOL_US;
    world.heard(&[0x1A, 0x52, 0x52, 0x12]);
    world.input(SpoolInput::Tick);
    world.heard(&[0x1A, 0x52, 0x52, 0x12]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::Voltage));
    world.heard(&[0x37, 0x23, 0x40, 0x00]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::Voltage));
    world.heard(&[0x10, 0, 0, 0, 0x37, 0x23, 0x40, 0x00]);
    assert_eq!(world.copy(1).state, JobState::Held(Trouble::Offline));
}

#[test]
fn an_untrusted_device_never_proves_paper() {
    for proof in [Proof::None, Proof::Parsed] {
        let mut world = World::new();
        world.input(SpoolInput::Installed(InstalledPrinter {
            proof,
            ..InstalledPrinter::default()
        }));
        world.submit(1, MERCHANT);
        world.pass(20 * SECOND);
        check(&world, 1, JobState::Done, Evidence::Parsed, [1, 0, 1]);
        assert_eq!(world.copy(1).printed, 0);
    }
    // A slower printer is given more time.
    let slow = InstalledPrinter {
        speed_mm_per_s: 10,
        line_bytes_per_s: Some(960),
        ..InstalledPrinter::default()
    };
    assert_eq!(slow.wait_us(800, 1_920), 10_000_000 + 2_000_000 + 4_500_000);
    assert_eq!(
        InstalledPrinter::default().wait_us(400, 9_999_999),
        5_500_000
    );
}

#[test]
fn printing_that_is_switched_off_skips_and_says_who_did_it() {
    let mut world = World::new();
    world.printer.set_paper_out(true);
    world.submit(1, MERCHANT);
    world.pass(5 * SECOND);
    let since_us = world.now_us;
    world.switch(true);
    assert_eq!(world.spool.switched_off(), Some(("01", since_us)));
    world.submit(2, MERCHANT);
    world.input(SpoolInput::Reprint { slip_id: 1 });
    assert_eq!(world.refused, [1]);
    world.printer.set_paper_out(false);
    world.pass(20 * SECOND);
    world.switch(false);
    assert_eq!(world.spool.switched_off(), None);
    world.pass(20 * SECOND);
    let skipped = JobState::Skipped(Trouble::Disabled);
    for slip_id in [1, 2] {
        check(&world, slip_id, skipped, Evidence::NotSent, [0, 0, 0]);
        world.input(SpoolInput::Reprint { slip_id });
        world.pass(20 * SECOND);
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
fn a_slip_is_found_by_what_the_customer_knows() {
    let mut world = World::new();
    for slip_id in 1..=60 {
        let SpoolInput::Submit {
            mut fields,
            copy,
            language,
            paper,
            ..
        } = submit(slip_id, MERCHANT)
        else {
            panic!("a submission")
        };
        fields.amount_minor = 100 + slip_id % 2;
        fields.masked_pan = format!("622848*********{:04}", slip_id % 3);
        fields.date_time = format!("2026-11-{:02} 14:03:22", slip_id % 28 + 1);
        for copy in [copy, CopyOf::Cardholder] {
            let fields = fields.clone();
            world.input(SpoolInput::Submit {
                slip_id,
                fields,
                copy,
                language,
                paper,
            });
        }
    }
    let find = |amount_minor, last_four: Option<&str>, date: Option<&str>, voucher| {
        let found = world.spool.search(&Search {
            amount_minor,
            last_four: last_four.map(str::to_owned),
            date: date.map(str::to_owned),
            voucher,
        });
        found
            .into_iter()
            .map(|slip| slip.slip_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(find(None, None, Some("2026-11-28"), None), [55, 27]);
    assert_eq!(find(None, None, Some("2026-11-28 15"), None), []);
    assert_eq!(find(Some(101), Some("0002"), Some("2026-11-06"), None), [5]);
    assert_eq!(find(None, None, None, Some(33)), [33]);
    assert_eq!(find(Some(101), None, None, None).len(), 30);
    let newest = find(None, None, None, None);
    assert_eq!((newest.len(), newest[0]), (50, 55));
}

#[test]
fn words_are_in_both_languages_and_only_e4_is_printed() {
    let mut words: Vec<(&str, &str)> = Vec::new();
    for (level, evidence) in Evidence::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(evidence.level()), level);
        let (zh, en) = evidence.words();
        assert_eq!(zh.contains("已打印"), level == 4);
        assert_eq!(en == "printed", level == 4);
        assert_eq!((zh, en) == ("已确认", "confirmed on paper"), level == 5);
        words.push((zh, en));
    }
    // Whatever stands, below E4 no word says that it is printed.
    let plain = [
        JobState::Queued,
        JobState::Printing,
        JobState::Done,
        JobState::Closed,
    ];
    let troubled = Trouble::ALL.into_iter().flat_map(|trouble| {
        [
            JobState::Held(trouble),
            JobState::Failed(trouble),
            JobState::Unknown(trouble),
            JobState::Skipped(trouble),
        ]
    });
    for state in plain.into_iter().chain(troubled) {
        for evidence in Evidence::ALL {
            let (zh, en) = state.words(evidence);
            let said = ["已打印", "已打出", "已确认"]
                .iter()
                .any(|word| zh.contains(word))
                || ["printed", "confirmed on paper"].contains(&en)
                || en.contains("is printed");
            let may = state == JobState::Done && evidence >= Evidence::Printed;
            assert!(!said || may, "{state:?} {evidence:?}: {zh} {en}");
            words.push((zh, en));
        }
    }
    for trouble in Trouble::ALL {
        words.push(trouble.words());
    }
    assert_eq!(
        Trouble::ALL
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        19
    );
    words.extend(PaperSeen::ALL.map(PaperSeen::words));
    words.push(PaperSeen::QUESTION);
    words.push(Cut::Stuck.words());
    words.extend(receipt::acceptance::Step::ALL.map(receipt::acceptance::Step::words));
    words.extend([Proof::None, Proof::Parsed, Proof::Completed].map(Proof::words));
    for (zh, en) in words {
        assert!(
            !zh.is_ascii() && en.is_ascii() && !en.is_empty(),
            "{zh} {en}"
        );
        let half = [',', ';', ':', '?', '!', '(', '.'];
        assert!(!zh.contains(half), "{zh}");
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
