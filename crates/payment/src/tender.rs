//! What a customer pays with, known by what the cashier reads: a card's first digits, a payment code's first digits, cash.
//!
//! One row for each prefix; the longest prefix that fits in prefix and length decides, so rows never depend on their order.

/// How somebody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tender {
    /// A card of this scheme.
    Card(Scheme),
    /// A payment code of this wallet.
    Code(Wallet),
    /// Notes and coins.
    Cash,
}

/// Whose rules a card follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// 银联.
    UnionPay,
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// JCB.
    Jcb,
    /// American Express.
    Amex,
}

/// Whose code a customer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wallet {
    /// 微信支付.
    WeChat,
    /// 支付宝.
    Alipay,
    /// 云闪付, 银联二维码.
    UnionPayQr,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// First and last prefix, of the same number of digits.
    pub prefixes: (&'static str, &'static str),
    /// Fewest and most digits.
    pub digits: (usize, usize),
    /// What it is.
    pub tender: Tender,
}

const fn row(
    from: &'static str,
    to: &'static str,
    fewest: usize,
    most: usize,
    tender: Tender,
) -> Row {
    Row {
        prefixes: (from, to),
        digits: (fewest, most),
        tender,
    }
}

/// Every row. Card ranges are the schemes' published issuer identification numbers (ISO/IEC 7812); payment codes follow
/// the wallets' published rules (product reference A57).
pub const ROWS: &[Row] = &[
    row("62", "62", 13, 18, Tender::Card(Scheme::UnionPay)),
    row("81", "81", 16, 19, Tender::Card(Scheme::UnionPay)),
    row("4", "4", 13, 19, Tender::Card(Scheme::Visa)),
    row("51", "55", 16, 16, Tender::Card(Scheme::Mastercard)),
    row("2221", "2720", 16, 16, Tender::Card(Scheme::Mastercard)),
    row("3528", "3589", 16, 19, Tender::Card(Scheme::Jcb)),
    row("34", "34", 15, 15, Tender::Card(Scheme::Amex)),
    row("37", "37", 15, 15, Tender::Card(Scheme::Amex)),
    row("10", "15", 18, 18, Tender::Code(Wallet::WeChat)),
    row("25", "30", 16, 24, Tender::Code(Wallet::Alipay)),
    row("62", "62", 19, 19, Tender::Code(Wallet::UnionPayQr)),
];

/// Words for cash, beside those of the table's own languages.
pub const CASH_WORDS: [&str; 3] = ["cash", "现金", "xianjin"];

impl Row {
    fn fits(&self, text: &str) -> bool {
        let (from, to) = self.prefixes;
        let (fewest, most) = self.digits;
        let head = text.get(..from.len());
        (fewest..=most).contains(&text.len()) && head.is_some_and(|head| from <= head && head <= to)
    }
}

impl Tender {
    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Card(Scheme::UnionPay) => ("银联卡", "UnionPay card"),
            Self::Card(Scheme::Visa) => ("Visa 卡", "Visa card"),
            Self::Card(Scheme::Mastercard) => ("万事达卡", "Mastercard"),
            Self::Card(Scheme::Jcb) => ("JCB 卡", "JCB card"),
            Self::Card(Scheme::Amex) => ("美国运通卡", "American Express card"),
            Self::Code(Wallet::WeChat) => ("微信付款码", "WeChat Pay code"),
            Self::Code(Wallet::Alipay) => ("支付宝付款码", "Alipay code"),
            Self::Code(Wallet::UnionPayQr) => ("银联付款码", "UnionPay QR code"),
            Self::Cash => ("现金", "cash"),
        }
    }
}

/// What `text`, as read from a card, a code or the keyboard, pays with; none when no row fits.
pub fn tender_of(text: &str) -> Option<Tender> {
    if CASH_WORDS.contains(&text) {
        return Some(Tender::Cash);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fitting = ROWS.iter().filter(|row| digits && row.fits(text));
    fitting
        .max_by_key(|row| row.prefixes.0.len())
        .map(|row| row.tender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_customer_shows() {
        use Tender::{Card, Cash, Code};
        for (text, expected) in [
            ("6225760000000005", Some(Card(Scheme::UnionPay))),
            ("6225760000000005123", Some(Code(Wallet::UnionPayQr))),
            ("8171999900000018", Some(Card(Scheme::UnionPay))),
            ("4111111111111111", Some(Card(Scheme::Visa))),
            ("5555555555554444", Some(Card(Scheme::Mastercard))),
            ("2221000000000009", Some(Card(Scheme::Mastercard))),
            ("2720990000000007", Some(Card(Scheme::Mastercard))),
            ("3530111333300000", Some(Card(Scheme::Jcb))),
            ("378282246310005", Some(Card(Scheme::Amex))),
            ("134650002839384756", Some(Code(Wallet::WeChat))),
            ("100000000000000000", Some(Code(Wallet::WeChat))),
            ("159999999999999999", Some(Code(Wallet::WeChat))),
            ("2876543210123456", Some(Code(Wallet::Alipay))),
            ("301234567890123456789012", Some(Code(Wallet::Alipay))),
            ("cash", Some(Cash)),
            ("现金", Some(Cash)),
            ("160000000000000000", None),
            ("13465000283938475", None),
            ("287654321012345", None),
            ("3012345678901234567890123", None),
            ("622576000000000512345", None),
            ("62257600", None),
            ("6225 7600 0000 0005", None),
            ("６２２５７６００００００００５", None),
            ("", None),
        ] {
            assert_eq!(tender_of(text), expected, "{text}");
        }
    }

    #[test]
    fn no_two_rows_of_the_same_prefix_length_fit_one_text() {
        for (n, one) in ROWS.iter().enumerate() {
            assert_eq!(one.prefixes.0.len(), one.prefixes.1.len());
            assert!(one.prefixes.0 <= one.prefixes.1 && one.digits.0 <= one.digits.1);
            for other in &ROWS[n + 1..] {
                let same_length = one.prefixes.0.len() == other.prefixes.0.len();
                let prefixes =
                    one.prefixes.0 <= other.prefixes.1 && other.prefixes.0 <= one.prefixes.1;
                let digits = one.digits.0 <= other.digits.1 && other.digits.0 <= one.digits.1;
                assert!(!(same_length && prefixes && digits), "{one:?} {other:?}");
            }
        }
    }
}
