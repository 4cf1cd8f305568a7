//! Transactions of every kind typed at the till: the kind by its name, then what its row asks for.

use super::{Failure, Till, trace_number};
use crate::till::counter::{self, command_name, named_original, orderable};
use payment::kind::Rail;
use payment::{Amount, Kind};
use terminal::Named;
use terminal::kernel::Interface;

impl Till {
    /// `KIND AMOUNT [CARD]`, `KIND AMOUNT TO [CARD]` where another card receives it, or about an earlier transaction `KIND TRACE [AMOUNT] [CARD]` and `KIND REFERENCE AMOUNT [CARD]`.
    pub(super) async fn transact(&self, kind: Kind, words: &[&str]) -> Result<(), Failure> {
        let row = kind.row();
        let (original, rest) = match (row.original, words) {
            (None, words) => (None, words),
            (Some(_), [named, rest @ ..]) => {
                let original = named_original(named).map_err(|refusal| refusal.say(self.zh))?;
                (Some(original), rest)
            }
            (Some(_), []) => return Err(self.usage(kind)),
        };
        let (to, rest) = match (row.receiver, rest) {
            (false, rest) => (None, rest.to_vec()),
            (true, [amount, to, card @ ..]) => {
                let rest = [&[*amount], card].concat();
                {
                    let to = self.counter.receiving(to).await;
                    (Some(to.map_err(|refusal| refusal.say(self.zh))?), rest)
                }
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
        let shown = matches!(
            (kind, card),
            (Kind::WalletSale, Some(_)) | (Kind::WalletOrder, None)
        );
        if row.rail == Rail::Wallet && !own && !shown {
            return Err(self.usage(kind));
        }
        let ordered = self
            .counter
            .transact(kind, amount, original, card, to)
            .await;
        ordered.map_err(|refusal| refusal.say(self.zh))
    }

    /// `insert AMOUNT [CARD]`, `tap AMOUNT [CARD]`: the holder enters the PIN where it is wanted.
    pub(super) async fn by_chip(
        &self,
        interface: Interface,
        amount: &str,
        card: &[&str],
    ) -> Result<(), Failure> {
        let amount = self.amount(Kind::Purchase, amount)?;
        let ordered = self
            .counter
            .by_chip(interface, amount, card.first().copied());
        ordered.await.map_err(|refusal| refusal.say(self.zh))
    }

    /// `void TRACE`: whatever takes that transaction back.
    pub(super) async fn void(&self, words: &[&str]) -> Result<(), Failure> {
        let stan = trace_number("void", words)?.ok_or_else(|| self.usage(Kind::Void))?;
        let ordered = self.counter.void(stan).await;
        ordered.map_err(|refusal| refusal.say(self.zh))
    }

    /// In the unit of the kind.
    pub(super) fn amount(&self, kind: Kind, text: &str) -> Result<Amount, Failure> {
        counter::amount(kind, text).map_err(|refusal| refusal.say(self.zh))
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
