//! "Do not swipe again": a charge that may repeat an unresolved one of the same card and amount is refused, across the
//! merchant's terminals; what is paid in its place is linked to it.
//!
//! Invariant: of a sale and what stands in its place, at most one stays with the merchant, and it is never the one that
//! was completed last.

use crate::record::Record;
use crate::sale::{Reply, SaleRecord};
use crate::terminal::{Heard, Refusal, refuse};
use crate::{Acquirer, Decided, State};
use payment::evidence::{Delivery, ReversalCause, ReversalProgress, Upstream};
use payment::host::ReversalReason;
use payment::terminal::{Request, Sale};
use payment::{Linked, Now, ResponseCode, SaleKey};

impl Acquirer {
    /// Refuses a charge that may repeat an earlier one.
    ///
    /// # Errors
    /// 94 with the earlier sale; and what a replacement is refused with.
    pub(crate) fn may_charge(&self, sale: &Sale) -> Result<(), Refusal> {
        if !sale.kind.row().charges() {
            return Ok(());
        }
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Bug::NoGuard) {
            return Ok(());
        }
        let named = sale.linked.map(|linked| linked.earlier);
        if let Some(linked) = sale.linked {
            self.may_replace(sale, linked)?;
        }
        match self
            .unresolved_charges(sale)
            .find(|earlier| Some(*earlier) != named)
        {
            None => Ok(()),
            Some(earlier) => Err(Refusal {
                code: ResponseCode::DUPLICATE,
                earlier: Some(earlier),
            }),
        }
    }

    /// Charges of the same card and amount at this merchant of which nobody knows how they ended, oldest first.
    fn unresolved_charges<'a>(&'a self, sale: &'a Sale) -> impl Iterator<Item = SaleKey> + 'a {
        let charges = self.state.charges.get(&sale.card.token);
        charges
            .into_iter()
            .flatten()
            .filter_map(|key| self.state.sale(key))
            .filter(|earlier| {
                earlier.key().merchant == sale.key.merchant
                    && earlier.request.amount == sale.amount
                    && self.is_unresolved(earlier, sale)
            })
            .map(SaleRecord::key)
    }

    /// Nobody knows how `earlier` ended; an approval counts when another terminal than the asking one owes its word.
    fn is_unresolved(&self, earlier: &SaleRecord, sale: &Sale) -> bool {
        if !earlier.may_be_unresolved() {
            return false;
        }
        if !earlier.stands() {
            return true;
        }
        // A terminal that does not speak our extension stays silent until its next sale: only for so long is it waited for.
        let key = earlier.key();
        let setup = self.config.terminals.get(&key.terminal);
        key.terminal != sale.key.terminal
            && (earlier.confirm_by.is_some() || setup.is_some_and(|t| t.extended))
    }

    /// Whether a charge may stand in place of the sale that it names.
    fn may_replace(&self, sale: &Sale, linked: Linked) -> Result<(), ResponseCode> {
        let earlier = self.replaceable(sale, linked)?;
        if earlier.request.amount != sale.amount {
            return Err(ResponseCode::INVALID_RELATED);
        }
        // One charge stands in its place already, and a second one would hide it.
        if self.replacement(earlier).is_some() {
            return Err(ResponseCode::RELATED_ERROR);
        }
        let mut unresolved = self.unresolved_charges(sale);
        match unresolved.any(|key| key == linked.earlier) || !earlier.stands() {
            true => Ok(()),
            // Its terminal has the approval: charging once more would take the money twice.
            false => Err(ResponseCode::RELATED_ERROR),
        }
    }

    /// The sale that a replacement names.
    ///
    /// # Errors
    /// 25 there is none; 12 another card's, or no charge.
    fn replaceable(&self, sale: &Sale, linked: Linked) -> Result<&SaleRecord, ResponseCode> {
        let earlier = self
            .state
            .sale(&linked.earlier)
            .filter(|earlier| earlier.key().merchant == sale.key.merchant)
            .ok_or(ResponseCode::ORIGINAL_NOT_FOUND)?;
        let same_card = earlier.request.card.token == sale.card.token;
        match same_card && earlier.request.kind.row().charges() && earlier.key() != sale.key {
            true => Ok(earlier),
            false => Err(ResponseCode::INVALID_RELATED),
        }
    }

    /// Cash was taken in place of a card sale. It ends here; whatever became of the sale is taken back.
    pub(crate) fn cash_link(&self, now: Now, heard: &Heard, sale: Sale, decided: &mut Decided) {
        let request = &heard.sealed.request;
        let Some(linked) = sale.linked else {
            return refuse(
                heard.reply,
                request,
                ResponseCode::FORMAT_ERROR,
                true,
                decided,
            );
        };
        let code = match self.take_back_for_cash(now, &sale, linked, decided) {
            Ok(()) => ResponseCode::APPROVED,
            Err(code) => code,
        };
        refuse(heard.reply, request, code, true, decided);
    }

    fn take_back_for_cash(
        &self,
        now: Now,
        sale: &Sale,
        linked: Linked,
        decided: &mut Decided,
    ) -> Result<(), ResponseCode> {
        let own = linked.earlier.terminal == sale.key.terminal;
        let earlier = match self.replaceable(sale, linked) {
            Ok(earlier) => earlier,
            // The request may still come: it is refused then. Nobody buries what another terminal may yet ask.
            Err(ResponseCode::ORIGINAL_NOT_FOUND) if own && !self.is_forgotten(&linked.earlier) => {
                if !self.state.tombstones.contains(&linked.earlier) {
                    decided.record(Record::Tombstone {
                        key: linked.earlier,
                    });
                }
                return Ok(());
            }
            Err(code) => return Err(code),
        };
        if earlier.evidence.reversal.is_some() {
            return Ok(());
        }
        match earlier.evidence.upstream {
            Upstream::Declined(_) | Upstream::NotSent(_) => Ok(()),
            _ if earlier.is_completed() => Err(ResponseCode::RELATED_ERROR),
            #[cfg(feature = "planted")]
            _ if self.has(crate::planted::Bug::KeepsCashSale) => Ok(()),
            upstream => {
                decided.record(Record::NoticeOwed {
                    key: earlier.key(),
                    by: sale.key,
                });
                self.replace(now, earlier, upstream, decided);
                Ok(())
            }
        }
    }

    /// A charge was approved: the sale in whose place it stands goes back, if that stands as well.
    pub(crate) fn replace_earlier(&self, now: Now, sale: &SaleRecord, decided: &mut Decided) {
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Bug::KeepsReplaced) {
            return;
        }
        let earlier = sale
            .request
            .linked
            .and_then(|linked| self.state.sale(&linked.earlier));
        if let Some(earlier) = earlier.filter(|earlier| earlier.stands() && !earlier.is_claimed()) {
            self.replace(now, earlier, Upstream::Approved, decided);
        }
    }

    /// The charge that stands in place of `sale`, when it was approved.
    pub(crate) fn replacement(&self, sale: &SaleRecord) -> Option<&SaleRecord> {
        let by = sale.replaced_by.and_then(|key| self.state.sale(&key));
        by.filter(|by| by.stands())
    }

    /// Reverses a sale because something else was paid in its place.
    pub(crate) fn replace(
        &self,
        now: Now,
        earlier: &SaleRecord,
        upstream: Upstream,
        decided: &mut Decided,
    ) {
        self.reverse(
            now,
            earlier,
            ReversalCause::Replaced,
            upstream,
            ReversalReason::TERMINAL_CANCELS,
            decided,
        );
        // Whoever still waits for its answer is told that it is being reversed.
        if earlier.evidence.upstream == Upstream::Waiting {
            decided.record(Record::Delivered {
                key: earlier.key(),
                delivery: Delivery::Sent,
            });
            self.tell_given_up(earlier.reply, earlier, decided);
        }
    }

    /// 98: the sale is being reversed by us (settled point 3).
    fn tell_given_up(&self, reply: Reply, sale: &SaleRecord, decided: &mut Decided) {
        let request = Request::Financial {
            sale: sale.request,
            sign: None,
        };
        self.tell(reply, sale, &request, ResponseCode::ISSUER_TIMEOUT, decided);
    }
}

