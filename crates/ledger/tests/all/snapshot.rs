//! A snapshot is the serialised ledger, and it continues where it was taken.

use expect_test::expect;
use ledger::Ledger;

use crate::*;

#[test]
fn a_snapshot_continues_where_it_was_taken() {
    let mut ledger = opened();
    ledger.apply(&post(1, CLEARING, CARD, 100));
    ledger.apply(&hold_until(u128::MAX, CARD, CLEARING, 10, 5));
    let text = serde_json::to_string(&ledger).expect("a ledger serialises");
    let mut read: Ledger = serde_json::from_str(&text).expect("and is read back");
    read.audit().expect("right");
    assert_eq!(read, ledger);
    for ledger in [&mut read, &mut ledger] {
        ledger.apply(&post_hold(4, u128::MAX, 7));
    }
    assert_eq!(read, ledger);
}

#[test]
fn entries_keep_their_written_form() {
    let entry = hold_until(7, CARD, CLEARING, 100, 5);
    let text = serde_json::to_string(&entry).expect("an entry serialises");
    expect![[r#"{"Hold":{"transfer":{"id":7,"debit":1,"credit":10,"amount_minor":100,"currency":156},"expires_at_ms":5}}"#]].assert_eq(&text);
    assert_eq!(
        serde_json::from_str::<Entry>(&text).expect("and is read back"),
        entry
    );
}
