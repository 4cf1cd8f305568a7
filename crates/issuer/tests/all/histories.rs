//! Random histories: the books balance, one key is one answer and one debit, and a replay gives the very same state.

use crate::world::{CREDIT, DEBIT, OPENING, SIGNATURE, World, config};
use issuer::{ChipCheck, Input, Issuer, PinCheck, Record, Standing, State};
use payment::host::Financial;
use payment::{Amount, ApprovalCode, HostKey, Machine, Party, ResponseCode};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Buy(usize, u64, PinCheck),
    Inquire(usize),
    Again(usize, bool),
    Reverse(usize, bool),
    ReverseFirst(usize, u64),
    BuyBarred,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let card = prop::sample::select(vec![DEBIT, CREDIT, SIGNATURE]);
    let pin = prop_oneof![
        8 => Just(PinCheck::Right),
        1 => Just(PinCheck::Wrong),
        1 => Just(PinCheck::Absent),
    ];
    prop_oneof![
        6 => (card.clone(), 1..60_000u64, pin).prop_map(|(c, m, p)| Step::Buy(c, m, p)),
        1 => card.clone().prop_map(Step::Inquire),
        3 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(i, late)| Step::Again(i.index(1_000), late)),
        4 => (any::<prop::sample::Index>(), prop::bool::weighted(0.8)).prop_map(|(i, same)| Step::Reverse(i.index(1_000), same)),
        1 => (card, 1..60_000u64).prop_map(|(c, m)| Step::ReverseFirst(c, m)),
        1 => Just(Step::BuyBarred),
        1 => prop::sample::select(vec![10u64, 2_000, 86_400_000]).prop_map(Step::Wait),
    ]
}

/// What an observer on the wire knows.
#[derive(Default)]
struct Observer {
    asked: Vec<Financial>,
    first: BTreeMap<HostKey, (ResponseCode, Option<ApprovalCode>)>,
    reversed: BTreeMap<HostKey, bool>,
}

impl Observer {
    fn ask(&mut self, world: &mut World, sale: Financial, pin: PinCheck, late: bool) {
        let heard = world.now.mono;
        if late {
            world.advance(1_001);
        }
        let answer = world.answer(Input::Financial {
            sale,
            pin,
            chip: ChipCheck::Absent,
            heard,
        });
        let said = (answer.code, answer.approval);
        if self.reversed.contains_key(&sale.key) {
            assert_eq!(said, (ResponseCode::RELATED_ERROR, None), "M5");
        } else {
            assert_eq!(*self.first.entry(sale.key).or_insert(said), said, "A1");
        }
    }

    fn reverse(&mut self, world: &mut World, sale: Financial) {
        let code = world.reverse(sale);
        let approved = self.first.get(&sale.key).map(|first| first.0.is_success());
        let expected = match approved {
            _ if self.reversed.get(&sale.key) == Some(&false) => ResponseCode::ORIGINAL_NOT_FOUND,
            None => {
                self.reversed.insert(sale.key, false);
                ResponseCode::ORIGINAL_NOT_FOUND
            }
            Some(true) if sale.kind.row().moves_money() => {
                self.reversed.insert(sale.key, true);
                ResponseCode::APPROVED
            }
            Some(_) => ResponseCode::INVALID_RELATED,
        };
        assert_eq!(code, expected);
    }

    /// What must be in suspense: approved and not reversed.
    fn suspense(&self) -> i64 {
        let standing = |sale: &&Financial| {
            !self.reversed.contains_key(&sale.key)
                && sale.kind.row().moves_money()
                && self.first.get(&sale.key).is_some_and(|f| f.0.is_success())
        };
        let minor = |sale: &Financial| sale.amount.minor as i64;
        self.asked.iter().filter(standing).map(minor).sum()
    }
}

fn run(steps: Vec<Step>) -> World {
    let mut world = World::with(|_, card| card.daily_count_limit = 100);
    let (mut observer, mut barred) = (Observer::default(), Vec::new());
    for step in steps {
        let picked = |i: usize| observer.asked.get(i % observer.asked.len().max(1)).copied();
        match step {
            Step::Buy(card, minor, pin) => {
                let sale = world.sale(card, minor);
                observer.ask(&mut world, sale, pin, false);
                observer.asked.push(sale);
            }
            Step::Inquire(card) => {
                let inquiry = world.inquiry(card);
                observer.ask(&mut world, inquiry, PinCheck::Right, false);
                observer.asked.push(inquiry);
            }
            Step::Again(i, late) => {
                if let Some(sale) = picked(i) {
                    observer.ask(&mut world, sale, PinCheck::Right, late);
                }
            }
            Step::Reverse(i, same) => {
                if let Some(sale) = picked(i) {
                    if same {
                        observer.reverse(&mut world, sale);
                    } else {
                        let amount = Amount::fen(sale.amount.minor + 1);
                        let before = world.issuer.suspense();
                        world.reverse(Financial { amount, ..sale });
                        assert_eq!(world.issuer.suspense(), before);
                    }
                }
            }
            Step::ReverseFirst(card, minor) => {
                let sale = world.sale(card, minor);
                observer.reverse(&mut world, sale);
                barred.push(sale);
            }
            Step::BuyBarred => {
                if let Some(sale) = barred.pop() {
                    observer.ask(&mut world, sale, PinCheck::Right, false);
                }
            }
            Step::Wait(ms) => world.advance(ms),
        }
        assert_eq!(world.issuer.audit(), Ok(()), "M2");
        assert_eq!(world.issuer.suspense(), observer.suspense(), "M1, M3, M4");
        let money: i64 = [DEBIT, CREDIT, SIGNATURE]
            .map(|c| world.balance(c))
            .iter()
            .sum();
        assert_eq!(money + world.issuer.suspense(), 3 * OPENING);
        let ages = world.issuer.suspense_by_age(world.now.wall);
        let aged: u64 = ages.iter().map(|age| age.minor).sum();
        assert_eq!(aged as i64, world.issuer.suspense(), "A13");
    }
    world
}

