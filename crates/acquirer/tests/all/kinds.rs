//! Kinds about earlier transactions: what the centre refuses by itself, what it books, and advices that nobody answers.

use crate::outs::*;
use crate::world::*;
use crypto::SecurityModule;
use payment::evidence::Upstream;
use payment::terminal::{MacCheck, Request};
use payment::{Amount, ApprovalCode, Batch, Kind, Original, ResponseCode, SignOutcome, Stan, host};

/// A transaction of `kind` about `original`, over `minor`.
pub fn about(world: &World, stan: u32, kind: Kind, original: &Ask, minor: u64) -> Ask {
    let key = world.key(original);
    Ask {
        kind,
        amount: Amount::fen(minor),
        original: Some(Original {
            batch: key.batch,
            stan: key.stan,
            date: 0,
            rrn: Some(world.sale(original).rrn),
            approval: None,
        }),
        ..buy(stan)
    }
}

/// Refused before anything leaves, with nothing booked.
fn refused(world: &mut World, ask: &Ask, code: &str) {
    let payable = world.payable();
    let (answer, mac) = till(world.ask(ask));
    assert_eq!((answer.code.as_str(), mac), (code, MacCheck::Right));
    assert_eq!(world.payable(), payable);
}

#[test]
fn what_is_refused_about_an_original() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let void = |world: &World, stan| about(world, stan, Kind::Void, &sale, 12_800);
    let named = |ask: Ask, change: &dyn Fn(&mut Original)| {
        let mut original = ask.original.unwrap();
        change(&mut original);
        Ask {
            original: Some(original),
            ..ask
        }
    };
    let ask = void(&world, 2);
    for (stan, ask, code) in [
        (
            2,
            Ask {
                amount: Amount::fen(12_799),
                ..ask
            },
            "64",
        ),
        (
            3,
            Ask {
                card: OTHER_CARD,
                ..ask
            },
            "12",
        ),
        (
            4,
            Ask {
                terminal: PLAIN,
                ..ask
            },
            "58",
        ),
        (
            5,
            Ask {
                kind: Kind::Completion,
                ..ask
            },
            "12",
        ),
        (
            6,
            named(ask, &|o| o.rrn = Some(payment::Rrn(*b"999999999999"))),
            "25",
        ),
        (
            7,
            named(ask, &|o| o.approval = Some(ApprovalCode(*b"NOTHIS"))),
            "25",
        ),
        (8, named(ask, &|o| (o.rrn, o.stan) = (None, Stan(99))), "25"),
    ] {
        refused(&mut world, &Ask { stan, ..ask }, code);
    }
    // Another merchant's sale does not exist for this one, and its terminal is not this merchant's.
    let (other, mac) = till(world.ask(&Ask {
        stan: 9,
        merchant: OTHER_SHOP,
        ..ask
    }));
    assert_eq!(
        (other.code, mac),
        (ResponseCode::INVALID_MERCHANT, MacCheck::Absent)
    );
    // A declined sale, and one still under way, are nothing to take back.
    let declined = buy(10);
    let asked = world.forwarded(&declined);
    let early = about(&world, 11, Kind::Void, &declined, 12_800);
    refused(&mut world, &early, "22");
    world.network_answers(&asked, "51");
    let late = about(&world, 12, Kind::Void, &declined, 12_800);
    refused(&mut world, &late, "12");
    // The right one passes: the merchant gives back what it was owed.
    world.approved(&void(&world, 13));
    assert_eq!(world.payable(), 0);
    let again = void(&world, 14);
    refused(&mut world, &again, "22");
}

#[test]
fn two_refunds_in_flight_cannot_claim_the_same_money() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let first = about(&world, 2, Kind::Refund, &sale, 8_000);
    let asked = world.forwarded(&first);
    let host::Request::Financial(request) = asked.request else {
        panic!("a refund is a financial request");
    };
    assert_eq!(request.original, world.sale(&sale).host);
    let second = about(&world, 3, Kind::Refund, &sale, 4_801);
    refused(&mut world, &second, "64");
    // Refused by the issuer, the first gives its claim back.
    world.network_answers(&asked, "51");
    let third = about(&world, 4, Kind::Refund, &sale, 12_800);
    world.approved(&third);
    assert_eq!(world.payable(), 0);
    let fourth = about(&world, 5, Kind::Refund, &sale, 1);
    refused(&mut world, &fourth, "64");
    let void = about(&world, 6, Kind::Void, &sale, 12_800);
    refused(&mut world, &void, "22");
    // The sale itself is not reversed any more: that would give its money back twice.
    let (answer, _) = till(world.reverse(&sale));
    assert_eq!(answer.code, ResponseCode::INVALID_RELATED);
}

