//! The refusal ladder and what a first answer and its repeats say.

use crate::world::{CREDIT, DEBIT, OPENING, SIGNATURE, World};
use issuer::{CardSetup, CardStatus, ChipCheck, Input, NoticeKind, PinCheck, Standing};
use ledger::TransferState;
use payment::host::{Financial, Request};
use payment::{Amount, Currency, Kind, ResponseCode, Wall};

/// Amount of nearly all rows.
const FEN: u64 = 12_800;

fn check(
    name: &str,
    card: usize,
    pin: PinCheck,
    setup: impl Fn(&mut CardSetup),
    change: impl Fn(&mut Financial),
    expected: ResponseCode,
) {
    let mut world = World::with(|_, card| setup(card));
    let mut sale = world.sale(card, FEN);
    change(&mut sale);
    let answer = world.ask(sale, pin);
    assert_eq!(answer.code, expected, "{name}");
    assert!(answer.answers(&Request::Financial(sale)), "{name}");
    let booked = expected == ResponseCode::APPROVED && sale.kind == Kind::Purchase;
    assert_eq!(answer.approval.is_some(), booked, "{name}");
    let debited = if booked { sale.amount.minor as i64 } else { 0 };
    assert_eq!(world.issuer.suspense(), debited, "{name}");
    assert_eq!(world.notices.len(), usize::from(booked), "{name}");
    // Every decision is a record, and its repeat says the same without another one (A1, A2).
    let known = world.records.len();
    assert_eq!(world.ask(sale, PinCheck::Right), answer, "{name}");
    assert_eq!(world.records.len(), known, "{name}");
    assert_eq!(world.issuer.suspense(), debited, "{name}");
    assert_eq!(world.notices.len(), usize::from(booked), "{name}");
}

#[test]
fn rows() {
    use PinCheck::{Absent, Format, Right, Wrong};
    use ResponseCode as C;
    let plain = |_: &mut CardSetup| {};
    let same = |_: &mut Financial| {};
    let status = |status| move |card: &mut CardSetup| card.status = status;
    let minor = |minor| move |sale: &mut Financial| sale.amount = Amount::fen(minor);
    let expiry = |expiry| move |card: &mut CardSetup| card.expiry = expiry;
    check("debit", DEBIT, Right, plain, same, C::APPROVED);
    check("credit", CREDIT, Right, plain, same, C::APPROVED);
    check("signature", SIGNATURE, Absent, plain, same, C::APPROVED);
    check(
        "lost",
        DEBIT,
        Right,
        status(CardStatus::Lost),
        same,
        C::LOST_CARD,
    );
    check(
        "stolen",
        DEBIT,
        Right,
        status(CardStatus::Stolen),
        same,
        C::STOLEN_CARD,
    );
    check(
        "restricted",
        DEBIT,
        Right,
        status(CardStatus::Restricted),
        same,
        C::RESTRICTED_CARD,
    );
    check(
        "dormant",
        DEBIT,
        Wrong,
        status(CardStatus::NotInitialised),
        same,
        C::CARD_NOT_INITIALISED,
    );
    check("last month", DEBIT, Right, expiry(2611), same, C::APPROVED);
    check("expired", DEBIT, Wrong, expiry(2610), same, C::EXPIRED_CARD);
    check("wrong PIN", DEBIT, Wrong, plain, same, C::WRONG_PIN);
    check("PIN block", DEBIT, Format, plain, same, C::PIN_FORMAT);
    check("no PIN", DEBIT, Absent, plain, same, C::NOT_AUTHENTICATED);
    check("small", DEBIT, Absent, plain, minor(5_000), C::APPROVED);
    check(
        "not small",
        DEBIT,
        Absent,
        plain,
        minor(5_001),
        C::NOT_AUTHENTICATED,
    );
    check("zero", DEBIT, Right, plain, minor(0), C::INVALID_AMOUNT);
    check("all", DEBIT, Right, plain, minor(100_000), C::APPROVED);
    check(
        "funds",
        DEBIT,
        Right,
        plain,
        minor(100_001),
        C::INSUFFICIENT_FUNDS,
    );
    check(
        "limit",
        CREDIT,
        Right,
        plain,
        minor(100_001),
        C::INSUFFICIENT_FUNDS,
    );
    check(
        "single",
        DEBIT,
        Right,
        plain,
        minor(200_001),
        C::AMOUNT_LIMIT,
    );
    check(
        "daily",
        DEBIT,
        Right,
        |card: &mut CardSetup| card.daily_limit_minor = 12_799,
        same,
        C::AMOUNT_LIMIT,
    );
    check(
        "count",
        DEBIT,
        Right,
        |card: &mut CardSetup| card.daily_count_limit = 0,
        same,
        C::COUNT_LIMIT,
    );
    let dollars = |sale: &mut Financial| sale.amount.currency = Currency(840);
    check(
        "dollars",
        DEBIT,
        Right,
        plain,
        dollars,
        C::CURRENCY_MISMATCH,
    );
    let other = |sale: &mut Financial| sale.kind = Kind::Reversal;
    check("kind", DEBIT, Right, plain, other, C::NOT_SUPPORTED);
    let old = |sale: &mut Financial| sale.key.transmission = 1_101_000_000;
    check("old", DEBIT, Right, plain, old, C::DUPLICATE);
    let no_date = |sale: &mut Financial| sale.key.transmission = 1;
    check("no date", DEBIT, Right, plain, no_date, C::FORMAT_ERROR);
    let overdraft = |card: &mut CardSetup| card.credit_limit_minor = 50_000;
    check(
        "overdraft",
        DEBIT,
        Right,
        overdraft,
        minor(150_000),
        C::APPROVED,
    );
}

