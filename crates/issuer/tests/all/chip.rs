//! Chip cards at their bank, with real cryptograms in real frames: what is taken, and every attack refused with its code, the
//! books as they were.

use crate::world::{CHIP, IMK, OPENING, PIN, SIGNATURE, SMI, World, config, pan};
use crypto::{
    AnswerMethod, CardMemory, ChipCard, ChipProfile, ClearKey, Pin, PinFormat,
    STATUS_UPDATE_APPROVED, SecurityModule,
};
use iso8583::tlv;
use issuer::{COUNTER_STEP_MAX, Input};
use payment::host::{Answer, Financial, Request, Sealed};
use payment::{ChipRequest, EntryMode, Kind, ResponseCode, Secrets};

/// Select, and a contact reader's processing options.
const SELECT: [u8; 12] = [0, 0xA4, 4, 0, 7, 0xA0, 0, 0, 3, 0x33, 1, 1];
const INTERCHANGE: [u8; 2] = [0x1C, 0x00];

fn card() -> ChipCard {
    let [imk, smi] = [IMK, SMI].map(|key| ClearKey::from_hex(key).unwrap());
    ChipCard::personalise(ChipProfile::unionpay(pan(CHIP)), &imk, &smi).unwrap()
}

/// Amount, currency and what else the terminal signs along.
fn terminal_data(minor: u64) -> Vec<u8> {
    let digits = format!("{minor:012}");
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let mut data: Vec<u8> = (0..12).step_by(2).map(pair).collect();
    data.extend([0; 6]);
    data.extend([0x01, 0x56, 0x80, 0, 0x04, 0x80, 0, 0x01, 0x56]);
    data.extend([0x26, 0x11, 0x22, 0x00, 1, 2, 3, 4]);
    data
}

/// Field 55 of the card's request over `minor`, for which it takes a new number. `asked`: 80 goes online, 00 declines.
fn field_55(card: &mut ChipCard, minor: u64, asked: u8) -> Vec<u8> {
    card.exchange(&SELECT);
    let start = [&[0x80, 0xA8, 0, 0, 35, 0x83, 33][..], &[0; 33]].concat();
    card.exchange(&start);
    let data = terminal_data(minor);
    let answer = card.exchange(&[&[0x80, 0xAE, asked, 0, 29][..], &data].concat());
    // Behind tag and length of the template, before the status.
    let own = &answer[2..answer.len() - 2];
    let mut out = own.to_vec();
    for (tag, value) in [
        (0x9F02, &data[..6]),
        (0x9F03, &data[6..12]),
        (0x9F1A, &data[12..14]),
        (0x95, &data[14..19]),
        (0x5F2A, &data[19..21]),
        (0x9A, &data[21..24]),
        (0x9C, &data[24..25]),
        (0x9F37, &data[25..29]),
        (0x82, &INTERCHANGE),
        (0x9F34, &[0x42, 0x03, 0x00]),
    ] {
        tlv::write(&mut out, tag, value);
    }
    out
}

/// The same objects without one, or with another value.
fn changed(data: &[u8], tag: u32, value: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for object in tlv::walk(data).map(Result::unwrap) {
        match value {
            _ if object.tag != tag => tlv::write(&mut out, object.tag, object.value),
            Some(value) => tlv::write(&mut out, tag, value),
            None => {}
        }
    }
    out
}

impl World {
    /// A request with chip data through the wire; gives the checked answer.
    fn chip_exchange(&mut self, sale: Financial, holder: usize, data: Option<&[u8]>) -> Answer {
        let (pik, _) = self.network_keys.unwrap();
        let pin = sale.entry.has_pin().then(|| {
            let pin = Pin::parse(PIN).unwrap();
            self.network
                .encipher_pin(&pik, PinFormat::WithPan, &pin, &pan(holder))
                .unwrap()
        });
        let sealed = Sealed {
            request: Request::Financial(sale),
            secrets: Secrets {
                pan: Some(pan(holder)),
                pin_format: pin.is_some().then_some(PinFormat::WithPan),
                pin,
                chip: data.map(|data| ChipRequest::new(data).unwrap()),
                ..Secrets::default()
            },
        };
        let frame = self.request(&sealed);
        let input = self.hear(&frame).unwrap();
        assert!(!format!("{input:?}").contains("6225760000000039"));
        let effects = self.put(input);
        assert_eq!(self.issuer.audit(), Ok(()));
        self.heard_answer(&effects)
    }

