//! "Do not swipe again" across the merchant's tills, and what is paid in place of an unresolved sale.

use crate::outs::*;
use crate::world::*;
use payment::evidence::ReversalCause;
use payment::sign::Trouble;
use payment::terminal::MacCheck;
use payment::{Amount, Kind, LinkReason, Linked, ResponseCode, SaleKey, SignOutcome, host};

/// A purchase of the same card and amount at the other till.
fn at_other_till(stan: u32) -> Ask {
    Ask {
        terminal: PLAIN,
        ..buy(stan)
    }
}

/// As `ask`, in place of `earlier`.
fn instead(ask: Ask, earlier: SaleKey) -> Ask {
    let reason = LinkReason::NoDebitSeen;
    Ask {
        linked: Some(Linked { earlier, reason }),
        ..ask
    }
}

/// Cash in place of `earlier`, told by the till of `ask`.
fn cash(ask: Ask, earlier: SaleKey) -> Ask {
    Ask {
        kind: Kind::CashLink,
        amount: Amount::fen(0),
        linked: Some(Linked {
            earlier,
            reason: LinkReason::Cash,
        }),
        ..ask
    }
}

fn code(world: &mut World, ask: &Ask) -> String {
    let (answer, mac) = till(world.ask(ask));
    assert_eq!(mac, MacCheck::Right);
    answer.code.to_string()
}

