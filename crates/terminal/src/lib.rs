//! A POS: dialogue, journal before send, result query, reversal before the next sale, slips, the positive sign.
//!
//! It shows an approval only with a right MAC and in time, and starts no sale while another is unresolved (T1, T2).

mod answer;
mod batch;
mod cash;
mod chip;
mod command;
mod config;
mod download;
mod edge;
mod errand;
mod eslip;
pub mod kernel;
mod limits;
mod notice;
mod order;
#[cfg(feature = "planted")]
pub mod planted;
mod record;
mod report;
mod slip;
mod state;

pub use batch::Settling;
pub use chip::{ChipKept, ChipProblem, ChipRead, ChipReader, Presentation};
pub use config::Config;
pub use download::{DownloadProblem, Downloads};
pub use limits::{COMPLETED_MAX, QUERIES_MAX};
pub use record::{Approval, Cash, Ending, Record};
pub use report::{Pending, Shift};
pub use slip::slip_id;
pub use state::{Advice, Completed, Open, PendingReversal, Phase, Refused, State, Totals};

use crypto::Card;
use payment::batch::BlockCodes;
use payment::download::Download;
use payment::terminal::{Answer, MacCheck, Sealed};
use payment::{
    Amount, Batch, Decision, EntryMode, Kind, Linked, Machine, Mono, Now, Original, QrText,
    ResponseCode, SaleKey, Secrets, Stan,
};
use receipt::{CopyOf, PaperSeen, SpoolEffect, SpoolInput};

/// A terminal.
#[derive(Debug)]
pub struct Terminal {
    config: Config,
    state: State,
    /// No part of the state: a card does not survive a restart.
    reader: chip::Reader,
    #[cfg(feature = "planted")]
    planted: Option<planted::Bug>,
}

/// A card as the reader and the PIN pad give it.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Sealed number.
    pub card: Card,
    /// Field 22.
    pub entry: EntryMode,
    /// Field 14.
    pub expiry: Option<u16>,
    /// Number, track and enciphered PIN, for this one request.
    pub secrets: Secrets,
    /// What its chip brings, when that was read.
    pub chip: Option<Box<ChipRead>>,
}

/// A transaction as a cashier orders it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its kind.
    pub kind: Kind,
    /// How much; without it all that the original stands for.
    pub amount: Option<Amount>,
    /// With which card; without it that of the original, where this terminal has it.
    pub presented: Option<Presented>,
    /// The earlier transaction that it is about.
    pub original: Option<Named>,
    /// The unresolved sale in whose place it is.
    pub linked: Option<Linked>,
    /// The card that receives the amount, where the kind has one.
    pub to: Option<Card>,
}

/// How a cashier names an earlier transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// One of this terminal, by its trace number.
    Own(Stan),
    /// Any other, as its slip says.
    Typed(Original),
}

impl Command {
    /// A purchase.
    pub fn sale(amount: Amount, presented: Presented) -> Self {
        Self::Transact(Box::new(Order {
            kind: Kind::Purchase,
            amount: Some(amount),
            presented: Some(presented),
            original: None,
            linked: None,
            to: None,
        }))
    }

    /// A wallet sale with the code that the customer shows, or with a number drawn for an order that the shop shows.
    pub fn scan(kind: Kind, amount: Amount, code: Presented) -> Self {
        Self::Transact(Box::new(Order {
            kind,
            amount: Some(amount),
            presented: Some(code),
            original: None,
            linked: None,
            to: None,
        }))
    }

    /// A balance inquiry.
    pub fn balance(presented: Presented) -> Self {
        Self::Transact(Box::new(Order {
            kind: Kind::BalanceInquiry,
            amount: None,
            presented: Some(presented),
            original: None,
            linked: None,
            to: None,
        }))
    }

    /// A transaction about one of this terminal: over `amount`, or all that it stands for.
    pub fn about(kind: Kind, stan: Stan, amount: Option<Amount>) -> Self {
        Self::Transact(Box::new(Order {
            kind,
            amount,
            presented: None,
            original: Some(Named::Own(stan)),
            linked: None,
            to: None,
        }))
    }
}

