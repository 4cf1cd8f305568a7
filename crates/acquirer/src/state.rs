//! The acquirer's state: a fold of its records and nothing else.

use crate::batch::BreakItem;
use crate::books::{Books, NETWORK_RECEIVABLE, WALLET_RECEIVABLE};
use crate::limits::TOMBSTONES_MAX;
use crate::record::Record;
use crate::sale::{Claim, FirstAnswer, Reply, SaleRecord, SaleReversal};
use crate::scan::is_scanned;
use crate::session::Session;
use crate::wallet::{Change, WalletRecord, Wallets};
use crypto::{PanToken, WrappedKey};
use payment::certificate::ChainHead;
use payment::evidence::{Confirmation, Delivery, Evidence, Reversal, ReversalProgress, Upstream};
use payment::relay::{Relay, RelayRecord};
use payment::terminal::Sale;
use payment::{
    Claims, Declarations, HostKey, Mono, Now, ResponseCode, Rrn, SaleKey, TerminalId, Wall,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Keys shared with the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkKeys {
    /// PIN key.
    pub pin: WrappedKey,
    /// MAC key.
    pub mac: WrappedKey,
    /// The MAC key before, for answers that were already on their way.
    pub mac_before: Option<WrappedKey>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests forwarded.
    pub forwarded: u64,
    /// Approvals in time.
    pub approved: u64,
    /// Refused or declined.
    pub declined: u64,
    /// Reversals started.
    pub reversing: u64,
    /// Reversals confirmed by the issuer.
    pub reversed: u64,
    /// Late approvals dropped.
    pub late: u64,
    /// Repeats answered from memory.
    pub repeated: u64,
    /// One-sided items and refused reversals opened.
    pub cases: u32,
}

/// Everything the acquirer knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) sessions: BTreeMap<TerminalId, Session>,
    pub(crate) sales: BTreeMap<SaleKey, SaleRecord>,
    pub(crate) by_host: BTreeMap<HostKey, SaleKey>,
    pub(crate) by_rrn: BTreeMap<Rrn, SaleKey>,
    /// Charges of each card that may be unresolved, oldest first.
    pub(crate) charges: BTreeMap<PanToken, Vec<SaleKey>>,
    pub(crate) order: VecDeque<SaleKey>,
    pub(crate) tombstones: BTreeSet<SaleKey>,
    pub(crate) tombstone_order: VecDeque<SaleKey>,
    pub(crate) relay: Relay<HostKey>,
    pub(crate) wallets: Wallets<SaleKey>,
    /// The refunds of orders, by order and number.
    pub(crate) wallet_refunds: BTreeMap<(SaleKey, u8), SaleKey>,
    pub(crate) waiting: BTreeSet<(Mono, SaleKey)>,
    pub(crate) confirming: BTreeSet<(Mono, SaleKey)>,
    pub(crate) network: Option<NetworkKeys>,
    pub(crate) network_asked: Option<HostKey>,
    pub(crate) network_retry: Option<Mono>,
    pub(crate) next_host_stan: u32,
    pub(crate) last_rrn: u64,
    pub(crate) next_batch: u32,
    pub(crate) books: Books,
    pub(crate) counters: Counters,
    pub(crate) chain: ChainHead,
    pub(crate) breaks: BTreeMap<u32, BreakItem>,
    /// Sales of which their till must be told that they were taken back, and for what.
    pub(crate) notices: BTreeMap<SaleKey, SaleKey>,
    /// No fact, and in no snapshot: the sales that people must look at, by when they came.
    #[serde(skip)]
    pub(crate) cases: BTreeSet<(Mono, SaleKey)>,
    /// No fact, and in no snapshot: how much is remembered.
    #[serde(skip)]
    pub(crate) sales_max: Option<usize>,
}

