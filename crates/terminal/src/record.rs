//! What a terminal writes: every durable fact, the only thing that changes its state. No PIN, no track, no clear card number.

use crypto::WorkingKeys;
use payment::batch::BlockCodes;
use payment::download::{Download, Item, ItemName};
use payment::terminal::{Request, Sale};
use payment::{
    Amount, ApprovalCode, Batch, LinkId, Linked, Mono, Now, QrText, ResponseCode, Rrn, SaleKey,
    Sign,
};
use receipt::SpoolRecord;
use serde::{Deserialize, Serialize};

/// What the issuer's approval brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Field 39, one of the success codes.
    pub code: ResponseCode,
    /// Field 4 of the answer.
    pub amount: Amount,
    /// Field 37.
    pub rrn: Option<Rrn>,
    /// Field 38.
    pub approval: Option<ApprovalCode>,
    /// It came as the answer to a result query.
    pub recovered: bool,
}

/// How a sale ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// Approved: it stands.
    Approved(Approval),
    /// Declined.
    Declined(ResponseCode),
    /// Its request never left.
    NotSent,
    /// Reversed.
    Reversed {
        /// The issuer had debited nothing.
        never_debited: bool,
    },
    /// The acquirer opened a case.
    Case,
    /// The acquirer reverses it alone: the supervisor let another charge go in its place.
    Replaced,
}

/// Cash taken at the till.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cash {
    /// Its number; its trace number is its own.
    pub key: SaleKey,
    /// How much.
    pub amount: Amount,
    /// In place of which card sale.
    pub instead_of: Option<SaleKey>,
    /// When.
    pub at: Now,
}

