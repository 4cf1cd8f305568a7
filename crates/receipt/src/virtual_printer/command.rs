//! Takes a print stream apart: which complete command or character stands at its front, and which real-time
//! sequence has just arrived.
//!
//! Any bytes make progress; nothing is kept that is longer than the longest header (receipts reference §2, §9.1).

use crate::gb18030;

/// One complete command or character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Nothing,
    Draw(char),
    /// A byte pair of the two-byte font.
    DrawPair([u8; 2]),
    /// A byte of the single-byte code page.
    DrawByte(u8),
    Tab,
    LineFeed,
    FeedLines(u8),
    FeedDots(u8),
    LineSpacing(Option<u8>),
    Reset,
    Align(u8),
    /// `GS !`: both fonts.
    Size {
        wide: u8,
        high: u8,
    },
    /// `FS !` and `FS W`: the two-byte font alone.
    ChineseSize {
        wide: u8,
        high: u8,
    },
    /// `ESC !`: size and weight at once.
    Mode(u8),
    Bold(bool),
    Underlined(bool),
    Inverted(bool),
    Chinese(bool),
    Select(bool),
    Automatic(u8),
    /// `GS r n`, `ESC v`, `ESC u`.
    TellPaper,
    TellDrawer,
    Identify(u8),
    ProcessId([u8; 4]),
    /// `GS ( H` function 49: how much is told of becoming offline.
    OfflineResponse(u8),
    /// Drawer pulse of `ESC p`.
    Kick,
    Cut,
    /// `GS v 0`; its dots follow.
    Raster {
        doubled: (bool, bool),
        row_bytes: u16,
        rows: u16,
    },
    /// `GS ( k`; so many bytes follow.
    Symbol(u16),
    /// So many bytes follow that are not drawn.
    Skip(u64),
}

impl Command {
    /// Bytes that follow its header and belong to it.
    pub(super) fn payload_bytes(self) -> u64 {
        match self {
            Command::Raster {
                row_bytes, rows, ..
            } => u64::from(row_bytes) * u64::from(rows),
            Command::Symbol(bytes) => u64::from(bytes),
            Command::Skip(bytes) => bytes,
            _ => 0,
        }
    }
}

/// Most tab stops of `ESC D`.
const TAB_STOPS_MAX: usize = 32;

/// The command or character that begins at place 0 and the length of its header; `None` until it is complete.
pub(super) fn first(
    at: &dyn Fn(usize) -> Option<u8>,
    chinese_mode: bool,
) -> Option<(usize, Command)> {
    let whole = |length: usize, command: Command| at(length - 1).map(|_| (length, command));
    match at(0)? {
        0x09 => whole(1, Command::Tab),
        0x0A => whole(1, Command::LineFeed),
        0x10 => match at(1)? {
            0x04 | 0x05 => whole(3, Command::Nothing),
            0x14 if at(2)? == 0x08 => whole(CLEAR.len(), Command::Nothing),
            0x14 => whole(5, Command::Nothing),
            _ => whole(1, Command::Nothing),
        },
        0x1B => escape(at),
        0x1C => chinese(at),
        0x1D => group(at),
        lead @ 0x81..=0xFE if chinese_mode => match at(1)? {
            trail @ 0x40..=0xFE if trail != 0x7F => whole(2, Command::DrawPair([lead, trail])),
            _ => whole(1, Command::Draw('?')),
        },
        byte @ 0x20..=0x7E => whole(1, Command::Draw(char::from(byte))),
        byte @ 0x80..=0xFF => whole(1, Command::DrawByte(byte)),
        _ => whole(1, Command::Nothing),
    }
}

fn word(at: &dyn Fn(usize) -> Option<u8>, low: usize) -> Option<u16> {
    Some(u16::from_le_bytes([at(low)?, at(low + 1)?]))
}