impl State {
    pub(crate) fn deadline(&self) -> Option<Mono> {
        let first = |set: &BTreeSet<(Mono, SaleKey)>| set.first().map(|(at, _)| *at);
        [
            self.relay.deadline(),
            self.wallets.deadline(),
            first(&self.waiting),
            first(&self.confirming),
            self.network_retry,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Applies one record; the same live and in replay.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::SignedOn {
                terminal,
                stan,
                batch,
                keys,
                field62,
            } => self.signed_on_by(terminal, *stan, *batch, (keys, field62)),
            Record::SignedOff { terminal } => {
                if let Some(session) = self.sessions.get_mut(terminal) {
                    session.keys = None;
                }
            }
            Record::Forwarded {
                sale,
                rrn,
                host,
                at,
                reply,
                deadline,
                original,
                moved_minor,
            } => {
                let kept = SaleRecord {
                    original: *original,
                    moved_minor: *moved_minor,
                    ..keep(sale, *rrn, *at, *reply, Upstream::Waiting)
                };
                self.forwarded(kept, *host, *deadline);
            }
            Record::Refused {
                sale,
                rrn,
                code,
                at,
                reply,
            } => {
                let mut kept = keep(sale, *rrn, *at, *reply, Upstream::NotSent(*code));
                kept.answer = Some(FirstAnswer::refusal(*code, *at));
                kept.evidence.delivery = Delivery::Sent;
                self.counters.declined += 1;
                self.count_rrn();
                self.insert(kept);
            }
            Record::Repeated { key, reply } => self.with(key, |sale, _| {
                sale.reply = *reply;
                sale.evidence.duplicates = sale.evidence.duplicates.saturating_add(1);
                if sale.evidence.delivery == Delivery::HungUp {
                    sale.evidence.delivery = Delivery::Sent;
                }
            }),
            Record::Answered {
                key,
                answer,
                confirm_by,
            } => self.answered(key, answer, *confirm_by),
            Record::NotSent { key, answer } => {
                self.close_forward(key);
                self.counters.declined += 1;
                self.give_back_claim(key);
                self.with(key, |sale, _| {
                    sale.answer = Some(*answer);
                    sale.evidence.upstream = Upstream::NotSent(answer.code);
                    sale.evidence.due = None;
                    sale.evidence.delivery = Delivery::Sent;
                });
                self.settle_notice(key);
            }
            Record::Reversing {
                key,
                cause,
                upstream,
                advice,
                reason,
                at,
            } => {
                let reversal = Reversal {
                    cause: *cause,
                    progress: ReversalProgress::Open,
                    attempts: 0,
                };
                self.reversing(
                    key,
                    reversal,
                    *upstream,
                    SaleReversal {
                        advice: *advice,
                        reason: *reason,
                        waiter: None,
                    },
                    *at,
                );
            }
            Record::Waiting { key, waiter } => self.wait(key, *waiter),
            Record::LateApproval { key } => {
                self.counters.late += 1;
                self.with(key, |sale, _| sale.evidence.late_approval = true);
            }
            Record::Relay(record) => self.relay_record(record),
            Record::ReversalAnswered { key, code, case } => {
                self.reversal_answered(key, *code, *case)
            }
            Record::Tombstone { key } => self.bury(key),
            Record::Delivered { key, delivery } => {
                self.with(key, |sale, _| sale.evidence.delivery = *delivery);
            }
            Record::Confirmed { key, confirmation } => self.confirmed(key, *confirmation),
            Record::OneSided { key, case, at } => self.one_sided_item(key, *case, *at),
            Record::NetworkAsked { key, retry_at } => {
                self.next_host_stan = key.stan.0;
                self.network_asked = Some(*key);
                self.network_retry = Some(*retry_at);
            }
            Record::NetworkKeys { pin, mac, answers } => {
                let mac_before = self.network.as_ref().map(|keys| keys.mac);
                self.network = Some(NetworkKeys {
                    pin: *pin,
                    mac: *mac,
                    mac_before,
                });
                if *answers {
                    self.network_asked = None;
                    self.network_retry = None;
                }
            }
            Record::Deferred {
                key,
                upstream,
                next,
            } => self.deferred(key, *upstream, *next),
            Record::Compared {
                terminal,
                claimed,
                own,
                ..
            } => self.compared(*terminal, *claimed, *own),
            Record::Uploaded { terminal, records } => self.uploaded(*terminal, records),
            Record::UploadAnew { terminal } => self.upload_anew(*terminal),
            Record::NoticeOwed { key, by } => self.owe_notice(*key, *by),
            Record::NoticeTaken { key } => drop(self.notices.remove(key)),
            Record::Downloaded {
                terminal,
                download,
                version,
            } => self.downloaded(terminal, *download, *version),
            Record::ChipUploaded { key, .. } => self.chip_uploaded(key),
            Record::BatchBreak {
                key,
                found,
                case,
                at,
            } => self.broken(key, *found, *case, *at),
            Record::BatchClosed {
                terminal,
                breaks,
                at,
                ..
            } => self.closed_batch(*terminal, *breaks, *at),
            Record::Ordered {
                sale,
                rrn,
                at,
                reply,
                original,
                moved_minor,
                refund,
            } => {
                let kept = SaleRecord {
                    original: *original,
                    moved_minor: *moved_minor,
                    ..keep(sale, *rrn, *at, *reply, Upstream::Waiting)
                };
                self.ordered(kept, *refund);
            }
            Record::Wallet(record) => self.wallet_record(record),
            Record::Guarded { key, earlier } => {
                self.with(key, |sale, _| sale.guard = Some(*earlier));
            }
            Record::Linked { key, link } => self.with(key, |sale, _| sale.link = Some(*link)),
            Record::Recalled(recalled) => self.recall(recalled),
            // What it does is in the records behind it.
            Record::Remedied { .. } => {}
            Record::Declared { key, statement, at } => self.declared(key, *statement, *at),
            Record::Certified { .. } => {
                if let Some(certificate) = self.certificate(record) {
                    self.chain = certificate.head();
                }
            }
        }
    }

