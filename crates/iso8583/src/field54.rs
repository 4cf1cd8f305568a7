//! Element 54: balances, twenty characters each (reference §2.6).

use crate::digits::{number, write_number};
use crate::error::{Error, ErrorKind};

/// Characters of one balance.
pub const BALANCE_CHARS: usize = 20;

/// One balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Account type, two digits.
    pub account_type: u8,
    /// Amount type, two digits: 1 ledger, 2 available; some issuers write others.
    pub amount_type: u8,
    /// Currency, three ASCII characters.
    pub currency: [u8; 3],
    /// `D` on the wire: the balance is below zero.
    pub negative: bool,
    /// Minor units without sign, up to 12 digits.
    pub amount_minor: u64,
}

impl Balance {
    /// Reads all balances of an element 54.
    ///
    /// # Errors
    /// A length that is no multiple of 20, a sign other than `C` or `D`, or something that is no digit.
    pub fn parse_all(value: &[u8]) -> Result<Vec<Self>, Error> {
        let (balances, rest) = value.as_chunks::<BALANCE_CHARS>();
        if !rest.is_empty() {
            return Err(Error::new(54, value.len() - rest.len(), ErrorKind::Layout));
        }
        let balance = |(index, chars): (usize, &[u8; BALANCE_CHARS])| {
            let at = index * BALANCE_CHARS;
            let part = |from: usize, to: usize| {
                number(&chars[from..to]).ok_or(Error::new(54, at + from, ErrorKind::Character))
            };
            Ok(Self {
                account_type: part(0, 2)? as u8,
                amount_type: part(2, 4)? as u8,
                currency: [chars[4], chars[5], chars[6]],
                negative: match chars[7] {
                    b'C' => false,
                    b'D' => true,
                    _ => return Err(Error::new(54, at + 7, ErrorKind::Character)),
                },
                amount_minor: part(8, 20)?,
            })
        };
        balances.iter().enumerate().map(balance).collect()
    }

    /// Writes one balance.
    ///
    /// # Panics
    /// If a number has more digits than its place.
    #[must_use]
    pub fn write(&self) -> [u8; BALANCE_CHARS] {
        let mut chars = [0; BALANCE_CHARS];
        let fits = write_number(u64::from(self.account_type), &mut chars[..2])
            & write_number(u64::from(self.amount_type), &mut chars[2..4])
            & write_number(self.amount_minor, &mut chars[8..]);
        assert!(fits, "a balance has more digits than its place");
        chars[4..7].copy_from_slice(&self.currency);
        chars[7] = if self.negative { b'D' } else { b'C' };
        chars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_balances_of_the_published_answer() {
        let value = b"3001156C0000017971003002156C000004810938";
        let balances = Balance::parse_all(value).unwrap();
        let first = Balance {
            account_type: 30,
            amount_type: 1,
            currency: *b"156",
            negative: false,
            amount_minor: 1_797_100,
        };
        assert_eq!(balances[0], first);
        assert_eq!(
            (balances[1].amount_type, balances[1].amount_minor),
            (2, 4_810_938)
        );
        let back: Vec<u8> = balances.iter().flat_map(Balance::write).collect();
        assert_eq!(back, value);
        for (wrong, at) in [
            (&value[..39], 20),
            (b"3001156E000001797100", 7),
            (b"3001156C00000179710x", 8),
        ] {
            assert_eq!(Balance::parse_all(wrong).unwrap_err().offset, at);
        }
    }
}
