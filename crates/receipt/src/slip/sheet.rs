//! A sheet that a slip is written on, row by row: the words that all kinds of slips share.
//!
//! Every word is cleaned here, so that no row holds a control character.

use super::fields::clean;
use super::{Align, Language, Paper, Reprint, Row, Size, Slip, Wording, Words};

pub(super) const REPRINT_MARK: &str = "****重打印/DUPLICATED****";

pub(super) struct Sheet {
    paper: Paper,
    language: Language,
    rows: Vec<Row>,
}

impl Wording {
    /// Both languages in one line.
    pub fn joined(&self) -> String {
        match self {
            Wording::One(text) => text.clone(),
            Wording::Two(zh, en) => format!("{zh} {en}"),
        }
    }
}

impl Sheet {
    pub fn new(language: Language, paper: Paper) -> Sheet {
        Sheet {
            paper,
            language,
            rows: Vec::new(),
        }
    }

    pub fn slip(self) -> Slip {
        Slip::new(self.paper, self.language, self.rows)
    }

    /// Words of ours in the slip's languages.
    pub fn say(&self, zh: &str, en: &str) -> Wording {
        match self.language {
            Language::Zh => Wording::One(clean(zh)),
            Language::En => Wording::One(clean(en)),
            Language::Both if zh == en || en.is_empty() => Wording::One(clean(zh)),
            Language::Both if zh.is_empty() => Wording::One(clean(en)),
            Language::Both => Wording::Two(clean(zh), clean(en)),
        }
    }

    pub fn words(&self, words: &Words) -> Wording {
        self.say(&words.0, &words.1)
    }

    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn title(&mut self, zh: &str, en: &str) {
        let words = self.say(zh, en);
        self.push(Row::Title(words));
    }

    pub fn text(&mut self, words: Wording, align: Align, size: Size, bold: bool) {
        self.push(Row::Text {
            words,
            align,
            size,
            bold,
        });
    }

    pub fn plain(&mut self, zh: &str, en: &str) {
        let words = self.say(zh, en);
        self.text(words, Align::Left, Size::Normal, false);
    }

    pub fn centred(&mut self, zh: &str, en: &str, bold: bool) {
        let words = self.say(zh, en);
        self.text(words, Align::Centre, Size::Normal, bold);
    }

    pub fn rule(&mut self) {
        self.push(Row::Rule);
    }

    /// A label and a value that is the same in every language.
    pub fn pair(&mut self, zh: &str, en: &str, value: &str) {
        self.pair_of(zh, en, Wording::One(clean(value)));
    }

    pub fn pair_of(&mut self, zh: &str, en: &str, value: Wording) {
        let label = self.say(zh, en);
        self.push(Row::Pair {
            label,
            value,
            size: Size::Normal,
        });
    }

    /// A label and an amount in fen, large.
    pub fn amount(&mut self, zh: &str, en: &str, minor: u64) {
        let label = self.say(zh, en);
        self.push(Row::Pair {
            label,
            value: Wording::One(format!("RMB:{}", yuan(minor.into()))),
            size: Size::Double,
        });
    }

    /// A row of quota, which is no money and has no sign of any.
    pub fn quota(&mut self, zh: &str, en: &str, minor: u64) {
        let label = self.say(zh, en);
        self.push(Row::Pair {
            label,
            value: Wording::One(format!("{}.{:02}", minor / 100, minor % 100)),
            size: Size::Double,
        });
    }

    /// What stands above the title of every print but the first.
    pub fn reprint(&mut self, reprint: Option<&Reprint>) {
        if let Some(Reprint {
            count,
            original_time,
        }) = reprint
        {
            self.centred(REPRINT_MARK, REPRINT_MARK, true);
            self.centred(
                &format!("第 {count} 次重打印"),
                &format!("REPRINT {count}"),
                false,
            );
            self.centred(
                &format!("原单时间 {original_time}"),
                &format!("ORIGINAL {original_time}"),
                false,
            );
        }
    }

    pub fn training(&mut self) {
        self.centred("***测试，凭证无效***", "***TESTING, NOT VALID***", true);
    }

    /// Short names with their values.
    pub fn details(&mut self, details: Vec<(&'static str, &str)>) {
        let cleaned = details
            .into_iter()
            .map(|(name, value)| (name, clean(value)));
        self.push(Row::Details(cleaned.collect()));
    }

    /// A link as a QR code.
    pub fn qr(&mut self, link: &str, caption: Wording) {
        let payload = link.chars().filter(|c| !c.is_control()).collect();
        self.push(Row::Qr { payload, caption });
    }

    /// A label with room and a line to sign on.
    pub fn signature_line(&mut self, zh: &str, en: &str) {
        self.plain(zh, en);
        self.push(Row::Feed(2));
        self.push(Row::SignatureLine);
    }
}

/// An amount in fen as it is drawn: `￥128.00`.
pub(super) fn yuan(minor: u128) -> String {
    format!("￥{}.{:02}", minor / 100, minor % 100)
}
