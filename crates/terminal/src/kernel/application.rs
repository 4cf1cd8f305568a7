//! What a terminal knows of itself and of each application it serves, and the choice among a card's applications.
//!
//! Invariant: an application is chosen only by a name that the terminal serves.

use super::dialogue::{
    APPLICATION_BLOCKED, CARD_BLOCKED, CardReader, DONE, NO_SUCH_APPLICATION, select,
};
use super::objects::Objects;
use super::{ChipRefusal, Interface, Results, Terms};
use payment::download::Application;

/// One application that the terminal serves, as the AID download brings it (UnionPay-style reference §3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AidParameters {
    /// Tag 9F06: the name, or its beginning.
    pub aid: Vec<u8>,
    /// DF01: the whole name, nothing behind it.
    pub exact: bool,
    /// Tag 9F09.
    pub version: [u8; 2],
    /// DF13: results that decline.
    pub action_denial: [u8; 5],
    /// 9F1B: above it the floor-limit bit is set.
    pub floor_limit_minor: u64,
    /// DF18: a PIN may go to the issuer.
    pub online_pin: bool,
    /// DF19: above it the reader asks a tapped card for its issuer.
    pub contactless_floor_minor: u64,
    /// DF20: above it a tap is refused.
    pub contactless_limit_minor: u64,
    /// DF21: up to it a tap needs no PIN.
    pub contactless_free_minor: u64,
}

impl From<&Application> for AidParameters {
    fn from(downloaded: &Application) -> Self {
        Self {
            aid: downloaded.aid.bytes().to_vec(),
            exact: downloaded.exact,
            version: downloaded.version,
            action_denial: downloaded.action_denial,
            floor_limit_minor: downloaded.floor_limit_minor,
            online_pin: downloaded.online_pin,
            contactless_floor_minor: downloaded.contactless_floor_minor,
            contactless_limit_minor: downloaded.contactless_limit_minor,
            contactless_free_minor: downloaded.contactless_free_minor,
        }
    }
}

/// The terminal as chips see it: attended, a merchant's, online only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipTerminal {
    /// Tag 9F1E, serial number.
    pub serial: [u8; 8],
    /// Has a PIN pad: online PINs can be entered.
    pub pin_pad: bool,
    /// Applications, the preferred one first.
    pub applications: Vec<AidParameters>,
}

/// China and its currency, ISO 3166 and ISO 4217.
const COUNTRY: [u8; 2] = [0x01, 0x56];
const CURRENCY: [u8; 2] = [0x01, 0x56];
/// Manual, stripe and chip; signature and no verification, online PIN with a PIN pad; no data authentication.
const CAPABILITIES: [u8; 3] = [0xE0, 0x28, 0x00];
const ONLINE_PIN: u8 = 0x40;
/// Attended, online only, of a merchant.
const TERMINAL_TYPE: u8 = 0x21;

impl ChipTerminal {
    /// A terminal that serves China UnionPay's cards, without a limit for a tap that asks for the PIN above `free_minor`.
    pub fn unionpay(serial: [u8; 8], free_minor: u64) -> Self {
        Self {
            serial,
            pin_pad: true,
            applications: vec![AidParameters {
                aid: vec![0xA0, 0x00, 0x00, 0x03, 0x33],
                exact: false,
                version: [0x00, 0x30],
                action_denial: [0x00, 0x10, 0x00, 0x00, 0x00],
                floor_limit_minor: 0,
                online_pin: true,
                contactless_floor_minor: 0,
                contactless_limit_minor: u64::MAX,
                contactless_free_minor: free_minor,
            }],
        }
    }

    /// A PIN can be entered and may go to the issuer of this application.
    pub(crate) const fn takes_pin(&self, parameters: &AidParameters) -> bool {
        self.pin_pad && parameters.online_pin
    }

    /// What the terminal says when a card asks, and what element 55 repeats.
    pub(crate) fn values(
        &self,
        terms: &Terms,
        parameters: &AidParameters,
        results: Results,
        verification: [u8; 3],
    ) -> Objects {
        let pin = if self.takes_pin(parameters) {
            ONLINE_PIN
        } else {
            0
        };
        let [first, second, third] = CAPABILITIES;
        let mut values = Objects::default();
        let rows: [(u32, &[u8]); 16] = [
            (0x9F02, &packed::<6>(terms.amount_minor)),
            (0x9F03, &[0; 6]),
            (0x9F1A, &COUNTRY),
            (0x95, &results.bytes()),
            (0x5F2A, &CURRENCY),
            (0x9A, &packed::<3>(u64::from(terms.date))),
            (0x9C, &[terms.kind]),
            (0x9F37, &terms.unpredictable),
            (0x9F33, &[first, second | pin, third]),
            (0x9F34, &verification),
            (0x9F35, &[TERMINAL_TYPE]),
            (0x9F1E, &self.serial),
            (0x9F09, &parameters.version),
            (0x9F41, &packed::<4>(u64::from(terms.sequence))),
            (0x9F66, &qualifiers(terms, parameters)),
            (0x9F06, &parameters.aid),
        ];
        for (tag, value) in rows {
            // Sixteen different tags are within every bound.
            let _ = values.put(tag, value);
        }
        values
    }
}

