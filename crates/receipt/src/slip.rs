//! A slip as a document: rows of words that every drawing shares, laid out for one width of paper.
//!
//! Columns are counted in GB18030 bytes, no row is wider than the paper, no character and no amount is
//! broken or cut off, and the drawings differ in nothing but their ink.

mod fields;
mod lines;
mod payment;
mod report;
mod settlement;
mod sheet;
mod shift;
mod test_page;

use crate::bitmap::Bitmap;

pub use fields::{
    Chip, CopyOf, Cryptogram, FIELD_CHARACTERS_MAX, LINK_BYTES_MAX, Language, PAYMENT_CODE, Paper,
    REMARKS_MAX, Reprint, SlipFields, Title, Verification, Words, mask_pan,
};
pub(crate) use lines::{Line, TextLine, aligned};
pub use payment::lay_out;
pub use report::Report;
pub use settlement::{CardKindTotals, Reconciled, SettlementFields, Sum, lay_out_settlement};
pub use shift::{PENDING_MAX, PendingItem, ShiftFields, lay_out_shift};

/// Where a row's text stands; the number is the printer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left = 0,
    /// In the middle.
    Centre = 1,
    /// At the right edge.
    Right = 2,
}

/// The size of a row's characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One column for ASCII, two for Chinese.
    Normal,
    /// Twice as wide and high.
    Double,
}

/// A text in the languages of its slip, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wording {
    /// In the slip's one language, or in none: a number, a name.
    One(String),
    /// zh-CN and en on one slip.
    Two(String, String),
}

/// One row of a slip. It knows what it means, not yet how many lines it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The slip's name, large and in the middle.
    Title(Wording),
    /// A text; wrapped where it is too long, at normal size where double is too wide.
    Text {
        /// Two languages share a line where both fit.
        words: Wording,
        /// Where it stands.
        align: Align,
        /// How large it is.
        size: Size,
        /// Darker strokes.
        bold: bool,
    },
    /// A label and its value.
    Pair {
        /// Has its own line on a slip in two languages.
        label: Wording,
        /// Never cut off.
        value: Wording,
        /// Size of the value; an amount's is double.
        size: Size,
    },
    /// Columns: the first at the left edge, the others at the right; the first row is the head.
    Table(Vec<Vec<Wording>>),
    /// Short names with their values, as many in a line as fit.
    Details(Vec<(&'static str, String)>),
    /// A line across the paper.
    Rule,
    /// A line to write on.
    SignatureLine,
    /// A link as a QR code.
    Qr {
        /// What the code says.
        payload: String,
        /// What it is for.
        caption: Wording,
    },
    /// A picture in the middle, such as the merchant's mark.
    Image {
        /// Its dots; what is wider than the paper is lost.
        picture: Bitmap,
        /// The same in words.
        words: Wording,
    },
    /// Blank lines.
    Feed(u8),
}

/// A slip laid out for one width of paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    paper: Paper,
    language: Language,
    rows: Vec<Row>,
}

impl Slip {
    /// A slip of any rows.
    pub fn new(paper: Paper, language: Language, rows: Vec<Row>) -> Slip {
        Slip {
            paper,
            language,
            rows,
        }
    }

    /// The rows from top to bottom.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The paper it is laid out for.
    pub fn paper(&self) -> Paper {
        self.paper
    }

    /// Its language or languages.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The slip as plain text, without blanks at line ends.
    pub fn text(&self) -> String {
        let columns = self.paper.columns();
        let mut page = String::new();
        for line in self.lines().iter().flat_map(|line| line.text(columns)) {
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page
    }
}