impl SaleRecord {
    /// A charge of which nobody may know how it ended.
    fn may_be_unresolved(&self) -> bool {
        match (self.evidence.reversal, self.evidence.upstream) {
            // What staff give back was paid, and everybody knows.
            (Some(reversal), _) if matches!(reversal.cause, ReversalCause::Staff(_)) => false,
            (Some(reversal), _) => !matches!(reversal.progress, ReversalProgress::Confirmed(_)),
            (None, Upstream::Approved) => self.awaits_confirmation(),
            (None, Upstream::Declined(_) | Upstream::NotSent(_)) => false,
            (None, _) => true,
        }
    }

    /// Its terminal has the approval, or something was claimed of it since.
    fn is_completed(&self) -> bool {
        self.stands() && (self.has_confirmed_approval() || self.is_claimed())
    }
}

impl State {
    /// Remembers a charge for as long as nobody knows how it ended, and the sale in whose place it stands.
    pub(crate) fn guard(&mut self, sale: &Sale) {
        if !sale.kind.row().charges() {
            return;
        }
        let Self { charges, sales, .. } = self;
        let kept = charges.entry(sale.card.token).or_default();
        kept.retain(|key| sales.get(key).is_some_and(SaleRecord::may_be_unresolved));
        kept.push(sale.key);
        if let Some(linked) = sale.linked
            && let Some(earlier) = sales.get_mut(&linked.earlier)
        {
            earlier.replaced_by = Some(sale.key);
            self.owe_notice(linked.earlier, sale.key);
        }
    }

    /// Drops a forgotten sale.
    pub(crate) fn unguard(&mut self, sale: &SaleRecord) {
        let token = sale.request.card.token;
        if let Some(kept) = self.charges.get_mut(&token) {
            kept.retain(|key| *key != sale.key());
            if kept.is_empty() {
                self.charges.remove(&token);
            }
        }
    }
}
