//! Frames are found, opened, answered and sealed, and nonsense is refused as soon as it shows.

use iso8583::frame::{
    FRAME_BYTES_MAX, FrameError, Framing, HostHeader, TerminalHeader, next, open_host,
    open_terminal, seal_host, seal_terminal,
};
use iso8583::{Dialect, Error, ErrorKind, Layer, Message, Mti};

use crate::samples::{all, bytes};

#[test]
fn a_frame_is_found_when_its_last_byte_has_come() {
    for sample in all().iter().filter(|sample| sample.layer == Layer::Frame) {
        let Ok((header, body)) = open_terminal(&sample.bytes) else {
            continue;
        };
        let mut stream = sample.bytes.clone();
        stream.extend_from_slice(b"next");
        for end in 0..stream.len() {
            let expected = (end >= sample.bytes.len()).then_some(sample.bytes.len());
            assert_eq!(
                next(Framing::Terminal, &stream[..end]),
                Ok(expected),
                "{}",
                sample.name
            );
        }
        let mut again = b"before".to_vec();
        let write = |out: &mut Vec<u8>| -> Result<(), Error> {
            out.extend_from_slice(body);
            Ok(())
        };
        seal_terminal(&header, &mut again, write).unwrap();
        assert_eq!(&again[6..], sample.bytes);
    }
}

#[test]
fn nonsense_is_refused_at_once() {
    for (framing, buffer, expected) in [
        (Framing::Terminal, &b""[..], Ok(None)),
        (Framing::Terminal, &[0x00], Ok(None)),
        (
            Framing::Terminal,
            &[0x00, 20],
            Err(FrameError::TooShort { length: 22 }),
        ),
        (Framing::Terminal, &[0x00, 21], Ok(None)),
        (Framing::Terminal, &[0x0F, 0xFE], Ok(None)),
        (
            Framing::Terminal,
            &[0x0F, 0xFF],
            Err(FrameError::TooLong { length: 4097 }),
        ),
        (
            Framing::Terminal,
            b"GET / HTTP/1.1",
            Err(FrameError::TooLong { length: 18_247 }),
        ),
        (Framing::Host, b"", Ok(None)),
        (Framing::Host, b"G", Err(FrameError::HeaderLength)),
        (Framing::Host, b"\x2E\x02", Ok(None)),
        (Framing::Host, b"\x2E\x0212", Ok(None)),
        (Framing::Host, b"\x2E\x021x", Err(FrameError::LengthDigit)),
        (
            Framing::Host,
            b"\x2E\x020065",
            Err(FrameError::TooShort { length: 65 }),
        ),
        (Framing::Host, b"\x2E\x020066", Ok(None)),
        (Framing::Host, b"\x2E\x024096", Ok(None)),
        (
            Framing::Host,
            b"\x2E\x024097",
            Err(FrameError::TooLong { length: 4097 }),
        ),
    ] {
        assert_eq!(next(framing, buffer), expected, "{buffer:?}");
    }
}

#[test]
fn the_terminal_header_is_read_and_answered() {
    let frame = bytes(
        "0041600003123460311231100108000038000000C000120001721705100510353030383030303133303933313030383339383530303800110000017200300003435550",
    );
    let (header, body) = open_terminal(&frame).unwrap();
    assert_eq!(body.len(), 54);
    assert_eq!((header.application_class(), header.version()), (0x60, 0x31));
    assert_eq!((header.status(), header.processing_requirement()), (1, 2));
    let answer = header.answer();
    assert_eq!(answer.tpdu, [0x60, 0x12, 0x34, 0x00, 0x03]);
    assert_eq!((answer.status(), answer.processing_requirement()), (1, 0));
    assert_eq!(answer.with_processing_requirement(3).header[2], 0x13);
    let short = open_terminal(&frame[..40]).unwrap_err();
    assert_eq!(
        short.to_string(),
        "message at byte 0: length says 67 bytes, there are 40"
    );
}

#[test]
fn the_published_host_header_is_read_and_written() {
    let head = bytes(
        "2E023034303730333035303030312020203030303130303030202020414139013030303030303030003030303030",
    );
    let mut frame = head.clone();
    frame.resize(407, b'0');
    let (header, body) = open_host(&frame).unwrap();
    assert_eq!(
        (header.destination(), header.source()),
        (&b"03050001"[..], &b"00010000"[..])
    );
    assert_eq!(
        (&header.reserved, header.batch, &header.reject),
        (b"AA9", 1, b"00000")
    );
    let mut again = Vec::new();
    let write = |out: &mut Vec<u8>| -> Result<(), Error> {
        out.extend_from_slice(body);
        Ok(())
    };
    seal_host(&header, &mut again, write).unwrap();
    assert_eq!(again, frame);
    let answer = header.answer();
    assert_eq!(
        (answer.destination(), answer.source()),
        (header.source(), header.destination())
    );
    assert_eq!(
        HostHeader::new(b"03050001", b"00010000").destination,
        header.destination
    );
}

#[test]
fn a_frame_that_cannot_be_sealed_leaves_the_buffer_alone() {
    let mut out = b"before".to_vec();
    let long = |out: &mut Vec<u8>| -> Result<(), Error> {
        out.resize(out.len() + FRAME_BYTES_MAX, 0);
        Ok(())
    };
    let kind = seal_terminal(&TerminalHeader::COMMON, &mut out, long)
        .unwrap_err()
        .kind;
    assert_eq!(
        kind,
        ErrorKind::Frame(FrameError::TooLong {
            length: FRAME_BYTES_MAX + 13
        })
    );
    let mut message = Message::new(Mti(0x0200));
    message.set_text(41, "too short"); // nine characters
    let header = HostHeader::new(b"1", b"2");
    let error = seal_host(&header, &mut out, |out| {
        Dialect::host().encode(&message, out)
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "field 41 at byte 20: length 9 is above 8"
    );
    assert_eq!(out, b"before");
}

#[test]
fn a_mac_is_made_from_all_bytes_before_it() {
    let (terminal, host, ascii) = (Dialect::terminal(), Dialect::host(), Dialect::ascii87());
    for (dialect, mac) in [
        (terminal, &b"ABCDEFGH"[..]),
        (host, b"ABCDEFGH"),
        (ascii, b"4142434445464748"),
    ] {
        let mut message = Message::new(Mti(0x0200));
        message.set_text(39, "00");
        let mut body = b"before".to_vec();
        let mut input = Vec::new();
        let make = |bytes: &[u8]| {
            input = bytes.to_vec();
            *b"ABCDEFGH"
        };
        dialect.encode_with_mac(&message, &mut body, make).unwrap();
        assert_eq!(body[6..], [&input[..], mac].concat());
        let mut back = Message::new(Mti(0));
        dialect.decode(&body[6..], &mut back).unwrap();
        assert_eq!(
            dialect.mac_parts(&body[6..], &back),
            Some((&input[..], &b"ABCDEFGH"[..]))
        );
        assert_eq!(dialect.mac_parts(&body[6..], &message), None);
        back.set_text(39, "05");
        back.set(dialect.mac_field().unwrap(), b"old");
        body.clear();
        dialect
            .encode_with_mac(&back, &mut body, |_| *b"ABCDEFGH")
            .unwrap();
        assert!(body.ends_with(mac));
    }
    let mut message = Message::new(Mti(0x0200));
    message.set_number(90, 0, 20);
    let refused = ascii
        .encode_with_mac(&message, &mut Vec::new(), |_| [0; 8])
        .unwrap_err();
    assert_eq!((refused.field, refused.kind), (Some(64), ErrorKind::Layout));
}
