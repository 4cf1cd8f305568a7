//! `bench codec`: decodes and encodes one packed-decimal purchase request on one thread.

use super::machine::{self, Machine};
use iso8583::{Dialect, Message, Mti};
use serde::Serialize;
use std::hint::black_box;

/// Repetitions, of which the median counts.
const REPETITIONS: usize = 5;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct CodecReport {
    /// Messages decoded in a second of the thread's CPU time, every value checked.
    pub decode_per_s: u64,
    /// Messages encoded in a second of the thread's CPU time.
    pub encode_per_s: u64,
    /// Bytes of the message.
    pub bytes: usize,
    /// Its data elements.
    pub fields: usize,
    /// The machine.
    pub machine: Machine,
}

/// Measures; `rounds` messages in each repetition.
///
/// # Errors
/// A sample that this codec does not take.
pub fn measure(rounds: u32) -> Result<CodecReport, iso8583::Error> {
    let dialect = Dialect::terminal();
    let mut message = purchase();
    let mut body = Vec::with_capacity(1_024);
    dialect.encode(&message, &mut body)?;
    let decode_per_s = median(rounds, || {
        dialect.decode(black_box(&body), &mut message)?;
        black_box(&message);
        Ok(())
    })?;
    let bytes = body.len();
    let encode_per_s = median(rounds, || {
        body.clear();
        dialect.encode(black_box(&message), &mut body)?;
        black_box(&body);
        Ok(())
    })?;
    let fields = message.fields().count();
    Ok(CodecReport {
        decode_per_s,
        encode_per_s,
        bytes,
        fields,
        machine: Machine::here(),
    })
}

fn median(
    rounds: u32,
    mut once: impl FnMut() -> Result<(), iso8583::Error>,
) -> Result<u64, iso8583::Error> {
    let mut per_second = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        let started_ns = machine::thread_cpu_ns();
        for _ in 0..rounds {
            once()?;
        }
        let took_ns = machine::thread_cpu_ns().saturating_sub(started_ns).max(1);
        per_second.push(u64::from(rounds) * 1_000_000_000 / took_ns);
    }
    per_second.sort_unstable();
    Ok(per_second[REPETITIONS / 2])
}

/// As lines.
pub fn text(report: &CodecReport) -> String {
    let CodecReport {
        decode_per_s,
        encode_per_s,
        bytes,
        fields,
        machine,
    } = report;
    format!(
        "BCD purchase of {bytes} bytes, {fields} fields, one thread, per second of its CPU time\n  decode {decode_per_s}/s\n  encode {encode_per_s}/s\nmachine {}\n",
        machine.text()
    )
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
    message.set(55, &[0x9F; 92]);
    message
}
