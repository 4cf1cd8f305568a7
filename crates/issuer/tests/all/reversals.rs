//! Reversals before, after, without and beside their original.

use crate::world::{CREDIT, DEBIT, OPENING, World};
use issuer::{Input, PinCheck, Standing};
use payment::host::Financial;
use payment::{Amount, ResponseCode};

/// Says what is available to the debit card and how many notices and records there are.
fn position(world: &World) -> (i64, usize, usize) {
    (
        world.balance(DEBIT),
        world.notices.len(),
        world.records.len(),
    )
}

#[test]
fn after_its_original_it_acts_once() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 12_800);
    world.buy(sale);
    let advice = world.advice(sale);
    assert_eq!(world.repeat_advice(advice), ResponseCode::APPROVED);
    let after = position(&world);
    assert_eq!((after.0, after.1), (OPENING, 2));
    // The same advice, another advice for the same original, the original itself.
    assert_eq!(world.repeat_advice(advice), ResponseCode::APPROVED);
    assert_eq!(world.reverse(sale), ResponseCode::APPROVED);
    assert_eq!(world.buy(sale), ResponseCode::RELATED_ERROR);
    assert_eq!(world.buy(sale), ResponseCode::RELATED_ERROR);
    assert_eq!(position(&world), after);
    let exchange = world.issuer.exchange(&sale.key).unwrap();
    assert_eq!(exchange.standing, Standing::Reversed);
    assert_eq!(world.issuer.counters().reversed, 1);
}

#[test]
fn before_its_original_it_bars_it() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 12_800);
    assert_eq!(world.reverse(sale), ResponseCode::ORIGINAL_NOT_FOUND);
    assert_eq!(world.reverse(sale), ResponseCode::ORIGINAL_NOT_FOUND);
    for _ in 0..2 {
        let answer = world.ask(sale, PinCheck::Right);
        assert_eq!(
            (answer.code, answer.approval),
            (ResponseCode::RELATED_ERROR, None)
        );
    }
    assert_eq!(world.reverse(sale), ResponseCode::ORIGINAL_NOT_FOUND);
    assert_eq!((world.balance(DEBIT), world.notices.len()), (OPENING, 0));
    let counters = world.issuer.counters();
    assert_eq!((counters.barred, counters.came_after_reversal), (1, 1));
    // One that is too old to be executed needs no tombstone.
    let mut old = world.sale(DEBIT, 1);
    old.key.transmission = 1_101_000_000;
    assert_eq!(world.reverse(old), ResponseCode::ORIGINAL_NOT_FOUND);
    assert_eq!(world.issuer.exchange(&old.key), None);
    assert_eq!(world.buy(old), ResponseCode::DUPLICATE);
}

#[test]
fn of_a_refused_original_it_finds_nothing() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 100_001);
    assert_eq!(world.buy(sale), ResponseCode::INSUFFICIENT_FUNDS);
    let records = world.records.len();
    assert_eq!(world.reverse(sale), ResponseCode::INVALID_RELATED);
    assert_eq!(world.reverse(sale), ResponseCode::INVALID_RELATED);
    assert_eq!(world.records.len(), records + 1, "stored once");
    assert_eq!(world.buy(sale), ResponseCode::INSUFFICIENT_FUNDS);
}

#[test]
fn with_other_content_it_has_no_effect() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 12_800);
    world.buy(sale);
    let other_amount = Financial {
        amount: Amount::fen(12_801),
        ..sale
    };
    let other_card = Financial {
        card: world.sale(CREDIT, 1).card,
        ..sale
    };
    for _ in 0..2 {
        assert_eq!(world.reverse(other_amount), ResponseCode::AMOUNT_MISMATCH);
        assert_eq!(world.reverse(other_card), ResponseCode::INVALID_RELATED);
        assert_eq!(world.balance(DEBIT), OPENING - 12_800);
    }
    assert_eq!(world.reverse(sale), ResponseCode::APPROVED);
    assert_eq!(world.reverse(other_amount), ResponseCode::AMOUNT_MISMATCH);
    assert_eq!(world.reverse(other_card), ResponseCode::INVALID_RELATED);
    assert_eq!((world.balance(DEBIT), world.notices.len()), (OPENING, 2));
}

#[test]
fn it_is_taken_however_late_and_for_a_blocked_card() {
    let mut world = World::new();
    let sale = world.sale(CREDIT, 12_800);
    world.buy(sale);
    for _ in 0..3 {
        let wrong = world.sale(CREDIT, 1);
        world.ask(wrong, PinCheck::Wrong);
    }
    let advice = world.advice(sale);
    world.advance(30 * 86_400_000);
    assert_eq!(
        world.answer(Input::Reversal(advice)).code,
        ResponseCode::APPROVED
    );
    assert_eq!(world.balance(CREDIT), OPENING);
}
