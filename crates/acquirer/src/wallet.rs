//! Wallet orders, one for each sale: polled, closed or revoked until the provider has said how they ended.
//!
//! Invariants: an order ends once, as success, closed or revoked, and only by the provider's word; nothing is revoked sooner
//! than [`Rules::revoke_after_ms`] after the order was made; money that nobody asked for any more goes back by itself.

mod order;

pub use order::{Change, Order, Progress, Refund, Stage};

use order::Draft;
use payment::relay::{BURST_MAX, Gaps};
use payment::{Amount, Decision, Mono, QrText};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Orders kept at once; beyond it new ones are declined, never an open one dropped.
pub const ORDERS_MAX: usize = 1_000_000;
/// Refunds of one order.
pub const REFUNDS_MAX: usize = 32;
/// The times of a wallet order, in milliseconds (product reference §0, finding 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Between two polls.
    pub poll_ms: u64,
    /// A presented code not paid after this long is given up.
    pub pay_within_ms: u64,
    /// A shown order not paid after this long is given up.
    pub scan_within_ms: u64,
    /// No order is revoked sooner after it was made.
    pub revoke_after_ms: u64,
    /// "No such order" is certain this long after the last request left: by then the provider refuses it as stale.
    pub absent_after_ms: u64,
    /// Spacing of repeated closes, revokes and refunds; the last gap repeats for ever.
    pub gaps: Gaps,
}

impl Rules {
    /// The published times. An empty spacing is one attempt a second.
    pub const DEFAULT: Self = Self {
        poll_ms: 3_000,
        pay_within_ms: 45_000,
        scan_within_ms: 120_000,
        revoke_after_ms: 15_000,
        absent_after_ms: 300_000,
        gaps: Gaps(Vec::new()),
    };
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            gaps: Gaps(vec![1_000, 2_000, 3_000, 5_000]),
            ..Self::DEFAULT
        }
    }
}

/// Who shows the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// The customer (被扫): the order is paid with the presented code, and undone by a revoke.
    Presented,
    /// The shop (主扫): the customer scans the order's QR code, and it is undone by a close.
    Shown,
}

/// How an order ended; it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Paid.
    Success,
    /// Not paid, and it never will be.
    Closed,
    /// Undone; what was paid was given back.
    Revoked,
}

/// The provider's number of a payment, the 付款凭证码 of tag A4 (UnionPay-style reference §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher(pub [u8; 20]);

/// Why a provider refuses a payment for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The code is unknown, used or too old.
    Code,
    /// Not enough money.
    Funds,
    /// Above a limit.
    Limit,
    /// The payer said no.
    Payer,
    /// Anything else.
    Other,
}

/// What an order asks of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Make the order and give its QR code.
    Order,
    /// Pay with the presented code.
    Pay,
    /// How does it stand?
    Poll,
    /// Never let it be paid.
    Close,
    /// Undo it, paid or not.
    Revoke,
    /// Give back a part or all.
    Refund {
        /// Numbers the refunds of one order from 1; a repetition has the same number.
        number: u8,
        /// How much.
        amount: Amount,
    },
}

/// A request to the provider. It may be repeated: the provider keys everything by order, and refunds by their number too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletRequest<K> {
    /// The order.
    pub key: K,
    /// The request's number within the order; the answer brings it back.
    pub ask: u32,
    /// The order's amount.
    pub amount: Amount,
    /// What is asked.
    pub what: Ask,
}

/// What a provider says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalletAnswer {
    /// The order is there; this is its QR code.
    Shown(QrText),
    /// The order is there, and nobody has begun to pay.
    Unpaid,
    /// The payer is being asked, for instance for a password.
    UserPaying,
    /// Paid.
    Paid {
        /// How much.
        amount: Amount,
        /// The provider's number.
        voucher: Voucher,
    },
    /// Not paid, and never will be.
    Closed,
    /// The payment was refused for good.
    Declined(Refusal),
    /// Undone; what was paid was given back.
    Revoked {
        /// Something had been paid, or the provider does not say.
        gave_back: bool,
    },
    /// The provider does not know the order.
    NoSuchOrder,
    /// This refund is done.
    Refunded {
        /// Its number.
        number: u8,
    },
    /// This refund is refused.
    RefundRefused {
        /// Its number.
        number: u8,
    },
}

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundCause {
    /// A refund that the shop asked for.
    Asked,
    /// The sale was withdrawn, or given up, and had been paid.
    Withdrawn,
    /// A payment was heard of after the order had ended without one.
    Late,
}

/// What changes the wallet orders; the acquirer carries it inside its own records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletRecord<K> {
    /// The order.
    pub key: K,
    /// What happened to it.
    pub change: Change,
}

/// What the party that embeds the orders must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletEffect<K> {
    /// Ask the provider.
    Ask(WalletRequest<K>),
    /// The order's QR code is there to be shown.
    Shown {
        /// The order.
        key: K,
        /// Its text.
        qr: QrText,
    },
    /// Nobody paid in time: it is closed or revoked from now on.
    GivenUp {
        /// The order.
        key: K,
    },
    /// It ended.
    Ended {
        /// The order.
        key: K,
        /// How.
        end: End,
        /// The provider gave back what had been paid.
        gave_back: bool,
        /// Why it was refused, where it was.
        refusal: Option<Refusal>,
    },
    /// A refund was done, or refused. What nobody asked for is tried again after a refusal: people must look.
    RefundEnded {
        /// The order.
        key: K,
        /// Its number.
        number: u8,
        /// Why the money goes back.
        cause: RefundCause,
        /// Done; else refused.
        done: bool,
    },
    /// An order that had ended without a payment was paid all the same; the money goes back by itself.
    PaidLate {
        /// The order.
        key: K,
    },
}

