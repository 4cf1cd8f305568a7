//! The terminal interface (UnionPay-style reference §2, §3): requests and answers of a POS as fields and back.

use super::{
    Problem, WireError, acceptor, amount, balance, batch, mandatory, narrow, number, optional,
    outcome, pan, pin, stan, write_acceptor, write_amount, write_balance, write_chip,
    write_outcome, write_pin, wrong,
};
use crate::download::{DownloadRequest, Piece, Versions, read_asked, write_asked};
use crate::guard::{TakenBack, read_guard, write_guard};
use crate::kind::Codes;
use crate::payment_code::CODE_TAG;
use crate::terminal::{Answer, AskAgainMs, KeysField, Origin, Request, Sale, Sealed, Standing};
use crate::{
    Amount, ApprovalCode, Batch, CNY, ChipAnswer, ChipRequest, EntryMode, Flow, Institution, Kind,
    LinkId, Linked, Original, QrText, ResponseCode, Rrn, SaleKey, Secrets, Sign, Stan, Track2,
};
use crypto::{Card, Pan, SecurityModule};
use iso8583::Message;
use zeroize::Zeroizing;

/// Reads a request. The card number is sealed on the way in, under the key of `day`; secrets stay beside the request.
pub fn read_request(
    message: &Message,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Sealed, WireError> {
    let field60 = Field60::read(message)?;
    let codes = field60.codes(message)?;
    let kind = Kind::of_request(message.mti(), &codes).ok_or(wrong(
        if codes.processing.is_some() { 3 } else { 0 },
        Problem::NotServed,
    ))?;
    let origin = origin(message, &field60)?;
    let sign = message.get(59).and_then(Sign::read);
    let mut secrets = Secrets::default();
    let request = match kind.row().flow {
        Flow::Management => Request::Management { kind, origin },
        Flow::Online | Flow::Advice | Flow::Stored => {
            let sale = read_sale(message, kind, origin, &mut secrets, module, day)?;
            if let Some((block, format)) = pin(message)? {
                secrets.pin = Some(block);
                secrets.pin_format = Some(format);
            }
            if sale.entry.has_pin() != secrets.pin.is_some() {
                return Err(wrong(22, Problem::Contradicts));
            }
            Request::Financial { sale, sign }
        }
        Flow::Reversal => {
            let withdraws = Kind::of_reversal(&codes).ok_or(wrong(3, Problem::NotServed))?;
            let sale = read_sale(message, withdraws, origin, &mut secrets, module, day)?;
            Request::Reversal {
                sale,
                reason: mandatory(message, 39, ResponseCode::parse)?,
                sign,
            }
        }
        Flow::Query => Request::Query {
            origin,
            original: mandatory(message, 61, batch_and_trace)?,
            sign,
        },
        Flow::Report => Request::IdleReport {
            origin,
            sign: sign.ok_or(wrong(59, Problem::Missing))?,
        },
        Flow::Batch => batch::read(message, kind, origin, &mut secrets, module, day)?,
        Flow::Download(download, step) => Request::Download(DownloadRequest {
            kind,
            origin,
            asked: read_asked(download, step, message.get(62))
                .ok_or(wrong(62, Problem::Invalid))?,
            mac: message.get(64).is_some(),
        }),
    };
    if request.kind().row().is_numbered() && request.origin().stan.is_none() {
        return Err(wrong(11, Problem::Missing));
    }
    Ok(Sealed { request, secrets })
}

/// Writes a request; field 64 is set to eight zero bytes where the kind carries a MAC, for the edge to fill in.
pub fn write_request(
    sealed: &Sealed,
    module: &dyn SecurityModule,
    message: &mut Message,
) -> Result<(), WireError> {
    let request = &sealed.request;
    let row = request.kind().row();
    message.clear(row.mti);
    let origin = request.origin();
    write_origin(message, origin);
    match request {
        Request::Management { kind, .. } => {
            Field60::of(*kind, origin.batch).write(message);
            if *kind == Kind::SignOn {
                message.set(63, b"01 ");
            }
        }
        Request::Financial { sale, sign } => {
            write_sale(message, sale, &sealed.secrets, module)?;
            if let Some(track2) = &sealed.secrets.track2 {
                message.set(35, track2.expose());
            }
            write_chip(message, sealed.secrets.chip.as_ref());
            if let (Some(block), Some(format)) = (&sealed.secrets.pin, sealed.secrets.pin_format) {
                write_pin(message, block, format);
            }
            write_extension(message, *sign, sale.linked);
            write_receiver(message, sale.to.as_ref(), module)?;
        }
        Request::Reversal { sale, reason, sign } => {
            write_sale(message, sale, &sealed.secrets, module)?;
            message.set(39, &reason.0);
            write_chip(message, sealed.secrets.chip.as_ref());
            write_extension(message, *sign, sale.linked);
            write_receiver(message, sale.to.as_ref(), module)?;
        }
        Request::Query { original, sign, .. } => {
            Field60::of(Kind::ResultQuery, origin.batch).write(message);
            message.set_text(61, &format!("{}{}0000", original.0, original.1));
            write_extension(message, *sign, None);
        }
        Request::IdleReport { sign, .. } => {
            Field60::of(Kind::IdleReport, origin.batch).write(message);
            write_extension(message, Some(*sign), None);
        }
        Request::Settle { totals, .. } => {
            Field60::of(Kind::Settlement, origin.batch).write(message);
            batch::write_settlement(message, totals)?;
        }
        Request::Upload { part, .. } => batch::write_part(message, sealed, part, module)?,
        Request::Download(request) => {
            Field60::of(request.kind, origin.batch).write(message);
            let asked = write_asked(request.asked);
            if !asked.is_empty() {
                message.set(62, &asked);
            }
        }
    }
    if request.carries_mac() {
        message.set(64, &[0; 8]);
    }
    Ok(())
}

/// Reads an answer to a request of `kind`.
pub fn read_answer(message: &Message, kind: Kind) -> Result<Answer, WireError> {
    if message.mti() != kind.row().mti.response() {
        return Err(wrong(0, Problem::NotServed));
    }
    let field60 = Field60::read(message)?;
    let outcome = outcome(message)?;
    let fetched = matches!(kind.row().flow, Flow::Download(..));
    if fetched && field60.network_code != kind.row().network_code {
        return Err(wrong(60, Problem::NotServed));
    }
    let standing = match kind {
        Kind::ResultQuery => optional(message, 62, read_standing)?,
        _ => None,
    };
    let keys = match kind {
        Kind::SignOn => optional(message, 62, |b| b.try_into().ok().map(KeysField))?,
        _ => None,
    };
    let origin = origin(message, &field60)?;
    let time = optional(message, 12, narrow::<u32>)?;
    let date = optional(message, 13, narrow::<u16>)?;
    Ok(Answer {
        kind,
        withdraws: match kind.row().flow {
            Flow::Reversal => Kind::of_reversal(&field60.codes(message)?),
            _ => None,
        },
        origin,
        processing: optional(message, 3, narrow::<u32>)?,
        amount: amount(message)?,
        code: outcome.code,
        rrn: outcome.rrn,
        approval: outcome.approval,
        local: time.zip(date),
        settlement: optional(message, 15, narrow::<u16>)?,
        acquirer: optional(message, 32, number)?.map(Institution),
        balance: optional(message, 54, balance)?,
        standing,
        keys,
        link: message.get(59).and_then(LinkId::read),
        chip: optional(message, 55, ChipAnswer::new)?,
        compared: match kind {
            Kind::Settlement => optional(message, 48, batch::compared)?,
            _ => None,
        },
        part_code: (kind == Kind::BatchUpload).then_some(field60.network_code),
        qr: message.get(59).and_then(QrText::read),
        guard: message
            .get(59)
            .and_then(|field| read_guard(field, origin.merchant)),
        taken_back: message
            .get(59)
            .and_then(|field| TakenBack::read(field, origin.merchant)),
        piece: match fetched {
            true => optional(message, 62, Piece::new)?,
            false => None,
        },
        versions: message.get(59).and_then(Versions::read),
        demands: None,
    })
}

/// Writes an answer; field 64 is set to zero bytes where `mac`, for the edge to fill in.
pub fn write_answer(answer: &Answer, mac: bool, message: &mut Message) {
    let row = answer.kind.row();
    message.clear(row.mti.response());
    write_origin(message, answer.origin);
    if let Some(processing) = answer.processing {
        message.set_number(3, u64::from(processing), 6);
    }
    if let Some(amount) = answer.amount {
        write_amount(message, amount);
    }
    if let Some((time, date)) = answer.local {
        message.set_number(12, u64::from(time), 6);
        message.set_number(13, u64::from(date), 4);
    }
    if let Some(date) = answer.settlement {
        message.set_number(15, u64::from(date), 4);
    }
    // The answer to a reversal repeats the codes of what it withdraws.
    let codes_of = answer.withdraws.unwrap_or(answer.kind);
    if codes_of.row().scanned == Some(true) {
        message.set_number(22, u64::from(EntryMode::CODE.0), 3);
    }
    if let Some(condition) = codes_of.row().condition {
        message.set_number(25, u64::from(condition), 2);
    }
    if let Some(acquirer) = answer.acquirer {
        message.set_text(32, &acquirer.to_string());
    }
    write_outcome(message, answer.rrn, answer.approval, answer.code);
    if let Some(balance) = answer.balance {
        write_balance(message, balance);
        message.set_number(49, u64::from(CNY.0), 3);
    }
    if let Some(chip) = &answer.chip {
        message.set(55, chip.bytes());
    }
    let field60 = Field60::of(codes_of, answer.origin.batch);
    Field60 {
        network_code: answer.part_code.unwrap_or(field60.network_code),
        ..field60
    }
    .write(message);
    if let Some((totals, codes)) = &answer.compared {
        batch::write_compared(message, totals, codes);
    }
    if let Some((standing, ask_again_ms)) = answer.standing {
        message.set(62, &write_standing(standing, ask_again_ms));
    }
    for tag in [
        answer.link.map(|link| link.write()),
        answer.qr.map(|qr| qr.write()),
        answer.guard.map(|earlier| write_guard(&earlier)),
        answer.taken_back.map(|told| told.write()),
        answer.versions.map(|versions| versions.write()),
    ] {
        add_tag(message, tag.unwrap_or_default().as_bytes());
    }
    if let Some(keys) = answer.keys {
        message.set(62, &keys.0);
    }
    if let Some(piece) = &answer.piece {
        message.set(62, piece.bytes());
    }
    if mac {
        message.set(64, &[0; 8]);
    }
}

/// Sub-fields 60.1 to 60.3 as far as this crate needs them.
pub(super) struct Field60 {
    pub(super) transaction_type: u8,
    pub(super) batch: Batch,
    pub(super) network_code: u16,
    /// 60.5.
    pub(super) condition: u8,
}

impl Field60 {
    pub(super) fn of(kind: Kind, batch: Batch) -> Self {
        let row = kind.row();
        Self {
            transaction_type: row.transaction_type,
            batch,
            network_code: row.network_code,
            condition: 0,
        }
    }

    pub(super) fn read(message: &Message) -> Result<Self, WireError> {
        mandatory(message, 60, |b| {
            Some(Self {
                transaction_type: narrow(b.get(..2)?)?,
                batch: Batch(narrow(b.get(2..8)?)?),
                network_code: narrow(b.get(8..11)?)?,
                condition: 0,
            })
        })
    }

    /// The codes by which the kind is known.
    pub(super) fn codes(&self, message: &Message) -> Result<Codes, WireError> {
        Ok(Codes {
            processing: optional(message, 3, narrow)?,
            condition: optional(message, 25, narrow)?,
            transaction_type: self.transaction_type,
            network_code: self.network_code,
            scanned: optional(message, 22, narrow)?
                .map(EntryMode)
                .is_some_and(EntryMode::is_code),
        })
    }

    /// Management messages send exactly 60.1 to 60.3; financial ones add 60.4 (stripe, chip and tap) and 60.5 (reference §2.9).
    pub(super) fn write(&self, message: &mut Message) {
        let tail = match self.network_code {
            0 => format!("6{}", self.condition),
            _ => String::new(),
        };
        message.set_text(
            60,
            &format!(
                "{:02}{}{:03}{tail}",
                self.transaction_type, self.batch, self.network_code
            ),
        );
    }
}

fn origin(message: &Message, field60: &Field60) -> Result<Origin, WireError> {
    let (terminal, merchant) = acceptor(message)?;
    Ok(Origin {
        terminal,
        merchant,
        stan: optional(message, 11, stan)?,
        batch: field60.batch,
    })
}

fn write_origin(message: &mut Message, origin: Origin) {
    if let Some(stan) = origin.stan {
        message.set_number(11, u64::from(stan.0), 6);
    }
    write_acceptor(message, origin.terminal, origin.merchant);
}

pub(super) fn read_sale(
    message: &Message,
    kind: Kind,
    origin: Origin,
    secrets: &mut Secrets,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Sale, WireError> {
    let track2 = optional(message, 35, Track2::parse)?;
    let entry = read_entry(message)?;
    let given = match entry.is_code() {
        true => Some(scanned_code(message)?),
        false => optional(message, 2, pan)?,
    };
    let number = match (given, track2.as_ref().and_then(Track2::pan)) {
        (Some(field2), Some(track)) if field2 != track => {
            return Err(wrong(35, Problem::Contradicts));
        }
        (Some(number), _) | (None, Some(number)) => number,
        (None, None) => return Err(wrong(2, Problem::Missing)),
    };
    let card = module
        .card(&number, day)
        .map_err(|_| wrong(2, Problem::Security))?;
    let expiry = optional(message, 14, narrow::<u16>)?.or(track2.as_ref().and_then(Track2::expiry));
    let amount = match amount(message)? {
        Some(amount) => amount,
        None if kind.row().moves_money() => return Err(wrong(4, Problem::Missing)),
        None => Amount::fen(0),
    };
    let original = match kind.row().original {
        Some(_) => Some(read_original(message)?),
        None => None,
    };
    let linked = message
        .get(59)
        .and_then(|field| Linked::read(field, origin.merchant));
    // What is about money or its original has field 3; what has none is about the sale that it replaces.
    if linked.is_none() && kind.row().processing.is_none() {
        return Err(wrong(59, Problem::Missing));
    }
    let to = match kind.row().receiver {
        true => Some(read_receiver(message, module, day)?),
        false => None,
    };
    secrets.pan = Some(number);
    secrets.track2 = track2;
    secrets.chip = optional(message, 55, ChipRequest::new)?;
    Ok(Sale {
        key: SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: origin.batch,
            stan: origin.stan.ok_or(wrong(11, Problem::Missing))?,
        },
        kind,
        amount,
        card,
        entry,
        expiry,
        card_sequence: optional(message, 23, narrow)?,
        original,
        tip_minor: match kind {
            Kind::TipAdjustment => optional(message, 48, narrow)?,
            _ => None,
        },
        linked,
        to,
    })
}

pub(super) fn write_sale(
    message: &mut Message,
    sale: &Sale,
    secrets: &Secrets,
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    let row = sale.kind.row();
    let opened = match &secrets.pan {
        Some(_) => None,
        None => Some(
            module
                .open_pan(&sale.card.sealed)
                .map_err(|_| wrong(2, Problem::Security))?,
        ),
    };
    if let Some(number) = secrets.pan.as_ref().or(opened.as_ref()) {
        match sale.entry.is_code() {
            true => write_number(message, CODE_TAG, number),
            false => message.set(2, number.expose()),
        }
    }
    if let Some(processing) = row.processing {
        message.set_number(3, u64::from(processing), 6);
    }
    if row.moves_money() {
        message.set_number(4, sale.amount.minor, 12);
    }
    message.set_number(49, u64::from(sale.amount.currency.0), 3);
    if let Some(expiry) = sale.expiry {
        message.set_number(14, u64::from(expiry), 4);
    }
    let (entry, condition) = split_entry(sale.entry);
    message.set_number(22, u64::from(entry), 3);
    if let Some(sequence) = sale.card_sequence {
        message.set_number(23, u64::from(sequence), 3);
    }
    if let Some(condition) = row.condition {
        message.set_number(25, u64::from(condition), 2);
    }
    if let Some(original) = &sale.original {
        write_original(message, original);
    }
    if let Some(minor) = sale.tip_minor {
        message.set_number(48, minor, 12);
    }
    Field60 {
        condition,
        ..Field60::of(sale.kind, sale.key.batch)
    }
    .write(message);
    Ok(())
}

/// Fallback is 02x with 60.5 = 2 at this interface (reference §10.1), a chip card swiped without a try 02x with 60.5 = 1;
/// 80x and 90x say fallback by themselves.
pub(super) fn read_entry(message: &Message) -> Result<EntryMode, WireError> {
    let entry = EntryMode(mandatory(message, 22, narrow)?);
    let condition = message.get(60).and_then(|field60| field60.get(12));
    Ok(match condition {
        Some(b'2') if entry.has_pin() && entry.is_stripe() => EntryMode::FALLBACK_PIN,
        Some(b'2') if entry.is_stripe() => EntryMode::FALLBACK,
        Some(b'1') if entry.has_pin() && entry.is_stripe() => EntryMode::IMPROPER_PIN,
        Some(b'1') if entry.is_stripe() => EntryMode::IMPROPER,
        _ => entry,
    })
}

/// Field 22 and 60.5.
pub(super) fn split_entry(entry: EntryMode) -> (u16, u8) {
    match entry {
        entry if entry.is_fallback() => (20 + entry.0 % 10, 2),
        entry if entry.is_improper() => (20 + entry.0 % 10, 1),
        entry => (entry.0, 0),
    }
}

/// Tag of field 59 with the number of the card that receives the amount.
const RECEIVER: &str = "TO";

fn read_receiver(
    message: &Message,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Card, WireError> {
    let field59 = message.get(59).ok_or(wrong(59, Problem::Missing))?;
    let digits =
        crate::sign::tag(field59, RECEIVER.as_bytes()).ok_or(wrong(59, Problem::Missing))?;
    let number = pan(digits).ok_or(wrong(59, Problem::Invalid))?;
    module
        .card(&number, day)
        .map_err(|_| wrong(59, Problem::Security))
}

pub(super) fn write_receiver(
    message: &mut Message,
    to: Option<&Card>,
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    if let Some(to) = to {
        let number = module.open_pan(&to.sealed);
        let number = number.map_err(|_| wrong(59, Problem::Security))?;
        write_number(message, RECEIVER, &number);
    }
    Ok(())
}

/// Field 59: the tags of our extension that a request carries.
pub(super) fn write_extension(message: &mut Message, sign: Option<Sign>, linked: Option<Linked>) {
    if let Some(sign) = sign {
        add_tag(message, &sign.write());
    }
    if let Some(linked) = linked {
        add_tag(message, linked.write().as_bytes());
    }
}

/// Puts a tag behind those that field 59 has already.
fn add_tag(message: &mut Message, tag: &[u8]) {
    if !tag.is_empty() {
        let field = Zeroizing::new([message.get(59).unwrap_or_default(), tag].concat());
        message.set(59, &field);
    }
}

/// Tag A3 of field 59: the number of a scanned code.
fn scanned_code(message: &Message) -> Result<Pan, WireError> {
    let field59 = message.get(59).ok_or(wrong(59, Problem::Missing))?;
    let code = crate::sign::tag(field59, CODE_TAG.as_bytes()).ok_or(wrong(59, Problem::Missing))?;
    Pan::parse(code).map_err(|_| wrong(59, Problem::Invalid))
}

/// A tag of field 59 with a number that is a secret.
fn write_number(message: &mut Message, tag: &str, number: &Pan) {
    let head = format!("{tag}{:03}", number.len());
    let tag = Zeroizing::new([head.as_bytes(), number.expose()].concat());
    add_tag(message, &tag);
}

/// Field 61: original batch and trace number, then a date that may be missing (reference §2.10).
fn batch_and_trace(bytes: &[u8]) -> Option<(Batch, Stan)> {
    Some((Batch(narrow(bytes.get(..6)?)?), stan(bytes.get(6..12)?)?))
}

/// Fields 61, 37 and 38. An unknown trace number is all zeros; then field 37 must name the original.
fn read_original(message: &Message) -> Result<Original, WireError> {
    let field61 = message.get(61).ok_or(wrong(61, Problem::Missing))?;
    let part = |range: std::ops::Range<usize>| field61.get(range).and_then(number);
    let invalid = wrong(61, Problem::Invalid);
    let rrn = optional(message, 37, Rrn::parse)?;
    let stan = part(6..12).ok_or(invalid)? as u32;
    if stan == 0 && rrn.is_none() {
        return Err(wrong(37, Problem::Missing));
    }
    Ok(Original {
        batch: Batch(part(0..6).ok_or(invalid)? as u32),
        stan: Stan(stan),
        date: part(12..16).unwrap_or(0) as u16,
        rrn,
        approval: optional(message, 38, ApprovalCode::parse)?,
    })
}

fn write_original(message: &mut Message, original: &Original) {
    message.set_text(
        61,
        &format!("{}{}{:04}", original.batch, original.stan, original.date),
    );
    if let Some(rrn) = original.rrn {
        message.set(37, &rrn.0);
    }
    if let Some(approval) = original.approval {
        message.set(38, &approval.0);
    }
}

/// Field 62 of a result answer: `RQ`, a letter, the code of a decline or of the issuer's word on a reversal, milliseconds until the next question.
fn write_standing(standing: Standing, ask_again_ms: AskAgainMs) -> [u8; 10] {
    let (letter, code) = match standing {
        Standing::Approved => (b'A', ResponseCode::APPROVED),
        Standing::Declined(code) => (b'D', code),
        Standing::InProgress => (b'P', ResponseCode::APPROVED),
        Standing::Reversing => (b'V', ResponseCode::APPROVED),
        Standing::Reversed {
            never_debited: false,
        } => (b'R', ResponseCode::APPROVED),
        Standing::Reversed {
            never_debited: true,
        } => (b'R', ResponseCode::ORIGINAL_NOT_FOUND),
        Standing::Case => (b'C', ResponseCode::APPROVED),
        Standing::NeverSeen => (b'N', ResponseCode::APPROVED),
    };
    let mut bytes = *b"RQ00000000";
    bytes[2] = letter;
    bytes[3..5].copy_from_slice(&code.0);
    bytes[5..].copy_from_slice(&format!("{:05}", ask_again_ms.min(99_999)).as_bytes()[..5]);
    bytes
}

fn read_standing(bytes: &[u8]) -> Option<(Standing, AskAgainMs)> {
    if bytes.len() != 10 || &bytes[..2] != b"RQ" {
        return None;
    }
    let standing = match bytes[2] {
        b'A' => Standing::Approved,
        b'D' => Standing::Declined(ResponseCode::parse(&bytes[3..5])?),
        b'P' => Standing::InProgress,
        b'V' => Standing::Reversing,
        b'R' => Standing::Reversed {
            never_debited: ResponseCode::parse(&bytes[3..5])? != ResponseCode::APPROVED,
        },
        b'C' => Standing::Case,
        b'N' => Standing::NeverSeen,
        _ => return None,
    };
    Some((standing, narrow(&bytes[5..])?))
}