#[test]
fn a_card_of_another_bank_is_unknown_and_one_not_opened_yet_waits() {
    let mut world = World::new();
    let mut sale = world.sale(DEBIT, FEN);
    sale.card.token = serde_json::from_str("\"000102030405060708090A0B0C0D0E0F\"").unwrap();
    assert_eq!(world.buy(sale), ResponseCode::INVALID_CARD);
    let sale = world.sale(DEBIT, FEN);
    world.issuer = issuer::Issuer::new(crate::world::config(|_, _| {}));
    assert_eq!(world.buy(sale), ResponseCode::ISSUER_UNAVAILABLE);
}

#[test]
fn three_wrong_pins_lock_and_a_right_one_forgives() {
    let mut world = World::new();
    let mut ask = |pin, expected| {
        let sale = world.sale(DEBIT, 100);
        assert_eq!(world.ask(sale, pin).code, expected);
        sale
    };
    ask(PinCheck::Wrong, ResponseCode::WRONG_PIN);
    ask(PinCheck::Format, ResponseCode::PIN_FORMAT);
    ask(PinCheck::Right, ResponseCode::APPROVED);
    ask(PinCheck::Wrong, ResponseCode::WRONG_PIN);
    let second = ask(PinCheck::Format, ResponseCode::PIN_FORMAT);
    // A repeat of a wrong try is no other try.
    let heard = world.now.mono;
    let repeated = Input::Financial {
        sale: second,
        pin: PinCheck::Wrong,
        chip: ChipCheck::Absent,
        heard,
    };
    assert_eq!(world.answer(repeated).code, ResponseCode::PIN_FORMAT);
    let mut ask = |pin, expected| {
        let sale = world.sale(DEBIT, 100);
        assert_eq!(world.ask(sale, pin).code, expected);
    };
    ask(PinCheck::Wrong, ResponseCode::PIN_TRY_LIMIT);
    ask(PinCheck::Right, ResponseCode::PIN_TRY_LIMIT);
    ask(PinCheck::Absent, ResponseCode::PIN_TRY_LIMIT);
    // The other card is its own.
    let sale = world.sale(CREDIT, 100);
    assert_eq!(world.buy(sale), ResponseCode::APPROVED);
}

