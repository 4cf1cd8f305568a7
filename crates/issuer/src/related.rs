//! What later requests have claimed of earlier ones, and the holds of pre-authorisations that stand.
//!
//! Invariant: a fold of the same records as the books; purchases that nothing was claimed of take no room here.

use crate::accounts::{expiry_id, pack, unpack};
use crate::issuer::Issuer;
use crate::record::{Answered, Effect, Record};
use ledger::{Entry, TransferId};
use payment::{Amount, Claims, Decision, HostKey, Kind, Mono, Now, Posting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Claims, originals and holds, by packed key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    claims: BTreeMap<u128, Claims>,
    claimants: BTreeMap<u128, Claimant>,
    /// Of a pre-authorisation: its own hold, those of its increments, or the one that a completion taken back left.
    holds: BTreeMap<u128, Vec<TransferId>>,
}

/// A request about an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claimant {
    original: u128,
    kind: Kind,
    amount: Amount,
    moved_minor: i64,
}

impl Related {
    /// What was claimed of a request.
    pub fn claims(&self, key: &HostKey) -> Claims {
        let claims = pack(key).and_then(|packed| self.claims.get(&packed));
        claims.copied().unwrap_or_default()
    }

    /// The request that this one is about.
    pub(crate) fn original(&self, packed: u128) -> Option<u128> {
        self.claimants
            .get(&packed)
            .map(|claimant| claimant.original)
    }

    /// The holds that stand for a pre-authorisation.
    pub(crate) fn holds(&self, authorisation: u128) -> &[TransferId] {
        self.holds.get(&authorisation).map_or(&[], Vec::as_slice)
    }

    /// Whose holds the entries of a request change: those of the pre-authorisation that it is, or is about.
    pub(crate) fn authorisation(&self, packed: u128) -> u128 {
        std::iter::successors(Some(packed), |packed| self.original(*packed))
            .take(3)
            .last()
            .unwrap_or(packed)
    }

    /// An approval claims of its original.
    pub(crate) fn answered(&mut self, packed: u128, record: &Answered) {
        let sale = &record.sale;
        if let Some(original) = sale.original.as_ref().and_then(pack) {
            let claimant = Claimant {
                original,
                kind: sale.kind,
                amount: sale.amount,
                moved_minor: record.moved_minor,
            };
            self.claimants.insert(packed, claimant);
            self.change(packed, true);
        }
        self.entries(packed, sale.kind, &record.entries);
    }

    /// A reversal gives back what its request had claimed.
    pub(crate) fn returned(&mut self, packed: u128, kind: Kind, entries: &[Entry]) {
        self.change(packed, false);
        self.entries(packed, kind, entries);
    }

    /// A hold has run out: nothing can be completed any more.
    pub(crate) fn expired(&mut self, authorisation: u128) {
        self.holds.remove(&authorisation);
        self.claims.entry(authorisation).or_default().undone = true;
    }

    fn change(&mut self, packed: u128, takes: bool) {
        let Some(claimant) = self.claimants.get(&packed).copied() else {
            return;
        };
        let claims = self.claims.entry(claimant.original).or_default();
        let (kind, amount, moved) = (claimant.kind, claimant.amount, claimant.moved_minor);
        match takes {
            true => claims.claim(kind, amount, moved),
            false => claims.give_back(kind, amount, moved),
        }
        // Taking a completion back gives its pre-authorisation what the completion had claimed, and the other way round.
        if kind.row().posting == Posting::Uncapture {
            self.change(claimant.original, !takes);
        }
    }

    /// Keeps the holds of a pre-authorisation; a credit card's purchase holds too, and nobody else ends that.
    fn entries(&mut self, packed: u128, kind: Kind, entries: &[Entry]) {
        use Posting::{Capture, Hold, HoldMore, Release, Uncapture};
        if !matches!(
            kind.row().posting,
            Hold | HoldMore | Release | Capture | Uncapture
        ) {
            return;
        }
        let authorisation = self.authorisation(packed);
        let holds = self.holds.entry(authorisation).or_default();
        for entry in entries {
            match entry {
                Entry::Hold { transfer, .. } => holds.push(transfer.id),
                Entry::VoidHold { hold, .. } => holds.retain(|standing| standing != hold),
                _ => {}
            }
        }
    }

    /// Forgets a request together with books and memory.
    pub(crate) fn forget(&mut self, packed: u128) {
        self.claims.remove(&packed);
        self.claimants.remove(&packed);
        self.holds.remove(&packed);
    }
}

impl Issuer {
    /// When the hold that runs out first does.
    pub(crate) fn next_expiry(&self) -> Option<Mono> {
        let (at_ms, _) = self.state.ledger.next_expiry()?;
        Some(Mono(0).plus_ms(u64::try_from(at_ms).ok()?))
    }

    /// Releases what has been held too long: a pre-authorisation with its increments at a time.
    pub(crate) fn expire_holds(&self, now: Now, decision: &mut Decision<Record, Effect>) {
        let due = |hold: &TransferId| match self.state.ledger.entry(*hold) {
            Some(Entry::Hold { expires_at_ms, .. }) => {
                expires_at_ms.is_some_and(|at| at <= i64::try_from(now.mono.0 / 1_000).unwrap_or(0))
            }
            _ => false,
        };
        if self.next_expiry().is_none_or(|at| at > now.mono) {
            return;
        }
        let holds = self.state.related.holds.iter();
        for (packed, holds) in holds.filter(|(_, holds)| holds.iter().any(due)) {
            let entries: Vec<Entry> = holds
                .iter()
                .enumerate()
                .map(|(n, hold)| Entry::ExpireHold {
                    id: expiry_id(*packed, n),
                    hold: *hold,
                })
                .collect();
            let key = unpack(*packed);
            decision.record(Record::Expired { key, entries });
        }
    }

    pub(crate) fn apply_expired(&mut self, key: &HostKey, entries: &[Entry]) {
        for entry in entries {
            self.state.ledger.apply(entry);
        }
        if let Some(packed) = pack(key) {
            self.state.related.expired(packed);
        }
    }
}
