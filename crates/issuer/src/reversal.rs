//! Reversal advices, matched by their original (field 90): the first that takes effect returns the money, every other
//! gets its code again.
//!
//! Invariants: at most one reversal of an original takes effect (M4); one that finds no original leaves a tombstone (M5).
//! Codes: 00 reversed, now or before; 12 the original was refused or is no purchase of that card; 25 never seen; 64
//! another amount, no effect; 96 no room for a tombstone or in the books, the advice must come again. 00, 12 and 25 end an advice
//! (UnionPay-style reference §4.4).

use crate::accounts::pack;
use crate::issuer::Issuer;
use crate::memory::{Exchange, Standing, within_window};
use crate::notice::NoticeKind;
use crate::planted::Bug;
use crate::record::{Effect, Record, Returned};
use payment::host::{Request, Reversal};
use payment::{Claims, Decision, Now, Posting, ResponseCode};

impl Issuer {
    pub(crate) fn decide_reversal(&self, now: Now, reversal: Reversal) -> Decision<Record, Effect> {
        match self.state.memory.get(&reversal.original) {
            Some(first) => self.reverse(now, reversal, first),
            None => self.bar(now, reversal),
        }
    }

    fn reverse(&self, now: Now, reversal: Reversal, first: &Exchange) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let claimed = self.state.related.claims(&reversal.original) != Claims::default();
        let mut code = match claimed {
            // Something was claimed of it already: giving it back as well would pay twice.
            true => ResponseCode::INVALID_RELATED,
            false => code_for(&reversal, first),
        };
        let mut effective = code == ResponseCode::APPROVED && first.standing == Standing::Approved;
        let mut entries = Vec::new();
        if effective && !self.planted(Bug::IssuerAnswersReversalWithoutBooking) {
            match self.take_back(&reversal.original) {
                Some(back) => entries = back,
                None if self.planted(Bug::IssuerForgetsHold) => {}
                // The books refuse: nothing is returned, so nothing is answered that ends the advice.
                None => (code, effective) = (ResponseCode::SYSTEM_ERROR, false),
            }
        } else if first.standing == Standing::Reversed && self.planted(Bug::IssuerReversesTwice) {
            entries.extend(self.unasked(&first.token, first.amount.minor, false));
        }
        if first.kind.row().posting == Posting::Undo && self.planted(Bug::IssuerKeepsClaim) {
            effective = false;
        }
        decision.effect(self.answer(&Request::Reversal(reversal), code));
        if !entries.is_empty() {
            let change = self.change_of(&reversal.sale, &entries);
            self.tell(
                &mut decision,
                now.wall,
                &reversal.sale,
                NoticeKind::of(first.kind).back(),
                change,
            );
            self.tell_receiver(
                &mut decision,
                now.wall,
                &reversal.sale,
                NoticeKind::ReceivedBack,
                &entries,
            );
        }
        if !entries.is_empty() || effective || !first.advised {
            decision.record(Record::Returned(Returned {
                at: now,
                reversal,
                code,
                entries,
                effective,
                barred: false,
            }));
        }
        decision
    }

    /// The original is not known. It may still be on its way, unless it is too old to be executed.
    fn bar(&self, now: Now, reversal: Reversal) -> Decision<Record, Effect> {
        let mut decision = Decision::nothing();
        let possible = pack(&reversal.original).is_some()
            && within_window(reversal.original.transmission, now.wall).is_ok();
        let barred = possible && !self.planted(Bug::IssuerNoTombstone);
        let code = if barred && !self.state.memory.has_reserve(now.mono) {
            ResponseCode::SYSTEM_ERROR
        } else {
            decision.record(Record::Returned(Returned {
                at: now,
                reversal,
                code: ResponseCode::ORIGINAL_NOT_FOUND,
                entries: Vec::new(),
                effective: false,
                barred,
            }));
            ResponseCode::ORIGINAL_NOT_FOUND
        };
        decision.effect(self.answer(&Request::Reversal(reversal), code));
        decision
    }
}

/// The code of an advice whose original is known; the same each time the same advice comes.
fn code_for(reversal: &Reversal, first: &Exchange) -> ResponseCode {
    let sale = &reversal.sale;
    match first.standing {
        Standing::Barred { .. } => ResponseCode::ORIGINAL_NOT_FOUND,
        Standing::Declined => ResponseCode::INVALID_RELATED,
        _ if !first.kind.row().reversible() || first.token != sale.card.token => {
            ResponseCode::INVALID_RELATED
        }
        _ if first.amount != sale.amount => ResponseCode::AMOUNT_MISMATCH,
        Standing::Approved | Standing::Reversed => ResponseCode::APPROVED,
    }
}