#[test]
fn daily_limits_count_what_stands_and_start_anew() {
    let mut world = World::with(|_, card| {
        card.daily_limit_minor = 30_000;
        card.daily_count_limit = 2;
    });
    let first = world.sale(DEBIT, 20_000);
    assert_eq!(world.buy(first), ResponseCode::APPROVED);
    let more = world.sale(DEBIT, 10_001);
    assert_eq!(world.buy(more), ResponseCode::AMOUNT_LIMIT);
    let second = world.sale(DEBIT, 10_000);
    assert_eq!(world.buy(second), ResponseCode::APPROVED);
    let third = world.sale(DEBIT, 1);
    assert_eq!(world.buy(third), ResponseCode::AMOUNT_LIMIT);
    assert_eq!(world.reverse(first), ResponseCode::APPROVED);
    let third = world.sale(DEBIT, 1);
    assert_eq!(world.buy(third), ResponseCode::APPROVED);
    let fourth = world.sale(DEBIT, 1);
    assert_eq!(world.buy(fourth), ResponseCode::COUNT_LIMIT);
    // 23 November, one second after midnight.
    world.advance((9 * 3_600 + 56 * 60 + 39) * 1_000);
    let next_day = world.sale(DEBIT, 30_000);
    assert_eq!(world.buy(next_day), ResponseCode::APPROVED);
    // A wall reading that goes back opens no fresh day.
    world.now.wall.0 -= 10_000;
    let back = world.sale(DEBIT, 1);
    assert_eq!(world.buy(back), ResponseCode::AMOUNT_LIMIT);
}

#[test]
fn an_inquiry_answers_what_is_available_and_moves_nothing() {
    let mut world = World::new();
    for (card, available) in [(DEBIT, OPENING - 12_800), (CREDIT, OPENING - 12_800)] {
        let sale = world.sale(card, 12_800);
        world.buy(sale);
        let inquiry = world.inquiry(card);
        let answer = world.ask(inquiry, PinCheck::Right);
        assert_eq!(
            (answer.code, answer.balance, answer.approval),
            (ResponseCode::APPROVED, Some(available), None)
        );
        let suspense = world.issuer.suspense();
        let other = world.sale(card, 100);
        world.buy(other);
        // The repeat says what the first said.
        assert_eq!(world.ask(inquiry, PinCheck::Right), answer);
        assert_eq!(world.reverse(inquiry), ResponseCode::INVALID_RELATED);
        assert_eq!(world.issuer.suspense(), suspense + 100);
        let without = world.inquiry(card);
        let refused = world.ask(without, PinCheck::Absent);
        assert_eq!(
            (refused.code, refused.balance),
            (ResponseCode::NOT_AUTHENTICATED, None)
        );
    }
}

#[test]
fn a_debit_card_posts_and_a_credit_card_holds() {
    let mut world = World::new();
    for (card, open, closed) in [
        (DEBIT, TransferState::Posted, TransferState::Reversed),
        (CREDIT, TransferState::Pending, TransferState::Voided),
    ] {
        let sale = world.sale(card, 12_800);
        assert_eq!(world.buy(sale), ResponseCode::APPROVED);
        assert_eq!(world.issuer.booking(&sale.key), Some(open));
        assert_eq!(world.balance(card), OPENING - 12_800);
        assert_eq!(world.reverse(sale), ResponseCode::APPROVED);
        assert_eq!(world.issuer.booking(&sale.key), Some(closed));
        assert_eq!((world.balance(card), world.issuer.suspense()), (OPENING, 0));
    }
}

#[test]
fn approval_codes_are_not_given_twice() {
    let mut world = World::with(|_, card| card.daily_count_limit = 100);
    let codes: std::collections::BTreeSet<_> = (0..40)
        .map(|_| {
            let sale = world.sale(DEBIT, 100);
            world.ask(sale, PinCheck::Right).approval
        })
        .collect();
    assert_eq!((codes.len(), codes.contains(&None)), (40, false));
    let last = codes.last().unwrap().map(|code| code.to_string());
    assert_eq!(last.as_deref(), Some("000014"));
}

#[test]
fn a_used_key_with_other_content_is_neither_executed_nor_given_the_first_answer() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 100);
    world.buy(sale);
    for change in [
        Financial {
            amount: Amount::fen(101),
            ..sale
        },
        Financial {
            kind: Kind::BalanceInquiry,
            ..sale
        },
        Financial {
            card: world.sale(CREDIT, 1).card,
            ..sale
        },
    ] {
        assert_eq!(world.buy(change), ResponseCode::DUPLICATE);
    }
    assert_eq!(world.buy(sale), ResponseCode::APPROVED);
    assert_eq!(world.issuer.suspense(), 100);
}

