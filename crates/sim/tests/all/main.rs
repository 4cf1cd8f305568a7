//! The simulator against the parties, and against itself.

use sim::{Fault, Scenario, Weather, run};

#[test]
fn clean_worlds_are_clean() {
    for seed in 0..20 {
        let report = run(&Scenario::clean(seed));
        assert_eq!(report.violations, [], "seed {seed}");
        assert!(report.purchases > 0);
    }
}
