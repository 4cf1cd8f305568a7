//! For any message and any bytes: what is written is read back, what is accepted is written back, nothing panics.

use iso8583::frame::{self, Framing};
use iso8583::{Dialect, Message, Mti, describe, guess, tlv};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

/// Reads bytes in every way; what is accepted strictly is canonical and has no deviations.
pub fn read_any(dialect: &Dialect, body: &[u8], message: &mut Message, again: &mut Vec<u8>) {
    let strict = dialect.decode(body, message).is_ok();
    if strict {
        again.clear();
        dialect
            .encode(message, again)
            .expect("what was read can be written");
        assert_eq!(again, body);
    }
    let lenient = dialect.decode_lenient(body, message);
    assert_eq!(
        strict,
        lenient.is_ok_and(|deviations| deviations.is_empty())
    );
}

fn dialects() -> impl Strategy<Value = &'static Dialect> {
    select(Dialect::all().to_vec())
}

/// Values that some dialect can write for the element, and now and then one that none can.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(b'0'..=b'9', 0..=42),
        2 => select(vec![2, 3, 4, 6, 8, 10, 12, 15, 16, 40, 42]).prop_flat_map(|n| vec(b'0'..=b'9', n)),
        1 => vec(select(b"0123456789ABCDEF=".to_vec()), 0..40),
        1 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 0..1100),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_written_is_read_back(
        dialect in dialects(),
        mti in any::<u16>(),
        fields in btree_map(2..=128_u8, value(), 0..5),
    ) {
        let mut message = Message::new(Mti(mti & 0x0999));
        for (field, value) in &fields {
            message.set(*field, value);
        }
        let mut body = b"before".to_vec();
        match dialect.encode(&message, &mut body) {
            Ok(()) => {
                let mut back = Message::new(Mti(0));
                prop_assert_eq!(dialect.decode(&body[6..], &mut back), Ok(()));
                prop_assert_eq!(&back, &message);
            }
            Err(_) => prop_assert_eq!(&body, b"before"),
        }
        let _ = describe::render(&describe::describe(&message, dialect));
    }

    #[test]
    fn one_element_of_every_kind_is_read_back(dialect in dialects(), field in 2..=128_u8, value in value()) {
        let mut message = Message::new(Mti(0x0200));
        message.set(field, &value);
        let mut body = Vec::new();
        if dialect.encode(&message, &mut body).is_ok() {
            let mut back = Message::new(Mti(0));
            prop_assert_eq!(dialect.decode(&body, &mut back), Ok(()));
            prop_assert_eq!(&back, &message);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(dialect in dialects(), bytes in vec(any::<u8>(), 0..300)) {
        read_any(dialect, &bytes, &mut Message::new(Mti(0)), &mut Vec::new());
        let _ = guess(&bytes);
        for framing in [Framing::Terminal, Framing::Host] {
            if let Ok(Some(length)) = frame::next(framing, &bytes) {
                prop_assert!(length <= bytes.len());
            }
        }
        let mut end = 0;
        for object in tlv::walk(&bytes).flatten() {
            prop_assert!(object.offset >= end);
            end = object.offset + object.value.len();
        }
        prop_assert!(end <= bytes.len());
    }

    #[test]
    fn any_text_is_a_dialect_or_refused(text in "([0-9]{1,3} (n|z|an|b|h) [.0-9]{1,5}( left| min 2| keys)?\n|[a-z]{2,8} [a-z]{3,8}\n){0,6}") {
        let head = "name x\nmti bcd\nbitmap both\nlengths bcd\ndigits bcd\n";
        let _ = Dialect::parse(&text);
        if let Ok(dialect) = Dialect::parse(&format!("{head}{text}")) {
            prop_assert_eq!(dialect.name(), "x");
        }
    }
}
