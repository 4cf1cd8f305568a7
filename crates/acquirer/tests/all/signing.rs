//! Sign-on, keys and MACs on both sides, and bytes that mean nothing.

use crate::outs::*;
use crate::world::*;
use crypto::WrappedKey;
use payment::terminal::{MacCheck, Request, Sealed};
use payment::{
    Batch, EdgeError, Institution, Kind, MerchantId, Peer, ResponseCode, Secrets, TerminalId, host,
};

#[test]
fn sign_on_gives_keys_and_its_repeat_gives_the_same() {
    let mut world = World::cold();
    let first = world.sign_on(EXTENDED, 1);
    assert_eq!(
        (first.origin.batch, first.acquirer),
        (Batch(1), Some(Institution(48_020_000)))
    );
    let written = world.records();
    assert_eq!(world.sign_on(EXTENDED, 1).keys, first.keys);
    assert_eq!(world.records(), written, "a repeat writes nothing");
    let later = world.sign_on(EXTENDED, 2);
    assert_ne!(later.keys, first.keys);
    assert_eq!(later.origin.batch, first.origin.batch);
    assert_eq!(world.sign_on(PLAIN, 1).origin.batch, Batch(2));
    // After a sign-off the same trace number gets new keys.
    let origin = world.origin(EXTENDED, 3);
    assert_eq!(
        till(world.manage(Kind::SignOff, origin)).0.code,
        ResponseCode::APPROVED
    );
    let old = world.keys[&EXTENDED];
    assert_eq!(
        told(&world.ask(&buy(4))),
        ["A0"],
        "signed off: no key can be right"
    );
    assert_ne!(world.sign_on(EXTENDED, 2).keys, later.keys);
    assert_ne!(world.keys[&EXTENDED], old);
    let origin = world.origin(EXTENDED, 5);
    assert_eq!(
        till(world.manage(Kind::Echo, origin)).0.code,
        ResponseCode::APPROVED
    );
}

#[test]
fn strangers_and_wrong_macs_leave_no_record() {
    let mut world = World::open();
    let stranger = TerminalId(*b"T9999999");
    let own = world.keys[&EXTENDED].mac;
    let stray = world.keys[&PLAIN].mac;
    world.keys.insert(stranger, world.keys[&EXTENDED]);
    let written = world.records();
    let check = |world: &mut World, ask: Ask, key: Option<&WrappedKey>, code: &str| {
        let frame = world.frame(&world.financial(&ask), key);
        let (answer, mac) = till(world.till_sends(&frame));
        assert_eq!((answer.code.as_str(), mac), (code, MacCheck::Absent));
        assert_eq!(world.records(), written, "{code} leaves a record");
    };
    check(
        &mut world,
        Ask {
            terminal: stranger,
            ..buy(1)
        },
        Some(&own),
        "97",
    );
    check(
        &mut world,
        Ask {
            merchant: OTHER_SHOP,
            ..buy(1)
        },
        Some(&own),
        "03",
    );
    check(
        &mut world,
        Ask {
            merchant: MerchantId([b'9'; 15]),
            ..buy(1)
        },
        Some(&own),
        "03",
    );
    check(&mut world, buy(1), Some(&stray), "A0");
    check(&mut world, buy(1), None, "A0");
    // One bit of the amount changed on the way.
    let mut frame = world.frame(&world.financial(&buy(1)), Some(&own));
    let at = frame
        .windows(3)
        .position(|bytes| bytes == [0x01, 0x28, 0x00])
        .unwrap();
    frame[at] ^= 1;
    assert_eq!(told(&world.till_sends(&frame)), ["A0"]);
    assert_eq!(world.records(), written);
    // Reversal, query and report are not believed either.
    let request = Request::IdleReport {
        origin: world.origin(EXTENDED, 1),
        sign: sign(
            1,
            payment::SignOutcome::Approved,
            4,
            payment::sign::Trouble::None,
        ),
    };
    let frame = world.frame(
        &Sealed {
            request,
            secrets: Secrets::default(),
        },
        Some(&stray),
    );
    assert_eq!(told(&world.till_sends(&frame)), ["A0"]);
    assert_eq!(world.records(), written);
}

#[test]
fn what_is_not_served_is_said_so_and_nonsense_is_dropped() {
    let mut world = World::open();
    let good = world.frame(&world.financial(&buy(1)), Some(&world.keys[&EXTENDED].mac));
    let written = world.records();
    let tampered = |frame: &[u8], from: &[u8], to: &[u8]| {
        let at = frame
            .windows(from.len())
            .position(|bytes| bytes == from)
            .unwrap();
        let mut frame = frame.to_vec();
        frame[at..at + to.len()].copy_from_slice(to);
        frame
    };
    // Field 60: transaction type 22 becomes 77, which nobody knows.
    let unknown = tampered(&good, &[0x22, 0x00, 0x00, 0x01, 0x00, 0x06], &[0x77]);
    assert_eq!(told(&world.till_sends(&unknown)), ["40"]);
    // Field 22: a PIN is said to be there and is not.
    let pinless = tampered(&good, &[0x02, 0x20, 0x00], &[0x02, 0x10]);
    assert_eq!(told(&world.till_sends(&pinless)), ["30"]);
    assert_eq!(world.records(), written);
    // Every prefix, and every changed byte that the MAC covers: an answer or a typed error, never a panic.
    for length in 0..good.len() {
        assert!(world.hear(Peer::Exchange(1), &good[..length]).is_err());
    }
    for (at, flip) in (iso8583::frame::TERMINAL_PREFIX_BYTES..good.len())
        .flat_map(|at| [1, 0x10, 0x80, 0xFF].map(|flip| (at, flip)))
    {
        let mut frame = good.clone();
        frame[at] ^= flip;
        if let Ok(input) = world.hear(Peer::Exchange(1), &frame) {
            world.step(input);
        }
    }
    assert!(
        world.acquirer.state().sales().next().is_none(),
        "a changed byte got through"
    );
    let asked = world.forwarded(&buy(1));
    let mac = world.link.as_ref().unwrap().mac;
    let mut frame = world.host_frame(&answer(&asked, "00"), Some(&mac));
    // The MAC itself is wrong first, so that no single change can make it right.
    *frame.last_mut().unwrap() ^= 2;
    for (at, flip) in (0..frame.len()).flat_map(|at| [1, 0x10, 0x80].map(|flip| (at, flip))) {
        let mut frame = frame.clone();
        frame[at] ^= flip;
        if let Ok(input) = world.hear(Peer::Member(Institution(10_000)), &frame) {
            assert!(world.step(input).is_empty());
        }
    }
    assert!(matches!(
        world.hear(Peer::Member(Institution(4)), &frame),
        Err(EdgeError::Stranger)
    ));
}

