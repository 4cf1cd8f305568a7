//! The earlier transaction that a request is about: found, and judged before anything leaves.
//!
//! Invariant: what is claimed of an original counts from the moment its request is forwarded until it is refused or
//! its reversal is confirmed, so that two requests in flight cannot claim the same money. What gives an original more to
//! claim (an increment, a completion that is taken back) counts only once its terminal has confirmed it, for until then
//! it may be reversed.

use crate::record::Record;
use crate::sale::{Claim, SaleRecord, has_approval};
use crate::{Acquirer, State};
use payment::evidence::Upstream;
use payment::kind::Reach;
use payment::terminal::Sale;
use payment::{Amount, Claims, Kind, Posting, ResponseCode, SaleKey};

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
        decided: &[Record],
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
        #[cfg(feature = "planted")]
        let reach = match self.planted {
            Some(crate::planted::Bug::TakesForeignVoids) => Reach::SameMerchant,
            _ => rule.reach,
        };
        #[cfg(not(feature = "planted"))]
        let reach = rule.reach;
        if reach == Reach::SameBatch {
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
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::RefundsBeyond)
            && sale.kind.row().posting == Posting::Credit
        {
            return Ok(Some(found));
        }
        self.claims_by_now(found, decided).admit(
            sale.kind,
            sale.amount,
            (kind, amount),
            self.config.percents,
        )?;
        Ok(Some(found))
    }

    /// What is claimed of a transaction, with what its terminal confirmed in the very request that is judged.
    fn claims_by_now(&self, found: &SaleRecord, decided: &[Record]) -> Claims {
        let mut claims = found.claims;
        for record in decided {
            let Record::Confirmed { key, confirmation } = record else {
                continue;
            };
            let sale = self.state.sale(key);
            let settles = sale.is_some_and(|sale| {
                sale.stands() && !sale.has_confirmed_approval() && has_approval(confirmation)
            });
            let room = self.state.room(key).filter(|_| settles);
            if let Some(room) = room.filter(|room| room.held == found.key()) {
                room.change(&mut claims, true);
            }
        }
        claims
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
        if self.turn_claim(key, Claim::Open).is_some() {
            self.change_claims(key, true);
        }
    }

    /// It was refused, or its reversal is confirmed: the original has it again.
    pub(crate) fn give_back_claim(&mut self, key: &SaleKey) {
        match self.turn_claim(key, Claim::None) {
            Some(Claim::Open) => self.change_claims(key, false),
            Some(Claim::Settled) => {
                self.change_room(key, false);
                if !self.holds_more(key) {
                    self.change_claims(key, false);
                }
            }
            Some(Claim::None) | None => {}
        }
    }

    /// What gives room counts only when nothing can take it back any more: its terminal has said that it has the approval.
    pub(crate) fn settle_claim(&mut self, key: &SaleKey) {
        if self.turn_claim(key, Claim::Settled) == Some(Claim::Open) {
            if self.holds_more(key) {
                self.change_claims(key, false);
            }
            self.change_room(key, true);
        }
    }

    /// What its claim was before, when it is another one now.
    fn turn_claim(&mut self, key: &SaleKey, claim: Claim) -> Option<Claim> {
        let sale = self.sales.get_mut(key)?;
        let before = std::mem::replace(&mut sale.claim, claim);
        (before != claim).then_some(before)
    }

    fn holds_more(&self, key: &SaleKey) -> bool {
        let posting = self
            .sales
            .get(key)
            .map(|sale| sale.request.kind.row().posting);
        posting == Some(Posting::HoldMore)
    }

    /// An increment that is under way is only counted: it gives no room yet.
    fn change_claims(&mut self, key: &SaleKey, takes: bool) {
        let Some(sale) = self.sales.get(key) else {
            return;
        };
        let (kind, amount, moved) = (sale.request.kind, sale.request.amount, sale.moved_minor);
        let Some(original) = sale.original.and_then(|key| self.sales.get_mut(&key)) else {
            return;
        };
        match (kind.row().posting, takes) {
            (Posting::HoldMore, true) => original.awaited += 1,
            (Posting::HoldMore, false) => original.awaited = original.awaited.saturating_sub(1),
            (_, true) => original.claims.claim(kind, amount, moved),
            (_, false) => original.claims.give_back(kind, amount, moved),
        }
    }

    /// What a transaction gives room to: an increment adds to its pre-authorisation, and a completion that is taken back
    /// no longer claims of it.
    fn room(&self, key: &SaleKey) -> Option<Room> {
        let sale = self.sales.get(key)?;
        let (claimant, adds) = match sale.request.kind.row().posting {
            Posting::HoldMore => (sale, true),
            Posting::Uncapture => (self.sales.get(&sale.original?)?, false),
            _ => return None,
        };
        Some(Room {
            held: claimant.original?,
            kind: claimant.request.kind,
            amount: claimant.request.amount,
            moved_minor: claimant.moved_minor,
            adds,
        })
    }

    fn change_room(&mut self, key: &SaleKey, gives: bool) {
        if let Some(room) = self.room(key)
            && let Some(held) = self.sales.get_mut(&room.held)
        {
            room.change(&mut held.claims, gives);
        }
    }
}

/// What a transaction that gives room changes about the claims of a pre-authorisation.
struct Room {
    held: SaleKey,
    kind: Kind,
    amount: Amount,
    moved_minor: i64,
    /// It is a claim of its own, and not the end of one.
    adds: bool,
}

impl Room {
    fn change(&self, claims: &mut Claims, gives: bool) {
        match self.adds == gives {
            true => claims.claim(self.kind, self.amount, self.moved_minor),
            false => claims.give_back(self.kind, self.amount, self.moved_minor),
        }
    }
}
