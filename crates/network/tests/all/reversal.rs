//! Time-outs, late answers, advices and store-and-forward.

use crate::world::*;
use crypto::SecurityModule;
use network::Input;
use payment::host::*;
use payment::*;

fn own(sealed: &Sealed) -> Reversal {
    let Request::Reversal(reversal) = sealed.request else {
        panic!("not a reversal")
    };
    reversal
}

fn code_of(sealed: &Sealed, code: ResponseCode) -> Answer {
    Answer::to(&sealed.request, code)
}

#[test]
fn silence_is_answered_98_and_reversed_until_confirmed() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    world.pass_ms(TIMEOUT_MS - 1).nothing();
    let mut got = world.pass_ms(1);
    assert_eq!(got.len(), 2);
    let reversal = got.split_off(1).only_request(ISSUER);
    let gave_up = got.only_answer(ACQUIRER);
    assert_eq!(gave_up.code, ResponseCode::ISSUER_TIMEOUT);
    assert!(gave_up.answers(&sale.request));
    let advice = own(&reversal);
    assert_eq!(advice.original, sale.request.key());
    assert_eq!(advice.reason, ReversalReason::NETWORK_TIMEOUT);
    assert_eq!(
        (advice.key.acquirer, advice.key.forwarder),
        (ACQUIRER, NETWORK)
    );
    assert_ne!(advice.key, advice.original);

    // It is repeated under the same key, whatever the issuer says that does not end it.
    let tries = world.pass_ms(10_000).reversals(ISSUER);
    assert!(tries.len() >= 7);
    assert!(tries.iter().all(|again| again.request.key() == advice.key));
    let refused = code_of(&reversal, ResponseCode::SYSTEM_ERROR);
    world.answer(ISSUER, &refused).nothing();
    assert!(!world.pass_ms(2_000).reversals(ISSUER).is_empty());
    let item = world.network.undelivered_items().next().unwrap();
    assert!(item.case && item.refused == Some(ResponseCode::SYSTEM_ERROR));
    assert_eq!(world.network.counters().cases, 1);
    world.check_fold();

    // A late approval reaches nobody; a repeat of the request gets 98 again.
    world.answer(ISSUER, &approval(&forwarded)).nothing();
    assert_eq!(world.network.counters().late, 1);
    assert_eq!(
        world.request(ACQUIRER, &sale).only_answer(ACQUIRER),
        gave_up
    );

    let confirmed = code_of(&reversal, ResponseCode::APPROVED);
    world.answer(ISSUER, &confirmed).nothing();
    assert_eq!(
        (world.network.undelivered(), world.network.deadline()),
        (0, None)
    );
    world.pass_ms(60_000).nothing();
    world.check_fold();
}

#[test]
fn only_a_done_code_of_the_right_issuer_ends_a_reversal() {
    for (code, ends) in [
        (ResponseCode::APPROVED, true),
        (ResponseCode::INVALID_RELATED, true),
        (ResponseCode::ORIGINAL_NOT_FOUND, true),
        (ResponseCode::RELATED_ERROR, false),
        (ResponseCode::ISSUER_TIMEOUT, false),
    ] {
        let mut world = World::new();
        let sale = world.purchase(ACQUIRER, PAN);
        world.request(ACQUIRER, &sale).only_request(ISSUER);
        let reversal = world.pass_ms(TIMEOUT_MS).reversals(ISSUER).remove(0);
        world
            .answer(OTHER_ISSUER, &code_of(&reversal, code))
            .nothing();
        let mut other = code_of(&reversal, code);
        other.amount = Some(Amount::fen(1));
        world.answer(ISSUER, &other).nothing();
        assert_eq!(world.network.undelivered(), 1);
        world.answer(ISSUER, &code_of(&reversal, code)).nothing();
        assert_eq!(world.network.undelivered(), usize::from(!ends), "{code}");
    }
}

#[test]
fn an_inquiry_is_given_up_without_reversal() {
    let mut world = World::new();
    let inquiry = world.financial(ACQUIRER, PAN, Kind::BalanceInquiry);
    world.request(ACQUIRER, &inquiry).only_request(ISSUER);
    let answer = world.pass_ms(TIMEOUT_MS).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::ISSUER_TIMEOUT);
    assert_eq!(
        (world.network.in_flight(), world.network.undelivered()),
        (0, 0)
    );
}

#[test]
fn an_answer_with_a_wrong_mac_counts_as_none_and_is_the_reason() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let mut bad = world.sides[&ISSUER].write_answer(ISSUER, &approval(&forwarded));
    *bad.last_mut().unwrap() ^= 1;
    world.frame(ISSUER, &bad).unwrap().nothing();
    assert!(world.frame(ISSUER, &bad).is_err());
    assert_eq!(world.network.counters().wrong_mac, 1);
    let reversal = world.pass_ms(TIMEOUT_MS).reversals(ISSUER).remove(0);
    assert_eq!(own(&reversal).reason, ReversalReason::NETWORK_MAC);
    world.check_fold();
}

