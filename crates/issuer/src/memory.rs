//! What the bank remembers of requests: one entry for each key, so that a repeat gets the first answer and a reversal
//! finds its original.
//!
//! Invariants: a key that could still be executed is never forgotten (A2, M5): requests whose field 7 is outside
//! [`REPEAT_WINDOW_S`] are refused, and only entries that are not open debits and older than twice that are dropped, when
//! room is needed. Open debits are never dropped: when all is full of them, new requests are refused with 96.

use crate::accounts::{pack, second_of_year, unpack};
use crate::record::{Answered, Returned};
use crypto::PanToken;
use payment::host::Financial;
use payment::{Amount, ApprovalCode, ChipAnswer, HostKey, Kind, Mono, ResponseCode, Rrn, Wall};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Exchanges that are remembered; beyond it new requests are refused with 96.
pub const EXCHANGES_MAX: usize = 4_000_000;
/// Tombstones that fit beyond that, so that a reversal is taken even when no purchase is.
pub const BARRED_RESERVE: usize = 100_000;
/// How far field 7 may be from the wall reading, in seconds, either way: seven days.
pub const REPEAT_WINDOW_S: i64 = 7 * 86_400;
/// From when on an entry that is no open debit may be dropped, in milliseconds: field 7 may have been ahead by one
/// window and must fall behind by another.
pub const FORGET_AFTER_MS: u64 = 2 * REPEAT_WINDOW_S as u64 * 1_000;

const YEAR_S: i64 = 366 * 86_400;

/// How a remembered request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Approved; a purchase is in suspense.
    Approved,
    /// Refused.
    Declined,
    /// Approved, then reversed.
    Reversed,
    /// Its reversal came first: it must never debit (M5).
    Barred {
        /// It has come since and was refused.
        came: bool,
    },
}

/// One remembered request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was first decided.
    pub at: Wall,
    /// What it asked for.
    pub kind: Kind,
    /// The card.
    pub token: PanToken,
    /// The card that receives the amount.
    pub to: Option<PanToken>,
    /// Field 4.
    pub amount: Amount,
    /// Field 37.
    pub rrn: Rrn,
    /// Field 39 of its first answer; of a barred one, of the answer it will get.
    pub code: ResponseCode,
    /// Field 38 of its answer.
    pub approval: Option<ApprovalCode>,
    /// Field 54 of its answer, in minor units.
    pub balance: Option<i64>,
    /// How it stands.
    pub standing: Standing,
    /// A reversal advice was answered already.
    pub advised: bool,
}

impl Exchange {
    /// Whether `sale`, which has the same key, asks for the same.
    pub(crate) fn is_of(&self, sale: &Financial) -> bool {
        self.kind == sale.kind
            && self.token == sale.card.token
            && self.to == sale.to.map(|to| to.token)
            && self.amount == sale.amount
            && self.rrn == sale.rrn
    }
}

/// The memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// A limit of the program, not of the history.
    #[serde(skip, default = "exchanges_max")]
    max: usize,
    exchanges: BTreeMap<u128, Exchange>,
    /// Field 55 of first answers; most requests have none.
    chips: BTreeMap<u128, ChipAnswer>,
    /// Everything that is no open debit, oldest first.
    closed: VecDeque<(Mono, u128)>,
}

const fn exchanges_max() -> usize {
    EXCHANGES_MAX
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            max: exchanges_max(),
            exchanges: BTreeMap::new(),
            chips: BTreeMap::new(),
            closed: VecDeque::new(),
        }
    }
}

impl Memory {
    /// The entry of a key.
    pub fn get(&self, key: &HostKey) -> Option<&Exchange> {
        self.exchanges.get(&pack(key)?)
    }

    /// Field 55 of the answer to a key.
    pub fn chip(&self, key: &HostKey) -> Option<ChipAnswer> {
        self.chips.get(&pack(key)?).copied()
    }

