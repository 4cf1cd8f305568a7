//! The status table of the receipts reference, §2.1, both ways: our printer emits it, our parser reads it; and what
//! the other status commands answer.

use receipt::escpos::STATUS_QUESTION;
use receipt::virtual_printer::{HOT_US, LATE_US, SLOW_MM_PER_S};
use receipt::{Answer, Answers, Echo, Fault, Paper, Status, Told, Trouble, VirtualPrinter};

const CUT: &[u8] = b"x\n\x1DV\x00";

fn printer() -> VirtualPrinter {
    VirtualPrinter::new(Paper::Mm58)
}

/// One row: what is wrong, the four answers to `DLE EOT`, automatic status, and what our parser makes of either.
type Row = (Option<Fault>, [u8; 4], [u8; 3], Option<Trouble>, bool);

const ROWS: [Row; 10] = [
    (
        None,
        [0x12, 0x12, 0x12, 0x12],
        [0x10, 0x00, 0x00],
        None,
        false,
    ),
    (
        Some(Fault::NearEnd),
        [0x12, 0x12, 0x12, 0x1E],
        [0x10, 0x00, 0x03],
        None,
        true,
    ),
    (
        Some(Fault::PaperOut),
        [0x1A, 0x32, 0x12, 0x7E],
        [0x18, 0x00, 0x0F],
        Some(Trouble::PaperOut),
        true,
    ),
    (
        Some(Fault::CoverOpen),
        [0x1A, 0x16, 0x12, 0x12],
        [0x38, 0x00, 0x00],
        Some(Trouble::CoverOpen),
        false,
    ),
    (
        Some(Fault::CutterStuck),
        [0x1A, 0x52, 0x1A, 0x12],
        [0x18, 0x08, 0x00],
        Some(Trouble::Cutter),
        false,
    ),
    (
        Some(Fault::Jam),
        [0x1A, 0x52, 0x16, 0x12],
        [0x18, 0x04, 0x00],
        Some(Trouble::Jam),
        false,
    ),
    (
        Some(Fault::HeadFault),
        [0x1A, 0x52, 0x32, 0x12],
        [0x18, 0x20, 0x00],
        Some(Trouble::Fault),
        false,
    ),
    (
        Some(Fault::HeadHot),
        [0x1A, 0x52, 0x52, 0x12],
        [0x18, 0x40, 0x00],
        Some(Trouble::HeadHot),
        false,
    ),
    (
        Some(Fault::Voltage),
        [0x1A, 0x52, 0x52, 0x12],
        [0x18, 0x40, 0x00],
        Some(Trouble::HeadHot),
        false,
    ),
    (
        Some(Fault::FeedButton),
        [0x5A, 0x1A, 0x12, 0x12],
        [0x58, 0x02, 0x00],
        Some(Trouble::Offline),
        false,
    ),
];

#[test]
fn the_status_table_both_ways() {
    for (fault, realtime, automatic, trouble, paper_low) in ROWS {
        let mut printer = printer();
        if let Some(fault) = fault {
            printer.set_fault(fault, true);
        }
        printer.hear(CUT);
        assert_eq!(printer.hear(&STATUS_QUESTION), realtime, "{fault:?}");
        let status = Status { trouble, paper_low };
        assert_eq!(Status::from_realtime(realtime), status, "{fault:?}");
        assert_eq!(told_by_itself(fault), automatic, "{fault:?}");
        let [one, two, three] = automatic;
        assert_eq!(Status::from_auto([one, two, three, 0x0F]), status);
        // Bytes that come back are sorted by their bits alone.
        let sorted = Answers::default().hear(&realtime);
        assert!(sorted.iter().all(|a| matches!(a, Answer::Realtime(_))));
        assert_eq!(printer.papers_total(), usize::from(trouble.is_none()));
        // Once it is over, what was held comes out once.
        if let Some(fault) = fault {
            printer.set_fault(fault, false);
        }
        assert_eq!(printer.papers_total(), 1, "{fault:?}");
        assert_eq!(printer.hear(&STATUS_QUESTION)[0], 0x12, "{fault:?}");
    }
}

