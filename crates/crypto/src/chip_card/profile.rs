//! What a card is personalised with, and the files that a reader finds on it.
//!
//! Invariant: card number and track are packed only into answers, which are wiped when dropped.

use crate::{
    application_cryptogram::{AnswerMethod, CryptogramScheme},
    card::Pan,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Data of one card. Masked through the card number's own mask.
#[derive(Clone, Debug)]
pub struct ChipProfile {
    /// Card number, tag 5A.
    pub pan: Pan,
    /// Two ASCII digits, tag 5F34.
    pub sequence: [u8; 2],
    /// `YYMM`, tag 5F24: good to the end of the month.
    pub expiry: u16,
    /// Three ASCII digits of track 2: 2xx and 6xx say that there is a chip.
    pub service_code: [u8; 3],
    /// ASCII digits at the end of track 2, with the chip's own verification value; at most 11 are used.
    pub discretionary: Vec<u8>,
    /// Applications, at least one.
    pub applications: Vec<Application>,
    /// How session keys are derived.
    pub scheme: CryptogramScheme,
    /// How its issuer answers it.
    pub answer: AnswerMethod,
    /// Application interchange profile, tag 82.
    pub interchange: [u8; 2],
    /// Cardholder verification methods, tag 8E: two amounts, then pairs of method and condition.
    pub verification_methods: Vec<u8>,
    /// Issuer action codes default, denial and online: tags 9F0D, 9F0E and 9F0F.
    pub action_codes: [[u8; 5]; 3],
    /// Serves contactless readers.
    pub contactless: bool,
    /// What the card itself minds.
    pub risk: CardRisk,
}

/// One application on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its name, 5 to 16 bytes (tag 84).
    pub aid: Vec<u8>,
    /// Tag 50, printable ASCII.
    pub label: String,
    /// Tag 87: 1 is asked for first.
    pub priority: u8,
}

/// The card's own risk rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRisk {
    /// Approvals in a row without its issuer; 0 for a card that always asks.
    pub offline_max: u8,
    /// Approves nothing online unless the issuer's own answer came with it.
    pub issuer_must_answer: bool,
    /// Declines everything once its PIN is blocked.
    pub declines_with_blocked_pin: bool,
}

/// Debit card of China UnionPay.
const UNIONPAY_DEBIT: [u8; 8] = [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x01];
/// Verification of the cardholder, terminal risk management, issuer authentication.
const INTERCHANGE: [u8; 2] = [0x1C, 0x00];
/// Online PIN where the terminal has it, else signature, else nothing; failing falls through to the next.
const VERIFICATION_METHODS: [u8; 14] = [0, 0, 0, 0, 0, 0, 0, 0, 0x42, 0x03, 0x5E, 0x03, 0x1F, 0x00];

/// Bytes of what the terminal signs along: amounts, country, results, currency, date, type and unpredictable number.
pub(super) const CDOL_BYTES: usize = 29;
/// The same behind the reader's own qualifiers.
pub(super) const PDOL_BYTES: usize = 4 + CDOL_BYTES;
const CDOL: [u8; 21] = [
    0x9F, 0x02, 6, 0x9F, 0x03, 6, 0x9F, 0x1A, 2, 0x95, 5, 0x5F, 0x2A, 2, 0x9A, 3, 0x9C, 1, 0x9F,
    0x37, 4,
];
/// Place of the records: file 1, records 1 and 2, none of them signed.
const FILES: [u8; 4] = [0x08, 1, 2, 0];
const FILE_1: u8 = 0x0C;
/// Application version number, tag 9F08.
const VERSION: [u8; 2] = [0x00, 0x30];
/// Index of the issuer's key and version of the cryptogram in tag 9F10.
const ISSUER_DATA: [u8; 3] = [0x07, 0x01, 0x01];
/// Algorithm in tag 9F10: triple DES.
const TRIPLE_DES: u8 = 0x01;
/// Longest end of track 2 that fits behind a number of 19 digits.
const DISCRETIONARY_MAX: usize = 10;

impl ChipProfile {
    /// A debit card of the sandbox: sequence number 01, good until the end of 2030, always online, contact and contactless.
    pub fn unionpay(pan: Pan) -> Self {
        Self {
            pan,
            sequence: *b"01",
            expiry: 3_012,
            service_code: *b"201",
            discretionary: b"0000000".to_vec(),
            applications: vec![Application {
                aid: UNIONPAY_DEBIT.to_vec(),
                label: "UNIONPAY DEBIT".to_owned(),
                priority: 1,
            }],
            scheme: CryptogramScheme::Pboc,
            answer: AnswerMethod::ResponseCode,
            interchange: INTERCHANGE,
            verification_methods: VERIFICATION_METHODS.to_vec(),
            action_codes: [
                [0xD8, 0x68, 0x04, 0xA8, 0x00],
                [0x00, 0x10, 0x00, 0x00, 0x00],
                [0xD8, 0x68, 0x3C, 0xF8, 0x00],
            ],
            contactless: true,
            risk: CardRisk {
                offline_max: 0,
                issuer_must_answer: true,
                declines_with_blocked_pin: false,
            },
        }
    }

