//! Reversals: by the till and by ourselves, repeated without end, confirmed by the issuer's word alone.

use crate::outs::*;
use crate::world::*;
use payment::evidence::{ReversalCause, ReversalProgress, Upstream};
use payment::host::{self, ReversalReason};
use payment::terminal::{MacCheck, Standing};
use payment::{Amount, ResponseCode};

#[test]
fn the_network_gives_up_or_is_silent_and_we_reverse() {
    for (code, reason) in [(Some("98"), 4354), (Some("68"), 4354), (None, 4354)] {
        let mut world = World::open();
        let asked = world.forwarded(&buy(1));
        let outs = match code {
            Some(code) => world.network_answers(&asked, code),
            None => world.wait(LADDER.acquirer_ms),
        };
        assert_eq!(
            told(&outs),
            ["98"],
            "the till hears that the reversal is ours"
        );
        let advice = advice(outs);
        let host::Request::Reversal(said) = advice.request else {
            panic!()
        };
        assert_eq!(
            (said.original, said.reason),
            (asked.request.key(), ReversalReason(reason))
        );
        assert_eq!(
            (said.sale.amount, said.sale.terminal),
            (buy(1).amount, EXTENDED)
        );
        assert_eq!(said.sale.rrn, world.sale(&buy(1)).rrn);
        assert!(advice.secrets.pin.is_none() && advice.secrets.track2.is_none());
        assert_eq!(told(&world.ask(&buy(1))), ["98"]);
        // Repeated with the same key until it is answered; the due moment moves along.
        for _ in 0..20 {
            let due = world.verdict(&buy(1)).due.unwrap();
            assert!(due > world.now.wall.0 && due <= world.now.wall.0 + 1_500);
            let again = advices(&world.wait(1_500));
            assert!(!again.is_empty() && again.iter().all(|a| a.request == advice.request));
        }
        assert!(world.network_answers(&advice, "00").is_empty());
        assert!(world.wait(60_000).is_empty());
        assert_eq!(world.acquirer.state().open(), (0, 0));
        assert_eq!(
            (world.verdict(&buy(1)).row, world.payable()),
            ("reversed", 0)
        );
    }
}

#[test]
fn the_word_of_the_issuer_on_a_reversal() {
    for (codes, row, standing, case) in [
        (
            &["00"][..],
            "reversed",
            Standing::Reversed {
                never_debited: false,
            },
            None,
        ),
        (
            &["25"],
            "reversed_never_debited",
            Standing::Reversed {
                never_debited: true,
            },
            None,
        ),
        (
            &["12"],
            "reversed_never_debited",
            Standing::Reversed {
                never_debited: true,
            },
            None,
        ),
        (&["40"], "reversal_refused", Standing::Case, Some(1)),
        (&["40", "40"], "reversal_refused", Standing::Case, Some(1)),
        (&["40", "96"], "reversal_refused", Standing::Case, Some(1)),
        (
            &["40", "00"],
            "reversed",
            Standing::Reversed {
                never_debited: false,
            },
            Some(1),
        ),
        (
            &["00", "40"],
            "reversed",
            Standing::Reversed {
                never_debited: false,
            },
            None,
        ),
        (
            &["25", "00"],
            "reversed_never_debited",
            Standing::Reversed {
                never_debited: true,
            },
            None,
        ),
    ] {
        let mut world = World::open();
        world.forwarded(&buy(1));
        let advice = advice(world.wait(LADDER.acquirer_ms));
        assert_eq!(world.query(EXTENDED, 1).0, Standing::Reversing);
        let mut opened = Vec::new();
        for code in codes {
            opened.extend(cases(&world.network_answers(&advice, code)));
        }
        assert_eq!(opened, case.into_iter().collect::<Vec<_>>(), "{codes:?}");
        assert_eq!(
            (world.verdict(&buy(1)).row, world.query(EXTENDED, 1).0),
            (row, standing),
            "{codes:?}"
        );
        // Refused ones are tried again, the others are not.
        let open = row == "reversal_refused";
        assert_eq!(advices(&world.wait(5_000)).is_empty(), !open, "{codes:?}");
        assert_eq!(
            (
                world.acquirer.state().one_sided().count() == 1,
                world.payable()
            ),
            (open, 0)
        );
        if open {
            let verdict = world.verdict(&buy(1));
            assert!(verdict.headline_zh.contains("#1"));
            assert!(
                verdict.due.unwrap() > world.now.wall.0,
                "operations have until the end of the day"
            );
        }
    }
}

