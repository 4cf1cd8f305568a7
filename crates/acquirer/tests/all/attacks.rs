//! What an attacker on the line or at a till may try: each gets the documented code and leaves the books unchanged.

use crate::outs::*;
use crate::world::*;
use iso8583::frame::{TerminalHeader, open_terminal};
use payment::terminal::{MacCheck, Origin, Request, Sealed};
use payment::{Amount, Kind, Original, Peer, ResponseCode, Secrets, Stan};

/// The frame of a request under its terminal's own key.
fn frame(world: &World, ask: &Ask) -> Vec<u8> {
    let key = world.keys[&ask.terminal].mac;
    world.frame(&world.financial(ask), Some(&key))
}

#[test]
fn the_mac_of_another_message_is_no_mac() {
    let mut world = World::open();
    let mut frames = [buy(1), buy(2)].map(|ask| frame(&world, &ask));
    let macs = frames
        .each_ref()
        .map(|frame| frame[frame.len() - 8..].to_vec());
    for (frame, mac) in frames.iter_mut().zip(macs.iter().rev()) {
        let start = frame.len() - 8;
        frame[start..].copy_from_slice(mac);
        let before = world.records();
        let (answer, mac) = till(world.till_sends(frame));
        assert_eq!(
            (answer.code, mac),
            (ResponseCode::MAC_ERROR, MacCheck::Absent)
        );
        assert_eq!(world.records(), before);
    }
    assert_eq!(world.payable(), 0);
}

/// The MAC of the terminal interface does not see the order of aligned blocks (reference 1.4): what a swap makes of a
/// recorded sale must not be a second one.
#[test]
fn swapped_mac_blocks_charge_nothing() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let recorded = frame(&world, &sale);
    let (_, body) = open_terminal(&recorded).unwrap();
    let start = recorded.len() - body.len();
    let blocks = (body.len() - 8) / 8;
    for (one, other) in (0..blocks).flat_map(|one| (one + 1..blocks).map(move |other| (one, other)))
    {
        let mut swapped = recorded.clone();
        for byte in 0..8 {
            swapped.swap(start + one * 8 + byte, start + other * 8 + byte);
        }
        if swapped == recorded {
            continue;
        }
        let Ok(input) = world.hear(Peer::Exchange(99), &swapped) else {
            continue;
        };
        let outs = world.step(input);
        assert!(
            !outs.iter().any(|out| matches!(out, Out::Network { .. })),
            "blocks {one} and {other}: {outs:?}"
        );
        assert!(told(&outs).iter().all(|code| code != "00"), "{outs:?}");
        assert_eq!(world.payable(), 12_800, "blocks {one} and {other}");
    }
}

#[test]
fn a_replayed_message_gets_its_first_answer_and_has_no_effect() {
    let mut world = World::open();
    let sale = buy(1);
    let recorded = frame(&world, &sale);
    let asked = match <[Out; 1]>::try_from(world.till_sends(&recorded)) {
        Ok([Out::Network { sealed, .. }]) => sealed,
        other => panic!("{other:?}"),
    };
    // Under way: the replay is not forwarded.
    assert!(world.till_sends(&recorded).is_empty());
    let (first, _) = till(world.network_answers(&asked, "00"));
    for _ in 0..3 {
        let (again, mac) = till(world.till_sends(&recorded));
        assert_eq!((again, mac), (first, MacCheck::Right));
        assert_eq!(world.payable(), 12_800);
    }
    // Once reversed it never looks approved again, nor is it a new sale.
    let advice = advice(world.reverse(&sale));
    world.network_says(&answer(&advice, "00"));
    let (again, _) = till(world.till_sends(&recorded));
    assert_eq!(again.code, ResponseCode::RELATED_ERROR);
    assert_eq!(world.payable(), 0);
    // The terminal has new keys: the recorded MAC is worth nothing.
    world.sign_on(EXTENDED, 901);
    let (again, _) = till(world.till_sends(&recorded));
    assert_eq!(again.code, ResponseCode::MAC_ERROR);
    assert_eq!(world.payable(), 0);
}

