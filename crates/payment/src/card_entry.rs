//! How a card was presented, and the secrets that travel beside a request and never enter a record.

use crate::ChipRequest;
use crate::batch::Uploaded;
use crypto::{Pan, PinBlock, PinFormat};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize;

/// Field 22: digits 1 and 2 how the card number was obtained, digit 3 whether a PIN is present (reference §2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct EntryMode(pub u16);

impl EntryMode {
    /// Magnetic stripe with PIN.
    pub const STRIPE_PIN: Self = Self(21);
    /// Magnetic stripe without PIN.
    pub const STRIPE: Self = Self(22);
    /// Number typed, no PIN.
    pub const KEYED: Self = Self(12);
    /// A scanned code, without PIN.
    pub const CODE: Self = Self(32);

    /// Chip inserted, with PIN.
    pub const CHIP_PIN: Self = Self(51);
    /// Chip inserted, without PIN.
    pub const CHIP: Self = Self(52);
    /// Chip tapped, with PIN.
    pub const TAP_PIN: Self = Self(71);
    /// Chip tapped, without PIN.
    pub const TAP: Self = Self(72);
    /// Stripe of a card whose chip cannot be read, with PIN. At the terminal interface it is 021 with 60.5 = 2.
    pub const FALLBACK_PIN: Self = Self(801);
    /// The same without PIN.
    pub const FALLBACK: Self = Self(802);
    /// Stripe of a card whose chip was not tried, with PIN: 021 with 60.5 = 1 at the terminal interface, 021 between hosts.
    pub const IMPROPER_PIN: Self = Self(1_021);
    /// The same without PIN.
    pub const IMPROPER: Self = Self(1_022);

    /// The chip was read, inserted or tapped.
    pub const fn is_chip(self) -> bool {
        matches!(self.0 / 10, 5 | 7)
    }

    /// The chip was tapped: it has left the reader before its issuer answers.
    pub const fn is_tap(self) -> bool {
        self.0 / 10 == 7
    }

    /// The stripe was read, because the chip could not be.
    pub const fn is_fallback(self) -> bool {
        matches!(self.0 / 10, 80 | 90)
    }

    /// The stripe was read as that of a card without chip, or improperly.
    pub const fn is_stripe(self) -> bool {
        matches!(self.0 / 10, 2 | 102)
    }

    /// The stripe of a card with a chip was read though the chip was not tried.
    pub const fn is_improper(self) -> bool {
        self.0 / 10 == 102
    }

    /// Field 22 between hosts, which say nothing of how a stripe was swiped.
    pub const fn between_hosts(self) -> Self {
        match self.is_improper() {
            true => Self(20 + self.0 % 10),
            false => self,
        }
    }

    /// Digit 3 is 1: a PIN was entered.
    pub const fn has_pin(self) -> bool {
        self.0 % 10 == 1
    }

    /// The number is that of a scanned code: it travels in tag A3 of field 59, not in field 2.
    pub const fn is_code(self) -> bool {
        self.0 / 10 == 3
    }

    /// The letter printed after the card number: S swipe, F swipe as fallback, I insert, C contactless, M manual, N no card (reference §7.1).
    pub const fn letter(self) -> char {
        match self.0 / 10 {
            1 => 'M',
            2 | 102 => 'S',
            80 | 90 => 'F',
            5 => 'I',
            7 | 91 | 96 | 98 => 'C',
            _ => 'N',
        }
    }
}

/// Field 35: track 2 as digits with `D` for the separator. Zeroed when dropped, never recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Track2(Vec<u8>);

impl Track2 {
    /// At most 37 characters of `0`–`9` and `D` (`=` is read as `D`), starting with 12 to 19 digits.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let normal: Vec<u8> = bytes
            .iter()
            .map(|b| if *b == b'=' { b'D' } else { *b })
            .collect();
        let digits = normal.iter().take_while(|b| b.is_ascii_digit()).count();
        let alphabet = normal.iter().all(|b| b.is_ascii_digit() || *b == b'D');
        (normal.len() <= 37 && alphabet && (12..=19).contains(&digits)).then_some(Self(normal))
    }

    /// The card number before the separator.
    pub fn pan(&self) -> Option<Pan> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        Pan::parse(&self.0[..digits]).ok()
    }

    /// Field 14, `YYMM`, the four digits behind the separator.
    pub fn expiry(&self) -> Option<u16> {
        let separator = self.0.iter().position(|b| *b == b'D')?;
        std::str::from_utf8(self.0.get(separator + 1..separator + 5)?)
            .ok()?
            .parse()
            .ok()
    }

    /// The three digits behind the expiry: 2xx and 6xx say that the card has a chip.
    pub fn service_code(&self) -> Option<[u8; 3]> {
        let separator = self.0.iter().position(|b| *b == b'D')?;
        self.0.get(separator + 5..separator + 8)?.try_into().ok()
    }

    /// The clear track, for the wire only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Track2 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Track2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Track2(…)")
    }
}

/// What a request carries that must not outlive its answer: it lives in the input and the effect, in no record.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The clear card number, when it has just been read; otherwise it is opened from its seal when written.
    pub pan: Option<Pan>,
    /// Track 2.
    pub track2: Option<Track2>,
    /// The enciphered PIN block, under the key of the zone it is in.
    pub pin: Option<PinBlock>,
    /// How that block was formed.
    pub pin_format: Option<PinFormat>,
    /// Field 55.
    pub chip: Option<ChipRequest>,
    /// Field 48 of a batch upload: card numbers stand in it.
    pub uploaded: Vec<Uploaded>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn track2_gives_number_and_expiry_and_hides_itself() {
        let track = Track2::parse(b"6225760000000005=30122010000012345678").unwrap();
        assert_eq!(track.expiry(), Some(3012));
        assert_eq!(track.pan().unwrap().last4(), 5);
        assert_eq!(format!("{track:?}"), "Track2(…)");
        for bad in [
            &b"62257600D"[..],
            b"",
            b"6225760000000005F3012",
            &[b'1'; 38],
        ] {
            assert!(Track2::parse(bad).is_none());
        }
        assert_eq!(
            (EntryMode::CHIP_PIN.letter(), EntryMode::TAP_PIN.has_pin()),
            ('I', true)
        );
    }
}
