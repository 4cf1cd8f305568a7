//! The reader's side of a chip transaction (EMV, PBOC): a card is asked, the terminal weighs, the card signs.
//!
//! Invariants: any bytes from a card end in a typed refusal; the terminal is online-only, so nothing is approved before its
//! issuer was asked; card number and track leave only inside types that mask and wipe themselves.

mod application;
mod completion;
mod dialogue;
mod entry;
mod objects;
mod verification;

pub use application::{AidParameters, ChipTerminal};
pub use completion::{Completed, Evidence, IssuerWord, SCRIPT_RESULTS_MAX};
pub use dialogue::CardReader;
pub use entry::{Condition, FallbackRule, MustInsert, stripe_condition};
pub use verification::Verification;

use crypto::{CardBytes, Pan};
use dialogue::Signed;
use objects::Objects;
use payment::{EntryMode, Track2};

/// How card and reader touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Inserted: f22 05x.
    Contact,
    /// Tapped: f22 07x.
    Contactless,
}

/// What the terminal says of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Tag 9F02, in fen.
    pub amount_minor: u64,
    /// Tag 9C: 00 for goods and services, 31 for a balance inquiry.
    pub kind: u8,
    /// Tag 9A, `YYMMDD` as a number.
    pub date: u32,
    /// Tag 9F37, from a good source.
    pub unpredictable: [u8; 4],
    /// Tag 9F41, the trace number.
    pub sequence: u32,
    /// How the card was presented.
    pub interface: Interface,
}

/// Why a chip transaction does not reach the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipRefusal {
    /// The chip does not answer, or not as a chip does; the stripe may be read after some tries.
    Unreadable,
    /// Chip and terminal have no application in common; the stripe may be read at once.
    NoApplication,
    /// The issuer has blocked the card; no fallback.
    Blocked,
    /// The card contradicts itself, or was pulled out; no fallback, the transaction begins anew.
    Broken,
    /// Declined by the card, or by the terminal's and the issuer's action codes; no fallback.
    Declined,
    /// Too much for a tap: insert the card.
    Insert,
    /// Too much for a tap without a PIN.
    PinNeeded,
}

/// Bits of the terminal verification results, tag 95, as one number of 40 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Results(u64);

impl Results {
    const DATA_NOT_AUTHENTICATED: u64 = 0x80_0000_0000;
    const EXPIRED: u64 = 0x00_4000_0000;
    const NOT_YET_EFFECTIVE: u64 = 0x00_2000_0000;
    const FLOOR_LIMIT: u64 = 0x00_0000_8000;
    const ISSUER_NOT_AUTHENTICATED: u64 = 0x00_0000_0040;
    const SCRIPT_FAILED_BEFORE: u64 = 0x00_0000_0020;
    const SCRIPT_FAILED_AFTER: u64 = 0x00_0000_0010;

    fn set(&mut self, bits: u64) {
        self.0 |= bits;
    }

    const fn has(self, bits: u64) -> bool {
        self.0 & bits != 0
    }

    fn bytes(self) -> [u8; 5] {
        let [_, _, _, bytes @ ..] = self.0.to_be_bytes();
        bytes
    }

