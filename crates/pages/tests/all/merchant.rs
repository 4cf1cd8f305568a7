//! The merchant's portal, rendered in both languages and read.

use crate::fixture::{HOSTILE, item, listed, sale};
use pages::Lang;
use pages::console::fleet::Fleet;
use pages::merchant::today::{self, Today};
use pages::merchant::transactions::{self, Filters, Transactions};
use pages::merchant::{self, Asked, unresolved};
use payment::verdict::Position;

fn asked(lang: Lang, staff: bool) -> Asked<'static> {
    Asked {
        lang,
        path: "/merchant/transactions?merchant=898100053110001",
        as_of: "2026-11-22 14:03:05",
        merchant: HOSTILE,
        number: "898100053110001",
        staff,
        waiting: 1,
    }
}

/// Every page of the portal.
pub fn all(lang: Lang, staff: bool) -> Vec<String> {
    let asked = asked(lang, staff);
    let today = Today {
        date: "2026-11-22".into(),
        taken: (3, -12_800),
        unresolved: (1, 12_800),
        no_slip: 1,
        due_minor: 25_600,
        positions: vec![
            (Position::AcquirerPayable, 3, 38_400),
            (Position::DebitedOrNot, 1, 12_800),
        ],
    };
    let view = Transactions {
        filters: Filters {
            till: "T0000001".into(),
            ..Filters::default()
        },
        tills: vec!["T0000001".into()],
        rows: vec![listed()],
        next: Some(17),
    };
    vec![
        today::today(asked, &today),
        transactions::transactions(asked, &view),
        unresolved::unresolved(asked, &[item()]),
        merchant::tills(asked, &Fleet::default()),
        merchant::payouts(asked, "¥256.00"),
        merchant::disputes(asked),
        merchant::documents(asked, 5_411),
        merchant::sale::sale(asked, Some((&sale(), true))),
        merchant::sale::sale(asked, None),
        merchant::choice(
            lang,
            "/merchant",
            "2026-11-22 14:03:05",
            &[("898100053110001".into(), HOSTILE.into())],
        ),
    ]
}

#[test]
fn no_page_runs_what_it_is_told() {
    for page in all(Lang::En, false) {
        assert!(!page.contains("<script>alert"), "a name ran: {page}");
    }
    for page in all(Lang::Zh, true) {
        assert!(!page.contains("<script>alert") && !page.contains(" style="));
    }
}

#[test]
fn staff_keep_the_merchant_in_every_link_and_merchants_never_name_one() {
    let staff = &all(Lang::Zh, true)[1];
    assert!(staff.contains(r#"href="/merchant/tills?merchant=898100053110001""#));
    assert!(staff.contains(r#"name="merchant" value="898100053110001""#));
    assert!(staff.contains("before=17&amp;merchant=898100053110001"));
    assert_eq!(staff.matches(r#"aria-current="page""#).count(), 1);
    let own = &all(Lang::Zh, false)[1];
    assert!(own.contains(r#"href="/merchant/tills""#) && !own.contains(r#"name="merchant""#));
}
