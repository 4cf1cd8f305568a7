//! A slip as a document: its fields, and their layout as rows of a fixed number of columns.
//!
//! Columns are counted in GB18030 bytes, no row is wider than the paper, no character is broken, and
//! never more of a card number than its first six and last four digits is drawn.

use crate::gb18030::{width, width_of};
use serde::{Deserialize, Serialize};

/// Longest text of one field in characters; the rest is cut off.
pub const FIELD_CHARACTERS_MAX: usize = 160;
/// Most remarks that are drawn.
pub const REMARKS_MAX: usize = 16;

/// One text in two languages: zh-CN, then en.
pub type Words = (String, String);

/// The language of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// zh-CN.
    Zh,
    /// English.
    En,
}

impl Language {
    fn pick<'a, T: ?Sized>(self, zh: &'a T, en: &'a T) -> &'a T {
        match self {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    fn of(self, words: &Words) -> &str {
        self.pick(&words.0, &words.1)
    }
}

/// The width of the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Paper {
    /// 58 mm, 384 dots, 32 columns.
    Mm58,
    /// 80 mm, 576 dots, 48 columns.
    Mm80,
}

impl Paper {
    /// Columns of normal size.
    pub fn columns(self) -> usize {
        match self {
            Paper::Mm58 => 32,
            Paper::Mm80 => 48,
        }
    }
}

/// Whose copy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CopyOf {
    /// Carries the signature.
    Merchant,
    /// Carries none.
    Cardholder,
}

/// What the slip is a proof of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Title {
    /// An approved purchase.
    Purchase,
    /// A reversed purchase.
    ReversalProof,
    /// A refused attempt.
    Declined,
    /// A balance inquiry; no amount is drawn.
    Balance,
    /// The result is not known yet.
    Pending,
    /// A page that proves the printer; nothing of any sale is drawn.
    TestPage,
}

impl Title {
    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Title::Purchase => ("POS签购单", "POS SALES SLIP"),
            Title::ReversalProof => ("冲正凭证", "REVERSAL PROOF"),
            Title::Declined => ("交易未成功", "DECLINED"),
            Title::Balance => ("余额查询", "BALANCE"),
            Title::Pending => ("结果待确认", "RESULT PENDING"),
            Title::TestPage => ("打印测试页", "TEST PAGE"),
        }
    }
}

/// Everything a slip says (UnionPay-style reference §7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipFields {
    /// What the slip proves.
    pub title: Title,
    /// 商户名称, up to 40 columns by the standard; longer ones wrap.
    pub merchant_name: String,
    /// 商户编号, field 42.
    pub merchant_id: String,
    /// 终端编号, field 41.
    pub terminal_id: String,
    /// 操作员号.
    pub operator: String,
    /// 发卡行.
    pub issuer: String,
    /// 收单行.
    pub acquirer: String,
    /// 卡号, already masked; whatever is not gets masked (§7.3).
    pub masked_pan: String,
    /// S swipe, I insert, C contactless, M manual.
    pub entry_letter: char,
    /// 交易类型.
    pub transaction: Words,
    /// 批次号.
    pub batch: u32,
    /// 凭证号, field 11.
    pub voucher: u32,
    /// 授权码, field 38.
    pub auth_code: Option<String>,
    /// 交易参考号, field 37.
    pub rrn: Option<String>,
    /// 日期/时间 of the payment: `2026-11-22 14:03:22`.
    pub date_time: String,
    /// 金额 in fen.
    pub amount_minor: u64,
    /// The verdict's sentence, such as 交易成功.
    pub headline: Words,
    /// 备注.
    pub remarks: Vec<Words>,
    /// Whether the merchant's copy asks for a signature (only on a purchase).
    pub signature_required: bool,
    /// A training payment: the slip says that it is not valid.
    pub training: bool,
}

impl SlipFields {
    /// The same fields fit to be stored: the card number masked, every text and list bounded.
    pub fn bounded(mut self) -> SlipFields {
        self.masked_pan = mask_pan(&self.masked_pan);
        self.remarks.truncate(REMARKS_MAX);
        let words = [&mut self.transaction, &mut self.headline]
            .into_iter()
            .chain(&mut self.remarks)
            .flat_map(|(zh, en)| [zh, en]);
        let texts = [
            &mut self.merchant_name,
            &mut self.merchant_id,
            &mut self.terminal_id,
            &mut self.operator,
            &mut self.issuer,
            &mut self.acquirer,
            &mut self.date_time,
        ];
        let optional = [&mut self.auth_code, &mut self.rrn].into_iter().flatten();
        for text in words.chain(texts).chain(optional) {
            if let Some((cut, _)) = text.char_indices().nth(FIELD_CHARACTERS_MAX) {
                text.truncate(cut);
            }
        }
        self
    }
}

/// Marks every print of a slip but the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reprint {
    /// Which reprint it is, from 1.
    pub count: u32,
    /// The original slip's date and time: `2026-11-22 14:03:22`.
    pub original_time: String,
}

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

