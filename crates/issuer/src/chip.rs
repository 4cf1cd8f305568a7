//! Chip data of a request: what the security module says of the cryptogram, and what the bank makes of it.
//!
//! Invariants: a cryptogram is taken once, for its counter must grow; a request that says chip brings a right one; nobody
//! learns from the code which of these was wrong (59 for all of them; UnionPay-style reference §6.3, security reference §4).

use crate::config::ChipKeys;
use crate::issuer::{CardState, Issuer};
use crate::planted::Bug;
use crate::record::{ChipCheck, PinCheck};
use crate::refusal::{Case, Decline};
use crypto::{
    AnswerMethod, CardRequest, CardScript, Cryptogram, STATUS_UPDATE_APPROVED, SecurityError,
    SecurityModule,
};
use iso8583::tlv;
use payment::host::Financial;
use payment::{ChipAnswer, Kind, ResponseCode, Secrets};

/// Type of a cryptogram that asks its issuer, tag 9F27.
const ONLINE: u8 = 0x80;
/// Bit of the second byte of the card verification results behind their length: the card's own PIN is blocked.
const PIN_BLOCKED: u8 = 0x40;
/// Methods of tag 9F34 that the card itself checks, without the bit that lets the next one follow.
const CHECKED_BY_CARD: [u8; 4] = [1, 3, 4, 5];
/// Bit of the first byte of those results: the card checked a PIN.
const CARD_CHECKED_PIN: u8 = 0x04;
/// How far a card's counter may be ahead of the last one seen: a card is used without its bank now and then, and a thousand
/// cryptograms gathered in advance are not (attack A11).
pub const COUNTER_STEP_MAX: u16 = 300;
/// Tags of element 55.
const ISSUER_AUTHENTICATION: u32 = 0x91;
const SCRIPT_AFTER: u32 = 0x72;
const SCRIPT_IDENTIFIER: u32 = 0x9F18;
const SCRIPT_COMMAND: u32 = 0x86;
const SCRIPT_RESULTS: u32 = 0xDF31;
/// High nibble of a script's result: all of its commands were done.
const SCRIPT_DONE: u8 = 2;

impl Issuer {
    /// Asks the module about field 55, and lets it make the answer that an approval brings.
    pub(crate) fn chip_check(
        &self,
        module: &dyn SecurityModule,
        sale: &Financial,
        secrets: &Secrets,
        pin: PinCheck,
    ) -> Result<ChipCheck, SecurityError> {
        let Some(data) = &secrets.chip else {
            return Ok(ChipCheck::Absent);
        };
        if sale.kind == Kind::ScriptResult {
            return Ok(script_result(data.expose()));
        }
        if sale.kind.row().original.is_some() {
            return Ok(ChipCheck::Absent);
        }
        let card = self.cards.get(&sale.card.token);
        let (Some(keys), Some(sequence), Some(pan)) = (
            &self.config.chip,
            card.and_then(|card| card.chip_sequence),
            &secrets.pan,
        ) else {
            return Ok(ChipCheck::Wrong);
        };
        let Ok(request) = CardRequest::read(data.expose()) else {
            return Ok(ChipCheck::Unreadable);
        };
        if !agrees(sale, &request) {
            return Ok(ChipCheck::Wrong);
        }
        let cryptogram = Cryptogram {
            pan,
            sequence,
            counter: request.counter,
            data: &request.signed,
            received: request.cryptogram,
        };
        let method = card.map_or(AnswerMethod::default(), |card| card.chip_answer);
        let Some(answer) = approving(module, keys, method, &cryptogram)? else {
            return Ok(ChipCheck::Wrong);
        };
        let mut out = Vec::new();
        tlv::write(&mut out, ISSUER_AUTHENTICATION, &answer);
        let [_, _, history, _] = request.card_results;
        if pin == PinCheck::Right && history & PIN_BLOCKED != 0 {
            // The holder has just proved the PIN to the bank, so the card may take it again too.
            let script = CardScript::UnblockPin;
            append_script(&mut out, module, keys, &cryptogram, script)?;
        }
        Ok(
            ChipAnswer::new(&out).map_or(ChipCheck::Unreadable, |answer| ChipCheck::Right {
                counter: u16::from_be_bytes(request.counter),
                answer: Box::new(answer),
            }),
        )
    }
}

