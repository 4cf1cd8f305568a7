//! Sales and inquiries: the refusal ladder, what is forwarded, what comes back, and the same request again.

use crate::outs::*;
use crate::world::*;
use crypto::PinFormat;
use payment::terminal::{MacCheck, Standing};
use payment::verdict::Outcome;
use payment::{
    Amount, Batch, Currency, HostKey, Kind, Peer, ResponseCode, Stan, evidence::Upstream, host,
};

#[test]
fn the_refusal_ladder() {
    let mut world = World::open();
    let check = |world: &mut World, ask: Ask, code: &str, kept: bool| {
        let (answer, mac) = till(world.ask(&ask));
        assert_eq!((answer.code.as_str(), mac), (code, MacCheck::Right));
        let code = answer.code;
        assert_eq!(
            world.acquirer.state().sale(&world.key(&ask)).is_some(),
            kept,
            "{code}"
        );
        if kept {
            assert_eq!(world.sale(&ask).evidence.upstream, Upstream::NotSent(code));
            let verdict = world.verdict(&ask);
            assert_eq!(
                (verdict.row, verdict.outcome),
                ("declined_here", Outcome::Declined)
            );
            // The same request again: the same answer with the same reference.
            let (again, _) = till(world.ask(&ask));
            assert_eq!(again, answer);
        }
        assert_eq!(world.payable(), 0);
    };
    let of = |minor| Amount::fen(minor);
    check(
        &mut world,
        Ask {
            batch: Some(Batch(7)),
            ..buy(1)
        },
        "77",
        false,
    );
    check(
        &mut world,
        Ask {
            amount: of(0),
            ..buy(2)
        },
        "13",
        true,
    );
    check(
        &mut world,
        Ask {
            amount: of(LIMIT + 1),
            ..buy(3)
        },
        "61",
        true,
    );
    check(
        &mut world,
        Ask {
            amount: of(999_999_999_999),
            ..buy(4)
        },
        "61",
        true,
    );
    check(
        &mut world,
        Ask {
            amount: Amount {
                minor: 100,
                currency: Currency(840),
            },
            ..buy(5)
        },
        "A1",
        true,
    );
    assert_eq!(
        network(world.ask(&Ask {
            amount: of(LIMIT),
            ..buy(6)
        }))
        .1,
        MacCheck::Right
    );
    let mut cold = World::cold();
    cold.sign_on(EXTENDED, 900);
    check(&mut cold, buy(1), "91", true);
    let pin = Some(("123456", PinFormat::WithPan));
    check(&mut cold, Ask { pin, ..buy(2) }, "91", true);
}

#[test]
fn every_reference_and_host_number_is_its_own() {
    let buy = |stan| Ask {
        amount: Amount::fen(u64::from(stan)),
        ..buy(stan)
    };
    let mut world = World::open();
    let mut seen = std::collections::BTreeSet::new();
    let mut rrns = std::collections::BTreeSet::new();
    for stan in 1..=20 {
        let asked = world.forwarded(&buy(stan));
        assert!(seen.insert(asked.request.key()));
        assert!(rrns.insert(world.sale(&buy(stan)).rrn));
        till(world.ask(&Ask {
            amount: Amount::fen(0),
            ..buy(100 + stan)
        }));
        assert!(rrns.insert(world.sale(&buy(100 + stan)).rrn));
    }
    // Twenty reversals and a sign-on to the network fall into one decision; each has a number of its own.
    world.link_is_up();
    world.now.mono = world.now.mono.plus_ms(LADDER.acquirer_ms);
    let outs = world.step(<acquirer::Acquirer as payment::Party>::tick());
    let keys: Vec<HostKey> = outs
        .iter()
        .filter_map(|out| match out {
            Out::Network { sealed, .. } => Some(sealed.request.key()),
            _ => None,
        })
        .collect();
    assert_eq!(keys.len(), 21);
    for key in keys {
        assert!(
            seen.insert(HostKey {
                forwarder: key.acquirer,
                ..key
            }),
            "{key} is used twice"
        );
    }
    // And what comes next does not start over.
    for stan in 201..=230 {
        assert!(seen.insert(world.forwarded(&buy(stan)).request.key()));
    }
}

