//! Scanned sales at the till: the code in its own tag, the order's QR code on the screen, and the result by question.

use crate::host::{ASK_AGAIN_MS, Mac, Sent, approval};
use crate::world::{DIALOGUE_MS, World, key};
use crypto::Pan;
use payment::terminal::{Answer, Request, Standing};
use payment::{Amount, Kind, QrText, ResponseCode, SaleKey};
use terminal::{Command, Ending, Input, Screen};

const CODE: &str = "130000000000000017";
const AMOUNT: Amount = Amount::fen(12_800);

fn scan(world: &mut World, kind: Kind) -> Sent {
    let number = match kind {
        Kind::WalletOrder => world.terminal.order_number().unwrap(),
        _ => Pan::parse(CODE.as_bytes()).unwrap(),
    };
    let scanned = world.around(|terminal, around| terminal.scan(around, number).unwrap());
    world.command(Command::scan(kind, AMOUNT, scanned));
    let sent = world.only(kind);
    assert_eq!(world.screens(), [Screen::Confirming(key(&sent))]);
    sent
}

fn qr() -> QrText {
    QrText::parse(b"https://wallet.example/q/1").unwrap()
}

fn told(world: &mut World, standing: Standing, qr: Option<QrText>) {
    world.pass(u64::from(ASK_AGAIN_MS) + 100);
    let question = world.only(Kind::ResultQuery);
    let mut answer = Answer::to(&question.request, ResponseCode::APPROVED);
    answer.standing = Some((standing, ASK_AGAIN_MS));
    answer.qr = qr;
    world.answer(&question, &answer, Mac::Right);
}

fn paid(key: SaleKey, kind: Kind) -> Screen {
    Screen::Approved {
        key,
        kind,
        amount: AMOUNT,
        recovered: false,
    }
}

#[test]
fn a_code_travels_in_its_own_tag_and_the_sale_is_paid_without_a_signature() {
    let mut world = World::signed_on(true);
    let sent = scan(&mut world, Kind::WalletSale);
    assert!(sent.fields.contains(&59) && !sent.fields.contains(&2) && !sent.fields.contains(&35));
    let Request::Financial { sale, .. } = sent.request else {
        panic!("{sent:?}")
    };
    assert_eq!((sale.card.last4, sale.card.digits), (17, 18));
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    assert_eq!(world.screens(), [paid(key(&sent), Kind::WalletSale)]);
    let journal = format!("{:?}{:?}", world.records, world.terminal.state());
    assert!(!journal.contains(CODE) && journal.contains("免签名"));
    // A refund of all of it names it, and carries the code in the same tag.
    world.command(Command::about(Kind::WalletRefund, key(&sent).stan, None));
    world.due();
    let refund = world.only(Kind::WalletRefund);
    let Request::Financial { sale: back, .. } = refund.request else {
        panic!("{refund:?}")
    };
    assert_eq!((back.amount, back.card.token), (AMOUNT, sale.card.token));
}

#[test]
fn silence_of_a_wallet_sale_is_withdrawn_with_its_code() {
    let mut world = World::signed_on(false);
    let sent = scan(&mut world, Kind::WalletSale);
    world.input(Input::Lost {
        exchange: sent.exchange,
    });
    world.due();
    let reversal = world.only(Kind::Reversal);
    let Request::Reversal { sale, .. } = reversal.request else {
        panic!("{reversal:?}")
    };
    assert_eq!((sale.kind, sale.key), (Kind::WalletSale, key(&sent)));
    assert!(!reversal.fields.contains(&2));
    world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
    let never_debited = false;
    assert_eq!(
        world.ending(sale.key),
        Some(Ending::Reversed { never_debited })
    );
}

#[test]
fn an_order_is_shown_once_and_asked_about_until_it_is_paid() {
    let mut world = World::signed_on(true);
    let sent = scan(&mut world, Kind::WalletOrder);
    let key = key(&sent);
    let mut shown = Answer::to(&sent.request, ResponseCode::IN_PROGRESS);
    shown.qr = Some(qr());
    world.answer(&sent, &shown, Mac::Right);
    assert_eq!(world.screens(), [Screen::Scan { key, qr: qr() }]);
    // Longer than a dialogue about a card.
    let started = world.now.mono;
    while world.now.mono.since_ms(started) <= DIALOGUE_MS {
        told(&mut world, Standing::InProgress, Some(qr()));
        assert_eq!(world.screens(), []);
    }
    // After a power cut the code is on the screen again.
    world.restart();
    assert_eq!(world.screens(), [Screen::Scan { key, qr: qr() }]);
    world.sent.clear();
    told(&mut world, Standing::Approved, None);
    assert_eq!(world.screens(), [paid(key, Kind::WalletOrder)]);
}

#[test]
fn an_order_whose_answer_was_lost_is_shown_all_the_same() {
    let mut world = World::signed_on(true);
    let sent = scan(&mut world, Kind::WalletOrder);
    let key = key(&sent);
    world.input(Input::Lost {
        exchange: sent.exchange,
    });
    assert_eq!(world.screens(), [Screen::Asking(key)]);
    told(&mut world, Standing::InProgress, Some(qr()));
    assert_eq!(world.screens(), [Screen::Scan { key, qr: qr() }]);
    told(&mut world, Standing::InProgress, Some(qr()));
    assert_eq!(world.screens(), []);
    // Without a right MAC nothing is shown.
    let sent = {
        world.command(Command::Withdraw);
        world.due();
        world.only(Kind::Reversal)
    };
    world.code(&sent, ResponseCode::APPROVED, Mac::Right);
    world.screens();
    let sent = scan(&mut world, Kind::WalletOrder);
    let mut shown = Answer::to(&sent.request, ResponseCode::IN_PROGRESS);
    shown.qr = Some(qr());
    world.answer(&sent, &shown, Mac::Absent);
    assert!(
        !world
            .screens()
            .iter()
            .any(|screen| matches!(screen, Screen::Scan { .. }))
    );
}

/// An upload fills card numbers up with zeros, so that none may begin with one.
#[test]
fn the_number_of_an_order_survives_a_batch_upload() {
    let world = World::signed_on(true);
    let number = world.terminal.order_number().unwrap();
    let record = iso8583::field48::BatchRecord {
        foreign: false,
        stan: 1,
        pan: number.expose(),
        amount_minor: 1,
    };
    let written = iso8583::field48::BatchRecord::write_all(&[record]).unwrap();
    let read = iso8583::field48::BatchRecord::parse_all(&written).unwrap();
    assert_eq!(read[0].pan, number.expose());
}