    fn forwarded(&mut self, mut kept: SaleRecord, host: HostKey, deadline: Mono) {
        let key = kept.key();
        kept.host = Some(host);
        kept.evidence.due = Some(kept.wall_at(deadline));
        self.by_host.insert(host, key);
        self.relay.apply(&RelayRecord::Sent {
            key: host,
            deadline,
        });
        self.next_host_stan = host.stan.0;
        self.counters.forwarded += 1;
        self.count_rrn();
        self.guard(&kept.request);
        self.insert(kept);
        self.claim(&key);
    }

    fn ordered(&mut self, kept: SaleRecord, refund: Option<u8>) {
        let key = kept.key();
        if let (Some(order), Some(number)) = (kept.original, refund) {
            self.wallet_refunds.insert((order, number), key);
        }
        self.counters.forwarded += 1;
        self.count_rrn();
        self.insert(kept);
        self.claim(&key);
    }

    fn wallet_record(&mut self, record: &WalletRecord<SaleKey>) {
        self.wallets.apply(record);
        match record.change {
            Change::Created { give_up, .. } => self.with(&record.key, |sale, _| {
                sale.evidence.due = Some(sale.wall_at(give_up));
            }),
            Change::Asked { next, .. } => self.with(&record.key, |sale, _| sale.tried(next)),
            _ => {}
        }
    }

    fn answered(&mut self, key: &SaleKey, answer: &FirstAnswer, confirm_by: Option<Mono>) {
        self.close_forward(key);
        self.delivered_advice(key);
        let Self {
            sales,
            books,
            counters,
            confirming,
            ..
        } = self;
        let Some(sale) = sales.get_mut(key) else {
            return;
        };
        sale.answer = Some(*answer);
        sale.evidence.delivery = Delivery::Sent;
        sale.evidence.due = None;
        if answer.code.is_success() {
            counters.approved += 1;
            sale.evidence.upstream = Upstream::Approved;
            let receivable = match is_scanned(&sale.request) {
                true => WALLET_RECEIVABLE,
                false => NETWORK_RECEIVABLE,
            };
            sale.transfer = books.book(
                receivable,
                sale.request.key.merchant,
                sale.request.amount.currency,
                sale.moved_minor,
            );
            sale.confirm_by = confirm_by;
            if let Some(by) = confirm_by {
                sale.evidence.due = Some(sale.wall_at(by));
                confirming.insert((by, *key));
            }
        } else {
            counters.declined += 1;
            sale.evidence.upstream = Upstream::Declined(answer.code);
            self.give_back_claim(key);
            self.settle_notice(key);
        }
    }

    fn reversing(
        &mut self,
        key: &SaleKey,
        reversal: Reversal,
        upstream: Upstream,
        how: SaleReversal,
        at: Now,
    ) {
        self.close_forward(key);
        self.unconfirm(key);
        if self.sales.get(key).is_some_and(|sale| sale.host.is_some()) {
            self.by_host.insert(how.advice, *key);
            self.relay.apply(&RelayRecord::Queued {
                key: how.advice,
                at: at.mono,
            });
        }
        self.next_host_stan = how.advice.stan.0;
        self.counters.reversing += 1;
        self.with(key, |sale, books| {
            if let Some(transfer) = sale.transfer {
                books.take_back(transfer);
            }
            sale.reversal = Some(how);
            sale.evidence.upstream = upstream;
            sale.evidence.reversal = Some(reversal);
            sale.evidence.due = Some(at.wall);
        });
        self.settle_notice(key);
    }

