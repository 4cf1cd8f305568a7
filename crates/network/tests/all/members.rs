//! Sign-on, echo, sign-off and key change.

use crate::world::*;
use network::Input;
use payment::host::*;
use payment::*;

#[test]
fn a_sign_on_brings_keys_and_its_repeat_the_same() {
    let mut world = World::silent();
    assert!(!world.network.signed_on(ISSUER));
    let key = world.key(ISSUER);
    let request = management(key, NetworkCode::SignOn);
    let first = world.request(ISSUER, &request).only_answer(ISSUER);
    assert_eq!(first.code, ResponseCode::APPROVED);
    assert!(world.network.signed_on(ISSUER));
    assert_eq!(world.request(ISSUER, &request).only_answer(ISSUER), first);
    // A new sign-on brings other keys, and then an old copy of the first is not answered.
    let key = world.key(ISSUER);
    let second = world
        .request(ISSUER, &management(key, NetworkCode::SignOn))
        .only_answer(ISSUER);
    assert_ne!(second.management, first.management);
    world.check_fold();
    let off = management(world.key(ISSUER), NetworkCode::SignOff);
    world.request(ISSUER, &off).only_answer(ISSUER);
    let late = management(key, NetworkCode::SignOn);
    world.request(ISSUER, &late).nothing();
    assert!(!world.network.signed_on(ISSUER));
}

#[test]
fn an_echo_is_answered_also_before_sign_on() {
    let mut world = World::silent();
    let echo = management(world.key(ISSUER), NetworkCode::Echo);
    let answer = world.request(ISSUER, &echo).only_answer(ISSUER);
    assert_eq!(answer.code, ResponseCode::APPROVED);
    assert_eq!(answer.management, Some((NetworkCode::Echo, None)));
    assert!(world.journal.is_empty());
    // Only the network changes keys.
    let reset = management(world.key(ISSUER), NetworkCode::KeyReset);
    world.request(ISSUER, &reset).nothing();
}

#[test]
fn new_keys_count_from_their_answer_and_the_old_ones_for_what_is_on_its_way() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let in_flight = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let under_old = world.sides[&ISSUER].write_answer(ISSUER, &approval(&in_flight));

    let reset = world
        .around(|network, around| network.reset_keys(around, ISSUER))
        .unwrap();
    let offer = world.input(reset).only_request(ISSUER);
    let Request::Management(offer) = offer.request else {
        panic!("not management")
    };
    assert_eq!(
        (offer.code, offer.key.forwarder),
        (NetworkCode::KeyReset, NETWORK)
    );
    // Until the member answers, the network writes under the old keys.
    let sale = world.purchase(ACQUIRER, PAN);
    world.request(ACQUIRER, &sale).only_request(ISSUER);

    world.side(ISSUER).install(&offer.keys.unwrap());
    let mut taken = Answer::to(&Request::Management(offer), ResponseCode::APPROVED);
    taken.key.stan = taken.key.stan.next();
    world.answer(ISSUER, &taken).nothing();
    taken.key = offer.key;
    world.answer(ISSUER, &taken).nothing();
    let sale = world.purchase(ACQUIRER, PAN);
    let under_new = world.request(ACQUIRER, &sale).only_request(ISSUER);
    world
        .answer(ISSUER, &approval(&under_new))
        .only_answer(ACQUIRER);
    // The answer that was on its way under the old keys is still good.
    let answer = world.frame(ISSUER, &under_old).unwrap();
    assert_eq!(answer.only_answer(ACQUIRER).code, ResponseCode::APPROVED);
    world.check_fold();
}

#[test]
fn refused_keys_are_forgotten() {
    let mut world = World::new();
    let reset = world
        .around(|network, around| network.reset_keys(around, ISSUER))
        .unwrap();
    let offer = world.input(reset).only_request(ISSUER);
    let refused = Answer::to(&offer.request, ResponseCode::SYSTEM_ERROR);
    world.answer(ISSUER, &refused).nothing();
    let sale = world.purchase(ACQUIRER, PAN);
    world.request(ACQUIRER, &sale).only_request(ISSUER);
}

#[test]
fn keys_are_not_changed_for_a_stranger_nor_for_whom_no_link_reaches() {
    let mut world = World::new();
    let stranger = world.around(|network, around| network.reset_keys(around, Institution(9)));
    assert_eq!(stranger.unwrap_err(), EdgeError::Stranger);
    let reset = world
        .around(|network, around| network.reset_keys(around, ISSUER))
        .unwrap();
    let (member, up) = (ISSUER, false);
    world.input(Input::Link { member, up }).nothing();
    world.input(reset).nothing();
    let links = world.journal.len();
    world.input(Input::Link { member, up }).nothing();
    assert_eq!(world.journal.len(), links);
}

#[test]
fn nobody_without_the_key_of_the_link_signs_a_member_on_or_off() {
    let mut world = World::silent();
    let sign_on = management(world.key(ISSUER), NetworkCode::SignOn);
    let refused = |world: &mut World, sealed: &Sealed| {
        let other = world.sides[&ACQUIRER].write_request(ISSUER, sealed);
        assert!(matches!(
            world.frame(ISSUER, &other),
            Err(EdgeError::Content(_))
        ));
    };
    refused(&mut world, &sign_on);
    assert!(!world.network.signed_on(ISSUER) && world.journal.is_empty());
    world.request(ISSUER, &sign_on).only_answer(ISSUER);
    let sign_off = management(world.key(ISSUER), NetworkCode::SignOff);
    refused(&mut world, &sign_off);
    assert!(world.network.signed_on(ISSUER));
}