    fn of(bytes: [u8; 5]) -> Self {
        let [a, b, c, d, e] = bytes;
        Self(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }
}

/// Bits of the transaction status information, tag 9B.
const STATUS_VERIFIED_CARDHOLDER: u16 = 0x4000;
const STATUS_CARD_RISK: u16 = 0x2000;
const STATUS_ISSUER_AUTHENTICATED: u16 = 0x1000;
const STATUS_TERMINAL_RISK: u16 = 0x0800;
const STATUS_SCRIPTS: u16 = 0x0400;

/// An application is chosen and read; the cardholder's verification is known.
#[derive(Debug)]
pub struct Opened {
    terms: Terms,
    terminal: ChipTerminal,
    parameters: AidParameters,
    label: String,
    objects: Objects,
    track2: Track2,
    pan: Pan,
    results: Results,
    status: u16,
    /// A contactless card has signed already.
    signed: Option<Signed>,
}

/// The card asked for its issuer: what the request carries, and what the answer needs.
#[derive(Debug)]
pub struct Asked {
    opened: Opened,
    verification: Verification,
    verification_results: [u8; 3],
    request: Signed,
}

/// Chooses an application and reads the card.
///
/// # Errors
/// Why there is no transaction, and by that whether the stripe may be read.
pub fn open(
    terminal: &ChipTerminal,
    terms: Terms,
    card: &mut dyn CardReader,
) -> Result<Opened, ChipRefusal> {
    let chosen = application::choose(terminal, card)?;
    if terms.interface == Interface::Contactless
        && terms.amount_minor > chosen.parameters.contactless_limit_minor
    {
        return Err(ChipRefusal::Insert);
    }
    let mut objects = Objects::default();
    objects.put(0x84, &chosen.name)?;
    let mut results = Results::default();
    if terms.interface == Interface::Contact {
        // Truthfully (security reference §1.13): no key of a scheme is here to check a card's certificates with.
        results.set(Results::DATA_NOT_AUTHENTICATED);
    }
    let asked = terminal.values(&terms, &chosen.parameters, results, [0x3F, 0, 0]);
    let signed = dialogue::start(card, &chosen.wanted, &asked, &mut objects)?;
    if signed.is_some() != (terms.interface == Interface::Contactless) {
        return Err(ChipRefusal::Broken);
    }
    let (track2, pan) = objects.identity()?;
    let mut opened = Opened {
        terms,
        terminal: terminal.clone(),
        parameters: chosen.parameters,
        label: chosen.label,
        objects,
        track2,
        pan,
        results,
        status: 0,
        signed,
    };
    if terms.interface == Interface::Contact {
        opened.weigh();
    }
    Ok(opened)
}

impl Opened {
    /// The card's number.
    pub fn pan(&self) -> &Pan {
        &self.pan
    }

    /// Whether the cardholder must enter a PIN.
    pub fn wants_pin(&self) -> bool {
        match self.terms.interface {
            Interface::Contact => self.verify(true).method == Verification::OnlinePin,
            Interface::Contactless => self.verify(false).method == Verification::Failed,
        }
    }

    /// The first cryptogram, once it is known whether a PIN was entered.
    ///
    /// # Errors
    /// Declined, broken off, or a PIN is missing.
    pub fn authorise(
        mut self,
        card: &mut dyn CardReader,
        pin_entered: bool,
    ) -> Result<Asked, ChipRefusal> {
        let chosen = self.verify(pin_entered);
        let request = match self.signed.take() {
            Some(_) if chosen.method == Verification::Failed => return Err(ChipRefusal::PinNeeded),
            Some(signed) => signed,
            None => {
                self.results.set(chosen.results);
                self.status |= STATUS_VERIFIED_CARDHOLDER | STATUS_CARD_RISK;
                let asked = match self.declines() {
                    true => dialogue::DECLINE,
                    false => dialogue::ONLINE,
                };
                self.generate(card, asked, 0x8C, chosen.value, None)?
            }
        };
        if request.kind != dialogue::ONLINE {
            return Err(ChipRefusal::Declined);
        }
        Ok(Asked {
            verification: chosen.method,
            verification_results: chosen.value,
            request,
            opened: self,
        })
    }

    /// GENERATE AC over what the card's list asks for.
    fn generate(
        &self,
        card: &mut dyn CardReader,
        asked: u8,
        list: u32,
        verification: [u8; 3],
        code: Option<[u8; 2]>,
    ) -> Result<Signed, ChipRefusal> {
        let mut values = self.values(verification);
        if let Some(code) = code {
            values.put(0x8A, &code)?;
        }
        let wanted = self.objects.get(list).ok_or(ChipRefusal::Broken)?;
        let data = objects::fill(wanted, &values, &self.objects).ok_or(ChipRefusal::Broken)?;
        dialogue::generate(card, asked, &data)
    }