    fn deferred(&mut self, key: &SaleKey, upstream: Upstream, next: Mono) {
        self.close_forward(key);
        if let Some(host) = self.sales.get(key).and_then(|sale| sale.host) {
            self.relay.apply(&RelayRecord::Queued {
                key: host,
                at: next,
            });
        }
        self.with(key, |sale, _| {
            sale.evidence.upstream = upstream;
            sale.evidence.due = Some(sale.wall_at(next));
        });
    }

    fn relay_record(&mut self, record: &RelayRecord<HostKey>) {
        self.relay.apply(record);
        if let RelayRecord::Tried { key, next } = record
            && let Some(sale) = self.by_host.get(key).copied()
        {
            self.with(&sale, |sale, _| sale.tried(*next));
        }
    }

    fn reversal_answered(&mut self, key: &SaleKey, code: ResponseCode, case: Option<u32>) {
        let Some(advice) = self
            .sales
            .get(key)
            .and_then(|sale| sale.reversal)
            .map(|r| r.advice)
        else {
            return;
        };
        if code.reversal_done() {
            self.relay.apply(&RelayRecord::Delivered { key: advice });
            self.counters.reversed += 1;
            self.wait(key, None);
            self.give_back_claim(key);
        }
        if let Some(case) = case {
            self.counters.cases = self.counters.cases.max(case);
        }
        self.with(key, |sale, _| {
            if let Some(reversal) = &mut sale.evidence.reversal {
                reversal.progress = if code.reversal_done() {
                    ReversalProgress::Confirmed(code)
                } else {
                    ReversalProgress::Refused(code)
                };
            }
            sale.evidence.case = case.or(sale.evidence.case);
            sale.evidence.due = sale
                .evidence
                .due
                .filter(|_| !code.reversal_done())
                .map(end_of_day);
        });
    }

    fn confirmed(&mut self, key: &SaleKey, confirmation: Confirmation) {
        self.unconfirm(key);
        let had = self
            .sales
            .get(key)
            .is_some_and(SaleRecord::has_confirmed_approval);
        self.with(key, |sale, _| {
            sale.evidence.confirmation = confirmation;
            if sale.has_confirmed_approval() && sale.stands() {
                sale.evidence.one_sided = false;
                sale.evidence.case = None;
                sale.evidence.due = None;
            }
        });
        let has = |sale: &SaleRecord| sale.has_confirmed_approval() && sale.stands();
        if !had && self.sales.get(key).is_some_and(has) {
            self.settle_claim(key);
        }
    }

    pub(crate) fn one_sided_item(&mut self, key: &SaleKey, case: u32, at: Now) {
        self.unconfirm(key);
        self.counters.cases = self.counters.cases.max(case);
        self.with(key, |sale, _| {
            sale.evidence.one_sided = true;
            sale.evidence.case = Some(case);
            sale.evidence.due = Some(end_of_day(at.wall));
        });
    }

    fn wait(&mut self, key: &SaleKey, waiter: Option<(Reply, Mono)>) {
        let Self { sales, waiting, .. } = self;
        let Some(reversal) = sales.get_mut(key).and_then(|sale| sale.reversal.as_mut()) else {
            return;
        };
        if let Some((_, until)) = reversal.waiter.take() {
            waiting.remove(&(until, *key));
        }
        if let Some((_, until)) = waiter {
            waiting.insert((until, *key));
        }
        reversal.waiter = waiter;
    }

    fn unconfirm(&mut self, key: &SaleKey) {
        let Self {
            sales, confirming, ..
        } = self;
        if let Some(by) = sales.get_mut(key).and_then(|sale| sale.confirm_by.take()) {
            confirming.remove(&(by, *key));
        }
    }

    /// An advice that waited for somebody to answer it was answered.
    fn delivered_advice(&mut self, key: &SaleKey) {
        if let Some(host) = self.sales.get(key).and_then(|sale| sale.host) {
            self.relay.apply(&RelayRecord::Delivered { key: host });
        }
    }

    fn close_forward(&mut self, key: &SaleKey) {
        if let Some(host) = self.sales.get(key).and_then(|sale| sale.host) {
            self.relay.apply(&RelayRecord::Closed { key: host });
        }
    }