fn escape(at: &dyn Fn(usize) -> Option<u8>) -> Option<(usize, Command)> {
    let whole = |length: usize, command: Command| at(length - 1).map(|_| (length, command));
    let n = || at(2);
    match at(1)? {
        b'@' => whole(2, Command::Reset),
        b'!' => whole(3, Command::Mode(n()?)),
        b'a' => whole(3, Command::Align(n()?)),
        b'd' => whole(3, Command::FeedLines(n()?)),
        b'J' => whole(3, Command::FeedDots(n()?)),
        b'2' => whole(2, Command::LineSpacing(None)),
        b'3' => whole(3, Command::LineSpacing(Some(n()?))),
        b'E' | b'G' => whole(3, Command::Bold(n()? & 1 == 1)),
        b'-' => whole(3, Command::Underlined(matches!(n()?, 1 | 2 | 49 | 50))),
        b'=' => whole(3, Command::Select(n()? & 1 == 1)),
        b'p' => whole(5, Command::Kick),
        b'v' => whole(2, Command::TellPaper),
        b'u' => whole(3, Command::TellDrawer),
        b'i' | b'm' => whole(2, Command::Cut),
        b'<' | b'L' | b'S' => whole(2, Command::Nothing),
        b'c' | b'$' | b'\\' => whole(4, Command::Nothing),
        b'W' => whole(10, Command::Nothing),
        b'D' => {
            for stop in 0..=TAB_STOPS_MAX {
                if at(2 + stop)? == 0 {
                    return whole(3 + stop, Command::Nothing);
                }
            }
            whole(2, Command::Nothing)
        }
        b'*' => {
            let bytes_a_column = if n()? < 32 { 1 } else { 3 };
            Some((5, Command::Skip(u64::from(word(at, 3)?) * bytes_a_column)))
        }
        _ => whole(3, Command::Nothing),
    }
}

fn chinese(at: &dyn Fn(usize) -> Option<u8>) -> Option<(usize, Command)> {
    let whole = |length: usize, command: Command| at(length - 1).map(|_| (length, command));
    let times = |set: bool| if set { 2 } else { 1 };
    match at(1)? {
        b'&' => whole(2, Command::Chinese(true)),
        b'.' => whole(2, Command::Chinese(false)),
        b'S' => whole(4, Command::Nothing),
        b'!' => {
            let n = at(2)?;
            let (wide, high) = (times(n & 0x04 != 0), times(n & 0x08 != 0));
            whole(3, Command::ChineseSize { wide, high })
        }
        b'W' => {
            let both = times(at(2)? & 1 == 1);
            let (wide, high) = (both, both);
            whole(3, Command::ChineseSize { wide, high })
        }
        _ => whole(3, Command::Nothing),
    }
}

fn group(at: &dyn Fn(usize) -> Option<u8>) -> Option<(usize, Command)> {
    let whole = |length: usize, command: Command| at(length - 1).map(|_| (length, command));
    match at(1)? {
        b'!' => {
            let n = at(2)?;
            let (wide, high) = ((n >> 4 & 7) + 1, (n & 7) + 1);
            whole(3, Command::Size { wide, high })
        }
        b'B' => whole(3, Command::Inverted(at(2)? & 1 == 1)),
        b'a' => whole(3, Command::Automatic(at(2)?)),
        b'r' => whole(
            3,
            match at(2)? {
                2 | 50 => Command::TellDrawer,
                1 | 49 => Command::TellPaper,
                _ => Command::Nothing,
            },
        ),
        b'I' => whole(3, Command::Identify(at(2)?)),
        b'V' if at(2)? >= 65 => whole(4, Command::Cut),
        b'V' => whole(3, Command::Cut),
        b'(' => {
            let (kind, bytes) = (at(2)?, word(at, 3)?);
            match (kind, bytes) {
                (b'H', 6) => whole(11, Command::ProcessId([at(7)?, at(8)?, at(9)?, at(10)?])),
                (b'H', 3) => whole(8, Command::OfflineResponse(at(7)?)),
                (b'k', _) => Some((5, Command::Symbol(bytes))),
                _ => Some((5, Command::Skip(u64::from(bytes)))),
            }
        }
        b'v' => {
            let (mode, row_bytes, rows) = (at(3)?, word(at, 4)?, word(at, 6)?);
            let doubled = (mode & 1 == 1, mode & 2 == 2);
            let raster = Command::Raster {
                doubled,
                row_bytes,
                rows,
            };
            Some((8, raster))
        }
        b'*' => Some((4, Command::Skip(8 * u64::from(at(2)?) * u64::from(at(3)?)))),
        b'k' if at(2)? >= 65 => Some((4, Command::Skip(u64::from(at(3)?)))),
        b'8' => {
            let (low, high) = (word(at, 3)?, word(at, 5)?);
            Some((7, Command::Skip(u64::from(low) | u64::from(high) << 16)))
        }
        b'L' | b'W' | b'P' | b'$' | b'\\' => whole(4, Command::Nothing),
        b':' => whole(2, Command::Nothing),
        _ => whole(3, Command::Nothing),
    }
}

/// What a real-time sequence asks for; it acts when received, not when its turn comes (§2.1, §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Realtime {
    /// `DLE EOT n`.
    Status(u8),
    /// `DLE ENQ 1`: go on after an error.
    Resume,
    /// `DLE ENQ 2`: drop what is held after an error.
    Drop,
    /// `DLE DC4 1`: drawer pulse.
    Kick,
    /// `DLE DC4 2`: forget everything and say so.
    PowerOff,
    /// `DLE DC4 8`: clear both buffers now.
    Clear,
}

