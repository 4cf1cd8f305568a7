//! Each planted bug changes what a check of this crate would find.

use crate::world::{CREDIT, DEBIT, OPENING, World};
use issuer::{Bug, PinCheck};
use payment::Kind;

/// Buys twice under one key, reverses twice, reverses first and buys then, buys with a wrong PIN: what stands afterwards
/// as (money and suspense of both cards, notices, wrong PINs, answers).
fn story(bug: Option<Bug>) -> (Vec<i64>, usize, String) {
    let mut world = World::new();
    if let Some(bug) = bug {
        world.issuer.plant(bug);
    }
    let (mut money, mut codes) = (Vec::new(), String::new());
    for card in [DEBIT, CREDIT] {
        let kept = world.sale(card, 1_000);
        let returned = world.sale(card, 300);
        let barred = world.sale(card, 70);
        let wrong = world.sale(card, 10_000);
        codes += world.buy(kept).as_str();
        codes += world.buy(kept).as_str();
        money.push(world.balance(card));
        codes += world.buy(returned).as_str();
        codes += world.reverse(returned).as_str();
        codes += world.reverse(returned).as_str();
        money.push(world.balance(card));
        codes += world.reverse(barred).as_str();
        codes += world.buy(barred).as_str();
        codes += world.ask(wrong, PinCheck::Wrong).code.as_str();
        money.push(world.balance(card));
        money.push(world.issuer.suspense());
        let mut ask = |kind, minor, original: Option<payment::HostKey>| {
            let mut later = world.sale(card, minor);
            (later.kind, later.original) = (kind, original);
            codes += world.buy(later).as_str();
            later
        };
        let void = ask(Kind::Void, 1_000, Some(kept.key));
        let hold = ask(Kind::PreAuth, 400, None);
        ask(Kind::Completion, 450, Some(hold.key));
        codes += world.reverse(void).as_str();
        let mut refund = world.sale(card, 200);
        (refund.kind, refund.original) = (Kind::Refund, Some(kept.key));
        codes += world.buy(refund).as_str();
        codes += world.buy(refund).as_str();
        let mut beyond = world.sale(card, 801);
        (beyond.kind, beyond.original) = (Kind::Refund, Some(kept.key));
        codes += world.buy(beyond).as_str();
        money.push(world.balance(card));
    }
    (money, world.notices.len(), codes)
}

#[test]
fn every_planted_bug_shows() {
    let sound = story(None);
    let rest = OPENING - 1_000;
    let later = rest - 450 + 200;
    let suspense = OPENING - later + 1_000;
    assert_eq!(
        sound.0,
        [
            rest, rest, rest, 1_000, later, rest, rest, rest, suspense, later
        ]
    );
    for bug in Bug::ALL {
        assert_ne!(story(Some(bug)), sound, "{bug:?}");
    }
}