/// The last automatic status that a fault leads to, without its model-dependent byte.
fn told_by_itself(fault: Option<Fault>) -> [u8; 3] {
    let mut printer = printer();
    let mut said = printer.hear(b"\x1Da\xFF");
    if let Some(fault) = fault {
        printer.set_fault(fault, true);
    }
    said.extend(printer.hear(CUT));
    let (all, rest) = said.as_chunks::<4>();
    assert!(rest.is_empty(), "{said:02X?}");
    let [one, two, three, _] = *all.last().expect("enabling tells the status");
    [one, two, three]
}

/// What a well printer answers, and what it answers without paper.
fn check(question: &[u8], well: &[u8], without_paper: &[u8]) {
    let mut printer = printer();
    assert_eq!(printer.hear(question), well, "{question:02X?}");
    printer.set_paper_out(true);
    assert_eq!(printer.hear(question), without_paper, "{question:02X?}");
}

#[test]
fn questions_in_order_are_silent_while_it_cannot_print() {
    check(b"\x1Dr\x01", b"\x00", b"");
    check(b"\x1Dr1", b"\x00", b"");
    check(b"\x1Dr\x02", b"\x00", b"");
    check(b"\x1Dr\x09", b"", b"");
    check(b"\x1Bv", b"\x00", b"");
    check(b"\x1Bu\x00", b"\x00", b"");
    check(b"\x1DI\x01", b"\x20", b"");
    check(b"\x1DI\x02", b"\x03", b"");
    check(b"\x1DI\x03", b"\x01", b"");
    check(b"\x1DIA", b"\x5F1.00\x00", b"");
    check(b"\x1DIB", b"\x5FCOUNTERFOIL\x00", b"");
    check(b"\x1DIC", b"\x5FVIRTUAL-58\x00", b"");
    check(b"\x1DID", b"\x5FCF000001\x00", b"");
    check(b"\x1DIE", b"\x5FCHINA GB18030\x00", b"");
    check(b"\x10\x04\x05", b"", b"");
    check(
        b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
        b"\x37\x25\x00",
        b"\x37\x25\x00",
    );
    check(b"\x10\x14\x02\x01\x08", b"\x3B\x00", b"\x3B\x00");
}

#[test]
fn near_end_and_the_drawer_in_order() {
    let mut printer = printer();
    printer.set_fault(Fault::NearEnd, true);
    assert_eq!(printer.hear(b"\x1Dr\x01\x1Bv"), [0x03, 0x03]);
    assert_eq!(
        printer.hear(b"\x1Bp\x00\x19\xFA\x1Dr\x02\x10\x04\x01"),
        [0x01, 0x16]
    );
    assert_eq!(printer.drawer(), (true, 1));
    printer.shut_drawer();
    assert_eq!(printer.hear(b"\x10\x04\x01\x1Bu\x00"), [0x12, 0x00]);
}

#[test]
fn automatic_status_tells_only_what_was_asked_for() {
    for (n, near_end, cover) in [(0x08, 1, 0), (0x02, 0, 1), (0xFF, 1, 1), (0x01, 0, 0)] {
        let mut printer = printer();
        assert_eq!(printer.hear(&[0x1D, 0x61, n]).len(), 4);
        printer.set_fault(Fault::NearEnd, true);
        assert_eq!(printer.answers().len() / 4, near_end, "{n:02X}");
        printer.set_cover_open(true);
        assert_eq!(printer.answers().len() / 4, cover, "{n:02X}");
        // A reset ends it.
        printer.set_cover_open(false);
        printer.answers();
        printer.hear(b"\x1B@");
        printer.set_cover_open(true);
        assert_eq!(printer.answers(), []);
    }
}

#[test]
fn becoming_offline_is_answered_when_asked_for() {
    for (d, expected) in [(1_u8, &b"\x37\x23\x00"[..]), (2, &b"\x37\x23\x41\x00"[..])] {
        let mut printer = printer();
        printer.hear(&[0x1D, 0x28, 0x48, 3, 0, 0x31, 0x30, d]);
        printer.set_cover_open(true);
        assert_eq!(printer.answers(), expected);
        printer.set_cover_open(false);
        assert_eq!(printer.answers(), []);
    }
}