/// Tag 9F66, what the reader can and wants: a contactless debit or credit with online PIN, above the floor limit its
/// issuer, above the free limit the cardholder's verification. Nothing of that when the card is inserted.
fn qualifiers(terms: &Terms, parameters: &AidParameters) -> [u8; 4] {
    if terms.interface == Interface::Contact {
        return [0; 4];
    }
    let above = |limit, bit: u8| if terms.amount_minor > limit { bit } else { 0 };
    let wants = above(parameters.contactless_floor_minor, WANTS_ISSUER)
        | above(parameters.contactless_free_minor, WANTS_CARDHOLDER);
    let pin = if parameters.online_pin { READER_PIN } else { 0 };
    [READER | pin, wants, 0x00, 0x00]
}

/// First byte of tag 9F66: contactless and inserted cards, signature; online PIN. Second: what the reader wants.
const READER: u8 = 0x22;
const READER_PIN: u8 = 0x04;
const WANTS_ISSUER: u8 = 0x80;
const WANTS_CARDHOLDER: u8 = 0x40;

/// Packed digits, the leading ones cut off.
fn packed<const N: usize>(mut number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for byte in bytes.iter_mut().rev() {
        let pair = (number % 100) as u8;
        *byte = ((pair / 10) << 4) | (pair % 10);
        number /= 100;
    }
    bytes
}

/// The application that is used.
pub(crate) struct Chosen {
    pub(crate) parameters: AidParameters,
    /// Tag 84.
    pub(crate) name: Vec<u8>,
    /// Tag 50.
    pub(crate) label: String,
    /// Tag 9F38: what the card wants to know first.
    pub(crate) wanted: Vec<u8>,
}

/// Names each served application to the card and takes the one that the card likes best.
pub(crate) fn choose(
    terminal: &ChipTerminal,
    card: &mut dyn CardReader,
) -> Result<Chosen, ChipRefusal> {
    let mut best: Option<(u8, Chosen)> = None;
    let mut blocked = false;
    for parameters in &terminal.applications {
        let reply = select(card, &parameters.aid).ok_or(ChipRefusal::Unreadable)?;
        match reply.status {
            DONE => {
                let found = read(parameters, reply.data()).ok_or(ChipRefusal::Unreadable)?;
                let Some((priority, chosen)) = found else {
                    continue;
                };
                if best.as_ref().is_none_or(|(known, _)| priority < *known) {
                    best = Some((priority, chosen));
                }
            }
            APPLICATION_BLOCKED => blocked = true,
            CARD_BLOCKED => return Err(ChipRefusal::Blocked),
            NO_SUCH_APPLICATION => {}
            _ => return Err(ChipRefusal::Unreadable),
        }
    }
    let Some((_, chosen)) = best else {
        return Err(match blocked {
            true => ChipRefusal::Blocked,
            false => ChipRefusal::NoApplication,
        });
    };
    // Another one may have been selected after it.
    let reply = select(card, &chosen.name).ok_or(ChipRefusal::Unreadable)?;
    match reply.status {
        DONE => Ok(chosen),
        _ => Err(ChipRefusal::Unreadable),
    }
}

/// Lengths of an application's name.
const NAME: core::ops::RangeInclusive<usize> = 5..=16;
/// Priority of an application without one: the last.
const NO_PRIORITY: u8 = 16;

/// The application and how much the card likes it; none inside when it is not the one that is served.
fn read(parameters: &AidParameters, data: &[u8]) -> Option<Option<(u8, Chosen)>> {
    let mut objects = Objects::default();
    objects.take(data).ok()?;
    let name = objects.get(0x84)?;
    if !NAME.contains(&name.len()) || !name.starts_with(&parameters.aid) {
        return None;
    }
    // Another application than the one that is served, however it begins.
    if parameters.exact && name.len() != parameters.aid.len() {
        return Some(None);
    }
    let priority = match objects.fixed::<1>(0x87).map(|[byte]| byte & 15) {
        None | Some(0) => NO_PRIORITY,
        Some(priority) => priority,
    };
    let label = objects.get(0x50).unwrap_or_default();
    let printable = label.iter().filter(|byte| (0x20..0x7F).contains(*byte));
    Some(Some((
        priority,
        Chosen {
            parameters: parameters.clone(),
            name: name.to_vec(),
            label: printable.take(16).map(|byte| char::from(*byte)).collect(),
            wanted: objects.get(0x9F38).unwrap_or_default().to_vec(),
        },
    )))
}
