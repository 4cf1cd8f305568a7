//! Any bytes as a message of every dialect, as a frame and as card data: nothing panics, what is accepted is canonical.

#![no_main]

use iso8583::frame::{self, Framing};
use iso8583::{Dialect, Message, Mti, describe, guess, tlv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut message = Message::new(Mti(0));
    for dialect in Dialect::all() {
        if dialect.decode(bytes, &mut message).is_ok() {
            let mut again = Vec::new();
            dialect
                .encode(&message, &mut again)
                .expect("what was read can be written");
            assert_eq!(again, bytes);
        }
        if dialect.decode_lenient(bytes, &mut message).is_ok() {
            let _ = describe::render(&describe::describe(&message, dialect));
        }
    }
    for framing in [Framing::Terminal, Framing::Host] {
        if let Ok(Some(length)) = frame::next(framing, bytes) {
            assert!(length <= bytes.len());
        }
    }
    let _ = frame::open_terminal(bytes);
    let _ = frame::open_host(bytes);
    let _ = guess(bytes);
    let _ = tlv::walk(bytes).count();
});
