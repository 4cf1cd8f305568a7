//! Every posting in the books: what each kind does to what the cardholder can spend, how its reversal undoes it, and
//! what is refused about an earlier request.

use crate::world::{CREDIT, DEBIT, OPENING, SIGNATURE, World};
use issuer::{CardStatus, NoticeKind, PinCheck};
use payment::host::Financial;
use payment::{Amount, Kind, Mono};

/// One step of a story: what is asked, of which earlier step, and the code it gets.
enum Step {
    /// A new request.
    Ask(Kind, u64, Option<usize>, &'static str),
    /// The reversal of a step.
    Reverse(usize, &'static str),
    /// The same request again: the same answer.
    Again(usize),
}

use Step::{Again, Ask, Reverse};

/// Runs a story on a debit and on a credit card; `expected` is what the card can spend less than at first, after each step.
fn story(name: &str, steps: &[Step], expected: &[i64]) {
    for card in [DEBIT, CREDIT] {
        let mut world = World::new();
        let mut asked: Vec<Option<Financial>> = Vec::new();
        for (n, (step, expected)) in steps.iter().zip(expected).enumerate() {
            let known = |asked: &[Option<Financial>], n: usize| asked[n].expect("a request");
            match step {
                Ask(kind, minor, about, code) => {
                    let mut sale = world.sale(card, *minor);
                    sale.kind = *kind;
                    sale.original = about.map(|n| known(&asked, n).key);
                    let answer = world.ask(sale, PinCheck::Right);
                    assert_eq!(answer.code.as_str(), *code, "{name}: step {n}");
                    asked.push(Some(sale));
                }
                Reverse(about, code) => {
                    let sale = known(&asked, *about);
                    assert_eq!(world.reverse(sale).as_str(), *code, "{name}: step {n}");
                    asked.push(None);
                }
                Again(about) => {
                    let (sale, records) = (known(&asked, *about), world.records.len());
                    world.ask(sale, PinCheck::Right);
                    assert_eq!(world.records.len(), records, "{name}: step {n}");
                    asked.push(None);
                }
            }
            let spent = OPENING - world.balance(card);
            assert_eq!(spent, *expected, "{name}: step {n}, card {card}");
        }
    }
}

/// An adjustment says what the payment comes to, up or down; it never calls what is given back a debit.
#[test]
fn an_adjustment_is_told_as_one() {
    let mut world = World::new();
    let mut asked = |kind, minor, about: Option<Financial>| {
        let mut sale = world.sale(DEBIT, minor);
        (sale.kind, sale.original) = (kind, about.map(|first| first.key));
        assert_eq!(world.ask(sale, PinCheck::Right).code.as_str(), "00");
        sale
    };
    let first = asked(Kind::Purchase, 10_000, None);
    asked(Kind::TipAdjustment, 12_000, Some(first));
    asked(Kind::TipAdjustment, 9_000, Some(first));
    let told: Vec<_> = world.notices.iter().map(|notice| notice.kind).collect();
    use issuer::NoticeKind::{Adjusted, Debited};
    assert_eq!(told, [Debited, Adjusted, Adjusted]);
    let [.., last] = &world.notices[..] else {
        panic!("three notices");
    };
    assert_eq!(
        (last.text(true), last.text(false)),
        (
            "您尾号0005的卡有一笔消费于11月22日14:03调整为¥90.00，余额¥910.00。".to_owned(),
            "A payment with your card ending 0005 was adjusted to ¥90.00 on 11-22 at 14:03; balance ¥910.00."
                .to_owned()
        )
    );
}

#[test]
fn postings() {
    use Kind as K;
    story(
        "void, again, and its reversal",
        &[
            Ask(K::Purchase, 1_000, None, "00"),
            Ask(K::Void, 999, Some(0), "64"),
            Ask(K::Void, 1_000, Some(0), "00"),
            Again(2),
            Ask(K::Void, 1_000, Some(0), "22"),
            Reverse(0, "12"),
            Reverse(2, "00"),
            Reverse(2, "00"),
            Ask(K::Void, 1_000, Some(0), "00"),
        ],
        &[1_000, 1_000, 0, 0, 0, 0, 1_000, 1_000, 0],
    );
    story(
        "refunds up to the sale and not a fen more",
        &[
            Ask(K::Purchase, 1_000, None, "00"),
            Ask(K::Refund, 400, Some(0), "00"),
            Ask(K::Refund, 601, Some(0), "64"),
            Ask(K::Refund, 600, Some(0), "00"),
            Ask(K::Refund, 1, Some(0), "64"),
            Ask(K::Void, 1_000, Some(0), "22"),
            Reverse(3, "12"),
        ],
        &[1_000, 600, 600, 0, 0, 0, 0],
    );
    story(
        "pre-authorisation, increment, completion, and all of it back",
        &[
            Ask(K::PreAuth, 1_000, None, "00"),
            Ask(K::IncrementalAuth, 500, Some(0), "00"),
            Ask(K::Completion, 1_726, Some(0), "61"),
            Ask(K::Completion, 1_200, Some(0), "00"),
            Ask(K::Completion, 1_200, Some(0), "22"),
            Ask(K::PreAuthVoid, 1_500, Some(0), "22"),
            Ask(K::CompletionVoid, 1_200, Some(3), "00"),
            Ask(K::CompletionAdvice, 1_600, Some(0), "00"),
            Ask(K::Refund, 100, Some(7), "00"),
        ],
        &[
            1_000, 1_500, 1_500, 1_200, 1_200, 1_200, 1_500, 1_600, 1_500,
        ],
    );
    story(
        "reversals inside a pre-authorisation",
        &[
            Ask(K::PreAuth, 1_000, None, "00"),
            Ask(K::IncrementalAuth, 500, Some(0), "00"),
            Reverse(1, "00"),
            Ask(K::Completion, 1_100, Some(0), "00"),
            Reverse(3, "00"),
            Ask(K::PreAuthVoid, 1_000, Some(0), "00"),
            Reverse(5, "00"),
            Ask(K::Completion, 1_150, Some(0), "00"),
            Ask(K::CompletionVoid, 1_150, Some(7), "00"),
            Reverse(8, "00"),
            Ask(K::PreAuthVoid, 1_000, Some(0), "22"),
        ],
        &[
            1_000, 1_500, 1_000, 1_100, 1_000, 0, 1_000, 1_150, 1_000, 1_150, 1_150,
        ],
    );
    story(
        "an increment is reversed after its pre-authorisation was completed or released",
        &[
            Ask(K::PreAuth, 1_000, None, "00"),
            Ask(K::IncrementalAuth, 500, Some(0), "00"),
            Ask(K::Completion, 1_200, Some(0), "00"),
            Reverse(1, "00"),
            Reverse(2, "00"),
            Ask(K::IncrementalAuth, 300, Some(0), "00"),
            Ask(K::PreAuthVoid, 1_300, Some(0), "00"),
            Reverse(6, "00"),
            Reverse(5, "00"),
            Ask(K::Completion, 1_150, Some(0), "00"),
            Reverse(9, "00"),
            Ask(K::PreAuthVoid, 1_000, Some(0), "00"),
        ],
        &[
            1_000, 1_500, 1_200, 1_200, 1_000, 1_300, 0, 1_300, 1_000, 1_150, 1_000, 0,
        ],
    );
    story(
        "offline sale, adjustment, tip",
        &[
            Ask(K::OfflineSale, 1_000, None, "00"),
            Ask(K::Adjustment, 1_500, Some(0), "00"),
            Ask(K::Adjustment, 1_501, Some(0), "61"),
            Ask(K::Adjustment, 700, Some(0), "00"),
            Ask(K::Refund, 701, Some(0), "64"),
            Ask(K::Purchase, 2_000, None, "00"),
            Ask(K::TipAdjustment, 2_300, Some(5), "00"),
            Ask(K::Void, 2_000, Some(5), "64"),
            Ask(K::Void, 2_300, Some(5), "00"),
        ],
        &[1_000, 1_500, 1_500, 700, 700, 2_700, 3_000, 3_000, 700],
    );
    story(
        "what is about nothing, or about the wrong thing",
        &[
            Ask(K::Purchase, 1_000, None, "00"),
            Ask(K::Completion, 1_000, Some(0), "12"),
            Ask(K::PreAuthVoid, 1_000, Some(0), "12"),
            Ask(K::Refund, 1_000, None, "30"),
            Ask(K::PreAuth, 1_000_000, None, "61"),
            Ask(K::Completion, 1_000, Some(4), "12"),
        ],
        &[1_000; 6],
    );
}

#[test]
fn a_spent_refund_that_is_reversed_is_owed_by_the_cardholder() {
    let mut world = World::new();
    let mut sale = world.sale(DEBIT, 50_000);
    assert_eq!(world.buy(sale).as_str(), "00");
    let original = sale.key;
    sale = world.sale(DEBIT, 50_000);
    (sale.kind, sale.original) = (Kind::Void, Some(original));
    assert_eq!(world.buy(sale).as_str(), "00");
    let spend = world.sale(DEBIT, OPENING as u64);
    assert_eq!(world.buy(spend).as_str(), "00");
    assert_eq!(world.balance(DEBIT), 0);
    assert_eq!(world.reverse(sale).as_str(), "00");
    let owed = world.issuer.ledger().balance(issuer::RECOVERABLE).unwrap();
    assert_eq!((owed.debits_posted, world.balance(DEBIT)), (50_000, 0));
}

#[test]
fn a_hold_runs_out() {
    let mut world = World::new();
    let mut hold = world.sale(DEBIT, 1_000);
    hold.kind = Kind::PreAuth;
    assert_eq!(world.buy(hold).as_str(), "00");
    world.advance(29 * 86_400_000);
    let mut more = world.sale(DEBIT, 500);
    (more.kind, more.original) = (Kind::IncrementalAuth, Some(hold.key));
    assert_eq!(world.buy(more).as_str(), "00");
    assert_eq!(world.balance(DEBIT), OPENING - 1_500);
    world.advance(86_400_001);
    assert!(world.issuer.deadline_is_due(world.now.mono));
    world.put(issuer::Input::Tick);
    assert_eq!(world.balance(DEBIT), OPENING);
    let mut late = world.sale(DEBIT, 1_000);
    (late.kind, late.original) = (Kind::Completion, Some(hold.key));
    assert_eq!(world.buy(late).as_str(), "22");
    // The increment ran out with it: nothing is left to give back.
    assert_eq!(world.reverse(more).as_str(), "00");
    assert_eq!(world.balance(DEBIT), OPENING);
}

#[test]
fn what_ran_out_is_not_held_again() {
    let mut world = World::new();
    let ask = |world: &mut World, kind, minor, original: Option<Financial>| {
        let mut sale = world.sale(DEBIT, minor);
        (sale.kind, sale.original) = (kind, original.map(|first| first.key));
        assert_eq!(world.buy(sale).as_str(), "00");
        sale
    };
    let hold = ask(&mut world, Kind::PreAuth, 1_000, None);
    let completion = ask(&mut world, Kind::Completion, 900, Some(hold));
    let void = ask(&mut world, Kind::CompletionVoid, 900, Some(completion));
    assert_eq!(world.balance(DEBIT), OPENING - 1_000);
    world.advance(30 * 86_400_000 + 1);
    world.put(issuer::Input::Tick);
    assert_eq!(world.balance(DEBIT), OPENING);
    // The void is taken back, and the completion voided once more: nothing is left to hold.
    assert_eq!(world.reverse(void).as_str(), "00");
    assert_eq!(world.balance(DEBIT), OPENING - 900);
    ask(&mut world, Kind::CompletionVoid, 900, Some(completion));
    assert_eq!(world.balance(DEBIT), OPENING);
}

/// A transfer of `minor` fen from one card of the bank to another, and what both can spend.
fn transfer(world: &mut World, from: usize, to: usize, minor: u64) -> Financial {
    let mut sale = world.sale(from, minor);
    (sale.kind, sale.to) = (Kind::Transfer, Some(world.sale(to, 0).card));
    sale
}

#[test]
fn a_transfer_within_the_bank_is_one_entry() {
    let mut world = World::new();
    for (from, to) in [(DEBIT, CREDIT), (CREDIT, SIGNATURE), (SIGNATURE, CREDIT)] {
        let before = (
            world.balance(from),
            world.balance(to),
            world.issuer.suspense(),
        );
        let sale = transfer(&mut world, from, to, 4_000);
        if from == SIGNATURE {
            // A card without PIN cannot show whose it is.
            assert_eq!(world.ask(sale, PinCheck::Absent).code.as_str(), "05");
            continue;
        }
        assert_eq!(world.buy(sale).as_str(), "00");
        let after = (before.0 - 4_000, before.1 + 4_000, before.2);
        let now = |world: &World| {
            (
                world.balance(from),
                world.balance(to),
                world.issuer.suspense(),
            )
        };
        assert_eq!(now(&world), after);
        assert_eq!(world.buy(sale).as_str(), "00");
        let mut other = sale;
        other.to = Some(world.sale(from, 0).card);
        assert_eq!(world.buy(other).as_str(), "94");
        assert_eq!(now(&world), after);
        assert_eq!(world.reverse(sale).as_str(), "00");
        assert_eq!(now(&world), before);
        assert_eq!(world.buy(sale).as_str(), "22");
        assert_eq!(now(&world), before);
    }
    let told: Vec<_> = world
        .notices
        .iter()
        .take(4)
        .map(|n| (n.kind, n.text(true)))
        .collect();
    let expected = [
        (
            NoticeKind::Sent,
            "您尾号0005的卡11月22日14:03转出¥40.00，余额¥960.00。",
        ),
        (
            NoticeKind::Received,
            "您尾号0013的卡11月22日14:03转入¥40.00，可用额度¥1,040.00。",
        ),
        (
            NoticeKind::SentBack,
            "您尾号0005的卡转出的¥40.00已于11月22日14:03退回，余额¥1,000.00。",
        ),
        (
            NoticeKind::ReceivedBack,
            "转入您尾号0013的卡的¥40.00已于11月22日14:03撤回，可用额度¥1,000.00。",
        ),
    ];
    assert_eq!(told, expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn what_is_refused_of_a_transfer() {
    let mut world = World::with(|card, setup| {
        if card == SIGNATURE {
            setup.status = CardStatus::Lost;
        }
    });
    for (to, minor, code) in [
        (DEBIT, 1_000, "14"),
        (SIGNATURE, 1_000, "14"),
        (CREDIT, 200_001, "61"),
        (CREDIT, OPENING as u64 + 1, "51"),
        (CREDIT, 0, "13"),
    ] {
        let sale = transfer(&mut world, DEBIT, to, minor);
        assert_eq!(world.buy(sale).as_str(), code, "to {to}, {minor}");
    }
    let mut nobody = transfer(&mut world, DEBIT, CREDIT, 1_000);
    nobody.to = None;
    assert_eq!(world.buy(nobody).as_str(), "30");
    let mut credit = world.sale(SIGNATURE, 1_000);
    credit.kind = Kind::TransferIn;
    assert_eq!(world.ask(credit, PinCheck::Absent).code.as_str(), "14");
    assert_eq!(
        (world.balance(DEBIT), world.balance(CREDIT)),
        (OPENING, OPENING)
    );
    assert_eq!((world.issuer.suspense(), world.notices.len()), (0, 0));
}

#[test]
fn the_legs_of_a_transfer_between_banks() {
    let mut world = World::new();
    let mut debit = transfer(&mut world, CREDIT, DEBIT, 4_000);
    debit.kind = Kind::TransferOut;
    assert_eq!(world.buy(debit).as_str(), "00");
    assert_eq!(
        (world.balance(CREDIT), world.balance(DEBIT)),
        (OPENING - 4_000, OPENING)
    );
    assert_eq!(world.issuer.suspense(), 4_000);
    let mut credit = world.sale(DEBIT, 4_000);
    credit.kind = Kind::TransferIn;
    assert_eq!(world.ask(credit, PinCheck::Absent).code.as_str(), "00");
    assert_eq!(
        (world.balance(DEBIT), world.issuer.suspense()),
        (OPENING + 4_000, 0)
    );
    assert_eq!(world.reverse(credit).as_str(), "00");
    assert_eq!(world.reverse(debit).as_str(), "00");
    assert_eq!(
        (world.balance(CREDIT), world.balance(DEBIT)),
        (OPENING, OPENING)
    );
    // A reversal that comes first bars the leg for ever.
    let mut late = world.sale(DEBIT, 4_000);
    late.kind = Kind::TransferIn;
    assert_eq!(world.reverse(late).as_str(), "25");
    assert_eq!(world.ask(late, PinCheck::Absent).code.as_str(), "22");
    assert_eq!(
        (world.balance(DEBIT), world.issuer.suspense()),
        (OPENING, 0)
    );
}

#[test]
fn a_spent_transfer_that_is_reversed_is_owed_by_the_receiver() {
    let mut world = World::new();
    let sale = transfer(&mut world, DEBIT, CREDIT, 4_000);
    assert_eq!(world.buy(sale).as_str(), "00");
    let spend = world.sale(CREDIT, OPENING as u64 + 4_000);
    assert_eq!(world.buy(spend).as_str(), "00");
    assert_eq!(world.reverse(sale).as_str(), "00");
    let owed = world.issuer.ledger().balance(issuer::RECOVERABLE).unwrap();
    assert_eq!((owed.debits_posted, world.balance(DEBIT)), (4_000, OPENING));
}

trait Due {
    fn deadline_is_due(&self, now: Mono) -> bool;
}

impl Due for issuer::Issuer {
    fn deadline_is_due(&self, now: Mono) -> bool {
        payment::Machine::deadline(self).is_some_and(|at| at <= now)
    }
}

#[test]
fn another_cards_original_is_refused() {
    let mut world = World::new();
    let sale = world.sale(DEBIT, 1_000);
    assert_eq!(world.buy(sale).as_str(), "00");
    for kind in [Kind::Void, Kind::Refund] {
        let mut other = world.sale(CREDIT, 1_000);
        (other.kind, other.original) = (kind, Some(sale.key));
        assert_eq!(world.buy(other).as_str(), "12");
    }
    let stranger = Amount::fen(1_000);
    let mut unknown = world.sale(DEBIT, stranger.minor);
    (unknown.kind, unknown.original) = (Kind::Refund, Some(unknown.key));
    assert_eq!(world.buy(unknown).as_str(), "25");
    assert_eq!(world.balance(DEBIT), OPENING - 1_000);
}