    /// The application that the card prefers among those whose names begin so.
    pub(super) fn preferred(&self, name: &[u8]) -> Option<&Application> {
        let fitting = self.applications.iter();
        fitting
            .filter(|application| !name.is_empty() && application.aid.starts_with(name))
            .min_by_key(|application| application.priority)
    }

    pub(super) fn processing_options(&self) -> Zeroizing<Vec<u8>> {
        let mut inner = Zeroizing::default();
        object(&mut inner, 0x82, &self.interchange);
        object(&mut inner, 0x94, &FILES);
        template(0x77, &inner)
    }

    /// The answer of a contactless transaction around its cryptogram.
    pub(super) fn contactless_answer(&self, cryptogram: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut inner = Zeroizing::default();
        object(&mut inner, 0x82, &self.interchange);
        inner.extend_from_slice(cryptogram);
        object(&mut inner, 0x57, &self.track_2());
        object(&mut inner, 0x5F34, &[self.packed_sequence()]);
        object(&mut inner, 0x5F24, &self.packed_expiry());
        template(0x77, &inner)
    }

    /// A record of file 1.
    pub(super) fn record(&self, record: u8, place: u8) -> Option<Zeroizing<Vec<u8>>> {
        let mut inner = Zeroizing::default();
        match (place, record) {
            (FILE_1, 1) => {
                object(&mut inner, 0x57, &self.track_2());
                object(&mut inner, 0x5A, &packed(self.pan.expose()));
                object(&mut inner, 0x5F24, &self.packed_expiry());
                object(&mut inner, 0x5F34, &[self.packed_sequence()]);
            }
            (FILE_1, 2) => {
                let mut list = CDOL.to_vec();
                object(&mut inner, 0x8C, &list);
                list.splice(0..0, [0x8A, 2]);
                object(&mut inner, 0x8D, &list);
                object(&mut inner, 0x8E, &self.verification_methods);
                for (tag, code) in [0x9F0D, 0x9F0E, 0x9F0F].into_iter().zip(&self.action_codes) {
                    object(&mut inner, tag, code);
                }
                object(&mut inner, 0x9F08, &VERSION);
            }
            _ => return None,
        }
        Some(template(0x70, &inner))
    }

    /// Tag 9F10 around the card verification results.
    pub(super) fn issuer_data(&self, [a, b, c, d]: [u8; 4]) -> [u8; 8] {
        let [length, key_index, version] = ISSUER_DATA;
        [length, key_index, version, a, b, c, d, TRIPLE_DES]
    }

    /// Number, separator, expiry, service code and the rest, two characters a byte.
    fn track_2(&self) -> Zeroizing<Vec<u8>> {
        let end = &self.discretionary[..self.discretionary.len().min(DISCRETIONARY_MAX)];
        let expiry = format!("D{:04}", self.expiry % 10_000);
        let parts = [
            self.pan.expose(),
            expiry.as_bytes(),
            &self.service_code,
            end,
        ];
        packed(&Zeroizing::new(parts.concat()))
    }

    fn packed_sequence(&self) -> u8 {
        packed(&self.sequence)[0]
    }

    /// `YYMMDD`; the day is the month's last by its longest name, as issuers write it.
    fn packed_expiry(&self) -> Zeroizing<Vec<u8>> {
        packed(format!("{:04}31", self.expiry % 10_000).as_bytes())
    }
}

impl Application {
    /// File control information: name, label, priority and what the card wants to know first.
    pub(super) fn control_information(&self) -> Zeroizing<Vec<u8>> {
        let mut wanted = vec![0x9F, 0x66, 4];
        wanted.extend_from_slice(&CDOL);
        let mut own = Zeroizing::default();
        object(&mut own, 0x50, self.label.as_bytes());
        object(&mut own, 0x87, &[self.priority]);
        object(&mut own, 0x9F38, &wanted);
        let mut inner = Zeroizing::default();
        object(&mut inner, 0x84, &self.aid);
        object(&mut inner, 0xA5, &own);
        template(0x6F, &inner)
    }
}

/// One data object with whatever it holds.
pub(super) fn template(tag: u16, inner: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::default();
    object(&mut out, tag, inner);
    out
}

/// Appends a data object of at most 255 bytes, which everything above is.
pub(super) fn object(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let [high, low] = tag.to_be_bytes();
    out.extend([high].into_iter().filter(|byte| *byte != 0));
    out.push(low);
    let value = &value[..value.len().min(usize::from(u8::MAX))];
    if value.len() > 0x7F {
        out.push(0x81);
    }
    out.push(value.len() as u8);
    out.extend_from_slice(value);
}

/// ASCII digits and `D` two a byte, filled up with F.
fn packed(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let nibble = |character: &u8| match character {
        digit @ b'0'..=b'9' => digit - b'0',
        _ => 0xD,
    };
    let pairs = text.chunks(2).map(|pair| {
        let low = pair.get(1).map_or(0xF, nibble);
        nibble(&pair[0]) << 4 | low
    });
    Zeroizing::new(pairs.collect())
}
