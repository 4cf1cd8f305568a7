//! Wallet orders against a provider that loses, repeats and delays everything, and against the clock.

use acquirer::wallet::{
    Ask, End, NotRefundable, Progress, RefundCause, Refusal, Rules, Stage, Voucher, WalletAnswer,
    WalletEffect, WalletRecord, WalletRequest, Wallets, Way,
};
use payment::{Amount, Decision, Mono, QrText};
use proptest::prelude::*;
use std::collections::BTreeMap;

const VOUCHER: Voucher = Voucher(*b"20261122000000000001");
const AMOUNT: Amount = Amount::fen(1_280);
const PAID: WalletAnswer = WalletAnswer::Paid {
    amount: AMOUNT,
    voucher: VOUCHER,
};

fn qr(text: &str) -> QrText {
    QrText::parse(text.as_bytes()).expect("a text")
}

type Decided = Decision<WalletRecord<u8>, WalletEffect<u8>>;

/// The shop's side: the orders, their journal, and a clock.
#[derive(Default)]
struct Shop {
    wallets: Wallets<u8>,
    journal: Vec<WalletRecord<u8>>,
    now: Mono,
    rules: Rules,
    ends: BTreeMap<u8, Vec<End>>,
    asked: Vec<(Mono, WalletRequest<u8>)>,
    last_poll: BTreeMap<u8, Mono>,
}

impl Shop {
    fn take(&mut self, decided: Decided) -> Vec<WalletEffect<u8>> {
        for record in decided.records {
            self.wallets.apply(&record);
            self.journal.push(record);
        }
        for effect in &decided.effects {
            match effect {
                WalletEffect::Ask(request) => self.asks(*request),
                WalletEffect::Ended { key, end, .. } => {
                    self.ends.entry(*key).or_default().push(*end);
                }
                _ => {}
            }
        }
        decided.effects
    }

    /// Every request that ever leaves keeps the rules of time.
    fn asks(&mut self, request: WalletRequest<u8>) {
        let order = self.wallets.order(&request.key).expect("an order");
        let age_ms = self.now.since_ms(order.created());
        match request.what {
            Ask::Revoke => assert!(age_ms >= self.rules.revoke_after_ms, "revoked at {age_ms}"),
            Ask::Poll if !matches!(order.stage(), Stage::Ended(_)) => {
                if let Some(last) = self.last_poll.insert(request.key, self.now) {
                    let gap_ms = self.now.since_ms(last);
                    assert!(gap_ms >= self.rules.poll_ms, "polled after {gap_ms}");
                }
            }
            _ => {}
        }
        self.asked.push((self.now, request));
    }

    fn create(&mut self, way: Way) -> Vec<WalletEffect<u8>> {
        let made = self.wallets.create(self.now, &self.rules, 1, way, AMOUNT);
        self.take(made)
    }

    fn hear(&mut self, ask: Option<u32>, answer: &WalletAnswer) -> Vec<WalletEffect<u8>> {
        let heard = self.wallets.heard(self.now, &self.rules, 1, ask, answer);
        self.take(heard)
    }

    fn withdraw(&mut self) {
        let gone = self.wallets.withdraw(self.now, &self.rules, 1);
        self.take(gone);
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        let ticked = self.wallets.tick(self.now, &self.rules);
        self.take(ticked);
    }

    /// What was asked since the last look: seconds since the start, and what.
    fn log(&mut self) -> Vec<(u64, Ask)> {
        let asked = std::mem::take(&mut self.asked);
        asked
            .into_iter()
            .map(|(at, request)| (at.since_ms(Mono(0)) / 1_000, request.what))
            .collect()
    }

    fn stage(&self) -> Stage {
        self.wallets.order(&1).expect("the order").stage()
    }

    fn net(&self) -> u64 {
        self.wallets.order(&1).expect("the order").net_minor()
    }
}

