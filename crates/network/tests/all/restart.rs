//! Restarts: the journal's fold is the state, and what was in flight is reversed, never resent.

use crate::world::*;
use network::{Input, Network};
use payment::host::*;
use payment::*;

#[test]
fn after_a_restart_everything_in_flight_is_reversed() {
    let mut world = World::new();
    let sales: Vec<Sealed> = (0..3).map(|_| world.purchase(ACQUIRER, PAN)).collect();
    for sale in &sales {
        world.request(ACQUIRER, sale).only_request(ISSUER);
    }
    let mut replayed = Network::new(config(&world.module));
    world
        .journal
        .iter()
        .for_each(|record| replayed.apply(record));
    world.network = replayed;
    assert_eq!(world.network.in_flight(), 3);

    let answers = world.input(Network::resumed());
    assert_eq!(answers.len(), 3);
    for (to, got) in &answers {
        let Got::Answer(answer) = got else {
            panic!("{got:?}")
        };
        assert_eq!((*to, answer.code), (ACQUIRER, ResponseCode::ISSUER_TIMEOUT));
    }
    assert_eq!(
        (world.network.in_flight(), world.network.undelivered()),
        (0, 3)
    );
    let reversals = world.pass_ms(0).reversals(ISSUER);
    let mut originals: Vec<HostKey> = Vec::new();
    for sealed in &reversals {
        let Request::Reversal(reversal) = sealed.request else {
            panic!("not a reversal")
        };
        originals.push(reversal.original);
        let done = Answer::to(&sealed.request, ResponseCode::APPROVED);
        world.answer(ISSUER, &done).nothing();
    }
    assert_eq!(
        originals,
        sales.iter().map(|s| s.request.key()).collect::<Vec<_>>()
    );
    assert_eq!(world.network.undelivered(), 0);
    // Twice resumed is once resumed (D3).
    world.input(Input::Resumed).nothing();
    world.check_fold();
}

#[test]
fn a_burst_after_a_restart_is_bounded_and_complete() {
    let mut world = World::new();
    let count = relay::BURST_MAX + 10;
    for _ in 0..count {
        let sale = world.purchase(ACQUIRER, PAN);
        world.request(ACQUIRER, &sale).only_request(ISSUER);
    }
    world.input(Input::Resumed);
    let first = world.input(Input::Tick).reversals(ISSUER);
    assert_eq!(first.len(), relay::BURST_MAX);
    assert_eq!(world.pass_ms(0).reversals(ISSUER).len(), 10);
    world.check_fold();
}