#[test]
fn what_is_forwarded() {
    for (format, pin) in [
        (PinFormat::WithPan, "123456"),
        (PinFormat::WithoutPan, "0000"),
    ] {
        let mut world = World::open();
        let track2 = "6225760000000005D30122010000012345678";
        let ask = Ask {
            pin: Some((pin, format)),
            track2: Some(track2),
            ..buy(1)
        };
        let (asked, mac) = network(world.ask(&ask));
        assert_eq!(mac, MacCheck::Right);
        let host::Request::Financial(sale) = asked.request else {
            panic!("{asked:?}")
        };
        assert_eq!(
            (sale.kind, sale.amount, sale.category),
            (Kind::Purchase, ask.amount, 5411)
        );
        assert_eq!(
            (sale.terminal, sale.merchant, sale.expiry),
            (EXTENDED, SHOP, Some(3012))
        );
        assert_eq!(sale.rrn, world.sale(&ask).rrn);
        assert_eq!(
            asked.secrets.pan.as_ref().unwrap().expose(),
            CARD.as_bytes()
        );
        assert_eq!(
            asked.secrets.track2.as_ref().unwrap().expose(),
            track2.as_bytes()
        );
        assert_eq!(
            asked.secrets.pin_format,
            Some(PinFormat::WithPan),
            "bound to its card from here on"
        );
        assert!(world.holds_pin(&asked, pin));
        assert!(!world.holds_pin(&asked, "654321"));
        let open = world.verdict(&ask);
        assert_eq!((open.row, open.outcome), ("confirming", Outcome::Unknown));
        assert_eq!(open.due, Some(world.now.wall.0 + LADDER.acquirer_ms as i64));
    }
    // A block that was not made for this card costs the sale and leaves nothing at the network.
    let mut world = World::open();
    let pin = Some(("123456", PinFormat::WithPan));
    let mut sealed = world.financial(&Ask { pin, ..buy(2) });
    sealed.secrets.pin = world
        .financial(&Ask {
            pin,
            card: OTHER_CARD,
            ..buy(2)
        })
        .secrets
        .pin;
    assert_eq!(told(&world.till_asks(&sealed)), ["99"]);
}

#[test]
fn approval_and_decline_reach_the_till_once() {
    for (code, row, payable) in [
        ("00", "approved_unconfirmed", 12_800),
        ("11", "approved_unconfirmed", 12_800),
        ("A2", "approved_unconfirmed", 12_800),
        ("51", "declined", 0),
        ("Z9", "declined", 0),
    ] {
        let mut world = World::open();
        let asked = world.forwarded(&buy(1));
        let exchange = world.exchange();
        let outs = world.network_answers(&asked, code);
        let Some(Out::Till {
            exchange: to,
            answer,
            mac,
            ..
        }) = outs.first()
        else {
            panic!("{outs:?}")
        };
        assert_eq!(
            (*to, answer.code.as_str(), *mac),
            (exchange, code, MacCheck::Right)
        );
        assert_eq!(answer.rrn, Some(world.sale(&buy(1)).rrn));
        assert_eq!(answer.approval.is_some(), payable > 0);
        assert_eq!(
            (world.verdict(&buy(1)).row, world.payable()),
            (row, payable)
        );
        // Any further answer changes nothing: not the same one, not another one.
        for other in [code, "51"] {
            assert!(world.network_answers(&asked, other).is_empty());
            assert_eq!(
                (world.verdict(&buy(1)).row, world.payable()),
                (row, payable)
            );
        }
    }
}

#[test]
fn an_answer_that_is_not_exactly_ours_changes_nothing() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let right = answer(&asked, "00");
    let key = |change: fn(&mut HostKey)| {
        let mut key = right.key;
        change(&mut key);
        host::Answer { key, ..right }
    };
    let written = world.records();
    for wrong in [
        key(|k| k.stan = Stan(k.stan.0 + 64)),
        key(|k| k.transmission += 1),
        key(|k| k.acquirer.0 += 1),
        key(|k| k.forwarder.0 += 1),
        host::Answer {
            amount: Some(Amount::fen(12_801)),
            ..right
        },
        host::Answer {
            amount: None,
            ..right
        },
        host::Answer {
            acceptor: Some((PLAIN, SHOP)),
            ..right
        },
        host::Answer {
            about: Some(Kind::BalanceInquiry),
            ..right
        },
        host::Answer {
            kind: host::AnswerKind::Reversal,
            ..right
        },
        // Part of the amount: we would book what was not debited.
        host::Answer {
            amount: Some(Amount::fen(5_000)),
            code: ResponseCode::PARTIAL,
            ..right
        },
    ] {
        assert!(world.network_says(&wrong).is_empty(), "{wrong:?}");
        assert_eq!(world.records(), written, "{wrong:?}");
    }
    let frame = world.host_frame(&right, None);
    let input = world
        .hear(Peer::Member(payment::Institution(10_000)), &frame)
        .unwrap();
    assert!(world.step(input).is_empty(), "no MAC, no approval");
    assert_eq!(told(&world.network_says(&right)), ["00"]);
}