/// What a cashier asks for.
#[derive(Clone, Debug)]
pub enum Command {
    /// 签到.
    SignOn,
    /// 签退.
    SignOff,
    /// 回响测试.
    Echo,
    /// A transaction of any kind.
    Transact(Box<Order>),
    /// 现金收款: by itself, or in place of a sale that is not resolved.
    Cash {
        /// How much.
        amount: Amount,
        /// In place of which sale.
        instead_of: Option<SaleKey>,
    },
    /// Sends what is pending now; charges nothing.
    Flush,
    /// Takes the open sale back instead of waiting for its result.
    Withdraw,
    /// Answers whether the goods of the open sale were handed over.
    GoodsHandedOver(bool),
    /// 重打印: a slip by trace number, or the last one.
    Reprint(Option<Stan>),
    /// What somebody saw on the paper: of a slip by trace number, or of the one that asks longest.
    Paper(Option<Stan>, PaperSeen),
    /// Switches printing on or off.
    Printing(bool),
    /// What was jammed is removed: the printer goes on from the failed line.
    ResumePrinter,
    /// Drops what the printer holds; it is printed again, marked.
    ClearPrinter,
    /// 批结算: closes the batch, or goes on with a settlement that waits.
    Settle,
    /// 交接班: prints what the shift took and what is pending.
    CloseShift,
    /// 电子小票: the link of a sale by trace number, or of the last one.
    ESlip(Option<Stan>),
    /// 下载: one download anew, or all that this terminal uses.
    Download(Option<Download>),
}

/// What a terminal hears.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // an input lives for one decision
pub enum Input {
    /// After a replay.
    Resumed,
    /// A deadline passed.
    Tick,
    /// The cashier.
    Cashier(Command),
    /// An answer on an exchange.
    Answer {
        /// The exchange.
        exchange: u64,
        /// Field 64.
        mac: MacCheck,
        /// The answer.
        answer: Box<Answer>,
        /// Working keys of a sign-on answer, when they check.
        keys: Option<Box<crypto::WorkingKeys>>,
        /// The last word of the card in the reader, when the answer brought it about.
        chip: Option<Box<kernel::Completed>>,
    },
    /// The request certainly did not leave.
    NotSent {
        /// The exchange.
        exchange: u64,
    },
    /// The connection closed before an answer.
    Lost {
        /// The exchange.
        exchange: u64,
    },
    /// The printer, or its driver.
    Printer(SpoolInput),
}

/// What a terminal does.
#[derive(Debug)]
pub enum Effect {
    /// Sends a request on a new exchange.
    Send {
        /// The exchange.
        exchange: u64,
        /// The request and its secrets.
        sealed: Box<Sealed>,
    },
    /// Nothing more is expected on this exchange.
    HangUp {
        /// The exchange.
        exchange: u64,
    },
    /// Shows something to the cashier.
    Show(Screen),
    /// For the printer's driver.
    Printer(SpoolEffect),
}