    fn with(&mut self, key: &SaleKey, change: impl FnOnce(&mut SaleRecord, &mut Books)) {
        let Self {
            sales,
            books,
            cases,
            ..
        } = self;
        if let Some(sale) = sales.get_mut(key) {
            change(sale, books);
            let place = (sale.received.mono, *key);
            match sale.waits_for_people() {
                true => cases.insert(place),
                false => cases.remove(&place),
            };
        }
    }

    /// Finds again what a snapshot does not hold.
    pub(crate) fn find_cases(&mut self) {
        let waiting = self.sales.values().filter(|sale| sale.waits_for_people());
        self.cases = waiting
            .map(|sale| (sale.received.mono, sale.key()))
            .collect();
    }

    pub(crate) fn insert(&mut self, sale: SaleRecord) {
        self.by_rrn.insert(sale.rrn, sale.key());
        self.order.push_back(sale.key());
        self.sales.insert(sale.key(), sale);
        // Two for one: what open sales kept back is caught up with.
        for _ in 0..2 {
            if self.sales.len() > self.sales_max() {
                self.forget_oldest();
            }
        }
    }

    /// Forgets the oldest sale if it is closed; an open one goes to the back of the line, so that it is never lost.
    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else {
            return;
        };
        let order = self.wallets.order(&oldest);
        let runs = order.is_some_and(|order| !order.is_over());
        let runs = runs || self.notices.contains_key(&oldest);
        if runs || !self.sales.get(&oldest).is_some_and(SaleRecord::is_closed) {
            self.order.push_back(oldest);
            return;
        }
        if let Some(sale) = self.sales.remove(&oldest) {
            self.by_rrn.remove(&sale.rrn);
            self.cases.remove(&(sale.received.mono, oldest));
            self.wallets.forget(&oldest);
            let refunds = (oldest, 0)..=(oldest, u8::MAX);
            let refunds: Vec<_> = self
                .wallet_refunds
                .range(refunds)
                .map(|(at, _)| *at)
                .collect();
            for at in refunds {
                self.wallet_refunds.remove(&at);
            }
            self.unguard(&sale);
            let keys = [sale.host, sale.reversal.map(|r| r.advice)];
            keys.into_iter().flatten().for_each(|key| {
                self.by_host.remove(&key);
            });
            if let Some(transfer) = sale.transfer {
                self.books.forget(transfer);
            }
            if let Some(session) = self
                .sessions
                .get_mut(&oldest.terminal)
                .filter(|s| s.batch == oldest.batch)
            {
                session.forgotten = session.forgotten.max(Some(oldest.stan));
                if sale.stands() {
                    crate::batch::count(&mut session.forgotten_totals, &sale);
                }
            }
        }
    }

    fn bury(&mut self, key: &SaleKey) {
        if self.tombstones.insert(*key) {
            self.tombstone_order.push_back(*key);
        }
        if self.tombstone_order.len() > TOMBSTONES_MAX
            && let Some(oldest) = self.tombstone_order.pop_front()
        {
            self.tombstones.remove(&oldest);
        }
    }

    /// Number of the next retrieval reference, one to eight digits.
    pub(crate) fn rrn_number(&self) -> u64 {
        self.last_rrn % 99_999_999 + 1
    }

    fn count_rrn(&mut self) {
        self.last_rrn = self.rrn_number();
    }
}

fn keep(sale: &Sale, rrn: Rrn, at: Now, reply: Reply, upstream: Upstream) -> SaleRecord {
    SaleRecord {
        request: *sale,
        rrn,
        host: None,
        received: at,
        reply,
        answer: None,
        evidence: Evidence::new(upstream),
        reversal: None,
        transfer: None,
        confirm_by: None,
        link: None,
        original: None,
        moved_minor: 0,
        claims: Claims::default(),
        awaited: 0,
        claim: Claim::None,
        recalled: false,
        guard: None,
        replaced_by: None,
        declared: Declarations::default(),
    }
}

/// The end of the business day in China: by then a one-sided item is somebody's duty.
fn end_of_day(at: Wall) -> Wall {
    let day_ms = 86_400_000;
    let local = at.0 + 8 * 3_600_000;
    Wall(local.div_euclid(day_ms) * day_ms + day_ms - 1_000 - 8 * 3_600_000)
}
