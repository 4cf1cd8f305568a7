//! Typed messages between terminal and acquirer: what the fields mean, once the bytes are known to be well formed.

use crate::batch::{BatchTotals, BlockCodes, UploadPart};
use crate::download::{Download, DownloadRequest, Piece, Versions};
use crate::guard::TakenBack;
use crate::{
    Amount, ApprovalCode, Batch, ChipAnswer, EntryMode, Kind, LinkId, Linked, MerchantId, Original,
    QrText, ResponseCode, Rrn, SaleKey, Secrets, Sign, Stan, TerminalId,
};
use crypto::Card;
use serde::{Deserialize, Serialize};

/// Whether field 64 was there and right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacCheck {
    /// Present and right under the current key.
    Right,
    /// Present and wrong, or no key to check it with.
    Wrong,
    /// Not carried.
    Absent,
}

/// What stays of a sale's request in state and records: everything except its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// Fields 41, 42, 60.2, 11.
    pub key: SaleKey,
    /// What it asks for.
    pub kind: Kind,
    /// Field 4; zero for an inquiry.
    pub amount: Amount,
    /// Field 2, sealed.
    pub card: Card,
    /// Field 22.
    pub entry: EntryMode,
    /// Field 14, `YYMM`.
    pub expiry: Option<u16>,
    /// Field 23.
    pub card_sequence: Option<u16>,
    /// Fields 61, 37 and 38, of a kind that is about an earlier transaction.
    pub original: Option<Original>,
    /// Field 48 of a tip, in minor units.
    pub tip_minor: Option<u64>,
    /// Field 59, tag LK: the earlier sale in whose place it is.
    pub linked: Option<Linked>,
    /// Field 59, tag TO, sealed: the card that receives the amount.
    pub to: Option<Card>,
}

/// Fields that every request of a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Field 41.
    pub terminal: TerminalId,
    /// Field 42.
    pub merchant: MerchantId,
    /// Field 11; an echo test has none.
    pub stan: Option<Stan>,
    /// Field 60.2.
    pub batch: Batch,
}

/// A request of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// 0800 sign-on, 0820 sign-off and echo, told apart by `kind`.
    Management {
        /// Sign-on, sign-off or echo.
        kind: Kind,
        /// Who.
        origin: Origin,
    },
    /// 0100, 0200 and 0220.
    Financial {
        /// The sale.
        sale: Sale,
        /// Positive sign, when the terminal speaks our extension.
        sign: Option<Sign>,
    },
    /// 0400.
    Reversal {
        /// The transaction to withdraw, with its original trace number.
        sale: Sale,
        /// Field 39: 98 no answer, 06 other, 96 cannot finish, A0 wrong MAC (reference §4.1).
        reason: ResponseCode,
        /// Positive sign.
        sign: Option<Sign>,
    },
    /// 0620 with 60.3 = 952: what became of `original`?
    Query {
        /// Who asks, with the query's own trace number.
        origin: Origin,
        /// The sale asked about: batch and trace number (field 61).
        original: (Batch, Stan),
        /// Positive sign.
        sign: Option<Sign>,
    },
    /// 0620 with 60.3 = 953.
    IdleReport {
        /// Who reports.
        origin: Origin,
        /// The sign; a report without one is a format error.
        sign: Sign,
    },
    /// 0500: the totals of the batch.
    Settle {
        /// Who, and which batch.
        origin: Origin,
        /// What the terminal counts.
        totals: BatchTotals,
        /// Field 64 is carried: the terminal speaks our extension.
        mac: bool,
    },
    /// 0320: a part of the batch, or its end.
    Upload {
        /// Who, and which batch; of an advice its own trace number.
        origin: Origin,
        /// Which part; card numbers of several sales are beside it.
        part: UploadPart,
        /// Field 64 is carried: the terminal speaks our extension.
        mac: bool,
    },
    /// 0800 and 0820 of a download.
    Download(DownloadRequest),
}

impl Request {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Management { kind, .. } => *kind,
            Self::Financial { sale, .. } => sale.kind,
            Self::Reversal { .. } => Kind::Reversal,
            Self::Query { .. } => Kind::ResultQuery,
            Self::IdleReport { .. } => Kind::IdleReport,
            Self::Settle { .. } => Kind::Settlement,
            Self::Upload { .. } => Kind::BatchUpload,
            Self::Download(request) => request.kind,
        }
    }

    /// Field 64 is carried.
    pub fn carries_mac(&self) -> bool {
        match self {
            Self::Settle { mac, .. } | Self::Upload { mac, .. } => *mac,
            Self::Download(request) => request.mac,
            _ => self.kind().row().mac,
        }
    }

    /// Fields 41, 42, 11 and 60.2.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Management { origin, .. }
            | Self::Query { origin, .. }
            | Self::IdleReport { origin, .. }
            | Self::Settle { origin, .. }
            | Self::Upload { origin, .. } => *origin,
            Self::Download(request) => request.origin,
            Self::Financial { sale, .. } | Self::Reversal { sale, .. } => Origin {
                terminal: sale.key.terminal,
                merchant: sale.key.merchant,
                stan: Some(sale.key.stan),
                batch: sale.key.batch,
            },
        }
    }

    /// The positive sign, when there is one.
    pub fn sign(&self) -> Option<Sign> {
        match self {
            Self::Management { .. }
            | Self::Settle { .. }
            | Self::Upload { .. }
            | Self::Download(_) => None,
            Self::Financial { sign, .. }
            | Self::Reversal { sign, .. }
            | Self::Query { sign, .. } => *sign,
            Self::IdleReport { sign, .. } => Some(*sign),
        }
    }
}