    fn chip_sale(&mut self, minor: u64, entry: EntryMode) -> Financial {
        Financial {
            entry,
            ..self.sale(CHIP, minor)
        }
    }

    fn counter(&self) -> u16 {
        let token = self.module.card(&pan(CHIP), 0).unwrap().token;
        self.issuer.card(&token).unwrap().chip_counter
    }
}

#[test]
fn a_right_cryptogram_is_answered_so_that_the_card_believes_it() {
    let mut world = World::signed_on();
    let mut card = card();
    for round in 1..=3_u16 {
        let data = field_55(&mut card, 1_000, 0x80);
        let sale = world.chip_sale(1_000, EntryMode::CHIP_PIN);
        let answer = world.chip_exchange(sale, CHIP, Some(&data));
        assert_eq!(answer.code, ResponseCode::APPROVED);
        assert_eq!(world.counter(), round);
        let word = answer.chip.expect("issuer authentication");
        let authentication = tlv::find(word.bytes(), 0x91).unwrap().unwrap();
        assert_eq!(authentication[8..], *b"00");
        let command = [&[0, 0x82, 0, 0, 10][..], authentication].concat();
        assert_eq!(*card.exchange(&command), [0x90, 0x00]);
        // A repeat gets the same word, and takes nothing.
        let again = world.chip_exchange(sale, CHIP, Some(&data));
        assert_eq!((again.code, again.chip), (answer.code, answer.chip));
        assert_eq!(world.balance(CHIP), OPENING - i64::from(round) * 1_000);
    }
    // An inquiry too, and a tap without PIN up to the limit.
    let data = field_55(&mut card, 0, 0x80);
    let inquiry = Financial {
        kind: Kind::BalanceInquiry,
        ..world.chip_sale(0, EntryMode::CHIP_PIN)
    };
    let answer = world.chip_exchange(inquiry, CHIP, Some(&data));
    assert_eq!(answer.balance, Some(OPENING - 3_000));
    let data = field_55(&mut card, 5_000, 0x80);
    let tap = world.chip_sale(5_000, EntryMode::TAP);
    let answer = world.chip_exchange(tap, CHIP, Some(&data));
    assert_eq!(answer.code, ResponseCode::APPROVED);
    let data = field_55(&mut card, 5_001, 0x80);
    let tap = world.chip_sale(5_001, EntryMode::TAP);
    let answer = world.chip_exchange(tap, CHIP, Some(&data));
    assert_eq!(answer.code, ResponseCode::NOT_AUTHENTICATED);
    assert_eq!(answer.chip, None, "no approval, no word to the card");
}

/// A card of method 2 gets a status update that it believes; a card of method 1 does not believe it.
#[test]
fn a_card_of_method_2_is_answered_by_its_method() {
    let mut world = World::of(config(|at, setup| {
        if at == CHIP {
            setup.chip_answer = AnswerMethod::StatusUpdate;
        }
    }))
    .signing_on();
    let [imk, smi] = [IMK, SMI].map(|key| ClearKey::from_hex(key).unwrap());
    for (answer, status) in [
        (AnswerMethod::StatusUpdate, [0x90, 0x00]),
        (AnswerMethod::ResponseCode, [0x67, 0x00]),
    ] {
        let profile = ChipProfile {
            answer,
            ..ChipProfile::unionpay(pan(CHIP))
        };
        let mut card = ChipCard::personalise(profile, &imk, &smi).unwrap();
        let counter = world.counter();
        card.restore(CardMemory {
            counter,
            ..card.memory()
        });
        let data = field_55(&mut card, 1_000, 0x80);
        let sale = world.chip_sale(1_000, EntryMode::CHIP_PIN);
        let answer = world.chip_exchange(sale, CHIP, Some(&data));
        assert_eq!(answer.code, ResponseCode::APPROVED);
        let word = answer.chip.expect("issuer authentication");
        let authentication = tlv::find(word.bytes(), 0x91).unwrap().unwrap();
        assert_eq!(authentication[4..], STATUS_UPDATE_APPROVED);
        let command = [&[0, 0x82, 0, 0, 8][..], authentication].concat();
        assert_eq!(*card.exchange(&command), status);
    }
}

