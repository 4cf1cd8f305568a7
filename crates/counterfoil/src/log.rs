//! Logs: structured lines on stderr, plain or JSON. Only masked values reach them: types mask their own `Debug`, and a
//! frame is shown by what the field table allows, never as bytes.

use iso8583::frame::{self, Framing};
use iso8583::{Dialect, Message, Mti, describe};
use payment::Mono;
use std::fmt::Write;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For reading in a terminal.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Lines of one kind shown each second; the others are counted.
const LINES_PER_SECOND: u64 = 10;

/// Starts logging to stderr; `filter` as in `info,counterfoil=debug`. A second call changes nothing.
///
/// # Errors
/// A filter that does not read.
pub fn start(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // The error of either is that logging has been started before.
    let _ = match format {
        LogFormat::Plain => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

/// A frame of either interface on one line, masked by the field table.
pub fn frame_text(bytes: &[u8]) -> String {
    let opened = if bytes.first() == Some(&(frame::HOST_HEADER_BYTES as u8)) {
        frame::open_host(bytes).map(|(_, body)| (Framing::Host, body))
    } else {
        frame::open_terminal(bytes).map(|(_, body)| (Framing::Terminal, body))
    };
    let read = opened.and_then(|(framing, body)| {
        let dialect = match framing {
            Framing::Host => Dialect::host(),
            Framing::Terminal => Dialect::terminal(),
        };
        let mut message = Message::new(Mti(0));
        dialect
            .decode(body, &mut message)
            .map(|()| describe::describe(&message, dialect))
    });
    match read {
        Ok(lines) => {
            let mut text = String::new();
            for line in lines.iter().filter(|line| line.part.is_empty()) {
                let gap = if text.is_empty() { "" } else { " " };
                let _ = write!(text, "{gap}{}={}", line.number, line.value);
            }
            text
        }
        Err(error) => format!("{} bytes: {error}", bytes.len()),
    }
}

/// Lets a few lines of one kind through each second, and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    second: u64,
    lines: u64,
    unsaid: u64,
}

impl Rare {
    /// The number of lines left out since the last one, if this one may be said.
    pub(crate) fn say(&mut self, now: Mono) -> Option<u64> {
        let second = now.0 / 1_000_000;
        if second != self.second {
            (self.second, self.lines) = (second, 0);
        }
        if self.lines >= LINES_PER_SECOND {
            self.unsaid += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_counted_not_said() {
        let mut rare = Rare::default();
        let said = (0..100).filter(|_| rare.say(Mono(7)).is_some()).count();
        assert_eq!(said as u64, LINES_PER_SECOND);
        assert_eq!(rare.say(Mono(1_000_007)), Some(100 - LINES_PER_SECOND));
        assert_eq!(rare.say(Mono(1_000_008)), Some(0));
    }
}
