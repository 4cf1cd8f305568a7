//! A message for human eyes: every element with its names and its masked value, sub-fields below. Nothing that the field
//! table or the tag table calls secret appears, whatever the bytes are.

use crate::dialect::Dialect;
use crate::field::{Sensitivity, element};
use crate::field44::Field44;
use crate::field48::{BatchRecord, Settlement, TOTALS_DIGITS, Totals};
use crate::field54::Balance;
use crate::field60::Field60;
use crate::field61::Field61;
use crate::field63::Field63;
use crate::field90::Field90;
use crate::frame::Framing;
use crate::keys62::{Keys, WrappedKey};
use crate::mask::{hex, mask, mask_pan, masked, plain};
use crate::message::{Message, Mti};
use crate::tlv;

/// One element or sub-field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Element 2..=128; 0 for the message type.
    pub number: u8,
    /// Sub-field (`1`) or tag (`9F26`); empty for the element itself.
    pub part: String,
    /// Chinese name.
    pub zh: &'static str,
    /// English name.
    pub en: &'static str,
    /// Masked value.
    pub value: String,
    /// Remark, Chinese and English; often empty.
    pub note: String,
}

/// Describes the message type and every element in order, sub-fields after their element.
#[must_use]
pub fn describe(message: &Message, dialect: &Dialect) -> Vec<Line> {
    let mut lines = Lines {
        lines: Vec::new(),
        number: 0,
    };
    lines.push("", "报文类型", "Message type", message.mti().to_string());
    for (number, value) in message.fields() {
        lines.number = number;
        let (zh, en) = element(number).map_or(("", ""), |row| (row.zh, row.en));
        lines.push("", zh, en, masked(number, value).to_string());
        lines.note(&note(number, value, dialect));
        lines.sub_fields(value, message, dialect);
    }
    lines.lines
}