/// Tag 91 of an approval; `None` when the cryptogram is not the card's own.
fn approving(
    module: &dyn SecurityModule,
    keys: &ChipKeys,
    method: AnswerMethod,
    cryptogram: &Cryptogram<'_>,
) -> Result<Option<Vec<u8>>, SecurityError> {
    let approved = ResponseCode::APPROVED.0;
    let status = STATUS_UPDATE_APPROVED;
    Ok(match method {
        AnswerMethod::ResponseCode => module
            .answer_cryptogram(&keys.imk, keys.scheme, cryptogram, approved)?
            .map(|answer| [&answer[..], &approved].concat()),
        AnswerMethod::StatusUpdate => module
            .answer_cryptogram_status(&keys.imk, keys.scheme, cryptogram, status, &[])?
            .map(|answer| [&answer[..], &status].concat()),
    })
}

/// Tag DF31: five bytes for each script, a result and an identifier.
fn script_result(data: &[u8]) -> ChipCheck {
    let results = tlv::find(data, SCRIPT_RESULTS).ok().flatten();
    match results.map(<[u8]>::as_chunks::<5>) {
        Some((results, [])) if !results.is_empty() => ChipCheck::Scripts {
            done: results
                .iter()
                .all(|[result, ..]| result >> 4 == SCRIPT_DONE),
        },
        _ => ChipCheck::Unreadable,
    }
}

/// The cryptogram asks the issuer, and speaks of this request: field 4 is tag 9F02, field 49 is tag 5F2A (attack A13), and a
/// PIN that the terminal says the card checked was checked by it (attack A12).
fn agrees(sale: &Financial, request: &CardRequest) -> bool {
    let money = !sale.kind.row().moves_money() || request.amount == sale.amount.minor;
    let [_, first, ..] = request.card_results;
    let by_card = request.verification.is_some_and(|[method, _, result]| {
        CHECKED_BY_CARD.contains(&(method & 0x3F)) && result == 2
    });
    money
        && sale.entry.is_chip()
        && request.kind == ONLINE
        && request.currency == sale.amount.currency.0
        && (!by_card || first & CARD_CHECKED_PIN != 0)
}

fn append_script(
    out: &mut Vec<u8>,
    module: &dyn SecurityModule,
    keys: &ChipKeys,
    cryptogram: &Cryptogram<'_>,
    script: CardScript,
) -> Result<(), SecurityError> {
    let command = module.seal_script(&keys.smi, keys.scheme, cryptogram, script)?;
    let [high, low] = cryptogram.counter;
    let mut inner = Vec::new();
    tlv::write(&mut inner, SCRIPT_IDENTIFIER, &[0, 0, high, low]);
    tlv::write(&mut inner, SCRIPT_COMMAND, &command);
    tlv::write(out, SCRIPT_AFTER, &inner);
    Ok(())
}

impl Issuer {
    /// The counter is new, and not far ahead.
    fn is_next(&self, card: &CardState, counter: u16) -> bool {
        let step = counter.saturating_sub(card.chip_counter);
        (1..=COUNTER_STEP_MAX).contains(&step) || self.planted(Bug::IssuerTakesCryptogramAgain)
    }

    /// The counter that is used up by this request, whatever becomes of it otherwise.
    pub(crate) fn used_counter(&self, card: Option<&CardState>, chip: &ChipCheck) -> Option<u16> {
        match chip {
            ChipCheck::Right { counter, .. } => Some(*counter)
                .filter(|counter| card.is_some_and(|card| self.is_next(card, *counter))),
            _ => None,
        }
    }
}

/// A chip card is read by its chip, or as a fallback that says so and brings a PIN; what says chip brings a right
/// cryptogram whose counter is new.
pub(crate) fn chip(case: &Case<'_>) -> Result<(), Decline> {
    let refuse = |code| Err(Decline(code));
    let entry = case.sale.entry;
    match &case.chip {
        // What is about an earlier request needs no card.
        ChipCheck::Absent if case.sale.kind.row().original.is_some() => Ok(()),
        ChipCheck::Absent if entry.is_chip() => refuse(ResponseCode::FORMAT_ERROR),
        ChipCheck::Absent if entry.is_fallback() && case.setup.chip_sequence.is_some() => {
            // Stripe and no PIN of a chip card: anybody could have that.
            match entry.has_pin() && case.issuer.allows_fallback() {
                true => Ok(()),
                false => refuse(ResponseCode::USE_CHIP),
            }
        }
        ChipCheck::Absent if entry.is_stripe() && case.setup.chip_sequence.is_some() => {
            refuse(ResponseCode::USE_CHIP)
        }
        ChipCheck::Absent | ChipCheck::Scripts { .. } => Ok(()),
        ChipCheck::Unreadable => refuse(ResponseCode::FORMAT_ERROR),
        ChipCheck::Wrong => refuse(ResponseCode::CARD_CHECK),
        ChipCheck::Right { counter, .. } => match case.issuer.is_next(case.card, *counter) {
            true => Ok(()),
            false => refuse(ResponseCode::CARD_CHECK),
        },
    }
}
