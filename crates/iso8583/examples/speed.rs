//! Decodes and encodes one packed-decimal purchase request in one thread and prints messages per second.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock"
)]

use std::hint::black_box;
use std::time::Instant;

use iso8583::{Dialect, Message, Mti};

const ROUNDS: u32 = 5_000_000;

fn main() -> Result<(), iso8583::Error> {
    let dialect = Dialect::terminal();
    let mut message = purchase();
    let mut body = Vec::with_capacity(1024);
    dialect.encode(&message, &mut body)?;
    println!(
        "body {} bytes, {} elements",
        body.len(),
        message.fields().count()
    );

    let start = Instant::now();
    for _ in 0..ROUNDS {
        dialect.decode(black_box(&body), &mut message)?;
        black_box(&message);
    }
    report("decode", start);

    let start = Instant::now();
    for _ in 0..ROUNDS {
        body.clear();
        dialect.encode(black_box(&message), &mut body)?;
        black_box(&body);
    }
    report("encode", start);
    Ok(())
}

fn report(what: &str, start: Instant) {
    let nanoseconds = start.elapsed().as_nanos() / u128::from(ROUNDS);
    let per_second = 1_000_000_000 / nanoseconds.max(1);
    println!("{what} {nanoseconds} ns each, {per_second} a second");
}

/// A chip purchase with PIN; published test values.
fn purchase() -> Message {
    let mut message = Message::new(Mti(0x0200));
    for (field, value) in [
        (2, "6224242900000113"),
        (3, "000000"),
        (4, "000000000001"),
        (11, "000403"),
        (14, "2806"),
        (22, "071"),
        (23, "000"),
        (25, "00"),
        (26, "12"),
        (35, "6224242900000113D28062013949031013"),
        (41, "10000019"),
        (42, "850100082410002"),
        (49, "156"),
        (53, "2600000000000000"),
        (60, "2200002400060"),
        (64, "8F651B26"),
    ] {
        message.set_text(field, value);
    }
    message.set(52, &[0xD1, 0xEE, 0xF4, 0x19, 0xD0, 0xAE, 0x26, 0x09]);
    message.set(55, &[0x9F; 100]);
    message
}