#[test]
fn a_code_that_nobody_answers_for_is_polled_and_then_revoked_without_end() {
    let mut shop = Shop::default();
    shop.create(Way::Presented);
    for _ in 0..60 {
        shop.wait(1_000);
    }
    let log = shop.log();
    assert_eq!(log[0], (0, Ask::Pay));
    let polls: Vec<u64> = (1..15).map(|n| 3 * n).collect();
    let seen: Vec<u64> = log
        .iter()
        .filter(|(_, what)| *what == Ask::Poll)
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(seen, polls);
    let revokes: Vec<u64> = log
        .iter()
        .filter(|(_, what)| *what == Ask::Revoke)
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(revokes, [45, 46, 48, 51, 56]);
    assert_eq!(shop.stage(), Stage::Ending);
    shop.hear(Some(1), &WalletAnswer::Revoked { gave_back: true });
    assert_eq!(shop.stage(), Stage::Ended(End::Revoked));
    assert_eq!(shop.wallets.deadline(), None);
}

#[test]
fn a_withdrawn_code_is_revoked_no_sooner_than_fifteen_seconds() {
    let mut shop = Shop::default();
    shop.create(Way::Presented);
    shop.wait(2_000);
    shop.hear(Some(1), &WalletAnswer::UserPaying);
    shop.withdraw();
    shop.withdraw();
    for _ in 0..20 {
        shop.wait(1_000);
    }
    assert_eq!(shop.log()[..2], [(0, Ask::Pay), (15, Ask::Revoke)]);
    // The payer had said yes meanwhile: the revoke gives that back, and no refund is asked for.
    shop.hear(Some(1), &PAID);
    shop.hear(Some(2), &WalletAnswer::Revoked { gave_back: true });
    assert_eq!((shop.stage(), shop.net()), (Stage::Ended(End::Revoked), 0));
    assert_eq!(shop.ends[&1], [End::Revoked]);
}

#[test]
fn an_order_is_shown_paid_and_refunded() {
    let mut shop = Shop::default();
    shop.create(Way::Shown);
    shop.wait(3_000);
    let qr = qr("https://wallet.example/q/1");
    let shown = shop.hear(Some(1), &WalletAnswer::Shown(qr));
    assert_eq!(shown, [WalletEffect::Shown { key: 1, qr }]);
    assert!(shop.hear(Some(2), &WalletAnswer::Shown(qr)).is_empty());
    assert_eq!(
        shop.wallets.order(&1).and_then(|order| order.qr()),
        Some(qr)
    );
    shop.wait(3_000);
    assert_eq!(
        shop.log(),
        [(0, Ask::Order), (3, Ask::Order), (6, Ask::Poll)]
    );
    shop.hear(Some(3), &WalletAnswer::UserPaying);
    assert_eq!(shop.stage(), Stage::Paying);
    let half = Amount::fen(640);
    let refund = |shop: &mut Shop, amount| {
        let (now, rules) = (shop.now, shop.rules.clone());
        let asked = shop.wallets.refund(now, &rules, 1, amount);
        asked.map(|decided| drop(shop.take(decided)))
    };
    assert_eq!(refund(&mut shop, half), Err(NotRefundable::NotPaid));
    shop.hear(None, &PAID);
    assert_eq!(shop.hear(Some(3), &PAID), []);
    assert_eq!(
        refund(&mut shop, Amount::fen(1_281)),
        Err(NotRefundable::TooMuch)
    );
    assert_eq!(refund(&mut shop, half), Ok(()));
    assert_eq!(
        refund(&mut shop, Amount::fen(641)),
        Err(NotRefundable::TooMuch)
    );
    shop.hear(Some(4), &WalletAnswer::RefundRefused { number: 1 });
    assert_eq!(refund(&mut shop, AMOUNT), Ok(()));
    shop.wait(1_000);
    let number = 2;
    shop.hear(Some(5), &WalletAnswer::Refunded { number });
    shop.hear(Some(6), &WalletAnswer::Refunded { number });
    assert_eq!((shop.net(), shop.wallets.deadline()), (0, None));
    let order = shop.wallets.order(&1).expect("the order");
    let progress: Vec<Progress> = order.refunds().iter().map(|r| r.progress).collect();
    assert_eq!(progress, [Progress::Refused, Progress::Done]);
    assert_eq!(shop.ends[&1], [End::Success]);
}

