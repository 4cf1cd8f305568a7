//! The earlier transaction that a request is about: found, and judged before anything leaves.
//!
//! Invariant: what is claimed of an original counts from the moment its request is forwarded until it is refused or
//! its reversal is confirmed, so that two requests in flight cannot claim the same money.

use crate::sale::SaleRecord;
use crate::{Acquirer, State};
use payment::evidence::Upstream;
use payment::kind::Reach;
use payment::terminal::Sale;
use payment::{Posting, ResponseCode, SaleKey};

impl Acquirer {
    /// The original of `sale`, when its kind needs one; `recalled` is what was found of a forgotten one.
    ///
    /// # Errors
    /// 25 there is none of this merchant; 58 it is another terminal's; 12 another card's, or not of a kind that can be
    /// meant; 22 it does not stand; and what [`payment::Claims::admit`] refuses.
    pub(crate) fn original<'a>(
        &'a self,
        sale: &Sale,
        recalled: Option<&'a SaleRecord>,
    ) -> Result<Option<&'a SaleRecord>, ResponseCode> {
        let Some(rule) = sale.kind.row().original else {
            return Ok(None);
        };
        let found = self
            .state
            .original_of(sale)
            .or(recalled)
            .ok_or(ResponseCode::ORIGINAL_NOT_FOUND)?;
        let key = found.key();
        let asked = sale.original.ok_or(ResponseCode::FORMAT_ERROR)?;
        let named = asked.approval.is_none_or(|code| {
            found
                .answer
                .is_some_and(|answer| answer.approval == Some(code))
        });
        if !named {
            return Err(ResponseCode::ORIGINAL_NOT_FOUND);
        }
        if rule.reach == Reach::SameBatch {
            if key.terminal != sale.key.terminal {
                return Err(ResponseCode::TERMINAL_NOT_ALLOWED);
            }
            if key.batch != sale.key.batch {
                return Err(ResponseCode::ORIGINAL_NOT_FOUND);
            }
        }
        if found.request.card.token != sale.card.token {
            return Err(ResponseCode::INVALID_RELATED);
        }
        match (found.evidence.upstream, found.evidence.reversal) {
            (Upstream::Approved, None) => {}
            (Upstream::Declined(_) | Upstream::NotSent(_), _) => {
                return Err(ResponseCode::INVALID_RELATED);
            }
            _ => return Err(ResponseCode::RELATED_ERROR),
        }
        let (kind, amount) = (found.request.kind, found.request.amount);
        found
            .claims
            .admit(sale.kind, sale.amount, (kind, amount), self.config.percents)?;
        Ok(Some(found))
    }
}

/// What an approval of `sale` adds to the merchant's money, in minor units.
pub(crate) fn moved_minor(sale: &Sale, original: Option<&SaleRecord>) -> i64 {
    let claims = original.map(|original| original.claims);
    let amount = original.map(|original| original.request.amount);
    claims
        .unwrap_or_default()
        .moved(sale.kind, sale.amount, amount)
}

impl State {
    /// By its reference number among the merchant's sales, else by its own terminal's batch and trace number.
    fn original_of(&self, sale: &Sale) -> Option<&SaleRecord> {
        let asked = sale.original?;
        let own = SaleKey {
            batch: asked.batch,
            stan: asked.stan,
            ..sale.key
        };
        let found = match asked.rrn {
            Some(rrn) => self.find_rrn(rrn),
            None => self.sale(&own),
        };
        found.filter(|found| found.key().merchant == sale.key.merchant)
    }

    /// A transaction claims of its original from now on.
    pub(crate) fn claim(&mut self, key: &SaleKey) {
        self.change_claims(key, true);
    }

    /// It was refused, or its reversal is confirmed: the original has it again.
    pub(crate) fn give_back_claim(&mut self, key: &SaleKey) {
        self.change_claims(key, false);
    }

    fn change_claims(&mut self, key: &SaleKey, takes: bool) {
        let Some(sale) = self.sales.get(key) else {
            return;
        };
        let (kind, amount, moved) = (sale.request.kind, sale.request.amount, sale.moved_minor);
        let Some(original) = sale.original.and_then(|key| self.sales.get_mut(&key)) else {
            return;
        };
        match takes {
            true => original.claims.claim(kind, amount, moved),
            false => original.claims.give_back(kind, amount, moved),
        }
        // Taking a completion back gives its pre-authorisation what the completion had claimed, and the other way round.
        let (captured, held) = (original.key(), original.original);
        if kind.row().posting == Posting::Uncapture && held.is_some() {
            self.change_claims(&captured, !takes);
        }
    }
}
