//! A sale as every page, the API and `counterfoil where` show it: one value, made in one place from what the acquirer knows.

use crate::language::Lang;
use payment::evidence::Loop;
use payment::kind::Rail;
use payment::verdict::{Goods, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sale as the acquirer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaleView {
    /// `terminal/batch/trace`.
    pub key: String,
    /// Field 37.
    pub rrn: String,
    /// Kind, zh-CN and en.
    #[schema(value_type = Vec<String>)]
    pub kind: (String, String),
    /// Amount in minor units.
    pub amount_minor: u64,
    /// Amount as text.
    pub amount: String,
    /// Masked card.
    pub card: String,
    /// When the request came, China time.
    pub received: String,
    /// When this was looked at, China time: the age of what is said.
    pub as_of: String,
    /// Name of the verdict's row.
    pub row: String,
    /// Headline: the same sentence for every audience.
    #[schema(value_type = Vec<String>)]
    pub headline: (String, String),
    /// Outcome.
    #[schema(value_type = String)]
    pub outcome: Outcome,
    /// Receipt.
    pub receipt: String,
    /// Money position.
    #[schema(value_type = Vec<String>)]
    pub position: (String, String),
    /// Name of the money position.
    pub position_id: String,
    /// Goods, in words.
    #[schema(value_type = Vec<String>)]
    pub goods: (String, String),
    /// Goods.
    #[schema(value_type = String)]
    pub goods_id: Goods,
    /// Who owes the next step.
    #[schema(value_type = Vec<String>)]
    pub owner: (String, String),
    /// By when, China time.
    pub due: Option<String>,
    /// By when, milliseconds since the epoch.
    pub due_ms: Option<i64>,
    /// Second lines: cashier, merchant, cardholder, operator.
    #[schema(value_type = Vec<Vec<String>>)]
    pub lines: [(String, String); 4],
    /// Who decides about it.
    #[schema(value_type = String)]
    pub rail: Rail,
    /// The eight beads of its loop.
    #[schema(value_type = Vec<String>)]
    pub beads: Loop,
    /// The loop as dots.
    pub dots: String,
    /// The loop as a picture in text, zh-CN and en.
    #[schema(value_type = Vec<String>)]
    pub picture: (String, String),
    /// What became of the slip, in words, zh-CN and en.
    #[schema(value_type = Vec<String>)]
    pub slip: (String, String),
    /// Link id of its e-slip.
    pub link: Option<String>,
    /// What it rests on, in words, zh-CN and en, strongest first.
    #[schema(value_type = Vec<Vec<String>>)]
    pub evidence: Vec<(String, String)>,
}

/// Who reads: each audience has a second line of its own below the common headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// At the till.
    Cashier,
    /// In the portal.
    Merchant,
    /// On the public page.
    Cardholder,
    /// In the console.
    Operator,
}

impl SaleView {
    /// The amount in this language.
    pub fn amount(&self, lang: Lang) -> String {
        lang.amount(&self.amount)
    }

    /// The masked card as pages show it.
    pub fn card(&self) -> String {
        dotted(&self.card)
    }

    /// The second line of an audience.
    pub const fn line(&self, audience: Audience) -> &(String, String) {
        &self.lines[audience as usize]
    }
}

/// A masked card as pages show it, in fours and with dots: `6228 48•• •••• 0123`. Slips keep the standard's asterisks.
pub fn dotted(masked: &str) -> String {
    let mut dotted = String::with_capacity(masked.len() * 2);
    for (n, digit) in masked.chars().enumerate() {
        if n > 0 && n % 4 == 0 {
            dotted.push(' ');
        }
        dotted.push(if digit == '*' { '•' } else { digit });
    }
    dotted
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_card_is_shown_in_fours_with_dots() {
        for (masked, shown) in [
            ("622848******0123", "6228 48•• •••• 0123"),
            ("622848*********1234", "6228 48•• •••• •••1 234"),
            ("", ""),
        ] {
            assert_eq!(super::dotted(masked), shown);
        }
    }
}
