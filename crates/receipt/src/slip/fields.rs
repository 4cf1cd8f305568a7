//! What a slip says: its fields, languages, copies and papers.
//!
//! Never more of a card number than its first six and last four digits leaves here, and every text and
//! list is bounded.

use serde::{Deserialize, Serialize};

/// Longest text of one field in characters; the rest is cut off.
pub const FIELD_CHARACTERS_MAX: usize = 160;
/// Most remarks that are drawn.
pub const REMARKS_MAX: usize = 16;
/// In place of an entry letter: what is masked is a wallet's payment code, which no card entry brought.
pub const PAYMENT_CODE: char = 'Q';
/// Longest link in bytes; a longer one is not drawn, for half a link leads nowhere.
pub const LINK_BYTES_MAX: usize = 300;

/// One text in two languages: zh-CN, then en.
pub type Words = (String, String);

/// The language of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// zh-CN.
    Zh,
    /// English.
    En,
    /// zh-CN and English on one slip.
    Both,
}

/// The width of the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Paper {
    /// 58 mm, 384 dots, 32 columns.
    Mm58,
    /// 80 mm at 203 dots an inch, 576 dots, 48 columns.
    Mm80,
    /// 80 mm at 180 dots an inch, 512 dots, 42 columns.
    Mm80At180Dpi,
}

impl Paper {
    /// Columns of normal size.
    pub fn columns(self) -> usize {
        match self {
            Paper::Mm58 => 32,
            Paper::Mm80 => 48,
            Paper::Mm80At180Dpi => 42,
        }
    }

    /// Dots from edge to edge of what can be printed.
    pub fn dots(self) -> u32 {
        match self {
            Paper::Mm58 => 384,
            Paper::Mm80 => 576,
            Paper::Mm80At180Dpi => 512,
        }
    }
}

/// Whose copy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CopyOf {
    /// Carries the signature.
    Merchant,
    /// Carries the signature too; left out where two copies are enough.
    Bank,
    /// Carries none.
    Cardholder,
}

impl CopyOf {
    /// Every copy, in the order in which they are printed.
    pub const ALL: [CopyOf; 3] = [CopyOf::Merchant, CopyOf::Bank, CopyOf::Cardholder];

    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            CopyOf::Merchant => ("商户存根", "MERCHANT COPY"),
            CopyOf::Bank => ("银行存根", "BANK COPY"),
            CopyOf::Cardholder => ("持卡人存根", "CARDHOLDER COPY"),
        }
    }
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
    /// What a batch holds.
    Settlement,
    /// What a cashier took, and what is open.
    Shift,
    /// An approved barter: the amount is quota, no money, and the copies go to seller, agent and buyer.
    Barter,
    /// A reversed barter.
    BarterReversal,
    /// Cash: there is no card, no bank and no cardholder to name.
    Cash,
}

impl Title {
    /// The amount is quota of a barter centre.
    pub const fn is_barter(self) -> bool {
        matches!(self, Title::Barter | Title::BarterReversal)
    }

    /// Whose copy it is, on a slip of this title: zh-CN and en.
    pub fn copy_words(self, copy: CopyOf) -> (&'static str, &'static str) {
        match copy {
            CopyOf::Merchant if self.is_barter() => ("卖方存根", "SELLER COPY"),
            CopyOf::Bank if self.is_barter() => ("易货代理存根", "AGENT COPY"),
            CopyOf::Cardholder if self.is_barter() => ("买方存根", "BUYER COPY"),
            copy => copy.words(),
        }
    }

    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Title::Purchase => ("POS签购单", "POS SALES SLIP"),
            Title::ReversalProof => ("冲正凭证", "REVERSAL PROOF"),
            Title::Declined => ("交易未成功", "DECLINED"),
            Title::Balance => ("余额查询", "BALANCE"),
            Title::Pending => ("结果待确认", "RESULT PENDING"),
            Title::TestPage => ("打印测试页", "TEST PAGE"),
            Title::Settlement => ("结算单", "SETTLEMENT"),
            Title::Shift => ("交接班单", "SHIFT REPORT"),
            Title::Barter => ("易货单", "BARTER SLIP"),
            Title::BarterReversal => ("易货冲正凭证", "BARTER REVERSAL PROOF"),
            Title::Cash => ("现金", "CASH"),
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
    /// 卡号 or 付款码, already masked; whatever is not gets masked (§7.3).
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
    /// Whether the merchant's and the bank's copy ask for a signature (only on a purchase).
    pub signature_required: bool,
    /// Why no PIN or no signature was asked for, where a rule says so.
    pub verification: Option<Verification>,
    /// What the card's chip said.
    pub chip: Option<Box<Chip>>,
    /// Where the electronic slip is: drawn as a QR code.
    pub link: Option<String>,
    /// A training payment: the slip says that it is not valid.
    pub training: bool,
}

impl SlipFields {
    /// The same fields fit to be stored: the card number masked, every text and list bounded.
    pub fn bounded(mut self) -> SlipFields {
        self.masked_pan = mask_pan(&self.masked_pan);
        self.remarks.truncate(REMARKS_MAX);
        self.link = self.link.filter(|link| link.len() <= LINK_BYTES_MAX);
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
        let chip = self.chip.iter_mut().flat_map(|chip| chip.texts());
        bound(words.chain(texts).chain(optional).chain(chip));
        self
    }
}

