//! Both sides' books at the end of a story: what the terminal says must be what the acquirer believes.

use crate::host::{Belief, Fate};
use crate::world::World;
use std::collections::VecDeque;
use terminal::{Command, Ending, Phase};

/// Longest time in which a healthy acquirer settles anything.
const SETTLED_WITHIN_MS: u64 = 600_000;

/// Lets time pass until nothing is unresolved; the cashier answers the question about the goods with `goods`, or not.
pub fn settle(world: &mut World, fates: &mut VecDeque<Fate>, goods: Option<bool>) {
    let end = world.now.mono.plus_ms(SETTLED_WITHIN_MS);
    world.due();
    world.serve(fates, Fate::Approve);
    while !world.terminal.state().is_settled() || world.terminal.state().exchange().is_some() {
        assert!(
            world.now.mono < end,
            "unsettled: {:?}",
            world.terminal.state()
        );
        let phase = world.terminal.state().open().map(|open| open.phase);
        match (phase, goods) {
            (Some(Phase::Question { .. }), Some(handed)) => {
                world.command(Command::GoodsHandedOver(handed));
            }
            _ => {
                let next = world.deadline().unwrap();
                world.pass(next.since_ms(world.now.mono) + 1);
            }
        }
        world.serve(fates, Fate::Approve);
    }
}

/// Every sale of either side has the same end at the other.
pub fn agree(world: &World) {
    assert!(world.terminal.state().is_settled());
    for (key, belief) in &world.host.sales {
        let ending = world.ending(*key);
        let fits = match belief {
            Belief::Debited => matches!(ending, Some(Ending::Approved(_))),
            Belief::Declined(_) => {
                matches!(ending, Some(Ending::Declined(_) | Ending::Reversed { .. }))
            }
            Belief::Reversed => matches!(ending, Some(Ending::Reversed { .. })),
            Belief::InProgress(_) | Belief::Reversing(_) => false,
        };
        assert!(fits, "M1: {key} is {belief:?} there and {ending:?} here");
    }
    for (key, ending) in world.endings() {
        let known = world.host.sales.contains_key(&key);
        assert!(
            known || ending == Ending::NotSent,
            "{key} is {ending:?} and unknown there"
        );
    }
    let (mut sales, mut minor) = (0, 0);
    for (_, ending) in world.endings() {
        if let Ending::Approved(approval) = ending {
            sales += 1;
            minor += approval.amount.minor;
        }
    }
    let totals = world.terminal.state().totals();
    assert_eq!((totals.debits, totals.debits_minor), (sales, minor));
}