/// Why a refund cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRefundable {
    /// No such order, or it has not been paid.
    NotPaid,
    /// More than what is left of it.
    TooMuch,
    /// Too many refunds of one order.
    TooMany,
}

type Decided<K> = Decision<WalletRecord<K>, WalletEffect<K>>;

/// The orders, by the key of their sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>"))]
pub struct Wallets<K: Ord> {
    orders: BTreeMap<K, Order>,
    due: BTreeSet<(Mono, K)>,
}

impl<K: Ord> Default for Wallets<K> {
    fn default() -> Self {
        Self {
            orders: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Copy> Wallets<K> {
    /// Makes an order and asks the provider for it. An order that is there already stays as it is.
    pub fn create(&self, now: Mono, rules: &Rules, key: K, way: Way, amount: Amount) -> Decided<K> {
        if self.orders.contains_key(&key) {
            return Decision::nothing();
        }
        let within_ms = match way {
            Way::Presented => rules.pay_within_ms,
            Way::Shown => rules.scan_within_ms,
        };
        let give_up = now.plus_ms(within_ms);
        let mut draft = Draft::of(key, Order::new(way, amount, now, give_up));
        draft.change(Change::Created {
            way,
            amount,
            at: now,
            give_up,
        });
        draft.ask_due(now, rules);
        draft.decided
    }

    /// Takes what the provider says; `ask` is the number of the request it answers, none for a notice of its own accord.
    pub fn heard(
        &self,
        now: Mono,
        rules: &Rules,
        key: K,
        ask: Option<u32>,
        answer: &WalletAnswer,
    ) -> Decided<K> {
        self.with(key, |draft| draft.heard(now, rules, ask, answer))
    }

    /// The sale shall not be: the order is closed or revoked, and what was paid already is given back.
    pub fn withdraw(&self, now: Mono, rules: &Rules, key: K) -> Decided<K> {
        self.with(key, |draft| draft.withdraw(now, rules))
    }

    /// Gives back a part or all of a paid order.
    ///
    /// # Errors
    /// Why not.
    pub fn refund(
        &self,
        now: Mono,
        rules: &Rules,
        key: K,
        amount: Amount,
    ) -> Result<Decided<K>, NotRefundable> {
        self.may_refund(&key, amount)?;
        Ok(self.with(key, |draft| {
            draft.refund(now, rules, amount, RefundCause::Asked)
        }))
    }

    /// Whether so much may be given back.
    ///
    /// # Errors
    /// Why not.
    pub fn may_refund(&self, key: &K, amount: Amount) -> Result<(), NotRefundable> {
        let order = self.orders.get(key).ok_or(NotRefundable::NotPaid)?;
        let paid = order.stage() == Stage::Ended(End::Success) && !order.withdrawn();
        if !paid {
            return Err(NotRefundable::NotPaid);
        }
        if amount.currency != order.amount().currency
            || amount.minor == 0
            || amount.minor > order.refundable_minor()
        {
            return Err(NotRefundable::TooMuch);
        }
        if order.refunds().len() >= REFUNDS_MAX {
            return Err(NotRefundable::TooMany);
        }
        Ok(())
    }

    /// The number that the next refund of an order has.
    pub fn next_refund(&self, key: &K) -> u8 {
        self.orders
            .get(key)
            .map_or(0, |order| order.refunds().len()) as u8
            + 1
    }

    /// Asks again wherever a deadline has passed. What was on its way when the process ended is asked for again by this too.
    pub fn tick(&self, now: Mono, rules: &Rules) -> Decided<K> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        let mut decided = Decision::nothing();
        for (_, key) in due.take(BURST_MAX) {
            let one = self.with(*key, |draft| draft.ask_due(now, rules));
            decided.records.extend(one.records);
            decided.effects.extend(one.effects);
        }
        decided
    }

    /// Asks now for what would be asked later; nothing where the rules forbid it yet, or nothing is open.
    pub fn hurry(&self, now: Mono, rules: &Rules, key: K) -> Decided<K> {
        self.with(key, |draft| draft.hurry(now, rules))
    }

    /// Applies one record; the same live and in replay.
    pub fn apply(&mut self, record: &WalletRecord<K>) {
        let key = record.key;
        if let Some(at) = self.orders.get(&key).and_then(Order::due) {
            self.due.remove(&(at, key));
        }
        if let Change::Created {
            way,
            amount,
            at,
            give_up,
        } = record.change
        {
            let made = || Order::new(way, amount, at, give_up);
            self.orders.entry(key).or_insert_with(made);
        } else if let Some(order) = self.orders.get_mut(&key) {
            order.apply(&record.change);
        }
        if let Some(at) = self.orders.get(&key).and_then(Order::due) {
            self.due.insert((at, key));
        }
    }

    /// Drops an order that is over, when its sale is forgotten; true when it is gone.
    pub fn forget(&mut self, key: &K) -> bool {
        if self.orders.get(key).is_some_and(|order| !order.is_over()) {
            return false;
        }
        self.orders.remove(key);
        true
    }

    /// An order.
    pub fn order(&self, key: &K) -> Option<&Order> {
        self.orders.get(key)
    }

    /// Every order, in key order.
    pub fn orders(&self) -> impl Iterator<Item = (&K, &Order)> {
        self.orders.iter()
    }

    /// True when no further order may be made.
    pub fn is_full(&self) -> bool {
        self.orders.len() >= ORDERS_MAX
    }

    /// When something is next due.
    pub fn deadline(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    fn with(&self, key: K, decide: impl FnOnce(&mut Draft<K>)) -> Decided<K> {
        let Some(order) = self.orders.get(&key) else {
            return Decision::nothing();
        };
        let mut draft = Draft::of(key, order.clone());
        decide(&mut draft);
        draft.decided
    }
}
