//! From the rows of a slip to its lines: the one place that counts columns and breaks texts.
//!
//! No line is wider than the paper, and whatever a row says is somewhere in its lines.

use super::{Align, Row, Size, Slip, Wording};
use crate::bitmap::Bitmap;
use crate::gb18030::{width, width_of};
use crate::qr::Matrix;
use crate::slip::Language;

const BOTH_INDENT: usize = 4;

/// One line of text of one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextLine {
    /// Without padding for the alignment.
    pub text: String,
    pub align: Align,
    pub size: Size,
    pub bold: bool,
}

/// What a drawing draws, one below the other.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Text(TextLine),
    Rule,
    Signature,
    /// The payload and its code.
    Qr(String, Matrix),
    /// In the middle; its words stand for it in a text.
    Picture(Bitmap, String),
    Feed(u8),
}

impl Line {
    /// The line as lines of plain text.
    pub fn text(&self, columns: usize) -> Vec<String> {
        match self {
            Line::Text(line) => vec![aligned(&line.text, line.align, columns)],
            Line::Rule => vec!["-".repeat(columns)],
            Line::Signature => vec!["_".repeat(columns)],
            Line::Qr(payload, _) => wrap(payload, columns),
            Line::Picture(_, words) => wrap(words, columns),
            Line::Feed(lines) => vec![String::new(); usize::from(*lines)],
        }
    }
}

impl Slip {
    /// Every line, from the top.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let setter = Setter {
            columns: self.paper.columns(),
            language: self.language,
        };
        self.rows.iter().flat_map(|row| setter.row(row)).collect()
    }
}

/// Pads a text at its left to where it stands in a line of `columns`.
pub(crate) fn aligned(text: &str, align: Align, columns: usize) -> String {
    let free = columns.saturating_sub(width(text));
    let left = match align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    };
    format!("{}{text}", " ".repeat(left))
}

struct Setter {
    columns: usize,
    language: Language,
}

impl Setter {
    fn row(&self, row: &Row) -> Vec<Line> {
        match row {
            Row::Title(words) => self.title(words),
            Row::Text {
                words,
                align,
                size,
                bold,
            } => self.words(words, *align, *size, *bold),
            Row::Pair { label, value, size } => self.pair(label, value, *size),
            Row::Table(rows) => self.table(rows),
            Row::Details(details) => self.details(details),
            Row::Rule => vec![Line::Rule],
            Row::SignatureLine => vec![Line::Signature],
            Row::Qr { payload, caption } => self.qr(payload, caption),
            Row::Image { picture, words } => {
                vec![Line::Picture(picture.clone(), words.joined())]
            }
            Row::Feed(lines) => vec![Line::Feed(*lines)],
        }
    }

    fn title(&self, words: &Wording) -> Vec<Line> {
        match words {
            Wording::One(text) => self.sized(text, Align::Centre, Size::Double, false),
            Wording::Two(zh, en) => {
                let mut lines = self.sized(zh, Align::Centre, Size::Double, false);
                lines.extend(self.sized(en, Align::Centre, Size::Normal, true));
                lines
            }
        }
    }

    /// Two languages share a line of normal size where both fit; else English follows at normal size.
    fn words(&self, words: &Wording, align: Align, size: Size, bold: bool) -> Vec<Line> {
        match words {
            Wording::One(text) => self.sized(text, align, size, bold),
            Wording::Two(..) if size == Size::Normal && width(&words.joined()) <= self.columns => {
                self.sized(&words.joined(), align, size, bold)
            }
            Wording::Two(zh, en) => {
                let mut lines = self.sized(zh, align, size, bold);
                lines.extend(self.sized(en, align, Size::Normal, bold));
                lines
            }
        }
    }

    /// Double size where it fits in one line; where not, bold at normal size.
    fn sized(&self, text: &str, align: Align, size: Size, bold: bool) -> Vec<Line> {
        let (size, bold) = match size {
            Size::Double if width(text) * 2 > self.columns => (Size::Normal, true),
            size => (size, bold),
        };
        let line = |text| {
            Line::Text(TextLine {
                text,
                align,
                size,
                bold,
            })
        };
        match size {
            Size::Double => vec![line(text.to_owned())],
            Size::Normal => wrap(text, self.columns).into_iter().map(line).collect(),
        }
    }

    fn plain(&self, text: &str) -> Vec<Line> {
        self.sized(text, Align::Left, Size::Normal, false)
    }

