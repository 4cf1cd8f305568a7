//! The sorter of printer answers: vectors of the reference, every split, any bytes.

use proptest::prelude::*;
use receipt::{Answer, Answers, Status, Trouble};

#[test]
fn status_vectors() {
    check([0x12, 0x12, 0x12, 0x12], [0x10, 0, 0, 0], None, false);
    check([0x12, 0x12, 0x12, 0x1E], [0x10, 0, 3, 0], None, true);
    let out = Some(Trouble::PaperOut);
    check([0x1A, 0x32, 0x12, 0x7E], [0x18, 0, 0x0F, 0], out, true);
    let cover = Some(Trouble::CoverOpen);
    check([0x1A, 0x16, 0x12, 0x12], [0x38, 0, 0, 0x0F], cover, false);
    // With the cover open the paper sensors lie.
    check([0x1A, 0x36, 0x12, 0x7E], [0x38, 0, 0x0F, 0], cover, true);
    let cutter = Some(Trouble::Cutter);
    check([0x1A, 0x52, 0x1A, 0x12], [0x18, 8, 0, 0], cutter, false);
    let jam = Some(Trouble::Jam);
    check([0x1A, 0x52, 0x16, 0x12], [0x18, 4, 0, 0], jam, false);
    let fault = Some(Trouble::Fault);
    check([0x1A, 0x52, 0x32, 0x12], [0x18, 0x20, 0, 0], fault, false);
    let hot = Some(Trouble::HeadHot);
    check([0x1A, 0x52, 0x52, 0x12], [0x18, 0x40, 0, 0], hot, false);
    let offline = Some(Trouble::Offline);
    check([0x5A, 0x1A, 0x12, 0x12], [0x58, 2, 0, 0], offline, false);
}

fn check(realtime: [u8; 4], auto: [u8; 4], trouble: Option<Trouble>, paper_low: bool) {
    let expected = Status { trouble, paper_low };
    assert_eq!(Status::from_realtime(realtime), expected, "{realtime:02X?}");
    assert_eq!(Status::from_auto(auto), expected, "{auto:02X?}");
    let heard = Answers::default().hear(&realtime);
    assert_eq!(heard, realtime.map(Answer::Realtime), "{realtime:02X?}");
    let heard = Answers::default().hear(&auto);
    assert_eq!(heard, [Answer::AutoStatus(auto)], "{auto:02X?}");
}

#[test]
fn every_split_of_a_mixed_stream_sorts_the_same() {
    let stream = [
        &[0x12, 0x13, 0x10, 0x00, 0x13, 0x03, 0x00, 0x11, 0x00][..],
        &[0x37, 0x22, b'0', b'0', 0x13, b'A', b'B', 0x00, 0x03],
        &[
            0x37, 0x25, 0x00, 0x5F, b'T', 0x12, b'M', 0x00, 0x3B, 0x30, 0x00,
        ],
        &[0x37, 0x23, 0x41, 0x13, 0x00, 0x37, 0x22, b'1', 0x00],
        &[0x39, 0x40, 0x01, 0x00, 0x3D, 0x13, b'P', b'1', 0x00, 0x0F],
        // A byte, then a status with bits that none has.
        &[0x93, 0x10, 0x00, 0x90, 0x00],
    ]
    .concat();
    let expected = [
        Answer::Realtime(0x12),
        Answer::AutoStatus([0x10, 0, 3, 0]),
        Answer::InOrder(0),
        Answer::ProcessId(*b"00AB"),
        Answer::InOrder(3),
        Answer::Cleared,
        Answer::Information(b"T\x12M".to_vec()),
        Answer::PowerOff,
        Answer::WentOffline(vec![0x41]),
        Answer::Foreign,
        Answer::ExtendedStatus(vec![0x40, 0x01]),
        Answer::Information(b"P1".to_vec()),
        Answer::InOrder(0x0F),
        Answer::Foreign,
        Answer::Foreign,
    ];
    for split in 0..=stream.len() {
        let mut answers = Answers::default();
        let mut heard = answers.hear(&stream[..split]);
        heard.extend(answers.hear(&stream[split..]));
        assert_eq!(heard, expected, "split at {split}");
    }
}

#[test]
fn the_paper_in_an_in_order_answer() {
    let status = |trouble, paper_low| Some(Status { trouble, paper_low });
    let out = Some(Trouble::PaperOut);
    for (byte, expected) in [
        (0x00, status(None, false)),
        (0x03, status(None, true)),
        (0x0C, status(out, false)),
        (0x0F, status(out, true)),
        (b'H', None),
    ] {
        assert_eq!(Status::from_in_order(byte), expected, "{byte:02X}");
    }
}

#[test]
fn an_offline_response_has_at_most_ten_causes() {
    for (causes, known) in [(0, true), (10, true), (11, false)] {
        let block = [vec![0x37, 0x23], vec![0x40; causes], vec![0]].concat();
        let heard = Answers::default().hear(&block);
        assert_eq!(heard == [Answer::WentOffline(vec![0x40; causes])], known);
        assert_eq!(heard == [Answer::Foreign], !known);
    }
}

#[test]
fn an_endless_block_is_dropped_and_the_next_answer_is_heard() {
    let mut answers = Answers::default();
    assert_eq!(answers.hear(&[0x5F]), []);
    assert_eq!(answers.hear(&[0x41; 100_000]), [Answer::Foreign]);
    assert!(format!("{answers:?}").len() < 1_000);
    assert_eq!(answers.hear(&[0x00, 0x12]), [Answer::Realtime(0x12)]);
}

proptest! {
    #[test]
    fn any_bytes_any_split(bytes: Vec<u8>, mut splits: Vec<usize>) {
        splits.iter_mut().for_each(|split| *split %= bytes.len() + 1);
        splits.extend([0, bytes.len()]);
        splits.sort_unstable();
        let mut parts = Answers::default();
        let pieces = splits.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        let heard: Vec<Answer> = pieces.flat_map(|piece| parts.hear(piece)).collect();
        let mut whole = Answers::default();
        prop_assert_eq!(&heard, &whole.hear(&bytes));
        prop_assert_eq!(parts, whole);
        prop_assert!(heard.len() <= bytes.len());
    }
}
