//! The chip kernel against a card in software and its issuer's module, and against cards that send anything.

use crypto::{
    CardBytes, CardRequest, CardScript, ChipCard, ChipProfile, ClearKey, Cryptogram,
    CryptogramScheme, KeyUsage, Pan, SecurityModule, SoftwareModule,
};
use iso8583::tlv;
use payment::{EntryMode, ResponseCode};
use terminal::kernel::{
    Asked, CardReader, ChipRefusal, ChipTerminal, Completed, Condition, FallbackRule, Interface,
    IssuerWord, MustInsert, Terms, Verification, open, stripe_condition,
};

const NUMBER: &[u8] = b"6225760000000005";
const CRYPTOGRAMS: &str = "0123456789ABCDEFFEDCBA9876543210";
const SCRIPTS: &str = "46B0AA84C9AB2CC87FBD7C736E515C06";
pub const FREE_MINOR: u64 = 100_000;

pub fn profile() -> ChipProfile {
    ChipProfile::unionpay(Pan::parse(NUMBER).unwrap())
}

pub fn card_of(profile: ChipProfile) -> ChipCard {
    let [cryptograms, scripts] = [CRYPTOGRAMS, SCRIPTS].map(|key| ClearKey::from_hex(key).unwrap());
    ChipCard::personalise(profile, &cryptograms, &scripts).unwrap()
}

pub fn machine() -> ChipTerminal {
    ChipTerminal::unionpay(*b"12345678", FREE_MINOR)
}

fn terms(interface: Interface, amount_minor: u64) -> Terms {
    Terms {
        amount_minor,
        kind: 0,
        date: 261_122,
        unpredictable: [0x11, 0x22, 0x33, 0x44],
        sequence: 7,
        interface,
    }
}

fn issuer(asked: &Asked, script: Option<(u32, CardScript)>, break_at: Option<usize>) -> Vec<u8> {
    word_on(&asked.request(), script, break_at)
}

/// What the issuer's module makes of a request: tag 91, bent at a byte, and a template around a script.
pub fn word_on(
    request: &[u8],
    script: Option<(u32, CardScript)>,
    break_at: Option<usize>,
) -> Vec<u8> {
    let module = SoftwareModule::new([7; 32]);
    let import = |usage, key| {
        module
            .import(usage, &ClearKey::from_hex(key).unwrap())
            .unwrap()
    };
    let pan = Pan::parse(NUMBER).unwrap();
    let request = CardRequest::read(request).unwrap();
    let cryptogram = Cryptogram {
        pan: &pan,
        sequence: *b"01",
        counter: request.counter,
        data: &request.signed,
        received: request.cryptogram,
    };
    let scheme = CryptogramScheme::Pboc;
    let master = import(KeyUsage::CryptogramMaster, CRYPTOGRAMS);
    let answer = module
        .answer_cryptogram(&master, scheme, &cryptogram, *b"00")
        .unwrap();
    let mut word = [&answer.expect("the card's own cryptogram")[..], b"00"].concat();
    if let Some(at) = break_at {
        word[at] ^= 1;
    }
    let mut data = Vec::new();
    tlv::write(&mut data, 0x91, &word);
    if let Some((template, script)) = script {
        let master = import(KeyUsage::ScriptMaster, SCRIPTS);
        let command = module
            .seal_script(&master, scheme, &cryptogram, script)
            .unwrap();
        let mut inner = Vec::new();
        tlv::write(&mut inner, 0x9F18, &[0, 0, 0, 9]);
        tlv::write(&mut inner, 0x86, &command);
        tlv::write(&mut data, template, &inner);
    }
    data
}

fn ask(card: &mut dyn CardReader, terms: Terms, pin: bool) -> Result<Asked, ChipRefusal> {
    open(&machine(), terms, card)?.authorise(card, pin)
}

fn word(code: ResponseCode, data: &[u8]) -> Option<IssuerWord<'_>> {
    Some(IssuerWord { code, data })
}

