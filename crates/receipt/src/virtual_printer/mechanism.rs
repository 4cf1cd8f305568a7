//! What the printer does with what it holds: takes it command by command, and puts marks on paper.
//!
//! It goes on only while nothing keeps it from printing and the line before is done.

use super::command::{self, Command};
use super::paper::{LINE_DOTS, Mark, PLAIN, RunStyle};
use super::{
    CUT_US, DOTS_PER_MM, Echo, Fault, Payload, SLOW_MM_PER_S, SMALL_BUFFER_BYTES, STRIP_ROWS,
    SYMBOL_BYTES_MAX, Style, Told, VirtualPrinter,
};
use crate::slip::{Align, Paper};

impl VirtualPrinter {
    fn can_go_on(&self) -> bool {
        !self.absent() && !self.sensors().offline() && self.busy_until_us <= self.now_us
    }

    /// Prints until it is stopped, busy or has nothing complete left.
    pub(super) fn work(&mut self) {
        self.tell_change();
        while self.can_go_on() && self.step() {
            self.tell_change();
        }
    }

    /// Takes one command, character or part of a payload; false when none is complete.
    fn step(&mut self) -> bool {
        match &mut self.ram.payload {
            Payload::None => {
                let buffer = &self.ram.buffer;
                let chinese = self.ram.style.chinese;
                let Some((length, command)) =
                    command::first(&|place| buffer.get(place).copied(), chinese)
                else {
                    return false;
                };
                self.ram.buffer.drain(..length);
                self.act(command);
                true
            }
            Payload::Skip(left) => {
                let buffered = self.ram.buffer.len();
                let skipped = buffered.min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= skipped as u64;
                let whole = *left == 0;
                self.ram.buffer.drain(..skipped);
                if whole {
                    self.ram.payload = Payload::None;
                }
                whole
            }
            Payload::Raster {
                row_bytes,
                rows_left,
                doubled,
            } => {
                let rows = usize::from(*rows_left).min(STRIP_ROWS);
                let (width, doubled) = (usize::from(*row_bytes), *doubled);
                // A strip wider than the buffer would never be whole: such rows go one by one, cut at the paper.
                let rows = rows.min((SMALL_BUFFER_BYTES / width).max(1));
                let strip = rows * width;
                if self.ram.buffer.len() < strip.min(SMALL_BUFFER_BYTES) {
                    return false;
                }
                *rows_left -= rows as u16;
                let last = *rows_left == 0;
                let taken = strip.min(self.ram.buffer.len());
                let bits: Vec<u8> = self.ram.buffer.drain(..taken).collect();
                if strip > taken {
                    // The rest of an overlong row, and of every row after it, is not drawn.
                    let rest = (strip - taken) as u64 + u64::from(*rows_left) * width as u64;
                    self.ram.payload = Payload::Skip(rest);
                } else if last {
                    self.ram.payload = Payload::None;
                }
                self.print_dots(&bits, width, doubled);
                true
            }
            Payload::Symbol { left, kept } => {
                let taken = self.ram.buffer.len().min(usize::from(*left));
                let room = (SYMBOL_BYTES_MAX + 3).saturating_sub(kept.len());
                kept.extend(self.ram.buffer.drain(..taken).take(room));
                *left -= taken as u16;
                if *left > 0 {
                    return false;
                }
                let symbol = std::mem::take(kept);
                self.ram.payload = Payload::None;
                self.symbol(&symbol);
                true
            }
        }
    }

    fn act(&mut self, command: Command) {
        self.ram.payload = match command {
            Command::Skip(0) | Command::Symbol(0) => Payload::None,
            Command::Skip(bytes) => Payload::Skip(bytes),
            Command::Symbol(left) => Payload::Symbol {
                left,
                kept: Vec::new(),
            },
            Command::Raster {
                doubled,
                row_bytes,
                rows,
            } if command.payload_bytes() > 0 => Payload::Raster {
                row_bytes,
                rows_left: rows,
                doubled,
            },
            _ => Payload::None,
        };
        if self.has(Fault::Deselected) && command != Command::Select(true) {
            let swallowed = std::mem::replace(&mut self.ram.payload, Payload::None);
            let bytes = match swallowed {
                Payload::None => return,
                _ => command.payload_bytes(),
            };
            self.ram.payload = Payload::Skip(bytes);
            return;
        }
        if !self.ask(command) {
            self.set(command);
        }
    }

