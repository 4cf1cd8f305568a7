//! Payment codes that customers show: how long they are, and whose they are.
//!
//! The prefix alone decides, as scanners at counters do; a code stands in the place of a card number and is as secret.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Tag of field 59 with the number of a scanned code (UnionPay-style reference §2.8).
pub(crate) const CODE_TAG: &str = "A3";
/// Tag of field 59 with the text of an order's QR code, our own.
const QR_TAG: &str = "QR";
/// Longest text of an order's QR code, in bytes.
pub const QR_BYTES_MAX: usize = 128;

/// The text of an order's QR code, 1 to [`QR_BYTES_MAX`] printable ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QrText {
    length: u8,
    bytes: [u8; QR_BYTES_MAX],
}

impl QrText {
    /// Reads it; none for what cannot be one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let fits = (1..=QR_BYTES_MAX).contains(&text.len());
        if !fits || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut bytes = [0; QR_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self {
            length: text.len() as u8,
            bytes,
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("")
    }

    /// The tag of field 59 that carries it.
    pub fn write(&self) -> String {
        format!("{QR_TAG}{:03}{}", self.length, self.as_str())
    }

    /// Finds it among the tags of a field 59.
    pub fn read(field: &[u8]) -> Option<Self> {
        Self::parse(crate::sign::tag(field, QR_TAG.as_bytes())?)
    }
}

impl fmt::Debug for QrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for QrText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for QrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("no text of a QR code"))
    }
}

/// Whose payment code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Brand {
    /// 微信支付.
    WeChatPay,
    /// 支付宝.
    Alipay,
    /// 银联二维码.
    UnionPay,
}

/// First two digits from and to, number of digits, and whose codes they are (published rules of the three schemes).
const PREFIXES: [(u8, u8, usize, Brand); 3] = [
    (10, 15, 18, Brand::WeChatPay),
    (25, 30, 18, Brand::Alipay),
    (62, 62, 19, Brand::UnionPay),
];

impl Brand {
    /// Every brand.
    pub const ALL: [Self; 3] = [Self::WeChatPay, Self::Alipay, Self::UnionPay];

    /// The brand of a scanned code, given as ASCII digits; none for what is no payment code.
    pub fn of(code: &[u8]) -> Option<Self> {
        let [tens, units, ..] = *code else {
            return None;
        };
        if !code.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Self::of_shape((tens - b'0') * 10 + (units - b'0'), code.len())
    }

    /// The brand of a code whose number is sealed.
    pub fn of_card(card: &crypto::Card) -> Option<Self> {
        let prefix = (card.bin / 10_000) as u8;
        Self::of_shape(prefix, usize::from(card.digits))
    }

    fn of_shape(prefix: u8, length: usize) -> Option<Self> {
        PREFIXES
            .into_iter()
            .find(|(from, to, digits, _)| (*from..=*to).contains(&prefix) && length == *digits)
            .map(|(.., brand)| brand)
    }

    /// The lowest prefix of its codes, and how many digits they have.
    pub fn shape(self) -> (u8, usize) {
        PREFIXES
            .into_iter()
            .find(|(.., brand)| *brand == self)
            .map_or((0, 0), |(from, _, digits, _)| (from, digits))
    }

    /// The name, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WeChatPay => ("微信支付", "WeChat Pay"),
            Self::Alipay => ("支付宝", "Alipay"),
            Self::UnionPay => ("银联二维码", "UnionPay QR"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_qr_code_survives_the_wire() {
        let text = QrText::parse(b"https://wallet.example/q/1").expect("a text");
        let field = format!("CL016AAAAAAAAAAAAAAAA{}", text.write());
        assert_eq!(QrText::read(field.as_bytes()), Some(text));
        for bad in [&b""[..], b"a b", &[0xFF], &[b'a'; QR_BYTES_MAX + 1]] {
            assert_eq!(QrText::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn prefixes() {
        for (code, brand) in [
            ("130000000000000001", Some(Brand::WeChatPay)),
            ("150000000000000001", Some(Brand::WeChatPay)),
            ("160000000000000001", None),
            ("250000000000000001", Some(Brand::Alipay)),
            ("300000000000000001", Some(Brand::Alipay)),
            ("310000000000000001", None),
            ("6200000000000000001", Some(Brand::UnionPay)),
            ("620000000000000001", None),
            ("13000000000000000", None),
            ("1300000000000000010", None),
            ("13000000000000000x", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(Brand::of(code.as_bytes()), brand, "{code}");
        }
        for brand in Brand::ALL {
            let (prefix, digits) = brand.shape();
            let code = format!("{prefix:02}{:01$}", 7, digits - 2);
            assert_eq!(Brand::of(code.as_bytes()), Some(brand));
        }
    }
}