/// What comes, and the code it gets; nothing is booked, and no counter moves.
#[test]
fn attacks() {
    let mut world = World::signed_on();
    let mut card = card();
    let stale = field_55(&mut card, 1_000, 0x80);
    let first = field_55(&mut card, 1_000, 0x80);
    let sale = world.chip_sale(1_000, EntryMode::CHIP_PIN);
    assert_eq!(
        world.chip_exchange(sale, CHIP, Some(&first)).code,
        ResponseCode::APPROVED
    );
    let right = field_55(&mut card, 1_000, 0x80);
    let declined = field_55(&mut card, 1_000, 0x00);
    let ahead = {
        let memory = CardMemory {
            counter: 2 + COUNTER_STEP_MAX,
            ..card.memory()
        };
        assert!(card.restore(memory));
        field_55(&mut card, 1_000, 0x80)
    };
    let cryptogram = tlv::find(&right, 0x9F26).unwrap().unwrap().to_vec();
    let mut bent = cryptogram.clone();
    bent[3] ^= 0x10;
    let check = ResponseCode::CARD_CHECK;
    let format = ResponseCode::FORMAT_ERROR;
    let chip = ResponseCode::USE_CHIP;
    let (pin, signed) = (EntryMode::CHIP_PIN, EntryMode::CHIP);
    for (what, data, minor, entry, code) in [
        (
            "wrong cryptogram",
            Some(changed(&right, 0x9F26, Some(&bent))),
            1_000,
            pin,
            check,
        ),
        ("replayed", Some(first), 1_000, pin, check),
        ("counter falls", Some(stale), 1_000, pin, check),
        ("gathered in advance", Some(ahead), 1_000, pin, check),
        (
            "another amount in field 4",
            Some(right.clone()),
            1_001,
            pin,
            check,
        ),
        (
            "another amount under it",
            Some(changed(&right, 0x9F02, Some(&[0; 6]))),
            0,
            pin,
            check,
        ),
        (
            "another currency",
            Some(changed(&right, 0x5F2A, Some(&[8, 0x40]))),
            1_000,
            pin,
            check,
        ),
        (
            "another terminal's number",
            Some(changed(&right, 0x9F37, Some(&[9; 4]))),
            1_000,
            pin,
            check,
        ),
        ("the card declined", Some(declined), 1_000, pin, check),
        (
            "PIN that the card never saw",
            Some(changed(&right, 0x9F34, Some(&[0x41, 0x03, 0x02]))),
            1_000,
            signed,
            check,
        ),
        (
            "no cryptogram",
            Some(changed(&right, 0x9F26, None)),
            1_000,
            pin,
            format,
        ),
        (
            "no counter",
            Some(changed(&right, 0x9F36, None)),
            1_000,
            pin,
            format,
        ),
        (
            "twice",
            Some([&right[..], &right[..]].concat()),
            1_000,
            pin,
            format,
        ),
        ("noise", Some(vec![0x9F; 90]), 1_000, pin, format),
        ("no chip data", None, 1_000, pin, format),
        ("no chip data of a tap", None, 1_000, EntryMode::TAP, format),
        (
            "chip data of a stripe",
            Some(right.clone()),
            1_000,
            EntryMode::STRIPE_PIN,
            check,
        ),
        ("swiped", None, 1_000, EntryMode::STRIPE_PIN, chip),
        ("swiped, signed", None, 1_000, EntryMode::STRIPE, chip),
        (
            "fallback without PIN",
            None,
            1_000,
            EntryMode::FALLBACK,
            chip,
        ),
    ] {
        let before = (
            world.balance(CHIP),
            world.counter(),
            world.issuer.suspense(),
        );
        let sale = world.chip_sale(minor, entry);
        let answer = world.chip_exchange(sale, CHIP, data.as_deref());
        assert_eq!((answer.code, answer.chip), (code, None), "{what}");
        let after = (
            world.balance(CHIP),
            world.counter(),
            world.issuer.suspense(),
        );
        assert_eq!(after, before, "{what}");
    }
    // Chip data of another card, and of a card that has none.
    let sale = Financial {
        entry: signed,
        ..world.sale(SIGNATURE, 1_000)
    };
    assert_eq!(
        world.chip_exchange(sale, SIGNATURE, Some(&right)).code,
        check
    );
    // After all that, the one that is right is still taken: nobody can spoil a card by trying.
    let sale = world.chip_sale(1_000, pin);
    let answer = world.chip_exchange(sale, CHIP, Some(&right));
    assert_eq!(answer.code, ResponseCode::APPROVED);
}

