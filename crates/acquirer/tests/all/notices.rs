//! A till that holds an approval is told that its sale was taken back, until it says that it knows.

use crate::outs::*;
use crate::world::*;
use payment::guard::TakenBack;
use payment::sign::Trouble;
use payment::{Amount, Kind, LinkReason, Linked, SaleKey, SignOutcome, host};

/// A purchase of the same card and amount at the other till, in place of the first.
fn instead(world: &World, first: &Ask, kind: Kind) -> Ask {
    let reason = match kind {
        Kind::CashLink => LinkReason::Cash,
        _ => LinkReason::NoDebitSeen,
    };
    Ask {
        terminal: PLAIN,
        kind,
        linked: Some(Linked {
            earlier: world.key(first),
            reason,
        }),
        amount: match kind {
            Kind::CashLink => Amount::fen(0),
            _ => first.amount,
        },
        ..buy(2)
    }
}

/// What the till of the first sale is told with the answer to its report, and whether it must report again.
fn told_with(world: &mut World, outcome: SignOutcome) -> Option<TakenBack> {
    let (answer, _) = till(world.report(sign(1, outcome, 4, Trouble::None)));
    assert_eq!(answer.code.as_str(), "00");
    answer.taken_back
}

fn taken_back(sale: SaleKey, by: SaleKey, never_debited: Option<bool>) -> Option<TakenBack> {
    Some(TakenBack {
        sale,
        by,
        never_debited,
    })
}

/// The first sale approved, its till silent, and another one charged in its place at the other till.
fn charged_elsewhere(world: &mut World) -> (Ask, Ask, host::Sealed) {
    let first = buy(1);
    world.approved(&first);
    let second = instead(world, &first, Kind::Purchase);
    let asked = world.forwarded(&second);
    (first, second, asked)
}

#[test]
fn the_till_is_told_until_it_says_that_it_knows() {
    for code in ["00", "25"] {
        let mut world = World::open();
        let (first, second, asked) = charged_elsewhere(&mut world);
        let (sale, by) = (world.key(&first), world.key(&second));
        // Nobody knows yet whether the other charge stands: the till must report again.
        let open = taken_back(sale, by, None);
        assert_eq!(told_with(&mut world, SignOutcome::Approved), open);
        let advised = advice(world.network_answers(&asked, "00"));
        assert_eq!(told_with(&mut world, SignOutcome::Approved), open);
        world.restart();
        world.network_says(&answer(&advised, code));
        let certain = taken_back(sale, by, Some(code != "00"));
        // Lost or not, it is told again, with whatever else is answered, and after a restart.
        for _ in 0..2 {
            assert_eq!(told_with(&mut world, SignOutcome::Approved), certain);
            assert_eq!(world.query(EXTENDED, 77).1.taken_back, certain);
            let (refused, _) = till(world.ask(&Ask {
                amount: Amount::fen(0),
                ..buy(9)
            }));
            assert_eq!(refused.taken_back, certain);
            world.restart();
        }
        // The other till is told nothing, and one that knows is told no more.
        let (others, _) = till(world.ask(&Ask {
            terminal: PLAIN,
            amount: Amount::fen(0),
            ..buy(10)
        }));
        assert_eq!(others.taken_back, None);
        let records = world.records();
        assert_eq!(told_with(&mut world, SignOutcome::Reversed), None);
        assert!(world.records() > records);
        let records = world.records();
        assert_eq!(told_with(&mut world, SignOutcome::Reversed), None);
        assert_eq!(world.records(), records, "heard twice");
        assert_eq!(world.query(EXTENDED, 77).1.taken_back, None);
        assert_eq!(world.payable(), 12_800);
    }
}

#[test]
fn cash_at_another_till_is_told_too() {
    let mut world = World::open();
    let first = buy(1);
    world.approved(&first);
    let link = instead(&world, &first, Kind::CashLink);
    let advised = advice(world.ask(&link));
    let (sale, by) = (world.key(&first), world.key(&link));
    let told = told_with(&mut world, SignOutcome::Approved);
    assert_eq!(told, taken_back(sale, by, None));
    world.network_says(&answer(&advised, "00"));
    let told = told_with(&mut world, SignOutcome::Approved);
    assert_eq!(told, taken_back(sale, by, Some(false)));
    assert_eq!(told_with(&mut world, SignOutcome::Reversed), None);
}

/// A charge elsewhere that came to nothing, and a till that never held an approval.
#[test]
fn there_is_nothing_to_tell() {
    let mut world = World::open();
    let (_, _, asked) = charged_elsewhere(&mut world);
    world.network_answers(&asked, "51");
    assert_eq!(told_with(&mut world, SignOutcome::Approved), None);
    assert_eq!(world.payable(), 12_800);
    // The first is still on its way when the second stands: its till hears 98 and follows.
    let mut world = World::open();
    let first = buy(1);
    let asked = world.forwarded(&first);
    let second = instead(&world, &first, Kind::Purchase);
    world.approved(&second);
    let outs = world.network_answers(&asked, "00");
    assert_eq!(told(&outs), ["98"]);
    world.network_says(&answer(&advice(outs), "00"));
    let (standing, heard) = world.query(EXTENDED, 1);
    assert!(matches!(
        standing,
        payment::terminal::Standing::Reversed { .. }
    ));
    assert_eq!(heard.taken_back, None);
}