/// A request together with the secrets that travel beside it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The request.
    pub request: Request,
    /// Its secrets.
    pub secrets: Secrets,
}

/// What the acquirer knows of a sale, as the answer to a result query tells it (settled point 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Approved: the whole first answer is in the same message.
    Approved,
    /// Declined with this code.
    Declined(ResponseCode),
    /// Still waiting for the issuer.
    InProgress,
    /// The acquirer is reversing it.
    Reversing,
    /// The issuer confirmed the reversal.
    Reversed {
        /// There was nothing to give back.
        never_debited: bool,
    },
    /// The reversal was refused; an operator has the case.
    Case,
    /// The acquirer never saw it.
    NeverSeen,
}

/// An answer of the acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The kind of the request that is answered.
    pub kind: Kind,
    /// Of a reversal: the kind that it withdraws.
    pub withdraws: Option<Kind>,
    /// Fields 41, 42, 11, 60.2 of the request.
    pub origin: Origin,
    /// Field 3 of the request, for financial kinds and reversals.
    pub processing: Option<u32>,
    /// Field 4.
    pub amount: Option<Amount>,
    /// Field 39.
    pub code: ResponseCode,
    /// Field 37.
    pub rrn: Option<Rrn>,
    /// Field 38.
    pub approval: Option<ApprovalCode>,
    /// Fields 12 and 13: `hhmmss`, `MMDD`.
    pub local: Option<(u32, u16)>,
    /// Field 15, `MMDD`.
    pub settlement: Option<u16>,
    /// Field 32.
    pub acquirer: Option<crate::Institution>,
    /// Field 54: available balance, positive or negative, minor units.
    pub balance: Option<i64>,
    /// Result query: the standing, and when to ask again.
    pub standing: Option<(Standing, AskAgainMs)>,
    /// Sign-on: field 62, the working keys under the terminal's master key.
    pub keys: Option<KeysField>,
    /// Field 59, tag CL: where the e-slip is, for a terminal that speaks our extension.
    pub link: Option<LinkId>,
    /// Field 55: what the issuer tells the chip.
    pub chip: Option<ChipAnswer>,
    /// Field 48 of a settlement: the totals that were compared, and how each block came out.
    pub compared: Option<(BatchTotals, BlockCodes)>,
    /// Field 60.3 of an answer to a batch upload: that of the part.
    pub part_code: Option<u16>,
    /// Field 59, tag QR: what the till shows for the customer to scan.
    pub qr: Option<QrText>,
    /// Field 59, tag GU: the earlier sale that a refused charge may repeat, for a terminal that speaks our extension.
    pub guard: Option<SaleKey>,
    /// Field 59, tag TB: a sale of the asking terminal that was taken back for what was paid elsewhere.
    pub taken_back: Option<TakenBack>,
    /// Field 62 of a step of a download.
    pub piece: Option<Piece>,
    /// Field 59, tag FV: the versions that the acquirer offers, for a terminal that speaks our extension.
    pub versions: Option<Versions>,
    /// What the header demands when nothing else is to be done (reference §1.3); it is in no field.
    pub demands: Option<Download>,
}

/// When to ask again, in milliseconds, at most 99,999.
pub type AskAgainMs = u32;

/// Field 62 of a sign-on answer, 40 bytes: two enciphered keys with their check values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeysField(pub [u8; 40]);

impl std::fmt::Debug for KeysField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeysField(…)")
    }
}

impl Serialize for KeysField {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeysField {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <Vec<u8>>::deserialize(deserializer)?;
        let fixed = bytes
            .try_into()
            .map_err(|_| serde::de::Error::custom("field 62 must be 40 bytes"))?;
        Ok(Self(fixed))
    }
}

impl Answer {
    /// An answer that carries nothing but the code; the caller fills in what it knows.
    pub fn to(request: &Request, code: ResponseCode) -> Self {
        let (processing, amount) = match request {
            Request::Financial { sale, .. }
            | Request::Reversal { sale, .. }
            | Request::Upload {
                part: UploadPart::Advice(sale),
                ..
            } => (
                sale.kind.row().processing,
                sale.kind.row().moves_money().then_some(sale.amount),
            ),
            _ => (None, None),
        };
        Self {
            kind: request.kind(),
            withdraws: match request {
                Request::Reversal { sale, .. } => Some(sale.kind),
                _ => None,
            },
            origin: request.origin(),
            processing,
            amount,
            code,
            rrn: None,
            approval: None,
            local: None,
            settlement: None,
            acquirer: None,
            balance: None,
            standing: None,
            keys: None,
            link: None,
            chip: None,
            compared: None,
            part_code: match request {
                Request::Upload { part, .. } => Some(part.network_code()),
                _ => None,
            },
            qr: None,
            guard: None,
            taken_back: None,
            piece: None,
            versions: None,
            demands: None,
        }
    }

    /// The checks of reference §2.14: type, 3, 4, 11, 41, 42 as in the request. A mismatch counts as no answer.
    pub fn answers(&self, request: &Request) -> bool {
        let expected = Self::to(request, self.code);
        let same_batch = self.kind == Kind::SignOn || self.origin.batch == expected.origin.batch;
        self.kind == expected.kind
            && self.withdraws == expected.withdraws
            && self.origin.terminal == expected.origin.terminal
            && self.origin.merchant == expected.origin.merchant
            && self.origin.stan == expected.origin.stan
            && same_batch
            && self.processing == expected.processing
            && self.part_code == expected.part_code
            && (self.amount == expected.amount || self.code == ResponseCode::PARTIAL)
    }
}
