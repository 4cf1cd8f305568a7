//! Every planted bug is caught: the checks of these tests can fail.

use crate::walk::walk;
use crate::world::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use terminal::planted::Bug;

#[test]
fn every_bug_is_caught() {
    for (bug, invariant) in [
        (Bug::IgnoresMac, "T1"),
        (Bug::SellsWithPendingReversal, "T2"),
        (Bug::GivesUpReversals, "M1"),
    ] {
        let caught = (0..150).any(|seed| {
            let mut world = World::planted(seed % 3 != 0, bug);
            let walked = catch_unwind(AssertUnwindSafe(|| walk(&mut world, seed)));
            walked.is_err_and(|why| {
                let text = why.downcast_ref::<String>().map(String::as_str);
                let text = text.or(why.downcast_ref::<&str>().copied());
                text.is_some_and(|text| text.contains(invariant))
            })
        });
        assert!(caught, "{bug:?} was not caught by {invariant}");
    }
    // The walk stores no advices, takes no cash and settles nothing: the simulator hunts those (R2, C1, M7, T7).
    assert_eq!(Bug::ALL.len(), 7);
}
