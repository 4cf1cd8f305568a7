//! Link ids and certificates: one link for a sale's whole life, one certificate for each final outcome.

use crate::outs::*;
use crate::world::*;
use payment::certificate::CertifiedOutcome::{self, Approved, Declined, Reversed};
use payment::terminal::Standing;

fn outcomes(world: &World) -> Vec<CertifiedOutcome> {
    world.certificates.iter().map(|c| c.outcome).collect()
}

#[test]
fn a_sale_keeps_its_link_and_tells_extended_terminals() {
    let mut world = World::open();
    let asked = world.forwarded(&buy(1));
    let link = world.sale(&buy(1)).link.expect("drawn when it was heard");
    let (answer, _) = till(world.network_answers(&asked, "00"));
    assert_eq!(answer.link, Some(link));
    assert_eq!(
        till(world.ask(&buy(1))).0.link,
        Some(link),
        "a repeat gets the same"
    );
    assert_eq!(world.query(EXTENDED, 1).1.link, Some(link));
    world.restart();
    assert_eq!(world.query(EXTENDED, 1).1.link, Some(link));
    assert_eq!(
        world.acquirer.state().find_link(link).map(|s| s.key()),
        Some(world.key(&buy(1)))
    );
    let outs = world.reverse(&buy(1));
    let done = world.network_answers(&advice(outs), "00");
    assert_eq!(
        till(done).0.link,
        Some(link),
        "the proof of the reversal has the same page"
    );

    world.forwarded(&buy(2));
    let other = world.sale(&buy(2)).link.expect("drawn");
    assert_ne!(other, link);
    let outs = world.wait(LADDER.acquirer_ms);
    let given_up = outs.iter().find_map(|out| match out {
        Out::Till { answer, .. } => Some(answer.link),
        _ => None,
    });
    assert_eq!(given_up, Some(Some(other)), "98 says where to look");
    assert_eq!(world.query(EXTENDED, 2).1.link, Some(other));

    let plain = Ask {
        terminal: PLAIN,
        amount: payment::Amount::fen(500),
        ..buy(3)
    };
    let asked = world.forwarded(&plain);
    assert!(world.sale(&plain).link.is_some());
    assert_eq!(till(world.network_answers(&asked, "00")).0.link, None);
}

#[test]
fn every_final_outcome_is_certified_once() {
    let mut world = World::open();
    world.approved(&buy(1));
    assert_eq!(outcomes(&world), [Approved]);
    assert_eq!(world.certificates[0].amount, buy(1).amount);
    assert_eq!(world.certificates[0].rrn, world.sale(&buy(1)).rrn);
    world.ask(&buy(1));
    world.query(EXTENDED, 1);
    assert_eq!(outcomes(&world), [Approved], "a repeat certifies nothing");
    let asked = world.reverse(&buy(1));
    let advice_1 = advice(asked);
    assert_eq!(
        outcomes(&world),
        [Approved],
        "a reversal is final with the issuer's word"
    );
    world.network_answers(&advice_1, "00");
    world.network_answers(&advice_1, "00");
    assert_eq!(outcomes(&world), [Approved, Reversed]);

    let asked = world.forwarded(&buy(2));
    world.network_answers(&asked, "51");
    assert_eq!(outcomes(&world), [Approved, Reversed, Declined]);

    world.forwarded(&buy(3));
    let advice_3 = advice(world.wait(LADDER.acquirer_ms));
    world.network_answers(&advice_3, "40");
    assert_eq!(outcomes(&world).len(), 3, "a refused reversal is not final");
    world.network_answers(&advice_3, "25");
    assert_eq!(outcomes(&world)[3..], [Reversed]);
    assert_eq!(
        world.query(EXTENDED, 3).0,
        Standing::Reversed {
            never_debited: true
        }
    );

    world.restart();
    world.approved(&buy(4));
    let numbers: Vec<u64> = world.certificates.iter().map(|c| c.number).collect();
    assert_eq!(
        numbers,
        [1, 2, 3, 4, 5],
        "the chain goes on after a restart"
    );
}