/// Cuts every text that is too long.
pub(super) fn bound<'a>(texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        if let Some((cut, _)) = text.char_indices().nth(FIELD_CHARACTERS_MAX) {
            text.truncate(cut);
        }
    }
}

/// The rule by which a cardholder did not give a PIN or a signature (UnionPay-style reference §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verification {
    /// The PIN was right; no signature is needed.
    Pin,
    /// Below the limit in fen no PIN is needed.
    NoPinBelow(u64),
    /// Below the limit in fen no signature is needed.
    NoSignatureBelow(u64),
    /// Below the limit in fen neither is needed.
    NeitherBelow(u64),
    /// The cardholder's phone or watch verified its user.
    Device,
    /// A code was scanned.
    ScannedCode,
}

impl Verification {
    /// zh-CN and en.
    pub fn words(self) -> Words {
        let yuan = |minor: u64| match minor % 100 {
            0 => (minor / 100).to_string(),
            fen => format!("{}.{fen:02}", minor / 100),
        };
        let (zh, en) = match self {
            Verification::Pin => (
                "密码已验证，免签名".into(),
                "PIN VERIFIED, NO SIGNATURE REQUIRED".into(),
            ),
            Verification::NoPinBelow(limit) => (
                format!("交易金额未超{}元，无需输密", yuan(limit)),
                format!("UP TO RMB {}: NO PIN REQUIRED", yuan(limit)),
            ),
            Verification::NoSignatureBelow(limit) => (
                format!("交易金额未超{}元，免签名", yuan(limit)),
                format!("UP TO RMB {}: NO SIGNATURE REQUIRED", yuan(limit)),
            ),
            Verification::NeitherBelow(limit) => (
                format!("交易金额未超{}元，免密免签", yuan(limit)),
                format!("UP TO RMB {}: NO PIN, NO SIGNATURE REQUIRED", yuan(limit)),
            ),
            Verification::Device => (
                "移动设备已验证用户，免密免签".into(),
                "VERIFIED BY THE CARDHOLDER'S DEVICE: NO PIN, NO SIGNATURE REQUIRED".into(),
            ),
            Verification::ScannedCode => (
                "扫码交易，免签名".into(),
                "CODE SCANNED: NO SIGNATURE REQUIRED".into(),
            ),
        };
        (zh, en)
    }
}

/// What a chip said, as hexadecimal digits or as text (UnionPay-style reference §7.1). Empty texts are not drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chip {
    /// Tag 4F or 84, application identifier.
    pub aid: String,
    /// Tag 50, application label.
    pub label: String,
    /// Tag 9F12, preferred name; drawn instead of the label.
    pub preferred_name: String,
    /// What the cryptogram is.
    pub cryptogram_kind: Cryptogram,
    /// Tag 9F26, application cryptogram.
    pub cryptogram: String,
    /// Tag 95, terminal verification results.
    pub tvr: String,
    /// Tag 9B, transaction status information.
    pub tsi: String,
    /// Tag 9F36, application transaction counter.
    pub atc: String,
    /// Tag 9F34, cardholder verification results.
    pub cvm: String,
    /// Tag 9F37, unpredictable number.
    pub unpredictable: String,
    /// Tag 82, application interchange profile.
    pub aip: String,
    /// Tag 5F34, card sequence number.
    pub sequence: String,
    /// Tag 9F10, issuer application data.
    pub iad: String,
}

/// The kind of an application cryptogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cryptogram {
    /// Asked the issuer.
    #[default]
    Arqc,
    /// The card approved.
    Tc,
    /// The card declined.
    Aac,
}

impl Chip {
    /// Name and value of everything that is there, as it is drawn.
    pub(crate) fn details(&self) -> Vec<(&'static str, &str)> {
        let name = match self.preferred_name.is_empty() {
            true => ("APP", &self.label),
            false => ("APP", &self.preferred_name),
        };
        let cryptogram = match self.cryptogram_kind {
            Cryptogram::Arqc => "ARQC",
            Cryptogram::Tc => "TC",
            Cryptogram::Aac => "AAC",
        };
        let rows = [
            name,
            ("AID", &self.aid),
            (cryptogram, &self.cryptogram),
            ("TVR", &self.tvr),
            ("TSI", &self.tsi),
            ("ATC", &self.atc),
            ("CSN", &self.sequence),
            ("CVM", &self.cvm),
            ("AIP", &self.aip),
            ("UNPR NUM", &self.unpredictable),
            ("IAD", &self.iad),
        ];
        let there = rows.into_iter().filter(|(_, value)| !value.is_empty());
        there.map(|(name, value)| (name, value.as_str())).collect()
    }

    fn texts(&mut self) -> [&mut String; 12] {
        [
            &mut self.aid,
            &mut self.label,
            &mut self.preferred_name,
            &mut self.cryptogram,
            &mut self.tvr,
            &mut self.tsi,
            &mut self.atc,
            &mut self.cvm,
            &mut self.unpredictable,
            &mut self.aip,
            &mut self.sequence,
            &mut self.iad,
        ]
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
pub(crate) fn clean(text: &str) -> String {
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
