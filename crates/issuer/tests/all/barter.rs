//! The barter centre: quota goes into escrow, then to the seller or back, and never mixes with money.

use crate::world::{CREDIT, DEBIT, OPENING, World};
use issuer::{NoticeKind, PinCheck};
use payment::host::Financial;
use payment::{Amount, BARTER_UNIT, CNY, Kind};
use proptest::prelude::*;

const BUYER: usize = DEBIT;
const SELLER: usize = CREDIT;

fn quota(minor: u64) -> Amount {
    Amount {
        minor,
        currency: BARTER_UNIT,
    }
}

fn barter(world: &mut World, minor: u64) -> Financial {
    let to = world.sale(SELLER, 0).card;
    let sale = world.sale(BUYER, 0);
    Financial {
        kind: Kind::BarterSale,
        amount: quota(minor),
        to: Some(to),
        ..sale
    }
}

fn about(world: &mut World, kind: Kind, sale: &Financial, minor: u64) -> Financial {
    let asked = world.sale(BUYER, 0);
    Financial {
        kind,
        amount: quota(minor),
        original: Some(sale.key),
        ..asked
    }
}

/// What buyer and seller can spend, and what is in escrow.
fn quotas(world: &World) -> (i64, i64, i64) {
    let escrow = world.issuer.suspense();
    (
        world.balance(BUYER) - OPENING,
        world.balance(SELLER) - OPENING,
        escrow,
    )
}

#[test]
fn nothing_reaches_the_seller_before_the_goods_are_confirmed() {
    let mut world = World::barter();
    let sale = barter(&mut world, 12_300);
    assert_eq!(world.ask(sale, PinCheck::Absent).code.as_str(), "05");
    let sale = barter(&mut world, 12_300);
    assert_eq!(world.buy(sale).as_str(), "00");
    assert_eq!(quotas(&world), (-12_300, 0, 12_300));
    let without_pin = about(&mut world, Kind::BarterDelivery, &sale, 12_300);
    assert_eq!(world.ask(without_pin, PinCheck::Absent).code.as_str(), "05");
    assert_eq!(quotas(&world), (-12_300, 0, 12_300));
    let above = about(&mut world, Kind::BarterDelivery, &sale, 12_301);
    assert_eq!(world.buy(above).as_str(), "61");
    let delivery = about(&mut world, Kind::BarterDelivery, &sale, 12_300);
    assert_eq!(world.buy(delivery).as_str(), "00");
    assert_eq!(quotas(&world), (-12_300, 12_300, 0));
    // What was delivered is not disputed here any more, nor delivered again.
    for (kind, code) in [(Kind::BarterReturn, "22"), (Kind::BarterDelivery, "22")] {
        let late = about(&mut world, kind, &sale, 12_300);
        assert_eq!(world.buy(late).as_str(), code, "{kind:?}");
    }
    let told: Vec<_> = world
        .notices
        .iter()
        .map(|notice| (notice.kind, notice.text(true)))
        .collect();
    let expected = [
        (
            NoticeKind::Held,
            "您尾号0005的卡11月22日14:03易货托管易货额 123.00，余额易货额 877.00。",
        ),
        (
            NoticeKind::Debited,
            "您尾号0005的卡11月22日14:03易货支付易货额 123.00，余额易货额 877.00。",
        ),
        (
            NoticeKind::Received,
            "您尾号0013的卡11月22日14:03转入易货额 123.00，可用额度易货额 1,123.00。",
        ),
    ];
    assert_eq!(told, expected.map(|(kind, text)| (kind, text.to_owned())));
    // A delivery whose answer was lost is taken back whole, and may be done again.
    assert_eq!(world.reverse(delivery).as_str(), "00");
    assert_eq!(quotas(&world), (-12_300, 0, 12_300));
    let again = about(&mut world, Kind::BarterDelivery, &sale, 12_300);
    assert_eq!(world.buy(again).as_str(), "00");
    assert_eq!(quotas(&world), (-12_300, 12_300, 0));
}

