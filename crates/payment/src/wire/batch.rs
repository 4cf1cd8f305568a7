//! Field 48 of settlement and batch upload (UnionPay-style reference §2.4), between the codec's digits and our types.

use super::{Problem, WireError, wrong};
use crate::Stan;
use crate::batch::{BatchTotals, BlockCodes, BlockTotals, Reconciled, Uploaded, is_foreign};
use crypto::{Pan, SecurityModule};
use iso8583::Message;
use iso8583::field48::{BatchRecord, Settlement, Totals};

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
