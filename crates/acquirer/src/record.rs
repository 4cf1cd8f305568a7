//! What an acquirer writes: every durable fact, the only thing that changes its state.

use crate::batch::Break;
use crate::recall::Recalled;
use crate::sale::{FirstAnswer, Reply};
use crate::wallet::WalletRecord;
use crypto::{WorkingKeys, WrappedKey};
use payment::batch::{BatchTotals, ChipUpload, Uploaded};
use payment::certificate::{CertifiedOutcome, KeyId};
use payment::download::Download;
use payment::evidence::{Confirmation, Delivery, ReversalCause, Upstream};
use payment::host::ReversalReason;
use payment::relay::RelayRecord;
use payment::terminal::{KeysField, Sale};
use payment::{
    Batch, HostKey, LinkId, Mandate, Mono, Now, Remedy, ResponseCode, Rrn, SaleKey, Stan,
    Statement, TerminalId, Wall,
};
use serde::{Deserialize, Serialize};

/// A record. Variants are only ever added at the end, so that older journals stay readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A terminal signed on.
    SignedOn {
        /// Who.
        terminal: TerminalId,
        /// With which trace number: a repeat gets the same keys.
        stan: Stan,
        /// The batch it was given.
        batch: Batch,
        /// Its keys.
        keys: WorkingKeys,
        /// As they were sent.
        field62: KeysField,
    },
    /// A terminal signed off.
    SignedOff {
        /// Who.
        terminal: TerminalId,
    },
    /// A request was accepted and goes to the network.
    Forwarded {
        /// The request.
        sale: Sale,
        /// Its retrieval reference number.
        rrn: Rrn,
        /// Its key between hosts.
        host: HostKey,
        /// When.
        at: Now,
        /// Where the answer goes.
        reply: Reply,
        /// Until when the network's answer is awaited.
        deadline: Mono,
        /// The earlier transaction that it is about.
        original: Option<SaleKey>,
        /// What an approval adds to the merchant's money, in minor units.
        moved_minor: i64,
    },
    /// A request was refused before anything left.
    Refused {
        /// The request.
        sale: Sale,
        /// Its retrieval reference number.
        rrn: Rrn,
        /// Why.
        code: ResponseCode,
        /// When.
        at: Now,
        /// Where the answer went.
        reply: Reply,
    },
    /// The same request came again; the answer goes to the newer connection.
    Repeated {
        /// The sale.
        key: SaleKey,
        /// Where the answer goes now.
        reply: Reply,
    },
    /// The network answered in time.
    Answered {
        /// The sale.
        key: SaleKey,
        /// The answer.
        answer: FirstAnswer,
        /// When an approval must have been confirmed by the terminal.
        confirm_by: Option<Mono>,
    },
    /// The request certainly did not leave; it is refused.
    NotSent {
        /// The sale.
        key: SaleKey,
        /// The answer.
        answer: FirstAnswer,
    },
    /// A reversal was started: the money must not stay with the merchant.
    Reversing {
        /// The sale.
        key: SaleKey,
        /// Who started it.
        cause: ReversalCause,
        /// What is known of the request upstream.
        upstream: Upstream,
        /// Key of the advice.
        advice: HostKey,
        /// Its reason.
        reason: ReversalReason,
        /// When.
        at: Now,
    },
    /// A terminal waits for the end of a reversal.
    Waiting {
        /// The sale.
        key: SaleKey,
        /// Who, and until when; none when it was told that the acquirer goes on alone.
        waiter: Option<(Reply, Mono)>,
    },
    /// An approval came after the reversal had been started.
    LateApproval {
        /// The sale.
        key: SaleKey,
    },
    /// Store-and-forward of advices.
    Relay(RelayRecord<HostKey>),
    /// The issuer's word on a reversal.
    ReversalAnswered {
        /// The sale.
        key: SaleKey,
        /// Field 39 of 0430.
        code: ResponseCode,
        /// Case number, at the first refusal.
        case: Option<u32>,
    },
    /// A reversal of a sale never seen: it may still come, and must be refused then.
    Tombstone {
        /// The sale.
        key: SaleKey,
    },
    /// What is known of the last hop.
    Delivered {
        /// The sale.
        key: SaleKey,
        /// How.
        delivery: Delivery,
    },
    /// The terminal confirmed an approval, or said more about its slip.
    Confirmed {
        /// The sale.
        key: SaleKey,
        /// What it said.
        confirmation: Confirmation,
    },
    /// An approval without confirmation, or in disagreement with the terminal, entered the one-sided queue.
    OneSided {
        /// The sale.
        key: SaleKey,
        /// Its number.
        case: u32,
        /// When.
        at: Now,
    },
    /// A sign-on to the network was sent.
    NetworkAsked {
        /// Its key.
        key: HostKey,
        /// When to try again.
        retry_at: Mono,
    },
    /// The network gave keys.
    NetworkKeys {
        /// PIN key.
        pin: WrappedKey,
        /// MAC key.
        mac: WrappedKey,
        /// They answer our sign-on; a reset by the network leaves that answer awaited.
        answers: bool,
    },
    /// A sale that was just forwarded has this link id.
    Linked {
        /// The sale.
        key: SaleKey,
        /// Its link id.
        link: LinkId,
    },
    /// A sale's outcome became final, or changed: the next certificate of the chain says so.
    Certified {
        /// The sale.
        key: SaleKey,
        /// How it ended.
        outcome: CertifiedOutcome,
        /// Whose key signs it.
        signer: KeyId,
        /// When.
        at: Wall,
    },
    /// Nobody upstream answered an advice: it is sent again until somebody does.
    Deferred {
        /// The transaction.
        key: SaleKey,
        /// What is known of it upstream.
        upstream: Upstream,
        /// The next attempt.
        next: Mono,
    },
    /// A terminal gave the totals of its batch.
    Compared {
        /// Who.
        terminal: TerminalId,
        /// Its batch.
        batch: Batch,
        /// What it counts.
        claimed: BatchTotals,
        /// What we count.
        own: BatchTotals,
        /// When.
        at: Now,
    },
    /// A terminal uploaded a part of its batch.
    Uploaded {
        /// Who.
        terminal: TerminalId,
        /// What was new.
        records: Vec<Uploaded>,
    },
    /// Terminal and acquirer disagree about a transaction of a batch.
    BatchBreak {
        /// The transaction.
        key: SaleKey,
        /// In what.
        found: Break,
        /// Case number.
        case: u32,
        /// When.
        at: Now,
    },
    /// A batch is closed: nothing more belongs to it, and the next sign-on gives the next one.
    BatchClosed {
        /// Whose.
        terminal: TerminalId,
        /// Which.
        batch: Batch,
        /// Breaks named.
        breaks: u32,
        /// When.
        at: Now,
    },
    /// A scanned sale, or the refund of one, was accepted and goes to a wallet's provider.
    Ordered {
        /// The request.
        sale: Sale,
        /// Its retrieval reference number.
        rrn: Rrn,
        /// When.
        at: Now,
        /// Where the answer goes.
        reply: Reply,
        /// The sale that a refund is about.
        original: Option<SaleKey>,
        /// What an approval adds to the merchant's money, in minor units.
        moved_minor: i64,
        /// The number of the refund within its order.
        refund: Option<u8>,
    },
    /// What happened to a wallet order.
    Wallet(WalletRecord<SaleKey>),
    /// A forgotten transaction is in memory again, because a refund is about it.
    Recalled(Recalled),
    /// A charge was just refused because it may repeat an earlier one.
    Guarded {
        /// The refused sale.
        key: SaleKey,
        /// The unresolved one.
        earlier: SaleKey,
    },
    /// The end of an upload counted otherwise: what was uploaded is dropped, and the terminal begins anew.
    UploadAnew {
        /// Who.
        terminal: TerminalId,
    },
    /// Cash is taken in place of a sale of another till, which must be told.
    NoticeOwed {
        /// The sale.
        key: SaleKey,
        /// The link of the cash.
        by: SaleKey,
    },
    /// The till says that it has taken the sale back.
    NoticeTaken {
        /// The sale.
        key: SaleKey,
    },
    /// A cardholder made a statement about a sale: evidence of the rank "human", which moves nothing.
    Declared {
        /// The sale.
        key: SaleKey,
        /// What was said.
        statement: Statement,
        /// When.
        at: Wall,
    },
    /// A terminal has taken what it downloads, in this version.
    Downloaded {
        /// Who.
        terminal: TerminalId,
        /// What.
        download: Download,
        /// Its version.
        version: u16,
    },
    /// A terminal uploaded the last word of a chip.
    ChipUploaded {
        /// The transaction.
        key: SaleKey,
        /// What was uploaded.
        upload: ChipUpload,
        /// Field 55 without anything that names the card: for retrieval and dispute.
        evidence: Vec<u8>,
    },
    /// Staff did something about a transaction.
    Remedied {
        /// The transaction.
        key: SaleKey,
        /// What.
        remedy: Remedy,
        /// On whose word.
        mandate: Mandate,
        /// When.
        at: Wall,
    },
}

impl Record {
    /// The trace number between hosts that this record takes.
    pub(crate) fn host_stan(&self) -> Option<Stan> {
        match self {
            Self::Forwarded { host: key, .. }
            | Self::Reversing { advice: key, .. }
            | Self::NetworkAsked { key, .. } => Some(key.stan),
            _ => None,
        }
    }
}