/// Presentation, PIN entered, amount: entry mode, verification, and whether a PIN was wanted.
#[test]
fn entry_modes_and_verification() {
    use Verification::{NotNeeded, OnlinePin, Signature};
    for (interface, pin, minor, entry, method, wanted) in [
        (Interface::Contact, true, 1, 51, OnlinePin, true),
        (Interface::Contact, false, 1, 52, Signature, true),
        (
            Interface::Contactless,
            false,
            FREE_MINOR,
            72,
            NotNeeded,
            false,
        ),
        (
            Interface::Contactless,
            true,
            FREE_MINOR,
            71,
            OnlinePin,
            false,
        ),
        (
            Interface::Contactless,
            true,
            FREE_MINOR + 1,
            71,
            OnlinePin,
            true,
        ),
    ] {
        let mut card = card_of(profile());
        let opened = open(&machine(), terms(interface, minor), &mut card).unwrap();
        assert_eq!(opened.wants_pin(), wanted, "{interface:?} {minor}");
        let asked = opened.authorise(&mut card, pin).unwrap();
        assert_eq!(
            (asked.entry(), asked.verification()),
            (EntryMode(entry), method)
        );
        assert_eq!(asked.card_sequence(), Some(1));
        assert_eq!(asked.track2().pan().unwrap(), Pan::parse(NUMBER).unwrap());
        // The cryptogram is the card's own over just these bytes.
        issuer(&asked, None, None);
    }
}

/// The order of reference §2.7, and no card number inside.
#[test]
fn request_data() {
    let mut card = card_of(profile());
    let asked = ask(&mut card, terms(Interface::Contact, 12_345), true).unwrap();
    let data = asked.request();
    let tags: Vec<u32> = tlv::walk(&data).map(|object| object.unwrap().tag).collect();
    assert_eq!(
        tags,
        [
            0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A,
            0x9F03, 0x9F33, 0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41,
        ]
    );
    let get = |tag| tlv::find(&data, tag).unwrap().unwrap().to_vec();
    assert_eq!(get(0x9F02), [0, 0, 0, 1, 0x23, 0x45]);
    // Data not authenticated; online PIN entered; above the floor limit of nothing.
    assert_eq!(get(0x95), [0x80, 0, 0x04, 0x80, 0]);
    assert_eq!(get(0x9F34), [0x42, 0x03, 0x00]);
    assert_eq!(get(0x9A), [0x26, 0x11, 0x22]);
    assert_eq!(get(0x9F41), [0, 0, 0, 7]);
    assert_eq!(data.len(), 134);
    let packed = [0x62, 0x25, 0x76, 0x00, 0x00];
    assert!(!data.windows(5).any(|bytes| bytes == packed));
    let shown = format!("{asked:?}");
    assert!(!shown.contains("6225760000000005"), "{shown}");
}

/// Host's code, where the issuer's answer is broken, whether it is sent at all: accepted, kind of the last cryptogram, bits of
/// byte 5 of the results, the reversal's reason.
#[test]
fn the_card_has_the_last_word() {
    let reason = Some(ResponseCode::SYSTEM_ERROR);
    for (code, broken, sent, accepted, kind, last_byte, expected) in [
        ("00", None, true, true, 0x40, 0x00, None),
        ("11", None, true, true, 0x40, 0x00, None),
        ("00", Some(0), true, false, 0x00, 0x40, reason),
        ("00", Some(7), true, false, 0x00, 0x40, reason),
        ("00", Some(9), true, false, 0x00, 0x40, reason),
        ("00", None, false, false, 0x00, 0x00, reason),
        ("51", None, false, false, 0x00, 0x00, None),
        ("51", None, true, false, 0x00, 0x00, None),
    ] {
        let mut card = card_of(profile());
        let asked = ask(&mut card, terms(Interface::Contact, 100), true).unwrap();
        let data = if sent {
            issuer(&asked, None, broken)
        } else {
            Vec::new()
        };
        let code = ResponseCode(code.as_bytes().try_into().unwrap());
        let done = asked.complete(&mut card, word(code, &data));
        let get = |tag| done.evidence.get(tag).unwrap().to_vec();
        assert_eq!(
            (done.accepted, get(0x9F27)[0], get(0x95)[4]),
            (accepted, kind, last_byte),
            "{code} {broken:?}"
        );
        assert_eq!(done.issuer_wrong, broken.is_some());
        assert_eq!(done.reversal_reason(code), expected);
        assert!(done.scripts.is_empty());
    }
}

/// A card that is pulled out, or an issuer that never answers.
#[test]
fn nothing_is_accepted_without_card_or_issuer() {
    let mut card = card_of(profile());
    let asked = ask(&mut card, terms(Interface::Contact, 100), true).unwrap();
    let data = issuer(&asked, None, None);
    let done = asked.complete(&mut Silent, word(ResponseCode::APPROVED, &data));
    assert!(!done.accepted);
    assert_eq!(
        done.evidence.get(0x9F27),
        Some(&[0x80][..]),
        "the request is all that remains"
    );
    card.remove();
    let asked = ask(&mut card, terms(Interface::Contact, 100), true).unwrap();
    assert!(!asked.complete(&mut card, None).accepted);
    // A tap has no second word with its card.
    let asked = ask(&mut card, terms(Interface::Contactless, 100), false).unwrap();
    let done = asked.complete(&mut Silent, word(ResponseCode::APPROVED, &[]));
    assert!(done.accepted && !done.issuer_wrong);
}

