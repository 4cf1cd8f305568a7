//! Real bytes through `hear` and `say`: sign-on, key reset, MAC, PIN.

use crate::world::{ACQUIRER, BANK, DEBIT, NETWORK, OPENING, PIN, World, pan};
use crypto::{KeyUsage, Pin, PinFormat, SecurityModule};
use iso8583::Mti;
use issuer::{Effect, Input, PREVIOUS_KEYS_MS};
use payment::host::{
    Answer, AnswerKind, Financial, HostKeys, Management, NetworkCode, Request, Sealed,
};
use payment::wire::host::read_request;
use payment::wire::{Problem, WireError};
use payment::{EdgeError, EntryMode, HostKey, Kind, Machine, Mono, Peer, ResponseCode, Secrets};

impl World {
    /// New keys of the network; it uses them at once.
    fn issue_keys(&mut self, seed: u8) -> HostKeys {
        let issue = |usage, seed| {
            self.network
                .issue_host_key(
                    &self.network_kek,
                    usage,
                    &std::array::from_fn(|i| seed ^ (i as u8 * 13 + 1)),
                )
                .unwrap()
        };
        let (pin, pin_cipher, pin_check) = issue(KeyUsage::Pin, seed);
        let (mac, mac_cipher, mac_check) = issue(KeyUsage::Mac, seed ^ 0x55);
        self.network_keys = Some((pin, mac));
        HostKeys {
            pin: (pin_cipher, pin_check),
            mac: (mac_cipher, mac_check),
        }
    }

    fn link(&mut self, up: bool) -> Vec<Effect> {
        self.put(Input::Link {
            member: NETWORK,
            up,
        })
    }

    /// The sign-on in `effects`, as the network reads it.
    fn sign_on_of(&self, effects: &[Effect]) -> Management {
        let [effect @ Effect::SignOn(_)] = effects else {
            panic!("a sign-on expected, not {effects:?}");
        };
        let message = self.said(effect);
        assert_eq!(message.mti(), Mti(0x0800));
        assert_eq!(message.get(128), Some(&self.network_mac(&message)[..]));
        let sealed = read_request(&message, &self.network, 0).unwrap();
        let Request::Management(request) = sealed.request else {
            panic!("a management request expected");
        };
        assert_eq!(
            (request.code, request.key.acquirer),
            (NetworkCode::SignOn, BANK)
        );
        request
    }

    fn answer_sign_on(&mut self, request: &Management, seed: u8) {
        let answer = Answer {
            management: Some((NetworkCode::SignOn, Some(self.issue_keys(seed)))),
            ..Answer::to(&Request::Management(*request), ResponseCode::APPROVED)
        };
        let frame = self.answer_frame(&answer);
        let input = self.hear(&frame).unwrap();
        assert_eq!(self.put(input), []);
    }

    pub fn signed_on() -> Self {
        Self::new().signing_on()
    }

    /// The same world, once the link has keys.
    pub fn signing_on(self) -> Self {
        let mut world = self;
        let effects = world.link(true);
        let request = world.sign_on_of(&effects);
        world.answer_sign_on(&request, 1);
        assert!(world.issuer.link().signed_on());
        world
    }

    fn sealed(&self, sale: Financial, pin: Option<&[u8]>) -> Sealed {
        let (pik, _) = self.network_keys.unwrap();
        let encipher = |pin| {
            let pin = Pin::parse(pin).unwrap();
            self.network
                .encipher_pin(&pik, PinFormat::WithPan, &pin, &pan(DEBIT))
                .unwrap()
        };
        Sealed {
            request: Request::Financial(Financial {
                entry: match pin {
                    Some(_) => EntryMode::STRIPE_PIN,
                    None => EntryMode::STRIPE,
                },
                ..sale
            }),
            secrets: Secrets {
                pan: Some(pan(DEBIT)),
                pin: pin.map(encipher),
                pin_format: pin.map(|_| PinFormat::WithPan),
                ..Secrets::default()
            },
        }
    }

    /// Sends a purchase and gives the checked answer.
    fn exchange(&mut self, sale: Financial, pin: Option<&[u8]>) -> Answer {
        let frame = self.request(&self.sealed(sale, pin));
        let input = self.hear(&frame).unwrap();
        let effects = self.put(input);
        self.heard_answer(&effects)
    }

    fn manage(&mut self, code: NetworkCode, keys: Option<HostKeys>) -> Sealed {
        Sealed {
            request: Request::Management(Management {
                key: HostKey {
                    acquirer: BANK,
                    ..self.next_key()
                },
                code,
                keys,
            }),
            secrets: Secrets::default(),
        }
    }
}

const NO_MAC: EdgeError = EdgeError::Content(WireError {
    field: 128,
    problem: Problem::Security,
});