    /// Every entry in the order of its key.
    pub fn iter(&self) -> impl Iterator<Item = (HostKey, &Exchange)> {
        self.exchanges
            .iter()
            .map(|(packed, exchange)| (unpack(*packed), exchange))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// Remembers no more than `max` from now on.
    pub(crate) fn limit(&mut self, max: usize) {
        self.max = max;
    }

    /// Whether a new request may be remembered.
    pub(crate) fn has_room(&self, now: Mono) -> bool {
        self.exchanges.len() < self.max || self.forgettable(now).is_some()
    }

    /// Whether a new tombstone may be.
    pub(crate) fn has_reserve(&self, now: Mono) -> bool {
        self.exchanges.len() < self.max + BARRED_RESERVE || self.forgettable(now).is_some()
    }

    /// Remembers a decision; gives the packed key that was dropped for it. A tombstone stays one.
    pub(crate) fn answered(&mut self, packed: u128, record: &Answered) -> Option<u128> {
        if let Some(known) = self.exchanges.get_mut(&packed) {
            if matches!(known.standing, Standing::Barred { .. }) {
                known.standing = Standing::Barred { came: true };
            }
            return None;
        }
        if let Some(chip) = &record.chip {
            self.chips.insert(packed, **chip);
        }
        let approved = record.code.is_success();
        let open = approved && record.sale.kind.row().moves_money();
        let exchange = Exchange {
            at: record.at.wall,
            kind: record.sale.kind,
            token: record.sale.card.token,
            to: record.sale.to.map(|to| to.token),
            amount: record.sale.amount,
            rrn: record.sale.rrn,
            code: record.code,
            approval: record.approval,
            balance: record.balance,
            standing: if approved {
                Standing::Approved
            } else {
                Standing::Declined
            },
            advised: false,
        };
        self.insert(packed, exchange, record.at.mono, open)
    }

    /// Remembers what a reversal did; gives the packed key that was dropped for it.
    pub(crate) fn returned(&mut self, packed: u128, record: &Returned) -> Option<u128> {
        if let Some(known) = self.exchanges.get_mut(&packed) {
            known.advised = true;
            if record.effective {
                known.standing = Standing::Reversed;
                self.closed.push_back((record.at.mono, packed));
            }
            return None;
        }
        if !record.barred {
            return None;
        }
        let sale = &record.reversal.sale;
        let exchange = Exchange {
            at: record.at.wall,
            kind: sale.kind,
            token: sale.card.token,
            to: sale.to.map(|to| to.token),
            amount: sale.amount,
            rrn: sale.rrn,
            code: ResponseCode::RELATED_ERROR,
            approval: None,
            balance: None,
            standing: Standing::Barred { came: false },
            advised: true,
        };
        self.insert(packed, exchange, record.at.mono, false)
    }

    fn insert(&mut self, packed: u128, exchange: Exchange, now: Mono, open: bool) -> Option<u128> {
        let dropped = (self.exchanges.len() >= self.max)
            .then(|| self.forgettable(now))
            .flatten();
        if let Some(gone) = dropped {
            self.closed.pop_front();
            self.exchanges.remove(&gone);
            self.chips.remove(&gone);
        }
        self.exchanges.insert(packed, exchange);
        if !open {
            self.closed.push_back((now, packed));
        }
        dropped
    }

    fn forgettable(&self, now: Mono) -> Option<u128> {
        let (since, packed) = self.closed.front()?;
        (now.since_ms(*since) > FORGET_AFTER_MS).then_some(*packed)
    }
}

/// Whether a request of this field 7 may be executed now: it is a date near the wall reading, or a code says why not.
pub(crate) fn within_window(transmission: u64, now: Wall) -> Result<(), ResponseCode> {
    let sent = second_of_year(transmission).ok_or(ResponseCode::FORMAT_ERROR)?;
    let here = second_of_year(now.transmission()).ok_or(ResponseCode::SYSTEM_ERROR)?;
    let apart = (here - sent).rem_euclid(YEAR_S);
    if apart.min(YEAR_S - apart) <= REPEAT_WINDOW_S {
        Ok(())
    } else {
        // It may be a repeat of something forgotten, so it is not executed (A2).
        Err(ResponseCode::DUPLICATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;

    fn exchange(standing: Standing) -> Exchange {
        Exchange {
            at: Wall(0),
            kind: Kind::Purchase,
            token: serde_json::from_str("\"000102030405060708090A0B0C0D0E0F\"").unwrap(),
            to: None,
            amount: Amount::fen(1),
            rrn: Rrn(*b"000000000001"),
            code: ResponseCode::APPROVED,
            approval: None,
            balance: None,
            standing,
            advised: false,
        }
    }

    #[test]
    fn a_full_memory_drops_only_what_can_never_be_executed_again() {
        let mut memory = Memory {
            max: 2,
            ..Memory::default()
        };
        memory.insert(1, exchange(Standing::Approved), Mono(0), true);
        memory.insert(2, exchange(Standing::Declined), Mono(0), false);
        let early = Mono(0).plus_ms(14 * DAY_MS);
        assert!(!memory.has_room(early) && memory.has_reserve(early));
        let later = Mono(0).plus_ms(14 * DAY_MS + 1);
        assert!(memory.has_room(later));
        let dropped = memory.insert(3, exchange(Standing::Approved), later, true);
        assert_eq!((dropped, memory.len()), (Some(2), 2));
        assert!(!memory.has_room(Mono(u64::MAX)), "open debits stay");
    }

    #[test]
    fn field_7_is_near_the_wall_or_refused() {
        // 2026-11-22 14:03:22 and 2027-01-02 00:00:00 in China.
        let (autumn, new_year) = (Wall(1_795_327_402_000), Wall(1_798_819_200_000));
        for (transmission, now, expected) in [
            (1_122_140_322, autumn, Ok(())),
            (1_115_140_322, autumn, Ok(())),
            (1_115_140_321, autumn, Err(ResponseCode::DUPLICATE)),
            (1_129_140_322, autumn, Ok(())),
            (1_129_140_323, autumn, Err(ResponseCode::DUPLICATE)),
            (1_231_235_959, new_year, Ok(())),
            (1_322_140_322, autumn, Err(ResponseCode::FORMAT_ERROR)),
            (122_140_322, autumn, Err(ResponseCode::DUPLICATE)),
            (1_122_240_322, autumn, Err(ResponseCode::FORMAT_ERROR)),
            (0, autumn, Err(ResponseCode::FORMAT_ERROR)),
        ] {
            assert_eq!(within_window(transmission, now), expected, "{transmission}");
        }
    }
}