#[test]
fn scripts_and_their_result() {
    for (template, right, expected, bit) in [
        (0x72, true, [0x20, 0, 0, 0, 9], 0x00),
        (0x71, true, [0x20, 0, 0, 0, 9], 0x00),
        (0x72, false, [0x11, 0, 0, 0, 9], 0x10),
        (0x71, false, [0x11, 0, 0, 0, 9], 0x20),
    ] {
        let mut card = card_of(profile());
        let asked = ask(&mut card, terms(Interface::Contact, 100), true).unwrap();
        let mut data = issuer(&asked, Some((template, CardScript::OfflineMax(3))), None);
        if !right {
            *data.last_mut().unwrap() ^= 1;
        }
        let done = asked.complete(&mut card, word(ResponseCode::APPROVED, &data));
        assert!(done.accepted, "a failed script takes no approval back");
        assert_eq!(done.scripts, expected);
        assert_eq!(done.evidence.get(0x95).unwrap()[4], bit);
        assert_eq!(card.memory().offline_max == 3, right);
        let notice = done.evidence.script_result(&done.scripts);
        assert_eq!(tlv::find(&notice, 0xDF31).unwrap(), Some(&expected[..]));
        let reversal = done.evidence.reversal(&done.scripts);
        let tags: Vec<u32> = tlv::walk(&reversal)
            .map(|object| object.unwrap().tag)
            .collect();
        assert_eq!(tags, [0x95, 0x9F1E, 0x9F10, 0x9F36, 0xDF31]);
    }
}

/// What is wrong with the card: why there is no transaction.
#[test]
fn refusals() {
    let silent: Box<dyn CardReader> = Box::new(Silent);
    let mut foreign = profile();
    foreign.applications[0].aid = vec![0xA0, 0, 0, 0, 4, 0x10, 0x10];
    let mut blocked = card_of(profile());
    let memory = crypto::CardMemory {
        blocked: true,
        ..blocked.memory()
    };
    assert!(blocked.restore(memory));
    let mut refusing = profile();
    refusing.risk.declines_with_blocked_pin = true;
    let mut refusing = card_of(refusing);
    let memory = crypto::CardMemory {
        pin_tries_left: 0,
        ..refusing.memory()
    };
    assert!(refusing.restore(memory));
    let mut denied = profile();
    denied.expiry = 2_610;
    denied.action_codes[1] = [0, 0x40, 0, 0, 0];
    let mut contact_only = profile();
    contact_only.contactless = false;
    for (mut card, interface, expected) in [
        (silent, Interface::Contact, ChipRefusal::Unreadable),
        (
            Box::new(card_of(foreign)),
            Interface::Contact,
            ChipRefusal::NoApplication,
        ),
        (Box::new(blocked), Interface::Contact, ChipRefusal::Blocked),
        (
            Box::new(refusing),
            Interface::Contact,
            ChipRefusal::Declined,
        ),
        (
            Box::new(card_of(denied)),
            Interface::Contact,
            ChipRefusal::Declined,
        ),
        (
            Box::new(card_of(contact_only)),
            Interface::Contactless,
            ChipRefusal::Broken,
        ),
    ] {
        let refused = ask(&mut *card, terms(interface, 100), true);
        assert_eq!(refused.err(), Some(expected));
    }
    let above = terms(Interface::Contactless, FREE_MINOR + 1);
    let mut tapped = card_of(profile());
    let opened = open(&machine(), above, &mut tapped).unwrap();
    assert!(opened.wants_pin());
    let refused = opened.authorise(&mut tapped, false);
    assert_eq!(refused.err(), Some(ChipRefusal::PinNeeded));
    let mut machine = machine();
    machine.applications[0].contactless_limit_minor = 1_000;
    let refused = open(
        &machine,
        terms(Interface::Contactless, 1_001),
        &mut card_of(profile()),
    );
    assert_eq!(refused.err(), Some(ChipRefusal::Insert));
}

/// The terminal names several applications: the card's own liking decides.
#[test]
fn the_card_prefers() {
    let mut two = profile();
    let mut credit = two.applications[0].clone();
    *credit.aid.last_mut().unwrap() = 2;
    credit.priority = 2;
    two.applications.insert(0, credit);
    let mut machine = machine();
    let prefix = machine.applications[0].clone();
    let named = |last| {
        let mut named = prefix.clone();
        named.aid.extend([1, 1, last]);
        named
    };
    machine.applications = vec![named(1), named(2)];
    let mut card = card_of(two);
    let opened = open(&machine, terms(Interface::Contact, 1), &mut card).unwrap();
    let asked = opened.authorise(&mut card, false).unwrap();
    assert_eq!(asked.evidence().aid.last(), Some(&1));
    issuer(&asked, None, None);
}

