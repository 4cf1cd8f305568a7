//! A chip card as a reader meets it, and the module at its issuer: whole dialogues, attacks, and any bytes.

use crate::{import, module, pan, unhex};
use crypto::{
    AnswerMethod, CardDataError, CardMemory, CardRequest, CardScript, ChipCard, ChipProfile,
    ClearKey, Cryptogram, CryptogramScheme, KeyUsage, STATUS_UPDATE_APPROVED, SecurityModule,
};
use proptest::prelude::*;

const NUMBER: &str = "6225760000000005";
const CRYPTOGRAM_MASTER: &str = "0123456789ABCDEFFEDCBA9876543210";
const SCRIPT_MASTER: &str = "46B0AA84C9AB2CC87FBD7C736E515C06";
const SELECT: &str = "00A4040008A00000033301010100";
/// Processing options of a contact reader: nothing of what the card would like to know.
const START: &str =
    "80A80000238321000000000000000000000000000000000000000000000000000000000000000000";
/// What the terminal signs along: 123.45 yuan on 2026-11-22.
const TERMINAL: &str = "0000000123450000000000000156800004000001562611220011223344";
const APPROVED: [u8; 2] = [0x90, 0x00];

fn card_of(profile: ChipProfile) -> ChipCard {
    let [cryptogram, script] =
        [CRYPTOGRAM_MASTER, SCRIPT_MASTER].map(|key| ClearKey::from_hex(key).expect("key"));
    ChipCard::personalise(profile, &cryptogram, &script).expect("double-length keys")
}

fn card() -> ChipCard {
    card_of(ChipProfile::unionpay(pan(NUMBER)))
}

fn send(card: &mut ChipCard, command: &str) -> Vec<u8> {
    card.exchange(&unhex(command)).to_vec()
}

/// The same, with the status alone.
fn status(card: &mut ChipCard, command: &str) -> String {
    let answer = send(card, command);
    crate::hex(&answer[answer.len() - 2..])
}

/// Value of a two-byte tag with one length byte, somewhere in an answer.
fn value(answer: &[u8], tag: u16) -> &[u8] {
    let at = answer
        .windows(2)
        .position(|pair| pair == tag.to_be_bytes())
        .expect("the tag is there");
    &answer[at + 3..at + 3 + usize::from(answer[at + 2])]
}

/// Select, start, and the first cryptogram as a request to go online.
fn online(card: &mut ChipCard) -> Vec<u8> {
    assert_eq!(status(card, SELECT), "9000");
    assert_eq!(status(card, START), "9000");
    let answer = send(card, &format!("80AE80001D{TERMINAL}00"));
    assert_eq!(answer[answer.len() - 2..], APPROVED);
    assert_eq!(value(&answer, 0x9F27), [0x80]);
    answer
}

/// The bytes under a cryptogram, from the terminal's data and the card's answer.
fn signed(answer: &[u8]) -> Vec<u8> {
    let counter = value(answer, 0x9F36);
    let results = &value(answer, 0x9F10)[3..7];
    [&unhex(TERMINAL)[..], &[0x1C, 0x00], counter, results].concat()
}

/// What the issuer's module makes of it: its answer, and a script.
fn issuer(answer: &[u8], script: CardScript) -> (Option<[u8; 8]>, Vec<u8>) {
    let module = module(7);
    let number = pan(NUMBER);
    let cryptogram = Cryptogram {
        pan: &number,
        sequence: *b"01",
        counter: value(answer, 0x9F36).try_into().expect("two bytes"),
        data: &signed(answer),
        received: value(answer, 0x9F26).try_into().expect("eight bytes"),
    };
    let master = import(&module, KeyUsage::CryptogramMaster, CRYPTOGRAM_MASTER);
    let scripts = import(&module, KeyUsage::ScriptMaster, SCRIPT_MASTER);
    let scheme = CryptogramScheme::Pboc;
    let response = module.answer_cryptogram(&master, scheme, &cryptogram, *b"00");
    let sealed = module.seal_script(&scripts, scheme, &cryptogram, script);
    (response.expect("usage"), sealed.expect("usage"))
}

