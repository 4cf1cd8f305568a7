//! Cash, tenders and the ways on after "do not swipe again", typed at the till.

use super::{Failure, Till};
use payment::{
    Amount, Batch, Kind, LinkReason, Linked, SaleKey, Stan, Tender, TerminalId, tender_of,
};
use terminal::{Command, Order};

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

/// Why a card may be charged in place of another sale.
fn charge_reasons() -> impl Iterator<Item = LinkReason> {
    let all = LinkReason::ALL.into_iter();
    all.filter(|reason| *reason != LinkReason::Cash)
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
                let listed = self.file.cards.iter().find(|card| card.pan == number);
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
            [amount, "instead", sale] => (
                self.amount(Kind::Purchase, amount)?,
                Some(self.sale_named(sale).await?),
            ),
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

    /// `anyway REASON [CARD]`: the refused charge once more, in place of the unresolved sale; with the supervisor's
    /// reason also in place of this till's own sale that the acquirer reverses.
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
        let look = self.handle.look(|fleet, _| {
            let state = fleet.terminal(0)?.state();
            let refused = state.refused().map(|r| (r.sale, r.earlier));
            refused.or(state.open().map(|open| (open.sale, open.sale.key)))
        });
        let (sale, earlier) = look
            .await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(|| {
                self.say(("没有被拦下的刷卡", "No charge was held back"))
                    .to_owned()
            })?;
        let presented = self.present(card).await?;
        self.press(Command::Transact(Box::new(Order {
            kind: sale.kind,
            amount: Some(sale.amount),
            presented: Some(presented),
            original: None,
            linked: Some(Linked { earlier, reason }),
            to: None,
        })))
    }

    /// A sale of this till by its trace number, or any of the merchant's by terminal, batch and trace number.
    async fn sale_named(&self, text: &str) -> Result<SaleKey, Failure> {
        let unreadable = || format!("{text}: TRACE, TERMINAL/BATCH/TRACE?");
        let parts: Vec<&str> = text.split('/').collect();
        let (terminal, batch, stan) = match parts.as_slice() {
            [stan] => (None, None, *stan),
            [terminal, batch, stan] => (Some(*terminal), Some(*batch), *stan),
            _ => return Err(unreadable()),
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| unreadable());
        let stan = Stan(number(stan)?);
        let batch = batch.map(number).transpose()?.map(Batch);
        let terminal = match terminal {
            Some(text) => Some(TerminalId::parse(text.as_bytes()).ok_or_else(unreadable)?),
            None => None,
        };
        let look = self.handle.look(move |fleet, _| {
            let till = fleet.terminal(0)?;
            Some(SaleKey {
                terminal: terminal.unwrap_or(till.config().terminal),
                merchant: till.config().merchant,
                batch: batch.unwrap_or(till.state().batch()),
                stan,
            })
        });
        look.await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(unreadable)
    }
}