#[test]
fn real_time_commands_act_when_received() {
    // Held data, then: cleared, answered, and never printed.
    let mut printer = printer();
    printer.set_cover_open(true);
    printer.hear(b"held\n\x1D(H\x06\x0000ABCD");
    let clear = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08";
    assert_eq!(printer.hear(clear), b"\x37\x25\x00");
    printer.set_cover_open(false);
    printer.hear(CUT);
    assert_eq!(printer.papers()[0].text, "x\n");
    assert_eq!(printer.answers(), []);
    // The same bytes inside a picture: a drawer opens, and our count says so.
    let picture = b"\x1Dv0\x00\x05\x00\x01\x00\x10\x14\x01\x00\x01";
    assert_eq!(printer.hear(picture), []);
    assert_eq!(
        (printer.drawer(), printer.realtime_in_pictures()),
        ((true, 1), 1)
    );
}

#[test]
fn recovery_by_command() {
    for (resume, papers) in [(1, vec!["x\n"]), (2, vec!["x\n"])] {
        let mut printer = printer();
        printer.set_fault(Fault::WaitsForRecovery, true);
        printer.set_fault(Fault::Jam, true);
        printer.hear(CUT);
        assert_eq!(printer.hear(&[0x10, 0x05, resume]), []);
        printer.set_fault(Fault::Jam, false);
        assert_eq!(printer.hear(b"\x10\x04\x03"), [0x16], "still an error");
        printer.hear(&[0x10, 0x05, resume]);
        assert_eq!(printer.hear(b"\x10\x04\x03"), [0x12]);
        if resume == 2 {
            assert_eq!(printer.papers_total(), 0, "what it held was dropped");
            printer.hear(CUT);
        }
        let texts: Vec<&str> = printer.papers().iter().map(|p| p.text.as_str()).collect();
        assert_eq!(texts, papers);
    }
}

#[test]
fn a_deselected_printer_swallows_all_but_real_time() {
    let mut printer = printer();
    printer.hear(b"\x1B=\x00");
    assert_eq!(
        printer.hear(b"lost\n\x1DV\x00\x10\x04\x01\x1Dr\x01"),
        [0x12]
    );
    assert_eq!(printer.faults(), [Fault::Deselected]);
    printer.hear(b"\x1B=\x01seen\n\x1DV\x00");
    assert_eq!(printer.papers_total(), 1);
    assert_eq!(printer.papers()[0].text, "seen\n");
}

#[test]
fn no_power_no_cable_no_voice() {
    for fault in [Fault::PowerOff, Fault::Unplugged, Fault::Silent] {
        let mut printer = printer();
        printer.set_fault(fault, true);
        assert_eq!(printer.hear(b"\x10\x04\x01"), []);
        printer.hear(CUT);
        assert_eq!(printer.papers_total(), usize::from(fault == Fault::Silent));
        printer.set_fault(fault, false);
        printer.connect();
        let fresh: &[u8] = match fault {
            Fault::PowerOff => &[0x10, 0x00, 0x00, 0x00],
            _ => &[],
        };
        assert_eq!(printer.answers(), fresh, "{fault:?}");
        assert_eq!(printer.hear(b"\x10\x04\x01"), [0x12]);
    }
}

#[test]
fn printing_takes_its_time_and_the_id_waits_for_it() {
    let mut printer = printer();
    printer.set_fault(Fault::Slow, true);
    printer.tick(1);
    // 80 lines of 30 dots are 300 mm.
    let slip = [&b"x\n".repeat(80)[..], b"\x1D(H\x06\x0000ABCD"].concat();
    assert_eq!(printer.hear(&slip), []);
    let whole_us = 300 * 1_000_000 / u64::from(SLOW_MM_PER_S);
    assert_eq!(printer.tick(whole_us / 2), []);
    let printed = printer.unfinished().text.lines().count();
    assert!((39..=41).contains(&printed), "{printed}");
    // An open cover stops it; the time does not run.
    printer.set_cover_open(true);
    assert_eq!(printer.tick(10 * whole_us), []);
    assert_eq!(printer.unfinished().text.lines().count(), printed);
    printer.set_cover_open(false);
    let mut now_us = 10 * whole_us;
    while printer.tick(now_us).is_empty() {
        assert!(!printer.idle());
        now_us += 10_000;
    }
    let took_us = now_us - 10 * whole_us;
    assert!(took_us.abs_diff(whole_us / 2) < whole_us / 20, "{took_us}");
}

