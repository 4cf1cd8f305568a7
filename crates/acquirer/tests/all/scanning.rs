//! Scanned sales: the wallet's word in the place of the issuer's, at every point where a till or the centre may lose it.

use crate::outs::*;
use crate::world::*;
use acquirer::wallet::{Ask as Asked, Refusal, Voucher, WalletAnswer};
use acquirer::{Input, SaleRecord};
use payment::evidence::Upstream;
use payment::terminal::{MacCheck, Standing};
use payment::{Amount, Kind, Original, QrText, ResponseCode};

pub fn scan(stan: u32) -> Ask {
    Ask {
        kind: Kind::WalletSale,
        card: CODE,
        ..buy(stan)
    }
}

fn show(stan: u32) -> Ask {
    Ask {
        kind: Kind::WalletOrder,
        card: "000000010000010017",
        ..buy(stan)
    }
}

pub fn paid() -> WalletAnswer {
    WalletAnswer::Paid {
        amount: Amount::fen(12_800),
        voucher: Voucher(*b"20261122000000000001"),
    }
}

impl World {
    /// The provider answers the newest question about a sale.
    pub fn wallet_says(&mut self, ask: &Ask, answer: WalletAnswer) -> Vec<Out> {
        let key = self.key(ask);
        self.step(Input::Wallet {
            key,
            ask: u32::MAX,
            answer,
        })
    }

    fn refund(&self, stan: u32, original: &Ask, minor: u64) -> Ask {
        let key = self.key(original);
        Ask {
            kind: Kind::WalletRefund,
            card: original.card,
            amount: Amount::fen(minor),
            original: Some(Original {
                batch: key.batch,
                stan: key.stan,
                date: 0,
                rrn: Some(self.sale(original).rrn),
                approval: None,
            }),
            ..buy(stan)
        }
    }
}

pub fn whats(outs: &[Out]) -> Vec<Asked> {
    wallet(outs).iter().map(|request| request.what).collect()
}

#[test]
fn a_payment_code_is_a_sale_like_any_other() {
    let mut world = World::open();
    let ask = scan(1);
    let outs = world.ask(&ask);
    assert_eq!(whats(&outs), [Asked::Pay]);
    assert!(outs.len() == 1 && world.sale(&ask).host.is_none());
    // The till asks again, the payer hesitates, the centre polls.
    assert!(world.ask(&ask).is_empty());
    assert!(world.wallet_says(&ask, WalletAnswer::UserPaying).is_empty());
    assert_eq!(whats(&world.wait(3_000)), [Asked::Poll]);
    assert_eq!(world.query(EXTENDED, 1).0, Standing::InProgress);
    let (answer, mac) = till(world.wallet_says(&ask, paid()));
    assert_eq!(
        (answer.code, mac),
        (ResponseCode::APPROVED, MacCheck::Right)
    );
    assert!(answer.link.is_some());
    assert!(world.wallet_says(&ask, paid()).is_empty());
    assert_eq!(till(world.ask(&ask)).0.code, ResponseCode::APPROVED);
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Approved);
    assert_eq!((world.payable(), world.certificates.len()), (12_800, 1));
    assert!(world.sale(&ask).stands());
    assert!(world.restart().is_empty());
    assert_eq!(world.payable(), 12_800);
}

#[test]
fn what_the_wallet_refuses_is_declined_in_the_words_of_cards() {
    for (refusal, code) in [
        (Refusal::Code, "14"),
        (Refusal::Funds, "51"),
        (Refusal::Limit, "61"),
        (Refusal::Payer, "05"),
    ] {
        let mut world = World::open();
        world.ask(&scan(1));
        let outs = world.wallet_says(&scan(1), WalletAnswer::Declined(refusal));
        assert_eq!(told(&outs), [code]);
        assert_eq!(world.payable(), 0);
        assert!(world.sale(&scan(1)).is_closed());
    }
}

