//! Chip cards at the till: the card has the last word, what it refuses is reversed, scripts and their result, fallback.

use crate::host::{ASK_AGAIN_MS, Mac, Sent, approval};
use crate::kernel::{FREE_MINOR, Silent, card_of, profile, word_on};
use crate::world::{ANSWER_MS, PIN, TRACK2, World, key};
use crypto::{CardScript, Pin};
use iso8583::tlv;
use payment::terminal::{Answer, Request, Standing};
use payment::{Amount, ChipAnswer, EntryMode, Kind, ResponseCode, SaleKey, Track2};
use receipt::{CopyOf, Cryptogram, SlipFields, SpoolRecord, Verification};
use terminal::kernel::{CardReader, ChipRefusal, Interface};
use terminal::{ChipProblem, Command, Ending, Presentation, Presented, Record, Screen};

type Script = Option<(u32, CardScript)>;

impl World {
    fn presents(
        &self,
        card: Box<dyn CardReader + Send>,
        interface: Interface,
        fen: u64,
        pin: bool,
    ) -> Result<Presented, ChipProblem> {
        let pin = pin.then(|| Pin::parse(PIN.as_bytes()).unwrap());
        let presentation = Presentation {
            interface,
            kind: Kind::Purchase,
            amount: Amount::fen(fen),
            pin: pin.as_ref(),
        };
        self.around(|terminal, around| terminal.present_chip(around, card, presentation))
    }

    fn sell_by_chip(&mut self, interface: Interface, fen: u64, pin: bool) -> Sent {
        let card = Box::new(card_of(profile()));
        let presented = self.presents(card, interface, fen, pin).unwrap();
        self.command(Command::sale(Amount::fen(fen), presented));
        let sent = self.only(Kind::Purchase);
        self.screens();
        sent
    }

    /// A chip sale that the host approves; with the issuer's word bent at a byte its card refuses and it is reversed.
    pub fn chip_sale(
        &mut self,
        interface: Interface,
        fen: u64,
        break_at: Option<usize>,
    ) -> SaleKey {
        let sent = self.sell_by_chip(interface, fen, interface == Interface::Contact);
        let answer = approved(&sent, None, break_at);
        self.answer(&sent, &answer, Mac::Right);
        self.due();
        while let Some(sent) = self.sent.pop_front() {
            self.code(&sent, ResponseCode::APPROVED, Mac::Right);
        }
        self.screens();
        key(&sent)
    }

    fn fields(&self) -> SlipFields {
        let submitted = self.records.iter().rev().find_map(|record| match record {
            Record::Spool(SpoolRecord::Submitted {
                fields,
                copy: CopyOf::Cardholder,
                ..
            }) => Some(fields.clone()),
            _ => None,
        });
        *submitted.expect("a slip")
    }
}

/// The approval with the issuer's word for the card.
fn approved(sent: &Sent, script: Script, break_at: Option<usize>) -> Answer {
    let word = word_on(sent.chip.as_ref().unwrap().expose(), script, break_at);
    Answer {
        chip: ChipAnswer::new(&word),
        ..approval(&sent.request)
    }
}

fn entry(sent: &Sent) -> (EntryMode, Option<u16>) {
    match sent.request {
        Request::Financial { sale, .. } => (sale.entry, sale.card_sequence),
        _ => panic!("{sent:?}"),
    }
}

#[test]
fn inserted_with_pin() {
    let mut world = World::reading_chips(true);
    let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
    assert_eq!(entry(&sent), (EntryMode::CHIP_PIN, Some(1)));
    for field in [23, 35, 52, 55] {
        assert!(sent.fields.contains(&field), "field {field}");
    }
    let answer = approved(&sent, None, None);
    world.answer(&sent, &answer, Mac::Right);
    assert!(matches!(world.screens()[..], [Screen::Approved { .. }]));
    let fields = world.fields();
    let chip = fields.chip.unwrap();
    assert_eq!(chip.cryptogram_kind, Cryptogram::Tc);
    assert_eq!(
        (&*chip.aid, &*chip.label),
        ("A000000333010101", "UNIONPAY DEBIT")
    );
    assert_eq!(
        (&*chip.tvr, &*chip.tsi, &*chip.atc),
        ("8000048000", "7800", "0001")
    );
    assert_eq!((&*chip.sequence, &*chip.cvm), ("001", "420300"));
    assert!(!fields.signature_required);
    assert_eq!(fields.entry_letter, 'I');
}