#[test]
fn nobody_reverses_somebody_else_s_sale() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let of = |ask: Ask| ask;
    // Another till under its own name withdraws only its own, which it has not.
    let other_till = of(Ask {
        terminal: PLAIN,
        ..sale
    });
    assert_eq!(told(&world.reverse(&other_till)), ["25"]);
    // Another amount, another card, another kind under the right name.
    for (ask, code) in [
        (
            Ask {
                amount: Amount::fen(12_700),
                ..sale
            },
            "64",
        ),
        (
            Ask {
                card: OTHER_CARD,
                ..sale
            },
            "12",
        ),
        (
            Ask {
                kind: Kind::PreAuth,
                ..sale
            },
            "12",
        ),
    ] {
        assert_eq!(told(&world.reverse(&ask)), [code]);
    }
    // Under the right name, with another till's key.
    let request = Request::Reversal {
        sale: match world.financial(&sale).request {
            Request::Financial { sale, .. } => sale,
            other => panic!("{other:?}"),
        },
        reason: ResponseCode::ISSUER_TIMEOUT,
        sign: None,
    };
    let sealed = Sealed {
        request,
        secrets: Secrets::default(),
    };
    let stolen = world.keys[&PLAIN].mac;
    let forged = world.frame(&sealed, Some(&stolen));
    let (answer, _) = till(world.till_sends(&forged));
    assert_eq!(answer.code, ResponseCode::MAC_ERROR);
    assert!(world.sale(&sale).stands());
    assert_eq!(world.payable(), 12_800);
}

#[test]
fn the_wrong_till_does_not_void() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let key = world.key(&sale);
    let void = |terminal, rrn| Ask {
        terminal,
        kind: Kind::Void,
        original: Some(Original {
            batch: key.batch,
            stan: key.stan,
            date: 0,
            rrn,
            approval: None,
        }),
        ..buy(2)
    };
    let rrn = Some(world.sale(&sale).rrn);
    for (ask, code) in [(void(PLAIN, rrn), "58"), (void(PLAIN, None), "25")] {
        let ask = Ask {
            stan: 2 + u32::from(rrn.is_none()) + u32::from(code == "25"),
            ..ask
        };
        assert_eq!(told(&world.ask(&ask)), [code]);
        assert!(world.sale(&sale).stands());
        assert_eq!(world.payable(), 12_800);
    }
    world.approved(&Ask {
        stan: 9,
        ..void(EXTENDED, rrn)
    });
    assert_eq!(world.payable(), 0);
}

#[test]
fn a_till_on_the_wrong_merchant_is_not_served() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let before = world.records();
    let origin = Origin {
        merchant: OTHER_SHOP,
        ..world.origin(EXTENDED, 7)
    };
    for kind in [Kind::SignOn, Kind::SignOff] {
        let (answer, mac) = till(world.manage(kind, origin));
        assert_eq!(
            (answer.code, mac),
            (ResponseCode::INVALID_MERCHANT, MacCheck::Absent)
        );
    }
    let misplaced = Ask {
        merchant: OTHER_SHOP,
        ..buy(2)
    };
    assert_eq!(told(&world.ask(&misplaced)), ["03"]);
    let misplaced = Ask {
        merchant: OTHER_SHOP,
        ..sale
    };
    assert_eq!(told(&world.reverse(&misplaced)), ["03"]);
    let query = Request::Query {
        origin,
        original: (origin.batch, Stan(1)),
        sign: None,
    };
    let asked = Sealed {
        request: query,
        secrets: Secrets::default(),
    };
    assert_eq!(told(&world.till_asks(&asked)), ["03"]);
    assert_eq!(world.records(), before);
    assert_eq!(world.payable(), 12_800);
    assert_eq!(
        TerminalHeader::COMMON.answer().answer(),
        TerminalHeader::COMMON
    );
}
