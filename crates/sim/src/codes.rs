//! Payment codes that customers show and numbers of orders that shops show: what stands in the place of a card number.
//!
//! Each code is used for one sale; a refund at another till needs it again.

/// Cards have lower numbers.
const CODES_FROM: usize = 1_000;

/// Every code so far, by its number as a card.
#[derive(Clone, Debug, Default)]
pub struct Codes(Vec<Vec<u8>>);

impl Codes {
    /// A fresh payment code: of one of the wallets, with 18 digits.
    pub fn new_card(&mut self) -> usize {
        let number = self.0.len();
        self.0
            .push(format!("{:02}{:016}", 10 + number % 6, number * 7_919 + 31).into_bytes());
        CODES_FROM + number
    }

    /// The code is the number of an order that a till shows.
    pub fn shown(&mut self, card: usize, digits: &[u8]) {
        self.0[card - CODES_FROM] = digits.to_vec();
    }

    /// Its digits; none of a card.
    pub fn digits(&self, card: usize) -> Option<&[u8]> {
        let number = card.checked_sub(CODES_FROM)?;
        self.0.get(number).map(Vec::as_slice)
    }

    /// Every code that a customer showed: as secret as a card number.
    pub fn secret(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.0.iter().filter(|code| !code.starts_with(b"99"))
    }
}