/// A chip that cannot be read: with PIN, where the bank allows it.
#[test]
fn fallback() {
    for (allowed, code) in [
        (true, ResponseCode::APPROVED),
        (false, ResponseCode::USE_CHIP),
    ] {
        let mut config = config(|_, _| {});
        config.chip.as_mut().unwrap().fallback = allowed;
        let mut world = World::of(config);
        let sale = world.chip_sale(1_000, EntryMode::FALLBACK_PIN);
        assert_eq!(world.buy(sale), code);
    }
}

/// The holder proves the PIN at the bank, so the card's own PIN is unblocked; the card says how that went.
#[test]
fn a_script_and_its_result() {
    let mut world = World::signed_on();
    for (pin, expected) in [(false, false), (true, true)] {
        let mut card = card();
        let memory = CardMemory {
            pin_tries_left: 0,
            counter: world.counter(),
            ..card.memory()
        };
        assert!(card.restore(memory));
        let data = field_55(&mut card, 1_000, 0x80);
        let entry = if pin {
            EntryMode::CHIP_PIN
        } else {
            EntryMode::CHIP
        };
        let sale = world.chip_sale(1_000, entry);
        let answer = world.chip_exchange(sale, CHIP, Some(&data));
        let word = answer.chip.expect("approved");
        let script = tlv::find(word.bytes(), 0x72).unwrap();
        assert_eq!(script.is_some(), expected);
        let Some(script) = script else { continue };
        let command = tlv::find(script, 0x86).unwrap().unwrap();
        assert_eq!(*card.exchange(command), [0x90, 0x00]);
        assert_eq!(card.memory().pin_tries_left, 3);
        for (result, code, counts) in [
            (&[0x20, 0, 0, 0, 1][..], ResponseCode::APPROVED, (1, 0)),
            (&[0x11, 0, 0, 0, 1], ResponseCode::APPROVED, (1, 1)),
            (&[0x20, 0, 0], ResponseCode::FORMAT_ERROR, (1, 1)),
        ] {
            let mut data = Vec::new();
            tlv::write(&mut data, 0xDF31, result);
            let notice = Financial {
                kind: Kind::ScriptResult,
                original: Some(sale.key),
                ..world.chip_sale(0, EntryMode::CHIP)
            };
            let answer = world.chip_exchange(notice, CHIP, Some(&data));
            assert_eq!((answer.code, answer.balance), (code, None));
            let token = world.module.card(&pan(CHIP), 0).unwrap().token;
            let state = world.issuer.card(&token).unwrap();
            assert_eq!((state.scripts_done, state.scripts_failed), counts);
        }
    }
    assert_eq!(world.balance(CHIP), OPENING - 2_000);
}

/// Any bytes in field 55: a refusal, and never a panic.
#[test]
fn any_bytes() {
    let mut world = World::signed_on();
    let right = field_55(&mut card(), 1_000, 0x80);
    for at in 0..right.len() {
        for value in [0x00, 0x7F, 0x80, 0x81, 0xFF, right[at] ^ 1] {
            let mut data = right.clone();
            if data[at] == value {
                continue;
            }
            data[at] = value;
            let sale = world.chip_sale(1_000, EntryMode::CHIP_PIN);
            let frame_in = Sealed {
                request: Request::Financial(Financial {
                    entry: EntryMode::CHIP,
                    ..sale
                }),
                secrets: Secrets {
                    pan: Some(pan(CHIP)),
                    chip: ChipRequest::new(&data),
                    ..Secrets::default()
                },
            };
            let frame = world.request(&frame_in);
            let Ok(Input::Financial { chip, .. }) = world.hear(&frame) else {
                panic!("a financial request expected");
            };
            let taken = matches!(chip, issuer::ChipCheck::Right { .. });
            // Tag 9F34 and the name of an unsigned tag are not under the cryptogram.
            let unsigned = tlv::find(&data, 0x9F26) == tlv::find(&right, 0x9F26);
            assert!(!taken || unsigned, "{at} {value:02X}");
        }
    }
}