#[test]
fn only_the_answer_to_the_advice_counts() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let advice = advice(world.wait(LADDER.acquirer_ms));
    let right = answer(&advice, "00");
    let written = world.records();
    for wrong in [
        host::Answer {
            key: asked.request.key(),
            ..right
        },
        host::Answer {
            amount: Some(Amount::fen(1)),
            ..right
        },
        host::Answer {
            kind: host::AnswerKind::Financial,
            about: Some(payment::Kind::Purchase),
            ..right
        },
    ] {
        assert!(world.network_says(&wrong).is_empty());
        assert_eq!(world.records(), written, "{wrong:?}");
    }
    let frame = world.host_frame(&right, None);
    let input = world
        .hear(payment::Peer::Member(payment::Institution(10_000)), &frame)
        .unwrap();
    world.step(input);
    assert_eq!(
        (world.records(), world.verdict(&buy(1)).row),
        (written, "reversing_silent")
    );
}

#[test]
fn a_late_approval_changes_nothing() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let advice = advice(world.wait(LADDER.acquirer_ms));
    for _ in 0..2 {
        assert!(world.network_answers(&asked, "00").is_empty());
        assert_eq!(world.payable(), 0);
        assert_eq!(told(&world.ask(&buy(1))), ["98"]);
        assert_eq!(world.query(EXTENDED, 1).0, Standing::Reversing);
    }
    assert_eq!(world.acquirer.state().counters().late, 1);
    world.network_answers(&advice, "00");
    assert!(world.network_answers(&asked, "00").is_empty());
    assert_eq!(
        (world.verdict(&buy(1)).row, world.payable()),
        ("reversed", 0)
    );
}

#[test]
fn the_till_reverses_what_it_sold() {
    // In flight, approved, and both twice.
    for (approved, cause_reason) in [(false, "98"), (true, "98")] {
        let mut world = World::open();
        let asked = world.forwarded(&buy(1));
        if approved {
            world.network_answers(&asked, "00");
            assert_eq!(world.payable(), 12_800);
        }
        let outs = world.reverse(&buy(1));
        assert!(told(&outs).is_empty(), "nobody has confirmed it yet");
        assert_eq!(world.payable(), 0, "from here on it is not the shop's");
        let advice = advice(outs);
        let host::Request::Reversal(said) = advice.request else {
            panic!()
        };
        assert_eq!(
            (said.original, said.reason),
            (asked.request.key(), ReversalReason::TERMINAL_CANCELS)
        );
        let evidence = world.sale(&buy(1)).evidence;
        let cause = ReversalCause::Terminal(ResponseCode::parse(cause_reason.as_bytes()).unwrap());
        assert_eq!(
            evidence.reversal.map(|r| (r.cause, r.progress)),
            Some((cause, ReversalProgress::Open))
        );
        assert_eq!(
            evidence.upstream,
            if approved {
                Upstream::Approved
            } else {
                Upstream::Waiting
            }
        );
        // Again while it is open: no second advice, and the newer connection gets the answer.
        let outs = world.reverse(&buy(1));
        assert!(outs.is_empty());
        if !approved {
            assert!(
                world.network_answers(&asked, "00").is_empty(),
                "a late approval"
            );
        }
        let newer = world.exchange();
        let outs = world.network_answers(&advice, "00");
        let [
            Out::Till {
                exchange,
                answer,
                mac,
                ..
            },
        ] = &outs[..]
        else {
            panic!("{outs:?}")
        };
        assert_eq!(
            (*exchange, answer.code, *mac),
            (newer, ResponseCode::APPROVED, MacCheck::Right)
        );
        // Again afterwards: the same answer, and nothing leaves.
        assert_eq!(told(&world.reverse(&buy(1))), ["00"]);
        assert_eq!(
            told(&world.ask(&buy(1))),
            [if approved { "22" } else { "98" }]
        );
        assert_eq!(
            (world.verdict(&buy(1)).row, world.payable()),
            ("reversed", 0)
        );
        assert!(world.wait(60_000).is_empty());
    }
}