const CLEAR: [u8; 10] = [0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];

/// What the byte that just arrived completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrival {
    /// A real-time sequence ends here.
    pub realtime: Option<Realtime>,
    /// It ends inside the payload of a picture or another block.
    pub in_payload: bool,
    /// A command ends here.
    pub command: Option<Command>,
}

/// Follows the stream as it arrives, before anything is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanner {
    header: Vec<u8>,
    payload: u64,
    chinese: bool,
    window: [u8; CLEAR.len()],
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner {
            header: Vec::new(),
            payload: 0,
            chinese: true,
            window: [0; CLEAR.len()],
        }
    }
}

impl Scanner {
    pub(super) fn hear(&mut self, byte: u8) -> Arrival {
        self.window.rotate_left(1);
        self.window[CLEAR.len() - 1] = byte;
        let in_payload = self.payload > 0;
        let command = if in_payload {
            self.payload -= 1;
            None
        } else {
            self.header.push(byte);
            self.complete()
        };
        Arrival {
            realtime: self.realtime(),
            in_payload,
            command,
        }
    }

    fn complete(&mut self) -> Option<Command> {
        let (length, command) = first(&|place| self.header.get(place).copied(), self.chinese)?;
        self.header.drain(..length);
        self.payload = command.payload_bytes();
        match command {
            Command::Chinese(on) => self.chinese = on,
            Command::Reset => self.chinese = true,
            _ => {}
        }
        Some(command)
    }

    fn realtime(&self) -> Option<Realtime> {
        match self.window {
            window if window == CLEAR => Some(Realtime::Clear),
            [.., 0x10, 0x14, 0x02, 0x01, 0x08] => Some(Realtime::PowerOff),
            [.., 0x10, 0x14, 0x01, 0 | 1, 1..=8] => Some(Realtime::Kick),
            [.., 0x10, 0x04, n] => Some(Realtime::Status(n)),
            [.., 0x10, 0x05, 1] => Some(Realtime::Resume),
            [.., 0x10, 0x05, 2] => Some(Realtime::Drop),
            _ => None,
        }
    }
}

/// The upper half of code page 437: what a printer without a Chinese font makes of Chinese.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

/// The character of a byte of 80 and above in code page 437.
pub(super) fn rubbish(byte: u8) -> char {
    let place = usize::from(byte).saturating_sub(0x80);
    CODE_PAGE_437.chars().nth(place).unwrap_or('?')
}

/// The character of a byte pair in the two-byte font.
pub(super) fn pair(pair: [u8; 2]) -> char {
    gb18030::character(pair[0], pair[1]).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<(usize, Command)>) {
        let found = first(&|place| bytes.get(place).copied(), true);
        assert_eq!(found, expected, "{bytes:02X?}");
    }

    #[test]
    fn commands_are_taken_whole() {
        check(b"", None);
        check(b"A", Some((1, Command::Draw('A'))));
        check(b"\x1B", None);
        check(b"\x1B=", None);
        check(b"\x1B=\x00", Some((3, Command::Select(false))));
        check(b"\x1BD\x08\x10\x00", Some((5, Command::Nothing)));
        check(b"\x1D!\x13", Some((3, Command::Size { wide: 2, high: 4 })));
        check(b"\x1D(H\x06\x0000ABC", None);
        check(
            b"\x1D(H\x06\x0000ABCD",
            Some((11, Command::ProcessId(*b"ABCD"))),
        );
        check(
            b"\x1D(H\x03\x0010\x02",
            Some((8, Command::OfflineResponse(2))),
        );
        check(b"\x1D(k\x10\x00", Some((5, Command::Symbol(16))));
        check(b"\x1D8L\x00\x00\x01\x00", Some((7, Command::Skip(65_536))));
        check(b"\xB4", None);
        check(b"\xB4\xF3", Some((2, Command::DrawPair([0xB4, 0xF3]))));
    }

    #[test]
    fn sequences_inside_a_picture_are_seen_as_such() {
        let mut scanner = Scanner::default();
        let picture = b"\x1Dv0\x00\x04\x00\x01\x00\x10\x04\x01\xFF\x10\x04\x02";
        let found: Vec<_> = picture
            .iter()
            .map(|byte| scanner.hear(*byte))
            .filter_map(|arrival| arrival.realtime.map(|what| (what, arrival.in_payload)))
            .collect();
        assert_eq!(
            found,
            [(Realtime::Status(1), true), (Realtime::Status(2), false)]
        );
    }

    #[test]
    fn code_page_437_is_whole() {
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!((rubbish(0x80), rubbish(0xE1)), ('Ç', 'ß'));
    }
}
