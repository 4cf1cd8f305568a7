//! Draws a slip as dots: the same picture for the raster print, the PNG and the SVG.
//!
//! No byte pair of the picture is a real-time command to a printer, and a character without a glyph is
//! named, never drawn as a box.

use crate::bitmap::Bitmap;
use crate::escpos::without_realtime;
use crate::font::{GLYPH_DOTS, Glyph, glyph};
use crate::slip::{Align, Line, Row, Size, Slip, TextLine, Wording};
use std::fmt;

/// Dots from one line of normal size to the next.
const LINE_DOTS: u32 = 30;
/// Dots that a line of double size takes.
const DOUBLE_LINE_DOTS: u32 = 60;
const RULE_LINE_DOTS: u32 = 24;
/// White above the first and below the last line.
const MARGIN_DOTS: u32 = 24;
/// Stands for a character without a glyph in [`Slip::substituted`].
const SUBSTITUTE: char = '？';

/// A character that the dot font does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGlyph {
    /// The character.
    pub character: char,
    /// Line of the slip's text, from 0.
    pub line: usize,
}

impl fmt::Display for NoGlyph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}: {:?} has no glyph",
            self.line, self.character
        )
    }
}

impl std::error::Error for NoGlyph {}

impl Slip {
    /// The slip as dots, as wide as its paper.
    pub fn bitmap(&self) -> Result<Bitmap, NoGlyph> {
        let lines = self.lines();
        let (paper, columns) = (self.paper().dots(), self.paper().columns());
        let heights = lines.iter().map(|line| height(line, paper));
        let mut picture = Bitmap::new(paper, heights.sum::<u32>() + 2 * MARGIN_DOTS);
        let (mut top, mut text_line) = (MARGIN_DOTS, 0);
        for line in &lines {
            draw(&mut picture, line, top).map_err(|character| NoGlyph {
                character,
                line: text_line,
            })?;
            top += height(line, paper);
            text_line += line.text(columns).len();
        }
        Ok(without_realtime(picture))
    }

    /// The slip as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, NoGlyph> {
        Ok(self.bitmap()?.png())
    }

    /// The slip as an SVG document that carries its whole text as its description.
    pub fn svg(&self) -> Result<String, NoGlyph> {
        Ok(self.bitmap()?.svg(&self.text()))
    }

    /// The same slip with `？` for every character without a glyph: a slip with a hole is better than none.
    pub fn substituted(&self) -> Slip {
        let mut rows = self.rows().to_vec();
        rows.iter_mut().flat_map(texts).for_each(substitute);
        Slip::new(self.paper(), self.language(), rows)
    }
}

fn substitute(text: &mut String) {
    if text.chars().any(|character| glyph(character).is_none()) {
        let known = |character| glyph(character).map_or(SUBSTITUTE, |_| character);
        *text = text.chars().map(known).collect();
    }
}

/// Every text of a row that is drawn in letters.
fn texts(row: &mut Row) -> Vec<&mut String> {
    let of = |words| match words {
        &mut Wording::One(ref mut text) => vec![text],
        Wording::Two(zh, en) => vec![zh, en],
    };
    match row {
        Row::Title(words) | Row::Text { words, .. } => of(words),
        Row::Pair { label, value, .. } => [label, value].into_iter().flat_map(of).collect(),
        Row::Table(rows) => rows.iter_mut().flatten().flat_map(of).collect(),
        Row::Details(details) => details.iter_mut().map(|(_, value)| value).collect(),
        Row::Qr { payload, caption } => of(caption).into_iter().chain([payload]).collect(),
        Row::Image { words, .. } => of(words),
        Row::Rule | Row::SignatureLine | Row::Feed(_) => Vec::new(),
    }
}

/// How many dots of paper a line takes.
pub(crate) fn height(line: &Line, paper: u32) -> u32 {
    match line {
        Line::Text(line) => match line.size {
            Size::Normal => LINE_DOTS,
            Size::Double => DOUBLE_LINE_DOTS,
        },
        Line::Rule => RULE_LINE_DOTS,
        Line::Signature => LINE_DOTS,
        Line::Qr(_, matrix) => matrix.bitmap(matrix.module_dots(paper)).height(),
        Line::Picture(picture, _) => picture.height(),
        Line::Feed(lines) => u32::from(*lines) * LINE_DOTS,
    }
}

/// Draws a line from `top` down, or names a character that cannot be drawn.
fn draw(paper: &mut Bitmap, line: &Line, top: u32) -> Result<(), char> {
    match line {
        Line::Text(line) => write(paper, line, top)?,
        Line::Rule => {
            let y = top + RULE_LINE_DOTS / 2 - 1;
            (0..paper.width())
                .step_by(12)
                .for_each(|x| paper.fill(x, y, 8, 2));
        }
        Line::Signature => paper.fill(0, top + LINE_DOTS / 2, paper.width(), 2),
        Line::Qr(_, matrix) => {
            let code = matrix.bitmap(matrix.module_dots(paper.width()));
            in_the_middle(paper, &code, top);
        }
        Line::Picture(picture, _) => in_the_middle(paper, picture, top),
        Line::Feed(_) => {}
    }
    Ok(())
}

/// Draws a picture in the middle of the paper.
pub(crate) fn in_the_middle(paper: &mut Bitmap, picture: &Bitmap, top: u32) {
    let left = paper.width().saturating_sub(picture.width()) / 2;
    paper.blit(picture, left, top);
}

fn write(paper: &mut Bitmap, line: &TextLine, top: u32) -> Result<(), char> {
    let scale = match line.size {
        Size::Normal => 1,
        Size::Double => 2,
    };
    let glyphs = line
        .text
        .chars()
        .map(|character| glyph(character).ok_or(character))
        .collect::<Result<Vec<Glyph>, char>>()?;
    let taken: u32 = glyphs.iter().map(|glyph| glyph.width() * scale).sum();
    let free = paper.width().saturating_sub(taken);
    let mut left = match line.align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    };
    let line_dots = if scale == 1 {
        LINE_DOTS
    } else {
        DOUBLE_LINE_DOTS
    };
    let top = top + (line_dots - GLYPH_DOTS * scale) / 2;
    for glyph in &glyphs {
        for y in 0..GLYPH_DOTS * scale {
            for x in 0..glyph.width() * scale {
                if dot(glyph, scale, x, y) {
                    paper.fill(left + x, top + y, if line.bold { 2 } else { 1 }, 1);
                }
            }
        }
        left += glyph.width() * scale;
    }
    Ok(())
}

/// A dot of a glyph at single or double size; the doubled corners are rounded (Scale2x).
fn dot(glyph: &Glyph, scale: u32, x: u32, y: u32) -> bool {
    if scale == 1 {
        return glyph.dot(x, y);
    }
    let at = |x: u32, y: u32| glyph.dot(x, y);
    let (column, row) = (x / 2, y / 2);
    let own = at(column, row);
    let above = at(column, row.wrapping_sub(1));
    let below = at(column, row + 1);
    let left = at(column.wrapping_sub(1), row);
    let right = at(column + 1, row);
    let (side, other_side) = if x.is_multiple_of(2) {
        (left, right)
    } else {
        (right, left)
    };
    let (end, other_end) = if y.is_multiple_of(2) {
        (above, below)
    } else {
        (below, above)
    };
    match side == end && side != other_end && end != other_side {
        true => side,
        false => own,
    }
}