fn authenticate(card: &mut ChipCard, response: [u8; 8]) -> String {
    let data = crate::hex(&[&response[..], b"00"].concat());
    status(card, &format!("008200000A{data}"))
}

/// The second cryptogram: `40` asks for approval, `00` declines.
fn finish(card: &mut ChipCard, asked: &str) -> u8 {
    let answer = send(card, &format!("80AE{asked}001F3030{TERMINAL}00"));
    assert_eq!(answer[answer.len() - 2..], APPROVED);
    value(&answer, 0x9F27)[0]
}

#[test]
fn an_issuer_and_its_card_know_each_other() {
    let mut card = card();
    for counter in 1..=3_u16 {
        let request = online(&mut card);
        assert_eq!(value(&request, 0x9F36), counter.to_be_bytes());
        let (response, _) = issuer(&request, CardScript::UnblockPin);
        let response = response.expect("the card's own cryptogram");
        assert_eq!(authenticate(&mut card, response), "9000");
        assert_eq!(authenticate(&mut card, response), "6985", "only once");
        assert_eq!(finish(&mut card, "40"), 0x40, "approved");
        assert_eq!(
            status(&mut card, &format!("80AE40001F3030{TERMINAL}00")),
            "6985"
        );
        card.remove();
    }
}

/// A wrong answer, none at all, and a decline: the card approves none of them, and says so the next time.
#[test]
fn without_its_issuer_the_card_declines() {
    // What comes before the second cryptogram, what is asked, and the history byte of the next transaction.
    for (answer, asked, history) in [
        (Some(false), "40", 0x18),
        (None, "40", 0x14),
        (Some(true), "00", 0x00),
    ] {
        let mut card = card();
        let request = online(&mut card);
        if let Some(right) = answer {
            let (response, _) = issuer(&request, CardScript::UnblockPin);
            let mut response = response.expect("right cryptogram");
            response[7] ^= u8::from(!right);
            let expected = if right { "9000" } else { "6300" };
            assert_eq!(authenticate(&mut card, response), expected);
        }
        assert_eq!(finish(&mut card, asked), 0x00, "declined");
        let next = online(&mut card);
        assert_eq!(value(&next, 0x9F10)[5], history, "{answer:?}");
    }
}

#[test]
fn a_torn_transaction_is_remembered() {
    let mut card = card();
    online(&mut card);
    card.remove();
    let next = online(&mut card);
    assert_eq!(value(&next, 0x9F10)[5] & 0x80, 0x80);
}

#[test]
fn scripts_obey_their_mac() {
    let unblock = CardScript::UnblockPin;
    for (script, right) in [
        (unblock, true),
        (unblock, false),
        (CardScript::OfflineMax(9), true),
        (CardScript::BlockApplication, true),
    ] {
        let mut card = card();
        let blocked = CardMemory {
            pin_tries_left: 0,
            ..card.memory()
        };
        assert!(card.restore(blocked));
        let request = online(&mut card);
        assert_eq!(value(&request, 0x9F10)[5] & 0x40, 0x40, "PIN blocked");
        let (response, mut command) = issuer(&request, script);
        authenticate(&mut card, response.expect("right"));
        finish(&mut card, "40");
        let end = command.len() - 1;
        command[end] ^= u8::from(!right);
        let expected = if right { "9000" } else { "6988" };
        assert_eq!(status(&mut card, &crate::hex(&command)), expected);
        let memory = card.memory();
        assert_eq!(memory.pin_tries_left == 3, script == unblock && right);
        assert_eq!(
            memory.offline_max,
            if let CardScript::OfflineMax(n) = script {
                n
            } else {
                0
            }
        );
        let blocked = script == CardScript::BlockApplication;
        assert_eq!(
            status(&mut card, SELECT),
            if blocked { "6283" } else { "9000" }
        );
        assert_eq!((memory.scripts, memory.script_failed), (1, !right));
        // A script of this transaction is none of the next.
        if !blocked {
            online(&mut card);
            assert_eq!(status(&mut card, &crate::hex(&command)), "6988");
        }
    }
}

