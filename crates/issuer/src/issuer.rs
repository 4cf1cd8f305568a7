//! The bank as a machine: one line for each input, one for each record, and views for those who ask.
//!
//! Invariant: the state is nothing but its records applied in order; the configuration and what is derived from it are
//! never part of it.

use crate::accounts::{ENTRIES_MAX, SUSPENSE, entry_id, pack};
use crate::config::{CardSetup, Config};
use crate::link::Link;
use crate::memory::{EXCHANGES_MAX, Exchange, Memory, Standing};
use crate::planted::Bug;
use crate::record::{Answered, Effect, Input, Record, Returned, Tries};
use crate::related::Related;
use crypto::PanToken;
use ledger::{AccountId, AuditError, Ledger, TransferState};
use payment::host::{Answer, Request};
use payment::{Decision, HostKey, Kind, Machine, Mono, Now, Posting, ResponseCode, Wall};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The bank.
#[derive(Debug)]
pub struct Issuer {
    pub(crate) config: Config,
    pub(crate) cards: BTreeMap<PanToken, CardSetup>,
    /// Configured cards that no record has opened yet.
    pub(crate) unopened: BTreeSet<PanToken>,
    exchanges_max: usize,
    pub(crate) state: State,
    #[cfg_attr(not(feature = "planted"), allow(dead_code))]
    pub(crate) bug: Option<Bug>,
}

/// Everything that records build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub(crate) ledger: Ledger,
    pub(crate) cards: BTreeMap<PanToken, CardState>,
    pub(crate) memory: Memory,
    pub(crate) related: Related,
    pub(crate) link: Link,
    /// Approval codes given; the next code is made from it.
    pub(crate) approvals: u64,
    pub(crate) counters: Counters,
}

/// What changes about a card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardState {
    /// Wrong PINs in a row; at the configured maximum the card takes no PIN any more.
    pub wrong_pins: u8,
    /// The day the totals are of, in days since the epoch in China.
    pub day: u16,
    /// Purchases of that day that stand, in minor units.
    pub day_minor: u64,
    /// How many they are.
    pub day_count: u32,
    /// Transaction counter of the chip's last right cryptogram; it only grows.
    pub chip_counter: u16,
    /// Scripts that its chip has done.
    pub scripts_done: u16,
    /// Scripts that its chip has not.
    pub scripts_failed: u16,
}

impl CardState {
    /// Total and count of purchases on `day`. A wall reading that went back counts to the later day.
    pub(crate) fn totals_of(&self, day: u16) -> (u64, u32) {
        if day > self.day {
            (0, 0)
        } else {
            (self.day_minor, self.day_count)
        }
    }

    fn spend(&mut self, day: u16, minor: u64) {
        let (total, count) = self.totals_of(day);
        self.day = self.day.max(day);
        self.day_minor = total.saturating_add(minor);
        self.day_count = count.saturating_add(1);
    }

    fn give_back(&mut self, day: u16, minor: u64) {
        if day >= self.day {
            self.day_minor = self.day_minor.saturating_sub(minor);
            self.day_count = self.day_count.saturating_sub(1);
        }
    }

    fn scripts_ended(&mut self, done: Option<bool>) {
        let count = match done {
            None => return,
            Some(true) => &mut self.scripts_done,
            Some(false) => &mut self.scripts_failed,
        };
        *count = count.saturating_add(1);
    }

    fn try_pin(&mut self, tries: Tries) {
        match tries {
            Tries::Unchanged => {}
            Tries::Wrong => self.wrong_pins = self.wrong_pins.saturating_add(1),
            Tries::Right => self.wrong_pins = 0,
        }
    }
}

/// What was decided so far. Repeats that got their first answer again are not decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Purchases and inquiries approved.
    pub approved: u64,
    /// Refused.
    pub declined: u64,
    /// Of those, refused unexecuted because they had waited too long (A5).
    pub late: u64,
    /// Approved, then reversed.
    pub reversed: u64,
    /// Reversals of an original never seen.
    pub barred: u64,
    /// Originals that came after their reversal and were refused (M5).
    pub came_after_reversal: u64,
}