#[test]
fn nobody_paid_in_time_so_the_centre_revokes_and_says_so() {
    let mut world = World::open();
    let ask = scan(1);
    world.ask(&ask);
    let outs = world.wait(45_000);
    assert_eq!(told(&outs), ["98"]);
    assert_eq!(whats(&outs).last(), Some(&Asked::Revoke));
    assert_eq!(world.query(EXTENDED, 1).0, Standing::Reversing);
    assert_eq!(told(&world.ask(&ask)), ["98"]);
    assert!(world.restart().is_empty());
    assert!(
        whats(&world.wait(60_000))
            .iter()
            .all(|what| *what == Asked::Revoke)
    );
    let gave_back = true;
    assert!(
        world
            .wallet_says(&ask, WalletAnswer::Revoked { gave_back })
            .is_empty()
    );
    let reversed = Standing::Reversed {
        never_debited: false,
    };
    assert_eq!(world.query(EXTENDED, 1).0, reversed);
    assert!(world.sale(&ask).is_closed() && world.payable() == 0);
    assert!(whats(&world.wait(600_000)).is_empty());
}

#[test]
fn a_till_withdraws_before_and_after_the_payment() {
    let mut world = World::open();
    // Before: never sooner than fifteen seconds.
    world.ask(&scan(1));
    assert!(world.reverse(&scan(1)).is_empty());
    let outs = world.wait(14_999);
    assert!(whats(&outs).is_empty(), "{outs:?}");
    assert_eq!(told(&outs), ["98"]);
    assert_eq!(whats(&world.wait(1)), [Asked::Revoke]);
    // The till asks once more, and waits for the end.
    assert!(world.reverse(&scan(1)).is_empty());
    let gave_back = false;
    let outs = world.wallet_says(&scan(1), WalletAnswer::Revoked { gave_back });
    assert_eq!(told(&outs), ["25"]);
    // After: it goes back as a refund.
    world.ask(&scan(2));
    world.wallet_says(&scan(2), paid());
    assert_eq!(world.payable(), 12_800);
    let outs = world.reverse(&scan(2));
    let amount = Amount::fen(12_800);
    assert_eq!(whats(&outs), [Asked::Refund { number: 1, amount }]);
    assert_eq!(world.payable(), 0);
    let outs = world.wallet_says(&scan(2), WalletAnswer::RefundRefused { number: 1 });
    assert_eq!(cases(&outs), [1]);
    let outs = world.wallet_says(&scan(2), WalletAnswer::Refunded { number: 1 });
    assert_eq!(told(&outs), ["00"]);
    assert_eq!(told(&world.reverse(&scan(2))), ["00"]);
    assert!(
        [scan(1), scan(2)]
            .iter()
            .all(|ask| world.sale(ask).is_closed())
    );
}

#[test]
fn an_order_is_shown_and_paid_by_scanning() {
    let mut world = World::open();
    let ask = show(1);
    assert_eq!(whats(&world.ask(&ask)), [Asked::Order]);
    let qr = QrText::parse(b"https://wallet.example/q/1").unwrap();
    let (answer, mac) = till(world.wallet_says(&ask, WalletAnswer::Shown(qr)));
    assert_eq!(
        (answer.code, answer.qr, mac),
        (ResponseCode::IN_PROGRESS, Some(qr), MacCheck::Right)
    );
    // Whoever lost that answer gets the code again, by either way.
    assert_eq!(till(world.ask(&ask)).0.qr, Some(qr));
    let (standing, answer) = world.query(EXTENDED, 1);
    assert_eq!((standing, answer.qr), (Standing::InProgress, Some(qr)));
    assert!(world.restart().is_empty());
    assert_eq!(whats(&world.wait(3_000)), [Asked::Poll]);
    // Its request was answered with the code: the till asks.
    assert!(world.wallet_says(&ask, paid()).is_empty());
    let (standing, answer) = world.query(EXTENDED, 1);
    assert_eq!((standing, answer.qr), (Standing::Approved, None));
    assert_eq!(world.payable(), 12_800);
    // Another one is given up, and paid in that moment.
    world.ask(&show(2));
    world.wallet_says(&show(2), WalletAnswer::Shown(qr));
    let outs = world.wait(120_000);
    assert_eq!(whats(&outs).last(), Some(&Asked::Close));
    assert!(told(&outs).is_empty());
    let outs = world.wallet_says(&show(2), paid());
    assert!(matches!(whats(&outs)[..], [Asked::Refund { .. }]));
    assert_eq!(world.query(EXTENDED, 2).0, Standing::Reversing);
    world.wallet_says(&show(2), WalletAnswer::Refunded { number: 1 });
    let reversed = Standing::Reversed {
        never_debited: false,
    };
    assert_eq!(world.query(EXTENDED, 2).0, reversed);
    assert_eq!(world.payable(), 12_800);
    // A till that cannot ask is not served.
    let plain = Ask {
        terminal: PLAIN,
        ..show(3)
    };
    assert_eq!(till(world.ask(&plain)).0.code, ResponseCode::NOT_SUPPORTED);
}