#[test]
fn what_waited_too_long_is_refused_unexecuted() {
    let mut world = World::new();
    let heard = world.now.mono;
    let sale = world.sale(DEBIT, 100);
    let input = Input::Financial {
        sale,
        pin: PinCheck::Wrong,
        chip: ChipCheck::Absent,
        heard,
    };
    world.advance(1_001);
    assert_eq!(world.answer(input.clone()).code, ResponseCode::LATE_ANSWER);
    assert_eq!((world.issuer.suspense(), world.notices.len()), (0, 0));
    assert_eq!(world.issuer.counters().late, 1);
    // Its repeat in time gets the same answer, its reversal finds nothing to reverse.
    assert_eq!(world.buy(sale), ResponseCode::LATE_ANSWER);
    assert_eq!(world.reverse(sale), ResponseCode::INVALID_RELATED);
    let sale = world.sale(DEBIT, 100);
    let heard = world.now.mono;
    world.advance(1_000);
    let input = Input::Financial {
        sale,
        pin: PinCheck::Right,
        chip: ChipCheck::Absent,
        heard,
    };
    assert_eq!(world.answer(input).code, ResponseCode::APPROVED);
}

#[test]
fn the_cardholder_is_told_once_and_in_words() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 12_800);
    world.buy(sale);
    world.buy(sale);
    world.advance(60_000);
    world.reverse(sale);
    world.reverse(sale);
    world.buy(sale);
    let credit = world.sale(CREDIT, 12_800);
    world.buy(credit);
    let told: Vec<_> = world
        .notices
        .iter()
        .map(|notice| (notice.kind, notice.text(true), notice.text(false)))
        .collect();
    let expected = [
        (
            NoticeKind::Debited,
            "您尾号0005的卡11月22日14:03消费¥128.00，余额¥872.00。",
            "Your card ending 0005 paid ¥128.00 on 11-22 at 14:03; balance ¥872.00.",
        ),
        (
            NoticeKind::Returned,
            "您尾号0005的卡消费的¥128.00已于11月22日14:04退回，余额¥1,000.00。",
            "The ¥128.00 paid with your card ending 0005 was returned on 11-22 at 14:04; balance ¥1,000.00.",
        ),
        (
            NoticeKind::Debited,
            "您尾号0013的卡11月22日14:04消费¥128.00，可用额度¥872.00。",
            "Your card ending 0013 paid ¥128.00 on 11-22 at 14:04; available credit ¥872.00.",
        ),
    ]
    .map(|(kind, zh, en)| (kind, zh.to_owned(), en.to_owned()));
    assert_eq!(told, expected);
    assert_eq!(world.notices[0].holder, "holder 0");
    assert_eq!(world.notices[1].rrn, sale.rrn);
}

#[test]
fn suspense_by_age_adds_up() {
    let mut world = World::new();
    for days in [0, 1, 1] {
        world.advance(days * 86_400_000);
        for card in [DEBIT, CREDIT] {
            let sale = world.sale(card, 1_000);
            world.buy(sale);
        }
    }
    let inquiry = world.inquiry(DEBIT);
    world.ask(inquiry, PinCheck::Right);
    let open = world.issuer.exchanges().filter(|(_, exchange)| {
        exchange.standing == Standing::Approved && exchange.kind == Kind::Purchase
    });
    assert_eq!(open.count(), 6);
    let ages = world.issuer.suspense_by_age(world.now.wall);
    let parts: Vec<_> = ages.iter().map(|a| (a.days, a.count, a.minor)).collect();
    assert_eq!(parts, [(0, 2, 2_000), (1, 2, 2_000), (2, 2, 2_000)]);
    let sum: u64 = ages.iter().map(|age| age.minor).sum();
    assert_eq!(sum as i64, world.issuer.suspense());
    assert_eq!(world.issuer.suspense_by_age(Wall(0))[0].days, 0);
}