/// A tap up to the limit needs nothing; its card has left, so no word for it is waited for.
#[test]
fn tapped_without_pin() {
    let mut world = World::reading_chips(true);
    let sent = world.sell_by_chip(Interface::Contactless, FREE_MINOR, false);
    assert_eq!(entry(&sent), (EntryMode::TAP, Some(1)));
    assert!(!sent.fields.contains(&52));
    assert_eq!(sent.capability, b"60");
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    assert!(matches!(world.screens()[..], [Screen::Approved { .. }]));
    let fields = world.fields();
    assert_eq!(
        fields.verification,
        Some(Verification::NeitherBelow(FREE_MINOR))
    );
    assert!(!fields.signature_required);
    assert_eq!(fields.entry_letter, 'C');
    let refused = world.presents(
        Box::new(card_of(profile())),
        Interface::Contactless,
        FREE_MINOR + 1,
        false,
    );
    assert!(matches!(
        refused,
        Err(ChipProblem::Card(ChipRefusal::PinNeeded))
    ));
}

/// What the issuer's word is like; the host has approved every time, and the card has not.
#[test]
fn what_the_card_refuses_is_reversed() {
    for extended in [true, false] {
        for (broken, sent_at_all) in [(Some(0), true), (Some(9), true), (None, false)] {
            let mut world = World::reading_chips(extended);
            let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
            let answer = match sent_at_all {
                true => approved(&sent, None, broken),
                false => approval(&sent.request),
            };
            world.answer(&sent, &answer, Mac::Right);
            let by_acquirer = false;
            let key = key(&sent);
            assert_eq!(
                world.screens(),
                [
                    Screen::CardRefused(key),
                    Screen::Reversing {
                        key,
                        kind: Kind::Purchase,
                        by_acquirer
                    }
                ]
            );
            world.due();
            reversed_with(&mut world, key, ResponseCode::SYSTEM_ERROR);
            let chip = world.fields().chip.unwrap();
            assert_eq!(chip.cryptogram_kind, Cryptogram::Aac);
            assert_eq!(&chip.tvr[8..], if broken.is_some() { "40" } else { "00" });
        }
    }
}

/// The reversal that has just left: its reason, its field 55, and its end.
fn reversed_with(world: &mut World, key: SaleKey, expected: ResponseCode) {
    let sent = world.only(Kind::Reversal);
    let Request::Reversal { sale, reason, .. } = sent.request else {
        panic!("{sent:?}")
    };
    assert_eq!((sale.key, reason), (key, expected));
    let data = sent.chip.as_ref().unwrap().expose().to_vec();
    let tags: Vec<u32> = tlv::walk(&data).map(|object| object.unwrap().tag).collect();
    assert!(
        tags.starts_with(&[0x95, 0x9F1E, 0x9F10, 0x9F36]),
        "{tags:X?}"
    );
    world.screens();
    world.code(&sent, ResponseCode::APPROVED, Mac::Right);
    let never_debited = false;
    assert_eq!(world.ending(key), Some(Ending::Reversed { never_debited }));
}

/// An answer that is not the acquirer's reaches no card: reason A0.
#[test]
fn a_wrong_mac_is_no_word() {
    let mut world = World::reading_chips(true);
    let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
    let answer = approved(&sent, None, None);
    world.answer(&sent, &answer, Mac::Wrong);
    world.screens();
    world.sign_on();
    world.due();
    reversed_with(&mut world, key(&sent), ResponseCode::MAC_ERROR);
}

/// The answer is lost; the result query brings it, and the card is still there, or not.
#[test]
fn recovered() {
    for (restarts, accepted) in [(false, true), (true, false)] {
        let mut world = World::reading_chips(true);
        let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
        let first = approved(&sent, None, None);
        if restarts {
            world.restart();
        } else {
            world.pass(ANSWER_MS);
        }
        world.due();
        let query = world.only(Kind::ResultQuery);
        let answer = Answer {
            standing: Some((Standing::Approved, ASK_AGAIN_MS)),
            chip: first.chip,
            ..approval(&query.request)
        };
        world.answer(&query, &answer, Mac::Right);
        let approved = matches!(world.ending(key(&sent)), Some(Ending::Approved(_)));
        assert_eq!(approved, accepted);
        if !accepted {
            world.due();
            reversed_with(&mut world, key(&sent), ResponseCode::SYSTEM_ERROR);
        }
    }
}

/// A question that is still being worked on leaves the card where it is.
#[test]
fn the_card_waits_with_the_question() {
    let mut world = World::reading_chips(true);
    let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
    let first = approved(&sent, None, None);
    world.pass(ANSWER_MS);
    for (standing, over) in [(Standing::InProgress, false), (Standing::Approved, true)] {
        world.pass(u64::from(ASK_AGAIN_MS));
        let query = world.only(Kind::ResultQuery);
        let answer = Answer {
            standing: Some((standing, ASK_AGAIN_MS)),
            chip: first.chip.filter(|_| over),
            ..approval(&query.request)
        };
        world.answer(&query, &answer, Mac::Right);
    }
    assert!(matches!(
        world.ending(key(&sent)),
        Some(Ending::Approved(_))
    ));
}