/// The card's list of methods: list behind the amounts, PIN pad, PIN entered, amount; method, tag 9F34 and byte 3 of tag 95.
#[test]
fn verification_methods() {
    use Verification::{Failed, NotNeeded, OnlinePin, Signature};
    let amounts = [0, 0, 0x27, 0x10, 0, 0, 0x75, 0x30];
    for (rules, pad, pin, minor, method, value, bits) in [
        (
            &[0x42, 0x03, 0x5E, 0x03, 0x1F, 0x00][..],
            true,
            true,
            1,
            OnlinePin,
            [0x42, 3, 0],
            0x04,
        ),
        (
            &[0x42, 0x03, 0x5E, 0x03, 0x1F, 0x00],
            true,
            false,
            1,
            Signature,
            [0x5E, 3, 0],
            0x08,
        ),
        (
            &[0x42, 0x03, 0x5E, 0x03, 0x1F, 0x00],
            false,
            false,
            1,
            Signature,
            [0x5E, 3, 0],
            0x00,
        ),
        (
            &[0x42, 0x00, 0x5E, 0x03],
            false,
            false,
            1,
            Signature,
            [0x5E, 3, 0],
            0x10,
        ),
        (
            &[0x02, 0x03, 0x5E, 0x03],
            true,
            false,
            1,
            Failed,
            [0x3F, 0, 1],
            0x88,
        ),
        (
            &[0x1F, 0x06, 0x02, 0x07],
            true,
            true,
            9_999,
            NotNeeded,
            [0x1F, 6, 2],
            0x00,
        ),
        (
            &[0x1F, 0x06, 0x02, 0x07],
            true,
            true,
            10_001,
            OnlinePin,
            [0x02, 7, 0],
            0x04,
        ),
        (
            &[0x1F, 0x08, 0x02, 0x09],
            true,
            true,
            29_999,
            NotNeeded,
            [0x1F, 8, 2],
            0x00,
        ),
        (
            &[0x1F, 0x08, 0x02, 0x09],
            true,
            true,
            30_001,
            OnlinePin,
            [0x02, 9, 0],
            0x04,
        ),
        (
            &[0x41, 0x03, 0x42, 0x03],
            true,
            true,
            1,
            OnlinePin,
            [0x42, 3, 0],
            0x04,
        ),
        (
            &[0x41, 0x00, 0x1F, 0x00],
            true,
            true,
            1,
            NotNeeded,
            [0x1F, 0, 2],
            0x00,
        ),
        (
            &[0x60, 0x00, 0x1F, 0x00],
            true,
            true,
            1,
            NotNeeded,
            [0x1F, 0, 2],
            0x40,
        ),
        (
            &[0x20, 0x00, 0x1F, 0x00],
            true,
            true,
            1,
            Failed,
            [0x3F, 0, 1],
            0xC0,
        ),
        (
            &[0x00, 0x00, 0x1F, 0x00],
            true,
            true,
            1,
            Failed,
            [0x3F, 0, 1],
            0x80,
        ),
        (
            &[0x1F, 0x01, 0x1F, 0x04],
            true,
            true,
            1,
            Failed,
            [0x3F, 0, 1],
            0x80,
        ),
        (&[], true, true, 1, Failed, [0x3F, 0, 1], 0x80),
    ] {
        let mut own = profile();
        own.verification_methods = [&amounts[..], rules].concat();
        let mut card = card_of(own);
        let mut machine = machine();
        machine.pin_pad = pad;
        let opened = open(&machine, terms(Interface::Contact, minor), &mut card).unwrap();
        let asked = opened.authorise(&mut card, pin).unwrap();
        let evidence = asked.evidence();
        assert_eq!(
            (
                asked.verification(),
                evidence.get(0x9F34),
                evidence.get(0x95).unwrap()[2]
            ),
            (method, Some(&value[..]), bits),
            "{rules:X?} {pad} {pin} {minor}"
        );
    }
}

