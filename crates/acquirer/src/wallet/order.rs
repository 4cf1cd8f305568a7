//! One wallet order: what is known of it, and what it does next.
//!
//! Only [`Order::apply`] changes it. A payment heard of after the end counts only when a question asked after the end confirms it.

use super::{
    Ask, End, RefundCause, Refusal, Rules, Voucher, WalletAnswer, WalletEffect, WalletRecord,
    WalletRequest, Way,
};
use payment::{Amount, Decision, Mono, QrText};
use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Asked for; the provider has said nothing of it yet.
    Created,
    /// Its QR code is known, and nobody is known to pay.
    Shown,
    /// The payer is being asked.
    Paying,
    /// It is being closed or revoked.
    Ending,
    /// Over.
    Ended(End),
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Asked for, without end.
    Open,
    /// Refused once; attempts go on, and people must look.
    Resisted,
    /// Done.
    Done,
    /// Refused, and nothing more is tried.
    Refused,
}

/// A refund; its number is its place, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// How much.
    pub amount: Amount,
    /// Why.
    pub cause: RefundCause,
    /// How far.
    pub progress: Progress,
    /// Attempts made.
    pub attempts: u32,
    next: Mono,
}

impl Refund {
    const fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open | Progress::Resisted)
    }
}

/// A durable fact of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It was made.
    Created {
        /// Who shows the code.
        way: Way,
        /// How much.
        amount: Amount,
        /// When.
        at: Mono,
        /// When it is given up unless it is paid.
        give_up: Mono,
    },
    /// A request left.
    Asked {
        /// What for.
        what: Ask,
        /// When.
        at: Mono,
        /// When it is asked again.
        next: Mono,
    },
    /// The provider gave its QR code.
    Shown {
        /// Its text.
        qr: QrText,
    },
    /// The payer is being asked.
    Paying,
    /// The provider does not know it yet: what asked for it is sent again.
    Absent,
    /// By now the provider would refuse what asked for it as stale: from here on "no such order" is certain.
    Certain,
    /// It is closed or revoked from now on: nobody wants it any more.
    Ending {
        /// First attempt, no sooner than the rules allow.
        first: Mono,
    },
    /// It ended.
    Ended {
        /// How.
        end: End,
        /// What was paid, and the provider's number of it.
        paid: Option<(Amount, Voucher)>,
        /// Why it was refused, where it was.
        refusal: Option<Refusal>,
    },
    /// The sale was withdrawn after its end.
    Withdrawn,
    /// A payment is heard of after the end: the provider is asked once more.
    Doubted {
        /// When.
        at: Mono,
    },
    /// What the provider says now agrees with the end.
    Settled,
    /// It was paid after its end.
    PaidLate {
        /// How much.
        amount: Amount,
        /// The provider's number.
        voucher: Voucher,
    },
    /// Money goes back.
    Refunding {
        /// How much.
        amount: Amount,
        /// Why.
        cause: RefundCause,
        /// When.
        at: Mono,
    },
    /// The provider's word on a refund.
    RefundAnswered {
        /// Its number.
        number: u8,
        /// How far it is now.
        progress: Progress,
    },
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    way: Way,
    amount: Amount,
    created: Mono,
    give_up: Mono,
    stage: Stage,
    qr: Option<QrText>,
    absent: bool,
    paid: Option<(Amount, Voucher)>,
    refusal: Option<Refusal>,
    withdrawn: bool,
    refunds: Vec<Refund>,
    /// Requests sent.
    asks: u32,
    /// As many of them as left before it was certain, or in doubt: an answer to one of those may be older than that.
    asks_before: u32,
    certain: bool,
    attempts: u32,
    last_made: Mono,
    next: Option<Mono>,
}

impl Order {
    pub(super) const fn new(way: Way, amount: Amount, created: Mono, give_up: Mono) -> Self {
        Self {
            way,
            amount,
            created,
            give_up,
            stage: Stage::Created,
            qr: None,
            absent: true,
            paid: None,
            refusal: None,
            withdrawn: false,
            refunds: Vec::new(),
            asks: 0,
            asks_before: 0,
            certain: false,
            attempts: 0,
            last_made: created,
            next: Some(created),
        }
    }

    /// Who shows the code.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// How much was asked.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// When it was made.
    pub const fn created(&self) -> Mono {
        self.created
    }

    /// Where it stands.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The text of its QR code, once known.
    pub const fn qr(&self) -> Option<QrText> {
        self.qr
    }

