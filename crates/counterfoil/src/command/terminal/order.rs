//! Transactions of every kind typed at the till: the kind by its name, then what its row asks for.

use super::{Failure, Till, trace_number};
use crypto::Pan;
use payment::kind::{Flow, PinRule, Rail, Row};
use payment::payment_code::Brand;
use payment::{Amount, Batch, Kind, Original, Rrn, Stan, Surroundings};
use terminal::{Command, Named, Order, Presented};

/// Characters of a retrieval reference number; a shorter number is a trace number.
const RRN_LENGTH: usize = 12;

impl Till {
    /// `KIND AMOUNT [CARD]`, `KIND AMOUNT TO [CARD]` where another card receives it, or about an earlier transaction `KIND TRACE [AMOUNT] [CARD]` and `KIND REFERENCE AMOUNT [CARD]`.
    pub(super) async fn transact(&self, kind: Kind, words: &[&str]) -> Result<(), Failure> {
        let row = kind.row();
        let (original, rest) = match (row.original, words) {
            (None, words) => (None, words),
            (Some(_), [named, rest @ ..]) => (Some(named_original(named)?), rest),
            (Some(_), []) => return Err(self.usage(kind)),
        };
        let (to, rest) = match (row.receiver, rest) {
            (false, rest) => (None, rest.to_vec()),
            (true, [amount, to, card @ ..]) => {
                let rest = [&[*amount], card].concat();
                (Some(self.receiving(to).await?), rest)
            }
            (true, _) => return Err(self.usage(kind)),
        };
        let own = matches!(original, Some(Named::Own(_)));
        let named = |word: &str| own && Amount::parse_yuan(word).is_none();
        let (amount, card) = match rest.as_slice() {
            [] => (None, None),
            [card] if !row.moves_money() || named(card) => (None, Some(*card)),
            [amount] => (Some(self.amount(kind, amount)?), None),
            [amount, card] => (Some(self.amount(kind, amount)?), Some(*card)),
            _ => return Err(self.usage(kind)),
        };
        if amount.is_none() && row.moves_money() && !own {
            return Err(self.usage(kind));
        }
        let presented = match card {
            // The buyer confirms with card and PIN.
            None if own && row.pin != PinRule::Always => None,
            card if row.rail == Rail::Wallet => Some(self.scan(kind, card).await?),
            card => Some(self.present(card).await?),
        };
        self.press(Command::Transact(Box::new(Order {
            kind,
            amount,
            presented,
            original,
            linked: None,
            to,
        })))
    }

    /// The code that the customer shows is scanned; an order that the customer scans has a number of its own.
    async fn scan(&self, kind: Kind, code: Option<&str>) -> Result<Presented, Failure> {
        let code = match (kind, code) {
            (Kind::WalletSale, Some(text)) => {
                let brand = Brand::of(text.as_bytes());
                let code = brand.and_then(|_| Pan::parse(text.as_bytes()).ok());
                let words = ("这不是付款码", "this is no payment code");
                Some(code.ok_or_else(|| self.say(words).to_owned())?)
            }
            (Kind::WalletOrder, None) => None,
            _ => return Err(self.usage(kind)),
        };
        let module = self.module.clone();
        let look = self.handle.look(move |fleet, now| {
            let around = Surroundings {
                module: &module,
                now,
                random: &|| [0; 32],
            };
            let terminal = fleet.terminal(0)?;
            let code = code.or_else(|| terminal.order_number())?;
            terminal.scan(&around, code).ok()
        });
        let scanned = look.await.map_err(|refused| format!("{refused:?}"))?;
        scanned.ok_or_else(|| "the code could not be read".to_owned())
    }

