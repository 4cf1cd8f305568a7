//! The issuer's word reaches the card: issuer authentication, scripts, the second cryptogram, and what remains of it all.
//!
//! Invariant: an approval of the host is none unless the card agrees; what remains holds no card number and no track.

use super::dialogue::{APPROVE, CardReader, DECLINE, DONE, Signed, send, send_whole};
use super::{Asked, ChipRefusal, Interface, Results, STATUS_ISSUER_AUTHENTICATED, STATUS_SCRIPTS};
use iso8583::tlv;
use payment::ResponseCode;
use serde::{Deserialize, Serialize};

/// What came back: element 39 and, where the issuer sent it, element 55.
#[derive(Clone, Copy, Debug)]
pub struct IssuerWord<'a> {
    /// Element 39.
    pub code: ResponseCode,
    /// Tags 91, 71 and 72; anything that is none of it does nothing.
    pub data: &'a [u8],
}

/// How a chip transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The card agrees to the approval. Of a declined transaction it is always `false`.
    pub accepted: bool,
    /// The issuer's answer was not the issuer's (byte 5 of tag 95).
    pub issuer_wrong: bool,
    /// Tag DF31, five bytes for each script; empty when none came.
    pub scripts: Vec<u8>,
    /// What slips, uploads and reversals say of the chip.
    pub evidence: Evidence,
}

/// What is kept of a chip transaction: no card number, no track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Tag 84.
    pub aid: Vec<u8>,
    /// Tag 50.
    pub label: String,
    /// Tag 9B.
    pub status: u16,
    /// Element 55 of the last word: cryptogram and its kind, results, counter, amounts, as a batch upload carries them.
    pub data: Vec<u8>,
}

impl Evidence {
    /// Value of a tag.
    pub fn get(&self, tag: u32) -> Option<&[u8]> {
        tlv::find(&self.data, tag).ok().flatten()
    }

    /// The card said that the answer was not its issuer's: byte 5 of tag 95.
    pub fn issuer_wrong(&self) -> bool {
        let results = self.get(0x95).and_then(|value| value.try_into().ok());
        results.is_some_and(|results| Results::of(results).has(Results::ISSUER_NOT_AUTHENTICATED))
    }

    /// Element 55 of a reversal (UnionPay-style reference §2.7).
    pub fn reversal(&self, scripts: &[u8]) -> Vec<u8> {
        self.part(&[0x95, 0x9F1E, 0x9F10, 0x9F36], scripts)
    }

    /// Element 55 of a script result.
    pub fn script_result(&self, scripts: &[u8]) -> Vec<u8> {
        let tags = [
            0x9F33, 0x95, 0x9F37, 0x9F1E, 0x9F10, 0x9F26, 0x9F36, 0x82, 0x9F1A, 0x9A,
        ];
        self.part(&tags, scripts)
    }

    fn part(&self, tags: &[u32], scripts: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for tag in tags {
            if let Some(value) = self.get(*tag) {
                tlv::write(&mut out, *tag, value);
            }
        }
        if !scripts.is_empty() {
            tlv::write(&mut out, SCRIPT_RESULTS, scripts);
        }
        out
    }
}

const ISSUER_AUTHENTICATION: u32 = 0x91;
const SCRIPTS_BEFORE: u32 = 0x71;
const SCRIPTS_AFTER: u32 = 0x72;
const SCRIPT_RESULTS: u32 = 0xDF31;
/// Scripts of one answer; more are not run.
pub const SCRIPT_RESULTS_MAX: usize = 4;
/// Commands of one script.
const COMMANDS_MAX: usize = 8;
/// Bit of tag 82: the card knows its issuer by EXTERNAL AUTHENTICATE.
const AUTHENTICATES_ISSUER: u8 = 0x04;

impl Asked {
    /// What is known before the issuer's word: for a sale that is reversed without one.
    pub fn evidence(&self) -> Evidence {
        self.evidence_of(&self.request)
    }

    /// Ends the transaction with the card. Without a word of the issuer, and against a card that is gone, nothing is accepted.
    pub fn complete(
        mut self,
        card: &mut dyn CardReader,
        word: Option<IssuerWord<'_>>,
    ) -> Completed {
        let approved = word.is_some_and(|word| word.code.is_success());
        if self.opened.terms.interface == Interface::Contactless {
            // The card has left the field; its issuer's MACed word is all there is.
            return self.completed(approved, false, Vec::new(), None);
        }
        let data = word.map_or(&[][..], |word| word.data);
        let issuer_wrong = self.authenticate_issuer(card, data);
        let mut scripts = Vec::new();
        let failed = self.run_scripts(card, data, SCRIPTS_BEFORE, &mut scripts);
        self.mark(failed, Results::SCRIPT_FAILED_BEFORE);
        let asked = if approved { APPROVE } else { DECLINE };
        // Z3: unable to go online, declined.
        let code = word.map_or(*b"Z3", |word| word.code.0);
        let verification = self.verification_results;
        let opened = &self.opened;
        let second = opened.generate(card, asked, 0x8D, verification, Some(code));
        let accepted = second.as_ref().is_ok_and(|signed| {
            approved && signed.kind == APPROVE && signed.counter == self.request.counter
        });
        let failed = self.run_scripts(card, data, SCRIPTS_AFTER, &mut scripts);
        self.mark(failed, Results::SCRIPT_FAILED_AFTER);
        self.completed(accepted, issuer_wrong, scripts, second.ok())
    }

