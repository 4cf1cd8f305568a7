//! Typed messages between acquirer, network and issuer.

use crate::{
    Amount, ApprovalCode, ChipAnswer, EntryMode, HostKey, Institution, Kind, MerchantId,
    ResponseCode, Rrn, Secrets, TerminalId,
};
use crypto::Card;
use serde::{Deserialize, Serialize};

/// What a financial request between hosts says, without its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Financial {
    /// Fields 7, 11, 32, 33.
    pub key: HostKey,
    /// What it asks for.
    pub kind: Kind,
    /// Field 4; zero for an inquiry.
    pub amount: Amount,
    /// Field 2, sealed.
    pub card: Card,
    /// Field 22.
    pub entry: EntryMode,
    /// Field 14.
    pub expiry: Option<u16>,
    /// Field 15, `MMDD`, stamped by the network.
    pub settlement: Option<u16>,
    /// Fields 12 and 13.
    pub local: (u32, u16),
    /// Field 18, merchant category code.
    pub category: u16,
    /// Field 37.
    pub rrn: Rrn,
    /// Field 41.
    pub terminal: TerminalId,
    /// Field 42.
    pub merchant: MerchantId,
    /// Field 90: the earlier transaction that it is about.
    pub original: Option<HostKey>,
    /// Field 103, sealed: the card that receives the amount.
    pub to: Option<Card>,
}

/// Why a reversal advice is sent: the first four digits of field 60 (reference §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReversalReason(pub u16);

impl ReversalReason {
    /// The terminal cancels in full.
    pub const TERMINAL_CANCELS: Self = Self(4351);
    /// The acquirer received the answer too late.
    pub const ACQUIRER_LATE: Self = Self(4353);
    /// The acquirer timed out.
    pub const ACQUIRER_TIMEOUT: Self = Self(4354);
    /// The acquirer found a wrong MAC in the answer.
    pub const ACQUIRER_MAC: Self = Self(4355);
    /// The acquirer cannot drive the terminal.
    pub const ACQUIRER_CANNOT_DELIVER: Self = Self(4356);
    /// The network got a late answer from the issuer.
    pub const NETWORK_LATE: Self = Self(4360);
    /// The network timed out on the issuer.
    pub const NETWORK_TIMEOUT: Self = Self(4361);
    /// The network found a wrong MAC from the issuer.
    pub const NETWORK_MAC: Self = Self(4362);
    /// The network cannot forward the answer to the acquirer.
    pub const NETWORK_CANNOT_FORWARD: Self = Self(4363);
}

/// A reversal advice (0420). It is repeated under the same key until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// The advice's own fields 7, 11, 32, 33.
    pub key: HostKey,
    /// Field 90: the original's key.
    pub original: HostKey,
    /// Why.
    pub reason: ReversalReason,
    /// The original's other fields, repeated.
    pub sale: Financial,
}

/// Field 70 (reference §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkCode {
    /// 001.
    SignOn,
    /// 002.
    SignOff,
    /// 101: new working keys, from the network to the member.
    KeyReset,
    /// 301.
    Echo,
}

impl NetworkCode {
    /// Every code.
    pub const ALL: [Self; 4] = [Self::SignOn, Self::SignOff, Self::KeyReset, Self::Echo];

    /// The number in field 70.
    pub const fn number(self) -> u16 {
        match self {
            Self::SignOn => 1,
            Self::SignOff => 2,
            Self::KeyReset => 101,
            Self::Echo => 301,
        }
    }
}

/// Two host keys as a key reset carries them in field 62: PIN key and MAC key under the member's key-encrypting key.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKeys {
    /// Enciphered PIN key and its check value.
    pub pin: ([u8; 16], [u8; 4]),
    /// Enciphered MAC key and its check value.
    pub mac: ([u8; 16], [u8; 4]),
}

impl std::fmt::Debug for HostKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostKeys(…)")
    }
}

/// A network management request (0800 and 0820).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Management {
    /// Fields 7, 11, 32 (the member), 33.
    pub key: HostKey,
    /// Field 70.
    pub code: NetworkCode,
    /// Field 62 of a key reset, and of the answer to a sign-on, which brings the first keys.
    pub keys: Option<HostKeys>,
}

/// A request between hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// 0100, 0200 and 0220.
    Financial(Financial),
    /// 0420.
    Reversal(Reversal),
    /// 0800 or 0820.
    Management(Management),
}

impl Request {
    /// Fields 7, 11, 32, 33 of this message.
    pub fn key(&self) -> HostKey {
        match self {
            Self::Financial(m) => m.key,
            Self::Reversal(m) => m.key,
            Self::Management(m) => m.key,
        }
    }
}

/// A request with the secrets that travel beside it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The request.
    pub request: Request,
    /// Its secrets.
    pub secrets: Secrets,
}

/// What an answer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AnswerKind {
    /// 0110, 0210 and 0230.
    Financial,
    /// 0430.
    Reversal,
    /// 0810 or 0830.
    Management,
}

/// An answer between hosts. It repeats fields 7, 11, 32 and 33, by which it is matched, never the STAN alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What it answers.
    pub kind: AnswerKind,
    /// Of a financial answer: the kind of its request.
    pub about: Option<Kind>,
    /// The request's fields 7, 11, 32, 33.
    pub key: HostKey,
    /// Field 4 of the request.
    pub amount: Option<Amount>,
    /// Field 39.
    pub code: ResponseCode,
    /// Field 37.
    pub rrn: Option<Rrn>,
    /// Field 38.
    pub approval: Option<ApprovalCode>,
    /// Field 15.
    pub settlement: Option<u16>,
    /// Fields 41 and 42, as in the request.
    pub acceptor: Option<(TerminalId, MerchantId)>,
    /// Field 54: available balance.
    pub balance: Option<i64>,
    /// Field 100: who received the request; the issuer.
    pub receiver: Option<Institution>,
    /// Field 70 and field 62 of management answers.
    pub management: Option<(NetworkCode, Option<HostKeys>)>,
    /// Field 55: what the issuer tells the chip.
    pub chip: Option<ChipAnswer>,
}

impl Answer {
    /// An answer to `request` with `code`; the caller fills in what it knows.
    pub fn to(request: &Request, code: ResponseCode) -> Self {
        let (kind, sale) = match request {
            Request::Financial(sale) => (AnswerKind::Financial, Some(sale)),
            Request::Reversal(reversal) => (AnswerKind::Reversal, Some(&reversal.sale)),
            Request::Management(_) => (AnswerKind::Management, None),
        };
        Self {
            kind,
            about: match request {
                Request::Financial(sale) => Some(sale.kind),
                _ => None,
            },
            key: request.key(),
            amount: sale
                .filter(|s| s.kind.row().moves_money())
                .map(|s| s.amount),
            code,
            rrn: sale.map(|s| s.rrn),
            approval: None,
            settlement: sale.and_then(|s| s.settlement),
            acceptor: sale.map(|s| (s.terminal, s.merchant)),
            balance: None,
            receiver: None,
            management: match request {
                Request::Management(m) => Some((m.code, None)),
                _ => None,
            },
            chip: None,
        }
    }

    /// True when kind, key, amount, terminal and merchant are those of `request`; anything else changes nothing (A3).
    pub fn answers(&self, request: &Request) -> bool {
        let expected = Self::to(request, self.code);
        self.kind == expected.kind
            && self.key == expected.key
            && self.about == expected.about
            && (self.amount == expected.amount || self.code == ResponseCode::PARTIAL)
            && self.acceptor == expected.acceptor
    }
}
