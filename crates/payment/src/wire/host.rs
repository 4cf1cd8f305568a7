//! The host interface (UnionPay-style reference §4.7, §8.9, §9.23): messages between acquirer, network and issuer.

use super::{
    Problem, WireError, acceptor, amount, balance, mandatory, narrow, number, optional, outcome,
    pan, pin, stan, write_acceptor, write_amount, write_balance, write_outcome, write_pin, wrong,
};
use crate::host::{
    Answer, AnswerKind, Financial, HostKeys, Management, NetworkCode, Request, Reversal,
    ReversalReason, Sealed,
};
use crate::{Amount, EntryMode, HostKey, Institution, Kind, Rrn, Secrets, Track2};
use crypto::SecurityModule;
use iso8583::{Message, Mti};

const FINANCIAL: Mti = Mti(0x0200);
const REVERSAL: Mti = Mti(0x0420);
const MANAGEMENT: Mti = Mti(0x0800);
/// What follows the reason in field 60 (layout of the samples in §9.23).
const FIELD_60_TAIL: &str = "05000100000000004021002000";

/// Reads a request; the card number is sealed under the key of `day`.
pub fn read_request(
    message: &Message,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Sealed, WireError> {
    let mut secrets = Secrets::default();
    let request = match message.mti() {
        FINANCIAL => {
            let financial = read_financial(message, &mut secrets, module, day)?;
            if let Some((block, format)) = pin(message)? {
                secrets.pin = Some(block);
                secrets.pin_format = Some(format);
            }
            if financial.entry.has_pin() != secrets.pin.is_some() {
                return Err(wrong(22, Problem::Contradicts));
            }
            Request::Financial(financial)
        }
        REVERSAL => {
            let sale = read_financial(message, &mut secrets, module, day)?;
            let reason = mandatory(message, 60, |b| narrow(b.get(..4)?)).map(ReversalReason)?;
            let original = mandatory(message, 90, original)?;
            let key = sale.key;
            Request::Reversal(Reversal {
                key,
                original,
                reason,
                sale: Financial {
                    key: original,
                    ..sale
                },
            })
        }
        MANAGEMENT => {
            let code = network_code(message)?;
            Request::Management(Management {
                key: key(message)?,
                code,
                keys: optional(message, 62, keys)?,
            })
        }
        _ => return Err(wrong(0, Problem::NotServed)),
    };
    Ok(Sealed { request, secrets })
}

/// Writes a request; field 128 is the edge's.
pub fn write_request(
    sealed: &Sealed,
    module: &dyn SecurityModule,
    message: &mut Message,
) -> Result<(), WireError> {
    match &sealed.request {
        Request::Financial(sale) => {
            message.clear(FINANCIAL);
            write_financial(message, sale, &sealed.secrets, module)?;
            write_key(message, sale.key);
            message.set_text(60, &format!("0000{FIELD_60_TAIL}"));
            if let Some(track2) = &sealed.secrets.track2 {
                message.set(35, track2.expose());
            }
            if let (Some(block), Some(format)) = (&sealed.secrets.pin, sealed.secrets.pin_format) {
                write_pin(message, block, format);
            }
        }
        Request::Reversal(reversal) => {
            message.clear(REVERSAL);
            write_financial(message, &reversal.sale, &sealed.secrets, module)?;
            write_key(message, reversal.key);
            message.set_text(60, &format!("{:04}{FIELD_60_TAIL}", reversal.reason.0));
            let o = reversal.original;
            message.set_text(
                90,
                &format!(
                    "0200{}{:010}{:011}{:011}",
                    o.stan, o.transmission, o.acquirer.0, o.forwarder.0
                ),
            );
        }
        Request::Management(management) => {
            message.clear(MANAGEMENT);
            write_key(message, management.key);
            message.set_number(70, u64::from(management.code.number()), 3);
            if let Some(keys) = &management.keys {
                message.set(62, &write_keys(keys));
            }
        }
    }
    Ok(())
}

/// Reads an answer.
pub fn read_answer(message: &Message) -> Result<Answer, WireError> {
    let kind = match message.mti() {
        m if m == FINANCIAL.response() => AnswerKind::Financial,
        m if m == REVERSAL.response() => AnswerKind::Reversal,
        m if m == MANAGEMENT.response() => AnswerKind::Management,
        _ => return Err(wrong(0, Problem::NotServed)),
    };
    let outcome = outcome(message)?;
    let management = match kind {
        AnswerKind::Management => Some((network_code(message)?, optional(message, 62, keys)?)),
        _ => None,
    };
    Ok(Answer {
        kind,
        processing: optional(message, 3, narrow::<u32>)?,
        key: key(message)?,
        amount: amount(message)?,
        code: outcome.code,
        rrn: outcome.rrn,
        approval: outcome.approval,
        settlement: optional(message, 15, narrow)?,
        acceptor: if message.has(41) {
            Some(acceptor(message)?)
        } else {
            None
        },
        balance: optional(message, 54, balance)?,
        receiver: optional(message, 100, number)?.map(Institution),
        management,
    })
}

/// Writes an answer; field 128 is the edge's.
pub fn write_answer(answer: &Answer, message: &mut Message) {
    message.clear(match answer.kind {
        AnswerKind::Financial => FINANCIAL.response(),
        AnswerKind::Reversal => REVERSAL.response(),
        AnswerKind::Management => MANAGEMENT.response(),
    });
    write_key(message, answer.key);
    if let Some(processing) = answer.processing {
        message.set_number(3, u64::from(processing), 6);
    }
    if let Some(amount) = answer.amount {
        write_amount(message, amount);
    }
    if let Some(date) = answer.settlement {
        message.set_number(15, u64::from(date), 4);
    }
    write_outcome(message, answer.rrn, answer.approval, answer.code);
    if let Some((terminal, merchant)) = answer.acceptor {
        write_acceptor(message, terminal, merchant);
    }
    if let Some(balance) = answer.balance {
        write_balance(message, balance);
        message.set_number(49, u64::from(crate::CNY.0), 3);
    }
    if let Some(receiver) = answer.receiver {
        message.set_text(100, &receiver.to_string());
    }
    if let Some((code, keys)) = &answer.management {
        message.set_number(70, u64::from(code.number()), 3);
        if let Some(keys) = keys {
            message.set(62, &write_keys(keys));
        }
    }
}

/// The fields whose bytes the host MAC covers, in this order (configuration data; the subset of reference §5.5, and the
/// working keys of field 62).
pub const MAC_FIELDS: [u8; 16] = [2, 3, 4, 7, 11, 18, 25, 32, 33, 38, 39, 41, 42, 62, 70, 90];

fn key(message: &Message) -> Result<HostKey, WireError> {
    Ok(HostKey {
        transmission: mandatory(message, 7, number)?,
        stan: mandatory(message, 11, stan)?,
        acquirer: Institution(mandatory(message, 32, number)?),
        forwarder: Institution(mandatory(message, 33, number)?),
    })
}

fn write_key(message: &mut Message, key: HostKey) {
    message.set_number(7, key.transmission, 10);
    message.set_number(11, u64::from(key.stan.0), 6);
    message.set_text(32, &key.acquirer.to_string());
    message.set_text(33, &key.forwarder.to_string());
}

fn network_code(message: &Message) -> Result<NetworkCode, WireError> {
    mandatory(message, 70, |b| {
        let number: u16 = narrow(b)?;
        NetworkCode::ALL
            .into_iter()
            .find(|code| code.number() == number)
    })
}

fn read_financial(
    message: &Message,
    secrets: &mut Secrets,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Financial, WireError> {
    let kind = mandatory(message, 3, |b| Kind::of_host_processing(narrow(b)?))?;
    let number = mandatory(message, 2, pan)?;
    let card = module
        .card(&number, day)
        .map_err(|_| wrong(2, Problem::Security))?;
    secrets.pan = Some(number);
    secrets.track2 = optional(message, 35, Track2::parse)?;
    let amount = match amount(message)? {
        Some(amount) => amount,
        None if kind.row().moves_money => return Err(wrong(4, Problem::Missing)),
        None => Amount::fen(0),
    };
    let (terminal, merchant) = acceptor(message)?;
    Ok(Financial {
        key: key(message)?,
        kind,
        amount,
        card,
        entry: EntryMode(mandatory(message, 22, narrow)?),
        expiry: optional(message, 14, narrow)?,
        settlement: optional(message, 15, narrow)?,
        local: (
            mandatory(message, 12, narrow)?,
            mandatory(message, 13, narrow)?,
        ),
        category: mandatory(message, 18, narrow)?,
        rrn: mandatory(message, 37, Rrn::parse)?,
        terminal,
        merchant,
    })
}

fn write_financial(
    message: &mut Message,
    sale: &Financial,
    secrets: &Secrets,
    module: &dyn SecurityModule,
) -> Result<(), WireError> {
    let row = sale.kind.row();
    match &secrets.pan {
        Some(number) => message.set(2, number.expose()),
        None => {
            let number = module
                .open_pan(&sale.card.sealed)
                .map_err(|_| wrong(2, Problem::Security))?;
            message.set(2, number.expose());
        }
    }
    message.set_number(3, u64::from(row.processing_host.unwrap_or(0)), 6);
    if row.moves_money {
        message.set_number(4, sale.amount.minor, 12);
    }
    message.set_number(49, u64::from(sale.amount.currency.0), 3);
    message.set_number(12, u64::from(sale.local.0), 6);
    message.set_number(13, u64::from(sale.local.1), 4);
    if let Some(expiry) = sale.expiry {
        message.set_number(14, u64::from(expiry), 4);
    }
    if let Some(date) = sale.settlement {
        message.set_number(15, u64::from(date), 4);
    }
    message.set_number(18, u64::from(sale.category), 4);
    message.set_number(22, u64::from(sale.entry.0), 3);
    message.set_number(25, u64::from(row.condition.unwrap_or(0)), 2);
    message.set(37, &sale.rrn.0);
    write_acceptor(message, sale.terminal, sale.merchant);
    Ok(())
}

/// Field 90: original type 4, trace number 6, transmission 10, acquirer 11, forwarder 11 (reference §4.7).
fn original(bytes: &[u8]) -> Option<HostKey> {
    if bytes.len() != 42 || &bytes[..4] != b"0200" {
        return None;
    }
    Some(HostKey {
        stan: stan(&bytes[4..10])?,
        transmission: number(&bytes[10..20])?,
        acquirer: Institution(number(&bytes[20..31])?),
        forwarder: Institution(number(&bytes[31..42])?),
    })
}

fn keys(bytes: &[u8]) -> Option<HostKeys> {
    let bytes: &[u8; 40] = bytes.try_into().ok()?;
    Some(HostKeys {
        pin: (bytes[..16].try_into().ok()?, bytes[16..20].try_into().ok()?),
        mac: (bytes[20..36].try_into().ok()?, bytes[36..].try_into().ok()?),
    })
}

fn write_keys(keys: &HostKeys) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..16].copy_from_slice(&keys.pin.0);
    bytes[16..20].copy_from_slice(&keys.pin.1);
    bytes[20..36].copy_from_slice(&keys.mac.0);
    bytes[36..].copy_from_slice(&keys.mac.1);
    bytes
}
