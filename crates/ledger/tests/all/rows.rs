//! Rows: entries in order, each with its answer, and what the cardholder's account says at the end.

use expect_test::{Expect, expect};
use ledger::{
    AccountRules, Balance, Currency, Entry, Ledger, LedgerError, Limits, Side, TOTAL_MAX,
    TransferId, TransferState,
};

use crate::*;

/// Checks each entry, applies it when the answer is "ok", and compares all answers and the final totals of `CARD`.
fn check(entries: &[Entry], expected: &Expect) {
    let mut ledger = opened();
    let mut lines = String::new();
    for entry in entries {
        let answer = ledger.check(entry);
        match answer {
            Ok(()) => {
                ledger.apply(entry);
                lines += "ok\n";
            }
            Err(error) => lines += &format!("{error:?}\n"),
        }
        ledger
            .audit()
            .expect("the books are right after every entry");
    }
    let Balance {
        debits_pending,
        debits_posted,
        credits_pending,
        credits_posted,
    } = *ledger.balance(CARD).expect("open");
    let available = ledger.available(CARD).expect("open");
    lines += &format!(
        "debits {debits_posted}+{debits_pending} credits {credits_posted}+{credits_pending} available {available}\n"
    );
    expected.assert_eq(&lines);
}

#[test]
fn posts() {
    check(
        &[
            post(1, CLEARING, CARD, 100),
            post(2, CARD, CLEARING, 101),
            post(2, CARD, CLEARING, 100),
            post(2, CARD, CLEARING, 100),
            post(2, CARD, CLEARING, 99),
            post(3, CARD, CLEARING, 1),
            post(4, CARD, CLEARING, 0),
            post(5, CARD, CARD, 1),
            post(6, AccountId(99), CARD, 1),
            post(7, CLEARING, ABROAD, 1),
            post(8, VAULT, CLEARING, 5),
            post(9, CLEARING, VAULT, 6),
        ],
        &expect![[r#"
            ok
            Insufficient { account: AccountId(1), available: 100 }
            ok
            Exists
            ExistsDifferent
            Insufficient { account: AccountId(1), available: 0 }
            AmountZero
            SameAccount(AccountId(1))
            UnknownAccount(AccountId(99))
            CurrencyDiffers { account: AccountId(20), expected: Currency(840) }
            ok
            Insufficient { account: AccountId(11), available: 5 }
            debits 100+0 credits 100+0 available 0
        "#]],
    );
}

#[test]
fn a_hold_counts_against_available_and_resolves_once() {
    check(
        &[
            post(1, CLEARING, CARD, 100),
            hold(2, CARD, CLEARING, 60),
            hold(3, CARD, CLEARING, 41),
            post(3, CARD, CLEARING, 41),
            post_hold(4, 2, 0),
            post_hold(4, 2, 61),
            post_hold(4, 2, 50),
            post_hold(4, 2, 50),
            post_hold(4, 2, 51),
            post_hold(5, 2, 10),
            void(5, 2),
            expire(5, 2),
            void(4, 2),
            post_hold(6, 1, 1),
            void(6, 77),
            void(6, 4),
            hold(7, CARD, CLEARING, 50),
            void(8, 7),
            void(8, 7),
            post_hold(9, 7, 1),
        ],
        &expect![[r#"
            ok
            ok
            Insufficient { account: AccountId(1), available: 40 }
            Insufficient { account: AccountId(1), available: 40 }
            AmountZero
            ExceedsHold { held_minor: 60 }
            ok
            Exists
            ExistsDifferent
            AlreadyResolved { by: TransferId(4) }
            AlreadyResolved { by: TransferId(4) }
            AlreadyResolved { by: TransferId(4) }
            ExistsDifferent
            NotHeld(TransferId(1))
            NotFound(TransferId(77))
            NotFound(TransferId(4))
            ok
            ok
            Exists
            AlreadyResolved { by: TransferId(8) }
            debits 50+0 credits 100+0 available 50
        "#]],
    );
}

#[test]
fn a_pending_credit_is_not_yet_available() {
    check(
        &[
            hold(1, CLEARING, CARD, 100),
            post(2, CARD, CLEARING, 1),
            post_hold(3, 1, 100),
            post(2, CARD, CLEARING, 1),
        ],
        &expect![[r#"
            ok
            Insufficient { account: AccountId(1), available: 0 }
            ok
            ok
            debits 1+0 credits 100+0 available 99
        "#]],
    );
}

#[test]
fn expiry() {
    check(
        &[
            post(1, CLEARING, CARD, 100),
            hold(2, CARD, CLEARING, 10),
            expire(3, 2),
            hold_until(4, CARD, CLEARING, 20, 1_000),
            hold_until(4, CARD, CLEARING, 20, 2_000),
            hold_until(4, CARD, CLEARING, 20, 1_000),
            expire(5, 4),
            reverse(6, 4),
        ],
        &expect![[r#"
            ok
            ok
            NeverExpires(TransferId(2))
            ok
            ExistsDifferent
            Exists
            ok
            AlreadyResolved { by: TransferId(5) }
            debits 0+10 credits 100+0 available 90
        "#]],
    );

    let mut ledger = opened();
    ledger.apply(&post(1, CLEARING, CARD, 100));
    ledger.apply(&hold_until(2, CARD, CLEARING, 1, 2_000));
    ledger.apply(&hold_until(3, CARD, CLEARING, 1, 1_000));
    assert_eq!(ledger.next_expiry(), Some((1_000, TransferId(3))));
    ledger.apply(&expire(4, 3));
    assert_eq!(ledger.next_expiry(), Some((2_000, TransferId(2))));
    ledger.apply(&post_hold(5, 2, 1));
    assert_eq!(ledger.next_expiry(), None);
}

#[test]
fn a_transfer_reverses_once() {
    check(
        &[
            post(1, CLEARING, CARD, 100),
            post(2, CARD, CLEARING, 30),
            reverse(3, 2),
            reverse(3, 2),
            reverse(4, 2),
            reverse(3, 1),
            reverse(5, 3),
            reverse(5, 77),
            hold(6, CARD, CLEARING, 60),
            reverse(7, 6),
            post_hold(7, 6, 40),
            reverse(8, 7),
            reverse(8, 6),
            reverse(9, 6),
            post(10, CARD, CARD_2, 100),
            reverse(11, 1),
        ],
        &expect![[r#"
            ok
            ok
            ok
            Exists
            AlreadyReversed { by: TransferId(3) }
            ExistsDifferent
            NotFound(TransferId(3))
            NotFound(TransferId(77))
            ok
            StillPending(TransferId(6))
            ok
            NotFound(TransferId(7))
            ok
            AlreadyReversed { by: TransferId(8) }
            ok
            Insufficient { account: AccountId(1), available: 0 }
            debits 170+0 credits 170+0 available 0
        "#]],
    );
}

#[test]
fn states_and_entries_are_remembered_until_forgotten() {
    let entries = [
        post(1, CLEARING, CARD, 100),
        hold(2, CARD, CLEARING, 10),
        hold(3, CARD, CLEARING, 10),
        void(4, 3),
        hold_until(5, CARD, CLEARING, 10, 1),
        expire(6, 5),
        hold(7, CARD, CLEARING, 10),
        post_hold(8, 7, 4),
        post(9, CARD, CLEARING, 10),
        reverse(10, 9),
        hold(11, CARD, CLEARING, 10),
        post_hold(12, 11, 10),
        reverse(13, 11),
    ];
    let mut ledger = opened();
    entries.iter().for_each(|entry| ledger.apply(entry));
    for (id, state) in [
        (1, TransferState::Posted),
        (2, TransferState::Pending),
        (3, TransferState::Voided),
        (5, TransferState::Expired),
        (7, TransferState::PostedHold),
        (9, TransferState::Reversed),
        (11, TransferState::Reversed),
    ] {
        assert_eq!(ledger.state(TransferId(id)), Some(state), "{id}");
    }
    for (id, entry) in (1..).zip(&entries) {
        assert_eq!(ledger.entry(TransferId(id)), Some(*entry));
        assert_eq!(ledger.check(entry), Err(LedgerError::Exists));
    }
    assert_eq!(
        ledger.state(TransferId(4)),
        None,
        "closing entries are no transfers"
    );

    let before: Vec<_> = ledger
        .accounts()
        .map(|(id, _, balance)| (id, *balance))
        .collect();
    for id in [1, 3, 5, 7, 9, 11, 4, 77] {
        ledger.forget(TransferId(id));
        ledger.audit().expect("forgetting keeps the books right");
    }
    let after: Vec<_> = ledger
        .accounts()
        .map(|(id, _, balance)| (id, *balance))
        .collect();
    assert_eq!(before, after);
    assert_eq!(ledger.transfer_count(), 1);
    for id in (1..=13).filter(|id| *id != 2) {
        assert_eq!(ledger.entry(TransferId(id)), None, "{id}");
    }
    assert_eq!(
        ledger.check(&reverse(20, 1)),
        Err(LedgerError::NotFound(TransferId(1)))
    );
    ledger.apply(&void(21, 2));
    ledger.forget(TransferId(2));
    assert_eq!(ledger.transfer_count(), 0);
    ledger.audit().expect("right");
}

#[test]
#[should_panic(expected = "the ledger cannot forget the pending hold 2")]
fn a_pending_hold_is_never_forgotten() {
    let mut ledger = opened();
    ledger.apply(&hold(2, CLEARING, CARD, 10));
    ledger.forget(TransferId(2));
}

#[test]
#[should_panic(expected = "account 1 has only 0 available")]
fn a_refused_entry_cannot_be_applied() {
    opened().apply(&post(1, CARD, CLEARING, 1));
}

#[test]
fn accounts_open_once() {
    let ledger = opened();
    let rules = AccountRules::deposit(Currency::CNY);
    let other = AccountRules::open(Currency::CNY, Side::Credit);
    assert_eq!(
        ledger.check(&Entry::Open {
            account: CARD,
            rules
        }),
        Err(LedgerError::Exists)
    );
    assert_eq!(
        ledger.check(&Entry::Open {
            account: CARD,
            rules: other
        }),
        Err(LedgerError::ExistsDifferent)
    );
    assert_eq!(ledger.rules(CARD), Some(&rules));
    assert_eq!(ledger.balance(AccountId(99)), None);
}

#[test]
fn limits_refuse_and_never_strand_a_hold() {
    let mut ledger = Ledger::with_limits(Limits {
        accounts_max: 2,
        transfers_max: 1,
    });
    let rules = AccountRules::open(Currency::CNY, Side::Credit);
    for account in [CARD, CLEARING] {
        ledger.apply(&Entry::Open { account, rules });
    }
    assert_eq!(
        ledger.check(&Entry::Open {
            account: VAULT,
            rules
        }),
        Err(LedgerError::AccountsFull)
    );
    ledger.apply(&hold(1, CARD, CLEARING, TOTAL_MAX));
    assert_eq!(
        ledger.check(&post(2, CARD, CLEARING, 1)),
        Err(LedgerError::TransfersFull)
    );
    ledger.apply(&post_hold(2, 1, TOTAL_MAX));
    ledger.apply(&reverse(3, 1));
    ledger.forget(TransferId(1));
    assert_eq!(
        ledger.check(&post(4, CARD, CLEARING, 1)),
        Err(LedgerError::Overflow(CARD))
    );
    assert_eq!(
        ledger.check(&post(4, CARD, CLEARING, u64::MAX)),
        Err(LedgerError::Overflow(CARD))
    );
    ledger.audit().expect("right at the very top");
}
