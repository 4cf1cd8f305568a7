//! What the virtual printer draws: characters of every size, pictures dot for dot, QR symbols.

use receipt::virtual_printer::{Mark, PrintedSlip};
use receipt::{Bitmap, Paper, VirtualPrinter};

fn print(bytes: &[u8]) -> PrintedSlip {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.hear(bytes);
    printer.hear(b"\x1DV\x00");
    printer.papers()[0].clone()
}

fn draw(bytes: &[u8]) -> Bitmap {
    print(bytes).bitmap(Paper::Mm58)
}

/// The smallest rectangle that holds all black dots: left, top, right, bottom.
fn inked(picture: &Bitmap) -> (u32, u32, u32, u32) {
    let mut found = (u32::MAX, u32::MAX, 0, 0);
    for y in 0..picture.height() {
        for x in (0..picture.width()).filter(|x| picture.get(*x, y)) {
            found = (
                found.0.min(x),
                found.1.min(y),
                found.2.max(x),
                found.3.max(y),
            );
        }
    }
    found
}

#[test]
fn a_picture_is_printed_dot_for_dot_in_any_pieces() {
    // 60 rows of 48 bytes: more than one strip.
    let dots: Vec<u8> = (0..60 * 48_u32).map(|n| (n * 37 % 251) as u8).collect();
    let stream = [&b"\x1Dv0\x00\x30\x00\x3C\x00"[..], &dots].concat();
    let whole = draw(&stream);
    assert_eq!((whole.width(), whole.height()), (384, 60));
    assert_eq!(whole.bytes(), dots);
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    for piece in stream.chunks(7) {
        printer.hear(piece);
    }
    printer.hear(b"\x1DV\x00");
    assert_eq!(printer.papers()[0].bitmap(Paper::Mm58), whole);
}

#[test]
fn a_picture_wider_than_the_paper_is_cut_and_a_doubled_one_doubled() {
    let wide = draw(&[&b"\x1Dv0\x00\x40\x00\x02\x00"[..], &[0xFF; 128]].concat());
    assert_eq!(inked(&wide), (0, 0, 383, 1));
    let doubled = draw(b"\x1Dv0\x03\x01\x00\x02\x00\x80\x00");
    assert_eq!(doubled.height(), 4);
    assert_eq!(inked(&doubled), (0, 0, 1, 1));
    let endless = [&b"\x1Dv0\x00\xFF\xFF\xFF\xFF"[..], &[0xFF; 70_000]].concat();
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.hear(&endless);
    assert_eq!(printer.unfinished().bitmap(Paper::Mm58).height(), 1);
}

#[test]
fn characters_stand_where_they_should() {
    for (bytes, left, right) in [
        (&b"\xD6\xD0\n"[..], 0, 24),
        (b"\x1Ba\x02\xD6\xD0\n", 360, 384),
        (b"\x1Ba\x01\xD6\xD0\n", 180, 204),
        (b"\x1D!\x11\x1C!\x0C\xD6\xD0\n", 0, 48),
        (b"ABC\n", 0, 36),
        (b"\x1BE\x01\xD6\xD0\n", 0, 24),
    ] {
        let (x1, _, x2, _) = inked(&draw(bytes));
        assert!(
            left <= x1 && x2 < right && x1 < left + 6 && right - x2 < 8,
            "{bytes:02X?}"
        );
    }
    let black = |bytes: &[u8]| {
        let picture = draw(bytes);
        let bytes = picture.bytes().iter();
        bytes.map(|byte| byte.count_ones()).sum::<u32>()
    };
    let plain = black(b"\xD6\xD0\n");
    assert_eq!(black(b"\x1D!\x11\x1C!\x0C\xD6\xD0\n"), 4 * plain);
    assert!(black(b"\x1BE\x01\xD6\xD0\n") > plain);
    assert!(black(b"\x1B-\x01\xD6\xD0\n") > plain);
    assert_eq!(black(b"\x1DB\x01\xD6\xD0\n"), 24 * 24 - plain);
}

#[test]
fn a_qr_symbol_is_drawn_by_the_printer() {
    let content = b"HTTPS://R.EXAMPLE/0123456789ABCDEF";
    let store = [
        &b"\x1D(k"[..],
        &[content.len() as u8 + 3, 0],
        b"1P0",
        content,
    ]
    .concat();
    let stream = [
        &b"\x1Ba\x01\x1D(k\x04\x001A2\x00\x1D(k\x03\x001C\x06\x1D(k\x03\x001E1"[..],
        &store,
        b"\x1D(k\x03\x001Q0",
    ]
    .concat();
    let piece = print(&stream);
    assert_eq!(piece.text, "[QR HTTPS://R.EXAMPLE/0123456789ABCDEF]\n");
    let [
        Mark::Qr {
            module_dots, level, ..
        },
    ] = piece.marks[..]
    else {
        panic!("{:?}", piece.marks)
    };
    assert_eq!((module_dots, level), (6, 'M'));
    // Version 2: 25 modules of 6 dots, in the middle of 384.
    assert_eq!(inked(&piece.bitmap(Paper::Mm58)), (117, 0, 266, 149));
}

#[test]
fn a_blank_roll_moves_and_shows_nothing() {
    let mut printer = VirtualPrinter::new(Paper::Mm58);
    printer.set_blank(true);
    printer.hear(b"\xD6\xD0\n\x1Dv0\x00\x01\x00\x01\x00\xFF\x1DV\x00");
    let piece = &printer.papers()[0];
    assert_eq!((piece.text.as_str(), piece.dots()), ("", 31));
    assert_eq!(
        inked(&piece.bitmap(Paper::Mm58)),
        (u32::MAX, u32::MAX, 0, 0)
    );
}
