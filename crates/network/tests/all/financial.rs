//! Requests and answers: routing, repeats, refusals, PIN zones, MACs.

use crate::world::*;
use crypto::{Pan, Pin, PinFormat, SecurityModule};
use network::Input;
use payment::host::*;
use payment::*;

#[test]
fn a_purchase_goes_to_the_issuer_of_its_card_and_back() {
    for (acquirer, pan, issuer) in [
        (ACQUIRER, PAN, ISSUER),
        (OTHER_ACQUIRER, PAN, ISSUER),
        (ACQUIRER, OTHER_PAN, OTHER_ISSUER),
    ] {
        let mut world = World::new();
        let sale = world.purchase(acquirer, pan);
        let forwarded = world.request(acquirer, &sale).only_request(issuer);
        let (Request::Financial(sent), Request::Financial(got)) = (sale.request, forwarded.request)
        else {
            panic!("not a sale")
        };
        assert_eq!(got.settlement, Some(1_122));
        assert_eq!((got.key, got.amount), (sent.key, sent.amount));
        assert_eq!(forwarded.secrets.pan, sale.secrets.pan);
        let answer = world
            .answer(issuer, &approval(&forwarded))
            .only_answer(acquirer);
        assert!(answer.answers(&sale.request));
        assert_eq!(answer.code, ResponseCode::APPROVED);
        assert_eq!(answer.approval, Some(ApprovalCode(*b"A00001")));
        assert_eq!(answer.receiver, Some(issuer));
        assert_eq!(answer.settlement, Some(1_122));
        assert_eq!(
            (world.network.in_flight(), world.network.deadline()),
            (0, None)
        );
        world.check_fold();
    }
}

#[test]
fn a_repeat_is_answered_as_before_and_forwarded_once() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    world.request(ACQUIRER, &sale).nothing();
    let first = world
        .answer(ISSUER, &approval(&forwarded))
        .only_answer(ACQUIRER);
    let again = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
    assert_eq!(first, again);
    // The issuer's own repeat changes nothing.
    world.answer(ISSUER, &approval(&forwarded)).nothing();
    // Another request under a key in use.
    let mut other = sale.clone();
    let Request::Financial(changed) = &mut other.request else {
        panic!("not a sale")
    };
    changed.amount = Amount::fen(1);
    let answer = world.request(ACQUIRER, &other).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::DUPLICATE);
    let counters = world.network.counters();
    assert_eq!((counters.forwarded, counters.repeats), (1, 3));
    assert_eq!(counters.stray_answers, 1);
    world.check_fold();
}

#[test]
fn a_request_that_cannot_go_on_is_declined_and_leaves_nothing() {
    type Prepare = fn(&mut World);
    let rows: [(&str, Prepare, ResponseCode); 4] = [
        (UNKNOWN_PAN, |_| (), ResponseCode::NO_SUCH_ISSUER),
        (
            PAN,
            |world| {
                let key = world.key(ISSUER);
                let off = management(key, NetworkCode::SignOff);
                world.request(ISSUER, &off).only_answer(ISSUER);
                assert!(!world.network.signed_on(ISSUER));
            },
            ResponseCode::ISSUER_UNAVAILABLE,
        ),
        (
            PAN,
            |world| {
                let up = false;
                world.input(Input::Link { member: ISSUER, up }).nothing();
            },
            ResponseCode::ISSUER_UNAVAILABLE,
        ),
        (
            PAN,
            |world| {
                let key = world.key(ACQUIRER);
                let off = management(key, NetworkCode::SignOff);
                world.request(ACQUIRER, &off).only_answer(ACQUIRER);
            },
            ResponseCode::ACQUIRER_STATUS,
        ),
    ];
    for (pan, prepare, code) in rows {
        let mut world = World::new();
        let sale = world.purchase(ACQUIRER, pan);
        prepare(&mut world);
        for _ in 0..2 {
            let answer = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
            assert_eq!(answer.code, code, "{pan}");
            assert!(answer.answers(&sale.request));
        }
        assert_eq!(world.network.counters().declined, 1);
        assert_eq!(
            (world.network.in_flight(), world.network.undelivered()),
            (0, 0)
        );
        world.check_fold();
    }
}

#[test]
fn a_frame_that_did_not_leave_is_answered_91_without_reversal() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    world.request(ACQUIRER, &sale).only_request(ISSUER);
    let undelivered = world.undelivered.pop().unwrap();
    let answer = world.input(undelivered.clone()).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::ISSUER_UNAVAILABLE);
    world.input(undelivered).nothing();
    world.pass_ms(60_000).nothing();
    assert_eq!(
        (world.network.in_flight(), world.network.undelivered()),
        (0, 0)
    );
    let again = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
    assert_eq!(answer, again);
    world.check_fold();
}