#[test]
fn a_dispute_or_time_gives_the_quota_back() {
    let mut world = World::barter();
    let sale = barter(&mut world, 5_000);
    assert_eq!(world.buy(sale).as_str(), "00");
    let part = about(&mut world, Kind::BarterReturn, &sale, 4_999);
    assert_eq!(world.ask(part, PinCheck::Absent).code.as_str(), "64");
    let dispute = about(&mut world, Kind::BarterReturn, &sale, 5_000);
    assert_eq!(world.ask(dispute, PinCheck::Absent).code.as_str(), "00");
    assert_eq!(quotas(&world), (0, 0, 0));
    let late = about(&mut world, Kind::BarterDelivery, &sale, 5_000);
    assert_eq!(world.buy(late).as_str(), "22");

    let forgotten = barter(&mut world, 7_000);
    assert_eq!(world.buy(forgotten).as_str(), "00");
    world.advance(30 * 86_400_000 + 1);
    world.put(issuer::Input::Tick);
    assert_eq!(quotas(&world), (0, 0, 0));
    let late = about(&mut world, Kind::BarterDelivery, &forgotten, 7_000);
    assert_eq!(world.buy(late).as_str(), "22");
    assert_eq!(quotas(&world), (0, 0, 0));

    let lost = barter(&mut world, 7_000);
    assert_eq!(world.buy(lost).as_str(), "00");
    assert_eq!(world.reverse(lost).as_str(), "00");
    assert_eq!(quotas(&world), (0, 0, 0));
}

#[test]
fn a_seller_is_another_member() {
    let mut world = World::barter();
    let mut sale = barter(&mut world, 100);
    sale.to = Some(sale.card);
    assert_eq!(world.buy(sale).as_str(), "14");
    let mut sale = barter(&mut world, 100);
    sale.to = None;
    assert_eq!(world.buy(sale).as_str(), "30");
    assert_eq!(quotas(&world), (0, 0, 0));
}

#[derive(Clone, Debug)]
struct Asked {
    kind: usize,
    minor: u64,
    money: bool,
    about: usize,
    reversed: bool,
}

fn asked() -> impl Strategy<Value = Asked> {
    let financial = Kind::ALL
        .iter()
        .filter(|kind| kind.row().is_financial())
        .count();
    (
        0..financial,
        1..40_000u64,
        any::<bool>(),
        0..40usize,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(kind, minor, money, about, reversed)| Asked {
            kind,
            minor,
            money,
            about,
            reversed,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn money_and_quota_never_mix(steps in prop::collection::vec(asked(), 1..60), centre in any::<bool>()) {
        let mut world = if centre { World::barter() } else { World::new() };
        let unit = if centre { BARTER_UNIT } else { CNY };
        let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| kind.row().is_financial()).collect();
        let mut known: Vec<Financial> = Vec::new();
        for step in steps {
            let kind = kinds[step.kind];
            let mut sale = world.sale(BUYER, step.minor);
            sale.kind = kind;
            sale.amount.currency = if step.money { CNY } else { BARTER_UNIT };
            sale.to = kind.row().receiver.then(|| world.sale(SELLER, 0).card);
            let original = known.get(step.about % known.len().max(1)).map(|first| first.key);
            sale.original = kind.row().original.and(original);
            let before = world.issuer.ledger().transfer_count();
            let code = world.buy(sale);
            let served = kind.row().unit == unit && (sale.amount.currency == unit || !kind.row().moves_money());
            if !served {
                prop_assert_eq!(code.as_str(), "A1");
                prop_assert_eq!(world.issuer.ledger().transfer_count(), before);
            } else {
                prop_assert_ne!(code.as_str(), "A1");
            }
            if code.is_success() && kind.row().moves_money() {
                known.push(sale);
            }
            if step.reversed && kind.row().reversible() {
                world.reverse(sale);
            }
            // Every account of one issuer is in its one unit, and nothing is lost in between.
            for account in [1_000, 1_001, 1_002].map(ledger::AccountId).into_iter().chain([issuer::SUSPENSE]) {
                let rules = world.issuer.ledger().rules(account);
                prop_assert_eq!(rules.map(|rules| rules.currency), Some(ledger::Currency(unit.0)));
            }
        }
    }
}
