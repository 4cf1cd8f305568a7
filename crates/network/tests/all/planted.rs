//! Each planted bug changes what is seen from outside.

use crate::world::*;
use network::{Bug, Input};
use payment::host::*;
use payment::*;

fn silent_sale(bug: Bug) -> (World, Sealed, Sealed) {
    let mut world = World::new();
    world.network.plant(bug);
    let sale = world.purchase(ACQUIRER, PAN);
    let forwarded = world.request(ACQUIRER, &sale).only_request(ISSUER);
    (world, sale, forwarded)
}

#[test]
fn every_planted_bug_shows() {
    for bug in Bug::ALL {
        let (mut world, sale, forwarded) = silent_sale(bug);
        match bug {
            Bug::NetworkMatchesByStanOnly => {
                let mut other = approval(&forwarded);
                other.key.transmission += 1;
                other.amount = Some(Amount::fen(1));
                let answer = world.answer(ISSUER, &other).only_answer(ACQUIRER);
                assert!(answer.answers(&sale.request));
            }
            Bug::NetworkForwardsLateApproval => {
                world.pass_ms(60_000).only_answer(ACQUIRER);
                let late = world.answer(ISSUER, &approval(&forwarded));
                assert_eq!(late.only_answer(ACQUIRER).code, ResponseCode::APPROVED);
            }
            Bug::NetworkGivesUpReversals => {
                assert_eq!(world.pass_ms(60_000).reversals(ISSUER).len(), 3);
                assert_eq!(world.network.undelivered(), 0);
            }
            Bug::NetworkAnswersReversalEarly => {
                let advice = world.reversal_of(&sale);
                let got = world.request(ACQUIRER, &advice);
                assert!(matches!(got[0], (ACQUIRER, Got::Answer(_))));
            }
            Bug::NetworkForgetsInFlightOnRestart => {
                world.input(Input::Resumed).nothing();
                assert_eq!(
                    (world.network.in_flight(), world.network.undelivered()),
                    (0, 0)
                );
            }
        }
    }
}