/// No script without a transaction that went online.
#[test]
fn scripts_need_a_request() {
    let mut card = card();
    let request = online(&mut card);
    let (_, command) = issuer(&request, CardScript::UnblockPin);
    card.remove();
    assert_eq!(status(&mut card, &crate::hex(&command)), "6985");
}

#[test]
fn the_counter_only_grows() {
    let mut card = card();
    online(&mut card);
    let kept = card.memory();
    online(&mut card);
    assert!(!card.restore(kept), "an older memory");
    assert_eq!(card.memory().counter, 2);
    let mut other = self::card();
    assert!(other.restore(kept));
    assert_eq!(value(&online(&mut other), 0x9F36), [0, 2]);
    // A card whose counter has run out serves nobody.
    assert!(other.restore(CardMemory {
        counter: u16::MAX,
        ..kept
    }));
    status(&mut other, SELECT);
    assert_eq!(status(&mut other, START), "6985");
    assert_eq!(other.memory().counter, u16::MAX);
}

/// The card's own risk rules, as data.
#[test]
fn card_risk() {
    let mut profile = ChipProfile::unionpay(pan(NUMBER));
    profile.risk.offline_max = 2;
    profile.risk.declines_with_blocked_pin = true;
    let mut card = card_of(profile);
    let ask = |card: &mut ChipCard, asked: &str| {
        status(card, SELECT);
        status(card, START);
        value(&send(card, &format!("80AE{asked}001D{TERMINAL}00")), 0x9F27)[0]
    };
    assert_eq!(ask(&mut card, "40"), 0x80, "never online before");
    let request = online(&mut card);
    let response = issuer(&request, CardScript::UnblockPin).0.expect("right");
    authenticate(&mut card, response);
    finish(&mut card, "40");
    assert_eq!([ask(&mut card, "40"), ask(&mut card, "40")], [0x40, 0x40]);
    assert_eq!(
        ask(&mut card, "40"),
        0x80,
        "two without the issuer are enough"
    );
    assert_eq!(ask(&mut card, "00"), 0x00);
    let blocked = CardMemory {
        pin_tries_left: 0,
        ..card.memory()
    };
    assert!(card.restore(blocked));
    assert_eq!(ask(&mut card, "80"), 0x00, "blocked PIN");
}

/// The reference's own row, read as an issuer reads it.
#[test]
fn card_requests() {
    let right = unhex(
        "9F26085D016C91005E7CC29F2701809F101307000103A04002010A010000001000D1F611529F37041E78EEBC9F36020240950500800460009A031407019C01009F02060000000000015F2A02015682027D009F1A0201569F03060000000000009F330360E1C89F34030203009F3501229F1E0838333230494343008408A0000003330101019F090200209F410400000007",
    );
    let request = CardRequest::read(&right).expect("the row");
    assert_eq!(
        crate::hex(&request.signed),
        "000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002"
    );
    assert_eq!(
        (
            request.kind,
            request.amount,
            request.currency,
            request.counter,
            request.verification
        ),
        (0x80, 1, 156, [0x02, 0x40], Some([0x02, 0x03, 0x00]))
    );
    for (tag, length) in [(0x9F26_u16, 8), (0x9F37, 4), (0x9F36, 2), (0x9F10, 19)] {
        let bytes = tag.to_be_bytes();
        let at = right
            .windows(2)
            .position(|pair| pair == bytes)
            .expect("tag");
        let without = [&right[..at], &right[at + 3 + length..]].concat();
        assert_eq!(
            CardRequest::read(&without),
            Err(CardDataError::Mandatory { tag })
        );
    }
    // A short second amount and a long date move everything behind them under the cryptogram: refused by their lengths.
    for (tag, wrong) in [
        (0x9F03_u16, "9F03050000000000".to_owned()),
        (0x9A, "9A0414070100".to_owned()),
    ] {
        let whole = crate::hex(&right);
        let part = if tag == 0x9A {
            "9A03140701"
        } else {
            "9F0306000000000000"
        };
        let bytes = unhex(&whole.replace(part, &wrong));
        assert_eq!(
            CardRequest::read(&bytes),
            Err(CardDataError::Mandatory { tag })
        );
    }
    let twice = [&right[..], &[0x9F, 0x36, 2, 0, 1]].concat();
    assert_eq!(CardRequest::read(&twice), Err(CardDataError::Duplicate));
}

