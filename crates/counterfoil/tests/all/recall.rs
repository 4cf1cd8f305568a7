//! Forgotten originals: found by the archive and proved by the journal, or not known in time.

use crate::archive::world::{PAN, SHOP, World, card, deal, rrn};
use acquirer::{Found, Wanted};
use counterfoil::archive::{self, Role};
use counterfoil::recall::look;
use payment::{Claims, Kind, MerchantId, Rrn};
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn what_is_forgotten_is_found_with_its_card_and_claims() {
    let disk = World::of_kinds().write();
    let data = disk.data(Role::Acquirer);
    let wanted = |n| Wanted {
        merchant: SHOP,
        rrn: rrn(n),
    };
    // Nobody knows while the archive is behind.
    assert_eq!(look(&data, wanted(10), Instant::now()), Found::Unknown);
    archive::rebuild(&data).unwrap();

    let Found::Standing(sale) = look(&data, wanted(10), soon()) else {
        panic!("the purchase stands");
    };
    let purchase = deal(10, Kind::Purchase, 1_000, None, 1_000);
    assert_eq!((sale.sale, sale.rrn), (purchase.sale(), rrn(10)));
    assert_eq!(sale.sale.card.token, card().token);
    assert_eq!((sale.host.stan.0, sale.moved_minor), (10, 1_000));
    assert_eq!(sale.approval.unwrap().to_string(), "000001");
    let refunded = Claims {
        returned: 300,
        ..Claims::default()
    };
    assert_eq!(sale.claims, refunded);
    let dump = disk.dump(Role::Acquirer);
    assert!(!dump.contains(PAN), "the archive holds no card");

    // A void that was reversed is nothing to refund, and its original stands.
    assert_eq!(look(&data, wanted(23), soon()), Found::NotStanding);
    assert!(
        matches!(look(&data, wanted(22), soon()), Found::Standing(sale) if !sale.claims.undone)
    );
    let strangers = [
        Wanted {
            rrn: Rrn(*b"999999999999"),
            ..wanted(10)
        },
        Wanted {
            merchant: MerchantId(*b"898310154110009"),
            ..wanted(10)
        },
    ];
    for stranger in strangers {
        assert_eq!(look(&data, stranger, soon()), Found::Nothing);
    }
    assert_eq!(
        look(
            &disk.data(Role::Acquirer).join("nowhere"),
            wanted(10),
            soon()
        ),
        Found::Unknown
    );
}
