//! What lies in the basket of a till, until it is paid.
//!
//! Its sum fills in the amount and is never charged by itself.

use crate::config::terminal::Good;
use pages::till::basket::{BasketView, Good as Offered, Line};
use payment::Amount;
use payment::money::AMOUNT_MINOR_MAX;
use std::collections::BTreeMap;

/// Different goods in one basket.
pub(super) const LINES_MAX: usize = 200;
/// Pieces of one good.
pub(super) const PIECES_MAX: u32 = 999;

/// A basket: pieces by barcode.
#[derive(Clone, Debug, Default)]
pub(super) struct Basket(BTreeMap<String, u32>);

impl Basket {
    /// Puts one piece in; false for what is not sold here, or when no more fits.
    pub(super) fn add(&mut self, stock: &[Good], barcode: &str) -> bool {
        let known = stock.iter().any(|good| good.barcode == barcode);
        let room = self.0.len() < LINES_MAX || self.0.contains_key(barcode);
        if !known || !room {
            return false;
        }
        let count = self.0.entry(barcode.to_owned()).or_default();
        *count = (*count + 1).min(PIECES_MAX);
        true
    }

    /// Takes one piece out.
    pub(super) fn less(&mut self, barcode: &str) {
        if let Some(count) = self.0.get_mut(barcode) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(barcode);
            }
        }
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sum in minor units, at most what field 4 carries.
    pub(super) fn total_minor(&self, stock: &[Good]) -> u64 {
        let lines = stock.iter().filter_map(|good| {
            let count = self.0.get(&good.barcode)?;
            Some(good.price_minor.saturating_mul(u64::from(*count)))
        });
        lines.fold(0, u64::saturating_add).min(AMOUNT_MINOR_MAX)
    }

    /// How it is shown.
    pub(super) fn view(&self, stock: &[Good]) -> BasketView {
        let name = |good: &Good| (good.zh.clone(), good.en.clone());
        let lines = stock.iter().filter_map(|good| {
            let count = *self.0.get(&good.barcode)?;
            let minor = good.price_minor.saturating_mul(u64::from(count));
            Some(Line {
                barcode: good.barcode.clone(),
                name: name(good),
                count,
                amount: Amount::fen(minor).to_string(),
            })
        });
        let goods = stock.iter().map(|good| Offered {
            barcode: good.barcode.clone(),
            name: name(good),
            price: Amount::fen(good.price_minor).to_string(),
        });
        BasketView {
            lines: lines.collect(),
            total: Amount::fen(self.total_minor(stock)).to_string(),
            goods: goods.collect(),
        }
    }
}

/// `128.00`, as a form takes it.
pub(super) fn plain(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basket_sums_what_is_sold_here() {
        let good = |barcode: &str, price_minor| Good {
            barcode: barcode.to_owned(),
            zh: "茶".to_owned(),
            en: "tea".to_owned(),
            price_minor,
        };
        let stock = [good("690", 350), good("691", 1_280)];
        let mut basket = Basket::default();
        assert!(
            basket.add(&stock, "690") && basket.add(&stock, "690") && basket.add(&stock, "691")
        );
        assert!(!basket.add(&stock, "692"));
        assert_eq!(plain(basket.total_minor(&stock)), "19.80");
        basket.less("690");
        basket.less("692");
        assert_eq!(basket.view(&stock).total, "¥16.30");
        basket.less("690");
        assert_eq!(basket.view(&stock).lines.len(), 1);
        basket.clear();
        assert_eq!(basket.total_minor(&stock), 0);
    }
}