#[test]
fn a_void_that_is_reversed_leaves_the_sale() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let void = about(&world, 2, Kind::Void, &sale, 12_800);
    world.approved(&void);
    assert_eq!(world.payable(), 0);
    let advice = advice(world.reverse(&void));
    assert_eq!(world.payable(), 12_800);
    let again = about(&world, 3, Kind::Void, &sale, 12_800);
    refused(&mut world, &again, "22");
    world.network_says(&answer(&advice, "00"));
    world.approved(&about(&world, 4, Kind::Void, &sale, 12_800));
    assert_eq!(world.payable(), 0);
}

#[test]
fn a_pre_authorisation_to_its_end() {
    let mut world = World::open();
    let hold = Ask {
        kind: Kind::PreAuth,
        ..buy(1)
    };
    world.approved(&hold);
    assert_eq!(world.payable(), 0);
    world.approved(&about(&world, 2, Kind::IncrementalAuth, &hold, 1_200));
    // What may still be reversed gives no room.
    let early = about(&world, 3, Kind::Completion, &hold, 16_100);
    refused(&mut world, &early, "61");
    let above = about(&world, 4, Kind::Completion, &hold, 16_101);
    refused(&mut world, &has(2, above), "61");
    let completion = about(&world, 5, Kind::Completion, &hold, 16_100);
    world.approved(&completion);
    assert_eq!(world.payable(), 16_100);
    let twice = about(&world, 6, Kind::CompletionAdvice, &hold, 100);
    refused(&mut world, &twice, "22");
    world.approved(&about(&world, 7, Kind::CompletionVoid, &completion, 16_100));
    assert_eq!(world.payable(), 0);
    let early = about(&world, 8, Kind::Completion, &hold, 100);
    refused(&mut world, &early, "22");
    let release = about(&world, 9, Kind::PreAuthVoid, &hold, 14_000);
    world.approved(&has(7, release));
    let gone = about(&world, 10, Kind::Completion, &hold, 100);
    refused(&mut world, &gone, "22");
}

/// `ask`, with which the till says that it has the approval of `stan`.
fn has(stan: u32, ask: Ask) -> Ask {
    let sign = sign(stan, SignOutcome::Approved, 0, payment::sign::Trouble::None);
    Ask {
        sign: Some(sign),
        ..ask
    }
}

#[test]
fn a_completion_void_that_was_reversed_leaves_the_completion() {
    let mut world = World::open();
    let hold = Ask {
        kind: Kind::PreAuth,
        ..buy(1)
    };
    world.approved(&hold);
    let completion = about(&world, 2, Kind::Completion, &hold, 5_000);
    world.approved(&completion);
    let void = about(&world, 3, Kind::CompletionVoid, &completion, 5_000);
    world.forwarded(&void);
    // Nobody answers the void, and it is reversed; meanwhile another completion is asked for.
    let second = about(&world, 4, Kind::CompletionAdvice, &hold, 100);
    refused(&mut world, &second, "22");
    world.wait(LADDER.acquirer_ms);
    assert!(world.sale(&void).evidence.reversal.is_some());
    let third = about(&world, 5, Kind::CompletionAdvice, &hold, 100);
    refused(&mut world, &third, "22");
    assert_eq!(world.sale(&hold).claims.captured, 5_000);
    assert_eq!(world.payable(), 5_000);
}

#[test]
fn an_advice_of_an_older_batch_is_still_taken() {
    let mut world = World::open();
    let offline = Ask {
        kind: Kind::OfflineSale,
        ..buy(1)
    };
    let mut sealed = world.financial(&offline);
    let Request::Financial { sale, .. } = &mut sealed.request else {
        panic!("a sale");
    };
    sale.key.batch = Batch(41);
    let outs = world.till_asks(&sealed);
    assert!(matches!(outs[..], [Out::Network { .. }]), "{outs:?}");
    let mut sealed = world.financial(&buy(2));
    let Request::Financial { sale, .. } = &mut sealed.request else {
        panic!("a sale");
    };
    sale.key.batch = Batch(41);
    let (answer, _) = till(world.till_asks(&sealed));
    assert_eq!(answer.code.as_str(), "77");
}