    fn values(&self, verification: [u8; 3]) -> Objects {
        let (terms, results) = (&self.terms, self.results);
        self.terminal
            .values(terms, &self.parameters, results, verification)
    }

    /// Dates and amount against the card and the terminal's floor limit.
    fn weigh(&mut self) {
        let date = self.terms.date;
        let until = self.objects.number(0x5F24);
        if until.is_some_and(|until| u64::from(date) > until) {
            self.results.set(Results::EXPIRED);
        }
        let from = self.objects.number(0x5F25);
        if from.is_some_and(|from| u64::from(date) < from) {
            self.results.set(Results::NOT_YET_EFFECTIVE);
        }
        if self.terms.amount_minor > self.parameters.floor_limit_minor {
            self.results.set(Results::FLOOR_LIMIT);
        }
        self.status |= STATUS_TERMINAL_RISK;
    }

    /// What the action codes of terminal and issuer together decline (terminal action analysis).
    fn declines(&self) -> bool {
        let issuer = self
            .objects
            .fixed::<5>(0x9F0E)
            .map_or(0, |codes| Results::of(codes).0);
        let terminal = Results::of(self.parameters.action_denial).0;
        (issuer | terminal) & self.results.0 != 0
    }

    fn verify(&self, pin_entered: bool) -> verification::Chosen {
        if self.terms.interface == Interface::Contactless {
            let free = self.terms.amount_minor <= self.parameters.contactless_free_minor;
            return verification::contactless(free, pin_entered);
        }
        let supported = self
            .objects
            .fixed::<2>(0x82)
            .is_some_and(|[first, _]| first & 0x10 != 0);
        let list = self.objects.get(0x8E).filter(|_| supported);
        verification::choose(
            list.unwrap_or_default(),
            self.terminal.takes_pin(&self.parameters),
            &self.terms,
            pin_entered,
        )
    }
}

impl Asked {
    /// How the cardholder was verified.
    pub fn verification(&self) -> Verification {
        self.verification
    }

    /// Element 35.
    pub fn track2(&self) -> &Track2 {
        &self.opened.track2
    }

    /// Element 23, tag 5F34.
    pub fn card_sequence(&self) -> Option<u16> {
        let sequence = self.opened.objects.number(0x5F34)?;
        u16::try_from(sequence).ok()
    }

    /// Element 22.
    pub fn entry(&self) -> EntryMode {
        let pin = self.verification == Verification::OnlinePin;
        EntryMode(match (self.opened.terms.interface, pin) {
            (Interface::Contact, true) => 51,
            (Interface::Contact, false) => 52,
            (Interface::Contactless, true) => 71,
            (Interface::Contactless, false) => 72,
        })
    }

    /// Element 55 of the request, in the order of UnionPay-style reference §2.7.
    pub fn request(&self) -> CardBytes {
        CardBytes::from(&self.element_55(&self.request)[..])
    }

    fn element_55(&self, signed: &Signed) -> Vec<u8> {
        let opened = &self.opened;
        let values = opened.values(self.verification_results);
        let mut out = Vec::new();
        for tag in ELEMENT_55 {
            let found = signed.get(tag).or_else(|| values.get(tag));
            if let Some(value) = found.or_else(|| opened.objects.get(tag)) {
                iso8583::tlv::write(&mut out, tag, value);
            }
        }
        out
    }
}

/// The order of UnionPay-style reference §2.7.
const ELEMENT_55: [u32; 21] = [
    0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03,
    0x9F33, 0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41, 0x9F63,
];

impl From<objects::TooMuch> for ChipRefusal {
    fn from(_: objects::TooMuch) -> Self {
        Self::Broken
    }
}