#[test]
fn an_order_given_up_and_paid_in_that_moment_is_refunded() {
    let mut shop = Shop::default();
    shop.create(Way::Shown);
    shop.hear(Some(1), &WalletAnswer::Shown(qr("qr")));
    for _ in 0..121 {
        shop.wait(1_000);
    }
    assert_eq!(shop.log().last(), Some(&(121, Ask::Close)));
    shop.hear(Some(41), &PAID);
    assert_eq!(
        shop.log(),
        [(
            121,
            Ask::Refund {
                number: 1,
                amount: AMOUNT
            }
        )]
    );
    // A refusal does not end what nobody asked for.
    let refused = shop.hear(None, &WalletAnswer::RefundRefused { number: 1 });
    assert!(matches!(
        refused[..],
        [WalletEffect::RefundEnded {
            cause: RefundCause::Withdrawn,
            done: false,
            ..
        }]
    ));
    shop.wait(10_000);
    assert_eq!(shop.log().len(), 1);
    shop.hear(None, &WalletAnswer::Refunded { number: 1 });
    assert_eq!((shop.net(), shop.ends[&1].len()), (0, 1));
}

#[test]
fn a_payment_heard_of_after_the_end_counts_only_when_asked_again() {
    let mut shop = Shop::default();
    shop.create(Way::Presented);
    shop.wait(3_000);
    shop.hear(Some(1), &WalletAnswer::Declined(Refusal::Funds));
    assert_eq!(shop.stage(), Stage::Ended(End::Closed));
    shop.log();
    // An old answer: the provider, asked again, says what it said at the end.
    shop.hear(Some(2), &PAID);
    assert_eq!(shop.log(), [(3, Ask::Poll)]);
    shop.hear(Some(2), &PAID);
    shop.hear(Some(3), &WalletAnswer::Closed);
    assert_eq!((shop.wallets.deadline(), shop.net()), (None, 0));
    // A notice, and this time it is true.
    shop.hear(None, &PAID);
    shop.wait(1_000);
    assert_eq!(shop.log(), [(3, Ask::Poll), (4, Ask::Poll)]);
    let late = shop.hear(Some(5), &PAID);
    assert_eq!(late[0], WalletEffect::PaidLate { key: 1 });
    assert_eq!(shop.net(), AMOUNT.minor);
    shop.hear(Some(4), &PAID);
    shop.hear(Some(6), &WalletAnswer::Refunded { number: 1 });
    assert_eq!(
        (shop.net(), shop.wallets.deadline(), shop.stage()),
        (0, None, Stage::Ended(End::Closed))
    );
}

#[test]
fn no_such_order_ends_nothing_while_a_request_may_still_arrive() {
    let mut shop = Shop::default();
    shop.create(Way::Presented);
    shop.wait(3_000);
    shop.hear(Some(2), &WalletAnswer::NoSuchOrder);
    shop.wait(3_000);
    // The provider never heard of it, so the payment is sent again, under the same number.
    assert_eq!(shop.log(), [(0, Ask::Pay), (3, Ask::Poll), (6, Ask::Pay)]);
    while shop.now < Mono(300_000_000) {
        shop.wait(1_000);
        let asked = shop.asked.last().map(|(_, request)| request.ask);
        shop.hear(asked, &WalletAnswer::NoSuchOrder);
    }
    assert_eq!(shop.stage(), Stage::Ending);
    while shop.now < Mono(420_000_000) {
        shop.wait(1_000);
        let asked = shop.asked.last().map(|(_, request)| request.ask);
        shop.hear(Some(3), &WalletAnswer::NoSuchOrder);
        if shop.now < Mono(342_000_000) {
            assert_eq!(shop.stage(), Stage::Ending, "{:?}", shop.now);
        }
        shop.hear(asked, &WalletAnswer::NoSuchOrder);
    }
    assert_eq!(shop.stage(), Stage::Ended(End::Closed));
}