/// Part of the suspense account that is of one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuspenseAge {
    /// Whole days since the debit.
    pub days: u16,
    /// Items.
    pub count: u64,
    /// Their sum, in minor units.
    pub minor: u64,
}

impl Issuer {
    /// A bank without history. Of two cards with one token the later counts.
    pub fn new(mut config: Config) -> Self {
        let cards: BTreeMap<_, _> = std::mem::take(&mut config.cards)
            .into_iter()
            .map(|card| (card.token, card))
            .collect();
        Self {
            unopened: cards.keys().copied().collect(),
            config,
            cards,
            exchanges_max: EXCHANGES_MAX,
            state: State::default(),
            bug: None,
        }
    }

    /// Remembers at most `max` exchanges instead of [`EXCHANGES_MAX`].
    #[must_use]
    pub fn with_exchanges_max(mut self, max: usize) -> Self {
        self.exchanges_max = max;
        self.state.memory.limit(max);
        self
    }

    /// Replaces the state; what is derived from it follows.
    pub(crate) fn take_over(&mut self, mut state: State) {
        let missing = |token: &&PanToken| !state.cards.contains_key(*token);
        self.unopened = self.cards.keys().filter(missing).copied().collect();
        state.memory.limit(self.exchanges_max);
        self.state = state;
    }

    /// What is available to a card, in minor units; `None` for one that was never opened.
    pub fn balance(&self, token: &PanToken) -> Option<i64> {
        let account = self.cards.get(token)?.account;
        self.state.ledger.available(AccountId(account))
    }

    /// What stands in suspense (挂账), held or posted, in minor units.
    pub fn suspense(&self) -> i64 {
        self.state.ledger.balance(SUSPENSE).map_or(0, |b| {
            (b.credits_posted + b.credits_pending) as i64
                - (b.debits_posted + b.debits_pending) as i64
        })
    }

    /// The suspense account by age (product.md A13): the parts add up to [`Self::suspense`]. Takes time in proportion to
    /// all that is remembered.
    pub fn suspense_by_age(&self, now: Wall) -> Vec<SuspenseAge> {
        let mut ages: BTreeMap<u16, SuspenseAge> = BTreeMap::new();
        let open = self.exchanges().filter(|(_, exchange)| {
            exchange.standing == Standing::Approved && exchange.kind.row().posting == Posting::Debit
        });
        for (_, exchange) in open {
            let days = now.day().saturating_sub(exchange.at.day());
            let age = ages.entry(days).or_insert(SuspenseAge {
                days,
                count: 0,
                minor: 0,
            });
            age.count += 1;
            age.minor += exchange.amount.minor;
        }
        ages.into_values().collect()
    }

    /// What is remembered of a request.
    pub fn exchange(&self, key: &HostKey) -> Option<&Exchange> {
        self.state.memory.get(key)
    }

    /// Everything that is remembered, in the order of the keys.
    pub fn exchanges(&self) -> impl Iterator<Item = (HostKey, &Exchange)> {
        self.state.memory.iter()
    }

    /// Where the debit or hold of a request stands in the books.
    pub fn booking(&self, key: &HostKey) -> Option<TransferState> {
        self.state.ledger.state(entry_id(pack(key)?, 0))
    }

    /// What changes about a card.
    pub fn card(&self, token: &PanToken) -> Option<&CardState> {
        self.state.cards.get(token)
    }

    /// The link to the network.
    pub fn link(&self) -> &Link {
        &self.state.link
    }

    /// What was decided so far.
    pub fn counters(&self) -> Counters {
        self.state.counters
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// Proves the books (M2).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn audit(&self) -> Result<(), AuditError> {
        self.state.ledger.audit()
    }

    pub(crate) fn allows_fallback(&self) -> bool {
        self.config.chip.is_some_and(|keys| keys.fallback)
    }

    /// An answer that needs no record.
    pub(crate) fn answer(&self, request: &Request, code: ResponseCode) -> Effect {
        Effect::Answer(Answer {
            receiver: Some(self.config.institution),
            ..Answer::to(request, code)
        })
    }

