//! Cash, tenders and the ways on after "do not swipe again", typed at the till.

use super::{Failure, Till};
use crate::till::counter::charge_reasons;
use payment::{Amount, Kind, LinkReason, SaleKey, Tender, tender_of};
use terminal::Command;

/// The three ways on, the safe one first.
pub(super) fn ways_on(earlier: SaleKey, amount: Amount, zh: bool) -> String {
    let reasons = charge_reasons().map(LinkReason::name);
    let reasons = reasons.collect::<Vec<_>>().join("|");
    if zh {
        format!(
            "  1 等待那一笔的结果（推荐）\n  2 改收现金：cash {amount} instead {earlier}\n  3 仍要刷卡，与那一笔关联：anyway {reasons}"
        )
    } else {
        format!(
            "  1 wait for that sale's result (best)\n  2 take cash: cash {amount} instead {earlier}\n  3 charge anyway, linked: anyway {reasons}"
        )
    }
}

impl Till {
    /// `pay AMOUNT [WHAT]`: the kind by what is shown, a card of the till's list by its name or number.
    pub(super) async fn pay(&self, words: &[&str]) -> Result<(), Failure> {
        let (amount, shown) = match words {
            [amount] => (*amount, None),
            [amount, shown] => (*amount, Some(*shown)),
            _ => {
                return Err(self
                    .say(("pay 金额 [卡|付款码|cash]", "pay AMOUNT [CARD|CODE|cash]"))
                    .to_owned());
            }
        };
        let tender = shown.and_then(tender_of);
        match (tender, shown) {
            (Some(Tender::Cash), _) => self.cash(&[amount]).await,
            (Some(Tender::Code(_)), _) => self.transact(Kind::WalletSale, words).await,
            (Some(Tender::Card(_)), Some(number)) => {
                let mut cards = self.counter.file.cards.iter();
                let listed = cards.find(|card| card.pan == number);
                let name = listed.map(|card| card.name.clone()).ok_or_else(|| {
                    self.say(("不是测试卡的卡号", "not the number of a test card"))
                        .to_owned()
                })?;
                self.transact(Kind::Purchase, &[amount, &name]).await
            }
            _ => self.transact(Kind::Purchase, words).await,
        }
    }

    /// `cash AMOUNT [instead TRACE|TERMINAL/BATCH/TRACE]`.
    pub(super) async fn cash(&self, words: &[&str]) -> Result<(), Failure> {
        let (amount, instead_of) = match words {
            [amount] => (self.amount(Kind::Purchase, amount)?, None),
            [amount, "instead", sale] => {
                let named = self.counter.sale_named(sale).await;
                let sale = named.map_err(|refusal| refusal.say(self.zh))?;
                (self.amount(Kind::Purchase, amount)?, Some(sale))
            }
            _ => {
                return Err(self
                    .say((
                        "cash 金额 [instead 凭证号|终端/批次/凭证号]",
                        "cash AMOUNT [instead TRACE|TERMINAL/BATCH/TRACE]",
                    ))
                    .to_owned());
            }
        };
        self.press(Command::Cash { amount, instead_of })
    }

    /// `anyway REASON [CARD]`: the refused charge once more, in place of the unresolved sale.
    pub(super) async fn anyway(&self, words: &[&str]) -> Result<(), Failure> {
        let names = || charge_reasons().map(LinkReason::name).collect::<Vec<_>>();
        let (reason, card) = match words {
            [reason] => (*reason, None),
            [reason, card] => (*reason, Some(*card)),
            _ => return Err(format!("anyway {}", names().join("|"))),
        };
        let reason = charge_reasons()
            .find(|known| known.name() == reason)
            .ok_or_else(|| format!("anyway {}", names().join("|")))?;
        let ordered = self.counter.anyway(reason, card).await;
        ordered.map_err(|refusal| refusal.say(self.zh))
    }
}