#[test]
fn another_amount_is_no_answer_and_goes_back() {
    let mut shop = Shop::default();
    let part = WalletAnswer::Paid {
        amount: Amount::fen(1_000),
        voucher: VOUCHER,
    };
    shop.create(Way::Shown);
    shop.hear(Some(1), &WalletAnswer::Shown(qr("qr")));
    shop.hear(Some(1), &part);
    assert_eq!(shop.stage(), Stage::Shown);
    shop.wait(120_000);
    shop.hear(Some(2), &part);
    let back = Ask::Refund {
        number: 1,
        amount: Amount::fen(1_000),
    };
    assert_eq!(shop.log().last(), Some(&(120, back)));
}

/// How the provider sees an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theirs {
    Shown,
    Paying,
    Paid,
    Closed,
    Declined,
    Revoked,
}

#[derive(Clone, Debug)]
struct Account {
    state: Theirs,
    paid: u64,
    returned: u64,
    refunds: BTreeMap<u8, u64>,
}

/// A provider as the rules demand it; `remembers` says whether a close or revoke of an order never seen keeps it out for ever.
#[derive(Default)]
struct Provider {
    orders: BTreeMap<u8, Account>,
    remembers: bool,
    next_payment: Option<Theirs>,
    refuses_refunds: bool,
}

impl Provider {
    fn made(&mut self, key: u8, state: Theirs) -> &mut Account {
        let amount = if state == Theirs::Paid {
            AMOUNT.minor
        } else {
            0
        };
        self.orders.entry(key).or_insert_with(|| Account {
            state,
            paid: amount,
            returned: 0,
            refunds: BTreeMap::new(),
        })
    }

    fn answer(&mut self, request: &WalletRequest<u8>) -> WalletAnswer {
        let key = request.key;
        let known = self.orders.contains_key(&key);
        match request.what {
            Ask::Order => drop(self.made(key, Theirs::Shown)),
            Ask::Pay => {
                let state = self.next_payment.unwrap_or(Theirs::Paying);
                self.made(key, state);
            }
            Ask::Close | Ask::Revoke if !known && !self.remembers => {
                return WalletAnswer::NoSuchOrder;
            }
            Ask::Close => {
                let account = self.made(key, Theirs::Closed);
                if matches!(account.state, Theirs::Shown | Theirs::Paying) {
                    account.state = Theirs::Closed;
                }
            }
            Ask::Revoke => {
                let account = self.made(key, Theirs::Revoked);
                if matches!(account.state, Theirs::Shown | Theirs::Paying | Theirs::Paid) {
                    account.state = Theirs::Revoked;
                    account.returned = account.paid;
                }
            }
            Ask::Refund { number, amount } => return self.refund(key, number, amount.minor),
            Ask::Poll if !known => return WalletAnswer::NoSuchOrder,
            Ask::Poll => {}
        }
        match (self.orders[&key].state, request.what) {
            (Theirs::Shown, Ask::Order) => WalletAnswer::Shown(qr("qr")),
            (Theirs::Shown, _) => WalletAnswer::Unpaid,
            (Theirs::Paying, _) => WalletAnswer::UserPaying,
            (Theirs::Paid, _) => PAID,
            (Theirs::Closed, _) => WalletAnswer::Closed,
            (Theirs::Declined, _) => WalletAnswer::Declined(Refusal::Payer),
            (Theirs::Revoked, _) => WalletAnswer::Revoked {
                gave_back: self.orders[&key].returned > 0,
            },
        }
    }