#[test]
fn sign_on_is_repeated_until_it_is_answered() {
    let mut world = World::new();
    let effects = world.link(true);
    let first = world.sign_on_of(&effects);
    let mut asked = vec![first.key];
    for gap_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 16_000] {
        let due = world.now.mono.plus_ms(gap_ms);
        assert_eq!(world.issuer.deadline(), Some(due));
        world.advance(gap_ms - 1);
        assert_eq!(world.put(Input::Tick), [], "too early");
        world.advance(1);
        let effects = world.put(Input::Tick);
        asked.push(world.sign_on_of(&effects).key);
    }
    asked.dedup();
    assert_eq!(asked.len(), 7, "each has its own key");
    // Only the answer to the last one counts, for the network uses the keys of its last answer.
    world.answer_sign_on(&first, 1);
    assert!(!world.issuer.link().signed_on());
    let last = Management {
        key: asked[6],
        ..first
    };
    world.answer_sign_on(&last, 2);
    assert!(world.issuer.link().signed_on());
    assert_eq!(world.issuer.deadline(), None);
    let sale = world.sale(DEBIT, 100);
    assert_eq!(world.exchange(sale, None).code, ResponseCode::APPROVED);
}

#[test]
fn a_refused_or_damaged_answer_signs_nobody_on() {
    let mut world = World::new();
    let effects = world.link(true);
    let request = Request::Management(world.sign_on_of(&effects));
    let mut keys = world.issue_keys(1);
    let refused = world.answer_frame(&Answer::to(&request, ResponseCode::SYSTEM_ERROR));
    let input = world.hear(&refused).unwrap();
    assert_eq!(world.put(input), []);
    keys.mac.1[0] ^= 1;
    let damaged = world.answer_frame(&Answer {
        management: Some((NetworkCode::SignOn, Some(keys))),
        ..Answer::to(&request, ResponseCode::APPROVED)
    });
    assert!(matches!(world.hear(&damaged), Err(EdgeError::Security(_))));
    assert!(world.issuer.link().keys().is_none() && world.issuer.deadline().is_some());
}

#[test]
fn a_link_that_goes_asks_nothing_and_one_that_comes_back_asks_again() {
    let mut world = World::signed_on();
    assert_eq!(world.link(false), []);
    assert_eq!(world.issuer.deadline(), None);
    assert!(!world.issuer.link().signed_on());
    assert_eq!(world.link(false), []);
    let effects = world.link(true);
    let request = world.sign_on_of(&effects);
    assert_eq!(world.link(false), []);
    assert_eq!(world.put(Input::Tick), []);
    let effects = world.link(true);
    assert_ne!(world.sign_on_of(&effects).key, request.key);
    let effects = world.put(Input::Resumed);
    world.sign_on_of(&effects);
    let stranger = Input::Link {
        member: ACQUIRER,
        up: true,
    };
    assert_eq!(world.put(stranger), []);
}

#[test]
fn purchase_inquiry_and_reversal_by_bytes() {
    let mut world = World::signed_on();
    let sale = world.sale(DEBIT, 12_800);
    let answer = world.exchange(sale, Some(PIN));
    assert_eq!(
        (answer.code, answer.kind, answer.rrn, answer.receiver),
        (
            ResponseCode::APPROVED,
            AnswerKind::Financial,
            Some(sale.rrn),
            Some(BANK)
        )
    );
    assert_eq!(world.exchange(sale, Some(PIN)), answer);
    let inquiry = Financial {
        kind: Kind::BalanceInquiry,
        ..world.sale(DEBIT, 0)
    };
    let balance = world.exchange(inquiry, Some(PIN)).balance;
    assert_eq!(balance, Some(OPENING - 12_800));
    let advice = Sealed {
        request: Request::Reversal(world.advice(sale)),
        secrets: Secrets {
            pan: Some(pan(DEBIT)),
            ..Secrets::default()
        },
    };
    for _ in 0..2 {
        let input = world.hear(&world.request(&advice)).unwrap();
        let effects = world.put(input);
        assert_eq!(world.heard_answer(&effects).code, ResponseCode::APPROVED);
    }
    assert_eq!((world.balance(DEBIT), world.notices.len()), (OPENING, 2));
}

#[test]
fn the_pin_is_verified_at_the_edge() {
    let mut world = World::signed_on();
    for (pin, expected) in [
        (Some(PIN), ResponseCode::APPROVED),
        (Some(&b"1234567"[..]), ResponseCode::WRONG_PIN),
        (None, ResponseCode::NOT_AUTHENTICATED),
        (Some(b"654321"), ResponseCode::WRONG_PIN),
        (Some(b"000000"), ResponseCode::PIN_TRY_LIMIT),
        (Some(PIN), ResponseCode::PIN_TRY_LIMIT),
    ] {
        let sale = world.sale(DEBIT, 12_800);
        assert_eq!(world.exchange(sale, pin).code, expected, "{pin:?}");
    }
    // A block under another key.
    let sale = world.sale(DEBIT, 12_800);
    let mut sealed = world.sealed(sale, Some(PIN));
    sealed.secrets.pin = Some(crypto::PinBlock::new([0x5A; 8]));
    let input = world.hear(&world.request(&sealed)).unwrap();
    assert!(matches!(
        input,
        Input::Financial {
            pin: issuer::PinCheck::Format,
            ..
        }
    ));
}

