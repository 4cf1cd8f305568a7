//! Refunds of what memory has forgotten: the archive is asked, and what it says is judged as if it had been remembered.

use crate::outs::*;
use crate::world::*;
use acquirer::{Found, Input, Question, Recalled, SaleRecord};
use payment::terminal::MacCheck;
use payment::{Amount, Kind, Original, Rrn};

/// Transactions that are remembered here.
const SALES_MAX: usize = 3;

/// The plain terminal confirms each sale with its next request, so that it may be forgotten.
fn plain(stan: u32) -> Ask {
    Ask {
        terminal: PLAIN,
        ..buy(stan)
    }
}

fn refund(stan: u32, rrn: Rrn, minor: u64) -> Ask {
    Ask {
        kind: Kind::Refund,
        amount: Amount::fen(minor),
        original: Some(Original {
            batch: payment::Batch(1),
            stan: payment::Stan(1),
            date: 0,
            rrn: Some(rrn),
            approval: None,
        }),
        ..plain(stan)
    }
}

/// The question that left instead of an answer.
#[track_caller]
fn asks(world: &mut World, ask: &Ask) -> Box<Question> {
    let rrn = ask.original.and_then(|original| original.rrn).unwrap();
    match <[Out; 1]>::try_from(world.ask(ask)) {
        Ok([Out::Recall { wanted, question }]) if (wanted.merchant, wanted.rrn) == (SHOP, rrn) => {
            let kept = world.acquirer.state().sale(&world.key(ask));
            assert!(kept.is_none(), "nothing is kept of a question");
            question
        }
        other => panic!("not one question: {other:?}"),
    }
}

#[track_caller]
fn refused(world: &mut World, ask: &Ask, found: Found, code: &str) {
    let question = asks(world, ask);
    let (answer, mac) = till(world.step(Input::Recalled { question, found }));
    assert_eq!((answer.code.as_str(), mac), (code, MacCheck::Right));
}

/// As archive and journal have it.
fn archived(sale: &SaleRecord) -> Found {
    Found::Standing(Recalled {
        sale: sale.request,
        rrn: sale.rrn,
        host: sale.host.unwrap(),
        at: sale.received,
        approval: sale.answer.unwrap().approval,
        moved_minor: sale.moved_minor,
        claims: sale.claims,
    })
}

#[test]
fn a_refund_of_a_forgotten_sale() {
    let mut world = World::forgetful(SALES_MAX);
    world.approved(&plain(1));
    let sale = world.sale(&plain(1)).clone();
    let others = |world: &mut World, stans: std::ops::Range<u32>| {
        for stan in stans {
            world.approved(&plain(stan));
        }
        assert!(world.acquirer.state().find_rrn(sale.rrn).is_none());
    };
    others(&mut world, 2..8);
    let payable = world.payable();

    // What the archive does not know, or does not know in time.
    let first = refund(10, sale.rrn, 8_000);
    refused(&mut world, &first, Found::Unknown, "96");
    assert!(world.acquirer.state().sale(&world.key(&first)).is_none());
    let unknown = refund(11, Rrn(*b"999999999999"), 1);
    refused(&mut world, &unknown, Found::Nothing, "25");
    refused(
        &mut world,
        &refund(12, sale.rrn, 1),
        Found::NotStanding,
        "22",
    );
    let other_card = Ask {
        card: OTHER_CARD,
        ..refund(13, sale.rrn, 1)
    };
    refused(&mut world, &other_card, archived(&sale), "12");

    // The advice that nobody could take comes again, twice at once: it is forwarded once.
    let (question, again) = (asks(&mut world, &first), asks(&mut world, &first));
    let found = archived(&sale);
    let (asked, _) = network(world.step(Input::Recalled { question, found }));
    let payment::host::Request::Financial(request) = asked.request else {
        panic!("a refund is a financial request");
    };
    assert_eq!(request.original, sale.host);
    let question = again;
    assert!(world.step(Input::Recalled { question, found }).is_empty());
    world.network_answers(&asked, "00");
    assert_eq!(world.payable(), payable - 8_000);

    // While it is remembered nobody is asked; later the archive says what was claimed.
    let (answer, _) = till(world.ask(&refund(14, sale.rrn, 4_801)));
    assert_eq!(answer.code.as_str(), "64");
    let claimed = world.acquirer.state().find_rrn(sale.rrn).unwrap().clone();
    assert_eq!(claimed.claims.returned, 8_000);
    others(&mut world, 20..26);
    refused(
        &mut world,
        &refund(30, sale.rrn, 4_801),
        archived(&claimed),
        "64",
    );
    let question = asks(&mut world, &refund(31, sale.rrn, 4_800));
    let found = archived(&claimed);
    let (asked, _) = network(world.step(Input::Recalled { question, found }));
    world.network_answers(&asked, "00");
    world.restart();
    let (answer, _) = till(world.ask(&refund(32, sale.rrn, 1)));
    assert_eq!(answer.code.as_str(), "64");
}

#[test]
fn nobody_is_asked_without_an_archive() {
    let mut world = World::open();
    let (answer, _) = till(world.ask(&refund(1, Rrn(*b"999999999999"), 1)));
    assert_eq!(answer.code.as_str(), "25");
}