#[test]
fn the_same_request_again() {
    let mut world = World::open();
    // In flight: nothing leaves, and the answer goes to the newer connection.
    let asked = world.forwarded(&buy(1));
    assert!(world.ask(&buy(1)).is_empty());
    let newer = world.exchange();
    let outs = world.network_answers(&asked, "00");
    let [
        Out::Till {
            exchange,
            answer: first,
            ..
        },
    ] = &outs[..]
    else {
        panic!("{outs:?}")
    };
    assert_eq!(*exchange, newer);
    // Answered: the whole first answer, later and without a second posting.
    world.wait(3_000);
    let (again, mac) = till(world.ask(&buy(1)));
    assert_eq!(
        (&again, mac, world.payable()),
        (first, MacCheck::Right, 12_800)
    );
    assert_eq!(world.sale(&buy(1)).evidence.duplicates, 2);
    assert_eq!(world.acquirer.state().counters().forwarded, 1);
    // The same trace number for something else is not a repeat: no approval for another card or amount.
    for other in [
        Ask {
            amount: Amount::fen(1),
            ..buy(1)
        },
        Ask {
            card: OTHER_CARD,
            ..buy(1)
        },
        Ask {
            kind: Kind::BalanceInquiry,
            amount: Amount::fen(0),
            ..buy(1)
        },
    ] {
        assert_eq!(till(world.ask(&other)).0.code, ResponseCode::DUPLICATE);
    }
    // After a reversal: only refusals.
    let advice = advice(world.reverse(&buy(1)));
    assert_eq!(told(&world.ask(&buy(1))), ["22"]);
    world.network_answers(&advice, "00");
    assert_eq!(told(&world.ask(&buy(1))), ["22"]);
    assert_eq!(world.payable(), 0);
    // Declined: the same decline.
    let asked = world.forwarded(&buy(2));
    assert_eq!(told(&world.network_answers(&asked, "51")), ["51"]);
    assert_eq!(told(&world.ask(&buy(2))), ["51"]);
}

#[test]
fn what_did_not_leave_is_refused_and_an_approval_after_it_goes_back() {
    let mut world = World::open();
    let outs = world.ask(&buy(1));
    let Ok(
        [
            Out::Network {
                sealed: asked,
                lost: Some(lost),
                ..
            },
        ],
    ) = <[Out; 1]>::try_from(outs)
    else {
        panic!()
    };
    let (answer, mac) = till(world.step(lost));
    assert_eq!(
        (answer.code, mac),
        (ResponseCode::ISSUER_UNAVAILABLE, MacCheck::Right)
    );
    assert_eq!(world.verdict(&buy(1)).row, "declined_here");
    assert_eq!(told(&world.ask(&buy(1))), ["91"]);
    assert!(world.wait(60_000).is_empty(), "nothing is awaited");
    // It had left after all, and the issuer debited: that money goes back, and nobody is told that it is paid.
    let outs = world.network_answers(&asked, "00");
    assert!(told(&outs).is_empty());
    assert_eq!(world.verdict(&buy(1)).row, "reversing_late_approval");
    assert_eq!(world.payable(), 0);
    world.network_answers(&advice(outs), "00");
    assert_eq!(world.verdict(&buy(1)).row, "reversed");
    // The same after a decline.
    let asked = world.forwarded(&buy(2));
    world.network_answers(&asked, "91");
    let outs = world.network_answers(&asked, "00");
    world.network_answers(&advice(outs), "00");
    assert_eq!(
        (world.verdict(&buy(2)).row, world.payable()),
        ("reversed", 0)
    );
}

#[test]
fn a_balance_inquiry_moves_nothing() {
    let inquire = |stan| Ask {
        kind: Kind::BalanceInquiry,
        amount: Amount::fen(0),
        ..buy(stan)
    };
    let mut world = World::open();
    let asked = world.forwarded(&inquire(1));
    let host::Request::Financial(request) = asked.request else {
        panic!()
    };
    assert_eq!(request.kind, Kind::BalanceInquiry);
    let mut said = answer(&asked, "00");
    said.balance = Some(-1_234_567);
    let (answer, mac) = till(world.network_says(&said));
    assert_eq!(
        (answer.balance, answer.amount, mac),
        (Some(-1_234_567), None, MacCheck::Right)
    );
    assert_eq!(till(world.ask(&inquire(1))).0, answer);
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Approved);
    // It is not reversed, neither asked nor by itself, and it does not age.
    assert_eq!(
        told(&world.reverse(&Ask {
            amount: Amount::fen(0),
            ..buy(1)
        })),
        ["12"]
    );
    world.report(sign(
        1,
        payment::SignOutcome::Declined,
        0,
        payment::sign::Trouble::None,
    ));
    assert!(world.wait(60_000).is_empty());
    let asked = world.forwarded(&inquire(2));
    let outs = world.wait(LADDER.acquirer_ms);
    assert_eq!(
        (told(&outs), advices(&outs).len()),
        (vec!["98".to_owned()], 0)
    );
    assert!(
        world.network_answers(&asked, "00").is_empty(),
        "too late, and nothing to give back"
    );
    let asked = world.forwarded(&inquire(3));
    assert_eq!(told(&world.network_answers(&asked, "98")), ["98"]);
    world.forwarded(&inquire(4));
    assert!(world.restart().is_empty());
    assert_eq!(told(&world.ask(&inquire(4))), ["98"]);
    assert_eq!(
        (world.acquirer.state().open(), world.payable()),
        ((0, 0), 0)
    );
}
