//! Settlement and batch upload (UnionPay-style reference §2.4, §3.8), between the codec's digits and our types.

use super::terminal::{
    Field60, read_entry, read_sale, write_extension, write_receiver, write_sale,
};
use super::{Problem, WireError, mandatory, narrow, number, optional, write_chip, wrong};
use crate::batch::{
    BatchTotals, BlockCodes, BlockTotals, ChipFailure, ChipOutcome, ChipUpload, Reconciled,
    UploadPart, Uploaded, is_foreign,
};
use crate::kind::Rail;
use crate::money::AMOUNT_MINOR_MAX;
use crate::terminal::{Origin, Request, Sealed};
use crate::{CNY, ChipRequest, Kind, Secrets, Stan};
use crypto::{Pan, SecurityModule};
use iso8583::field48::{BatchRecord, Settlement, Totals};
use iso8583::{Message, Mti};

/// What of a batch a message brings: totals, or by field 60.3 a part of what it holds (reference §2.4, §3.8).
pub(super) fn read(
    message: &Message,
    kind: Kind,
    origin: Origin,
    secrets: &mut Secrets,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Request, WireError> {
    let mac = message.get(64).is_some();
    if kind == Kind::Settlement {
        let totals = mandatory(message, 48, totals)?;
        return Ok(Request::Settle {
            origin,
            totals,
            mac,
        });
    }
    let codes = Field60::read(message)?.codes(message)?;
    let part = match codes.network_code {
        // An advice once more, with its own codes and trace number.
        0 => {
            let kind = Kind::of_request(Mti(0x0220), &codes).ok_or(wrong(3, Problem::NotServed))?;
            UploadPart::Advice(read_sale(message, kind, origin, secrets, module, day)?)
        }
        UploadPart::SALES => {
            let field48 = message.get(48).ok_or(wrong(48, Problem::Missing))?;
            secrets.uploaded = uploaded(field48, module, day)?;
            UploadPart::Sales(secrets.uploaded.len() as u8)
        }
        code @ (UploadPart::END_BALANCED | UploadPart::END_UNBALANCED) => UploadPart::End {
            records: mandatory(message, 48, |b| (b.len() == 4).then(|| narrow(b))?)?,
            balanced: code == UploadPart::END_BALANCED,
        },
        code if is_chip(code) => UploadPart::Chip(read_chip(message, code, secrets, module, day)?),
        _ => return Err(wrong(60, Problem::NotServed)),
    };
    Ok(Request::Upload { origin, part, mac })
}

pub(super) fn write_settlement(
    message: &mut Message,
    totals: &BatchTotals,
) -> Result<(), WireError> {
    write_totals(message, totals)?;
    message.set_number(49, u64::from(CNY.0), 3);
    message.set(63, b"01 ");
    Ok(())
}

pub(super) fn write_part(
    message: &mut Message,
    sealed: &Sealed,
    part: &UploadPart,
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    match part {
        UploadPart::Advice(sale) => {
            write_sale(message, sale, &sealed.secrets, module)?;
            write_extension(message, None, sale.linked);
            return write_receiver(message, sale.to.as_ref(), module);
        }
        UploadPart::Sales(_) => {
            write_uploaded(message, &sealed.secrets.uploaded, module)?;
        }
        UploadPart::End { records, .. } => message.set_number(48, u64::from(*records), 4),
        UploadPart::Chip(upload) => write_chip_upload(message, upload, &sealed.secrets, module)?,
    }
    Field60 {
        network_code: part.network_code(),
        ..Field60::of(Kind::BatchUpload, sealed.request.origin().batch)
    }
    .write(message);
    Ok(())
}

/// One chip transaction: fields 2, 4, 22, 23, 55 and 62 of what it approved; 3, 22, 23, 25, 55 and 62 of what it did not.
fn read_chip(
    message: &Message,
    code: u16,
    secrets: &mut Secrets,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<ChipUpload, WireError> {
    let text = mandatory(message, 62, |field62| {
        std::str::from_utf8(field62).ok().map(str::to_owned)
    })?;
    let approved = UploadPart::CHIP_APPROVED.contains(&code);
    let length = if approved {
        APPROVED_LENGTH
    } else {
        FAILED_LENGTH
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() != length || !digits || &text[18..21] != CURRENCY {
        return Err(wrong(62, Problem::Invalid));
    }
    let outcome = match (&text[..2], &text[4..6], text.get(21..)) {
        (APPROVED, "00", Some("")) if approved => {
            let number = mandatory(message, 2, |bytes| Pan::parse(bytes).ok())?;
            let card = module.card(&number, day);
            secrets.pan = Some(number);
            ChipOutcome::Approved(card.map_err(|_| wrong(2, Problem::Security))?)
        }
        (FAILED, reason, Some(end)) if !approved => {
            let known = [ChipFailure::IssuerWrong, ChipFailure::Declined];
            let failure = known.into_iter().find(|one| one.codes() == (reason, end));
            ChipOutcome::Failed(
                charged_kind(message)?,
                failure.ok_or(wrong(62, Problem::Invalid))?,
            )
        }
        _ => return Err(wrong(62, Problem::Invalid)),
    };
    secrets.chip = Some(mandatory(message, 55, ChipRequest::new)?);
    Ok(ChipUpload {
        balanced: [UploadPart::CHIP_APPROVED[0], UploadPart::CHIP_FAILED[0]].contains(&code),
        entry: read_entry(message)?,
        card_sequence: optional(message, 23, narrow)?,
        amount_minor: number(&text.as_bytes()[6..18]).ok_or(wrong(62, Problem::Invalid))?,
        foreign: &text[2..4] == FOREIGN,
        outcome,
    })
}

fn write_chip_upload(
    message: &mut Message,
    upload: &ChipUpload,
    secrets: &Secrets,
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    let scheme = if upload.foreign { FOREIGN } else { DOMESTIC };
    let minor = upload.amount_minor.min(AMOUNT_MINOR_MAX);
    let text = match &upload.outcome {
        ChipOutcome::Approved(card) => {
            let number = module.open_pan(&card.sealed);
            let number = number.map_err(|_| wrong(2, Problem::Security))?;
            message.set(2, number.expose());
            message.set_number(4, minor, 12);
            format!("{APPROVED}{scheme}00{minor:012}{CURRENCY}")
        }
        ChipOutcome::Failed(kind, failure) => {
            let (reason, end) = failure.codes();
            let row = kind.row();
            message.set_number(3, u64::from(row.processing.unwrap_or(0)), 6);
            message.set_number(25, u64::from(row.condition.unwrap_or(0)), 2);
            format!("{FAILED}{scheme}{reason}{minor:012}{CURRENCY}{end}")
        }
    };
    message.set_text(62, &text);
    message.set_number(22, u64::from(upload.entry.0), 3);
    if let Some(sequence) = upload.card_sequence {
        message.set_number(23, u64::from(sequence), 3);
    }
    write_chip(message, secrets.chip.as_ref());
    Ok(())
}

fn is_chip(code: u16) -> bool {
    UploadPart::CHIP_APPROVED.contains(&code) || UploadPart::CHIP_FAILED.contains(&code)
}

/// The kind that has these fields 3 and 25 among those in which a chip has a last word.
fn charged_kind(message: &Message) -> Result<Kind, WireError> {
    let processing: u32 = mandatory(message, 3, narrow)?;
    let condition: u8 = optional(message, 25, narrow)?.unwrap_or(0);
    let found = Kind::ALL.iter().copied().find(|kind| {
        let row = kind.row();
        row.charges()
            && row.rail == Rail::Card
            && row.original.is_none()
            && (row.processing, row.condition) == (Some(processing), Some(condition))
    });
    found.ok_or(wrong(3, Problem::NotServed))
}

/// Beginning of field 62, kinds of cards, and the currency in it.
const APPROVED: &str = "61";
const FAILED: &str = "71";
const DOMESTIC: &str = "00";
const FOREIGN: &str = "01";
const CURRENCY: &str = "156";
/// Characters of field 62.
const APPROVED_LENGTH: usize = 21;
const FAILED_LENGTH: usize = 23;

/// The totals of a request.
pub(super) fn totals(bytes: &[u8]) -> Option<BatchTotals> {
    let read = Settlement::parse(bytes).ok()?;
    Some(BatchTotals {
        domestic: block(read.domestic),
        foreign: block(read.foreign),
    })
}

/// The totals of an answer, and how each block came out.
pub(super) fn compared(bytes: &[u8]) -> Option<(BatchTotals, BlockCodes)> {
    let read = Settlement::parse(bytes).ok()?;
    let codes = BlockCodes {
        domestic: Reconciled::of_digit(read.domestic.answer),
        foreign: Reconciled::of_digit(read.foreign.answer),
    };
    Some((totals(bytes)?, codes))
}

pub(super) fn write_totals(message: &mut Message, totals: &BatchTotals) -> Result<(), WireError> {
    let settlement = Settlement {
        domestic: digits(totals.domestic, 0)?,
        foreign: digits(totals.foreign, 0)?,
    };
    let value = settlement.write().ok_or(wrong(48, Problem::Invalid))?;
    message.set(48, &value);
    Ok(())
}

/// The totals come from a request, so they fit; without them field 48 is left out and the terminal asks again.
pub(super) fn write_compared(message: &mut Message, totals: &BatchTotals, codes: &BlockCodes) {
    let settlement = || {
        Some(Settlement {
            domestic: digits(totals.domestic, codes.domestic.digit()).ok()?,
            foreign: digits(totals.foreign, codes.foreign.digit()).ok()?,
        })
    };
    if let Some(value) = settlement().and_then(|settlement| settlement.write()) {
        message.set(48, &value);
    }
}

/// The records of an upload, their cards sealed under the key of `day`.
pub(super) fn uploaded(
    bytes: &[u8],
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Vec<Uploaded>, WireError> {
    let records = BatchRecord::parse_all(bytes).map_err(|_| wrong(48, Problem::Invalid))?;
    let read = |record: &BatchRecord<'_>| {
        let pan = Pan::parse(record.pan).map_err(|_| wrong(48, Problem::Invalid))?;
        let card = module
            .card(&pan, day)
            .map_err(|_| wrong(48, Problem::Security))?;
        Ok(Uploaded {
            stan: Stan(record.stan),
            card,
            amount_minor: record.amount_minor,
        })
    };
    records.iter().map(read).collect()
}

pub(super) fn write_uploaded(
    message: &mut Message,
    uploaded: &[Uploaded],
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    let opened: Vec<Pan> = uploaded
        .iter()
        .map(|one| module.open_pan(&one.card.sealed))
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(48, Problem::Security))?;
    let records: Vec<BatchRecord<'_>> = uploaded
        .iter()
        .zip(&opened)
        .map(|(one, pan)| BatchRecord {
            foreign: is_foreign(&one.card),
            stan: one.stan.0,
            pan: pan.expose(),
            amount_minor: one.amount_minor,
        })
        .collect();
    let value = BatchRecord::write_all(&records).ok_or(wrong(48, Problem::Invalid))?;
    message.set(48, &value);
    Ok(())
}

fn block(read: Totals) -> BlockTotals {
    BlockTotals {
        debits: u32::from(read.debit_count),
        debits_minor: read.debit_minor,
        credits: u32::from(read.credit_count),
        credits_minor: read.credit_minor,
    }
}

fn digits(totals: BlockTotals, answer: u8) -> Result<Totals, WireError> {
    let count = |n: u32| u16::try_from(n).map_err(|_| wrong(48, Problem::Invalid));
    Ok(Totals {
        debit_minor: totals.debits_minor,
        debit_count: count(totals.debits)?,
        credit_minor: totals.credits_minor,
        credit_count: count(totals.credits)?,
        answer,
    })
}