    /// What was paid, and the provider's number of it.
    pub const fn paid(&self) -> Option<(Amount, Voucher)> {
        self.paid
    }

    /// Why it was refused, where it was.
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Nobody wants it any more, whatever its end.
    pub const fn withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// Its refunds; the first has number 1.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    /// What is left with the shop: paid less what was given back.
    pub fn net_minor(&self) -> u64 {
        self.paid_minor()
            .saturating_sub(self.refunds_minor(|refund| refund.progress == Progress::Done))
    }

    /// What may still be refunded: less than [`Order::net_minor`] while refunds are on their way.
    pub fn refundable_minor(&self) -> u64 {
        self.paid_minor()
            .saturating_sub(self.refunds_minor(|refund| refund.progress != Progress::Refused))
    }

    /// Nothing more happens to it by itself.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended(_)) && self.due().is_none()
    }

    /// When it wants to ask again.
    pub fn due(&self) -> Option<Mono> {
        let refunds = self.refunds.iter().filter(|refund| refund.is_open());
        refunds.map(|refund| refund.next).chain(self.next).min()
    }

    fn paid_minor(&self) -> u64 {
        self.paid.map_or(0, |(amount, _)| amount.minor)
    }

    fn refunds_minor(&self, which: impl Fn(&Refund) -> bool) -> u64 {
        let chosen = self.refunds.iter().filter(|refund| which(refund));
        chosen.map(|refund| refund.amount.minor).sum()
    }

    fn doubted(&self) -> bool {
        matches!(self.stage, Stage::Ended(_)) && self.next.is_some()
    }

    /// Changes the order by one fact.
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Created { .. } => {}
            Change::Asked { what, at, next } => self.asked(*what, *at, *next),
            Change::Shown { qr } => {
                self.stage = Stage::Shown;
                self.qr = Some(*qr);
            }
            Change::Paying => self.stage = Stage::Paying,
            Change::Absent => self.absent = true,
            Change::Certain => {
                self.certain = true;
                self.asks_before = self.asks;
            }
            Change::Ending { first } => {
                self.stage = Stage::Ending;
                self.withdrawn = true;
                self.attempts = 0;
                self.next = Some(*first);
            }
            Change::Ended { end, paid, refusal } => {
                self.stage = Stage::Ended(*end);
                self.paid = *paid;
                self.refusal = *refusal;
                self.next = None;
            }
            Change::Withdrawn => self.withdrawn = true,
            Change::Doubted { at } => {
                self.asks_before = self.asks;
                self.attempts = 0;
                self.next = Some(*at);
            }
            Change::Settled => self.next = None,
            Change::PaidLate { amount, voucher } => {
                self.paid = Some((*amount, *voucher));
                self.next = None;
            }
            Change::Refunding { amount, cause, at } => self.refunds.push(Refund {
                amount: *amount,
                cause: *cause,
                progress: Progress::Open,
                attempts: 0,
                next: *at,
            }),
            Change::RefundAnswered { number, progress } => {
                if let Some(refund) = refund_mut(&mut self.refunds, *number) {
                    refund.progress = *progress;
                }
            }
        }
    }

    fn asked(&mut self, what: Ask, at: Mono, next: Mono) {
        self.asks = self.asks.saturating_add(1);
        if let Ask::Refund { number, .. } = what {
            if let Some(refund) = refund_mut(&mut self.refunds, number) {
                refund.attempts = refund.attempts.saturating_add(1);
                refund.next = next;
            }
            return;
        }
        if matches!(what, Ask::Order | Ask::Pay) {
            self.absent = false;
            self.last_made = at;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.next = Some(next);
    }
}

fn refund_mut(refunds: &mut [Refund], number: u8) -> Option<&mut Refund> {
    refunds.get_mut(usize::from(number).checked_sub(1)?)
}

/// A decision about one order: what was decided so far is already applied to a copy of it.
pub(super) struct Draft<K> {
    key: K,
    order: Order,
    pub(super) decided: Decision<WalletRecord<K>, WalletEffect<K>>,
}

