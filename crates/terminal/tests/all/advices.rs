//! Advices that are told before anybody has answered: what is refused later leaves every sum, and what the hosts would
//! refuse for its amount is refused at the till.

use crate::world::World;
use payment::terminal::Sale;
use payment::{Amount, Kind, Percents, ResponseCode, SaleKey};
use terminal::{Command, Ending, Record, Screen, Totals};

fn order(world: &mut World, kind: Kind, about: Option<SaleKey>, fen: u64) -> Vec<Screen> {
    let amount = Amount::fen(fen);
    let command = match about {
        Some(sale) => Command::about(kind, sale.stan, Some(amount)),
        None => Command::Transact(Box::new(terminal::Order {
            kind,
            amount: Some(amount),
            presented: Some(world.present()),
            original: None,
            linked: None,
            to: None,
        })),
    };
    let decision = payment::Machine::decide(
        &world.terminal,
        world.now,
        terminal::Input::Cashier(command),
    );
    for record in decision.records {
        world.write(record);
    }
    let screens = decision.effects.into_iter();
    let shown = |effect| match effect {
        terminal::Effect::Show(screen) => Some(screen),
        _ => None,
    };
    screens.filter_map(shown).collect()
}

fn last_stored(world: &World) -> Option<Sale> {
    world.records.iter().rev().find_map(|record| match record {
        Record::Stored { sale, .. } => Some(*sale),
        _ => None,
    })
}

fn answered(world: &mut World, ending: Ending) {
    world.write(Record::AdviceEnded {
        ending,
        at: world.now,
        link: None,
    });
}

/// What stands, with what the shift says of `kind`.
fn sums(world: &World, kind: Kind) -> (Totals, Option<(u32, u64)>) {
    let state = world.terminal.state();
    (state.totals(), state.shift().taken.get(&kind).copied())
}

#[test]
fn a_stored_advice_that_is_refused_leaves_the_sums() {
    let refused = Ending::Declined(ResponseCode::RELATED_ERROR);
    for (kind, counts_as, fen) in [
        (Kind::OfflineSale, Kind::OfflineSale, 700),
        (Kind::TipAdjustment, Kind::Purchase, 14_000),
        (Kind::TipAdjustment, Kind::Purchase, 12_801),
    ] {
        let mut world = World::signed_on(true);
        let sale = world.sell_and_approve();
        let before = sums(&world, counts_as);
        let about = kind.row().original.map(|_| sale);
        order(&mut world, kind, about, fen);
        let counted = sums(&world, counts_as);
        assert_ne!(counted.1, before.1, "{kind:?} counts at once");
        answered(&mut world, refused);
        let (totals, shift) = sums(&world, counts_as);
        assert_eq!(shift, before.1, "{kind:?}");
        let expected = Totals {
            refused_advices: 1,
            ..before.0
        };
        assert_eq!(totals, expected, "{kind:?}");
        let batch = world.terminal.state().batch_totals().domestic;
        assert_eq!((batch.debits, batch.debits_minor), (1, 12_800));
    }
    // What an earlier shift has counted and printed stays there.
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    order(&mut world, Kind::OfflineSale, None, 700);
    world.pass(1_000);
    world.command(Command::CloseShift);
    answered(&mut world, refused);
    assert_eq!(sums(&world, Kind::OfflineSale).1, None);
    assert_eq!(sums(&world, Kind::OfflineSale).0.debits_minor, 12_800);
}

#[test]
fn a_tip_beyond_the_percentage_is_refused_at_the_till() {
    let most = 12_800 * u64::from(Percents::default().adjust) / 100;
    for (fen, taken) in [(most, true), (most + 1, false)] {
        let mut world = World::signed_on(true);
        let sale = world.sell_and_approve();
        let next = world.terminal.state().next_stan();
        let shown = order(&mut world, Kind::TipAdjustment, Some(sale), fen);
        assert_eq!(last_stored(&world).is_some(), taken, "{fen}");
        if !taken {
            let key = SaleKey { stan: next, ..sale };
            let (kind, code) = (Kind::TipAdjustment, ResponseCode::AMOUNT_LIMIT);
            assert_eq!(shown, [Screen::Declined { key, kind, code }]);
            assert_eq!(world.terminal.state().next_stan(), next);
            assert_eq!(world.terminal.state().totals().debits_minor, 12_800);
        }
        // The limit is of the first amount, however often it was adjusted.
        if taken {
            order(&mut world, Kind::TipAdjustment, Some(sale), most - 1);
            let shown = order(&mut world, Kind::TipAdjustment, Some(sale), most + 1);
            assert!(matches!(shown[..], [Screen::Declined { .. }]));
        }
    }
}