#[test]
fn a_hot_head_cools_and_a_late_answer_comes() {
    let mut printer = printer();
    printer.set_fault(Fault::HeadHot, true);
    printer.set_echo(Echo::Late);
    printer.hear(b"x\n\x1D(H\x06\x0000ABCD");
    assert_eq!(printer.tick(HOT_US - 1), []);
    assert_eq!(printer.tick(HOT_US), []);
    assert_eq!(printer.faults(), []);
    assert_eq!(printer.unfinished().text, "x\n");
    assert_eq!(printer.tick(HOT_US + LATE_US - 1), []);
    printer.disconnect();
    assert_eq!(printer.tick(HOT_US + LATE_US), b"\x37\x22ABCD\x00");
}

#[test]
fn every_way_to_answer_an_id() {
    let slip = b"x\n\x1D(H\x06\x0000ABCD\x1DV\x00\x1D(H\x06\x0000ABCE";
    for (echo, covered, well, papers) in [
        (
            Echo::Honest,
            &b""[..],
            &b"\x37\x22ABCD\x00\x37\x22ABCE\x00"[..],
            1,
        ),
        (Echo::Absent, b"", b"", 1),
        (Echo::Constant, b"", b"\x37\x221234\x00\x37\x221234\x00", 1),
        (Echo::Parsed, b"\x37\x22ABCD\x00\x37\x22ABCE\x00", b"", 1),
        (Echo::Lost, b"", b"\x37\x22ABCE\x00", 1),
        (Echo::Late, b"", b"", 1),
        (Echo::WrongId, b"", b"\x37\x22ABCE\x00\x37\x22ABCF\x00", 1),
        (
            Echo::NothingPrinted,
            b"",
            b"\x37\x22ABCD\x00\x37\x22ABCE\x00",
            0,
        ),
    ] {
        let mut printer = printer();
        printer.set_echo(echo);
        printer.set_cover_open(true);
        assert_eq!(printer.hear(slip), covered, "{echo:?}");
        printer.set_cover_open(false);
        assert_eq!(printer.answers(), well, "{echo:?}");
        assert_eq!(printer.papers_total(), papers, "{echo:?}");
    }
}

#[test]
fn liars_about_their_status() {
    for (told, in_order, automatic) in [
        (Told::AlwaysWell, &b""[..], &[0x10, 0, 0, 0][..]),
        (Told::Clone, b"\x0F", b""),
    ] {
        let mut printer = printer();
        printer.set_told(told);
        assert_eq!(printer.hear(b"\x1Da\xFF"), automatic);
        printer.set_paper_out(true);
        assert_eq!(printer.answers(), []);
        assert_eq!(printer.hear(&STATUS_QUESTION), [0x12; 4]);
        assert_eq!(printer.hear(b"\x1Dr\x01"), in_order);
    }
}

#[test]
fn a_small_buffer_has_little_room_and_a_full_one_none() {
    let mut printer = printer();
    printer.set_fault(Fault::SmallBuffer, true);
    printer.set_cover_open(true);
    printer.hear(&b"x\n".repeat(300));
    assert_eq!(printer.room(), 1_024 - 600);
    printer.set_fault(Fault::BufferFull, true);
    assert_eq!(printer.room(), 0);
    printer.set_fault(Fault::BufferFull, false);
    printer.set_cover_open(false);
    assert_eq!(printer.room(), 1_024);
    assert_eq!(printer.unfinished().text.lines().count(), 300);
}

#[test]
fn without_a_chinese_font_two_byte_codes_are_rubbish() {
    let mut printer = printer();
    printer.set_fault(Fault::NoChinese, true);
    assert_eq!(printer.hear(b"\x1DI\x02\x1DIE"), b"\x02\x5F\x00");
    printer.hear(b"\xC7\xA9\xB9\xBA\n\x1DV\x00");
    assert_eq!(printer.papers()[0].text, "╟⌐╣║\n");
}