#[test]
fn a_transfer_is_nothing_of_the_merchants() {
    let mut world = World::open();
    let transfer = Ask {
        kind: Kind::Transfer,
        to: Some(OTHER_CARD),
        pin: Some(("123456", crypto::PinFormat::WithPan)),
        ..buy(1)
    };
    let asked = world.approved(&transfer);
    let host::Request::Financial(request) = asked.request else {
        panic!("a transfer is a financial request");
    };
    let to = request.to.expect("field 103");
    let number = world.host.open_pan(&to.sealed).unwrap();
    assert_eq!(number.expose(), OTHER_CARD.as_bytes());
    assert_eq!(world.payable(), 0);
    assert_eq!(told(&world.ask(&transfer)), ["00"]);
    // The same trace number for another receiver is another transaction.
    let other = Ask {
        to: Some("6225760000000021"),
        ..transfer
    };
    refused(&mut world, &other, "94");
    let itself = Ask {
        stan: 2,
        to: Some(CARD),
        ..transfer
    };
    refused(&mut world, &itself, "14");
    let advice = advice(world.reverse(&transfer));
    let host::Request::Reversal(back) = advice.request else {
        panic!("a reversal");
    };
    assert_eq!(back.sale.to.map(|to| to.token), Some(to.token));
    world.network_says(&answer(&advice, "00"));
    assert_eq!(world.payable(), 0);
    assert!(world.sale(&transfer).is_closed());
}

#[test]
fn quota_is_nothing_of_the_money_books() {
    let mut world = World::open();
    let quota = |minor| Amount {
        minor,
        currency: payment::BARTER_UNIT,
    };
    let sale = Ask {
        kind: Kind::BarterSale,
        amount: quota(12_300),
        to: Some(OTHER_CARD),
        pin: Some(("123456", crypto::PinFormat::WithPan)),
        ..buy(1)
    };
    world.approved(&sale);
    let delivery = |world: &World, stan, kind, minor| Ask {
        amount: quota(minor),
        pin: sale.pin,
        ..about(world, stan, kind, &sale, minor)
    };
    let above = delivery(&world, 2, Kind::BarterDelivery, 12_301);
    refused(&mut world, &above, "61");
    let asked = delivery(&world, 3, Kind::BarterDelivery, 12_300);
    world.approved(&asked);
    let late = delivery(&world, 4, Kind::BarterReturn, 12_300);
    refused(&mut world, &late, "22");
    assert_eq!(world.payable(), 0);
    let books = world.acquirer.state().books();
    assert_eq!(books.ledger().transfer_count(), 0);
    // Neither unit passes for the other.
    for (stan, kind, amount) in [
        (5, Kind::Purchase, quota(100)),
        (6, Kind::PreAuth, quota(100)),
        (7, Kind::BarterSale, Amount::fen(100)),
    ] {
        let ask = Ask {
            stan,
            kind,
            amount,
            to: kind.row().receiver.then_some(OTHER_CARD),
            ..buy(stan)
        };
        refused(&mut world, &ask, "A1");
    }
    let wrong = about(&world, 8, Kind::BarterDelivery, &sale, 12_300);
    refused(&mut world, &wrong, "A1");
}

#[test]
fn an_advice_goes_until_somebody_answers_it() {
    let mut world = World::open();
    let sale = buy(1);
    world.approved(&sale);
    let refund = about(&world, 2, Kind::Refund, &sale, 5_000);
    let asked = world.forwarded(&refund);
    // Nobody answers: the till is told so, nothing is reversed, and the same request goes again.
    let outs = world.wait(LADDER.acquirer_ms);
    assert_eq!(told(&outs), ["98"]);
    assert_eq!(world.sale(&refund).evidence.upstream, Upstream::Silent);
    assert!(world.sale(&refund).evidence.reversal.is_none());
    let mut tries = 0;
    for _ in 0..4 {
        for out in world.wait(1_500) {
            if let Out::Network { sealed, mac, .. } = out {
                assert_eq!((sealed.request, mac), (asked.request, MacCheck::Right));
                tries += 1;
            }
        }
    }
    assert!(tries >= 3, "{tries} attempts");
    // The till repeats it and waits; a restart forgets nothing; a transient answer decides nothing.
    assert!(world.ask(&refund).is_empty());
    world.restart();
    world.network_answers(&asked, "91");
    assert_eq!(world.payable(), 12_800);
    let outs = world.network_answers(&asked, "00");
    assert_eq!(told(&outs), ["00"]);
    assert_eq!(world.payable(), 7_800);
    // Once answered it is over: no more attempts, and every repeat gets the same.
    assert!(
        world
            .wait(10_000)
            .iter()
            .all(|out| !matches!(out, Out::Network { .. }))
    );
    assert_eq!(told(&world.ask(&refund)), ["00"]);
    world.network_answers(&asked, "00");
    assert_eq!(world.payable(), 7_800);
}

#[test]
fn an_advice_is_not_refused_because_nobody_is_there() {
    let mut cold = World::cold();
    cold.sign_on(EXTENDED, 900);
    let offline = Ask {
        kind: Kind::OfflineSale,
        ..buy(1)
    };
    let (answer, mac) = till(cold.ask(&offline));
    assert_eq!((answer.code.as_str(), mac), ("91", MacCheck::Right));
    assert!(cold.acquirer.state().sale(&cold.key(&offline)).is_none());
    cold.connect();
    cold.approved(&offline);
    assert_eq!(cold.payable(), 12_800);
}