/// Scripts run, their result is repeated until it is answered, and goes before the reversal of the same sale.
#[test]
fn scripts() {
    for (broken, result) in [(None, [0x20, 0, 0, 0, 9]), (Some(3), [0x20, 0, 0, 0, 9])] {
        let mut world = World::reading_chips(true);
        let sent = world.sell_by_chip(Interface::Contact, 12_800, true);
        let answer = approved(&sent, Some((0x72, CardScript::OfflineMax(3))), broken);
        world.answer(&sent, &answer, Mac::Right);
        world.screens();
        world.due();
        let notice = world.only(Kind::ScriptResult);
        let Request::Financial { sale, .. } = notice.request else {
            panic!("{notice:?}")
        };
        let original = sale.original.unwrap();
        assert_eq!(
            (original.batch, original.stan),
            (key(&sent).batch, key(&sent).stan)
        );
        assert_eq!(
            (original.rrn, original.approval),
            (answer.rrn, answer.approval)
        );
        assert_ne!(sale.key.stan, original.stan);
        let data = notice.chip.as_ref().unwrap().expose().to_vec();
        assert_eq!(tlv::find(&data, 0xDF31).unwrap(), Some(&result[..]));
        // Not answered: the reversal waits no longer, the notice is kept.
        world.pass(ANSWER_MS);
        if broken.is_some() {
            let reversal = world.only(Kind::Reversal);
            world.code(&reversal, ResponseCode::APPROVED, Mac::Right);
        }
        world.pass(60_000);
        let again = world
            .sent
            .iter()
            .rposition(|sent| sent.request.kind() == Kind::ScriptResult)
            .expect("the notice comes again");
        let again = world.sent.remove(again).unwrap();
        assert_eq!(again.request.origin().stan, notice.request.origin().stan);
        assert_eq!(again.chip, notice.chip);
        world.screens();
        world.code(&again, ResponseCode::APPROVED, Mac::Right);
        assert_eq!(world.terminal.state().advices().len(), 0);
        assert_eq!(world.screens(), [], "no cashier waits for it");
    }
}

/// The chip cannot be read three times, or has nothing in common: then the stripe may be, and says so.
#[test]
fn fallback() {
    let mut world = World::reading_chips(true);
    let track2 = || Track2::parse(TRACK2.as_bytes()).unwrap();
    let pin = Pin::parse(PIN.as_bytes()).unwrap();
    let swipe = |world: &World| {
        world.around(|terminal, around| terminal.present(around, track2(), Some(&pin)))
    };
    for _ in 0..3 {
        assert!(swipe(&world).is_err(), "insert the card");
        let refused = world.presents(Box::new(Silent), Interface::Contact, 1, true);
        assert!(matches!(
            refused,
            Err(ChipProblem::Card(ChipRefusal::Unreadable))
        ));
    }
    let presented = swipe(&world).unwrap();
    assert_eq!(presented.entry, EntryMode::FALLBACK_PIN);
    world.command(Command::sale(Amount::fen(12_800), presented));
    let sent = world.only(Kind::Purchase);
    assert_eq!(entry(&sent), (EntryMode::FALLBACK_PIN, None));
    assert_eq!(sent.capability, b"62");
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    assert_eq!(world.fields().entry_letter, 'F');
    assert!(swipe(&world).is_err(), "the tries are used up");
    // A card without chip is swiped as ever.
    let plain = TRACK2.replace("D3012201", "D3012101");
    let plain = Track2::parse(plain.as_bytes()).unwrap();
    let presented = world
        .around(|terminal, around| terminal.present(around, plain, None))
        .unwrap();
    assert_eq!(presented.entry, EntryMode::STRIPE);
}

#[test]
fn no_reader_and_no_second_card() {
    let world = World::signed_on(true);
    let refused = world.presents(Box::new(Silent), Interface::Contact, 1, true);
    assert!(matches!(refused, Err(ChipProblem::NoReader)));
    let mut world = World::reading_chips(true);
    world.sell_by_chip(Interface::Contact, 12_800, true);
    let refused = world.presents(Box::new(Silent), Interface::Contact, 1, true);
    assert!(matches!(refused, Err(ChipProblem::SaleUnresolved)));
}

/// A chip card swiped without a try, where the terminal lets it: 60.5 = 1, and its issuer decides.
#[test]
fn swiped_improperly() {
    let mut world = World::reading_chips(true);
    world.lenient();
    let track2 = Track2::parse(TRACK2.as_bytes()).unwrap();
    let pin = Pin::parse(PIN.as_bytes()).unwrap();
    let presented = world
        .around(|terminal, around| terminal.present(around, track2, Some(&pin)))
        .unwrap();
    assert_eq!(presented.entry, EntryMode::IMPROPER_PIN);
    world.command(Command::sale(Amount::fen(12_800), presented));
    let sent = world.only(Kind::Purchase);
    assert_eq!(entry(&sent), (EntryMode::IMPROPER_PIN, None));
    assert_eq!(sent.capability, b"61");
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    assert_eq!(world.fields().entry_letter, 'S');
}