/// Aligned text, one line for each; Chinese characters count as two columns.
#[must_use]
pub fn render(lines: &[Line]) -> String {
    let labels: Vec<String> = lines.iter().map(label).collect();
    let column = |texts: &mut dyn Iterator<Item = &str>| texts.map(columns).max().unwrap_or(0);
    let label_columns = column(&mut labels.iter().map(String::as_str));
    let zh_columns = column(&mut lines.iter().map(|line| line.zh));
    let en_columns = column(&mut lines.iter().map(|line| line.en));
    let mut text = String::new();
    for (line, label) in lines.iter().zip(&labels) {
        push_padded(&mut text, label, label_columns);
        push_padded(&mut text, line.zh, zh_columns);
        push_padded(&mut text, line.en, en_columns);
        text.push_str(&line.value);
        if !line.note.is_empty() {
            text.push_str("  ");
            text.push_str(&line.note);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn label(line: &Line) -> String {
    match (line.number, line.part.as_str()) {
        (0, _) => "MTI".to_owned(),
        (number, "") => number.to_string(),
        (number, part) => format!("{number}.{part}"),
    }
}

fn columns(text: &str) -> usize {
    text.chars()
        .map(|char| if char < '\u{1100}' { 1 } else { 2 })
        .sum()
}

fn push_padded(text: &mut String, part: &str, width: usize) {
    text.push_str(part);
    text.extend(core::iter::repeat_n(' ', width - columns(part) + 2));
}

fn note(number: u8, value: &[u8], dialect: &Dialect) -> String {
    if !dialect.describes(number) {
        return format!(
            "{} 报文方言未定义 / not in dialect {}",
            dialect.name(),
            dialect.name()
        );
    }
    match (number, value) {
        (4..=6, [major @ .., _, _]) if value.iter().all(u8::is_ascii_digit) => {
            let minor = &value[major.len()..];
            let zeros = major.iter().take_while(|&&digit| digit == b'0').count();
            let major = &major[zeros.min(major.len().saturating_sub(1))..];
            format!("{}.{}", plain(major), plain(minor))
        }
        (22, [how @ .., pin]) => entry_mode(how, *pin),
        _ => String::new(),
    }
}

/// Reference §2.1.
fn entry_mode(how: &[u8], pin: u8) -> String {
    let (zh, en) = match how {
        b"00" => ("未指明", "unspecified"),
        b"01" => ("手工输入", "keyed"),
        b"02" => ("磁条", "stripe"),
        b"03" | b"04" => ("二维码", "QR code"),
        b"05" => ("插卡", "contact chip"),
        b"07" => ("挥卡", "contactless chip"),
        b"80" | b"90" => ("芯片卡降级刷卡", "fallback to stripe"),
        b"91" => ("非接触磁条", "contactless stripe"),
        b"92" => ("无卡", "no card"),
        b"96" => ("手机芯片", "mobile chip"),
        b"98" => ("非接触标准流程", "contactless standard"),
        _ => return String::new(),
    };
    let (pin_zh, pin_en) = match pin {
        b'1' => ("，有密码", ", with PIN"),
        b'2' => ("，无密码", ", without PIN"),
        _ => ("", ""),
    };
    format!("{zh}{pin_zh} / {en}{pin_en}")
}

struct Lines {
    lines: Vec<Line>,
    number: u8,
}

impl Lines {
    fn push(&mut self, part: &str, zh: &'static str, en: &'static str, value: String) {
        let (number, part, note) = (self.number, part.to_owned(), String::new());
        self.lines.push(Line {
            number,
            part,
            zh,
            en,
            value,
            note,
        });
    }

    fn note(&mut self, note: &str) {
        if let Some(line) = self.lines.last_mut() {
            note.clone_into(&mut line.note);
        }
    }

    /// Sub-fields of a layout that can be read; a value that breaks its layout has none.
    fn sub_fields(&mut self, value: &[u8], message: &Message, dialect: &Dialect) {
        let terminal = dialect.framing() == Some(Framing::Terminal);
        match self.number {
            44 => self.field44(value),
            48 if terminal => self.field48(value, message.mti()),
            53 => self.field53(value),
            54 => self.field54(value),
            55 => self.field55(value),
            60 if terminal => self.field60(value),
            61 if terminal => self.field61(value),
            62 if terminal && message.mti() == Mti(0x0810) => self.field62(value),
            63 => self.field63(value),
            90 => self.field90(value),
            _ => {}
        }
    }

    fn field44(&mut self, value: &[u8]) {
        let field = Field44::parse(value);
        self.push("1", "发卡机构", "Issuer", plain(field.issuer));
        self.push("2", "收单机构", "Acquirer", plain(field.acquirer));
    }

    fn field48(&mut self, value: &[u8], mti: Mti) {
        if value.len() == TOTALS_DIGITS
            && let Ok(Settlement { domestic, foreign }) = Settlement::parse(value)
        {
            self.totals("1", "内卡", "Domestic cards", &domestic);
            self.totals("2", "外卡", "Foreign cards", &foreign);
        } else if matches!(mti, Mti(0x0320) | Mti(0x0330))
            && let Ok(records) = BatchRecord::parse_all(value)
        {
            for (index, record) in records.iter().enumerate() {
                let BatchRecord {
                    stan, amount_minor, ..
                } = record;
                let value = format!("{stan:06} {} {amount_minor:012}", mask_pan(record.pan));
                self.push(&(index + 1).to_string(), "明细", "Record", value);
            }
        }
    }

    fn totals(&mut self, part: &str, zh: &'static str, en: &'static str, totals: &Totals) {
        let Totals {
            debit_minor,
            debit_count,
            credit_minor,
            credit_count,
            answer,
        } = totals;
        let value =
            format!("{debit_minor} × {debit_count}, {credit_minor} × {credit_count}, {answer}");
        self.push(part, zh, en, value);
        self.note(
            "借记金额 × 笔数，贷记金额 × 笔数，应答 / debits × count, credits × count, answer",
        );
    }

    fn field53(&mut self, value: &[u8]) {
        let [format, cipher, track, ..] = value else {
            return;
        };
        for (part, zh, en, digit, note) in [
            ("1", "密码格式", "PIN format", format, pin_format(*format)),
            ("2", "密码算法", "PIN cipher", cipher, pin_cipher(*cipher)),
            (
                "3",
                "磁道加密",
                "Track encryption",
                track,
                track_encryption(*track),
            ),
        ] {
            self.push(part, zh, en, plain(&[*digit]));
            self.note(note);
        }
    }

    fn field54(&mut self, value: &[u8]) {
        for (index, balance) in Balance::parse_all(value)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let Balance {
                account_type,
                amount_type,
                currency,
                negative,
                amount_minor,
            } = balance;
            let sign = if *negative { "-" } else { "" };
            let value = format!(
                "{account_type:02} {amount_type:02} {} {sign}{}.{:02}",
                plain(currency),
                amount_minor / 100,
                amount_minor % 100
            );
            self.push(&(index + 1).to_string(), "余额", "Balance", value);
            self.note(match amount_type {
                1 => "账面余额 / ledger",
                2 => "可用余额 / available",
                _ => "",
            });
        }
    }

    fn field55(&mut self, value: &[u8]) {
        for object in tlv::walk(value) {
            match object {
                Ok(object) => {
                    let row = tlv::tag(object.tag);
                    let (zh, en) =
                        row.map_or(("未知标签", "Unknown tag"), |row| (row.zh, row.en));
                    let sensitivity = row.map_or(Sensitivity::Private, |row| row.sensitivity);
                    let value = match sensitivity {
                        Sensitivity::Public => hex(object.value),
                        secret => mask(secret, object.value),
                    };
                    self.push(&format!("{:X}", object.tag), zh, en, value);
                }
                Err(error) => {
                    self.push("?", "无法解析", "Unreadable", String::new());
                    self.note(&error.to_string());
                }
            }
        }
    }

    fn field60(&mut self, value: &[u8]) {
        let Ok(field) = Field60::parse(value) else {
            return;
        };
        self.push(
            "1",
            "交易类型码",
            "Transaction type",
            format!("{:02}", field.transaction_type),
        );
        self.push("2", "批次号", "Batch number", format!("{:06}", field.batch));
        self.push(
            "3",
            "网络管理信息码",
            "Network-management code",
            format!("{:03}", field.network_code),
        );
        if let Some(capability) = field.capability {
            self.push(
                "4",
                "终端读取能力",
                "Terminal capability",
                capability.to_string(),
            );
        }
        if let Some(condition) = field.condition {
            self.push(
                "5",
                "IC卡条件代码",
                "IC-card condition",
                condition.to_string(),
            );
        }
        if !field.rest().is_empty() {
            self.push("6", "其余", "Rest", plain(field.rest()));
        }
    }

    fn field61(&mut self, value: &[u8]) {
        let Ok(field) = Field61::parse(value) else {
            return;
        };
        self.push(
            "1",
            "原批次号",
            "Original batch",
            format!("{:06}", field.batch),
        );
        self.push(
            "2",
            "原流水号",
            "Original trace number",
            format!("{:06}", field.stan),
        );
        if let Some(date) = field.date {
            self.push("3", "原交易日期", "Original date", format!("{date:04}"));
        }
        if !field.rest().is_empty() {
            self.push(
                "4",
                "原授权方式与机构",
                "Original authorization",
                plain(field.rest()),
            );
        }
    }

    fn field62(&mut self, value: &[u8]) {
        let Ok(keys) = Keys::parse(value) else {
            return;
        };
        self.key("1", "密码密钥", "PIN key", keys.pin);
        self.key("2", "鉴别密钥", "MAC key", keys.mac);
        if let Some(track) = keys.track {
            self.key("3", "磁道密钥", "Track key", track);
        }
    }

    fn key(&mut self, part: &str, zh: &'static str, en: &'static str, key: WrappedKey<'_>) {
        self.push(part, zh, en, mask(Sensitivity::Key, key.key));
    }

    fn field63(&mut self, value: &[u8]) {
        let field = Field63::parse(value);
        match field {
            Field63::PinBlock(block) => {
                self.push(
                    "1",
                    "国密密码块",
                    "SM4 PIN block",
                    mask(Sensitivity::Pin, block),
                );
            }
            Field63::Code { code, text } => {
                self.push(
                    "1",
                    "卡组织或操作员",
                    "Organisation or operator",
                    plain(code),
                );
                if !text.is_empty() {
                    self.push("2", "附加信息", "Text", mask(Sensitivity::Private, text));
                }
            }
        }
    }

    fn field90(&mut self, value: &[u8]) {
        let Ok(field) = Field90::parse(value) else {
            return;
        };
        self.push(
            "1",
            "原报文类型",
            "Original message type",
            field.mti.to_string(),
        );
        self.push(
            "2",
            "原流水号",
            "Original trace number",
            format!("{:06}", field.stan),
        );
        self.push(
            "3",
            "原传输时间",
            "Original transmission time",
            plain(&field.transmission),
        );
        self.push(
            "4",
            "原受理机构",
            "Original acquirer",
            format!("{:011}", field.acquirer),
        );
        self.push(
            "5",
            "原发送机构",
            "Original forwarder",
            format!("{:011}", field.forwarder),
        );
    }
}

/// Reference §2.5.
fn pin_format(digit: u8) -> &'static str {
    match digit {
        b'0' => "无密码 / no PIN",
        b'1' => "不带主账号 / without PAN",
        b'2' => "带主账号 / with PAN",
        _ => "",
    }
}

fn pin_cipher(digit: u8) -> &'static str {
    match digit {
        b'0' => "单倍长 DES / single DES",
        b'6' => "双倍长 3DES / double-length 3DES",
        b'3' | b'4' => "SM4",
        _ => "",
    }
}

fn track_encryption(digit: u8) -> &'static str {
    match digit {
        b'0' => "不加密 / clear",
        b'1' => "加密 / encrypted",
        _ => "",
    }
}
