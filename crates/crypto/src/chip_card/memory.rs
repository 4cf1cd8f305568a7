//! What a card remembers without power, and what it concludes from that.
//!
//! Invariant: holds no key and no card number, so a simulator may write it down between two lives.

use super::{CardRisk, CardScript};
use serde::{Deserialize, Serialize};

/// PIN tries of a fresh card.
const PIN_TRIES: u8 = 3;

/// Counters and flags of one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardMemory {
    /// Application transaction counter of the last transaction (tag 9F36).
    pub counter: u16,
    /// Tries left of the PIN that the card checks itself (tag 9F17); none left means blocked.
    pub pin_tries_left: u8,
    /// Approvals in a row that its issuer never saw.
    pub offline: u8,
    /// As many are allowed (tag 9F58).
    pub offline_max: u8,
    /// The last transaction went online and never came back to the card.
    pub last_online_open: bool,
    /// The issuer's answer to the last transaction was not the issuer's.
    pub last_answer_wrong: bool,
    /// The last transaction came back online without an answer of the issuer.
    pub last_answer_missing: bool,
    /// Script commands of the last online transaction.
    pub scripts: u8,
    /// One of them failed.
    pub script_failed: bool,
    /// The application was blocked by its issuer.
    pub blocked: bool,
    /// It has been online before.
    pub known_online: bool,
}

impl CardMemory {
    pub(super) fn new(risk: &CardRisk) -> Self {
        Self {
            counter: 0,
            pin_tries_left: PIN_TRIES,
            offline: 0,
            offline_max: risk.offline_max,
            last_online_open: false,
            last_answer_wrong: false,
            last_answer_missing: false,
            scripts: 0,
            script_failed: false,
            blocked: false,
            known_online: false,
        }
    }

    /// The card declines whatever is asked.
    pub(super) fn refuses(&self, risk: &CardRisk) -> bool {
        self.blocked || (risk.declines_with_blocked_pin && self.pin_tries_left == 0)
    }

    /// The card does not approve by itself.
    pub(super) fn insists_on_online(&self) -> bool {
        !self.known_online
            || self.last_online_open
            || self.last_answer_wrong
            || self.script_failed
            || self.offline >= self.offline_max
    }

    /// Bytes 3 and 4 of the card verification results.
    pub(super) fn history(&self) -> [u8; 2] {
        let bit = |set: bool, place: u8| u8::from(set) << place;
        let history = bit(self.last_online_open, 7)
            | bit(self.pin_tries_left == 0, 6)
            | bit(self.offline_max > 0 && self.offline >= self.offline_max, 5)
            | bit(!self.known_online, 4)
            | bit(self.last_answer_wrong, 3)
            | bit(self.last_answer_missing, 2);
        [
            history,
            self.scripts.min(15) << 4 | bit(self.script_failed, 3),
        ]
    }

    /// The second cryptogram of an online transaction was given.
    pub(super) fn online_ended(&mut self, right: bool, wrong: bool) {
        self.last_online_open = false;
        self.last_answer_wrong = wrong;
        self.last_answer_missing = !right && !wrong;
        if right {
            self.known_online = true;
            self.offline = 0;
        }
        // What the last transaction's scripts came to is said; from here on this one's count.
        (self.scripts, self.script_failed) = (0, false);
    }

    /// A script command came; only one under the right MAC does something.
    pub(super) fn script_came(&mut self, script: CardScript, right: bool) {
        self.scripts = self.scripts.saturating_add(1);
        if !right {
            self.script_failed = true;
            return;
        }
        match script {
            CardScript::UnblockPin => self.pin_tries_left = PIN_TRIES,
            CardScript::BlockApplication => self.blocked = true,
            CardScript::OfflineMax(count) => self.offline_max = count,
        }
    }
}
