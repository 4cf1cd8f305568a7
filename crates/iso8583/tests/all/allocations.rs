//! A reused message and buffer never move: reading and writing allocate nothing for them.

use iso8583::{Message, Mti};

use crate::samples;

const ROUNDS: usize = 1000;

#[test]
fn reused_buffers_stay_where_they_are() {
    let samples = samples::all();
    let mut message = Message::new(Mti(0));
    let mut out = Vec::with_capacity(4096);
    message.set(59, &[b'0'; 4096]);
    message.remove(59);
    message.set(11, b"000001");
    let (value, buffer, capacity) = (
        message.get(11).unwrap().as_ptr(),
        out.as_ptr(),
        out.capacity(),
    );
    for round in 0..ROUNDS {
        let sample = &samples[round % samples.len()];
        if sample.dialect.decode(sample.body(), &mut message).is_ok() {
            out.clear();
            sample.dialect.encode(&message, &mut out).unwrap();
            assert_eq!((out.as_ptr(), out.capacity()), (buffer, capacity));
        }
        message.clear(Mti(0x0800));
        message.set(11, b"000001");
        assert_eq!(message.get(11).unwrap().as_ptr(), value);
    }
}
