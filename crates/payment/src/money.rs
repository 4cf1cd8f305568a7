//! Money: integer minor units with their currency; floats never touch it.

use serde::{Deserialize, Serialize};

/// ISO 4217 numeric code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency(pub u16);

/// Renminbi, in fen.
pub const CNY: Currency = Currency(156);

/// 易货额, the unit of barter centres: outside ISO 4217's money, and never added to any.
pub const BARTER_UNIT: Currency = Currency(998);

/// What the unit is called in zh-CN and en.
const QUOTA: (&str, &str) = ("易货额", "quota");

/// An amount in minor units (fen for CNY), at most twelve digits as field 4 carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units.
    pub minor: u64,
    /// Currency.
    pub currency: Currency,
}

/// The largest amount field 4 can carry.
pub const AMOUNT_MINOR_MAX: u64 = 999_999_999_999;

impl Amount {
    /// An amount in fen.
    pub const fn fen(minor: u64) -> Self {
        Self {
            minor,
            currency: CNY,
        }
    }

    /// Reads `128`, `128.5` or `128.50` as yuan; at most two decimals, no sign, within field 4.
    pub fn parse_yuan(text: &str) -> Option<Self> {
        let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 10
            || decimals.len() > 2
            || !digits(whole)
            || !digits(decimals)
        {
            return None;
        }
        let cents: u64 = format!("{decimals:0<2}").parse().ok()?;
        Some(Self::fen(whole.parse::<u64>().ok()? * 100 + cents))
    }

    /// `¥1,234.00` for CNY, as pages and terminals show it (printed slips use `￥`); barter's unit is no money and has a word
    /// in each language: `易货额 1,234.00`, `quota 1,234.00`.
    pub fn text(self, zh: bool) -> String {
        in_language(self.to_string(), zh)
    }
}

/// An amount that was told in zh-CN, in either language.
pub fn in_language(told: String, zh: bool) -> String {
    if zh {
        told
    } else {
        told.replace(QUOTA.0, QUOTA.1)
    }
}

impl std::fmt::Display for Amount {
    /// As [`Amount::text`] in zh-CN.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = (self.minor / 100).to_string();
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = match self.currency {
            CNY => "¥".to_owned(),
            BARTER_UNIT => format!("{} ", QUOTA.0),
            other => format!("{} ", other.0),
        };
        write!(f, "{sign}{grouped}.{:02}", self.minor % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_text() {
        for (text, expected) in [
            ("128", Some(12_800)),
            ("128.5", Some(12_850)),
            (" 0.01 ", Some(1)),
            ("9999999999.99", Some(AMOUNT_MINOR_MAX)),
            ("12.345", None),
            ("-1", None),
            ("", None),
            (".5", None),
            ("1e3", None),
            ("99999999999", None),
        ] {
            assert_eq!(
                Amount::parse_yuan(text).map(|a| a.minor),
                expected,
                "{text}"
            );
        }
        assert_eq!(Amount::fen(123_456_789).to_string(), "¥1,234,567.89");
        let quota = Amount {
            minor: 12_300,
            currency: BARTER_UNIT,
        };
        assert_eq!(quota.to_string(), "易货额 123.00");
        assert_eq!(quota.text(false), "quota 123.00");
    }
}
