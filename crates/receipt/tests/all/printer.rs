//! The virtual printer: what it draws, what it says, what it holds; any bytes.

use crate::purchase;
use proptest::prelude::*;
use receipt::escpos::{STATUS_QUESTION, Section, process_id};
use receipt::virtual_printer::{ANSWER_BYTES_MAX, BUFFER_BYTES_MAX, PAPERS_MAX, PIECE_LINES_MAX};
use receipt::{
    Answer, Answers, CopyOf, Echo, Language, Paper, Status, Trouble, VirtualPrinter, lay_out,
};

fn job(id: u32) -> (String, Vec<u8>) {
    let slip = lay_out(
        &purchase(),
        CopyOf::Merchant,
        Language::Zh,
        Paper::Mm58,
        None,
    );
    (slip.text(), slip.escpos(id).unwrap())
}

fn ids(bytes: &[u8]) -> Vec<Answer> {
    let mut heard = Answers::default().hear(bytes);
    heard.retain(|answer| matches!(answer, Answer::ProcessId(_) | Answer::InOrder(_)));
    heard
}

fn body(id: u32) -> Answer {
    Answer::ProcessId(process_id(id, Section::Body))
}

fn cut(id: u32) -> Answer {
    Answer::ProcessId(process_id(id, Section::Cut))
}

#[test]
fn paper_shows_what_the_slip_says() {
    for (language, paper) in [
        (Language::Zh, Paper::Mm58),
        (Language::En, Paper::Mm58),
        (Language::Zh, Paper::Mm80),
        (Language::En, Paper::Mm80),
    ] {
        let slip = lay_out(&purchase(), CopyOf::Merchant, language, paper, None);
        let mut printer = VirtualPrinter::new(paper);
        let said = printer.hear(&slip.escpos(5).unwrap());
        assert_eq!(ids(&said), [body(5), cut(5), Answer::InOrder(0)]);
        let [piece] = printer.papers() else {
            panic!("one piece")
        };
        assert_eq!((&piece.text, piece.cut), (&slip.text(), true));
    }
}

#[test]
fn troubles_are_told_both_ways() {
    check(|_| {}, None);
    check(
        |printer| printer.set_paper_out(true),
        Some(Trouble::PaperOut),
    );
    check(
        |printer| printer.set_cover_open(true),
        Some(Trouble::CoverOpen),
    );
    check(|printer| printer.set_head_fault(true), Some(Trouble::Fault));
    check(
        |printer| {
            printer.set_cutter_stuck(true);
            assert_eq!(ids(&printer.hear(&job(1).1)), [body(1)]);
        },
        Some(Trouble::Cutter),
    );
}

fn check(fault: impl Fn(&mut VirtualPrinter), expected: Option<Trouble>) {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.hear(&[0x1D, 0x61, 0xFF]);
    fault(&mut printer);
    let auto: Vec<_> = Answers::default()
        .hear(&printer.answers())
        .into_iter()
        .filter_map(|answer| match answer {
            Answer::AutoStatus(four) => Some(Status::from_auto(four).trouble),
            _ => None,
        })
        .collect();
    if expected != Some(Trouble::Cutter) {
        assert_eq!(auto, Vec::from_iter(expected.map(Some)));
    }
    let realtime: [u8; 4] = printer.hear(&STATUS_QUESTION)[..].try_into().unwrap();
    assert_eq!(Status::from_realtime(realtime).trouble, expected);
}

#[test]
fn what_is_sent_without_paper_prints_after_the_roll_is_changed() {
    let (text, bytes) = job(9);
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.set_paper_lines_left(Some(7));
    assert_eq!(ids(&printer.hear(&bytes)), []);
    assert!(printer.papers().is_empty());
    assert_eq!(printer.unfinished().text.lines().count(), 7);
    printer.set_paper_lines_left(None);
    assert_eq!(
        ids(&printer.answers()),
        [body(9), cut(9), Answer::InOrder(0)]
    );
    assert_eq!(printer.papers()[0].text, text);
}