#[test]
fn an_advice_is_confirmed_end_to_end() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    world
        .answer(ISSUER, &approval(&forwarded))
        .only_answer(ACQUIRER);
    let advice = world.reversal_of(&sale);
    let passed = world.request(ACQUIRER, &advice).only_request(ISSUER);
    assert_eq!(passed.request.key(), advice.request.key());
    assert_eq!(own(&passed).original, sale.request.key());
    assert_eq!(own(&passed).reason, ReversalReason::ACQUIRER_TIMEOUT);
    // Silent until the issuer spoke; the acquirer's repeat changes nothing.
    world.request(ACQUIRER, &advice).nothing();
    assert_eq!(world.pass_ms(1_000).reversals(ISSUER).len(), 1);
    let code = ResponseCode::APPROVED;
    let answer = world
        .answer(ISSUER, &code_of(&passed, code))
        .only_answer(ACQUIRER);
    assert!(answer.answers(&advice.request));
    assert_eq!((answer.code, answer.receiver), (code, Some(ISSUER)));
    assert_eq!(
        world.request(ACQUIRER, &advice).only_answer(ACQUIRER),
        answer
    );
    // The sale itself is never approved again.
    let again = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
    assert_eq!(again.code, ResponseCode::RELATED_ERROR);
    assert_eq!(world.network.undelivered(), 0);
    world.check_fold();
}

#[test]
fn a_reversal_overtakes_a_sale_in_flight() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let advice = world.reversal_of(&sale);
    world.request(ACQUIRER, &advice).only_request(ISSUER);
    assert_eq!(world.network.in_flight(), 0);
    world.answer(ISSUER, &approval(&forwarded)).nothing();
    let asked = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
    assert_eq!(asked.code, ResponseCode::RELATED_ERROR);
    // One reversal is enough: no second one of the network's own.
    let keys = world.pass_ms(10_000).reversals(ISSUER);
    let key = advice.request.key();
    assert!(keys.iter().all(|sealed| sealed.request.key() == key));
    world.check_fold();
}

#[test]
fn a_reversal_before_its_sale_leaves_a_tombstone() {
    for (pan, issuer) in [(PAN, Some(ISSUER)), (UNKNOWN_PAN, None)] {
        let mut world = World::new();
        let sale = world.purchase(ACQUIRER, pan);
        let advice = world.reversal_of(&sale);
        let got = world.request(ACQUIRER, &advice);
        match issuer {
            Some(issuer) => {
                let passed = got.only_request(issuer);
                let code = ResponseCode::ORIGINAL_NOT_FOUND;
                let answer = world.answer(issuer, &code_of(&passed, code));
                assert_eq!(answer.only_answer(ACQUIRER).code, code);
            }
            None => {
                let code = got.only_answer(ACQUIRER).code;
                assert_eq!(code, ResponseCode::ORIGINAL_NOT_FOUND);
            }
        }
        let late = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
        assert_eq!(late.code, ResponseCode::RELATED_ERROR);
        assert_eq!(world.network.counters().forwarded, 0);
        world.check_fold();
    }
}

#[test]
fn both_reversals_of_one_sale_are_confirmed() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    world.request(ACQUIRER, &sale).only_request(ISSUER);
    let ours = world.pass_ms(TIMEOUT_MS).reversals(ISSUER).remove(0);
    let advice = world.reversal_of(&sale);
    let theirs = world.request(ACQUIRER, &advice).only_request(ISSUER);
    assert_eq!(world.network.undelivered(), 2);
    let code = ResponseCode::APPROVED;
    world.answer(ISSUER, &code_of(&ours, code)).nothing();
    world
        .answer(ISSUER, &code_of(&theirs, code))
        .only_answer(ACQUIRER);
    assert_eq!(world.network.undelivered(), 0);
    assert_eq!(world.network.counters().confirmed, 2);
}

#[test]
fn a_reversal_waits_for_an_issuer_that_is_away() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    world.request(ACQUIRER, &sale).only_request(ISSUER);
    let member = ISSUER;
    world.input(Input::Link { member, up: false }).nothing();
    let gave_up = world.pass_ms(60_000).only_answer(ACQUIRER);
    assert_eq!(gave_up.code, ResponseCode::ISSUER_TIMEOUT);
    world.input(Input::Link { member, up: true }).nothing();
    assert!(!world.pass_ms(2_000).reversals(ISSUER).is_empty());
    world.check_fold();
}

#[test]
fn nobody_reverses_what_is_not_his() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    world
        .answer(ISSUER, &approval(&forwarded))
        .only_answer(ACQUIRER);
    let advice = world.reversal_of(&sale);
    for (from, forwarder) in [(OTHER_ACQUIRER, OTHER_ACQUIRER), (ACQUIRER, NETWORK)] {
        let side = &world.sides[&from];
        let pan = crypto::Pan::parse(PAN.as_bytes()).unwrap();
        let mut reversal = own(&advice);
        reversal.sale.card = side.module.card(&pan, 1).unwrap();
        reversal.key.acquirer = from;
        reversal.key.forwarder = forwarder;
        let sealed = Sealed {
            request: Request::Reversal(reversal),
            secrets: Secrets::default(),
        };
        let bytes = side.write_request(from, &sealed);
        assert_eq!(world.frame(from, &bytes).unwrap_err(), EdgeError::Stranger);
    }
    assert_eq!(world.network.undelivered(), 0);
}
