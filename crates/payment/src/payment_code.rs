//! Payment codes that customers show: how long they are, and whose they are.
//!
//! The prefix alone decides, as scanners at counters do; a code stands in the place of a card number and is as secret.

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
        let prefix = (tens - b'0') * 10 + (units - b'0');
        PREFIXES
            .into_iter()
            .find(|(from, to, digits, _)| (*from..=*to).contains(&prefix) && code.len() == *digits)
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
