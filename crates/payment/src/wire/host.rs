//! The host interface (UnionPay-style reference §4.7, §8.9, §9.23): messages between acquirer, network and issuer.

use super::{
    Problem, WireError, acceptor, amount, balance, mandatory, narrow, number, optional, outcome,
    pan, pin, stan, write_acceptor, write_amount, write_balance, write_chip, write_outcome,
    write_pin, wrong,
};
use crate::host::{
    Answer, AnswerKind, Financial, HostKeys, Management, NetworkCode, Request, Reversal,
    ReversalReason, Sealed,
};
use crate::{
    Amount, ChipAnswer, ChipRequest, EntryMode, HostKey, Institution, Kind, Rrn, Secrets, Track2,
};
use crypto::SecurityModule;
use iso8583::{Message, Mti};

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
        REVERSAL => {
            let (mti, original) = mandatory(message, 90, original)?;
            let sale = read_financial(message, mti, &mut secrets, module, day)?;
            let reason = mandatory(message, 60, |b| narrow(b.get(..4)?)).map(ReversalReason)?;
            let key = sale.key;
            Request::Reversal(Reversal {
                key,
                original,
                reason,
                sale: Financial {
                    key: original,
                    original: None,
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
        mti if is_financial(mti) => {
            let financial = read_financial(message, mti, &mut secrets, module, day)?;
            if let Some((block, format)) = pin(message)? {
                secrets.pin = Some(block);
                secrets.pin_format = Some(format);
            }
            if financial.entry.has_pin() != secrets.pin.is_some() {
                return Err(wrong(22, Problem::Contradicts));
            }
            Request::Financial(financial)
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
            message.clear(sale.kind.row().mti);
            write_financial(message, sale, &sealed.secrets, module)?;
            write_key(message, sale.key);
            if let (Some(_), Some(original)) = (sale.kind.row().original, sale.original) {
                let about = sale.kind.originals().next();
                let mti = about.map_or(Mti(0), |kind| kind.row().mti);
                write_original(message, mti, original);
            }
            write_chip(message, sealed.secrets.chip.as_ref());
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
            write_original(message, reversal.sale.kind.row().mti, reversal.original);
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
        m if m == REVERSAL.response() => AnswerKind::Reversal,
        m if m == MANAGEMENT.response() => AnswerKind::Management,
        m if is_financial(m.request()) => AnswerKind::Financial,
        _ => return Err(wrong(0, Problem::NotServed)),
    };
    let outcome = outcome(message)?;
    let management = match kind {
        AnswerKind::Management => Some((network_code(message)?, optional(message, 62, keys)?)),
        _ => None,
    };
    let about = match kind {
        AnswerKind::Financial => Some(kind_of(message, message.mti().request())?),
        _ => None,
    };
    Ok(Answer {
        kind,
        about,
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
        chip: optional(message, 55, ChipAnswer::new)?,
    })
}

/// Writes an answer; field 128 is the edge's.
pub fn write_answer(answer: &Answer, message: &mut Message) {
    message.clear(match (answer.kind, answer.about) {
        (AnswerKind::Management, _) => MANAGEMENT.response(),
        (AnswerKind::Financial, Some(kind)) => kind.row().mti.response(),
        (AnswerKind::Financial, None) | (AnswerKind::Reversal, _) => REVERSAL.response(),
    });
    write_key(message, answer.key);
    if let Some(kind) = answer.about {
        write_kind(message, kind);
    }
    if let Some(chip) = &answer.chip {
        message.set(55, chip.bytes());
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

/// The fields whose bytes the host MAC covers, in this order (configuration data; the subset of reference §5.5, the
/// working keys of field 62 and the receiving card of field 103).
pub const MAC_FIELDS: [u8; 17] = [
    2, 3, 4, 7, 11, 18, 25, 32, 33, 38, 39, 41, 42, 62, 70, 90, 103,
];

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

fn is_financial(mti: Mti) -> bool {
    Kind::ALL
        .iter()
        .any(|kind| kind.row().is_financial() && kind.row().mti == mti)
}

/// The kind of a transaction by its message type, fields 3 and 25; a missing field 25 reads as 00.
fn kind_of(message: &Message, mti: Mti) -> Result<Kind, WireError> {
    let condition = optional(message, 25, narrow)?.unwrap_or(0);
    mandatory(message, 3, |b| Kind::of_host(mti, narrow(b)?, condition))
}

fn write_kind(message: &mut Message, kind: Kind) {
    let row = kind.row();
    message.set_number(3, u64::from(row.processing_host.unwrap_or(0)), 6);
    message.set_number(25, u64::from(row.condition.unwrap_or(0)), 2);
}

fn read_financial(
    message: &Message,
    mti: Mti,
    secrets: &mut Secrets,
    module: &dyn SecurityModule,
    day: u16,
) -> Result<Financial, WireError> {
    let kind = kind_of(message, mti)?;
    let number = mandatory(message, 2, pan)?;
    let card = module
        .card(&number, day)
        .map_err(|_| wrong(2, Problem::Security))?;
    secrets.pan = Some(number);
    secrets.track2 = optional(message, 35, Track2::parse)?;
    secrets.chip = optional(message, 55, ChipRequest::new)?;
    let amount = match amount(message)? {
        Some(amount) => amount,
        None if kind.row().moves_money() => return Err(wrong(4, Problem::Missing)),
        None => Amount::fen(0),
    };
    let about = match kind.row().original {
        Some(_) => Some(mandatory(message, 90, original)?.1),
        None => None,
    };
    let to = match kind.row().receiver {
        true => {
            let number = mandatory(message, 103, pan)?;
            let card = module.card(&number, day);
            Some(card.map_err(|_| wrong(103, Problem::Security))?)
        }
        false => None,
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
        original: about,
        to,
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
    write_kind(message, sale.kind);
    if row.moves_money() {
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
    message.set(37, &sale.rrn.0);
    write_acceptor(message, sale.terminal, sale.merchant);
    if let Some(to) = &sale.to {
        let number = module.open_pan(&to.sealed);
        let number = number.map_err(|_| wrong(103, Problem::Security))?;
        message.set(103, number.expose());
    }
    Ok(())
}

/// Field 90: original type 4, trace number 6, transmission 10, acquirer 11, forwarder 11 (reference §4.7).
fn original(bytes: &[u8]) -> Option<(Mti, HostKey)> {
    if bytes.len() != 42 {
        return None;
    }
    let mti = u16::from_str_radix(std::str::from_utf8(&bytes[..4]).ok()?, 16).ok()?;
    let key = HostKey {
        stan: stan(&bytes[4..10])?,
        transmission: number(&bytes[10..20])?,
        acquirer: Institution(number(&bytes[20..31])?),
        forwarder: Institution(number(&bytes[31..42])?),
    };
    Some((Mti(mti), key))
}

fn write_original(message: &mut Message, mti: Mti, key: HostKey) {
    message.set_text(
        90,
        &format!(
            "{:04x}{}{:010}{:011}{:011}",
            mti.0, key.stan, key.transmission, key.acquirer.0, key.forwarder.0
        ),
    );
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
