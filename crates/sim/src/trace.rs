//! Frames as readable text for the timeline; card numbers masked, secrets left out.

use iso8583::describe::describe;
use iso8583::{Dialect, Message, Mti};

/// One line: type and the fields that tell the story.
pub fn frame_text(terminal: bool, frame: &[u8]) -> String {
    let mut message = Message::new(Mti(0));
    let (dialect, decoded) = if terminal {
        let dialect = Dialect::terminal();
        let body = iso8583::frame::open_terminal(frame).map(|(_, body)| body.to_vec());
        (
            dialect,
            body.and_then(|body| dialect.decode(&body, &mut message)),
        )
    } else {
        let dialect = Dialect::host();
        let body = iso8583::frame::open_host(frame).map(|(_, body)| body.to_vec());
        (
            dialect,
            body.and_then(|body| dialect.decode(&body, &mut message)),
        )
    };
    if let Err(error) = decoded {
        return format!(
            "a frame of {} bytes that cannot be read: {error}",
            frame.len()
        );
    }
    let mut text = String::new();
    for line in describe(&message, dialect) {
        let shown = line.part.is_empty()
            && matches!(
                line.number,
                0 | 2 | 4 | 7 | 11 | 32 | 37 | 38 | 39 | 41 | 60 | 61 | 70 | 90
            );
        if shown {
            let number = if line.number == 0 {
                String::new()
            } else {
                format!("f{}=", line.number)
            };
            text.push_str(&format!("{number}{} ", line.value));
        }
    }
    text.truncate(text.trim_end().len());
    text
}