/// Rule, service code, tries of the chip, no common application: element 60.5, or the demand to insert.
#[test]
fn fallback() {
    let usual = FallbackRule::default();
    let never = FallbackRule {
        allowed: false,
        ..usual
    };
    let lenient = FallbackRule {
        improper_swipes: true,
        ..usual
    };
    let both = FallbackRule {
        improper_swipes: true,
        ..never
    };
    for (rule, service, tries, none, expected) in [
        (usual, Some(*b"101"), 0, false, Ok(Condition::Normal)),
        (usual, Some(*b"120"), 9, true, Ok(Condition::Normal)),
        (usual, None, 0, false, Ok(Condition::Normal)),
        (usual, Some(*b"201"), 0, false, Err(MustInsert)),
        (usual, Some(*b"620"), 0, false, Err(MustInsert)),
        (usual, Some(*b"201"), 2, false, Err(MustInsert)),
        (usual, Some(*b"201"), 3, false, Ok(Condition::Fallback)),
        (usual, Some(*b"601"), 4, false, Ok(Condition::Fallback)),
        (usual, Some(*b"201"), 0, true, Ok(Condition::Fallback)),
        (never, Some(*b"201"), 3, false, Err(MustInsert)),
        (never, Some(*b"201"), 3, true, Err(MustInsert)),
        (lenient, Some(*b"201"), 0, false, Ok(Condition::Improper)),
        (lenient, Some(*b"201"), 1, false, Err(MustInsert)),
        (lenient, Some(*b"201"), 3, false, Ok(Condition::Fallback)),
        (both, Some(*b"601"), 0, false, Ok(Condition::Improper)),
        (both, Some(*b"601"), 3, true, Err(MustInsert)),
    ] {
        let found = stripe_condition(rule, service, tries, none);
        assert_eq!(found, expected, "{rule:?} {service:?} {tries} {none}");
    }
    assert_eq!(
        [Condition::Normal, Condition::Improper, Condition::Fallback].map(Condition::digit),
        [0, 1, 2]
    );
}

/// A chip that does not answer.
pub struct Silent;

impl CardReader for Silent {
    fn exchange(&mut self, _command: &[u8]) -> CardBytes {
        CardBytes::default()
    }
}

/// Pseudo-random bytes, the same on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A card whose answers are disturbed: bytes changed, cut, repeated, or replaced by noise.
struct Disturbed {
    card: ChipCard,
    noise: Noise,
}

impl CardReader for Disturbed {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        let mut answer = self.card.exchange(command).to_vec();
        let at = self.noise.next() as usize % answer.len();
        match self.noise.next() % 8 {
            0 => answer[at] ^= 1 << (self.noise.next() % 8),
            1 => answer[at] = self.noise.next() as u8,
            2 => answer.truncate(at),
            3 => answer.extend_from_within(..at),
            4 => {
                let noise = (0..at).map(|_| self.noise.next() as u8);
                answer = noise.chain([0x90, 0x00]).collect();
            }
            _ => {}
        }
        CardBytes::from(&answer[..])
    }
}

/// A card that names 255 records, and has each of them.
struct Endless;

impl CardReader for Endless {
    fn exchange(&mut self, command: &[u8]) -> CardBytes {
        let answer: &[u8] = match command[1] {
            0xA4 => &[0x6F, 9, 0x84, 7, 0xA0, 0, 0, 3, 0x33, 1, 1, 0x90, 0x00],
            0xA8 => &[
                0x77, 10, 0x82, 2, 0, 0, 0x94, 4, 0x08, 1, 255, 0, 0x90, 0x00,
            ],
            _ => &[0x70, 0, 0x90, 0x00],
        };
        CardBytes::from(answer)
    }
}

#[test]
fn records_are_bounded() {
    let refused = ask(&mut Endless, terms(Interface::Contact, 1), true);
    assert_eq!(refused.err(), Some(ChipRefusal::Broken));
}

#[test]
fn any_card() {
    let mut ended = [0; 3];
    for seed in 1..20_000_u64 {
        let mut card = Disturbed {
            card: card_of(profile()),
            noise: Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        };
        let interface = match seed % 2 {
            0 => Interface::Contact,
            _ => Interface::Contactless,
        };
        let Ok(asked) = ask(&mut card, terms(interface, seed), seed % 3 == 0) else {
            ended[0] += 1;
            continue;
        };
        let data: Vec<u8> = (0..seed % 80).map(|_| card.noise.next() as u8).collect();
        let script = [&[0x72, 6, 0x86, 4][..], &data, &[0x91, 2, 0, 0]].concat();
        let done: Completed = asked.complete(&mut card, word(ResponseCode::APPROVED, &script));
        ended[1 + usize::from(done.accepted)] += 1;
        assert!(done.scripts.len() <= 5 * terminal::kernel::SCRIPT_RESULTS_MAX);
    }
    // The noise lets some through to every place.
    assert!(ended.iter().all(|count| *count > 100), "{ended:?}");
}
