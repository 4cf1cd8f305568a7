//! How the cardholder is verified: the card's list of methods, and the limit of a tap (EMV book 3 §10.5).
//!
//! Invariant: no PIN means no online PIN in the result, whatever the list says.

use super::Terms;

/// What was done to know the cardholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The PIN goes to the issuer, in element 52.
    OnlinePin,
    /// On the slip.
    Signature,
    /// None is needed.
    NotNeeded,
    /// No method of the card's list worked; the action codes decide.
    Failed,
}

/// A method with what it leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) method: Verification,
    /// Tag 9F34: method, condition, result.
    pub(crate) value: [u8; 3],
    /// Bits of tag 95.
    pub(crate) results: u64,
}

const UNSUCCESSFUL: u64 = 0x00_0080_0000;
const UNKNOWN_METHOD: u64 = 0x00_0040_0000;
const NO_PIN_PAD: u64 = 0x00_0010_0000;
const PIN_NOT_ENTERED: u64 = 0x00_0008_0000;
const PIN_ENTERED: u64 = 0x00_0004_0000;

/// Methods, without the bit that lets the next one follow.
const ONLINE_PIN: u8 = 0x02;
const SIGNATURE: u8 = 0x1E;
const NO_VERIFICATION: u8 = 0x1F;
const NOT_DONE: u8 = 0x3F;
const FAILING: u8 = 0x00;
const NEXT_MAY_FOLLOW: u8 = 0x40;
/// Third byte of tag 9F34.
const RESULT_UNKNOWN: u8 = 0;
const RESULT_FAILED: u8 = 1;
const RESULT_RIGHT: u8 = 2;

/// A tap: nothing up to the limit, the PIN above it. The card has signed already, so its results stay as they are.
pub(crate) fn contactless(free: bool, pin_entered: bool) -> Chosen {
    let (method, value) = match (free, pin_entered) {
        (true, false) => (Verification::NotNeeded, [NO_VERIFICATION, 0, RESULT_RIGHT]),
        (_, true) => (Verification::OnlinePin, [ONLINE_PIN, 0, RESULT_UNKNOWN]),
        (false, false) => (Verification::Failed, [ONLINE_PIN, 0, RESULT_FAILED]),
    };
    Chosen {
        method,
        value,
        results: 0,
    }
}

/// Walks the list of methods: the first whose condition holds and that works; one that fails ends the list unless it lets
/// the next follow.
pub(crate) fn choose(list: &[u8], pin_pad: bool, terms: &Terms, pin_entered: bool) -> Chosen {
    let Some((amounts, rules)) = list.split_first_chunk::<8>() else {
        return Chosen {
            method: Verification::NotNeeded,
            value: [NOT_DONE, 0, 0],
            results: 0,
        };
    };
    let mut results = 0;
    for [method, condition] in rules.as_chunks::<2>().0 {
        let plain = method & 0x3F;
        let holds = condition_holds(*condition, plain, amounts, pin_pad, terms);
        if !holds {
            continue;
        }
        let worked = match plain {
            ONLINE_PIN if !pin_pad => Err(NO_PIN_PAD),
            ONLINE_PIN if !pin_entered => Err(PIN_NOT_ENTERED),
            ONLINE_PIN => Ok((Verification::OnlinePin, RESULT_UNKNOWN, PIN_ENTERED)),
            SIGNATURE => Ok((Verification::Signature, RESULT_UNKNOWN, 0)),
            NO_VERIFICATION => Ok((Verification::NotNeeded, RESULT_RIGHT, 0)),
            FAILING => Err(0),
            // Methods that the card checks itself, which this terminal does not offer.
            1 | 3..=5 => Err(0),
            _ => Err(UNKNOWN_METHOD),
        };
        match worked {
            Ok((verification, result, bits)) => {
                return Chosen {
                    method: verification,
                    value: [*method, *condition, result],
                    results: results | bits,
                };
            }
            Err(bits) => results |= bits,
        }
        if method & NEXT_MAY_FOLLOW == 0 {
            break;
        }
    }
    Chosen {
        method: Verification::Failed,
        value: [NOT_DONE, 0, RESULT_FAILED],
        results: results | UNSUCCESSFUL,
    }
}

/// Conditions of a sale at an attended terminal; the card's amounts are in the terminal's currency.
fn condition_holds(
    condition: u8,
    method: u8,
    amounts: &[u8; 8],
    pin_pad: bool,
    terms: &Terms,
) -> bool {
    let [a, b, c, d, e, f, g, h] = *amounts;
    let x = u64::from(u32::from_be_bytes([a, b, c, d]));
    let y = u64::from(u32::from_be_bytes([e, f, g, h]));
    match condition {
        0 | 2 => true,
        3 => match method {
            ONLINE_PIN => pin_pad,
            SIGNATURE | NO_VERIFICATION => true,
            _ => false,
        },
        6 => terms.amount_minor < x,
        7 => terms.amount_minor > x,
        8 => terms.amount_minor < y,
        9 => terms.amount_minor > y,
        // Cash, cash back, and what nobody has named yet.
        _ => false,
    }
}