    /// `void TRACE`: whatever takes that transaction back.
    pub(super) async fn void(&self, words: &[&str]) -> Result<(), Failure> {
        let stan = trace_number("void", words)?.ok_or_else(|| self.usage(Kind::Void))?;
        let look = self.handle.look(move |fleet, _| {
            let mut completed = fleet.terminal(0)?.state().completed().rev();
            let takes_back = |row: &Row| match row.rail {
                Rail::Card => row.void,
                // A wallet takes back by a refund of all.
                Rail::Wallet => row.refund,
            };
            completed
                .find_map(|c| takes_back(c.sale.kind.row()).filter(|_| c.sale.key.stan == stan))
        });
        let kind = look.await.map_err(|refused| format!("{refused:?}"))?;
        self.press(Command::about(kind.unwrap_or(Kind::Void), stan, None))
    }

    /// In the unit of the kind.
    pub(super) fn amount(&self, kind: Kind, text: &str) -> Result<Amount, Failure> {
        Amount::parse_yuan(text)
            .filter(|amount| amount.minor > 0)
            .map(|amount| Amount {
                currency: kind.row().unit,
                ..amount
            })
            .ok_or_else(|| {
                format!(
                    "{text}: {}",
                    self.say(("金额应如 128 或 128.00", "an amount such as 128 or 128.00"))
                )
            })
    }

    fn usage(&self, kind: Kind) -> Failure {
        let row = kind.row();
        let name = command_name(kind);
        if row.receiver {
            return match self.zh {
                true => format!("{name} 金额 转入卡 [卡]（{}）", row.zh),
                false => format!("{name} AMOUNT TO [CARD] ({})", row.en),
            };
        }
        match (self.zh, row.original.is_some()) {
            (true, true) => format!(
                "{name} 凭证号 [金额] [卡]，或 {name} 参考号 金额 [卡]（{}）",
                row.zh
            ),
            (true, false) => format!("{name} 金额 [卡]（{}）", row.zh),
            (false, true) => format!(
                "{name} TRACE [AMOUNT] [CARD], or {name} REFERENCE AMOUNT [CARD] ({})",
                row.en
            ),
            (false, false) => format!("{name} AMOUNT [CARD] ({})", row.en),
        }
    }

    /// What can be ordered, one line for each kind.
    pub(super) fn orders(&self) {
        for kind in orderable() {
            println!("  {}", self.usage(kind));
        }
    }
}

/// Kinds that a cashier orders.
fn orderable() -> impl Iterator<Item = Kind> {
    let flows = [Flow::Online, Flow::Advice, Flow::Stored];
    Kind::ALL.iter().copied().filter(move |kind| {
        let row = kind.row();
        // A script result is the terminal's own errand.
        let ordered = row.moves_money() || row.original.is_none();
        row.processing.is_some() && ordered && flows.contains(&row.flow)
    })
}

/// The kind that a word names: `pre-auth`, `预授权`; `sale` for a purchase, `pay` and `order` for a wallet's two ways.
pub(super) fn kind_named(word: &str) -> Option<Kind> {
    match word {
        "sale" => return Some(Kind::Purchase),
        "pay" => return Some(Kind::WalletSale),
        "order" => return Some(Kind::WalletOrder),
        _ => {}
    }
    orderable().find(|kind| word == kind.row().zh || word == command_name(*kind))
}

/// The kind's name in lower case with hyphens: `pre-auth-void`.
fn command_name(kind: Kind) -> String {
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn named_original(word: &str) -> Result<Named, Failure> {
    if word.len() == RRN_LENGTH {
        let rrn =
            Rrn::parse(word.as_bytes()).ok_or_else(|| format!("{word}: reference number?"))?;
        return Ok(Named::Typed(Original {
            batch: Batch(0),
            stan: Stan(0),
            date: 0,
            rrn: Some(rrn),
            approval: None,
        }));
    }
    let stan = word.parse().map_err(|_| format!("{word}: trace number?"))?;
    Ok(Named::Own(Stan(stan)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_names() {
        for kind in orderable() {
            assert_eq!(kind_named(&command_name(kind)), Some(kind));
            assert_eq!(kind_named(kind.row().zh), Some(kind));
        }
        assert_eq!(command_name(Kind::PreAuthVoid), "pre-auth-void");
        assert_eq!(kind_named("reversal"), None);
    }
}