/// What the cashier sees, as a value; words come from the verdict table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Signed on.
    SignedOn,
    /// Signed off.
    SignedOff,
    /// Sign-on refused.
    SignOnRefused(ResponseCode),
    /// The host is there.
    EchoAnswered,
    /// The host did not answer.
    HostSilent,
    /// 正在确认，请勿再次刷卡.
    Confirming(SaleKey),
    /// 交易成功.
    Approved {
        /// The sale.
        key: SaleKey,
        /// Its kind.
        kind: Kind,
        /// The amount approved.
        amount: Amount,
        /// Found again by a result query.
        recovered: bool,
    },
    /// 交易未成功.
    Declined {
        /// The transaction.
        key: SaleKey,
        /// Its kind.
        kind: Kind,
        /// Why.
        code: ResponseCode,
    },
    /// 请勿再次刷卡: this card may have paid the same amount already. The cashier waits for the result, takes cash in its
    /// place, or charges in its place with a reason.
    Guard {
        /// The refused sale.
        key: SaleKey,
        /// The one that is unresolved.
        earlier: SaleKey,
        /// The amount of both.
        amount: Amount,
    },
    /// 现金已收.
    CashTaken {
        /// Its number.
        key: SaleKey,
        /// How much.
        amount: Amount,
        /// In place of which sale.
        instead_of: Option<SaleKey>,
    },
    /// An approved sale was taken back, because something else was paid in its place elsewhere, or the acquirer's staff
    /// gave it back.
    TakenBack {
        /// The sale.
        key: SaleKey,
        /// What stands in its place; the sale itself when staff gave it back.
        by: SaleKey,
        /// What it stood for; none when it is not remembered any more.
        amount: Option<Amount>,
    },
    /// The acquirer could not tie cash to the card sale: 22 says that both were paid.
    LinkRefused {
        /// The card sale.
        earlier: SaleKey,
        /// Why.
        code: ResponseCode,
    },
    /// The request never left: nothing happened.
    NotSent(SaleKey),
    /// The customer scans this code to pay.
    Scan {
        /// The sale.
        key: SaleKey,
        /// Text of the code.
        qr: QrText,
    },
    /// Asking the acquirer what became of it.
    Asking(SaleKey),
    /// 正在自动冲正.
    Reversing {
        /// The transaction.
        key: SaleKey,
        /// Its kind.
        kind: Kind,
        /// The acquirer owns the reversal.
        by_acquirer: bool,
    },
    /// The reversal was refused; attempts go on.
    ReversalRefused {
        /// The sale.
        key: SaleKey,
        /// Why.
        code: ResponseCode,
    },
    /// 自动冲正成功.
    Reversed {
        /// The transaction.
        key: SaleKey,
        /// Its kind.
        kind: Kind,
        /// The issuer had debited nothing.
        never_debited: bool,
    },
    /// The host approved and the card did not: 卡片拒绝，正在冲正.
    CardRefused(SaleKey),
    /// 已转人工.
    Case(SaleKey),
    /// Were the goods handed over? (settled point 6)
    AskGoods(SaleKey),
    /// Available balance, minor units.
    Balance(i64),
    /// The inquiry was refused.
    BalanceRefused(ResponseCode),
    /// The command waits: something is unresolved.
    Busy(Busy),
    /// Nothing pending.
    NothingPending,
    /// There is no such slip.
    NoSuchSlip,
    /// There is no such transaction that this one could be about.
    NoSuchOriginal,
    /// The printer stopped for this, or goes on.
    Printer(Option<receipt::Trouble>),
    /// Nobody knows what is on the paper: 凭条是否完整打出？
    AskPaper {
        /// The slip.
        slip_id: u64,
        /// Which copy of it.
        copy: CopyOf,
    },
    /// Printing was switched, or is off at sign-on.
    Printing {
        /// Whether slips are printed.
        on: bool,
        /// The operator who switched it.
        by: String,
    },
    /// The e-slip: the customer scans it.
    ESlip {
        /// The sale.
        key: SaleKey,
        /// The whole link.
        link: String,
    },
    /// 正在批结算.
    Settling(Batch),
    /// The settlement waits: this goes first.
    SettlementWaits(Waits),
    /// The acquirer does not know this batch: nothing was settled, and everything stays for the next one.
    SettlementRefused(Batch),
    /// 批结算完成.
    Settled {
        /// The batch that is closed.
        batch: Batch,
        /// What the acquirer said of its totals.
        codes: BlockCodes,
    },
    /// 交接班完成.
    ShiftClosed {
        /// How many items without a final result its slip lists.
        pending: u32,
    },
    /// 正在下载.
    Downloading(Download),
    /// 下载完成.
    Downloaded {
        /// What.
        download: Download,
        /// Its version; 0 where the acquirer says none.
        version: u16,
        /// Items in it.
        items: u8,
    },
    /// 下载未完成: what was in use stays.
    DownloadFailed {
        /// What.
        download: Download,
        /// Why.
        problem: DownloadProblem,
    },
    /// 本终端未开通此交易: the downloaded parameters do not offer this kind.
    NotOffered(Kind),
}

/// What a settlement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// A reversal that was not delivered yet.
    Reversal(SaleKey),
    /// A sale without a result.
    Sale(SaleKey),
    /// So many advices that were not answered yet.
    Advices(u32),
    /// The acquirer is silent: the cashier asks again later.
    Host,
}

/// Why a command must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Signing on first.
    SignOnFirst,
    /// A reversal goes first.
    ReversalFirst,
    /// A sale is unresolved.
    SaleUnresolved,
    /// An exchange is under way.
    Exchanging,
    /// Too many advices wait for their answer.
    AdvicesFirst,
    /// The batch is full: it is settled first.
    SettleFirst,
    /// The batch is being settled.
    Settling,
}

type Decided = Decision<Record, Effect>;

impl Terminal {
    /// A terminal that has never spoken.
    pub fn new(config: Config) -> Self {
        let state = State::new(config.first_stan);
        Self {
            config,
            state,
            reader: chip::Reader::default(),
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The state, read only.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Machine for Terminal {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decided {
        let mut decided = Decided::nothing();
        match input {
            Input::Resumed => self.resumed(now, &mut decided),
            Input::Tick => self.tick(now, &mut decided),
            Input::Cashier(command) => self.command(now, command, &mut decided),
            Input::Answer {
                exchange,
                mac,
                answer,
                keys,
                chip,
            } => {
                self.answered(now, exchange, mac, &answer, (keys, chip), &mut decided);
            }
            Input::NotSent { exchange } => self.not_sent(now, exchange, &mut decided),
            Input::Lost { exchange } => self.unanswered(now, exchange, &mut decided),
            Input::Printer(input) => self.printer(now, [input], &mut decided),
        }
        decided
    }

    fn apply(&mut self, record: &Record) {
        self.state.apply(record);
    }

    fn deadline(&self) -> Option<Mono> {
        self.next_errand_at()
    }
}