#[test]
fn a_wallet_sale_is_refunded_in_parts_and_never_beyond() {
    let mut world = World::open();
    world.ask(&scan(1));
    world.wallet_says(&scan(1), paid());
    // Begins like a foreign card, and is none.
    let alipay = Ask {
        card: "251596810566008182",
        ..scan(9)
    };
    world.ask(&alipay);
    assert!(!payment::batch::is_foreign(
        &world.sale(&alipay).request.card
    ));
    let part = world.refund(2, &scan(1), 2_800);
    let amount = Amount::fen(2_800);
    assert_eq!(
        whats(&world.ask(&part)),
        [Asked::Refund { number: 1, amount }]
    );
    // In flight it counts already; asked again it is not asked of the wallet again.
    assert!(world.ask(&part).is_empty());
    let more = world.refund(3, &scan(1), 10_001);
    assert_eq!(told(&world.ask(&more)), ["64"]);
    let outs = world.wallet_says(&scan(1), WalletAnswer::Refunded { number: 1 });
    assert_eq!(told(&outs), ["00"]);
    assert_eq!(told(&world.ask(&part)), ["00"]);
    assert_eq!(world.payable(), 10_000);
    let rest = world.refund(4, &scan(1), 10_000);
    world.ask(&rest);
    assert!(world.restart().is_empty());
    assert_eq!(whats(&world.wait(1_000)).len(), 1);
    let outs = world.wallet_says(&scan(1), WalletAnswer::RefundRefused { number: 2 });
    assert_eq!(told(&outs), ["12"]);
    assert_eq!(world.payable(), 10_000);
    let again = world.refund(5, &scan(1), 10_000);
    world.ask(&again);
    let outs = world.wallet_says(&scan(1), WalletAnswer::Refunded { number: 3 });
    assert_eq!((told(&outs), world.payable()), (vec!["00".to_owned()], 0));
    // Another card's code, and a sale of cards.
    let other = Ask {
        card: "130000000000000025",
        ..world.refund(6, &scan(1), 1)
    };
    assert_eq!(told(&world.ask(&other)), ["12"]);
    world.approved(&buy(7));
    let card_sale = world.refund(8, &buy(7), 1);
    assert_eq!(told(&world.ask(&card_sale)), ["12"]);
}

#[test]
fn without_a_wallet_codes_are_not_taken_and_without_a_network_they_are() {
    let mut world = World::open();
    let (answer, _) = {
        let mut config = world.acquirer.config().clone();
        config.wallet = None;
        let state = payment::Party::state(&world.acquirer).clone();
        world.acquirer = acquirer::Acquirer::new(config);
        payment::Party::restore(&mut world.acquirer, state);
        till(world.ask(&scan(1)))
    };
    assert_eq!(answer.code, ResponseCode::NOT_SUPPORTED);
    assert_eq!(world.payable(), 0);
    assert!(SaleRecord::is_closed(world.sale(&scan(1))));
    assert_eq!(
        world.sale(&scan(1)).evidence.upstream,
        Upstream::NotSent(ResponseCode::NOT_SUPPORTED)
    );
    // No link to the network has ever come up.
    let mut world = World::cold();
    world.sign_on(EXTENDED, 900);
    assert_eq!(told(&world.ask(&buy(1))), ["91"]);
    world.ask(&scan(2));
    assert_eq!(told(&world.wallet_says(&scan(2), paid())), ["00"]);
}