/// A record. Variants are only ever added at the end, so that older journals stay readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A request is about to leave. Durable before its first byte does (T3).
    Asked {
        /// The exchange.
        exchange: u64,
        /// The request without its secrets.
        request: Request,
        /// When.
        at: Now,
        /// Until when its answer is awaited.
        deadline: Mono,
    },
    /// Nothing more is expected on the open exchange.
    ExchangeEnded {
        /// When.
        at: Now,
        /// The sign it carried, when a right answer proves that it was heard.
        reported: Option<Sign>,
    },
    /// Working keys and batch of a sign-on.
    SignedOn {
        /// The keys.
        keys: WorkingKeys,
        /// The batch to use.
        batch: Batch,
    },
    /// The cashier signed off.
    SignedOff,
    /// The keys are not good any more, or a sign-on is wanted; not before `retry_at`.
    SignOnNeeded {
        /// Earliest attempt.
        retry_at: Mono,
    },
    /// The outcome of the open sale is unknown: ask, not before `ask_at`.
    Unknown {
        /// Questions asked in vain so far.
        queries: u32,
        /// Next question.
        ask_at: Mono,
    },
    /// The acquirer owns the reversal of this sale; follow it.
    Following {
        /// The sale.
        sale: Sale,
        /// When it was started.
        started: Now,
        /// Next question.
        ask_at: Mono,
    },
    /// A late recovery: the cashier is asked whether the goods were handed over.
    AskGoods {
        /// What was recovered.
        approval: Approval,
        /// No answer until then means no.
        until: Mono,
    },
    /// The open sale must be reversed, by us.
    ReversalPending {
        /// Field 39 of the reversal.
        reason: ResponseCode,
        /// First attempt.
        next: Mono,
    },
    /// The pending reversal is tried again later.
    ReversalAgain {
        /// Next attempt.
        next: Mono,
        /// It was refused with this code.
        refused: Option<ResponseCode>,
    },
    /// The open sale, or the one being reversed, has ended.
    Ended {
        /// How.
        ending: Ending,
        /// When.
        at: Now,
    },
    /// The spool.
    Spool(SpoolRecord),
    /// Where the e-slip of the open sale, or of the one being reversed, is.
    Linked {
        /// Its link id.
        link: LinkId,
    },
    /// The e-slip of a completed sale was shown.
    ESlipShown {
        /// The sale.
        key: SaleKey,
    },
    /// An advice is kept until it is answered.
    Stored {
        /// The request.
        sale: Sale,
        /// When.
        at: Now,
    },
    /// The oldest advice is tried again later.
    AdviceAgain {
        /// Next attempt.
        next: Mono,
    },
    /// The oldest advice was answered.
    AdviceEnded {
        /// How.
        ending: Ending,
        /// When.
        at: Now,
        /// Where its e-slip is.
        link: Option<LinkId>,
    },
    /// The cashier asked for a settlement, or for one that waits to go on.
    SettleAsked {
        /// When.
        at: Now,
    },
    /// The acquirer compared the totals of the batch.
    Compared {
        /// How they came out.
        codes: BlockCodes,
        /// When.
        at: Now,
    },
    /// A message of the settlement was answered, or goes out again later.
    SettleAgain {
        /// This part was answered.
        done: Option<u16>,
        /// This one is next.
        place: u16,
        /// The round it is in.
        round: u32,
        /// When; none when it waits for the cashier.
        next: Option<Mono>,
        /// The acquirer misses something: no part counts as answered.
        anew: bool,
    },
    /// The batch is closed; the next sign-on gives the number of the next one.
    BatchClosed {
        /// When.
        at: Now,
    },
    /// A shift was closed.
    ShiftClosed {
        /// When.
        at: Now,
    },
    /// The customer scans this code to pay the open sale.
    Scan {
        /// Its text.
        qr: QrText,
    },
    /// What is remembered of a chip: of the request, then of the card's last word.
    Chip {
        /// The sale.
        key: SaleKey,
        /// It.
        chip: Box<crate::ChipKept>,
    },
    /// Cash is in the drawer.
    CashTaken {
        /// What was taken.
        cash: Cash,
    },
    /// A charge was just refused because it may repeat an earlier one.
    Guarded {
        /// The refused charge.
        sale: Sale,
        /// The unresolved one.
        earlier: SaleKey,
    },
    /// The supervisor let a charge go in place of the open sale.
    Overridden {
        /// The open sale, and why.
        linked: Linked,
        /// Who.
        operator: String,
        /// When.
        at: Now,
    },
    /// A sale that stood was taken back, because something else was paid in its place elsewhere.
    TakenBack {
        /// The sale.
        sale: SaleKey,
        /// What stands in its place.
        by: SaleKey,
        /// How it ended.
        ending: Ending,
        /// When this terminal was told.
        at: Now,
    },
    /// The acquirer does not know the batch that is being settled: it stays open here, and a sign-on asks for the right one.
    SettleRefused {
        /// When.
        at: Now,
    },
    /// These are to be downloaded.
    DownloadsWanted {
        /// Which.
        downloads: Vec<Download>,
        /// The first message.
        at: Mono,
    },
    /// A part of a list came.
    DownloadListed {
        /// Of what.
        download: Download,
        /// Its version.
        version: u16,
        /// The names.
        names: Vec<ItemName>,
        /// More follow.
        more: bool,
        /// The next message.
        at: Mono,
    },
    /// An item came whole.
    DownloadTaken {
        /// Of what.
        download: Download,
        /// Its version.
        version: u16,
        /// The item.
        item: Box<Item>,
        /// The next message.
        at: Mono,
    },
    /// The acquirer knows that everything came: from now on it is in use.
    DownloadEnded {
        /// What.
        download: Download,
        /// The next message, of another one.
        at: Mono,
    },
    /// A download goes on later.
    DownloadAgain {
        /// The next message.
        next: Mono,
        /// From the beginning.
        anew: bool,
    },
    /// A download was refused, or is tried no more until the next sign-on.
    DownloadGivenUp {
        /// What.
        download: Download,
        /// The next message, of another one.
        at: Mono,
    },
}
