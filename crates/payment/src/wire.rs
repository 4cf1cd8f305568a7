//! Typed messages to ISO 8583 fields and back, for both interfaces.
//!
//! What a reader accepts names every field it could not take; unknown codes survive, missing fields do not pass.

mod batch;
pub mod frame;
pub mod host;
pub mod terminal;

use crate::{
    Amount, ApprovalCode, ChipRequest, Currency, MerchantId, ResponseCode, Rrn, Stan, TerminalId,
};
use crypto::{Pan, PinBlock, PinFormat};
use iso8583::Message;
use std::fmt;

/// A message whose bytes are well formed and whose content is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// The field; 0 stands for the message type.
    pub field: u8,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Mandatory and not there.
    Missing,
    /// There, and not what this field may hold here.
    Invalid,
    /// The message type or its codes are not served.
    NotServed,
    /// Two fields contradict each other.
    Contradicts,
    /// The security module refused the value.
    Security,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            Problem::Missing => "is missing",
            Problem::Invalid => "has a value it may not have here",
            Problem::NotServed => "names a message that is not served",
            Problem::Contradicts => "contradicts another field",
            Problem::Security => "was refused by the security module",
        };
        if self.field == 0 {
            write!(f, "message type {what}")
        } else {
            write!(f, "field {} {what}", self.field)
        }
    }
}

impl std::error::Error for WireError {}

/// An error at `field`.
pub(crate) const fn wrong(field: u8, problem: Problem) -> WireError {
    WireError { field, problem }
}

/// Reads a mandatory or optional field through `read`; a field that is there and cannot be read is an error.
fn optional<T>(
    message: &Message,
    field: u8,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, WireError> {
    match message.get(field) {
        None => Ok(None),
        Some(bytes) => read(bytes).map(Some).ok_or(wrong(field, Problem::Invalid)),
    }
}

fn mandatory<T>(
    message: &Message,
    field: u8,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, WireError> {
    optional(message, field, read)?.ok_or(wrong(field, Problem::Missing))
}

/// A decimal number of at most 18 digits.
fn number(bytes: &[u8]) -> Option<u64> {
    (!bytes.is_empty() && bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit))
        .then(|| bytes.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')))
}

fn narrow<T: TryFrom<u64>>(bytes: &[u8]) -> Option<T> {
    T::try_from(number(bytes)?).ok()
}

fn stan(bytes: &[u8]) -> Option<Stan> {
    narrow(bytes)
        .filter(|n| (1..=999_999).contains(n))
        .map(Stan)
}

fn amount(message: &Message) -> Result<Option<Amount>, WireError> {
    let Some(minor) = optional(message, 4, number)? else {
        return Ok(None);
    };
    Ok(Some(Amount {
        minor,
        currency: mandatory(message, 49, narrow::<u16>).map(Currency)?,
    }))
}

fn write_amount(message: &mut Message, amount: Amount) {
    message.set_number(4, amount.minor, 12);
    message.set_number(49, u64::from(amount.currency.0), 3);
}

fn acceptor(message: &Message) -> Result<(TerminalId, MerchantId), WireError> {
    Ok((
        mandatory(message, 41, TerminalId::parse)?,
        mandatory(message, 42, MerchantId::parse)?,
    ))
}

fn write_acceptor(message: &mut Message, terminal: TerminalId, merchant: MerchantId) {
    message.set(41, &terminal.0);
    message.set(42, &merchant.0);
}

/// Fields 37, 38, 39 of an answer.
struct Outcome {
    rrn: Option<Rrn>,
    approval: Option<ApprovalCode>,
    code: ResponseCode,
}

fn outcome(message: &Message) -> Result<Outcome, WireError> {
    Ok(Outcome {
        rrn: optional(message, 37, Rrn::parse)?,
        approval: optional(message, 38, ApprovalCode::parse)?,
        code: mandatory(message, 39, ResponseCode::parse)?,
    })
}

fn write_outcome(
    message: &mut Message,
    rrn: Option<Rrn>,
    approval: Option<ApprovalCode>,
    code: ResponseCode,
) {
    if let Some(rrn) = rrn {
        message.set(37, &rrn.0);
    }
    if let Some(approval) = approval {
        message.set(38, &approval.0);
    }
    message.set(39, &code.0);
}

/// Fields 52 and 53: the enciphered PIN block and how it was formed (reference §2.5: 1 without PAN, 2 with PAN; 6 is 3DES).
fn pin(message: &Message) -> Result<Option<(PinBlock, PinFormat)>, WireError> {
    let Some(block) = optional(message, 52, |b| {
        <[u8; 8]>::try_from(b).ok().map(PinBlock::new)
    })?
    else {
        return Ok(None);
    };
    let format = mandatory(message, 53, |b| match b.get(..2)? {
        b"26" => Some(PinFormat::WithPan),
        b"16" => Some(PinFormat::WithoutPan),
        _ => None,
    })?;
    Ok(Some((block, format)))
}

fn write_pin(message: &mut Message, block: &PinBlock, format: PinFormat) {
    message.set(26, b"12");
    message.set(52, &block.expose());
    message.set(
        53,
        match format {
            PinFormat::WithPan => b"2600000000000000",
            PinFormat::WithoutPan => b"1600000000000000",
        },
    );
}

fn write_chip(message: &mut Message, chip: Option<&ChipRequest>) {
    if let Some(chip) = chip {
        message.set(55, chip.expose());
    }
}

fn pan(bytes: &[u8]) -> Option<Pan> {
    Pan::parse(bytes).ok()
}

/// Field 54: one balance of 20 characters, available (02), credit or debit (reference §2.6).
fn balance(bytes: &[u8]) -> Option<i64> {
    bytes
        .chunks_exact(20)
        .find(|entry| &entry[2..4] == b"02")
        .and_then(|entry| {
            let minor = i64::try_from(number(&entry[8..20])?).ok()?;
            match entry[7] {
                b'C' => Some(minor),
                b'D' => Some(-minor),
                _ => None,
            }
        })
}

fn write_balance(message: &mut Message, minor: i64) {
    let sign = if minor < 0 { 'D' } else { 'C' };
    message.set_text(
        54,
        &format!(
            "3002156{sign}{:012}",
            minor.unsigned_abs().min(999_999_999_999)
        ),
    );
}