/// One row of a slip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A text that fits its paper.
    Text {
        /// Without padding for the alignment.
        text: String,
        /// Where it stands.
        align: Align,
        /// How large it is.
        size: Size,
    },
    /// A line across the paper.
    Rule,
}

/// A slip laid out for one width of paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    columns: usize,
    rows: Vec<Row>,
}

impl Slip {
    /// The rows from top to bottom.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The slip as plain text, one line a row, without blanks at line ends.
    pub fn text(&self) -> String {
        let mut page = String::new();
        for row in &self.rows {
            let line = match row {
                Row::Rule => self.rule(),
                Row::Text { text, align, .. } => aligned(text, *align, self.columns),
            };
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page
    }

    pub(crate) fn rule(&self) -> String {
        "-".repeat(self.columns)
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

/// Lays out a slip; `reprint` is `None` for the one original.
pub fn lay_out(
    fields: &SlipFields,
    copy: CopyOf,
    language: Language,
    paper: Paper,
    reprint: Option<Reprint>,
) -> Slip {
    let mut sheet = Sheet {
        columns: paper.columns(),
        language,
        rows: Vec::new(),
    };
    if fields.title == Title::TestPage {
        sheet.test_page(fields);
    } else {
        sheet.heading(fields, copy, reprint.as_ref());
        sheet.merchant(fields);
        sheet.payment(fields);
        sheet.verdict(fields, reprint.is_some());
        sheet.remarks(&fields.remarks);
    }
    if copy == CopyOf::Merchant && fields.title == Title::Purchase {
        sheet.signature(fields.signature_required, reprint.is_some());
    }
    if fields.training {
        sheet.training();
    }
    Slip {
        columns: sheet.columns,
        rows: sheet.rows,
    }
}

const REPRINT_MARK: &str = "****重打印/DUPLICATED****";

struct Sheet {
    columns: usize,
    language: Language,
    rows: Vec<Row>,
}

impl Sheet {
    fn heading(&mut self, fields: &SlipFields, copy: CopyOf, reprint: Option<&Reprint>) {
        if let Some(reprint) = reprint {
            self.centred(REPRINT_MARK);
            let Reprint {
                count,
                original_time,
            } = reprint;
            self.centred(&match self.language {
                Language::Zh => format!("第 {count} 次重打印"),
                Language::En => format!("REPRINT {count}"),
            });
            self.centred(&match self.language {
                Language::Zh => format!("原单时间 {original_time}"),
                Language::En => format!("ORIGINAL {original_time}"),
            });
        }
        let (zh, en) = fields.title.words();
        self.large(self.language.pick(zh, en), Align::Centre);
        self.centred(match copy {
            CopyOf::Merchant => self.language.pick("商户存根", "MERCHANT COPY"),
            CopyOf::Cardholder => self.language.pick("持卡人存根", "CARDHOLDER COPY"),
        });
        if fields.training {
            self.training();
        }
        self.rule();
    }

    fn merchant(&mut self, fields: &SlipFields) {
        self.pair("商户名称", "MERCHANT NAME", &fields.merchant_name);
        self.pair("商户编号", "MERCHANT NO", &fields.merchant_id);
        self.pair("终端编号", "TERMINAL NO", &fields.terminal_id);
        self.pair("操作员号", "OPERATOR NO", &fields.operator);
        self.rule();
    }

    fn payment(&mut self, fields: &SlipFields) {
        let card = format!("{} {}", mask_pan(&fields.masked_pan), fields.entry_letter);
        self.pair("发卡行", "ISSUER", &fields.issuer);
        self.pair("收单行", "ACQ", &fields.acquirer);
        self.pair("卡号", "CARD NO", &card);
        self.pair(
            "交易类型",
            "TXN TYPE",
            self.language.of(&fields.transaction),
        );
        self.pair("批次号", "BATCH NO", &format!("{:06}", fields.batch));
        self.pair("凭证号", "VOUCHER NO", &format!("{:06}", fields.voucher));
        if let Some(auth_code) = &fields.auth_code {
            self.pair("授权码", "AUTH NO", auth_code);
        }
        if let Some(rrn) = &fields.rrn {
            self.pair("交易参考号", "REF. NO", rrn);
        }
        self.pair("日期/时间", "DATE/TIME", &fields.date_time);
        self.rule();
    }

    fn verdict(&mut self, fields: &SlipFields, reprinted: bool) {
        if fields.title != Title::Balance {
            self.plain(self.language.pick("金额", "AMOUNT"));
            let amount = fields.amount_minor;
            self.large(
                &format!("RMB:￥{}.{:02}", amount / 100, amount % 100),
                Align::Right,
            );
        }
        self.large(self.language.of(&fields.headline), Align::Centre);
        if reprinted {
            self.centred(REPRINT_MARK);
        }
        self.rule();
    }

    fn remarks(&mut self, remarks: &[Words]) {
        if remarks.is_empty() {
            return;
        }
        self.plain(self.language.pick("备注", "REFERENCE"));
        for remark in remarks.iter().take(REMARKS_MAX) {
            self.plain(self.language.of(remark));
        }
        self.rule();
    }

    /// The code is the headline: it proves the roll's side, the head and the font to whoever reads it.
    fn test_page(&mut self, fields: &SlipFields) {
        let (zh, en) = fields.title.words();
        self.large(self.language.pick(zh, en), Align::Centre);
        self.rule();
        self.plain(
            self.language
                .pick("请读出下面的四位数字", "READ THESE FOUR DIGITS OUT"),
        );
        self.large(self.language.of(&fields.headline), Align::Centre);
        self.rule();
        self.pair("来自", "FROM", &fields.terminal_id);
        self.pair("日期/时间", "DATE/TIME", &fields.date_time);
        self.plain("0123456789 ABCDEFGHIJKLMNOPQRST");
        self.plain(self.language.pick(
            "汉字测试：壹贰叁肆伍陆柒捌玖拾￥",
            "The quick brown fox jumps over.",
        ));
        self.rule();
    }

    /// A reprint is no evidence of a signature (UnionPay-style reference §7.2).
    fn signature(&mut self, required: bool, reprinted: bool) {
        match (required, reprinted) {
            (false, _) => self.plain(
                self.language
                    .pick("本次交易免签名", "NO SIGNATURE REQUIRED"),
            ),
            (true, true) => self.plain(self.language.pick(
                "重打印单不作为签名凭证",
                "A REPRINT IS NOT VALID AS EVIDENCE OF SIGNATURE",
            )),
            (true, false) => {
                self.plain(self.language.pick("持卡人签名", "CARDHOLDER SIGNATURE"));
                self.plain("");
                self.plain("");
                self.plain(&"_".repeat(self.columns));
                self.plain(self.language.pick(
                    "本人确认以上交易，同意将其计入本卡账户",
                    "I ACKNOWLEDGE SATISFACTORY RECEIPT OF RELATIVE GOODS/SERVICES",
                ));
            }
        }
        self.rule();
    }

    fn training(&mut self) {
        self.centred(
            self.language
                .pick("***测试，凭证无效***", "***TESTING, NOT VALID***"),
        );
    }

    /// A label and its value: in two columns where both fit, else with the value at the right edge, in
    /// a row of its own if it must, else wrapped below its label.
    fn pair(&mut self, zh: &str, en: &str, value: &str) {
        let label = self.language.pick(zh, en);
        let value = clean(value);
        let label_columns = self.label_columns();
        let taken = width(label) + width(&value);
        if width(label) < label_columns && label_columns + width(&value) <= self.columns {
            let gap = " ".repeat(label_columns - width(label));
            self.plain_row(format!("{label}{gap}{value}"));
        } else if taken < self.columns {
            let gap = " ".repeat(self.columns - taken);
            self.plain_row(format!("{label}{gap}{value}"));
        } else {
            self.plain(label);
            let align = match width(&value) <= self.columns {
                true => Align::Right,
                false => Align::Left,
            };
            self.wrapped(&value, align);
        }
    }

    /// The widest usual label and a gap.
    fn label_columns(&self) -> usize {
        match (self.language, self.columns > 32) {
            (Language::Zh, false) => 11,
            (Language::En, false) => 12,
            (_, true) => 16,
        }
    }

    /// Double size where it fits in one row, normal size where not.
    fn large(&mut self, text: &str, align: Align) {
        let text = clean(text);
        if width(&text) * 2 <= self.columns {
            self.push(text, align, Size::Double);
        } else {
            self.wrapped(&text, align);
        }
    }

    fn centred(&mut self, text: &str) {
        self.wrapped(&clean(text), Align::Centre);
    }

    fn plain(&mut self, text: &str) {
        self.wrapped(&clean(text), Align::Left);
    }

    fn wrapped(&mut self, text: &str, align: Align) {
        for part in wrap(text, self.columns) {
            self.push(part, align, Size::Normal);
        }
    }

    fn plain_row(&mut self, text: String) {
        self.push(text, Align::Left, Size::Normal);
    }

    fn push(&mut self, text: String, align: Align, size: Size) {
        self.rows.push(Row::Text { text, align, size });
    }

    fn rule(&mut self) {
        self.rows.push(Row::Rule);
    }
}

/// Keeps the first six and last four of a card number of 12 to 19 digits and stars the rest; anything
/// else is starred whole (UnionPay-style reference §7.3). What is masked so already stays as it is.
pub fn mask_pan(pan: &str) -> String {
    let digits: Vec<char> = pan
        .chars()
        .filter(|character| character.is_ascii_digit() || *character == '*')
        .take(20)
        .collect();
    let shown = (12..=19).contains(&digits.len());
    let tail = digits.len().saturating_sub(4);
    digits
        .iter()
        .enumerate()
        .map(|(place, digit)| {
            if shown && (place < 6 || place >= tail) {
                *digit
            } else {
                '*'
            }
        })
        .collect()
}

/// No control character, no `¥` that a printer would draw as digits, no endless text.
fn clean(text: &str) -> String {
    text.chars()
        .take(FIELD_CHARACTERS_MAX)
        .map(|character| match character {
            '\u{A5}' => '\u{FFE5}',
            '\u{A0}' => ' ',
            control if control.is_control() => ' ',
            other => other,
        })
        .collect()
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
