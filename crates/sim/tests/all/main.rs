//! The simulator against the parties, and against itself.

#[cfg(not(feature = "planted"))]
use sim::Mark;
use sim::{Fault, Scenario, Weather, run};

#[test]
fn clean_worlds_are_clean() {
    for seed in 0..20 {
        let report = run(&Scenario::clean(seed));
        assert_eq!(report.violations, [], "seed {seed}");
        assert!(
            report.purchases > 0 && report.fired.is_empty(),
            "seed {seed}"
        );
        assert_eq!(report.crashes, 0, "seed {seed}");
    }
}

#[cfg(not(feature = "planted"))]
#[test]
fn drawn_worlds_hold_every_invariant() {
    let summary = sim::seeds(0..250);
    assert_eq!(summary.failures, [], "{} seeds failed", summary.failed);
}

/// A moment that was never seen, or a fault that never fired, is a hole in the search.
#[cfg(not(feature = "planted"))]
#[test]
fn drawn_worlds_see_every_moment() {
    let summary = sim::seeds(250..600);
    assert_eq!(summary.failures, [], "{} seeds failed", summary.failed);
    for mark in Mark::ALL {
        assert!(summary.marks.count(mark) > 0, "never seen: {}", mark.name());
    }
    for kind in sim::orderable() {
        let en = kind.row().en;
        let stand = summary.kinds.get(en).map_or(0, |(_, stand)| *stand);
        assert!(stand > 0, "never approved: {en}");
    }
    for fault in Fault::ALL {
        assert!(
            summary.faults.contains_key(fault.name()),
            "never fired: {}",
            fault.name()
        );
    }
}

#[test]
fn each_fault_alone_is_survived() {
    for fault in Fault::ALL {
        let mut fired = 0;
        for seed in 0..5 {
            let mut weather = Weather::only(fault);
            if fault == Fault::TerminalNeverReturns {
                // Somebody must die first.
                weather.rates[Fault::TerminalDiesAfterWriting as usize] = 200;
            }
            if fault == Fault::ReversalLost {
                // Something must be reversed first.
                weather.rates[Fault::NetworkAnswerLost as usize] = 1_000;
            }
            let report = run(&Scenario::new(seed, weather));
            assert_eq!(report.violations, [], "{} in seed {seed}", fault.name());
            fired += report
                .fired
                .iter()
                .filter(|name| name.fault == fault)
                .count();
        }
        assert!(fired > 0, "{} never fired", fault.name());
    }
}

/// What a world of one kind needs besides is ordered too.
#[test]
fn each_kind_alone_is_survived() {
    for kind in sim::orderable() {
        let en = kind.row().en;
        let mut stand = 0;
        for seed in 0..4 {
            let mut scenario = Scenario::drawn(seed);
            scenario.kind = Some(kind);
            let report = run(&scenario);
            assert_eq!(report.violations, [], "{en} in seed {seed}");
            stand += report.kinds.get(en).map_or(0, |(_, stand)| *stand);
        }
        assert!(stand > 0, "{en} was never approved");
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in 0..12 {
        assert!(sim::repeats(&Scenario::drawn(seed)), "seed {seed}");
    }
    let hashes: std::collections::BTreeSet<u64> = (0..12)
        .map(|seed| run(&Scenario::drawn(seed)).trace_hash)
        .collect();
    assert_eq!(hashes.len(), 12);
}

#[test]
fn a_fault_taken_away_leaves_the_others() {
    let scenario = Scenario::new(3, Weather::only(Fault::AcquirerAnswerLost));
    let fired = run(&scenario).fired;
    let mut without = scenario.clone();
    without.weather.without.extend(fired.iter().copied());
    assert!(!fired.is_empty() && run(&without).fired.iter().all(|name| !fired.contains(name)));
    // Nothing fails, so nothing is made smaller.
    assert_eq!(sim::shrink(&scenario), scenario);
}

#[test]
fn the_story_is_whole_and_shows_no_card_number() {
    let story = sim::life_of_a_purchase();
    for part in [
        "0200",
        "0210",
        "0420",
        "0430",
        "Approved",
        "Printed",
        "Reversed",
        "Confirmed",
    ] {
        assert!(story.contains(part), "{part}");
    }
    let digits = story
        .split(|c: char| !c.is_ascii_digit())
        .any(|run| run.starts_with("622848") && run.len() > 6);
    assert!(!digits, "a card number in clear");
    assert!(!story.contains("VIOLATED"));
}

/// The whole list, with the seeds each took; run with `cargo test -p sim --features planted`.
#[cfg(feature = "planted")]
#[test]
fn planted_bugs_are_all_found() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut table = String::new();
    let mut missed = Vec::new();
    let mut rang = std::collections::BTreeSet::new();
    for bug in sim::planted::all() {
        match sim::planted::hunt(bug, 5_000) {
            Some(found) => {
                rang.insert(found.invariant);
                table.push_str(&format!(
                    "{:<52} {:>5}  {}\n",
                    format!("{bug:?}"),
                    found.seeds_needed,
                    found.invariant
                ));
            }
            None => missed.push(bug),
        }
    }
    let _ = std::panic::take_hook();
    println!("{table}");
    assert_eq!(missed, []);
    for name in [
        "R1", "R2", "R3", "M7", "M9", "T7", "C1", "C2", "C3", "W3", "E1", "E2", "E3", "E5",
    ] {
        assert!(rang.contains(name), "no bug makes {name} ring");
    }
    // Another one rings first in the seeds that show these.
    for (name, shown_by) in [
        ("R4", "IssuerKeepsClaim"),
        ("R5", "TakesForeignVoids"),
        ("W1", "GivesUpOrders"),
        ("W2", "OrdersAnew"),
        ("X1", "NetworkForgetsDebitLeg"),
        ("E4", "KeepsChipsBack"),
        ("G1", "GivesBackTwice"),
    ] {
        let mut bugs = sim::planted::all().into_iter();
        let bug = bugs.find(|bug| format!("{bug:?}").contains(shown_by));
        let found = sim::planted::hunt_for(bug.expect("a bug"), 500, |rang| rang == name);
        assert!(found.is_some(), "{shown_by} does not make {name} ring");
    }
    assert!(sim::planted::all().len() >= 20);
}

/// A failing seed is made small, and still fails.
#[cfg(feature = "planted")]
#[test]
fn a_planted_bug_is_made_small() {
    let bug = sim::planted::Bug::Issuer(issuer_bug());
    let mut scenario = Scenario::drawn(0);
    scenario.planted = Some(bug);
    let small = sim::shrink(&scenario);
    assert!(!run(&small).violations.is_empty());
    assert!(
        small.terminals == 1 && small.purchases <= scenario.purchases,
        "{small:?}"
    );
}

#[cfg(feature = "planted")]
fn issuer_bug() -> issuer::Bug {
    issuer::Bug::IssuerWrongAmount
}
