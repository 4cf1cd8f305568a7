//! Draws a piece of paper dot by dot, as the printer's head does.
//!
//! The picture is as wide as the paper's dots; a character without a glyph is a frame, as printers draw it.

use super::paper::{Mark, PrintedSlip, Run, RunStyle};
use crate::bitmap::Bitmap;
use crate::font::{GLYPH_DOTS, glyph};
use crate::gb18030::width_of;
use crate::slip::{Align, Paper};
use qrcode::{Color, EcLevel, QrCode};

/// Dots of a column of normal size.
const COLUMN_DOTS: u32 = 12;

impl PrintedSlip {
    /// The paper as it looks.
    pub fn bitmap(&self, paper: Paper) -> Bitmap {
        let width = paper.columns() as u32 * COLUMN_DOTS;
        let height = u32::try_from(self.dots()).unwrap_or(u32::MAX);
        let mut picture = Bitmap::new(width, height.max(1));
        let mut top = 0;
        for mark in &self.marks {
            let high = u32::from(mark.dots());
            match mark {
                Mark::Line { runs, align, .. } => {
                    draw_line(&mut picture, runs, *align, top, high);
                }
                Mark::Dots {
                    row_bytes,
                    bits,
                    align,
                    doubled,
                } => {
                    let row_bytes = usize::from(*row_bytes);
                    let dots = Dots {
                        width: row_bytes as u32 * 8,
                        height: (bits.len() / row_bytes) as u32,
                        times: (1 + u32::from(doubled.0), 1 + u32::from(doubled.1)),
                    };
                    dots.draw(&mut picture, *align, top, |x, y| {
                        let byte = bits[y as usize * row_bytes + x as usize / 8];
                        byte & (0x80 >> (x % 8)) != 0
                    });
                }
                Mark::Qr {
                    content,
                    module_dots,
                    level,
                    align,
                } => {
                    if let Some(code) = qr(content, *level) {
                        let side = code.width() as u32;
                        let dots = Dots {
                            width: side,
                            height: side,
                            times: (u32::from(*module_dots), u32::from(*module_dots)),
                        };
                        dots.draw(&mut picture, *align, top, |x, y| {
                            code[(x as usize, y as usize)] == Color::Dark
                        });
                    }
                }
                Mark::Feed(_) => {}
            }
            top += high;
        }
        picture
    }
}

/// The symbol of some content; none when no version holds it.
pub(super) fn qr(content: &[u8], level: char) -> Option<QrCode> {
    let level = match level {
        'M' => EcLevel::M,
        'Q' => EcLevel::Q,
        'H' => EcLevel::H,
        _ => EcLevel::L,
    };
    QrCode::with_error_correction_level(content, level).ok()
}

/// A picture of dots, each drawn some times as wide and high.
struct Dots {
    width: u32,
    height: u32,
    times: (u32, u32),
}

impl Dots {
    fn draw(&self, picture: &mut Bitmap, align: Align, top: u32, black: impl Fn(u32, u32) -> bool) {
        let (wide, high) = self.times;
        let left = left_of(self.width * wide, align, picture.width());
        for y in 0..self.height {
            for x in (0..self.width).filter(|x| black(*x, y)) {
                picture.fill(left + x * wide, top + y * high, wide, high);
            }
        }
    }
}

fn left_of(width: u32, align: Align, paper: u32) -> u32 {
    let free = paper.saturating_sub(width);
    match align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    }
}

/// Characters stand on one ground line, whatever their height.
fn draw_line(picture: &mut Bitmap, runs: &[Run], align: Align, top: u32, high: u32) {
    let characters = || {
        runs.iter()
            .flat_map(|run| run.text.chars().map(|character| (character, run.style)))
    };
    let width = characters()
        .map(|(character, style)| cell(character, style))
        .sum();
    let tallest = runs.iter().map(|run| u32::from(run.style.high)).max();
    let ground = top + (tallest.unwrap_or(1) * GLYPH_DOTS).min(high);
    let mut left = left_of(width, align, picture.width());
    for (character, style) in characters() {
        draw_character(picture, character, style, left, ground);
        left += cell(character, style);
    }
}

fn cell(character: char, style: RunStyle) -> u32 {
    width_of(character) as u32 * COLUMN_DOTS * u32::from(style.wide)
}

fn draw_character(picture: &mut Bitmap, character: char, style: RunStyle, left: u32, ground: u32) {
    let (wide, high) = (u32::from(style.wide), u32::from(style.high));
    let width = cell(character, style) / wide;
    let top = ground.saturating_sub(GLYPH_DOTS * high);
    let shape = glyph(character);
    let inked = |x: u32, y: u32| match &shape {
        Some(glyph) => glyph.dot(x, y) || (style.bold && x > 0 && glyph.dot(x - 1, y)),
        None => x == 1 || y == 1 || x + 2 == width || y + 2 == GLYPH_DOTS,
    };
    for y in 0..GLYPH_DOTS {
        let ruled = style.underlined && y + 2 >= GLYPH_DOTS;
        for x in (0..width).filter(|x| (inked(*x, y) || ruled) != style.inverted) {
            picture.fill(left + x * wide, top + y * high, wide, high);
        }
    }
}