#[test]
fn the_network_gives_new_keys_and_the_old_mac_is_good_for_what_was_on_its_way() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let before = world.link.as_ref().unwrap().mac;
    let on_its_way = world.host_frame(&answer(&asked, "00"), Some(&before));
    let keys = world.new_host_keys(11);
    assert_eq!(
        world
            .network_asks(host::NetworkCode::KeyReset, Some(keys))
            .code,
        ResponseCode::APPROVED
    );
    let input = world
        .hear(Peer::Member(Institution(10_000)), &on_its_way)
        .unwrap();
    assert_eq!(told(&world.step(input)), ["00"]);
    // From now on the new keys.
    let (second, mac) = network(world.ask(&buy(2)));
    assert_eq!(mac, MacCheck::Right);
    assert_eq!(told(&world.network_answers(&second, "00")), ["00"]);
    // The key before the last is not good any more.
    let third = world.forwarded(&buy(3));
    let keys = world.new_host_keys(13);
    world.network_asks(host::NetworkCode::KeyReset, Some(keys));
    let frame = world.host_frame(&answer(&third, "00"), Some(&before));
    let input = world
        .hear(Peer::Member(Institution(10_000)), &frame)
        .unwrap();
    assert!(world.step(input).is_empty());
    // Keys that do not check are refused and nothing changes.
    let mut broken = world.new_host_keys(17);
    broken.mac.1[0] ^= 1;
    let written = world.records();
    assert_eq!(
        world
            .network_asks(host::NetworkCode::KeyReset, Some(broken))
            .code,
        ResponseCode::SECURITY_ERROR
    );
    assert_eq!(
        world.network_asks(host::NetworkCode::KeyReset, None).code,
        ResponseCode::SECURITY_ERROR
    );
    assert_eq!(
        world.network_asks(host::NetworkCode::Echo, None).code,
        ResponseCode::APPROVED
    );
    assert_eq!(world.records(), written);
}

#[test]
fn the_sign_on_to_the_network_is_repeated_until_it_is_answered() {
    let mut world = World::cold();
    let (first, _) = network(world.link_is_up());
    let again = world.wait(2_500);
    assert_eq!(again.len(), 2, "one a second");
    let keys = world.new_host_keys(3);
    let with_keys = |asked: &host::Sealed, code| {
        let mut answer = host::Answer::to(&asked.request, code);
        answer.management = Some((host::NetworkCode::SignOn, Some(keys)));
        answer
    };
    // The answer to an older question, and a refusal, give no keys.
    world.network_says(&with_keys(&first, ResponseCode::APPROVED));
    assert!(!world.acquirer.state().signed_on());
    let Some(Out::Network { sealed: last, .. }) = again.into_iter().last() else {
        panic!()
    };
    world.network_says(&with_keys(&last, ResponseCode::SECURITY_ERROR));
    assert!(!world.acquirer.state().signed_on());
    world.network_says(&with_keys(&last, ResponseCode::APPROVED));
    assert!(world.acquirer.state().signed_on());
    assert!(world.wait(60_000).is_empty());
}

#[test]
fn a_reset_between_our_sign_on_and_its_answer_does_not_hide_the_answer() {
    let mut world = World::open();
    let (asked, _) = network(world.link_is_up());
    let reset = world.new_host_keys(19);
    world.network_asks(host::NetworkCode::KeyReset, Some(reset));
    let keys = world.new_host_keys(29);
    let mut signed = host::Answer::to(&asked.request, ResponseCode::APPROVED);
    signed.management = Some((host::NetworkCode::SignOn, Some(keys)));
    world.network_says(&signed);
    let (asked, mac) = network(world.ask(&buy(1)));
    assert_eq!(mac, MacCheck::Right);
    assert_eq!(told(&world.network_answers(&asked, "00")), ["00"]);
}

#[test]
fn nobody_without_the_key_of_the_link_gives_us_keys() {
    let mut world = World::cold();
    let (asked, mac) = network(world.link_is_up());
    assert_eq!(mac, MacCheck::Right, "the sign-on itself");
    let keys = world.new_host_keys(3);
    let mut answer = host::Answer::to(&asked.request, ResponseCode::APPROVED);
    answer.management = Some((host::NetworkCode::SignOn, Some(keys)));
    let written = world.records();
    for key in [None, world.link.as_ref().map(|link| link.mac)] {
        let frame = world.host_frame(&answer, key.as_ref());
        let input = world.hear(Peer::Member(NETWORK), &frame).unwrap();
        assert!(world.step(input).is_empty());
    }
    assert_eq!(world.records(), written);
    assert!(!world.acquirer.state().signed_on());
    world.network_says(&answer);
    assert!(world.acquirer.state().signed_on());
}