#[test]
fn a_wrong_mac_changes_nothing() {
    let mut world = World::signed_on();
    let sale = world.sale(DEBIT, 12_800);
    let frame = world.request(&world.sealed(sale, Some(PIN)));
    assert!(world.hear(&frame).is_ok());
    for flip in 1..=frame.len() {
        let mut wrong = frame.clone();
        let at = frame.len() - flip;
        wrong[at] ^= 1;
        // Bytes that the MAC does not cover may differ; nothing of the money may.
        if let Ok(Input::Financial { sale: heard, .. }) = world.hear(&wrong) {
            assert_eq!(
                (heard.key, heard.amount.minor, heard.card.token, heard.kind),
                (sale.key, sale.amount.minor, sale.card.token, sale.kind),
                "byte {at}"
            );
        }
    }
    let mut wrong = frame.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(world.hear(&wrong).unwrap_err(), NO_MAC);
    assert_eq!(
        world.hear_from(Peer::Member(ACQUIRER), &frame).unwrap_err(),
        EdgeError::Stranger
    );
    assert_eq!(
        world.hear_from(Peer::Exchange(1), &frame).unwrap_err(),
        EdgeError::Stranger
    );
    for length in 0..frame.len() {
        assert!(world.hear(&frame[..length]).is_err());
    }
    // Before the first sign-on there is no key at all.
    world.issuer = issuer::Issuer::new(crate::world::config(|_, _| {}));
    assert_eq!(world.hear(&frame).unwrap_err(), NO_MAC);
}

#[test]
fn a_key_reset_takes_both_keys_or_none() {
    let mut world = World::signed_on();
    let sale = world.sale(DEBIT, 12_800);
    let under_old = world.request(&world.sealed(sale, Some(PIN)));
    let keys = world.issue_keys(2);
    let mut damaged = keys;
    damaged.pin.1[3] ^= 1;
    let old = *world.issuer.link().keys().unwrap();
    for (keys, expected) in [
        (damaged, ResponseCode::SECURITY_ERROR),
        (keys, ResponseCode::APPROVED),
        // The network did not get the answer and asks again.
        (keys, ResponseCode::APPROVED),
    ] {
        let reset = world.manage(NetworkCode::KeyReset, Some(keys));
        let input = world.hear(&world.request(&reset)).unwrap();
        let effects = world.put(input);
        let answer = world.heard_answer(&effects);
        assert_eq!(answer.code, expected);
        assert_eq!(answer.management, Some((NetworkCode::KeyReset, None)));
        let changed = world.issuer.link().keys() != Some(&old);
        assert_eq!(changed, expected == ResponseCode::APPROVED);
    }
    // What was on its way comes under the old keys, PIN and all; its answer leaves under the new ones.
    let input = world.hear(&under_old).unwrap();
    let effects = world.put(input);
    assert_eq!(world.heard_answer(&effects).code, ResponseCode::APPROVED);
    let sale = world.sale(DEBIT, 12_800);
    assert_eq!(world.exchange(sale, Some(PIN)).code, ResponseCode::APPROVED);
    world.advance(PREVIOUS_KEYS_MS + 1);
    assert_eq!(world.hear(&under_old).unwrap_err(), NO_MAC);
}

#[test]
fn echo_is_answered_and_other_management_is_not() {
    let mut world = World::signed_on();
    let echo = world.manage(NetworkCode::Echo, None);
    let input = world.hear(&world.request(&echo)).unwrap();
    let effects = world.put(input);
    let answer = world.heard_answer(&effects);
    assert!(answer.answers(&echo.request));
    assert_eq!(answer.code, ResponseCode::APPROVED);
    for (code, field, problem) in [
        (NetworkCode::SignOff, 70, Problem::NotServed),
        (NetworkCode::KeyReset, 62, Problem::Missing),
    ] {
        let other = world.manage(code, None);
        assert_eq!(
            world.hear(&world.request(&other)).unwrap_err(),
            EdgeError::Content(WireError { field, problem })
        );
    }
    let answer = world.answer_frame(&Answer::to(&echo.request, ResponseCode::APPROVED));
    assert!(world.hear(&answer).is_err());
    assert_eq!(world.issuer.deadline(), None::<Mono>);
}

#[test]
fn nothing_secret_is_in_a_record() {
    let mut world = World::signed_on();
    let sale = world.sale(DEBIT, 12_800);
    world.exchange(sale, Some(PIN));
    world.reverse(sale);
    let text = format!(
        "{:?}{}",
        world.records,
        serde_json::to_string(&world.records).unwrap()
    );
    for secret in ["6225760000000005", "123456\"", "257600000000"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