#[test]
fn a_pin_moves_into_the_issuers_zone_and_into_no_record() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let sale = world.with_pin(sale, b"123456");
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let issuer = &world.sides[&ISSUER];
    let pan = Pan::parse(PAN.as_bytes()).unwrap();
    let pin = Pin::parse(b"123456").unwrap();
    let expected = issuer
        .module
        .encipher_pin(&issuer.pin.unwrap(), PinFormat::WithPan, &pin, &pan)
        .unwrap();
    let (before, after) = (sale.secrets.pin.unwrap(), forwarded.secrets.pin.unwrap());
    assert!(after == expected && after != before);
    let journal = postcard::to_stdvec(&world.journal).unwrap();
    for secret in [&before.expose()[..], &after.expose()[..], PAN.as_bytes()] {
        assert!(!journal.windows(secret.len()).any(|bytes| bytes == secret));
    }
}

#[test]
fn a_malformed_pin_block_is_declined_here() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let mut sale = world.with_pin(sale, b"123456");
    sale.secrets.pin = Some(crypto::PinBlock::new([9; 8]));
    let answer = world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::PIN_FORMAT);
}

#[test]
fn a_pin_under_keys_that_changed_meanwhile_is_not_sent() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let sale = world.with_pin(sale, b"123456");
    let bytes = world.sides[&ACQUIRER].write_request(ACQUIRER, &sale);
    let heard = world
        .around(|network, around| network.hear(around, Peer::Member(ACQUIRER), &bytes))
        .unwrap();
    world.sign_on(ISSUER);
    let answer = world.input(heard).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::ISSUER_UNAVAILABLE);
}

#[test]
fn a_message_without_the_right_mac_has_no_effect() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let good = world.sides[&ACQUIRER].write_request(ACQUIRER, &sale);
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    // Another member's frame, a foreign header, nonsense, and a request in somebody else's name.
    let foreign = world.sides[&ISSUER].write_request(ISSUER, &sale);
    for (from, bytes) in [
        (ACQUIRER, &bad[..]),
        (ISSUER, &good),
        (ISSUER, &foreign),
        (Institution(5), &good),
        (ACQUIRER, &good[..60]),
        (ACQUIRER, b""),
    ] {
        assert!(world.frame(from, bytes).is_err());
    }
    assert_eq!(world.network.counters().forwarded, 0);
    let peer = Peer::Exchange(1);
    let heard = world.around(|network, around| network.hear(around, peer, &good));
    assert_eq!(heard.unwrap_err(), EdgeError::Stranger);
    world.frame(ACQUIRER, &good).unwrap().only_request(ISSUER);
}

#[test]
fn no_bytes_make_the_edge_panic() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let good = world.sides[&ACQUIRER].write_request(ACQUIRER, &sale);
    for at in 0..good.len() {
        for value in [0, b'9', 0xFF] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let peer = Peer::Member(ACQUIRER);
            let heard = world.around(|network, around| network.hear(around, peer, &bytes));
            drop(heard);
        }
    }
}

#[test]
fn an_answer_that_does_not_match_changes_nothing() {
    let mut world = World::new();
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let right = approval(&forwarded);
    let wrong = |change: fn(&mut Answer)| {
        let mut answer = right;
        change(&mut answer);
        answer
    };
    for (from, answer) in [
        (ISSUER, wrong(|a| a.amount = Some(Amount::fen(1)))),
        (ISSUER, wrong(|a| a.key.transmission += 1)),
        (ISSUER, wrong(|a| a.key.acquirer = OTHER_ACQUIRER)),
        (ISSUER, wrong(|a| a.kind = AnswerKind::Reversal)),
        (ISSUER, wrong(|a| a.acceptor = None)),
        (OTHER_ISSUER, right),
    ] {
        world.answer(from, &answer).nothing();
        assert_eq!(world.network.in_flight(), 1);
    }
    assert_eq!(world.network.counters().stray_answers, 6);
    world.answer(ISSUER, &right).only_answer(ACQUIRER);
}

/// An advice keeps the settlement date under which it left first, whatever day it is when somebody answers it (M8).
#[test]
fn an_advice_keeps_its_settlement_date() {
    let mut world = World::new();
    let advice = world.financial(ACQUIRER, PAN, Kind::OfflineSale);
    let first = world.request(ACQUIRER, &advice).only_request(ISSUER);
    let date = |sealed: &Sealed| match &sealed.request {
        Request::Financial(sale) => sale.settlement,
        _ => None,
    };
    world.pass_ms(60_000);
    world.now.wall.0 += 86_400_000;
    let again = world.request(ACQUIRER, &advice).only_request(ISSUER);
    assert_eq!(date(&again), date(&first));
    let answer = world
        .answer(ISSUER, &approval(&again))
        .only_answer(ACQUIRER);
    assert_eq!(answer.settlement, date(&first));
    world.check_fold();
}