#[test]
fn power_cut_loses_what_it_held() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.set_paper_lines_left(Some(7));
    printer.hear(&job(9).1);
    printer.power_cut();
    printer.set_paper_lines_left(None);
    assert_eq!(printer.answers(), []);
    let [piece] = printer.papers() else {
        panic!("one piece")
    };
    assert_eq!((piece.text.lines().count(), piece.cut), (7, false));
}

#[test]
fn a_blank_slip_has_every_good_sign() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.set_blank(true);
    assert_eq!(
        ids(&printer.hear(&job(3).1)),
        [body(3), cut(3), Answer::InOrder(0)]
    );
    let [piece] = printer.papers() else {
        panic!("one piece")
    };
    assert_eq!((piece.text.as_str(), piece.cut), ("", true));
}

#[test]
fn printers_without_proof_and_liars() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.set_echo(Echo::Absent);
    assert_eq!(ids(&printer.hear(&job(3).1)), [Answer::InOrder(0)]);
    printer.set_echo(Echo::Constant);
    let lie = Answer::ProcessId(*b"1234");
    assert_eq!(
        ids(&printer.hear(&job(4).1)),
        [lie.clone(), lie, Answer::InOrder(0)]
    );
}

#[test]
fn a_four_byte_code_prints_its_digits() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.hear(b"RMB:\x81\x30\x84\x3638.00\n\x1C.\xA3\xA4\n\x1DV\x00");
    assert_eq!(printer.papers()[0].text, "RMB:?0?638.00\n??\n");
}

#[test]
fn unknown_commands_and_pictures_are_skipped() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    let picture = [&b"\x1Dv0\x00\x30\x00\x10\x00"[..], &[0x41; 0x30 * 0x10]].concat();
    for piece in picture.chunks(100) {
        printer.hear(piece);
    }
    printer.hear(b"\x1D(k\x03\x00\x31\x43\x05\x1BE\x01\x1B{\x00ok\n\x1DV\x42\x00");
    assert_eq!(printer.papers()[0].text, "ok\n");
}

#[test]
fn memory_is_bounded() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    for _ in 0..PAPERS_MAX + 10 {
        printer.hear(b"x\n\x1DV\x00");
    }
    assert_eq!(printer.papers().len(), PAPERS_MAX);
    printer.hear(&b"\n".repeat(PIECE_LINES_MAX + 1));
    assert!(printer.papers().last().is_some_and(|piece| !piece.cut));
    printer.set_cover_open(true);
    printer.hear(&[b'x'; BUFFER_BYTES_MAX + 100]);
    assert_eq!(printer.room(), 0);
    let said = printer.hear(&b"\x10\x04\x01".repeat(ANSWER_BYTES_MAX));
    assert_eq!(said.len(), ANSWER_BYTES_MAX);
}

proptest! {
    #[test]
    fn any_bytes(pieces: Vec<Vec<u8>>, lines in 0_u32..30) {
        let mut printer = VirtualPrinter::new(Paper::Mm58);
        printer.set_paper_lines_left(Some(lines));
        for piece in &pieces {
            printer.hear(piece);
        }
        printer.set_paper_out(false);
        printer.power_cut();
        prop_assert_eq!(printer.room(), BUFFER_BYTES_MAX);
    }

    #[test]
    fn a_job_in_any_pieces_prints_the_same(cuts in prop::collection::vec(0_usize..1_000, 0..8)) {
        let (text, bytes) = job(2);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % bytes.len()).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut printer = VirtualPrinter::new(Paper::Mm58);
        let mut said = Vec::new();
        for pair in cuts.windows(2) {
            said.extend(printer.hear(&bytes[pair[0]..pair[1]]));
        }
        prop_assert_eq!(ids(&said), [body(2), cut(2), Answer::InOrder(0)]);
        prop_assert_eq!(&printer.papers()[0].text, &text);
    }
}

#[test]
fn a_reader_that_remembers_its_place_misses_no_piece() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    let mut seen = 0;
    for id in 0..PAPERS_MAX as u32 + 10 {
        printer.hear(&job(id).1);
        assert_eq!(
            printer.papers_after(seen).len(),
            printer.papers_total() - seen,
            "{id}"
        );
        seen = printer.papers_total();
    }
    assert!(seen > PAPERS_MAX && printer.papers_after(0).len() == PAPERS_MAX);
}