fn text(state: &State) -> String {
    serde_json::to_string(state).unwrap()
}

/// Live state, replayed state and restored state are the same text.
fn check_replay(world: &World) {
    let live = text(world.issuer.state());
    let mut replayed = Issuer::new(config(|_, card| card.daily_count_limit = 100));
    let written = serde_json::to_string(&world.records).unwrap();
    let records: Vec<Record> = serde_json::from_str(&written).unwrap();
    for record in &records {
        replayed.apply(record);
    }
    assert_eq!(text(replayed.state()), live);
    let mut restored = Issuer::new(config(|_, _| {}));
    restored.restore(serde_json::from_str(&live).unwrap());
    assert_eq!(text(restored.state()), live);
    assert_eq!(restored.state(), world.issuer.state());
    assert_eq!(restored.audit(), Ok(()));
    assert_eq!(restored.deadline(), world.issuer.deadline());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history(steps in prop::collection::vec(step(), 1..60)) {
        let world = run(steps);
        check_replay(&world);
        let approvals = world.issuer.exchanges().filter_map(|(_, e)| e.approval);
        let mut codes: Vec<_> = approvals.collect();
        let given = codes.len();
        codes.sort();
        codes.dedup();
        prop_assert_eq!(codes.len(), given, "A4");
        let told = world.notices.len() as u64;
        let reversed = world.issuer.counters().reversed;
        prop_assert_eq!(told, given as u64 + reversed, "one notice for each booking");
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = World::new().hear(&bytes);
    }
}

#[test]
fn a_full_bank_refuses_takes_reversals_and_recovers() {
    let mut world = World::new();
    let limited = |state: &State| {
        let mut issuer = Issuer::new(config(|_, _| {})).with_exchanges_max(2);
        issuer.restore(serde_json::from_str(&text(state)).unwrap());
        issuer
    };
    world.issuer = limited(world.issuer.state());
    let (kept, returned) = (world.sale(DEBIT, 100), world.sale(DEBIT, 200));
    world.buy(kept);
    world.buy(returned);
    let refused = world.sale(DEBIT, 300);
    let known = world.records.len();
    assert_eq!(world.buy(refused), ResponseCode::SYSTEM_ERROR);
    assert_eq!(world.records.len(), known, "there is no room to store it");
    assert_eq!(world.buy(kept), ResponseCode::APPROVED, "a repeat");
    // Nothing was executed, and nothing may be later.
    assert_eq!(world.reverse(refused), ResponseCode::ORIGINAL_NOT_FOUND);
    assert_eq!(world.reverse(returned), ResponseCode::APPROVED);
    world.advance(issuer::FORGET_AFTER_MS);
    let early = world.sale(DEBIT, 400);
    assert_eq!(world.buy(early), ResponseCode::SYSTEM_ERROR);
    world.advance(1);
    for (gone, minor) in [(refused, 500), (returned, 600)] {
        let sale = world.sale(DEBIT, minor);
        assert_eq!(world.buy(sale), ResponseCode::APPROVED);
        assert_eq!(world.issuer.exchange(&gone.key), None);
        assert_eq!(world.issuer.booking(&gone.key), None);
    }
    let more = world.sale(DEBIT, 1);
    assert_eq!(world.buy(more), ResponseCode::SYSTEM_ERROR);
    world.issuer = limited(world.issuer.state()).with_exchanges_max(10);
    assert_eq!(
        world.buy(returned),
        ResponseCode::DUPLICATE,
        "too old to be executed"
    );
    assert_eq!(
        world.reverse(kept),
        ResponseCode::APPROVED,
        "an open debit stays known"
    );
    assert_eq!(world.issuer.suspense(), 1_100);
}

#[test]
fn cards_are_opened_once_and_new_ones_later() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 12_800);
    world.buy(sale);
    // The same history under a configuration with a third card that shares an account, and another limit.
    let mut wider = config(|_, card| card.balance_minor += 1);
    let mut extra = wider.cards[DEBIT].clone();
    extra.token = serde_json::from_str("\"000102030405060708090A0B0C0D0E0F\"").unwrap();
    wider.cards.push(extra.clone());
    let mut issuer = Issuer::new(wider);
    issuer.restore(serde_json::from_str(&text(world.issuer.state())).unwrap());
    world.issuer = issuer;
    assert!(world.issuer.deadline().is_some());
    let known = world.records.len();
    assert_eq!(world.put(Input::Tick), []);
    assert_eq!(
        (world.records.len(), world.issuer.deadline()),
        (known + 1, None)
    );
    assert_eq!(world.issuer.balance(&extra.token), Some(OPENING - 12_800));
    assert_eq!(world.issuer.audit(), Ok(()));
    let exchange = world.issuer.exchange(&sale.key).unwrap();
    assert_eq!(exchange.standing, Standing::Approved);
}