impl<K: Copy> Draft<K> {
    pub(super) fn of(key: K, order: Order) -> Self {
        Self {
            key,
            order,
            decided: Decision::nothing(),
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        self.order.apply(&change);
        let key = self.key;
        self.decided.record(WalletRecord { key, change });
    }

    /// Asks whatever is due.
    pub(super) fn ask_due(&mut self, now: Mono, rules: &Rules) {
        for number in 1..=self.order.refunds.len() as u8 {
            let refund = self.order.refunds[usize::from(number) - 1];
            if refund.is_open() && refund.next <= now {
                let next = now.plus_ms(rules.gaps.after(refund.attempts + 1));
                let amount = refund.amount;
                self.ask(now, Ask::Refund { number, amount }, next);
            }
        }
        if self.order.next.is_none_or(|next| next > now) {
            return;
        }
        let live = !matches!(self.order.stage, Stage::Ending | Stage::Ended(_));
        if live && self.order.give_up <= now && self.order.asks > 0 {
            self.decided.effect(WalletEffect::GivenUp { key: self.key });
            return self.end(now, rules);
        }
        let certain = self.order.last_made.plus_ms(rules.absent_after_ms) <= now;
        if self.order.stage == Stage::Ending && certain && !self.order.certain {
            self.change(Change::Certain);
        }
        let next = match live {
            true => now.plus_ms(rules.poll_ms).min(self.order.give_up),
            false => now.plus_ms(rules.gaps.after(self.order.attempts + 1)),
        };
        self.ask(now, self.next_ask(), next);
    }

    /// What is open is due now; a revoke no sooner than the rules allow. Only what is asked by it becomes a fact.
    pub(super) fn hurry(&mut self, now: Mono, rules: &Rules) {
        for refund in self.order.refunds.iter_mut().filter(|one| one.is_open()) {
            refund.next = refund.next.min(now);
        }
        let soonest = match (self.order.stage, self.order.way) {
            (Stage::Ending, Way::Presented) => self.order.created.plus_ms(rules.revoke_after_ms),
            _ => now,
        };
        if soonest <= now {
            self.order.next = self.order.next.map(|next| next.min(now));
        }
        self.ask_due(now, rules);
    }

    fn next_ask(&self) -> Ask {
        match (self.order.stage, self.order.way) {
            (Stage::Created, Way::Shown) => Ask::Order,
            (Stage::Created, Way::Presented) if self.order.absent => Ask::Pay,
            (Stage::Ending, Way::Shown) => Ask::Close,
            (Stage::Ending, Way::Presented) => Ask::Revoke,
            _ => Ask::Poll,
        }
    }

    fn ask(&mut self, now: Mono, what: Ask, next: Mono) {
        self.change(Change::Asked {
            what,
            at: now,
            next,
        });
        self.decided.effect(WalletEffect::Ask(WalletRequest {
            key: self.key,
            ask: self.order.asks,
            amount: self.order.amount,
            what,
        }));
    }

    /// Nobody wants it any more, and nobody knows how it stands: it is closed, or revoked when the rules allow.
    fn end(&mut self, now: Mono, rules: &Rules) {
        let first = match self.order.way {
            Way::Shown => now,
            Way::Presented => now.max(self.order.created.plus_ms(rules.revoke_after_ms)),
        };
        self.change(Change::Ending { first });
        self.ask_due(now, rules);
    }

    pub(super) fn withdraw(&mut self, now: Mono, rules: &Rules) {
        match self.order.stage {
            Stage::Created | Stage::Shown | Stage::Paying => self.end(now, rules),
            Stage::Ended(End::Success) if !self.order.withdrawn => {
                self.change(Change::Withdrawn);
                self.give_back(now, rules, RefundCause::Withdrawn);
            }
            Stage::Ending | Stage::Ended(_) => {}
        }
    }

    /// Refunds all that is left.
    fn give_back(&mut self, now: Mono, rules: &Rules, cause: RefundCause) {
        let amount = Amount {
            minor: self.order.refundable_minor(),
            ..self.order.amount
        };
        if amount.minor > 0 {
            self.refund(now, rules, amount, cause);
        }
    }

    pub(super) fn refund(&mut self, now: Mono, rules: &Rules, amount: Amount, cause: RefundCause) {
        self.change(Change::Refunding {
            amount,
            cause,
            at: now,
        });
        self.ask_due(now, rules);
    }

    pub(super) fn heard(
        &mut self,
        now: Mono,
        rules: &Rules,
        ask: Option<u32>,
        answer: &WalletAnswer,
    ) {
        match *answer {
            WalletAnswer::Refunded { number } => self.refund_answered(number, true),
            WalletAnswer::RefundRefused { number } => self.refund_answered(number, false),
            _ if matches!(self.order.stage, Stage::Ended(_)) => {
                self.heard_after_end(now, rules, ask, answer);
            }
            WalletAnswer::Shown(qr) => {
                if self.order.stage == Stage::Created && self.order.way == Way::Shown {
                    self.change(Change::Shown { qr });
                    let key = self.key;
                    self.decided.effect(WalletEffect::Shown { key, qr });
                }
            }
            WalletAnswer::Unpaid => {}
            WalletAnswer::UserPaying => {
                if matches!(self.order.stage, Stage::Created | Stage::Shown) {
                    self.change(Change::Paying);
                }
            }
            WalletAnswer::Paid { amount, voucher } => self.paid(now, rules, amount, voucher),
            WalletAnswer::Closed => self.ended(End::Closed, None, None, false),
            WalletAnswer::Declined(why) => self.ended(End::Closed, None, Some(why), false),
            WalletAnswer::Revoked { gave_back } => {
                self.ended(End::Revoked, None, None, gave_back);
            }
            WalletAnswer::NoSuchOrder => self.absent(ask),
        }
    }

    fn paid(&mut self, now: Mono, rules: &Rules, amount: Amount, voucher: Voucher) {
        match (self.order.stage, self.order.way) {
            // What is being revoked is given back by the revoke itself.
            (Stage::Ending, Way::Presented) => {}
            (Stage::Ending, Way::Shown) => {
                self.ended(End::Success, Some((amount, voucher)), None, false);
                self.give_back(now, rules, RefundCause::Withdrawn);
            }
            // Another amount than the one asked for is no answer: the order is given up in its time.
            _ if amount != self.order.amount => {}
            _ => self.ended(End::Success, Some((amount, voucher)), None, false),
        }
    }

    fn ended(
        &mut self,
        end: End,
        paid: Option<(Amount, Voucher)>,
        refusal: Option<Refusal>,
        gave_back: bool,
    ) {
        self.change(Change::Ended { end, paid, refusal });
        self.decided.effect(WalletEffect::Ended {
            key: self.key,
            end,
            gave_back,
            refusal,
        });
    }

    /// While it is wanted it is asked for again; later it is over, once nothing that asked for it can still arrive.
    fn absent(&mut self, ask: Option<u32>) {
        let certain = self.order.certain && self.is_later(ask);
        match self.order.stage {
            Stage::Created if !self.order.absent => self.change(Change::Absent),
            Stage::Ending if certain => self.ended(End::Closed, None, None, false),
            _ => {}
        }
    }

    fn is_later(&self, ask: Option<u32>) -> bool {
        ask.is_some_and(|ask| ask > self.order.asks_before)
    }

    /// An answer that was on its way at the end may be older than it, so only one to a later question counts.
    fn heard_after_end(
        &mut self,
        now: Mono,
        rules: &Rules,
        ask: Option<u32>,
        answer: &WalletAnswer,
    ) {
        let fresh = self.order.doubted() && self.is_later(ask);
        match *answer {
            // Success, or a late payment that is known.
            _ if self.order.paid.is_some() => {}
            WalletAnswer::Paid { amount, voucher } if fresh => {
                self.change(Change::PaidLate { amount, voucher });
                self.decided
                    .effect(WalletEffect::PaidLate { key: self.key });
                self.give_back(now, rules, RefundCause::Late);
            }
            WalletAnswer::Paid { .. } if !self.order.doubted() => {
                self.change(Change::Doubted { at: now });
                self.ask_due(now, rules);
            }
            _ if fresh => self.change(Change::Settled),
            _ => {}
        }
    }

    fn refund_answered(&mut self, number: u8, done: bool) {
        let Some(refund) = refund_mut(&mut self.order.refunds, number).copied() else {
            return;
        };
        let progress = match (done, refund.cause, self.order.withdrawn) {
            (true, ..) => Progress::Done,
            (false, RefundCause::Asked, false) => Progress::Refused,
            (false, ..) => Progress::Resisted,
        };
        // A late copy of the request may be honoured after the refusal: the money is gone, and that is said.
        let open = refund.is_open() || (done && refund.progress == Progress::Refused);
        if !open || refund.progress == progress {
            return;
        }
        self.change(Change::RefundAnswered { number, progress });
        self.decided.effect(WalletEffect::RefundEnded {
            key: self.key,
            number,
            cause: refund.cause,
            done,
        });
    }
}