    fn refund(&mut self, key: u8, number: u8, minor: u64) -> WalletAnswer {
        let refuses = self.refuses_refunds;
        let Some(account) = self.orders.get_mut(&key) else {
            return WalletAnswer::NoSuchOrder;
        };
        if account.refunds.contains_key(&number) {
            return WalletAnswer::Refunded { number };
        }
        if account.paid - account.returned < minor || refuses {
            return WalletAnswer::RefundRefused { number };
        }
        account.refunds.insert(number, minor);
        account.returned += minor;
        WalletAnswer::Refunded { number }
    }

    /// The payer pays; true when it happens although the order had ended, which a careful provider would not let happen.
    fn paid_by_customer(&mut self, key: u8) -> bool {
        let Some(account) = self.orders.get_mut(&key) else {
            return false;
        };
        let late = matches!(
            account.state,
            Theirs::Closed | Theirs::Declined | Theirs::Revoked
        );
        if account.state != Theirs::Paid {
            account.state = Theirs::Paid;
            account.paid += AMOUNT.minor;
        }
        late
    }
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8, bool),
    Wait(u64),
    Deliver {
        answer: bool,
        which: usize,
        keep: bool,
    },
    Lose {
        answer: bool,
        which: usize,
    },
    Pays(u8),
    NextPayment(u8),
    Withdraw(u8),
    Refund(u8, u64),
    RefuseRefunds(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_u8, any::<bool>()).prop_map(|(key, shown)| Step::Create(key, shown)),
        4 => (0..20_000_u64).prop_map(Step::Wait),
        8 => (any::<bool>(), 0..8_usize, any::<bool>())
            .prop_map(|(answer, which, keep)| Step::Deliver { answer, which, keep }),
        2 => (any::<bool>(), 0..8_usize).prop_map(|(answer, which)| Step::Lose { answer, which }),
        2 => (0..3_u8).prop_map(Step::Pays),
        1 => (0..3_u8).prop_map(Step::NextPayment),
        1 => (0..3_u8).prop_map(Step::Withdraw),
        1 => (0..3_u8, 1..1_500_u64).prop_map(|(key, minor)| Step::Refund(key, minor)),
        1 => any::<bool>().prop_map(Step::RefuseRefunds),
        1 => Just(Step::Restart),
    ]
}

/// The shop, the provider, and what is on its way between them.
#[derive(Default)]
struct World {
    shop: Shop,
    provider: Provider,
    requests: Vec<(Mono, WalletRequest<u8>)>,
    answers: Vec<(u8, Option<u32>, WalletAnswer)>,
}

impl World {
    fn run(&mut self, step: &Step) {
        let (now, rules) = (self.shop.now, self.shop.rules.clone());
        match *step {
            Step::Create(key, shown) => {
                let way = if shown { Way::Shown } else { Way::Presented };
                let made = self.shop.wallets.create(now, &rules, key, way, AMOUNT);
                self.shop.take(made);
            }
            Step::Wait(ms) => self.shop.wait(ms),
            Step::Deliver {
                answer,
                which,
                keep,
            } => self.deliver(answer, which, keep),
            Step::Lose {
                answer: true,
                which,
            } if which < self.answers.len() => {
                self.answers.remove(which);
            }
            Step::Lose {
                answer: false,
                which,
            } if which < self.requests.len() => {
                self.requests.remove(which);
            }
            Step::Lose { .. } => {}
            Step::Pays(key) => {
                if self.provider.paid_by_customer(key) {
                    // What undoes the order is not on its way any more, or it would undo this payment too.
                    self.requests
                        .retain(|(_, r)| r.key != key || r.what != Ask::Revoke);
                    self.answers.push((key, None, PAID));
                }
            }
            Step::NextPayment(which) => {
                let states = [Theirs::Paid, Theirs::Paying, Theirs::Declined];
                self.provider.next_payment = Some(states[usize::from(which)]);
            }
            Step::Withdraw(key) => {
                let gone = self.shop.wallets.withdraw(now, &rules, key);
                self.shop.take(gone);
            }
            Step::Refund(key, minor) => {
                let amount = Amount::fen(minor);
                if let Ok(asked) = self.shop.wallets.refund(now, &rules, key, amount) {
                    self.shop.take(asked);
                }
            }
            Step::RefuseRefunds(refuses) => self.provider.refuses_refunds = refuses,
            Step::Restart => self.restart(),
        }
        let asked = std::mem::take(&mut self.shop.asked);
        self.requests.extend(asked);
    }

