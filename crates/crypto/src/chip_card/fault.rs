//! What may be wrong between a card in software and its reader.
//!
//! Invariant: the card itself is never told; a fault only takes a command away or bends it on its way.

use serde::Deserialize;

/// EXTERNAL AUTHENTICATE, and GENERATE AC behind it.
const AUTHENTICATE: u8 = 0x82;
const GENERATE: u8 = 0xAE;
/// Data of the second GENERATE AC: the authorisation response code in front of what the first one has.
const SECOND_BYTES: u8 = 31;

/// What may be wrong with a test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardFault {
    /// Its chip is mute.
    Unreadable,
    /// It hears the issuer's answer with one bit changed.
    AnswerBent,
    /// Its holder pulls it out before its last word.
    Pulled,
}

impl CardFault {
    /// The command as the card hears it; none when it hears nothing.
    pub fn disturb(self, command: &[u8]) -> Option<Vec<u8>> {
        let mut heard = command.to_vec();
        match (self, heard.as_mut_slice()) {
            (Self::Unreadable, _) | (Self::Pulled, [_, GENERATE, _, _, SECOND_BYTES, ..]) => None,
            (Self::AnswerBent, [_, AUTHENTICATE, _, _, _, first, ..]) => {
                *first ^= 1;
                Some(heard)
            }
            _ => Some(heard),
        }
    }
}