    /// Questions in order, and what the mechanism does besides printing.
    fn ask(&mut self, command: Command) -> bool {
        match command {
            Command::TellPaper if self.told != Told::Clone => {
                let answer = self.condition().paper();
                self.say(&[answer]);
            }
            Command::TellPaper => {}
            Command::TellDrawer => {
                let answer = self.condition().drawer();
                self.say(&[answer]);
            }
            Command::Identify(n) => self.identify(n),
            Command::ProcessId(id) if self.echo != Echo::Parsed => self.answer_id(id),
            Command::ProcessId(_) => {}
            Command::OfflineResponse(d) => self.ram.offline_response = d,
            Command::Automatic(n) => {
                self.ram.automatic = n;
                self.ram.automatic_told = None;
            }
            Command::Kick => self.kick(),
            Command::Select(on) => {
                // Without a second look at what is held: this is a step of that look.
                match on {
                    true => self.faults.remove(&Fault::Deselected),
                    false => self.faults.insert(Fault::Deselected),
                };
            }
            Command::Cut if self.has(Fault::CutterStuck) => self.cut_waits = true,
            Command::Cut => self.cut(),
            _ => return false,
        }
        true
    }

    /// What changes the paper, or how it will look.
    fn set(&mut self, command: Command) {
        let style = &mut self.ram.style;
        match command {
            Command::Draw(character) => self.draw(character, self.ram.style.ascii),
            Command::DrawByte(byte) => {
                let character = if self.has(Fault::NoChinese) {
                    command::rubbish(byte)
                } else {
                    '?'
                };
                self.draw(character, self.ram.style.ascii);
            }
            Command::DrawPair(pair) => self.draw_pair(pair),
            Command::Tab => {
                let stop = self.ram.line.width() / 8 * 8 + 8;
                while self.ram.line.width() < stop.min(self.paper.columns()) {
                    self.draw(' ', PLAIN);
                }
            }
            Command::LineFeed => self.line_feed(),
            Command::FeedLines(lines) => {
                for _ in 0..lines {
                    if !self.has(Fault::PaperOut) {
                        self.line_feed();
                    }
                }
            }
            Command::FeedDots(dots) if self.ram.line.is_empty() => {
                self.put(Mark::Feed(u16::from(dots)));
            }
            Command::FeedDots(dots) => self.feed(u16::from(dots)),
            Command::LineSpacing(dots) => style.line_dots = dots.map_or(LINE_DOTS, u16::from),
            Command::Reset => {
                self.ram.line.clear();
                self.ram.style = Style::new();
                self.ram.automatic = 0;
            }
            Command::Align(1 | 49) => style.align = Align::Centre,
            Command::Align(2 | 50) => style.align = Align::Right,
            Command::Align(_) => style.align = Align::Left,
            Command::Size { wide, high } => style.size(wide, high),
            Command::ChineseSize { wide, high } => {
                (style.chinese_wide, style.chinese_high) = (wide, high);
            }
            Command::Mode(n) => {
                let times = |mask: u8| if n & mask != 0 { 2 } else { 1 };
                style.size(times(0x20), times(0x10));
                (style.ascii.bold, style.ascii.underlined) = (n & 0x08 != 0, n & 0x80 != 0);
            }
            Command::Bold(on) => style.ascii.bold = on,
            Command::Underlined(on) => style.ascii.underlined = on,
            Command::Inverted(on) => style.ascii.inverted = on,
            Command::Chinese(on) => style.chinese = on,
            _ => {}
        }
    }