#[test]
fn a_reversal_that_has_nothing_to_reverse() {
    let mut world = World::open();
    // Declined: nothing to give back, nothing leaves.
    let asked = world.forwarded(&buy(1));
    world.network_answers(&asked, "51");
    assert_eq!(told(&world.reverse(&buy(1))), ["12"]);
    // Refused here.
    world.ask(&Ask {
        amount: Amount::fen(0),
        ..buy(2)
    });
    assert_eq!(
        told(&world.reverse(&Ask {
            amount: Amount::fen(0),
            ..buy(2)
        })),
        ["12"]
    );
    // Somebody else's sale: another amount, another card.
    world.approved(&buy(3));
    assert_eq!(
        told(&world.reverse(&Ask {
            amount: Amount::fen(12_801),
            ..buy(3)
        })),
        ["64"]
    );
    assert_eq!(
        told(&world.reverse(&Ask {
            card: OTHER_CARD,
            ..buy(3)
        })),
        ["12"]
    );
    assert_eq!(
        (world.verdict(&buy(3)).row, world.payable()),
        ("approved_unconfirmed", 12_800)
    );
    // Never seen: it may still be on its way, and must not be sold then.
    let written = world.records();
    for _ in 0..3 {
        assert_eq!(told(&world.reverse(&buy(4))), ["25"]);
    }
    assert_eq!(
        world.records(),
        written + 1,
        "one tombstone however often it is asked"
    );
    assert_eq!(
        world.query(EXTENDED, 4).0,
        Standing::Reversed {
            never_debited: false
        }
    );
    assert_eq!(told(&world.ask(&buy(4))), ["22"]);
    assert_eq!(told(&world.ask(&buy(4))), ["22"]);
    assert_eq!(told(&world.reverse(&buy(4))), ["12"]);
    assert_eq!(
        (world.verdict(&buy(4)).row, world.payable()),
        ("declined_here", 12_800)
    );
}

#[test]
fn a_till_that_waits_is_released() {
    let mut world = World::open();
    world.approved(&buy(1));
    let advice = advice(world.reverse(&buy(1)));
    let outs = world.wait(LADDER.acquirer_ms);
    assert_eq!(told(&outs), ["98"], "we go on alone");
    let outs = world.network_answers(&advice, "00");
    assert!(told(&outs).is_empty(), "it was answered already");
    assert_eq!(
        world.query(EXTENDED, 1).0,
        Standing::Reversed {
            never_debited: false
        }
    );
    // Refused while it waits: still no success is said.
    world.approved(&buy(2));
    let advice = self::advice(world.reverse(&buy(2)));
    assert!(told(&world.network_answers(&advice, "40")).is_empty());
    assert_eq!(told(&world.wait(LADDER.acquirer_ms)), ["98"]);
    // Asked again while the case is open: it waits again, and gets the issuer's late word.
    assert!(told(&world.reverse(&buy(2))).is_empty());
    assert_eq!(told(&world.network_answers(&advice, "25")), ["25"]);
    assert_eq!(world.acquirer.state().one_sided().count(), 0);
}

#[test]
fn a_restart_reverses_what_was_in_flight_and_nobody_waits_any_more() {
    let buy = |stan| Ask {
        amount: Amount::fen(12_800 + u64::from(stan)),
        ..buy(stan)
    };
    let mut world = World::open();
    let first = world.forwarded(&buy(1));
    world.forwarded(&buy(2));
    world.approved(&buy(3));
    let waiting = advice(world.reverse(&buy(3)));
    world.approved(&buy(4));
    let outs = world.restart();
    let sent = advices(&outs);
    assert_eq!((sent.len(), told(&outs).len()), (2, 0));
    assert_ne!(sent[0].request.key(), sent[1].request.key());
    for advice in &sent {
        let host::Request::Reversal(said) = advice.request else {
            panic!()
        };
        assert_eq!(said.reason, ReversalReason::ACQUIRER_CANNOT_DELIVER);
    }
    assert_eq!(world.verdict(&buy(1)).row, "reversing_interrupted");
    assert_eq!(
        world.query(EXTENDED, 4).0,
        Standing::Approved,
        "what was decided stays decided"
    );
    assert!(world.network_answers(&first, "00").is_empty());
    assert_eq!(world.verdict(&buy(1)).row, "reversing_late_approval");
    assert_eq!(told(&world.ask(&buy(1))), ["98"]);
    // The exchange of before means nothing now: its number may be somebody else's.
    assert!(told(&world.network_answers(&waiting, "00")).is_empty());
    for advice in &sent {
        world.network_answers(advice, "00");
    }
    assert!(world.restart().is_empty());
    assert_eq!(
        (world.verdict(&buy(2)).row, world.payable()),
        ("reversed", 12_804)
    );
    assert_eq!(world.acquirer.state().open(), (0, 0));
}