#[test]
fn a_card_hides_itself() {
    let card = card();
    let shown = format!("{card:?} {:?}", card.memory());
    assert!(shown.starts_with("ChipCard(622576******0005)"), "{shown}");
    assert!(!shown.contains(NUMBER) && !shown.contains(CRYPTOGRAM_MASTER));
}

fn command() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(
        [
            "00A40404", "80A80000", "00B2010C", "00B2020C", "80CA9F36", "80AE8000", "80AE4000",
            "80AE0000", "00820000", "84240000", "841E0000", "84DA9F58", "",
        ]
        .map(unhex)
        .to_vec(),
    );
    let whole = prop::sample::select(
        [SELECT, START, &format!("80AE80001D{TERMINAL}00")]
            .map(unhex)
            .to_vec(),
    );
    prop_oneof![
        2 => whole,
        2 => (start, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(start, data)| {
            [&start[..], &[data.len() as u8], &data].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn any_commands(commands in prop::collection::vec(command(), 0..12)) {
        let mut card = card();
        let mut counter = 0;
        for command in &commands {
            let answer = card.exchange(command);
            prop_assert!(answer.len() >= 2 && answer.len() <= 258);
            prop_assert!(card.memory().counter >= counter);
            counter = card.memory().counter;
        }
        prop_assert!(!card.memory().blocked, "no guessed MAC blocks a card");
    }

    #[test]
    fn any_card_data(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CardRequest::read(&bytes);
    }
}

/// Method 2: the MAC over the card status update, and what the update says; each byte of the answer counts.
#[test]
fn a_card_that_is_answered_with_a_status_update() {
    let answered = |status_update: [u8; 4], proprietary: &[u8], bent: Option<usize>| {
        let profile = ChipProfile {
            answer: AnswerMethod::StatusUpdate,
            ..ChipProfile::unionpay(pan(NUMBER))
        };
        let mut card = card_of(profile);
        let request = online(&mut card);
        let module = module(7);
        let number = pan(NUMBER);
        let cryptogram = Cryptogram {
            pan: &number,
            sequence: *b"01",
            counter: value(&request, 0x9F36).try_into().expect("two bytes"),
            data: &signed(&request),
            received: value(&request, 0x9F26).try_into().expect("eight bytes"),
        };
        let master = import(&module, KeyUsage::CryptogramMaster, CRYPTOGRAM_MASTER);
        let scheme = CryptogramScheme::Pboc;
        let answer = module
            .answer_cryptogram_status(&master, scheme, &cryptogram, status_update, proprietary)
            .expect("usage")
            .expect("the card's own cryptogram");
        let mut data = [&answer[..], &status_update, proprietary].concat();
        if let Some(at) = bent {
            data[at] ^= 1;
        }
        let command = format!("00820000{:02X}{}", data.len(), crate::hex(&data));
        (status(&mut card, &command), finish(&mut card, "40"))
    };
    let approved = STATUS_UPDATE_APPROVED;
    assert_eq!(answered(approved, &[], None), ("9000".to_owned(), 0x40));
    assert_eq!(answered(approved, &[7; 8], None), ("9000".to_owned(), 0x40));
    for at in 0..8 {
        let wrong = ("6300".to_owned(), 0x00);
        assert_eq!(answered(approved, &[], Some(at)), wrong, "byte {at}");
    }
    assert_eq!(answered(approved, &[7], Some(8)), ("6300".to_owned(), 0x00));
    // The issuer's own word that it does not approve.
    assert_eq!(answered([0; 4], &[], None), ("9000".to_owned(), 0x00));
    // Method 1 to a card of method 2, and the other way round.
    let mut other = card();
    online(&mut other);
    assert_eq!(status(&mut other, "00820000080102030400800000"), "6700");
}