    fn identify(&mut self, n: u8) {
        let chinese = !self.has(Fault::NoChinese);
        let text: &[u8] = match n {
            1 | 49 => return self.say(&[0x20]),
            2 | 50 => return self.say(&[0x02 | u8::from(chinese)]),
            3 | 51 => return self.say(&[0x01]),
            65 => b"1.00",
            66 => b"COUNTERFOIL",
            67 if self.paper == Paper::Mm58 => b"VIRTUAL-58",
            67 => b"VIRTUAL-80",
            68 => b"CF000001",
            69 if chinese => b"CHINA GB18030",
            69 => b"",
            _ => return,
        };
        let block = [b"\x5F", text, b"\x00"].concat();
        self.say(&block);
    }

    fn draw_pair(&mut self, pair: [u8; 2]) {
        if self.has(Fault::NoChinese) {
            for byte in pair {
                let character = match byte {
                    0x20..=0x7E => char::from(byte),
                    _ => command::rubbish(byte),
                };
                self.draw(character, self.ram.style.ascii);
            }
            return;
        }
        self.draw(command::pair(pair), self.ram.style.of_chinese());
    }

    fn draw(&mut self, character: char, style: RunStyle) {
        if !self.ram.line.fits(character, style, self.paper.columns()) {
            self.line_feed();
        }
        self.ram.line.push(character, style);
    }

    fn line_feed(&mut self) {
        self.feed(self.ram.style.line_dots);
    }

    fn feed(&mut self, dots: u16) {
        let align = self.ram.style.align;
        let runs = self.ram.line.take();
        self.put(Mark::Line { runs, align, dots });
    }

    fn print_dots(&mut self, bits: &[u8], row_bytes: usize, doubled: (bool, bool)) {
        let shown = row_bytes.min(self.paper.columns() * 12 / 8);
        let rows = bits.chunks(row_bytes);
        let seen = rows.flat_map(|row| row[..shown.min(row.len())].iter().copied());
        let mut bits: Vec<u8> = seen.collect();
        bits.resize(bits.len().next_multiple_of(shown), 0);
        self.put(Mark::Dots {
            row_bytes: shown as u16,
            bits,
            align: self.ram.style.align,
            doubled,
        });
    }

    /// The functions of `GS ( k` for QR symbols: size, level, content, print.
    fn symbol(&mut self, payload: &[u8]) {
        let symbol = &mut self.ram.symbol;
        match payload {
            [b'1', b'C', dots, ..] => symbol.module_dots = (*dots).clamp(1, 16),
            [b'1', b'E', level, ..] => {
                symbol.level = match level {
                    b'1' => 'M',
                    b'2' => 'Q',
                    b'3' => 'H',
                    _ => 'L',
                };
            }
            [b'1', b'P', _, content @ ..] => symbol.content = content.to_vec(),
            [b'1', b'Q', ..] if !symbol.content.is_empty() => {
                let mark = Mark::Qr {
                    content: symbol.content.clone(),
                    module_dots: symbol.module_dots,
                    level: symbol.level,
                    align: self.ram.style.align,
                };
                self.put(mark);
            }
            _ => {}
        }
    }

    /// Puts a mark on the paper, which takes a line of it and its time.
    fn put(&mut self, mark: Mark) {
        let dots = u64::from(mark.dots());
        if let Some(speed) = self.speed() {
            self.be_busy(dots * 1_000_000 / (DOTS_PER_MM * u64::from(speed.max(1))));
        }
        if self.echo == Echo::NothingPrinted {
            return;
        }
        if let Some(lines) = &mut self.lines_left {
            *lines = lines.saturating_sub(1);
        }
        let blank = self.has(Fault::Blank);
        self.tray.put(mark, self.paper.columns(), blank);
    }

    pub(super) fn cut(&mut self) {
        if self.speed().is_some() {
            self.be_busy(CUT_US);
        }
        self.tray.tear(true);
    }

    fn speed(&self) -> Option<u32> {
        match self.has(Fault::Slow) {
            true => Some(SLOW_MM_PER_S),
            false => self.speed_mm_per_s,
        }
    }

    fn be_busy(&mut self, us: u64) {
        self.busy_until_us = self.busy_until_us.max(self.now_us) + us;
    }
}