    fn apply_answered(&mut self, record: &Answered) {
        let counts = self.counts(record.sale.kind);
        let state = &mut self.state;
        let (sale, counters) = (&record.sale, &mut state.counters);
        for entry in &record.entries {
            state.ledger.apply(entry);
        }
        if let Some(card) = state.cards.get_mut(&sale.card.token) {
            card.try_pin(record.tries);
            card.chip_counter = card.chip_counter.max(record.chip_counter.unwrap_or(0));
            card.scripts_ended(record.scripts_done);
            if record.approval.is_some() && counts {
                card.spend(record.at.wall.day(), sale.amount.minor);
            }
        }
        state.approvals += u64::from(record.approval.is_some());
        if record.code.is_success() {
            counters.approved += 1;
        } else {
            counters.declined += 1;
        }
        counters.late += u64::from(record.code == ResponseCode::LATE_ANSWER);
        let known = state.memory.get(&sale.key).map(|known| known.standing);
        counters.came_after_reversal += u64::from(matches!(known, Some(Standing::Barred { .. })));
        if let Some(packed) = pack(&sale.key) {
            if record.code.is_success() {
                state.related.answered(packed, record);
            }
            let dropped = state.memory.answered(packed, record);
            self.forget(dropped);
        }
    }

    fn apply_returned(&mut self, record: &Returned) {
        let counts = self.counts(record.reversal.sale.kind);
        let state = &mut self.state;
        let original = &record.reversal.original;
        for entry in &record.entries {
            state.ledger.apply(entry);
        }
        if record.effective {
            state.counters.reversed += 1;
            let token = record.reversal.sale.card.token;
            if let (Some(card), Some(first)) =
                (state.cards.get_mut(&token), state.memory.get(original))
                && counts
            {
                card.give_back(first.at.day(), first.amount.minor);
            }
            let kind = record.reversal.sale.kind;
            if let Some(packed) = pack(original) {
                state.related.returned(packed, kind, &record.entries);
            }
        }
        state.counters.barred += u64::from(record.barred);
        if let Some(packed) = pack(original) {
            let dropped = state.memory.returned(packed, record);
            self.forget(dropped);
        }
    }

    /// Books and memory forget together.
    fn forget(&mut self, packed: Option<u128>) {
        if let Some(packed) = packed {
            for n in 0..3 * ENTRIES_MAX {
                self.state.ledger.forget(entry_id(packed, n));
            }
            self.state.related.forget(packed);
        }
    }

    /// Whether approvals of a kind count against the limits of a card's day.
    pub(crate) fn counts(&self, kind: Kind) -> bool {
        let row = kind.row();
        let spends = matches!(
            row.posting,
            Posting::Debit | Posting::Hold | Posting::Move | Posting::MoveOut
        );
        spends && !row.is_advice()
    }
}

impl Machine for Issuer {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decision<Record, Effect> {
        match input {
            Input::Tick => self.decide_tick(now),
            Input::Resumed => self.decide_resumed(now),
            Input::Link { member, up } => self.decide_link(now, member, up),
            Input::Financial {
                sale,
                pin,
                chip,
                heard,
            } => self.decide_financial(now, sale, (pin, chip), heard),
            Input::Reversal(reversal) => self.decide_reversal(now, reversal),
            Input::Echo(request) => self.decide_echo(request),
            Input::KeyReset { request, keys } => self.decide_key_reset(now, request, keys),
            Input::SignOnAnswer { key, keys } => self.decide_sign_on_answer(now, key, keys),
        }
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::Opened { cards, entries } => self.apply_opened(cards, entries),
            Record::Answered(answered) => self.apply_answered(answered),
            Record::Returned(returned) => self.apply_returned(returned),
            Record::SignOnSent { key, next } => self.state.link.sign_on_sent(*key, *next),
            Record::KeysTaken {
                keys,
                previous_until,
                signed_on,
            } => self
                .state
                .link
                .keys_taken(*keys, *previous_until, *signed_on),
            Record::LinkDown => self.state.link.went_down(),
            Record::Expired { key, entries } => self.apply_expired(key, entries),
        }
    }

    /// The next sign-on; at once while cards of the configuration are not in the books.
    fn deadline(&self) -> Option<Mono> {
        if !self.unopened.is_empty() {
            return Some(Mono(0));
        }
        [self.state.link.deadline(), self.next_expiry()]
            .into_iter()
            .flatten()
            .min()
    }
}