    fn deliver(&mut self, answer: bool, which: usize, keep: bool) {
        if answer && which < self.answers.len() {
            let (key, ask, said) = self.answers[which].clone();
            if !keep {
                self.answers.remove(which);
            }
            let (now, rules) = (self.shop.now, self.shop.rules.clone());
            let heard = self.shop.wallets.heard(now, &rules, key, ask, &said);
            self.shop.take(heard);
        }
        if !answer && which < self.requests.len() {
            let (at, request) = self.requests[which];
            if !keep {
                self.requests.remove(which);
            }
            if self.shop.now.since_ms(at) < self.shop.rules.absent_after_ms {
                let said = self.provider.answer(&request);
                self.answers.push((request.key, Some(request.ask), said));
            }
        }
    }

    /// The state is what its journal makes of it, and survives its own encoding.
    fn restart(&mut self) {
        let mut replayed = Wallets::default();
        self.shop.journal.iter().for_each(|r| replayed.apply(r));
        assert_eq!(replayed, self.shop.wallets);
        let bytes = postcard::to_stdvec(&replayed).expect("it encodes");
        self.shop.wallets = postcard::from_bytes(&bytes).expect("it decodes");
        assert_eq!(replayed, self.shop.wallets);
    }

    /// From now on everything arrives at once, and time goes by.
    fn heal(&mut self) {
        self.provider.refuses_refunds = false;
        for _ in 0..2_000 {
            while !self.requests.is_empty() {
                self.deliver(false, 0, false);
            }
            while !self.answers.is_empty() {
                self.deliver(true, 0, false);
            }
            let asked = std::mem::take(&mut self.shop.asked);
            self.requests.extend(asked);
            if !self.requests.is_empty() {
                continue;
            }
            let Some(due) = self.shop.wallets.deadline() else {
                return;
            };
            self.shop.now = self.shop.now.max(due);
            self.run(&Step::Wait(1));
        }
        panic!("it does not come to an end: {:?}", self.shop.wallets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_ends_once_and_the_money_is_where_the_order_says(
        steps in prop::collection::vec(step(), 0..80),
        remembers in any::<bool>(),
    ) {
        let mut world = World::default();
        world.provider.remembers = remembers;
        for step in &steps {
            world.run(step);
        }
        // What is on its way now comes after everything has settled.
        let (requests, answers) = (
            std::mem::take(&mut world.requests),
            std::mem::take(&mut world.answers),
        );
        world.heal();
        world.requests.extend(requests);
        world.answers.extend(answers);
        world.heal();
        // A provider repeats its notice of a payment until it is heard.
        for (key, account) in &world.provider.orders {
            if account.paid > account.returned {
                world.answers.push((*key, None, PAID));
            }
        }
        world.heal();
        world.restart();
        for (key, order) in world.shop.wallets.orders() {
            prop_assert!(order.is_over(), "{key}: {order:?}");
            prop_assert_eq!(world.shop.ends.get(key).map(Vec::len), Some(1), "{:?}", order);
            prop_assert_eq!(Stage::Ended(world.shop.ends[key][0]), order.stage());
            let net = world.provider.orders.get(key).map_or(0, |a| a.paid - a.returned);
            prop_assert_eq!(net, order.net_minor(), "{}: {:?}", key, order);
            let kept = order.stage() == Stage::Ended(End::Success) && !order.withdrawn();
            prop_assert!(kept || net == 0, "{}: {:?}", key, order);
        }
    }
}