/// The sale that a reversal between hosts takes back.
fn taken_back(sealed: &host::Sealed) -> payment::HostKey {
    match &sealed.request {
        host::Request::Reversal(reversal) => reversal.original,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_charge_that_may_repeat_another_is_refused() {
    let mut world = World::open();
    let first = at_other_till(1);
    let asked = world.forwarded(&first);
    // Under way at another till: refused, and the till that speaks our extension is told which sale it is, again and again.
    let again = buy(2);
    for _ in 0..2 {
        let (answer, mac) = till(world.ask(&again));
        assert_eq!((answer.code.as_str(), mac), ("94", MacCheck::Right));
        assert_eq!(answer.guard, Some(world.key(&first)));
    }
    let hold = Ask {
        kind: Kind::PreAuth,
        ..buy(3)
    };
    assert_eq!(code(&mut world, &hold), "94");
    // Another amount or card is another matter.
    let smaller = Ask {
        amount: Amount::fen(12_799),
        ..buy(4)
    };
    world.forwarded(&smaller);
    world.forwarded(&Ask {
        card: OTHER_CARD,
        ..buy(5)
    });
    // A plain till is refused as well, without a word of the extension.
    world.forwarded(&Ask {
        amount: Amount::fen(500),
        ..buy(6)
    });
    let plain = Ask {
        amount: Amount::fen(500),
        ..at_other_till(7)
    };
    let (answer, _) = till(world.ask(&plain));
    assert_eq!((answer.code.as_str(), answer.guard), ("94", None));
    // Nobody upstream answers: it is being reversed, and nobody may charge again before the issuer's word.
    world.restart();
    assert_eq!(code(&mut world, &buy(8)), "94");
    let outs = world.wait(2_000);
    let advice = advices(&outs)
        .into_iter()
        .find(|sealed| Some(taken_back(sealed)) == world.sale(&first).host);
    world.network_says(&answer_of(&advice.expect("the first is reversed"), "25"));
    world.approved(&buy(9));
    assert_eq!(world.payable(), 12_800);
    // A late approval of the first changes nothing.
    world.network_answers(&asked, "00");
    assert_eq!(world.payable(), 12_800);
}

#[test]
fn a_transfer_is_guarded_as_a_charge_is() {
    let mut world = World::open();
    let transfer = |ask: Ask| Ask {
        kind: Kind::Transfer,
        to: Some(OTHER_CARD),
        pin: Some(("123456", crypto::PinFormat::WithPan)),
        ..ask
    };
    world.forwarded(&transfer(buy(1)));
    let again = Ask {
        terminal: PLAIN,
        ..transfer(buy(2))
    };
    assert_eq!(code(&mut world, &again), "94");
    world.forwarded(&Ask {
        amount: Amount::fen(12_799),
        ..transfer(buy(3))
    });
}

/// The network's answer to an advice.
fn answer_of(asked: &host::Sealed, code: &str) -> host::Answer {
    answer(asked, code)
}

#[test]
fn an_approval_guards_until_its_till_has_spoken() {
    let mut world = World::open();
    // Declined: nothing to guard.
    let declined = buy(1);
    let asked = world.forwarded(&declined);
    world.network_answers(&asked, "51");
    world.approved(&buy(2));
    // The own till goes on; another one waits for its word.
    world.approved(&buy(3));
    assert_eq!(code(&mut world, &at_other_till(1)), "94");
    world.report(sign(3, SignOutcome::Approved, 4, Trouble::None));
    assert_eq!(code(&mut world, &at_other_till(2)), "94");
    world.report(sign(2, SignOutcome::Approved, 4, Trouble::None));
    world.approved(&at_other_till(3));
    // A till that does not speak our extension is waited for only so long; ours until it speaks.
    assert_eq!(code(&mut world, &buy(4)), "94");
    world.wait(CONFIRM_WITHIN_MS);
    world.approved(&buy(5));
    world.wait(CONFIRM_WITHIN_MS * 5);
    assert_eq!(code(&mut world, &at_other_till(4)), "94");
}

#[test]
fn a_charge_in_place_of_another_leaves_one() {
    for replacement_first in [false, true] {
        let mut world = World::open();
        let first = at_other_till(1);
        let asked = world.forwarded(&first);
        let second = instead(buy(2), world.key(&first));
        let second_asked = world.forwarded(&second);
        assert_eq!(world.sale(&second).request.linked, second.linked);
        let outs = if replacement_first {
            world.network_answers(&second_asked, "00");
            assert_eq!(world.payable(), 12_800);
            let outs = world.network_answers(&asked, "00");
            // Its till is told that it is being reversed, never that it is approved.
            assert_eq!(told(&outs), ["98"]);
            outs
        } else {
            assert_eq!(told(&world.network_answers(&asked, "00")), ["00"]);
            let outs = world.network_answers(&second_asked, "00");
            assert_eq!(told(&outs), ["00"]);
            outs
        };
        assert_eq!(world.payable(), 12_800);
        let advice = advice(outs);
        assert_eq!(Some(taken_back(&advice)), world.sale(&first).host);
        let reversal = world.sale(&first).evidence.reversal.unwrap();
        assert_eq!(reversal.cause, ReversalCause::Replaced);
        assert_eq!(world.verdict(&first).row, "reversing_replaced");
        assert!(world.sale(&second).stands());
        world.network_says(&answer(&advice, "00"));
        assert_eq!(world.verdict(&first).row, "reversed");
        assert_eq!(world.payable(), 12_800);
    }
}

#[test]
fn a_replacement_that_is_declined_leaves_the_first() {
    let mut world = World::open();
    let first = at_other_till(1);
    let asked = world.forwarded(&first);
    let second = instead(buy(2), world.key(&first));
    let second_asked = world.forwarded(&second);
    world.network_answers(&second_asked, "51");
    assert_eq!(told(&world.network_answers(&asked, "00")), ["00"]);
    assert!(world.sale(&first).stands());
    assert_eq!(world.payable(), 12_800);
}

#[test]
fn a_replacement_names_the_sale_that_is_unresolved() {
    let mut world = World::open();
    let first = at_other_till(1);
    world.forwarded(&first);
    let other_card = Ask {
        card: OTHER_CARD,
        ..buy(1)
    };
    world.forwarded(&other_card);
    let smaller = Ask {
        amount: Amount::fen(700),
        ..buy(2)
    };
    world.forwarded(&smaller);
    let settled = Ask {
        amount: Amount::fen(900),
        ..buy(3)
    };
    world.approved(&settled);
    world.report(sign(3, SignOutcome::Approved, 4, Trouble::None));
    let unknown = world.key(&buy(77));
    for (stan, earlier, code_expected) in [
        (10, unknown, "25"),
        (11, world.key(&other_card), "12"),
        (12, world.key(&smaller), "12"),
    ] {
        let ask = instead(buy(stan), earlier);
        assert_eq!(code(&mut world, &ask), code_expected);
    }
    // Its till has the approval: that money would be taken twice.
    let twice = Ask {
        amount: Amount::fen(900),
        ..instead(at_other_till(13), world.key(&settled))
    };
    assert_eq!(code(&mut world, &twice), "22");
    // Naming one unresolved sale does not excuse another.
    let second = instead(buy(14), world.key(&first));
    world.forwarded(&second);
    let third = instead(buy(15), world.key(&first));
    let (answer, _) = till(world.ask(&third));
    assert_eq!(
        (answer.code, answer.guard),
        (ResponseCode::DUPLICATE, Some(world.key(&second)))
    );
    assert_eq!(world.payable(), 900);
}

#[test]
fn cash_takes_back_whatever_the_card_sale_becomes() {
    let mut world = World::open();
    // Under way: reversed at once, and its late approval refunds itself.
    let first = at_other_till(1);
    let asked = world.forwarded(&first);
    let link = cash(buy(2), world.key(&first));
    let outs = world.ask(&link);
    assert_eq!(told(&outs), ["98", "00"]);
    let advised = advice(outs);
    assert_eq!(Some(taken_back(&advised)), world.sale(&first).host);
    world.network_answers(&asked, "00");
    assert!(world.sale(&first).evidence.late_approval);
    assert_eq!(world.payable(), 0);
    // The same link again: the same answer, and nothing happens twice.
    assert_eq!(told(&world.ask(&link)), ["00"]);
    world.network_says(&answer(&advised, "00"));
    assert_eq!(told(&world.ask(&link)), ["00"]);
    assert_eq!(world.verdict(&first).row, "reversed");
    // Approved, and its till has not said so.
    let second = buy(3);
    world.approved(&second);
    assert_eq!(world.payable(), 12_800);
    let outs = world.ask(&cash(buy(4), world.key(&second)));
    assert_eq!(told(&outs), ["00"]);
    assert_eq!(advices(&outs).len(), 1);
    assert_eq!(world.payable(), 0);
    // Declined: nothing.
    let third = Ask {
        amount: Amount::fen(300),
        ..buy(5)
    };
    let asked = world.forwarded(&third);
    world.network_answers(&asked, "51");
    assert_eq!(told(&world.ask(&cash(buy(6), world.key(&third)))), ["00"]);
    // Confirmed by its till: both were paid, and people decide.
    let fourth = Ask {
        amount: Amount::fen(400),
        ..buy(7)
    };
    world.approved(&fourth);
    world.report(sign(7, SignOutcome::Approved, 4, Trouble::None));
    assert_eq!(told(&world.ask(&cash(buy(8), world.key(&fourth)))), ["22"]);
    assert_eq!(world.payable(), 400);
}

#[test]
fn cash_for_a_sale_never_seen_refuses_it_when_it_comes() {
    let mut world = World::open();
    let late = buy(1);
    let link = cash(buy(2), world.key(&late));
    assert_eq!(told(&world.ask(&link)), ["00"]);
    world.restart();
    assert_eq!(told(&world.ask(&link)), ["00"]);
    assert_eq!(code(&mut world, &late), "22");
    assert_eq!(told(&world.ask(&link)), ["00"]);
    // Somebody else's sale, and another card's, are not touched.
    let others = world.key(&at_other_till(1));
    assert_eq!(code(&mut world, &cash(buy(3), others)), "25");
    world.forwarded(&at_other_till(1));
    let other_card = Ask {
        card: OTHER_CARD,
        ..cash(buy(4), others)
    };
    assert_eq!(code(&mut world, &other_card), "12");
    assert!(world.sale(&at_other_till(1)).evidence.reversal.is_none());
}
