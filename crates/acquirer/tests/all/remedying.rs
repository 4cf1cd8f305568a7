//! What staff do: ask again at once, and give back once and whole, whatever is on its way; each refusal has its name.

use crate::kinds::about;
use crate::outs::*;
use crate::scanning::{paid, scan, whats};
use crate::world::*;
use acquirer::wallet::{Ask as Asked, WalletAnswer};
use acquirer::{Input, Record};
use payment::evidence::{ReversalCause, ReversalProgress, Upstream};
use payment::guard::TakenBack;
use payment::host;
use payment::remedy::{Reason, StaffName};
use payment::sign::Trouble;
use payment::{Kind, Mandate, Remedy, SignOutcome, Unremedied};

fn mandate(proposal: u64, approved: Option<&str>) -> Box<Mandate> {
    let name = |text: &str| StaffName::of(text).expect("a name");
    Box::new(Mandate {
        proposal,
        by: name("li"),
        approved: approved.map(name),
        reason: Reason::of("顾客另付了现金").expect("a reason"),
    })
}

impl World {
    fn gives_back(&mut self, ask: &Ask) -> Vec<Out> {
        self.staff(ask, Remedy::GiveBack)
    }

    fn staff(&mut self, ask: &Ask, remedy: Remedy) -> Vec<Out> {
        let key = self.key(ask);
        let approved = remedy.needs_approval().then_some("wang");
        let mandate = mandate(7, approved);
        self.step(Input::Remedy {
            key,
            remedy,
            mandate,
        })
    }

    fn may(&self, ask: &Ask, remedy: Remedy) -> Result<(), Unremedied> {
        self.acquirer.may_remedy(self.now, &self.key(ask), remedy)
    }

    /// Refused with this reason, and nothing happens.
    fn refuses(&mut self, ask: &Ask, remedy: Remedy, why: Unremedied) {
        assert_eq!(self.may(ask, remedy), Err(why), "{why:?}");
        let (written, payable) = (self.records(), self.payable());
        assert!(self.staff(ask, remedy).is_empty(), "{why:?}");
        assert_eq!((self.records(), self.payable()), (written, payable));
    }
}

#[test]
fn what_stands_goes_back_once_and_the_till_is_told() {
    for (code, never_debited) in [("00", false), ("25", true)] {
        let mut world = World::open();
        let sale = buy(1);
        let asked = world.approved(&sale);
        world.report(sign(1, SignOutcome::Approved, 4, Trouble::None));
        assert_eq!(
            (world.verdict(&sale).row, world.payable()),
            ("paid", 12_800)
        );
        let advised = advice(world.gives_back(&sale));
        let host::Request::Reversal(said) = advised.request else {
            panic!("a reversal")
        };
        assert_eq!(said.original, asked.request.key());
        assert_eq!(
            (world.verdict(&sale).row, world.payable()),
            ("giving_back", 0)
        );
        let reversal = world.sale(&sale).evidence.reversal.expect("a reversal");
        assert_eq!(reversal.cause, ReversalCause::Staff(7));
        world.refuses(&sale, Remedy::GiveBack, Unremedied::BeingReversed);
        // The till is told that nobody knows yet, then that it went back, until it says that it knows.
        let key = world.key(&sale);
        let notice = |never_debited| {
            Some(TakenBack {
                sale: key,
                by: key,
                never_debited,
            })
        };
        let report = |world: &mut World, outcome| {
            let outs = world.report(sign(1, outcome, 4, Trouble::None));
            till(outs).0.taken_back
        };
        assert_eq!(report(&mut world, SignOutcome::Approved), notice(None));
        world.restart();
        world.network_says(&answer(&advised, code));
        let went = notice(Some(never_debited));
        assert_eq!(report(&mut world, SignOutcome::Approved), went);
        assert_eq!(report(&mut world, SignOutcome::Reversed), None);
        assert_eq!(world.sale(&sale).evidence.upstream, Upstream::Approved);
        world.refuses(&sale, Remedy::GiveBack, Unremedied::WentBack);
        world.refuses(&sale, Remedy::AskNow, Unremedied::NothingToAsk);
        assert_eq!(world.payable(), 0);
        assert!(world.wait(60_000).is_empty());
    }
}

#[test]
fn the_record_names_both_people_and_the_reason() {
    let mut world = World::open();
    world.approved(&buy(1));
    let (key, wall) = (world.key(&buy(1)), world.now.wall);
    let before = world.records();
    for (remedy, approved) in [
        (Remedy::GiveBack, None),
        // One person is not two.
        (Remedy::GiveBack, Some("li")),
    ] {
        let mandate = mandate(7, approved);
        let input = Input::Remedy {
            key,
            remedy,
            mandate,
        };
        assert!(world.step(input).is_empty());
    }
    assert_eq!(world.records(), before);
    world.gives_back(&buy(1));
    let record = world.written().into_iter().find_map(|record| match record {
        Record::Remedied { mandate, at, .. } => Some((mandate, at)),
        _ => None,
    });
    assert_eq!(record, Some((*mandate(7, Some("wang")), wall)));
}

