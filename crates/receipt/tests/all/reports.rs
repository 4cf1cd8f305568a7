//! Settlement and shift slips in the spool: one unmarked original, marked reprints, bounded and found again.

use crate::kinds::{settlement, shift};
use crate::spool::MERCHANT;
use crate::world::World;
use receipt::slip::PENDING_MAX;
use receipt::{
    CopyOf, Evidence, JobState, Language, Paper, PendingItem, Report, Search, ShiftFields, Spool,
    SpoolInput, Title,
};

const SETTLEMENT: u64 = 1_000;
const SHIFT: u64 = 1_001;

fn submit(slip_id: u64, report: Report) -> SpoolInput {
    SpoolInput::SubmitReport {
        slip_id,
        report,
        language: Language::Zh,
        paper: Paper::Mm58,
    }
}

/// How often a title stands on paper, and how many prints are marked.
fn papers(world: &World, title: &str) -> (usize, usize) {
    let texts = || world.printer.papers().iter().map(|paper| &paper.text);
    let lines = |words: &str| {
        let words = words.to_owned();
        texts()
            .flat_map(|text| text.lines())
            .filter(move |line| line.trim().starts_with(&words))
            .count()
    };
    (lines(title), lines("第 "))
}

#[test]
fn a_report_is_printed_once_and_reprinted_with_a_mark() {
    let mut world = World::new();
    for _ in 0..2 {
        world.input(submit(SETTLEMENT, Report::Settlement(settlement())));
    }
    world.settle();
    world.input(submit(SHIFT, Report::Shift(shift())));
    world.settle();
    assert_eq!(papers(&world, "结算单"), (1, 0));
    assert_eq!(papers(&world, "交接班单"), (1, 0));
    for slip_id in [SETTLEMENT, SHIFT] {
        assert_eq!(world.state(slip_id), (JobState::Done, Evidence::Printed, 1));
        assert!(world.spool.copy(slip_id, CopyOf::Cardholder).is_none());
    }
    world.input(SpoolInput::Reprint {
        slip_id: SETTLEMENT,
    });
    world.settle();
    assert_eq!(papers(&world, "结算单"), (2, 1));
}

#[test]
fn an_unprinted_report_is_listed_and_found() {
    let mut world = World::new();
    world.switch(true);
    world.input(submit(SETTLEMENT, Report::Settlement(settlement())));
    let day = Search {
        date: Some("2026-11-22 22".to_owned()),
        ..Search::default()
    };
    let found = world.spool.search(&day);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].slip_id, found[0].title),
        (SETTLEMENT, Title::Settlement)
    );
    // It is about no one sale, so no voucher finds it.
    let voucher = Search {
        voucher: Some(0),
        ..Search::default()
    };
    assert!(world.spool.search(&voucher).is_empty());
    world.switch(false);
    world.input(SpoolInput::Reprint {
        slip_id: SETTLEMENT,
    });
    let listed: Vec<_> = world.spool.unprinted().collect();
    assert_eq!((listed.len(), listed[0].1), (1, MERCHANT));
    world.settle();
    assert_eq!(world.spool.unprinted().count(), 0);
}

#[test]
fn more_pending_items_than_paper_are_counted() {
    let item = |voucher| PendingItem {
        voucher,
        ..shift().pending[0].clone()
    };
    let fields = ShiftFields {
        pending: (0..PENDING_MAX as u32 + 20).map(item).collect(),
        ..shift()
    };
    let input = submit(SHIFT, Report::Shift(fields));
    let mut spool = Spool::default();
    for record in spool.decide(0, input).0 {
        spool.apply(&record);
    }
    let records = format!("{spool:?}");
    assert!(records.contains("pending_more: 20"), "{records}");
}