    /// In one language: in two columns where both fit, else with the value at the right edge, in a line
    /// of its own if it must. What is too long even for that is wrapped below its label.
    fn pair(&self, label: &Wording, value: &Wording, size: Size) -> Vec<Line> {
        let (name, text) = (label.joined(), value.joined());
        let taken = width(&name) + width(&text);
        let tab = self.tab();
        let one_line = matches!(label, Wording::One(_)) && size == Size::Normal;
        if one_line && width(&name) < tab && tab + width(&text) <= self.columns {
            self.plain(&format!("{name}{}{text}", " ".repeat(tab - width(&name))))
        } else if one_line && taken < self.columns {
            self.plain(&format!("{name}{}{text}", " ".repeat(self.columns - taken)))
        } else {
            let mut lines = self.words(label, Align::Left, Size::Normal, false);
            let indent = match self.language {
                Language::Both if size == Size::Normal => BOTH_INDENT,
                _ => 0,
            };
            match width(&text) + indent <= self.columns {
                true if indent > 0 => {
                    lines.extend(self.plain(&format!("{}{text}", " ".repeat(indent))))
                }
                true => lines.extend(self.sized(&text, Align::Right, size, false)),
                false => lines.extend(self.plain(&text)),
            }
            lines
        }
    }

    /// Where the values of pairs stand: behind the widest usual label and a gap.
    fn tab(&self) -> usize {
        match (self.language, self.columns) {
            (Language::Zh, ..=32) => 11,
            (_, ..=32) => 12,
            _ => 16,
        }
    }

    /// The first cell at the left edge, the others at the right ends of their columns; a first cell that
    /// leaves no room for them has its own line, and so has every cell where the columns are too wide.
    fn table(&self, rows: &[Vec<Wording>]) -> Vec<Line> {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(Wording::joined).collect())
            .collect();
        let count = cells.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let texts = cells.iter().filter_map(|row| row.get(column));
            texts.map(|text| width(text)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (1..count).map(widest).collect();
        cells
            .iter()
            .filter_map(|row| row.split_first())
            .flat_map(|(first, others)| self.table_row(first, others, &widths))
            .collect()
    }

    fn table_row(&self, first: &str, others: &[String], widths: &[usize]) -> Vec<Line> {
        let columns = others.iter().zip(widths).map(|(cell, column_width)| {
            format!("{}{cell}", " ".repeat(column_width - width(cell)))
        });
        let columns = columns.collect::<Vec<String>>().join("  ");
        let side_by_side = columns.trim_start();
        let at_the_right = |text: &str| self.sized(text, Align::Right, Size::Normal, false);
        if width(side_by_side) > self.columns {
            let mut lines = self.plain(first);
            lines.extend(others.iter().flat_map(|other| at_the_right(other)));
            lines
        } else if width(first) + 1 + width(side_by_side) <= self.columns {
            let gap = self.columns - width(first) - width(side_by_side);
            self.plain(&format!("{first}{}{side_by_side}", " ".repeat(gap)))
        } else {
            let mut lines = self.plain(first);
            lines.extend(at_the_right(side_by_side));
            lines
        }
    }

    fn details(&self, details: &[(&str, String)]) -> Vec<Line> {
        let mut lines: Vec<String> = Vec::new();
        for (name, value) in details {
            let item = format!("{name}:{value}");
            match lines.last_mut() {
                Some(line) if width(line) + 2 + width(&item) <= self.columns => {
                    line.push_str("  ");
                    line.push_str(&item);
                }
                _ => lines.extend(wrap(&item, self.columns)),
            }
        }
        lines.iter().flat_map(|line| self.plain(line)).collect()
    }

    fn qr(&self, payload: &str, caption: &Wording) -> Vec<Line> {
        let mut lines = match Matrix::of(payload) {
            Some(matrix) => vec![Line::Qr(payload.to_owned(), matrix)],
            None => self.plain(payload),
        };
        lines.extend(self.words(caption, Align::Centre, Size::Normal, false));
        lines
    }
}

/// Breaks a text into lines of at most `columns`: between words, around Chinese characters, never
/// before a closing mark; inside a word only when it alone is too long. At least one line.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for character in text.chars() {
        while !line.is_empty() && width(&line) + width_of(character) > columns {
            let tail = line.split_off(break_before(&line, character));
            lines.push(line.trim_end().to_string());
            line = tail.trim_start().to_string();
        }
        if !(character == ' ' && line.is_empty() && !lines.is_empty()) {
            line.push(character);
        }
    }
    if lines.is_empty() || !line.is_empty() {
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// The last place in a full line where it may be broken, when `next` follows it.
fn break_before(line: &str, next: char) -> usize {
    let mut after = next;
    for (place, character) in line.char_indices().rev() {
        let end = place + character.len_utf8();
        let allowed =
            character == ' ' || after == ' ' || !character.is_ascii() || !after.is_ascii();
        if allowed && !closes(after) && !opens(character) {
            return end;
        }
        after = character;
    }
    line.len()
}

fn closes(character: char) -> bool {
    "，。、；：！？）》】”’,.;:!?)".contains(character)
}

fn opens(character: char) -> bool {
    "（《【“‘(".contains(character)
}