    fn mark(&mut self, failed: Option<bool>, bit: u64) {
        if let Some(failed) = failed {
            self.opened.status |= STATUS_SCRIPTS;
            self.opened.results.set(if failed { bit } else { 0 });
        }
    }

    /// Whether the card says that the answer is not its issuer's.
    fn authenticate_issuer(&mut self, card: &mut dyn CardReader, data: &[u8]) -> bool {
        let Ok(Some(value)) = tlv::find(data, ISSUER_AUTHENTICATION) else {
            return false;
        };
        let profile = self.opened.objects.fixed::<2>(0x82);
        if profile.is_none_or(|[first, _]| first & AUTHENTICATES_ISSUER == 0) {
            return false;
        }
        self.opened.status |= STATUS_ISSUER_AUTHENTICATED;
        let reply = send(card, [0x00, 0x82, 0x00, 0x00], value);
        let wrong = reply.is_none_or(|reply| reply.status != DONE);
        if wrong {
            self.opened.results.set(Results::ISSUER_NOT_AUTHENTICATED);
        }
        wrong
    }

    /// Runs the scripts of one template kind and appends five bytes for each; whether one failed, `None` when there is none.
    fn run_scripts(
        &self,
        card: &mut dyn CardReader,
        data: &[u8],
        template: u32,
        results: &mut Vec<u8>,
    ) -> Option<bool> {
        let scripts = tlv::walk(data)
            .map_while(Result::ok)
            .filter(|object| object.tag == template);
        let mut failed = None;
        for script in scripts {
            if results.len() >= 5 * SCRIPT_RESULTS_MAX {
                break;
            }
            let (result, identifier) = run(card, script.value);
            failed = Some(failed.unwrap_or(false) || result >> 4 != SCRIPT_DONE);
            results.push(result);
            results.extend_from_slice(&identifier);
        }
        failed
    }

    fn completed(
        self,
        accepted: bool,
        issuer_wrong: bool,
        scripts: Vec<u8>,
        second: Option<Signed>,
    ) -> Completed {
        Completed {
            accepted,
            issuer_wrong,
            scripts,
            evidence: self.evidence_of(second.as_ref().unwrap_or(&self.request)),
        }
    }

    fn evidence_of(&self, signed: &Signed) -> Evidence {
        let opened = &self.opened;
        Evidence {
            aid: opened.objects.get(0x84).unwrap_or_default().to_vec(),
            label: opened.label.clone(),
            status: opened.status,
            data: self.element_55(signed),
        }
    }
}

/// High nibble of a script's result.
const SCRIPT_DONE: u8 = 2;
const SCRIPT_FAILED: u8 = 1;
const SCRIPT_IDENTIFIER: u32 = 0x9F18;
const SCRIPT_COMMAND: u32 = 0x86;

/// Runs one script: its result with the number of the command that failed, and its identifier.
fn run(card: &mut dyn CardReader, script: &[u8]) -> (u8, [u8; 4]) {
    let mut identifier = [0; 4];
    let mut number = 0;
    for object in tlv::walk(script) {
        let Ok(object) = object else {
            return (SCRIPT_FAILED << 4, identifier);
        };
        match object.tag {
            SCRIPT_IDENTIFIER => identifier = object.value.try_into().unwrap_or(identifier),
            SCRIPT_COMMAND => {
                number += 1;
                let reply = send_whole(card, object.value);
                let done =
                    reply.is_some_and(|reply| matches!(reply.status >> 8, 0x90 | 0x62 | 0x63));
                if !done || number > COMMANDS_MAX {
                    return (SCRIPT_FAILED << 4 | number.min(15) as u8, identifier);
                }
            }
            _ => {}
        }
    }
    (SCRIPT_DONE << 4, identifier)
}

/// Why a reversal follows a completed transaction (UnionPay-style reference §4.1, §10.1): the terminal's part failed after an
/// approval.
impl Completed {
    /// The reversal's reason, when the host approved and the card did not.
    pub fn reversal_reason(&self, code: ResponseCode) -> Option<ResponseCode> {
        (code.is_success() && !self.accepted).then_some(ResponseCode::SYSTEM_ERROR)
    }
}

impl ChipRefusal {
    /// Whether the chip counts as tried in vain.
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::Unreadable)
    }
}