#[test]
fn each_refusal_has_its_name() {
    use Unremedied::*;
    let mut world = World::open();
    let give = Remedy::GiveBack;
    world.refuses(&buy(99), give, Unknown);
    world.refuses(&buy(99), Remedy::AskNow, Unknown);
    let waiting = world.forwarded(&buy(1));
    world.refuses(&buy(1), give, InProgress);
    world.refuses(&buy(1), Remedy::AskNow, InProgress);
    world.network_answers(&waiting, "51");
    world.refuses(&buy(1), give, NothingTaken);
    world.refuses(&buy(1), Remedy::AskNow, NothingToAsk);
    let first = buy(2);
    world.approved(&first);
    world.refuses(&first, Remedy::AskNow, NothingToAsk);
    // A refund of a part that is on its way, stands, or was refused.
    let refund = about(&world, 3, Kind::Refund, &first, 800);
    let asked = world.forwarded(&refund);
    world.refuses(&first, give, Claimed);
    world.refuses(&refund, give, NoSale);
    world.network_answers(&asked, "51");
    assert_eq!(world.may(&first, give), Ok(()));
    let second = about(&world, 4, Kind::Refund, &first, 800);
    world.approved(&second);
    world.refuses(&first, give, Claimed);
    // The issuer refuses: that is for people, and asking again is all that helps.
    let refused = buy(5);
    world.approved(&refused);
    let advised = advice(world.gives_back(&refused));
    world.network_answers(&advised, "40");
    world.refuses(&refused, give, IssuerRefuses);
    assert!(!advices(&world.staff(&refused, Remedy::AskNow)).is_empty());
}

#[test]
fn what_its_till_has_settled_is_refunded_at_the_till() {
    let mut world = World::open();
    let (sale, silent) = (buy(1), buy(2));
    world.approved(&sale);
    world.approved(&silent);
    world.settles(EXTENDED, 8, &[buy(1)]);
    world.step(Input::Tick);
    world.report(sign(1, SignOutcome::Approved, 4, Trouble::None));
    world.ends(9, 0, false);
    world.refuses(&sale, Remedy::GiveBack, Unremedied::Settled);
    // The till has not: it is in the queue, and staff decide.
    assert_eq!(world.may(&silent, Remedy::GiveBack), Ok(()));
}

#[test]
fn the_unanswered_is_asked_at_once() {
    let mut world = World::open();
    world.forwarded(&buy(1));
    let first = advice(world.wait(LADDER.acquirer_ms));
    let written = world.records();
    let again = advices(&world.staff(&buy(1), Remedy::AskNow));
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].request, first.request);
    assert!(world.records() > written);
    let reversal = world.sale(&buy(1)).evidence.reversal.expect("a reversal");
    assert_eq!(
        (reversal.attempts, reversal.progress),
        (2, ReversalProgress::Open)
    );
    world.network_answers(&first, "00");
    assert_eq!(world.verdict(&buy(1)).row, "reversed");
    // An advice of a terminal likewise.
    let offline = Ask {
        kind: Kind::OfflineSale,
        ..buy(2)
    };
    let asked = world.forwarded(&offline);
    world.wait(LADDER.acquirer_ms);
    let (again, _) = network(world.staff(&offline, Remedy::AskNow));
    assert_eq!(again.request, asked.request);
}

#[test]
fn a_scanned_sale_goes_back_by_its_order() {
    let mut world = World::open();
    let sale = scan(1);
    world.ask(&sale);
    world.refuses(&sale, Remedy::GiveBack, Unremedied::InProgress);
    assert_eq!(whats(&world.staff(&sale, Remedy::AskNow)), [Asked::Poll]);
    world.wallet_says(&sale, paid());
    world.refuses(&sale, Remedy::AskNow, Unremedied::NothingToAsk);
    let refund = |outs: &[Out]| match whats(outs).as_slice() {
        [Asked::Refund { number: 1, amount }] => amount.minor,
        other => panic!("{other:?}"),
    };
    assert_eq!(refund(&world.gives_back(&sale)), 12_800);
    world.refuses(&sale, Remedy::GiveBack, Unremedied::BeingReversed);
    world.restart();
    assert_eq!(refund(&world.staff(&sale, Remedy::AskNow)), 12_800);
    world.wallet_says(&sale, WalletAnswer::Refunded { number: 1 });
    world.refuses(&sale, Remedy::GiveBack, Unremedied::WentBack);
    assert_eq!((world.verdict(&sale).row, world.payable()), ("reversed", 0));
}

/// The rules say when an order may be revoked, not the one who is in a hurry.
#[test]
fn a_revoke_is_not_hurried_past_the_rules() {
    let mut world = World::open();
    let sale = scan(1);
    world.ask(&sale);
    world.reverse(&sale);
    world.refuses(&sale, Remedy::AskNow, Unremedied::NothingToAsk);
    let revoked = world.wait(15_000);
    assert!(whats(&revoked).contains(&Asked::Revoke));
    assert_eq!(whats(&world.staff(&sale, Remedy::AskNow)), [Asked::Revoke]);
}
